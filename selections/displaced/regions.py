"""The ABCD regions and the bins in them: Table 3 and the end of section 6 of the paper.

Table 3 is written down once, as `TABLE_3`: rows over the cells that N(jets), m(l1,SV) and the score are divided into.
Whatever fills, adds up, hides or draws regions asks it, either for the region of each cell (`region`), or for the cells
of each region (`rows`).

One convention for every edge, in regions, windows and bins alike: an interval is open below and closed above. Each '>'
of Table 3 holds as it stands, each '<' is read as '<='. So an event on an edge (m(l1,SV) = 85 GeV, score = x) is
counted once and not lost; the paper leaves this open.
"""

from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import AfterValidator, Field, field_validator

from hnl.datasets.model import Real, Settings, increasing
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.hypotheses import HIGH, LOW

Kind = Literal["SR", "VR", "CR"]
Indices = NDArray[np.int64]
Thresholds = dict[str, dict[str, float]]  # hypothesis -> category -> x

REGIONS = ("A", "B", "C", "D")  # of SR and CR
A, B, C, D = range(len(REGIONS))
NONE = -1  # in no region, or in no cell

SELECTIONS = ("SR", "VR")
SR, VR = range(len(SELECTIONS))
N_JETS_EDGES = (0, 1)  # N(jets) = 1 and > 1
N_WINDOWS = 4  # of m(l1,SV): below that of the SR, that of the SR, that of the CR, above
LOWER, INSIDE, CONTROL, UPPER = range(N_WINDOWS)
SCORE_BINS = ("up to x", "above x")
BELOW, ABOVE = range(len(SCORE_BINS))

Increasing = AfterValidator(increasing)
Length = Annotated[Real, Field(gt=0)]


class MSVEdges(Settings):
    """Between the two bins of m_SV."""

    low: Length = Field(default=2.0, description="GeV, low-mass hypothesis (end of section 6)")
    high: Length = Field(default=6.0, description="GeV, high-mass hypothesis (end of section 6)")


class Delta2DEdges(Settings):
    """Between the three bins of Delta_2D."""

    low: Annotated[tuple[Length, Length], Increasing] = Field(
        default=(4.0, 10.0), description="cm, low-mass hypothesis (end of section 6)"
    )
    high: Annotated[tuple[Length, Length], Increasing] = Field(
        default=(1.0, 5.0), description="cm, high-mass hypothesis (end of section 6)"
    )


class RegionSettings(Settings):
    """Edges of the regions of Table 3 and of the bins in them."""

    score: Real = Field(default=0.2, ge=0, lt=1, description="no region has a score at or below it (section 6)")
    m_l1_sv: Annotated[tuple[Real, Real, Real, Real], Increasing] = Field(
        default=(10.0, 50.0, 85.0, 110.0),
        description="GeV, least m(l1,SV), the window of SR and VR between the second and third, that of the CR between "
        "the third and fourth (Table 3)",
    )
    m_sv: MSVEdges = Field(default=MSVEdges(), description="GeV")
    delta_2d: Delta2DEdges = Field(default=Delta2DEdges(), description="cm")
    merged: tuple[str, ...] = Field(
        default=("mumu_SS", "emu_SS"),
        description="categories with two bins of Delta_2D at high m_SV, high mass (section 6: 'the SS mumu and emu "
        "channels'; we read SS as belonging to both)",
    )

    @field_validator("merged")
    @classmethod
    def _are_categories(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in CATEGORIES]:
            raise ValueError(f"unknown category '{unknown[0]}'; known: {', '.join(CATEGORIES)}")
        return names

    @property
    def windows(self) -> tuple[str, ...]:
        """Names of the windows of m(l1,SV)."""
        return (*(f"{low:g}-{high:g}" for low, high in pairwise(self.m_l1_sv)), f"above {self.m_l1_sv[-1]:g}")


PAPER = RegionSettings()


