"""Signals without the true decay length of N: limits at their own point, and nothing of other |V|^2."""

import csv
import json
from pathlib import Path

import finished_run
import numpy as np
import pytest
import yaml

from hnl.corrections.lifetime import PointError
from hnl.inference import asymptotics
from hnl.inference.displaced import inputs, limits, modelling, scan, table5
from hnl.inference.displaced.scan_results import ScanSettings
from hnl.plots.displaced import limits as limit_plots
from hnl.stages import fit
from hnl.stages import limits as stage
from hnl.stages.run import Run

QUICK = ScanSettings(method="asymptotic", per_decade=2)


def entries(*blind: str, charges: bool = True) -> list:
    """Those of `finished_run`, some of them as of standard NanoAOD, or even without charges."""
    made = finished_run.entries()
    for dataset, table, _ in made:
        if dataset.name in blind:
            table["gen_ctau"][:] = np.nan
            if not charges:
                table["gen_same_sign"][:] = np.nan
    return made


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """8 GeV is without truth, 4 GeV is not."""
    return finished_run.write(tmp_path_factory.mktemp("generated"), entries("hnl8_mu"))


@pytest.fixture(scope="module")
def known(finished) -> Path:
    return finished


@pytest.fixture(scope="module")
def found(run) -> stage.Result:
    return stage.run(Run(run), couplings=["mu"], settings=QUICK, workers=1)


def test_yields_are_those_with_truth(run, known):
    """At the own point, Majorana and Dirac: the truth changes nothing."""
    blind, full = inputs.load(Run(run)).signals, inputs.load(Run(known)).signals
    (sample,) = [d.sample for d in blind.datasets if d.sample.name == "hnl8_mu"]
    for nature in limits.NATURES:
        own = blind.of_sample(sample, nature)
        assert own.point.ctau == pytest.approx(finished_run.CTAU)
        expected = full.at(own.point, ctau=sample.ctau)
        np.testing.assert_allclose(own.nominal.sum_w, expected.nominal.sum_w, rtol=1e-12)
        assert own.effective == pytest.approx(expected.effective)
        assert own.effective > 50


def test_limits_at_the_own_point_and_no_scan(run, found):
    content = json.loads((run / "limits" / "limits.json").read_text())
    assert {(one["nature"], one["mass"]) for one in content["scans"]} == {("majorana", 4.0), ("dirac", 4.0)}
    rows = {(row["sample"], row["nature"]): row for row in content["samples"]}
    assert set(rows) == {("hnl4_mu", "majorana"), ("hnl8_mu", "majorana"), ("hnl8_mu", "dirac")}
    assert [rows["hnl8_mu", nature]["generated_only"] for nature in limits.NATURES] == [True, True]
    assert not rows["hnl4_mu", "majorana"]["generated_only"]
    majorana, dirac = (rows["hnl8_mu", nature] for nature in limits.NATURES)
    assert majorana["ctau"] == pytest.approx(finished_run.CTAU)
    assert dirac["v2"] == pytest.approx(2 * majorana["v2"])
    assert "m_N = 8 GeV have no true decay length of N" in " ".join(content["not_scanned"])
    assert {path.name for path in (run / "limits" / "points").iterdir()} == {
        "mu_majorana_4.json",
        "mu_dirac_4.json",
    }
    assert (run / "limits" / "models" / "hnl8_mu_dirac_expected_pyhf.json").is_file()


