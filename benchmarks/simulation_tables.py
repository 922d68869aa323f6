"""The tables of docs/simulation.md, from the code.

python benchmarks/simulation_tables.py          # prints them
python benchmarks/simulation_tables.py --write  # renews them in the page
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hnl.datasets.simulation import parameters
from hnl.datasets.simulation.processes import PROCESSES

PAGE = Path(__file__).parents[1] / "docs" / "simulation.md"


def processes() -> str:
    """The processes as a Markdown table."""
    rows = []
    for process in PROCESSES.values():
        sigma = "by mass and coupling" if process.cross_section is None else f"{process.cross_section:.6g}"
        k_factor = "" if process.k_factor is None else f"{process.k_factor:g}"
        streams = "all" if len(process.streams) > 1 else process.streams[0]
        uncertainty = f"{100 * process.uncertainty:g} %"
        name = f"`{process.name}`"
        rows.append((name, process.description, sigma, uncertainty, k_factor, process.source, streams))
    return _table(("name", "description", "cross section (pb)", "uncertainty", "K", "source", "events kept"), rows)


def detector() -> str:
    """The numbers of the detector as a Markdown table."""
    rows = [(f"`{name}`", _value(value), unit, source) for name, value, unit, source in parameters.table()]
    return _table(("number", "value", "unit", "source"), rows)


TABLES = {"processes": processes, "detector": detector}


def renew(page: str) -> str:
    """The page with fresh tables between its marks."""
    for name, table in TABLES.items():
        start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = page.partition(start)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"the page has no place for the table {name!r}")
        page = f"{before}{start}\n{table()}\n{end}{after}"
    return page


def _value(value: Any) -> str:
    """A number, some numbers, or a curve as x: y, x: y ..."""
    if not isinstance(value, tuple):
        return f"{value:g}"
    if isinstance(value[0], tuple):
        return ", ".join(f"{x:g}: {y:g}" for x, y in zip(*value, strict=True))
    return ", ".join(f"{x:g}" for x in value)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="The tables of docs/simulation.md.")
    parser.add_argument("--write", action="store_true", help="renew them in the page")
    if parser.parse_args().write:
        PAGE.write_text(renew(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print("\n\n".join(table() for table in TABLES.values()))


if __name__ == "__main__":
    main()
