"""Templates and counting experiments in fits and limits: closed forms, numerical derivatives, pyhf, Combine cards."""

import math
from dataclasses import replace

import card
import numpy as np
import pyhf
import pytest
import search_models
from scipy.optimize import approx_fprime, minimize
from scipy.stats import norm, poisson

from hnl.inference import asymptotics, combine, fits, minimizer, pyhf_model, toys
from hnl.inference.asymptotics import Asymptotic
from hnl.inference.likelihood import Likelihood
from hnl.inference.model import Cell, Model
from hnl.inference.templates import TemplateChannel

MODELS = {
    "constrained": lambda: Model(templates=(search_models.spectrum(),)),
    "free": lambda: Model(templates=(search_models.spectrum(free=True),)),
    "mixed": search_models.mixed,
    "mixed, uncorrelated": lambda: search_models.mixed(correlated=False),
}


def counting(n, s, b, **changes):
    return TemplateChannel("count", (n,), (s,), {"bkg": (b,)}, **changes)


def control_region():
    """A signal region with 5 events of background, and a control region of 100 that says that it is twice as many."""
    signal = TemplateChannel("sr", (12,), (1,), {"bkg": (5,)}, free=("bkg",))
    control = TemplateChannel("cr", (200,), (0,), {"bkg": (100,)}, free=("bkg",))
    return Model(templates=(signal, control))


def flat(likelihood):
    """-log L and its gradient and Hessian of one vector: local parameters of each row, then the common ones."""
    data = likelihood.data()
    shape = (1, len(likelihood.model.rows), likelihood.n_local)
    size = shape[1] * shape[2]

    def split(x):
        return x[:size].reshape(shape), x[None, size:]

    def value(x):
        return float(likelihood.nll(*split(x), data)[0])

    def gradient(x):
        return np.concatenate([part.ravel() for part in likelihood.derivatives(*split(x), data)[:2]])

    def hessian(x):
        _, _, ll, lc, cc = (part[0] for part in likelihood.derivatives(*split(x), data))
        result = np.zeros((len(x), len(x)))
        for i in range(shape[1]):
            own = slice(i * shape[2], (i + 1) * shape[2])
            result[own, own], result[own, size:], result[size:, own] = ll[i], lc[i], lc[i].T
        result[size:, size:] = cc
        return result

    local, common = likelihood.start(data, np.array([0.7]))
    return np.concatenate([local.ravel(), common.ravel()]), value, gradient, hessian


@pytest.mark.parametrize("kind", MODELS)
def test_derivatives_are_those_of_the_value(kind):
    x, value, gradient, hessian = flat(Likelihood(MODELS[kind]()))
    x = x + np.random.default_rng(3).normal(0, 0.3, len(x))
    numerical = approx_fprime(x, value, 1e-6)
    np.testing.assert_allclose(gradient(x), numerical, rtol=1e-4, atol=1e-3)
    steps = 1e-5 * np.eye(len(x))
    second = np.array([(gradient(x + step) - gradient(x - step)) / 2e-5 for step in steps])
    np.testing.assert_allclose(hessian(x), second, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("kind", MODELS)
def test_minimum_is_that_of_a_general_minimiser(kind):
    likelihood = Likelihood(MODELS[kind]())
    x, value, gradient, _ = flat(likelihood)
    data = likelihood.data()
    best = minimizer.fit_free_mu(likelihood, data, minimizer.fit_fixed_mu(likelihood, data, 0.0))
    assert best.converged.all()
    bounds = [(-20.0, 20.0)] * len(x)
    bounds[-likelihood.n_common] = (0.0, 100.0)
    other = minimize(value, x, jac=gradient, bounds=bounds, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-14})
    assert best.nll[0] == pytest.approx(other.fun, abs=1e-5)


