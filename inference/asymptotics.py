"""CLs and upper limits in the asymptotic approximation, as section 8 sets its limits.

Test statistic: q~_mu, the profile likelihood ratio for upper limits with mu >= 0; formulas of Cowan, Cranmer, Gross
and Vitells, Eur. Phys. J. C 71 (2011) 1554. The Asimov data are those of mu = 0 fitted to the data, auxiliary
measurements included. Blinded data have none of the observed results; their Asimov data are what the sidebands predict.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri

from hnl.inference import minimizer
from hnl.inference.arrays import Floats, Mask
from hnl.inference.likelihood import Data, FitError, Fits, Likelihood
from hnl.inference.methods import ASYMPTOTIC
from hnl.inference.model import Model

BANDS = (-2.0, -1.0, 0.0, 1.0, 2.0)  # standard deviations of the background; small limits first
LEVEL = 0.95
PRECISION = 1e-4  # of an upper limit, relative
DOUBLINGS = 60
SLACK = 1e-5  # of q: what fits that converged may be off by


@dataclass(frozen=True)
class CLs:
    """CLs at one mu. `observed` is None for blinded data."""

    mu: float
    observed: float | None
    expected: tuple[float, ...]  # at `BANDS`: smallest first
    q: float | None  # q~_mu of the data
    q_asimov: float
    mu_hat: float | None  # >= 0


@dataclass(frozen=True)
class Limit:
    """Upper limit on mu. `observed` is None for blinded data."""

    observed: float | None
    expected: tuple[float, ...]  # at `BANDS`
    level: float  # confidence level
    method: str  # see `inference.methods`
    toys: int = 0  # hybrid: for each hypothesis and mu; lhc: of all mu


class Asymptotic:
    """Tests of one model; fits that do not depend on mu are made once."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.likelihood = Likelihood(model)

    @cached_property
    def data(self) -> Data:
        """What is observed; HiddenDataError if it is blinded."""
        return self.likelihood.data()

    @cached_property
    def null_data(self) -> Data:
        """What is observed, or what the sidebands predict if it is blinded."""
        return self.likelihood.data(self.model.asimov().observed()) if self.model.hidden else self.data

    @cached_property
    def null(self) -> Fits:
        """The fit of `null_data` at mu = 0."""
        return minimizer.fit_fixed_mu(self.likelihood, self.null_data, 0.0).checked("mu = 0")

    @cached_property
    def best(self) -> Fits:
        """The fit of the data with mu >= 0 free."""
        return minimizer.fit_free_mu(self.likelihood, self.data, self.null).checked("free mu")

    @cached_property
    def asimov(self) -> Data:
        """Data without fluctuations at mu = 0."""
        return Data(self.likelihood.expected(self.null), self.null.local, self.null.common)

    def q(self, mu: float) -> float:
        """q~_mu of the data.

        Raises:
            FitError: a fit did not converge, or the one with mu free is not the deepest.
        """
        if self.best.mu[0] > mu:
            return 0.0
        at = minimizer.fit_fixed_mu(self.likelihood, self.data, mu).checked(f"mu = {mu:g}")
        q = 2 * float(at.nll[0] - self.best.nll[0])
        if q < -SLACK:
            raise FitError(
                f"the fit at mu = {mu:g} has a lower -log L ({at.nll[0]:.6g}) than that of mu = {self.best.mu[0]:g} "
                f"({self.best.nll[0]:.6g}), which was found with mu free: it missed the minimum"
            )
        return max(0.0, q)

    def q_asimov(self, mu: float) -> float:
        """q~_mu of the Asimov data, which fit mu = 0 perfectly."""
        at = minimizer.fit_fixed_mu(self.likelihood, self.asimov, mu, begin=self.null).checked(
            f"mu = {mu:g} to Asimov data"
        )
        return max(0.0, 2 * float(at.nll[0]))

    def cls(self, mu: float) -> CLs:
        """Observed and expected CLs at mu > 0."""
        q_asimov = self.q_asimov(mu)
        expected = tuple(math.exp(log_cls_expected(q_asimov, n)) for n in BANDS)
        if self.model.hidden:
            return CLs(mu, None, expected, None, q_asimov, None)
        q = self.q(mu)
        return CLs(mu, float(np.exp(log_cls(q, q_asimov))), expected, q, q_asimov, float(self.best.mu[0]))

    def upper_limit(self, level: float = LEVEL) -> Limit:
        """The mu at which CLs falls to 1 - level, observed and expected."""
        log_alpha = math.log(1 - level)
        begin = 2 * float(self.likelihood.mu_scale(self.asimov)[0])
        roots = {}  # q_A serves all bands

        def root_q(mu: float) -> float:
            if mu not in roots:
                roots[mu] = math.sqrt(self.q_asimov(mu))
            return roots[mu]

        expected: list[float] = []
        for n in BANDS:
            target = n + float(ndtri(1 - (1 - level) * ndtr(n)))
            expected.append(crossing(lambda mu, t=target: t - root_q(mu), expected[-1] if expected else begin))  # type: ignore[misc]
        observed = None
        if not self.model.hidden:
            start = max(expected[2], float(self.best.mu[0]))
            observed = crossing(lambda mu: float(log_cls(self.q(mu), self.q_asimov(mu))) - log_alpha, start)
        return Limit(observed, tuple(expected), level, ASYMPTOTIC)


