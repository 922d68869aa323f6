"""Variations of jet energies through all stages: files, candidates, scores, and the histograms of the regions."""

from pathlib import Path
from typing import Any

import jet_corrections as made
import numpy as np
import pytest
import yaml
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS, Style, write
from random_events import random_events

from hnl.errors import InputError
from hnl.executors import ExecutionOptions
from hnl.histograms.displaced import abcd_files
from hnl.ml import scored, scoring
from hnl.processors import selection as selections
from hnl.processors.selection import Selection, SelectionError
from hnl.stages import abcd as stage
from hnl.stages import select
from hnl.stages.run import Run

PATHS = {"electron": list(ELECTRON_PATHS), "muon": list(MUON_PATHS)}
ONE, OTHER = ("jes_total_up", "jes_total_down"), ("jes_2017_up", "jes_2017_down")


def events(seed: int) -> list[dict[str, Any]]:
    """Random events, with jets near the threshold."""
    rng = np.random.default_rng(seed)
    result = random_events(400, seed=seed)
    for number, one in enumerate(result):
        one["event"] = number
        for jet in one["Jet"]:
            jet["pt"] = rng.uniform(17, 26)
    return result


def catalogue(folder: Path, **changes: Any) -> Path:
    """Two eras whose jets vary by different names, with one sample each, and data."""
    jets = {"file": str(made.write(folder / "jets.json"))}
    eras = {
        "2018": {"year": 2018, "corrections": {"jets": jets | {"uncertainties": {"jes_total": made.TOTAL}}}},
        "2017": {"year": 2017, "corrections": {"jets": jets | {"uncertainties": {"jes_2017": made.TOTAL}}}},
    }
    eras["2018"] |= changes
    for seed, name in enumerate(("w", "w_2017")):
        write(folder / f"{name}.root", events(seed))
    write(folder / "data.root", events(3), Style(data=True))
    simulated = {"kind": "background", "process": "w", "cross_section": 1.0}
    datasets = [
        {"name": "w", "era": "2018", "files": ["w.root"], **simulated},
        {"name": "w_2017", "era": "2017", "files": ["w_2017.root"], **simulated},
        {"name": "data", "era": "2018", "files": ["data.root"], "kind": "data", "process": "data"},
    ]
    datasets[2]["primary_dataset"] = "SingleLepton"
    content = {"eras": {n: e | {"luminosity": 1.0, "triggers": PATHS} for n, e in eras.items()}, "datasets": datasets}
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture(scope="module")
def selected(tmp_path_factory: pytest.TempPathFactory) -> Selection:
    """A selection with scores drawn at random, which belong to the row."""
    folder = tmp_path_factory.mktemp("variations")
    selection = select.run(catalogue(folder), folder / "out", execution=ExecutionOptions("iterative"))
    for seed, dataset in enumerate(selection.catalogue.datasets):
        rows = selection.rows(dataset.name)
        drawn = np.random.default_rng(seed).uniform(0.1, 1, (2, len(rows["event"]))).astype(np.float32)
        facts = {"models": {}, "own_models": False}
        columns = dict(zip(scoring.COLUMNS, drawn, strict=True))
        varied = selection.variations(dataset.name)
        scoring.write(selection.folder, dataset.name, rows, columns, facts, varied)
    return selections.load(selection.folder)


@pytest.fixture(scope="module")
def regions(selected: Selection) -> Any:
    return stage.run(Run(selected.folder), unblind=True).histograms["regions"]


def test_who_varies_how(selected: Selection) -> None:
    assert selected.variations("w") == ("nominal", *ONE)
    assert selected.variations("w_2017") == ("nominal", *OTHER)
    assert selected.variations("data") == ("nominal",)
    with pytest.raises(SelectionError, match="dataset data has no variation jes_total_up; it has nominal"):
        selected.candidates("data", "jes_total_up")


def test_candidates_are_nominal_unless_asked(selected: Selection) -> None:
    rows, nominal = selected.rows("w"), selected.candidates("w")
    assert len(nominal["event"]) == len(np.unique(nominal["event"])) < len(rows["event"])
    assert (nominal["passes"] & 1 == 1).all()
    assert selected.manifests["w"][0].candidates == len(nominal["event"])
    last = list(selected.cutflow()["w"].cutflow.values())[-2]
    assert last["all"]["events"] == len(nominal["event"])
    up, down = (set(selected.candidates("w", name)["event"].tolist()) for name in ONE)
    assert down < set(nominal["event"].tolist()) < up


