"""Test set and folds."""

import numpy as np
import synthetic

from hnl.ml import folds


def _events(*ids: tuple[int, int, int, int]) -> dict[str, np.ndarray]:
    names = ("run", "luminosity_block", "generator_event", "event")
    return {name: np.array(column, dtype=np.uint64) for name, column in zip(names, zip(*ids, strict=True), strict=True)}


def _splitmix(key: int) -> int:
    """Steele, Lea and Flood (2014), in whole numbers."""
    mask = (1 << 64) - 1
    key = (key + 0x9E3779B97F4A7C15) & mask
    key = ((key ^ (key >> 30)) * 0xBF58476D1CE4E5B9) & mask
    key = ((key ^ (key >> 27)) * 0x94D049BB133111EB) & mask
    return key ^ (key >> 31)


def test_splitmix64_is_the_published_one() -> None:
    assert _splitmix(0) == 0xE220A8397B1DCDAF  # first output for the seed 0


def test_folds_by_hand() -> None:
    ids = [(1, 1, k, 5) for k in range(200)] + [(297050, 12, 2**40 + 1, 2**40 + 1)]
    expected = []
    for run, section, generated, _ in ids:
        key = _splitmix(_splitmix(_splitmix(run) ^ section) ^ generated)
        expected.append(-1 if key % 10 == 0 else key // 10 % 3)
    assert folds.assign_folds(_events(*ids)).tolist() == expected
    assert set(expected) == {-1, 0, 1, 2}


def test_folds_do_not_move() -> None:
    """Models on disk rely on it: an event must not wander into another fold with a new version of the code."""
    found = folds.assign_folds(_events(*((1, 1, k, k) for k in range(12))))
    assert found.tolist() == [1, 1, 0, 2, 2, 0, 0, 1, 2, 1, 2, 1]


def test_re_simulations_stay_together_and_the_rest_is_spread() -> None:
    candidates = synthetic.candidates(20_000, reseeds=4)
    fold = folds.assign_folds(candidates)
    by_event: dict[int, set[int]] = {}
    for generated, one in zip(candidates["generator_event"].tolist(), fold.tolist(), strict=True):
        by_event.setdefault(generated, set()).add(one)
    assert len(by_event) == 5000
    assert all(len(one) == 1 for one in by_event.values())
    shares = [np.mean(fold == k) for k in (-1, 0, 1, 2)]
    np.testing.assert_allclose(shares, [0.1, 0.3, 0.3, 0.3], atol=0.025)


def test_the_order_of_events_does_not_matter() -> None:
    candidates = synthetic.candidates(500)
    order = np.random.default_rng(1).permutation(500)
    shuffled = {name: column[order] for name, column in candidates.items()}
    np.testing.assert_array_equal(folds.assign_folds(shuffled), folds.assign_folds(candidates)[order])
    assert len(folds.assign_folds({name: column[:0] for name, column in candidates.items()})) == 0