def test_tables_and_hepdata_say_what_it_is(run, found):
    with (run / "limits" / "strengths.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["sample"], row["nature"]) for row in rows} == {("hnl8_mu", "majorana"), ("hnl8_mu", "dirac")}
    assert {row["lifetime"] for row in rows} == {"generated lifetime only"}
    with (run / "limits" / "limits.csv").open(newline="") as file:
        assert {row["mass"] for row in csv.DictReader(file)} == {"4.0"}
    table = yaml.safe_load((run / "limits" / "hepdata" / "signal_strength_mu_majorana.yaml").read_text())
    (expected,) = [v for v in table["dependent_variables"] if v["header"]["name"] == "upper limit on mu, expected"]
    assert expected["values"][0]["value"] == pytest.approx(float(rows[0]["expected"]), rel=0.01)
    assert [v["header"]["name"] for v in table["independent_variables"]] == ["m_N", "|V|^2", "c tau"]
    documents = yaml.safe_load_all((run / "limits" / "hepdata" / "submission.yaml").read_text())
    (said,) = [d["description"] for d in documents if d.get("name") == "Signal strength mu majorana"]
    assert "at the generated lifetime only" in said


def test_the_limit_is_that_with_truth(known, found):
    """Its own row of a run with truth, where c tau is that of |V|^2: within the difference of the two."""
    (ours,) = [r for r in found.content.samples if (r.sample, r.nature) == ("hnl8_mu", "majorana")]
    of_run = inputs.load(Run(known))
    at = scan.direction("mu", 8.0, "majorana", ours.v2)
    model = modelling.model(of_run.signals.at(at), of_run)
    assert ours.limit.expected[2] == pytest.approx(asymptotics.upper_limit(model).expected[2], rel=1e-6)


@pytest.mark.usefixtures("no_figures")
def test_hepdata_in_a_relative_folder(run, found, monkeypatch):
    """The library writes beside itself, so that the folder changes."""
    (run / "limits" / "hepdata" / "submission.yaml").unlink()
    monkeypatch.chdir(run)
    stage.run(Run(Path()), couplings=["mu"], settings=QUICK, workers=1)
    assert (run / "limits" / "hepdata" / "submission.yaml").is_file()


def test_by_mass(run, tmp_path):
    """A mass that is asked for by name is found, and only that."""
    result = stage.run(Run(run), couplings=["mu"], natures=["majorana"], masses=[8.0], settings=QUICK)
    content = result.content
    assert content.scans == ()
    assert [row.sample for row in content.samples] == ["hnl8_mu"]
    (drawn,) = limit_plots.draw_limits(content, table5.rows(), tmp_path)
    assert drawn.title.startswith("Signal strength at generated lifetimes, no scan of |V|^2, mu, majorana")
    assert drawn.path.stat().st_size > 5000
    with pytest.raises(limits.ChoiceError, match=r"6 GeV is outside .*; samples of 8 GeV have no true decay length"):
        stage.run(Run(run), couplings=["mu"], masses=[6.0], settings=QUICK)


@pytest.mark.usefixtures("no_figures")
def test_fits_are_at_the_own_point(run):
    content = fit.run(Run(run), samples=["hnl8_mu"]).content
    assert [record.sample for record in content.fits] == ["hnl8_mu"]


@pytest.mark.usefixtures("no_figures")
def test_dirac_without_charges_is_refused_and_said(tmp_path):
    folder = finished_run.write(tmp_path, entries("hnl8_mu", charges=False))
    result = stage.run(Run(folder), couplings=["mu"], masses=[8.0], settings=QUICK)
    rows = {row["nature"]: row for row in result.strengths.records}
    assert rows["majorana"]["expected"] > 0
    assert rows["dirac"]["expected"] is None
    assert "900 of 900 candidates are without the true decay length or charges" in rows["dirac"]["refused"]


def test_a_sample_with_vertices_in_some_files_is_without(tmp_path):
    """A few candidates without lengths, less than leave the detector, are enough."""
    made = finished_run.entries()
    made[1][1]["gen_ctau"][:9] = np.nan  # of 900
    signals = inputs.load(Run(finished_run.write(tmp_path, made))).signals
    assert [s.name for s in signals.reach.fixed("mu", "majorana")] == ["hnl8_mu"]
    (sample,) = signals.reach.fixed("mu", "majorana")
    with pytest.raises(PointError, match="samples of 8 GeV"):
        signals.at(sample.point)


@pytest.mark.usefixtures("no_figures")
def test_a_second_sample_without_truth_is_left_out(tmp_path):
    made = entries("blind8_mu")
    again = finished_run.synthetic.signal("blind8_mu", 8, **finished_run.COUPLINGS["mu"])
    table, score = finished_run.signal(7)
    table["gen_ctau"][:] = np.nan
    folder = finished_run.write(tmp_path, [*made, (again, table, score)])
    result = stage.run(Run(folder), couplings=["mu"], natures=["majorana"], masses=[8.0], settings=QUICK)
    assert result.content.left_out == ("blind8_mu",)
    assert [row.sample for row in result.content.samples] == ["hnl8_mu"]
    assert result.strengths.records == []
    fits = fit.run(Run(folder), samples=["hnl8_mu", "blind8_mu"]).content
    assert list(fits.refused) == ["blind8_mu"]
