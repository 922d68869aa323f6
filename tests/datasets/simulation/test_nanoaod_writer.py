"""Files: types as in real NanoAOD, readable by coffea without a warning, whole or not there."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from coffea.nanoevents import NanoAODSchema, NanoEventsFactory
from toy_particles import minimum_bias, signal

from hnl.datasets.simulation import detector, nanoaod_writer, overlay
from hnl.datasets.simulation.nanoaod_format import TRUTH, TRUTH_FIELDS
from hnl.datasets.simulation.nanoaod_writer import RunSums
from hnl.errors import InputError

REAL = Path(os.environ.get("HNL_REAL_NANOAOD", Path(__file__).parents[4] / "shared" / "data" / "nanoaod"))
REAL_FILE = REAL / "data_v13_egamma_2022.root"


@pytest.fixture(scope="module")
def blocks() -> list[detector.Block]:
    libraries = overlay.Libraries.from_events(minimum_bias())
    return [detector.simulate(signal(40, first=start), libraries, seed=1, reseeds=2) for start in (0, 40)]


@pytest.fixture(scope="module")
def files(blocks: list[detector.Block], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("nanoaod")
    paths = {"simulation": folder / "mc.root", "data": folder / "data.root"}
    nanoaod_writer.write(paths["simulation"], blocks, RunSums(100, 100.0, 120.0))
    nanoaod_writer.write(paths["data"], blocks, RunSums(0, 0.0, 0.0), kind="data", run=297050)
    return paths


@pytest.mark.skipif(not REAL_FILE.exists(), reason=f"real NanoAOD not found in {REAL}; set HNL_REAL_NANOAOD")
def test_types_are_those_of_real_nanoaod(files: dict[str, Path]) -> None:
    """Every branch that NanoAOD v13 has too has the same type there."""
    with uproot.open(files["data"]) as ours, uproot.open(REAL_FILE) as real:
        shared = set(ours["Events"].keys()) & set(real["Events"].keys())
        assert len(shared) > 100
        for name in shared:
            assert ours["Events"][name].typename == real["Events"][name].typename, name


@pytest.mark.parametrize("kind", ["simulation", "data"])
@pytest.mark.parametrize("mode", ["virtual", "eager"])
def test_opens_in_nanoevents(files: dict[str, Path], blocks: list[detector.Block], kind: str, mode: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        events = NanoEventsFactory.from_root({files[kind]: "Events"}, schemaclass=NanoAODSchema, mode=mode).events()
        assert len(events) == 160
        both = ak.concatenate([block["Muon"].pt for block in blocks])
        assert ak.all(events.Muon.pt == both, axis=None)
        assert ak.all(events.SV.p4.pt > 0, axis=None)
        if kind == "simulation":
            assert ak.any(events.Muon.matched_gen.pdgId == 13, axis=None)


def test_data_know_no_truth(files: dict[str, Path]) -> None:
    with uproot.open(files["data"]) as file:
        branches = set(file["Events"].keys())
        assert file["Runs"].keys() == ["run"]
        assert set(file["Events"]["run"].array()) == {297050}
    for name in branches:
        assert name not in TRUTH
        assert not name.lower().startswith(("gen", "ngen", "pileup", "hnlsim"))
        assert name.partition("_")[2] not in TRUTH_FIELDS


def test_other_trees(files: dict[str, Path]) -> None:
    with uproot.open(files["simulation"]) as file:
        runs, lumis = file["Runs"].arrays(), file["LuminosityBlocks"].arrays()
        assert runs.tolist() == [{"run": 1, "genEventCount": 100, "genEventSumw": 100.0, "genEventSumw2": 120.0}]
        assert file["Runs"]["genEventCount"].typename.endswith("int64_t")
        assert lumis.tolist() == [{"run": 1, "luminosityBlock": 1}]
        assert file.file.compression == uproot.ZSTD(nanoaod_writer.ZSTD_LEVEL)


def test_sums() -> None:
    events = signal(5)
    events["weight"] = np.arange(5.0)
    assert RunSums.from_events(events) + RunSums(1, 2.0, 4.0) == RunSums(6, 12.0, 34.0)


def test_events_must_be_unique(blocks: list[detector.Block], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="written twice"):
        nanoaod_writer.write(tmp_path / "f.root", [blocks[0], blocks[0]], RunSums(1, 1.0, 1.0))
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing(blocks: list[detector.Block], tmp_path: Path) -> None:
    def interrupted() -> Iterator[detector.Block]:
        yield blocks[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nanoaod_writer.write(tmp_path / "f.root", interrupted(), RunSums(1, 1.0, 1.0))
    assert list(tmp_path.iterdir()) == []


def test_existing_files_are_kept(blocks: list[detector.Block], tmp_path: Path) -> None:
    path = tmp_path / "f.root"
    path.write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        nanoaod_writer.write(path, blocks, RunSums(1, 1.0, 1.0))
    assert path.read_text() == "precious"
    assert nanoaod_writer.write(path, blocks, RunSums(1, 1.0, 1.0), overwrite=True) == 160


def test_missing_folder(blocks: list[detector.Block], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        nanoaod_writer.write(tmp_path / "nowhere" / "f.root", blocks, RunSums(1, 1.0, 1.0))


def test_no_events_is_a_valid_file(blocks: list[detector.Block], tmp_path: Path) -> None:
    none = {name: array[:0] for name, array in blocks[0].items()}
    assert nanoaod_writer.write(tmp_path / "f.root", [none], lambda: RunSums(10, 10.0, 10.0)) == 0
    with uproot.open(tmp_path / "f.root") as file:
        assert file["Events"].num_entries == 0
        assert "Muon_pt" in file["Events"]
        assert file["Runs"]["genEventCount"].array()[0] == 10


def test_same_content_same_branches(blocks: list[detector.Block], tmp_path: Path) -> None:
    """Writing the events in other blocks gives the same content."""
    nanoaod_writer.write(tmp_path / "a.root", blocks, RunSums(1, 1.0, 1.0))
    nanoaod_writer.write(tmp_path / "b.root", [detector.join(blocks)], RunSums(1, 1.0, 1.0))
    with uproot.open(tmp_path / "a.root") as a, uproot.open(tmp_path / "b.root") as b:
        assert a["Events"].keys() == b["Events"].keys()
        assert ak.array_equal(a["Events"].arrays(), b["Events"].arrays())
