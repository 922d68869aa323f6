"""Records: what JSON files and tables hold.

The content of a file is a type: a frozen dataclass of pydantic whose fields have descriptions. It is written as it is,
keys in the order of the fields, and read back into the same type. `report.formats` makes its documentation from it.
"""

import json
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError

from hnl import provenance
from hnl.errors import HNLError, InputError

Record = dict[str, Any]  # None stands for what is undefined, unlimited or hidden

KNOWN_KEYS = ConfigDict(extra="forbid")  # of types of files: a key that is not a field is an error
FLAT = "flat"  # mark of a field: its keys stand beside the others, and not in an object of their own
SHOWN_ERRORS = 3


class FormatError(InputError):
    """A file has another format than this version reads; the message names both, and the command that makes it anew."""


class BrokenFileError(HNLError):
    """A file does not hold what its format says; the message names it and the first keys that are wrong."""


class FileContent(Protocol):
    """The type of a whole file. Its first field is `format`."""

    FORMAT: ClassVar[int]  # raised when the meaning of the file changes
    COMMAND: ClassVar[str]  # that writes it


Content = TypeVar("Content")
File = TypeVar("File", bound=FileContent)


def as_record(content: object) -> Record:
    """A typed content as JSON is written from it."""
    return dict(_adapter(type(content)).dump_python(content))  # type: ignore[arg-type]


def from_record(kind: type[Content], record: object) -> Content:
    """What `as_record` was made of, before or after it was in a file.

    Raises:
        ValidationError: the record is no such content.
    """
    return cast(Content, _adapter(kind).validate_python(record))  # type: ignore[arg-type]


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def write(path: Path, content: object) -> None:
    """Writes a typed content as JSON."""
    provenance.write_json(path, as_record(content))


def read(path: Path, kind: type[File]) -> File:
    """Reads a file.

    Raises:
        BrokenFileError: it cannot be read, or lacks what it should hold.
        FormatError: its format is missing or another one.
    """
    again = f"run {kind.COMMAND} again"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BrokenFileError(f"{path} cannot be read: {error}; {again}") from error
    if not isinstance(record, dict):
        raise BrokenFileError(f"{path} holds no JSON object; {again}")
    version = record.get("format")
    if version != kind.FORMAT:
        stated = "no format" if version is None else f"format {version!r}"
        raise FormatError(f"{path} has {stated}, this version of hnl reads format {kind.FORMAT}: {again}")
    try:
        return from_record(kind, record)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:SHOWN_ERRORS]]
        raise BrokenFileError(f"{path} is not what format {kind.FORMAT} says: {'; '.join(wrong)}; {again}") from error


def number(value: float | None) -> float | None:
    """A number for a record: None for NaN and infinity."""
    return None if value is None or not isfinite(value) else float(value)
