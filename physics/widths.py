"""Tree-level decay widths of a heavy neutral lepton N, for 1 GeV < m_N < m_W.

The decays by charged (CC) and neutral (NC) currents into free leptons and quarks have full phase space, after
K. Bondarenko et al., JHEP 11 (2018) 032, arXiv:1805.08567 ("B18"). They agree with A. Atre et al., JHEP 05
(2009) 030, arXiv:0901.3589, a reference of the paper's signal model. There is no QCD correction: so the lifetimes
quoted by the paper are reproduced. Below about 2 GeV hadronic decays are few-meson final states, of which free quarks
are only an average.

The W and Z propagators at momentum transfer q, 1 / (1 - q^2/m_V^2)^2, are included; B18 leaves them out. They change
the width by 0.1 % at 5 GeV, 1 % at 10 GeV, 4 % at 20 GeV and 17 % at 40 GeV. They are exact in charged-current decays,
and averaged over massless products in neutral-current decays and the interference. The widths of W and Z are
neglected, which is good to well below m_W.

A coupling is the squared mixing |V_l|^2 with each lepton flavour, for example ``{"mu": 1e-6}``. Widths and
masses are in GeV, c tau in mm. The width of a Majorana N is twice that of a Dirac N, as each decay has a
charge conjugate.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import log, pi, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hnl.errors import InputError
from hnl.physics.constants import CKM, G_F, HBAR_C, LEPTON_MASS, M_W, M_Z, QUARK_MASS, SIN2_THETA_W

Nature = Literal["majorana", "dirac"]
Coupling = Mapping[str, float]

NEUTRINO = "nu"
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


def cc_width(mass: float, lepton: str, up: str, down: str) -> float:
    """Gamma(N -> lepton- up anti-down) of a Dirac N for |V_lepton|^2 = 1, in GeV (B18, eq. 3.1).

    Args:
        mass: m_N in GeV.
        lepton: 'e', 'mu' or 'tau', created where N turns into a W.
        up: 'u' or 'c'; 'nu' for the leptonic decay, in which ``down`` is a charged lepton of another flavour
            (for the same flavour see :func:`nc_width`, which holds the interference).
        down: 'd', 's' or 'b', or a charged lepton.
    """
    colour = 1.0 if up == NEUTRINO else 3 * CKM[up, down] ** 2
    x = (_mass(up) / mass, _mass(down) / mass, _mass(lepton) / mass)
    return colour * _g2m5(mass) * cc_phase_space(*x, (mass / M_W) ** 2)


@lru_cache(maxsize=4096)
def cc_phase_space(x_u: float, x_d: float, x_l: float, r: float = 0.0, y_min: float = 0.0) -> float:
    """Phase space of N -> l W*, W* -> u anti-d: 1 for massless products and a heavy W, 0 below threshold.

    It is an integral over y = q^2 / m_N^2 of the W*, split into a transverse part, with the propagator, and a
    longitudinal part, in which the q^2 of the propagator cancels. For r = 0 it is I(x_u, x_d, x_l) of B18, eq. 3.2.

    Args:
        x_u, x_d, x_l: masses of the three products over m_N.
        r: (m_N / m_W)^2, below 1.
        y_min: smallest y; 0 for all of phase space.
    """
    low, high = max((x_u + x_d) ** 2, y_min), (1 - x_l) ** 2
    if x_u + x_d + x_l >= 1 or low >= high:
        return 0.0
    angle = pi / 4 * (_NODES + 1)  # y = low + (high - low) sin^2(angle) removes the square roots at both ends
    y = low + (high - low) * np.sin(angle) ** 2
    a, b = x_u**2 / y, x_d**2 / y
    roots = np.sqrt(np.clip(_kallen(1.0, y, x_l**2) * _kallen(1.0, a, b), 0, None))
    transverse = (2 - a - b - (a - b) ** 2) / 2 * ((1 - x_l**2) ** 2 + y * (1 + x_l**2) - 2 * y**2)
    longitudinal = 1.5 * (a + b - (a - b) ** 2) * ((1 - x_l**2) ** 2 - y * (1 + x_l**2))
    integrand = 2 * roots * (transverse / (1 - r * y) ** 2 + longitudinal)
    return float(np.sum(_WEIGHTS * integrand * np.sin(2 * angle)) * pi / 4 * (high - low))


@lru_cache(maxsize=4096)
def propagators(r: float, r_other: float | None = None) -> float:
    """Mean over massless products of 1 / (1 - r y)^2, or of 1 / ((1 - r y) (1 - r' y')) where amplitudes interfere.

    y and y' are q^2 / m_N^2 of the two bosons: the squared masses of two pairs of products with one product in common.
    The matrix element is that of V - A, 12 s (1 - s) with s = 1 - y - y' of the third pair. To first order in r the
    mean is 1 + 3/5 r.

    Args:
        r, r_other: (m_N / m_V)^2 of the bosons, below 1.
    """
    s, weight = (_NODES[:, None] + 1) / 2, _WEIGHTS[:, None] * _WEIGHTS / 4
    y = (1 - s) * (_NODES + 1) / 2
    denominator = (1 - r * y) * (1 - r * y if r_other is None else 1 - r_other * (1 - s - y))
    return float(np.sum(weight * 12 * s * (1 - s) ** 2 / denominator))


def nc_width(mass: float, lepton: str, fermion: str) -> float:
    """Gamma(N -> nu_lepton f anti-f) of a Dirac N for |V_lepton|^2 = 1, in GeV (B18, section 3.1).

    Args:
        mass: m_N in GeV.
        lepton: flavour that mixes with N.
        fermion: a charged lepton (with the charged-current interference if it is ``lepton``) or a quark.
    """
    x = _mass(fermion) / mass
    if 2 * x >= 1:
        return 0.0
    s2, r_w, r_z = SIN2_THETA_W, (mass / M_W) ** 2, (mass / M_Z) ** 2
    boson = propagators(r_z)
    if fermion == lepton:  # Z, W and their interference have the shares c_Z, 1 and 2 s2 - 1 of massless products
        c_z = (1 - 4 * s2 + 8 * s2**2) / 4
        boson = (c_z * boson + propagators(r_w) + (2 * s2 - 1) * propagators(r_w, r_z)) / (c_z + 2 * s2)
    if fermion in LEPTON_MASS:
        sign = 1 if fermion == lepton else -1
        colour, c1, c2 = 1, (1 + sign * 4 * s2 + 8 * s2**2) / 4, s2 * (2 * s2 + sign) / 2
    elif fermion in ("u", "c"):
        colour, c1, c2 = 3, (1 - 8 / 3 * s2 + 32 / 9 * s2**2) / 4, s2 * (4 / 3 * s2 - 1) / 3
    else:
        colour, c1, c2 = 3, (1 - 4 / 3 * s2 + 8 / 9 * s2**2) / 4, s2 * (2 / 3 * s2 - 1) / 6
    root = sqrt(1 - 4 * x**2)
    # The logarithm of B18 with its numerator made rational: no cancellation for light fermions.
    logarithm = log(4 * x**4 / ((1 + root) * (1 - 3 * x**2 + (1 - x**2) * root)))
    part1 = (1 - 14 * x**2 - 2 * x**4 - 12 * x**6) * root + 12 * x**4 * (x**4 - 1) * logarithm
    part2 = x**2 * (2 + 10 * x**2 - 12 * x**4) * root + 6 * x**4 * (1 - 2 * x**2 + 2 * x**4) * logarithm
    return colour * boson * _g2m5(mass) * (c1 * part1 + 4 * c2 * part2)


def three_neutrino_width(mass: float) -> float:
    """Gamma(N -> 3 nu), all flavours, of a Dirac N for |V|^2 = 1, in GeV (B18, section 3.1)."""
    r = (mass / M_Z) ** 2
    same_flavour = propagators(r) + propagators(r, r)  # two of the three neutrinos are alike: two diagrams
    return _g2m5(mass) / 4 * (same_flavour + 2 * propagators(r))


def partial_widths(mass: float, coupling: Coupling, nature: Nature = "majorana") -> dict[str, float]:
    """All open decays of N and their widths in GeV.

    Channels are named by their products, for example 'mu u d' (a muon and two quarks, both charges if
    Majorana), 'mu nu e' (by W, the muon at the N), 'nu_mu e e' (by Z and W) and 'nu nu nu'.

    Raises:
        InputError: the mass or the coupling is out of range (see :func:`total_width`).
    """
    _check(mass, coupling, nature)
    charges = 2 if nature == "majorana" else 1
    widths = {"nu nu nu": sum(coupling.values()) * three_neutrino_width(mass)}
    for lepton, v2 in coupling.items():
        for up, down in CKM:
            widths[f"{lepton} {up} {down}"] = v2 * cc_width(mass, lepton, up, down)
        for other in LEPTON_MASS:
            if other != lepton:
                widths[f"{lepton} nu {other}"] = v2 * cc_width(mass, lepton, NEUTRINO, other)
        for fermion in (*LEPTON_MASS, *QUARK_MASS):
            widths[f"nu_{lepton} {fermion} {fermion}"] = v2 * nc_width(mass, lepton, fermion)
    return {channel: charges * width for channel, width in widths.items() if width > 0}


def total_width(mass: float, coupling: Coupling, nature: Nature = "majorana") -> float:
    """Total width of N in GeV.

    Args:
        mass: m_N in GeV, between 0.5 and 80.
        coupling: |V_l|^2 of each flavour that mixes.
        nature: 'majorana' or 'dirac'.

    Raises:
        InputError: mass out of range, unknown flavour, |V|^2 negative or all zero, unknown nature.
    """
    return sum(partial_widths(mass, coupling, nature).values())


def branching_ratios(mass: float, coupling: Coupling) -> dict[str, float]:
    """Branching ratios of the channels of :func:`partial_widths` (both natures alike). They add up to one.

    >>> ratios = branching_ratios(8, {"mu": 1e-6})
    >>> round(sum(ratios.values()), 6)
    1.0
    >>> max(ratios, key=ratios.get)
    'mu u d'
    """
    widths = partial_widths(mass, coupling)
    return {channel: width / sum(widths.values()) for channel, width in widths.items()}


def semileptonic_ratios(mass: float, coupling: Coupling, lepton: str) -> dict[tuple[str, str], float]:
    """Branching ratios of N -> lepton q q' (both charges together) by quark pair, for example ('u', 'd')."""
    ratios = branching_ratios(mass, coupling)
    pairs = {pair: f"{lepton} {' '.join(pair)}" for pair in CKM}
    return {pair: ratios[channel] for pair, channel in pairs.items() if channel in ratios}


