"""The shipped demo samples: complete, small, and with the signal where the search looks for it."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

import hnl
from hnl.corrections import library
from hnl.datasets import catalogue
from hnl.datasets.simulation.parameters import DETECTOR
from hnl.executors import ExecutionOptions
from hnl.processors.selection import Selection
from hnl.selections.displaced import categories
from hnl.stages import select

DEMO = Path(hnl.__file__).parents[2] / "datasets" / "demo"
SMALL = DEMO / "small"
MAX_BYTES = 25_000_000
MAX_BYTES_SMALL = 3_000_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Selection:
    return select.run(DEMO / "demo.yaml", tmp_path_factory.mktemp("demo"), execution=ExecutionOptions("iterative"))


def test_size() -> None:
    assert sum(path.stat().st_size for path in DEMO.iterdir() if path.is_file()) <= MAX_BYTES


def test_signal_sits_in_the_window_and_below_the_mass_of_the_hnl(demo: Selection) -> None:
    signals = [dataset for dataset in demo.catalogue.datasets if dataset.signal]
    assert {dataset.signal.mass for dataset in signals if dataset.signal} == {3, 5, 8, 10, 12, 15}
    for dataset in signals:
        assert dataset.signal is not None
        candidates = demo.candidates(dataset.name)
        chosen = candidates["n_jets"] == 1
        assert chosen.sum() >= 300, dataset.name
        window = (candidates["m_l1_sv"] > 50) & (candidates["m_l1_sv"] < 85)
        assert window[chosen].mean() > 0.75, dataset.name
        # Neutral particles and lost tracks are missing in m_SV, so it stays below m_N but for a few.
        median = float(np.median(candidates["m_sv"][chosen]))
        assert 0.35 * dataset.signal.mass < median < dataset.signal.mass, dataset.name
        same_sign = candidates["category"][chosen] % 2 == 1
        assert abs(same_sign.mean() - 0.5) < 4 * 0.5 / np.sqrt(chosen.sum()), dataset.name


def test_background_has_statistics_in_every_flavour_category(demo: Selection) -> None:
    weights: list[np.ndarray] = []
    flavours: list[np.ndarray] = []
    one_jet = 0
    for dataset in demo.catalogue.datasets:
        if dataset.kind == "background":
            candidates = demo.candidates(dataset.name)
            weights.append(candidates["gen_weight"] * demo.scale(dataset))
            flavours.append(np.array([category.flavours for category in categories.ALL])[candidates["category"]])
            one_jet += int((candidates["n_jets"] == 1).sum())
    weight, flavour = np.concatenate(weights), np.concatenate(flavours)
    assert len(weight) >= 3000
    assert one_jet >= 900
    for name in ("ee", "mumu", "emu", "mue"):
        w = weight[flavour == name]
        assert w.sum() ** 2 / (w**2).sum() > 100, name


def test_pseudodata_is_what_the_luminosity_gives(demo: Selection) -> None:
    (data,) = (dataset for dataset in demo.catalogue.datasets if dataset.is_data)
    expected = variance = 0.0
    for dataset in demo.catalogue.datasets:
        if dataset.kind == "background":
            w = demo.candidates(dataset.name)["gen_weight"] * demo.scale(dataset)
            expected += float(w.sum())
            variance += float(w.sum())
    assert abs(len(demo.candidates(data.name)["event"]) - expected) < 5 * np.sqrt(variance)


def test_jets_of_all_simulation_vary_and_those_of_data_do_not(demo: Selection) -> None:
    """By a few per cent of the candidates, and opposite ways for the scale of what has jets in plenty."""
    varied = ("nominal", "jes_up", "jes_down", "jer_up", "jer_down")
    for dataset in demo.catalogue.datasets:
        assert demo.variations(dataset.name) == (("nominal",) if dataset.is_data else varied)
    n = dict.fromkeys(varied, 0)
    for dataset in demo.catalogue.datasets:
        if dataset.signal:
            for name in n:
                n[name] += len(demo.candidates(dataset.name, name)["event"])
    assert 1.001 < n["jes_up"] / n["nominal"] < 1.03
    assert 0.97 < n["jes_down"] / n["nominal"] < 0.999
    assert abs(n["jer_up"] / n["nominal"] - 1) < 0.02
    assert abs(n["jer_down"] / n["nominal"] - 1) < 0.02


@pytest.mark.parametrize(("kind", "corrections"), [("jets", 3), ("weights", 8)])
def test_corrections_are_those_of_their_script(kind: str, corrections: int) -> None:
    """And say that they are not measured."""
    folder = DEMO / "corrections"
    made = runpy.run_path(str(folder / f"make_{kind}.py"))
    expected = made["corrections"]().model_dump_json(exclude_unset=True, indent=1) + "\n"
    assert (folder / f"demo_{kind}.json").read_text(encoding="utf-8") == expected
    assert expected.count("Demo, not measured") == 1 + corrections


def test_the_catalogue_that_the_script_writes(tmp_path: Path) -> None:
    """It can be read, and differs from that of the shipped samples in luminosity and datasets alone."""
    script = runpy.run_path(str(DEMO / "make.py"))
    path = tmp_path / "demo.yaml"
    path.write_text(script["catalogue"](), encoding="utf-8")
    shutil.copytree(DEMO / "corrections", tmp_path / "corrections")
    made, shipped = catalogue.load(path, files_needed=False), catalogue.load(DEMO / "demo.yaml", files_needed=False)
    assert {dataset.name for dataset in made.datasets} == {*script["requests"](), "pseudodata"}
    eras = [yaml.safe_load(text.read_text(encoding="utf-8"))["eras"]["Demo"] for text in (path, DEMO / "demo.yaml")]
    assert eras[0] | {"luminosity": 0.07} == eras[1]
    assert made.data_eras["Demo"].luminosity == 4 != shipped.data_eras["Demo"].luminosity


def test_the_script_does_not_mix_samples_of_two_versions() -> None:
    """The shipped files have other streams: of zpair and zgamma together some events would be there twice."""
    command = [sys.executable, str(DEMO / "make.py"), str(DEMO), "catalogue"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "has the samples of an earlier version" in result.stderr


def test_the_script_asks_for_samples_that_can_be_made() -> None:
    script = runpy.run_path(str(DEMO / "make.py"))
    training, data = script["requests"](), script["for_pseudodata"](Path())
    for request in (*training.values(), *data.values()):
        request.check()
    backgrounds = {name for name, request in training.items() if request.options is None}
    assert {request.process for request in data.values()} == backgrounds
    assert not {request.seed for request in training.values()} & {request.seed for request in data.values()}


def test_weights_of_the_pileup_profile_keep_the_sum_of_weights(demo: Selection) -> None:
    """Integrated over the profile that the simulation draws from: its files are skimmed and do not tell it."""
    pileup = demo.catalogue.eras["Demo"].corrections.pileup
    assert pileup is not None
    overlay = DETECTOR.overlay
    drawn = np.maximum(1, np.random.default_rng(1).normal(overlay.pileup_mean, overlay.pileup_sigma, 2_000_000))
    mean = {}
    for way in ("nominal", "up", "down"):
        weight = library.evaluate(pileup.file, pileup.correction, {"NumTrueInteractions": drawn, "weights": way})
        assert weight.mean() == pytest.approx(1, abs=3e-4), way
        mean[way] = float((weight * drawn).mean())
    assert mean["up"] / mean["nominal"] == pytest.approx(1.046, abs=1e-3)
    assert mean["down"] / mean["nominal"] == pytest.approx(0.954, abs=1e-3)


def test_the_small_set_has_the_candidates_of_the_signal_selection(demo: Selection, tmp_path: Path) -> None:
    """All of them, of its datasets, with all their columns, and with the same weights."""
    small = select.run(SMALL / "small.yaml", tmp_path, execution=ExecutionOptions("iterative"))
    names = [dataset.name for dataset in small.catalogue.datasets]
    assert {"pseudodata", "ttbar", "wjets", "hnl10_mu"} <= set(names)
    compared = 0
    for name in names:
        assert small.scale(small.catalogue.dataset(name)) == demo.scale(demo.catalogue.dataset(name))
        assert small.variations(name) == demo.variations(name)
        for variation in small.variations(name):
            of_small, of_demo = small.candidates(name, variation), demo.candidates(name, variation)
            one_jet = [candidates["n_jets"] == 1 for candidates in (of_small, of_demo)]
            for column in of_demo:
                np.testing.assert_array_equal(of_small[column][one_jet[0]], of_demo[column][one_jet[1]], column)
            compared += int(one_jet[0].sum())
    assert compared > 10_000


def test_the_small_set_is_small_and_its_catalogue_that_of_its_script() -> None:
    assert sum(path.stat().st_size for path in SMALL.iterdir() if path.is_file()) <= MAX_BYTES_SMALL
    assert runpy.run_path(str(SMALL / "make.py"))["catalogue"]() == (SMALL / "small.yaml").read_text(encoding="utf-8")
