"""Signal at an m_N between two simulated masses. Our choice, as the paper does not say how it interpolates.

The events of both neighbours are used as events of the point.

- Lifetime: the momentum p of N from W decays hardly depends on its mass, and N flies c tau p / m on average. A
  neighbour is reweighted to the c tau at which it flies as far as N of the point.
- Visible mass: m_SV is scaled in proportion to m_N. Other quantities are not changed; the score is that of the
  classifier of the point.
- Rate: the acceptance is interpolated, linearly in log m_N. The cross section is that of `physics` at the mass of the
  point, times the ratio of catalogue to `physics` at the neighbours.

These rules gave the best predictions of simulated masses that were left out. The uncertainty and the widest gap follow
from the same study: benchmarks/mass_interpolation.py, docs/limits.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot, inf, log, prod

from hnl.corrections.lifetime import Point, PointError, ReweightingError, SignalSample
from hnl.physics import couplings, production
from hnl.physics.constants import LEPTON_MASS

# Largest ratio of the masses of two neighbours.
MAX_RATIO = 2.0
# Relative uncertainty of the acceptance half way between masses a factor of two apart. It grows with the square of the
# gap, as the difference between a curve and its chord.
CURVATURE = 0.20
# Largest relative difference of the ratios (catalogue over `physics`) of neighbours. K-factors and choices of decays
# differ by less.
SAME_MODEL = 0.25


@dataclass(frozen=True)
class Neighbour:
    """Transformation of the samples of a simulated mass into samples of a point."""

    point: Point  # simulated mass, with |V|^2 and nature of the point
    ctau: float  # mm, target of the reweighting
    factor: float  # on the yields after reweighting, at this |V|^2
    stretch: float  # on m_SV


def shares(simulated: Sequence[float], mass: float, fixed: Sequence[float] = ()) -> dict[float, float]:
    """Shares of simulated masses in a mass: the mass itself, or its neighbours below and above, linear in log m_N.

    Args:
        simulated: masses in GeV, in any order, of samples that can be reweighted.
        mass: m_N in GeV.
        fixed: masses of samples without truth, which cannot be neighbours; for the message of the error.

    Raises:
        PointError: the mass is outside of the simulated range, or in a gap that is too wide.
    """
    if mass in simulated:
        return {mass: 1.0}
    below, above = ([m for m in simulated if m < mass], [m for m in simulated if m > mass])
    left_out = (
        f"; samples of {_listed(fixed)} GeV have no true decay length of N and cannot be reweighted" if fixed else ""
    )
    if not below or not above:
        raise PointError(
            f"m_N = {mass:g} GeV is outside of the simulated masses ({_listed(simulated)}): nothing is extrapolated"
            + left_out
        )
    low, high = max(below), min(above)
    if high > MAX_RATIO * low:
        raise PointError(
            f"m_N = {mass:g} GeV is between the simulated {low:g} and {high:g} GeV, which are more than a factor of "
            f"{MAX_RATIO:g} apart{left_out}"
        )
    share = log(mass / low) / log(high / low)
    return {low: 1 - share, high: share}


def neighbours(
    point: Point, ctau: float, of: Mapping[float, float], samples: Mapping[float, Sequence[SignalSample]]
) -> dict[float, Neighbour]:
    """Transformations with which the samples of neighbouring masses together form a sample of the point.

    Args:
        point: the point.
        ctau: mean proper decay length of the point in mm.
        of: see `shares`.
        samples: samples of each of these masses.

    Raises:
        ReweightingError: the cross sections of the neighbours do not belong together.
    """
    factors = _factors(point, of, samples)
    return {
        mass: Neighbour(
            replace(point, mass=mass),
            ctau_to_fly_as_far(ctau, point.mass, mass),
            factors[mass],
            m_sv_stretch(point.mass, mass),
        )
        for mass in of
    }


def ctau_to_fly_as_far(ctau: float, mass: float, neighbour: float) -> float:
    """The c tau at which N of the mass `neighbour` flies as far at the same momentum: c tau / m is the same."""
    return ctau * neighbour / mass


def m_sv_stretch(mass: float, neighbour: float) -> float:
    """Factor from m_SV of N of the mass `neighbour` to m_SV of the point."""
    return mass / neighbour


def uncertainty(of: Mapping[float, float], yields: Mapping[float, float]) -> float:
    """Relative uncertainty of an interpolated yield; 0 at simulated masses.

    It is the sum in quadrature of `CURVATURE` and the difference between the interpolation of acceptances and of their
    logarithms, which is large if the neighbours differ much.

    Args:
        of: see `shares`.
        yields: contribution of each neighbour. The uncertainty is infinite if a neighbour contributes nothing.
    """
    if len(of) == 1:
        return 0.0
    if not min(yields.values()) > 0:
        return inf
    logarithm = log(sum(yields.values())) - sum(share * log(yields[mass] / share) for mass, share in of.items())
    gap = log(max(of) / min(of)) / log(2)
    return hypot(CURVATURE * 4 * prod(of.values()) * gap**2, logarithm)


def _listed(simulated: Sequence[float]) -> str:
    return ", ".join(f"{m:g}" for m in sorted(simulated)) or "none"


def _factors(
    point: Point, of: Mapping[float, float], samples: Mapping[float, Sequence[SignalSample]]
) -> dict[float, float]:
    """Shares, times the ratio of the cross section of the point to that of each mass."""
    if len(of) == 1:
        return dict(of)
    own = next(iter(samples.values()))[0].point
    over = {mass: _rate(samples[mass]) / _model(mass, own.pattern) for mass in of}
    if max(over.values()) > (1 + SAME_MODEL) * min(over.values()):
        text = ", ".join(f"{ratio:.3g} at {mass:g} GeV" for mass, ratio in over.items())
        raise ReweightingError(
            f"m_N = {point.mass:g} GeV cannot be interpolated: cross sections in the catalogue over those of "
            f"W -> l N, N -> l q q' are {text}"
        )
    cross_section = _model(point.mass, own.pattern) * sum(of[mass] * over[mass] for mass in of)
    # A share of tau, and of e and mu in mixed couplings, changes branching fractions otherwise at other masses.
    # Samples with taus have the ratio of the point: there the model has these shares.
    rates = {mass: 1.0 if own.v2_tau else point.rate / replace(point, mass=mass).rate for mass in of}
    return {
        mass: share * cross_section / (over[mass] * _model(mass, own.pattern)) * rates[mass]
        for mass, share in of.items()
    }


def _rate(samples: Sequence[SignalSample]) -> float:
    """Cross section in pb over the sum of |V_l|^2, for all lepton flavours; mean over samples, weighted by events."""
    total = sum(s.events for s in samples)
    return sum(s.events / total * s.cross_section / (s.point.v2_e + s.point.v2_mu + s.point.v2_tau) for s in samples)


def _model(mass: float, pattern: str) -> float:
    shares = dict(zip(LEPTON_MASS, couplings.shares(pattern), strict=True))
    total = sum(shares.values())
    return production.sigma_semileptonic(mass, {flavour: v2 / total for flavour, v2 in shares.items() if v2})
