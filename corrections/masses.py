"""Signal at an m_N between two simulated ones. The paper does not say how it goes from mass to mass: our choice.

The events of both neighbours are taken for events of the point.

- Lifetime: N from W decays has nearly one momentum p whatever its mass, and flies c tau p / m on average. A neighbour
  is reweighted to the c tau at which it flies as far as N of the point.
- Visible mass: m_SV is taken to go with m_N. Nothing else of an event is changed; its score is that of the classifier
  of the point.
- Rate: what is interpolated is the acceptance, linearly in log m_N. The cross section is that of `physics` at the mass
  of the point, times what the catalogue has over it at the neighbours.

These are the rules that did best where simulated masses were left out, and the uncertainty and the widest gap are what
was seen there: benchmarks/mass_interpolation.py, docs/limits.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot, inf, log, prod

from hnl.corrections.lifetime import Point, PointError, ReweightingError, Sample
from hnl.physics import production

# Neighbours further apart, as a ratio of masses, are not interpolated between.
MAX_RATIO = 2.0
# Of the acceptance, relative, half way between masses a factor of two apart. It goes with the square of the gap, as
# what a straight line misses of a curve.
CURVATURE = 0.20
# Cross sections of neighbours over those of `physics`, relative. More than that is no K-factor and no choice of decays.
SAME_MODEL = 0.25

_FLAVOURS = {"e": ("e",), "mu": ("mu",), "mixed": ("e", "mu")}


@dataclass(frozen=True)
class Neighbour:
    """How the samples of a simulated mass stand for a point."""

    point: Point  # of their mass; |V|^2 and nature are those of the point
    ctau: float  # mm, to which they are reweighted
    factor: float  # on the yields that they have then at this |V|^2
    stretch: float  # on m_SV


def shares(simulated: Sequence[float], mass: float, fixed: Sequence[float] = ()) -> dict[float, float]:
    """The masses that stand for a mass, with their shares: itself, or the nearest below and above, linear in log m_N.

    Args:
        simulated: masses in GeV, in any order, of samples that can be reweighted.
        mass: m_N in GeV.
        fixed: masses of samples without truth, which cannot be neighbours: for the error.

    Raises:
        PointError: the mass is outside of what is simulated, or in a gap that is too wide.
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
    point: Point, ctau: float, of: Mapping[float, float], samples: Mapping[float, Sequence[Sample]]
) -> dict[float, Neighbour]:
    """What makes the samples of some masses, all together, a sample of the point. A simulated mass stands for itself.

    Args:
        point: what is asked for.
        ctau: its mean proper decay length in mm.
        of: see `shares`.
        samples: of each of these masses.

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
    """The c tau of N of another mass that flies as far at the same momentum: c tau / m is the same."""
    return ctau * neighbour / mass


def m_sv_stretch(mass: float, neighbour: float) -> float:
    """From m_SV of N of another mass to that of the point."""
    return mass / neighbour


def uncertainty(of: Mapping[float, float], yields: Mapping[float, float]) -> float:
    """Of an interpolated yield, relative: 0 at simulated masses.

    In quadrature: `CURVATURE`, and the difference between the interpolation of acceptances and of their logarithms,
    which is large where the neighbours differ much.

    Args:
        of: see `shares`.
        yields: what each neighbour adds to the point. Without anything of one of them it is infinite.
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


def _factors(point: Point, of: Mapping[float, float], samples: Mapping[float, Sequence[Sample]]) -> dict[float, float]:
    """Shares, and from the cross section of each mass to that of the point."""
    if len(of) == 1:
        return dict(of)
    over = {mass: _rate(samples[mass]) / _model(mass, point.coupling) for mass in of}
    if max(over.values()) > (1 + SAME_MODEL) * min(over.values()):
        text = ", ".join(f"{ratio:.3g} at {mass:g} GeV" for mass, ratio in over.items())
        raise ReweightingError(
            f"m_N = {point.mass:g} GeV cannot be interpolated: cross sections in the catalogue over those of "
            f"W -> l N, N -> l q q' are {text}"
        )
    here = _model(point.mass, point.coupling) * sum(of[mass] * over[mass] for mass in of)
    return {mass: share * here / (over[mass] * _model(mass, point.coupling)) for mass, share in of.items()}


def _rate(samples: Sequence[Sample]) -> float:
    """Cross section in pb over |V_e|^2 + |V_mu|^2: of all lepton flavours; each sample counts with its events."""
    total = sum(s.events for s in samples)
    return sum(s.events / total * s.cross_section / (s.point.v2_e + s.point.v2_mu) for s in samples)


def _model(mass: float, coupling: str) -> float:
    flavours = _FLAVOURS[coupling]
    return production.sigma_semileptonic(mass, dict.fromkeys(flavours, 1 / len(flavours)))
