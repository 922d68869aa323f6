"""Fold bookkeeping, weights, leakage and reproducibility."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import synthetic
from pydantic import ValidationError
from synthetic import QUICK

from hnl.ml import folds, sample, scoring, statistics, training, tuning
from hnl.ml.displaced import features
from hnl.ml.displaced.trainings import Training
from hnl.ml.sample import (
    NoTrainingBackgroundError,
    NoTrainingSignalError,
    OneClassError,
    TrainingSample,
    TrainingSource,
    TrainingWeightError,
)
from hnl.ml.settings import Settings
from hnl.ml.training import DeviceError
from hnl.processors.displaced import columns

MUON_HIGH = Training("muon", "high")
NAMES = ["l2_pt", "m_sv", "sv_p_angle", "jet_n_constituents", "l2_rel_iso"]


def sources(n: int = 300, seed: int = 0) -> list[TrainingSource]:
    """Two masses and two backgrounds."""
    make = synthetic.candidates
    return [
        TrainingSource(synthetic.signal("m8", 8), make(n, mass=8, seed=seed + 1, reseeds=3), 0.01, ""),
        TrainingSource(synthetic.signal("m15", 15), make(n // 3, mass=15, seed=seed + 2), 0.02, ""),
        TrainingSource(synthetic.background("w", "wjets"), make(2 * n, seed=seed + 3, negative=0.2), 2.0, ""),
        TrainingSource(synthetic.background("t", "ttbar"), make(n, seed=seed + 4), 1.0, ""),
    ]


def built(found: list[TrainingSource] | None = None) -> TrainingSample:
    return sample.build(MUON_HIGH, sources() if found is None else found, features.named(NAMES))


def fitted(s: TrainingSample, settings: Settings = QUICK, workers: int = 2) -> list[training.FittedClassifier]:
    return training.fit_all([(s, "x", NAMES, settings, fold) for fold in range(3)], workers)


def raw(models: list[training.FittedClassifier]) -> list[bytes]:
    return [bytes(model.booster.save_raw("ubj")) for model in models]


def unseen(s: TrainingSample, models: list[training.FittedClassifier]) -> np.ndarray:
    return scoring.unseen(scoring.each_model([model.booster for model in models], s.features), s.fold)


def test_a_sample_by_hand() -> None:
    found = sources(40)
    s = built(found)
    expected = []  # (dataset, event) of muons, by dataset name and event number
    for index, source in enumerate(sorted(found, key=lambda one: one.dataset.name)):
        c = source.candidates
        muon = np.isin(c["category"], (2, 3, 4, 5))  # mumu and emu
        expected += [(index, m) for m in c["m_l1_sv"][muon].tolist()]
    assert list(zip(s.dataset.tolist(), s.m_l1_sv.tolist(), strict=True)) == expected
    assert s.datasets == ("m15", "m8", "t", "w")
    np.testing.assert_array_equal(s.is_signal, s.dataset < 2)
    assert set(s.mass[s.dataset == 0]) == {15.0}
    assert np.isnan(s.mass[s.dataset == 2]).all()
    np.testing.assert_allclose(np.abs(s.weight[s.dataset == 3]), 2.0)
    assert {*s.category.tolist()} <= {2, 3, 4, 5}


def test_re_simulations_are_one_cluster_and_datasets_never_are() -> None:
    s = built()
    for dataset in range(4):
        mine = s.generator_event[s.dataset == dataset]
        others = s.generator_event[s.dataset != dataset]
        assert not set(mine) & set(others)
    of_m8 = s.generator_event[s.dataset == 1]
    assert len(np.unique(of_m8)) < 0.8 * len(of_m8)


def test_each_model_is_trained_without_its_fold_and_the_test_set(monkeypatch: pytest.MonkeyPatch) -> None:
    s = built()
    used: list[np.ndarray] = []
    original = training._matrix
    monkeypatch.setattr(training, "_matrix", lambda s, rows, *rest: (used.append(rows), original(s, rows, *rest))[1])
    training.fit(s, "x", NAMES, QUICK, 1)
    zero, two = (np.flatnonzero(s.fold == fold).tolist() for fold in (0, 2))
    assert [rows.tolist() for rows in used] == [zero, two, two, zero, sorted(zero + two)]


def test_weights_of_signal_and_background() -> None:
    s = built()
    rows = np.flatnonzero(s.fold == 0)
    weight = training.balanced(s, rows, "x")
    signal, mass = s.is_signal[rows], s.mass[rows]
    n_background = (~signal).sum()
    assert weight.min() > 0
    assert weight[~signal].sum() == pytest.approx(n_background)
    assert weight[mass == 8].sum() == pytest.approx(n_background / 2)
    assert weight[mass == 15].sum() == pytest.approx(n_background / 2)
    w, t = (weight[s.dataset[rows] == i] for i in (3, 2))
    factor = 2.0 * _share_kept(sources()[2])
    np.testing.assert_allclose(w[0] / t[0], factor)


def _share_kept(source: TrainingSource) -> float:
    weight = source.candidates["gen_weight"]
    return float(weight.sum() / np.abs(weight).sum())


def test_a_process_keeps_its_expected_events_without_negative_weights() -> None:
    s = built()
    assert s.training_weight.min() >= 0
    assert s.weight.min() < 0
    everything = [sample.build(Training(flavour, "high"), sources(), []) for flavour in ("electron", "muon")]
    total = sum(one.training_weight[one.dataset == 3].sum() for one in everything)
    assert total == pytest.approx(2.0 * sources()[2].candidates["gen_weight"].sum())


def test_training_twice_gives_the_same_bits_whatever_the_order_and_the_threads() -> None:
    first = raw(fitted(built(), workers=1))
    shuffled = []
    for source in reversed(sources()):
        order = np.random.default_rng(3).permutation(len(source.candidates["event"]))
        shuffled.append(replace(source, candidates={k: v[order] for k, v in source.candidates.items()}))
    assert raw(fitted(built(shuffled), workers=2)) == first
    assert raw(fitted(built(), QUICK.model_copy(update={"seed": 1}))) != first


def test_the_label_of_an_own_fold_has_no_influence() -> None:
    """Leakage: with all labels of one fold flipped, its scores stay, to the bit. Those of other folds do not."""
    s = built()
    own, test = s.fold == 1, s.fold == folds.TEST
    flipped = _with_labels(s, s.is_signal ^ own)
    s = _with_labels(s, s.is_signal)
    before, after = unseen(s, fitted(s)), unseen(s, fitted(flipped))
    np.testing.assert_array_equal(before[own], after[own])
    assert np.abs(before - after)[~own & ~test].max() > 0.1
    again = unseen(s, fitted(_with_labels(s, s.is_signal ^ test)))
    np.testing.assert_array_equal(before, again)


def test_shuffled_labels_teach_nothing() -> None:
    s = built(sources(1000))
    s = replace(s, weight=np.ones(len(s.fold)), training_weight=np.ones(len(s.fold)))
    _, event = np.unique(s.generator_event, return_inverse=True)
    labels = np.random.default_rng(11).uniform(size=event.max() + 1) < 0.5  # reseeds keep one label
    s = _with_labels(s, labels[event])
    score = unseen(s, fitted(s))
    for rows in (s.fold == folds.TEST, s.fold >= 0):
        area = statistics.auc(score[rows], s.is_signal[rows], s.weight[rows], s.generator_event[rows])
        assert abs(area.value - 0.5) < 3 * area.error
        assert area.error < 0.06


def _with_labels(s: TrainingSample, is_signal: np.ndarray) -> TrainingSample:
    return replace(s, is_signal=is_signal, mass=np.where(is_signal, 8.0, np.nan), training_weight=np.abs(s.weight))


def test_unusable_samples_are_refused_in_words() -> None:
    found = sources()
    with pytest.raises(NoTrainingSignalError, match="training muon_high: no signal candidate"):
        built(found[2:])
    with pytest.raises(NoTrainingBackgroundError, match=r"no background candidate.*QCD does not count"):
        built([*found[:2], replace(found[2], dataset=synthetic.background("q", "qcd_mu"))])
    with pytest.raises(NoTrainingBackgroundError):
        built([*found[:2], replace(found[2], candidates=columns.empty())])
    negative = found[2].candidates | {"gen_weight": -found[2].candidates["gen_weight"]}
    with pytest.raises(TrainingWeightError, match=r"process wjets: the weights of its candidates add up to -"):
        built([*found[:2], replace(found[2], candidates=negative)])
    nan = found[2].candidates | {"gen_weight": np.full(600, np.nan)}
    with pytest.raises(TrainingWeightError, match="dataset w: a candidate has the weight nan"):
        built([*found[:2], replace(found[2], candidates=nan)])


def test_one_class_in_a_fold_is_refused() -> None:
    s = built()
    kept = ~((s.fold == 2) & s.is_signal)
    poor = TrainingSample(s.datasets, **{k: v[kept] for k, v in vars(s).items() if k != "datasets"})
    with pytest.raises(OneClassError, match=r"training x: fold 2 has 0 signal and [0-9]+ background candidates"):
        fitted(poor)
    nothing = replace(s, training_weight=np.where(s.is_signal, s.training_weight, 0.0))
    with pytest.raises(
        TrainingWeightError, match=r"training x: background: the weights of the [0-9]+ events .* add up to 0"
    ):
        fitted(nothing)


def test_which_dataset_trains_what() -> None:
    low = Training("muon", "low")
    signals = {mass: synthetic.signal("s", mass) for mass in (1, 5, 6, 20)}
    assert [low.trains_on(signals[mass]) for mass in (1, 5, 6, 20)] == [True, True, False, False]
    assert [MUON_HIGH.trains_on(signals[mass]) for mass in (1, 5, 6, 20)] == [False, False, True, True]
    assert low.trains_on(synthetic.background("w", "wjets"))
    assert not low.trains_on(synthetic.background("q", "QCD_Pt20"))
    assert not low.trains_on(synthetic.data())
    assert Training("electron", "low").categories == (0, 1, 6, 7)  # ee, mue


def test_features_that_a_dataset_cannot_have_are_left_out() -> None:
    found = sources(40)
    assert sample.usable(MUON_HIGH, found)[1] == {}
    without = TrainingSource(synthetic.data("old"), synthetic.candidates(40, particles=False), 1.0, "")
    usable, left_out = sample.usable(MUON_HIGH, [*found, without])
    assert left_out == dict.fromkeys(left_out, "old")
    assert set(left_out) == {f.name for f in features.FEATURES if f.needs == "jet_n_displaced"}
    assert not {f.name for f in usable} & set(left_out)
    assert sample.usable(MUON_HIGH, [*found, replace(without, group="2016")])[1] == {}


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    training.check_device("cpu")
    with pytest.raises(DeviceError, match="no device 'tpu'"):
        training.check_device("tpu")
    monkeypatch.setattr(training.xgboost, "build_info", lambda: {"USE_CUDA": False})
    with pytest.raises(DeviceError, match="has no CUDA"):
        training.check_device("cuda")


def test_cuda_without_a_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    if not training.xgboost.build_info().get("USE_CUDA") or Path("/dev/nvidia0").exists():
        pytest.skip("needs an XGBoost with CUDA on a machine without a GPU")
    with pytest.raises(DeviceError, match="finds no GPU"):
        training.check_device("cuda")


def test_settings_and_tuning_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="max_rounds"):
        Settings(max_rounds=0)
    with pytest.raises(features.FeatureError, match="unknown feature 'l1_pt'"):
        Settings(without=("m_sv", "l1_pt"))
    monkeypatch.setattr(tuning, "find_spec", lambda name: None)
    tuning.check(0)
    with pytest.raises(tuning.TuningError, match="--tune needs optuna"):
        tuning.check(3)
    with pytest.raises(tuning.TuningError, match="--tune -1"):
        tuning.check(-1)


def test_tuning_is_repeatable() -> None:
    pytest.importorskip("optuna")
    s = built()
    first, second = (tuning.tune(s, "x", NAMES, QUICK.model_copy(update={"max_rounds": 10}), 4) for _ in range(2))
    assert first == second
    assert first.parameters.subsample == QUICK.parameters.subsample
