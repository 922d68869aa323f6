"""Which model scores an event, and scores on disk."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import synthetic

from hnl import layout
from hnl.ml import folds, models, scoring
from hnl.ml.displaced import features
from hnl.ml.displaced.features import FeatureError
from hnl.ml.learning import Trained
from hnl.ml.scoring import NoScoresError, ScoreError
from hnl.processors import selection as selections


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
    """For QCD and signals of the other hypothesis too, although no model knows them; data by the mean."""
    selection = selections.load(out)
    candidates = selection.candidates(dataset)
    high = scoring.read(out, dataset, candidates)[1]
    model = models.load(out / layout.MODELS, "muon_high")
    matrix = features.matrix(model.features, candidates, dataset)
    fold = folds.assign_folds(candidates)
    for row in np.flatnonzero(model.training.applies_to(candidates["category"]))[:40]:
        each = [float(booster.inplace_predict(matrix[row : row + 1])[0]) for booster in model.boosters]
        alone = dataset != "pseudodata" and fold[row] != folds.TEST
        assert high[row] == np.float32(each[fold[row]] if alone else np.mean(each))


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
        scoring.score(model, synthetic.candidates(30, particles=False), "old", is_data=False)


def test_no_candidates_have_no_scores(out: Path) -> None:
    model = models.load(out / layout.MODELS, "muon_high")
    assert len(scoring.score(model, synthetic.columns.empty(), "x", is_data=False)) == 0