def ctau_mm(
    mass: float, v2_e: float = 0.0, v2_mu: float = 0.0, v2_tau: float = 0.0, nature: Nature = "majorana"
) -> float:
    """Mean proper decay length c tau of N in mm.

    HNL10 of the paper (Fig. 2: 7 mm); a Dirac N has half of the decays and lives twice as long:

    >>> round(ctau_mm(10, v2_mu=5.7e-7), 1)
    6.8
    >>> round(ctau_mm(10, v2_mu=5.7e-7, nature="dirac"), 1)
    13.6

    Args:
        mass: m_N in GeV.
        v2_e, v2_mu, v2_tau: |V_l|^2.
        nature: 'majorana' or 'dirac'.

    Raises:
        InputError: see :func:`total_width`.
    """
    coupling = {"e": v2_e, "mu": v2_mu, "tau": v2_tau}
    return HBAR_C / total_width(mass, {k: v for k, v in coupling.items() if v != 0}, nature)


def coupling_for_ctau(mass: float, ctau: float, ratio: Coupling, nature: Nature = "majorana") -> dict[str, float]:
    """The coupling that gives N the mean proper decay length ``ctau`` in mm, at a given ratio of flavours.

    >>> coupling = coupling_for_ctau(8, 10, {"e": 1, "mu": 3})
    >>> round(coupling["mu"] / coupling["e"], 6)
    3.0
    >>> round(ctau_mm(8, v2_e=coupling["e"], v2_mu=coupling["mu"]), 6)
    10.0

    Args:
        mass: m_N in GeV.
        ctau: c tau in mm, above 0.
        ratio: relative |V_l|^2, for example ``{"e": 1, "mu": 1}``; the scale is free.
        nature: 'majorana' or 'dirac'.

    Raises:
        InputError: c tau not above 0, or see :func:`total_width`.
    """
    if not (ctau > 0 and np.isfinite(ctau)):
        raise InputError(f"c tau must be above 0 mm, not {ctau}")
    scale = HBAR_C / total_width(mass, ratio, nature) / ctau
    return {lepton: scale * part for lepton, part in ratio.items()}


