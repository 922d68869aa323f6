"""Whole samples: the same on any number of workers, exact sums, nothing left of an interrupted one."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import generation
import numpy as np
import pytest
import small_blocks as small
import uproot
import yaml

from hnl.datasets import catalogue
from hnl.datasets.simulation import detector, generator, sample
from hnl.datasets.simulation.sample import Request
from hnl.datasets.simulation.signal import SignalOptions
from hnl.errors import InputError
from hnl.executors import ExecutionOptions
from hnl.stages import select

ERA = {
    "year": 2018,
    "luminosity": 1.0,
    "triggers": {"muon": ["HLT_IsoMu24"], "electron": ["HLT_Ele32_WPTight_Gsf"]},
}
HNL10 = Request("hnl", 700, 3, SignalOptions(10, "mu", ctau=7), preselect=True)


def content(path: Path) -> dict[str, ak.Array]:
    with uproot.open(path) as root:
        trees = [root[name] for name in ("Events", "Runs", "LuminosityBlocks")]
        return {f"{tree.name}/{name}": array for tree in trees for name, array in tree.arrays(how=dict).items()}


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here and in workers."""
    monkeypatch.setattr(generator, "BLOCK", small.BLOCK)
    monkeypatch.setattr(sample, "one_block", small.one_block)


@pytest.mark.usefixtures("small_libraries", "small_blocks")
def test_same_content_on_any_number_of_workers(tmp_path: Path) -> None:
    request = replace(HNL10, n_events=generator.BLOCK + 150)
    blocks: list[int] = []
    written = [
        sample.make(request, tmp_path / f"{workers}.root", workers=workers, on_block=blocks.append)
        for workers in (1, 2)
    ]
    assert blocks == 2 * [generator.BLOCK, 150]
    one, two = content(tmp_path / "1.root"), content(tmp_path / "2.root")
    assert set(one) == set(two)
    for name in one:
        assert ak.array_equal(one[name], two[name], equal_nan=True), name
    assert written == 2 * [len(one["Events/event"])]
    assert written[0] > 50
    events = one["Events/event"]
    assert len(np.unique(events)) == len(events)
    assert max(one["Events/hnlsim_generatorEvent"]) >= generator.BLOCK
    another = replace(HNL10, n_events=100, seed=6)
    sample.make(another, tmp_path / "other.root", workers=1)
    assert not set(content(tmp_path / "other.root")["Events/PV_z"]) & set(one["Events/PV_z"])


@pytest.mark.usefixtures("small_libraries")
def test_a_block_is_measured_at_once() -> None:
    """Which changes nothing: each batch of the generator measured by itself gives the same events."""
    request = replace(HNL10, n_events=300)
    block, sums = sample.one_block(request, 0)
    batches = list(generator.generate_block("hnl", 300, request.seed, 0, request.options))
    assert len(batches) > 1
    assert sums.count == sum(batch.n_generated for batch in batches) == 300
    alone = detector.join(
        [detector.simulate(b.table, sample._libraries(), request.detector_seed, preselect=True) for b in batches]
    )
    keep = sample.preselected(alone)
    assert keep.sum() > 20
    for name, column in alone.items():
        assert ak.array_equal(column[keep], block[name], equal_nan=True), name


@pytest.mark.usefixtures("small_libraries")
def test_everything_is_a_tree(tmp_path: Path) -> None:
    sample.make(replace(HNL10, n_events=20), tmp_path / "x.root")
    with uproot.open(tmp_path / "x.root") as root:
        assert set(root.classnames().values()) == {"TTree"}


@pytest.mark.usefixtures("small_libraries")
@pytest.mark.parametrize(("process", "reseeds"), [("qcd_bb", 3), ("zgamma", 1)])
def test_sums_are_of_all_generated_events(tmp_path: Path, process: str, reseeds: int) -> None:
    """Neither filter nor preselection nor reseeds change them."""
    path = tmp_path / "x.root"
    written = sample.make(Request(process, 300, 2, None, reseeds, True), path)
    batches = list(generation.generate(process, 300, 2))
    (runs,) = (dict(zip(("count", "sumw", "sumw2"), values, strict=True)) for values in _runs(path))
    assert runs["count"] == sum(batch.n_generated for batch in batches) == 300
    assert runs["sumw"] == pytest.approx(sum(batch.sum_w for batch in batches), rel=1e-12)
    assert runs["sumw2"] == pytest.approx(sum(batch.sum_w2 for batch in batches), rel=1e-12)
    assert written < 150


