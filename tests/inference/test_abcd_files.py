"""abcd.json: what is written comes back, and what cannot be read says which file, which version, and what to do."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from hnl import records
from hnl.inference.abcd import rows
from hnl.inference.abcd.files import EstimateFile
from hnl.inference.abcd.rows import ClosureRow, EstimateTables, SimulatedClosureRow, ThresholdRow, YieldRow
from hnl.inference.abcd.thresholds import Scan
from hnl.records import BrokenFileError, FormatError

COMPARED = {
    "A": None,
    "B": 4.0,
    "C": 2.0,
    "D": 8.0,
    "A_error": None,
    "prediction": 1.0,
    "stat_down": 0.6,
    "stat_up": 1.1,
}
COMPARED |= {"low95": 0.2, "high95": None, "pull": None, "ratio": None, "chi2": None, "ndf": None, "p_value": None}
YIELD = YieldRow(
    **COMPARED,
    sample="data",
    hypothesis="low",
    category="ee_OS",
    bin="all",
    x=0.98,
    mark="A hidden",
    c_ab=1.0,
    c_ab_uncertainty=0.0,
    closure=0.2,
    total_down=0.7,
    total_up=1.2,
)


@pytest.fixture
def estimate() -> EstimateFile:
    scan = Scan(
        thresholds=np.array([0.97, 0.98]),
        figure_of_merit=np.array([0.5, 1.0]),
        signal_fraction=np.array([0.75, 0.7]),
        background=np.array([2.0, 1.0]),
        uncertainty=np.array([0.25, 0.5]),
        poor_bins=np.array([0, 1]),
        smallest_c=np.array([4.0, 2.5]),
        best=0,
        mark="",
    )
    threshold = ThresholdRow(
        hypothesis="low",
        category="ee_OS",
        x=0.97,
        figure_of_merit=0.5,
        signal_fraction=0.75,
        background=2.0,
        uncertainty=0.25,
        smallest_c=4.0,
        poor_bins=0.0,
        mark="",
    )
    return EstimateFile(
        format=EstimateFile.FORMAT,
        hidden="region A",
        partial=("lost.root",),
        corrections={"2018": {"pileup.json": "ab12"}},
        variations={"data": ["nominal"]},
        thresholds={"low": {"ee_OS": 0.97}},
        tables=EstimateTables(thresholds=(threshold,), yields=(YIELD,)),
        scan={"low": {"ee_OS": scan}},
        provenance={"hnl": "0"},
    )


def test_what_is_written_comes_back(tmp_path: Path, estimate: EstimateFile) -> None:
    path = tmp_path / "abcd.json"
    records.write(path, estimate)
    found = records.read(path, EstimateFile)
    assert found.model_dump() == estimate.model_dump()
    assert found.scan["low"]["ee_OS"].chosen == 0.97
    assert found.scan["low"]["ee_OS"].poor_bins.dtype == np.int64


def test_keys_and_their_order_are_those_of_format_1(tmp_path: Path, estimate: EstimateFile) -> None:
    """Written by hand: whoever reads the file, or the CSV of a table, relies on them."""
    records.write(tmp_path / "abcd.json", estimate)
    content = json.loads((tmp_path / "abcd.json").read_text())
    keys = "format hidden partial corrections variations thresholds tables scan provenance"
    assert list(content) == keys.split()
    assert content["format"] == 1
    names = "thresholds yields closure simulated_closure correlation shapes contamination dy_correction"
    assert list(content["tables"]) == names.split()
    text = "A B C D A_error prediction stat_down stat_up low95 high95 pull ratio chi2 ndf p_value mark"
    compared, where, total = (
        text.split(),
        ["sample", "hypothesis", "category", "bin"],
        ["closure", "total_down", "total_up"],
    )
    assert list(content["tables"]["yields"][0]) == [*where, "x", *compared, "c_ab", "c_ab_uncertainty", *total]
    assert list(ClosureRow.model_fields) == [*where, *compared, *total]
    selected = ["hypothesis", "selection", "threshold", "category"]
    assert list(SimulatedClosureRow.model_fields) == [*selected, *compared, "ratio_low", "ratio_high", "tested"]
    assert content["scan"]["low"]["ee_OS"]["poor_bins"] == [0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, r"abcd\.json has format 2, this version of hnl reads format 1: run hnl abcd again"),
        ({"format": "1"}, r"abcd\.json has format '1'"),
        ({"format": None}, r"abcd\.json has no format"),
        ({"hidden": 3}, r"abcd\.json is not what format 1 says: hidden: .*string.* run hnl abcd again"),
        ({"surprise": 3}, r"abcd\.json is not what format 1 says: surprise"),
        ({"tables": {"yields": [{"sample": "data"}]}}, r"abcd\.json is not what format 1 says: tables\.yields\.0\."),
        ({"scan": {"low": {"ee_OS": {}}}}, r"abcd\.json is not what format 1 says: scan\.low\.ee_OS\.thresholds"),
    ],
)
def test_another_format_or_content_is_refused(
    tmp_path: Path, estimate: EstimateFile, change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "abcd.json"
    records.write(path, estimate)
    content = json.loads(path.read_text()) | change
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    with pytest.raises((FormatError, BrokenFileError), match=message):
        records.read(path, EstimateFile)


@pytest.mark.parametrize("text", ["", "{", "[1]", "3"])
def test_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "abcd.json").write_text(text)
    with pytest.raises(BrokenFileError, match=r"abcd\.json .*run hnl abcd again"):
        records.read(tmp_path / "abcd.json", EstimateFile)


def test_a_row_has_no_nan_and_does_not_change() -> None:
    with pytest.raises(ValidationError):
        YieldRow(**YIELD.model_dump() | {"closure": float("nan")})
    with pytest.raises(ValidationError):
        YIELD.closure = 0.3  # type: ignore[misc]


def test_every_field_says_what_it_means() -> None:
    classes = [one for one in vars(rows).values() if isinstance(one, type) and issubclass(one, rows.Row)]
    fields = {f"{one.__name__}.{name}": field for one in [*classes, Scan] for name, field in one.model_fields.items()}
    assert len(fields) > 100
    assert [name for name, field in fields.items() if not field.description] == []
