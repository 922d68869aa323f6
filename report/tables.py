"""A table of records: for the terminal, as CSV, and as LaTeX."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import rich.table

from hnl.inference.records import Record

MISSING = "-"
_LATEX = {"\\": r"\textbackslash{}", **{c: f"\\{c}" for c in "&%$#_{}"}, "<": "$<$", ">": "$>$", "~": r"$\sim$"}


class Column(NamedTuple):
    """A column: key of the records, heading, and how a value is written for people."""

    key: str
    heading: str
    show: Callable[[Any], str] = str


@dataclass(frozen=True)
class Table:
    """Records with all that is known of them, and the columns of it that are shown.

    In a record, None stands for what is undefined, unlimited or hidden; its `mark` says which.
    """

    name: str
    title: str
    columns: Sequence[Column]
    records: Sequence[Record]
    note: str = ""

    def rich(self) -> rich.table.Table:
        """For the terminal."""
        table = rich.table.Table(title=self.title, caption=self.note or None)
        for i, column in enumerate(self.columns):
            texts = [column.show(row[column.key]) for row in self.records if row[column.key] is not None]
            numbers = bool(texts) and all(text[:1].isdigit() or text[:1] in "+-" for text in texts)
            table.add_column(column.heading, justify="right" if numbers else "left", no_wrap=i == 0)
        for row in self.records:
            table.add_row(*(rich.markup.escape(text) for text in self._texts(row)))
        return table

    def csv(self) -> str:
        """All keys of the records, numbers in full; what is missing is empty."""
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
    """Three digits, whole numbers as they are."""
    return f"{value:.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


def signed(value: float) -> str:
    """With sign and two decimals, for pulls and coefficients."""
    return f"{value:+.2f}"


def percent(value: float) -> str:
    """A share in percent."""
    return f"{100 * value:.1f} %" if value < 0.1 else f"{100 * value:.0f} %"
