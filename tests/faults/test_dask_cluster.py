"""A dask cluster of separate processes, as `dask scheduler` and `dask worker` start them."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import faulty
import pytest
from faulty import INJECT, Search
from inject import faults_at_open

import hnl

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a part of dask, with further environment variables; all end with the test."""
    processes = []

    def one(kind: str, *options: str, **environment: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--scheduler-file", tmp_path / "dask.json"]
        with (tmp_path / f"{kind}{len(processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "--no-dashboard", *options],
                env=os.environ | environment,
                stdout=log,
                stderr=log,
                cwd=tmp_path,
            )
        processes.append(process)
        return process

    yield one
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def scheduler(start: Start, tmp_path: Path) -> tuple[str, "subprocess.Popen[bytes]"]:
    """A running scheduler: its address and process."""
    process = start("scheduler", "--port", "0", "--host", "127.0.0.1")
    file = tmp_path / "dask.json"
    faulty.wait_for(lambda: file.exists() and file.read_text().strip().endswith("}"), "the scheduler")
    return json.loads(file.read_text())["address"], process


WORKER = ("--nthreads", "1", "--no-nanny", "--host", "127.0.0.1")


def test_separate_processes_of_which_one_is_killed(
    search: Search, tmp_path: Path, start: Start, scheduler: tuple[str, "subprocess.Popen[bytes]"]
) -> None:
    """Nobody restarts it: another worker does its work. Workers write nothing into the output folder."""
    out, notes = tmp_path / "out", tmp_path / "notes"
    killing = faults_at_open.fault("kill", search.folder / "w2.root", notes, out)
    path = {"PYTHONPATH": f"{INJECT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    workers = [start("worker", *WORKER, **path, **{faults_at_open.VARIABLE: killing}) for _ in range(2)]
    code, said = faulty.run("select", search.catalogue, "-o", out, "--executor", "dask", "--scheduler", scheduler[0])
    assert code == 0, said
    faulty.wait_for(lambda: any(worker.poll() for worker in workers), "the death")
    assert sorted(worker.poll() or 0 for worker in workers) == [-signal.SIGKILL, 0]
    found = faulty.products(out, histograms=False)
    assert found == {name: search.expected[name] for name in found}


def test_workers_without_our_folders(
    search: Search, tmp_path: Path, start: Start, scheduler: tuple[str, "subprocess.Popen[bytes]"]
) -> None:
    """Corrections and golden JSON go with the work, also to a worker that joins later: ours are gone by then."""
    own = [search.folder / name for name in ("golden.json", "jets.json", "weights.json.gz")]
    own[0].write_text(json.dumps({"1": [[1, 10]]}))
    faulty.with_golden_json(search.catalogue, own[0].name)
    _, expected = faulty.finish(search.catalogue, tmp_path / "here")
    out, notes, away = tmp_path / "out", tmp_path / "notes", tmp_path / "away"
    waiting = faults_at_open.fault("wait", search.folder / "data0.root", notes, out)  # the first
    path = {"PYTHONPATH": f"{INJECT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    start("worker", *WORKER, **path, **{faults_at_open.VARIABLE: waiting})
    child = faulty.start("select", search.catalogue, "-o", out, "--executor", "dask", "--scheduler", scheduler[0])
    faulty.wait_for(lambda: any(notes.iterdir()), "the first worker")
    away.mkdir()
    for file in own:
        file.rename(away / file.name)
    start("worker", *WORKER)
    faulty.wait_for(lambda: list(out.rglob("w*.parquet")), "the second worker")
    notes.rename(tmp_path / "over")
    assert child.wait()[0] == 0
    for file in own:
        (away / file.name).rename(file)
    said, found = faulty.finish(search.catalogue, out)
    assert "all 8 work units are done already" in said
    assert found == expected


def test_a_scheduler_that_goes_away(
    search: Search, tmp_path: Path, start: Start, scheduler: tuple[str, "subprocess.Popen[bytes]"]
) -> None:
    """Ends the run; what is done is kept."""
    out, notes = tmp_path / "out", tmp_path / "notes"
    waiting = faults_at_open.fault("wait", search.folder / "w0.root", notes, out)
    path = {"PYTHONPATH": f"{INJECT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    start("worker", *WORKER, **path, **{faults_at_open.VARIABLE: waiting})
    child = faulty.start(
        "select", search.catalogue, "-o", out, "--executor", "dask", "--scheduler", scheduler[0], before=impatient
    )
    faulty.wait_for(lambda: len(list(out.glob("candidates/*/*.parquet"))) == faulty.FILES + 1, "the last file")
    scheduler[1].kill()
    code, said = child.wait()
    assert code == 1
    assert "the dask scheduler went away with 1 work units to do" in said
    said, found = faulty.finish(search.catalogue, out)
    assert "1 to do: w0.root" in said
    assert found == search.expected


def impatient() -> None:
    """Five seconds to connect, not thirty."""
    import dask

    dask.config.set({"distributed.comm.timeouts.connect": "5s"})


def test_workers_of_another_version_are_refused(
    search: Search, tmp_path: Path, start: Start, scheduler: tuple[str, "subprocess.Popen[bytes]"]
) -> None:
    """One comment more in the code of the selection is other code: the worker is named, and nothing is run."""
    copy = tmp_path / "other" / "hnl"
    shutil.copytree(Path(hnl.__file__).parent, copy)
    leptons = copy / "selections" / "leptons.py"
    leptons.write_text(leptons.read_text() + "# changed\n")
    start("worker", *WORKER, PYTHONPATH=str(copy.parent))
    log = tmp_path / "worker1.log"
    faulty.wait_for(lambda: b"Registered to" in log.read_bytes(), "the worker")
    out = tmp_path / "out"
    code, said = faulty.run("select", search.catalogue, "-o", out, "--executor", "dask", "--scheduler", scheduler[0])
    assert code == 2
    assert "the dask worker tcp://127.0.0.1:" in said
    assert "has other code or libraries" in said
    assert not list(out.rglob("*.parquet"))


def test_no_scheduler(search: Search, tmp_path: Path) -> None:
    """Nobody listens."""
    out = tmp_path / "out"
    address = "tcp://127.0.0.1:9"
    code, said = faulty.run(
        "select", search.catalogue, "-o", out, "--executor", "dask", "--scheduler", address, before=impatient
    )
    assert code == 2
    assert f"no dask scheduler answers at {address}" in said
