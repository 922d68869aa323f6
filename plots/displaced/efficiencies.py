"""Selection efficiencies of simulated signals against m_N; for those of Figs. 2 and 3 of the paper see `nonprompt`."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from hnl.datasets.catalogue import Catalogue
from hnl.plots import style
from hnl.plots.displaced import nonprompt
from hnl.plots.style import Drawn, Label, figure_of, save
from hnl.processors.cutflow import ALL
from hnl.processors.selection_files import DatasetCutflow

MARKERS = ("o", "s", "^")


def draw_all(
    cutflows: Mapping[str, DatasetCutflow], sum_w: Mapping[str, float], catalogue: Catalogue, folder: Path
) -> list[Drawn]:
    """The figure of `efficiency`, if there are HNLs of two masses.

    Args:
        cutflows: by dataset, of cutflow.json.
        sum_w: by simulated dataset, of all generated events; of selection.json.
        catalogue: tells what each dataset is.
        folder: for the figure; made if needed.

    Returns:
        Each figure.
    """
    points = _points(cutflows, sum_w, catalogue)
    if len({mass for of in points.values() for mass, *_ in of}) < 2:
        return []
    path = save(figure_of(efficiency(cutflows, sum_w, catalogue)), folder / "signal_efficiency.png")
    numbers = [
        f"{_plain(name)}: {of[0][1]:.2g} at {of[0][0]:g} GeV, {of[-1][1]:.2g} at {of[-1][0]:g} GeV"
        for name, of in points.items()
    ]
    caption = (
        "Share of the generated signal events that pass all requirements, by mass and coupling. Each mass was "
        "generated with a lifetime of its own, so that the points show mass and displacement together."
    ) + nonprompt.left_out(cutflows, catalogue)
    return [Drawn("Selection efficiency of the signal", path, caption, "; ".join(numbers) + ".", "selection")]


@style.styled
def efficiency(
    cutflows: Mapping[str, DatasetCutflow], sum_w: Mapping[str, float], catalogue: Catalogue, ax: Axes | None = None
) -> Axes:
    """Share of the generated events that pass all requirements, against m_N, for each coupling.

    Args:
        cutflows, sum_w, catalogue: see `draw_all`.
        ax: where to; by default the axes of a new figure.
    """
    axes = style.single(ax)
    drawn = []
    for i, (name, points) in enumerate(_points(cutflows, sum_w, catalogue).items()):
        mass, share, error = np.array(points).T
        axes.errorbar(mass, share, error, fmt=f"{MARKERS[i % 3]}-", color=style.colour((0, 6, 4)[i % 3]), label=name)
        drawn += [share + error]
    axes.set(xlabel="$m_N$ [GeV]", ylabel="share of generated events selected", ylim=(0, None))
    style.headroom(axes, np.concatenate(drawn) if drawn else 1.0, 0.15)
    axes.legend(loc="upper right", ncols=3)
    style.label(axes, Label.of(catalogue))
    return axes


def _points(
    cutflows: Mapping[str, DatasetCutflow], sum_w: Mapping[str, float], catalogue: Catalogue
) -> dict[str, list[tuple[float, float, float]]]:
    """Coupling -> (mass, efficiency, its binomial-like error from the squared weights) by mass."""
    result: dict[str, list[tuple[float, float, float]]] = {}
    for dataset in catalogue.datasets:
        if dataset.signal is None or dataset.name not in cutflows:
            continue
        last = list(cutflows[dataset.name].cutflow.values())[-1][ALL]
        total = sum_w[dataset.name]
        point = (dataset.signal.mass, last["sum_w"] / total, np.sqrt(last["sum_w2"]) / total)
        v2 = {"e": dataset.signal.v2_e, r"$\mu$": dataset.signal.v2_mu, r"$\tau$": dataset.signal.v2_tau}
        flavours = [flavour for flavour, value in v2.items() if value]
        name = " and ".join(flavours) if len(flavours) > 1 else f"{flavours[0]} only"
        result.setdefault(name, []).append(point)
    return {name: sorted(points) for name, points in result.items()}


def _plain(name: str) -> str:
    return name.replace(r"$\mu$", "mu").replace(r"$\tau$", "tau")
