"""The command line as a user meets it: what it says, what it leaves, and its exit status."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uproot
import yaml
from command import Run
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS, Style, event, write

from hnl import __version__, lineage
from hnl.analysis import load
from hnl.histograms import files as histogram_files
from hnl.stages import plot as figures

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small samples that go through: simulation with five candidates, data with two."""
    folder = tmp_path_factory.mktemp("samples")
    write(folder / "sim.root", [event(i, same_sign=i % 2 == 0) for i in range(1, 6)])
    write(folder / "data.root", [event(i, l2_flavour="mu") for i in (11, 12)], Style(data=True))
    return folder


@pytest.fixture
def catalogue(samples: Path, tmp_path: Path) -> Path:
    """A catalogue of `samples`, which lie beside it."""
    shutil.copytree(samples, tmp_path, dirs_exist_ok=True)
    return save(tmp_path, content())


def content() -> dict[str, Any]:
    return {
        "eras": {
            "Run2018": {
                "year": 2018,
                "luminosity": 10.0,
                "triggers": {"electron": list(ELECTRON_PATHS), "muon": list(MUON_PATHS)},
            }
        },
        "datasets": [
            {
                "name": "sim", "era": "Run2018", "kind": "background", "process": "w",
                "files": ["sim.root"], "cross_section": 0.5,
            },
            {
                "name": "muons", "era": "Run2018", "kind": "data", "process": "data",
                "files": ["data.root"], "primary_dataset": "SingleMuon", "triggers": ["muon"],
            },
        ],
    }  # fmt: skip


def save(folder: Path, catalogue: dict[str, Any]) -> Path:
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump(catalogue))
    return path


