"""Opening files: what they promise, what is wrong with them, and cutting them into units."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from chain import NAME, by_event, catalogue_of, inspected, process
from hypothesis import given
from hypothesis import strategies as st
from nanoaod_events import STYLES, Style, event, write

from hnl.datasets import files
from hnl.datasets.catalogue import Triggers
from hnl.errors import InputError


def read(path: Path, **how: Any) -> Any:
    """Inspects a file and reads all of it."""
    info = inspected(catalogue_of(path, **how))
    return files.events(files.work_units(NAME, info)[0])


def refused(path: Path, match: str, **how: Any) -> str:
    """Asserts that reading the file is an input error that names the file; returns the message."""
    with pytest.raises(InputError, match=match) as caught:
        read(path, **how)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_promises(tmp_path: Path) -> None:
    """Events, UUID, version, branches."""
    path = write(tmp_path / "a.root", [event(i) for i in range(5)])
    info = inspected(catalogue_of(path))
    with uproot.open(path) as file:
        assert info.uuid == str(file.file.uuid)
    assert (info.path, info.events, info.version) == (str(path), 5, "v13 or later")
    assert "Muon_pt" in info.branches


@pytest.mark.parametrize("runs", ["Runs", "Runs_"])
def test_sums_of_the_runs_tree(runs: str, tmp_path: Path) -> None:
    """Summed over runs, with and without a trailing underscore; not those of the events in the file."""
    path = write(tmp_path / "a.root", [event(genWeight=-1.5), event(genWeight=4.0)], Style(runs=runs))
    info = inspected(catalogue_of(path))
    assert (info.generated_events, info.sum_w, info.sum_w2) == (12, 22.5, 2.25 + 16 + 40)


@pytest.mark.parametrize("how", [{"style": Style(runs=None)}, {"style": Style(data=True), "kind": "data"}])
def test_no_sums(how: dict[str, Any], tmp_path: Path) -> None:
    """Without a Runs tree, and for data, nothing is promised."""
    path = write(tmp_path / "a.root", [event()], how.pop("style"))
    info = inspected(catalogue_of(path, **how))
    assert (info.generated_events, info.sum_w, info.sum_w2) == (None, None, None)


def test_sums_of_a_real_file(real_nanoaod: Path) -> None:
    """A skim of 100 events still tells how many were generated."""
    info = inspected(catalogue_of(real_nanoaod / "mc_v9_dy_2017.root", paths=real_paths()))
    with uproot.open(info.path) as file:
        assert info.generated_events == file["Runs/genEventCount"].array(library="np").sum()
    assert info.generated_events is not None
    assert info.generated_events > info.events == 100


def real_paths() -> Triggers:
    """Trigger paths that the real files have."""
    return Triggers(electron=("HLT_Ele27_WPTight_Gsf",), muon=("HLT_IsoMu24",))


def test_simulation_is_not_data(tmp_path: Path) -> None:
    """A file with generator weights in a data set of data."""
    refused(write(tmp_path / "mc.root", [event()]), "genWeight", kind="data")


def test_data_is_not_simulation(tmp_path: Path) -> None:
    """A file without generator weights in simulation."""
    refused(write(tmp_path / "data.root", [event()], Style(data=True)), "genWeight")


def test_missing_file(tmp_path: Path) -> None:
    """A path that does not exist."""
    refused(tmp_path / "none.root", "no such file")


def test_folder(tmp_path: Path) -> None:
    """A folder in place of a file."""
    (tmp_path / "folder.root").mkdir()
    refused(tmp_path / "folder.root", "not a file")


def test_empty_file(tmp_path: Path) -> None:
    """Zero bytes."""
    (tmp_path / "zero.root").touch()
    refused(tmp_path / "zero.root", "0 bytes")


@pytest.mark.parametrize(
    "content", [b"\x00", b"root", b"not a ROOT file\n" * 100, b"root" + bytes(2000), b"PK\x03\x04" * 99]
)
def test_not_root(content: bytes, tmp_path: Path) -> None:
    """Text, an archive, a few bytes."""
    (tmp_path / "text.root").write_bytes(content)
    refused(tmp_path / "text.root", "text.root")


def test_no_events_tree(tmp_path: Path) -> None:
    """Other trees, or none; what there is is told."""
    with uproot.recreate(tmp_path / "other.root") as file:
        file["Other"] = {"x": np.arange(3)}
    refused(tmp_path / "other.root", r"no tree 'Events'; it holds Other")
    with uproot.recreate(tmp_path / "bare.root"):
        pass
    refused(tmp_path / "bare.root", r"nothing")


def test_events_is_no_tree(tmp_path: Path) -> None:
    """Something else under the name."""
    with uproot.recreate(tmp_path / "histogram.root") as file:
        file["Events"] = np.histogram(np.arange(3))
    refused(tmp_path / "histogram.root", "not a TTree")


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.3, 0.6, 0.9, 0.99, 0.9999])
def test_truncated(share: float, tmp_path: Path) -> None:
    """A file that was cut off."""
    whole = write(tmp_path / "whole.root", [event(i) for i in range(50)]).read_bytes()
    path = tmp_path / "cut.root"
    path.write_bytes(whole[: int(len(whole) * share)])
    refused(path, "cut.root")


def test_truncated_by_one_byte(tmp_path: Path) -> None:
    """The last byte counts; more bytes than promised do not."""
    whole = write(tmp_path / "whole.root", [event(1)]).read_bytes()
    path = tmp_path / "cut.root"
    path.write_bytes(whole[:-1])
    refused(path, "truncated")
    path.write_bytes(whole + b"\0")
    assert len(read(path)) == 1


def test_truncated_real_file(real_nanoaod: Path, tmp_path: Path) -> None:
    """The same for a file made by CMS software."""
    whole = (real_nanoaod / "mc_v9_dy_2017.root").read_bytes()
    path = tmp_path / "cut.root"
    for share in (0.01, 0.5, 0.95):
        path.write_bytes(whole[: int(len(whole) * share)])
        refused(path, "cut.root", paths=real_paths())


@pytest.mark.parametrize("branch", ["Muon_pt", "SV_dlen", "event"])
def test_damaged_basket(branch: str, tmp_path: Path) -> None:
    """A file of full length whose data cannot be read: told when it is read."""
    path = write(tmp_path / "damaged.root", [event(i) for i in range(50)])
    with uproot.open(path) as file:
        start = int(file["Events"][branch].member("fBasketSeek")[0])
    content = bytearray(path.read_bytes())
    content[start : start + 100] = bytes(100)
    path.write_bytes(content)
    refused(path, "damaged.root")


def test_replaced_while_processing(tmp_path: Path) -> None:
    """A file that changes between inspection and reading."""
    path = write(tmp_path / "a.root", [event(1)])
    unit = files.work_units(NAME, inspected(catalogue_of(path)))[0]
    write(path, [event(1)])
    with pytest.raises(files.FileError, match=r"a\.root: .*changed or replaced"):
        files.events(unit)


def test_no_events(tmp_path: Path) -> None:
    """Zero events are not an error."""
    for name in ("v6", "v15"):
        path = write(tmp_path / f"{name}.root", [], STYLES[name])
        info = inspected(catalogue_of(path))
        assert info.events == 0
        units = files.work_units(NAME, info)
        assert [(u.start, u.stop) for u in units] == [(0, 0)]
        assert len(files.events(units[0])) == 0
        assert by_event(process(catalogue_of(path))) == {}


def test_same_content_twice(tmp_path: Path) -> None:
    """A copy has the UUID of its original; both names are told. Files written apart are two."""
    one, other = write(tmp_path / "one.root", [event(1)]), write(tmp_path / "other.root", [event(1)])
    copy = tmp_path / "copy.root"
    copy.write_bytes(one.read_bytes())
    infos = [inspected(catalogue_of(path)) for path in (one, other, copy)]
    files.check_unique(infos[:2])
    with pytest.raises(files.DuplicateFileError, match=r"one\.root and .*copy\.root"):
        files.check_unique(infos)


def test_a_unit_is_its_range(tmp_path: Path) -> None:
    """Entries start to stop, in order; names tell units apart."""
    path = write(tmp_path / "a.root", [event(i) for i in range(10)])
    units = files.work_units(NAME, inspected(catalogue_of(path)), per_unit=3)
    assert [(u.start, u.stop) for u in units] == [(0, 3), (3, 6), (6, 10)]
    assert [files.events(u).event.tolist() for u in units] == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]
    assert len({u.name for u in units}) == 3


@given(st.integers(0, 10_000_000), st.integers(100_000, 1_000_000))
def test_units_cover_a_file(events: int, per_unit: int) -> None:
    """All entries once, in order, at least `per_unit` each unless the file has fewer, less than twice as many."""
    info = files.FileInfo("a.root", "uuid", events, "v9", (), (), "svIdx", None, None, None)
    units = files.work_units(NAME, info, per_unit)
    edges = [units[0].start, *(u.stop for u in units)]
    assert [u.start for u in units] == edges[:-1]
    assert (edges[0], edges[-1]) == (0, events)
    sizes = [u.stop - u.start for u in units]
    assert len(units) == 1 or min(sizes) >= per_unit
    assert max(sizes) < 2 * per_unit or events == 0
