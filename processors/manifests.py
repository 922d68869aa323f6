"""The manifest of a part: the file that vouches for its parquet files."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar

from pydantic import Field, SkipValidation, model_serializer, model_validator
from pydantic.dataclasses import dataclass

from hnl.processors.cutflow import Counts
from hnl.records import FLAT, KNOWN_KEYS, Record


@dataclass(frozen=True, config=KNOWN_KEYS)
class Tables:
    """Events and sums of weights by requirement: most of a manifest, and needed in sum only."""

    cutflow: SkipValidation[Counts] = Field(
        description="by requirement, then category or 'all': events, sum_w, sum_w2 after each requirement"
    )
    n_minus_one: SkipValidation[Counts] = Field(description="likewise, with all requirements but the one named")


@dataclass(frozen=True, kw_only=True, config=KNOWN_KEYS)
class Manifest:
    """Content of the manifest of a part: its work unit, its file, and what the unit adds to sums over a dataset.

    A manifest of another format is no manifest: its unit is selected again.
    """

    FORMAT: ClassVar[int] = 5
    COMMAND: ClassVar[str] = "hnl select"

    format: int = Field(description="version of this file format")
    fingerprint: str = Field(description="hash of the code and settings that decide on the part")
    dataset: str = Field(description="name of the dataset")
    file: str = Field(description="path or URL of the NanoAOD file")
    uuid: str = Field(description="of the NanoAOD file")
    start: int = Field(description="first entry of the work unit")
    stop: int = Field(description="entry after the last one")
    bytes: int = Field(description="size of the parquet file of nominal candidates")
    sha256: str = Field(description="of this file")
    varied_bytes: int = Field(
        description="size of the parquet file of varied candidates; 0 if there are none, nor a file"
    )
    varied_sha256: str | None = Field(description="of this file")
    lists_bytes: int = Field(description="size of the parquet file of lists; 0 if there are none, nor a file")
    lists_sha256: str | None = Field(description="of this file")
    lists: int = Field(description="number of its rows: jets of candidates")
    variations: list[str] = Field(description="nominal, then those of jet energies that were made")
    candidates: int = Field(description="number of nominal candidates")
    rows: int = Field(description="number of candidates in all variations, nominal among them")
    checksum: str | None = Field(description="of the NanoAOD file, from the catalogue; null if it was not verified")
    events: int = Field(description="number of events processed")
    sum_w: float = Field(description="sum of their generator weights, 1 per event of data")
    sum_w2: float = Field(description="sum of the squares of these weights")
    variation_sums: dict[str, float] = Field(description="sum of weights by variation of the generator's weights")
    facts: SkipValidation[Mapping[str, Any]] = Field(
        default_factory=dict, description="facts of the search, such as sv_index", json_schema_extra={FLAT: True}
    )
    tables: Tables = Field(description="its tables", json_schema_extra={FLAT: True})
    pileup_profile: list[float] = Field(
        description="sums of weights by true interactions: 0-1, 1-2 ...; without zeros at the end"
    )

    @model_serializer
    def _flat(self) -> Record:
        own = {name: getattr(self, name) for name in _OWN}
        tables = {name: getattr(self.tables, name) for name in TABLES}
        return {**own, **self.facts, **tables, "pileup_profile": self.pileup_profile}

    @model_validator(mode="before")
    @classmethod
    def _nested(cls, record: object) -> object:
        if not isinstance(record, dict):
            return record
        own = {name: record[name] for name in (*_OWN, "pileup_profile") if name in record}
        tables = {name: record[name] for name in TABLES if name in record}
        facts = {name: value for name, value in record.items() if name not in own and name not in tables}
        return {**own, "tables": tables, "facts": facts}


TABLES = tuple(field.name for field in fields(Tables))
_OWN = tuple(f.name for f in fields(Manifest) if f.name not in ("facts", "tables", "pileup_profile"))  # in this order
