"""Measured constants. Masses in GeV, cross sections in pb by the energy of pp collisions in TeV.

PDG: Particle Data Group, Phys. Rev. D 110 (2024) 030001, unless another source is named.
"""

from types import MappingProxyType
from typing import Final

HBAR_C: Final = 1.973269804e-13
"""GeV mm (CODATA 2018)."""

G_F: Final = 1.1663788e-5
"""Fermi constant, GeV^-2 (PDG)."""

SIN2_THETA_W: Final = 0.23122
"""sin^2 of the effective weak mixing angle (PDG, MS-bar at m_Z)."""

M_W: Final = 80.369
"""W mass (PDG)."""

M_Z: Final = 91.188
"""Z mass (PDG)."""

M_K0S: Final = 0.497611
"""K0S mass (PDG)."""

M_PI: Final = 0.13957039
"""Charged pion mass (PDG)."""

LEPTON_MASS: Final = MappingProxyType({"e": 0.51099895e-3, "mu": 0.1056583755, "tau": 1.77693})
"""Charged lepton masses (PDG)."""

QUARK_MASS: Final = MappingProxyType({"u": 2.16e-3, "d": 4.70e-3, "s": 0.0935, "c": 1.273, "b": 4.183})
"""Current quark masses in the MS-bar scheme (PDG), for the phase space of inclusive widths. Our choice, because the
paper's model (Atre et al. 2009) has the widths of free quarks."""

CKM: Final = MappingProxyType(
    {
        ("u", "d"): 0.97367,
        ("u", "s"): 0.22431,
        ("u", "b"): 3.82e-3,
        ("c", "d"): 0.221,
        ("c", "s"): 0.975,
        ("c", "b"): 41.1e-3,
    }
)
"""Magnitudes of the elements of the quark mixing matrix (PDG, direct determinations)."""

SIGMA_W_LNU: Final = MappingProxyType({13.0: 20508.9, 13.6: 9013.3 + 12128.4})
"""sigma(pp -> W -> l nu) for one lepton flavour, both charges, in pb, by the energy in TeV. Two calculations:

- 13 TeV: FEWZ 3.1 at NNLO QCD and NLO EW with NNPDF 3.0, as CMS uses it for its samples (61526.7 pb for three
  flavours).
- 13.6 TeV: MATRIX at NNLO QCD and NLO EW, W- plus W+, as CMS uses it (63425.1 pb for three flavours). From the CMS
  page MATRIXCrossSectionsat13p6TeV, as analysis code quotes it, with 1.4 % for scales and 0.8 % for PDFs.
"""

SIGMA_W_LNU_UNCERTAINTY: Final = 0.038
"""Relative uncertainty of :data:`SIGMA_W_LNU` at 13 TeV: scale, parton distributions and alpha_s (FEWZ, CMS)."""
