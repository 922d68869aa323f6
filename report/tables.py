"""A table of records: for the terminal, as CSV, and as LaTeX."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any, NamedTuple

from hnl.records import Record
from hnl.terminal import TextTable

MISSING = "-"
_UNIT = re.compile(r"[\[(](GeV|cm|mm|pb)[\])]$")
_LATEX = {"\\": r"\textbackslash{}", **{c: f"\\{c}" for c in "&%$#_{}"}, "<": "$<$", ">": "$>$", "~": r"$\sim$"}


class TableColumn(NamedTuple):
    """A column: key of the records, heading, and function that formats a value."""

    key: str
    heading: str
    show: Callable[[Any], str] = str


@dataclass(frozen=True)
class Table:
    """Records with all their entries, and the columns that are shown.

    In a record, None is a value that is undefined, unlimited or hidden; its `mark` tells which.
    """

    name: str
    title: str
    columns: Sequence[TableColumn]
    records: Sequence[Record]
    note: str = ""

    def text(self, most: int | None = None) -> TextTable:
        """The table for the terminal. It shows the first `most` rows; the note has the number of the others."""
        headings = [column.heading for column in self.columns]
        rows = [self._texts(row) for row in self.records[:most]]
        left_out = f"{len(self.records) - len(rows)} more rows in the files" if len(self.records) > len(rows) else ""
        return TextTable(self.title, headings, rows, "; ".join(filter(None, [left_out, self.note])))

    def with_units(self) -> list[Record]:
        """The records with all keys, those of headings with a unit, [GeV] or (mm), with the unit: mass_GeV."""
        units = {c.key: f"_{unit[1]}" for c in self.columns if (unit := _UNIT.search(c.heading))}
        return [{f"{key}{units.get(key, '')}": value for key, value in row.items()} for row in self.records]

    def csv(self) -> str:
        """CSV with all keys of the records and numbers in full; missing values are empty."""
        text = io.StringIO()
        keys = list(self.records[0]) if self.records else [column.key for column in self.columns]
        writer = csv.DictWriter(text, keys, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.records)
        return text.getvalue()

    def latex(self) -> str:
        """A tabular of the shown columns, with the title as a comment."""
        rows = [[column.heading for column in self.columns], *(self._texts(row) for row in self.records)]
        lines = [" & ".join(_escaped(text) for text in row) + r" \\" for row in rows]
        comment = f"% {self.title}" + (f"; {self.note}" if self.note else "")
        body = [lines[0], r"\hline", *lines[1:]]
        layout = "l" + "r" * (len(self.columns) - 1)
        return "\n".join([comment, rf"\begin{{tabular}}{{{layout}}}", *body, r"\end{tabular}", ""])

    def _texts(self, row: Record) -> list[str]:
        return [MISSING if row[c.key] is None else c.show(row[c.key]) for c in self.columns]


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def short(value: float) -> str:
    """Three digits, whole numbers as they are, with commas between thousands.

    >>> short(0.070912), short(41.6), short(1234.4)
    ('0.0709', '41.6', '1,234')
    """
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


def rough(value: float) -> str:
    """Two digits, for uncertainties; whole from 10 on."""
    return f"{value:,.0f}" if abs(value) >= 9.95 or float(value).is_integer() else f"{value:.2g}"


def count(value: float) -> str:
    """At most six characters for what is below 10^10.

    >>> count(12_345), count(1_234_567)
    ('12,345', '1.23e6')
    """
    if abs(value) < 99_999.5:
        return short(value)
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def with_error(value: float | None, error: float | None) -> str:
    """A value with the uncertainty of its last digits, two of them; 0.9651(84) is 0.9651 +- 0.0084.

    >>> with_error(0.96512, 0.00844), with_error(12.3456, 1.234), with_error(None, None)
    ('0.9651(84)', '12.3(12)', '-')
    """
    if value is None:
        return MISSING
    if not error:
        return f"{value:.4g}"
    decimals = max(0, 1 - floor(log10(float(f"{error:.1e}"))))
    return f"{value:.{decimals}f}({error * 10**decimals:.0f})"


def signed(value: float) -> str:
    """With sign and two decimals, for pulls and coefficients."""
    return f"{value:+.2f}"


def percent(value: float) -> str:
    """A share in percent, in two digits or fewer."""
    if 0 < abs(value) < 0.001:
        return f"{100 * value:.1g} %"
    return f"{100 * value:.1f} %" if value < 0.1 else f"{100 * value:.0f} %"
