"""The lock of an output folder in a place where others may write."""

from pathlib import Path

import pytest

from hnl import locking, provenance
from hnl.provenance import OutputError


def test_a_link_in_place_of_the_lock(tmp_path: Path) -> None:
    """What it points to was emptied, and got the number of the process."""
    precious = tmp_path / "precious"
    precious.write_text("thesis")
    out = tmp_path / "out"
    out.mkdir()
    (out / locking.LOCK_FILE).symlink_to(precious)
    with pytest.raises(OutputError, match=r"cannot write .*\.lock"), locking.held(out):
        pass
    assert precious.read_text() == "thesis"


def test_names_of_temporary_files_cannot_be_known(tmp_path: Path) -> None:
    """Two writes of one process to one place; each name is one that a later run sweeps."""
    names = []
    for _ in range(2):
        provenance.write(tmp_path / "x.json", lambda path: (names.append(path.name), path.write_text("{}")))
    assert len(set(names)) == 2
    (tmp_path / names[0]).touch()
    with locking.held(tmp_path):
        assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []
