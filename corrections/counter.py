"""Random numbers that belong to an object: a hash of what identifies it, so that neither the order of events, nor their
division into work units, nor the machine changes them.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from hnl.datasets.hashing import hashed


def uniform(seed: int, *keys: NDArray[np.integer]) -> NDArray[np.float64]:
    """Uniform random numbers between 0 and 1, both excluded.

    Args:
        seed, keys: see `hashing.hashed`.

    Returns:
        float64, (n,).
    """
    return ((hashed(seed, *keys) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normal(seed: int, *keys: NDArray[np.integer]) -> NDArray[np.float64]:
    """Normal random numbers of mean 0 and width 1; see `uniform`."""
    result: NDArray[np.float64] = ndtri(uniform(seed, *keys))
    return result
