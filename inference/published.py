"""Published limits to be drawn beside ours, from the optional package HNLimits (MIT, E. Fernandez-Martinez et al.,
arXiv:2304.06772), which is a collection of digitised curves. It is not needed and not shipped; its data files are read
directly. Units and confidence levels, which the files do not tell, are ours, from the references.

The search of this project, EXO-21-011, is not in it: see `table5`.
"""

import importlib.util
from pathlib import Path

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from hnl.errors import InputError
from hnl.records import KNOWN_KEYS

PACKAGE, DATA = "HNLimits", Path("include/data")


class CurveError(InputError):
    """A file of the package is not what it should be; the message names it."""


@dataclass(frozen=True, config=KNOWN_KEYS)
class CurveSource:
    """Where a curve is, and what it means."""

    name: str = Field(description="of the search")
    reference: str = Field(description="number of the analysis, or journal")
    file: str = Field(description="in the folder of data of HNLimits")
    coupling: str = Field(description="e or mu")
    natures: tuple[str, ...] = Field(description="majorana, dirac or both")
    level: float = Field(default=0.95, description="confidence level")
    to_gev: float = Field(default=1.0, description="factor on the masses of the file, for GeV")


@dataclass(frozen=True, kw_only=True, config=KNOWN_KEYS)
class Curve(CurveSource):
    """A published limit, in the order of its file."""

    mass: tuple[float, ...] = Field(description="m_N in GeV")
    v2: tuple[float, ...] = Field(description="|V|^2")


_BOTH = ("majorana", "dirac")
SOURCES = (
    CurveSource("CMS displaced trilepton", "EXO-20-009", "CMS_22/CMS_majorana_e4.dat", "e", ("majorana",)),
    CurveSource("CMS displaced trilepton", "EXO-20-009", "CMS_22/CMS_majorana_mu4.dat", "mu", ("majorana",)),
    CurveSource("CMS displaced trilepton", "EXO-20-009", "CMS_22/CMS_dirac_e4.dat", "e", ("dirac",)),
    CurveSource("CMS displaced trilepton", "EXO-20-009", "CMS_22/CMS_dirac_mu4.dat", "mu", ("dirac",)),
    CurveSource("CMS muon system", "EXO-22-017", "CMS_24_1/Ue4_majorana.dat", "e", ("majorana",)),
    CurveSource("CMS muon system", "EXO-22-017", "CMS_24_1/Umu4_majorana.dat", "mu", ("majorana",)),
    CurveSource("CMS prompt trilepton", "EXO-22-011", "CMS_24_2/Ue4_majorana.dat", "e", ("majorana",)),
    CurveSource("CMS prompt trilepton", "EXO-22-011", "CMS_24_2/Umu4_majorana.dat", "mu", ("majorana",)),
    CurveSource("CMS B parking", "EXO-22-019", "CMS_24_3/Umu4_majorana.dat", "mu", ("majorana",)),
    CurveSource("DELPHI short-lived", "Z. Phys. C 74 (1997) 57", "DELPHI/short_lived.dat", "e", _BOTH),
    CurveSource("DELPHI short-lived", "Z. Phys. C 74 (1997) 57", "DELPHI/short_lived.dat", "mu", _BOTH),
    CurveSource("DELPHI long-lived", "Z. Phys. C 74 (1997) 57", "DELPHI/long_lived.dat", "e", _BOTH),
    CurveSource("DELPHI long-lived", "Z. Phys. C 74 (1997) 57", "DELPHI/long_lived.dat", "mu", _BOTH),
    CurveSource("CHARM", "Phys. Lett. B 166 (1986) 473", "ue4/CHARM_1986.dat", "e", _BOTH, 0.90),
)


def folder() -> Path | None:
    """Where the package has its data; None if it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(folders))) / DATA if folders else None


def curves(data: Path | None = None) -> list[Curve]:
    """All curves of `SOURCES`; none if the package is not installed.

    Args:
        data: folder of its data; by default that of the installed package.

    Raises:
        CurveError: a file is missing or broken.
    """
    data = folder() if data is None else data
    return [] if data is None else [read(data, source) for source in SOURCES]


def read(data: Path, source: CurveSource) -> Curve:
    """One curve.

    Raises:
        CurveError: names the file.
    """
    path = data / source.file
    try:
        mass, v2 = np.loadtxt(path, unpack=True, ndmin=2)
    except (OSError, ValueError) as error:
        raise CurveError(f"cannot read {path} for {source.name}: {error}") from error
    mass = mass * source.to_gev
    if not (len(mass) > 1 and (mass > 0).all() and (mass < 1e5).all() and (v2 > 0).all() and (v2 < 10).all()):
        raise CurveError(f"{path} has no curve of m_N in GeV and |V|^2: {mass[:3]}, {v2[:3]}")
    return Curve(**vars(source), mass=tuple(map(float, mass)), v2=tuple(map(float, v2)))
