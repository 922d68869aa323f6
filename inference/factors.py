"""Log-normal factors of yields: of shifted simulation, and of its statistics."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Our choice: a smaller relative error of the simulated signal is neglected. Table 4 has 4-10 % for each cell anyway.
NEGLIGIBLE_MC = 0.02


def mc_factor(nominal: ArrayLike, error: ArrayLike, negligible: float = NEGLIGIBLE_MC) -> NDArray[np.float64]:
    """1 + error / nominal, the factor of the statistics of simulation; 1 below `negligible` and without yield.

    Args:
        nominal: yield, any shape.
        error: of the yield (root of the sum of squared weights).
        negligible: relative error.
    """
    nominal, error = np.asarray(nominal, dtype=np.float64), np.asarray(error, dtype=np.float64)
    relative = np.divide(error, nominal, out=np.zeros(nominal.shape), where=nominal > 0)
    return np.where(relative < negligible, 1.0, 1 + relative)  # NaN stays and is refused


def shift_factor(nominal: ArrayLike, up: ArrayLike, down: ArrayLike) -> NDArray[np.float64]:
    """The factor of a shifted yield: sqrt(up / down), or the larger shift, upwards, where both go the same way.

    Our choice: one factor in place of two, since tools interpolate between two differently. Where a yield is zero the
    shift cannot be told, and the factor is 1; shifts are limited to a factor of 2.

    Args:
        nominal, up, down: yields, one shape.
    """
    nominal, up, down = (np.asarray(v, dtype=np.float64) for v in (nominal, up, down))
    some = ~((nominal <= 0) | (up <= 0) | (down <= 0))  # NaN is some, and is refused later
    high = np.log(np.divide(up, nominal, out=np.ones(nominal.shape), where=some))
    low = np.log(np.divide(down, nominal, out=np.ones(nominal.shape), where=some))
    larger = np.maximum(np.abs(high), np.abs(low))
    shift = np.where(high * low > 0, larger, (high - low) / 2)
    factor: NDArray[np.float64] = np.exp(np.clip(shift, -math.log(2), math.log(2)))
    return factor
