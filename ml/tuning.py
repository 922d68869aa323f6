"""Tuning of hyper-parameters by optuna, an optional library (`hnl train --tune N`)."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from hnl.errors import InputError
from hnl.ml import folds, training
from hnl.ml.sample import TrainingSample
from hnl.ml.settings import Parameters, Settings

if TYPE_CHECKING:
    import optuna


class TuningError(InputError):
    """Tuning was requested, but is not possible."""


def check(trials: int) -> None:
    """Refuses impossible tuning before any work.

    Raises:
        TuningError: optuna is not installed, or the number of trials is negative.
    """
    if trials < 0:
        raise TuningError(f"--tune {trials}: the number of trials must be positive")
    if trials and find_spec("optuna") is None:
        raise TuningError("--tune needs optuna, which is not installed: pip install optuna")


def tune(sample: TrainingSample, name: str, feature_names: list[str], settings: Settings, trials: int) -> Settings:
    """Searches the parameters with the smallest loss of unseen events, over the three folds.

    The test set is not used, so it stays independent. The three folds are used: with tuned parameters the score of an
    event is no longer *strictly* independent of the event, but depends on it only through a few parameters.

    Args:
        sample: all events of a training.
        name: name of the training.
        feature_names: names of the columns.
        settings: settings, from which the parameters that are not tuned are taken.
        trials: number of parameter sets to try, in a fixed sequence that begins with that of `settings`.

    Returns:
        Settings with the best parameters.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=settings.seed))
    start = {key: settings.parameters.for_xgboost[key] for key in ("eta", "max_depth", "min_child_weight", "lambda")}
    study.enqueue_trial(start, skip_if_exists=True)

    def loss(trial: "optuna.Trial") -> float:
        return _loss(sample, name, feature_names, _with(settings, _suggested(trial)))

    study.optimize(loss, n_trials=trials)
    return _with(settings, study.best_params)


def _with(settings: Settings, parameters: Mapping[str, float]) -> Settings:
    """With other hyper-parameters in place of those of the same names."""
    every = Parameters.model_validate(settings.parameters.for_xgboost | dict(parameters))
    return settings.model_copy(update={"parameters": every})


def _suggested(trial: "optuna.Trial") -> dict[str, float]:
    return {
        "eta": trial.suggest_float("eta", 0.02, 0.3, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 6),
        "min_child_weight": trial.suggest_float("min_child_weight", 1.0, 50.0, log=True),
        "lambda": trial.suggest_float("lambda", 0.3, 30.0, log=True),
    }


def _loss(sample: TrainingSample, name: str, feature_names: list[str], settings: Settings) -> float:
    """Weighted logarithmic loss of the three folds, each by the model that was trained without it."""
    total = 0.0
    for fold in range(folds.N_FOLDS):
        booster = training.fit(sample, name, feature_names, settings, fold).booster
        rows = np.flatnonzero(sample.fold == fold)
        score = np.clip(
            booster.inplace_predict(sample.features[rows], missing=np.nan).astype(np.float64), 1e-7, 1 - 1e-7
        )
        weight = training.balanced(sample, rows, name)
        total -= float(np.average(np.log(np.where(sample.is_signal[rows], score, 1 - score)), weights=weight))
    return total / folds.N_FOLDS
