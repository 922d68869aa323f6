"""The scan of the threshold on the score."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hnl.inference.abcd.settings import PAPER
from hnl.inference.abcd.thresholds import Scan
from hnl.plots import style
from hnl.plots.style import DOUBLE, Label
from hnl.selections.displaced import categories

TOP = 1.5  # of the panels: above 1 is what is written
POOR = "0.88"


@style.styled
def scan(
    scans: Mapping[str, Scan],
    thresholds: Mapping[str, float],
    label: Label = Label(),  # noqa: B008 (cannot change)
    least_c: float = PAPER.estimate.least_c,
) -> Figure:
    """For each category: figure of merit, signal kept and relative error of the prediction against the threshold.

    Args:
        scans: by category.
        thresholds: those that are used, by category.
        label: what is written above.
        least_c: events in C below which a bin is poor.
    """
    figure, grid = style.panels(2, 4, width=DOUBLE, height=10.5, left=3.2, top=3.4, between=(1.2, 2.4))
    for panel, category in zip(grid.T.flat, categories.ALL, strict=True):
        of_category(scans[category.label], thresholds[category.label], least_c, ax=panel)
        title = style.greek(category.title)
        worst = int(scans[category.label].poor_bins.min())
        poor = (
            f"N(C) < {least_c:g} in {worst} bin{'s' * (worst > 1)} at best"
            if worst
            else f"N(C) > {least_c:g} in all bins"
        )
        style.note(panel, f"{title}\n{poor}", 0.04, 0.97)
        panel.tick_params(labelleft=panel in grid[:, 0], labelbottom=panel in grid[-1])
        if panel not in grid[-1]:
            panel.set_xlabel("")
    style.common_legend(figure, grid.flat)
    style.label(grid[0, 0], label, last=grid[0, -1])
    return figure


@style.styled
def of_category(found: Scan, threshold: float, least_c: float = PAPER.estimate.least_c, ax: Axes | None = None) -> Axes:
    """The scan of one category.

    Grey: thresholds with which more bins than necessary expect fewer than `least_c` events in C. What lies beyond the
    panel is not drawn.
    """
    axes = style.single(ax)
    x = found.thresholds
    relative = np.where(found.uncertainty > 0, found.uncertainty, np.nan)
    for values, place, line, name in (
        (found.figure_of_merit, 0, "-", "$Z^2$ / largest"),
        (found.signal_fraction, 6, "--", "signal kept in A"),
        (relative, 4, "-.", "error of B C / D"),
    ):
        if np.nanmin(np.append(values, np.inf)) < 1.1:
            axes.plot(x, np.where(values < 1.1, values, np.nan), line, color=style.colour(place), label=name)
    axes.axvline(threshold, ymax=1.05 / TOP, color="black", linestyle=":", label="chosen x")
    poor = found.poor_bins > found.poor_bins.min()
    if poor.any():
        shade: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "color": POOR, "linewidth": 0}
        axes.fill_between(
            x, 0, 1.1 / TOP, where=poor.tolist(), step="mid", label=f"more bins with N(C) < {least_c:g}", **shade
        )
    margin = 0.04 * (x[-1] - x[0])
    axes.set(xlim=(x[0] - margin, x[-1] + margin), ylim=(0, TOP), xlabel="threshold x", yticks=(0, 0.5, 1))
    axes.minorticks_off()
    axes.set_xticks([tick for tick in (0.97, 0.98, 0.99) if x[0] <= tick <= x[-1]] or x[[0, -1]])
    return axes
