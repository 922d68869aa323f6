"""The documentation of files is that of the types."""

from dataclasses import is_dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict, is_typeddict

from hnl.records import FLAT
from hnl.report import formats

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == formats.markdown(), "run python -m hnl.report.formats docs/formats.md"


def every_type() -> list[type]:
    waiting, found = [kind for _, kind in formats.FILES], []
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += [inner for field in formats._fields(kind).values() for inner in formats._objects(field.annotation)]
    return found


@pytest.mark.parametrize("kind", sorted(set(every_type()), key=lambda kind: kind.__name__))
def test_every_key_has_a_description(kind: type) -> None:
    assert is_dataclass(kind) or is_typeddict(kind) or issubclass(kind, BaseModel)
    assert kind.__doc__
    assert [name for name, field in formats._fields(kind).items() if not field.description] == []


def test_types_in_words() -> None:
    @dataclass
    class Inner:
        length: float = Field(description="in cm")

    @dataclass
    class Whole:
        """Of a |V|^2."""

        names: tuple[str, ...] = Field(description="a | b")
        inner: dict[str, Inner] | None = Field(description="by name")
        pairs: list[tuple[str, float]] = Field(description="(name, value)")
        more: dict[str, Any] = Field(description="open", json_schema_extra={FLAT: True})

    class Keys(TypedDict):
        width: Annotated[float, Field(description="in GeV")]

    assert list(formats._rows(Whole)) == [
        "| `names` | list of text | a \\| b |",
        "| `inner` | object: text to [Inner](#inner) or null | by name |",
        "| `pairs` | list of list: text, number | (name, value) |",
        "| other keys | in the row itself | open |",
    ]
    assert list(formats._rows(Keys)) == ["| `width` | number | in GeV |"]
    assert formats._objects(Whole.__pydantic_fields__["inner"].annotation) == [Inner]
