"""Comparison of two runs: one bit of any product is seen, and what only says how it was made is not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import faulty
import finished_run
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hnl import comparison


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with scores and estimate, and limits of one number."""
    out = finished_run.write(tmp_path_factory.mktemp("first"), finished_run.entries())
    (out / "limits").mkdir()
    (out / "limits" / "limits.json").write_text(json.dumps({"scans": [{"v2": 1e-6}], "provenance": {"time": "now"}}))
    return out


@pytest.fixture
def second(first: Path, tmp_path: Path) -> Path:
    """A copy elsewhere."""
    return shutil.copytree(first, tmp_path / "second")


def flip_in_parquet(path: Path, column: str, row: int) -> None:
    """Changes the last bit of one value."""
    table = pq.read_table(path)
    values = table[column].to_numpy().copy()
    raw = values.view(np.uint8).reshape(len(values), -1)
    raw[row, 0] ^= 1
    index = table.schema.get_field_index(column)
    pq.write_table(table.set_column(index, table.schema.field(column), pa.array(values)), path)


def nudge(value: float) -> float:
    return float(np.nextafter(value, np.inf))


def in_json(path: Path, change: Callable[[dict], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_the_same(first: Path, second: Path) -> None:
    """Another time, command and place of corrections are no difference, nor is the order of rows in a part."""
    in_json(second / "abcd" / "abcd.json", lambda c: c.update(provenance={}, corrections={"2018": {"/other": "1"}}))
    part = next((second / "candidates" / "wjets").glob("*.parquet"))
    table = pq.read_table(part)
    pq.write_table(table.take(pa.array(np.arange(len(table))[::-1])), part)
    status, said = faulty.run("compare", first, second)
    assert status == 0, said
    n_datasets = len(finished_run.entries())
    assert f"{1 + 2 * n_datasets + 4} products are the same, bit for bit" in said  # 3 JSON of abcd, one of limits


@pytest.mark.parametrize("column", ["m_sv", "event", "category"])
def test_one_bit_of_a_candidate(first: Path, second: Path, column: str) -> None:
    flip_in_parquet(next((second / "candidates" / "hnl8_mu").glob("*.parquet")), column, 17)
    _, found = comparison.compare(first, second)
    assert {one.product for one in found} == {"candidates/hnl8_mu"}
    if column != "event":
        assert [one.what for one in found] == [f"{column}: 1 of 900 rows"]


def test_one_bit_of_a_score(first: Path, second: Path) -> None:
    flip_in_parquet(second / "scores" / "wjets.parquet", "score_low", 2)
    _, found = comparison.compare(first, second)
    assert found == [comparison.Difference("scores/wjets", "score_low: 1 of 3000 rows")]


def test_nan_is_itself_and_zero_has_a_sign(first: Path, second: Path) -> None:
    changed = {first: [float("nan"), 0.0], second: [float("nan"), -0.0]}
    for out, (nan, zero) in changed.items():
        path = out / "scores" / "hnl4_mu.parquet"
        table = pq.read_table(path)
        values = table["score_high"].to_numpy().copy()
        values[:2] = nan, zero
        index = table.schema.get_field_index("score_high")
        pq.write_table(table.set_column(index, "score_high", pa.array(values)), path)
        in_json(out / "limits" / "limits.json", lambda c, zero=zero: c.update(zero=zero))
    _, found = comparison.compare(first, second)
    in_json(first / "limits" / "limits.json", lambda c: c.pop("zero"))
    assert found == [
        comparison.Difference("scores/hnl4_mu", "score_high: 1 of 900 rows"),
        comparison.Difference("limits/limits.json", "zero: 0.0 and -0.0"),
    ]


def test_one_bit_of_a_histogram_and_of_a_limit(first: Path, second: Path) -> None:
    def fill(content: dict) -> None:
        values = content["plane"]["storage"]["values"]
        values[3] = nudge(values[3])

    in_json(second / "abcd" / "histograms.json", fill)
    in_json(second / "limits" / "limits.json", lambda c: c["scans"][0].update(v2=nudge(1e-6)))
    status, said = faulty.run("compare", first, second)
    assert status == 1
    assert "abcd/histograms.json: plane.storage.values[3]: " in said
    assert f"limits/limits.json: scans[0].v2: 1e-06 and {nudge(1e-6)!r}" in said
    assert "2 of " in said


def test_what_only_one_has(first: Path, second: Path) -> None:
    (second / "limits" / "limits.json").unlink()
    shutil.rmtree(second / "scores")
    _, found = comparison.compare(first, second)
    assert comparison.Difference("limits/limits.json", f"{second} has none") in found
    assert {one.product for one in found} == {"limits/limits.json"} | {
        f"scores/{entry.name}" for entry, _, _ in finished_run.entries()
    }


def test_no_run(first: Path, tmp_path: Path) -> None:
    status, said = faulty.run("compare", first, tmp_path)
    assert status == 2
    assert f"{tmp_path} holds no finished selection" in said
