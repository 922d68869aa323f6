"""Cost of 20 variations of jet energies: `hnl select` with and without them, in turn in one process.

Nine sources of the scale and the resolution, up and down: as many rows as there can be, none of them shared. The
result is the ratio of the medians of the CPU time of the process, threads included.

    python benchmarks/variation_speed.py [--file FILE] [--events 300000] [--rounds 5]
"""

import argparse
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

import make_nanoaod
import yaml
from rich.console import Console
from rich.table import Table

import hnl
from hnl.executors import ExecutionOptions
from hnl.stages import select as stage

ALLOWED, GOAL = 3.0, 1.5
SOURCES = 9
DEMO = Path(hnl.__file__).parents[2] / "datasets" / "demo" / "corrections" / "demo_jets.json"
JETS = {
    "file": str(DEMO),
    "uncertainties": {f"jes{i}": "Demo_V1_MC_Total_AK4PFchs" for i in range(SOURCES)},
    "smearing": {
        "resolution": "Demo_JRV1_MC_PtResolution_AK4PFchs",
        "scale_factor": "Demo_JRV1_MC_ScaleFactor_AK4PFchs",
    },
}


def select(path: Path, corrections: dict) -> tuple[int, int, int]:
    """Runs `hnl select` into a new folder; returns numbers of variations, candidates, and rows with variations."""
    triggers = {"electron": [make_nanoaod.ELECTRON_TRIGGER], "muon": [make_nanoaod.MUON_TRIGGER]}
    era = {"year": 2018, "luminosity": 59.8, "triggers": triggers, "corrections": corrections}
    dataset = {"name": "bench", "era": "era", "kind": "background", "process": "bench", "cross_section": 1.0}
    with TemporaryDirectory() as folder:
        listing = Path(folder) / "catalogue.yaml"
        content = {"eras": {"era": era}, "datasets": [dataset | {"files": [str(path.resolve())]}]}
        listing.write_text(yaml.safe_dump(content), encoding="utf-8")
        result = stage.run(listing, Path(folder) / "out", execution=ExecutionOptions("iterative"))
        candidates, rows = (sum(getattr(m, key) for m in result.manifests["bench"]) for key in ("candidates", "rows"))
        return len(result.variations("bench")) - 1, candidates, rows


def report(path: Path, rounds: int) -> bool:
    """Prints the table; returns whether the requirement is met."""
    ways = {"nominal": {}, "with variations": {"jets": JETS}}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    results = {}
    for _ in range(rounds + 1):  # the first round warms up
        for name, corrections in ways.items():
            start = process_time()
            results[name] = select(path, corrections)
            seconds[name].append(process_time() - start)
    medians = {name: median(times[1:]) for name, times in seconds.items()}
    table = Table(title=f"hnl select, median of {rounds} rounds")
    for heading in ("", "variations", "candidates", "rows", "CPU s"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, numbers in results.items():
        table.add_row(name, *map(str, numbers), f"{medians[name]:.3f}")
    console = Console()
    console.print(table)
    ratio = medians["with variations"] / medians["nominal"]
    met = ratio <= ALLOWED and results["with variations"][0] == 2 * SOURCES + 2
    console.print(f"ratio {ratio:.2f}; goal {GOAL}, required: at most {ALLOWED}: " + ("met" if met else "NOT MET"))
    return met


def main() -> int:
    """The command line; exit status 1 if the requirement is not met."""
    parser = argparse.ArgumentParser(description="Measures the cost of variations of jet energies.")
    parser.add_argument("--file", type=Path, help="NanoAOD of make_nanoaod.py; made for the occasion if not given")
    parser.add_argument("--events", type=int, default=300_000, help="events of that occasional file")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = arguments.file or Path(folder) / "bench.root"
        if not arguments.file:
            make_nanoaod.make_file(path, arguments.events)
        return 0 if report(path, arguments.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
