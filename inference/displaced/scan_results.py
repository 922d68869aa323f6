"""Results of a scan of |V|^2: tested points, edges and excluded ranges, as they are in files; and how it was made."""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from hnl.inference.methods import ASYMPTOTIC, LHC, Method
from hnl.records import KNOWN_KEYS

CURVES = ("observed", "expected_-2", "expected_-1", "expected", "expected_+1", "expected_+2")  # bands: small CLs first
CLOSED: Final = "closed"
OPEN: Final = "open"
NOTHING: Final = "nothing excluded"


@dataclass(frozen=True, config=KNOWN_KEYS)
class ScanSettings:
    """How to scan. The range and the grid are our choice; the paper's samples cover 1e-7 to 1e-1."""

    lowest: float = Field(default=1e-8, description="|V|^2 where the scan begins")
    highest: float = Field(default=1e-1, description="|V|^2 where it ends")
    per_decade: int = Field(default=6, description="points of the coarse grid per factor of 10 in |V|^2")
    precision: float = Field(default=0.01, description="of an edge, relative")
    correlated: bool = Field(default=True, description="one closure parameter for all bins of a category")
    method: Method = Field(default=LHC, description="of CLs: lhc, hybrid or asymptotic")
    toys: int = Field(default=10_000, description="hybrid toys for each hypothesis, by which lhc begins")
    seed: int = Field(default=1, description="of the toys")

    def grid(self) -> NDArray[np.float64]:
        """|V|^2, ascending."""
        decades = np.log10(self.highest / self.lowest)
        return np.geomspace(self.lowest, self.highest, max(2, round(decades * self.per_decade) + 1))


@dataclass(frozen=True, config=KNOWN_KEYS)
class ScanPoint:
    """A tested |V|^2: CLs of each curve at mu = 1, or why the samples cannot describe it."""

    v2: float = Field(description="|V|^2")
    cls: tuple[float | None, ...] = Field(
        default=(),
        description="CLs: observed, and expected at -2, -1, 0, 1, 2 standard deviations; observed is null for blinded "
        "data; empty if refused",
    )
    refused: str = Field(default="", description="why there is no CLs; empty if there is")
    effective: float = Field(default=0.0, description="effective number of simulated events in region A")
    expected_in_a: float = Field(default=0.0, description="background in the bins that hold most of the signal, events")
    few_events: bool = Field(default=False, description="asymptotic formulas are not to be trusted")
    method: str = Field(
        default=ASYMPTOTIC, description="of cls: asymptotic, or hybrid, which also finds where lhc has to look"
    )
    cls_asymptotic: tuple[float | None, ...] = Field(
        default=(), description="as cls, by asymptotic formulas, whatever the method"
    )
    interpolation: float = Field(
        default=0.0, description="relative uncertainty of the signal from interpolation in m_N; 0 at simulated masses"
    )


@dataclass(frozen=True, config=KNOWN_KEYS)
class Edge:
    """One end of an excluded range. An open one has no |V|^2: the range goes on beyond what was tested."""

    state: Literal["closed", "open"] = Field(description="open: the samples do not reach the end of the range")
    v2: float | None = Field(description="|V|^2 where CLs is 5 %; null if open")
    at: float = Field(description="the last |V|^2 that is excluded")
    reason: str = Field(default="", description="why it is open")
    method: str = Field(default=ASYMPTOTIC, description="of CLs: asymptotic, hybrid, lhc, or hybrid moved (see below)")
    error: float = Field(default=0.0, description="of v2, by lhc: relative, statistical")
    toys: int = Field(default=0, description="by lhc: toys thrown near the edge")
    failed: int = Field(default=0, description="of them: toys whose fit failed; they count against an exclusion")


@dataclass(frozen=True, config=KNOWN_KEYS)
class ExcludedRange:
    """The range of |V|^2 that a curve excludes. Without one, edges are null."""

    curve: str = Field(description="observed, expected (the median), expected_-2, _-1, _+1 or _+2")
    status: Literal["closed", "open", "nothing excluded"] = Field(description="open if one of the edges is")
    lower: Edge | None = Field(description="end at small |V|^2")
    upper: Edge | None = Field(description="end at large |V|^2")
    smallest_cls: float = Field(description="smallest CLs of the curve")
    smallest_at: float = Field(description="|V|^2 of the smallest CLs")
    further_ranges: int = Field(
        default=0, description="excluded ranges apart from this one, which holds the smallest CLs"
    )
    method: str = Field(
        default=ASYMPTOTIC,
        description="of the curve: asymptotic, hybrid, lhc; hybrid moved: a band beside a median by lhc, whose "
        "edges are those of hybrid times what the median moved by",
    )


@dataclass(frozen=True, config=KNOWN_KEYS)
class MassScan:
    """The scan of |V|^2 at one mass, for one coupling and nature."""

    coupling: str = Field(description="e, mu, mixed, or |V_e|^2:|V_mu|^2:|V_tau|^2 in whole numbers")
    nature: str = Field(description="majorana or dirac")
    mass: float = Field(description="m_N in GeV")
    tested: tuple[ScanPoint, ...] = Field(description="by |V|^2, ascending")
    excluded: tuple[ExcludedRange, ...] = Field(
        description="one per curve; without observed where data are blinded or projected"
    )
    excluded_asymptotic: tuple[ExcludedRange, ...] = Field(
        description="what it would be by asymptotic formulas everywhere"
    )
    interpolated_from: tuple[float, ...] = Field(
        default=(), description="the two simulated masses in GeV; empty if this one is simulated"
    )
    excluded_hybrid: tuple[ExcludedRange, ...] = Field(
        default=(), description="what it would be by hybrid toys everywhere; empty where the method is asymptotic"
    )

    def range_of(self, curve: str) -> ExcludedRange | None:
        """What a curve excludes; None if the scan does not have the curve."""
        return next((found for found in self.excluded if found.curve == curve), None)


@dataclass(frozen=True, config=KNOWN_KEYS)
class KeptScan:
    """Content of points/*.json: a finished scan, which is used again while its fingerprint is the same."""

    digest: str = Field(description="SHA-256 of all that the scan depends on: inputs, settings, code, format")
    scan: MassScan = Field(description="the scan")
