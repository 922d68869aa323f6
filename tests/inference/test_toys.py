"""Toys: what they are, that they do not depend on who throws them, and what they say of bias and coverage."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import search_models
from scipy.stats import poisson

from hnl.inference import asymptotics, counting, minimum, toys
from hnl.inference.likelihood import Likelihood
from hnl.inference.model import Cell, Model
from hnl.inference.toys import Statistics


@pytest.fixture(scope="module")
def thrown():
    """Toys of mu = 1 in two cells."""
    likelihood = Likelihood(search_models.busy(2))
    truth = minimum.at(likelihood, likelihood.data(search_models.busy(2).asimov(1.0).observed()), 1.0)
    return likelihood, truth, toys.throw(likelihood, truth, 2000, np.random.default_rng(1))


def test_toys_have_the_right_means_and_widths(thrown):
    likelihood, truth, data = thrown
    nu = likelihood.expected(truth)[0]
    np.testing.assert_allclose(data.n.mean(axis=0), nu, atol=5 * np.sqrt(nu.max() / 2000))
    np.testing.assert_allclose(data.n.var(axis=0), nu, rtol=0.2)
    shifts = (data.aux_common - truth.common)[:, 1:]
    assert abs(shifts.mean()) < 0.05
    assert shifts.std() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("mu", [0.0, 1.0, 2.0])
def test_injected_signal_is_found_without_bias(mu):
    model = search_models.busy(2)
    likelihood = Likelihood(model)
    truth = minimum.at(likelihood, likelihood.data(model.asimov(mu).observed()), mu)
    data = toys.throw(likelihood, truth, 800, np.random.default_rng(2))
    lowest = -100 * float(likelihood.unit(data).max())
    best = minimum.free(likelihood, data, minimum.at(likelihood, data, 0.0), lowest=lowest)
    assert best.converged.all()
    spread = best.mu.std()
    assert abs(best.mu.mean() - mu) < 0.1 * spread + 3 * spread / np.sqrt(800)


@pytest.mark.parametrize("mu", [1.0, 2.0])
def test_limits_cover(mu):
    """Upper limits at 95 % are above the true mu in 95 % of toys or more: CLs at the true mu is above 5 %."""
    model = search_models.busy(2)
    likelihood = Likelihood(model)
    truth = minimum.at(likelihood, likelihood.data(model.asimov(mu).observed()), mu)
    cls, failed = asymptotics.cls_of_many(likelihood, toys.throw(likelihood, truth, 800, np.random.default_rng(3)), mu)
    covered = ((cls >= 0.05) & ~failed).mean()
    assert covered > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 800)


def test_many_at_once_are_the_same_as_one():
    model = search_models.some(3)
    likelihood = Likelihood(model)
    cls, failed = asymptotics.cls_of_many(likelihood, likelihood.data(), 3.0)
    assert not failed.any()
    assert cls[0] == pytest.approx(asymptotics.cls(model, 3.0).observed, rel=1e-6)


def test_the_answer_depends_on_the_seed_only():
    model = search_models.some(2)
    alone = toys.cls(model, 3.0, 250, seed=4)
    with ThreadPoolExecutor(2) as pool:
        assert toys.cls(model, 3.0, 250, seed=4, run=pool.map) == alone
    assert toys.cls(model, 3.0, 250, seed=5) != alone
    assert alone.toys == 250


def test_many_events_give_the_asymptotic_answer():
    model = search_models.busy(2)
    limit = asymptotics.upper_limit(model)
    found = toys.cls(model, limit.observed, 2000)
    assert found.observed == pytest.approx(0.05, abs=4 * found.error)
    assert found.failed == 0
    expected = asymptotics.cls(model, limit.observed).expected
    assert found.expected[2] == pytest.approx(expected[2], abs=0.03)
    assert found.expected[3] == pytest.approx(expected[3], abs=0.1)


def test_one_count_by_hand():
    """Background known exactly, b = 2, n = 1: q~ orders by n, so CLs = P(n <= 1 | s + b) / P(n <= 1 | b)."""
    model = Model((Cell("ee_OS", 0, (1, 2e6, 1e6, 1e12), (1, 0, 0, 0)),), {"ee_OS": 1.0})
    found = toys.cls(model, 3.0, 4000)
    exact = poisson.cdf(1, 5) / poisson.cdf(1, 2)
    assert found.observed == pytest.approx(exact, abs=4 * found.error)
    assert found.error < 0.015


def test_failed_toys_count_against_exclusion():
    q = np.arange(10.0)
    none, some = np.zeros(10, dtype=bool), np.arange(10) < 2
    good = toys._ratio(Statistics(q, q, none), Statistics(q, q, none), 8.0)[0]
    numerator = toys._ratio(Statistics(q, q, some), Statistics(q, q, none), 8.0)[0]
    denominator = toys._ratio(Statistics(q, q, none), Statistics(q, q, np.arange(10) > 8), 5.0)
    assert good == 1
    assert toys._ratio(Statistics(q, q, none), Statistics(q + 3, q, none), 8.0)[0] == pytest.approx(2 / 5)
    assert toys._ratio(Statistics(q, q, some), Statistics(q + 3, q, none), 8.0)[0] == pytest.approx(4 / 5)
    assert numerator == 1  # never above
    assert denominator[0] == 1


def test_failed_fits_are_reported(monkeypatch):
    """With too few steps allowed, toys fail; none is lost, and CLs is not below what it was."""
    model = Model((Cell("ee_OS", 0, (3, 20, 10, 80), (1, 0.2, 0.1, 0)),), {"ee_OS": 1.25})
    before = toys.cls(model, 8.0, 300)
    test = asymptotics.Asymptotic(model)
    truth = test.null
    data = toys.throw(test.likelihood, truth, 300, np.random.default_rng(1))
    monkeypatch.setattr(minimum, "MAX_STEPS", 4)
    found = toys.statistics(test.likelihood, data, 8.0)
    assert len(found.q) == 300
    assert 0 < found.failed.sum() < 300
    assert before.failed == 0


def test_when_toys_are_needed():
    def model(*cells):
        return Model(tuple(Cell("ee_OS", i, *cell) for i, cell in enumerate(cells)), {"ee_OS": 1.25})

    busy, quiet = (3, 40, 10, 100), (0, 10, 10, 100)  # 4 and 1 expected in A
    assert toys.expected_in_a(model((busy, (1, 0, 0, 0)), (quiet, (1, 0, 0, 0)))) == pytest.approx(5)
    assert toys.expected_in_a(model((busy, (0.05, 0, 0, 0)), (quiet, (1, 0, 0, 0)))) == pytest.approx(1)
    assert not toys.few_events(model((busy, (1, 0, 0, 0))))
    assert toys.few_events(model((quiet, (1, 0, 0, 0))))
    assert toys.few_events(model((busy, (1, 0, 0, 0)), ((3, 400, 2, 100), (1, 0, 0, 0))))  # C
    assert len(toys.limits(model((busy, (1, 0, 0, 0))))) == 1


def test_both_limits_are_recorded_for_few_events():
    """Nothing seen and nothing expected: 3 events are excluded by the exact count, fewer by the asymptotic formula."""
    model = Model((Cell("ee_OS", 0, (0, 0, 0, 1), (1, 0, 0, 0)),), {"ee_OS": 1.25})
    asymptotic, exact = toys.limits(model, toys=150)
    assert (asymptotic.method, exact.method, exact.toys, exact.failed) == ("asymptotic", "toys", 150, 0)
    assert exact.observed == pytest.approx(3.0, rel=0.2)
    assert asymptotic.observed < 2.2


def test_blinded_data_have_expected_limits_by_toys():
    model = Model((Cell("ee_OS", 0, (None, 20, 4, 80), (1, 0.1, 0, 0)),), {"ee_OS": 1.25})
    found = toys.cls(model, 4.0, 300)
    assert (found.observed, found.error) == (None, None)
    assert 0 <= found.expected[0] < found.expected[2] < found.expected[4] <= 1


def test_exact_counting():
    """b = 2 +- 1 and n = 3 exclude 6.13 events in the CSC shower search; a log-normal of 50 % gives 6.12."""
    assert counting.upper_limit(3, 2.0, 1.5) == pytest.approx(6.13, abs=0.02)
    assert counting.upper_limit(0, 0.0, 1.0) == pytest.approx(-np.log(0.05), rel=1e-6)
    assert counting.cls(3, 2.0, 1.0, 4.0) == pytest.approx(poisson.cdf(3, 6) / poisson.cdf(3, 2))
