"""abcd.json: all that the stage `abcd` tells, written and read."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hnl import provenance
from hnl.errors import HNLError
from hnl.inference.abcd.rows import Tables
from hnl.inference.abcd.thresholds import Scan
from hnl.selections.displaced.regions import Thresholds

FORMAT = 1  # raised when the meaning of the file changes


class EstimateError(HNLError):
    """The products of the stage `abcd` are broken, of another version, or made with other corrections."""


class SavedEstimate(BaseModel):
    """What the file holds, in its order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hidden: str = Field(description="what is blinded, or ''")
    partial: tuple[str, ...] = Field(description="files of data sets that were left out")
    corrections: dict[str, dict[str, str]] = Field(description="era -> file of corrections -> SHA-256")
    variations: dict[str, list[str]] = Field(description="by dataset; the others are nominal there")
    thresholds: Thresholds = Field(description="x that was used, by hypothesis and category")
    tables: Tables
    scan: dict[str, dict[str, Scan]] = Field(description="by hypothesis and category; empty without anything to scan")


def write(path: Path, estimate: SavedEstimate) -> None:
    """Writes the file, with its format and where it comes from."""
    content = {"format": FORMAT, **estimate.model_dump(), "provenance": provenance.record()}
    provenance.write_json(path, content)


def read(path: Path) -> SavedEstimate:
    """Reads what `write` wrote.

    Raises:
        EstimateError: the file is of another format, or broken; the message names it and says what to do.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EstimateError(f"the background estimate {path} is broken: {error}; run hnl abcd again") from error
    version = content.pop("format", None) if isinstance(content, dict) else None
    if version != FORMAT:
        found = "has no format" if version is None else f"is of format {version!r}"
        raise EstimateError(
            f"the background estimate {path} {found}; this version of hnl reads format {FORMAT}: run hnl abcd again"
        )
    content.pop("provenance", None)
    try:
        return SavedEstimate.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise EstimateError(
            f"the background estimate {path} is broken: {where}: {first['msg']} ({error.error_count()} in all); "
            "run hnl abcd again"
        ) from error
