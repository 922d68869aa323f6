"""splitmix64, one word and many, by numpy and compiled."""

import numpy as np

from hnl.datasets.hashing import hashed, splitmix64
from hnl.datasets.simulation.draws import mix


def test_published_outputs() -> None:
    """The first outputs of the generator with the seed 1234567, as its authors' code gives them."""
    golden = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + i * golden) % 2**64 for i in range(5)], dtype=np.uint64)
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert splitmix64(states).tolist() == expected
    assert [int(mix(state)) for state in states] == expected


def test_keys_are_absorbed_one_by_one() -> None:
    first, second = np.array([3, 5], dtype=np.int16), np.array([7, 2**40])
    expected = splitmix64(splitmix64(np.uint64(9) ^ first.astype(np.uint64)) ^ second.astype(np.uint64))
    np.testing.assert_array_equal(hashed(9, first, second), expected)
