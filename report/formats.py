"""Documentation of the JSON files of an output folder, made from the types that they are written from and read into.

`python -m hnl.report.formats docs/formats.md` writes the page; a test checks that it is up to date.
"""

import inspect
import re
import sys
import typing
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

import numpy as np
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typing_extensions import is_typeddict

from hnl import layout
from hnl.datasets.catalogue import Catalogue
from hnl.datasets.own_weights import OwnWeight
from hnl.datasets.trigger_bits import TriggerBits
from hnl.inference.abcd.files import EstimateFile
from hnl.inference.displaced.k0s_results import K0SFile
from hnl.inference.displaced.results import LimitsFile
from hnl.inference.displaced.scan_results import KeptScan
from hnl.inference.results import FitFile, StrengthsFile
from hnl.processors.manifests import Manifest
from hnl.processors.selection_files import DatasetCutflow, PlanFile, SelectionFile, SettingsFile, WeightsFile
from hnl.records import FLAT
from hnl.report.figures import FiguresFile

# Path in OUT, and the type of the content.
FILES: tuple[tuple[str, type], ...] = (
    (layout.SELECTION, SelectionFile),
    (layout.SETTINGS, SettingsFile),
    (layout.WEIGHTS, WeightsFile),
    (layout.CUTFLOW, DatasetCutflow),
    (f"{layout.MANIFESTS}/DATASET/UNIT.json", Manifest),
    (layout.PLAN, PlanFile),
    (layout.ESTIMATE, EstimateFile),
    (layout.EVERY_LIMITS[0], LimitsFile),
    (f"{layout.limits()}/{layout.POINTS}/*.json", KeptScan),
    (layout.EVERY_STRENGTHS[0], StrengthsFile),
    (layout.EVERY_FIT[0], FitFile),
    (layout.K0S_FILE, K0SFile),
    (layout.FIGURES, FiguresFile),
)
NAMES = {float: "number", int: "whole number", str: "text", bool: "true or false", NoneType: "null", Any: "any value"}
NAMES |= {Catalogue: "[catalogue](catalogue.md)", TriggerBits: "list"}
NAMES |= {OwnWeight: "[weight](corrections.md#weights-of-your-own)"}
HEAD = """# Files of an output folder

Made from the types in the code by `python -m hnl.report.formats docs/formats.md`: do not edit.

Lengths, masses and luminosities have their unit beside them; events, CLs, \\|V\\|² and mu have none. What is undefined,
unlimited or hidden is `null`. A file with another `format` than the one given here is refused by name, where nothing
else is said.
"""


def markdown() -> str:
    """The page: the keys of each file, their types and meaning; objects in a file have a table of their own."""
    written: set[type] = set()
    parts = [HEAD]
    for path, kind in FILES:
        version = getattr(kind, "FORMAT", None)
        stated = f" (format {version}, by `{getattr(kind, 'COMMAND', '')}`)" if version is not None else ""
        parts.append(f"## `{path}`{stated}\n")
        waiting = [kind]
        while waiting:
            current = waiting.pop(0)
            if current in written:
                continue
            written.add(current)
            parts += [f"### {current.__name__}\n"] * (current is not kind)
            parts.append(f"{_escaped(inspect.getdoc(current) or '')}\n")
            parts.append("\n".join(["| key | type | meaning |", "|---|---|---|", *_rows(current)]) + "\n")
            waiting += [inner for field in _fields(current).values() for inner in _objects(field.annotation)]
    return "\n".join(parts)


def _fields(kind: type) -> dict[str, FieldInfo]:
    if is_typeddict(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        return {name: FieldInfo.from_annotation(hint) for name, hint in hints.items()}
    fields: dict[str, FieldInfo] = kind.__pydantic_fields__  # type: ignore[attr-defined]
    return fields


def _rows(kind: type) -> Iterator[str]:
    for name, field in _fields(kind).items():
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get(FLAT):
            keys = [f"keys of {inner.__name__}" for inner in _objects(field.annotation)] or ["other keys"]
            yield f"| {keys[0]} | in the row itself | {_escaped(field.description or '')} |"
        else:
            yield f"| `{name}` | {_type(field.annotation)} | {_escaped(field.description or '')} |"


def _type(annotation: Any) -> str:
    """A type in the words of JSON."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, UnionType):
        return " or ".join(map(_type, arguments))
    if origin is typing.Literal:
        return " or ".join(f'"{value}"' for value in arguments)
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin is tuple and ... not in arguments:
        return f"list: {', '.join(map(_type, arguments))}"
    if origin is np.ndarray:
        return "list of whole number" if "int" in str(annotation) else "list of number"
    if origin in (tuple, list):
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"object: {_type(arguments[0])} to {_type(arguments[1])}"
    return NAMES.get(annotation) or f"[{annotation.__name__}](#{annotation.__name__.lower()})"


def _objects(annotation: Any) -> list[type]:
    """The types with fields within an annotation."""
    if arguments := typing.get_args(annotation):
        return [inner for argument in arguments for inner in _objects(argument)]
    if not inspect.isclass(annotation) or annotation in NAMES:
        return []
    return (
        [annotation]
        if is_typeddict(annotation) or is_dataclass(annotation) or issubclass(annotation, BaseModel)
        else []
    )


def _escaped(text: str) -> str:
    """Text in a table: one line per paragraph, bars escaped."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text).replace("|", r"\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
