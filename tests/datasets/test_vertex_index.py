"""svIdx beyond the table of vertices: counted by the selection and by `hnl datasets check`."""

from pathlib import Path

from chain import catalogue_of, inspected, process
from nanoaod_events import STYLES, Style, event, write

from hnl.datasets import remarks
from hnl.datasets.catalogue import Triggers

# Each has one vertex, but the last, which has none; the prompt muon is in none.
INDICES = (0, 1, -1, 7, 0)


def made(path: Path, style: Style) -> Path:
    """The displaced electrons have `INDICES`."""
    events = [event(i + 1, l2={"svIdx": index}) for i, index in enumerate(INDICES)]
    events[-1]["SV"] = []
    return write(path, events, style)


def test_counts_add_up_over_work_units(tmp_path: Path) -> None:
    """Four with an index, of which 1, 7 and the last 0 are no rows."""
    catalogue = catalogue_of(made(tmp_path / "a.root", STYLES["v12"]))
    for per_unit in (1, 2, 5):
        counts = process(catalogue, per_unit)["sv_index"]
        assert counts == {"leptons with svIdx >= 0": 4, "beyond the table": 3}


def test_remark(tmp_path: Path) -> None:
    """One sentence for all files of a dataset; none where all is well, and none of files without svIdx."""
    info = inspected(catalogue := catalogue_of(made(tmp_path / "a.root", STYLES["v12"])))
    (remark,) = remarks.on_files(catalogue.datasets[0], [info, info])
    assert "dataset sample: svIdx of 6 of 8 leptons is beyond the table of vertices" in remark
    assert remarks.on_files(catalogue.datasets[0], []) == []
    old = inspected(catalogue_of(made(tmp_path / "old.root", STYLES["v9"])))
    good = inspected(catalogue_of(write(tmp_path / "good.root", [event(1)], STYLES["v12"])))
    assert remarks.on_files(catalogue.datasets[0], [old, good]) == []


def test_files_without_an_index(tmp_path: Path) -> None:
    """Before v11 nothing is counted."""
    counts = process(catalogue_of(made(tmp_path / "a.root", STYLES["v9"])))["sv_index"]
    assert counts == {"leptons with svIdx >= 0": 0, "beyond the table": 0}


def test_a_real_file(real_nanoaod: Path) -> None:
    """The 3 of 22 that `tests/selections/test_real_vertices.py` lists."""
    paths = Triggers(electron=("HLT_Ele30_WPTight_Gsf",), muon=("HLT_IsoMu24",))
    catalogue = catalogue_of(real_nanoaod / "data_v13_egamma_2022.root", kind="data", paths=paths, year=2022)
    (remark,) = remarks.on_files(catalogue.datasets[0], [inspected(catalogue)])
    assert "svIdx of 3 of 22 leptons" in remark
