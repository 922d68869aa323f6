"""Energy of the pp collisions at the LHC by year, and the uncertainties of the luminosity of CMS.

`docs/corrections.md` shows the uncertainties; a test compares the two.
"""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

ENERGY: Final = MappingProxyType(dict.fromkeys(range(2015, 2019), 13.0) | dict.fromkeys(range(2022, 2027), 13.6))
"""Year -> energy in TeV. In 2019-2021 there were no pp collisions."""

LUMINOSITY_UNCERTAINTIES: Final = MappingProxyType(
    {
        # LUM-17-003 (arXiv:2104.01927): 1.6 % (and 1.2 % in 2016). The part that 2015 shares with later years is not
        # in the table below. Our choice: independent, for less than 2 % of the luminosity at 13 TeV.
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
"""Year -> nuisance -> relative uncertainty. Nuisances of the same name vary together, others are independent."""

PRELIMINARY: Final = frozenset({2023, 2024})
"""Years with the uncertainty of a preliminary result."""


def in_words(energies: Iterable[float]) -> str:
    """Energies in TeV, as figures show them.

    >>> in_words([13.6, 13.0, 13.0])
    '13, 13.6 TeV'
    """
    return ", ".join(f"{energy:g}" for energy in sorted(set(energies))) + " TeV"
