"""Models on disk."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic

from hnl import layout
from hnl.ml import models, scoring
from hnl.ml.displaced import features
from hnl.ml.displaced.features import FeatureError
from hnl.ml.learning import Trained
from hnl.ml.models import ClassifierError

NAME = "muon_high"


@pytest.fixture
def folder(trained: tuple[Path, Trained], tmp_path: Path) -> Path:
    """A copy of the models to break."""
    return Path(shutil.copytree(trained[0] / layout.MODELS, tmp_path / "models"))


def _edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = models.card_path(folder, NAME)
    card = json.loads(path.read_text())
    change(card)
    path.write_text(json.dumps(card))


def test_the_card_says_what_made_the_model(folder: Path) -> None:
    card = models.read_card(folder, NAME)
    assert card["features"] == [f.name for f in features.of_flavour("muon")]
    assert [entry["held_out_fold"] for entry in card["models"]] == [0, 1, 2]
    assert set(card["candidates"]) == {"hnl_m8", "hnl_m15", "wjets", "ttbar"}  # not QCD, data, low masses
    assert card["parameters"]["seed"] == synthetic.QUICK.seed
    assert card["masses"] == {"hnl_m8": 8.0, "hnl_m15": 15.0}
    assert set(card["folds"]["signal"]) == {"test", "fold 0", "fold 1", "fold 2"}
    assert 0.5 < card["metrics"]["auc"]["test"]["value"] <= 1.01
    assert {"hnl", "xgboost", "ml"} == set(card["code"])


def test_a_model_that_was_read_back_scores_as_before(folder: Path) -> None:
    candidates = synthetic.candidates(100, mass=8, seed=99)
    first, second = (scoring.score(models.load(folder, NAME), candidates, "x") for _ in range(2))
    np.testing.assert_array_equal(first, second)
    muon = np.isin(candidates["category"], (2, 3, 4, 5))
    np.testing.assert_array_equal(np.isnan(first), ~muon)


def test_broken_models_are_refused(folder: Path) -> None:
    with pytest.raises(ClassifierError, match=r"has no model tau_low .*run hnl train first"):
        models.load(folder, "tau_low")
    path = folder / f"{NAME}_fold1.ubj"
    raw = path.read_bytes()
    path.write_bytes(raw[:-5] + b"xxxxx")
    with pytest.raises(ClassifierError, match=r"fold1.ubj is broken: it is not the file that its card describes"):
        models.load(folder, NAME)
    path.unlink()
    with pytest.raises(ClassifierError, match=r"cannot read the model .*fold1.ubj"):
        models.load(folder, NAME)


def test_a_file_that_is_no_model_is_refused_even_if_the_card_knows_it(folder: Path) -> None:
    import hashlib

    (folder / f"{NAME}_fold1.ubj").write_bytes(b"{}")
    _edit(folder, lambda card: card["models"][1].update(sha256=hashlib.sha256(b"{}").hexdigest()))
    with pytest.raises(ClassifierError, match="is not a model that XGBoost"):
        models.load(folder, NAME)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda card: card["features"].__setitem__(3, "l3_pt"), FeatureError, "unknown feature 'l3_pt'"),
        (lambda card: card.update(features_digest="0"), FeatureError, "the definition of a feature changed"),
        (lambda card: card.pop("models"), ClassifierError, "card .* is broken: KeyError"),
        (lambda card: card.update(features=7), ClassifierError, "card .* is broken: TypeError"),
        (lambda card: card.update(models=card["models"][:2]), ClassifierError, "card .* is broken: .*2 models"),
        (lambda card: card.update(format=0), ClassifierError, "not a model card of format 1"),
    ],
)
def test_broken_cards_are_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], error: type[Exception], message: str
) -> None:
    _edit(folder, change)
    with pytest.raises(error, match=message):
        models.load(folder, NAME)


def test_a_feature_that_differs_between_model_and_card_is_named(folder: Path) -> None:
    def swap(card: dict[str, Any]) -> None:
        card["features"][0], card["features"][1] = card["features"][1], card["features"][0]
        card["features_digest"] = features.digest(features.named(card["features"]))

    _edit(folder, swap)
    with pytest.raises(FeatureError, match="feature 0 of the model is 'l2_pt', of its card 'l2_abs_eta'"):
        models.load(folder, NAME)


def test_a_card_that_is_no_json_is_refused(folder: Path) -> None:
    models.card_path(folder, NAME).write_text("{")
    with pytest.raises(ClassifierError, match="cannot be read"):
        models.load(folder, NAME)
