"""Random numbers that do not depend on the order of the work."""

import numpy as np

from hnl.datasets.simulation.draws import Draws

N = 20_000
EVENT, UID = np.repeat(np.arange(200), 100), np.tile(np.arange(100), 200)


def _draws(seed: int = 1, reseed: int = 0) -> Draws:
    return Draws.for_events(seed, np.arange(200), np.full(200, reseed))


def test_distributions() -> None:
    uniform, normal = _draws().uniform(EVENT, UID, "a"), _draws().normal(EVENT, UID, "a")
    assert uniform.min() > 0
    assert uniform.max() < 1
    np.testing.assert_allclose([uniform.mean(), uniform.var()], [1 / 2, 1 / 12], atol=4 / np.sqrt(N))
    np.testing.assert_allclose([normal.mean(), normal.var()], [0, 1], atol=6 / np.sqrt(N))


def test_everything_that_should_matter_does() -> None:
    base = _draws().uniform(EVENT, UID, "a")
    others = [
        _draws(seed=2).uniform(EVENT, UID, "a"),
        _draws(reseed=1).uniform(EVENT, UID, "a"),
        _draws().uniform(EVENT, UID, "b"),
        _draws().uniform(EVENT, UID + 1, "a"),
        _draws().uniform(EVENT[::-1], UID, "a"),
    ]
    for other in others:
        assert abs(np.corrcoef(base, other)[0, 1]) < 5 / np.sqrt(N)
    assert len(np.unique(base)) == N


def test_dropping_events_changes_nothing() -> None:
    keep = np.arange(200) % 3 == 0
    inside = keep[EVENT]
    renumbered = (np.cumsum(keep) - 1)[EVENT[inside]]
    expected = _draws().normal(EVENT, UID, "a")[inside]
    np.testing.assert_array_equal(_draws().keep_events(keep).normal(renumbered, UID[inside], "a"), expected)


def test_given_numbers_stay_with_their_objects() -> None:
    chosen = UID % 3 == 1
    draws = _draws().giving(EVENT[chosen], UID[chosen], "a", np.linspace(0.1, 0.2, chosen.sum()))
    expected = _draws().uniform(EVENT, UID, "a")
    expected[chosen] = np.linspace(0.1, 0.2, chosen.sum())
    np.testing.assert_array_equal(draws.uniform(EVENT, UID, "a"), expected)
    np.testing.assert_array_equal(draws.uniform(EVENT, UID, "b"), _draws().uniform(EVENT, UID, "b"))
    keep = np.arange(200) % 3 == 0
    inside = keep[EVENT]
    renumbered = (np.cumsum(keep) - 1)[EVENT[inside]]
    np.testing.assert_array_equal(draws.keep_events(keep).uniform(renumbered, UID[inside], "a"), expected[inside])
