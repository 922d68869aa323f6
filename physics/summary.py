"""Properties of a heavy neutral lepton N of given mass and couplings, as one record."""

from typing import Any

from hnl.errors import InputError
from hnl.physics import production, widths
from hnl.physics.constants import M_W
from hnl.physics.widths import Coupling

UNITS = {"total_width": "GeV", "ctau": "mm", "momentum": "GeV", "decay_length": "mm"}
"""Units of the single numbers that :func:`describe` returns."""


def describe(
    mass: float,
    v2: Coupling,
    nature: str = "majorana",
    momentum: float | None = None,
    energy: float = production.PAPER_ENERGY,
) -> dict[str, Any]:
    """Widths, branching ratios, lifetime and production.

    Args:
        mass: m_N in GeV.
        v2: |V_l|^2 by flavour; zeros are left out.
        nature: 'majorana' or 'dirac'.
        momentum: momentum of N in GeV, for the decay length; by default that of N from the decay of a W at rest.
        energy: energy of the pp collisions in TeV, 13 or 13.6.

    Returns:
        widths (GeV) and branching_ratios by channel, total_width (GeV), ctau (mm), cross_sections (pb) by flavour,
        momentum (GeV), decay_length (the mean in the laboratory, c tau p / m, mm), and the arguments.

    Raises:
        InputError: see `widths.total_width` and `production.sigma_w_to_n`; or a momentum that is not above 0.
    """
    coupling = {lepton: value for lepton, value in v2.items() if value != 0}
    partial = widths.partial_widths(mass, coupling, nature)  # type: ignore[arg-type]  # it checks the nature
    ctau = widths.ctau_mm(mass, **{f"v2_{k}": v for k, v in coupling.items()}, nature=nature)  # type: ignore[arg-type]
    momentum = (M_W**2 - mass**2) / (2 * M_W) if momentum is None else momentum
    if not 0 < momentum < float("inf"):
        raise InputError(f"the momentum of N must be above 0 GeV, not {momentum}")
    return {
        "mass": mass,
        "v2": dict(v2),
        "nature": nature,
        "energy": energy,
        "widths": partial,
        "total_width": sum(partial.values()),
        "branching_ratios": widths.branching_ratios(mass, coupling),
        "ctau": ctau,
        "cross_sections": {lepton: production.sigma_w_to_n(mass, value, energy) for lepton, value in coupling.items()},
        "momentum": momentum,
        "decay_length": ctau * momentum / mass,
    }
