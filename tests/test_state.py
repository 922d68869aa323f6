"""What an output folder tells of itself: how far a run is, and what made its files; and who may write into it."""

import errno
import fcntl
import gzip
import json
import os
from pathlib import Path

import faulty
import pytest
from nanoaod_events import event, write

from hnl import dependencies, lineage, locking, provenance
from hnl.lineage import LineageError
from hnl.locking import LockedError
from hnl.processors import status
from hnl.provenance import OutputError
from hnl.stages import Stage


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a catalogue, its files, and a finished selection and histograms in out."""
    folder = tmp_path_factory.mktemp("state")
    catalogue = faulty.make(folder)
    (folder / "golden.json").write_text(json.dumps({"1": [[1, 10]]}))
    faulty.with_golden_json(catalogue, "golden.json")
    faulty.finish(catalogue, folder / "out")
    return folder


def test_status(search: Path) -> None:
    """Of a whole run; nothing is written."""
    before = {path: path.stat().st_mtime_ns for path in (search / "out").rglob("*")}
    code, said = faulty.run("status", search / "out")
    assert code == 0
    assert "8 of 8 work units are done; nobody is at work" in said
    assert next(line for line in said.splitlines() if "muons" in line).split() == ["muons", "2", "2", "-", "-"]
    assert {path: path.stat().st_mtime_ns for path in (search / "out").rglob("*")} == before


def test_status_of_other_folders(tmp_path: Path) -> None:
    code, said = faulty.run("status", tmp_path / "none")
    assert code == 2
    assert f"dir '{tmp_path / 'none'}' does not exist" in said
    assert not (tmp_path / "none").exists()
    code, said = faulty.run("status", tmp_path)
    assert code == 2
    assert f"{tmp_path} holds no run" in said
    (tmp_path / "plan.json").write_text("{half")
    with pytest.raises(status.NoPlanError, match=r"plan\.json cannot be read"):
        status.read_status(tmp_path)


def test_status_of_missing_and_failed_files(tmp_path: Path) -> None:
    """A partial result: one file is left out, one part lost, one file broken when it was read."""
    catalogue, out = faulty.make(tmp_path), tmp_path / "out"
    faulty.finish(catalogue, out)
    (tmp_path / "w0.root").write_bytes(b"")
    write(tmp_path / "w1.root", [event(n) for n in range(300)])
    content = bytearray((tmp_path / "w1.root").read_bytes())
    import uproot

    with uproot.open(tmp_path / "w1.root") as file:
        start = int(file["Events"]["event"].member("fBasketSeek")[0])
    content[start : start + 100] = bytes(100)
    (tmp_path / "w1.root").write_bytes(content)
    code, _ = faulty.run("select", catalogue, "-o", out, "--executor", "iterative", "--allow-partial")
    assert code == 0
    next((out / "candidates" / "w").glob("w2-*.parquet")).unlink()
    code, said = faulty.run("status", out)
    assert code == 0
    assert f"failed: {tmp_path / 'w1.root'}: " in said
    assert f"left out: {tmp_path / 'w0.root'}: the file is empty (0 bytes)" in said
    assert f"missing: {tmp_path / 'w2.root'}" in said
    assert "5 of 7 work units are done" in said


def test_provenance_of_histograms(search: Path) -> None:
    """Back to the catalogue and every ROOT file, with versions, code and command."""
    code, said = faulty.run("provenance", search / "out" / "histograms.root")
    assert code == 0
    assert f"{search / 'out' / 'histograms.root'}  as it was made" in said
    assert f"{search / 'out' / 'selection.json'}  as it was made  by hnl select" in said
    assert f"{search / 'catalogue.yaml'}  as it was read" in said
    for i in range(faulty.FILES):
        assert f"{search / f'w{i}.root'}  dataset w, {faulty.EVENTS + i} events, UUID " in said
    for words in ("stage: histogram", f"command: hnl histogram {search / 'out'}", "numpy: ", "git: ", "lock file: "):
        assert words in said
    assert os.uname().nodename not in (search / "out" / "provenance" / "histogram.json").read_text()


def test_corrections_and_golden_json_are_inputs(search: Path) -> None:
    """Of the selection, which looks all of them up, and of every stage that reads them again; with their hashes."""
    own = [search / name for name in ("jets.json", "weights.json.gz", "golden.json")]
    for stage in ("select", "histogram"):
        noted = json.loads((search / "out" / "provenance" / f"{stage}.json").read_text())["inputs"]
        for path in own:
            assert noted[str(path)] == provenance.file_digest(path)
    jets = own[0].read_bytes()
    own[0].write_bytes(jets + b" ")
    _, said = faulty.run("provenance", search / "out" / "histograms.root")
    own[0].write_bytes(jets)
    assert f"{own[0]}  changed since" in said
    assert f"{own[1]}  as it was read" in said


def test_changed_corrections_are_applied(tmp_path: Path) -> None:
    """Of jets: simulation is selected anew, data is not. Of weights: only what is made of candidates is made anew."""
    catalogue, out = faulty.make(tmp_path), tmp_path / "out"
    _, before = faulty.finish(catalogue, out)
    jets, weights = tmp_path / "jets.json", tmp_path / "weights.json.gz"
    jets.write_text(jets.read_text().replace("0.02*y/x+0.1", "0.02*y/x+0.2"))
    code, said = faulty.run("histogram", out)
    assert code == 1
    assert "w was selected by other code or settings; run hnl select again" in said
    said, found = faulty.finish(catalogue, out)
    assert "2 of 8 work units are done already; 6 to do (6 made by other code or settings)" in said
    assert {name.split("/")[1] for name in found if "candidates" in name and found[name] != before[name]} == {"w"}
    weights.write_bytes(gzip.compress(gzip.decompress(weights.read_bytes()).replace(b"0.99", b"0.89")))
    said, weighted = faulty.finish(catalogue, out)
    assert "all 8 work units are done already" in said
    assert [name for name in found if weighted[name] != found[name]] == ["histograms.json"]


def test_a_product_that_two_stages_draw(tmp_path: Path) -> None:
    """Is of the stage that made the file which is there now."""
    path = tmp_path / "plots" / "a.txt"
    for text in ("by one", "by two"):
        with lineage.stage(tmp_path, Stage(text.replace(" ", "_"), "", (), (), ())):
            provenance.write_text(path, text)
        assert (lineage.product(path).stage, lineage.product(path).state) == (text.replace(" ", "_"), "as it was made")


def test_why_a_stage_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing, then code, settings, each input, a new one, one that was read besides, and the product."""
    one = Stage("one", "", ("*.in",), ("made.txt",), ("hnl.terminal",))
    besides = tmp_path / "other" / "golden.json"
    settings = {"unblind": False, "masses": (1.0, 2.0)}

    def run() -> None:
        with lineage.stage(tmp_path, one, settings=settings) as noted:
            provenance.used[besides] = None
            provenance.write_text(tmp_path / "made.txt", "made")
            noted.told["figures"] = [["title", "a.png"]]
        assert lineage.stale(tmp_path, one, settings=settings) == ""

    (tmp_path / "a.in").write_text("a")
    besides.parent.mkdir()
    besides.write_text("{}")
    assert lineage.stale(tmp_path, one) == "not run yet"
    run()
    assert lineage.told(tmp_path, one) == {"figures": [["title", "a.png"]]}
    assert lineage.stale(tmp_path, one, settings=settings | {"unblind": True}) == "made with other settings"
    with monkeypatch.context() as patch:
        patch.setattr(dependencies, "digest", lambda roots: "other")
        assert lineage.stale(tmp_path, one) == "made by other code or libraries"
    (tmp_path / "a.in").write_text("b")
    assert lineage.stale(tmp_path, one) == "a.in has changed"
    run()
    (tmp_path / "b.in").write_text("b")
    assert lineage.stale(tmp_path, one) == "b.in has changed"
    run()
    (tmp_path / "b.in").unlink()
    assert lineage.stale(tmp_path, one) == "b.in has changed"
    run()
    besides.write_text("{} ")
    assert lineage.stale(tmp_path, one) == "other/golden.json has changed"
    run()
    (tmp_path / "made.txt").write_text("changed")
    assert lineage.stale(tmp_path, one) == "made.txt is gone or was changed"


