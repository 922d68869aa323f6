"""Toys: what they are, exact results that they have to give, and what they say of bias and coverage."""

from dataclasses import replace

import numpy as np
import pytest
import search_models
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import binom, poisson

from hnl.inference import asymptotics, counting, minimizer, toys
from hnl.inference.likelihood import FitError, Likelihood
from hnl.inference.model import Cell, Model
from hnl.inference.templates import TemplateChannel
from hnl.inference.toys import Toys


@pytest.fixture(scope="module")
def thrown():
    """Toys of mu = 1 in two cells."""
    likelihood = Likelihood(search_models.busy(2))
    truth = minimizer.fit_fixed_mu(likelihood, likelihood.data(search_models.busy(2).asimov(1.0).observed()), 1.0)
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
    truth = minimizer.fit_fixed_mu(likelihood, likelihood.data(model.asimov(mu).observed()), mu)
    data = toys.throw(likelihood, truth, 800, np.random.default_rng(2))
    lowest = -100 * float(likelihood.mu_scale(data).max())
    best = minimizer.fit_free_mu(likelihood, data, minimizer.fit_fixed_mu(likelihood, data, 0.0), lowest=lowest)
    assert best.converged.all()
    spread = best.mu.std()
    assert abs(best.mu.mean() - mu) < 0.1 * spread + 3 * spread / np.sqrt(800)


@pytest.mark.parametrize("mu", [1.0, 2.0])
def test_limits_cover(mu):
    """Upper limits at 95 % are above the true mu in 95 % of toys or more: CLs at the true mu is above 5 %."""
    model = search_models.busy(2)
    likelihood = Likelihood(model)
    truth = minimizer.fit_fixed_mu(likelihood, likelihood.data(model.asimov(mu).observed()), mu)
    cls, failed = asymptotics.cls_of_many(likelihood, toys.throw(likelihood, truth, 800, np.random.default_rng(3)), mu)
    covered = ((cls >= 0.05) & ~failed).mean()
    assert covered > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 800)


def test_many_at_once_are_the_same_as_one():
    model = search_models.some(3)
    likelihood = Likelihood(model)
    cls, failed = asymptotics.cls_of_many(likelihood, likelihood.data(), 3.0)
    assert not failed.any()
    assert cls[0] == pytest.approx(asymptotics.cls(model, 3.0).observed, rel=1e-6)


def one_cell(a, b, c, d, signal=(1, 0, 0, 0), closure=1.0):
    return Model((Cell("ee_OS", 0, (a, b, c, d), signal),), {"ee_OS": closure})


def test_the_answer_depends_on_the_seed_only():
    model = search_models.some(2)
    alone = toys.cls(model, 3.0, 250, seed=4)
    test = Toys(model, 250, seed=4)
    test.cls(1.0)
    assert test.cls(3.0) == alone  # not on what was asked before
    assert toys.cls(model, 3.0, 250, seed=5) != alone
    assert alone.toys == 250


def test_many_events_give_the_asymptotic_answer():
    """The background is found from the sidebands alone here, so the limit may be somewhat higher, and is not lower."""
    model = search_models.busy(2)
    asymptotic, found = asymptotics.upper_limit(model), Toys(model, 5000).upper_limit()
    assert found.observed == pytest.approx(asymptotic.observed, rel=0.05)
    assert found.expected[2] == pytest.approx(asymptotic.expected[2], rel=0.05)


@pytest.mark.parametrize("n", [0, 1, 4])
def test_a_known_background_by_hand(n):
    """b = 2 known exactly: CLs = P(n <= observed | s + b) / P(n <= observed | b)."""
    found = toys.cls(one_cell(n, 2e6, 1e6, 1e12), 3.0, 20_000)
    assert found.observed == pytest.approx(poisson.cdf(n, 5) / poisson.cdf(n, 2), abs=4 * found.error)
    assert found.error < 0.015
    bands = [poisson.cdf(k, 5) / poisson.cdf(k, 2) for k in poisson.ppf(ndtr(asymptotics.BANDS), 2)]
    assert found.expected == pytest.approx(bands, abs=0.02)


