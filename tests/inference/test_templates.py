"""Channels of templates: what they refuse, and how they are made of histograms."""

from dataclasses import replace

import numpy as np
import pytest
import search_models

from hnl.errors import InputError
from hnl.inference import model_errors
from hnl.inference.model import Model
from hnl.inference.templates import TemplateChannel, from_arrays


def channel(**changes):
    given = {"name": "mass", "observed": (7, 3), "signal": (2, 1), "backgrounds": {"qcd": (4, 2), "dy": (1, 0)}}
    return TemplateChannel(**given | changes)


def test_one_form_only():
    made = channel(
        factors={
            "lumi": {"signal": (1.02, 1.02), "dy": (1.02, 1.02)},
            "none": {"qcd": (1, 1)},
            "jes": {"qcd": (1, 0.9)},
        },
        free=("qcd", "qcd"),
        signal_mc=np.array([1.1, 1.2]),
    )
    assert list(made.backgrounds) == ["dy", "qcd"]
    assert made.factors == {"jes": {"qcd": (1, 0.9)}, "lumi": {"dy": (1.02, 1), "signal": (1.02, 1.02)}}
    assert (made.free, made.signal_mc, made.background_mc) == (("qcd",), (1.1, 1.2), (1, 1))
    np.testing.assert_allclose(made.background, [5, 2])
    assert (made.bins, made.row(1)) == (2, "mass_bin1")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"name": "di mass"}, model_errors.ForbiddenNameError, "'di mass'"),
        ({"backgrounds": {"signal": (1, 1)}}, model_errors.ForbiddenNameError, "process 'signal'"),
        ({"backgrounds": {"d-y": (1, 1)}}, model_errors.ForbiddenNameError, "'d-y'"),
        ({"factors": {"mc_x": {"dy": (1, 2)}}}, model_errors.ForbiddenNameError, "nuisance 'mc_x'"),
        ({"factors": {"mu": {"dy": (1, 2)}}}, model_errors.ForbiddenNameError, "nuisance 'mu'"),
        ({"observed": (7, -3)}, model_errors.NegativeYieldError, "mass_bin1: observed is negative: -3"),
        ({"backgrounds": {"dy": (-0.5, 1)}}, model_errors.NegativeYieldError, "mass_bin0: dy is negative: -0.5"),
        ({"signal": (1, float("nan"))}, model_errors.NonFiniteError, "mass_bin1: signal is nan"),
        ({"background_mc": (1, float("inf"))}, model_errors.NonFiniteError, "mass_bin1: background_mc is inf"),
        ({"observed": (7,)}, model_errors.BinningError, r"observed has the shape \(1,\)"),
        ({"backgrounds": {"dy": (1, 1, 1)}}, model_errors.BinningError, r"dy has the shape \(3,\)"),
        ({"factors": {"jes": {"dy": (1.1,)}}}, model_errors.BinningError, "jes of dy"),
        ({"signal": ((2, 1), (2, 1))}, model_errors.BinningError, "use one axis"),
        ({"signal": (), "observed": (), "backgrounds": {}}, model_errors.BinningError, "no bins"),
        ({"factors": {"jes": {"dy": (1.1, 0)}}}, model_errors.FactorError, "jes of dy"),
        ({"factors": {"jes": {"top": (1.1, 1)}}}, model_errors.ProcessError, "jes has factors for 'top'"),
        ({"free": ("top",)}, model_errors.ProcessError, "'top' is free"),
        ({"backgrounds": {"dy": (1, 0)}}, model_errors.EmptyBinError, "mass_bin1: 3 events but no background"),
    ],
)
def test_a_channel_refuses(changes, error, words):
    with pytest.raises(error, match=words) as raised:
        channel(**changes)
    assert isinstance(raised.value, InputError)


def test_a_bin_without_background_is_good_while_it_is_empty():
    Model(templates=(channel(backgrounds={"dy": (1, 0)}, observed=(7, 0)),))


@pytest.mark.parametrize(
    ("templates", "error", "words"),
    [
        ((channel(), channel()), model_errors.DuplicateCellError, "mass"),
        ((channel(signal=(0, 0)),), model_errors.NoSignalError, "no signal"),
        ((channel(), channel(name="other", observed=None)), model_errors.HiddenDataError, "shown in mass"),
        ((channel(free=("dy",)), channel(name="other")), model_errors.ProcessError, "not in other"),
        ((channel(backgrounds={"qcd": (4, 2), "dy": (0, 0)}, free=("dy",)),), model_errors.ProcessError, "no events"),
    ],
)
def test_a_model_refuses(templates, error, words):
    with pytest.raises(error, match=words):
        Model(templates=templates)


def test_names_of_cells_are_reserved_where_there_are_cells():
    named = channel(factors={"dy_xsec": {"dy": (1.1, 1.1)}})
    assert Model(templates=(named,)).shared_nuisances == ("dy_xsec",)
    with pytest.raises(model_errors.ForbiddenNameError, match="dy_xsec"):
        replace(search_models.busy(1), templates=(named,))


def test_the_signal_of_all_terms_counts():
    without = channel(signal=(0, 0))
    assert replace(search_models.busy(1), templates=(without,)).signal().sum() > 0
    cell = replace(search_models.busy(1).cells[0], signal=(0, 0, 0, 0))
    assert replace(search_models.busy(1), cells=(cell,), templates=(channel(),)).signal().sum() == 3


