"""The page of a run for the browser: one file, which needs no other."""

import base64
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from hnl import layout, provenance
from hnl.report.figures import Figure
from hnl.terminal import TextTable

TEMPLATE = Path(__file__).with_suffix(".html")
SCALE = 0.75  # of figures on the screen: those of a column and those of a page have letters of one size
_NUMBER = re.compile(r"[-+<>]?[\s~]*\d|-$|hidden$|none$")
_PRETTY = (
    ("|V|^2", "|V|\N{SUPERSCRIPT TWO}"),
    ("c tau", "c\N{GREEK SMALL LETTER TAU}"),
    ("chi2", "\N{GREEK SMALL LETTER CHI}\N{SUPERSCRIPT TWO}"),
    ("+1 sigma", "+1 \N{GREEK SMALL LETTER SIGMA}"),
    ("-1 sigma", "\N{MINUS SIGN}1 \N{GREEK SMALL LETTER SIGMA}"),
    ("mu <", "\N{GREEK SMALL LETTER MU} <"),
    (" +- ", " \N{PLUS-MINUS SIGN} "),
    (" -> ", " \N{RIGHTWARDS ARROW} "),
    ("B C / D", "B\N{MIDDLE DOT}C / D"),
)


@dataclass(frozen=True)
class Notice:
    """What has to be known before anything is believed: a word, and a sentence."""

    word: str
    sentence: str


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        id: of the anchor.
        title: of the heading.
        text: paragraphs.
        tables: below them.
        figures: below those.
    """

    id: str
    title: str
    text: Sequence[str] = ()
    tables: Sequence[TextTable] = ()
    figures: Sequence[Figure] = ()


@dataclass(frozen=True)
class Page:
    """Everything on the page.

    Attributes:
        title: of the search.
        kicker: a line above the title.
        searched: what was searched, in sentences.
        notices: on what the results are worth.
        found: results: a sentence, and items below it.
        key_figure: beside them.
        sections: in their order.
    """

    title: str
    kicker: str = ""
    searched: Sequence[str] = ()
    notices: Sequence[Notice] = ()
    found: Sequence[tuple[str, Sequence[str]]] = ()
    key_figure: Figure | None = None
    sections: Sequence[Section] = field(default_factory=tuple)


@dataclass(frozen=True)
class _Image:
    """A figure as it is in the page."""

    title: str
    caption: str
    alt: str
    png: str
    width: int
    height: int


@dataclass(frozen=True)
class _Table:
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str
    is_text: Sequence[bool]  # of each column, the others are numbers


def render(page: Page, out: Path) -> str:
    """The page as HTML; figures that are gone are left out.

    Args:
        page: the content.
        out: output folder, which the files of figures are in.
    """
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["pretty"] = pretty
    sections = [
        {
            "id": section.id,
            "title": section.title,
            "text": section.text,
            "tables": [_table(table) for table in section.tables],
            "figures": _images(section.figures, out),
        }
        for section in page.sections
    ]
    key = _images([page.key_figure], out) if page.key_figure else []
    content = {name: getattr(page, name) for name in ("title", "kicker", "searched", "notices", "found")}
    content |= {"key_figure": key[0] if key else None, "sections": sections}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(page=content)


def write(page: Page, out: Path) -> Path:
    """Writes OUT/report.html, and returns its path."""
    path = out / layout.REPORT
    provenance.write_text(path, render(page, out))
    return path


def pretty(text: str) -> str:
    """Text with the signs of print in place of those of a keyboard.

    >>> pretty("|V|^2 -> 3 +- 1")
    '|V|² → 3 ± 1'
    """
    for plain, sign in _PRETTY:
        text = text.replace(plain, sign)
    return text


def _images(figures: Sequence[Figure], out: Path) -> list[_Image]:
    images = []
    for figure in figures:
        path = out / figure.files[0]
        if path.is_file():
            content = path.read_bytes()
            width, height = (round(SCALE * n) for n in struct.unpack(">II", content[16:24]))  # of the header of a PNG
            png = base64.b64encode(content).decode()
            caption = figure.caption
            images.append(_Image(figure.title, caption, figure.alt or caption or figure.title, png, width, height))
    return images


def _table(table: TextTable) -> _Table:
    columns = list(zip(*table.rows, strict=True)) if table.rows else [() for _ in table.headings]
    is_text = [i == 0 or not all(_NUMBER.match(cell) for cell in column if cell) for i, column in enumerate(columns)]
    return _Table(table.title, table.headings, table.rows, table.note, is_text)
