"""The regions of Table 3, drawn (Fig. 7)."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hnl.plots import style
from hnl.plots.style import DOUBLE
from hnl.selections.displaced.regions import BELOW, PAPER, Kind, RegionSettings, rows

THRESHOLD = 0.75  # where x is drawn: true ones, of 0.97 and more, could not be told from 1
ABOVE = 30.0  # GeV that are drawn of the last window, which has no end
JETS: dict[Kind, str] = {"SR": "N(jets) = 1", "VR": "N(jets) > 1", "CR": "N(jets) \N{GREATER-THAN OR EQUAL TO} 1"}
COLOURS = {"A": 0, "B": 1, "C": 3, "D": 7, "AB": 1, "CD": 7}  # in the cycle


@style.styled
def scheme(settings: RegionSettings = PAPER) -> Figure:
    """Signal, validation and control region beside each other."""
    figure, grid = style.panels(1, len(JETS), width=DOUBLE, height=6.0, left=4.2, top=0.8, between=(3.2, 0))
    for axes, kind in zip(grid[0], JETS, strict=True):
        regions(kind, settings, ax=axes)
    for axes in grid[0, 1:]:
        axes.set_ylabel("")
    return figure


@style.styled
def regions(kind: Kind, settings: RegionSettings = PAPER, ax: Axes | None = None) -> Axes:
    """The regions of SR, VR or CR in the score and m(l1,SV), from `selections.displaced.regions`.

    Args:
        kind: of Table 3.
        settings: lower edges of the windows of m(l1,SV) in GeV, of which the last has no end, and the least score.
        ax: where to; by default the axes of a new figure.
    """
    axes, masses, least = style.single(ax), settings.m_l1_sv, settings.score
    scores, edges = (least, THRESHOLD, 1.0), (*masses, masses[-1] + ABOVE)
    for region in rows(kind):
        _, windows, sides = region.cells
        left, right = scores[min(sides)], scores[max(sides) + 1]
        colour = style.colour(COLOURS[region.name.removeprefix(f"{kind}-")])
        for window in windows:
            low, high = edges[window], edges[window + 1]
            axes.add_patch(Rectangle((left, low), right - left, high - low, facecolor=colour, alpha=0.45))
        for low, high in _together([(edges[w], edges[w + 1]) for w in windows]):
            axes.add_patch(Rectangle((left, low), right - left, high - low, fill=False, linewidth=0.8))
            axes.text((left + right) / 2, (low + high) / 2, region.name, ha="center", va="center")
    crossed = BELOW + 1 in {side for region in rows(kind) for side in region.cells[2] if len(region.cells[2]) == 1}
    axes.set_xticks((0, least, *((THRESHOLD,) if crossed else ()), 1), ("0", f"{least:g}", *("x" * crossed), "1"))
    axes.set_yticks(masses)
    axes.minorticks_off()
    axes.tick_params(top=False, right=False)
    axes.set(xlim=(0, 1), ylim=(0, edges[-1] + 8), xlabel="score", ylabel=r"$m(\ell_1, \mathrm{SV})$ [GeV]")
    style.note(axes, JETS[kind], 0.1, 0.5, rotation=90, ha="center", va="center")
    return axes


def _together(intervals: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Intervals that touch, as one.

    >>> _together([(10, 50), (85, 110), (110, 140)])
    [(10, 50), (85, 140)]
    """
    result: list[tuple[float, float]] = []
    for low, high in sorted(intervals):
        if result and result[-1][1] == low:
            result[-1] = (result[-1][0], high)
        else:
            result.append((low, high))
    return result