class Region(NamedTuple):
    """A row of Table 3: the cells where all three hold."""

    name: str
    selections: tuple[str, ...]
    scores: tuple[str, ...]
    windows: tuple[int, ...]

    @property
    def cells(self) -> tuple[list[int], list[int], list[int]]:
        """Indices into `SELECTIONS`, windows and `SCORE_BINS`."""
        return (
            [SELECTIONS.index(name) for name in self.selections],
            list(self.windows),
            [SCORE_BINS.index(name) for name in self.scores],
        )


# SR and VR are N(jets) = 1 and > 1. The CR is 'formed from all events in the SR and VR' (section 6).
TABLE_3 = (
    Region("SR-A", ("SR",), ("above x",), (INSIDE,)),
    Region("SR-B", ("SR",), ("up to x",), (INSIDE,)),
    Region("SR-C", ("SR",), ("above x",), (LOWER, CONTROL, UPPER)),
    Region("SR-D", ("SR",), ("up to x",), (LOWER, CONTROL, UPPER)),
    Region("VR-AB", ("VR",), ("up to x", "above x"), (INSIDE,)),
    Region("VR-CD", ("VR",), ("up to x", "above x"), (LOWER, CONTROL, UPPER)),
    Region("CR-A", ("SR", "VR"), ("above x",), (CONTROL,)),
    Region("CR-B", ("SR", "VR"), ("up to x",), (CONTROL,)),
    Region("CR-C", ("SR", "VR"), ("above x",), (LOWER, UPPER)),
    Region("CR-D", ("SR", "VR"), ("up to x",), (LOWER, UPPER)),
)


def rows(kind: Kind) -> tuple[Region, ...]:
    """The regions of a kind: A to D of SR and CR, AB and CD of VR."""
    return tuple(row for row in TABLE_3 if row.name.startswith(kind))


def _map(kind: Kind) -> Indices:
    """Region of each cell, index into `rows`. One cell more on each axis, so that `NONE` is found there as -1."""
    result = np.full((len(SELECTIONS) + 1, N_WINDOWS + 1, len(SCORE_BINS) + 1), NONE)
    for i, row in enumerate(rows(kind)):
        result[np.ix_(*row.cells)] = i
    return result


_MAPS: dict[Kind, Indices] = {"SR": _map("SR"), "VR": _map("VR"), "CR": _map("CR")}


def region(kind: Kind, selection: int | Indices, window: int | Indices, score_bin: int | Indices) -> Indices:
    """The region that cells belong to.

    Args:
        kind: SR, VR or CR.
        selection: see `selection`; these three are integers or arrays of integers of one shape.
        window: see `window`.
        score_bin: see `score_bin`.

    Returns:
        Index into `rows(kind)`, which for SR and CR is one into `REGIONS`; `NONE` in no region.
    """
    return np.asarray(_MAPS[kind][selection, window, score_bin])


def interval(values: ArrayLike, edges: ArrayLike) -> Indices:
    """Number of the interval each value is in: i for edges[i] < value <= edges[i + 1].

    >>> interval([5, 50, 50.1, 85, 200], (10, 50, 85, 110)).tolist()
    [-1, 0, 1, 1, 3]

    Args:
        values: any shape; float32 is compared as the double it stands for.
        edges: increasing. The last interval has no end.

    Returns:
        int64, the shape of `values`; `NONE` at or below the first edge and for NaN.
    """
    values = np.asarray(values, dtype=np.float64)
    return np.where(np.isnan(values), NONE, np.searchsorted(np.asarray(edges), values, side="left") - 1)


def selection(n_jets: ArrayLike) -> Indices:
    """Index into `SELECTIONS` of N(jets); `NONE` for 0."""
    return interval(n_jets, N_JETS_EDGES)


def window(m_l1_sv: ArrayLike, settings: RegionSettings = PAPER) -> Indices:
    """Index of the window of m(l1,SV) in GeV; `NONE` at or below 10 GeV and for NaN."""
    return interval(m_l1_sv, settings.m_l1_sv)


def preselected(score: ArrayLike, m_l1_sv: ArrayLike, settings: RegionSettings = PAPER) -> NDArray[np.bool_]:
    """What all regions have in common: a score above 0.2 and m(l1,SV) above 10 GeV. One per event."""
    above = np.asarray(score, dtype=np.float64) > settings.score
    both: NDArray[np.bool_] = above & (window(m_l1_sv, settings) != NONE)
    return both


