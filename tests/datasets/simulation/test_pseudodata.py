"""Pseudo-data: a draw without repetition, that knows no truth."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from hypothesis import given
from hypothesis import strategies as st
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


def test_events_come_once_at_most_and_as_often_as_expected(samples: list[Path], tmp_path: Path) -> None:
    """Expected: cross section x luminosity x weight / sum of weights."""
    path = tmp_path / "data.root"
    luminosity = 2.0
    written = pseudodata.draw([(samples[0], 0.24), (samples[1], 0.5)], luminosity, path, seed=1)
    events = drawn(path)
    assert written == len(events)
    known = np.concatenate([np.asarray(drawn(sample)["PV_z"]) for sample in samples])
    times = np.sum(known[:, None] == np.asarray(events["PV_z"]), axis=1)
    assert times.sum() == written
    assert times.max() == 1
    one = luminosity * 1000 / (10 * N)
    for part, mean in (
        (slice(0, N // 2), 2 * 0.24 * one),
        (slice(N // 2, N), 0.24 * one),
        (slice(N, 2 * N), 0.5 * one),
    ):
        n = len(times[part])
        assert times[part].sum() == pytest.approx(n * mean, abs=4 * np.sqrt(n * mean * (1 - mean)))


GROUPS = st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=6), min_size=1, max_size=8)


@given(GROUPS, st.integers(0, 2**32 - 1))
def test_copies_share_their_number(groups: list[list[float]], seed: int) -> None:
    """Of each group as many as expected, rounded up or down; in any order of the events."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(groups)), [len(one) for one in groups])
    expected = np.concatenate(groups)
    shuffle = rng.permutation(len(group))
    chosen = pseudodata.drawn(expected[shuffle], group[shuffle], rng)
    number = np.bincount(group[shuffle], chosen, len(groups))
    total = np.array([sum(one) for one in groups])
    assert np.all(np.abs(number - total) < 1 + 1e-9)


def test_each_copy_has_its_probability() -> None:
    expected, n = np.array([0.2, 0.5, 0.9, 0.05]), 5000
    rng = np.random.default_rng(8)
    chosen = pseudodata.drawn(np.tile(expected, n), np.repeat(np.arange(n), 4), rng).reshape(n, 4)
    error = np.sqrt(expected * (1 - expected) / n)
    assert np.all(np.abs(chosen.mean(axis=0) - expected) < 4 * error)
    assert set(chosen.sum(axis=1)) == {1, 2}  # 1.65 are expected


def test_an_event_that_stands_for_several_is_refused(samples: list[Path], tmp_path: Path) -> None:
    """The first half has twice the weight: 2 x 1000 / 1200."""
    with pytest.raises(InputError, match=r"0\.root: an event stands for 1\.67 events of 1 /fb"):
        pseudodata.draw([(samples[0], 1.0)], 1.0, tmp_path / "data.root", seed=1)
    assert not list(tmp_path.iterdir())


def test_events_are_numbered_anew_and_shuffled(samples: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "data.root"
    pseudodata.draw([(samples[0], 0.29), (samples[1], 0.29)], 2.0, path, seed=1, run=7)
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
    pseudodata.draw([(samples[0], 0.5)], 1.0, path, seed=1)
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
        pseudodata.draw([(samples[0], 0.5)], 1.0, tmp_path / f"{name}.root", seed)
        results.append(drawn(tmp_path / f"{name}.root")["PV_z"].tolist())
    assert results[0] == results[1] != results[2]


def test_negative_weights_are_refused(samples: list[Path], tmp_path: Path) -> None:
    libraries = overlay.Libraries.from_events(minimum_bias())
    block = detector.simulate(signal(3), libraries, seed=1)
    bad = tmp_path / "bad.root"
    nanoaod_writer.write(bad, [block | {"genWeight": np.array([1, -0.5, 1], np.float32)}], RunSums(3, 1.5, 2.25))
    with pytest.raises(InputError, match=r"bad\.root: the weight -0\.5 is negative"):
        pseudodata.draw([(samples[0], 0.5), (bad, 1.0)], 1.0, tmp_path / "data.root", seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.root"]


def test_output_exists(samples: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "data.root"
    path.write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        pseudodata.draw([(samples[0], 0.5)], 1.0, path, seed=1)
    assert path.read_text() == "precious"
