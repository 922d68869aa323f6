"""The commands `physics`, `fit`, `limits` and `plot`."""

import inspect
import json
import shutil
from pathlib import Path

import pytest
from command import Run

from hnl import lineage, terminal
from hnl.cli import inference
from hnl.inference import toys
from hnl.inference.displaced.scan_results import ScanSettings
from hnl.inference.displaced.settings import LimitSettings


def test_physics(hnl: Run) -> None:
    status, out, _ = hnl("physics", "--mass", 40, "--v2-e", 1e-12, "--json")
    assert status == 0
    found = json.loads(out)
    assert found["ctau_mm"] == pytest.approx(3000, rel=0.05)  # Liu, Kulkarni and Deppisch, eq. 1
    status, out, _ = hnl("physics", "--mass", 10, "--v2-mu", 5.7e-7)
    assert status == 0
    assert "6.782" in out
    assert "mu u d" in out
    assert "at 13 TeV" in out
    status, out, _ = hnl("physics", "--mass", 10, "--v2-mu", 5.7e-7, "--energy", 13.6, "--json")
    assert (status, json.loads(out)["energy_TeV"]) == (0, 13.6)
    status, _, error = hnl("physics", "--mass", 10, "--v2-mu", 5.7e-7, "--energy", 7)
    assert status == 2
    assert "not at 7 TeV" in error
    status, _, error = hnl("physics", "--mass", 10)
    assert status == 2
    assert "above 0" in error


def test_toys_are_the_default() -> None:
    assert inspect.signature(inference.limits).parameters["toys"].default is None  # of the settings
    assert LimitSettings().toys == ScanSettings().toys == inference.TOYS == toys.TOYS


def widest(said: str) -> int:
    """Characters of the longest line, but for the last two, which name files."""
    *lines, products, report = said.splitlines()
    assert (products.split(":")[0] in ("limits", "fits"), report.split(":")[0]) == (True, "report")
    return max(map(len, lines))


def test_limits_fit_and_plot(
    hnl: Run,
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(terminal.out_console, "_width", 80)
    folder = shutil.copytree(finished, tmp_path / "out")
    arguments = ("--mass", 8, "--coupling", "mu", "--nature", "majorana", "--grid", 3, "--workers", 1, "--toys", 1000)
    arguments += ("--method", "hybrid")
    status, out, _ = hnl("limits", folder, *arguments)
    assert status == 0
    assert "Excluded |V|^2" in out
    assert widest(out) <= 80
    assert "expected only: region A is blinded" in " ".join(out.split())
    content = json.loads((folder / "limits" / "limits.json").read_text())
    assert content["settings"]["toys"] == 1000
    (one,) = content["scans"]
    assert {p["method"] for p in one["tested"] if p["few_events"]} == {"hybrid"}
    assert "by hybrid: hybrid toys" in content["method"]
    assert inspect.signature(inference.limits).parameters["method"].default is None  # lhc, by the settings
    assert one["interpolated_from"] == []
    path = folder / "limits" / "points" / "mu_majorana_8.json"
    assert "1 masses are scanned already" in hnl("limits", folder, *arguments)[2]
    assert (lineage.product(path).stage, lineage.product(path).state) == ("limits", "as it was made")
    status, out, _ = hnl("fit", folder, "--sample", "hnl8_mu", "--uncorrelated-closure")
    assert status == 0
    assert "closure_mumu_OS_b0" in out
    assert widest(out) <= 80
    drawn = {path.name for path in (folder / "plots").iterdir()}
    assert {"limits_mu_majorana.pdf", "fit_impacts_hnl8_mu.png"} <= drawn
    made = lineage.product(folder / "plots" / "limits_mu_majorana.pdf")
    assert (made.stage, made.state) == ("plot", "as it was made")


def test_plot_refuses_limits_of_another_format(hnl: Run, finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "out")
    (folder / "limits").mkdir(exist_ok=True)
    (folder / "limits" / "limits.json").write_text(json.dumps({"format": 1}))
    status, _, error = hnl("plot", folder, "--workers", 1)
    assert status == 2
    assert "limits.json has format 1, this version of hnl reads format 2: run hnl limits" in " ".join(error.split())


@pytest.mark.usefixtures("no_figures")
def test_masses_that_cannot_be_interpolated(hnl: Run, finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "out")
    for arguments, status, message in (
        (("--mass", 9), 2, "m_N = 9 GeV is outside of the simulated masses"),
        (("--mass", 6), 2, "m_N = 6 GeV cannot be interpolated"),  # their cross sections are made up
        (("--step", -1), 2, "at least 0.01 GeV, not -1"),
    ):
        found, _, error = hnl("limits", folder, "--coupling", "mu", *arguments)
        assert found == status
        assert message in " ".join(error.split())
    assert not (folder / "limits" / "limits.json").exists()
    quick = ("--nature", "majorana", "--step", 2, "--grid", 1, "--method", "asymptotic", "--workers", 1)
    status, _, error = hnl("limits", folder, "--coupling", "mu", *quick)
    assert status == 0
    assert "not scanned: mu, majorana: m_N = 6 GeV cannot be interpolated" in " ".join(error.split())
    content = json.loads((folder / "limits" / "limits.json").read_text())
    assert [one["mass"] for one in content["scans"]] == [4, 8]
    assert len(content["not_scanned"]) == 2  # the other is 14 GeV, of Table 5


@pytest.mark.parametrize("command", ["limits", "fit", "plot"])
def test_without_a_run(hnl: Run, tmp_path: Path, command: str) -> None:
    status, _, error = hnl(command, tmp_path)
    assert status == 2
    assert str(tmp_path) in error.replace("\n", "")
