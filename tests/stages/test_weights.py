"""Weights through the stages: sums of weights are kept, selections are not redone, histograms carry every variation."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import weight_files
import yaml
from nanoaod_events import ELECTRON_PATHS, GENERATOR_WEIGHTS, MUON_PATHS, Event, Style, event, write

import hnl
from hnl.corrections.library import CorrectionError
from hnl.corrections.nuisances import NUISANCES
from hnl.datasets import files
from hnl.executors import ExecutionOptions
from hnl.inference.displaced import inputs
from hnl.ml import scoring
from hnl.processors import selection as selections
from hnl.processors.closure import ClosureError
from hnl.processors.selection import Selection
from hnl.stages import abcd as stage
from hnl.stages import histogram, select
from hnl.stages.run import Run

PATHS = {"electron": list(ELECTRON_PATHS), "muon": list(MUON_PATHS)}
DEMO = Path(hnl.__file__).parents[2] / "datasets" / "demo"
SCALE = ("LHEScaleWeight",)
ALL = {"scale": True, "pdf": "hessian", "parton_shower": True}
WHOLE = Style(generator_weights=tuple(GENERATOR_WEIGHTS), generator_sums=True, skimmed=False)


def events(n: int, seed: int) -> list[Event]:
    """Events that are all selected, with weights of their own."""
    rng = np.random.default_rng(seed)
    result = []
    for number in range(n):
        width = {"LHEPdfWeight": 0.02}  # of each of a hundred members, which add up in quadrature
        weights = {name: rng.normal(w, width.get(name, 0.05)).tolist() for name, w in GENERATOR_WEIGHTS.items()}
        weights["LHEPdfWeight"][0] = weights["LHEScaleWeight"][4] = 1.0
        given = {"genWeight": rng.choice([1.0, 2.0, -0.5]), "Pileup_nTrueInt": rng.uniform(20, 40)}
        result.append(event(1000 * seed + number, **given, **weights))
    return result


def catalogue(folder: Path, corrections: dict[str, Any] | None = None, **dataset: Any) -> Path:
    """One dataset, of the files that are in the folder."""
    era = {"year": 2018, "luminosity": 2.0, "triggers": PATHS, "corrections": corrections or {}}
    sample = {
        "name": "w",
        "era": "era",
        "kind": "background",
        "process": "w",
        "cross_section": 3.0,
        "files": ["*.root"],
    }
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump({"eras": {"era": era}, "datasets": [sample | dataset]}))
    return path


def selected(folder: Path, corrections: dict[str, Any] | None = None, **dataset: Any) -> Selection:
    return select.run(
        catalogue(folder, corrections, **dataset), folder / "out", execution=ExecutionOptions("iterative")
    )


def weights(selection: Selection, name: str = "w") -> dict[str, np.ndarray]:
    return selection.weights(selection.catalogue.dataset(name), selection.candidates(name))


def pileup(folder: Path, name: str = "pog.json.gz") -> dict[str, Any]:
    return {"pileup": weight_files.entries(weight_files.write(folder / name))["pileup"] | {"file": name}}


def test_every_variation_keeps_the_sum_of_weights(tmp_path: Path) -> None:
    """All generated events are candidates, in two files: each variation sums to sigma L."""
    for seed in (1, 2):
        write(tmp_path / f"{seed}.root", events(40, seed), WHOLE)
    found = weights(selected(tmp_path, pileup(tmp_path), generator_weights=ALL))
    assert found.keys() == {"nominal"} | {
        f"{n}_{w}" for n in ("pileup", "mur", "muf", "pdf", "isr", "fsr") for w in ("up", "down")
    }
    for name, weight in found.items():
        expected = 3.0 * 2000.0
        if name not in ("nominal", "pileup_up", "pileup_down"):
            # On top of the nominal pileup weight a variation keeps the sum but for their correlation.
            weight = weight / (found["nominal"] / plain(tmp_path))
        assert weight.sum() == pytest.approx(expected, rel=1e-4), name
        assert name == "nominal" or np.abs(weight / found["nominal"] - 1).max() > 0.01


def plain(folder: Path) -> np.ndarray:
    """Weights without any correction."""
    selection = selections.load(folder / "out")
    return selection.candidates("w")["gen_weight"] * selection.scale(selection.catalogue.dataset("w"))


def test_without_a_runs_tree_the_events_are_summed(tmp_path: Path) -> None:
    write(tmp_path / "a.root", events(30, 1), Style(generator_weights=SCALE, runs=None))
    found = weights(selected(tmp_path, generator_weights={"scale": True}, generated_events=30))
    for name, weight in found.items():
        assert weight.sum() == pytest.approx(6000.0, rel=1e-6), name


def test_a_file_without_events_keeps_its_sums(tmp_path: Path) -> None:
    """It stands for 10 generated events of weight 2, whose scale weights are 1.5 on average."""
    style = Style(generator_weights=SCALE, generator_sums=True, skimmed=False)
    write(tmp_path / "a.root", [event(1, genWeight=20.0)], style)
    write(tmp_path / "b.root", [], Style(generator_weights=SCALE, generator_sums=True))
    found = weights(selected(tmp_path, generator_weights={"scale": True}))
    assert found["nominal"].tolist() == pytest.approx([6000 * 20 / 40])
    # mur_up: 1.1 for the event, and (20 x 1.1 + 20 x 1.5) / 40 for all generated ones.
    assert found["mur_up"].tolist() == pytest.approx([3000 * 1.1 / 1.3])


def test_a_skimmed_file_needs_sums_of_its_own(tmp_path: Path) -> None:
    style = Style(generator_weights=tuple(GENERATOR_WEIGHTS), generator_sums=True)
    write(tmp_path / "a.root", events(5, 1), style)
    selected(tmp_path, generator_weights={"scale": True, "parton_shower": True})
    message = (
        r"dataset w: .*a.root does not hold all generated events, and its Runs tree has no sum of the weights pdf_up"
    )
    with pytest.raises(ClosureError, match=message):
        selected(tmp_path, generator_weights=ALL)


def test_sums_of_the_runs_tree_must_be_those_of_the_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Runs tree that says two per cent more than the events have."""
    write(tmp_path / "a.root", events(5, 1), Style(generator_weights=SCALE, generator_sums=True, skimmed=False))
    inspect = files.inspect

    def other_sums(*args: Any) -> files.FileInfo:
        info = inspect(*args)
        sums = tuple((name, 1.02 * total) for name, total in info.variation_sums)
        return dataclasses.replace(info, variation_sums=sums)

    monkeypatch.setattr(files, "inspect", other_sums)
    with pytest.raises(
        ClosureError,
        match=r"the Runs trees say that the weights mur_up sum to .* of nominal, the events",
    ):
        selected(tmp_path, generator_weights={"scale": True})


