"""Pseudo-data: a Poisson draw that knows no truth."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from toy_particles import minimum_bias, signal

from hnl.datasets.simulation import detector, nanoaod_writer, overlay, pseudodata
from hnl.datasets.simulation.nanoaod_format import TRUTH, TRUTH_FIELDS
from hnl.datasets.simulation.nanoaod_writer import RunSums
from hnl.errors import InputError

N = 120


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two samples of N events, half of the first with twice the weight; 10 N events were generated for each."""
    folder = tmp_path_factory.mktemp("samples")
    libraries = overlay.Libraries.from_events(minimum_bias())
    paths = []
    for i, first in enumerate((0, N)):
        block = detector.simulate(signal(N, first=first, seed=7 + i), libraries, seed=1)
        weight = np.where((np.arange(N) < N / 2) & (i == 0), 2.0, 1.0).astype(np.float32)
        paths.append(folder / f"{i}.root")
        nanoaod_writer.write(paths[-1], [block | {"genWeight": weight}], RunSums(10 * N, 10.0 * N, 10.0 * N))
    return paths


def drawn(path: Path) -> ak.Array:
    with uproot.open(path) as root:
        return root["Events"].arrays()


def test_each_event_comes_a_poisson_number_of_times(samples: list[Path], tmp_path: Path) -> None:
    """Expected: cross section x luminosity x weight / sum of weights."""
    path = tmp_path / "data.root"
    luminosity = 2.0
    written = pseudodata.draw([(samples[0], 2.4), (samples[1], 6.0)], luminosity, path, seed=1)
    events = drawn(path)
    assert written == len(events)
    known = np.concatenate([np.asarray(drawn(sample)["PV_z"]) for sample in samples])
    times = np.sum(known[:, None] == np.asarray(events["PV_z"]), axis=1)
    assert times.sum() == written
    one = luminosity * 1000 / (10 * N)
    expected = np.concatenate([np.repeat([2 * 2.4 * one, 2.4 * one], N // 2), np.full(N, 6.0 * one)])
    for part in (slice(0, N // 2), slice(N // 2, N), slice(N, 2 * N)):
        mean = expected[part].sum()
        assert times[part].sum() == pytest.approx(mean, abs=4 * np.sqrt(mean))
    chi2 = np.sum((times - expected) ** 2 / expected)
    assert chi2 == pytest.approx(2 * N, abs=4 * np.sqrt(4 * N + np.sum(1 / expected)))  # the variance is Poisson's


def test_events_are_numbered_anew_and_shuffled(samples: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "data.root"
    pseudodata.draw([(samples[0], 2.4), (samples[1], 2.4)], 2.0, path, seed=1, run=7)
    events = drawn(path)
    assert events["event"].tolist() == list(range(1, len(events) + 1))
    assert set(events["run"]) == {7}
    from_first = np.isin(np.asarray(events["PV_z"]), np.asarray(drawn(samples[0])["PV_z"]))
    assert 0.4 < from_first[: len(events) // 2].mean() < 0.9  # 0.6 of all
    muons = {z: pt.tolist() for z, pt in zip(events["PV_z"].tolist(), events["Muon_pt"], strict=True)}
    original = drawn(samples[1])
    for z, pt in zip(original["PV_z"].tolist(), original["Muon_pt"], strict=True):
        assert z not in muons or muons[z] == pt.tolist()


def test_no_truth(samples: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "data.root"
    pseudodata.draw([(samples[0], 1.0)], 1.0, path, seed=1)
    with uproot.open(path) as root:
        branches = set(root["Events"].keys())
        assert root["Runs"].keys() == ["run"]
    assert not branches & TRUTH
    assert not [name for name in branches if name.split("_")[0] in TRUTH or name.partition("_")[2] in TRUTH_FIELDS]
    assert not [name for name in branches if "gen" in name.lower() or "hnlsim" in name]
    assert {"Muon_pt", "SV_dlen", "JetPFCands_pFCandsIdx", "HLT_IsoMu24", "PV_z"} <= branches


def test_same_seed_same_draw(samples: list[Path], tmp_path: Path) -> None:
    results = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        pseudodata.draw([(samples[0], 1.0)], 1.0, tmp_path / f"{name}.root", seed)
        results.append(drawn(tmp_path / f"{name}.root")["PV_z"].tolist())
    assert results[0] == results[1] != results[2]


def test_negative_weights_are_refused(samples: list[Path], tmp_path: Path) -> None:
    libraries = overlay.Libraries.from_events(minimum_bias())
    block = detector.simulate(signal(3), libraries, seed=1)
    bad = tmp_path / "bad.root"
    nanoaod_writer.write(bad, [block | {"genWeight": np.array([1, -0.5, 1], np.float32)}], RunSums(3, 1.5, 2.25))
    with pytest.raises(InputError, match=r"bad\.root: the weight -0\.5 is negative"):
        pseudodata.draw([(samples[0], 1.0), (bad, 1.0)], 1.0, tmp_path / "data.root", seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.root"]


def test_output_exists(samples: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "data.root"
    path.write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        pseudodata.draw([(samples[0], 1.0)], 1.0, path, seed=1)
    assert path.read_text() == "precious"