@pytest.mark.usefixtures("small_libraries")
def test_reseeds_share_the_weight(tmp_path: Path) -> None:
    """Each of r copies has weight / r, so that expected yields are those without reseeds."""
    paths = {reseeds: tmp_path / f"{reseeds}.root" for reseeds in (1, 4)}
    for reseeds, path in paths.items():
        sample.make(replace(HNL10, n_events=250, reseeds=reseeds), path)
    assert _runs(paths[1]) == _runs(paths[4])
    once, copies = (content(path) for path in paths.values())
    assert set(once["Events/genWeight"]) == {1.0}
    assert set(copies["Events/genWeight"]) == {0.25}
    first = copies["Events/event"] % 16 == 0
    assert set(copies["Events/event"][first]) == set(once["Events/event"])
    total, error = np.sum(copies["Events/genWeight"]), np.sqrt(len(once["Events/event"]))
    assert total == pytest.approx(len(once["Events/event"]), abs=4 * error)


@pytest.mark.usefixtures("small_libraries")
def test_particles_of_every_jet(tmp_path: Path) -> None:
    """`zmumu` stores the particles of all jets; elsewhere those of jets near displaced leptons alone."""
    stored = {}
    for process in ("zmumu", "zjets"):
        sample.make(Request(process, 60, 3), tmp_path / f"{process}.root")
        stored[process] = ak.mean(content(tmp_path / f"{process}.root")["Events/JetPFCands_pFCandsIdx"] >= 0)
    assert stored["zmumu"] > 0.99
    assert not stored["zjets"] > 0.9


def _runs(path: Path) -> list[tuple[float, ...]]:
    runs = content(path)
    return list(zip(*(runs[f"Runs/genEvent{name}"].tolist() for name in ("Count", "Sumw", "Sumw2")), strict=True))


PROMPT = {"pt": 28.1, "dxy": -0.029, "pfRelIso03_all": 0.149, "mediumId": True, "looseId": True, "svIdx": -1}
DISPLACED = {"pt": 6.6, "dxy": -0.0181, "pfRelIso03_all": 9.0, "mediumId": False, "looseId": True, "svIdx": 0}
PATHS = ("HLT_IsoMu24", "HLT_Ele27_WPTight_Gsf", "HLT_Ele32_WPTight_Gsf")
SHOWER_LOOSE = sum(2 << 3 * i for i in range(7))  # of ten cuts of three bits; isolation and the last two not passed


def preselected(muons: list[dict[str, Any]], electrons: list[dict[str, Any]], fired: tuple[str, ...] = PATHS) -> bool:
    block: dict[str, Any] = {path: np.array([path in fired]) for path in PATHS}
    electron_names = ["pt", "dxy", "pfRelIso03_all", "mvaIso_WP90", "vidNestedWPBitmap", "svIdx"]
    names = {"Muon": [*PROMPT], "Electron": electron_names}
    kinds = {"pt": float, "dxy": float, "pfRelIso03_all": float, "vidNestedWPBitmap": int, "svIdx": int}
    for collection, leptons in (("Muon", muons), ("Electron", electrons)):
        columns: dict[str, Any] = {
            name: np.array([lepton[name] for lepton in leptons], kinds.get(name, bool)) for name in names[collection]
        }
        block[collection] = ak.unflatten(ak.zip(columns), [len(leptons)])
    return bool(sample.preselected(block)[0])


def electron(muon: dict[str, Any], wp90: bool, vid: int) -> dict[str, Any]:
    return {name: muon[name] for name in ("pt", "dxy", "pfRelIso03_all", "svIdx")} | {
        "mvaIso_WP90": wp90,
        "vidNestedWPBitmap": vid,
    }


@pytest.mark.parametrize(
    ("prompt", "displaced", "expected"),
    [
        ({}, {}, True),
        ({"pt": 27.9}, {}, False),
        ({"dxy": 0.031}, {}, False),
        ({"pfRelIso03_all": 0.151}, {}, False),
        ({"mediumId": False}, {}, False),
        ({}, {"pt": 6.4}, False),
        ({}, {"dxy": 0.0179}, False),
        ({}, {"looseId": False}, False),
        ({}, {"svIdx": -1}, False),
        ({"svIdx": 0}, {"svIdx": -1}, False),
        ({"svIdx": 0}, {"svIdx": 3}, True),
        ({"dxy": 0.02}, {"pt": 40, "dxy": 0.02, "mediumId": True, "pfRelIso03_all": 0.0}, False),  # both prompt-like
    ],
)
def test_thresholds_of_the_preselection(prompt: dict[str, Any], displaced: dict[str, Any], expected: bool) -> None:
    assert preselected([PROMPT | prompt, DISPLACED | displaced], []) is expected


def test_any_trigger_will_do_for_the_preselection() -> None:
    assert all(preselected([PROMPT, DISPLACED], [], (path,)) for path in PATHS)
    assert not preselected([PROMPT, DISPLACED], [], ())