def test_a_changed_correction_redoes_no_selection(tmp_path: Path) -> None:
    """But changes the weights; asking for weights of the generator redoes it."""
    write(tmp_path / "a.root", events(5, 1), Style(generator_weights=SCALE, generator_sums=True))
    before = weights(selected(tmp_path, pileup(tmp_path)))
    planned: list[int] = []

    def again(path: Path) -> Selection:
        return select.run(
            path,
            tmp_path / "out",
            execution=ExecutionOptions("iterative"),
            on_plan=lambda units: planned.append(len(units)),
        )

    other = pileup(tmp_path)
    other["pileup"]["uncertainty"] = other["pileup"]["uncertainty"] | {"nominal": "down"}
    after = weights(again(catalogue(tmp_path, other)))
    assert planned == [0]
    np.testing.assert_array_equal(after["nominal"], before["pileup_down"])
    again(catalogue(tmp_path, other, generator_weights={"scale": True}))
    assert planned == [0, 1]


def test_a_wrong_correction_stops_before_any_event(tmp_path: Path) -> None:
    write(tmp_path / "a.root", events(2, 1))
    wrong = pileup(tmp_path)
    wrong["pileup"]["correction"] = "Collisions17"
    with pytest.raises(CorrectionError, match=r"pog.json.gz: no correction Collisions17; it has"):
        selected(tmp_path, wrong)
    assert not (tmp_path / "out").exists()


