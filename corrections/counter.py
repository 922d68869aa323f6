"""Random numbers that belong to an object: a hash of what identifies it, so that neither the order of events, nor their
division into work units, nor the machine changes them.
"""

from typing import Any

import numpy as np
from scipy.special import ndtri

_GOLDEN, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def uniform(seed: int, *keys: Any) -> np.ndarray:
    """Uniform random numbers between 0 and 1, both excluded.

    Each key is absorbed by one round of splitmix64 (Steele, Lea, Flood, OOPSLA 2014), whose output function is a
    bijection that passes the usual tests of randomness.

    Args:
        seed: separates uses.
        keys: integers, arrays of one length n; together they identify an object.

    Returns:
        float64, (n,).
    """
    state = np.full(np.shape(keys[0]), seed, dtype=np.uint64)
    for key in keys:
        state = _mixed(state ^ np.asarray(key).astype(np.uint64))
    return ((state >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normal(seed: int, *keys: Any) -> np.ndarray:
    """Normal random numbers of mean 0 and width 1; see `uniform`."""
    result: np.ndarray = ndtri(uniform(seed, *keys))
    return result


def _mixed(state: np.ndarray) -> np.ndarray:
    state = state + _GOLDEN
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    result: np.ndarray = state ^ (state >> np.uint64(31))
    return result
