"""Scores: by which model, and on disk next to the candidates.

An event is scored by the one model that knows nothing of its fold, an event of the test set, which no model knows, with
the mean of the three. The fold follows from the event's number alone (`folds`), so this holds for every sample, also
for those that trained nothing (QCD, signals of other masses), and for data. The paper takes the mean of the three for
data (section 5); that is another function of the event than what simulation is scored with, by up to 10 % of the signal
efficiency at thresholds above 0.99. Here data and simulation have one.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost

from hnl import layout, provenance
from hnl.datasets.variations import NOMINAL
from hnl.errors import HNLError, InputError
from hnl.ml import folds, sample
from hnl.ml.displaced import features as feature_table
from hnl.ml.displaced.features import FeatureError
from hnl.ml.models import Classifier
from hnl.processors import parquet as tables
from hnl.processors.rows import EVENT, Candidates, passing

FORMAT = 2  # of the JSON that vouches for scores
COLUMNS = ("score_low", "score_high")


class ScoreError(HNLError):
    """Scores are missing or not those of these candidates and models."""


class NoScoresError(InputError):
    """There are no scores yet."""


def paths(folder: Path, dataset: str) -> tuple[Path, Path]:
    """Parquet file of the scores of the nominal candidates of a dataset, and the JSON that vouches for its scores."""
    return folder / layout.SCORES / f"{dataset}.parquet", folder / layout.SCORE_MANIFESTS / f"{dataset}.json"


def varied_path(folder: Path, dataset: str) -> Path:
    """Parquet file of the scores of the varied candidates of a dataset; not there if there are none."""
    return folder / layout.VARIED_SCORES / f"{dataset}.parquet"


def each_model(boosters: Sequence[xgboost.Booster], matrix: np.ndarray) -> np.ndarray:
    """Scores of the three models.

    Args:
        boosters: by held-out fold.
        matrix: float32, (n, features), see `features.matrix`.

    Returns:
        float32, (3, n), by held-out fold; between 0 and 1.
    """
    if len(matrix) == 0:
        return np.empty((folds.N_FOLDS, 0), dtype=np.float32)
    for booster in boosters:
        booster.set_param({"nthread": 1, "device": "cpu"})
    return np.stack([booster.inplace_predict(matrix, missing=np.nan) for booster in boosters])


def unseen(scores: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """The score by the model(s) that know nothing of the event.

    Args:
        scores: (3, n) of `each_model`.
        fold: int8, (n,), see `folds`.

    Returns:
        float32, (n,).
    """
    own = np.take_along_axis(scores, np.maximum(fold, 0)[None].astype(int), axis=0)[0]
    score: np.ndarray = np.where(fold == folds.TEST, scores.mean(axis=0, dtype=np.float64), own).astype(np.float32)
    return score


def score(model: Classifier, candidates: Candidates, dataset: str) -> np.ndarray:
    """Scores of the candidates that a classifier serves; NaN for others.

    Args:
        model: the classifier.
        candidates: of one dataset.
        dataset: its name, for messages.

    Returns:
        float32, one for each candidate, in their order.

    Raises:
        FeatureError: the candidates cannot have a feature that the model wants.
    """
    for feature in model.features:
        if feature_table.lacks(feature, candidates):
            raise FeatureError(
                f"dataset {dataset}: its files have no '{feature.name}', which the model {model.training.name} wants; "
                "run hnl train with this dataset in the catalogue"
            )
    mine = model.training.applies_to(candidates["category"])
    result = np.full(len(mine), np.nan, dtype=np.float32)
    chosen = {name: column[mine] for name, column in candidates.items()}
    each = each_model(model.boosters, feature_table.matrix(model.features, chosen, dataset))
    result[mine] = unseen(each, folds.assign_folds(chosen))
    return result


def write(
    folder: Path,
    dataset: str,
    candidates: Candidates,
    scores: Mapping[str, np.ndarray],
    facts: Mapping[str, object],
    variations: Sequence[str] = (NOMINAL,),
) -> None:
    """Writes the scores of a dataset, nominal and varied, and, last, the JSON that vouches for them.

    Args:
        folder: output folder of the run.
        dataset: name.
        candidates: in the order of the scores.
        scores: one float32 column for each of `COLUMNS`.
        facts: further entries of the JSON; 'models' maps trainings to digests.
        variations: of the dataset, see `Selection.variations`.
    """
    parquet, sidecar = paths(folder, dataset)
    columns: dict[str, pa.Array | np.ndarray] = dict(tables.labels(candidates, dataset, variations))
    columns |= {name: candidates[name] for name in (*EVENT, "gen_weight")}
    table = pa.table(columns | {name: scores[name] for name in COLUMNS})
    nominal = passing(candidates, 0)
    sidecar.unlink(missing_ok=True)
    provenance.write_bytes(parquet, tables.to_bytes(table.filter(pa.array(nominal))))
    if nominal.all():
        varied_path(folder, dataset).unlink(missing_ok=True)
    else:
        provenance.write_bytes(varied_path(folder, dataset), tables.to_bytes(table.filter(pa.array(~nominal))))
    content = {"format": FORMAT, "dataset": dataset, "candidates": sample.digest(candidates), "rows": len(table)}
    provenance.write_json(sidecar, content | dict(facts))


def remove_others(folder: Path, datasets: Collection[str]) -> None:
    """Removes scores of datasets that are no longer among these: readers of the whole folder would count them."""
    for place in (layout.SCORES, layout.VARIED_SCORES):
        for path in (folder / place).glob("*"):
            # Older versions left JSON beside scores.
            if path.suffix == ".json" or (path.suffix == ".parquet" and path.stem not in datasets):
                path.unlink()


def read(folder: Path, dataset: str, candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """The scores of candidates.

    Args:
        folder: output folder of the run.
        dataset: name.
        candidates: as `Selection.rows` returns them, in all variations.

    Returns:
        score_low and score_high: float32 between 0 and 1, in the order of the candidates; NaN where the catalogue has
        no signal to train a classifier for the flavour and mass.

    Raises:
        NoScoresError: there are none.
        ScoreError: they are of other candidates or other models, in another order, or broken.
    """
    parquet, sidecar = paths(folder, dataset)
    again = "run hnl score again"
    if not (sidecar.is_file() and parquet.is_file()):
        raise NoScoresError(
            f"{folder} holds no scores of {dataset} (no {layout.SCORES}/{parquet.name}): run hnl score first"
        )
    try:
        content = json.loads(sidecar.read_text(encoding="utf-8"))
        made_of, models, own_models = content["candidates"], content["models"], content["own_models"]
        nominal = passing(candidates, 0)
        found = [pq.read_table(parquet)] + ([] if nominal.all() else [pq.read_table(varied_path(folder, dataset))])
        columns = {name: np.concatenate([table[name].to_numpy() for table in found]) for name in EVENT + COLUMNS}
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise ScoreError(f"the scores {parquet} are broken: {error}; {again}") from error
    if content.get("format") != FORMAT or made_of != sample.digest(candidates):
        raise ScoreError(f"the scores {parquet} are of other candidates of {dataset}; {again}")
    order = np.argsort(~nominal, kind="stable")  # of the rows in the files
    if any(not np.array_equal(columns[name], candidates[name][order]) for name in EVENT):
        raise ScoreError(f"the rows of {parquet} are not in the order of the candidates of {dataset}; {again}")
    if own_models and (changed := _changed(folder / layout.MODELS, models)):
        raise ScoreError(
            f"the scores {parquet} are of another model {changed} than the one in {folder / layout.MODELS}; {again}"
        )
    low, high = (_placed(columns[name], order) for name in COLUMNS)
    return low, high


def _placed(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    result = np.empty_like(values)
    result[order] = values
    return result


def _changed(folder: Path, models: Mapping[str, str]) -> str | None:
    """The first model whose files are not those that the scores are of."""
    for name, digest in models.items():
        try:
            card = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            now = provenance.digest([entry["sha256"] for entry in card["models"]])
        except (OSError, ValueError, KeyError, TypeError):
            return name
        if now != digest:
            return name
    return None
