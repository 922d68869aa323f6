"""What a model refuses, and the few numbers it computes."""

from dataclasses import replace

import numpy as np
import pytest
import search_models

from hnl.errors import InputError
from hnl.inference import factors, model_errors
from hnl.inference import model as models
from hnl.inference.model import Cell, Model

DATA, SIGNAL = (3, 20, 10, 100), (1.0, 0.2, 0.1, 0.0)


def cell(**changes):
    return Cell(**{"category": "mumu_OS", "bin": 0, "observed": DATA, "signal": SIGNAL} | changes)


def test_prediction_and_floors():
    assert cell(c_ab=1.5).predicted == pytest.approx(3)
    assert cell(observed=(7, 0, 0, 0)).sidebands == (0.5, 0.5, 1)
    assert cell(observed=(None, 0, 10, 0)).predicted == pytest.approx(5)


def test_asimov_is_the_prediction_with_signal():
    made = Model((cell(observed=(None, 20, 10, 100)),), {"mumu_OS": 1.2}).asimov(2)
    np.testing.assert_allclose(made.observed(), [[2 + 2, 20.4, 10.2, 100]])
    assert not made.hidden


def test_names():
    assert cell().name == "mumu_OS_b0"
    assert Model((cell(),), {"mumu_OS": 1.2}).closure_name(cell()) == "closure_mumu_OS"
    assert Model((cell(),), {"mumu_OS": 1.2}, closure_correlated=False).closure_name(cell()) == "closure_mumu_OS_b0"


def test_factors_without_effect_are_left_out():
    made = cell(signal_factors={"lumi": (1, 1, 1, 1), "jes": (1, 1.1, 1, 1)}, signal_mc=(1.1, 1, 1, 1.5))
    assert list(made.signal_factors) == ["jes"]
    assert made.signal_mc == (1.1, 1, 1, 1)  # no signal in D


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"observed": (3, 20, 10)}, model_errors.MissingRegionError, "mumu_OS_b0: observed"),
        ({"signal": (1, 0.2, 0.1)}, model_errors.MissingRegionError, "signal"),
        ({"observed": (3, -1, 10, 100)}, model_errors.NegativeYieldError, "observed in region B is negative: -1"),
        ({"signal": (1, 0.2, -0.1, 0)}, model_errors.NegativeYieldError, "signal in region C is negative: -0.1"),
        ({"signal": (float("nan"), 0, 0, 0)}, model_errors.NonFiniteError, "signal in region A is nan"),
        ({"signal": (1, 0, 0, float("inf"))}, model_errors.NonFiniteError, "region D is inf"),
        ({"observed": (3, None, 10, 100)}, model_errors.NonFiniteError, "region B is None"),
        ({"signal_factors": {"lumi": (1, 1, 0, 1)}}, model_errors.FactorError, "lumi"),
        ({"signal_factors": {"lumi": (1, 1, float("nan"), 1)}}, model_errors.NonFiniteError, "lumi in region C"),
        ({"c_ab": 0.0}, model_errors.FactorError, "c_ab"),
        ({"c_ab_factor": float("nan")}, model_errors.FactorError, "c_ab_factor"),
        ({"category": "mumu OS"}, model_errors.ForbiddenNameError, "mumu OS"),
        ({"category": "mumu_b1"}, model_errors.ForbiddenNameError, "mumu_b1"),
        ({"signal_factors": {"closure_x": (1, 1, 1, 2)}}, model_errors.ForbiddenNameError, "closure_x"),
        ({"signal_factors": {"mu": (1, 1, 1, 2)}}, model_errors.ForbiddenNameError, "'mu'"),
    ],
)
def test_a_cell_refuses(changes, error, words):
    with pytest.raises(error, match=words) as raised:
        cell(**changes)
    assert isinstance(raised.value, InputError)


def test_muon_is_not_a_reserved_name():
    assert list(cell(signal_factors={"muon": (1.1, 1, 1, 1)}).signal_factors) == ["muon"]


