"""The shipped demo samples: complete, small, and with the signal where the search looks for it."""

from pathlib import Path

import numpy as np
import pytest

import hnl
from hnl.pipeline import selection as stage
from hnl.pipeline.selection import Selection
from hnl.selections.categories import FLAVOURS

DEMO = Path(hnl.__file__).parents[2] / "datasets" / "demo"
MAX_BYTES = 25_000_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Selection:
    return stage.select(DEMO / "demo.yaml", tmp_path_factory.mktemp("demo"), executor="iterative")


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
            flavours.append(candidates["category"] // 2)
            one_jet += int((candidates["n_jets"] == 1).sum())
    weight, flavour = np.concatenate(weights), np.concatenate(flavours)
    assert len(weight) >= 3000
    assert one_jet >= 900
    for i, name in enumerate(FLAVOURS):
        w = weight[flavour == i]
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
