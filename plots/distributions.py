"""Distributions of candidates: what Fig. 4 of the paper shows by category, for every histogrammed variable.

First and last bins hold what lies beyond them. Where there are few events, neighbouring bins are drawn as one
(`style.merged_bins`). Processes of one title are added up, and those beyond the `contents.SHOWN` largest are 'other'.
"""

from itertools import product
from math import ceil
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

from hnl.datasets.catalogue import Catalogue
from hnl.histograms.fill import Histograms
from hnl.histograms.variables import Distributions, Split
from hnl.plots import style
from hnl.plots.contents import Content, Numbers, alt, caption, content_of
from hnl.plots.style import DOUBLE, Drawn, Label, save

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
            content = content_of(chosen, catalogue, with_data=with_data)
            about = {"caption": caption(content, inner), "alt": alt(content), "section": "selection"}
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
    content = content_of(histogram, catalogue, with_data=with_data)
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
    content = content_of(histogram, catalogue, with_data=with_data)
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


def _panel(
    main: Axes, ratio: Axes | None, content: Content, i: int, *, last: bool, first: bool = True, room: float = 0.2
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


def _points(main: Axes, ratio: Axes | None, content: Content, i: int) -> Numbers:
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