@pytest.mark.parametrize(
    ("cells", "closure", "error", "words"),
    [
        ([cell(), cell()], {"mumu_OS": 1.2}, model_errors.DuplicateCellError, "mumu_OS_b0"),
        ([cell(signal=(0, 1, 1, 1))], {"mumu_OS": 1.2}, model_errors.NoSignalError, "1 cells"),
        ([], {}, model_errors.NoSignalError, "0 cells"),
        ([cell()], {"ee_OS": 1.2}, model_errors.BinningError, "ee_OS"),
        ([cell()], {"mumu_OS": -1.2}, model_errors.FactorError, "-1.2"),
        ([cell(), cell(bin=1, observed=(None, 1, 1, 1))], {"mumu_OS": 1.2}, model_errors.HiddenDataError, "mumu_OS_b0"),
    ],
)
def test_a_model_refuses(cells, closure, error, words):
    with pytest.raises(error, match=words):
        Model(tuple(cells), closure)


def test_hidden_data_are_not_shown():
    hidden = Model((cell(observed=(None, 20, 10, 100)),), {"mumu_OS": 1.2})
    with pytest.raises(model_errors.HiddenDataError, match="region A of the data is hidden"):
        hidden.observed()


def arrays(**changes):
    n = np.array([DATA, DATA], dtype=float)
    return {"category": "ee_SS", "bins": [0, 3], "observed": n, "signal": n / 10} | changes


def test_cells_from_arrays():
    first, second = models.cells(
        **arrays(signal_error=[[0.03, 0.5, 0.01, 1], [0] * 4], signal_factors={"lumi": 1.016, "jes": [[1.1], [0.9]]}),
        c_ab=[1.2, 1],
        c_ab_error=[0.3, 0],
    )
    assert (first.bin, second.bin) == (0, 3)
    np.testing.assert_allclose(first.signal_mc, (1.1, 1.25, 1, 1.1))  # 1 % in C is neglected
    assert first.signal_factors == {"lumi": (1.016,) * 4, "jes": (1.1,) * 4}
    assert (first.c_ab, first.c_ab_factor, second.c_ab_factor) == (1.2, 1.25, 1)


def test_blinded_arrays():
    n = np.array([DATA, DATA], dtype=float)
    n[:, 0] = np.nan
    assert all(c.hidden for c in models.cells(**arrays(observed=n)))
    n[0, 0] = 1  # one bin unknown is not blinded
    with pytest.raises(model_errors.NonFiniteError, match="ee_SS_b3: observed in region A"):
        models.cells(**arrays(observed=n))


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"signal": np.ones((3, 4))}, model_errors.BinningError, r"signal has the shape \(3, 4\)"),
        ({"observed": np.ones((2, 3))}, model_errors.MissingRegionError, "observed has 3 regions"),
        ({"signal_error": np.ones((1, 4))}, model_errors.BinningError, "signal_error"),
        ({"c_ab": np.ones(3)}, model_errors.BinningError, "c_ab"),
        ({"signal_factors": {"jes": np.ones((3, 4))}}, model_errors.BinningError, "jes"),
        ({"signal_error": np.full((2, 4), np.nan)}, model_errors.NonFiniteError, "signal_mc"),
    ],
)
def test_arrays_refused(changes, error, words):
    with pytest.raises(error, match=words):
        models.cells(**arrays(**changes))


def test_shift_factor_by_hand():
    found = factors.shift_factor(
        np.array([10.0, 10, 10, 0, 1]), np.array([12.0, 11, 9, 1, 9]), np.array([9.0, 10.5, 9.5, 0, 0.1])
    )
    expected = [np.sqrt(12 / 9), 1.1, np.exp(-np.log(0.9)), 1, 2]  # the last is limited
    np.testing.assert_allclose(found, expected)


def test_closure_without_uncertainty_has_one_form():
    model = search_models.some(2)
    assert replace(model, closure={"mumu_OS": 1.0}, closure_correlated=False).closure_correlated