def test_provenance_of_a_part(search: Path) -> None:
    """One file, its UUID and the entries."""
    path = next((search / "out" / "candidates" / "w").glob("w2-*.parquet"))
    found = lineage.product(path)
    assert (found.state, found.stage) == ("as it was made", "select")
    assert found.inputs[0].path == search / "w2.root"
    assert found.inputs[0].state.startswith(f"entries 0 to {faulty.EVENTS + 2}, UUID ")
    assert found.inputs[1].path == search / "catalogue.yaml"


def test_what_changed_since_is_told(search: Path) -> None:
    """A product, and what it was made of."""
    path, catalogue = search / "out" / "histograms.json", search / "catalogue.yaml"
    whole, as_read = path.read_bytes(), catalogue.read_bytes()
    path.write_bytes(whole + b" ")
    catalogue.write_bytes(as_read + b"# more\n")
    found = lineage.product(path)
    assert found.state == "changed since"
    selection = found.inputs[0]
    assert [one.state for one in selection.inputs if one.path == catalogue] == ["changed since"]
    path.write_bytes(whole)
    catalogue.unlink()
    selection = lineage.product(path).inputs[0]
    assert [one.state for one in selection.inputs if one.path == catalogue] == ["gone"]
    catalogue.write_bytes(as_read)
    assert lineage.product(path).state == "as it was made"


