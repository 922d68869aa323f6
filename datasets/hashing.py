"""One hash for random numbers that belong to an object, and for divisions of events that nothing can move.

The output function of splitmix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection of 64-bit words that passes the usual
tests of randomness.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Word = TypeVar("Word", np.uint64, Words)


def splitmix64(word: Word) -> Word:
    """Words scrambled: every bit of one changes half of the bits of the result. For numba as well."""
    word = word + np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def hashed(seed: int, *keys: NDArray[np.integer]) -> Words:
    """A word for each object: every key is absorbed by one round of `splitmix64`.

    Args:
        seed: separates uses.
        keys: integers, arrays of one length n; together they identify an object.

    Returns:
        uint64, (n,).
    """
    state = np.full(np.shape(keys[0]), seed, dtype=np.uint64)
    for key in keys:
        state = splitmix64(state ^ np.asarray(key).astype(np.uint64))
    return state