def cls(model: Model, mu: float = 1.0) -> CLs:
    """CLs of a model, see `Asymptotic.cls`. A signal is excluded at 95 % if CLs at mu = 1 is below 0.05.

    Raises:
        FitError: a fit did not converge.
    """
    return Asymptotic(model).cls(mu)


def upper_limit(model: Model, level: float = LEVEL) -> Limit:
    """Upper limit on mu, see `Asymptotic.upper_limit`.

    Raises:
        FitError: a fit did not converge.
    """
    return Asymptotic(model).upper_limit(level)


def cls_of_many(likelihood: Likelihood, data: Data, mu: float) -> tuple[Floats, Mask]:
    """Observed CLs at mu of many data sets, for studies of coverage.

    Returns:
        CLs, and whether one of the fits failed; (T,) each.
    """
    null = minimizer.fit_fixed_mu(likelihood, data, 0.0)
    best = minimizer.fit_free_mu(likelihood, data, null)
    at = minimizer.fit_fixed_mu(likelihood, data, mu, begin=best)
    asimov = Data(likelihood.expected(null), null.local, null.common)
    tested = minimizer.fit_fixed_mu(likelihood, asimov, mu, begin=null)
    q = np.where(best.mu > mu, 0.0, 2 * (at.nll - best.nll))
    failed = ~(best.converged & at.converged & tested.converged) | (q < -SLACK)
    q = np.maximum(q, 0)
    return np.exp(log_cls(q, np.maximum(2 * tested.nll, 0))), failed


def log_cls(q: Floats | float, q_asimov: Floats | float) -> Floats:
    """log CLs from q~_mu of the data and of the Asimov data."""
    root, root_a = np.sqrt(q), np.sqrt(q_asimov)
    beyond = np.divide(q - q_asimov, 2 * root_a, out=np.zeros(np.shape(q)), where=root_a > 0)
    distance = np.where(q <= q_asimov, root - root_a, beyond)
    result: Floats = log_ndtr(-distance - root_a) - log_ndtr(-distance)
    return result


def log_cls_expected(q_asimov: float, n: float) -> float:
    """log CLs where the data fluctuate by n standard deviations of the background."""
    return float(log_ndtr(n - math.sqrt(q_asimov)) - log_ndtr(n))


def crossing(function: Callable[[float], float], begin: float) -> float:
    """Where a function that falls with mu > 0 crosses zero: brackets by factors of 2, then Brent's method in log mu.

    Raises:
        FitError: no bracket is found.
    """
    low = high = begin
    for _ in range(DOUBLINGS):
        if function(high) < 0:
            break
        low, high = high, 2 * high
    else:
        raise FitError(f"no upper limit is found up to mu = {high:g}")
    for _ in range(DOUBLINGS):
        if function(low) >= 0:
            return math.exp(brentq(lambda x: function(math.exp(x)), math.log(low), math.log(high), xtol=PRECISION))
        low, high = low / 2, low
    raise FitError(f"no upper limit is found down to mu = {low:g}")
