"""Lifetime reweighting (section 3): any |V|^2 and nature at a simulated m_N, from one or all samples of that mass.

The weight of an event is the density of its proper decay length t at the point, divided by the density in all samples
together, sum_i f_i exp(-t / tau_i) / tau_i with the share f_i of sample i. For one sample this is Eq. 2 of the paper.
All samples together then form one sample of the point. A global weight scales the rate with |V|^2, see `Point.rate`.

Dirac N are made from Majorana N: events that conserve lepton number count twice (the cross section is the same, and
half of the generated decays are kept), and the lifetime is twice as long.

A sample without the true decay length (standard NanoAOD keeps no vertices of generated particles) describes only the
point of its generated lifetime, at which the ratio is one, see `SignalSample.own`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import isclose, isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hnl.datasets.catalogue import Dataset
from hnl.errors import HNLError, InputError
from hnl.physics import couplings, widths
from hnl.physics.widths import Nature

# Our choices. Below this number of effective events a yield is not to be trusted to better than a third.
MIN_EFFECTIVE = 10.0
# Above twice the generated lifetime weights have no finite variance. Above this factor too much of the decay volume has
# no events at all, which the effective number does not show.
MAX_STRETCH = 5.0
# If N leaves the detector, l2 can be a lepton of the rest of the event. Such candidates are few, and their weights do
# not depend on the lifetime. Only samples without truth reach this share of all candidates.
MAX_UNKNOWN = 0.05
# Relative tolerance within which generated lifetimes are equal: catalogues of several eras round them.
SAME_LIFETIME = 1e-3
# Relative tolerance of cross sections over rates: samples of the same model agree except for rounding.
SAME_RATE = 0.05


class ReweightingError(HNLError):
    """Samples cannot be reweighted: truth is missing, or they do not belong together."""


class PointError(InputError):
    """An invalid point, or a point that no sample can describe."""


class TooFewEventsError(HNLError):
    """Too few effective events are left after reweighting, so the point is refused."""


@dataclass(frozen=True)
class Point:
    """A hypothesis: m_N in GeV, |V_e|^2, |V_mu|^2, 'majorana' or 'dirac', |V_tau|^2.

    Raises:
        PointError: at construction, for |V|^2 outside 0 to 1.
        InputError: see `physics.widths.total_width`.
    """

    mass: float
    v2_e: float = 0.0
    v2_mu: float = 0.0
    nature: Nature = "majorana"
    v2_tau: float = 0.0

    def __post_init__(self) -> None:
        v2 = (self.v2_e, self.v2_mu, self.v2_tau)
        if not (all(0 <= each <= 1 for each in v2) and sum(v2) > 0):
            raise PointError(
                f"|V_e|^2 = {self.v2_e}, |V_mu|^2 = {self.v2_mu} and |V_tau|^2 = {self.v2_tau} must be in 0 to 1, one "
                "above 0"
            )
        _ = self.ctau  # refuses mass and nature

    def __repr__(self) -> str:
        tau = f", v2_tau={self.v2_tau}" if self.v2_tau else ""
        return f"Point(mass={self.mass}, v2_e={self.v2_e}, v2_mu={self.v2_mu}, nature={self.nature!r}{tau})"

    @cached_property
    def ctau(self) -> float:
        """Mean proper decay length in mm, for all couplings together."""
        return widths.ctau_mm(self.mass, self.v2_e, self.v2_mu, self.v2_tau, self.nature)

    @property
    def coupling(self) -> str:
        """The scenario of the paper with its categories: e, mu or mixed; or tau, which has none."""
        return "mixed" if self.v2_e and self.v2_mu else "e" if self.v2_e else "mu" if self.v2_mu else "tau"

    @cached_property
    def pattern(self) -> str:
        """Which samples describe it: `coupling`, or the name of its ratio if N couples to tau (`couplings.named`)."""
        if self.v2_tau == 0:
            return self.coupling
        v2 = (self.v2_e, self.v2_mu, self.v2_tau)  # catalogues round them
        return couplings.named(":".join(str(Fraction(each / max(v2)).limit_denominator(100)) for each in v2))

    @property
    def v2(self) -> float:
        """The |V|^2 that is scanned (section 8): |V_l1 V_l2|^2 / (|V_e|^2 + |V_mu|^2 + |V_tau|^2).

        That is |V_e|^2 for e alone, |V_mu|^2 for mu alone, and |V_e V_mu|^2 / (|V_e|^2 + |V_mu|^2) for both, of
        l1 l2 = e mu and mu e, which constrain them.
        """
        total = self.v2_e + self.v2_mu + self.v2_tau
        if self.coupling == "mixed":
            return self.v2_e * self.v2_mu / total
        alone = self.v2_e + self.v2_mu or self.v2_tau
        return alone * (alone / total)

    @cached_property
    def rate(self) -> float:
        """What the rate of W -> l1 N, N -> l2 q q' is proportional to at one mass: |V_l1 V_l2|^2 / Gamma_N.

        In units in which it is `v2` if N couples to one flavour alone, or to e and mu alike (`couplings`).

            rate = |V_l1 V_l2|^2 Gamma / (|V_e|^2 Gamma_e + |V_mu|^2 Gamma_mu + |V_tau|^2 Gamma_tau)

        Gamma_l are total widths per unit of |V_l|^2, and Gamma that of the flavour of the channel, or the mean of e and
        mu.
        """
        if self.coupling == "tau" or (self.v2_tau == 0 and (self.coupling != "mixed" or self.v2_e == self.v2_mu)):
            return self.v2
        e, mu = (widths.total_width(self.mass, {flavour: 1.0}) for flavour in ("e", "mu"))
        coupling = {"e": self.v2_e, "mu": self.v2_mu, "tau": self.v2_tau}
        total = widths.total_width(self.mass, coupling)
        if self.coupling == "mixed":
            return self.v2_e * self.v2_mu * (e + mu) / 2 / total
        return self.v2_e**2 * e / total + self.v2_mu**2 * mu / total

    def of_nature(self, nature: str) -> "Point":
        """The point of the same mass and couplings with this nature."""
        return replace(self, nature=nature)  # type: ignore[arg-type]

    def scaled(self, v2: float) -> "Point":
        """The point of the same mass, nature and ratio of couplings with this `v2`."""
        factor = v2 / self.v2
        return Point(self.mass, self.v2_e * factor, self.v2_mu * factor, self.nature, self.v2_tau * factor)


@dataclass(frozen=True)
class SignalSample:
    """A simulated signal sample and the point at which it was generated."""

    name: str
    point: Point
    ctau: float  # mm
    events: float  # sum of weights of all generated events
    cross_section: float  # pb, with its K-factor
    truth: bool = True  # whether candidates have the true decay of N, see `has_truth`

    @classmethod
    def from_dataset(cls, dataset: Dataset, sum_w: float, *, truth: bool = True) -> "SignalSample":
        """The sample of a dataset of the catalogue, with its sum of generated weights."""
        if dataset.signal is None or dataset.cross_section is None:
            raise ReweightingError(f"dataset {dataset.name} is not a signal")
        s = dataset.signal
        point = Point(s.mass, s.v2_e, s.v2_mu, s.nature, s.v2_tau)
        k_factor = dataset.k_factor.value if dataset.k_factor else 1.0
        return cls(dataset.name, point, s.ctau, sum_w, dataset.cross_section * k_factor, truth)

    def own(self, nature: str) -> Point:
        """The point with the generated lifetime and this nature; its |V|^2 follows from c tau.

        The |V|^2 of the catalogue can differ from it, if its c tau and |V|^2 are not consistent with `physics.widths`.
        A sample that is reweighted has the same yields at this point.
        """
        point = self.point.of_nature(nature)
        return point.scaled(point.v2 * point.ctau / self.ctau)

    def generated_at(self, ctau: float) -> bool:
        """Whether `ctau` (mm) is the generated mean proper decay length."""
        return isclose(self.ctau, ctau, rel_tol=SAME_LIFETIME)


def serving(samples: Sequence[SignalSample], pattern: str, nature: str) -> list[SignalSample]:
    """The samples that can describe a `Point.pattern` and nature. Majorana samples contain the decays of Dirac N.

    Those with taus describe their own ratio, and are preferred there. Others describe any ratio of their channel.
    """
    of_nature = [s for s in samples if s.point.nature == "majorana" or nature == "dirac"]
    own = [s for s in of_nature if s.point.v2_tau and s.point.pattern == pattern]
    channel = couplings.channel(pattern)
    return own or [s for s in of_nature if not s.point.v2_tau and s.point.coupling == channel]


def samples_for(samples: Sequence[SignalSample], target: Point, ctau: float) -> list[SignalSample]:
    """The samples that describe a point: those of its mass and coupling. Dirac samples do not describe Majorana points.

    Samples with truth are preferred. Without any, the samples of the same generated lifetime are taken. Samples of
    mixed couplings describe any ratio of |V_e|^2 to |V_mu|^2, see `Point.v2`; those with taus see `serving`.

    Args:
        samples: samples to choose from.
        target: the point.
        ctau: mean proper decay length of the point in mm.
    """
    of_mass = [s for s in serving(samples, target.pattern, target.nature) if s.point.mass == target.mass]
    return [s for s in of_mass if s.truth] or [s for s in of_mass if s.generated_at(ctau)]


def has_truth(ctau: ArrayLike, same_sign: ArrayLike) -> bool:
    """Whether a sample can be reweighted.

    It cannot if more than `MAX_UNKNOWN` of its candidates are without truth, or if a candidate has a decay of N without
    its length: then a file has no vertices, and all files of the sample are taken to have none.

    Args:
        ctau: proper decay lengths of its candidates, mm (`gen_ctau`).
        same_sign: whether lepton number is violated, 0 or 1 (`gen_same_sign`).
    """
    t, violating = np.asarray(ctau, dtype=np.float64), np.asarray(same_sign, dtype=np.float64)
    decayed = np.isin(violating, (0, 1))
    return not (decayed & np.isnan(t)).any() and not _too_many(~_length_known(t) | ~decayed)


def weights(
    samples: Sequence[SignalSample],
    ctau: Sequence[ArrayLike],
    same_sign: Sequence[ArrayLike],
    target: Point,
    *,
    at: float | None = None,
) -> list[NDArray[np.float64]]:
    """Factors on the weights of candidates, with which several samples together form a sample of the point.

    Args:
        samples: samples of the same mass and luminosity, see `samples_for`; each is normalised to its cross section.
        ctau: per sample, proper decay lengths of its candidates, mm (`gen_ctau`).
        same_sign: per sample, whether lepton number is violated, 0 or 1 (`gen_same_sign`).
        target: the point.
        at: mean proper decay length in mm, by default that of the point.

    Returns:
        Per sample, an array over its candidates.

    Raises:
        PointError: no samples, or the lifetime of the point is more than `MAX_STRETCH` times the longest generated one.
        ReweightingError: more than `MAX_UNKNOWN` of the candidates lack the truth that is needed, a sample without
            truth was generated with another lifetime, or cross sections are not proportional to |V|^2.
    """
    if not samples:
        raise PointError(f"no signal sample has m_N = {target.mass:g} GeV and the coupling {target.coupling}: {target}")
    tau = target.ctau if at is None else at
    if not (tau > 0 and isfinite(tau)):
        raise PointError(f"c tau must be above 0 mm, not {tau}")
    longest = max(sample.ctau for sample in samples)
    if tau > MAX_STRETCH * longest:
        raise PointError(
            f"c tau = {tau:.4g} mm at {target.mass:g} GeV is more than {MAX_STRETCH:g} times the longest that was "
            f"simulated ({longest:.4g} mm)"
        )
    _check_rates(samples)
    total = sum(sample.events for sample in samples)
    result = []
    means, shares = [s.ctau for s in samples], [s.events / total for s in samples]
    for sample, share, t, violating in zip(samples, shares, ctau, same_sign, strict=True):
        t, violating = np.asarray(t, dtype=np.float64), np.asarray(violating, dtype=np.float64)
        halved = target.nature == "dirac" and sample.point.nature == "majorana"
        known = np.isin(violating, (0, 1))
        if sample.truth:
            known &= _length_known(t)
        elif not all(s.generated_at(tau) for s in samples):
            raise ReweightingError(
                f"{sample.name}: its candidates are without the true decay length of N, so that it describes the "
                f"generated c tau = {sample.ctau:.4g} mm only, not {tau:.4g} mm"
            )
        if (sample.truth or halved) and _too_many(~known):
            raise ReweightingError(
                f"{sample.name}: {(~known).sum()} of {len(known)} candidates are without the true decay length or "
                "charges of N"
            )
        ratio = np.ones(len(known))
        if sample.truth:
            ratio[known] = density_ratio(t[known], tau, means, shares)
        if halved:
            ratio[known] *= np.where(violating[known] == 0, 2, 0)
        result.append(target.rate / sample.point.rate * share * ratio)
    return result


def density_ratio(t: ArrayLike, tau: float, generated: Sequence[float], shares: Sequence[float]) -> NDArray[np.float64]:
    """Density of t for the mean tau, over that of the mixture of generated means. Lengths in mm; shares add up to
    one."""
    t, means = np.asarray(t, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    with np.errstate(over="ignore"):  # far below the generated lifetimes the ratio is zero
        # Exponents relative to tau: one sample with this mean gives exactly one.
        terms = [f * (tau / mean) * np.exp(t * (1 / tau - 1 / mean)) for f, mean in zip(shares, means, strict=True)]
    ratio: NDArray[np.float64] = 1 / np.sum(terms, axis=0)
    return ratio


def effective(sum_w: float, sum_w2: float) -> float:
    """Effective number of events, (sum of w)^2 / sum of w^2."""
    return sum_w**2 / sum_w2 if sum_w2 > 0 else 0.0


def require(effective_events: float, target: Point, floor: float = MIN_EFFECTIVE) -> None:
    """Refuses a point with too few effective events.

    Raises:
        TooFewEventsError: the message names the point and both numbers.
    """
    if not effective_events >= floor:
        raise TooFewEventsError(
            f"{target}: {effective_events:.1f} effective events are left after reweighting to c tau = "
            f"{target.ctau:.4g} mm; at least {floor:g} are needed"
        )


def _length_known(t: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.isfinite(t) & (t >= 0)


def _too_many(unknown: NDArray[np.bool_]) -> bool:
    return bool(unknown.sum() > max(1.0, MAX_UNKNOWN * len(unknown)))


def _check_rates(samples: Sequence[SignalSample]) -> None:
    rates = [sample.cross_section / sample.point.rate for sample in samples]
    if max(rates) > (1 + SAME_RATE) * min(rates):
        text = ", ".join(f"{s.name} {s.cross_section:g} pb at {s.point.v2:g}" for s in samples)
        raise ReweightingError(f"cross sections are not proportional to |V|^2: {text}")
