"""A run that is ended from outside, at any time, is gone on with, and nothing shows that it was ended."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import faulty
import pytest
from faulty import FILES, Search
from inject.faults_at_open import fault

from hnl import locking
from hnl.processors import status

ITERATIVE = ("--executor", "iterative")


def test_killed_at_random_points(search: Search, tmp_path: Path) -> None:
    """SIGKILL, twenty times, each time at work on what the last one left; begun anew when one comes to its end."""
    out = tmp_path / "out"
    started = time.monotonic()
    assert faulty.run("select", search.catalogue, "-o", tmp_path / "timed", *ITERATIVE)[0] == 0
    whole = time.monotonic() - started
    when = random.Random(20)
    killed, done = 0, set()
    while killed < 20:
        child = faulty.start("select", search.catalogue, "-o", out, *ITERATIVE)
        pause = when.uniform(0.05, 0.7) * whole
        time.sleep(pause)
        child.signal(signal.SIGKILL)
        if child.wait()[0] == -signal.SIGKILL:
            killed += 1
            done.add(len(list(out.rglob("*.parquet"))))
        else:  # it was done before: begin anew, and do not wait so long
            shutil.rmtree(out)
            whole = min(whole, pause)
    assert len(done) > 2, "every kill hit the same point"
    _, found = faulty.finish(search.catalogue, out)
    assert found == search.expected


@pytest.mark.parametrize(("number", "exit_status"), [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_interrupted(search: Search, tmp_path: Path, number: int, exit_status: int) -> None:
    """Ctrl-C, and what a batch system sends: no temporary file, no lock, and the rest is done later."""
    out, notes = tmp_path / "out", tmp_path / "notes"
    last = search.folder / "w0.root"  # the largest files come first
    waiting = fault("wait", last, notes, out)
    child = faulty.start("select", search.catalogue, "-o", out, *ITERATIVE, fault=waiting)
    faulty.wait_for(lambda: any(notes.iterdir()), "the last file")
    found = status.read_status(out)
    assert locking.holder(out) == str(child.process)
    assert found.units == (FILES + 1, FILES + 2)
    assert found.files["w"].missing == [str(last)]
    child.signal(number)
    code, said = child.wait()
    assert code == exit_status
    assert "interrupted" in said
    assert not faulty.leftovers(out)
    assert locking.holder(out) is None
    said, found_products = faulty.finish(search.catalogue, out)
    assert "7 of 8 work units are done already; 1 to do: w0.root" in said
    assert found_products == search.expected


def test_one_run_in_a_folder_at_a_time(search: Search, tmp_path: Path) -> None:
    """The second is refused while the first lives, and only so long: its lock dies with it."""
    out, notes = tmp_path / "out", tmp_path / "notes"
    waiting = fault("wait", search.folder / "w3.root", notes, out)
    child = faulty.start("select", search.catalogue, "-o", out, *ITERATIVE, fault=waiting)
    faulty.wait_for(lambda: any(notes.iterdir()), "the first run")
    for arguments in (("select", search.catalogue, "-o", out, *ITERATIVE), ("histogram", out)):
        code, said = faulty.run(*arguments)
        assert code == 2
        assert f"another run is at work in {out} (process {child.process})" in said
    other = tmp_path / "other"
    assert faulty.finish(search.catalogue, other)[1] == search.expected
    child.signal(signal.SIGKILL)
    assert child.wait()[0] == -signal.SIGKILL
    assert (out / ".lock").exists()
    assert faulty.finish(search.catalogue, out)[1] == search.expected


def test_what_killed_runs_left_is_cleared_away(search: Search, tmp_path: Path) -> None:
    """Temporary files of processes that are gone; jobs in OUT/condor are let be."""
    out = tmp_path / "out"
    faulty.finish(search.catalogue, out)
    (out / "condor").mkdir()
    for folder in (out, out / "candidates" / "w", out / "condor"):
        (folder / ".x.parquet.99999.tmp").touch()
    (out / "mine.tmp").touch()
    assert faulty.run("histogram", out)[0] == 0
    assert sorted(path.name for path in out.rglob("*.tmp")) == [".x.parquet.99999.tmp", "mine.tmp"]


def test_clocks_do_not_matter(search: Search, tmp_path: Path) -> None:
    """Files and parts from the past and from the future are what they are."""
    out = tmp_path / "out"
    faulty.finish(search.catalogue, out)
    for i, path in enumerate(sorted([*search.folder.glob("*.*"), *out.rglob("*.*")])):
        stamp = 946684800 if i % 2 else 4102444800  # the years 2000 and 2100
        os.utime(path, (stamp, stamp))
    said, found = faulty.finish(search.catalogue, out)
    assert "all 8 work units are done already" in said
    assert found == search.expected


def test_parts_of_an_older_configuration(search: Search, tmp_path: Path) -> None:
    """Are not taken, and the run says so; what it makes is what a fresh folder would have."""
    out = tmp_path / "out"

    def only_one_path(content: dict) -> None:
        content["eras"]["Run2018"]["triggers"]["muon"] = content["eras"]["Run2018"]["triggers"]["muon"][1:]

    _, other = faulty.finish(search.changed(only_one_path), out)
    assert other != search.expected
    said, found = faulty.finish(search.catalogue, out)
    assert "0 of 8 work units are done already; 8 to do (8 made by other code or settings)" in said
    assert found == search.expected
