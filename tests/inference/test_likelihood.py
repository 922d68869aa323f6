"""Value and derivatives of the likelihood, and its minima where they can be known otherwise."""

import numpy as np
import pytest
import search_models
from scipy.optimize import minimize
from scipy.stats import poisson

from hnl.inference import minimizer, toys
from hnl.inference.likelihood import Fits, Likelihood
from hnl.inference.model import Cell, Model


@pytest.fixture(scope="module", params=[True, False])
def point(request):
    """A likelihood, data, and a point away from its minimum."""
    likelihood = Likelihood(search_models.some(3, correlated=request.param))
    data = likelihood.data()
    rng = np.random.default_rng(3)
    local, common = likelihood.start(data, np.array([0.7]))
    local = local + rng.normal(0, 0.3, local.shape)
    common[:, 1:] += rng.normal(0, 0.5, common[:, 1:].shape)
    return likelihood, data, local, common


def test_expected_yields_by_hand(point):
    likelihood, _, local, common = point
    cell, model = likelihood.model.cells[1], likelihood.model
    theta = dict(zip(likelihood.common, common[0], strict=True))
    own = dict(zip(likelihood.local, local[0, 1], strict=True))
    b, c, d = np.exp([own["nB"], own["nC"], own["nD"]])
    closure = theta.get("closure_mumu_OS", own.get("closure"))
    expected = [cell.c_ab * b * c / d * model.closure["mumu_OS"] ** closure * cell.c_ab_factor ** own["dy"], b, c, d]
    for i, region in enumerate("ABCD"):
        signal = cell.signal[i] * cell.signal_mc[i] ** own[f"mc_{region}"]
        for name, factors in cell.signal_factors.items():
            signal *= factors[i] ** theta[name]
        expected[i] += theta["mu"] * signal
    found = likelihood.expected(Fits(local, common, np.zeros(1), np.ones(1, dtype=bool)))
    np.testing.assert_allclose(found[0, 1], expected)


def test_value_is_a_poisson_likelihood(point):
    likelihood, data, local, common = point
    nu = likelihood.expected(Fits(local, common, np.zeros(1), np.ones(1, dtype=bool)))
    n = data.n.astype(int)
    expected = -poisson.logpmf(n, nu).sum() + poisson.logpmf(n, np.where(n > 0, n, 1e-300)).sum()
    expected += (local[..., 3:] ** 2).sum() / 2 + (common[:, 1:] ** 2).sum() / 2
    assert likelihood.nll(local, common, data)[0] == pytest.approx(expected, rel=1e-12)


def test_derivatives_are_those_of_the_value(point):
    likelihood, data, local, common = point
    gl, gc, ll, lc, cc = likelihood.derivatives(local, common, data)
    h = 1e-5
    for j in range(likelihood.n_common):
        step = h * (np.arange(likelihood.n_common) == j)
        up, down = (likelihood.derivatives(local, common + s * step, data) for s in (1, -1))
        values = [likelihood.nll(local, common + s * step, data)[0] for s in (1, -1)]
        assert (values[0] - values[1]) / (2 * h) == pytest.approx(gc[0, j], rel=1e-6, abs=1e-5)
        np.testing.assert_allclose((up[1] - down[1]) / (2 * h), cc[:, j], rtol=1e-6, atol=1e-5)
        np.testing.assert_allclose((up[0] - down[0]) / (2 * h), lc[..., j], rtol=1e-6, atol=1e-5)
    for j in range(likelihood.n_local):
        step = np.zeros(local.shape)
        step[0, 1, j] = h
        up, down = (likelihood.derivatives(local + s * step, common, data)[0] for s in (1, -1))
        values = [likelihood.nll(local + s * step, common, data)[0] for s in (1, -1)]
        assert (values[0] - values[1]) / (2 * h) == pytest.approx(gl[0, 1, j], rel=1e-6, abs=1e-5)
        np.testing.assert_allclose((up - down)[0, 1] / (2 * h), ll[0, 1, :, j], rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("mu", [None, 0.0, 2.0])
def test_minimum_is_that_of_a_general_minimiser(mu):
    likelihood = Likelihood(search_models.some(3, mu=3))
    data = likelihood.data()
    null = minimizer.fit_fixed_mu(likelihood, data, 0.0)
    found = (
        minimizer.fit_free_mu(likelihood, data, null) if mu is None else minimizer.fit_fixed_mu(likelihood, data, mu)
    )
    shape = found.local.shape
    size = int(np.prod(shape))

    def value(x):
        common = x[None, size:].copy()
        if mu is not None:
            common[:, 0] = mu
        local = x[:size].reshape(shape)
        gl, gc, *_ = likelihood.derivatives(local, common, data)
        gc[:, 0] *= mu is None
        return likelihood.nll(local, common, data)[0], np.r_[gl.ravel(), gc.ravel()]

    start = np.concatenate([part.ravel() for part in likelihood.start(data, np.array([1.0]))])
    bounds = [(-20, 20)] * size + [(0, None)] + [(-20, 20)] * (likelihood.n_common - 1)
    other = minimize(
        value, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 10000, "ftol": 1e-14}
    )
    assert found.converged.all()
    assert found.nll[0] == pytest.approx(other.fun, abs=1e-5)


