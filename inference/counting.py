"""Exact limits of one counting experiment with a log-normal background: where the asymptotic formulas fail."""

import numpy as np
from scipy.optimize import brentq
from scipy.stats import poisson

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(200)


def cls(observed: int, background: float, factor: float, signal: float) -> float:
    """CLs = P(n <= observed | s + b) / P(n <= observed | b), averaged over b = background * factor^theta.

    Args:
        observed: events.
        background: events expected, median.
        factor: log-normal uncertainty; 1.5 for 50 %.
        signal: events expected.
    """
    b = background * factor**_NODES
    return float(_WEIGHTS @ poisson.cdf(observed, signal + b) / (_WEIGHTS @ poisson.cdf(observed, b)))


def upper_limit(observed: int, background: float, factor: float, level: float = 0.95) -> float:
    """The signal (events) at which CLs is 1 - level.

    Without an event CLs is exp(-s), whatever the background: the limit is log(20).

    >>> round(upper_limit(0, background=3.0, factor=1.5), 4)
    2.9957
    """
    high = 10.0 + 2 * observed + 10 * np.sqrt(observed)
    return float(brentq(lambda s: cls(observed, background, factor, s) - (1 - level), 0.0, high, xtol=1e-6))
