"""Checks the simulated samples against the paper (CMS EXO-21-011) on fresh events.

Prints tables (also to OUT/tables.txt) and saves figures to OUT: lifetime and lepton number of the signal, tracking
efficiency and resolutions, nonprompt leptons and vertices as in the paper's Figs. 2 and 3, what background vertices
are made of, time and memory. Exit status 1 if a check fails.

    python benchmarks/validate_simulation.py -o OUT [--quick] [--scale 1.0] [--seed 1] [--workers N]
"""

import argparse
import json
import os
import sys
from pathlib import Path

from rich.console import Console
from simulation_validation import checks, leptons, origins, speed, tracks, truth

from hnl.datasets.simulation import sample

SIZES = {
    "truth": 4000,
    "tracks": 6000,
    "leptons": 12_000,
    "lepton vertices": 60_000,
    "all vertices": 400,
    "speed": 1500,
}
"""Numbers of generated events per signal point, process or sample."""
QUICK = 0.1


def validate(output: Path, scale: float, seed: int, workers: int, console: Console) -> bool:
    """Runs all checks; returns whether none failed."""
    output.mkdir(parents=True, exist_ok=True)
    sample.prepare_libraries()
    n = {name: max(200, round(scale * size)) for name, size in SIZES.items()}
    everything = []

    def report(title: str, lines: list[checks.Check]) -> None:
        checks.show(console, title, lines)
        everything.extend(lines)

    lines, rows = speed.check(n["speed"], seed)
    report("Speed and memory", lines)
    checks.show_rows(console, "CPU time by stage, ms per event", ["", *speed.SAMPLES], rows)
    report("Generated signal", truth.check(n["truth"], seed, workers, output))
    report("Tracks", tracks.check(n["tracks"], seed, workers, output))
    report("Nonprompt leptons and their vertices", leptons.check(n["leptons"], seed, workers, output))
    lines, rows = origins.check(n["lepton vertices"], n["all vertices"], seed, workers, output)
    report("Secondary vertices of background", lines)
    header = ["", "vertices (events)", *(f"{name} %" for name in origins.CLASSES), "l2 a hadron %"]
    checks.show_rows(console, "Origin of the tracks of secondary vertices", header, rows)
    failed = [check for check in everything if check.passed is False]
    tested = sum(check.passed is not None for check in everything)
    console.print(f"{tested - len(failed)} of {tested} checks passed; figures: {output}")
    return not failed


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Checks the simulation against the paper on fresh events.")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("out/validation"), help="folder of tables and figures"
    )
    parser.add_argument("--quick", action="store_true", help=f"the same as --scale {QUICK}")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on all numbers of events")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--measure", metavar="PROCESS", help=argparse.SUPPRESS)
    parser.add_argument("--events", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(speed.measure_here(arguments.measure, arguments.events, arguments.seed)))
        return 0
    console = Console(record=True, width=160)
    scale = QUICK if arguments.quick else arguments.scale
    passed = validate(arguments.output, scale, arguments.seed, arguments.workers, console)
    console.save_text(str(arguments.output / "tables.txt"))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
