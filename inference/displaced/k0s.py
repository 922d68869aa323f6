"""The check of the score on data (section 5): classifiers and K0S candidates -> the content of k0s.json."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hnl import provenance
from hnl.corrections.normalisation import SCORE_UNCERTAINTY
from hnl.histograms.displaced import k0s as histograms
from hnl.inference.displaced.k0s_results import (
    Area,
    EventCount,
    FeaturesUsed,
    K0SFile,
    MassComparison,
    ScoreComparison,
)
from hnl.ml.displaced import k0s as ml
from hnl.ml.displaced import trainings
from hnl.ml.models import Classifier
from hnl.ml.sample import TrainingSource
from hnl.processors.cutflow import Counts
from hnl.processors.displaced.k0s import MASS_AXIS
from hnl.processors.displaced.k0s_inputs import K0SSample
from hnl.records import from_record, number

if TYPE_CHECKING:  # what was selected is taken as it is
    from hnl.processors.selection import Selection


def check(
    selection: "Selection",
    models: Sequence[Classifier],
    samples: Sequence[K0SSample],
    left_out: Mapping[str, str],
    sources: Sequence[TrainingSource] | None,
    why_unknown: str,
) -> K0SFile:
    """Compares the score of every classifier in data and simulation.

    Args:
        selection: with the files that the samples are of.
        models: classifiers.
        samples: K0S candidates, of each dataset that takes part.
        left_out: why each other dataset does not.
        sources: the datasets that the classifiers were trained with; None if they cannot be read.
        why_unknown: the reason if they cannot; '' if they can.

    Raises:
        TrainingError, FeatureError: see `ml.displaced.k0s.information`.
    """
    groups = trainings.groups(selection.catalogue)

    def comparison(model: Classifier) -> ScoreComparison:
        return _compared(model, [s for s in samples if groups[s.dataset.era] == model.training.group], sources)

    masses = histograms.compare_masses(samples)
    return K0SFile(
        format=K0SFile.FORMAT,
        trainings={model.training.name: comparison(model) for model in models},
        information=why_unknown,
        table_4=SCORE_UNCERTAINTY,
        masses=MassComparison(
            edges=_numbers(MASS_AXIS.edges), data=_numbers(masses.data), simulation=_numbers(masses.simulation)
        ),
        cutflow={sample.dataset.name: _counts(sample.cutflow) for sample in samples},
        left_out=dict(left_out),
        models={model.training.name: model.digest for model in models},
        partial=tuple(selection.partial),
        provenance=provenance.record(),
    )


def _compared(
    model: Classifier, samples: Sequence[K0SSample], sources: Sequence[TrainingSource] | None
) -> ScoreComparison:
    """One classifier: yields in bins of the score, what follows for the uncertainty, and what the score lacked."""
    without = ml.missing(model.features, [sample.candidates for sample in samples])
    scores = [ml.scores(model, sample.candidates, sample.dataset.name, without) for sample in samples]
    result = histograms.compare_samples(samples, scores)
    return ScoreComparison(
        edges=histograms.EDGES,
        data=_numbers(result.data),
        simulation=tuple(map(number, _numbers(result.simulation))),
        simulation_error=tuple(map(number, _numbers(result.simulation_error))),
        scale=number(result.scale),
        ratio=result.ratio,
        ratio_error=result.ratio_error,
        reason=result.reason,
        uncertainty=result.uncertainty,
        missing_features=without,
        auc=None if sources is None else _areas(model, sources, without),
    )


def _areas(model: Classifier, sources: Sequence[TrainingSource], without: Sequence[str]) -> dict[FeaturesUsed, Area]:
    every, left = (
        Area(value=number(area.value), error=number(area.error)) for area in ml.information(model, sources, without)
    )
    return {"all features": every, "without the missing ones": left}


def _numbers(array: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(array.tolist())


def _counts(cutflow: Counts) -> dict[str, dict[str, EventCount]]:
    return {
        requirement: {category: from_record(EventCount, count) for category, count in counts.items()}
        for requirement, counts in cutflow.items()
    }
