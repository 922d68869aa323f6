"""The ABCD regions and the bins in them: Table 3 and the end of section 6 of the paper.

One convention for every edge, in regions, windows and bins alike: an interval is open below and closed above. Each '>'
of Table 3 holds as it stands, each '<' is read as '<='. So an event on an edge (m(l1,SV) = 85 GeV, score = x) is
counted once and not lost; the paper leaves this open.
"""

from typing import Any, NamedTuple

import numpy as np

from hnl.selections.displaced.categories import CATEGORIES

HYPOTHESES = ("low", "high")  # the two classifiers: trained with m_N up to 5 GeV and above (section 5)
HIGHEST_LOW_MASS = 5.0  # GeV

SELECTIONS = ("SR", "VR")  # N(jets) = 1 and > 1
REGIONS = ("A", "B", "C", "D")  # of SR and CR
VR_REGIONS = ("AB", "CD")
NONE = -1  # in no region

MIN_SCORE = 0.2  # Table 3
WINDOW_EDGES = (10.0, 50.0, 85.0, 110.0)  # GeV, m(l1,SV), Table 3
WINDOWS = ("10-50", "50-85", "85-110", "above 110")
SR_WINDOW, CR_WINDOW = 1, 2  # of A and B

M_SV_EDGE = {"low": 2.0, "high": 6.0}  # GeV, end of section 6
DELTA_2D_EDGES = {"low": (4.0, 10.0), "high": (1.0, 5.0)}  # cm, end of section 6
# Only < 1 and > 1 cm for m_SV > 6 GeV: "the SS mumu and emu channels". We read SS as belonging to both.
MERGED = ("mumu_SS", "emu_SS")
M_SV_BINS = ("low m_SV", "high m_SV")
DELTA_2D_BINS = ("near", "middle", "far")  # merged: 'middle' is all above 1 cm, 'far' does not exist

Thresholds = dict[str, dict[str, float]]  # hypothesis -> category -> x


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


def interval(values: Any, edges: Any) -> Any:
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
    return np.where(np.isnan(values), NONE, np.searchsorted(edges, values, side="left") - 1)


def window(m_l1_sv: Any) -> Any:
    """Index into `WINDOWS` of m(l1,SV) in GeV; `NONE` at or below 10 GeV."""
    return interval(m_l1_sv, WINDOW_EDGES)


def _abcd(in_window: Any, scores: Any, threshold: Any, valid: Any) -> Any:
    scores = np.asarray(scores, dtype=np.float64)
    region = np.where(in_window, 0, 2) + ~(scores > threshold)  # A 0, B 1, C 2, D 3
    return np.where(valid & (scores > MIN_SCORE), region, NONE)


def signal_region(n_jets: Any, m_l1_sv: Any, score: Any, threshold: Any) -> Any:
    """SR-A to SR-D of Table 3: N(jets) = 1, A and B in 50-85 GeV, A and C above the threshold.

    >>> regions = signal_region([1, 1, 1, 2], [60, 60, 95, 60], [0.99, 0.5, 0.99, 0.99], 0.98)
    >>> [REGIONS[i] if i != NONE else "none" for i in regions]
    ['A', 'B', 'C', 'none']

    Args:
        n_jets: int, an event.
        m_l1_sv: GeV.
        score: of the classifier of one hypothesis, 0 to 1.
        threshold: x, one for all or one an event.

    Returns:
        Index into `REGIONS`, `NONE` for events in no region (NaN among them).
    """
    mass = window(m_l1_sv)
    return _abcd(mass == SR_WINDOW, score, threshold, (np.asarray(n_jets) == 1) & (mass != NONE))


def validation_region(n_jets: Any, m_l1_sv: Any, score: Any) -> Any:
    """VR-AB and VR-CD of Table 3: N(jets) > 1, inside and outside 50-85 GeV; index into `VR_REGIONS` or `NONE`."""
    mass = window(m_l1_sv)
    valid = (np.asarray(n_jets) > 1) & (mass != NONE) & (np.asarray(score, dtype=np.float64) > MIN_SCORE)
    return np.where(valid, np.where(mass == SR_WINDOW, 0, 1), NONE)


def control_region(n_jets: Any, m_l1_sv: Any, score: Any, threshold: Any) -> Any:
    """CR-A to CR-D of Table 3: SR and VR together without 50-85 GeV, A and B in 85-110 GeV.

    Section 6: "formed from all events in the SR and VR", so N(jets) >= 1. Arguments and result: see `signal_region`.
    """
    mass = window(m_l1_sv)
    valid = (np.asarray(n_jets) >= 1) & (mass != NONE) & (mass != SR_WINDOW)
    return _abcd(mass == CR_WINDOW, score, threshold, valid)


def m_sv_bin(m_sv: Any, hypothesis: str) -> Any:
    """0 up to 2 GeV (low-mass hypothesis) or 6 GeV (high), 1 above; `NONE` for NaN."""
    return interval(m_sv, (-np.inf, M_SV_EDGE[hypothesis]))


def delta_2d_bin(delta_2d: Any, m_sv: Any, category: Any, hypothesis: str) -> Any:
    """Bin of Delta_2D in cm: 4, 10 (low-mass hypothesis) or 1, 5 (high), with the merging of `MERGED`.

    Args:
        delta_2d: cm, an event.
        m_sv: its result of `m_sv_bin`.
        category: its index into `CATEGORIES`.
        hypothesis: of `HYPOTHESES`.

    Returns:
        0, 1, 2; `NONE` for NaN.
    """
    result = interval(delta_2d, (-np.inf, *DELTA_2D_EDGES[hypothesis]))
    if hypothesis == "high":
        merged = np.isin(category, [CATEGORIES.index(name) for name in MERGED]) & (np.asarray(m_sv) == 1)
        result = np.where(merged, np.minimum(result, 1), result)
    return result


def bins(hypothesis: str, category: str) -> tuple[Bin, ...]:
    """The bins that exist, near to far in each m_SV: six, or five where two are merged.

    >>> for one in bins("high", "mumu_SS")[3:]:
    ...     print(one.number, one.label)
    3 m_SV > 6, < 1 cm
    4 m_SV > 6, > 1 cm
    """
    edge, (near, far) = M_SV_EDGE[hypothesis], DELTA_2D_EDGES[hypothesis]
    result = []
    for m_sv, mass in enumerate((f"m_SV < {edge:g}", f"m_SV > {edge:g}")):
        if m_sv == 1 and hypothesis == "high" and category in MERGED:
            distances = [f"< {near:g}", f"> {near:g}"]
        else:
            distances = [f"< {near:g}", f"{near:g}-{far:g}", f"> {far:g}"]
        result += [Bin(m_sv, i, f"{mass}, {distance} cm") for i, distance in enumerate(distances)]
    return tuple(result)
