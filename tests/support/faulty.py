"""A small search to be disturbed, and ways to run it: in this process, in a child of it, and as the user does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jet_corrections
import weight_files
import yaml
from inject import faults_at_open
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS, Style, event, write

from hnl import cli, provenance

INJECT = Path(__file__).parent / "inject"
FILES = 6  # of the simulated sample
EVENTS = 12  # of the smallest
INTERRUPTED = 130


@dataclass(frozen=True)
class Search:
    """A catalogue, its files, and what comes out undisturbed."""

    folder: Path
    catalogue: Path
    expected: dict[str, bytes]

    def changed(self, change: Callable[[dict[str, Any]], object]) -> Path:
        """Another catalogue of the same files."""
        content = yaml.safe_load(self.catalogue.read_text())
        change(content)
        path = self.folder / "changed.yaml"
        path.write_text(yaml.safe_dump(content))
        return path


@cache
def _files() -> dict[str, bytes]:
    """Samples and corrections."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        jet_corrections.write(folder / "jets.json")
        weight_files.write(folder / "weights.json.gz")
        for i in range(FILES):
            write(folder / f"w{i}.root", [event(100 * i + n, same_sign=n % 2 == 0) for n in range(1, EVENTS + 1 + i)])
        for i in range(2):
            events = [event(10_000 + 100 * i + n, l2_flavour="mu") for n in range(2 * EVENTS)]
            write(folder / f"data{i}.root", events, Style(data=True))
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def make(folder: Path) -> Path:
    """Writes samples and their catalogue, with weights and with jets that vary; returns the catalogue."""
    for name, data in _files().items():
        (folder / name).write_bytes(data)
    weights = weight_files.entries("weights.json.gz")
    corrections = jet_corrections.block(Path("jets.json")) | {"tracking": weights["tracking"]}
    corrections["prompt"] = {"electron": [weights["electron"]], "muon": [weights["muon"]]}
    simulated = {"name": "w", "era": "Run2018", "kind": "background", "process": "w", "cross_section": 0.5}
    recorded = {"name": "muons", "era": "Run2018", "kind": "data", "process": "data"}
    content = {
        "eras": {
            "Run2018": {
                "year": 2018,
                "luminosity": 10.0,
                "triggers": {"electron": list(ELECTRON_PATHS), "muon": list(MUON_PATHS)},
                "corrections": corrections,
            }
        },
        "datasets": [
            simulated | {"files": [f"w{i}.root" for i in range(FILES)]},
            recorded | {"files": ["data*.root"], "primary_dataset": "SingleMuon", "triggers": ["muon"]},
        ],
    }
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def with_golden_json(catalogue: Path, name: str) -> None:
    """Changes the catalogue."""
    content = yaml.safe_load(catalogue.read_text())
    content["eras"]["Run2018"]["golden_json"] = name
    catalogue.write_text(yaml.safe_dump(content))


def products(out: Path, *, histograms: bool = True) -> dict[str, bytes]:
    """What must be the same however a run went: candidates, cutflow, histograms."""
    names = [*sorted(out.glob("candidates/*/*.parquet")), out / "cutflow.json"]
    names += [out / "histograms.json"] if histograms else []
    return {str(path.relative_to(out)): path.read_bytes() for path in names}


def leftovers(out: Path) -> list[Path]:
    """Files that a run must not leave."""
    return [*out.rglob("*.tmp"), *out.rglob(".lock")]


@dataclass
class Child:
    """The command in a child of this process, all imports done, which can be killed."""

    process: int
    pipe: int
    status: int | None = None

    def signal(self, number: int) -> None:
        """Sends it a signal."""
        os.kill(self.process, number)

    def wait(self) -> tuple[int, str]:
        """Exit status, negative if a signal ended it, and all it said."""
        with os.fdopen(self.pipe, encoding="utf-8", errors="replace") as file:
            said = file.read()
        _, status = os.waitpid(self.process, 0)
        return os.waitstatus_to_exitcode(status), said


def start(*arguments: object, fault: str = "", before: Callable[[], object] = lambda: None) -> Child:
    """Starts the command in a child, with a fault of `faults_at_open`, after calling `before` in it."""
    provenance.record()  # what takes time in it is kept in memory
    read, write_end = os.pipe()
    process = os.fork()
    if process:
        os.close(write_end)
        return Child(process, read)
    status = 1
    try:
        os.close(read)
        sys.stdout = sys.stderr = os.fdopen(write_end, "w", buffering=1)
        os.environ["COLUMNS"] = "1000"
        sys.argv = ["hnl", *map(str, arguments)]
        if fault:
            faults_at_open.install(fault)
        before()
        cli.main()
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    finally:
        sys.stdout.flush()
        os._exit(status)


def run(*arguments: object, fault: str = "", before: Callable[[], object] = lambda: None) -> tuple[int, str]:
    """`start`, and waits."""
    return start(*arguments, fault=fault, before=before).wait()


def finish(catalogue: Path, out: Path) -> tuple[str, dict[str, bytes]]:
    """Runs the search to its end after a fault; returns what it said, and its products."""
    status, said = run("select", catalogue, "-o", out, "--executor", "iterative")
    assert status == 0, said
    assert run("histogram", out)[0] == 0
    assert not leftovers(out)
    return said, products(out)


def command(*arguments: object, fault: str = "", **options: Any) -> "subprocess.Popen[str]":
    """The command as a user starts it, in a process group of its own; a fault may happen in its workers."""
    inherited = os.environ.get("PYTHONPATH", "")
    environment = {"COLUMNS": "1000", "PYTHONPATH": f"{INJECT}{os.pathsep}{inherited}", faults_at_open.VARIABLE: fault}
    return subprocess.Popen(
        [Path(sys.executable).with_name("hnl"), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
        start_new_session=True,
        **options,
    )


def wait_for(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Waits until something is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited for {what} for {seconds} s"
        time.sleep(0.05)


def members(group: int) -> list[int]:
    """Living processes of a process group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it is gone
            continue
        if int(process_group) == group and state != "Z":
            found.append(int(path.parent.name))
    return found


def kill_group(group: int) -> None:
    """Ends what a test has left."""
    for process in members(group):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue
