"""Parts on disk: written whole, read back identically, and never taken for something that they are not."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from coffea.processor import column_accumulator

from hnl.datasets.files import FileInfo, WorkUnit
from hnl.processors import parts, reading
from hnl.processors.displaced import columns
from hnl.processors.displaced.columns import COLUMNS
from hnl.processors.rows import EVENT, Candidates, passing, repeated_event

INFO = FileInfo("a.root", "uuid", 9, "v12", (), (), "svIdx", None, None, None)
UNIT = WorkUnit("w", INFO, 0, 9)


def result(events: list[int], run: int = 1) -> dict[str, Any]:
    candidates = {name: np.zeros(len(events), column.dtype) for name, column in columns.empty().items()}
    candidates["event"] = np.array(events, dtype=np.uint64)
    candidates["passes"] = np.ones(len(events), dtype=np.uint64)
    candidates["run"] = np.full(len(events), run, dtype=np.uint32)
    candidates["m_sv"] = np.arange(len(events), dtype=np.float32)
    candidates["l2_pixel_hits"][:] = np.nan
    return {
        "candidates": {name: column_accumulator(column) for name, column in candidates.items()},
        "events": 9, "sum_w": 9.0, "sum_w2": 9.0, "cutflow": {}, "n_minus_one": {},
        "variation_sums": {}, "sv_index": {}, "pileup_profile": np.array([0.0, 9.0, 0.0]),
    }  # fmt: skip


def test_written_and_read_in_order(tmp_path: Path) -> None:
    manifest = parts.write(tmp_path, UNIT, result([5, 2, 9]), COLUMNS, "mark")
    other = WorkUnit("w", INFO, 9, 18)
    second = parts.write(tmp_path, other, result([4]), COLUMNS, "mark")
    read = reading.read(tmp_path, [second, manifest], [other.name, UNIT.name], COLUMNS)
    assert read["event"].tolist() == [2, 4, 5, 9]
    assert read["m_sv"].tolist() == [1, 0, 0, 2]
    assert {name: column.dtype for name, column in read.items()} == {n: c.dtype for n, c in columns.empty().items()}
    assert np.isnan(read["l2_pixel_hits"]).all()


def test_rows_of_variations(tmp_path: Path) -> None:
    """A row that nominal and variations share is one row of each; nominal has a file of its own."""
    content = result([5, 5, 5, 2])
    names = ("nominal", "up", "down", *(f"v{i}" for i in range(3, 64)))
    content["candidates"]["passes"] = column_accumulator(np.array([0b101, 0b010, 1 << 63, 0b100], dtype=np.uint64))
    manifest = parts.write(tmp_path, UNIT, content, COLUMNS, "mark", names)
    assert (manifest.candidates, manifest.rows, manifest.variations) == (1, 5, list(names))
    rows = reading.read(tmp_path, [manifest], [UNIT.name], COLUMNS)
    assert rows["event"].tolist() == [2, 5, 5, 5, 5]
    assert rows["passes"].tolist() == [0b100, 0b001, 0b010, 0b100, 1 << 63]
    assert rows["m_sv"].tolist() == [3, 0, 1, 0, 2]
    chosen = {i: np.flatnonzero(passing(rows, i)).tolist() for i in (0, 1, 2, 3, 63)}
    assert chosen == {0: [1], 1: [2], 2: [0, 3], 3: [], 63: [4]}
    alone = reading.read(tmp_path, [manifest], [UNIT.name], COLUMNS, (*EVENT, "passes"), varied=False)
    assert {name: column.tolist() for name, column in alone.items()} == {
        "run": [1], "luminosity_block": [0], "event": [5], "passes": [1]
    }  # fmt: skip
    labels = ("dataset", "run", "luminosity_block", "event", "variation")
    nominal, varied = (
        pq.read_table(path, columns=list(labels)).to_pylist()
        for path in (parts.paths(tmp_path, "w", UNIT.name)[0], parts.varied_path(tmp_path, "w", UNIT.name))
    )
    assert [tuple(row[name] for name in labels) for row in nominal] == [("w", 1, 0, 5, "nominal")]
    assert [tuple(row[name] for name in labels) for row in varied] == [
        ("w", 1, 0, 2, "down"), ("w", 1, 0, 5, "up"), ("w", 1, 0, 5, "down"), ("w", 1, 0, 5, "v63")
    ]  # fmt: skip


def test_a_part_without_variations_leaves_no_file_of_them(tmp_path: Path) -> None:
    """Nor the one of an earlier selection."""
    content = result([5, 5])
    content["candidates"]["passes"] = column_accumulator(np.array([1, 2], dtype=np.uint64))
    parts.write(tmp_path, UNIT, content, COLUMNS, "mark", ("nominal", "up"))
    varied = parts.varied_path(tmp_path, "w", UNIT.name)
    assert varied.is_file()
    varied.write_bytes(varied.read_bytes()[:-1])
    assert parts.manifest(tmp_path, "w", UNIT.name, "mark") is None
    parts.write(tmp_path, UNIT, result([5]), COLUMNS, "mark")
    assert not varied.exists()
    manifest = parts.manifest(tmp_path, "w", UNIT.name, "mark")
    assert manifest is not None
    assert (manifest.varied_bytes, manifest.varied_sha256) == (0, None)


def test_what_earlier_selections_left_is_removed(tmp_path: Path) -> None:
    """Parts of other units and datasets, and what older versions left beside them; nothing else."""
    parts.write(tmp_path, UNIT, result([5]), COLUMNS, "mark")
    parts.write(tmp_path, WorkUnit("w", INFO, 9, 18), result([6]), COLUMNS, "mark")
    parts.write(tmp_path, WorkUnit("gone", INFO, 0, 9), result([7]), COLUMNS, "mark")
    parquet, manifest = parts.paths(tmp_path, "w", UNIT.name)
    parquet.with_suffix(".json").write_text("{}")
    note = parquet.with_name("note.txt")
    note.write_text("of a user")
    parts.remove_others(tmp_path, {"w": {UNIT.name}})
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".json"]
    assert sorted(left) == sorted([parquet, note])
    assert manifest.is_file()
    assert parts.manifest(tmp_path, "w", UNIT.name, "mark") is not None


def test_units_and_meanings_travel_with_the_part(tmp_path: Path) -> None:
    parts.write(tmp_path, UNIT, result([1]), COLUMNS, "mark")
    field = pq.read_schema(parts.paths(tmp_path, "w", UNIT.name)[0]).field("delta_2d")
    assert field.metadata == {
        b"unit": b"cm", b"meaning": b"transverse distance of the vertex from the primary vertex"
    }  # fmt: skip


def test_a_manifest_counts_only_with_its_fingerprint_and_part(tmp_path: Path) -> None:
    assert parts.manifest(tmp_path, "w", UNIT.name, "mark") is None
    written = parts.write(tmp_path, UNIT, result([1]), COLUMNS, "mark")
    assert parts.manifest(tmp_path, "w", UNIT.name, "mark") == written
    assert parts.manifest(tmp_path, "w", UNIT.name, "other settings") is None
    parquet, manifest = parts.paths(tmp_path, "w", UNIT.name)
    parquet.unlink()
    assert parts.manifest(tmp_path, "w", UNIT.name, "mark") is None
    manifest.write_text("{half")
    assert parts.manifest(tmp_path, "w", UNIT.name, "mark") is None


def test_keys_of_a_manifest_on_disk(tmp_path: Path) -> None:
    """In the order of before; facts of a search stand among them; whole numbers of the tables stay whole."""
    counts = {"all events": {"all": {"events": 9, "sum_w": 9.0, "sum_w2": 9.0}}}
    content = result([1]) | {"cutflow": counts, "tables": 4}
    manifest = parts.write(tmp_path, UNIT, content, COLUMNS, "mark")
    path = parts.paths(tmp_path, "w", UNIT.name)[1]
    record = json.loads(path.read_text())
    assert list(record) == [
        "format", "fingerprint", "dataset", "file", "uuid", "start", "stop", "bytes", "sha256", "varied_bytes",
        "varied_sha256", "lists_bytes", "lists_sha256", "lists", "variations", "candidates", "rows", "checksum",
        "events", "sum_w", "sum_w2",
        "variation_sums", "sv_index", "tables",
        "cutflow", "n_minus_one", "pileup_profile",
    ]  # fmt: skip
    assert json.dumps(record["cutflow"]) == json.dumps(counts)
    assert (record["sv_index"], record["tables"], record["pileup_profile"]) == ({}, 4, [0.0, 9.0])
    assert manifest.facts == {"sv_index": {}, "tables": 4}
    assert parts.manifest(tmp_path, "w", UNIT.name, "mark") == manifest


def test_broken_parts_are_refused(tmp_path: Path) -> None:
    manifest = parts.write(tmp_path, UNIT, result([1, 2]), COLUMNS, "mark")
    with pytest.raises(parts.PartError, match="its manifest says 3"):
        reading.read(tmp_path, [replace(manifest, candidates=3)], [UNIT.name], COLUMNS)
    parquet, _ = parts.paths(tmp_path, "w", UNIT.name)
    whole = bytearray(parquet.read_bytes())
    whole[len(whole) // 2] ^= 1
    parquet.write_bytes(whole)
    with pytest.raises(parts.PartError, match="is not the file that its manifest describes"):
        reading.read(tmp_path, [manifest], [UNIT.name], COLUMNS)
    parquet.write_bytes(whole[:-1])
    assert parts.manifest(tmp_path, "w", UNIT.name, "mark") is None
    parquet.unlink()
    with pytest.raises(parts.PartError, match="cannot read the candidates"):
        reading.read(tmp_path, [manifest], [UNIT.name], COLUMNS)


def test_no_units_are_no_candidates(tmp_path: Path) -> None:
    assert all(len(column) == 0 for column in reading.read(tmp_path, [], [], COLUMNS).values())


def test_repeated_events() -> None:
    def ids(*rows: tuple[int, int, int]) -> Candidates:
        run, section, event = zip(*rows, strict=True)
        return {
            "run": np.array(run, np.uint32),
            "luminosity_block": np.array(section, np.uint32),
            "event": np.array(event, np.uint64),
        }

    assert repeated_event(ids((1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1))) is None
    assert repeated_event(ids((1, 1, 7), (2, 3, 2**63 + 1), (1, 1, 8), (2, 3, 2**63 + 1))) == (2, 3, 2**63 + 1)
    assert repeated_event(columns.empty()) is None
