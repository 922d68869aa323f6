"""The score of K0S candidates, and how much of it is left without what a pion cannot have (section 5)."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from hnl.ml import sample, scoring, statistics
from hnl.ml.displaced import features as feature_table
from hnl.ml.displaced.features import Feature
from hnl.ml.models import Classifier
from hnl.ml.sample import TrainingSource
from hnl.ml.statistics import ValueWithError
from hnl.processors.rows import Candidates


def missing(features: Sequence[Feature], samples: Iterable[Candidates]) -> tuple[str, ...]:
    """The features that some dataset lacks throughout: they are missing in all, or data and simulation would differ
    by what their files hold.

    Args:
        features: of a model.
        samples: the candidates of each dataset.
    """
    lacking: set[str] = set()
    for candidates in samples:
        if len(candidates["event"]):
            matrix = feature_table.matrix(features, candidates, "")
            empty = np.isnan(matrix).all(axis=0)
            lacking |= {feature.name for feature, blank in zip(features, empty, strict=True) if blank}
    return tuple(feature.name for feature in features if feature.name in lacking)


def scores(model: Classifier, candidates: Candidates, dataset: str, without: Sequence[str]) -> NDArray[np.float64]:
    """The mean of the three models, for data and simulation alike: both must be scored by the same function.

    Args:
        model: the classifier.
        candidates: n of one dataset.
        dataset: its name, for messages.
        without: features to blank.

    Returns:
        (n,), between 0 and 1.
    """
    matrix = _blanked(feature_table.matrix(model.features, candidates, dataset), model.features, without)
    mean: NDArray[np.float64] = scoring.each_model(model.boosters, matrix).mean(axis=0, dtype=np.float64)
    return mean


def information(
    model: Classifier, sources: Sequence[TrainingSource], without: Sequence[str]
) -> tuple[ValueWithError, ValueWithError]:
    """AUC of signal against background for events that a model did not see, with all features and without some.

    Args:
        model: the classifier.
        sources: the datasets that it was trained with, among others.
        without: features to blank.

    Raises:
        TrainingError, FeatureError: the datasets cannot train the classifier.
    """
    events = sample.build(model.training, sources, model.features)
    result = []
    for names in ((), without):
        each = scoring.each_model(model.boosters, _blanked(events.features, model.features, names))
        unseen = scoring.unseen(each, events.fold)
        result.append(statistics.auc(unseen, events.is_signal, events.training_weight, events.generator_event))
    return result[0], result[1]


def _blanked(matrix: NDArray[np.float32], features: Sequence[Feature], without: Sequence[str]) -> NDArray[np.float32]:
    result = matrix.copy()
    result[:, [feature.name in without for feature in features]] = np.nan
    return result
