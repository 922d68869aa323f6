"""Intervals for B C / D of three Poisson counts that cover where the square root of N does not.

The method is the melded confidence interval (Fay, Proschan, Brittain, Biometrics 71 (2015) 146). The exact (Garwood)
lower and upper limits of one Poisson mean with n observed are quantiles of Gamma(n) and Gamma(n + 1) (Gamma(0) is
zero). The upper limit of B C / D is the quantile of G(b + 1) G(c + 1) / G(d), with G independent Gamma variables, the
lower one that of G(b) G(c) / G(d + 1). For two counts, B / D, this is exactly Clopper and Pearson's interval.

Sums of weights are treated as by Fay and Feuer (Statist. Med. 16 (1997) 791): the lower Gamma variable has the mean
and variance sum w and sum w^2, the upper one those with one event more, of a weight that could have been there.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincinv, gammaincinv

from hnl.inference.arrays import Floats

ONE_SIGMA = 0.6826894921370859
TWO_SIGMA = 0.95  # the 95 % of limits

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_P, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
_STEPS = 34  # of the bisection: relative precision about 1e-8
_FAR = 60.0  # logarithm of the largest double ratio that is told from infinity


def product_over(
    sum_w: ArrayLike, sum_w2: ArrayLike, one_more: ArrayLike = 1.0, level: float = ONE_SIGMA
) -> tuple[Floats, Floats]:
    """Central interval of mu_B mu_C / mu_D.

    Of 4 x 3 / 6 = 2 events, and with nothing in C:

    >>> low, high = product_over([[4, 3, 6], [4, 0, 6]], [[4, 3, 6], [4, 0, 6]])
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.55, 0.0], [6.52, 1.78])

    Args:
        sum_w: sums of weights in B, C, D (last axis), not negative; for data the counts.
        sum_w2: of squared weights; for data the counts.
        one_more: weight of an event that could have been there; of the same shape, for data 1.
        level: confidence level, 0 to 1.

    Returns:
        Lower and upper limit, without the last axis. The lower one is 0 where B or C is 0, the upper one infinite
        where D is 0.
    """
    (shape, scale), (shape_up, scale_up) = _gammas(sum_w, sum_w2, one_more)
    filled = shape > 0
    tail = (1 - level) / 2
    low, high = np.zeros(shape.shape[:-1]), np.full(shape.shape[:-1], np.inf)
    some = filled[..., 0] & filled[..., 1]
    low[some] = _quantile(shape[some, 0], shape[some, 1], shape_up[some, 2], tail)
    low[some] *= scale[some, 0] * scale[some, 1] / scale_up[some, 2]
    some = filled[..., 2]
    high[some] = _quantile(shape_up[some, 0], shape_up[some, 1], shape[some, 2], 1 - tail)
    high[some] *= scale_up[some, 0] * scale_up[some, 1] / scale[some, 2]
    return low, high


def double_ratio(
    sum_w: ArrayLike, sum_w2: ArrayLike, one_more: ArrayLike = 1.0, level: float = ONE_SIGMA
) -> tuple[Floats, Floats, Floats]:
    """Central interval of mu_A mu_D / (mu_B mu_C), and the two-sided p-value of its being 1.

    Melded as `product_over`: the upper limit is the quantile of G(a + 1) G(d + 1) / (G(b) G(c)), the lower one that of
    G(a) G(d) / (G(b + 1) G(c + 1)). The p-value is 1 minus the level of the interval that ends at 1, and at most 1.

    Args:
        sum_w, sum_w2, one_more, level: see `product_over`, for A, B, C, D.

    Returns:
        Lower limit, 0 where A or D is 0; upper one, infinite where B or C is 0; p-value.
    """
    lower, upper = _gammas(sum_w, sum_w2, one_more)
    signs = np.array([1, -1, -1, 1])
    tail = (1 - level) / 2
    found = []
    for above, below, probability in ((lower, upper, tail), (upper, lower, 1 - tail)):
        shape, scale = (np.where(signs > 0, *pair) for pair in zip(above, below, strict=True))
        shift = (signs * np.log(scale)).sum(axis=-1)
        defined = (shape > 0).all(axis=-1)
        limit = np.full(defined.shape, np.inf if above is upper else -np.inf)
        cdf = _odds(shape[defined])
        far = np.full(shift[defined].shape, _FAR)
        limit[defined] = _inverse(cdf, -far, far, probability) + shift[defined]
        share = np.full(defined.shape, float(above is lower))  # below 1
        share[defined] = cdf(-shift[defined])
        found += [np.exp(limit), share]
    low, share_low, high, share_high = found
    return low, high, np.minimum(2 * np.minimum(share_low, 1 - share_high), 1)


def _gammas(
    sum_w: ArrayLike, sum_w2: ArrayLike, one_more: ArrayLike
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Shape and scale of the lower and of the upper Gamma variable of each count; the shape is 0 without events."""
    w, w2, more = np.broadcast_arrays(*(np.asarray(part, dtype=np.float64) for part in (sum_w, sum_w2, one_more)))
    if np.any(w < 0):
        raise ValueError("sums of weights are not negative")
    shape = np.divide(w**2, w2, out=np.zeros(w.shape), where=w > 0)
    scale = np.divide(w2, w, out=np.ones(w.shape), where=w > 0)
    return (shape, scale), ((w + more) ** 2 / (w2 + more**2), (w2 + more**2) / (w + more))


