"""The stages `train` and `score`, from an output folder to an output folder."""

import json
from pathlib import Path

import numpy as np
import pytest
import synthetic

from hnl import layout
from hnl.errors import InputError
from hnl.ml import models, scoring
from hnl.ml.learning import Trained
from hnl.ml.models import ClassifierError
from hnl.ml.sample import NoCandidatesError, NoTrainingSignalError
from hnl.processors import selection as selections
from hnl.processors.displaced import columns
from hnl.processors.rows import Candidates, passing
from hnl.report import learning_tables
from hnl.stages import score, train
from hnl.stages.run import Run
from hnl.terminal import lines

ALL = ["electron_low", "electron_high", "muon_low", "muon_high"]


def _bytes(folder: Path, pattern: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob(pattern))}


def test_everything_is_trained_and_evaluated(trained: tuple[Path, Trained]) -> None:
    out, result = trained
    assert list(result.metrics) == ALL
    assert (result.skipped, result.reused) == ({}, ())
    assert len(list((out / "models").glob("*.ubj"))) == 12
    for of in result.metrics.values():
        area = of["auc"]
        assert area["train"]["value"] > area["unseen"]["value"] > 0.9  # the made-up samples differ a lot
        assert abs(area["test"]["value"] - area["unseen"]["value"]) < 4 * area["test"]["error"] + 0.01
        assert sum(of["importance"].values()) == pytest.approx(1)
        background = sum(of["counts"]["background"].values())
        assert of["thresholds"][0]["background_events"] < background
        assert sum(np.diff(of["roc"]["unseen"]["signal"])) == pytest.approx(1)
    assert list(json.loads((out / "models" / "evaluation.json").read_text())["metrics"]) == ALL


def test_the_tables_can_be_printed(trained: tuple[Path, Trained]) -> None:
    text = ""
    for table in learning_tables.of_training(trained[1]):
        heading, rows = lines(table, 80, breaks=False)
        assert max(map(len, [table.title, *heading, *rows])) <= 80
        text += "\n".join([*heading, *rows])
    for words in (*ALL, "mumu_OS", "m_N = 15 GeV", "0.998", "preselected"):
        assert words in text


def test_training_and_scoring_again_gives_the_same_bits(trained: tuple[Path, Trained], tmp_path: Path) -> None:
    """In another folder, with the datasets in another order and one thread; in the same folder nothing is redone."""
    out, _ = trained
    other = synthetic.write(tmp_path, synthetic.standard(400)[::-1])
    train.run(Run(other), settings=synthetic.QUICK, workers=1)
    score.run(Run(other))
    for folder, pattern in ((layout.MODELS, "*.ubj"), (layout.SCORES, "*.parquet")):
        first = _bytes(out / folder, pattern)
        assert first
        assert _bytes(other / folder, pattern) == first
    planned: list[int] = []
    again = train.run(Run(other), settings=synthetic.QUICK, on_plan=planned.append)
    assert (planned, again.reused) == ([0], tuple(ALL))
    done: list[str] = []
    settings = synthetic.QUICK.model_copy(update={"seed": 5, "without": ("sv_p_angle",)})
    changed = train.run(Run(other), settings=settings, on_model=done.append)
    assert "sv_p_angle" not in changed.metrics["muon_low"]["importance"]
    assert changed.reused == ()
    assert sorted(done) == sorted(ALL * 3)


def test_training_sees_nominal_alone(trained: tuple[Path, Trained], tmp_path: Path) -> None:
    """Rows of a variation of jet energies change no model; they are scored, and change no other score."""
    out, _ = trained

    def with_variation(rows: Candidates) -> Candidates:
        shifted = rows | {"passes": 2 * rows["passes"], "jet_pt": np.float32(1.3) * rows["jet_pt"]}
        return {name: np.concatenate([rows[name], shifted[name]]) for name in rows}

    other = synthetic.write(tmp_path, [(d, c if d.is_data else with_variation(c)) for d, c in synthetic.standard(400)])
    train.run(Run(other), settings=synthetic.QUICK, workers=2)
    assert _bytes(other / layout.MODELS, "*.ubj") == _bytes(out / layout.MODELS, "*.ubj")
    counts = score.run(Run(other))
    selection, alone = selections.load(other), selections.load(out)
    for dataset in selection.catalogue.datasets:
        name = dataset.name
        rows, candidates = selection.rows(name), alone.candidates(name)
        nominal = passing(rows, 0)
        assert counts[name]["candidates"] == nominal.sum() == len(candidates["event"])
        assert dataset.is_data or len(rows["event"]) == 2 * nominal.sum()
        both = scoring.read(other, name, rows), scoring.read(out, name, candidates)
        for with_rows, without in zip(*both, strict=True):
            np.testing.assert_array_equal(with_rows[nominal], without)
            assert dataset.is_data or (with_rows[~nominal] != without).any()


