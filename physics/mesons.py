"""Decays of N into a charged lepton and a single meson, and their share in N -> l q q'.

Free quarks do not make single mesons. But these are most of N -> l u d below 2 GeV, as of tau decays. Widths after K.
Bondarenko et al., JHEP 11 (2018) 032, arXiv:1805.08567 ("B18"), section 3.2, for N with |V_l|^2 = 1 as in
`physics.widths`. Masses and widths in GeV.
"""

from dataclasses import dataclass
from math import log, pi, sqrt

from hnl.physics import widths
from hnl.physics.constants import CKM, G_F, LEPTON_MASS, M_PI


@dataclass(frozen=True)
class Meson:
    """A meson of positive charge.

    Attributes:
        pdg_id: PDG identity.
        mass: GeV (PDG).
        decay_constant: f in GeV, in the normalisation f_pi = 0.130; g / m of B18 for vector mesons.
        vector: whether it has spin 1.
    """

    pdg_id: int
    mass: float
    decay_constant: float
    vector: bool = False


MESONS = {
    ("u", "d"): (Meson(211, M_PI, 0.1302), Meson(213, 0.77526, 0.162 / 0.77526, True)),  # f and g: B18, appendix
    # f_K: B18, appendix; f of K*(892): from B(tau -> K*(892) nu) = 1.20 % (PDG), as B18 has no K*.
    ("u", "s"): (Meson(321, 0.493677, 0.1556), Meson(323, 0.89167, 0.206, True)),
}
"""Mesons by the quarks that they are made of."""

CONTINUUM = 1.0
"""Mass in GeV above which quark pairs become hadrons other than these mesons: between rho(770), K*(892) and the next
resonance, a1(1260). Our choice."""

ALPHA_S_TAU = 0.314
"""alpha_s at the mass of the tau, with three flavours (PDG, review of QCD)."""


def width(mass: float, lepton: str, quarks: tuple[str, str], meson: Meson) -> float:
    """Gamma(N -> lepton- meson+) of a Dirac N, in GeV; 0 below the threshold."""
    x, y = (LEPTON_MASS[lepton] / mass) ** 2, (meson.mass / mass) ** 2
    if sqrt(x) + sqrt(y) >= 1:
        return 0.0
    momentum = sqrt((1 - x - y) ** 2 - 4 * x * y)
    spin = (1 - x) ** 2 + y * (1 + x) - 2 * y**2 if meson.vector else (1 - x) ** 2 - y * (1 + x)
    return G_F**2 * meson.decay_constant**2 * CKM[quarks] ** 2 * mass**3 / (16 * pi) * spin * momentum


def shares(mass: float, lepton: str, quarks: tuple[str, str]) -> dict[int, float]:
    """Shares of single mesons in all decays N -> lepton q q' of a quark pair, by PDG identity.

    The rate of all these decays is that of the quarks with QCD corrections (`qcd_factor`), as in tau decays (B18,
    section 3.2). If no quark pair above :data:`CONTINUUM` fits into the decay, the mesons are all there is, and the
    shares add up to one. Else they add up to one at most. Empty for quarks without a meson that fits, and for charm
    and bottom: these are heavy, and N that can make them light enough for few-meson states are rare.
    """
    found = {m.pdg_id: width(mass, lepton, quarks, m) for m in MESONS.get(quarks, ())}
    found = {meson: value for meson, value in found.items() if value > 0}
    total = widths.cc_width(mass, lepton, *quarks) * qcd_factor(mass)
    if mass <= LEPTON_MASS[lepton] + CONTINUUM:
        total = 0.0
    total = max(total, sum(found.values()))
    return {meson: value / total for meson, value in found.items()}


def qcd_factor(mass: float) -> float:
    """Correction to hadronic widths of N, 1 + a + 5.2 a^2 + 26.4 a^3 with a = alpha_s(m_N) / pi (B18, section 3.2).

    alpha_s runs at one loop with three flavours, which is good to 10 % of it from 1 to 20 GeV.
    """
    a = 1 / (pi / ALPHA_S_TAU + 9 / 4 * log((mass / LEPTON_MASS["tau"]) ** 2))
    return 1 + a + 5.2 * a**2 + 26.4 * a**3