def test_minimum_in_closed_form():
    """Without nuisance parameters and with signal in A only, B C / D is fitted exactly and mu s is the excess."""
    likelihood = Likelihood(Model((Cell("ee_OS", 0, (9, 20, 10, 100), (2, 0, 0, 0)),), {"ee_OS": 1.0}))
    data = likelihood.data()
    found = minimizer.fit_free_mu(likelihood, data, minimizer.fit_fixed_mu(likelihood, data, 0.0))
    assert found.mu[0] == pytest.approx(3.5)
    assert found.nll[0] == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(np.exp(found.local[0, 0]), [20, 10, 100])
    # At mu = 0 the margins of the 2 x 2 table are kept: B + A = 29, C + A = 19, total 139.
    null = minimizer.fit_fixed_mu(likelihood, data, 0.0)
    np.testing.assert_allclose(
        likelihood.expected(null)[0, 0], np.array([29 * 19, 29 * 120, 19 * 110, 110 * 120]) / 139
    )


def test_mu_at_its_bound_and_below():
    likelihood = Likelihood(Model((Cell("ee_OS", 0, (1, 200, 100, 1000), (2, 0, 0, 0)),), {"ee_OS": 1.0}))
    data = likelihood.data()
    null = minimizer.fit_fixed_mu(likelihood, data, 0.0)
    assert minimizer.fit_free_mu(likelihood, data, null).mu[0] == 0
    assert minimizer.fit_free_mu(likelihood, data, null, lowest=-100.0).mu[0] == pytest.approx(-9.5)


@pytest.mark.parametrize("n", [(0, 0, 0, 0), (0, 0, 0, 5), (3, 0, 0, 1), (0, 7, 0, 0), (2, 5, 3, 0), (5, 0, 4, 50)])
def test_empty_regions(n):
    """Flat directions: every fit ends, and never above what a scan over mu finds."""
    likelihood = Likelihood(Model((Cell("ee_OS", 0, n, (1, 0.2, 0.1, 0.02), (1.1,) * 4),), {"ee_OS": 1.25}))
    data = likelihood.data()
    null = minimizer.fit_fixed_mu(likelihood, data, 0.0)
    best = minimizer.fit_free_mu(likelihood, data, null)
    assert null.converged.all()
    assert best.converged.all()
    scan = minimizer.fit_fixed_mu(likelihood, data.take(np.zeros(60, dtype=int)), np.r_[0, np.geomspace(0.01, 30, 59)])
    assert scan.converged.all()
    assert best.nll[0] <= scan.nll.min() + 1e-6


def test_a_rate_is_brought_back_from_zero():
    """C is empty but A is not: a start next to c = 0 would stay there if it were not looked at."""
    likelihood = Likelihood(Model((Cell("ee_OS", 0, (2, 30, 0, 40), (1e-3, 0, 0, 0)),), {"ee_OS": 1.25}))
    data = likelihood.data()
    good = minimizer.fit_fixed_mu(likelihood, data, 1.0)
    local = good.local.copy()
    local[..., 1] = -25
    free = np.arange(likelihood.n_common) > 0
    again = minimizer.minimise(likelihood, data, local, good.common, free_common=free)
    assert again.converged.all()
    assert again.nll[0] == pytest.approx(good.nll[0], abs=1e-6)


def test_no_start_finds_a_deeper_minimum():
    """Toys of a model with many empty regions; other starts may be worse, but not better."""
    likelihood = Likelihood(search_models.full(mu=1))
    truth = minimizer.fit_fixed_mu(likelihood, likelihood.data(), 1.0)
    data = toys.throw(likelihood, truth, 40, np.random.default_rng(5))
    best = minimizer.fit_free_mu(likelihood, data, minimizer.fit_fixed_mu(likelihood, data, 0.0))
    assert best.converged.all()
    for factor in (0.5, 1, 5):
        other = minimizer.minimise(likelihood, data, *likelihood.start(data, factor * likelihood.mu_scale(data)))
        assert np.all(best.nll <= other.nll + 1e-4)


def test_a_batch_is_the_same_as_one_by_one():
    likelihood = Likelihood(search_models.some(4))
    truth = minimizer.fit_fixed_mu(likelihood, likelihood.data(), 0.0)
    data = toys.throw(likelihood, truth, 5, np.random.default_rng(1))
    together = minimizer.fit_fixed_mu(likelihood, data, 1.0)
    alone = [minimizer.fit_fixed_mu(likelihood, data.take([i]), 1.0).nll[0] for i in range(5)]
    np.testing.assert_allclose(together.nll, alone, rtol=0, atol=1e-8)


def test_large_counts_keep_their_precision():
    likelihood = Likelihood(Model((Cell("csc", 0, (3, 2e5, 1e5, 1e10), (1, 0, 0, 0)),), {"csc": 1.5}))
    found = minimizer.fit_fixed_mu(likelihood, likelihood.data(), np.array([4.0]))
    assert found.converged.all()
