"""A finished run from Python: the right rows in every reader, weights, blinding, and messages."""

import shutil
import subprocess
import sys
from pathlib import Path

import awkward as ak
import duckdb
import faulty
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import synthetic
import uproot
from without_figures import without_figures

import hnl
from hnl import layout, records
from hnl.candidate_tables import UnknownNameError
from hnl.cli import stages as commands
from hnl.errors import InputError
from hnl.ml import scoring
from hnl.ml.scoring import NoScoresError
from hnl.output import NotMadeError, Output
from hnl.processors.rows import KEY, Candidates
from hnl.processors.selection_files import SettingsFile
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.regions import Thresholds
from hnl.stages.run import Run

N = {"hnl8": 60, "wjets": 300, "pseudodata": 200}
VARIED = {"hnl8": 90, "wjets": 450}  # all in jes_up, half of them in jes_down


def with_variations(rows: Candidates) -> Candidates:
    """All rows once more for jes_up and jes_down; the second half is nominal in the latter too, and shares that row."""
    n = len(rows["event"])
    share = np.where(np.arange(n) < n // 2, 0b001, 0b101).astype(np.uint64)
    up = rows | {"passes": np.full(n, 0b010, np.uint64), "jet_pt": np.float32(1.3) * rows["jet_pt"]}
    return {name: np.concatenate([(rows | {"passes": share})[name], up[name]]) for name in rows}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Candidates with variations and scores drawn at random; no stage abcd."""
    folder = tmp_path_factory.mktemp("run")
    tables = [
        (synthetic.signal("hnl8", 8), with_variations(synthetic.candidates(N["hnl8"], mass=8))),
        (synthetic.background("wjets", "W+jets", cross_section=5.0), with_variations(synthetic.candidates(N["wjets"]))),
        (synthetic.data(), synthetic.candidates(N["pseudodata"], seed=3)),
    ]
    synthetic.write(folder, tables)
    run = Run(folder)
    for seed, dataset in enumerate(run.selection.catalogue.datasets):
        rows = run.selection.rows(dataset.name)
        drawn = 1 - 0.9 * np.random.default_rng(seed).random((2, len(rows["event"])), dtype=np.float32) ** 4
        columns = dict(zip(scoring.COLUMNS, drawn, strict=True))
        names = run.selection.variations(dataset.name)
        scoring.write(folder, dataset.name, rows, columns, {"models": {}, "own_models": False}, names)
    return folder


def test_whole_folders_in_pandas_polars_and_duckdb(out: Path) -> None:
    """Every reader finds the nominal candidates, and no more, and joins them with their scores one to one."""
    candidates, scores = out / layout.CANDIDATES, out / layout.SCORES
    total = sum(N.values())
    frame = pd.read_parquet(candidates)
    assert frame.groupby("dataset", observed=True).size().to_dict() == N
    assert set(frame["variation"]) == {"nominal"}
    joined = frame.merge(pd.read_parquet(scores), on=list(KEY), validate="one_to_one", suffixes=("", "_again"))
    assert len(joined) == total
    assert (joined["gen_weight"] == joined["gen_weight_again"]).all()
    lazy = pl.scan_parquet(candidates)
    assert lazy.select(pl.len()).collect().item() == total
    assert len(lazy.join(pl.scan_parquet(scores), on=list(KEY), validate="1:1").collect()) == total
    sql = f"select count(*) from read_parquet('{candidates}/**/*.parquet')"
    assert duckdb.sql(sql).fetchall() == [(total,)]
    sql += f" join read_parquet('{scores}/*.parquet') using ({', '.join(KEY)})"
    assert duckdb.sql(sql).fetchall() == [(total,)]


def test_variations_in_pandas_polars_and_duckdb(out: Path) -> None:
    """In the other folder, told apart by name; each candidate of each variation has a row, and a score of its own."""
    candidates, scores = (out / place for place in (layout.VARIED_CANDIDATES, layout.VARIED_SCORES))
    frame = pd.read_parquet(candidates)
    assert frame.groupby("dataset", observed=True).size().to_dict() == VARIED
    assert frame.groupby("variation", observed=True).size().to_dict() == {"jes_up": 360, "jes_down": 180}
    assert len(frame.merge(pd.read_parquet(scores), on=list(KEY), validate="one_to_one")) == 540
    up = pl.scan_parquet(candidates).filter(pl.col("variation") == "jes_up", pl.col("dataset") == "wjets")
    assert len(up.collect()) == 300
    sql = f"select variation, count(*) from read_parquet('{candidates}/**/*.parquet') group by variation order by 2"
    assert duckdb.sql(sql).fetchall() == [("jes_down", 180), ("jes_up", 360)]


def test_no_two_rows_have_the_same_key(out: Path) -> None:
    every = hnl.open(out).table(variation="all", blinded=False).to_pandas()
    assert len(every) == sum(N.values()) + sum(VARIED.values())
    assert not every.duplicated(list(KEY)).any()
    assert every.duplicated([name for name in KEY if name != "variation"]).any()


@pytest.mark.parametrize("variation", ["nominal", "jes_up", "jes_down", "all"])
def test_candidates_are_those_of_the_selection(out: Path, variation: str) -> None:
    opened = hnl.open(out)
    found = opened.candidates("wjets", variation=variation)
    rows = opened.selection.rows("wjets")
    if variation != "all":
        rows = opened.selection.candidates("wjets", variation)
        assert ak.all(found.variation == variation)
    for name in ("event", "jet_pt", "m_sv", "gen_weight"):
        np.testing.assert_array_equal(found[name], rows[name])
    assert found.category.tolist() == [CATEGORIES[i] for i in rows["category"]]
    assert set(found.fields) >= {"dataset", "process", "kind", "era", "score_low", "score_high", "final_weight"}
    assert "passes" not in found.fields
    assert ak.all(found.process == "W+jets")


def test_scores_go_with_their_row(out: Path) -> None:
    """In memory as in the files, nominal and varied."""
    found = hnl.open(out).table(["wjets", "hnl8"], variation="all").to_pandas()
    files = pd.concat([pd.read_parquet(out / place) for place in (layout.SCORES, layout.VARIED_SCORES)])
    both = found.merge(files, on=list(KEY), validate="one_to_one", suffixes=("", "_file"))
    assert len(both) == len(found) == 900
    assert both["score_low"].nunique() > 850
    assert (both["score_low"] == both["score_low_file"]).all()
    assert (both["score_high"] == both["score_high_file"]).all()


def test_the_final_weight(out: Path) -> None:
    """Cross section times luminosity over the sum of generated weights, 10 n + 1 in `synthetic`; data are 1."""
    opened = hnl.open(out)
    expected = 5.0 * 1000 * 10.0 / (10 * N["wjets"] + 1)
    np.testing.assert_allclose(opened.candidates("wjets").final_weight, expected, rtol=1e-12)
    np.testing.assert_array_equal(opened.candidates("data", blinded=False).final_weight, 1)
    with pytest.raises(UnknownNameError, match="no variation of weights 'pileup_up'; there are none"):
        opened.candidates("wjets", weights="pileup_up")


def test_names_kinds_and_columns(out: Path) -> None:
    opened = hnl.open(out)
    assert len(opened.candidates("background")) == len(opened.candidates("wjets")) == N["wjets"]
    assert len(opened.candidates(["signal", "wjets"])) == N["wjets"] + N["hnl8"]
    table = opened.table("signal", columns=["score_high", "m_sv", "dataset"])
    assert table.column_names == ["score_high", "m_sv", "dataset"]
    assert not any(field.nullable for field in table.schema)
    assert opened.candidates("signal", columns=["m_sv"]).type.content.contents == [ak.types.NumpyType("float32")]
    for what, options in (
        ("dataset 'zjets'; there are hnl8, wjets, pseudodata, signal, background, data", {"datasets": "zjets"}),
        ("variation 'jer_up'; there are nominal, jes_up, jes_down", {"variation": "jer_up"}),
        ("column 'msv'; there are dataset, variation, process", {"columns": ["msv"]}),
    ):
        with pytest.raises(UnknownNameError, match=f"no {what}"):
            opened.table(**options)


def test_data_before_there_is_an_estimate(out: Path) -> None:
    """What figures hide: all with N(jets) = 1; simulation is not hidden."""
    opened = hnl.open(out)
    n_jets = opened.selection.candidates("pseudodata")["n_jets"]
    shown = opened.candidates("data")
    assert 0 < len(shown) == (n_jets > 1).sum() < N["pseudodata"]
    assert ak.all(shown.n_jets > 1)
    assert len(opened.candidates("data", blinded=False)) == N["pseudodata"]


def in_region_a(rows: ak.Array, thresholds: Thresholds, low: float, high: float) -> np.ndarray:
    """One candidate after the other: Table 3, with the window of the SR between two edges in GeV."""
    found = np.zeros(len(rows), dtype=bool)
    for i, row in enumerate(rows.tolist()):
        above = any(row[f"score_{h}"] > x[row["category"]] for h, x in thresholds.items())
        found[i] = row["n_jets"] == 1 and low < row["m_l1_sv"] <= high and above
    return found


def test_region_a_of_data(out: Path, tmp_path: Path) -> None:
    """Hidden with the estimate, shown once it is unblinded, and hidden again when the estimate is of other scores."""
    copy = shutil.copytree(out, tmp_path / "run")
    with without_figures():
        result = commands.estimate_background(Run(copy), False, None)
    opened = hnl.open(copy)
    everything = opened.candidates("data", blinded=False)
    in_a = in_region_a(everything, result.thresholds, 50, 85)
    assert in_a.any()
    assert opened.candidates("data").event.tolist() == everything.event[~in_a].tolist()
    with without_figures():
        commands.estimate_background(Run(copy), True, None)
    assert len(hnl.open(copy).candidates("data")) == N["pseudodata"]
    assert len(hnl.open(copy).yields()) > 0
    path = copy / layout.SCORES / "pseudodata.parquet"
    pq.write_table(pq.read_table(path), path, compression="none")  # the same scores in other bytes
    assert ak.all(hnl.open(copy).candidates("data").n_jets > 1)


def test_region_a_is_that_of_the_settings(out: Path, tmp_path: Path) -> None:
    """Another window of m(l1,SV) hides other data."""
    copy = shutil.copytree(out, tmp_path / "run")
    changed = {"regions": {"m_l1_sv": [10.0, 60.0, 100.0, 120.0]}}
    records.write(copy / layout.SETTINGS, SettingsFile(SettingsFile.FORMAT, changed))
    with without_figures():
        result = commands.estimate_background(Run(copy), False, None)
    everything = hnl.open(copy).candidates("data", blinded=False)
    in_a = in_region_a(everything, result.thresholds, 60, 100)
    assert (in_a != in_region_a(everything, result.thresholds, 50, 85)).any()
    assert hnl.open(copy).candidates("data").event.tolist() == everything.event[~in_a].tolist()


def test_root_files(out: Path, tmp_path: Path) -> None:
    opened, path = hnl.open(out), tmp_path / "candidates.root"
    assert opened.export(path, blinded=False) == sum(N.values())
    with uproot.open(path) as file:
        tree = file["candidates"]
        assert tree.num_entries == sum(N.values())
        found = tree.arrays()
    expected = opened.candidates(blinded=False)
    assert found.fields == expected.fields
    for name in expected.fields:
        assert ak.array_equal(ak.to_list(found[name]), ak.to_list(expected[name]), equal_nan=True), name


def test_root_data_frame(out: Path, tmp_path: Path) -> None:
    """ROOT itself, where there is one that reads RNTuple."""
    root = pytest.importorskip("ROOT", reason="ROOT is not a library of hnl: pip install root")
    path = tmp_path / "candidates.root"
    hnl.open(out).export(path, blinded=False)
    frame = root.RDataFrame("candidates", str(path))
    assert frame.Count().GetValue() == sum(N.values())
    assert frame.Filter('dataset == "wjets"').Count().GetValue() == N["wjets"]


def test_the_command(out: Path, tmp_path: Path) -> None:
    """The same rows in both formats, one dataset or all; blinded unless asked; another ending is refused."""
    shown = len(hnl.open(out).candidates())
    code, said = faulty.run("export", out, tmp_path / "c.parquet")
    assert (code, pq.read_metadata(tmp_path / "c.parquet").num_rows) == (0, shown), said
    assert f"{shown} candidates" in said
    assert faulty.run("export", out, tmp_path / "c.root", "--dataset", "data", "--unblind")[0] == 0
    assert uproot.open(f"{tmp_path}/c.root:candidates").num_entries == N["pseudodata"]
    both = ("--dataset", "wjets", "--dataset", "signal", "--variation", "all")
    assert faulty.run("export", out, tmp_path / "c.parquet", *both)[0] == 0
    frame = pd.read_parquet(tmp_path / "c.parquet")
    assert len(frame) == N["wjets"] + N["hnl8"] + sum(VARIED.values())
    code, said = faulty.run("export", out, tmp_path / "c.csv")
    assert code == 2
    assert "no format of" in said
    assert "there are .root, .parquet" in said


def test_stages_that_were_not_run(out: Path, tmp_path: Path) -> None:
    """The message names the command; a folder that is none is refused at once."""
    opened = hnl.open(str(out))
    assert isinstance(opened, Output)
    for ask, command in (
        (opened.yields, "abcd"),
        (opened.limits, "limits"),
        (opened.fits, "fit"),
        (lambda: opened.histogram("m_sv"), "histogram"),
    ):
        with pytest.raises(NotMadeError, match=rf"{out} holds no .*: run hnl {command} {out} first"):
            ask()
    with pytest.raises(InputError, match=r"nowhere holds no finished selection \(no such folder\)"):
        hnl.open(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no finished selection \(no selection.json\): run hnl select"):
        hnl.open(tmp_path)
    copy = shutil.copytree(out, tmp_path / "run")
    shutil.rmtree(copy / layout.SCORES)
    assert "score_low" not in hnl.open(copy).candidates("wjets").fields
    with pytest.raises(NoScoresError, match="run hnl score first"):
        hnl.open(copy).candidates("wjets", columns=["score_low"])


def test_the_package_alone_is_light() -> None:
    code = "import sys, hnl; print(hnl.open, *sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"coffea", "matplotlib", "numpy", "awkward", "pyarrow"} & set(loaded)
