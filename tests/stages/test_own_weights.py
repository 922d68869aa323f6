"""A weight of a user's own from the command line: histograms, what is redone, fits and cards, and what is refused."""

import json
import re
from pathlib import Path
from typing import Any

import faulty
import finished_run
import numpy as np
import pytest
import weight_files
import yaml
from card import Card
from command import runner

from hnl import lineage
from hnl.analysis import load
from hnl.datasets.own_weights import OwnWeight
from hnl.histograms import files
from hnl.physics import widths
from hnl.processors import selection as selections
from hnl.selections.displaced.categories import CATEGORIES
from hnl.stages.run import Run

WITHOUT_IT = {"train", "score", "k0s"}


def with_weights(catalogue: Path, *entries: dict[str, Any]) -> Path:
    content = yaml.safe_load(catalogue.read_text())
    path = catalogue.with_name("own.yaml")
    path.write_text(yaml.safe_dump(content | {"weights": list(entries)}, sort_keys=False))
    return path


def test_histograms_by_hand_and_what_is_redone(tmp_path: Path) -> None:
    """Nothing is read again; of the stages only those that use weights are stale, also when it goes away."""
    catalogue, out = faulty.make(tmp_path), tmp_path / "out"
    _, before = faulty.finish(catalogue, out)
    plain = files.read_json(out / "histograms.json")["delta_2d"]
    selection = selections.load(out)
    rows = selection.candidates("w")
    base = selection.weights(selection.catalogue.dataset("w"), rows)["nominal"]
    stages = load("displaced").stages[1:]
    for stage in stages[1:]:  # as if they had been run
        with lineage.stage(out, stage):
            pass
    own = with_weights(catalogue, weight_files.own_entry("weights.json.gz"))
    assert faulty.run("select", own, "-o", out, "--executor", "iterative")[0] == 0
    stale = {stage.name: lineage.stale(out, stage) for stage in stages}
    assert {name for name, reason in stale.items() if reason} == {"histogram", "abcd", "limits", "fit"}
    assert stale["limits"] == "weights.json has changed"
    said, after = faulty.finish(own, out)
    assert "all 8 work units are done already" in said
    assert {name for name in after if after[name] != before[name]} == {"histograms.json"}

    far = rows["delta_2d"] >= 3
    assert far.any()
    found = files.read_json(out / "histograms.json")
    for end, near_value, far_value in (("", 0.9, 1.2), ("_vertex_up", 1.0, 1.5), ("_vertex_down", 0.8, 1.0)):
        histogram = found[f"delta_2d{end}"]
        edges = np.r_[-np.inf, histogram.axes[-1].edges, np.inf]
        by_hand = np.histogram(rows["delta_2d"], edges, weights=base * np.where(far, far_value, near_value))[0]
        summed = histogram[{"dataset": "w"}].view(flow=True)["value"]
        np.testing.assert_allclose(summed.sum(axis=tuple(range(summed.ndim - 1))), by_hand, rtol=1e-12)
        data = histogram[{"dataset": "muons"}].view(flow=True)["value"]
        np.testing.assert_array_equal(data, plain[{"dataset": "muons"}].view(flow=True)["value"])
    assert len(found) == 3 * sum("vertex" not in name for name in found)

    faulty.finish(catalogue, out)
    assert not (out / "weights.json").exists()
    assert lineage.stale(out, load("displaced").stage("train")) == ""
    assert faulty.products(out) == before


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a weight of the signal of 8 GeV alone."""
    folder = tmp_path_factory.mktemp("own")
    file = weight_files.write(folder / "own.json.gz")
    entry = weight_files.own_entry(file, datasets=["hnl8_mu"], nuisance={"name": "sv", "correlated": False})
    return finished_run.write(folder / "out", finished_run.entries(), weights=(OwnWeight.model_validate(entry),))


@pytest.mark.usefixtures("no_figures")
def test_a_nuisance_of_fits_and_cards(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """sqrt(up / down) of each cell, by hand; the sample without it has no such parameter."""
    hnl = runner(monkeypatch, capsys)
    options = ("--coupling", "mu", "--nature", "majorana", "--grid", 1, "--workers", 1, "--method", "asymptotic")
    assert hnl("limits", finished, *options, "--mass", 8, "--mass", 4)[0] == 0
    assert hnl("fit", finished, "--sample", "hnl8_mu")[0] == 0
    models = finished / "limits" / "models"
    assert "sv_" not in (models / "hnl4_mu_expected_combine.txt").read_text()
    assert '"sv_2018"' in (models / "hnl8_mu_expected_pyhf.json").read_text()
    card = Card((models / "hnl8_mu_expected_combine.txt").read_text())
    logs = dict(zip(card.nuisances, card.logs, strict=True))["sv_2018"]

    one = Run(finished).scored["hnl8_mu"]
    rows, score = one.columns, np.float64(one.scores["high"])
    x = json.loads((finished / "abcd" / "thresholds.json").read_text())["high"]
    # The rest of the weight: one number, times the change of lifetime from the generated one.
    rest = np.exp(rows["gen_ctau"].astype(float) * (1 / finished_run.CTAU - 1 / widths.ctau_mm(8, v2_mu=1e-6)))
    far = rows["delta_2d"] >= 3
    up, down = rest * np.where(far, 1.5, 1.0), rest * np.where(far, 1.0, 0.8)
    signal = 0
    for i, (name, _) in enumerate(card.columns):
        category, number, region = re.fullmatch(r"(\w+)_b(\d)_([ABCD])", name).groups()
        near = (rows["delta_2d"] > 1).astype(int) + ((rows["delta_2d"] > 5) & (category != "mumu_SS"))
        near += (rows["delta_2d"] > 5) & (category == "mumu_SS") & (rows["m_sv"] <= 6)
        inside = (rows["m_l1_sv"] > 50) & (rows["m_l1_sv"] <= 85)
        cell = (rows["category"] == CATEGORIES.index(category)) & (rows["n_jets"] == 1) & (rows["m_l1_sv"] > 10)
        cell &= (inside == (region in "AB")) & (score > 0.2) & ((score > x[category]) == (region in "AC"))
        cell &= 3 * (rows["m_sv"] > 6) + near == int(number)
        assert card.is_signal[i] or logs[i] == 0
        if card.is_signal[i] and card.rates[i] > 0:
            assert logs[i] == pytest.approx(np.log(up[cell].sum() / down[cell].sum()) / 2, rel=1e-6), name
            signal += 1
    assert signal > 10
    (record,) = json.loads((finished / "fit" / "fit.json").read_text())["fits"]
    assert "sv_2018" in {row["name"] for row in record["impacts"]}
    assert "sv_2018" in {row["name"] for row in record["pulls"]}


def entry(**changes: Any) -> dict[str, Any]:
    return weight_files.own_entry("weights.json.gz") | changes


def inputs(**changes: Any) -> dict[str, Any]:
    return {"inputs": entry()["inputs"] | changes}


WAYS = {"nominal": "nominal", "up": "up", "down": "down"}
REFUSED = {
    "column": (inputs(flight="delta_2D"), "flight", "candidates have no column delta_2D; did you mean delta_2d"),
    "correction": ({"correction": "sv"}, "correction", "no correction sv; it has Collisions18"),
    "file": ({"file": "none.json"}, "file", "no such file of corrections"),
    "wants": ({"inputs": {"flight": "delta_2d", "systematic": WAYS}}, "inputs", "wants the input 'WP'"),
    "input": (
        {"inputs": {"flght": "delta_2d", "systematic": WAYS}},
        "flght",
        "has no input 'flght'; did you mean flight?",
    ),
    "way": (inputs(systematic=WAYS | {"up": "upp"}), "up", "has no systematic = upp; did you mean up"),
    "text": (inputs(WP="tight"), "WP", "wants a text as 'WP': {constant: tight}"),
    "constant": (inputs(scale={"constant": "a"}), "scale", "wants a number as 'scale', not the text a"),
    "no variation": (inputs(systematic="n_jets"), "weights", "one of inputs varies the correction"),
    "taken": ({"name": "pileup"}, "name", "weight pileup: the name pileup is taken by another nuisance"),
    "of jets": ({"nuisance": {"name": "jes_total"}}, "nuisance", "the name jes_total is taken"),
    "reserved": ({"name": "mc_mine"}, "name", "the name mc_mine is taken"),
    "of an era": ({"name": "tracking_Run2018"}, "name", "the name tracking_Run2018 is taken"),
    "data": ({"datasets": ["w", "data"]}, "data", "data is data (muons), which has no weights"),
    "dataset": (
        {"datasets": ["w", "back"]},
        "back",
        "no kind, process or dataset back; did you mean background?",
    ),
    "key": ({"column": "x"}, "column", "unknown key 'column'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_before_any_event(what: str, tmp_path: Path) -> None:
    """With the line of the catalogue, and status 2; there is no output."""
    changes, where, message = REFUSED[what]
    catalogue = with_weights(faulty.make(tmp_path), entry(**changes))
    status, said = faulty.run("select", catalogue, "-o", tmp_path / "out", "--executor", "iterative")
    assert status == 2, said
    lines = catalogue.read_text().splitlines()
    number = int(re.search(r"own\.yaml, line (\d+): ", said)[1])
    after = next(i for i, line in enumerate(lines) if line == "weights:")
    line = lines[number - 1] if where != "weights" else "weights"
    assert number > after
    assert where in line
    assert message in said
    assert not (tmp_path / "out").exists()


def test_names_that_are_taken_by_another_weight(tmp_path: Path) -> None:
    for second, message in (
        (entry(), "two weights are called vertex"),
        (entry(name="b", nuisance={"name": "vertex", "correlated": False}), "the nuisance vertex is correlated in one"),
    ):
        catalogue = with_weights(faulty.make(tmp_path), entry(), second)
        status, said = faulty.run("select", catalogue, "-o", tmp_path / "out", "--executor", "iterative")
        assert (status, message in said) == (2, True), said


def test_values_that_are_refused_when_they_are_met(tmp_path: Path) -> None:
    """Not above zero: the stage that weights candidates ends with the weight, the file and the inputs."""
    entries = [entry(**inputs(flight=-1.0))]
    catalogue, out = with_weights(faulty.make(tmp_path), *entries), tmp_path / "out"
    assert faulty.run("select", catalogue, "-o", out, "--executor", "iterative")[0] == 0
    status, said = faulty.run("histogram", out)
    assert status == 2
    assert f"dataset w: weight vertex: {tmp_path / 'weights.json.gz'}: the correction sv_sf is 0.0 for flight" in said
    assert not (out / "histograms.json").exists()