def test_an_uncertain_background_is_that_of_exact_counting():
    """The CSC shower search: b = 2 +- 50 %, n = 3; the limit is 6.12 events."""
    found = Toys(one_cell(3, 2e6, 1e6, 1e12, closure=1.5), 40_000).upper_limit()
    assert found.observed == pytest.approx(counting.upper_limit(3, 2.0, 1.5), rel=0.02)
    assert (found.method, found.toys) == ("hybrid", 40_000)


@pytest.mark.parametrize(("n", "b"), [(0, 1), (2, 1), (3, 5)])
def test_an_unknown_rate_is_the_exact_binomial_test(n, b):
    """A expects half of B: given n + b events in all, as many as b or more of them are in B by chance of 2/3.

    The denominator of CLs is that for A <= n, and the numerator as if n - s were seen; s = 0 makes CLs 1.
    """
    test = Toys(one_cell(n, b, 1e6, 2e6), 40_000)
    below = (test._null[:, 0] <= n).mean()
    assert below == pytest.approx(binom.sf(b - 1, n + b, 2 / 3), abs=0.01)


def test_an_empty_sideband_has_no_background_but_may_have():
    """B = 0: all in A is signal for the observed limit, but some background is expected."""
    found = toys.cls(one_cell(2, 0, 30, 10), 4.0, 20_000)
    assert found.observed == pytest.approx(poisson.cdf(2, 4), abs=4 * found.error)
    assert found.expected[4] > found.expected[0]


def test_signal_in_the_sidebands_is_not_taken_for_background():
    """Signal that fills B leaves no background at mu = 1, and less of it than without signal in B."""
    pure, shared = (toys.cls(one_cell(3, 10, 1e6, 2e6, (8, s, 0, 0)), 1.0, 20_000) for s in (0, 100))
    assert shared.observed > pure.observed
    exact = poisson.cdf(3, 8) / binom.sf(9, 13, 2 / 3)
    assert shared.observed == pytest.approx(exact, abs=4 * shared.error)


@pytest.mark.parametrize("mu", [1.0, 2.0])
def test_limits_by_toys_cover(mu):
    """Six cells with one event or less in B and C, where asymptotic limits cover in 80 %."""
    model, number = search_models.sparse(), 300
    likelihood = Likelihood(model)
    truth = minimizer.fit_fixed_mu(likelihood, likelihood.data(model.asimov(mu).observed()), mu)
    data = toys.throw(likelihood, truth, number, np.random.default_rng(6))
    least = 0.95 - 3 * np.sqrt(0.05 * 0.95 / number)
    one = (data.take(slice(i, i + 1)) for i in range(number))
    by_toys = [Toys(model, 2000, seed, data=d).cls(mu).observed for seed, d in enumerate(one)]
    asymptotic, failed = asymptotics.cls_of_many(likelihood, data, mu)
    assert np.mean(np.array(by_toys) >= 0.05) > least
    assert ((asymptotic >= 0.05) & ~failed).mean() < least


def test_pseudo_experiments_with_failed_fits_are_told(monkeypatch):
    """With too few steps allowed, fits fail; none is lost."""
    model = search_models.sparse()
    likelihood = Likelihood(model)
    data = likelihood.data(np.random.default_rng(1).poisson(model.observed(), (100, 6, 4)))
    assert not asymptotics.cls_of_many(likelihood, data, 1.0)[1].any()
    monkeypatch.setattr(minimizer, "MAX_STEPS", 6)
    cls, failed = asymptotics.cls_of_many(likelihood, data, 1.0)
    assert len(cls) == 100
    assert 0 < failed.sum() <= 100


