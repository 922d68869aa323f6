"""Limits by LHC-type toys: against exact sums over counts, pyhf's toys, other minimisers; and what is refused."""

import math
from dataclasses import replace

import numpy as np
import pyhf
import pytest
import search_models
from minima import TRAPS, global_minimum, observed
from scipy.optimize import minimize_scalar
from scipy.stats import norm, poisson

from hnl.inference import asymptotics, compiled_fits, counting, lhc, minimizer, pyhf_model, toys
from hnl.inference.lhc import Lhc
from hnl.inference.likelihood import FitError, Likelihood
from hnl.inference.model import Cell, Model
from hnl.inference.strength_limits import strength_limit
from hnl.inference.templates import TemplateChannel


def count(n, b, factor=1.0, s=1.0):
    factors = {"xsec": {"bkg": (factor,)}}
    return Model(templates=(TemplateChannel("count", (n,), (s,), {"bkg": (b,)}, factors=factors),))


def q_of_count(n, aux, mu, b, kappa):
    """q~_mu of one count with a log-normal background, by scipy."""

    def nll(s, theta):
        nu = s + b * kappa**theta
        return nu - n * math.log(nu) + (theta - aux) ** 2 / 2

    def profiled(s):
        found = minimize_scalar(lambda theta: nll(s, theta), bracket=(aux - 1, aux + 1), options={"xtol": 1e-7})
        return found.fun, found.x

    at, theta = profiled(mu)
    best = min(profiled(0.0)[0], nll(max(n - b * kappa**aux, 0.0), aux))
    return (0.0 if n - b * kappa**aux > mu else 2 * (at - best)), theta


def exact_cls(n, mu, b, kappa):
    """CLs with the sum over counts and a grid of auxiliary measurements in place of toys."""
    q, at = q_of_count(n, 0.0, mu, b, kappa)
    _, null = q_of_count(n, 0.0, 0.0, b, kappa)
    steps = (np.arange(24) + 0.5) / 24
    shares = []
    for s, theta in ((mu, at), (0.0, null)):
        share = 0.0
        for aux in theta + norm.ppf(steps):
            nu = s + b * kappa**theta
            far = [q_of_count(k, aux, mu, b, kappa)[0] >= q - 1e-6 for k in range(13)]
            share += (poisson.pmf(np.arange(13), nu) * far).sum() / len(steps)
        shares.append(share)
    return shares[0] / shares[1]


def thrown(model, mu=0.0, number=100, seed=3):
    likelihood = Likelihood(model)
    truth = minimizer.fit_fixed_mu(likelihood, likelihood.data(model.asimov(mu).observed()), mu)
    return likelihood, toys.throw(likelihood, truth, number, np.random.default_rng(seed))


MODELS = {
    "2 cells": lambda: search_models.busy(2),
    "6 cells": lambda: search_models.some(6),
    "uncorrelated": lambda: search_models.some(3, correlated=False),
    "cells and templates": search_models.mixed,
    "templates": lambda: Model(templates=(search_models.spectrum(free=True),)),
}


@pytest.mark.parametrize("kind", MODELS)
def test_fits_are_those_of_the_general_minimiser(kind):
    likelihood, data = thrown(MODELS[kind](), number=40)
    unit = likelihood.mu_scale(data)
    mu = 2 * float(np.median(unit))
    found = compiled_fits.profile(compiled_fits.terms(likelihood), compiled_fits.toys_of(likelihood, data), mu, unit)
    best = minimizer.fit_free_mu(likelihood, data, minimizer.fit_fixed_mu(likelihood, data, 0.0))
    at = minimizer.fit_fixed_mu(likelihood, data, mu)
    assert found.converged.all()
    assert found.fixed == pytest.approx(at.nll, abs=1e-5)
    assert found.q(mu) == pytest.approx(np.where(best.mu > mu, 0, 2 * (at.nll - best.nll)), abs=1e-4)


@pytest.mark.parametrize("counts", TRAPS)
def test_the_free_fit_is_the_global_minimum(counts):
    """Of cells with events in A and none in B or C, which have two minima."""
    likelihood = Likelihood(observed(counts))
    data, mu = likelihood.data(), 10.0
    unit = likelihood.mu_scale(data)
    found = compiled_fits.profile(compiled_fits.terms(likelihood), compiled_fits.toys_of(likelihood, data), mu, unit)
    assert found.free[0] <= global_minimum(likelihood, data, starts=4) + 1e-4


def test_sparse_toys_have_the_deepest_minimum_that_is_found_elsewhere():
    likelihood, data = thrown(search_models.sparse(), number=60)
    unit = likelihood.mu_scale(data)
    mu = 2 * float(unit.mean())
    found = compiled_fits.profile(compiled_fits.terms(likelihood), compiled_fits.toys_of(likelihood, data), mu, unit)
    best = minimizer.fit_free_mu(likelihood, data, minimizer.fit_fixed_mu(likelihood, data, 0.0))
    assert found.converged.all()
    assert (found.free <= found.fixed + 1e-6).all()
    missed = (found.free > best.nll + 1e-3) & (found.mu <= mu)
    assert missed.mean() <= 0.02


