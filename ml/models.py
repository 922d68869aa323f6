"""Models on disk: one UBJSON file for each of the three, and a JSON card that vouches for them. No pickle."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import xgboost

from hnl import provenance
from hnl.errors import InputError
from hnl.ml import folds
from hnl.ml.displaced import features as feature_table
from hnl.ml.displaced.features import Feature, FeatureError
from hnl.ml.displaced.trainings import Training
from hnl.ml.training import Fitted

FORMAT = 1  # of the card; raised when its meaning changes


class ModelError(InputError):
    """A model or its card is missing, broken, or does not fit the features of this code."""


@dataclass(frozen=True)
class Model:
    """A classifier: three boosters, by the fold that each knows nothing of, and what its card says."""

    training: Training
    features: tuple[Feature, ...]
    boosters: tuple[xgboost.Booster, ...]
    card: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 that stands for the three files."""
        return provenance.digest([entry["sha256"] for entry in self.card["models"]])


def card_path(folder: Path, name: str) -> Path:
    """The card of a training."""
    return folder / f"{name}.json"


def write(
    folder: Path, training: Training, features: Sequence[Feature], fitted: Sequence[Fitted], facts: Mapping[str, Any]
) -> Model:
    """Writes models, then the card.

    Args:
        folder: made if needed.
        training: the classifier.
        features: in the order of the columns that it was trained with.
        fitted: by fold.
        facts: further entries of the card: settings, candidates, metrics, ...

    Returns:
        What `load` would return.
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
    return Model(training, tuple(features), tuple(model.booster for model in fitted), card)


def read_card(folder: Path, name: str) -> dict[str, Any]:
    """The card of a training.

    Raises:
        ModelError: there is none, or it is not a card of this version.
    """
    path = card_path(folder, name)
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{folder} has no model {name} (no {path.name}): run hnl train first") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"the model card {path} cannot be read: {error}; run hnl train again") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ModelError(f"{path} is not a model card of format {FORMAT}; run hnl train again")
    return card


def load(folder: Path, name: str) -> Model:
    """Reads a classifier.

    Args:
        folder: with the card and the files that it names.
        name: of the training.

    Raises:
        ModelError: a file is missing, broken, or not the one that the card describes.
        FeatureError: the model wants a feature that does not exist, or one whose definition changed; named.
    """
    card = read_card(folder, name)
    path = card_path(folder, name)
    features = _checked(path, lambda: _features(path, card))
    training = _checked(path, lambda: Training(**card["training"]))
    boosters = _checked(path, lambda: [_booster(folder, entry, features) for entry in _by_fold(card)])
    return Model(training, features, tuple(boosters), card)


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
        raise ModelError(f"cannot read the model {path}: {error.strerror}; run hnl train again") from error
    if hashlib.sha256(raw).hexdigest() != entry["sha256"]:
        raise ModelError(f"{path} is broken: it is not the file that its card describes; run hnl train again")
    try:
        booster = xgboost.Booster({"nthread": 1, "verbosity": 0})
        booster.load_model(bytearray(raw))
    except xgboost.core.XGBoostError as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} is not a model that XGBoost {xgboost.__version__} can read: {reason}") from error
    known, wanted = booster.feature_names or [], [feature.name for feature in features]
    for i in range(max(len(known), len(wanted))):
        mine, card = (names[i] if i < len(names) else "nothing" for names in (known, wanted))
        if mine != card:
            raise FeatureError(f"{path}: feature {i} of the model is '{mine}', of its card '{card}'")
    return booster


def _checked(path: Path, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the model card {path} is broken: {error!r}; run hnl train again") from error


def _fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)
