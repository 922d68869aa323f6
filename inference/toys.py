"""CLs and upper limits by toys, for few events, where the asymptotic formulas fail.

A toy is thrown from the fit to the data at the mu tested (or at 0), nuisance parameters profiled: counts from Poisson
distributions, and each auxiliary measurement from a Gaussian about the fitted nuisance parameter. Toys come in chunks
of fixed size, each with a random generator of its own, so the answer depends on the seed but not on who computes it.

A toy whose fit fails is neither dropped nor trusted: it counts against exclusion, in the numerator of CLs as if it were
more signal-like than the data, in the denominator as if it were less so.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from hnl.inference import minimum
from hnl.inference.asymptotics import BANDS, LEVEL, Asymptotic, Limit
from hnl.inference.likelihood import Data, FitError, Fits, Likelihood
from hnl.inference.model import A, Model

# Our choices of when asymptotic limits are not to be trusted alone, see `few_events`: fewer events expected in A, or
# fewer observed in a sideband. benchmarks/inference_toys.py has the coverage on either side.
FEW_IN_A, FEW_IN_SIDEBAND = 3.0, 5.0
MOST_OF_SIGNAL = 0.9
CHUNK = 100
TOYS = 2000
GRID = (0.3, 3.0, 12)  # mu at which limits are searched, in units of the asymptotic one: first, last, how many

Map = Callable[..., Iterable[Any]]


class Statistics(NamedTuple):
    """q~_mu of toys, and which of them failed; `mu_hat` is the fitted mu."""

    q: Any
    mu_hat: Any
    failed: Any


@dataclass(frozen=True)
class ToyCLs:
    """CLs at one mu by toys. `observed` and its statistical error are None for blinded data."""

    mu: float
    observed: float | None
    error: float | None
    expected: tuple[float, ...]  # at `asymptotics.BANDS`
    toys: int  # for each hypothesis
    failed: int  # of both together


def expected_in_a(model: Model) -> float:
    """Background expected in A in those cells that, fewest first, hold `MOST_OF_SIGNAL` of the signal in A."""
    signal = model.signal()[:, A]
    order = np.argsort(-signal, kind="stable")
    held = np.cumsum(signal[order])
    number = int(np.searchsorted(held, MOST_OF_SIGNAL * held[-1])) + 1
    return float(sum(model.cells[i].predicted for i in order[:number]))


def few_events(model: Model) -> bool:
    """Whether an asymptotic limit is to be accompanied by one from toys.

    It is where fewer than `FEW_IN_A` events are expected in A, or where more than a tenth of the signal in A lies in
    cells with fewer than `FEW_IN_SIDEBAND` events in B, C or D: each then fits its own A too well, and the limits of
    many such cells together come out too low.
    """
    signal = model.signal()[:, A]
    sparse = np.array([min(cell.sidebands) < FEW_IN_SIDEBAND for cell in model.cells])
    return bool(expected_in_a(model) < FEW_IN_A or signal[sparse].sum() > (1 - MOST_OF_SIGNAL) * signal.sum())


def throw(likelihood: Likelihood, truth: Fits, toys: int, rng: np.random.Generator) -> Data:
    """Toys of one point of the parameters.

    Args:
        likelihood: of the model.
        truth: the point; of its T only the first is used.
        toys: how many.
        rng: random numbers.
    """
    one = Fits(*(part[:1] for part in truth))
    n = rng.poisson(likelihood.expected(one)[0], (toys, len(likelihood.model.cells), 4)).astype(np.float64)
    local = one.local + rng.normal(size=(toys, *one.local.shape[1:]))
    common = one.common + rng.normal(size=(toys, *one.common.shape[1:]))
    return Data(n, local, common)


def statistics(likelihood: Likelihood, data: Data, mu: float) -> Statistics:
    """q~_mu of each data set: 0 where the fitted mu >= 0 is above mu."""
    null = minimum.at(likelihood, data, 0.0)
    best = minimum.free(likelihood, data, null)
    at = null if mu == 0 else minimum.at(likelihood, data, mu)
    q = np.where(best.mu > mu, 0.0, np.maximum(2 * (at.nll - best.nll), 0))
    return Statistics(q, best.mu, ~(best.converged & at.converged))


def cls(model: Model, mu: float = 1.0, toys: int = TOYS, seed: int = 1, run: Map = map) -> ToyCLs:
    """CLs by toys, observed and expected.

    Args:
        model: with blinded data, what the sidebands predict takes their place, and nothing observed is given.
        mu: above 0.
        toys: for each of the two hypotheses.
        seed: of the random numbers.
        run: `map`, or that of an executor; toys of a chunk are made together.

    Raises:
        FitError: a fit of the data failed.
    """
    test = Asymptotic(model)
    data = test.null_data
    q = None if model.hidden else test.q(mu)
    truths = (minimum.at(test.likelihood, data, mu).checked(f"mu = {mu:g}"), test.null)
    sizes = [min(CHUNK, toys - first) for first in range(0, toys, CHUNK)]
    seeds = np.random.SeedSequence(seed).spawn(2 * len(sizes))
    jobs = [(truth, size) for truth in truths for size in sizes]
    parts = list(run(partial(_chunk, model, mu), *zip(*jobs, strict=True), seeds))
    signal, background = (
        Statistics(*(np.concatenate(part) for part in zip(*half, strict=True)))
        for half in (parts[: len(sizes)], parts[len(sizes) :])
    )
    # The data of a background-only world that fluctuates by N sigma: quantiles of q, large q where there is less.
    quantiles = np.quantile(background.q, ndtr(-np.array(BANDS)), method="higher")
    expected = tuple(_ratio(signal, background, value)[0] for value in quantiles)
    failed = int(signal.failed.sum() + background.failed.sum())
    observed, error = (None, None) if q is None else _ratio(signal, background, q)
    return ToyCLs(mu, observed, error, expected, toys, failed)


def _chunk(model: Model, mu: float, truth: Fits, toys: int, seed: np.random.SeedSequence) -> Statistics:
    likelihood = Likelihood(model)
    return statistics(likelihood, throw(likelihood, truth, toys, np.random.default_rng(seed)), mu)


def _ratio(signal: Statistics, background: Statistics, q: float) -> tuple[float, float]:
    """CLs for data with q, and its binomial error; failed toys count against exclusion."""
    near = q - 1e-6  # minima are found to `likelihood.TOLERANCE`: toys equal to the data are not to miss it
    above, below = ((signal.q >= near) | signal.failed).mean(), ((background.q >= near) & ~background.failed).mean()
    if below == 0:
        return 1.0, 1.0  # no toy tells
    variance = above * (1 - above) / len(signal.q) + (above / below) ** 2 * below * (1 - below) / len(background.q)
    return float(min(above / below, 1.0)), float(math.sqrt(variance) / below)


def upper_limit(model: Model, level: float = LEVEL, toys: int = TOYS, seed: int = 1, run: Map = map) -> Limit:
    """Upper limits on mu by toys: CLs on a grid of mu about the asymptotic limits, interpolated in its logarithm.

    Args:
        model, toys, seed, run: see `cls`.
        level: confidence level.

    Raises:
        FitError: a fit of the data failed, or CLs does not cross 1 - level on the grid.
    """
    asymptotic = Asymptotic(model).upper_limit(level)
    first, last, number = GRID
    low, high = (f([v for v in (asymptotic.observed, *asymptotic.expected) if v is not None]) for f in (min, max))
    grid = np.geomspace(first * low, last * high, number)
    found = [cls(model, float(mu), toys, seed + i, run) for i, mu in enumerate(grid)]
    expected = tuple(_cross(grid, [f.expected[i] for f in found], 1 - level) for i in range(len(BANDS)))
    values = [f.observed for f in found if f.observed is not None]
    observed = _cross(grid, values, 1 - level) if values else None
    return Limit(observed, expected, level, "toys", toys, sum(f.failed for f in found))


def _cross(mu: Any, values: Any, alpha: float) -> float:
    """Where CLs falls below alpha for good: between two points, linear in log mu and log CLs."""
    values = np.maximum(values, 1e-12)
    above = np.flatnonzero(values >= alpha)
    if len(above) == 0 or above[-1] == len(mu) - 1:
        raise FitError(f"CLs by toys does not cross {alpha:g} for mu between {mu[0]:g} and {mu[-1]:g}")
    i = above[-1]
    x, y = np.log(mu[i : i + 2]), np.log(values[i : i + 2])
    return float(np.exp(x[0] + (math.log(alpha) - y[0]) * (x[1] - x[0]) / (y[1] - y[0])))


def limits(model: Model, level: float = LEVEL, toys: int = TOYS, seed: int = 1, run: Map = map) -> tuple[Limit, ...]:
    """The asymptotic limit, and one by toys next to it where there are `few_events`."""
    asymptotic = Asymptotic(model).upper_limit(level)
    if not few_events(model):
        return (asymptotic,)
    return asymptotic, upper_limit(model, level, toys, seed, run)
