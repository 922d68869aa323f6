"""Time by stage and peak memory of the simulation, in one process per sample."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from types import FunctionType, ModuleType
from typing import Any

from simulation_validation.checks import Check
from simulation_validation.events import libraries, works

from hnl.datasets.simulation import (
    collections,
    detector,
    electrons,
    jets,
    leptons,
    muons,
    nanoaod_writer,
    overlay,
    particle_flow,
    propagation,
    sample,
    tracking,
    trigger,
    truth,
    vertexing,
)
from hnl.datasets.simulation.signal import SignalOptions

LIMIT_MS, LIMIT_BYTES = 5.0, 2e9

STAGES: dict[str, tuple[ModuleType, ...]] = {
    "propagation, conversions": (propagation,),
    "overlay": (overlay,),
    "tracks": (tracking,),
    "leptons, isolation, trigger": (leptons, electrons, muons, trigger),
    "particle flow": (particle_flow,),
    "vertices": (vertexing,),
    "jets": (jets,),
    "truth, collections": (truth, collections),
}
"""Modules of each stage. Time in functions that they call counts with them."""

SAMPLES = {"signal (HNL10)": "hnl", "ttbar, no filter": "ttbar"}


class Clock:
    """CPU seconds by name; a name within another counts with the outer one."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.running = False

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Counts the time spent inside, unless another name is counting."""
        if self.running:
            yield
            return
        self.running, start = True, process_time()
        try:
            yield
        finally:
            self.running = False
            self.seconds[name] = self.seconds.get(name, 0.0) + process_time() - start

    def watch(self, module: ModuleType, name: str) -> None:
        """Counts the module's public Python functions from now on."""
        for attribute, function in list(vars(module).items()):
            ours = isinstance(function, FunctionType) and function.__module__ == module.__name__
            if ours and not attribute.startswith("_"):
                setattr(module, attribute, self._counted(function, name))

    def _counted(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            with self.measure(name):
                return function(*arguments, **named)

        return counted


def measure_here(process: str, n_events: int, seed: int) -> dict[str, Any]:
    """Makes and writes events in this process.

    Returns:
        Milliseconds of CPU per event by stage, and the peak memory in bytes.
    """
    options = SignalOptions(10, "mu", ctau=7) if process == "hnl" else None
    detector.simulate(works(process, 100, seed + 1, options)[0].table(), libraries(), seed)  # compile
    clock = Clock()
    for name, modules in STAGES.items():
        for module in modules:
            clock.watch(module, name)
    start = process_time()
    jobs = works(process, n_events, seed, options)

    def blocks() -> Iterator[detector.Block]:
        for work in jobs:
            with clock.measure("generator"):
                table = work.table()
            yield detector.simulate(table, libraries(), seed)

    with TemporaryDirectory() as folder:
        measured = list(blocks())
        before = process_time()
        nanoaod_writer.write(Path(folder) / "x.root", measured, nanoaod_writer.RunSums(n_events, n_events, n_events))
        clock.seconds["writing"] = process_time() - before
    clock.seconds["rest"] = process_time() - start - sum(clock.seconds.values())
    memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"ms": {k: 1000 * v / n_events for k, v in clock.seconds.items()}, "memory": memory}


def check(n_events: int, seed: int) -> tuple[list[Check], list[list[str]]]:
    """Stages by sample as a table (ms of CPU per event), and the checks."""
    sample.prepare_libraries()
    results = {}
    for title, process in SAMPLES.items():
        command = [sys.executable, sys.argv[0], "--measure", process, "--events", str(n_events), "--seed", str(seed)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        results[title] = json.loads(said.splitlines()[-1])
    total = {title: sum(result["ms"].values()) for title, result in results.items()}
    stages = ["generator", *STAGES, "rest", "writing"]
    rows = [[stage, *(f"{result['ms'].get(stage, 0):.2f}" for result in results.values())] for stage in stages]
    rows.append(["sum", *(f"{ms:.2f}" for ms in total.values())])
    signal = next(iter(SAMPLES))
    peak = max(result["memory"] for result in results.values())
    memories = ", ".join(f"{result['memory'] / 1e9:.2f} GB ({title})" for title, result in results.items())
    fast = total[signal] <= LIMIT_MS
    lines = [
        Check("CPU time per signal event, whole chain", f"{total[signal]:.2f} ms", f"at most {LIMIT_MS:g} ms", fast),
        Check("peak memory of a worker", memories, f"below {LIMIT_BYTES / 1e9:g} GB", peak < LIMIT_BYTES),
    ]
    return lines, rows