def test_run_leaves_candidates_cutflow_histograms_and_a_report(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    status, said, complained = hnl("run", catalogue, "-o", out, "--executor", "iterative")
    assert status == 0, complained
    assert re.search(r"N\(jets\) = 1 +2 +5\nweighted, 10/fb +2 +1,000\n", said)  # 5 x 5000 / 25, see below
    cutflow = json.loads((out / "cutflow.json").read_text())
    assert cutflow["sim"]["cutflow"]["N(jets) = 1"]["all"] == {"events": 5, "sum_w": 5.0, "sum_w2": 5.0}
    assert cutflow["sim"]["cutflow"]["N(jets) = 1"]["mue_SS"]["events"] == 2
    assert cutflow["muons"]["n_minus_one"]["l2 in SV"]["all"]["events"] == 2
    assert set(cutflow["sim"]["sv_association"].values()) == {"svIdx"}
    assert cutflow["sim"]["sv_index_beyond_table"] == {"leptons with svIdx >= 0": 5, "beyond the table": 0}
    histograms = histogram_files.read_json(out / "histograms.json")
    # 0.5 pb x 10 /fb = 5000 events; the Runs tree says 5 + 20 = 25 as the sum of weights; 5 candidates.
    assert histograms["m_sv"]["sim", sum, sum, :].values(flow=True).sum() == pytest.approx(5 * 5000 / 25)
    assert histograms["m_sv"].metadata == {"hidden": ["SR"]}
    assert data_in_signal_region(out) == (0, 0)
    page = (out / "report.html").read_text()
    drawn = figures.read(out).figures()
    assert page.count('src="data:image/png;base64,') == len(drawn) > 0
    assert said.splitlines()[-1] == f"report:      {out / 'report.html'} ({len(drawn)} figures, {len(drawn)} drawn now)"
    assert all((out / file).stat().st_size > 1000 for figure in drawn for file in figure.files)
    assert not list(out.rglob("*.tmp"))
    assert lineage.stale(out, load("displaced").stage("report")) == ""
    # Unblinded and back, on the same files: what is stale follows.
    assert hnl("run", catalogue, "-o", out, "--executor", "iterative", "--unblind")[0] == 0
    assert data_in_signal_region(out) == (2, 2)
    assert hnl("run", catalogue, "-o", out, "--executor", "iterative")[0] == 0
    assert data_in_signal_region(out) == (0, 0)


def data_in_signal_region(out: Path) -> tuple[float, float]:
    """Events of data with N(jets) = 1 in both files of histograms."""
    inside = histogram_files.read_json(out / "histograms.json")["m_sv"]["muons", "SR", sum, :]
    with uproot.open(out / "histograms.root") as root:
        return inside.values(flow=True).sum(), root["m_sv/SR/mumu_OS/muons"].values(flow=True).sum()


def times_of_parts(out: Path) -> dict[Path, int]:
    parts = [*out.glob("candidates/*/*"), *out.glob("manifests/candidates/*/*")]
    return {path: path.stat().st_mtime_ns for path in parts}


def test_stages_one_by_one_and_resume(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert hnl("histogram", out)[0] == 2
    assert hnl("select", catalogue, "-o", out, "--executor", "iterative")[0] == 0
    parts = times_of_parts(out)
    assert sorted(path.suffix for path in parts) == [".json", ".json", ".parquet", ".parquet"]
    assert hnl("histogram", out)[0] == 0
    assert hnl("select", catalogue, "-o", out, "--executor", "iterative")[0] == 0
    assert times_of_parts(out) == parts


def test_settings_that_changed_are_not_taken_from_old_parts(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    hnl("select", catalogue, "-o", out, "--executor", "iterative")
    changed = content()
    changed["eras"]["Run2018"]["triggers"]["muon"] = [MUON_PATHS[1]]
    save(tmp_path, changed)
    assert hnl("select", catalogue, "-o", out, "--executor", "iterative")[0] == 0
    cutflow = json.loads((out / "cutflow.json").read_text())
    assert cutflow["sim"]["cutflow"]["single-lepton trigger"]["all"]["events"] == 0


def test_processes_give_the_same_as_one_process(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert hnl("select", catalogue, "-o", one, "--executor", "iterative")[0] == 0
    assert hnl("select", catalogue, "-o", two, "--workers", "2")[0] == 0
    names = sorted(path.relative_to(one) for path in one.rglob("*.parquet"))
    assert names == sorted(path.relative_to(two) for path in two.rglob("*.parquet"))
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in names)
    assert (one / "cutflow.json").read_bytes() == (two / "cutflow.json").read_bytes()


def test_no_events_is_no_error(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    write(tmp_path / "sim.root", [])
    status, said, _ = hnl("run", catalogue, "-o", tmp_path / "out", "--executor", "iterative")
    assert status == 0
    assert re.search(r"all events +2 +0\n", said)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def no_events_tree(path: Path) -> None:
    with uproot.recreate(path) as root:
        root["Other"] = {"x": [1.0]}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), "no such file"),
        (truncate, "truncated"),
        (lambda path: path.write_bytes(b""), "empty (0 bytes)"),
        (lambda path: path.write_text("#!/bin/sh\necho not ROOT at all\n" * 20), "cannot be read as ROOT"),
        (no_events_tree, "no tree 'Events'; it holds Other"),
        (lambda path: write(path, [event()], Style(without=("Muon_dxyErr",))), "Muon_dxyErr"),
        (lambda path: write(path, [event()], Style(data=True)), "genWeight"),
    ],
    ids=["missing", "truncated", "zero bytes", "not ROOT", "no Events", "no branch", "no weights"],
)
def test_bad_files_end_in_status_2_and_leave_nothing(
    hnl: Run, catalogue: Path, tmp_path: Path, damage: Callable[[Path], object], words: str
) -> None:
    damage(tmp_path / "sim.root")
    for command in (("select", catalogue, "-o", tmp_path / "out"), ("run", catalogue, "-o", tmp_path / "out")):
        status, _, complained = hnl(*command, "--executor", "iterative")
        assert status == 2
        assert words in complained
        assert "sim.root" in complained
        assert "Traceback" not in complained
        assert not (tmp_path / "out").exists()
    status, said, _ = hnl("datasets", "check", catalogue)
    assert status == 2
    assert words in said