@pytest.mark.usefixtures("small_libraries")
def test_preselection_keeps_every_candidate(tmp_path: Path) -> None:
    """The selection finds the same candidates, of the same expected yield, with it and without."""
    entries = []
    for name, preselect in (("all", False), ("chosen", True)):
        request = replace(HNL10, n_events=400, preselect=preselect)
        sample.make(request, tmp_path / f"{name}.root")
        entries += yaml.safe_load(sample.catalogue_entry(request, tmp_path / f"{name}.root"))
    listing = tmp_path / "catalogue.yaml"
    listing.write_text(yaml.safe_dump({"eras": {"E": ERA}, "datasets": [entry | {"era": "E"} for entry in entries]}))
    selected = select.run(listing, tmp_path / "out", execution=ExecutionOptions("iterative"))
    every, chosen = (selected.candidates(name) for name in ("all", "chosen"))
    lost = set(every["event"]) - set(chosen["event"])
    assert set(chosen["event"]) <= set(every["event"])
    assert len(every["event"]) > 15
    assert len(lost) <= 1  # of pileup or the underlying event, see docs/simulation.md
    assert len({selected.scale(selected.catalogue.dataset(name)) for name in ("all", "chosen")}) == 1


def test_preselection_of_electrons() -> None:
    """Loose or tighter in the seven cuts on shower and track matching; isolation, conversions and hits do not count."""
    l1, l2 = electron(PROMPT, True, 0), electron(DISPLACED, False, SHOWER_LOOSE)
    assert preselected([], [l1, l2])
    assert preselected([PROMPT], [l2])
    assert preselected([DISPLACED], [l1])
    assert preselected([PROMPT], [l2 | {"vidNestedWPBitmap": sum(4 << 3 * i for i in range(7))}])
    assert not preselected([PROMPT], [l2 | {"vidNestedWPBitmap": SHOWER_LOOSE - (2 << 6) + (1 << 6)}])  # veto only
    assert not preselected([DISPLACED], [l1 | {"mvaIso_WP90": False}])
    assert not preselected([PROMPT], [])
    assert not preselected([], [])


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers in /proc")
@pytest.mark.usefixtures("small_libraries")
@pytest.mark.parametrize("whole_group", [True, False], ids=["Ctrl-C", "kill -INT"])
def test_nothing_is_left_of_an_interrupted_sample(tmp_path: Path, whole_group: bool) -> None:
    command = [sys.executable, "-m", "hnl.cli", "simulate", "wjets", "-n", "200000", "-o", str(tmp_path / "x.root")]
    command += ["--preselect", "--workers", "2"]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while len(workers := children(process.pid)) < 3 or not list(tmp_path.glob(".*.part")):  # with their tracker
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(1)
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
        process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130
    assert not list(tmp_path.iterdir())
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{worker}/exe").exists() for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_output_exists(tmp_path: Path) -> None:
    path = tmp_path / "x.root"
    path.write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        sample.make(HNL10, path)
    assert path.read_text() == "precious"
    with pytest.raises(InputError, match="no folder"):
        sample.make(HNL10, tmp_path / "nowhere" / "x.root")


@pytest.mark.usefixtures("small_libraries")
def test_a_sample_goes_through_the_selection(tmp_path: Path) -> None:
    """Its catalogue entry lacks only the era. The signal is where it belongs: m_SV near m_N from below, as neutral
    particles are missing, and 50 < m(l1, SV) < 85 GeV."""
    requests = {"hnl3": replace(HNL10, options=SignalOptions(3, "mu", ctau=8)), "hnl10": HNL10}
    entries = []
    for name, request in requests.items():
        sample.make(request, tmp_path / f"{name}.root")
        entries += yaml.safe_load(sample.catalogue_entry(request, tmp_path / f"{name}.root"))
    background = Request("wjets", 10, 1)
    entries += yaml.safe_load(sample.catalogue_entry(background, tmp_path / "wjets.root"))
    sample.make(background, tmp_path / "wjets.root")
    listing = tmp_path / "catalogue.yaml"
    listing.write_text(yaml.safe_dump({"eras": {"E": ERA}, "datasets": [entry | {"era": "E"} for entry in entries]}))
    loaded = catalogue.load(listing)
    assert [dataset.kind for dataset in loaded.datasets] == ["signal", "signal", "background"]
    assert loaded.datasets[1].signal is not None
    assert (loaded.datasets[1].signal.mass, loaded.datasets[1].signal.ctau) == (10, 7)
    assert loaded.datasets[1].signal.v2_mu == pytest.approx(5.57e-7, rel=0.02)
    selected = select.run(listing, tmp_path / "out", execution=ExecutionOptions("iterative"))
    for name, request in requests.items():
        columns = selected.candidates(name)
        assert request.options is not None
        assert len(columns["m_sv"]) > 15
        assert np.mean(columns["m_sv"] < 1.05 * request.options.mass) > 0.9
        assert np.median(columns["m_sv"]) > 0.4 * request.options.mass
        assert np.mean((columns["m_l1_sv"] > 50) & (columns["m_l1_sv"] < 85)) > 0.7
