"""All classifiers of a catalogue: training (or keeping models that would be the same to the bit), and scores."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from hnl import __version__, dependencies, layout, provenance
from hnl import analysis as searches
from hnl.errors import InputError
from hnl.ml import evaluation, folds, models, sample, scoring, training, tuning
from hnl.ml.displaced import trainings
from hnl.ml.displaced.features import Feature, FeatureError
from hnl.ml.displaced.trainings import Training
from hnl.ml.models import Classifier, ClassifierError
from hnl.ml.sample import NoCandidatesError, NoTrainingSignalError, TrainingSample, TrainingSource
from hnl.ml.settings import Settings
from hnl.processors.rows import passing
from hnl.processors.selection import Selection
from hnl.selections.displaced.hypotheses import HYPOTHESES, MassSettings

# Code that decides the content of a model: its events, its features and its training.
CODE = ("hnl.ml.sample", "hnl.ml.training", "hnl.ml.tuning")


@dataclass(frozen=True)
class Trained:
    """Result of `train`.

    Attributes:
        metrics: training -> see `evaluation.evaluate`.
        skipped: training -> reason why it was skipped.
        left_out: training -> feature -> dataset that lacks it.
        reused: trainings with models of an earlier run, made from the same events by the same code.
    """

    metrics: dict[str, dict[str, Any]]
    skipped: dict[str, str]
    left_out: dict[str, dict[str, str]]
    reused: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Plan:
    training: Training
    features: tuple[Feature, ...]
    sample: TrainingSample
    facts: dict[str, Any]

    @property
    def names(self) -> list[str]:
        return [feature.name for feature in self.features]


def train(
    selection: Selection,
    *,
    settings: Settings | None = None,
    tune: int = 0,
    workers: int | None = None,
    on_plan: Callable[[int], None] = lambda models: None,
    on_model: Callable[[str], None] = lambda name: None,
) -> Trained:
    """Trains and evaluates every classifier for which the catalogue has signals.

    Writes OUT/models/TRAINING.json and TRAINING_foldK.ubj. Models that were made from the same events with the same
    settings and code are kept: a new training would give the same to the bit.

    Args:
        selection: has the candidates.
        settings: of the training; those of the catalogue by default.
        tune: number of trials of optuna, 0 for none.
        workers: threads, one model per thread; all cores by default. Only the time depends on it.
        on_plan: called with the number of models to be trained.
        on_model: called with the name of the training for each model that is done.

    Raises:
        TuningError, DeviceError: the requested tuning or device is not available;
        NoCandidatesError, NoTrainingSignalError, NoTrainingBackgroundError, OneClassError, TrainingWeightError,
            FeatureError: the candidates cannot train a classifier.
    """
    settings = settings or Settings.of_catalogue(selection.catalogue)
    tuning.check(tune)
    training.check_device(settings.device)
    sources = load_sources(selection)
    skipped = {
        classifier.name: reason
        for classifier in trainings.all_of(selection.catalogue)
        if (reason := trainings.no_signal_expected(classifier, selection.catalogue))
    }
    plans = [
        _plan(classifier, sources, settings, tune, selection.partial)
        for classifier in trainings.all_of(selection.catalogue)
        if classifier.name not in skipped
    ]
    if not plans:
        raise NoTrainingSignalError(
            "the catalogue has no signal to train a classifier with: " + "; ".join(skipped.values())
        )
    folder = selection.folder / layout.MODELS
    ready = {plan.training.name: model for plan in plans if (model := _current(folder, plan))}
    waiting = [plan for plan in plans if plan.training.name not in ready]
    on_plan(len(waiting) * folds.N_FOLDS)
    new = _train(folder, waiting, settings, tune, workers, on_model)
    metrics = {
        (name := plan.training.name): new.get(name)
        or evaluation.evaluate(ready[name].boosters, plan.names, plan.sample)
        for plan in plans
    }
    return Trained(
        metrics,
        skipped,
        {plan.training.name: plan.facts["features_left_out"] for plan in plans},
        tuple(plan.training.name for plan in plans if plan not in waiting),
    )


def score(
    selection: Selection, *, models_folder: Path | None = None, on_dataset: Callable[[str], None] = lambda name: None
) -> dict[str, dict[str, int]]:
    """Scores the rows of every dataset, nominal and varied, see `scoring.write`.

    Args:
        selection: has the candidates.
        models_folder: models of another run, applied as they are; OUT/models by default, which must have been
            trained with these candidates.
        on_dataset: called with each dataset when it is done.

    Returns:
        Dataset -> number of candidates ('candidates') and of those with 'score_low' and 'score_high'.

    Raises:
        ClassifierError: no models, broken models, or models of other candidates;
        FeatureError: the candidates lack a feature, or its definition changed.
    """
    out = selection.folder
    folder = models_folder or out / layout.MODELS
    names = [
        classifier.name
        for classifier in trainings.all_of(selection.catalogue)
        if not trainings.no_signal_expected(classifier, selection.catalogue)
        or (models_folder and models.card_path(folder, classifier.name).is_file())
    ]
    if not names:
        raise ClassifierError(f"the catalogue has no signal, so {out} has no models; name models trained elsewhere")
    ready = {name: models.load(folder, name) for name in names}
    sources = load_sources(selection)
    if models_folder is None:
        for model in ready.values():
            _check_candidates(model, sources, folder)
    digests = {name: model.digest for name, model in ready.items()}
    counts = {}
    for source in sources:
        name = source.dataset.name
        rows = selection.rows(name)
        columns = _scores(replace(source, candidates=rows), ready.values())
        facts = {
            "models": digests,
            "own_models": models_folder is None,
            "partial": selection.partial,
            "provenance": provenance.record(),
        }
        scoring.write(out, name, rows, columns, facts, selection.variations(name))
        nominal = passing(rows, 0)
        counts[name] = {"candidates": int(nominal.sum())} | {
            column: int(np.isfinite(values[nominal]).sum()) for column, values in columns.items()
        }
        on_dataset(name)
    scoring.remove_others(out, counts)
    return counts


def load_sources(selection: Selection) -> list[TrainingSource]:
    """Every dataset of a selection with its candidates.

    Raises:
        NoCandidatesError: the selection has no candidates at all.
    """
    group = trainings.groups(selection.catalogue)
    masses = searches.part(selection.catalogue, MassSettings)
    sources = [
        TrainingSource(
            dataset, selection.candidates(dataset.name), selection.scale(dataset), group[dataset.era], masses
        )
        for dataset in selection.catalogue.datasets
    ]
    if not any(len(source.candidates["event"]) for source in sources):
        raise NoCandidatesError(f"{selection.folder} has no candidates at all: nothing can be trained or scored")
    return sources


def _plan(
    classifier: Training, sources: list[TrainingSource], settings: Settings, tune: int, partial: list[str]
) -> _Plan:
    features, left_out = sample.usable(classifier, sources)
    flavour, hypothesis = classifier.flavour, classifier.hypothesis
    features = tuple(feature for feature in features if settings.uses(flavour, hypothesis, feature.name))
    if not features:
        raise FeatureError(f"training {classifier.name}: no feature is left to train with")
    chosen = sample.taking_part(classifier, sources)
    facts: dict[str, Any] = {
        "features_left_out": left_out,
        "candidates": {source.dataset.name: sample.digest(source.candidates) for source in chosen},
        "scales": {source.dataset.name: source.scale for source in chosen},
        "masses": {s.dataset.name: s.dataset.signal.mass for s in chosen if s.dataset.signal},
        "settings": settings.as_dict(),
        "tuning_trials": tune,
        "partial": partial,
        "code": {"hnl": __version__, "xgboost": xgboost.__version__, "ml": dependencies.digest(CODE)},
    }
    facts["fingerprint"] = provenance.digest([facts, [feature.name for feature in features]])
    return _Plan(classifier, features, sample.build(classifier, sources, features), facts)


def _current(folder: Path, plan: _Plan) -> Classifier | None:
    """The models on disk, if a new training would give the same."""
    try:
        if models.read_card(folder, plan.training.name).get("fingerprint") != plan.facts["fingerprint"]:
            return None
        return models.load(folder, plan.training.name)
    except InputError:
        return None


def _train(
    folder: Path,
    plans: list[_Plan],
    settings: Settings,
    tune: int,
    workers: int | None,
    on_model: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """Trains, evaluates and writes; returns training -> metrics."""
    chosen = [
        tuning.tune(plan.sample, plan.training.name, plan.names, settings, tune) if tune else settings for plan in plans
    ]
    fitted = training.fit_all(
        [
            (plan.sample, plan.training.name, plan.names, of_plan, fold)
            for plan, of_plan in zip(plans, chosen, strict=True)
            for fold in range(folds.N_FOLDS)
        ],
        1 if settings.device != "cpu" else workers or len(os.sched_getaffinity(0)),
        on_model,
    )
    metrics = {}
    for i, (plan, of_plan) in enumerate(zip(plans, chosen, strict=True)):
        three = fitted[i * folds.N_FOLDS : (i + 1) * folds.N_FOLDS]
        performance = evaluation.evaluate([model.booster for model in three], plan.names, plan.sample)
        facts = {
            "parameters": of_plan.for_xgboost(),
            "folds": performance["counts"],
            "metrics": {key: performance[key] for key in ("auc", "categories", "masses", "correlation")},
            "provenance": provenance.record(),
        }
        models.write(folder, plan.training, plan.features, three, plan.facts | facts)
        metrics[plan.training.name] = performance
    return metrics


def _check_candidates(model: Classifier, sources: list[TrainingSource], folder: Path) -> None:
    name = model.training.name
    now = {s.dataset.name: s for s in sample.taking_part(model.training, sources)}
    trained_with: Mapping[str, str] = model.card.get("candidates", {})
    for dataset in sorted(set(now) | set(trained_with)):
        if dataset not in now or trained_with.get(dataset) != sample.digest(now[dataset].candidates):
            raise ClassifierError(
                f"the model {name} in {folder} was trained with other candidates of {dataset}; run hnl train again"
            )


def _scores(source: TrainingSource, ready: Iterable[Classifier]) -> dict[str, np.ndarray]:
    result = {}
    for column, hypothesis in zip(scoring.COLUMNS, HYPOTHESES, strict=True):
        values = np.full(len(source.candidates["event"]), np.nan, dtype=np.float32)
        for model in ready:
            if (model.training.hypothesis, model.training.group) == (hypothesis, source.group):
                scores = scoring.score(model, source.candidates, source.dataset.name)
                values = np.where(np.isnan(scores), values, scores)
        result[column] = values
    return result
