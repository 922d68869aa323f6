"""One fit of a model, and what is asked of it: pulls, yields, impacts, goodness of fit."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from hnl.inference import minimizer
from hnl.inference import toys as throwing
from hnl.inference.arrays import Floats
from hnl.inference.likelihood import FREE, RATES, Data, Fits, Likelihood
from hnl.inference.model import Model

EMPTY = 1e-3  # events: a background rate below has run to its limit of zero
MIN_CORRELATION = 0.01  # smaller ones are not kept: our choice, below what a figure can show
TOY_BINS = 40  # of the histogram of the statistic: our choice


@dataclass(frozen=True)
class YieldArrays:
    """Fitted events; arrays of shape (row, region), see `Model`."""

    rows: tuple[str, ...]  # names: CATEGORY_bNUMBER of cells, CHANNEL_binNUMBER of templates
    observed: Floats
    signal: Floats  # at the fitted mu
    background: Floats
    background_error: Floats  # from the covariance of all parameters


@dataclass(frozen=True)
class FitResult:
    """A fit.

    Parameters are by name: 'mu', nuisance parameters, rates such as 'nB_mumu_OS_b0' in events, and free normalisations
    such as 'norm_qcd', relative to the yields given.
    """

    mu: float
    mu_error: float | None  # None where mu is fixed or at its bound
    parameters: dict[str, float]
    uncertainties: dict[str, float]  # from the Hessian; without mu where `mu_error` is None
    nll: float  # -log L over that of the saturated model
    success: bool
    at_bound: tuple[str, ...]  # parameters at their limits: the errors of these mean nothing
    yields: YieldArrays
    correlations: dict[tuple[str, str], float]  # of two parameters, without rates; see `_correlations`

    def pulls(self) -> dict[str, tuple[float, float]]:
        """Value and error of each nuisance parameter, in units of its constraint."""
        free = (FREE, *(f"{rate}_" for rate in RATES))
        names = (name for name in self.parameters if name != "mu" and not name.startswith(free))
        return {name: (self.parameters[name], self.uncertainties[name]) for name in names}


@dataclass(frozen=True)
class Impact:
    """Change of the fitted mu when a nuisance parameter is held one standard deviation up or down."""

    name: str
    value: float
    error: float
    up: float
    down: float


@dataclass(frozen=True)
class GoodnessOfFit:
    """Likelihood ratio to the saturated model."""

    statistic: float  # -2 log of the ratio
    degrees: int
    p_value: float  # of a chi2 distribution
    toys: int
    p_value_toys: float | None  # failed toys count as worse than the data
    failed: int
    toy_edges: tuple[float, ...] = ()  # of the histogram of the statistic of toys that converged
    toy_counts: tuple[int, ...] = ()


def fit(model: Model, mu: float | None = None, *, lowest: float = 0.0) -> FitResult:
    """Fits a model.

    Args:
        model: with its data shown.
        mu: fixed; free from `lowest` on if None.
        lowest: smallest mu.

    Returns:
        The fit; `success` is False if it did not converge.

    Raises:
        HiddenDataError: the data are blinded; fit `model.asimov()` in that case.
    """
    likelihood = Likelihood(model)
    data, found = _fit(likelihood, mu, lowest)
    moving = mu is None and bool(found.mu[0] > lowest)
    ll, lc, cc = (part[0] for part in minimizer.covariance(likelihood, found, data, free_mu=np.array([moving])))
    values, errors = {}, {}
    at_bound = ["mu"] if mu is None and not moving else []
    with np.errstate(invalid="ignore"):
        common_error, local_error = np.sqrt(np.diag(cc)), np.sqrt(np.diagonal(ll, axis1=1, axis2=2))
    nominal = dict(zip(likelihood.free, likelihood.free_yields.sum(axis=1), strict=True))  # events
    shared = [(found.common[0, j], common_error[j], name, nominal.get(j)) for j, name in enumerate(likelihood.common)]
    own = [
        (found.local[0, i, j], local_error[i, j], name, 1.0 if j < likelihood.n_rates else None)
        for i, j, name in _local(likelihood)
    ]
    for x, error, name, events in shared + own:
        if events is not None:  # a logarithm
            x, error = np.exp(x), np.exp(x) * error
            at_bound += [name] if x * events < EMPTY else []
        values[name] = float(x)
        if name != "mu" or moving:
            errors[name] = float(error)
    return FitResult(
        mu=values["mu"],
        mu_error=errors.get("mu"),
        parameters=values,
        uncertainties=errors,
        nll=float(found.nll[0]),
        success=bool(found.converged[0]) and all(np.isfinite(v) for v in errors.values()),
        at_bound=tuple(at_bound),
        yields=_yields(likelihood, found, model.observed(), ll, lc, cc),
        correlations=_correlations(likelihood, ll, lc, cc),
    )


def _fit(likelihood: Likelihood, mu: float | None, lowest: float = 0.0) -> tuple[Data, Fits]:
    data = likelihood.data()
    null = minimizer.fit_fixed_mu(likelihood, data, 0.0 if mu is None else mu)
    return data, null if mu is not None else minimizer.fit_free_mu(likelihood, data, null, lowest=lowest)


def _local(likelihood: Likelihood) -> list[tuple[int, int, str]]:
    """Row, position and name of the parameters of one row that have an effect."""
    result = []
    rows = likelihood.model.rows
    for i, row in enumerate(rows):
        for j, name in enumerate(likelihood.local):
            if name in RATES and i >= len(likelihood.model.cells):
                continue
            kind, _, region = name.partition("_")
            if name in RATES or likelihood.own_factors[name][i] != 1:
                result.append((i, j, f"{kind}_{row}_{region}" if region else f"{name}_{row}"))
    return result


def _correlations(likelihood: Likelihood, ll: Floats, lc: Floats, cc: Floats) -> dict[tuple[str, str], float]:
    """Of mu, nuisance parameters and free normalisations, where not below `MIN_CORRELATION`; the largest first.

    Parameters that do not move, as mu at its bound, have none.
    """
    own = [entry for entry in _local(likelihood) if entry[1] >= likelihood.n_rates]
    row, column = (np.array([entry[k] for entry in own], dtype=int) for k in (0, 1))
    mixed = lc[row, column]
    # Rows know of each other through the common parameters only.
    between = mixed @ np.linalg.pinv(cc, hermitian=True) @ mixed.T
    local = np.where(row[:, None] == row, ll[row[:, None], column[:, None], column], between)
    covariance = np.block([[cc, mixed.T], [mixed, local]])
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(np.diag(covariance))
        matrix = covariance / np.outer(error, error)
    names = [*likelihood.common, *(entry[2] for entry in own)]
    first, second = np.nonzero(np.triu(np.abs(matrix) >= MIN_CORRELATION, 1))
    order = np.argsort(-np.abs(matrix[first, second]), kind="stable")
    return {(names[i], names[j]): float(matrix[i, j]) for i, j in zip(first[order], second[order], strict=True)}


def _yields(likelihood: Likelihood, found: Fits, observed: Floats, ll: Floats, lc: Floats, cc: Floats) -> YieldArrays:
    signal, background = (part[0] for part in likelihood.parts(found.local, found.common))
    m = likelihood.n_local
    slope = likelihood.background_slope(found.local, found.common)[0]
    local, common = slope[..., :m], slope[..., m:]
    variance = (
        np.einsum("krj,kjl,krl->kr", local, ll, local)
        + 2 * np.einsum("krj,kjc,krc->kr", local, lc, common)
        + np.einsum("krc,cd,krd->kr", common, cc, common)
    )
    error = background * np.sqrt(np.maximum(variance, 0))
    return YieldArrays(likelihood.model.rows, observed, found.mu[0] * signal, background, error)


def impacts(model: Model) -> list[Impact]:
    """Impacts of all nuisance parameters on mu, the largest first; mu >= 0 in all fits.

    Where the data have no excess, mu is at its bound and does not move: `impacts(model.asimov(1.0))` are those
    expected with a signal.

    Raises:
        FitError: a fit did not converge.
    """
    likelihood = Likelihood(model)
    data, best = _fit(likelihood, None)
    best.checked("free mu")
    ll, _, cc = (part[0] for part in minimizer.covariance(likelihood, best, data, free_mu=best.mu > 0))
    shared = [(-1, j, name) for j, name in enumerate(likelihood.common) if likelihood.constrained_common[j]]
    nuisances = shared + [entry for entry in _local(likelihood) if entry[1] >= likelihood.n_rates]
    if not nuisances:
        return []
    many = 2 * len(nuisances)
    repeated = data.take(np.zeros(many, dtype=int))
    local, common = (np.repeat(part, many, axis=0) for part in (best.local, best.common))
    free_local, free_common = np.ones(local.shape, dtype=bool), np.ones(common.shape, dtype=bool)
    values = []
    for n, (i, j, _) in enumerate(nuisances):
        array, free, index = (common, free_common, (j,)) if i < 0 else (local, free_local, (i, j))
        error = float(np.sqrt(cc[j, j] if i < 0 else ll[i, j, j]))
        values.append((float(array[(2 * n, *index)]), error))
        for k, sign in enumerate((1, -1)):
            array[(2 * n + k, *index)] += sign * error
            free[(2 * n + k, *index)] = False
    refit = minimizer.minimise(likelihood, repeated, local, common, free_local=free_local, free_common=free_common)
    shifts = (refit.checked("an impact").mu - best.mu[0]).reshape(-1, 2)
    found = [
        Impact(name, *value, float(up), float(down))
        for (_, _, name), value, (up, down) in zip(nuisances, values, shifts, strict=True)
    ]
    return sorted(found, key=lambda impact: -max(abs(impact.up), abs(impact.down)))


def goodness_of_fit(model: Model, *, toys: int = 0, seed: int = 1) -> GoodnessOfFit:
    """Compares the fit with mu >= 0 to the saturated model.

    With few events the statistic does not follow a chi2 distribution: toys of the fit then give the p-value.

    Raises:
        FitError: the fit did not converge.
    """
    likelihood = Likelihood(model)
    _, best = _fit(likelihood, None)
    statistic = 2 * float(best.checked("free mu").nll[0])
    bins = int((model.predicted()[len(model.cells) :] > 0).sum())
    # Of each cell four counts and three rates, of templates a count per bin; free normalisations, and mu.
    degrees = max(len(model.cells) + bins - len(model.free) - 1, 1)
    p_value = float(chi2.sf(statistic, degrees))
    if not toys:
        return GoodnessOfFit(statistic, degrees, p_value, 0, None, 0)
    data = throwing.throw(likelihood, best, toys, np.random.default_rng(seed))
    found = minimizer.fit_free_mu(likelihood, data, minimizer.fit_fixed_mu(likelihood, data, 0.0))
    worse = (2 * found.nll >= statistic - 1e-6) | ~found.converged
    counts, edges = np.histogram(2 * found.nll[found.converged], TOY_BINS)
    histogram = tuple(edges.tolist()), tuple(counts.tolist())
    failed = int((~found.converged).sum())
    return GoodnessOfFit(statistic, degrees, p_value, toys, float(worse.mean()), failed, *histogram)
