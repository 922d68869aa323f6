"""Fits of simulated points: pulls, impacts, goodness of fit and fitted yields.

With region A of data blinded, or a projection, there is nothing observed to be fitted: the fits are of Asimov data,
what the sidebands predict for A, and every product says that they are expected. Impacts are those on Asimov data with
mu = 1 in that case, and wherever the data have no excess, since mu then stays at its bound.
"""

from collections.abc import Sequence

import numpy as np

from hnl.corrections import lifetime
from hnl.errors import HNLError
from hnl.inference import asymptotics, fits
from hnl.inference.displaced import modelling
from hnl.inference.displaced.limits import ChoiceError
from hnl.inference.displaced.modelling import Inputs
from hnl.inference.fits import FitResult
from hnl.inference.likelihood import FitError
from hnl.inference.model import Model
from hnl.inference.records import Record, number
from hnl.inference.toys import few_events
from hnl.selections.displaced.hypotheses import hypothesis
from hnl.selections.displaced.regions import REGIONS

EXPECTED, OBSERVED = "expected (Asimov data)", "observed"


class NoFitError(HNLError):
    """No sample can be fitted."""


def fit_samples(
    inputs: Inputs, samples: Sequence[str], *, correlated: bool, toys: int, seed: int
) -> tuple[list[Record], dict[str, str]]:
    """Fits the models of some signal samples.

    Args:
        inputs: of the run.
        samples: names of signal datasets; by default, for each coupling, the one with the best expected limit.
        correlated: one closure parameter a category, or one a bin.
        toys: for the goodness of fit.
        seed: of the toys.

    Returns:
        A record of each fit, and why there is none of other samples.

    Raises:
        ChoiceError: no such sample.
        NoFitError: no sample can be fitted.
        HNLError: see `inference.fits`.
    """
    models, refused = _models(inputs, samples, correlated)
    of_mass = {d.sample.name: hypothesis(d.sample.point.mass) for d in inputs.signals.datasets}
    found = []
    for name, model in models.items():
        try:
            found.append(_fit_one(name, of_mass[name], model, toys, seed))
        except FitError as error:
            refused[name] = str(error)
    return found, refused


def _models(inputs: Inputs, samples: Sequence[str], correlated: bool) -> tuple[dict[str, Model], dict[str, str]]:
    """The models to be fitted, and why others cannot be."""
    datasets = {d.sample.name: d.sample for d in inputs.signals.datasets}
    if unknown := [name for name in samples if name not in datasets]:
        raise ChoiceError(f"no signal dataset {unknown[0]!r}; there are {', '.join(datasets)}")
    found: dict[str, Model] = {}
    refused: dict[str, str] = {}
    left_out = inputs.signals.reach.left_out()
    for name in samples or datasets:
        if name in left_out:
            refused[name] = "no true decay length of N, and other samples of its mass are reweighted"
            continue
        try:
            yields = inputs.signals.of_sample(datasets[name])
            lifetime.require(yields.effective, yields.point)
            found[name] = modelling.model(yields, inputs, correlated=correlated)
        except (lifetime.TooFewEventsError, lifetime.PointError) as error:
            refused[name] = str(error)
    if not samples:
        best = {name: asymptotics.upper_limit(model).expected[2] for name, model in found.items()}
        groups = [[name for name in found if datasets[name].point.coupling == c] for c in lifetime.COUPLINGS]
        found = {name: found[name] for name in (min(group, key=best.__getitem__) for group in groups if group)}
    if not found:
        raise NoFitError("no signal sample can be fitted: " + "; ".join(refused.values()))
    return found, refused


def _fit_one(name: str, h: str, model: Model, toys: int, seed: int) -> Record:
    shown = model.asimov() if model.hidden else model
    free, null = fits.fit(shown), fits.fit(shown, 0.0)
    moving = free.mu_error is not None
    impacts = fits.impacts(shown if moving else shown.asimov(1.0))
    quality = fits.goodness_of_fit(shown, toys=toys, seed=seed)
    return {
        "sample": name,
        "mu": free.mu,
        "mu_error": number(free.mu_error),
        "success": free.success and null.success,
        "few_events": few_events(model),
        "at_bound": list(free.at_bound),
        "pulls": [
            {"name": key, "value": number(value), "error": number(error)}
            for key, (value, error) in sorted(free.pulls().items())
        ],
        "impacts": [vars(impact) for impact in impacts],
        "impacts_of": "the fit" if moving else "Asimov data with mu = 1",
        "goodness_of_fit": vars(quality),
        "yields": [row | {"hypothesis": h} for row in _yields(model, shown, null, free)],
    }


def _yields(model: Model, shown: Model, null: FitResult, free: FitResult) -> list[Record]:
    """Every cell and region; what is blinded is None."""
    signal = model.signal()
    rows: list[Record] = []
    for i, cell in enumerate(shown.cells):
        for j, region in enumerate(REGIONS):
            blinded = model.hidden and region == "A"
            rows.append(
                {
                    "category": cell.category,
                    "bin": cell.bin,
                    "region": region,
                    "observed": None if blinded else float(np.asarray(cell.observed[j], dtype=float)),
                    "prefit": float((cell.predicted, *cell.sidebands)[j]),
                    "signal": float(signal[i, j]),
                    "background_only": float(null.yields.background[i, j]),
                    "background_only_error": number(float(null.yields.background_error[i, j])),
                    "fitted_background": float(free.yields.background[i, j]),
                    "fitted_signal": float(free.yields.signal[i, j]),
                }
            )
    return rows
