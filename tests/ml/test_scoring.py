"""Which model scores an event, and scores on disk."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import synthetic
from scipy.stats import ks_2samp

from hnl import layout
from hnl.ml import folds, models, scoring
from hnl.ml.displaced import features
from hnl.ml.displaced.features import FeatureError
from hnl.ml.learning import Trained
from hnl.ml.scoring import NoScoresError, ScoreError
from hnl.processors import selection as selections
from hnl.stages import score
from hnl.stages.run import Run


@pytest.fixture
def out(trained: tuple[Path, Trained], tmp_path: Path) -> Path:
    """A copy of the folder to break."""
    return Path(shutil.copytree(trained[0], tmp_path / "out"))


def test_the_unseen_score_by_hand() -> None:
    each = np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [0.0, 0.1, 0.8, 0.9]], dtype=np.float32)
    found = scoring.unseen(each, np.array([0, 1, 2, folds.TEST], dtype=np.int8))
    np.testing.assert_allclose(found, [0.1, 0.6, 0.8, 0.7], rtol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize("dataset", ["hnl_m8", "wjets", "qcd_mu", "hnl_m2", "pseudodata"])
def test_each_event_is_scored_by_the_model_that_does_not_know_it(out: Path, dataset: str) -> None:
    """For QCD, signals of the other hypothesis and data too, although no model knows them."""
    selection = selections.load(out)
    candidates = selection.candidates(dataset)
    high = scoring.read(out, dataset, candidates)[1]
    model = models.load(out / layout.MODELS, "muon_high")
    matrix = features.matrix(model.features, candidates, dataset)
    fold = folds.assign_folds(candidates)
    for row in np.flatnonzero(model.training.applies_to(candidates["category"]))[:40]:
        each = [float(booster.inplace_predict(matrix[row : row + 1])[0]) for booster in model.boosters]
        assert high[row] == np.float32(np.mean(each) if fold[row] == folds.TEST else each[fold[row]])


def test_data_and_simulation_have_one_score(out: Path, tmp_path: Path) -> None:
    """The halves of a sample of signal-like events, one of them called data: the distributions agree.

    With the mean of the three models for data, the score above which a tenth of the signal lies was another one.
    """
    rows = synthetic.candidates(6000, mass=8, seed=11)
    first, second = ({name: column[half::2] for name, column in rows.items()} for half in (0, 1))
    other = synthetic.write(tmp_path / "other", [(synthetic.data("half"), first), (synthetic.signal("h", 8), second)])
    score.run(Run(other), models_folder=out / layout.MODELS)
    of_data, of_simulation = (
        scoring.read(other, name, selections.load(other).candidates(name))[1] for name in ("half", "h")
    )
    assert ks_2samp(of_data, of_simulation).pvalue > 0.01
    above = np.quantile(of_simulation, 0.9)
    assert (of_data > above).mean() == pytest.approx(0.1, abs=3 * np.sqrt(2 * 0.1 * 0.9 / 3000))
    same = synthetic.write(tmp_path / "same", [(synthetic.data("half"), first), (synthetic.signal("h", 8), first)])
    score.run(Run(same), models_folder=out / layout.MODELS)
    twice = [scoring.read(same, name, selections.load(same).candidates(name))[1] for name in ("half", "h")]
    np.testing.assert_array_equal(*twice)


def test_every_candidate_has_both_scores(out: Path) -> None:
    selection = selections.load(out)
    for dataset in selection.catalogue.datasets:
        candidates = selection.candidates(dataset.name)
        low, high = scoring.read(out, dataset.name, candidates)
        for one in (low, high):
            assert one.dtype == np.float32
            assert len(one) == len(candidates["event"])
            assert ((one >= 0) & (one <= 1)).all()
        assert np.abs(low - high).max() > 0.05


def test_no_scores_yet(out: Path) -> None:
    candidates = selections.load(out).candidates("wjets")
    shutil.rmtree(out / layout.SCORES)
    with pytest.raises(NoScoresError, match=r"holds no scores of wjets .*run hnl score first"):
        scoring.read(out, "wjets", candidates)


def test_scores_of_other_candidates_are_refused(out: Path) -> None:
    candidates = selections.load(out).candidates("wjets")
    other = candidates | {"m_sv": candidates["m_sv"] + 1}
    with pytest.raises(ScoreError, match="are of other candidates of wjets"):
        scoring.read(out, "wjets", other)
    shuffled = {name: column[::-1] for name, column in candidates.items()}
    with pytest.raises(ScoreError, match="are of other candidates of wjets"):
        scoring.read(out, "wjets", shuffled)


def test_scores_in_another_order_are_refused(out: Path) -> None:
    candidates = selections.load(out).candidates("wjets")
    parquet, _ = scoring.paths(out, "wjets")
    table = pq.read_table(parquet)
    pq.write_table(table.take(np.arange(len(table))[::-1]), parquet)
    with pytest.raises(ScoreError, match="not in the order of the candidates"):
        scoring.read(out, "wjets", candidates)
    pq.write_table(table.slice(1), parquet)
    with pytest.raises(ScoreError, match="not in the order of the candidates"):
        scoring.read(out, "wjets", candidates)
    parquet.write_bytes(parquet.read_bytes()[:100])
    with pytest.raises(ScoreError, match="are broken"):
        scoring.read(out, "wjets", candidates)


def test_scores_of_other_models_are_refused(out: Path) -> None:
    candidates = selections.load(out).candidates("wjets")
    path = models.card_path(out / layout.MODELS, "electron_low")
    card = json.loads(path.read_text())
    card["models"][0]["sha256"] = "0" * 64
    path.write_text(json.dumps(card))
    with pytest.raises(ScoreError, match="are of another model electron_low than the one in"):
        scoring.read(out, "wjets", candidates)


def test_candidates_without_a_feature_of_the_model_are_refused(out: Path) -> None:
    model = models.load(out / layout.MODELS, "muon_high")
    with pytest.raises(FeatureError, match="dataset old: its files have no 'l2_pixel_hits', which the model muon_high"):
        scoring.score(model, synthetic.candidates(30, particles=False), "old")


def test_no_candidates_have_no_scores(out: Path) -> None:
    model = models.load(out / layout.MODELS, "muon_high")
    assert len(scoring.score(model, synthetic.columns.empty(), "x")) == 0
