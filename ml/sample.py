"""The events of one training: features, labels and weights, in an order that depends on the events alone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hnl.datasets.catalogue import Dataset
from hnl.errors import InputError
from hnl.ml import folds
from hnl.ml.displaced import features as feature_table
from hnl.ml.displaced.features import Feature
from hnl.ml.displaced.trainings import Training
from hnl.processors.displaced import columns
from hnl.processors.rows import Candidates, generated_events, ordered
from hnl.selections.displaced.hypotheses import PAPER, MassSettings


class TrainingError(InputError):
    """A classifier cannot be trained with what there is."""


class NoCandidatesError(TrainingError):
    """There are no candidates at all."""


class NoTrainingSignalError(TrainingError):
    """There is no signal candidate."""


class NoTrainingBackgroundError(TrainingError):
    """There is no background candidate."""


class OneClassError(TrainingError):
    """A fold has candidates of one class only."""


class TrainingWeightError(TrainingError):
    """Weights are not numbers, or add up to nothing."""


@dataclass(frozen=True)
class TrainingSource:
    """A dataset with its candidates, the factor from generator weights to expected events, and its era group.

    Attributes:
        masses: which a signal must have to train a classifier of a hypothesis.
    """

    dataset: Dataset
    candidates: Candidates
    scale: float
    group: str
    masses: MassSettings = PAPER


@dataclass(frozen=True)
class TrainingSample:
    """The events of one training; arrays of one length n.

    Attributes:
        features: float32, (n, features).
        is_signal: the label.
        weight: expected events in the luminosity, negative where the generator says so.
        training_weight: never negative, see `positive`.
        mass: m_N in GeV, NaN for background.
        dataset: index into `datasets`.
        fold: see `folds`.
        generator_event: equal for re-simulations of one event, counted from 0 over the whole sample.
        category: index into CATEGORIES.
        m_l1_sv: GeV.
    """

    datasets: tuple[str, ...]
    features: np.ndarray
    is_signal: np.ndarray
    weight: np.ndarray
    training_weight: np.ndarray
    mass: np.ndarray
    dataset: np.ndarray
    fold: np.ndarray
    generator_event: np.ndarray
    category: np.ndarray
    m_l1_sv: np.ndarray


def usable(training: Training, sources: Sequence[TrainingSource]) -> tuple[tuple[Feature, ...], dict[str, str]]:
    """The features that every dataset of the training's era group can have.

    One that some datasets lack throughout (files without PFCands, old NanoAOD) would tell the datasets apart by its
    absence: the classifier would learn where a file comes from.

    Returns:
        Features, and for each left out the dataset that lacks it.
    """
    group = sorted((s for s in sources if s.group == training.group), key=lambda source: source.dataset.name)
    left_out: dict[str, str] = {}
    for feature in feature_table.of_flavour(training.flavour):
        for source in group:
            if feature_table.lacks(feature, source.candidates):
                left_out.setdefault(feature.name, source.dataset.name)
    return tuple(f for f in feature_table.of_flavour(training.flavour) if f.name not in left_out), left_out


def taking_part(training: Training, sources: Sequence[TrainingSource]) -> list[TrainingSource]:
    """The datasets that train a classifier, by name."""
    chosen = [s for s in sources if s.group == training.group and training.trains_on(s.dataset, s.masses)]
    return sorted(chosen, key=lambda source: source.dataset.name)


def build(training: Training, sources: Sequence[TrainingSource], features: Sequence[Feature]) -> TrainingSample:
    """The events of a training: of N(jets) = 1 and > 1, for statistics; the paper takes the former alone.

    Args:
        training: the classifier.
        sources: all datasets, in any order, their candidates in any order.
        features: columns of the matrix.

    Raises:
        NoTrainingSignalError, NoTrainingBackgroundError, TrainingWeightError, FeatureError.
    """
    chosen = taking_part(training, sources)
    factor = _sign_factors(chosen)
    pieces: list[Candidates] = []
    for i, source in enumerate(chosen):
        mine = training.applies_to(source.candidates["category"])
        candidates = ordered({name: column[mine] for name, column in source.candidates.items()})
        n = len(candidates["event"])
        signal = source.dataset.signal
        pieces.append(
            {
                "features": feature_table.matrix(features, candidates, source.dataset.name),
                "is_signal": np.full(n, signal is not None),
                "weight": candidates["gen_weight"] * source.scale,
                "training_weight": np.abs(candidates["gen_weight"]) * source.scale * factor[source.dataset.process],
                "mass": np.full(n, np.nan if signal is None else signal.mass),
                "dataset": np.full(n, i, dtype=np.int16),
                "fold": folds.assign_folds(candidates),
                "generator_event": generated_events(candidates),
                "category": candidates["category"],
                "m_l1_sv": candidates["m_l1_sv"],
            }
        )
    _check_classes(training, pieces)
    return _together(tuple(source.dataset.name for source in chosen), pieces)


def _together(names: tuple[str, ...], pieces: list[Candidates]) -> TrainingSample:
    first = 0
    for piece in pieces:
        piece["generator_event"] = piece["generator_event"] + first
        first += len(piece["generator_event"])
    return TrainingSample(names, **{name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]})


def _check_classes(training: Training, pieces: list[Candidates]) -> None:
    counts = [sum(int((piece["is_signal"] == label).sum()) for piece in pieces) for label in (False, True)]
    if counts[1] == 0:
        raise NoTrainingSignalError(
            f"training {training.name}: no signal candidate with an l2 of flavour {training.flavour}"
        )
    if counts[0] == 0:
        raise NoTrainingBackgroundError(
            f"training {training.name}: no background candidate with an l2 of flavour {training.flavour} "
            "(QCD does not count: it is not trained on)"
        )


def _sign_factors(sources: Sequence[TrainingSource]) -> dict[str, float]:
    """Process -> what keeps its expected events when the signs of its weights are dropped.

    XGBoost takes no negative weights, rightly: a leaf could have a negative number of events. Dropping the events
    would distort the shapes and throw events away; keeping |w| alone would give too much weight to generators with
    many negative weights. So each process keeps |w|, times (sum w) / (sum |w|) of all its candidates. Distributions
    in efficiencies, ROC curves and correlations keep the signs.
    """
    signed: dict[str, float] = {}
    absolute: dict[str, float] = {}
    for source in sources:
        weight = source.candidates["gen_weight"] * source.scale
        process, name = source.dataset.process, source.dataset.name
        if not np.isfinite(weight).all():
            raise TrainingWeightError(f"dataset {name}: a candidate has the weight {weight[~np.isfinite(weight)][0]}")
        signed[process] = signed.get(process, 0.0) + float(np.sum(weight[np.argsort(weight, kind="stable")]))
        absolute[process] = absolute.get(process, 0.0) + float(np.sum(np.sort(np.abs(weight))))
    for process, total in signed.items():
        if absolute[process] > 0 and total <= 0:
            raise TrainingWeightError(
                f"process {process}: the weights of its candidates add up to {total:.4g} (their absolute values to "
                f"{absolute[process]:.4g}): it needs more generated events before it can train a classifier"
            )
    return {process: total / absolute[process] if absolute[process] > 0 else 0.0 for process, total in signed.items()}


def digest(candidates: Candidates) -> str:
    """SHA-256 of candidates: every column, in their order."""
    total = hashlib.sha256()
    for name in columns.NAMES:
        total.update(name.encode() + b"\0" + np.ascontiguousarray(candidates[name]).tobytes())
    return total.hexdigest()
