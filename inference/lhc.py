"""CLs and upper limits by toys of q~_mu: the method of limits that are quoted (CMS NOTE-2011/005, section 2.1).

Combine calls it HybridNew with LHC-limits. Toys with signal are thrown from the fit of the data at the mu that is
tested, toys without it from the fit at mu = 0; counts are Poisson, and auxiliary measurements are thrown about the
fitted nuisance parameters. The statistic is q~_mu, with all parameters fitted to each toy (`inference.compiled_fits`).
CLs is the share of toys with signal that have q~_mu of the data or more, over that of toys without signal. What is
expected has quantiles of q~_mu in toys without signal in place of the data's. Blinded data: all is thrown from what the
sidebands predict.

Toys are thrown where they are needed: near the mu, or the |V|^2 of a scan, at which CLs is 5 %.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from hnl.inference import compiled_fits
from hnl.inference.arrays import Floats
from hnl.inference.asymptotics import LEVEL, Limit
from hnl.inference.cells import A
from hnl.inference.compiled_fits import Point, Profile, Terms, Toy
from hnl.inference.likelihood import Data, FitError, Likelihood
from hnl.inference.methods import LHC
from hnl.inference.model import Model
from hnl.inference.toys import Toys

SLACK = 1e-4  # of q~: what fits may be off by, and equal counts are to have equal q~
# Our choices, of the precision of a limit: 3 % is small beside the width of what is expected.
PRECISION = 0.03  # relative
MOST, LEAST_PRECISE = 20_000, 0.1  # toys with signal for one limit, and what then is enough
FEWEST = 10  # toys beyond the data
FIRST, ROUND = (200, 100), (600, 150)  # toys with and without signal
ROUNDS = 60
SLOPE, SLOPE_ERROR = 4.0, 4.0  # of log CLs by log mu, before two points tell it: a Gaussian without background has 4.6
CURVED = 0.3  # of log(CLs / 5 %) squared: how far from straight it may be
LONGEST = 0.7  # step in the logarithm


class Lhc:
    """A model whose q~_mu is tested."""

    def __init__(self, model: Model, seed: int = 1, *, data: Data | None = None) -> None:
        """Keeps the data.

        Args:
            model: with blinded data nothing observed is given.
            seed: of the random numbers.
            data: one data set in place of the model's, for studies.
        """
        self.model, self.seed = model, seed
        self.likelihood = Likelihood(model)
        self.terms = compiled_fits.terms(self.likelihood)
        self._data = data or self.likelihood.data(model.asimov().observed() if model.hidden else None)
        self.data = compiled_fits.toys_of(self.likelihood, self._data)
        self.tests: dict[float, Test] = {}  # by mu

    @cached_property
    def null(self) -> Point:
        """The fit of the data at mu = 0; FitError if it did not converge."""
        found = self.fits(self.data, 0.0)
        if not found.converged[0]:
            raise FitError(f"the fit at mu = 0 did not converge (-log L = {found.fixed[0]:.6g})")
        return found.at

    def fits(self, toys: Toy, mu: float) -> Profile:
        """Fits of data sets."""
        unit = self.likelihood.mu_scale(self._data._replace(n=toys.n))
        return compiled_fits.profile(self.terms, toys, mu, unit)

    def thrown(self, truth: Point, number: int, rng: np.random.Generator) -> Toy:
        """Data sets of one point of the parameters."""
        of = self.terms
        nu = _expected(of, truth)
        t = truth.t + of.signal_width * rng.normal(size=(number, *truth.t.shape))
        e = truth.e + of.width * rng.normal(size=(number, *truth.e.shape))
        common = truth.common + of.constrained * rng.normal(size=(number, len(truth.common)))
        return Toy(rng.poisson(nu, (number, *nu.shape)).astype(np.float64), t, e, common)

    def test(self, mu: float) -> "Test":
        """The test of one mu, which is kept with its toys."""
        if mu not in self.tests:
            self.tests[mu] = Test(self, mu)
        return self.tests[mu]


class Test:
    """q~_mu at one mu: of the data, and of toys."""

    __test__ = False  # not one of pytest's

    def __init__(self, of: Lhc, mu: float) -> None:
        """Fits the data.

        Raises:
            FitError: a fit did not converge, or the one with mu free is not the deepest.
        """
        self.of, self.mu = of, mu
        fit = of.fits(of.data, mu)
        if not fit.converged[0]:
            raise FitError(f"the fit at mu = {mu:g} did not converge (-log L = {fit.fixed[0]:.6g})")
        if fit.free[0] > fit.fixed[0] + SLACK:
            raise FitError(
                f"the fit at mu = {mu:g} has a lower -log L ({fit.fixed[0]:.6g}) than that of mu = {fit.mu[0]:g} "
                f"({fit.free[0]:.6g}), which was found with mu free: it missed the minimum"
            )
        self._q = None if of.model.hidden else float(fit.q(mu)[0])
        self._truths = fit.at, of.null
        self._toys: list[Floats] = [np.empty(0), np.empty(0)]  # q~ with signal and without
        # The same numbers for the same mu and model, whatever was asked before.
        self._rng = np.random.default_rng([of.seed, int(np.float64(mu).view(np.uint64))])

    @property
    def thrown(self) -> tuple[int, int]:
        """Toys with signal and without."""
        return len(self._toys[0]), len(self._toys[1])

    @property
    def failed(self) -> int:
        """Toys whose fit did not converge. They count against an exclusion."""
        return int(sum(np.isnan(q).sum() for q in self._toys))

    def throw(self, signal: int, background: int) -> None:
        """Throws and fits more toys.

        Raises:
            FitError: a fit with mu free is above that at mu.
        """
        for i, number in enumerate((signal, background)):
            fits = self.of.fits(self.of.thrown(self._truths[i], number, self._rng), self.mu)
            if (fits.free > fits.fixed + SLACK).any():
                raise FitError(f"a fit of a toy with mu free is above that at mu = {self.mu:g}: it missed the minimum")
            q = np.where(fits.converged, fits.q(self.mu), np.nan)
            self._toys[i] = np.concatenate([self._toys[i], q])

    def cls(self, curve: float | None) -> tuple[float, float]:
        """CLs and its relative statistical error.

        Args:
            curve: None for the data; else standard deviations of the background: what is expected.
        """
        counts = self._beyond(curve)
        shares = [max(count, 0.5) / number for count, number in zip(counts, self.thrown, strict=True)]
        variance = sum((1 - p) / (p * number) for p, number in zip(shares, self.thrown, strict=True))
        return min(shares[0] / shares[1], 1.0), math.sqrt(variance + 1 / self.thrown[0] ** 2)

    def is_known(self, curve: float | None, alpha: float) -> bool:
        """Whether there are toys enough to know CLs, or to know that it is far below alpha."""
        (above, below), (signal, background) = self._beyond(curve), self.thrown
        least = (above + 3) / signal < 0.4 * alpha * below / background
        return below >= FEWEST and (above >= FEWEST or least)

    def _beyond(self, curve: float | None) -> tuple[int, int]:
        """Toys with signal and without that have q~ of a curve or more."""
        signal, background = self._toys
        q = self._q if curve is None else float(np.nanquantile(background, ndtr(-curve), method="inverted_cdf"))
        assert q is not None
        # Failed toys with signal are as far as the data, those without are not.
        return int(np.sum((signal >= q - SLACK) | np.isnan(signal))), int(np.sum(background >= q - SLACK))


@dataclass(frozen=True)
class Crossing:
    """Where CLs is 5 %: a mu, or a |V|^2 of a scan."""

    at: float
    error: float  # statistical, relative
    toys: int  # with signal and without, at all points that were used
    failed: int  # of them: fits did not converge


class LhcLimit(NamedTuple):
    """A limit, and how well it is known."""

    limit: Limit
    error: float  # statistical, relative: of the observed limit, or of the median if data are blinded
    failed: int  # toys whose fit did not converge


def crossing(
    test: Callable[[float], Test],
    curve: float | None,
    begin: float,
    *,
    known: Mapping[float, Test],
    rising: bool = False,
    precision: float = PRECISION,
    level: float = LEVEL,
) -> Crossing:
    """Where CLs of one curve is 1 - level, with log CLs straight in the logarithm of x near there.

    Each round throws toys at the present estimate, until it is known well enough or `MOST` toys are thrown.

    Args:
        test: the test at an x > 0: mu, or |V|^2.
        curve: see `Test.cls`.
        begin: x.
        known: tests that there are already, by x, to which `test` adds.
        rising: CLs rises with x.
        precision: relative, of x.
        level: confidence level.

    Raises:
        FitError: none is found.
    """
    z, used = math.log(begin), 0
    for _ in range(ROUNDS):
        nearest = min((abs(math.log(x) - z), x) for x in known) if known else (math.inf, begin)
        one = known[nearest[1]] if nearest[0] < precision / 2 else test(math.exp(z))
        first = one.thrown[0]
        one.throw(*(ROUND if first else FIRST))
        while not one.is_known(curve, 1 - level):
            if one.thrown[0] > MOST:
                raise FitError(f"data are too rare: q~ as theirs is in too few of {sum(one.thrown)} toys")
            one.throw(*ROUND)
        used += one.thrown[0] - first
        x = np.array(sorted(x for x, one in known.items() if one.thrown[0]))
        log_cls, error = np.array([known[v].cls(curve) for v in x]).T
        log_cls = np.log(log_cls / (1 - level))
        root, root_error = _root(np.log(x), log_cls, error, -1.0 if not rising else 1.0)
        if root_error < (precision if used < MOST else LEAST_PRECISE):
            tests = [known[v] for v in x]
            toys, failed = sum(sum(one.thrown) for one in tests), sum(one.failed for one in tests)
            return Crossing(math.exp(root), root_error, toys, failed)
        near = np.log(x)[np.argmin(np.abs(np.log(x) - root))]
        z = near + min(max(root - near, -LONGEST), LONGEST)
    raise FitError(f"no limit by toys is found: CLs at {math.exp(z):g} is {(1 - level) * math.exp(log_cls[-1]):.3g}")


def _root(z: Floats, values: Floats, errors: Floats, sign: float) -> tuple[float, float]:
    """Where a straight line through points crosses zero, and its error; far points tell little.

    The slope has a Gaussian prior.
    """
    weights = 1 / (errors**2 + (CURVED * values**2) ** 2)
    centre = float((weights * z).sum() / weights.sum())
    dz = z - centre
    prior = 1 / SLOPE_ERROR**2
    curvature = float((weights * dz**2).sum()) + prior
    slope = (float((weights * dz * values).sum()) + prior * sign * SLOPE) / curvature
    if slope * sign < 0.5:
        slope = sign * 0.5
    height = float((weights * values).sum() / weights.sum())
    shift = -height / slope
    variance = 1 / weights.sum() + shift**2 / curvature
    return centre + shift, math.sqrt(variance) / abs(slope)


def _expected(of: Terms, at: Point) -> Floats:
    """Events, (K, R)."""
    k = of.cells
    nu: Floats = at.common[0] * of.signal * np.exp(at.t + of.signal_exponents @ at.common)
    of_a = at.e + of.exponents @ at.common
    of_a[:, :k] += at.rates[:k] @ [1.0, 1.0, -1.0]
    nu[:, A] += (of.scales * np.exp(of_a)).sum(axis=0)
    if k:
        nu[:k, 1:] += np.exp(at.rates[:k])
    return nu


def upper_limit(model: Model, level: float = LEVEL, seed: int = 1, hybrid: Limit | None = None) -> LhcLimit:
    """Upper limits on mu, observed (unless blinded) and expected.

    The bands are those of hybrid toys, moved with the median: of rare fluctuations LHC-type toys would cost ten times
    as much.

    Raises:
        FitError: a fit of the data, or a fit of a toy with mu free, missed the minimum; or no limit is found.
    """
    of = Lhc(model, seed)
    hybrid = hybrid or Toys(model, seed=seed).upper_limit(level)
    median = crossing(of.test, 0.0, hybrid.expected[2], known=of.tests, level=level)
    observed = None
    if hybrid.observed is not None:
        observed = crossing(of.test, None, hybrid.observed, known=of.tests, level=level)
    bands = tuple(value * median.at / hybrid.expected[2] for value in hybrid.expected)
    toys = sum(sum(test.thrown) for test in of.tests.values())
    limit = Limit(observed.at if observed else None, bands, level, LHC, toys)
    return LhcLimit(limit, (observed or median).error, sum(test.failed for test in of.tests.values()))