def score_bin(score: ArrayLike, threshold: ArrayLike, settings: RegionSettings = PAPER) -> Indices:
    """Index into `SCORE_BINS` of the score of a classifier; `NONE` at or below 0.2 and for NaN.

    Args:
        score: 0 to 1; float32 is compared as the double it stands for.
        threshold: x, above 0.2; one for all or one per event.
        settings: the least score.
    """
    score = np.asarray(score, dtype=np.float64)
    return np.where(score > settings.score, np.where(score > threshold, ABOVE, BELOW), NONE)


M_SV_BINS = ("low m_SV", "high m_SV")
DELTA_2D_BINS = ("near", "middle", "far")  # merged: 'middle' is all above 1 cm, 'far' does not exist


class Bin(NamedTuple):
    """A bin of m_SV (0, 1) and Delta_2D (0, 1, 2), with its limits in words (GeV, cm)."""

    m_sv: int
    delta_2d: int
    label: str

    @property
    def number(self) -> int:
        """Position among the 2 x 3 bins in row order."""
        return self.m_sv * len(DELTA_2D_BINS) + self.delta_2d


N_BINS = len(M_SV_BINS) * len(DELTA_2D_BINS)


def m_sv_bin(m_sv: ArrayLike, hypothesis: str, settings: RegionSettings = PAPER) -> Indices:
    """0 up to 2 GeV (low-mass hypothesis) or 6 GeV (high), 1 above; `NONE` for NaN."""
    return interval(m_sv, (-np.inf, _m_sv_edge(hypothesis, settings)))


def _m_sv_edge(hypothesis: str, settings: RegionSettings) -> float:
    return settings.m_sv.low if hypothesis == LOW else settings.m_sv.high


def _delta_2d_edges(hypothesis: str, settings: RegionSettings) -> tuple[float, float]:
    return settings.delta_2d.low if hypothesis == LOW else settings.delta_2d.high


def delta_2d_bin(
    delta_2d: ArrayLike, m_sv: ArrayLike, category: ArrayLike, hypothesis: str, settings: RegionSettings = PAPER
) -> Indices:
    """Bin of Delta_2D in cm: 4, 10 (low-mass hypothesis) or 1, 5 (high), some of them merged.

    Args:
        delta_2d: cm, one per event.
        m_sv: its result of `m_sv_bin`.
        category: its index into `CATEGORIES`.
        hypothesis: of `HYPOTHESES`.
        settings: the edges, and what is merged.

    Returns:
        0, 1, 2; `NONE` for NaN.
    """
    result = interval(delta_2d, (-np.inf, *_delta_2d_edges(hypothesis, settings)))
    if hypothesis == HIGH:
        merged = np.isin(category, [CATEGORIES.index(name) for name in settings.merged]) & (np.asarray(m_sv) == 1)
        result = np.where(merged, np.minimum(result, 1), result)
    return result


def bins(hypothesis: str, category: str, settings: RegionSettings = PAPER) -> tuple[Bin, ...]:
    """The bins that exist, near to far in each m_SV: six, or five where two are merged.

    >>> for one in bins("high", "mumu_SS")[3:]:
    ...     print(one.number, one.label)
    3 m_SV > 6, < 1 cm
    4 m_SV > 6, > 1 cm
    """
    edge, (near, far) = _m_sv_edge(hypothesis, settings), _delta_2d_edges(hypothesis, settings)
    result = []
    for m_sv, mass in enumerate((f"m_SV < {edge:g}", f"m_SV > {edge:g}")):
        if m_sv == 1 and hypothesis == HIGH and category in settings.merged:
            distances = [f"< {near:g}", f"> {near:g}"]
        else:
            distances = [f"< {near:g}", f"{near:g}-{far:g}", f"> {far:g}"]
        result += [Bin(m_sv, i, f"{mass}, {distance} cm") for i, distance in enumerate(distances)]
    return tuple(result)