@pytest.mark.parametrize(("n", "kappa"), [(3, 1.5), (5, 1.3)])
def test_one_count_is_the_exact_sum(n, kappa):
    """With b = 2 +- 50 % and n = 3: 5.8, where counting averaged over b (Cousins and Highland) has 6.12."""
    test = Lhc(count(n, 2.0, kappa)).test(5.0)
    test.throw(20_000, 6000)
    cls, error = test.cls(None)
    assert error < 0.07
    assert cls == pytest.approx(exact_cls(n, 5.0, 2.0, kappa), rel=3 * error + 0.03)


@pytest.mark.parametrize("n", [0, 3])
def test_a_known_background_is_exact_counting(n):
    found = Lhc(count(n, 2.0))
    limit = lhc.crossing(found.test, None, 4.0, known=found.tests)
    assert limit.at == pytest.approx(counting.upper_limit(n, 2.0, 1.0), rel=3 * limit.error)
    assert (limit.failed, limit.error < 0.1) == (0, True)


def test_pyhf_finds_the_same_with_its_toys():
    """An exported cell, by pyhf's toys of q~ at the limit that is quoted: CLs is 5 % within the errors of both."""
    model = Model((Cell("ee_OS", 0, (2, 12, 10, 60), (2.0, 0.2, 0.1, 0.02)),), {"ee_OS": 1.3})
    limit = lhc.upper_limit(model)
    pyhf.set_backend("numpy", "scipy")
    workspace = pyhf.Workspace(pyhf_model.export(model))
    reference = workspace.model()
    np.random.seed(1)  # noqa: NPY002 - pyhf draws from the global generator
    calculator = pyhf.infer.calculators.ToyCalculator(
        workspace.data(reference), reference, ntoys=150, test_stat="qtilde", track_progress=False
    )
    statistic = calculator.teststatistic(limit.limit.observed)
    signal, background = calculator.distributions(limit.limit.observed)
    above, below = (np.mean(np.asarray(d.samples) >= statistic - 1e-3) for d in (signal, background))
    error = math.sqrt((1 - above) / (150 * above) + (1 - below) / (150 * below) + (3 * limit.error) ** 2)
    assert above / below == pytest.approx(0.05, rel=3 * error)


def test_many_events_give_the_asymptotic_answer():
    model = search_models.busy(6)
    found, asymptotic = lhc.upper_limit(model), asymptotics.upper_limit(model)
    assert found.limit.observed == pytest.approx(asymptotic.observed, rel=0.15)
    assert found.limit.expected[2] == pytest.approx(asymptotic.expected[2], rel=0.15)
    assert found.limit.observed == pytest.approx(found.limit.expected[2], rel=0.1)  # data without fluctuations
    assert found.failed == 0


def test_no_step_where_a_count_goes_from_39_to_41(tmp_path):
    """Where the method was changed before; 41 events in C predict 5 % more background than 39."""

    def limit(c):
        model = Model((Cell("ee_OS", 0, (5, 100, c, 800), (3, 0, 0, 0)),), {"ee_OS": 1.25})
        assert toys.few_events(model) == (c < 40)
        found = Lhc(model)
        return lhc.crossing(found.test, None, 2.5, known=found.tests, precision=0.006), strength_limit(
            "m", model, tmp_path
        )

    (low, quoted), (high, after) = limit(39), limit(41)
    assert (quoted.method, after.method) == ("lhc", "lhc")
    assert high.at / low.at == pytest.approx(1, abs=0.02 + 2 * 0.006)
    both = quoted.observed, after.observed
    assert both == pytest.approx((low.at, high.at), rel=0.1)


def test_blinded_data_have_expected_limits_only():
    shown = Model((Cell("ee_OS", 0, (None, 20, 10, 80), (1, 0.1, 0, 0)),), {"ee_OS": 1.3})
    found = lhc.upper_limit(shown)
    assert found.limit.observed is None
    assert list(found.limit.expected) == sorted(found.limit.expected)
    hybrid = toys.Toys(shown).upper_limit()
    ratios = np.array(found.limit.expected) / hybrid.expected
    assert ratios == pytest.approx(np.full(5, ratios[2]))


def test_the_answer_depends_on_the_seed_only():
    model = search_models.busy(2)
    first, again, other = (lhc.upper_limit(model, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.limit.observed != other.limit.observed


def test_a_fit_that_missed_is_an_error(monkeypatch):
    of = Lhc(count(3, 2.0))
    right = compiled_fits.profile

    def wrong(*arguments):
        found = right(*arguments)
        return found._replace(free=found.fixed + 0.1)

    monkeypatch.setattr(compiled_fits, "profile", wrong)
    with pytest.raises(FitError, match="it missed the minimum"):
        of.test(5.0)


def test_failed_toys_count_against_an_exclusion(monkeypatch):
    of = Lhc(count(3, 2.0))
    test, right = of.test(6.0), compiled_fits.profile
    test.throw(1000, 1000)
    before = test.cls(None)[0]

    def failing(*arguments):
        found = right(*arguments)
        return found._replace(converged=np.zeros(len(found.fixed), dtype=bool))

    monkeypatch.setattr(compiled_fits, "profile", failing)
    test.throw(200, 200)
    assert test.failed == 400
    assert test.cls(None)[0] > before


def test_data_that_are_too_rare_are_refused(monkeypatch):
    monkeypatch.setattr(lhc, "MOST", 2000)
    model = replace(count(0, 30.0))
    of = Lhc(model)
    with pytest.raises(FitError, match="too rare"):
        lhc.crossing(of.test, None, 3.0, known=of.tests)
