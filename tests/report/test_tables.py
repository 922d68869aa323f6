"""A table of records as CSV and LaTeX, and how numbers are written in it."""

import csv
import io

import pytest

from hnl.report.tables import Table, TableColumn, percent, short, signed, with_error

TABLE = Table(
    "t",
    "yields",
    [TableColumn("name", "m_N & more"), TableColumn("value", "value", short)],
    [
        {"name": "50 %", "value": 1234.5678, "mark": "few, really"},
        {"name": "<_>", "value": None, "mark": "hidden"},
    ],
    note="a note",
)


def test_csv_has_all_keys_and_numbers_in_full() -> None:
    """What is missing is empty; a comma in a text stays in its cell."""
    assert list(csv.DictReader(io.StringIO(TABLE.csv()))) == [
        {"name": "50 %", "value": "1234.5678", "mark": "few, really"},
        {"name": "<_>", "value": "", "mark": "hidden"},
    ]
    assert Table("t", "", TABLE.columns, []).csv() == "name,value\n"


def test_latex_escapes_and_shows_what_the_terminal_shows() -> None:
    assert TABLE.latex().splitlines() == [
        "% yields; a note",
        r"\begin{tabular}{lr}",
        r"m\_N \& more & value \\",
        r"\hline",
        r"50 \% & 1,235 \\",
        r"$<$\_$>$ & - \\",
        r"\end{tabular}",
    ]
    assert TABLE.text().rows == [["50 %", "1,235"], ["<_>", "-"]]


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, "0.0 %"), (0.00042, "0.04 %"), (0.0123, "1.2 %"), (0.1, "10 %"), (0.456, "46 %")]
)
def test_percent(value: float, expected: str) -> None:
    assert percent(value) == expected


def test_signs_and_an_error_that_rounds_up() -> None:
    assert [signed(x) for x in (0.004, -1.005, 12)] == ["+0.00", "-1.00", "+12.00"]
    assert with_error(3.14159, 0.0999) == "3.14(10)"