def test_expected_yields_by_hand():
    """Two bins and two processes, each kind of factor."""
    channel = TemplateChannel(
        "mass",
        (5, 6),
        (2, 1),
        {"dy": (3, 4), "qcd": (1, 2)},
        {"lumi": {"signal": (1.02, 1.02), "dy": (1.02, 1.02)}, "jes": {"qcd": (1.1, 0.8)}},
        ("qcd",),
        (1.2, 1),
        (1.05, 1.1),
    )
    likelihood = Likelihood(Model(templates=(channel,)))
    assert (likelihood.common, likelihood.local) == (("mu", "jes", "lumi", "norm_qcd"), ("mc_signal", "mc_background"))
    mu, jes, lumi, log_norm = common = np.array([0.7, 0.4, -1.2, 0.3])
    local = np.array([[0.5, -0.6], [2.0, 1.5]])
    signal, background = likelihood.parts(local[None], common[None])
    np.testing.assert_allclose(signal[0, :, 0], [2 * 1.02**lumi * 1.2**0.5, 1.02**lumi])
    expected = [
        (3 * 1.02**lumi + math.exp(log_norm) * 1.1**jes) * 1.05**-0.6,
        (4 * 1.02**lumi + math.exp(log_norm) * 2 * 0.8**jes) * 1.1**1.5,
    ]
    np.testing.assert_allclose(background[0, :, 0], expected)
    nu = mu * signal[0, :, 0] + expected
    value = -poisson.logpmf([5, 6], nu).sum() + poisson.logpmf([5, 6], [5, 6]).sum()
    value += (jes**2 + lumi**2 + 0.5**2 + 0.6**2 + 1.5**2 + 2.0**2) / 2
    assert likelihood.nll(local[None], common[None], likelihood.data())[0] == pytest.approx(value)


def test_a_control_region_in_closed_form():
    found = fits.fit(control_region())
    assert found.success
    assert found.parameters == {"mu": pytest.approx(2), "norm_bkg": pytest.approx(2)}
    assert found.uncertainties["norm_bkg"] == pytest.approx(2 / math.sqrt(200))
    assert found.mu_error == pytest.approx(math.sqrt(12 + 10**2 / 200))
    assert found.pulls() == {}
    assert found.yields.rows == ("sr_bin0", "cr_bin0")
    np.testing.assert_allclose(found.yields.background[:, 0], [10, 200])
    np.testing.assert_allclose(found.yields.signal[:, 0], [2, 0])
    np.testing.assert_allclose(found.yields.background_error[:, 0], [10 / math.sqrt(200), math.sqrt(200)])


def test_impacts_and_goodness_of_fit_by_hand():
    """n = 9, b = 4 +- 20 %: mu is 9 less the background, and the one count is always fitted."""
    model = Model(templates=(counting(9, 1, 4, factors={"xsec": {"bkg": (1.2,)}}),))
    (impact,) = fits.impacts(model)
    assert (impact.name, impact.value, impact.error) == ("xsec", pytest.approx(0, abs=1e-6), pytest.approx(1))
    assert (impact.up, impact.down) == (pytest.approx(4 - 4.8, rel=1e-4), pytest.approx(4 - 4 / 1.2, rel=1e-4))
    assert fits.fit(model).pulls() == {"xsec": (pytest.approx(0, abs=1e-6), pytest.approx(1))}
    assert fits.impacts(control_region()) == []  # a free normalisation has no standard deviation
    free = Model(templates=(search_models.spectrum(8, free=True),))
    assert fits.goodness_of_fit(free).degrees == 8 - 2  # a free normalisation and mu


def test_free_normalisations_may_be_given_in_any_unit():
    channel = search_models.spectrum(free=True)
    yields = {"falling": tuple(1e-3 * y for y in channel.backgrounds["falling"]), "flat": channel.backgrounds["flat"]}
    given, other = Model(templates=(channel,)), Model(templates=(replace(channel, backgrounds=yields),))
    limits = [asymptotics.upper_limit(model) for model in (given, other)]
    assert limits[1].observed == pytest.approx(limits[0].observed, rel=1e-3)
    norms = [fits.fit(model).parameters["norm_falling"] for model in (given, other)]
    assert norms[1] == pytest.approx(1e3 * norms[0], rel=1e-4)
    assert toys.few_events(given) == toys.few_events(other)


