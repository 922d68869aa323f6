"""The background estimate N_A = N_B N_C / N_D of section 6, for data and for weighted simulation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from hnl.histograms.displaced.yields import Counts
from hnl.inference.abcd.settings import PAPER
from hnl.inference.arrays import Floats
from hnl.inference.intervals import ONE_SIGMA, TWO_SIGMA, product_over
from hnl.selections.displaced.categories import MUON, Category
from hnl.selections.displaced.hypotheses import LOW
from hnl.selections.displaced.regions import REGIONS, A, B, C, D

DY_CATEGORY, DY_HYPOTHESIS = Category(MUON, MUON, same_sign=False).label, LOW  # where section 6 corrects for Drell-Yan
MIN_EFFECTIVE = 0.01  # effective events; fewer than one are possible with negative weights only


Remarks = NDArray[np.object_]  # of strings


@dataclass(frozen=True)
class Estimate:
    """B C / D with its statistical intervals; arrays of the shape of the counts without the regions.

    `value` is NaN and the upper limits are infinite where D is empty; `remark` says so, and names every other region
    that is empty, or has a negative sum of weights and is taken as empty.
    """

    value: Floats
    low: Floats  # 68.3 %
    high: Floats
    low95: Floats
    high95: Floats
    remark: Remarks

    def scaled(self, factor: Floats | float) -> "Estimate":
        """Times a factor without uncertainty."""
        return Estimate(
            self.value * factor,
            self.low * factor,
            self.high * factor,
            self.low95 * factor,
            self.high95 * factor,
            self.remark,
        )


@dataclass(frozen=True)
class DYCorrection:
    """c_AB = 1 + (c_DY - 1) f_DY of section 6, and what it was made of; arrays over bins."""

    c_ab: Floats
    uncertainty: Floats  # of c_ab, from the size of the DY sample
    c_dy: Floats  # NaN where it is undefined
    f_dy: Floats
    remark: Remarks


def is_effectively_empty(counts: Counts) -> NDArray[np.bool_]:
    """Where a sum of weights is not above zero by a tenth of its error: those are taken as zero.

    Without negative weights this is where there are no events at all.
    """
    return (counts.sum_w <= 0) | (counts.sum_w**2 <= MIN_EFFECTIVE * counts.sum_w2)


def effective(counts: Counts) -> tuple[Floats, Floats]:
    """Effective numbers of events, and events that each stands for: their product is the sum of weights.

    n = (sum w)^2 / sum w^2 has the relative variance of the sum of weights; for data it is the count. Where a region
    is empty, an event stands for what it does in A to D together (our choice: an empty region does not tell its
    weights).

    Args:
        counts: regions last.

    Returns:
        n, scale; the shape of the counts.
    """
    filled = ~is_effectively_empty(counts)
    n = np.divide(counts.sum_w**2, counts.sum_w2, out=np.zeros(counts.sum_w.shape), where=filled)
    scale = np.divide(counts.sum_w2, counts.sum_w, out=mean_event_weight(counts) + np.zeros(n.shape), where=filled)
    return n, scale


def mean_event_weight(counts: Counts) -> Floats:
    """Mean weight of an event in A to D together, sum w^2 / sum w; 1 where there is none. Shape (..., 1)."""
    w2 = counts.sum_w2.sum(axis=-1, keepdims=True)
    w = np.maximum(np.maximum(counts.sum_w, 0).sum(axis=-1, keepdims=True), np.sqrt(w2))
    weight: Floats = np.divide(w2, w, out=np.ones(w.shape), where=w > 0)
    return weight


def sums(counts: Counts) -> tuple[Floats, Floats, Floats]:
    """What `intervals` asks for: sums of weights and of squared weights, and of an event that could have been there.

    Args:
        counts: regions last.
    """
    n, scale = effective(counts)
    # With negative weights sum w^2 / sum w can be larger than any weight, but not than the root of sum w^2.
    typical = np.where(n > 0, np.minimum(scale, np.sqrt(counts.sum_w2)), 0)
    return n * scale, n * scale**2, np.maximum(typical, mean_event_weight(counts))


def estimate(counts: Counts) -> Estimate:
    """N_B N_C / N_D with intervals of 68.3 % and 95 %, see `intervals`.

    An event that could have been in a region stands for as much as one that is there, or as one in A to D together,
    whichever is more. The estimate is biased up by the curvature of 1 / N_D, relative 1 / N_D, as the paper's is.

    Args:
        counts: regions last; A is not used but for what an event stands for.
    """
    w, w2, one_more = sums(counts)
    value = np.full(w.shape[:-1], np.nan)
    np.divide(w[..., B] * w[..., C], w[..., D], out=value, where=w[..., D] > 0)
    sidebands = (w[..., B:], w2[..., B:], one_more[..., B:])
    low, high = product_over(*sidebands, ONE_SIGMA)
    low95, high95 = product_over(*sidebands, TWO_SIGMA)
    return Estimate(value, low, high, low95, high95, remarks(counts))


def remarks(counts: Counts) -> Remarks:
    """What has to be said about the sidebands of each bin: '' or 'C empty; D negative'. Object array.

    'Empty' is said of regions without events, 'negative' of those with a sum of weights that is `is_effectively_empty`.
    """
    result = np.full(counts.sum_w.shape[:-1], "", dtype=object)
    gone = is_effectively_empty(counts)
    for region in (B, C, D):
        name = REGIONS[region]
        without = counts.sum_w2[..., region] == 0
        for where, text in ((without, f"{name} empty"), (gone[..., region] & ~without, f"{name} negative")):
            result[where] = [f"{old}; {text}" if old else text for old in result[where]]
    return result


def summed(estimate: Estimate, chosen: NDArray[np.bool_]) -> tuple[float, float, float, int]:
    """The estimates of some bins added up, their errors in quadrature.

    Args:
        estimate: arrays over bins.
        chosen: bool, which bins.

    Returns:
        Sum, error down, error up, number of chosen bins that had no estimate and were left out.
    """
    use = chosen & np.isfinite(estimate.value)
    value = estimate.value[use]
    down = np.sqrt(((value - estimate.low[use]) ** 2).sum())
    up = np.sqrt(((estimate.high[use] - value) ** 2).sum())
    return float(value.sum()), float(down), float(up), int((chosen & ~use).sum())


def dy_correction(dy: Counts, background: Counts, unknown: float = PAPER.estimate.dy_unknown) -> DYCorrection:
    """The correction for the correlation that Drell-Yan dimuons have, from simulation.

    c_DY is the direct count in A over B C / D, both of DY; f_DY is the share of DY in A. Without DY in A, B or C the
    sample does not tell c_DY: c_AB is then 1, with `unknown` of the share that DY may have as its uncertainty.

    Args:
        dy: SR yields of the DY samples, regions last.
        background: of all simulated background, DY among it.
        unknown: relative, see `EstimateSettings`.
    """
    prediction = estimate(dy)
    n, scale = effective(dy)
    direct, direct_error = dy.sum_w[..., A], np.sqrt(dy.sum_w2[..., A])
    total = np.maximum(background.sum_w[..., A], 0)
    f = np.divide(np.maximum(direct, 0), total, out=np.zeros(total.shape), where=total > 0).clip(0, 1)
    n_total = effective(background)[0][..., A]
    # Of a fraction near 0 or 1 as for one event more of the other kind.
    f_error = np.sqrt((n_total * f + 1) * (n_total * (1 - f) + 1) / (n_total + 2) ** 3)
    known = np.isfinite(prediction.value) & (prediction.value > 0) & (n[..., A] > 0)
    c = np.full(f.shape, np.nan)
    np.divide(direct, prediction.value, out=c, where=known)
    spread = (np.minimum(prediction.high, 1e30) - prediction.low) / 2
    relative = np.zeros(f.shape)
    np.divide(spread, prediction.value, out=relative, where=known)
    relative_a = np.divide(direct_error, direct, out=np.zeros(f.shape), where=known)
    c_error = c * np.sqrt(relative**2 + relative_a**2)
    c_ab = np.where(known, 1 + (c - 1) * f, 1.0)
    present = (dy.sum_w2 > 0).any(axis=-1)
    # A DY sample without events in A may still have some there: up to the 68 % upper limit of none.
    missing = gammaincinv(1, 0.5 + ONE_SIGMA / 2) * scale[..., A]
    share = np.maximum(f, np.divide(missing, missing + total, out=np.zeros(f.shape), where=present))
    uncertainty = np.where(
        known, np.sqrt((f * c_error) ** 2 + ((c - 1) * f_error) ** 2), np.where(present, unknown * share, 0.0)
    )
    remark = np.where(known, "", np.where(present, "c_DY undefined", "no DY")).astype(object)
    return DYCorrection(c_ab, uncertainty, c, f, remark)
