"""The signal W -> l1 N, N -> l2 q q' (paper, figure 1), as settings of Pythia.

Two things are not simulated. The polarisation of N: the l2 spectra of decays that conserve and violate lepton number
are the same here. Decays into a lepton and a single meson, such as l pi, which matter at 1-2 GeV: here the quarks
become at least two hadrons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from types import MappingProxyType

from hnl.datasets.simulation.pythia import PYTHIA_HNL
from hnl.errors import InputError
from hnl.physics import production, widths
from hnl.physics.constants import LEPTON_MASS

MASS_RANGE = (1.0, 20.0)
"""Range of m_N in GeV, as in the paper (section 1)."""

COUPLINGS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {"e": {"e": 1.0}, "mu": {"mu": 1.0}, "mixed": {"e": 1.0, "mu": 1.0}}
)
"""Relative |V_l|^2 of the three scenarios of the paper (section 3)."""

_PDG = {"e": 11, "mu": 13, "d": 1, "u": 2, "s": 3, "c": 4, "b": 5}
_STRING_MASS = {"u": 0.33, "d": 0.33, "s": 0.5, "c": 1.5, "b": 4.8}
"""Constituent masses of Pythia in GeV: the mass that a quark pair needs to become hadrons."""


@dataclass(frozen=True)
class SignalOptions:
    """A signal point. The lifetime follows from |V|^2 or the other way round; give exactly one.

    Attributes:
        mass: m_N in GeV, 1 to 20.
        coupling: 'e', 'mu' or 'mixed' (|V_e|^2 = |V_mu|^2).
        ctau: mean proper decay length in mm.
        v2: |V_l|^2 of each flavour that couples.
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
        if self.coupling not in COUPLINGS:
            raise InputError(f"unknown HNL coupling {self.coupling!r}; known: {', '.join(COUPLINGS)}")
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
        ratio = COUPLINGS[self.coupling]
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
    """Branching ratios of the simulated decays N -> l2 up down (both charges together).

    Raises:
        InputError: no channel is open.
    """
    decays = {}
    for lepton in options.couplings:
        for (up, down), ratio in widths.semileptonic_ratios(options.mass, options.couplings, lepton).items():
            if options.mass > LEPTON_MASS[lepton] + _STRING_MASS[up] + _STRING_MASS[down]:
                decays[lepton, up, down] = ratio
    if not decays:
        raise InputError(f"no decay N -> l q q' is open at {options.mass} GeV for coupling {options.coupling!r}")
    return decays


def settings(options: SignalOptions) -> list[str]:
    """Pythia settings of the W and N decays."""
    n, majorana = PYTHIA_HNL, options.nature == "majorana"
    lines = [  # with the name N for the antiparticle as well, Pythia would make two different particles
        f"{n}:all = N {'void' if majorana else 'Nbar'} 2 0 0 {options.mass} 0 0 0 {options.ctau_mm}",
        f"{n}:isResonance = false",
        f"{n}:mayDecay = true",
        f"{n}:isVisible = false",
    ]
    # W decays of type 103 take their branching ratio as given; the width, and so sigmaGen, is arbitrary.
    total = sum(options.couplings.values())
    lines += [f"24:addChannel = 1 {v2 / total} 103 -{_PDG[l1]} {n}" for l1, v2 in options.couplings.items()]
    lines += ["24:onMode = off", f"24:onIfAny = {n}"]
    # Type 94 is the V-A matrix element for the order 'anti-down, up, lepton'.
    verb = "oneChannel"
    for (l2, up, down), ratio in open_decays(options).items():
        products = f"{_PDG[down]} -{_PDG[up]} -{_PDG[l2]}"
        lines.append(f"{n}:{verb} = 1 {ratio} 94 -{_PDG[down]} {_PDG[up]} {_PDG[l2]}")
        verb = "addChannel"
        if majorana:
            lines.append(f"{n}:addChannel = 1 {ratio} 94 {products}")
    return lines


def cross_section_pb(options: SignalOptions) -> float:
    """sigma(pp -> W -> l1 N) BR(N -> l2 q q') in pb at 13 TeV, over all l1 and l2 of the coupling."""
    sigma = sum(production.sigma_w_to_n(options.mass, v2) for v2 in options.couplings.values())
    return sigma * sum(open_decays(options).values())
