"""Cross section of heavy neutral leptons from W decays in pp collisions."""

from hnl.errors import InputError
from hnl.physics import widths
from hnl.physics.constants import M_W, SIGMA_W_LNU
from hnl.physics.widths import Coupling

PAPER_ENERGY = 13.0
"""Energy of pp collisions in TeV, of the paper, its signal samples and `hnl simulate`."""


def sigma_w_to_n(mass: float, v2: float, energy: float = PAPER_ENERGY) -> float:
    """sigma(pp -> W -> l N) for one lepton flavour l, both charges, in pb.

    It is sigma(W -> l nu) |V|^2 (1 - r)^2 (1 + r/2) with r = (m_N / m_W)^2: the phase space and helicity factor of
    the decay into a massive neutrino (Atre et al. 2009, arXiv:0901.3589). Majorana and Dirac N have the same.

    A massless N with full mixing is a neutrino; a mass of 10 GeV costs 2 %:

    >>> sigma_w_to_n(0, 1.0)
    20508.9
    >>> round(sigma_w_to_n(10, 1.0) / sigma_w_to_n(0, 1.0), 2)
    0.98

    Args:
        mass: m_N in GeV, below m_W.
        v2: |V_l|^2.
        energy: energy of the pp collisions in TeV, 13 or 13.6.

    Raises:
        InputError: a mass not between 0 and m_W, or an energy at which the cross section of W is not known.
    """
    if not 0 <= mass < M_W:
        raise InputError(f"HNL mass must be between 0 and m_W = {M_W} GeV, not {mass}")
    if energy not in SIGMA_W_LNU:
        known = " and ".join(f"{tev:g}" for tev in SIGMA_W_LNU)
        raise InputError(f"the cross section of W is known at {known} TeV, not at {energy:g} TeV")
    r = (mass / M_W) ** 2
    return SIGMA_W_LNU[energy] * v2 * (1 - r) ** 2 * (1 + r / 2)


def sigma_semileptonic(mass: float, coupling: Coupling, energy: float = PAPER_ENERGY) -> float:
    """sigma(pp -> W -> l1 N) BR(N -> l2 q q') in pb, summed over l1 and l2 of the coupling. Both natures alike.

    Args:
        mass: m_N in GeV.
        coupling: |V_l|^2 of each flavour that mixes.
        energy: energy of the pp collisions in TeV, 13 or 13.6.

    Raises:
        InputError: see `sigma_w_to_n` and `widths.total_width`.
    """
    sigma = sum(sigma_w_to_n(mass, v2, energy) for v2 in coupling.values())
    return sigma * sum(sum(widths.semileptonic_ratios(mass, coupling, lepton).values()) for lepton in coupling)