def test_rows_and_asimov():
    model = replace(search_models.busy(1), templates=(channel(),))
    assert model.rows == ("mumu_SS_b0", "mass_bin0", "mass_bin1")
    np.testing.assert_allclose(model.observed(), [[120, 400, 300, 1000], [7, 0, 0, 0], [3, 0, 0, 0]])
    np.testing.assert_allclose(model.signal(), [[30, 6, 3, 0.6], [2, 0, 0, 0], [1, 0, 0, 0]])
    np.testing.assert_allclose(model.predicted(), [120, 5, 2])
    np.testing.assert_allclose(model.asimov(2.0).observed()[1:, 0], [9, 4])
    assert Model(templates=(channel(),)).observed().shape == (2, 1)


def test_free_normalisations_are_scaled_to_the_data():
    """10 events, of which 1 is dy: qcd, given as 6, is 9. Blinded, it is taken as given."""
    for scale in (1, 100):
        shape = tuple(scale * y for y in (4, 2))
        model = Model(templates=(channel(backgrounds={"qcd": shape, "dy": (1, 0)}, free=("qcd",)),))
        np.testing.assert_allclose(model.predicted(), [1 + 6, 3])
        np.testing.assert_allclose(model.asimov(2.0).observed()[:, 0], [7 + 4, 3 + 2])
    hidden = Model(templates=(channel(observed=None, free=("qcd",)),))
    np.testing.assert_allclose(hidden.predicted(), [5, 2])


def test_blinded_templates():
    hidden = Model(templates=(channel(observed=None),))
    with pytest.raises(model_errors.HiddenDataError, match="hidden"):
        hidden.observed()
    np.testing.assert_allclose(hidden.asimov().observed()[:, 0], [5, 2])


def test_histograms_make_a_channel():
    made = from_arrays(
        "mass",
        [7, 3],
        [2, 1],
        {"qcd": [4, 2], "dy": [1, -0.5]},
        sum_w2={"signal": [0.04, 0.01], "qcd": [0.16, 0.03], "dy": [0.09, 0.01]},
        varied={"jes": {"qcd": ([4.4, 2], [3.6, 2]), "dy": ([1.2, 0.1], [0.9, 0])}},
        normalisations={"lumi": {"signal": 1.02, "dy": 1.02}, "jes": {"signal": 1.05}},
        free=["qcd"],
    )
    assert made.backgrounds["dy"] == (1, 0)  # a negative sum of weights
    np.testing.assert_allclose(made.factors["jes"]["qcd"], [np.sqrt(4.4 / 3.6), 1])
    np.testing.assert_allclose(made.factors["jes"]["dy"], [np.sqrt(1.2 / 0.9), 1])
    assert made.factors["jes"]["signal"] == (1.05, 1.05)
    assert made.factors["lumi"] == {"dy": (1.02, 1), "signal": (1.02, 1.02)}
    np.testing.assert_allclose(made.signal_mc, [1.1, 1.1])
    # Of the sum: roots of 0.16 + 0.09 and 0.03 + 0.01 over 5 and 2.
    np.testing.assert_allclose(made.background_mc, [1.1, 1.1])
    assert made.free == ("qcd",)


def test_small_statistical_errors_of_the_background_are_kept():
    made = from_arrays("mass", None, [1.0], {"qcd": [1e6]}, sum_w2={"qcd": [1e8], "signal": [1e-6]})
    np.testing.assert_allclose(made.background_mc, [1.01])
    assert made.signal_mc == (1,)  # 0.1 %


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"observed": [1, 2, 3]}, model_errors.BinningError, r"observed has the shape \(3,\)"),
        ({"sum_w2": {"qcd": [1]}}, model_errors.BinningError, "sum_w2 of qcd"),
        ({"sum_w2": {"top": [1, 1]}}, model_errors.ProcessError, "sum_w2 is given for 'top'"),
        ({"sum_w2": {"qcd": [1, -1]}}, model_errors.NegativeYieldError, "sum_w2 of qcd is negative: -1"),
        ({"varied": {"jes": {"qcd": ([1], [1, 2])}}}, model_errors.BinningError, "jes up"),
        ({"varied": {"jes": {"top": ([1, 1], [1, 2])}}}, model_errors.ProcessError, "jes is given for 'top'"),
        ({"varied": {"jes": {"qcd": ([1, 1], [1, np.nan])}}}, model_errors.NonFiniteError, "mass_bin1: jes of qcd"),
        ({"normalisations": {"xsec": {"top": 1.1}}}, model_errors.ProcessError, "xsec is given for 'top'"),
        (
            {"varied": {"jes": {"qcd": ([4, 2], [4, 2])}}, "normalisations": {"jes": {"qcd": 1.1}}},
            model_errors.ProcessError,
            "twice for qcd",
        ),
    ],
)
def test_arrays_refused(changes, error, words):
    given = {"name": "mass", "observed": [7, 3], "signal": [2, 1], "backgrounds": {"qcd": [4, 2]}}
    with pytest.raises(error, match=words):
        from_arrays(**given | changes)
