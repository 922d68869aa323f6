"""abcd.json: all that the stage `abcd` tells."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hnl.inference.abcd.rows import EstimateTables
from hnl.inference.abcd.thresholds import Scan
from hnl.selections.displaced.regions import Thresholds


class EstimateFile(BaseModel):
    """Content of abcd.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    FORMAT: ClassVar[int] = 1
    COMMAND: ClassVar[str] = "hnl abcd"

    format: int = Field(description="version of this file format")
    hidden: str = Field(description="what is blinded; empty if nothing is")
    partial: tuple[str, ...] = Field(description="input files that were left out")
    corrections: dict[str, dict[str, str]] = Field(description="era -> file of corrections -> SHA-256")
    variations: dict[str, list[str]] = Field(description="by dataset; the others are nominal there")
    thresholds: Thresholds = Field(description="x that was used, by hypothesis and category")
    tables: EstimateTables = Field(description="yields, closure and checks")
    scan: dict[str, dict[str, Scan]] = Field(description="by hypothesis and category; empty without anything to scan")
    provenance: dict[str, str] = Field(description="command, versions, code, machine and time")
