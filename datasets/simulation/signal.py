"""The signal W -> l1 N, N -> l2 q q' (paper, figure 1), as settings of Pythia.

The quarks become hadrons as strings, or a single meson (`physics.mesons`): pi, rho, K or K*, in the shares of all
N -> l2 q q' that these have; the others are quark pairs above `mesons.CONTINUUM`. The rate of both together is that of
free quarks, as in `physics.widths`. The spin of N is that of `polarisation`, which keeps about half of the events.

Taus of W decay with their spin correlations. For those of N Pythia knows no matrix element: they get the helicity that
a left-handed current gives to a fast tau (-1 for tau-, 1 for tau+).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

from hnl.datasets.simulation.pythia import PYTHIA_HNL
from hnl.errors import InputError
from hnl.physics import couplings, mesons, production, widths
from hnl.physics.constants import LEPTON_MASS, M_W

MASS_RANGE = (1.0, 20.0)
"""Range of m_N in GeV, as in the paper (section 1)."""

_PDG = {"e": 11, "mu": 13, "tau": 15, "d": 1, "u": 2, "s": 3, "c": 4, "b": 5}
_STRING_MASS = {"u": 0.33, "d": 0.33, "s": 0.5, "c": 1.5, "b": 4.8}
"""Constituent masses of Pythia in GeV: the mass that a quark pair needs to become hadrons."""


@dataclass(frozen=True)
class SignalOptions:
    """A signal point. The lifetime follows from |V|^2 or the other way round; give exactly one.

    Attributes:
        mass: m_N in GeV, 1 to 20.
        coupling: a ratio of couplings (`physics.couplings`): 'e', 'mu', 'mixed', 'tau', or numbers such as '1:1:1'.
        ctau: mean proper decay length in mm.
        v2: |V_l|^2 of the flavour that couples most.
        nature: 'majorana' or 'dirac'.

    Raises:
        InputError: at construction, if a value is out of range.
    """

    mass: float
    coupling: str = "mu"
    ctau: float | None = None
    v2: float | None = None
    nature: widths.Nature = "majorana"

    def __post_init__(self) -> None:
        low, high = MASS_RANGE
        if not low <= self.mass <= high:
            raise InputError(f"HNL mass must be between {low:g} and {high:g} GeV, not {self.mass}")
        couplings.named(self.coupling)
        if self.nature not in ("majorana", "dirac"):
            raise InputError(f"an HNL is 'majorana' or 'dirac', not {self.nature!r}")
        if (self.ctau is None) == (self.v2 is None):
            raise InputError(f"give either c tau or |V|^2 of the HNL (now {self.ctau} mm and {self.v2})")
        if self.ctau is not None and not (self.ctau > 0 and isfinite(self.ctau)):
            raise InputError(f"c tau of the HNL must be above 0 mm, not {self.ctau}")
        if self.v2 is not None and not 0 < self.v2 <= 1:
            raise InputError(f"|V|^2 of the HNL must be above 0 and at most 1, not {self.v2}")
        if max(self.couplings.values()) > 1:
            raise InputError(f"c tau of {self.ctau} mm at {self.mass} GeV needs |V|^2 above 1: {self.couplings}")

    @cached_property
    def couplings(self) -> dict[str, float]:
        """|V_l|^2 by flavour."""
        shares = couplings.shares(self.coupling)
        ratio = {lepton: share / max(shares) for lepton, share in zip(LEPTON_MASS, shares, strict=True) if share}
        if self.v2 is not None:
            return {lepton: self.v2 * part for lepton, part in ratio.items()}
        assert self.ctau is not None
        return widths.coupling_for_ctau(self.mass, self.ctau, ratio, self.nature)

    @property
    def ctau_mm(self) -> float:
        """Mean proper decay length in mm."""
        if self.ctau is not None:
            return self.ctau
        v2 = {f"v2_{lepton}": value for lepton, value in self.couplings.items()}
        return widths.ctau_mm(self.mass, **v2, nature=self.nature)


def check_options(process: str, is_signal: bool, options: SignalOptions | None) -> None:
    """Raises InputError if the signal has no options, or a background has some."""
    if is_signal and options is None:
        raise InputError(f"process {process!r} needs an HNL mass, and a c tau or |V|^2")
    if not is_signal and options is not None:
        raise InputError(f"process {process!r} has no HNL, but signal options were given: {options}")


def open_decays(options: SignalOptions) -> dict[tuple[str, str, str], float]:
    """Branching ratios of the simulated decays N -> l2 up down (both charges together), with those to single mesons.

    Raises:
        InputError: no channel is open.
    """
    decays = {}
    for lepton in options.couplings:
        for quarks, ratio in widths.semileptonic_ratios(options.mass, options.couplings, lepton).items():
            if mesons.shares(options.mass, lepton, quarks) or _continuum(options.mass, lepton, *quarks):
                decays[lepton, *quarks] = ratio
    if not decays:
        raise InputError(f"no decay N -> l q q' is open at {options.mass} GeV for coupling {options.coupling!r}")
    return decays


def _continuum(mass: float, lepton: str, up: str, down: str) -> float:
    """What `polarisation` makes of the rate of Pythia's decays N -> lepton up down, beside the spin: those above the
    mass of single mesons, with the propagator of the W."""
    x = [_STRING_MASS[up] / mass, _STRING_MASS[down] / mass, LEPTON_MASS[lepton] / mass]
    every = widths.cc_phase_space(*x)
    return widths.cc_phase_space(*x, (mass / M_W) ** 2, (mesons.CONTINUUM / mass) ** 2) / every if every else 0.0


def settings(options: SignalOptions) -> list[str]:
    """Pythia settings of the W and N decays. `polarisation` is to choose among the events."""
    n, majorana = PYTHIA_HNL, options.nature == "majorana"
    lines = [  # with the name N for the antiparticle as well, Pythia would make two different particles
        f"{n}:all = N {'void' if majorana else 'Nbar'} 2 0 0 {options.mass} 0 0 0 {options.ctau_mm}",
        f"{n}:isResonance = false",
        f"{n}:mayDecay = true",
        f"{n}:isVisible = false",
        "TauDecays:mode = 2",
        f"TauDecays:tauMother = {n}",
        "TauDecays:tauPolarization = -1",
    ]
    # W decays of type 103 take their branching ratio as given; the width, and so sigmaGen, is arbitrary.
    total = sum(options.couplings.values())
    lines += [f"24:addChannel = 1 {v2 / total} 103 -{_PDG[l1]} {n}" for l1, v2 in options.couplings.items()]
    lines += ["24:onMode = off", f"24:onIfAny = {n}"]
    verb = "oneChannel"
    for ratio, kind, products in _channels(options):
        lines.append(f"{n}:{verb} = 1 {ratio} {kind} {' '.join(map(str, products))}")
        verb = "addChannel"
        if majorana:
            lines.append(f"{n}:addChannel = 1 {ratio} {kind} {' '.join(str(-product) for product in products)}")
    return lines


def _channels(options: SignalOptions) -> Iterator[tuple[float, int, tuple[int, ...]]]:
    """Ratio, type of the matrix element and products of the decays with a lepton of negative charge.

    Type 94 is the V-A matrix element for the order 'anti-down, up, lepton'; 0 is isotropic. The ratios are such that
    those of :func:`open_decays` are left after `polarisation`.
    """
    for (lepton, up, down), ratio in open_decays(options).items():
        shares = mesons.shares(options.mass, lepton, (up, down))
        for meson, share in shares.items():
            yield ratio * share, 0, (meson, _PDG[lepton])
        above = _continuum(options.mass, lepton, up, down)
        if above and (rest := 1 - sum(shares.values())) > 0:
            yield ratio * rest / above, 94, (-_PDG[down], _PDG[up], _PDG[lepton])


def kept(options: SignalOptions) -> float:
    """The share of Pythia's events that `polarisation` keeps: the factor of spin is 1 of at most 2 on average."""
    ratios = sum(ratio for ratio, *_ in _channels(options))
    return 0.5 * (1 - (options.mass / M_W) ** 2) ** 2 * sum(open_decays(options).values()) / ratios


def cross_section_pb(options: SignalOptions) -> float:
    """sigma(pp -> W -> l1 N) BR(N -> l2 q q') in pb at 13 TeV, over all l1 and l2 of the coupling, taus among them."""
    sigma = sum(production.sigma_w_to_n(options.mass, v2) for v2 in options.couplings.values())
    return sigma * sum(open_decays(options).values())
