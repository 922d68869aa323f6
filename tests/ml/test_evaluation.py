"""The numbers on a classifier: every one counted by hand on twelve events."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xgboost

from hnl.ml import evaluation, folds
from hnl.ml.sample import TrainingSample

NAMES = ["useful", "idle"]
SCORES = np.array([0.15, 0.3, 0.6, 0.95, 0.985])  # of a model, by the value of the feature
SIGNAL = [4, 3, 3, 1]
BACKGROUND = [0, 0, 0, 0, 1, 1, 3, 3]
M_L1_SV = [*[70.0] * 4, 20.0, 40.0, 60.0, 80.0, 30.0, 50.0, 9.0, 70.0]
FOLDS = np.array([0, 1, 2, folds.TEST] * 3, dtype=np.int8)


def booster(scores: Sequence[float]) -> xgboost.Booster:
    """A model that gives the events of each value of the first feature the score named."""
    x = np.stack([np.arange(len(scores)), np.zeros(len(scores))], axis=1)
    settings = {"objective": "binary:logistic", "lambda": 0, "min_child_weight": 0, "eta": 1, "max_depth": 3}
    matrix = xgboost.DMatrix(x, np.asarray(scores), feature_names=NAMES)
    return xgboost.train(settings | {"nthread": 1, "seed": 1}, matrix, 60)


@pytest.fixture(scope="module")
def model() -> xgboost.Booster:
    made = booster(SCORES)
    matrix = xgboost.DMatrix(np.stack([np.arange(5), np.zeros(5)], axis=1), feature_names=NAMES)
    np.testing.assert_allclose(made.predict(matrix), SCORES, atol=1e-3)
    return made


@pytest.fixture(scope="module")
def sample() -> TrainingSample:
    n = len(SIGNAL) + len(BACKGROUND)
    is_signal = np.arange(n) < len(SIGNAL)
    return TrainingSample(
        datasets=("signal", "background"),
        features=np.stack([[*SIGNAL, *BACKGROUND], np.zeros(n)], axis=1).astype(np.float32),
        is_signal=is_signal,
        weight=np.ones(n),
        training_weight=np.ones(n),
        mass=np.where(is_signal, np.where(np.arange(n) < 2, 3.0, 8.0), np.nan),
        dataset=(~is_signal).astype(int),
        fold=FOLDS,
        generator_event=np.arange(n),
        category=np.array([2, 3] * 6),
        m_l1_sv=np.array(M_L1_SV),
    )


@pytest.fixture(scope="module")
def found(model: xgboost.Booster, sample: TrainingSample) -> dict[str, Any]:
    return evaluation.evaluate([model] * 3, NAMES, sample)


def test_areas(found: dict[str, Any]) -> None:
    """Pairs of signal and background in the right order, ties half: 8, 7, 7 and 5 of 8."""
    assert found["auc"]["unseen"]["value"] == pytest.approx(27 / 32)
    assert found["masses"]["3"]["unseen"]["value"] == pytest.approx(15 / 16)
    assert found["masses"]["8"]["unseen"]["value"] == pytest.approx(12 / 16)
    # mumu_OS: signal 4, 3 and background 0, 0, 1, 3; mumu_SS: 3, 1 and the same.
    assert found["categories"]["mumu_OS"]["unseen"]["value"] == pytest.approx((4 + 3.5) / 8)
    assert found["categories"]["mumu_SS"]["unseen"]["value"] == pytest.approx((3.5 + 2.5) / 8)


def test_the_test_set_is_of_its_events_alone(found: dict[str, Any]) -> None:
    """Signal 1, background 0 and 3: one pair of two; its other estimates follow."""
    assert found["auc"]["test"]["value"] == pytest.approx(1 / 2)
    assert found["counts"]["signal"] == {"test": 1, "fold 0": 1, "fold 1": 1, "fold 2": 1}
    assert found["counts"]["background"] == {"test": 2, "fold 0": 2, "fold 1": 2, "fold 2": 2}
    assert found["counts"]["expected_background"] == 8


@pytest.mark.parametrize(
    ("threshold", "signal", "background"), [(0.2, 1.0, 0.5), (0.9, 0.75, 0.25), (0.97, 0.25, 0.0), (0.998, 0.0, 0.0)]
)
def test_efficiencies_above_thresholds(
    found: dict[str, Any], threshold: float, signal: float, background: float
) -> None:
    (row,) = [row for row in found["thresholds"] if row["threshold"] == threshold]
    assert (row["signal"]["value"], row["background"]["value"]) == (signal, background)
    assert (row["signal_events"], row["background_events"]) == (4 * signal, 8 * background)


def test_signal_at_fixed_background(found: dict[str, Any]) -> None:
    """Only the tightest of five cuts leaves less than 10 % of background: a fourth of the signal."""
    assert [row["signal"] for row in found["background_efficiencies"]["unseen"]] == [0.25, 0.25, 0.25]


def test_histograms_and_profile(found: dict[str, Any]) -> None:
    histograms = found["histograms"]
    assert len(histograms["edges"]) == evaluation.BINS + 1
    for label, expected in (("signal", {7: 1, 23: 2, 24: 1}), ("background", {3: 4, 7: 2, 23: 2})):
        filled = np.array(histograms["unseen"][label])
        assert {int(i): int(filled[i]) for i in np.flatnonzero(filled)} == expected  # bins of 0.04
    # 20, 40, 60 and 80 GeV at 0.15; two events elsewhere are too few for a mean.
    (point,) = found["profile"]
    assert (point["low"], point["high"], point["events"], point["mean"]) == (0.1, 0.2, 4, 50)
    assert point["error"] == pytest.approx(np.sqrt(30**2 + 10**2 + 10**2 + 30**2) / 4)


def test_correlation_before_and_after_the_preselection(found: dict[str, Any]) -> None:
    rows = {(row["selection"], row["where"]): row for row in found["correlation"]}
    assert list(dict.fromkeys(where for _, where in rows)) == ["inclusive", "mumu", "mumu_OS", "mumu_SS"]
    scores = SCORES[BACKGROUND]
    every = rows["all", "inclusive"]
    assert every["events"] == 8
    assert every["pearson"]["value"] == pytest.approx(np.corrcoef(M_L1_SV[4:], scores)[0, 1], abs=1e-3)
    # Scores above 0.2 at 30, 50, 9 and 70 GeV, of which 9 is below 10 GeV.
    assert rows["preselected", "inclusive"]["events"] == 3
    assert rows["preselected", "mumu_SS"]["pearson"]["value"] is None  # of two events


def test_importance_is_that_of_the_feature_in_use(found: dict[str, Any]) -> None:
    assert found["importance"] == {"useful": pytest.approx(1), "idle": 0}
    assert list(found["importance"]) == ["useful", "idle"]


def test_each_event_is_judged_by_the_model_without_it(model: xgboost.Booster, sample: TrainingSample) -> None:
    """The model for fold 2 turns the order round: it is heard there, and as one of two in 'train' elsewhere."""
    turned = booster(1 - SCORES)
    of_folds = sample.fold == 2
    chosen = replace(
        sample,
        fold=np.where(of_folds, np.int8(2), np.int8(0)),
        weight=np.where(of_folds, 1.0, 0.0) + np.where(of_folds, 0.0, 1e-9),
    )
    mixed = evaluation.evaluate([model, model, turned], NAMES, chosen)
    straight = evaluation.evaluate([model] * 3, NAMES, chosen)
    assert mixed["auc"]["unseen"]["value"] == pytest.approx(1 - straight["auc"]["unseen"]["value"], abs=1e-6)
    assert mixed["auc"]["train"]["value"] == pytest.approx(straight["auc"]["train"]["value"], abs=1e-6)


def test_without_signal_nothing_is_estimated(model: xgboost.Booster, sample: TrainingSample) -> None:
    """None in the place of a number, and empty curves: JSON has no NaN."""
    rows = ~sample.is_signal
    arrays = {name: value[rows] for name, value in vars(sample).items() if isinstance(value, np.ndarray)}
    found = evaluation.evaluate([model] * 3, NAMES, replace(sample, **arrays))
    assert found["auc"]["unseen"] == {"value": None, "error": None}
    assert (found["masses"], found["background_efficiencies"]["unseen"]) == ({}, [])
    assert found["roc"]["unseen"] == {"background": [], "signal": []}