def test_muon_couplings_alone_train_no_electron_classifier(tmp_path: Path) -> None:
    datasets = [
        (synthetic.signal("hnl", 8, v2_e=0.0), synthetic.candidates(300, mass=8)),
        (synthetic.background("wjets", "wjets"), synthetic.candidates(300)),
    ]
    out = synthetic.write(tmp_path, datasets)
    result = train.run(Run(out), settings=synthetic.QUICK)
    assert list(result.metrics) == ["muon_high"]
    assert result.skipped["electron_high"] == "no signal of the catalogue couples to the electron"
    assert result.skipped["muon_low"] == "the catalogue has no signal with m_N <= 5 GeV"
    score.run(Run(out))
    candidates = datasets[1][1]
    low, high = scoring.read(out, "wjets", candidates)
    assert np.isnan(low).all()
    np.testing.assert_array_equal(np.isnan(high), ~np.isin(candidates["category"], (2, 3, 4, 5)))


def test_eras_before_and_after_the_new_pixel_detector_are_trained_apart(tmp_path: Path) -> None:
    datasets = []
    for seed, year in enumerate(("2016", "2017", "2018")):
        datasets += [
            (synthetic.signal(f"hnl_{year}", 8, era=year), synthetic.candidates(240, mass=8, seed=seed)),
            (synthetic.background(f"w_{year}", "wjets", era=year), synthetic.candidates(240, seed=9 + seed)),
        ]
    out = synthetic.write(tmp_path, datasets, years=(2016, 2017, 2018))
    result = train.run(Run(out), settings=synthetic.QUICK)
    assert set(result.metrics) == {
        f"{flavour}_high_{era}" for flavour in ("electron", "muon") for era in ("2016", "2017-18")
    }
    of_later = models.read_card(out / "models", "muon_high_2017-18")
    assert set(of_later["candidates"]) == {"hnl_2017", "hnl_2018", "w_2017", "w_2018"}
    score.run(Run(out))
    early = models.load(out / "models", "muon_high_2016")
    for (dataset, candidates), matches in zip(datasets, [True] * 2 + [False] * 4, strict=True):
        high = scoring.read(out, dataset.name, candidates)[1]
        assert np.isfinite(high).all()
        by_early = scoring.score(early, candidates, "x")
        muon = np.isfinite(by_early)
        assert np.array_equal(high[muon], by_early[muon]) == matches


def test_models_of_other_candidates_are_refused_unless_asked_for(trained: tuple[Path, Trained], tmp_path: Path) -> None:
    datasets = synthetic.standard(400)
    datasets[4] = (datasets[4][0], synthetic.candidates(700, seed=77))
    other = synthetic.write(tmp_path, datasets)
    with pytest.raises(ClassifierError, match="has no model electron_low"):
        score.run(Run(other))
    (tmp_path / "models").symlink_to(trained[0] / "models")
    with pytest.raises(ClassifierError, match=r"was trained with other candidates of wjets; run hnl train again"):
        score.run(Run(other))
    counts = score.run(Run(other), models_folder=trained[0] / "models")
    assert counts["wjets"] == {"candidates": 700, "score_low": 700, "score_high": 700}
    assert len(scoring.read(other, "wjets", datasets[4][1])[0]) == 700


def test_nothing_to_work_with(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no finished selection"):
        train.run(Run(tmp_path / "nothing"))
    empty = [(dataset, columns.empty()) for dataset, _ in synthetic.standard(12)]
    with pytest.raises(NoCandidatesError, match="has no candidates at all"):
        train.run(Run(synthetic.write(tmp_path / "empty", empty)))
    no_signal = synthetic.write(tmp_path / "no_signal", synthetic.standard(40)[4:])
    with pytest.raises(NoTrainingSignalError, match="the catalogue has no signal with m_N <= 5 GeV"):
        train.run(Run(no_signal))
    with pytest.raises(ClassifierError, match="the catalogue has no signal"):
        score.run(Run(no_signal))
