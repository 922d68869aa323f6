"""The settings of a search in words: all of them for the documentation, and those that a catalogue changes.

`python -m hnl.report.settings docs/settings.md` writes the table of the page anew; a test checks that it is up to date.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hnl import analysis as searches
from hnl.datasets.catalogue import Catalogue
from hnl.datasets.model import Settings

UNITS = ("GeV", "cm", "events")  # descriptions begin with them, and a comma
MARK = "<!-- Made by python -m hnl.report.settings docs/settings.md: do not edit below. -->\n"


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        key: its way in the block `settings`, such as 'jets.pt'.
        value: that it has.
        default: that it has if nothing is said.
        unit: of both, '' for none.
        source: what it is, and where the default is from.
    """

    key: str
    value: Any
    default: Any
    unit: str
    source: str


def every(kind: type[Settings], before: str = "") -> Iterator[Setting]:
    """All settings of a kind with their default.

    Args:
        kind: of a search (`Analysis.settings`), or a part of them.
        before: of the keys.
    """
    for name, field in kind.model_fields.items():
        key, default = before + (field.alias or name), field.default
        if isinstance(default, Settings):
            yield from every(type(default), f"{key}.")
            continue
        unit, comma, source = (field.description or "").partition(", ")
        if not comma or unit not in UNITS:
            unit, source = "", field.description or ""
        yield Setting(key, default, default, unit, source)


def differences(catalogue: Catalogue) -> list[Setting]:
    """The settings that a catalogue changes."""
    result = []
    for one in every(searches.of_catalogue(catalogue).settings):
        *parts, name = one.key.split(".")
        holder = catalogue.settings
        for part in parts:
            holder = holder.get(part, {})
        if name in holder:
            result.append(replace(one, value=holder[name]))
    return result


def line(catalogue: Catalogue) -> str:
    """What a catalogue changes, with the default in brackets; '' if that is nothing."""
    changed = [f"{one.key} {_shown(one.value)} ({_shown(one.default)})" for one in differences(catalogue)]
    return f"settings that differ from the paper: {', '.join(changed)}" if changed else ""


def table(kind: type[Settings]) -> str:
    """All settings as a table in Markdown."""
    cells = [(f"`{one.key}`", _shown(one.default), one.unit, one.source.replace("|", r"\|")) for one in every(kind)]
    head = [("key", "default", "unit", "what it is, and the source"), ("---",) * 4]
    return "".join(f"| {' | '.join(row)} |\n" for row in [*head, *cells])


def page(text: str) -> str:
    """The page of the documentation with the table as it has to be."""
    return text.partition(MARK)[0] + MARK + "\n" + table(searches.load("displaced").settings)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return "null" if value is None else value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