def test_plain_histograms_have_the_nominal_weights(tmp_path: Path) -> None:
    write(tmp_path / "a.root", events(20, 1), Style(skimmed=True))
    selection = selected(tmp_path, pileup(tmp_path))
    filled = histogram.run(Run(selection.folder))["m_sv"].sum(flow=True)
    assert filled.value == pytest.approx(weights(selection)["nominal"].sum())
    assert filled.value != pytest.approx(plain(tmp_path).sum(), rel=1e-3)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Selection, Any]:
    """Four samples of the demo, selected, with scores drawn at random, and the histogram of the regions."""
    folder = tmp_path_factory.mktemp("demo")
    content = yaml.safe_load((DEMO / "demo.yaml").read_text())
    chosen = [d for d in content["datasets"] if d["name"] in ("hnl10_mu", "hnl10_e", "st_tw", "pseudodata")]
    for dataset in chosen:
        dataset["files"] = [str(DEMO / file) for file in dataset["files"]]
    shutil.copytree(DEMO / "corrections", folder / "corrections")
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump({"eras": content["eras"], "datasets": chosen}))
    selection = select.run(path, folder / "out", execution=ExecutionOptions("iterative"))
    for seed, dataset in enumerate(selection.catalogue.datasets):
        rows = selection.rows(dataset.name)
        drawn = np.random.default_rng(seed).uniform(0.3, 1, (2, len(rows["event"]))).astype(np.float32)
        facts = {"models": {}, "own_models": False}
        columns = dict(zip(scoring.COLUMNS, drawn, strict=True))
        varied = selection.variations(dataset.name)
        scoring.write(selection.folder, dataset.name, rows, columns, facts, varied)
    return selection, stage.run(Run(selection.folder), unblind=True).histograms["regions"]


def test_the_demo_carries_every_variation(demo: tuple[Selection, Any]) -> None:
    """Each shape of Table 4 for the signal moves the yield of the signal that it concerns, and of no other."""
    _, regions = demo
    shapes = {n.name for n in NUISANCES if n.kind == "shape" and n.processes == "simulation" and n.source[:3] != "not"}
    assert set(regions.axes["variation"]) == {"nominal"} | {f"{n}_{way}" for n in shapes for way in ("up", "down")}
    shifts = {name: relative(regions, name) for name in ("hnl10_mu", "hnl10_e", "st_tw", "pseudodata")}
    expected = {"trigger_muon": 0.005, "nonprompt_muon": 0.005}
    for name, size in expected.items():
        assert shifts["hnl10_mu"][f"{name}_up"] == pytest.approx(size, rel=1e-6)
        assert shifts["hnl10_mu"][f"{name}_down"] == pytest.approx(-size, rel=1e-6)
    for name, size in shifts["hnl10_mu"].items():
        assert (size == 0) == ("electron" in name), name
    for name in ("trigger_muon_up", "prompt_muon_down"):
        assert shifts["hnl10_e"][name] == 0
    assert [name for name, size in shifts["st_tw"].items() if size == 0 and name[:2] != "je"] == []
    assert set(shifts["pseudodata"].values()) == {0}
    assert 0.04 < shifts["hnl10_mu"]["tracking_up"] < 0.12


def test_the_product_says_what_was_used_and_what_varies(demo: tuple[Selection, Any]) -> None:
    selection, regions = demo
    content = json.loads((selection.folder / "abcd" / "abcd.json").read_text())
    assert set(content["variations"]["hnl10_mu"]) == set(regions.axes["variation"])
    assert content["variations"]["pseudodata"] == ["nominal"]
    path = selection.catalogue.eras["Demo"].corrections.tracking.file
    assert content["corrections"]["Demo"][str(path)] == hashlib.sha256(path.read_bytes()).hexdigest()


def relative(regions: Any, name: str) -> dict[str, float]:
    yields = {
        v: regions[{"dataset": name, "variation": v, "hypothesis": "high"}].sum().value
        for v in regions.axes["variation"]
    }
    return {v: y / yields["nominal"] - 1 for v, y in yields.items() if v != "nominal"}


def test_nominal_of_the_demo_is_without_corrections(demo: tuple[Selection, Any]) -> None:
    """Its pseudo-data comes from the same detector."""
    selection, _ = demo
    for dataset in selection.catalogue.datasets:
        candidates = selection.candidates(dataset.name)
        expected = candidates["gen_weight"] * selection.scale(dataset)
        np.testing.assert_array_equal(selection.weights(dataset, candidates)["nominal"], expected)


def test_signal_is_not_weighted_otherwise_than_the_background_was(demo: tuple[Selection, Any]) -> None:
    """Weights that change between hnl abcd and hnl limits: the estimate must be made again."""
    selection, _ = demo
    path = selection.catalogue.eras["Demo"].corrections.tracking.file
    content = path.read_text()
    assert inputs.load(Run(selection.folder)).digest
    path.write_text(content + " ")
    with pytest.raises(inputs.EstimateError, match="corrections that have changed since: run hnl abcd again"):
        inputs.load(Run(selection.folder))
    path.write_text(content)