def test_fewer_events_than_in_any_toy():
    with pytest.raises(FitError, match="more toys are needed"):
        toys.cls(one_cell(10, 1e4, 1e4, 1e6), 1.0, 1000)


def test_when_toys_are_needed():
    def model(*cells):
        return Model(tuple(Cell("ee_OS", i, *cell) for i, cell in enumerate(cells)), {"ee_OS": 1.25})

    busy, quiet = (3, 160, 40, 1600), (0, 10, 10, 100)  # 4 and 1 expected in A
    assert toys.expected_in_a(model((busy, (1, 0, 0, 0)), (quiet, (1, 0, 0, 0)))) == pytest.approx(5)
    assert toys.expected_in_a(model((busy, (0.05, 0, 0, 0)), (quiet, (1, 0, 0, 0)))) == pytest.approx(1)
    assert not toys.few_events(model((busy, (1, 0, 0, 0))))
    assert toys.few_events(model((quiet, (1, 0, 0, 0))))
    assert toys.few_events(model((busy, (1, 0, 0, 0)), ((3, 400, 2, 100), (1, 0, 0, 0))))  # C


def test_few_events_by_both_methods():
    """Nothing seen and nothing expected: 3 events are excluded by the exact count, fewer by the asymptotic formula."""
    model = one_cell(0, 0, 0, 1, closure=1.25)
    by_toys, asymptotic = Toys(model).upper_limit(), asymptotics.upper_limit(model)
    assert (asymptotic.method, by_toys.method, by_toys.toys) == ("asymptotic", "hybrid", toys.TOYS)
    assert by_toys.observed == pytest.approx(-np.log(0.05), rel=0.05)
    assert asymptotic.observed < 2.2


def test_expected_results_do_not_look_at_a():
    shown, hidden = (toys.cls(one_cell(n, 20, 4, 80, (1, 0.1, 0, 0), 1.25), 4.0) for n in (7, None))
    assert (hidden.observed, hidden.error) == (None, None)
    assert shown.expected == hidden.expected
    assert 0 <= hidden.expected[0] < hidden.expected[2] < hidden.expected[4] <= 1
    assert Toys(one_cell(None, 20, 4, 80)).upper_limit().observed is None


def test_exact_counting():
    """b = 2 +- 1 and n = 3 exclude 6.13 events in the CSC shower search; a log-normal of 50 % gives 6.12."""
    assert counting.upper_limit(3, 2.0, 1.5) == pytest.approx(6.13, abs=0.02)
    assert counting.upper_limit(0, 0.0, 1.0) == pytest.approx(-np.log(0.05), rel=1e-6)
    assert counting.cls(3, 2.0, 1.0, 4.0) == pytest.approx(poisson.cdf(3, 6) / poisson.cdf(3, 2))


def count(n, b, s=1.0, **changes):
    return Model(templates=(TemplateChannel("count", (n,), (s,), {"bkg": (b,)}, **changes),))


@pytest.mark.parametrize(("n", "b"), [(0, 2.0), (0, 0.0), (3, 2.0), (7, 1.2)])
def test_a_known_background_is_exact_counting(n, b):
    """CLs = P(<= n | s + b) / P(<= n | b); nothing seen excludes 2.996 events whatever is expected."""
    limit = Toys(count(n, b), 40_000).upper_limit().observed
    exact = brentq(lambda s: poisson.cdf(n, s + b) / poisson.cdf(n, b) - 0.05, 0, 50)
    assert limit == pytest.approx(exact, rel=0.03)
    assert exact == pytest.approx(counting.upper_limit(n, b, 1.0), rel=1e-5)


def test_an_uncertain_template_is_exact_counting():
    found = Toys(count(3, 2.0, factors={"xsec": {"bkg": (1.5,)}}), 40_000).upper_limit()
    assert found.observed == pytest.approx(counting.upper_limit(3, 2.0, 1.5), rel=0.02)


