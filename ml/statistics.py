"""Weighted statistics of a score, with errors that know of negative weights and of re-simulated events.

Re-simulations of one generator event are not independent: every error below adds up what the events of one cluster
contribute before it squares, so ten copies of an event count as one.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

MAX_EVENTS_DISTANCE = 300  # of the distance correlation, whose cost grows with the square
PERMUTATIONS = 99


class ValueWithError(NamedTuple):
    """A number and its standard error; NaN where there is nothing to estimate from."""

    value: float
    error: float


class WeightedCorrelation(NamedTuple):
    """A coefficient and the probability of one as far from zero without any dependence."""

    value: float
    p_value: float


NOTHING = ValueWithError(float("nan"), float("nan"))
NO_CORRELATION = WeightedCorrelation(float("nan"), float("nan"))


def mean(x: np.ndarray, weight: np.ndarray, cluster: np.ndarray) -> ValueWithError:
    """Weighted mean.

    Args:
        x: (n,).
        weight: (n,), of either sign.
        cluster: int, (n,); events of one value are not independent.
    """
    total = weight.sum()
    if not total > 0:
        return NOTHING
    value = float(np.sum(weight * x) / total)
    return ValueWithError(value, float(_root_of_clusters(weight * (x - value), cluster) / total))


def efficiency(passed: np.ndarray, weight: np.ndarray, cluster: np.ndarray) -> ValueWithError:
    """Share of the weight that passes: the `mean` of a mask."""
    return mean(passed.astype(np.float64), weight, cluster)


def effective_events(weight: np.ndarray, cluster: np.ndarray) -> float:
    """Independent events of equal weight that would have the same relative error of their sum; 0 for none."""
    return float((weight.sum() / root) ** 2) if (root := _root_of_clusters(weight, cluster)) > 0 else 0.0


def roc(
    signal: np.ndarray, background: np.ndarray, signal_weight: np.ndarray, background_weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Efficiencies for `score >= threshold` at every score as threshold, from the tightest to the loosest.

    Args:
        signal: scores, (n,).
        background: scores, (m,).
        signal_weight: (n,).
        background_weight: (m,).

    Returns:
        Efficiencies for background and for signal, beginning with (0, 0).
    """
    thresholds = np.unique(np.concatenate([signal, background]))[::-1]
    curves = []
    for score, weight in ((background, background_weight), (signal, signal_weight)):
        order = np.argsort(-score, kind="stable")
        passing = np.searchsorted(-score[order], -thresholds, side="right")
        sums = np.concatenate([[0.0], np.cumsum(weight[order])])
        curves.append(np.concatenate([[0.0], sums[passing] / sums[-1]]))
    return curves[0], curves[1]


def auc(score: np.ndarray, is_signal: np.ndarray, weight: np.ndarray, cluster: np.ndarray) -> ValueWithError:
    """Area under the ROC curve: the probability that a signal event has a higher score than a background event.

    The error is DeLong's, generalised to weights and clusters.

    Args:
        score: (n,).
        is_signal: bool, (n,).
        weight: (n,), of either sign.
        cluster: int, (n,).
    """
    sums = weight[is_signal].sum(), weight[~is_signal].sum()
    if not min(sums) > 0:
        return NOTHING
    placement = np.empty(len(score))
    for mine, total in ((is_signal, sums[1]), (~is_signal, sums[0])):
        others, w = score[~mine], weight[~mine]
        order = np.argsort(others, kind="stable")
        below = np.concatenate([[0.0], np.cumsum(w[order])])
        left = below[np.searchsorted(others[order], score[mine], side="left")]
        right = below[np.searchsorted(others[order], score[mine], side="right")]
        placement[mine] = (left + right) / (2 * total)
    area = float(np.sum(weight[is_signal] * placement[is_signal]) / sums[0])
    variance = 0.0
    for mine, total, mean in ((is_signal, sums[0], area), (~is_signal, sums[1], 1 - area)):
        variance += float(_root_of_clusters(weight[mine] * (placement[mine] - mean), cluster[mine]) / total) ** 2
    return ValueWithError(area, variance**0.5)


def pearson(x: np.ndarray, y: np.ndarray, weight: np.ndarray, cluster: np.ndarray) -> WeightedCorrelation:
    """Linear correlation coefficient and its two-sided p-value (section 6).

    For equal weights and independent events the p-value is the usual one for large samples. In general the covariance
    is compared with its own error, with Student's distribution for the effective number of events.

    Args:
        x: (n,).
        y: (n,).
        weight: (n,), of either sign.
        cluster: int, (n,).
    """
    total = weight.sum()
    if len(x) < 3 or not total > 0:
        return NO_CORRELATION
    dx, dy = (v - np.sum(weight * v) / total for v in (x.astype(np.float64), y.astype(np.float64)))
    product = weight * dx * dy
    xx, yy = np.sum(weight * dx**2), np.sum(weight * dy**2)
    error = _root_of_clusters(product, cluster)
    if not (xx > 0 and yy > 0 and error > 0):
        return NO_CORRELATION
    freedom = max(effective_events(weight, cluster) - 2, 1.0)
    p_value = 2 * stats.t.sf(abs(product.sum()) / error, freedom)
    return WeightedCorrelation(float(np.clip(product.sum() / np.sqrt(xx * yy), -1, 1)), float(p_value))


def distance_correlation(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> WeightedCorrelation:
    """Distance correlation (Szekely, Rizzo and Bakirov, 2007), which sees any dependence, not only a linear one.

    It is positive in any finite sample; the p-value, from permutations of y, says whether it is more than chance.
    Of larger samples a fixed random choice of `MAX_EVENTS_DISTANCE` is used. Signs of weights are dropped.

    Args:
        x: (n,).
        y: (n,).
        weight: (n,).
    """
    random = np.random.default_rng(len(x))
    chosen = np.sort(random.permutation(len(x))[:MAX_EVENTS_DISTANCE])
    share = np.abs(weight[chosen])
    if len(chosen) < 3 or not share.sum() > 0:
        return NO_CORRELATION
    share = share / share.sum()
    both = np.outer(share, share)
    y_chosen = y[chosen].astype(np.float64)
    a, b = (_centred(v, share) for v in (x[chosen].astype(np.float64), y_chosen))
    norm = float(np.sum(both * a**2) * np.sum(both * b**2))
    if not norm > 0:
        return NO_CORRELATION
    # The sums over rows of `both * a` vanish, so the distances of y need not be centred.
    factor = both * a
    covariance = float(np.sum(factor * _distances(y_chosen)))
    larger = 0
    for _ in range(PERMUTATIONS):
        larger += bool(np.sum(factor * _distances(random.permutation(y_chosen))) >= covariance)
    return WeightedCorrelation(float(np.sqrt(max(covariance, 0.0) / norm**0.5)), (larger + 1) / (PERMUTATIONS + 1))


def _centred(x: np.ndarray, share: np.ndarray) -> np.ndarray:
    distance = _distances(x)
    mean = distance @ share
    centred: np.ndarray = distance - mean - mean[:, None] + share @ mean
    return centred


def _distances(x: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.abs(x[:, None] - x)
    return result


def _root_of_clusters(contribution: np.ndarray, cluster: np.ndarray) -> float:
    """Square root of the sum over clusters of the squared sums within."""
    _, place = np.unique(cluster, return_inverse=True)
    return float(np.sqrt(np.sum(np.bincount(place, weights=contribution) ** 2)))
