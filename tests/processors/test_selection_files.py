"""Files of a selection: read as they were written, and refused by name if they are of another format."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scored
import synthetic

from hnl.datasets.files import FileInfo
from hnl.datasets.trigger_bits import Requirement, TriggerBits
from hnl.processors import selection, selection_files, status
from hnl.processors.selection_files import FileFacts
from hnl.records import BrokenFileError, FormatError


def test_facts_are_all_that_is_known_of_a_file_but_branches() -> None:
    bits = TriggerBits(Requirement((2,), "e"), Requirement((2, 8), "mu"), "the title")
    info = FileInfo("a.root", "id", 9, "v12", ("run",), ("event",), "svIdx", 20, 4.5, 1.5, (("mur_up", 5.0),), bits)
    found = selection_files.facts(info)
    names = [field.name for field in fields(FileInfo) if field.name not in ("branches", "missing")]
    assert list(found) == list(FileFacts.__annotations__) == names
    assert [found[name] for name in names] == [
        "a.root", "id", 9, "v12", "svIdx", 20, 4.5, 1.5, [("mur_up", 5.0)], bits
    ]  # fmt: skip


@pytest.fixture
def out(tmp_path: Path) -> Path:
    table, _ = scored.random(np.random.default_rng(1), 5)
    return synthetic.write(tmp_path, [(synthetic.background("w", "w"), table), (synthetic.data(), table)])


def change(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def test_selection_is_read_back(out: Path) -> None:
    found = selection.load(out)
    (facts,) = found.files["w"]
    assert (facts["path"], facts["events"], facts["sum_w"]) == ("w.root", 6, 51.0)  # 5 candidates, see `synthetic`
    assert found.sum_w == {"w": 51.0}
    assert [manifest.events for manifest in found.manifests["w"]] == [6]


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"format": 2}, FormatError, r"selection\.json has format 2, .* reads format 4: run hnl select again"),
        ({"format": None}, FormatError, r"selection\.json has no format"),
        ({"units": None}, BrokenFileError, r"selection\.json is not what format 4 says: units: "),
        ({"files": {"w": [{"path": "w.root"}]}}, BrokenFileError, r"files\.w\.0\.uuid: "),
        ({"colour": "red"}, BrokenFileError, "colour: "),
    ],
)
def test_another_or_a_broken_selection(out: Path, changes: dict[str, Any], error: type, words: str) -> None:
    change(out / "selection.json", **changes)
    with pytest.raises(error, match=words):
        selection.load(out)


def test_a_plan_of_another_format_is_none(out: Path) -> None:
    found = selection.load(out)
    status.write_plan(out, found.catalogue, [], {"w": "mark", "pseudodata": "mark"}, ["left.root: why"])
    read = status.read_status(out)
    assert (read.units, read.left_out, read.analysis) == ((0, 0), ["left.root: why"], "displaced")
    change(out / "plan.json", format=1)
    with pytest.raises(status.NoPlanError, match=r"plan\.json has format 1, .*: run hnl select again"):
        status.read_status(out)