def test_bins_are_weighted_by_signal_over_background():
    """All the signal in one of two bins: the other one tells nothing."""
    both = Model(templates=(TemplateChannel("two", (3, 50), (1, 0), {"bkg": (2, 60)}),))
    alone, beside = (toys.cls(model, 4.0, 20_000).observed for model in (count(3, 2.0), both))
    assert beside == pytest.approx(alone, rel=0.05)


def control_region(n, m, b=5.0, tau=4.0, s=5.0, lumi=1.0):
    """n events where b are expected and s of signal, m in a control region with tau times the background."""
    factors = {"lumi": {"bkg": (lumi,)}}
    signal = TemplateChannel("sr", (n,), (s,), {"bkg": (b,)}, factors, ("bkg",))
    control = TemplateChannel("cr", (m,), (0,), {"bkg": (tau * b,)}, factors, ("bkg",))
    return Model(templates=(signal, control))


def test_a_free_normalisation_is_what_the_control_region_says():
    """40 events where 20 were expected: the background of the signal region is 10, give or take 1 / sqrt(50)."""
    test = Toys(control_region(10, 40), 40_000)
    drawn = test._normalisations.draw(0.0)[:, 0]
    assert drawn.mean() == pytest.approx(2, abs=5 * 2 / np.sqrt(50 * 40_000))
    assert drawn.std() / drawn.mean() == pytest.approx(np.sqrt(np.expm1(1 / 50)), rel=0.03)
    # At mu = 2 the 10 events of the signal region are signal, and only the control region says anything.
    assert test._normalisations.draw(2.0).mean() < 2


def test_what_the_data_fix_is_not_moved_by_nuisance_parameters():
    """A normalisation of the free process takes up a luminosity that is 30 % more: yields are the same."""
    plain, moved = (Toys(control_region(10, 40, lumi=kappa), 40_000) for kappa in (1.0, 1.3))
    widths = [(test._free[:, 0, 0] * test._normalisations.draw(0.0)[:, 0]).std() for test in (plain, moved)]
    assert widths[1] == pytest.approx(widths[0], rel=0.03)


def test_limits_with_a_control_region_cover():
    """True mu = 1 and b = 2 in the signal region, 8 in the control region."""
    rng, number, mu = np.random.default_rng(3), 150, 1.0
    data = np.stack([rng.poisson(2 + 5 * mu, number), rng.poisson(8, number)], axis=1).tolist()
    cls = [Toys(control_region(n, m, b=2.0), 1000, i).cls(mu).observed for i, (n, m) in enumerate(data)]
    assert np.mean(np.array(cls) >= 0.05) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / number)


def test_toys_of_cells_and_templates_together():
    """A cell and a count that are equally good are one count of twice the yields.

    All five events are in the count, whose weight is larger by 1e-6: so all toys with five events are no higher.
    """
    cell = one_cell(0, 2e6, 1e6, 1e12)
    together = toys.cls(replace(cell, templates=count(5, 2.0).templates), 3.0, 40_000)
    assert together.observed == pytest.approx(poisson.cdf(5, 10) / poisson.cdf(5, 4), abs=4 * together.error)


def test_when_templates_need_toys():
    def model(*bins):
        signal, background = zip(*bins, strict=True)
        return Model(templates=(TemplateChannel("mass", (0,) * len(bins), signal, {"bkg": background}),))

    assert toys.expected_in_a(model((10, 2), (8, 1.5), (1, 50))) == pytest.approx(3.5)
    assert not toys.few_events(model((10, 2), (8, 1.5), (1, 50)))
    assert toys.few_events(model((10, 2), (0.5, 1.5), (0.5, 50)))


def test_blinded_templates_are_expected_only():
    shown, hidden = count(5, 4.0), Model(templates=(TemplateChannel("count", None, (1,), {"bkg": (4,)}),))
    both = [toys.cls(model, 4.0, 5000) for model in (shown, hidden)]
    assert (both[1].observed, both[1].expected) == (None, both[0].expected)
