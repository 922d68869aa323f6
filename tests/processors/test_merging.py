"""Manifests put together: sums in order, nothing missing."""

import json
from pathlib import Path
from typing import Any

import pytest

from hnl import records
from hnl.processors import parts
from hnl.processors.manifests import Manifest, Tables
from hnl.processors.merging import merge

LACKING = object()


def put(folder: Path, name: str, counts: dict[str, Any], **changes: Any) -> None:
    parquet, path = parts.paths(folder, "w", name)
    for each in (parquet, path):
        each.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_bytes(b"12345")
    manifest = Manifest(
        format=Manifest.FORMAT, fingerprint="mark", dataset="w", file="w.root", uuid="uuid", start=0, stop=7, bytes=5,
        sha256="", varied_bytes=0, varied_sha256=None, lists_bytes=0, lists_sha256=None, lists=0,
        variations=["nominal"], candidates=0, rows=0, checksum=None, events=7, sum_w=7.0, sum_w2=7.0,
        variation_sums={}, facts={"sv_index": {}}, tables=Tables(counts, counts), pileup_profile=[],
    )  # fmt: skip
    record = {key: value for key, value in (records.as_record(manifest) | changes).items() if value is not LACKING}
    path.write_text(json.dumps(record))


def counts(events: int, sum_w: float) -> dict[str, float]:
    return {"events": events, "sum_w": sum_w, "sum_w2": sum_w**2}


def test_sums_are_taken_stage_by_stage_in_order(tmp_path: Path) -> None:
    """0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1 in floating point."""
    for name, weight in (("a", 0.1), ("b", 0.2), ("c", 0.3)):
        put(tmp_path, name, {"all events": {"all": counts(2, weight)}, "trigger": {"all": counts(1, weight)}})
    put(tmp_path, "d", {"all events": {"all": counts(0, 0.0), "SS ee": counts(4, 1.0)}})
    facts, tables = merge(tmp_path, "w", ["a", "b", "c", "d"], "mark")
    assert tables.cutflow["all events"]["all"] == {
        "events": 6, "sum_w": 0.1 + 0.2 + 0.3, "sum_w2": 0.1**2 + 0.2**2 + 0.3**2
    }  # fmt: skip
    assert tables.cutflow["all events"]["SS ee"] == counts(4, 1.0)
    assert tables.n_minus_one["trigger"]["all"]["events"] == 3
    assert [fact.events for fact in facts] == [7] * 4
    assert [fact.tables for fact in facts] == [Tables({}, {})] * 4
    _, reverse = merge(tmp_path, "w", ["c", "b", "a"], "mark")
    assert reverse.cutflow["all events"]["all"]["sum_w"] == 0.3 + 0.2 + 0.1 != 0.1 + 0.2 + 0.3


@pytest.mark.parametrize(
    "changes",
    [
        {"fingerprint": "other"},
        {"format": 0},
        {"format": LACKING},
        {"bytes": 6},
        {"rows": LACKING},
        {"n_minus_one": LACKING},
        {"sum_w": "much"},
    ],
)
def test_a_part_that_is_not_there_is_an_error(tmp_path: Path, changes: dict[str, Any]) -> None:
    put(tmp_path, "a", {}, **changes)
    with pytest.raises(parts.PartError, match="the part a of w is missing"):
        merge(tmp_path, "w", ["a"], "mark")
    with pytest.raises(parts.PartError, match="the part b of w is missing"):
        merge(tmp_path, "w", ["b"], "mark")


def test_no_units(tmp_path: Path) -> None:
    assert merge(tmp_path, "w", [], "mark") == ([], Tables({}, {}))
