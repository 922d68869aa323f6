"""Fits of the signal samples of this search: which ones, and at which points."""

from collections.abc import Sequence
from dataclasses import replace

from hnl.corrections import couplings, lifetime
from hnl.errors import HNLError
from hnl.inference import asymptotics
from hnl.inference.displaced import modelling
from hnl.inference.displaced.limits import ChoiceError
from hnl.inference.displaced.modelling import Inputs
from hnl.inference.fitting import fit_models
from hnl.inference.model import Model
from hnl.inference.results import FitRecord
from hnl.selections.displaced.hypotheses import hypothesis


class NoFitError(HNLError):
    """No sample can be fitted."""


def fit_samples(
    inputs: Inputs, samples: Sequence[str], *, correlated: bool, toys: int, seed: int
) -> tuple[list[FitRecord], dict[str, str]]:
    """Fits the models of some signal samples.

    Args:
        inputs: of the run.
        samples: names of signal datasets; by default, for each coupling, the one with the best expected limit.
        correlated: one closure parameter a category, or one a bin.
        toys: for the goodness of fit.
        seed: of the toys.

    Returns:
        The fits, and why there is none of other samples.

    Raises:
        ChoiceError: no such sample.
        NoFitError: no sample can be fitted.
        HNLError: see `inference.fits`.
    """
    models, refused = _models(inputs, samples, correlated)
    fitted, failed = fit_models(models, toys=toys, seed=seed)
    masses = {d.sample.name: d.sample.point.mass for d in inputs.signals.datasets}
    of_mass = inputs.signals.settings.masses
    return [_of_hypothesis(one, hypothesis(masses[one.sample], of_mass)) for one in fitted], refused | failed


def _of_hypothesis(record: FitRecord, h: str) -> FitRecord:
    return replace(record, yields=tuple(replace(row, hypothesis=h) for row in record.yields))


def _models(inputs: Inputs, samples: Sequence[str], correlated: bool) -> tuple[dict[str, Model], dict[str, str]]:
    """The models to be fitted, and why others cannot be."""
    datasets = {d.sample.name: d.sample for d in inputs.signals.datasets}
    if unknown := [name for name in samples if name not in datasets]:
        raise ChoiceError(f"no signal dataset {unknown[0]!r}; there are {', '.join(datasets)}")
    models: dict[str, Model] = {}
    refused: dict[str, str] = {}
    left_out = inputs.signals.reach.left_out()
    for name in samples or datasets:
        if name in left_out:
            refused[name] = "no true decay length of N, and other samples of its mass are reweighted"
            continue
        try:
            yields = inputs.signals.of_sample(datasets[name])
            lifetime.require(yields.effective, yields.point)
            models[name] = modelling.model(yields, inputs, correlated=correlated)
        except (lifetime.TooFewEventsError, lifetime.PointError) as error:
            refused[name] = str(error)
    if not samples:
        best = {name: asymptotics.upper_limit(model).expected[2] for name, model in models.items()}
        groups = [[name for name in models if datasets[name].point.coupling == c] for c in couplings.COUPLINGS]
        models = {name: models[name] for name in (min(group, key=best.__getitem__) for group in groups if group)}
    if not models:
        raise NoFitError("no signal sample can be fitted: " + "; ".join(refused.values()))
    return models, refused
