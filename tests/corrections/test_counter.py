"""Random numbers of objects: the published generator, flat, independent of neighbours and of order."""

import numpy as np
from scipy import stats

from hnl.corrections import counter

N = 200_000


def test_the_published_generator() -> None:
    """The first outputs of splitmix64 for the seeds 0 and 1234567, as its authors' program prints them."""
    zero = counter.uniform(0, np.array([0]))
    other = counter.uniform(1234567, np.array([0]))
    assert zero[0] == ((0xE220A8397B1DCDAF >> 11) + 0.5) / 2**53
    assert other[0] == ((6457827717110365317 >> 11) + 0.5) / 2**53


def test_flat_and_independent() -> None:
    """Events in a row, jets of one event: as random as numpy's own."""
    event, jet = np.divmod(np.arange(N), 4)
    u = counter.uniform(1, np.full(N, 316239), event // 100, event, jet)
    assert 0 < u.min() < u.max() < 1
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    for distance in (1, 2, 3, 4, 8, 400):
        assert abs(np.corrcoef(u[:-distance], u[distance:])[0, 1]) < 4 / np.sqrt(N)
    counts = np.bincount((16 * u[:-1]).astype(int) * 16 + (16 * u[1:]).astype(int), minlength=256)
    assert stats.chisquare(counts).pvalue > 1e-3
    assert len(np.unique(u)) == N


def test_normal() -> None:
    """Mean 0, width 1."""
    x = counter.normal(1, np.arange(N))
    assert stats.kstest(x, "norm").pvalue > 1e-3


def test_each_key_counts() -> None:
    """Seed, run, section, event and jet: another of any gives other numbers; types do not matter."""
    keys = [np.arange(100), np.full(100, 7), np.arange(100)[::-1].copy()]
    one = counter.uniform(5, *keys)
    np.testing.assert_array_equal(one, counter.uniform(5, *(key.astype(np.uint32) for key in keys)))
    order = np.random.default_rng(0).permutation(100)
    np.testing.assert_array_equal(one[order], counter.uniform(5, *(key[order] for key in keys)))
    assert (one != counter.uniform(6, *keys)).all()
    for i in range(3):
        other = [key + 1 if i == j else key for j, key in enumerate(keys)]
        assert (one != counter.uniform(5, *other)).all()
    assert (one != counter.uniform(5, keys[1], keys[0], keys[2])).sum() > 95  # the order of keys as well