def test_each_variation_is_filled_from_its_own_candidates(selected: Selection, regions: Any) -> None:
    """Yields by selection, recounted from the candidates of the variation and their scores."""
    for name in ("w", "w_2017"):
        dataset = selected.catalogue.dataset(name)
        rows = selected.rows(name)
        low, _ = scoring.read(selected.folder, name, rows)
        for bit, variation in enumerate(selected.variations(name)):
            mine = (rows["passes"] >> np.uint64(bit)) & np.uint64(1) == 1
            filled = mine & (low > 0.2) & (rows["m_l1_sv"] > 10)
            weight = rows["gen_weight"] * selected.scale(dataset)
            cell = {"dataset": name, "era": dataset.era, "hypothesis": "low", "variation": variation}
            for selection, chosen in (("SR", rows["n_jets"] == 1), ("VR", rows["n_jets"] > 1)):
                found = regions[cell | {"selection": selection}].sum().value
                assert found == pytest.approx(weight[filled & chosen].sum())
    yields = [regions[{"dataset": "w", "era": "2018", "variation": name}].sum().value for name in ("nominal", *ONE)]
    assert len(set(yields)) == 3


def test_a_variation_of_one_process_does_not_touch_another(regions: Any) -> None:
    """Nor data: there it is filled as nominal."""
    assert set(regions.axes["variation"]) == {"nominal", *ONE, *OTHER}
    untouched = {"w": OTHER, "w_2017": ONE, "data": (*ONE, *OTHER)}
    for name, variations in untouched.items():
        of_dataset = regions[{"dataset": name}].view(flow=False)
        place = list(regions.axes["variation"])
        for variation in variations:
            for field in ("value", "variance"):
                expected = of_dataset[field][..., place.index("nominal")]
                assert expected.sum() > 0
                np.testing.assert_array_equal(of_dataset[field][..., place.index(variation)], expected)


def test_variations_are_read_back(selected: Selection, regions: Any) -> None:
    read = abcd_files.read_root(selected.folder / "abcd" / "histograms.root")["regions"]
    assert list(read.axes["variation"]) == list(regions.axes["variation"])
    np.testing.assert_array_equal(read.values(), regions.values())


def test_other_corrections_are_another_selection(tmp_path: Path) -> None:
    """A changed file of corrections is noticed; data does not depend on it."""
    path = catalogue(tmp_path)
    select.run(path, tmp_path / "out", execution=ExecutionOptions("iterative"))
    text = (tmp_path / "jets.json").read_text()
    (tmp_path / "jets.json").write_text(text.replace("0.02+0.8/x", "0.03+0.8/x"))
    with pytest.raises(SelectionError, match="w was selected by other code or settings"):
        selections.load(tmp_path / "out")
    redone: list[str] = []
    select.run(
        path,
        tmp_path / "out",
        execution=ExecutionOptions("iterative"),
        on_plan=lambda units: redone.extend(u.dataset for u in units),
    )
    assert redone == ["w", "w_2017"]


def test_a_value_out_of_range_is_no_fault_of_the_file(tmp_path: Path) -> None:
    """Not even with allow_partial is the file left out: the message names both files, the correction and the value."""
    jets = {"file": "jets.json", "uncertainties": {"jes_total": made.CENTRAL}}
    path = catalogue(tmp_path, corrections={"jets": jets})
    (tmp_path / "jets.json").write_text((tmp_path / "jets.json").read_text().replace("2.5", "2.2"))
    with pytest.raises(SelectionError, match=r"w\.root: .*jets\.json: the correction .*Central.* JetEta = -?2\.[23]"):
        select.run(path, tmp_path / "out", execution=ExecutionOptions("iterative"), allow_partial=True)


def test_an_unknown_correction_stops_before_events_are_read(tmp_path: Path) -> None:
    jets = {"file": "jets.json", "uncertainties": {"jes_total": "Summer19_Total"}}
    path = catalogue(tmp_path, corrections={"jets": jets})
    with pytest.raises(InputError, match=r"jets\.json: no correction Summer19_Total; it has Test_"):
        select.run(path, tmp_path / "out", execution=ExecutionOptions("iterative"))
    assert not (tmp_path / "out").exists()


def test_names_of_nuisances_are_told_apart(selected: Selection) -> None:
    """A weight and the energy of jets must not share a column of the histogram."""
    dataset, rows = selected.catalogue.dataset("w"), selected.rows("w")
    weights = {"nominal": np.ones(len(rows["event"])), ONE[0]: np.ones(len(rows["event"]))}
    every = stage.Scored(dataset, {}, {}, weights, np.arange(len(rows["event"])))
    with pytest.raises(InputError, match="era 2018: jes_total_up is a variation of weights and one of jet energies"):
        scored.by_variation(every, rows, selected.variations("w"))
