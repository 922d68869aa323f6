"""The tables of docs/simulation.md and docs/corrections.md, from the code.

python benchmarks/tables.py          # prints them
python benchmarks/tables.py --write  # renews them in the pages
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hnl.corrections.nuisances import NUISANCES
from hnl.datasets.simulation import parameters
from hnl.datasets.simulation.processes import PROCESSES

DOCS = Path(__file__).parents[1] / "docs"


def processes() -> str:
    """The processes as a Markdown table."""
    rows = []
    for process in PROCESSES.values():
        sigma = "by mass and coupling" if process.cross_section is None else f"{process.cross_section:.6g}"
        k_factor = "" if process.k_factor is None else f"{process.k_factor:g}"
        streams = "all" if len(process.streams) > 2 else ", ".join(process.streams)
        uncertainty = f"{100 * process.uncertainty:g} %"
        name = f"`{process.name}`"
        outcome = process.outcome._asdict().items()
        happens = ", ".join(what if wanted else f"no {what}" for what, wanted in outcome if wanted is not None)
        chosen = (process.partons or "", streams, happens)
        rows.append((name, process.description, sigma, uncertainty, k_factor, process.source, *chosen))
    header = ("name", "description", "cross section (pb)", "uncertainty", "K", "source")
    return _table((*header, "partons", "events kept", "imposed"), rows)


def detector() -> str:
    """The numbers of the detector as a Markdown table."""
    rows = [(f"`{name}`", _value(value), unit, source) for name, value, unit, source in parameters.table()]
    return _table(("number", "value", "unit", "source"), rows)


def nuisances() -> str:
    """Every nuisance parameter as a Markdown table."""
    rows = []
    for nuisance in NUISANCES:
        name = nuisance.name if " " in nuisance.name else f"`{nuisance.name}`"
        eras = "yes" if nuisance.correlated else "no"
        rows.append(
            (name, nuisance.kind, nuisance.size, nuisance.source, eras, nuisance.processes, f"`{nuisance.module}`")
        )
    header = ("name", "type", "size (%)", "row of Table 4", "one for all eras", "acts on", "made in")
    return _table(header, rows)


TABLES = {"simulation.md": {"processes": processes, "detector": detector}, "corrections.md": {"nuisances": nuisances}}


def renew(page_name: str) -> str:
    """A page with new tables between its markers."""
    page = (DOCS / page_name).read_text(encoding="utf-8")
    for name, table in TABLES[page_name].items():
        start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = page.partition(start)
        _, has_end, after = rest.partition(end)
        if not has_end:
            raise ValueError(f"the page has no place for the table {name!r}")
        page = f"{before}{start}\n{table()}\n{end}{after}"
    return page


def _value(value: Any) -> str:
    """The text of a number, several numbers, or a curve as x: y, x: y ..."""
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
    parser = argparse.ArgumentParser(description="The tables of the pages in docs/.")
    parser.add_argument("--write", action="store_true", help="renew them in the pages")
    if parser.parse_args().write:
        for page in TABLES:
            (DOCS / page).write_text(renew(page), encoding="utf-8")
    else:
        print("\n\n".join(table() for tables in TABLES.values() for table in tables.values()))


if __name__ == "__main__":
    main()
