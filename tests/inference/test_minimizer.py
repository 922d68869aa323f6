"""Minima of the likelihood where there are several: cells with events in A and none in B or C."""

import numpy as np
import pytest
import search_models
from minima import TRAPS, global_minimum, observed

from hnl.inference import asymptotics, minimizer, toys
from hnl.inference.asymptotics import Asymptotic
from hnl.inference.likelihood import FitError, Likelihood


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