def _odds(shape: Floats) -> Callable[[Floats], Floats]:
    """P(log(G(a) G(d) / (G(b) G(c))) < log t) as a function of log t; shapes of a, b, c, d on the last axis.

    It is the mean of P(G / G < t / q) for the smaller shapes over quantiles q of the ratio of the larger, sharper ones.
    """
    above, below = np.sort(shape[..., [0, 3]], axis=-1)[..., None], np.sort(shape[..., [1, 2]], axis=-1)[..., None]
    sharp = betaincinv(above[..., 1, :], below[..., 1, :], _P) / betaincinv(below[..., 1, :], above[..., 1, :], 1 - _P)

    def cdf(log_t: Floats) -> Floats:
        odds = np.exp(log_t)[..., None] / sharp
        share: Floats = betainc(above[..., 0, :], below[..., 0, :], odds / (1 + odds)) @ _WEIGHTS
        return share

    return cdf


def _quantile(b: Floats, c: Floats, d: Floats, probability: float) -> Floats:
    """Quantile of G(b) G(c) / G(d), all above zero, by bisection in the logarithm.

    P(G(b) G(c) / G(d) < t) is the mean of P(G(small) / G(d) < t / G(large)) over the quantiles of the larger (and so
    sharper) of b and c, by Gauss-Legendre; the ratio of two Gamma variables is a Beta variable over its complement.
    """
    small, large = np.minimum(b, c), np.maximum(b, c)
    sharp = gammaincinv(large[..., None], _P)

    def cdf(log_t: Floats) -> Floats:
        odds = np.exp(log_t)[..., None] / sharp
        share: Floats = betainc(small[..., None], d[..., None], odds / (1 + odds)) @ _WEIGHTS
        return share

    def product_of_quantiles(p: float) -> Floats:
        ratio = betaincinv(small, d, p) / betaincinv(d, small, 1 - p)
        log_t: Floats = np.log(np.maximum(gammaincinv(large, p) * ratio, 1e-300))
        return log_t

    # Both factors below their quantiles of p / 2 has at most the probability p: these enclose the quantile.
    lower, upper = product_of_quantiles(probability / 2), product_of_quantiles((1 + probability) / 2)
    quantile: Floats = np.exp(_inverse(cdf, lower, upper, probability))
    return quantile


def _inverse(cdf: Callable[[Floats], Floats], lower: Floats, upper: Floats, probability: float) -> Floats:
    """Where the cdf is the probability, by bisection."""
    for _ in range(_STEPS):
        middle = (lower + upper) / 2
        below = cdf(middle) < probability
        lower, upper = np.where(below, middle, lower), np.where(below, upper, middle)
    return (lower + upper) / 2