def test_goodness_of_fit_sees_a_wrong_shape():
    channel = replace(search_models.spectrum(8, free=True, scale=10), signal=(0.0,) * 7 + (1.0,))
    wrong = replace(channel, observed=channel.observed[::-1])
    good, bad = (fits.goodness_of_fit(Model(templates=(c,)), toys=100) for c in (channel, wrong))
    assert good.p_value > 0.01
    assert good.p_value_toys > 0.01
    assert bad.p_value < 1e-6
    assert bad.p_value_toys == 0


def test_one_count_in_closed_form():
    """Known background b, n = b: q = q_A = 2 (s - b log(1 + s / b))."""
    found = asymptotics.cls(Model(templates=(counting(25, 1, 25),)), 12.0)
    q = 2 * (12 - 25 * math.log(1 + 12 / 25))
    assert found.q_asimov == pytest.approx(q)
    assert found.q == pytest.approx(q)
    assert found.observed == pytest.approx(2 * norm.sf(math.sqrt(q)))


def test_a_count_is_a_cell_with_many_events_beside_it():
    cell = Model((Cell("ee_OS", 0, (7, 5e6, 5e6, 5e12), (1, 0, 0, 0)),), {"ee_OS": 1.3})
    count = Model(templates=(counting(7, 1, 5, factors={"closure": {"bkg": (1.3,)}}),))
    of_cell, of_count = asymptotics.upper_limit(cell), asymptotics.upper_limit(count)
    assert of_count.observed == pytest.approx(of_cell.observed, rel=1e-3)
    assert of_count.expected == pytest.approx(of_cell.expected, rel=1e-3)


def test_bins_with_the_same_ratio_are_one():
    """Nothing is learned from a split in halves: the likelihood ratio is that of the sum."""
    factors = {"xsec": {"bkg": (1.2,)}}
    half = {"xsec": {"bkg": (1.2, 1.2)}}
    whole = asymptotics.cls(Model(templates=(counting(14, 6, 10, factors=factors),)))
    halves = asymptotics.cls(Model(templates=(TemplateChannel("two", (9, 5), (3, 3), {"bkg": (5, 5)}, half),)))
    assert halves.observed == pytest.approx(whole.observed, rel=1e-5)
    assert halves.expected == pytest.approx(whole.expected, rel=1e-5)


def test_a_normalisation_is_brought_back_from_zero():
    likelihood = Likelihood(control_region())
    data = likelihood.data()
    good = minimizer.fit_fixed_mu(likelihood, data, 1.0)
    common = good.common.copy()
    common[:, -1] = -25
    free = np.array([False, True])
    again = minimizer.minimise(likelihood, data, good.local, common, free_common=free)
    assert again.converged.all()
    assert again.nll[0] == pytest.approx(good.nll[0], abs=1e-6)


def test_a_normalisation_may_vanish():
    """All that is seen is signal and a known background."""
    channel = TemplateChannel("mass", (20, 10), (10, 0), {"known": (10, 10), "more": (1, 1)}, free=("more",))
    found = fits.fit(Model(templates=(channel,)))
    assert found.success
    assert found.mu == pytest.approx(1, abs=1e-4)
    assert found.parameters["norm_more"] < 1e-3
    assert found.at_bound == ("norm_more",)


def test_blinded_templates_have_expected_limits():
    shown = Model(templates=(search_models.spectrum(),))
    hidden = Model(templates=(replace(search_models.spectrum(), observed=None),))
    limit = asymptotics.upper_limit(hidden)
    assert limit.observed is None
    assert limit.expected == pytest.approx(asymptotics.upper_limit(shown.asimov()).expected, rel=1e-3)


def pyhf_cls(spec, data, mu):
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(tolerance=1e-3, strategy=1))
    observed, expected = pyhf.infer.hypotest(mu, data, spec, test_stat="qtilde", return_expected_set=True)
    return float(observed), [float(value) for value in expected]


def normsys(name, kappa):
    return {"name": name, "type": "normsys", "data": {"hi": kappa, "lo": 1 / kappa}}


