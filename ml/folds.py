"""Which events train which model: a test set that nothing touches, and three folds (section 5).

An event's place depends on nothing but its run, luminosity section and generator event: not on the order of the
input, not on other events. Re-simulations of one generator event share a place, or a model would be tested on events
it has all but seen.
"""

import numpy as np

from hnl.processors.rows import Candidates

N_FOLDS = 3  # section 5: 'repeated three times, where a different third ... is used as the validation set'
TEST = -1  # the fold of test events
TEST_PERIOD = 10  # one event in ten is a test event (section 5: 10%)


def assign_folds(candidates: Candidates) -> np.ndarray:
    """The fold of each candidate.

    Returns:
        int8: `TEST` for the test set, else 0, 1 or 2.
    """
    key = np.zeros(len(candidates["event"]), dtype=np.uint64)
    for name in ("run", "luminosity_block", "generator_event"):
        key = _mixed(key ^ candidates[name].astype(np.uint64))
    fold = (key // np.uint64(TEST_PERIOD) % np.uint64(N_FOLDS)).astype(np.int8)
    return np.where(key % np.uint64(TEST_PERIOD) == 0, np.int8(TEST), fold)


def _mixed(key: np.ndarray) -> np.ndarray:
    """Finaliser of SplitMix64: every bit of the key changes half of the bits of the result."""
    key = key + np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = key ^ (key >> np.uint64(31))
    return mixed
