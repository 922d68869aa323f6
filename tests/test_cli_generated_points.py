"""From the command line: a signal in standard NanoAOD ends in a limit at its own point."""

import json
from pathlib import Path

import pytest
import stripped
import yaml
from command import Run


def test_a_run_on_a_signal_without_vertices(hnl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = stripped.catalogue(tmp_path, stripped=["hnl10_mu"], others=["wjets", "zjets", "pseudodata"])
    status, out, _ = hnl("datasets", "check", catalogue)
    assert status == 0
    (said,) = [line for line in out.splitlines() if line.startswith("- dataset ")]
    assert said.startswith("- dataset hnl10_mu: its files have no vertices of generated particles")
    for other in ("hnl.plots.distributions", "hnl.plots.displaced.abcd", "hnl.plots.classifier"):
        monkeypatch.setattr(f"{other}.draw_all", lambda *_: [])  # most of the time, and nothing of this
    out_folder = tmp_path / "out"
    status, out, error = hnl("run", catalogue, "-o", out_folder, "--executor", "iterative")
    assert status == 0, error
    assert "m_N = 10 GeV have no true decay length of N" in " ".join(error.split())
    assert "generated lifetime only, no scan of |V|^2" in out
    assert "best hnl10_mu: mu < " in out

    content = json.loads((out_folder / "limits" / "limits.json").read_text())
    assert content["scans"] == []
    (row,) = content["samples"]
    generated = next(d for d in yaml.safe_load(catalogue.read_text())["datasets"] if d["kind"] == "signal")["signal"]
    assert row["generated_only"]
    assert (row["mass"], row["nature"]) == (10, "majorana")
    assert row["ctau"] == pytest.approx(generated["ctau"])
    assert row["v2_mu"] == pytest.approx(generated["v2_mu"], rel=0.02)  # as far as its c tau is that of |V|^2
    assert row["expected"] == sorted(row["expected"])
    assert row["expected"][0] > 0
    assert "generated lifetime only" in (out_folder / "limits" / "strengths.csv").read_text()
    assert len((out_folder / "limits" / "limits.csv").read_text().splitlines()) == 1
    assert (out_folder / "limits" / "hepdata" / "signal_strength_mu_majorana.yaml").is_file()
    for kind in ("combine.txt", "pyhf.json"):
        assert (out_folder / "limits" / "models" / f"hnl10_mu_expected_{kind}").is_file()
    assert (out_folder / "plots" / "limits_mu_majorana.png").stat().st_size > 5000
    report = (out_folder / "report.html").read_text()
    assert "generated lifetime only, no scan of |V|\N{SUPERSCRIPT TWO}" in report
    assert "Signal strength at generated lifetimes, no scan of |V|\N{SUPERSCRIPT TWO}" in report
    assert "Excluded |V|\N{SUPERSCRIPT TWO}, mu" not in report
