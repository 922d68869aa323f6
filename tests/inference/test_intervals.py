"""The interval of B C / D: known limits, and coverage by toys where square roots fail."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import stats

from hnl.inference.intervals import ONE_SIGMA, TWO_SIGMA, double_ratio, product_over


def of_counts(b, c, d, level=ONE_SIGMA):
    n = np.array([[b, c, d]], dtype=float)
    low, high = product_over(n, n, 1.0, level)
    return low[0], high[0]


@pytest.mark.parametrize("level", [ONE_SIGMA, TWO_SIGMA])
@pytest.mark.parametrize("n", [1, 3, 20])
def test_with_b_over_d_known_it_is_garwood(n, level):
    tail = (1 - level) / 2
    expected = stats.gamma.ppf(tail, n), stats.gamma.ppf(1 - tail, n + 1)
    for b, c in ((1e9, n), (n, 1e9)):
        np.testing.assert_allclose(of_counts(b, c, 1e9, level), expected, rtol=2e-4)


@pytest.mark.parametrize("level", [ONE_SIGMA, TWO_SIGMA])
@pytest.mark.parametrize(("b", "d"), [(1, 3), (4, 1), (30, 20)])
def test_with_c_known_it_is_clopper_pearson(b, d, level):
    """Of B / (B + D), turned into B / D."""
    tail = (1 - level) / 2
    share = stats.beta.ppf(tail, b, d + 1), stats.beta.ppf(1 - tail, b + 1, d)
    expected = [p / (1 - p) for p in share]
    np.testing.assert_allclose([limit / 1e9 for limit in of_counts(b, 1e9, d, level)], expected, rtol=2e-4)


@pytest.mark.parametrize("counts", [(5, 1, 20), (1, 1, 1), (3, 200, 50), (2, 7, 3)])
def test_against_random_gamma_variables(counts):
    rng = np.random.default_rng(5)
    b, c, d = counts
    draw = lambda *shapes: rng.gamma(np.array(shapes)[:, None], size=(3, 400_000))  # noqa: E731
    up, down = draw(b + 1, c + 1, d), draw(b, c, d + 1)
    expected = [np.quantile(g[0] * g[1] / g[2], q) for g, q in ((down, 0.158655), (up, 0.841345))]
    np.testing.assert_allclose(of_counts(*counts), expected, rtol=0.01)


def test_at_large_counts_it_is_gaussian():
    low, high = of_counts(40000, 10000, 90000)
    value = 40000 * 10000 / 90000
    error = value * np.sqrt(1 / 40000 + 1 / 10000 + 1 / 90000)
    np.testing.assert_allclose([low, high], [value - error, value + error], rtol=1e-3)


def test_zeros():
    assert of_counts(0, 5, 9)[0] == 0
    assert of_counts(5, 0, 9)[0] == 0
    assert of_counts(5, 0, 9)[1] > 5 / 9
    assert of_counts(5, 5, 0)[1] == np.inf
    assert of_counts(5, 5, 0)[0] > 0


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="not negative"):
        of_counts(-1, 5, 5)


def test_all_weights_times_a_factor():
    n = np.array([[4.0, 2.0, 30.0]])
    once, scaled = product_over(n, n), product_over(n / 5, n / 25, 1 / 5)
    np.testing.assert_allclose(scaled, np.array(once) / 5, rtol=1e-7)


@pytest.mark.parametrize("counts", [(4, 6, 3, 9), (1, 2, 2, 3), (40, 50, 60, 70), (2, 1, 9, 30), (0, 5, 4, 6)])
def test_the_double_ratio_against_random_gamma_variables(counts):
    rng = np.random.default_rng(5)
    a, b, c, d = (rng.gamma(np.array([n + 1e-12, n + 1])[:, None], size=(2, 400_000)) for n in counts)
    lower, upper = a[0] * d[0] / (b[1] * c[1]), a[1] * d[1] / (b[0] * c[0])
    low, high, p_value = double_ratio(np.array(counts), np.array(counts))
    np.testing.assert_allclose([low, high], [np.quantile(lower, 0.158655), np.quantile(upper, 0.841345)], rtol=0.02)
    assert p_value == pytest.approx(min(1, 2 * np.mean(lower < 1), 2 * np.mean(upper > 1)), abs=0.004)


def test_the_double_ratio_of_many_events_is_gaussian():
    n = np.array([600.0, 1000, 900, 1500]) * 20  # A D / (B C) = 1
    low, high, p_value = double_ratio(n, n)
    error = np.sqrt((1 / n).sum())
    np.testing.assert_allclose([low, high], np.exp([-error, error]), rtol=1e-3)
    assert p_value == 1
    n[0] *= np.exp(2 * error)
    assert double_ratio(n, n)[2] == pytest.approx(2 * stats.norm.sf(2), rel=0.05)
    np.testing.assert_allclose(double_ratio(n / 5, n / 25, 1 / 5), double_ratio(n, n), rtol=1e-7)


def test_the_double_ratio_with_empty_regions():
    counts = np.array([[0.0, 5, 4, 6], [3, 5, 4, 0], [3, 0, 4, 6], [3, 5, 0, 6], [0, 0, 0, 0]])
    low, high, p_value = double_ratio(counts, counts)
    assert (low == 0).tolist() == [True, True, False, False, True]
    assert np.isinf(high).tolist() == [False, False, True, True, True]
    assert p_value[-1] == 1
    assert ((p_value > 0.1) & (p_value <= 1)).all()


@pytest.mark.parametrize("mu", [(2, 4, 3, 6), (5, 5, 5, 5), (1, 8, 3, 24), (10, 20, 15, 30)])
def test_the_double_ratio_covers(mu):
    n = np.random.default_rng(3).poisson(mu, size=(1000, 4)).astype(float)
    low, high, p_value = double_ratio(n, n)
    assert np.mean((low <= 1) & (high >= 1)) > ONE_SIGMA - 0.03
    assert np.mean(p_value < 1 - ONE_SIGMA) < 1 - ONE_SIGMA + 0.03
    assert np.mean(p_value < 0.05) < 0.07
    np.testing.assert_array_equal(p_value < 1 - ONE_SIGMA - 1e-6, (low > 1 + 1e-6) | (high < 1 - 1e-6))


@pytest.fixture(scope="module")
def toys() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "abcd_toys.py"
    spec = importlib.util.spec_from_file_location("abcd_toys", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("expected", [(10, 1, 20), (3, 2, 100), (100, 2, 1000), (10, 5, 100)])
def test_coverage_at_low_counts(toys, expected, weighted):
    """At least the level minus 2 %, down to one event expected in C; the square root of N covers far less."""
    found = toys.coverage(expected, 600, weighted=weighted)
    slack = [3 * np.sqrt(level * (1 - level) / 600) for level in (ONE_SIGMA, TWO_SIGMA)]
    assert found["covered"][0] > ONE_SIGMA - 0.02 - slack[0]
    assert found["covered"][1] > TWO_SIGMA - 0.02 - slack[1]
    assert found["covered"][0] > found["naive"]


def test_coverage_is_not_bought_with_endless_intervals(toys):
    """Where counts are large, 68 % is 68 %."""
    found = toys.coverage((400, 100, 2000), 1500)
    assert abs(found["covered"][0] - ONE_SIGMA) < 0.05
    assert abs(found["covered"][1] - TWO_SIGMA) < 0.03
