"""Checks of the simulation, and their presentation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

MIN_ENTRIES = 5
"""Smallest number of entries of a bin that is drawn."""

SIGMAS = 4.0
"""Largest distance of a measured number from the expected one, in errors: 1 in 16 000 by chance."""


@dataclass(frozen=True)
class Check:
    """One line of the result.

    Attributes:
        what: name of the quantity.
        measured: its measured value.
        expected: expected value and its source.
        passed: None if there is no expected number.
    """

    what: str
    measured: str
    expected: str
    passed: bool | None = None

    @classmethod
    def near(cls, what: str, value: float, error: float, expected: float, unit: str = "") -> "Check":
        """A check that two numbers agree within `SIGMAS` errors."""
        agrees = bool(abs(value - expected) <= SIGMAS * error)
        return cls(what, f"{value:.4g} +- {error:.2g} {unit}".strip(), f"{expected:g} {unit}".strip(), agrees)


def show(console: Console, title: str, checks: Sequence[Check]) -> None:
    """Prints checks as a table."""
    table = Table("", "measured", "expected", "", title=title, title_justify="left")
    words = {True: "[green]pass[/]", False: "[bold red]FAIL[/]", None: ""}
    for check in checks:
        table.add_row(check.what, check.measured, check.expected, words[check.passed])
    console.print(table)


def show_rows(console: Console, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints any table, its first column to the left and the others to the right."""
    table = Table(*header, title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*row)
    console.print(table)


Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]


def ratio(passed: Mask, x: Numbers, edges: Numbers) -> tuple[Numbers, Numbers]:
    """Fraction that passed in bins of x, and its error (Wilson score, which also holds near 0 and 1).

    Bins without entries are NaN.
    """
    n = np.histogram(x, edges)[0].astype(float)
    k = np.histogram(x[passed], edges)[0].astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = k / n
        error = np.sqrt(p * (1 - p) / n + 0.25 / n**2) / (1 + 1 / n)
    return p, error


def draw_ratio(axes: Axes, passed: Mask, x: Numbers, edges: Numbers, label: str) -> None:
    """Draws an efficiency with error bars, in bins with at least `MIN_ENTRIES` entries."""
    p, error = ratio(passed, x, edges)
    p[np.histogram(x, edges)[0] < MIN_ENTRIES] = np.nan
    middle, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    axes.errorbar(middle, p, error, width, fmt="o", markersize=3, linewidth=1, label=label)


def finish(axes: Axes, x: str, y: str, title: str = "") -> None:
    """Labels, grid, legend."""
    axes.set(xlabel=x, ylabel=y)
    axes.set_title(title, fontsize="medium")
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize="small")


def save(figure: Figure, path: Path) -> None:
    """Writes and closes a figure."""
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
