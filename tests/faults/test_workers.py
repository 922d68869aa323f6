"""Workers that die: once, and nobody need know; again and again, and the run names the file that they worked on."""

import os
import signal
from pathlib import Path

import faulty
import pytest
from faulty import FILES, Search
from inject.faults_at_open import fault

from hnl.processors import status

WAYS = {"local": ("--workers", "2"), "dask": ("--executor", "dask", "--workers", "2")}


def test_killed_once(search: Search, tmp_path: Path) -> None:
    """The unit is done by another worker. (With dask: test_executors_agree.)"""
    out, notes = tmp_path / "out", tmp_path / "notes"
    process = faulty.command(
        "select",
        search.catalogue,
        "-o",
        out,
        *WAYS["local"],
        fault=fault("kill", search.folder / "w1.root", notes, out),
    )
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert (notes / "0").exists()
    assert "a worker died; the file it worked on is tried again" in said
    found = faulty.products(out, histograms=False)
    assert found == {path: search.expected[path] for path in found}


@pytest.mark.parametrize("way", WAYS)
def test_killed_again_and_again(search: Search, tmp_path: Path, way: str) -> None:
    """Only the file that kills is left, named; without the fault the next run does it."""
    out, notes, path = tmp_path / "out", tmp_path / "notes", search.folder / "w1.root"
    killing = fault("kill", path, notes, out, times=50)
    process = faulty.command("select", search.catalogue, "-o", out, *WAYS[way], fault=killing)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    deaths = len(list(notes.iterdir()))
    assert f"{path}: the selection failed: its worker died {deaths} times" in said
    assert "Traceback" not in said
    found = status.read_status(out)
    assert found.units == (FILES + 1, FILES + 2)
    assert found.files["w"].failed == {
        str(path): f"its worker died {deaths} times (out of memory, killed, or a crash of a library)"
    }
    assert not faulty.leftovers(out)
    faulty.wait_for(lambda: not faulty.members(process.pid), "the end of all processes", 30)
    said, products = faulty.finish(search.catalogue, out)
    assert "7 of 8 work units are done already; 1 to do: w1.root" in said
    assert products == search.expected


@pytest.mark.parametrize(
    ("number", "whole_group"), [(signal.SIGKILL, False), (signal.SIGINT, True), (signal.SIGTERM, False)]
)
def test_the_main_process_is_ended(search: Search, tmp_path: Path, number: int, whole_group: bool) -> None:
    """Its workers go too, in the middle of their work, and the rest is done later. Ctrl-C reaches all processes."""
    out, notes = tmp_path / "out", tmp_path / "notes"
    waiting = fault("wait", search.folder / "w0.root", notes, out)
    process = faulty.command("select", search.catalogue, "-o", out, *WAYS["local"], fault=waiting)
    faulty.wait_for(lambda: any(notes.iterdir()), "a worker")
    try:
        (os.killpg if whole_group else os.kill)(process.pid, number)
        assert process.wait(60) == (-signal.SIGKILL if number == signal.SIGKILL else faulty.INTERRUPTED)
        faulty.wait_for(lambda: not faulty.members(process.pid), "the end of the workers", 60)
    finally:
        faulty.kill_group(process.pid)
        process.communicate()
    assert faulty.finish(search.catalogue, out)[1] == search.expected
