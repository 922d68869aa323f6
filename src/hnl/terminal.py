"""Output of the command line: two consoles, tables, JSON, a progress bar, and notes.

Tables are plain text with aligned columns. In a terminal they keep to its width, and long cells continue in the next
line. In a pipe or a log a row is one line of any length, so that nothing is cut and every row can be searched; only
headings are broken to keep to 80 columns (or COLUMNS).

Results go to stdout; notes, progress and errors to stderr, which has errors alone while `err_console` is quiet.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from textwrap import wrap
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

out_console = Console()
err_console = Console(stderr=True)

GAP = "  "
NARROWEST = 8  # smallest width, in characters, of a column with broken cells; our choice
_BREAKS = re.compile(r"[^\s_-]*(?:[_-]+|\s+|$)")  # a heading is broken after a blank, '_' or '-'


class TextTable(NamedTuple):
    """A table as text; headings may have several lines."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def print_table(table: TextTable) -> None:
    """Prints a table after a blank line, in the width of the terminal if there is one."""
    heading, rows = lines(table, out_console.width, breaks=out_console.is_terminal)
    say("")
    if table.title:
        say(table.title, "bold")
    for line in heading:
        say(line, "dim")
    for line in rows:
        say(line)
    for line in wrap(table.note, out_console.width, break_long_words=False, break_on_hyphens=False):
        say(line, "italic")


def say(sentence: str, style: str = "") -> None:
    """Prints a line on stdout without markup, which names may contain."""
    out_console.print(Text(sentence, style), soft_wrap=True)


@contextmanager
def without_results(silent: bool) -> Iterator[None]:
    """Prints nothing on stdout for a while, if `silent`: what stages print whose result is not what was asked for."""
    out_console.quiet = silent
    try:
        yield
    finally:
        out_console.quiet = False


def print_json(document: object) -> None:
    """Prints a document on stdout, numbers in full. NaN is refused: results have null in its place."""
    say(json.dumps(document, indent=1, allow_nan=False, default=_plain))


def _plain(value: object) -> object:
    """A number of numpy, or a path, for JSON."""
    return value.item() if hasattr(value, "item") else str(value)


def note(sentence: str) -> None:
    """Prints a sentence for the user on stderr."""
    err_console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def lines(table: TextTable, width: int, *, breaks: bool) -> tuple[list[str], list[str]]:
    """The lines of headings and of rows.

    Args:
        table: the table.
        width: largest number of characters of a line.
        breaks: whether cells may be broken to keep to the width; names are then folded, never cut.
    """
    columns = list(zip(table.headings, *table.rows, strict=True))
    right = [i > 0 and _numbers(column[1:]) for i, column in enumerate(columns)]
    widths = _widths(columns, width - len(GAP) * (len(columns) - 1), [breaks and not numbers for numbers in right])
    headings = [_heading(column[0], n) for column, n in zip(columns, widths, strict=True)]
    deepest = max(map(len, headings), default=0)
    raised = [[""] * (deepest - len(words)) + words for words in headings]
    heading = [_line(cells, widths, right) for cells in zip(*raised, strict=True)]
    rows = []
    for row in table.rows:
        folded = [_folded(cell, n) for cell, n in zip(row, widths, strict=True)]
        rows += [_line(cells, widths, right) for cells in zip_longest(*folded, fillvalue="")]
    return heading, rows


def _widths(columns: Sequence[Sequence[str]], room: int, breaks: Sequence[bool]) -> list[int]:
    """Widths of columns (heading, cells). If there is not enough room, the widest are narrowed as far as possible."""
    bodies = [max(map(len, column[1:]), default=0) for column in columns]
    whole = [max(map(len, column[0].split("\n"))) for column in columns]
    broken = [max(len(piece.rstrip()) for piece in _pieces(column[0])) for column in columns]
    widest = [max(pair) for pair in zip(bodies, whole, strict=True)]
    least = [max(pair) for pair in zip(bodies, broken, strict=True)]
    if sum(least) > room:
        least = [min(n, NARROWEST) if fold else n for n, fold in zip(least, breaks, strict=True)]
    widths = list(widest)
    while sum(widths) > room:
        possible = [i for i, n in enumerate(widths) if n > least[i]]
        if not possible:
            return widths if any(breaks) else widest
        widths[max(possible, key=lambda i: widths[i])] -= 1
    return widths


def _numbers(cells: Sequence[str]) -> bool:
    """Whether a column holds numbers, or '-' for missing ones."""
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(cell[0].isdigit() or cell[0] in "+-<>" for cell in filled)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    columns = zip(cells, widths, right, strict=True)
    return GAP.join(cell.rjust(n) if numbers else cell.ljust(n) for cell, n, numbers in columns).rstrip()


def _pieces(heading: str) -> list[str]:
    return [piece for line in heading.split("\n") for piece in _BREAKS.findall(line) if piece] or [""]


def _heading(heading: str, width: int) -> list[str]:
    """Lines of a heading, broken at the ends of words."""
    result = []
    for line in heading.split("\n"):
        result.append("")
        for piece in _pieces(line):
            if result[-1] and len((result[-1] + piece).rstrip()) > width:
                result.append("")
            result[-1] += piece
    return [part for line in result for part in _folded(line.rstrip(), width)]


def _folded(cell: str, width: int) -> list[str]:
    """The lines of a cell: broken at blanks, and within a word that is longer than the column."""
    return wrap(cell, width, break_on_hyphens=False) if len(cell) > width else [cell]


class EventRate(ProgressColumn):
    """Events so far and events per second."""

    def render(self, task: Task) -> Text:
        seconds = task.finished_time or task.elapsed
        rate = f"{task.fields['events'] / seconds:,.0f}" if seconds else "-"
        return Text(f"{task.fields['events']:,}/{task.fields['all_events']:,} events  {rate} events/s")


@contextmanager
def progress_bar(counted: str, *more: ProgressColumn) -> Iterator[Progress]:
    """A progress bar on stderr with a count and further columns; in a log, one line at its end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(counted), *more)
    moves = err_console.is_interactive and not err_console.quiet  # a dumb terminal is as a log
    progress = Progress(*columns, TimeRemainingColumn(), console=err_console, disable=not moves)
    try:
        with progress:
            yield progress
    finally:
        for task in progress.tasks:
            if task.total and task.visible and not moves:
                rest = "".join(f", {column(task)}" for column in more)
                note(f"{task.description}: {task.completed:,.0f}/{task.total:,.0f} {counted}{rest}")
