"""Speed of `hnl select`, compared with reading the same columns only and with stock coffea.

All three run in one process, in turn, several times. The result is the median of the CPU time of the process, threads
included. The peak memory is that of a separate process that only runs the selection.

    python benchmarks/select_speed.py [--file FILE] [--events 300000] [--rounds 5]
"""

import argparse
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

import make_nanoaod
import uproot
from coffea.nanoevents import NanoAODSchema
from coffea.processor import IterativeExecutor, Runner
from coffea.util import coffea_console
from rich.console import Console
from rich.table import Table

from hnl.datasets import catalogue, files
from hnl.executors import ExecutionOptions
from hnl.processors.displaced.processor import DisplacedProcessor
from hnl.stages import select as stage

REQUIRED_RATE = 0.45  # of the rate of reading
REQUIRED_MEMORY = 1.5e9  # bytes
STOCK_CHUNK = 100_000

CATALOGUE = f"""
eras:
  "2018":
    year: 2018
    luminosity: 59.8
    triggers: {{electron: [{make_nanoaod.ELECTRON_TRIGGER}], muon: [{make_nanoaod.MUON_TRIGGER}]}}
datasets:
  - {{name: bench, era: "2018", kind: background, process: bench, cross_section: 1.0, files: ["FILE"]}}
"""


def read(path: Path) -> int:
    """Reads the columns that the selection needs by uproot; returns their number."""
    info = _info(path)
    with uproot.open(path, array_cache=None, object_cache=None) as root:
        return len(root["Events"].arrays(list(info.branches), how=dict, array_cache=None))


def select(path: Path) -> int:
    """Runs `hnl select` into a new folder; returns the number of candidates."""
    with TemporaryDirectory() as folder:
        listing = Path(folder) / "catalogue.yaml"
        listing.write_text(CATALOGUE.replace("FILE", str(path.resolve())), encoding="utf-8")
        result = stage.run(listing, Path(folder) / "out", execution=ExecutionOptions("iterative"))
        return sum(manifest.candidates for manifest in result.manifests["bench"])


def stock(path: Path) -> int:
    """Runs the same processor under coffea's `Runner`; returns the number of candidates."""
    runner = Runner(
        executor=IterativeExecutor(status=False), schema=NanoAODSchema, chunksize=STOCK_CHUNK, metadata_cache={}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cross references between collections that the file lacks
        result = runner({"bench": {"files": {str(path): "Events"}}}, DisplacedProcessor(_catalogue(path)))
    return len(result["bench"]["candidates"]["event"].value)


def _catalogue(path: Path) -> catalogue.Catalogue:
    with TemporaryDirectory() as folder:
        listing = Path(folder) / "catalogue.yaml"
        listing.write_text(CATALOGUE.replace("FILE", str(path.resolve())), encoding="utf-8")
        return catalogue.load(listing)


_INFOS: dict[Path, files.FileInfo] = {}


def _info(path: Path) -> files.FileInfo:
    """Inspection of the file, which is not part of reading and so done once."""
    if path not in _INFOS:
        catalogue = _catalogue(path)
        _INFOS[path] = files.inspect(str(path), catalogue.datasets[0], catalogue.eras["2018"])
    return _INFOS[path]


def measure(path: Path, rounds: int) -> tuple[dict[str, float], dict[str, int]]:
    """Median CPU seconds of each way, and its result. The first round is a warm-up and does not count."""
    ways: dict[str, Callable[[Path], int]] = {"uproot, reading only": read, "hnl select": select, "stock coffea": stock}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    results = {}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            start = process_time()
            results[name] = way(path)
            seconds[name].append(process_time() - start)
    return {name: median(times[1:]) for name, times in seconds.items()}, results


def peak_memory(path: Path) -> int:
    """Peak memory in bytes of a separate process that only runs the selection."""
    command = [sys.executable, __file__, "--file", str(path), "--memory"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def report(path: Path, rounds: int) -> bool:
    """Prints the table; returns whether the requirements are met."""
    coffea_console.quiet = True  # no progress bars
    info, memory = _info(path), peak_memory(path)
    seconds, results = measure(path, rounds)
    reading, ours = seconds["uproot, reading only"], seconds["hnl select"]
    table = Table(title=f"{info.events:,} events, {len(info.branches)} columns read, median of {rounds} rounds")
    for heading in ("", "CPU us/event", "rate / reading", "candidates"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, time in seconds.items():
        candidates = "" if name == "uproot, reading only" else str(results[name])
        table.add_row(name, f"{1e6 * time / info.events:.2f}", f"{100 * reading / time:.0f} %", candidates)
    console = Console()
    console.print(table)
    console.print(f"peak memory of hnl select: {memory / 1e9:.2f} GB")
    same = results["hnl select"] == results["stock coffea"]
    passed = reading / ours >= REQUIRED_RATE and memory < REQUIRED_MEMORY and same
    console.print(
        f"required: at least {100 * REQUIRED_RATE:.0f} %, below {REQUIRED_MEMORY / 1e9:.1f} GB, same candidates: "
        + ("met" if passed else "NOT MET")
    )
    return passed


def main() -> int:
    """The command line; exit status 1 if a requirement is not met."""
    parser = argparse.ArgumentParser(description="Measures hnl select against reading alone and stock coffea.")
    parser.add_argument("--file", type=Path, help="NanoAOD of make_nanoaod.py; made for the occasion if not given")
    parser.add_argument("--events", type=int, default=300_000, help="events of that occasional file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="run the selection once and print its peak memory")
    arguments = parser.parse_args()
    if arguments.memory:
        select(arguments.file)
        print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return 0
    with TemporaryDirectory() as folder:
        path = arguments.file or Path(folder) / "bench.root"
        if not arguments.file:
            make_nanoaod.make_file(path, arguments.events)
        return 0 if report(path, arguments.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
