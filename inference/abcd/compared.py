"""Yields in A to D beside the prediction of A: of one bin, and of bins together."""

import numpy as np
from numpy.typing import NDArray

from hnl.histograms.displaced.yields import Counts
from hnl.inference.abcd import estimate as abcd
from hnl.inference.abcd.estimate import Estimate
from hnl.inference.abcd.rows import HIDDEN, Comparison
from hnl.inference.abcd.validation import Closure
from hnl.records import number
from hnl.selections.displaced.regions import A, B, C, D

Pair = tuple[float | None, float | None]  # a number and its error, errors down and up, or an interval

# What would tell region A of data.
_OF_A = ("A", "A_error", "pull", "ratio", "chi2", "ndf", "p_value")


def without_a(found: Comparison) -> Comparison:
    """A comparison without what would tell region A of the data, and marked so."""
    return found.model_copy(update=dict.fromkeys(_OF_A) | {"mark": joined(HIDDEN, found.mark)})


def joined(*marks: str) -> str:
    """Marks in one; empty ones are left out."""
    return "; ".join(filter(None, marks))


def of_bin(counts: Counts, closure: Closure, i: int) -> Comparison:
    """One bin.

    Args:
        counts: (bin, region).
        closure: of these counts.
        i: the bin.
    """
    estimate = closure.estimate
    value = estimate.value[i]
    return Comparison(
        A=float(counts.sum_w[i, A]),
        B=float(counts.sum_w[i, B]),
        C=float(counts.sum_w[i, C]),
        D=float(counts.sum_w[i, D]),
        A_error=float(np.sqrt(counts.sum_w2[i, A])),
        prediction=number(value),
        stat_down=number(value - estimate.low[i]),
        stat_up=number(estimate.high[i] - value),
        low95=number(estimate.low95[i]),
        high95=number(estimate.high95[i]),
        pull=number(closure.pull[i]),
        ratio=number(counts.sum_w[i, A] / value) if value > 0 else None,
        chi2=None,
        ndf=None,
        p_value=None,
        mark=closure.remark[i],
    )


def of_bins(counts: Counts, closure: Closure, chosen: NDArray[np.bool_], parts: str = "bins") -> Comparison:
    """Bins together: yields of all of them, prediction, pull and ratio of those that have a prediction.

    Args:
        counts: (bin, region).
        closure: of these counts.
        chosen: which bins.
        parts: what the bins are, in the mark.
    """
    value, down, up, left_out = abcd.summed(closure.estimate, chosen)
    use = chosen & np.isfinite(closure.estimate.value)
    known = bool(use.any())
    chi2, ndf, p_value = closure.chi2(chosen)
    direct, variance = counts.sum_w[use, A].sum(), counts.sum_w2[use, A].sum()
    error = np.hypot(up if direct > value else down, np.sqrt(variance))
    return Comparison(
        A=float(counts.sum_w[chosen, A].sum()),
        B=float(counts.sum_w[chosen, B].sum()),
        C=float(counts.sum_w[chosen, C].sum()),
        D=float(counts.sum_w[chosen, D].sum()),
        A_error=float(np.sqrt(counts.sum_w2[chosen, A].sum())),
        prediction=value if known else None,
        stat_down=down if known else None,
        stat_up=up if known else None,
        low95=None,
        high95=None,
        pull=number((direct - value) / error) if error > 0 else None,
        ratio=number(direct / value) if value > 0 else None,
        chi2=chi2,
        ndf=ndf,
        p_value=number(p_value),
        mark=f"D empty in {left_out if known else 'all'} {parts}" if left_out else "",
    )


def total_error(estimate: Estimate, i: int, relative: float) -> Pair:
    """Statistical and systematic uncertainty of a bin in quadrature, down and up, in events.

    Args:
        estimate: arrays over bins.
        i: the bin.
        relative: systematic uncertainty, relative.
    """
    value = estimate.value[i]
    down = number(min(np.hypot(value - estimate.low[i], relative * value), value))
    return down, number(np.hypot(estimate.high[i] - value, relative * value))


def total_error_of_bins(found: Comparison, systematic: float) -> Pair:
    """The same of bins together, with a systematic uncertainty in events."""
    if found.prediction is None or found.stat_down is None or found.stat_up is None:
        return None, None
    down, up = (float(np.hypot(side, systematic)) for side in (found.stat_down, found.stat_up))
    return min(down, found.prediction), up
