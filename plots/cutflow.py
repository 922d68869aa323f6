"""What each requirement leaves: expected events of backgrounds, data, and efficiencies of signals."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hnl.corrections import normalisation
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.plots import processes, style
from hnl.plots.contents import SHOWN
from hnl.plots.style import DOUBLE, Drawn, Label, save
from hnl.processors.cutflow import ALL
from hnl.processors.selection_files import DatasetCutflow


def draw_all(
    cutflows: Mapping[str, DatasetCutflow], sum_w: Mapping[str, float], catalogue: Catalogue, folder: Path
) -> list[Drawn]:
    """The figure of `cutflow`.

    Args:
        cutflows: by dataset, of cutflow.json.
        sum_w: by simulated dataset, of all generated events; of selection.json.
        catalogue: tells what each dataset is.
        folder: for the figure; made if needed.

    Returns:
        Each figure.
    """
    path = save(cutflow(cutflows, sum_w, catalogue), folder / "cutflow.png")
    steps = _steps(cutflows)
    caption = (
        "Left: events expected after each requirement, by process, and those of data (points). Right: share of the "
        "generated signal events that is left. A process that falls in one step alone, or not at all, deserves a look."
    )
    alt = f"{len(steps)} requirements, from '{steps[0]}' to '{steps[-1]}'."
    for name, values in _signals(cutflows, sum_w, catalogue).items():
        alt += f" Of {name.replace('$m_N$', 'm_N')}, {values[-1]:.2g} is left."
    return [Drawn("Cutflow", path, caption, alt, "selection")]


@style.styled
def cutflow(cutflows: Mapping[str, DatasetCutflow], sum_w: Mapping[str, float], catalogue: Catalogue) -> Figure:
    """Requirements from above to below: events by process on the left, efficiencies of signals on the right.

    Args:
        cutflows, sum_w, catalogue: see `draw_all`.
    """
    steps = _steps(cutflows)
    figure, grid = style.panels(
        1, 2, width=DOUBLE, height=2.6 + 0.5 * len(steps), left=13.5, top=4.6, between=(3.0, 0), sharey=True
    )
    left, right = grid[0]
    expected_events(cutflows, sum_w, catalogue, ax=left)
    efficiencies(cutflows, sum_w, catalogue, ax=right)
    right.tick_params(labelleft=False)
    style.label(left, Label.of(catalogue), last=right)
    style.common_legend(figure, grid.flat, columns=6)
    return figure


@style.styled
def expected_events(
    cutflows: Mapping[str, DatasetCutflow], sum_w: Mapping[str, float], catalogue: Catalogue, ax: Axes | None = None
) -> Axes:
    """Events expected in the luminosity after each requirement, by process, and events of data.

    Args:
        cutflows, sum_w, catalogue: see `draw_all`.
        ax: where to; by default the axes of a new figure.
    """
    axes = style.single(ax, left=13.5)
    steps = _steps(cutflows)
    y = np.arange(len(steps))
    groups: dict[str, NDArray[np.float64]] = {}
    for dataset in _of_kind(catalogue, cutflows, "background"):
        scale = normalisation.scale(dataset, catalogue.era(dataset), sum_w[dataset.name])
        title = processes.title(dataset)
        groups[title] = groups.get(title, 0.0) + scale * _weights(cutflows[dataset.name], steps)
    largest = sorted(groups, key=lambda title: -groups[title][-1])
    shown = [title for title in groups if title in largest[:SHOWN]]
    places = dict(zip(shown, style.BACKGROUNDS, strict=False))
    for title in largest[:SHOWN]:
        _line(axes, groups[title], style.colour(places[title]), "-", title)
    if rest := largest[SHOWN:]:
        _line(
            axes, np.sum([groups[title] for title in rest], axis=0), style.colour(style.BACKGROUNDS[-1]), "-", "other"
        )
    if data := _of_kind(catalogue, cutflows, "data"):
        counts = np.sum([_weights(cutflows[dataset.name], steps) for dataset in data], axis=0)
        axes.plot(counts[counts > 0], y[counts > 0], "o", color=style.OF_DATA, label=Label.of(catalogue).data)
    _finish(axes, steps, "events in the luminosity")
    return axes


@style.styled
def efficiencies(
    cutflows: Mapping[str, DatasetCutflow], sum_w: Mapping[str, float], catalogue: Catalogue, ax: Axes | None = None
) -> Axes:
    """Share of the generated events that is left after each requirement: HNLs of the lowest, a middle and the highest
    mass, all samples of a mass together, or other signals by process.

    Args:
        cutflows, sum_w, catalogue: see `draw_all`.
        ax: where to; by default the axes of a new figure.
    """
    axes = style.single(ax, left=13.5)
    shares = _signals(cutflows, sum_w, catalogue)
    for (name, values), place, line in zip(shares.items(), style.SIGNALS, style.LINES, strict=False):
        _line(axes, values, style.colour(place), line, name)
    _finish(axes, _steps(cutflows), "share of generated events")
    return axes


def _signals(
    cutflows: Mapping[str, DatasetCutflow], sum_w: Mapping[str, float], catalogue: Catalogue
) -> dict[str, NDArray[np.float64]]:
    steps, result = _steps(cutflows), {}
    for name, datasets in processes.signals(_of_kind(catalogue, cutflows, "signal")).items():
        left = np.sum([_weights(cutflows[dataset.name], steps) for dataset in datasets], axis=0)
        result[name] = left / sum(sum_w[dataset.name] for dataset in datasets)
    return result


def _steps(cutflows: Mapping[str, DatasetCutflow]) -> list[str]:
    """Requirements, in their order."""
    return list(next(iter(cutflows.values())).cutflow)


def _of_kind(catalogue: Catalogue, cutflows: Mapping[str, DatasetCutflow], kind: str) -> list[Dataset]:
    return [dataset for dataset in catalogue.datasets if dataset.kind == kind and dataset.name in cutflows]


def _weights(of: DatasetCutflow, steps: list[str]) -> NDArray[np.float64]:
    return np.array([of.cutflow[step][ALL]["sum_w"] for step in steps])


def _line(axes: Axes, values: NDArray[np.float64], colour: str, line: str, name: str) -> None:
    """One step for each requirement, as far as there are events."""
    edges = np.arange(len(values) + 1) - 0.5
    if (values > 0).any():
        drawn = np.where(values > 0, values, np.nan)
        axes.stairs(
            drawn,
            edges,
            orientation="horizontal",
            baseline=None,
            color=colour,
            linestyle=line,
            linewidth=1.2,
            label=name,
        )


def _finish(axes: Axes, steps: list[str], label: str) -> None:
    axes.set(xscale="log", xlabel=label, ylim=(len(steps) - 0.5, -0.5))
    low, high = np.log10(axes.get_xlim())
    axes.set_xlim(10 ** np.floor(low), 10 ** np.ceil(high))
    axes.set_yticks(range(len(steps)), [_printed(step) for step in steps])
    axes.tick_params(axis="y", which="both", length=0)
    axes.minorticks_off()
    axes.grid(axis="y")


def _printed(step: str) -> str:
    """Names of requirements with Greek letters."""
    letter = "\N{GREEK CAPITAL LETTER DELTA}"
    step = step.replace("Delta ", letter).replace(">=", "\N{GREATER-THAN OR EQUAL TO}")
    return style.greek(step.replace("phi", "\N{GREEK SMALL LETTER PHI}"))
