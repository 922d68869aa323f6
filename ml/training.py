"""Training with XGBoost: three models, each without one third of the events, as in section 5.

The paper trains a particle-flow network; here boosted trees take its per-event inputs and summaries of the particles.
What is kept is the scheme: two thirds of the events train a model, the other third is scored by it, three times.

One thing is stricter than in the paper, which chooses among epochs by the third left out: how many trees a model has
is decided *inside* its two thirds, by training on either third and stopping on the other. So a model knows nothing at
all of the third that it scores, not even when to stop.
"""

import json
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import xgboost

from hnl.errors import InputError
from hnl.ml import folds
from hnl.ml.sample import OneClassError, TrainingSample, TrainingWeightError
from hnl.ml.settings import Settings


class DeviceError(InputError):
    """The device asked for is not there."""


DEVICES = ("cpu", "cuda")


@dataclass(frozen=True)
class FittedClassifier:
    """A model that knows nothing of the fold `held_out`."""

    booster: xgboost.Booster
    held_out: int
    rounds: int


def balanced(sample: TrainingSample, rows: np.ndarray, name: str) -> np.ndarray:
    """Training weights of some events.

    Background is weighted by expected yield, so that the classifier fights what there is most of; its mean weight
    is 1. Signal has the same total as background, so that a score of 0.5 means 'equally likely'. Every m_N has the
    same share of it (our choice: the paper says 'an admixture'; expected yields would leave only the samples with the
    largest coupling, numbers of events only those that are easy to select). Within one m_N the datasets, which
    differ in lifetime and couplings, share according to their effective number of events.

    Args:
        sample: all events.
        rows: indices of the events to weight; no other event has an influence.
        name: of the training, for messages.

    Returns:
        float64, shape of rows.

    Raises:
        TrainingWeightError: the weights of a class, or of an m_N, add up to nothing.
    """
    weight, mass, dataset = sample.training_weight[rows], sample.mass[rows], sample.dataset[rows]
    signal = sample.is_signal[rows]
    result = np.zeros(len(rows))
    total = float((~signal).sum())
    result[~signal] = weight[~signal] * _over(total, weight[~signal], f"training {name}: background")
    masses = np.unique(mass[signal])
    for one_mass in masses:
        of_mass = signal & (mass == one_mass)
        for one in np.unique(dataset[of_mass]):
            mine = of_mass & (dataset == one)
            w = weight[mine]
            result[mine] = w * _over(1.0, w**2 / np.sum(w), sample.datasets[one])  # adds up to (sum w)^2 / sum w^2
        result[of_mass] *= _over(total / len(masses), result[of_mass], f"signal of m_N = {one_mass:g} GeV")
    return result


def _over(total: float, weights: np.ndarray, what: str) -> float:
    found = float(np.sum(weights))
    if not found > 0:
        raise TrainingWeightError(
            f"{what}: the weights of the {len(weights)} events that train a model add up to {found:g}"
        )
    return total / found


def fit(
    sample: TrainingSample, name: str, feature_names: Sequence[str], settings: Settings, held_out: int
) -> FittedClassifier:
    """Trains the model that knows nothing of one fold, nor of the test set.

    Args:
        sample: all events of the training.
        name: of the training, for messages.
        feature_names: of the columns of `sample.features`.
        settings: how to train.
        held_out: the fold.

    Raises:
        OneClassError: a fold has candidates of one class only.
        TrainingWeightError: see `balanced`.
    """
    first, second = (np.flatnonzero(sample.fold == fold) for fold in range(folds.N_FOLDS) if fold != held_out)
    parameters = settings.for_xgboost()
    rounds = []
    for rows, others in ((first, second), (second, first)):
        _check_classes(sample, rows, name)
        stopped = xgboost.train(
            parameters,
            _matrix(sample, rows, name, feature_names),
            settings.max_rounds,
            evals=[(_matrix(sample, others, name, feature_names), "stopping")],
            early_stopping_rounds=settings.patience,
            verbose_eval=False,
        )
        rounds.append(stopped.best_iteration + 1)
    best = max(1, round(sum(rounds) / len(rounds)))
    both = np.sort(np.concatenate([first, second]))
    booster = xgboost.train(parameters, _matrix(sample, both, name, feature_names), best, verbose_eval=False)
    return FittedClassifier(booster, held_out, best)


def fit_all(
    jobs: Sequence[tuple[TrainingSample, str, Sequence[str], Settings, int]],
    workers: int,
    on_model: Callable[[str], None] = lambda name: None,
) -> list[FittedClassifier]:
    """`fit` for many arguments, in threads of one core each; the number of threads changes nothing but the time.

    Args:
        jobs: arguments of `fit`.
        workers: number of threads.
        on_model: told the name of a training whenever one of its models is done.
    """
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(fit, *job) for job in jobs]
        for job, future in zip(jobs, futures, strict=True):
            future.add_done_callback(lambda _, name=job[1]: on_model(name))  # type: ignore[misc]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _matrix(sample: TrainingSample, rows: np.ndarray, name: str, feature_names: Sequence[str]) -> xgboost.DMatrix:
    return xgboost.DMatrix(
        sample.features[rows],
        label=sample.is_signal[rows],
        weight=balanced(sample, rows, name),
        feature_names=list(feature_names),
        nthread=1,
    )


def _check_classes(sample: TrainingSample, rows: np.ndarray, name: str) -> None:
    signal = int(sample.is_signal[rows].sum())
    background = len(rows) - signal
    if signal and background:
        return
    fold = f"fold {sample.fold[rows[0]]}" if len(rows) else "a fold"
    raise OneClassError(
        f"training {name}: {fold} has {signal} signal and {background} background candidates; both are needed in "
        "every fold: generate or select more events"
    )


def check_device(device: str) -> None:
    """Refuses a device that XGBoost cannot use here; it would go on with the CPU in silence.

    Raises:
        DeviceError: with what is there.
    """
    if device not in DEVICES:
        raise DeviceError(f"no device {device!r}: it is {' or '.join(repr(known) for known in DEVICES)}")
    if device == "cpu":
        return
    if not xgboost.build_info().get("USE_CUDA"):
        raise DeviceError("device 'cuda': this build of XGBoost has no CUDA; install the wheel from PyPI")
    tiny = xgboost.DMatrix(np.array([[0.0], [1.0]]), label=[0, 1])
    with warnings.catch_warnings(), xgboost.config_context(verbosity=0):
        warnings.simplefilter("ignore")
        booster = xgboost.train({"device": device}, tiny, 1)
        used = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
    if not used.startswith("cuda"):
        raise DeviceError("device 'cuda': XGBoost finds no GPU on this machine; use 'cpu'")
