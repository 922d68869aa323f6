"""Scores in the validation region (Fig. 8)."""

from collections.abc import Sequence
from typing import Any

import hist
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hnl.histograms.displaced.yields import Counts, vr_scores
from hnl.plots import style
from hnl.plots.style import DOUBLE, Label
from hnl.selections.displaced.categories import LEPTONS
from hnl.selections.displaced.hypotheses import HYPOTHESES
from hnl.selections.displaced.regions import PAPER, RegionSettings

# Scores of the plane put together for Fig. 8, which has ten bins from 0 to 1; fewer where there are few events.
SHAPE_EDGES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
MIN_BINS = 4
OUTSIDE = "outside (VR-CD)"


@style.styled
def scores(
    plane: hist.Hist,
    datasets: Sequence[str],
    label: Label = Label(),  # noqa: B008 (cannot change)
    name: str = "",
    settings: RegionSettings = PAPER,
) -> Figure:
    """Scores in VR-AB and VR-CD, normalised to unity, with their ratio (Fig. 8): a panel for each classifier.

    Args:
        plane: histogram of `histograms.displaced.abcd`.
        datasets: to add up.
        label: what is written above.
        name: of what the datasets are, such as 'pseudo-data'.
        settings: the window, and the least score.
    """
    figure, grid = style.panels(
        4, 2, width=DOUBLE, height=13.5, heights=(2.4, 1) * 2, left=4.4, top=3.3, between=(5.0, (0.3, 3.6, 0.3))
    )
    low, high = settings.m_l1_sv[1:3]
    window = f"{low:g} < m \N{LESS-THAN OR EQUAL TO} {high:g} GeV (VR-AB)"
    edges = np.array([settings.score, *(edge for edge in SHAPE_EDGES if edge > settings.score)])
    starts = np.searchsorted(plane.axes["score"].edges, edges[:-1])
    for row, hypothesis in enumerate(HYPOTHESES):
        for column, lepton in enumerate(LEPTONS):
            main, ratio = grid[2 * row : 2 * row + 2, column]
            inside, outside = vr_scores(plane, datasets, hypothesis, lepton, settings)
            shapes(edges, _in_bins(inside, starts), _in_bins(outside, starts), window, main, ratio)
            style.note(main, f"{lepton}, {hypothesis} mass", 0.96, 0.94, ha="right")
    style.label(grid[0, 0], label, last=grid[0, 1])
    grid[0, 1].text(0, 1.015, name, transform=grid[0, 1].transAxes, va="bottom")
    style.common_legend(figure, grid[::2].flat)
    return figure


def shapes(edges: NDArray[np.float64], inside: Counts, outside: Counts, window: str, main: Axes, ratio: Axes) -> None:
    """Inside and outside of the window, each of unit area, and their ratio.

    Args:
        edges: of the scores.
        inside, outside: shape (bins,).
        window: in words.
        main, ratio: where to.
    """
    if not (inside.sum_w.sum() > 0 and outside.sum_w.sum() > 0):
        ratio.set_axis_off()
        style.instead(main, "no events inside or outside of the window")
        return
    n = max(style.merged_bins(c.sum_w[None], c.sum_w2[None], MIN_BINS) for c in (inside, outside))
    edges = edges[::n]
    (a, a_error), (c, c_error) = (_normalised(each, n) for each in (inside, outside))
    centres = (edges[1:] + edges[:-1]) / 2
    main.stairs(c, edges, color=style.colour(0), linewidth=1.2, label=OUTSIDE)
    shade: dict[str, Any] = {"fill": True, "color": style.colour(0), "alpha": 0.3, "linewidth": 0}
    main.stairs(c + c_error, edges, baseline=c - c_error, **shade)
    main.errorbar(centres, a, a_error, label=window, **style.POINTS)
    main.set_ylim(0)
    style.headroom(main, np.concatenate([a + a_error, c + c_error]), 0.2)
    main.set_ylabel(f"share of events / {edges[1] - edges[0]:.2g}")
    safe = np.where(c > 0, c, np.nan)
    ratio.stairs(1 + c_error / safe, edges, baseline=1 - c_error / safe, **shade)
    ratio.errorbar(centres, a / safe, a_error / safe, **style.POINTS)
    style.beyond(ratio, centres, a / safe, 2.0)
    ratio.axhline(1, color="black", linewidth=0.6)
    ratio.set(xlabel="score", ylim=(0, 2), yticks=(0, 1))
    ratio.set_ylabel("AB / CD", loc="center")
    main.tick_params(labelbottom=False)
    for axes in (main, ratio):
        axes.minorticks_off()
        axes.set_xlim(edges[0], edges[-1])


def _in_bins(counts: Counts, starts: NDArray[np.int64]) -> Counts:
    """From the bins of the plane to those that begin at `starts`."""
    return Counts(*(np.add.reduceat(part, starts) for part in counts))


def _normalised(counts: Counts, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    w, w2 = (part.reshape(-1, n).sum(axis=1) for part in counts)
    return w / w.sum(), np.sqrt(w2) / w.sum()
