"""CLs against formulas and against three other engines: pyhf, a Combine card, and closed forms."""

import math

import card
import numpy as np
import pytest
import search_models
from scipy.stats import norm

from hnl.errors import HNLError
from hnl.inference import asymptotics, combine, minimizer, pyhf_model
from hnl.inference.likelihood import FitError
from hnl.inference.model import Cell, Model
from hnl.inference.model_errors import HiddenDataError


def test_formulas():
    # q = q_A is the median of the background-only world: CLb = 1/2.
    assert math.exp(asymptotics.log_cls(9, 9)) == pytest.approx(norm.sf(3) / 0.5)
    assert math.exp(asymptotics.log_cls_expected(9, 0)) == pytest.approx(norm.sf(3) / 0.5)
    assert math.exp(asymptotics.log_cls(0, 9)) == pytest.approx(0.5 / norm.cdf(3))
    assert math.exp(asymptotics.log_cls(16, 9)) == pytest.approx(norm.sf(25 / 6) / norm.sf(7 / 6))
    assert math.exp(asymptotics.log_cls_expected(4, 1)) == pytest.approx(norm.cdf(-1) / norm.cdf(1))
    assert asymptotics.log_cls(0, 0) == 0


def test_one_count_in_closed_form():
    """Known background b, q_A = 2 (mu s - b log(1 + mu s / b))."""
    model, b = Model((Cell("ee_OS", 0, (25, 5e6, 5e6, 1e12), (1, 0, 0, 0)),), {"ee_OS": 1.0}), 25.0
    found = asymptotics.cls(model, 12.0)
    q = 2 * (12 - b * math.log(1 + 12 / b))
    assert found.q_asimov == pytest.approx(q, rel=1e-4)
    assert found.q == pytest.approx(q, rel=1e-4)  # n = b
    assert found.observed == pytest.approx(2 * norm.sf(math.sqrt(q)), rel=1e-3)


def test_limits_are_where_cls_is_five_percent():
    model = search_models.busy(2)
    limit = asymptotics.upper_limit(model)
    assert asymptotics.cls(model, limit.observed).observed == pytest.approx(0.05, rel=2e-3)
    for i, mu in enumerate(limit.expected):
        assert asymptotics.cls(model, mu).expected[i] == pytest.approx(0.05, rel=2e-3)
    assert list(limit.expected) == sorted(limit.expected)
    assert limit.observed == pytest.approx(limit.expected[2], rel=1e-3)  # data without fluctuations


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_limits_scale_with_the_signal(scale):
    def limit(s):
        return asymptotics.upper_limit(Model((Cell("ee_OS", 0, (3, 20, 10, 80), (s, 0, s / 10, 0)),), {"ee_OS": 1.3}))

    assert limit(scale).observed * scale == pytest.approx(limit(1).observed, rel=1e-3)


def test_blinded_data_give_expected_results_only():
    hidden = Model((Cell("ee_OS", 0, (None, 20, 10, 80), (1, 0.1, 0, 0)),), {"ee_OS": 1.3})
    found, limit = asymptotics.cls(hidden), asymptotics.upper_limit(hidden)
    assert (found.observed, found.q, found.mu_hat, limit.observed) == (None, None, None, None)
    shown = asymptotics.upper_limit(hidden.asimov())
    assert limit.expected == pytest.approx(shown.expected, rel=1e-3)
    assert limit.expected[2] == pytest.approx(shown.observed, rel=1e-3)
    with pytest.raises(HiddenDataError):
        asymptotics.Asymptotic(hidden).q(1.0)


def test_more_uncertainty_never_helps():
    limits = []
    for closure in (1.0, 1.2, 1.5):
        cells = tuple(Cell("ee_OS", i, (20, 200, 100, 1000), (1, 0, 0, 0)) for i in range(2))
        limits += [asymptotics.upper_limit(Model(cells, {"ee_OS": closure}, c)).expected[2] for c in (False, True)]
    assert limits[0] == pytest.approx(limits[1])
    # Two equal bins: errors that go together are worse than those that do not.
    assert limits == sorted(limits)


def test_no_limit_is_an_error():
    with pytest.raises(FitError, match="no upper limit") as raised:
        asymptotics.crossing(lambda mu: 1.0, 1.0)
    assert isinstance(raised.value, HNLError)


@pytest.mark.parametrize("cells", [2, 6])
@pytest.mark.parametrize("kind", ["busy", "few"])
def test_pyhf_agrees(cells, kind):
    """CLs, observed and expected, and mu_up to 1e-3."""
    model = search_models.busy(cells) if kind == "busy" else search_models.some(cells)
    reference = pyhf_model.Reference(model)
    fast, slow = asymptotics.cls(model, 1.0), reference.cls(1.0)
    assert fast.observed == pytest.approx(slow.observed, rel=1e-3)
    assert fast.expected == pytest.approx(slow.expected, rel=1e-3)
    assert fast.q_asimov == pytest.approx(slow.q_asimov, rel=1e-3)
    limit = asymptotics.upper_limit(model)
    for i, mu in ((None, limit.observed), (2, limit.expected[2])):
        below, above = (reference.cls(mu * factor) for factor in (1 - 1e-3, 1 + 1e-3))
        values = [c.observed if i is None else c.expected[i] for c in (below, above)]
        assert values[0] > 0.05 > values[1]


@pytest.mark.parametrize("cells", [2, 6])
@pytest.mark.parametrize("kind", ["busy", "few"])
def test_the_card_says_the_same(cells, kind):
    """The card, read and evaluated by a program that does not know our models: -log L differences, CLs and mu_up."""
    model = search_models.busy(cells) if kind == "busy" else search_models.some(cells)
    test = asymptotics.Asymptotic(model)
    other = card.Card(combine.export(model))
    zero, highest = np.zeros(len(other.nuisances)), 100 * float(test.likelihood.mu_scale(test.data)[0])
    at = [other.minimum(other.observed, zero, r, highest)[1] for r in (0.0, 1.0)]
    fits = [minimizer.fit_fixed_mu(test.likelihood, test.data, mu).nll[0] for mu in (0.0, 1.0)]
    assert at[1] - at[0] == pytest.approx(fits[1] - fits[0], abs=1e-4)
    limit = test.upper_limit()
    for mu in (1.0, limit.observed):
        found, expected, _ = other.cls(mu, highest)
        ours_at = test.cls(mu)
        assert found == pytest.approx(ours_at.observed, rel=1e-3)
        assert expected == pytest.approx(ours_at.expected[2], rel=1e-3)
    below, above = (other.cls(limit.observed * factor, highest)[0] for factor in (1 - 1e-3, 1 + 1e-3))
    assert below > 0.05 > above