def test_same_uuid_under_two_names(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    shutil.copy(tmp_path / "sim.root", tmp_path / "copy.root")
    changed = content()
    changed["datasets"][0]["files"] = ["sim.root", "copy.root"]
    for arguments in (("datasets", "check", save(tmp_path, changed)), ("select", catalogue, "-o", tmp_path / "out")):
        status, _, complained = hnl(*arguments)
        assert status == 2
        assert "are the same file: UUID" in complained
        assert "copy.root" in complained
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["datasets"][0].update(era="Run2016"), "names the era Run2016"),
        (lambda c: c["datasets"][0].update(files=["sim.root", "./sim.root"]), "listed twice"),
        (lambda c: c["datasets"][0].update(cross_section=-1), "cross_section"),
    ],
)
def test_bad_catalogues(
    hnl: Run, catalogue: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    changed = content()
    change(changed)
    status, _, complained = hnl("select", save(tmp_path, changed), "-o", tmp_path / "out")
    assert status == 2
    assert words in complained
    assert "line" in complained
    assert not (tmp_path / "out").exists()


def test_corrupt_yaml(hnl: Run, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("eras: [unclosed\n")
    status, _, complained = hnl("select", tmp_path / "c.yaml", "-o", tmp_path / "out")
    assert status == 2
    assert "not valid YAML" in complained


def test_output_that_cannot_be_written(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    status, _, complained = hnl("select", catalogue, "-o", tmp_path / "taken" / "out")
    assert status == 2
    assert "cannot write" in complained
    assert (tmp_path / "taken").read_text() == "a file, not a folder"


def test_events_in_two_data_streams_are_refused(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    write(tmp_path / "again.root", [event(12, l2_flavour="mu")], Style(data=True))
    changed = content()
    changed["datasets"].append(changed["datasets"][1] | {"name": "egamma", "files": ["again.root"]})
    status, _, complained = hnl("select", save(tmp_path, changed), "-o", tmp_path / "out", "--executor", "iterative")
    assert status == 1
    assert "event 12 was selected twice in muons, egamma: " in complained
    assert f"in {tmp_path / 'data.root'} and {tmp_path / 'again.root'}; " in " ".join(complained.split())
    assert not (tmp_path / "out" / "selection.json").exists()


@pytest.mark.usefixtures("no_figures")
def test_partial_results_are_marked(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    changed = content()
    write(tmp_path / "more.root", [event(100)])
    changed["datasets"][0]["files"] = ["sim.root", "more.root"]
    truncate(tmp_path / "more.root")
    arguments = ("run", save(tmp_path, changed), "-o", tmp_path / "out", "--executor", "iterative")
    assert hnl(*arguments)[0] == 2
    status, _, complained = hnl(*arguments, "--allow-partial")
    assert status == 0
    assert "partial result" in complained
    assert "more.root" in complained
    assert "more.root" in (tmp_path / "out" / "report.html").read_text()
    assert "more.root" in json.loads((tmp_path / "out" / "cutflow.json").read_text())["sim"]["partial"][0]


def test_a_missing_part_stops_the_next_stage(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    hnl("select", catalogue, "-o", tmp_path / "out", "--executor", "iterative")
    next((tmp_path / "out" / "candidates" / "sim").glob("*.parquet")).unlink()
    status, _, complained = hnl("histogram", tmp_path / "out")
    assert status == 1
    assert "run hnl select again" in complained


def test_errors_of_ours_are_one_sentence_too(hnl: Run, catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hnl.datasets.catalogue.load", lambda path, **options: 1 / 0)
    status, _, complained = hnl("datasets", "check", catalogue)
    assert status == 1
    assert "internal error: ZeroDivisionError" in complained
    assert "Traceback" not in complained
    assert "Traceback" in hnl("--debug", "datasets", "check", catalogue)[2]


def test_help_and_version(hnl: Run) -> None:
    assert hnl("--version")[:2] == (0, f"hnl {__version__}\n")
    status, said, _ = hnl("--help")
    assert status == 0
    for word in ("select", "histogram", "run", "datasets", "EXO-21-011", "Exit status"):
        assert word in said
    assert hnl("select")[0] == 2
    assert hnl("no-such-command")[0] == 2


def test_the_installed_command(catalogue: Path, tmp_path: Path) -> None:
    hnl = Path(sys.executable).with_name("hnl")
    arguments = [hnl, "select", catalogue, "-o", tmp_path / "out", "--workers", "2"]
    done = subprocess.run(arguments, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"}, check=False)
    assert done.returncode == 0, done.stderr
    assert "7/7 events" in done.stderr
    (tmp_path / "sim.root").unlink()
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


@pytest.mark.usefixtures("no_figures")
def test_real_files_of_three_versions(
    hnl: Run, real_nanoaod: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HNL_REAL_NANOAOD", str(real_nanoaod))
    out = tmp_path / "out"
    status, said, complained = hnl("run", ROOT / "docs" / "real_nanoaod.yaml", "-o", out, "--executor", "iterative")
    assert status == 0, complained
    assert "no signal sample in the catalogue" in said
    cutflow = json.loads((out / "cutflow.json").read_text())
    events = {name: one["cutflow"]["all events"]["all"]["events"] for name, one in cutflow.items()}
    assert events == {"DYJetsToLL_M50_2017": 100, "DoubleMuon_2018": 40, "EGamma_2022E": 100}
    association = {name: set(one["sv_association"].values()) for name, one in cutflow.items()}
    assert association == {
        "DYJetsToLL_M50_2017": {"geometric"},
        "DoubleMuon_2018": {"geometric"},
        "EGamma_2022E": {"svIdx"},
    }
    assert cutflow["EGamma_2022E"]["sv_index_beyond_table"] == {"leptons with svIdx >= 0": 22, "beyond the table": 3}


def test_condor_from_submission_to_collection(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    """The commands; the jobs themselves are in tests/condor."""
    content_ = yaml.safe_load(catalogue.read_text()) | {"batch": {"local_files": "shared", "python": sys.executable}}
    save(tmp_path, content_)
    out = tmp_path / "out"
    status, printed, _ = hnl("condor", "submit", catalogue, "-o", out)
    assert status == 0
    assert f"cd {out}/condor && condor_submit submit-1.sub" in printed
    assert hnl("condor", "submit", catalogue, "-o", out)[0] == 2
    status, printed, _ = hnl("condor", "status", out)
    assert (status, "missing" in printed) == (0, True)
    status, _, complaint = hnl("condor", "collect", out)
    assert (status, "2 of 2 work units are missing" in complaint) == (1, True)
    for item in sorted((out / "condor" / "items").glob("*.json")):
        job = subprocess.run(
            [sys.executable, "-m", "hnl.cli", "condor", "job", item], cwd=out / "condor" / "returned", check=False
        )
        assert job.returncode == 0
    status, printed, _ = hnl("condor", "collect", out)
    assert (status, "m(l1, l2) > 10 GeV" in printed) == (0, True)
    assert "0 for 0 work units" in hnl("condor", "resubmit", out)[1]
    assert hnl("condor", "status", tmp_path)[0] == 2


def test_datasets_check_remembers_what_files_hold(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    """Also of good files beside a bad one."""
    write(tmp_path / "sim.root", [event(1)])
    (tmp_path / "data.root").write_bytes(b"")
    assert hnl("datasets", "check", catalogue, "-o", tmp_path / "out")[0] == 2
    known = json.loads((tmp_path / "out" / "files.json").read_text())
    assert [Path(file[0]).name for file in known["files"]] == ["sim.root"]


BAD_GOLDEN_JSON = {
    b'{"1": [[1, 2]': "not valid JSON",
    b"\xff\xfe\x00": "not valid JSON",
    b"[" * 100_000: "not valid JSON",
    b"": "not valid JSON",
    b"{}": "it certifies nothing: {}",
    b"[[1, 2]]": "not an object of runs: [[1, 2]]",
    b'{"1": [[1, 49]], "2": [[1, 1]], "1": [[50, 100]]}': "run 1 is listed twice",
    b'{"run1": [[1, 2]]}': "'run1' is not the number of a run",
    b'{"-1": [[1, 2]]}': "'-1' is not the number of a run",
    b'{"0": [[1, 2]]}': "'0' is not the number of a run",
    b'{"01": [[1, 2]]}': "'01' is not the number of a run",
    b'{"1.0": [[1, 2]]}': "'1.0' is not the number of a run",
    b'{"4294967296": [[1, 2]]}': "'4294967296' is not the number of a run",
    b'{"1": []}': "run 1: not a list of ranges: []",
    b'{"1": {"1": 2}}': 'run 1: not a list of ranges: {"1": 2}',
    b'{"1": [1, 2]}': "run 1: not a range of two luminosity sections, from 1: 1",
    b'{"1": [[[1, 2]]]}': "run 1: not a range of two luminosity sections, from 1: [[1, 2]]",
    b'{"1": [[1, 2, 3]]}': "run 1: not a range of two luminosity sections, from 1: [1, 2, 3]",
    b'{"1": [[1.0, 2.5]]}': "run 1: not a range of two luminosity sections, from 1: [1.0, 2.5]",
    b'{"1": [["1", "2"]]}': 'run 1: not a range of two luminosity sections, from 1: ["1", "2"]',
    b'{"1": [[true, 2]]}': "run 1: not a range of two luminosity sections, from 1: [true, 2]",
    b'{"1": [[1, NaN]]}': "run 1: not a range of two luminosity sections, from 1: [1, NaN]",
    b'{"1": [[-5, 2]]}': "run 1: not a range of two luminosity sections, from 1: [-5, 2]",
    b'{"1": [[0, 2]]}': "run 1: not a range of two luminosity sections, from 1: [0, 2]",
    b'{"1": [[1, 4294967296]]}': "run 1: not a range of two luminosity sections, from 1: [1, 4294967296]",
    b'{"1": [[1, 2], [9, 7]]}': "run 1: the range [9, 7] ends before it begins",
    b'{"1": [[40, 60], [1, 49]]}': "run 1: the ranges [1, 49] and [40, 60] overlap",
    b'{"1": [[1, 9], [9, 12]]}': "run 1: the ranges [1, 9] and [9, 12] overlap",
    b'{"1": [[1, 9], [1, 9]]}': "run 1: the ranges [1, 9] and [1, 9] overlap",
}


@pytest.mark.parametrize("bad", BAD_GOLDEN_JSON, ids=BAD_GOLDEN_JSON.get)
def test_a_bad_golden_json_is_refused_by_name(hnl: Run, catalogue: Path, tmp_path: Path, bad: bytes) -> None:
    golden, made = tmp_path / "golden.json", content()
    golden.write_bytes(bad)
    made["eras"]["Run2018"]["golden_json"] = golden.name
    save(tmp_path, made)
    for command in (["datasets", "check", catalogue], ["select", catalogue, "-o", tmp_path / "out"]):
        status, _, complained = hnl(*command)
        assert status == 2, complained
        complained = " ".join(complained.split())
        assert f"era Run2018: golden JSON {golden}: {BAD_GOLDEN_JSON[bad]}" in complained
        assert not re.search(r"\.root|Traceback", complained)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("no_figures")
def test_data_without_or_outside_a_golden_json_are_named(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    """By the check where there is none, by the run where it certifies no event; nothing is said where all is well."""
    without = "data without golden JSON, every luminosity section is used: muons"
    assert without in hnl("datasets", "check", catalogue)[1]
    golden, made = tmp_path / "golden.json", content()
    made["eras"]["Run2018"]["golden_json"] = golden.name
    warnings = {
        None: f"warning: {without}",
        '{"2": [[1, 100]]}': f"warning: golden JSON {golden} certifies no event of muons",
        '{"1": [[1, 100000]]}': "",
    }
    for text, warning in warnings.items():
        out = tmp_path / f"out{len(text or '')}"
        if text:
            golden.write_text(text)
            save(tmp_path, made)
        status, _, complained = hnl("run", catalogue, "-o", out, "--executor", "iterative")
        assert status == 0
        assert warning in complained
        page = (out / "report.html").read_text()
        assert warning.removeprefix("warning: ") in page
        for place in (complained, page):
            assert ("warning" in place.lower()) == bool(warning)
    assert "golden" not in hnl("datasets", "check", catalogue)[1]


@pytest.mark.parametrize(
    ("style", "weights", "asked", "where"),
    [
        # Eight weights without the nominal one, added up when 43 files were merged: in the Runs tree, or in the events.
        (Style(generator_sums=True, merged=43), 1.0, "scale", "Runs tree: the weights mur_up sum to 47.3"),
        (Style(runs=None), 43.0, "scale", "events: the weights mur_up sum to 47.3"),
        (Style(generator_sums=True, merged=43), 1.0, "parton_shower", "Runs tree: the weights isr_up sum to 44.72"),
        (Style(runs=None), 43.0, "parton_shower", "events: the weights isr_up sum to 44.72"),
    ],
)
def test_absurd_sums_of_generator_weights_stop_the_selection(
    hnl: Run, tmp_path: Path, style: Style, weights: float, asked: str, where: str
) -> None:
    branches = {"LHEScaleWeight": [0.8, 0.9, 1.0, 0.95, 1.05, 1.0, 1.1, 1.2], "PSWeight": [1.04, 1.12, 0.94, 0.76]}
    given = {name: [weights * one for one in each] for name, each in branches.items()}
    style = replace(style, generator_weights=tuple(branches), generator_titles=(), skimmed=False)
    write(tmp_path / "sim.root", [event(i, **given) for i in range(1, 31)], style)
    made = content()
    made["datasets"] = [made["datasets"][0] | {"generator_weights": {asked: True}}]
    made["datasets"][0] |= {} if style.runs else {"generated_events": 30}
    status, _, complained = hnl("select", save(tmp_path, made), "-o", tmp_path / "out", "--executor", "iterative")
    assert status == 2
    assert f"dataset sim: {tmp_path / 'sim.root'}: {where} of nominal, not 0.5 to 2" in " ".join(complained.split())
    assert "Traceback" not in complained
    assert not (tmp_path / "out" / "selection.json").exists()


def test_an_era_without_luminosity_uncertainty_is_refused_at_once(hnl: Run, tmp_path: Path) -> None:
    """Not by limits after everything else; with one, and in a year that has one, it goes on."""
    write(tmp_path / "sim.root", [event(1)])
    write(tmp_path / "data.root", [event(11)], Style(data=True))
    changed = content()
    era = changed["eras"]["Run2018"]
    era["year"] = 2025
    for arguments in (("datasets", "check"), ("run",), ("select",)):
        out = () if arguments[0] == "datasets" else ("-o", tmp_path / "out")
        status, _, complained = hnl(*arguments, save(tmp_path, changed), *out)
        assert status == 2
        assert "era Run2018 needs luminosity_uncertainties: there are none of CMS for 2025 yet" in complained
    assert not (tmp_path / "out").exists()
    for update in ({"year": 2023}, {"year": 2025, "luminosity_uncertainties": {"luminosity_2025": 0.02}}):
        era |= update
        status, _, complained = hnl("datasets", "check", save(tmp_path, changed))
        assert status == 0, complained


@pytest.mark.usefixtures("catalogue")
def test_a_run_in_a_pipe_fits_80_columns(tmp_path: Path) -> None:
    """No frame, no bar, and the last lines say where everything is."""
    command = [sys.executable, "-m", "hnl.cli", "run", str(tmp_path / "catalogue.yaml"), "-o", "out"]
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "FORCE_COLOR")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=True)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert not re.search("[\u2500-\u257f\x1b]", done.stdout + done.stderr)
    assert re.search(r"^select: 2/2 files, 7/7 events  [\d,]+ events/s$", done.stderr, re.MULTILINE)
    assert done.stdout.splitlines()[-1].startswith("report:      out/report.html (")