def test_a_workspace_written_by_hand():
    """Three bins in one channel, as pyhf users write them: correlated errors of two backgrounds, one of them free."""
    free, mu = ({"name": name, "type": "normfactor", "data": None} for name in ("norm_qcd", "mu"))
    signal, qcd, dy, n = [4.0, 9.0, 3.0], [50.0, 30.0, 20.0], [10.0, 14.0, 12.0], [70, 50, 30]
    samples = [
        {"name": "signal", "data": signal, "modifiers": [mu, normsys("lumi", 1.05)]},
        {"name": "qcd", "data": qcd, "modifiers": [free]},
        {"name": "dy", "data": dy, "modifiers": [normsys("lumi", 1.05), normsys("xsec", 1.3)]},
    ]
    spec = pyhf.Model({"channels": [{"name": "mass", "samples": samples}]}, poi_name="mu")
    factors = {
        "lumi": {"signal": (1.05,) * 3, "dy": (1.05,) * 3},
        "xsec": {"dy": (1.3,) * 3},
    }
    model = Model(templates=(TemplateChannel("mass", n, signal, {"qcd": qcd, "dy": dy}, factors, ("qcd",)),))
    for value in (1.0, asymptotics.upper_limit(model).observed):
        found = asymptotics.cls(model, value)
        observed, expected = pyhf_cls(spec, [*n, *spec.config.auxdata], value)
        assert found.observed == pytest.approx(observed, rel=1e-3)
        assert found.expected == pytest.approx(expected, rel=1e-3)
    assert observed == pytest.approx(0.05, rel=2e-3)


def test_simple_models_of_pyhf():
    """Their constraints are Poisson and their factors linear, which is the same for small errors and many events."""
    signal, background, n = [300.0, 280.0], [45_000.0, 46_000.0], [45_100, 45_900]
    error = [180.0, 160.0]
    spec = pyhf.simplemodels.uncorrelated_background(signal, background, error)
    kappa = np.exp(np.array(error) / background)
    model = Model(templates=(TemplateChannel("single", n, signal, {"bkg": background}, background_mc=tuple(kappa)),))
    observed, expected = pyhf_cls(spec, [*n, *spec.config.auxdata], 1.0)
    found = asymptotics.cls(model)
    assert found.observed == pytest.approx(observed, rel=3e-3)
    assert found.expected == pytest.approx(expected, rel=3e-3)

    signal, background, n = [12.0, 11.0], [50.0, 52.0], [51, 48]
    up, down = [51.0, 53.5], [49.0, 50.5]
    spec = pyhf.simplemodels.correlated_background(signal, background, up, down)
    kappa = {"shape": {"bkg": tuple(np.sqrt(np.array(up) / down))}}
    model = Model(templates=(TemplateChannel("single", n, signal, {"bkg": background}, kappa),))
    observed, expected = pyhf_cls(spec, [*n, *spec.config.auxdata], 1.0)
    found = asymptotics.cls(model)
    assert found.observed == pytest.approx(observed, rel=3e-3)
    assert found.expected == pytest.approx(expected, rel=3e-3)


@pytest.mark.parametrize("kind", ["constrained", "free", "mixed"])
def test_the_exported_workspace_says_the_same(kind):
    small = replace(search_models.busy(1), templates=control_region().templates)
    model = small if kind == "mixed" else Model(templates=(search_models.spectrum(4, free=kind == "free"),))
    fast, slow = asymptotics.cls(model, 1.0), pyhf_model.Reference(model).cls(1.0)
    assert fast.observed == pytest.approx(slow.observed, rel=1e-3)
    assert fast.expected == pytest.approx(slow.expected, rel=1e-3)


@pytest.mark.parametrize("kind", ["constrained", "free", "mixed"])
def test_the_card_says_the_same(kind):
    model = MODELS[kind]()
    test, other = Asymptotic(model), card.Card(combine.export(model))
    highest = 100 * float(test.likelihood.mu_scale(test.data)[0])
    mu = test.upper_limit().observed
    observed, median, best = other.cls(mu, highest)
    assert observed == pytest.approx(0.05, rel=2e-3)
    assert median == pytest.approx(test.cls(mu).expected[2], rel=1e-3)
    assert best == pytest.approx(float(test.best.mu[0]), rel=1e-2, abs=1e-3)
