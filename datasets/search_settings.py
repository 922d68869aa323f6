"""The block `settings` of a catalogue: what it changes of the settings of the search, checked."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from hnl import provenance
from hnl.datasets import yaml_lines
from hnl.datasets.model import Settings
from hnl.datasets.yaml_lines import Document

KEY = "settings"


def given(document: Document) -> tuple[Document, tuple[str, ...], Any]:
    """Where the settings of a catalogue stand: in itself, or in a file that it names, relative to it.

    Args:
        document: the catalogue.

    Returns:
        The document that has them, the way to them in it, and what is written there.

    Raises:
        InputError: the file cannot be read.
    """
    written = document.content.get(KEY, {})
    if not isinstance(written, str):
        return document, (KEY,), written
    path = (document.path.parent / Path(written).expanduser()).resolve()
    other = yaml_lines.read(path, "settings", "settings are keys with values", document.error)
    provenance.used[path] = None
    return other, (), other.content


def changed(kind: type[Settings], written: dict[str, Any], document: Document, at: Sequence[str]) -> dict[str, Any]:
    """The settings that are not the default; for JSON.

    Args:
        kind: the settings of the search.
        written: in the catalogue.
        document: that has them.
        at: the way to them in it.

    Raises:
        InputError: an unknown key, or a value that cannot be; with file and line.
    """
    try:
        found = kind.model_validate(written)
    except ValidationError as error:
        for detail in error.errors():
            if detail["type"] == "extra_forbidden":
                loc = detail["loc"]
                message = f"{_unknown(kind, (*at, *loc), loc)} (got {detail['input']!r})"
                raise document.wrong((*at, *loc), message) from None
        raise document.invalid(error, at) from None
    result: dict[str, Any] = found.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return _without_empty(result)


def _without_empty(entries: dict[str, Any]) -> dict[str, Any]:
    """Without parts that change nothing."""
    kept = {key: _without_empty(value) if isinstance(value, dict) else value for key, value in entries.items()}
    return {key: value for key, value in kept.items() if value != {}}


def _unknown(kind: type[BaseModel], place: Sequence[str | int], loc: Sequence[str | int]) -> str:
    """What is said of a key that there is not: the nearest that there is, and all."""
    for name in loc[:-1]:
        fields = {field.alias or known: field for known, field in kind.model_fields.items()}
        inner = fields[str(name)].annotation if str(name) in fields else None
        kind = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else kind
    known = [field.alias or name for name, field in kind.model_fields.items()]
    near = get_close_matches(str(loc[-1]), known, 1)
    meant = f", did you mean '{near[0]}'?" if near else ";"
    where = ".".join(map(str, place))
    return f"{where}: unknown key '{loc[-1]}'{meant} known: {', '.join(known) or 'none'}"
