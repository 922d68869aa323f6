"""Minima of the likelihood where there are several: cells with events in A and none in B or C."""

from dataclasses import replace

import numpy as np
import pytest
import search_models
from scipy.optimize import minimize

from hnl.inference import asymptotics, minimizer, toys
from hnl.inference.asymptotics import Asymptotic
from hnl.inference.likelihood import Data, FitError, Likelihood
from hnl.inference.model import Model

# A, B, C, D of the six cells of `search_models.sparse`: toys without signal in which a fit that begins at the observed
# rates and at mu = 0 ends at mu = 0, above the minimum.
TRAPS = (
    [[0, 0, 1, 1], [0, 0, 0, 5], [1, 0, 0, 2], [1, 0, 0, 3], [0, 1, 0, 3], [0, 0, 0, 5]],
    [[0, 0, 0, 7], [1, 0, 0, 7], [0, 1, 0, 2], [0, 0, 0, 1], [0, 1, 1, 6], [0, 0, 0, 11]],
    [[0, 0, 1, 0], [1, 0, 1, 6], [0, 0, 0, 1], [1, 1, 4, 1], [0, 2, 1, 4], [0, 0, 0, 7]],
)


def observed(counts) -> Model:
    model = search_models.sparse()
    pairs = zip(model.cells, counts, strict=True)
    return replace(model, cells=tuple(replace(cell, observed=tuple(map(float, n))) for cell, n in pairs))


def global_minimum(likelihood: Likelihood, data: Data, starts: int = 10) -> float:
    """The deepest of many descents by scipy from random points: -log L."""
    shape, n = (1, *data.n.shape[1:2], likelihood.n_local), data.n.shape[1] * likelihood.n_local

    def value(x):
        local, common = x[:n].reshape(shape), x[n:].reshape(1, -1)
        gradient = likelihood.derivatives(local, common, data)[:2]
        return float(likelihood.nll(local, common, data)[0]), np.concatenate([g.ravel() for g in gradient])

    rng = np.random.default_rng(1)
    lowest = [(-15.0, 15.0)] * n + [(0.0, 50.0)] + [(-5.0, 5.0)] * (likelihood.n_common - 1)
    found = []
    for _ in range(starts):
        local = rng.normal(0, 0.3, shape)
        local[..., :3] = np.log(rng.gamma(data.n[..., 1:] + 0.3) + 1e-3)
        x = np.r_[local.ravel(), rng.uniform(0, 3), rng.normal(0, 0.3, likelihood.n_common - 1)]
        found.append(minimize(value, x, jac=True, method="L-BFGS-B", bounds=lowest, options={"maxiter": 400}).fun)
    return min(found)


@pytest.mark.parametrize("counts", TRAPS)
def test_free_fit_is_the_global_minimum(counts):
    likelihood = Likelihood(observed(counts))
    data = likelihood.data()
    best = minimizer.fit_free_mu(likelihood, data, minimizer.fit_fixed_mu(likelihood, data, 0.0))
    assert best.mu[0] > 0.05
    assert best.nll[0] <= global_minimum(likelihood, data) + 1e-4


def test_no_fixed_mu_is_below_the_free_fit():
    model = search_models.sparse()
    likelihood = Likelihood(model)
    truth = minimizer.fit_fixed_mu(likelihood, likelihood.data(model.asimov().observed()), 0.0)
    data = toys.throw(likelihood, truth, 60, np.random.default_rng(3))
    best = minimizer.fit_free_mu(likelihood, data, minimizer.fit_fixed_mu(likelihood, data, 0.0))
    assert best.converged.all()
    for step in (0.3, 1, 2, 4):
        fixed = minimizer.fit_fixed_mu(likelihood, data, step * likelihood.mu_scale(data))
        assert (fixed.nll - best.nll)[fixed.converged].min() > -1e-5


def test_a_free_fit_that_missed_is_an_error(monkeypatch):
    model = observed(TRAPS[1])
    monkeypatch.setattr(minimizer, "STARTS", ())
    tests = Asymptotic(model)
    assert tests.best.mu[0] == 0
    with pytest.raises(FitError, match="it missed the minimum"):
        tests.upper_limit()
    monkeypatch.undo()
    mu = float(Asymptotic(model).best.mu[0])
    monkeypatch.setattr(minimizer, "STARTS", ())
    _, failed = asymptotics.cls_of_many(tests.likelihood, tests.data, mu)
    assert failed.all()
