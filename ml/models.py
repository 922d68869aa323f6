"""Models on disk: one UBJSON file per fold, and a JSON card with their fingerprints. No pickle."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import xgboost

from hnl import provenance
from hnl.errors import InputError
from hnl.ml import folds
from hnl.ml.displaced import features as feature_table
from hnl.ml.displaced.features import Feature, FeatureError
from hnl.ml.displaced.trainings import Training
from hnl.ml.training import FittedClassifier

FORMAT = 1  # of the card; raised when its meaning changes

Part = TypeVar("Part")  # what is read of a card


class ClassifierError(InputError):
    """A model or its card is missing, broken, or does not match the features of this code."""


@dataclass(frozen=True)
class Classifier:
    """A classifier: three boosters, by the fold that is held out of their training, and its card."""

    training: Training
    features: tuple[Feature, ...]
    boosters: tuple[xgboost.Booster, ...]
    card: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Fingerprint of the three files (SHA-256)."""
        return provenance.digest([entry["sha256"] for entry in self.card["models"]])


def card_path(folder: Path, name: str) -> Path:
    """The card of a training."""
    return folder / f"{name}.json"


def write(
    folder: Path,
    training: Training,
    features: Sequence[Feature],
    fitted: Sequence[FittedClassifier],
    facts: Mapping[str, object],
) -> Classifier:
    """Writes the models, then the card.

    Args:
        folder: folder of the models, made if needed.
        training: the classifier.
        features: features in the order of the columns in the training.
        fitted: boosters by fold.
        facts: further entries of the card: settings, candidates, metrics, ...

    Returns:
        The classifier, as `load` would return it.
    """
    card_path(folder, training.name).unlink(missing_ok=True)
    entries = []
    for model in fitted:
        raw = bytes(model.booster.save_raw("ubj"))
        file = f"{training.name}_fold{model.held_out}.ubj"
        provenance.write(folder / file, partial(_fill, content=raw))
        entries.append(
            {
                "file": file,
                "held_out_fold": model.held_out,
                "rounds": model.rounds,
                "sha256": hashlib.sha256(raw).hexdigest(),
            }
        )
    card = {
        "format": FORMAT,
        "name": training.name,
        "training": {"flavour": training.flavour, "hypothesis": training.hypothesis, "group": training.group},
        "features": [feature.name for feature in features],
        "features_digest": feature_table.digest(features),
        "models": entries,
        **facts,
    }
    provenance.write_json(card_path(folder, training.name), card)
    return Classifier(training, tuple(features), tuple(model.booster for model in fitted), card)


def read_card(folder: Path, name: str) -> dict[str, Any]:
    """The card of a training.

    Raises:
        ClassifierError: there is no card, or it is not a card of this version.
    """
    path = card_path(folder, name)
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ClassifierError(f"{folder} has no model {name} (no {path.name}): run hnl train first") from None
    except (OSError, ValueError) as error:
        raise ClassifierError(f"the model card {path} cannot be read: {error}; run hnl train again") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ClassifierError(f"{path} is not a model card of format {FORMAT}; run hnl train again")
    return card


def load(folder: Path, name: str) -> Classifier:
    """Reads a classifier.

    Args:
        folder: folder of the card and the files that it names.
        name: name of the training.

    Raises:
        ClassifierError: a file is missing, broken, or not the one that the card describes.
        FeatureError: a feature of the model does not exist or has another definition; the message names it.
    """
    card = read_card(folder, name)
    path = card_path(folder, name)
    features = _checked(path, lambda: _features(path, card))
    training = _checked(path, lambda: Training(**card["training"]))
    boosters = _checked(path, lambda: [_booster(folder, entry, features) for entry in _by_fold(card)])
    return Classifier(training, features, tuple(boosters), card)


def _features(path: Path, card: Mapping[str, Any]) -> tuple[Feature, ...]:
    try:
        features = feature_table.named(card["features"])
    except FeatureError as error:
        raise FeatureError(f"{path}: {error}") from None
    if feature_table.digest(features) != card["features_digest"]:
        raise FeatureError(
            f"{path}: the definition of a feature changed since this model was trained; run hnl train again"
        )
    return features


def _by_fold(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = card["models"]
    if [entry["held_out_fold"] for entry in entries] != list(range(folds.N_FOLDS)):
        raise TypeError(f"it names {len(entries)} models instead of one for each fold")
    return entries


def _booster(folder: Path, entry: Mapping[str, Any], features: Sequence[Feature]) -> xgboost.Booster:
    path = folder / entry["file"]
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ClassifierError(f"cannot read the model {path}: {error.strerror}; run hnl train again") from error
    if hashlib.sha256(raw).hexdigest() != entry["sha256"]:
        raise ClassifierError(f"{path} is broken: it is not the file that its card describes; run hnl train again")
    try:
        booster = xgboost.Booster({"nthread": 1, "verbosity": 0})
        booster.load_model(bytearray(raw))
    except xgboost.core.XGBoostError as error:
        reason = str(error).splitlines()[0]
        raise ClassifierError(f"{path} is not a model that XGBoost {xgboost.__version__} can read: {reason}") from error
    in_model, in_card = booster.feature_names or [], [feature.name for feature in features]
    for i in range(max(len(in_model), len(in_card))):
        of_model, of_card = (names[i] if i < len(names) else "nothing" for names in (in_model, in_card))
        if of_model != of_card:
            raise FeatureError(f"{path}: feature {i} of the model is '{of_model}', of its card '{of_card}'")
    return booster


def _checked(path: Path, read: Callable[[], Part]) -> Part:
    try:
        return read()
    except (KeyError, TypeError, AttributeError) as error:
        raise ClassifierError(f"the model card {path} is broken: {error!r}; run hnl train again") from error


def _fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)