def _check(mass: float, coupling: Coupling, nature: str) -> None:
    if not 0.5 <= mass <= 80:
        raise InputError(f"HNL mass must be between 0.5 and 80 GeV for these widths, not {mass}")
    if unknown := set(coupling) - set(LEPTON_MASS):
        raise InputError(f"unknown lepton flavours {sorted(unknown)}; known: {list(LEPTON_MASS)}")
    if not all(v2 >= 0 for v2 in coupling.values()) or not sum(coupling.values()) > 0:
        raise InputError(f"|V|^2 must not be negative, and one must be above 0, not {dict(coupling)}")
    if nature not in ("majorana", "dirac"):
        raise InputError(f"an HNL is 'majorana' or 'dirac', not {nature!r}")


def _g2m5(mass: float) -> float:
    """G_F^2 m^5 / (192 pi^3) in GeV."""
    return float(G_F**2 * mass**5 / (192 * pi**3))


def _mass(fermion: str) -> float:
    return 0.0 if fermion == NEUTRINO else {**LEPTON_MASS, **QUARK_MASS}[fermion]


def _kallen(
    a: NDArray[np.float64] | float, b: NDArray[np.float64] | float, c: NDArray[np.float64] | float
) -> NDArray[np.float64] | float:
    return a**2 + b**2 + c**2 - 2 * (a * b + b * c + c * a)
