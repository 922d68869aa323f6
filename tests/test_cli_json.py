"""`--json`: stdout is one document with numbers in full and nothing else; `--quiet`: nothing on stderr but errors."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from command import Run
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS, Style, event, write

pytestmark = pytest.mark.usefixtures("no_figures")


def document(hnl: Run, *arguments: object) -> Any:
    """What a command says with --json."""
    status, said, complained = hnl(*arguments, "--json")
    assert status == 0, complained
    return json.loads(said)


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """Simulation with five candidates of 0.5 pb and a sum of weights of 25, and data with two."""
    write(tmp_path / "sim.root", [event(i) for i in range(1, 6)])
    write(tmp_path / "data.root", [event(i, l2_flavour="mu") for i in (11, 12)], Style(data=True))
    era = {"year": 2018, "luminosity": 10.0}
    era |= {"triggers": {"electron": list(ELECTRON_PATHS), "muon": list(MUON_PATHS)}}
    data = {"name": "muons", "era": "e", "kind": "data", "process": "data", "files": ["data.root"]}
    sim = {"name": "sim", "era": "e", "kind": "background", "process": "w", "files": ["sim.root"], "cross_section": 0.5}
    path = tmp_path / "catalogue.yaml"
    datasets = [sim, data | {"primary_dataset": "SingleMuon", "triggers": ["muon"]}]
    path.write_text(yaml.safe_dump({"eras": {"e": era}, "datasets": datasets}))
    return path


def test_from_files_to_a_page(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    checked = document(hnl, "datasets", "check", catalogue)
    facts = {
        "entries": 5,
        "nanoaod_version": "v13 or later",
        "vertex_of_l2": "svIdx",
        "generated_events": 15,
        "problem": None,
    }
    assert checked["files"][0] == {"dataset": "sim", "file": str(tmp_path / "sim.root"), **facts}
    assert document(hnl, "datasets", "check", catalogue, "--catalogue-only")["datasets"] == ["sim", "muons"]
    arguments = (catalogue, "-o", out, "--executor", "iterative")
    status, said, complained = hnl("run", *arguments, "--json")
    assert status == 0
    assert "select: 2/2 files" in complained
    found = json.loads(said)
    states = {stage["stage"]: stage["state"] for stage in found["stages"]}
    assert (states["select"], states["histogram"], states["train"]) == ("as made", "as made", "not run")
    assert "no signal sample" in found["notes"]["train"]
    told = document(hnl, "status", out)
    assert (told["units"], told["at_work"]) == ({"done": 2, "planned": 2}, None)
    assert told["datasets"]["muons"]["done"] == [str(tmp_path / "data.root")]
    assert told["stages"] == found["stages"]
    (_, sim) = document(hnl, "select", *arguments)["cutflow"]
    assert (sim["process"], sim["events"]["N(jets) = 1"]) == ("w", 5)
    assert sim["weighted_in_luminosity"] == 5 * 0.5 * 10_000 / 25
    product = document(hnl, "provenance", out / "histograms.json")
    assert (product["stage"], product["state"]) == ("histogram", "as it was made")
    assert document(hnl, "compare", out, out)["differences"] == []
    (tmp_path / "data.root").unlink()
    status, said, complained = hnl("datasets", "check", catalogue, "--json")
    assert (status, complained.count("\n")) == (2, 1)
    assert "no such file" in json.loads(said)["files"][1]["problem"]


def test_quiet(hnl: Run, catalogue: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("run", catalogue, "-o", out, "--executor", "iterative")
    status, said, complained = hnl("--quiet", *arguments)
    assert (status, complained) == (0, "")
    assert str(out / "report.html") in said.splitlines()[-1]
    assert "requirement" not in said
    assert "requirement" in hnl(*arguments)[1]
    assert hnl("datasets", "check", catalogue, "--quiet")[2] == ""
    catalogue.write_text("eras: {}\n")
    status, said, complained = hnl(*arguments, "--quiet")
    assert (status, said) == (2, "")
    assert complained.startswith("error: ")


def test_tables_are_those_of_the_files(hnl: Run, finished: Path, tmp_path: Path) -> None:
    """With numbers in full: what CSV says of them."""
    out = shutil.copytree(finished, tmp_path / "out")
    arguments = (
        "--mass",
        8,
        "--coupling",
        "mu",
        "--nature",
        "majorana",
        "--grid",
        1,
        "--workers",
        1,
        "--method",
        "asymptotic",
    )
    found = {
        "abcd": document(hnl, "abcd", out),
        "limits": document(hnl, "limits", out, *arguments),
        "fit": document(hnl, "fit", out, "--sample", "hnl8_mu"),
    }
    checked = 0
    for folder, content in found.items():
        for name, records in content["tables"].items():
            if not (out / folder / f"{name}.csv").is_file():
                continue
            with (out / folder / f"{name}.csv").open() as file:
                rows = list(csv.reader(file))[1:]
            texts = [["" if value is None else str(value) for value in record.values()] for record in records]
            assert texts == rows
            checked += len(rows)
    assert checked > 50
    assert {record["mass_GeV"] for record in found["limits"]["tables"]["limits"]} == {8.0}
    assert "expected only" in found["abcd"]["hidden"] or "blind" in found["abcd"]["hidden"]
