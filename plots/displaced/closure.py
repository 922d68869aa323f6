"""Closure of the background estimate in simulation, at several thresholds."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from hnl.inference.abcd.rows import SimulatedClosureRow
from hnl.plots import style
from hnl.plots.style import DOUBLE, Label

EDGES = (0.05, 20.0)  # of the ratio


@style.styled
def simulated_closure(rows: Sequence[SimulatedClosureRow], label: Label = Label()) -> Figure:  # noqa: B008
    """A over its prediction with its 68.3 % interval, for each selection, hypothesis, category and threshold.

    Grey: too few events to tell anything. Arrows: an interval goes on beyond the panel. Triangles: nothing in A.
    """
    hypotheses, selections, thresholds = (
        list(dict.fromkeys(getattr(row, key) for row in rows)) for key in ("hypothesis", "selection", "threshold")
    )
    groups = list(dict.fromkeys(row.category for row in rows if row.ndf is None))
    figure, grid = style.panels(
        len(hypotheses), len(selections), width=DOUBLE, height=11.5, left=4.4, bottom=6.2, top=3.4, between=(1.2, 1.0)
    )
    colours = ["#440154", "#3b528b", "#21918c", "#5ec962", "#f89c20"]  # viridis, but for the last, which is too light
    of = {threshold: colours[i % len(colours)] for i, threshold in enumerate(thresholds)}
    for (h, selection), panel in zip(product(hypotheses, selections), grid.flat, strict=True):
        chosen = [r for r in rows if (r.hypothesis, r.selection) == (h, selection) and r.category in groups]
        for row in chosen:
            shift = thresholds.index(row.threshold) - (len(thresholds) - 1) / 2
            _interval(panel, groups.index(row.category) + 0.8 / len(thresholds) * shift, row, of[row.threshold])
        panel.axhline(1, color="black", linewidth=0.6)
        for x in range(1, len(groups)):
            panel.axvline(x - 0.5, color="0.85", linewidth=0.4)
        style.note(panel, f"{selection}, {h} mass")
        panel.set(yscale="log", ylim=(EDGES[0], EDGES[1] * 4), xlim=(-0.5, len(groups) - 0.5))
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.minorticks_off()
        panel.set_yticks((0.1, 1, 10), ("0.1", "1", "10"))
        panel.tick_params(labelbottom=False, labelleft=panel in grid[:, 0])
    names = [style.greek(name.replace("_", " ")) for name in groups]
    for panel in grid[-1]:
        panel.tick_params(labelbottom=True)
        panel.set_xticks(range(len(groups)), names, rotation=90)
    for panel in grid[:, 0]:
        panel.set_ylabel("A D / (B C)")
    handles = [
        Line2D([], [], color=of[one], marker="o", label=f"x = {one}" if one != "chosen" else "chosen x")
        for one in thresholds
    ]
    told = {row.threshold for row in rows if row.tested and row.ndf is None}
    handles = [handle for handle, one in zip(handles, thresholds, strict=True) if one in told]
    if any(not row.tested and row.ndf is None for row in rows):
        handles.append(Line2D([], [], color="0.8", label="too few events to tell"))
    figure.legend(handles=handles, loc="upper center", ncols=len(handles))
    style.label(grid[0, 0], label, last=grid[0, -1])
    return figure


def _interval(panel: Axes, x: float, row: SimulatedClosureRow, colour: str) -> None:
    """One interval; open ends have arrows."""
    colour = colour if row.tested else "0.8"
    low, high = max(row.ratio_low or 0.0, EDGES[0]), min(row.ratio_high or np.inf, EDGES[1])
    panel.plot([x, x], [low, high], color=colour, linewidth=1.0)
    if not row.tested:
        return
    if row.ratio_high is None or row.ratio_high > EDGES[1]:
        panel.plot(x, EDGES[1], "^", color=colour)
    if row.ratio:
        panel.plot(x, row.ratio, "o", color=colour)
    else:
        panel.plot(x, EDGES[0] * 1.15, "v", color=colour)
