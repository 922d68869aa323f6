"""A disk that is full, or a quota: the run ends, names the file, and what was there stays whole."""

import resource
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import faulty
import pytest
from faulty import Search

ITERATIVE = ("--executor", "iterative")


def limit(size: int) -> Callable[[], None]:
    """No file may grow beyond so many bytes, as under a quota."""
    return partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))


def test_a_part_cannot_be_written(search: Search, tmp_path: Path) -> None:
    """Nothing half written; with room, the run goes on."""
    out = tmp_path / "out"
    plan = 8_000  # the plan fits, a part does not
    code, said = faulty.run("select", search.catalogue, "-o", out, *ITERATIVE, before=limit(plan))
    assert code == 2
    assert f"cannot write {out}/candidates/" in said
    assert "File too large" in said
    assert not list(out.rglob("*.parquet"))
    assert not faulty.leftovers(out)
    assert faulty.finish(search.catalogue, out)[1] == search.expected


def test_the_old_products_stay_whole(search: Search, tmp_path: Path) -> None:
    """Also of what uproot writes in several steps."""
    out = tmp_path / "out"
    faulty.finish(search.catalogue, out)
    before = {name: (out / name).read_bytes() for name in ("histograms.root", "histograms.json")}
    assert len(before["histograms.root"]) < len(before["histograms.json"])
    for name, size in (("histograms.root", 10_000), ("histograms.json", len(before["histograms.json"]) - 1)):
        code, said = faulty.run("histogram", out, before=limit(size))
        assert code == 2
        assert f"cannot write {out / name}: " in said
        assert (out / name).read_bytes() == before[name]
        assert not faulty.leftovers(out)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB; needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("no right to mount a file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(search: Search, small_disk: Path) -> None:
    """No space left, at the first part and at the last; then there is room."""
    out, ballast = small_disk / "out", small_disk / "ballast"
    for free in (40_000, 120_000):
        ballast.write_bytes(bytes(256 * 1024 - free - _used(out)))
        code, said = faulty.run("select", search.catalogue, "-o", out, *ITERATIVE)
        assert code == 2
        assert f"cannot write {out}/" in said
        assert "No space left on device" in said
        assert not faulty.leftovers(out)
        ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=16m", small_disk], check=True)
    assert faulty.finish(search.catalogue, out)[1] == search.expected


def _used(folder: Path) -> int:
    return sum(4096 + path.stat().st_size // 4096 * 4096 for path in folder.rglob("*"))