def test_files_without_provenance(search: Path, tmp_path: Path) -> None:
    for path, words in (
        (search / "out" / "none.json", "no such file"),
        (search / "catalogue.yaml", "not in an output folder"),
        (search / "out" / "plan.json", None),
        (search / "out" / "provenance" / "select.json", "no stage has noted"),
    ):
        if words:
            with pytest.raises(LineageError, match=words):
                lineage.product(path)
        else:
            assert lineage.product(path).stage == "select"
    broken = tmp_path / "provenance" / "select.json"
    broken.parent.mkdir()
    for text in ("{half", json.dumps({"format": 99})):
        broken.write_text(text)
        with pytest.raises(LineageError, match=r"select\.json is broken"):
            lineage.product(broken)


def test_a_lock_is_for_one(tmp_path: Path) -> None:
    """And a folder that got nothing is not left behind; one that was there is."""
    out = tmp_path / "a" / "out"
    with locking.held(out):
        assert locking.holder(out) == str(os.getpid())
        with pytest.raises(LockedError, match=f"another run is at work in {out} "), locking.held(out):
            pass
    assert not out.exists()
    assert locking.holder(out) is None
    out.mkdir()
    with locking.held(out):
        pass
    assert out.is_dir()
    assert not list(out.iterdir())


def test_a_lock_file_of_a_dead_process_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("1")
    assert locking.holder(tmp_path) is None
    with locking.held(tmp_path):
        assert locking.holder(tmp_path) == str(os.getpid())


def test_file_systems_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes on, with a warning."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    notes: list[str] = []
    with locking.held(tmp_path, notes.append):
        pass
    assert notes == [f"{tmp_path} is on a file system without locks: do not start two runs in it"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    provenance.write_text(path, "old")

    def fill(temporary: Path) -> None:
        temporary.write_text("ne")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match=r"cannot write .*a\.txt: No space left on device"):
        provenance.write(path, fill)
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]
