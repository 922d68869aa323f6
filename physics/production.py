"""Cross section of heavy neutral leptons from W decays in pp collisions at 13 TeV."""

from hnl.errors import InputError
from hnl.physics import widths
from hnl.physics.constants import M_W, SIGMA_W_LNU
from hnl.physics.widths import Coupling

PAPER_K_FACTOR = 1.089
"""NNLO / LO of W production, by which the paper (section 3) scales its LO signal samples. Not applied here,
as
:data:`hnl.physics.constants.SIGMA_W_LNU` is NNLO already; it is for comparison with LO cross sections."""


def sigma_w_to_n(mass: float, v2: float) -> float:
    """sigma(pp -> W -> l N) for one lepton flavour l, both charges, in pb at 13 TeV.

    sigma(W -> l nu) |V|^2 (1 - r)^2 (1 + r/2) with r = (m_N / m_W)^2: the phase space and helicity factor of
    the decay into a massive neutrino (Atre et al. 2009, arXiv:0901.3589). The same for Majorana and Dirac N.

    Args:
        mass: m_N in GeV, below m_W.
        v2: |V_l|^2.

    Raises:
        InputError: mass not between 0 and m_W.
    """
    if not 0 <= mass < M_W:
        raise InputError(f"HNL mass must be between 0 and m_W = {M_W} GeV, not {mass}")
    r = (mass / M_W) ** 2
    return SIGMA_W_LNU * v2 * (1 - r) ** 2 * (1 + r / 2)


def sigma_semileptonic(mass: float, coupling: Coupling) -> float:
    """sigma(pp -> W -> l1 N) BR(N -> l2 q q') in pb at 13 TeV, over all l1 and l2 of the coupling; both natures alike.

    Args:
        mass: m_N in GeV.
        coupling: |V_l|^2 of each flavour that mixes.

    Raises:
        InputError: see `sigma_w_to_n` and `widths.total_width`.
    """
    sigma = sum(sigma_w_to_n(mass, v2) for v2 in coupling.values())
    return sigma * sum(sum(widths.semileptonic_ratios(mass, coupling, lepton).values()) for lepton in coupling)
