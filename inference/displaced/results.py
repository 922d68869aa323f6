"""Results of the limits of this search: the file limits.json."""

from typing import Any, ClassVar

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic.dataclasses import dataclass

from hnl.inference.displaced.scan_results import MassScan, ScanSettings
from hnl.inference.published import Curve
from hnl.inference.results import StrengthLimit
from hnl.records import FLAT, KNOWN_KEYS

_OF_LIMIT = frozenset(StrengthLimit.__dataclass_fields__)


@dataclass(frozen=True, config=KNOWN_KEYS)
class SampleLimit:
    """The limit on the signal strength mu of one signal sample, or why there is none.

    Keys without a value are not written if the sample is refused.
    """

    sample: str = Field(description="signal sample")
    coupling: str = Field(description="e, mu or mixed")
    nature: str = Field(description="majorana or dirac")
    mass: float = Field(description="m_N in GeV")
    ctau: float = Field(description="mean proper decay length in mm")
    generated_only: bool = Field(
        description="the sample cannot be reweighted: the limit is for its generated lifetime only"
    )
    refused: str = Field(default="", description="why there is no limit; empty if there is")
    v2_e: float | None = Field(default=None, description="|V_e|^2; no key if refused before it is known")
    v2_mu: float | None = Field(default=None, description="|V_mu|^2; likewise")
    v2: float | None = Field(default=None, description="|V|^2 of the scan; likewise")
    effective: float | None = Field(
        default=None, description="effective number of simulated events in region A; likewise"
    )
    limit: StrengthLimit | None = Field(
        default=None, description="no keys if refused", json_schema_extra={FLAT: True}
    )  # its keys stand in the row itself

    @model_serializer(mode="wrap")
    def _flat(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        row: dict[str, Any] = handler(self)
        limit = row.pop("limit")
        return {key: value for key, value in row.items() if value is not None} | (limit or {})

    @model_validator(mode="before")
    @classmethod
    def _nested(cls, row: object) -> object:
        if not isinstance(row, dict) or not _OF_LIMIT & set(row):
            return row
        limit = {key: row[key] for key in row if key in _OF_LIMIT}
        return {key: row[key] for key in row if key not in _OF_LIMIT} | {"limit": limit}


@dataclass(frozen=True, config=KNOWN_KEYS)
class LimitsFile:
    """Content of limits.json."""

    FORMAT: ClassVar[int] = 2
    COMMAND: ClassVar[str] = "hnl limits"

    format: int = Field(description="version of this file format")
    label: str = Field(description="data or projection, luminosity and energy, for all products")
    projected: bool = Field(description="simulated background was projected in place of data")
    hidden: bool = Field(description="region A is blinded or does not exist: results are expected ones")
    luminosity: float = Field(description="integrated luminosity in /fb")
    level: float = Field(description="confidence level")
    method: str = Field(description="how CLs was calculated")
    settings: ScanSettings = Field(description="of the scans")
    partial: tuple[str, ...] = Field(description="input files that were left out")
    scans: tuple[MassScan, ...] = Field(description="one per coupling, nature and mass")
    not_scanned: tuple[str, ...] = Field(description="why other masses were not scanned")
    left_out: tuple[str, ...] = Field(
        description="samples without the true decay length of N, where others of their mass have it"
    )
    published: tuple[Curve, ...] = Field(description="published limits, if the package HNLimits is installed")
    samples: tuple[SampleLimit, ...] = Field(description="limits on mu at simulated points")
    provenance: dict[str, str] = Field(description="command, versions, code, machine and time")
    remarks: tuple[str, ...] = Field(
        default=(), description="of scanned ratios of couplings: what |V|^2 is, and what is not simulated"
    )
