"""The checks: they pass what is uncorrelated and flag what is not."""

import numpy as np
import pytest
from scipy import stats

from hnl.histograms.displaced.yields import Counts
from hnl.inference.abcd import validation
from hnl.inference.abcd.settings import PAPER
from hnl.inference.intervals import ONE_SIGMA


def data(*rows):
    n = np.array(rows, dtype=float)
    return Counts(n, n)


def test_pearson_of_unit_weights_is_scipys():
    """The p-value differs a little: the covariance is compared with its own error."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 500))
    found, expected = validation.pearson(x, y + 0.1 * x, np.ones(500)), stats.pearsonr(x, y + 0.1 * x)
    assert found.coefficient == pytest.approx(expected[0])
    assert found.p_value == pytest.approx(expected[1], rel=0.5)
    assert found.events == pytest.approx(500)


def test_resimulations_do_not_make_a_correlation_significant():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 50))
    y += 0.25 * x
    once = validation.pearson(x, y, np.ones(50))
    copied = validation.pearson(np.repeat(x, 9), np.repeat(y, 9), np.ones(450), np.repeat(np.arange(50), 9))
    assert copied.coefficient == pytest.approx(once.coefficient)
    assert (copied.p_value, copied.events) == (pytest.approx(once.p_value), pytest.approx(50))
    assert validation.pearson(np.repeat(x, 9), np.repeat(y, 9), np.ones(450)).p_value < once.p_value / 10


@pytest.mark.parametrize(
    ("x", "y", "w", "mark"),
    [
        ([], [], [], "fewer than 3 events"),
        ([1, 2], [1, 2], [1, 1], "fewer than 3 events"),
        ([1, 2, 3, 4], [5, 5, 5, 5], [1, 1, 1, 1], "no spread"),
        ([1, 2, 3], [1, 2, 1], [-1, -1, -1], "fewer than 3 events"),
        ([0, 9, 0, 0, 0, 0], [0, 9, 1, 0, 1, 0], [1, -0.4, 1, 1, 1, 1], "no spread"),
    ],
)
def test_pearson_that_is_undefined_is_marked(x, y, w, mark):
    found = validation.pearson(*(np.array(part, dtype=float) for part in (x, y, w)))
    assert found.remark == mark
    assert np.isnan(found.coefficient)


def vr(rng, n, correlated):
    """m(l1,SV), and a score of which, if correlated, a tenth more is above 0.9 in the window."""
    mass = 10 + rng.gamma(3, 20, n)
    lift = 0.1 * ((mass > 50) & (mass < 85)) if correlated == "window" else 0.002 * (mass - 70) * bool(correlated)
    return mass, np.clip(rng.uniform(0.2, 1, n) + lift, 0.2, 1)


def test_the_vr_test_flags_an_injected_correlation():
    rng = np.random.default_rng(3)
    flags = dict.fromkeys((None, "linear"), 0)
    for kind in flags:
        for _ in range(200):
            flags[kind] += bool(validation.pearson(*vr(rng, 500, kind), np.ones(500)).remark)
    assert flags[None] <= 7  # of 200, 1 % by chance
    assert flags["linear"] >= 195


def test_the_comparison_of_shapes_flags_an_injected_correlation():
    """Also one that a linear coefficient is blind to: high scores in the window, none on either side."""
    rng = np.random.default_rng(4)
    p_values = {}
    for kind in (None, "window"):
        p_values[kind] = []
        for _ in range(150):
            mass, score = vr(rng, 900, kind)
            inside = (mass > 50) & (mass < 85)
            a, b = (np.histogram(score[use], np.linspace(0.2, 1, 9))[0].astype(float) for use in (inside, ~inside))
            p_values[kind].append(validation.same_shape(a, a, b, b)[2])
    assert stats.kstest(p_values[None], "uniform").pvalue > 1e-3
    assert np.mean(np.array(p_values["window"]) < validation.FLAG) > 0.95


def test_shapes_with_few_events_are_not_compared():
    few = np.array([1.0, 0, 2, 1])
    chi2, ndf, p_value = validation.same_shape(few, few, few, few)
    assert (chi2, ndf) == (0, 0)
    assert np.isnan(p_value)


def test_shapes_of_weighted_events():
    n = np.array([40.0, 60, 30, 20])
    same = validation.same_shape(n * 0.1, n * 0.01, n * 3, n * 9)
    assert same[:2] == (pytest.approx(0, abs=1e-20), 3)
    unit, tenth = (validation.same_shape(n * w, n * w * w, n[::-1] * w, n[::-1] * w * w) for w in (1.0, 0.1))
    assert unit == pytest.approx(tenth)


@pytest.mark.parametrize("row", [[30, 12, 50, 30], [3, 8, 9, 30], [0, 8, 9, 30], [5, 0, 4, 30], [4, 10, 0, 20]])
def test_the_pull_is_the_root_of_the_g_test(row):
    closure = validation.closure(data(row))
    a, b, c, d = row
    g = stats.chi2_contingency([[a, b], [c, d]], correction=False, lambda_="log-likelihood").statistic
    assert closure.pull[0] == pytest.approx(np.sign(a * d - b * c) * np.sqrt(g))


def test_the_pull_with_different_weights_in_each_region():
    """Against a fit of three free expectations, the fourth being B C / D."""
    w = np.array([0.5, 2.0, 0.25, 1.0])
    n = np.array([50.0, 20, 60, 40])
    closure = validation.closure(Counts((n * w)[None], (n * w * w)[None]))
    from scipy.optimize import minimize

    def minus_two_log(free):
        b, c, d = np.exp(free)
        mu = np.array([b * c / d, b, c, d]) / w  # expected events
        return 2 * (mu - n + n * np.log(n / mu)).sum()

    best = minimize(minus_two_log, np.log((n * w)[1:]), method="BFGS").fun
    assert closure.pull[0] ** 2 == pytest.approx(best, rel=1e-4)
    assert closure.observed[0] > closure.estimate.value[0]


def test_the_pull_knows_the_correction():
    assert validation.closure(data([30, 20, 30, 40]), 2.0).pull[0] == pytest.approx(0, abs=1e-9)
    assert validation.closure(data([30, 20, 30, 40])).pull[0] > 1.5


@pytest.mark.parametrize("row", [[0, 0, 5, 9], [0, 5, 0, 9], [3, 5, 4, 0], [0, 0, 0, 0]])
def test_counts_that_say_nothing_have_no_pull(row):
    closure = validation.closure(data(row))
    assert np.isnan(closure.pull[0])
    total, n, p_value = closure.chi2(np.array([True]))
    assert (total, n) == (0, 0)
    assert np.isnan(p_value)


def test_pulls_are_standard_normal_without_correlation():
    rng = np.random.default_rng(6)
    n = rng.poisson([20, 60, 100, 300], (1000, 4)).astype(float)
    pulls = validation.closure(Counts(n, n)).pull
    assert abs(pulls.mean()) < 0.1
    assert abs(pulls.std() - 1) < 0.08


def test_the_resolution_hangs_on_the_margins_alone():
    """4 + 12 and 8 + 24 fit their margins exactly; so do the others with the same sums of rows and columns."""
    expected = np.exp(np.sqrt(1 / 4 + 1 / 12 + 1 / 8 + 1 / 24))
    counts = data([4, 12, 8, 24], [8, 8, 4, 28], [0, 16, 12, 20])
    np.testing.assert_allclose(validation.resolution(counts), expected)
    weighted = Counts(counts.sum_w * 3, counts.sum_w2 * 9)
    np.testing.assert_allclose(validation.resolution(weighted), expected)
    np.testing.assert_array_equal(validation.resolution(data([0, 0, 5, 9], [0, 5, 0, 9], [0, 0, 0, 0])), np.inf)


def test_tested_pulls_follow_chi2():
    """Where the counts can tell a factor of 3, and closure holds."""
    rng = np.random.default_rng(6)
    for mu in ([3, 4, 3, 4], [2, 6, 3, 9], [10, 10, 10, 10]):
        counts = data(*rng.poisson(mu, size=(4000, 4)))
        use = (validation.resolution(counts) < 3) & (counts.sum_w[:, 3] > 0)
        pull2 = validation.closure(counts).pull[use] ** 2
        assert len(pull2) > 1000
        assert np.mean(pull2) == pytest.approx(1, abs=0.2)
        assert np.mean(pull2 > stats.chi2.ppf(0.95, 1)) < 0.09


def test_closure_uncertainty():
    every = np.ones(6, dtype=bool)
    good = validation.closure(data(*[[20, 60, 100, 300]] * 6))
    assert validation.closure_uncertainty(good, every) == (0.20, "")
    # All bins off by 40 %, with large counts: about what makes six such deviations one standard deviation.
    off = validation.closure(data(*[[28000, 60000, 100000, 300000]] * 6))
    u, mark = validation.closure_uncertainty(off, every)
    assert u == pytest.approx(0.4 * np.sqrt(6 / stats.chi2.ppf(ONE_SIGMA, 6)), rel=0.02)
    assert mark == "above 30%"
    # The same with few events is no sign of anything.
    assert validation.closure_uncertainty(validation.closure(data(*[[3, 6, 10, 30]] * 6)), every) == (0.20, "")


def test_closure_uncertainty_without_a_test():
    empty = validation.closure(data([0, 0, 0, 0]))
    u, mark = validation.closure_uncertainty(empty, np.array([True]))
    assert (u, mark) == (PAPER.estimate.expected_closure, "no bin of the CR can be tested")
    hopeless = validation.closure(data([5000, 1000, 1000, 10000]))
    assert validation.closure_uncertainty(hopeless, np.array([True])) == (1.0, "no closure with 100 %")


def test_contamination():
    share, ratio = validation.contamination(data([8, 1, 1, 0]), data([4, 10, 0, 100]))
    np.testing.assert_allclose(share, [[0.8, 0.1, 0.1, 0.0]])
    np.testing.assert_allclose(ratio, [[2.0, 0.1, np.nan, 0.0]])
    share, _ = validation.contamination(data([0, 0, 0, 0]), data([1, 1, 1, 1]))
    assert np.isnan(share).all()
