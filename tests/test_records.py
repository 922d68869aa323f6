"""Typed contents of files: what is written is read back, and what is of another format is refused by name."""

import json
from pathlib import Path

import pytest

from hnl import records
from hnl.inference.displaced.results import SampleLimit
from hnl.inference.displaced.scan_results import Edge, ExcludedRange, KeptScan, MassScan, ScanPoint
from hnl.inference.results import FitFile, FitQuality, FitRecord, FittedImpact, FittedYield, Pull, StrengthLimit
from hnl.records import BrokenFileError, FormatError

EVENTS = {"observed": None, "prefit": 2.0, "signal": 1.0, "background_only": 2.5, "background_only_error": None}
EVENTS |= {"fitted_background": 2.25, "fitted_signal": 0.0}
BANDS = (1.0, 2.0, 3.0, 4.0, 5.0)


def fit_file() -> FitFile:
    record = FitRecord(
        sample="hnl8_mu",
        mu=0.0,
        mu_error=None,
        success=True,
        few_events=False,
        at_bound=("mu",),
        pulls=(Pull("closure_mumu_OS", 0.5, None),),
        impacts=(FittedImpact("closure_mumu_OS", 0.5, 1.0, 0.25, -0.25),),
        impacts_of="the fit",
        goodness_of_fit=FitQuality(1.5, 3, 0.75, 0, None, 0),
        yields=(FittedYield(category="mumu_OS", bin=1, region="A", hypothesis="high", **EVENTS),),
    )
    return FitFile(FitFile.FORMAT, "made up", False, "observed", 10.0, True, (record,), {}, (), {"hnl": "0"})


def test_a_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    records.write(path, fit_file())
    assert records.read(path, FitFile) == fit_file()
    saved = json.loads(path.read_text())
    assert list(saved) == [
        "format", "label", "projected", "data", "luminosity", "correlated_closure", "fits", "refused", "partial",
        "provenance",
    ]  # fmt: skip
    (row,) = saved["fits"][0]["yields"]
    assert list(row) == ["category", "bin", "region", *EVENTS, "hypothesis"]
    assert row["observed"] is None


def test_a_bin_of_a_template_has_no_region() -> None:
    row = FittedYield(category="dimuon_mass", bin=3, **EVENTS)
    record = records.as_record(row)
    assert list(record) == ["category", "bin", *EVENTS]
    assert records.from_record(FittedYield, record) == row


def test_limits_stand_in_the_row_of_their_sample() -> None:
    limit = StrengthLimit(None, BANDS, "hybrid", True, 1000, None, BANDS, 0.5, "hnl8_mu_expected")
    point = {"v2_e": 0.0, "v2_mu": 1e-6, "v2": 1e-6, "effective": 80.0}
    sample = SampleLimit("hnl8_mu", "mu", "majorana", 8.0, 3.0, False, "", **point, limit=limit)
    record = json.loads(json.dumps(records.as_record(sample)))
    assert list(record)[6:13] == ["refused", *point, "observed", "expected"]
    assert (record["observed"], record["expected"], record["effective"]) == (None, list(BANDS), 80.0)
    assert records.from_record(SampleLimit, record) == sample


def test_a_refused_sample_has_no_limit() -> None:
    sample = SampleLimit("hnl8_mu", "mu", "dirac", 8.0, 3.0, True, "too few")
    record = records.as_record(sample)
    assert list(record) == ["sample", "coupling", "nature", "mass", "ctau", "generated_only", "refused"]
    assert records.from_record(SampleLimit, record) == sample


def test_kept_scans_have_the_keys_of_before() -> None:
    edge = Edge("open", None, 1e-5, "end of the scan", "hybrid")
    excluded = ExcludedRange("expected", "open", edge, edge, 0.01, 1e-6, 1, "hybrid")
    scan = MassScan("mu", "dirac", 6.0, (ScanPoint(1e-6, (None, *BANDS)),), (excluded,), (), (4.0, 8.0))
    record = json.loads(json.dumps(records.as_record(KeptScan("abc", scan))))
    assert list(record) == ["digest", "scan"]
    (point,) = record["scan"]["tested"]
    assert list(point) == [
        "v2", "cls", "refused", "effective", "expected_in_a", "few_events", "method", "cls_asymptotic", "interpolation",
    ]  # fmt: skip
    assert record["scan"]["excluded"][0]["lower"] == {
        "state": "open", "v2": None, "at": 1e-5, "reason": "end of the scan", "method": "hybrid",
        "error": 0.0, "toys": 0, "failed": 0,
    }  # fmt: skip
    assert records.from_record(KeptScan, record).scan == scan


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (1, r"fit\.json has format 1, this version of hnl reads format 2: run hnl fit again"),
        ("2", r"has format '2', this version of hnl reads format 2"),
        (None, r"has no format, this version of hnl reads format 2"),
    ],
)
def test_another_format_is_refused(tmp_path: Path, version: object, message: str) -> None:
    record = records.as_record(fit_file()) | {"format": version}
    if version is None:
        del record["format"]
    (tmp_path / "fit.json").write_text(json.dumps(record))
    with pytest.raises(FormatError, match=message):
        records.read(tmp_path / "fit.json", FitFile)


def test_broken_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    good = json.loads(json.dumps(records.as_record(fit_file())))
    lacking = {key: value for key, value in good.items() if key != "label"}
    wrong = good | {"fits": [good["fits"][0] | {"mu": "much"}]}
    for text, message in (
        ("{", r"fit\.json cannot be read"),
        ("[]", r"fit\.json holds no JSON object; run hnl fit again"),
        (json.dumps(lacking), r"label: .*run hnl fit again"),
        (json.dumps(wrong), r"fits\.0\.mu: "),
        (json.dumps(good | {"colour": "red"}), r"colour: "),
    ):
        path.write_text(text)
        with pytest.raises(BrokenFileError, match=message):
            records.read(path, FitFile)
    with pytest.raises(BrokenFileError, match=r"other\.json cannot be read"):
        records.read(tmp_path / "other.json", FitFile)
