"""CLs and upper limits by hybrid toys: fast, since nothing is fitted. `inference.lhc` has those to quote.

B, C and D of cells are kept as observed, and what they leave open is averaged over (Cousins and Highland, Nucl.
Instrum. Meth. A 320 (1992) 331). A toy draws the nuisance parameters from their Gaussians, and the rates from

    b: Gamma(B) - mu s_B      c: Gamma(C) - mu s_C      d: Gamma(D + 1) - mu s_D      none below zero

and then the events of A. Bins of templates have no sidebands: their background is that of the templates with the
nuisance parameters drawn, and their events are treated as those of A. Only where normalisations are free something is
fitted, see `inference.normalisations`. The statistic is that of Junk, Nucl. Instrum. Meth. A 434 (1999) 435: the sum
over cells and bins of n_A log(1 + mu s_A / b_A).

A is all that is tested: a sideband with fewer events than the signal alone would have does not tell against it. What
data without signal would be (the expected results) is drawn likewise, but from the floors of `model.FLOORS` where fewer
events are seen: with Gamma(0) no background at all would be expected, and the promise would be too good.

Why these distributions. For one background rate, a Gamma distribution of n, or of n + 1, turns the average into the
exact binomial test of the ratio of two counts, for P(at most as many events) and for P(at least as many); see Cousins,
Linnemann and Tucker, Nucl. Instrum. Meth. A 595 (2008) 480. Upper limits need the former, and the background of A falls
with d. In many cells together a prior that moves every rate up, as Gamma(n + 1) does, moves their sum by many standard
deviations; Gamma(n) has the mean n and the variance n of the observation. benchmarks/toy_coverage.py has the coverage
of both, and of toys thrown from a fit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from hnl.inference.arrays import Floats
from hnl.inference.asymptotics import BANDS, LEVEL, Limit
from hnl.inference.cells import FLOORS, A
from hnl.inference.likelihood import Data, FitError, Fits, Likelihood
from hnl.inference.methods import HYBRID
from hnl.inference.model import Model
from hnl.inference.normalisations import Normalisations

# Our choices of when asymptotic limits are not to be trusted, see `few_events`: fewer events expected in A, or fewer
# observed in a sideband. docs/statistics.md has the coverage on either side.
FEW_IN_A, FEW_IN_SIDEBAND = 3.0, 40.0
MOST_OF_SIGNAL = 0.9
TOYS = 10_000
SHAPES = (0.0, 0.0, 1.0)  # of the Gamma distributions of b, c, d: beyond the events observed
# Our choice: background in the weights of cells, B, C and D with half an event (one in D) more. An empty sideband is to
# have a finite weight; weights that do not suit cost sensitivity, not coverage.
ADDED = (0.5, 0.5, 1.0)
MOST = 1e9  # events in a cell of a toy: no more are thrown where d is next to zero
LEAST = 1e-6  # events of background in the weights of bins of templates: events where none is expected weigh much
STEP = 1.25  # of mu, in the search of limits; between, CLs is nearly an exponential
STEPS = 60


@dataclass(frozen=True)
class ToyCLs:
    """CLs at one mu by toys. `observed` and its statistical error are None for blinded data."""

    mu: float
    observed: float | None
    error: float | None
    expected: tuple[float, ...]  # at `asymptotics.BANDS`, with the B, C and D observed
    toys: int  # for each hypothesis


def expected_in_a(model: Model) -> float:
    """Background expected where the signal is.

    That is in A of those cells, and in those bins of templates, which hold `MOST_OF_SIGNAL` of it: fewest that do.
    """
    signal = model.signal()[:, A]
    order = np.argsort(-signal, kind="stable")
    held = np.cumsum(signal[order])
    number = int(np.searchsorted(held, MOST_OF_SIGNAL * held[-1])) + 1
    predicted = model.predicted()
    return float(sum(predicted[i] for i in order[:number]))


def few_events(model: Model) -> bool:
    """Whether asymptotic formulas are not to be trusted.

    It is where fewer than `FEW_IN_A` events are expected in A, or in the bins of templates, that hold the signal; or
    where more than a tenth of the signal in A lies in cells with fewer than `FEW_IN_SIDEBAND` events in B, C or D: each
    then fits its own A too well, and the limits of many such cells together come out too low.
    """
    signal = model.signal()[:, A]
    sparse = np.zeros(len(signal), dtype=bool)
    sparse[: len(model.cells)] = [min(cell.sidebands) < FEW_IN_SIDEBAND for cell in model.cells]
    return bool(expected_in_a(model) < FEW_IN_A or signal[sparse].sum() > (1 - MOST_OF_SIGNAL) * signal.sum())


def throw(likelihood: Likelihood, truth: Fits, toys: int, rng: np.random.Generator) -> Data:
    """Data sets of one point of the parameters, for studies: counts of all regions, and auxiliary measurements.

    Args:
        likelihood: of the model.
        truth: the point; of its T only the first is used.
        toys: how many.
        rng: random numbers.
    """
    one = Fits._make(part[:1] for part in truth)
    n = rng.poisson(likelihood.expected(one)[0], (toys, *likelihood.model.signal().shape)).astype(np.float64)
    local = one.local + rng.normal(size=(toys, *one.local.shape[1:]))
    common = one.common + rng.normal(size=(toys, *one.common.shape[1:]))
    return Data(n, local, common)


class Toys:
    """Tests of one model. Rates and nuisance parameters are drawn once, and the events of A at every mu.

    All mu have the same random numbers, so CLs hardly jumps from one to the next.
    """

    def __init__(
        self,
        model: Model,
        toys: int = TOYS,
        seed: int = 1,
        *,
        data: Data | None = None,
        shapes: tuple[float, float, float] = SHAPES,
    ) -> None:
        """Draws.

        Args:
            model: with blinded data nothing observed is given. Expected results do not look at A, but at data of
                templates where normalisations are free.
            toys: for each of the two hypotheses.
            seed: of the random numbers.
            data: one data set in place of the model's, for studies.
            shapes: of the Gamma distributions, for studies.
        """
        self.toys, self.seed = toys, seed
        likelihood = Likelihood(model)
        self._cells = cells = len(model.cells)
        if data is None:
            of_cells = [
                (cell.predicted if cell.hidden else cell.observed[A], *cell.observed[1:]) for cell in model.cells
            ]
            data = likelihood.data(model.counts(of_cells, [t.observed or tuple(t.background) for t in model.templates]))
        self.observed = None if model.hidden else data.n[0, :, A]
        sidebands = data.n[0, :cells, 1:].reshape(cells, 3)
        rng = np.random.default_rng(seed)
        size = (toys, *sidebands.shape)  # (toy, cell, B to D)
        self._rates = rng.standard_gamma(sidebands + shapes, size)
        few = sidebands < FLOORS[1:]
        floored = rng.standard_gamma(np.maximum(sidebands, FLOORS[1:]) + shapes, size)
        self._imagined = np.where(few, floored, self._rates)
        centre = Data(data.n, data.aux_local.copy(), data.aux_common.copy())
        # Rates and free normalisations of 1: the factors of signal and background.
        centre.aux_local[:, :cells, : likelihood.n_rates] = 0
        centre.aux_common[:, 0] = centre.aux_common[:, likelihood.free] = 0
        self._nominal = likelihood.parts(centre.aux_local, centre.aux_common)[0][0, :, A]
        local, common = (
            middle + width * rng.normal(size=(toys, *middle.shape[1:]))
            for middle, width in (
                (centre.aux_local, likelihood.constrained_local),
                (centre.aux_common, likelihood.constrained_common),
            )
        )
        self._normalisations = Normalisations(likelihood, data, local, common, rng)
        self._signal, self._factor, self._free = _split(likelihood, local, common)
        b, c, d = np.moveaxis(sidebands + ADDED, 1, 0)
        of_cells = np.array([cell.c_ab for cell in model.cells]) * b * c / d
        _, factor, free = _split(likelihood, centre.aux_local, centre.aux_common)
        of_bins = factor[0, cells:] + free[0, cells:] @ self._normalisations.draw(0.0).mean(axis=0)
        self._background = np.concatenate([of_cells, np.maximum(of_bins, LEAST)])

    def cls(self, mu: float = 1.0) -> ToyCLs:
        """CLs, observed and expected.

        Args:
            mu: above 0.

        Raises:
            FitError: there are fewer events than in any toy without signal.
        """
        weights = np.log1p(mu * self._nominal / self._background)
        near = 1e-9 * weights.sum()  # equal sums are to be equal
        signal, background = (thrown @ weights for thrown in (self._thrown(self._rates, mu), self._null))

        def ratio(statistic: float) -> tuple[float, float]:
            above, below = (float((toys <= statistic + near).mean()) for toys in (signal, background))
            if below == 0:
                raise FitError(f"fewer events than in any of {self.toys} toys without signal: more toys are needed")
            above = max(above, 1 / self.toys)  # none of the toys: less than one
            variance = above * (1 - above) + (above / below) ** 2 * below * (1 - below)
            return min(above / below, 1.0), math.sqrt(variance / self.toys) / below

        # The data of a background-only world that fluctuates by N sigma: the fewest events first.
        quantiles = np.quantile(self._expected @ weights, ndtr(np.array(BANDS)), method="inverted_cdf")
        expected = tuple(ratio(value)[0] for value in quantiles)
        observed, error = (None, None) if self.observed is None else ratio(float(self.observed @ weights))
        return ToyCLs(mu, observed, error, expected, self.toys)

    def upper_limit(self, level: float = LEVEL) -> Limit:
        """Upper limits on mu: CLs on a grid of mu, and where it falls below 1 - level for good.

        Raises:
            FitError: see `cls`, or no limit is found.
        """
        unit = float(1 / np.sqrt((self._nominal**2 / (self._background + 1)).sum()))
        found: dict[int, ToyCLs] = {}

        def values(step: int) -> tuple[float, ...]:
            if step not in found:
                found[step] = self.cls(unit * STEP**step)
            one = found[step]
            return (*one.expected, *(() if one.observed is None else (one.observed,)))

        low = high = 0
        while max(values(high)) >= 1 - level and high < STEPS:
            high += 1
        while min(values(low)) < 1 - level and low > -STEPS:
            low -= 1
        if STEPS in (high, -low):
            raise FitError(f"no upper limit by toys for mu between {found[low].mu:g} and {found[high].mu:g}")
        steps = range(low, high + 1)
        mu = np.array([found[step].mu for step in steps])
        limits = [_cross(mu, curve, 1 - level) for curve in zip(*map(values, steps), strict=True)]
        observed = None if self.observed is None else limits[-1]
        return Limit(observed, tuple(limits[: len(BANDS)]), level, HYBRID, self.toys)

    @cached_property
    def _null(self) -> NDArray[np.int64]:
        return self._thrown(self._rates, 0.0)

    @cached_property
    def _expected(self) -> NDArray[np.int64]:
        return self._thrown(self._imagined, 0.0)

    def _thrown(self, rates: Floats, mu: float) -> NDArray[np.int64]:
        """Events of A, shape (toy, row)."""
        k = self._cells
        b, c, d = np.moveaxis(np.maximum(rates - mu * self._signal[:, :k, 1:].reshape(rates.shape), 0), 2, 0)
        # Where all of D is signal, nothing says that there is background.
        of_cells = np.divide(self._factor[:, :k] * b * c, d, out=np.zeros(d.shape), where=d > 0)
        of_bins = self._factor[:, k:] + np.einsum("tkp,tp->tk", self._free[:, k:], self._normalisations.draw(mu))
        background = np.concatenate([of_cells, of_bins], axis=1)
        rng = np.random.default_rng([self.seed, int(mu > 0)])
        events: NDArray[np.int64] = rng.poisson(np.minimum(mu * self._signal[..., A] + background, MOST))
        return events


def _split(likelihood: Likelihood, local: Floats, common: Floats) -> tuple[Floats, Floats, Floats]:
    """Signal at mu = 1, (toy, row, region), and backgrounds of A.

    The latter are the sum of the processes that are not free (of cells for rates of 1), (toy, row), and each free one,
    (toy, row, process).
    """
    signal, *backgrounds = likelihood.terms(local, common)
    of_a = np.stack([background[..., A] for background in backgrounds])  # (process, toy, row)
    is_free = likelihood.background_exponents[..., A, likelihood.n_local + likelihood.free]  # (process, row, free one)
    constrained = (of_a * (1 - is_free.sum(axis=-1))[:, None]).sum(axis=0)
    return signal, constrained, np.einsum("ptk,pkf->tkf", of_a, is_free)


def cls(model: Model, mu: float = 1.0, toys: int = TOYS, seed: int = 1) -> ToyCLs:
    """CLs by toys, see `Toys`."""
    return Toys(model, toys, seed).cls(mu)


def _cross(mu: Floats, values: Sequence[float], alpha: float) -> float:
    """Where CLs falls below alpha for good: between two points, with log CLs linear in mu."""
    i = np.flatnonzero(np.asarray(values) >= alpha)[-1]
    x, y = mu[i : i + 2], np.log(values[i : i + 2])
    return float(x[0] + (math.log(alpha) - y[0]) * (x[1] - x[0]) / (y[1] - y[0]))
