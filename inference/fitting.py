"""Fits of named models, of any search: pulls, impacts, goodness of fit and fitted yields.

With blinded data, or a projection, there is nothing observed to be fitted: the fits are of Asimov data, what the
sidebands predict for A, and every product says that they are expected. Impacts are those on Asimov data with mu = 1 in
that case, and wherever the data have no excess, since mu then stays at its bound.
"""

from collections.abc import Mapping

from hnl.inference import fits
from hnl.inference.fits import FitResult
from hnl.inference.likelihood import FitError
from hnl.inference.model import Model
from hnl.inference.results import FitQuality, FitRecord, FittedImpact, FittedYield, ParameterCorrelation, Pull
from hnl.inference.toys import few_events
from hnl.records import number

EXPECTED, OBSERVED = "expected (Asimov data)", "observed"  # what is fitted
REGIONS = ("A", "B", "C", "D")


def fit_models(models: Mapping[str, Model], *, toys: int = 0, seed: int = 1) -> tuple[list[FitRecord], dict[str, str]]:
    """Fits some models.

    Args:
        models: by name.
        toys: for the goodness of fit.
        seed: of the toys.

    Returns:
        The fits, and why there is none of other models.

    Raises:
        HNLError: see `inference.fits`.
    """
    fitted, failed = [], {}
    for name, model in models.items():
        try:
            fitted.append(fit_model(name, model, toys=toys, seed=seed))
        except FitError as error:
            failed[name] = str(error)
    return fitted, failed


def fit_model(name: str, model: Model, *, toys: int = 0, seed: int = 1) -> FitRecord:
    """Fits one model; arguments as `fit_models`.

    Raises:
        FitError: a fit did not converge.
    """
    shown = model.asimov() if model.hidden else model
    free, null = fits.fit(shown), fits.fit(shown, 0.0)
    moving = free.mu_error is not None
    impacts = fits.impacts(shown if moving else shown.asimov(1.0)) if free.pulls() else []
    quality = fits.goodness_of_fit(shown, toys=toys, seed=seed)
    return FitRecord(
        sample=name,
        mu=free.mu,
        mu_error=number(free.mu_error),
        success=free.success and null.success,
        few_events=few_events(model),
        at_bound=free.at_bound,
        pulls=tuple(Pull(key, number(value), number(error)) for key, (value, error) in sorted(free.pulls().items())),
        impacts=tuple(FittedImpact(**vars(impact)) for impact in impacts),
        impacts_of="the fit" if moving else "Asimov data with mu = 1",
        goodness_of_fit=FitQuality(**vars(quality)),
        yields=tuple(_yields(model, shown, null, free)),
        correlations=tuple(ParameterCorrelation(*pair, value) for pair, value in free.correlations.items()),
    )


def _yields(model: Model, shown: Model, null: FitResult, free: FitResult) -> list[FittedYield]:
    """Every region of every cell, and every bin of templates; what is blinded is None."""
    observed, signal = shown.observed(), model.signal()

    def fitted(i: int, j: int, category: str, bin_: int, region: str | None, prefit: float) -> FittedYield:
        return FittedYield(
            category=category,
            bin=bin_,
            region=region,
            observed=None if model.hidden and region in (None, "A") else float(observed[i, j]),
            prefit=float(prefit),
            signal=float(signal[i, j]),
            background_only=float(null.yields.background[i, j]),
            background_only_error=number(float(null.yields.background_error[i, j])),
            fitted_background=float(free.yields.background[i, j]),
            fitted_signal=float(free.yields.signal[i, j]),
        )

    of_cells = [
        fitted(i, j, cell.category, cell.bin, region, prefit)
        for i, cell in enumerate(shown.cells)
        for j, (region, prefit) in enumerate(zip(REGIONS, (cell.predicted, *cell.sidebands), strict=True))
    ]
    bins = [(channel, i) for channel in shown.templates for i in range(channel.bins)]
    of_templates = [
        fitted(row, 0, channel.name, i, None, channel.background[i])
        for row, (channel, i) in enumerate(bins, start=len(shown.cells))
    ]
    return of_cells + of_templates
