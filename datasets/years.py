"""What is known of a year of pp collisions at the LHC: their energy, and how well CMS knows the luminosity.

`docs/corrections.md` shows the uncertainties; a test holds both together.
"""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

ENERGY: Final = MappingProxyType(dict.fromkeys(range(2015, 2019), 13.0) | dict.fromkeys(range(2022, 2027), 13.6))
"""TeV. In 2019-2021 there were no pp collisions."""

LUMINOSITY_UNCERTAINTIES: Final = MappingProxyType(
    {
        # LUM-17-003 (arXiv:2104.01927): 1.6 % (and 1.2 % in 2016). What is shared with later years is not in the table
        # below: independent is our choice, for less than 2 % of the luminosity at 13 TeV.
        2015: {"luminosity_2015": 0.016},
        # LUM-17-003, LUM-17-004, LUM-18-002: 1.2, 2.3 and 2.5 %, 1.6 % together (paper, section 7), split as on the
        # CMS page LumiRecommendationsRun2, quoted by analysis code.
        2016: {"luminosity_2016": 0.010, "luminosity_161718": 0.006},
        2017: {"luminosity_2017": 0.020, "luminosity_161718": 0.009, "luminosity_1718": 0.006},
        2018: {"luminosity_2018": 0.015, "luminosity_161718": 0.020, "luminosity_1718": 0.002},
        # LUM-22-001 for 2022, preliminary results for 2023 and 2024 (CMS DP-2026/003): 1.4, 1.3 and 1.6 %, 1.2 %
        # together. The components of the covariance on the CMS page LumiRecommendationsRun3, quoted by analysis code.
        2022: {"luminosity_222324": 0.0138},
        2023: {"luminosity_222324": 0.0017, "luminosity_2324": 0.0127},
        2024: {"luminosity_222324": 0.0020, "luminosity_2324": 0.0068, "luminosity_2024": 0.0144},
    }
)
"""Year -> nuisance -> relative uncertainty. Nuisances of one name vary together, others are independent."""

PRELIMINARY: Final = frozenset({2023, 2024})
"""Years whose uncertainty is that of a preliminary result."""


def in_words(energies: Iterable[float]) -> str:
    """Energies in TeV, as figures show them.

    >>> in_words([13.6, 13.0, 13.0])
    '13, 13.6 TeV'
    """
    return ", ".join(f"{energy:g}" for energy in sorted(set(energies))) + " TeV"
