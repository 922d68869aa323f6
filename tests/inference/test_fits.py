"""Results of fits against closed forms and against pyhf's Minuit."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pyhf
import pytest
import search_models

from hnl.inference import fits, pyhf_model
from hnl.inference.model import Cell, Model
from hnl.inference.model_errors import HiddenDataError


def test_fit_in_closed_form():
    """A alone has signal: mu = A - B C / D with the error of four independent counts."""
    model = Model((Cell("ee_OS", 0, (9, 20, 10, 100), (1, 0, 0, 0)),), {"ee_OS": 1.0})
    found = fits.fit(model)
    assert found.success
    assert found.mu == pytest.approx(7)
    assert found.mu_error == pytest.approx(np.sqrt(9 + 4 * (1 / 20 + 1 / 10 + 1 / 100)))
    assert found.parameters["nB_ee_OS_b0"] == pytest.approx(20)
    assert found.uncertainties["nB_ee_OS_b0"] == pytest.approx(np.sqrt(20))
    assert found.pulls() == {}
    np.testing.assert_allclose(found.yields.background[0], [2, 20, 10, 100])
    np.testing.assert_allclose(found.yields.signal[0], [7, 0, 0, 0], atol=1e-6)
    errors = [2 * np.sqrt(1 / 20 + 1 / 10 + 1 / 100), np.sqrt(20), np.sqrt(10), 10]
    np.testing.assert_allclose(found.yields.background_error[0], errors)


@pytest.mark.parametrize("correlated", [True, False])
def test_minuit_has_the_same_values_and_errors(correlated):
    model = replace(search_models.busy(2).asimov(2.0), closure_correlated=correlated)
    found = fits.fit(model)
    reference = pyhf_model.Reference(model)
    values, errors = np.asarray(pyhf.infer.mle.fit(reference.data, reference.model, return_uncertainties=True)).T
    names = reference.model.config.par_names
    for name in ("mu", *found.pulls()):
        i = names.index(name)
        assert found.parameters[name] == pytest.approx(values[i], abs=0.01 * errors[i] + 1e-3)
        assert found.uncertainties[name] == pytest.approx(errors[i], rel=0.05)


def test_minuit_has_the_same_correlations():
    """Of mu, shared parameters and those of one row, in one row and in two."""
    model = search_models.busy(2).asimov(2.0)
    reference = pyhf_model.Reference(model)
    _, correlations = pyhf.infer.mle.fit(reference.data, reference.model, return_correlations=True)
    names = reference.model.config.par_names
    index = {name: i for i, name in enumerate(names)}
    found = fits.fit(model).correlations
    of_fit = ("mu", *fits.fit(model).pulls())
    largest = 0.0
    for first, second in combinations(of_fit, 2):
        value = found.get((first, second), found.get((second, first), 0.0))
        assert value == pytest.approx(correlations[index[first], index[second]], abs=0.02), (first, second)
        largest = max(largest, abs(value))
    assert largest > 0.1
    assert list(map(abs, found.values())) == sorted(map(abs, found.values()), reverse=True)


def test_mu_at_its_bound():
    found = fits.fit(Model((Cell("ee_OS", 0, (1, 200, 100, 1000), (1, 0, 0, 0)),), {"ee_OS": 1.25}))
    assert (found.mu, found.mu_error, found.at_bound) == (0, None, ("mu",))
    fixed = fits.fit(search_models.some(2), mu=1.5)
    assert (fixed.mu, fixed.mu_error) == (1.5, None)
    assert "mu" not in fixed.at_bound


def test_empty_rates_are_named():
    found = fits.fit(Model((Cell("ee_OS", 0, (0, 0, 3, 10), (1, 0, 0, 0)),), {"ee_OS": 1.25}))
    assert found.success
    assert set(found.at_bound) == {"mu", "nB_ee_OS_b0"}


def test_blinded_data_are_not_fitted():
    hidden = Model((Cell("ee_OS", 0, (None, 20, 10, 80), (1, 0.1, 0, 0)),), {"ee_OS": 1.3})
    for ask in (fits.fit, fits.impacts, fits.goodness_of_fit):
        with pytest.raises(HiddenDataError):
            ask(hidden)
    assert fits.fit(hidden.asimov(2.0)).mu == pytest.approx(2, rel=1e-4)


def test_impacts_by_hand():
    """Signal in A only with one error of its normalisation: mu kappa^theta is what the data say."""
    cell = Cell("ee_OS", 0, (9, 20, 10, 100), (1, 0, 0, 0), signal_factors={"pfn": (1.1,) * 4})
    (impact,) = fits.impacts(Model((cell,), {"ee_OS": 1.0}))
    assert impact.name == "pfn"
    assert (impact.value, impact.error) == (pytest.approx(0, abs=1e-6), pytest.approx(1))
    assert impact.up == pytest.approx(7 / 1.1 - 7, rel=1e-4)
    assert impact.down == pytest.approx(7 * 1.1 - 7, rel=1e-4)


def test_impacts_of_all_nuisances():
    model = search_models.busy(2).asimov(2.0)
    found = fits.impacts(model)
    assert {impact.name for impact in found} == set(fits.fit(model).pulls())
    sizes = [max(abs(impact.up), abs(impact.down)) for impact in found]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0


def test_goodness_of_fit():
    fitting = search_models.busy(3)
    good = fits.goodness_of_fit(fitting, toys=200)
    assert good.statistic == pytest.approx(0, abs=1e-6)
    assert (good.p_value, good.p_value_toys) == (pytest.approx(1), 1)
    # A of the last cell is twice what B C / D says, where the signal is not.
    cells = list(fitting.cells)
    odd = Cell("mumu_SS", 9, (400, 400, 500, 1000), (0, 0, 0, 1))
    bad = fits.goodness_of_fit(Model((*cells, odd), {"mumu_SS": 1.01}), toys=200)
    assert bad.degrees == 3
    assert bad.p_value < 1e-3
    assert bad.p_value_toys < 0.02
    assert bad.failed == 0
    assert sum(bad.toy_counts) == 200
    assert len(bad.toy_edges) == len(bad.toy_counts) + 1
    above = sum(n for low, n in zip(bad.toy_edges, bad.toy_counts, strict=False) if low > bad.statistic)
    assert above / 200 <= bad.p_value_toys
