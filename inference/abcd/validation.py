"""The checks of section 6: is the score independent of m(l1,SV), does B C / D predict A, is signal in the sidebands?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import rel_entr

from hnl.histograms.displaced.yields import Counts
from hnl.inference.abcd import estimate as abcd
from hnl.inference.abcd.estimate import Estimate, Remarks
from hnl.inference.abcd.settings import PAPER, EstimateSettings
from hnl.inference.arrays import Floats
from hnl.inference.intervals import ONE_SIGMA
from hnl.ml import statistics
from hnl.selections.displaced.regions import A, B, C, D, Indices

# Our choices. A p-value below this is flagged: one in a hundred by chance.
FLAG = 0.01
# Events of either sample in a bin of the comparison of shapes, at least; bins are merged until they have them.
MIN_PER_BIN = 5.0


@dataclass(frozen=True)
class Correlation:
    """Pearson coefficient of m(l1,SV) and score; NaN where it is undefined."""

    coefficient: float
    p_value: float
    events: float  # effective
    remark: str


@dataclass(frozen=True)
class Closure:
    """Prediction against direct count of A, one entry per bin."""

    observed: Floats
    estimate: Estimate
    pull: Floats  # NaN where the counts say nothing
    remark: Remarks

    def chi2(self, chosen: NDArray[np.bool_]) -> tuple[float, int, float]:
        """Sum of squared pulls, number of them, p-value (NaN without any) of the chosen bins."""
        pulls = self.pull[chosen & np.isfinite(self.pull)]
        total, n = float((pulls**2).sum()), len(pulls)
        return total, n, float(stats.chi2.sf(total, n)) if n else np.nan


def pearson(mass: Floats, score: Floats, weight: Floats, cluster: Indices | None = None) -> Correlation:
    """Correlation coefficient with its p-value, see `ml.statistics.pearson`.

    Args:
        mass: m(l1,SV) of each event, GeV.
        score: of each event.
        weight: of each event.
        cluster: int, equal for re-simulations of one generated event; by default all are independent.

    Returns:
        NaN with a remark where there are fewer than 3 effective events, or no spread.
    """
    cluster = np.arange(len(weight)) if cluster is None else cluster
    n = statistics.effective_events(weight, cluster) if weight.sum() > 0 else 0.0
    if n < 3 - 1e-9:
        return Correlation(np.nan, np.nan, n, "fewer than 3 events")
    spread = [(weight * (v - (weight * v).sum() / weight.sum()) ** 2).sum() for v in (mass, score)]
    found = statistics.pearson(mass, score, weight, cluster)
    if min(spread) <= 0 or not np.isfinite(found.p_value):  # negative with negative weights
        return Correlation(np.nan, np.nan, n, "no spread")
    return Correlation(found.value, found.p_value, n, f"p < {FLAG}" if found.p_value < FLAG else "")


def same_shape(first: Floats, first2: Floats, second: Floats, second2: Floats) -> tuple[float, int, float]:
    """Chi2 test of two weighted histograms normalised to unity (Fig. 8: VR-AB against VR-CD).

    Neighbouring bins are merged from the right until each has `MIN_PER_BIN` effective events in both.

    Args:
        first, first2: sums of weights and of squared weights of one.
        second, second2: of the other.

    Returns:
        Chi2, degrees of freedom, p-value; 0, 0 and NaN where fewer than two bins are left.
    """
    groups, start = [], len(first)
    for i in reversed(range(len(first))):
        sums = [float(part[i:start].sum()) for part in (first, first2, second, second2)]
        if all(w > 0 and w * w >= MIN_PER_BIN * w2 for w, w2 in (sums[:2], sums[2:])):
            groups.append(sums)
            start = i
    if groups:  # what is left over goes to the last group
        rest = [float(part[:start].sum()) for part in (first, first2, second, second2)]
        groups[-1] = [a + b for a, b in zip(groups[-1], rest, strict=True)]
    if len(groups) < 2:
        return 0.0, 0, np.nan
    a, a2, b, b2 = np.array(groups).T
    difference = a / a.sum() - b / b.sum()
    covariance = np.zeros((len(a), len(a)))  # of the difference of shares; they add up to one, so its rank is n - 1
    for w, w2 in ((a, a2), (b, b2)):
        jacobian = (np.eye(len(w)) - np.outer(w / w.sum(), np.ones(len(w)))) / w.sum()
        covariance += jacobian @ np.diag(w2) @ jacobian.T
    chi2 = float(difference @ np.linalg.pinv(covariance, rcond=1e-10) @ difference)
    return chi2, len(a) - 1, float(stats.chi2.sf(chi2, len(a) - 1))


def closure(counts: Counts, factor: Floats | float = 1.0) -> Closure:
    """The prediction B C / D and the pull of the direct count of A, in every bin.

    The pull is the signed root of the likelihood ratio of 'A D = c_AB B C' in a 2 x 2 table of Poisson counts. It
    treats the errors of all four counts together and needs no error of an empty bin. Undefined where a row or a
    column of the table is empty: the counts then say nothing.

    Args:
        counts: regions last.
        factor: c_AB, on the prediction, one entry per bin.
    """
    n, fitted = _fitted(counts, factor)
    a, b, c, d = (n[..., i] for i in range(4))
    ratio = rel_entr(n, fitted).sum(axis=-1)
    pull = np.sign(a - fitted[..., A]) * np.sqrt(2 * np.maximum(ratio, 0))
    informative = (d > 0) & (a + b > 0) & (a + c > 0)
    pull = np.where(informative, pull, np.nan)
    remark = np.where(counts.sum_w[..., A] < 0, "A negative", "").astype(object)
    result = abcd.estimate(counts).scaled(factor)
    joined = [("; ".join(filter(None, pair))) for pair in zip(result.remark.ravel(), remark.ravel(), strict=True)]
    return Closure(counts.sum_w[..., A], result, pull, np.array(joined, dtype=object).reshape(remark.shape))


def _fitted(counts: Counts, factor: Floats | float = 1.0) -> tuple[Floats, Floats]:
    """Effective counts, and those of largest likelihood with A D = c_AB B C; both with regions last."""
    n, scale = abcd.effective(counts)
    a, b, c, d = (n[..., i] for i in range(4))
    k = factor * scale[..., B] * scale[..., C] / (scale[..., A] * scale[..., D])
    # a' d' = k b' c' with a' = a - t, d' = d - t, b' = b + t, c' = c + t.
    linear, constant = a + d + k * (b + c), a * d - k * b * c
    root = np.sqrt(np.maximum(linear**2 - 4 * (1 - k) * constant, 0))
    t = np.divide(2 * constant, linear + root, out=np.zeros(a.shape), where=linear > 0)
    return n, np.maximum(n - t[..., None] * np.array([1, -1, -1, 1]), 0)


def resolution(counts: Counts) -> Floats:
    """Which factor between A and B C / D the counts can tell at one standard deviation, if they close.

    exp(sqrt(1/A + 1/B + 1/C + 1/D)) of the effective counts of largest likelihood with A D = B C. With equal weights
    those hang on the sums of rows and columns alone, so whether something is tested does not depend on the result.

    Args:
        counts: regions last.

    Returns:
        Above 1, without the last axis; infinite where a row or a column is empty.
    """
    fitted = _fitted(counts)[1]
    variance = np.divide(1, fitted, out=np.full(fitted.shape, np.inf), where=fitted > 1e-3).sum(axis=-1)
    factor: Floats = np.exp(np.sqrt(variance))
    return factor


def closure_uncertainty(
    closure: Closure, chosen: NDArray[np.bool_], settings: EstimateSettings = PAPER.estimate
) -> tuple[float, str]:
    """The relative uncertainty of the prediction from the closure in the CR (section 7, Table 4: 20-30 %), our rule.

    It is the smallest u from 20 % on with which the bins agree: the sum of squared pulls, each with u times the
    prediction added to its error in quadrature, has a p-value of at least 32 %, one standard deviation.

    Args:
        closure: of the CR.
        chosen: bool, the bins of a category.
        settings: the least and the largest u, and that where nothing can be tested; above that u is marked.

    Returns:
        u, and a remark: '' or why it is not to be trusted as it is.
    """
    use = chosen & np.isfinite(closure.pull)
    pull, predicted = closure.pull[use], closure.estimate.value[use]
    if len(pull) == 0:
        return settings.expected_closure, "no bin of the CR can be tested"
    off = pull != 0
    error2 = ((closure.observed[use] - predicted)[off] / pull[off]) ** 2

    def excess(u: float) -> float:
        difference2 = (closure.observed[use] - predicted)[off] ** 2
        return float((difference2 / (error2 + (u * predicted[off]) ** 2)).sum()) - allowed

    allowed = float(stats.chi2.ppf(ONE_SIGMA, len(pull)))
    low, high = settings.least_closure, settings.most_closure
    if excess(low) <= 0:
        return low, ""
    if excess(high) > 0:
        return high, f"no closure with {100 * high:g} %"
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high, f"above {settings.expected_closure:.0%}" if high > settings.expected_closure else ""


def contamination(signal: Counts, background: Counts) -> tuple[Floats, Floats]:
    """Signal in the regions of the SR.

    Args:
        signal: yields, regions last.
        background: the same, of data or simulation.

    Returns:
        Share of the signal in each region (NaN without signal), and signal over background in each region (NaN
        where there is no background).
    """
    s = np.maximum(signal.sum_w, 0)
    total = s.sum(axis=-1, keepdims=True)
    share = np.divide(s, total, out=np.full(s.shape, np.nan), where=total > 0)
    b = background.sum_w
    return share, np.divide(s, b, out=np.full(s.shape, np.nan), where=b > 0)
