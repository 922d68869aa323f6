"""Which events train which model: a test set that nothing touches, and three folds (section 5).

An event's place depends on nothing but its run, luminosity section and generator event: not on the order of the
input, not on other events. Re-simulations of one generator event share a place, or a model would be tested on events
it has all but seen.
"""

import numpy as np
from numpy.typing import NDArray

from hnl.datasets.hashing import hashed
from hnl.processors.rows import GENERATED_EVENT, Candidates

N_FOLDS = 3  # section 5: 'repeated three times, where a different third ... is used as the validation set'
TEST = -1  # the fold of test events
TEST_PERIOD = 10  # one event in ten is a test event (section 5: 10%)


def assign_folds(candidates: Candidates) -> NDArray[np.int8]:
    """The fold of each candidate.

    Returns:
        int8: `TEST` for the test set, else 0, 1 or 2.
    """
    key = hashed(0, *(candidates[name] for name in GENERATED_EVENT))
    fold = (key // np.uint64(TEST_PERIOD) % np.uint64(N_FOLDS)).astype(np.int8)
    return np.where(key % np.uint64(TEST_PERIOD) == 0, np.int8(TEST), fold)
