"""Simulated background in place of data, at another luminosity: for expected limits only, and labelled as such.

A small simulation has no events in most cells above the threshold of the score, each event being worth many. Scaled as
it is, most cells would have no background at all. So it is smoothed by what section 6 finds to be independent, which is
our choice:

- B and D of a category are its sums in these regions, spread over bins as all categories with the same flavour of l2.
- C is D, and A is B, times the ratio of events above and below the threshold: of all categories with this flavour of
  l2, of all m(l1,SV), bins and N(jets) together.

Each sum of n effective events is replaced by the median of a Gamma distribution of n + 1, which is not zero for none.
Limits from this say what the method would do with such a background; they have no error for the size of the simulation.
"""

from collections.abc import Sequence

import hist
import numpy as np
from scipy.special import gammaincinv

from hnl.datasets.variations import NOMINAL
from hnl.histograms.displaced import yields
from hnl.histograms.displaced.yields import Counts
from hnl.inference.abcd import estimate as abcd
from hnl.inference.abcd.settings import PAPER
from hnl.inference.arrays import Floats
from hnl.selections.displaced import regions
from hnl.selections.displaced.categories import CATEGORIES, LEPTONS
from hnl.selections.displaced.hypotheses import HYPOTHESES
from hnl.selections.displaced.regions import ABOVE, BELOW, B, C, D, RegionSettings


def smoothed(
    filled: hist.Hist, datasets: Sequence[str], hypothesis: str, settings: RegionSettings = PAPER.regions
) -> Floats:
    """Events in B, C, D of the SR, A being NaN; shape (category, bin, region), in the luminosity of the simulation.

    Args:
        filled: histogram `regions`.
        datasets: simulated background.
        hypothesis: of `HYPOTHESES`.
        settings: the bins.
    """
    counts = yields.counts(filled, datasets, hypothesis, "SR")
    below, above = _by_score(filled, datasets, hypothesis)
    event_weight = _mean_event_weight(Counts(counts.sum_w.sum(axis=(0, 1)), counts.sum_w2.sum(axis=(0, 1))))
    result = np.full(counts.sum_w.shape, np.nan)
    for lepton in range(len(LEPTONS)):
        group = np.flatnonzero(np.equal(yields.L2, lepton))
        total_below, total_above = (Counts(*(p[group].sum() for p in part)) for part in (below, above))
        ratio = _median(total_above, event_weight) / _median(total_below, event_weight)
        shape = _median(Counts(*(p[group][..., [B, D]].sum(axis=(0, 2)) for p in counts)), event_weight)
        for i in group:
            there = [b.number for b in regions.bins(hypothesis, CATEGORIES[i], settings)]
            spread = shape[there] / shape[there].sum()
            sums = _median(Counts(*(p[i, there].sum(axis=0) for p in counts)), event_weight)
            for region in (B, D):
                result[i, there, region] = sums[region] * spread
            result[i, there, C] = result[i, there, D] * ratio
    return result


def c_ab_error(hypothesis: str, unknown: float = PAPER.estimate.dy_unknown) -> Floats:
    """Of c_AB = 1: `unknown`, the upper end of Table 4, where the paper corrects; shape (category, bin)."""
    result = np.zeros((len(CATEGORIES), regions.N_BINS))
    if hypothesis == abcd.DY_HYPOTHESIS:
        result[CATEGORIES.index(abcd.DY_CATEGORY)] = unknown
    return result


def _by_score(filled: hist.Hist, datasets: Sequence[str], hypothesis: str) -> tuple[Counts, Counts]:
    """Sums below and above the threshold, by category: all selections, windows and bins."""
    axes = filled.axes
    chosen = [axes["dataset"].index(name) for name in datasets]
    i, v = HYPOTHESES.index(hypothesis), axes["variation"].index(NOMINAL)
    parts = []
    for field in ("value", "variance"):
        part = filled.view()[field][chosen].sum(axis=(0, 1))[:, i, ..., v]  # category, selection, window, score, bins
        parts.append(part.sum(axis=(1, 2, 4, 5)))
    return Counts(*(p[:, BELOW] for p in parts)), Counts(*(p[:, ABOVE] for p in parts))


def _mean_event_weight(total: Counts) -> float:
    """sum w^2 / sum w; 1 without events."""
    w, w2 = float(np.sum(total.sum_w)), float(np.sum(total.sum_w2))
    return w2 / w if w > 0 and w2 > 0 else 1.0


def _median(counts: Counts, event_weight: float) -> Floats:
    """Median of the expectation, in events, of sums of weights."""
    w, w2 = np.asarray(counts.sum_w, dtype=np.float64), np.asarray(counts.sum_w2, dtype=np.float64)
    filled = (w > 0) & (w2 > 0)
    n = np.divide(w**2, w2, out=np.zeros(w.shape), where=filled)
    each = np.divide(w2, w, out=np.full(w.shape, event_weight), where=filled)
    median: Floats = each * gammaincinv(n + 1, 0.5)
    return median
