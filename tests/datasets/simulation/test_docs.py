"""docs/simulation.md says what the code does."""

import runpy
from pathlib import Path

from hnl.datasets.simulation import parameters
from hnl.datasets.simulation.processes import PROCESSES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")


def test_tables_are_those_of_the_code() -> None:
    """Renew them with `python benchmarks/tables.py --write`."""
    tables = runpy.run_path(str(ROOT / "benchmarks" / "tables.py"))
    assert tables["renew"]("simulation.md") == PAGE


def test_tables_are_complete() -> None:
    lines = PAGE.splitlines()
    for process in PROCESSES:
        assert sum(line.startswith(f"| `{process}` | ") for line in lines) == 1
    for name, _, _, source in parameters.table():
        (line,) = (line for line in lines if line.startswith(f"| `{name}` | "))
        assert line.endswith(f"{source} |")
        assert source.startswith(("paper", "our choice", "CMSSW"))
