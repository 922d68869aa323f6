"""Distributions of candidates: what Fig. 4 of the paper shows by category, for every histogrammed variable.

First and last bins hold what lies beyond them. Where there are few events, neighbouring bins are drawn as one
(`style.merged_bins`). Processes of one title are added up, and those beyond the `SHOWN` largest are 'other'.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import ceil, floor, log10
from pathlib import Path
from typing import cast

import hist
import numpy as np
from hist.intervals import poisson_interval
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.histograms.fill import Histograms
from hnl.histograms.variables import Distributions, Split
from hnl.plots import processes, style
from hnl.plots.style import DOUBLE, Drawn, Label, save

Numbers = NDArray[np.float64]

SHOWN = 6  # processes: more could not be told apart
MIN_EVENTS = 20  # effective events of a signal in a panel that is drawn
RATIO = (0.0, 2.0)


def draw_all(histograms: Histograms, distributions: Distributions, catalogue: Catalogue, folder: Path) -> list[Drawn]:
    """Draws every variable, as PNG and PDF.

    Args:
        histograms: variable -> axes dataset, splits, variable.
        distributions: what they are of.
        catalogue: tells what each dataset is.
        folder: for the figures; made if needed.

    Returns:
        Each figure.
    """
    figures = []
    *outer, inner = distributions.splits or (None,)
    for variable in distributions.variables:
        for labels in product(*(split.labels for split in outer if split)):
            if variable.drawn_for and labels[0] not in variable.drawn_for:
                continue
            chosen = histograms[variable.name][(slice(None), *labels, ...)]
            with_data = distributions.hidden.isdisjoint(labels)
            figure = by_panel(chosen, inner, catalogue, with_data=with_data)
            path = save(figure, folder / f"{'_'.join((variable.name, *labels))}.png")
            titles = [split.title(label) for split, label in zip(outer, labels, strict=True) if split]
            content = _content(chosen, catalogue, with_data=with_data)
            about = {"caption": _caption(content, inner), "alt": _alt(content), "section": "selection"}
            figures.append(Drawn(", ".join((variable.title, *titles)), path, **about))
    return figures


@style.styled
def by_panel(histogram: hist.Hist, split: Split | None, catalogue: Catalogue, *, with_data: bool) -> Figure:
    """One panel for each label of a split: backgrounds stacked, signals as lines, data as points with their ratio.

    Args:
        histogram: axes dataset, split, variable.
        split: None where there is no such axis.
        catalogue: tells what each dataset is.
        with_data: draw them; before unblinding, those of a signal selection are not looked at.
    """
    if split is None:
        return style.figure_of(distribution(histogram, catalogue, with_data=with_data))
    content = _content(histogram, catalogue, with_data=with_data)
    rows = min(2, len(split.labels))  # of categories: OS above, SS below
    columns = ceil(len(split.labels) / rows)
    ratio = content.data is not None
    kinds = 2 if ratio else 1  # of panels in a row: main, ratio
    legend = ceil(content.entries / 5)  # lines of it
    gaps = [gap for _ in range(rows) for gap in ((0.3, 1.4) if ratio else (1.4,))][:-1]
    figure, grid = style.panels(
        kinds * rows,
        columns,
        width=DOUBLE,
        height=3.0 + rows * (4.8 if ratio else 3.6) + 0.5 * legend,
        heights=(2.6, 1)[:kinds] * rows,
        left=4.2,
        top=2.2 + 1.4 * legend,
        between=(3.1, gaps),
    )
    mains, ratios = grid[::kinds], grid[1::kinds] if ratio else None
    for i, (column, row) in enumerate(np.ndindex(columns, rows)):
        main, below = (
            cast("Axes", mains[row, column]),
            cast("Axes | None", None if ratios is None else ratios[row, column]),
        )
        if i >= len(split.labels):
            for unused in grid[kinds * row : kinds * (row + 1), column]:
                unused.remove()
            continue
        _panel(main, below, content, i, last=row == rows - 1, first=column == 0)
        style.note(main, split.title(split.labels[i]), 0.06, 0.95)
        if content.blinded:
            style.note(main, "blinded", 0.95, 0.95, ha="right", fontstyle="italic")
    style.label(mains[0, 0], Label.of(catalogue), last=mains[0, -1])
    handles = _legend([main for main in mains.flat if main.figure is not None])
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="upper center", ncols=5, borderaxespad=0.2)
    return figure


@style.styled
def distribution(
    histogram: hist.Hist, catalogue: Catalogue, *, with_data: bool = True, ax: Axes | tuple[Axes, Axes] | None = None
) -> Axes:
    """One variable: backgrounds stacked, signals as lines, data as points.

    Args:
        histogram: axes dataset, variable; of `by_panel` for one label of the split.
        catalogue: tells what each dataset is.
        with_data: draw them.
        ax: where to; two axes are for the main panel and for ratios; by default those of a new figure.

    Returns:
        The axes of the main panel.
    """
    content = _content(histogram, catalogue, with_data=with_data)
    if isinstance(ax, Axes):
        main, below = ax, None
    elif ax is not None:
        main, below = ax
    elif content.data is not None:
        main, below = style.with_ratio(height=9.0)
    else:
        main, below = style.single(height=7.5), None
    _panel(main, below, content, 0, last=True, room=0.12 + 0.065 * (ceil(content.entries / 2) + content.blinded))
    style.label(main, Label.of(catalogue))
    if below is not None:
        below.set_ylabel(f"{content.data_name} / bkg.", loc="center")
    if content.entries:
        handles = _legend([main])
        main.legend(
            handles.values(), handles.keys(), loc="upper right", ncols=2, title="blinded" if content.blinded else None
        )
    return main


def _legend(panels: list[Axes]) -> dict[str, Artist]:
    """Text -> what stands for it, of all panels; processes in the order in which they lie on each other."""
    every = [pair for axes in panels for pair in zip(*axes.get_legend_handles_labels(), strict=True)]
    stacked = {
        text: handle
        for handle, text in reversed(every)
        if isinstance(handle, StepPatch) and handle.get_fill() and not handle.get_hatch()
    }
    return stacked | {text: handle for handle, text in every if text not in stacked}


@dataclass(frozen=True)
class _Line:
    """A histogram of a process in all panels, shape (panels, bins)."""

    title: str
    values: Numbers
    place: int  # in the cycle of colours
    line: str = "-"


@dataclass(frozen=True)
class _Content:
    """What is drawn, in the bins of the figure; arrays of shape (panels, bins)."""

    edges: Numbers
    label: str
    backgrounds: list[_Line]
    background: Numbers
    variance: Numbers
    signals: list[_Line]
    data: Numbers | None
    data_name: str
    blinded: bool

    @property
    def entries(self) -> int:
        """Of the legend."""
        return len(self.backgrounds) + bool(self.backgrounds) + len(self.signals) + (self.data is not None)

    @property
    def is_logarithmic(self) -> bool:
        """Bins of several orders of magnitude are drawn on a logarithmic axis."""
        return bool(self.edges[0] > 0 and self.edges[-1] > 100 * self.edges[0])

    @property
    def unit(self) -> str:
        """Of the variable, from the label of its axis."""
        return self.label.rpartition("[")[2].removesuffix("]") if self.label.endswith("]") else ""


def _content(histogram: hist.Hist, catalogue: Catalogue, *, with_data: bool) -> _Content:
    values, variances = (_folded(histogram, field) for field in ("value", "variance"))
    datasets = {name: i for i, name in enumerate(histogram.axes[0])}

    def of_kind(kind: str) -> list[Dataset]:
        return [dataset for dataset in catalogue.datasets if dataset.kind == kind and dataset.name in datasets]

    def indices(chosen: list[Dataset]) -> list[int]:
        return [datasets[dataset.name] for dataset in chosen]

    simulated, recorded = indices(of_kind("background")), indices(of_kind("data"))
    shown = simulated or recorded or indices(of_kind("signal"))
    n = style.merged_bins(values[shown].sum(axis=0), variances[shown].sum(axis=0))
    values, variances = (part.reshape(*part.shape[:2], -1, n).sum(axis=-1) for part in (values, variances))
    background, variance = values[simulated].sum(axis=0), variances[simulated].sum(axis=0)
    groups: dict[str, list[int]] = {}
    for dataset in of_kind("background"):
        groups.setdefault(processes.title(dataset), []).append(datasets[dataset.name])
    signals = []
    for (name, chosen), place, line in zip(
        processes.signals(of_kind("signal")).items(), style.SIGNALS, style.LINES, strict=False
    ):
        drawn = _clearest(values[indices(chosen)], variances[indices(chosen)])
        if drawn.any():
            factor = _factor(drawn, background)
            scaled = f" \N{MULTIPLICATION SIGN} {factor:g}" if factor != 1 else ""
            signals.append(_Line(name + scaled, factor * drawn, place, line))
    return _Content(
        edges=np.asarray(histogram.axes[-1].edges)[::n],
        label=histogram.axes[-1].label,
        backgrounds=_largest({title: values[chosen].sum(axis=0) for title, chosen in groups.items()}),
        background=background,
        variance=variance,
        signals=signals,
        data=values[recorded].sum(axis=0) if recorded and with_data else None,
        data_name=Label.of(catalogue).data,
        blinded=bool(recorded) and not with_data,
    )


def _folded(histogram: hist.Hist, field: str) -> Numbers:
    """Dataset x panel x bin, with underflow and overflow in the first and the last bin."""
    view: Numbers = histogram.view(flow=True)[field]
    names = tuple(slice(len(axis)) for axis in histogram.axes[:-1])
    view = view[(*names, slice(None))].astype(float)
    view[..., 1] += view[..., 0]
    view[..., -2] += view[..., -1]
    inside = view[..., 1:-1]
    return inside if inside.ndim == 3 else inside[:, None]


def _largest(of: Mapping[str, Numbers]) -> list[_Line]:
    """Processes with events, the largest last, as they are stacked; colours are in the order of the catalogue."""
    sums = {title: float(values.sum()) for title, values in of.items()}
    filled = sorted((title for title in of if sums[title] > 0), key=lambda title: -sums[title])
    places = {title: style.BACKGROUNDS[i % SHOWN] for i, title in enumerate(of)}
    lines = [_Line(title, of[title], places[title]) for title in filled[:SHOWN]]
    if rest := filled[SHOWN:]:
        lines.append(_Line("other", np.sum([of[title] for title in rest], axis=0), style.BACKGROUNDS[SHOWN]))
    return lines[::-1]


def _clearest(values: Numbers, variances: Numbers) -> Numbers:
    """In each panel the dataset with the most effective events; nothing if it has too few to have a shape.

    Args:
        values, variances: shape (datasets, panels, bins).
    """
    total, squares = values.sum(axis=-1), variances.sum(axis=-1)
    effective = np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)
    best = effective.argmax(axis=0)
    panels = np.arange(values.shape[1])
    chosen: Numbers = np.where((effective[best, panels] >= MIN_EVENTS)[:, None], values[best, panels], 0.0)
    return chosen


def _factor(signal: Numbers, background: Numbers) -> float:
    """Makes a signal, where it is highest, as high as the background of that panel; of two digits, as in the legend."""
    panel = int(signal.max(axis=1).argmax())
    if not background[panel].max() > 0:
        return 1.0
    factor = float(background[panel].max() / signal[panel].max())
    return round(factor, 1 - floor(log10(factor)))


def _panel(
    main: Axes, ratio: Axes | None, content: _Content, i: int, *, last: bool, first: bool = True, room: float = 0.2
) -> None:
    """Draws panel i.

    Args:
        main, ratio: where to.
        content: of all panels.
        i: number of the panel.
        last: of its column, with the name of the variable.
        first: of its row, with the names of the other axes.
        room: share of the height that is left free for what is written.
    """
    edges, total, error = content.edges, content.background[i], np.sqrt(content.variance[i])
    base = np.zeros_like(total)
    for one in content.backgrounds:
        top = base + one.values[i]
        main.stairs(top, edges, baseline=base, fill=True, color=style.colour(one.place), label=one.title)
        base = top
    if content.backgrounds:
        style.band(main, edges, total, error, label="stat. uncertainty")
    for one in content.signals:
        if one.values[i].any():
            main.stairs(
                one.values[i], edges, color=style.colour(one.place), linestyle=one.line, linewidth=1.2, label=one.title
            )
    heights = [total + error, *(one.values[i] for one in content.signals)]
    if content.data is not None:
        heights.append(_points(main, ratio, content, i))
    main.set_ylim(0)
    style.headroom(main, np.concatenate(heights) if np.any(heights) else 1.0, room)
    main.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 4, 5, 10]))
    if first:
        main.set_ylabel(style.events_per(edges, content.unit))
        if ratio is not None:
            ratio.set_ylabel("ratio", loc="center")
    panels = [main] if ratio is None else [main, ratio]
    for axes in panels:
        if content.is_logarithmic:
            axes.set_xscale("log")
        else:
            axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axes.set_xlim(edges[0], edges[-1])
        axes.minorticks_off()  # they would take longer than all the rest
        axes.tick_params(labelbottom=last and axes is panels[-1])
    if last:
        panels[-1].set_xlabel(content.label)


def _points(main: Axes, ratio: Axes | None, content: _Content, i: int) -> Numbers:
    """Data with the interval of a Poisson mean (68.3 %), and their ratio to the background; the upper ends."""
    assert content.data is not None
    data, total, error, edges = content.data[i], content.background[i], np.sqrt(content.variance[i]), content.edges
    centres = np.sqrt(edges[1:] * edges[:-1]) if content.is_logarithmic else (edges[1:] + edges[:-1]) / 2
    low, high = np.nan_to_num(poisson_interval(data))
    errors, seen = np.stack([data - low, high - data]), data > 0
    main.errorbar(centres[seen], data[seen], errors[:, seen], label=content.data_name, **style.POINTS)
    if ratio is not None:
        safe = np.where(total > 0, total, np.nan)
        style.band(ratio, edges, total / safe, error / safe)
        ratio.errorbar(centres[seen], (data / safe)[seen], (errors / safe)[:, seen], **style.POINTS)
        style.beyond(ratio, centres, data / safe, RATIO[1])
        ratio.axhline(1, color="black", linewidth=0.6)
        ratio.set_ylim(RATIO)
        ratio.set_yticks((0, 1))
    return np.where(seen, high, 0.0)


def _caption(content: _Content, split: Split | None) -> str:
    """What a figure shows, in words."""
    parts = ["Simulated background by process, stacked, with its statistical uncertainty (hatched)"]
    if content.signals:
        parts.append(
            "simulated signals as lines, scaled as the legend says; in each panel the sample with the most events"
        )
    if content.data is not None:
        parts.append(f"{content.data_name} as points, with their ratio to the background below")
    where = f" One panel for each {split.name}." if split else ""
    look = " Look for peaks of the signal where the background falls"
    look += ", and for ratios that leave the band." if content.data is not None else "."
    hidden = " Data are blinded here." if content.blinded else ""
    return "; ".join(parts) + "." + where + look + hidden + " First and last bins hold what lies beyond."


def _alt(content: _Content) -> str:
    """What is seen, with its numbers."""
    text = f"{content.background.sum():.3g} events of background"
    if content.backgrounds and content.background.sum() > 0:
        most = content.backgrounds[-1]
        text += f", {most.values.sum() / content.background.sum():.0%} of them {_plain(most.title)}"
        edges, sums = content.edges, content.background.sum(axis=0)
        k = int(sums.argmax())
        text += f"; the highest bin is at {edges[k]:g} to {edges[k + 1]:g} {content.unit}".rstrip()
    if content.data is not None:
        text += f"; {content.data.sum():g} events of {content.data_name}"
    return text + "."


def _plain(text: str) -> str:
    """Without mathtext."""
    for code, letter in (
        (r"\bar{t}", "tbar"), (r"\nu", "\N{GREEK SMALL LETTER NU}"), (r"\mu", "\N{GREEK SMALL LETTER MU}"),
        (r"\tau", "\N{GREEK SMALL LETTER TAU}"), (r"\gamma", "\N{GREEK SMALL LETTER GAMMA}"),
        (r"\to", "\N{RIGHTWARDS ARROW}"), ("$", ""), ("^", ""),
    ):  # fmt: skip
        text = text.replace(code, letter)
    return text
