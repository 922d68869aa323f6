"""The VID bitmap: the layout of real NanoAOD, and agreement with the other branches."""

import awkward as ak
import numpy as np
import pytest
from toy_particles import minimum_bias, signal

from hnl.datasets.simulation import detector, electrons, overlay

SHIFT = {name: 3 * i for i, name in enumerate(electrons.VID_CUTS)}


@pytest.fixture(scope="module")
def electron() -> ak.Array:
    """Flat electrons of toy events."""
    block = detector.simulate(
        signal(600, lepton=11, distance=0.5), overlay.Libraries.from_events(minimum_bias()), seed=1
    )
    return ak.flatten(block["Electron"][np.arange(600) % 4 != 3])  # the others were made not isolated


def _level(bitmap: np.ndarray, name: str) -> np.ndarray:
    return np.asarray(bitmap) >> SHIFT[name] & 7


def test_layout() -> None:
    """All tight is 0x24924924, as in real files; failing only the conversion veto is 0x20924924."""
    levels = np.full((2, 10), 4)
    levels[1, electrons.VID_CUTS.index("ConversionVeto")] = 0
    assert electrons.pack(levels).tolist() == [0x24924924, 0x20924924]


def test_levels_are_nested() -> None:
    """0.0112 is the loose limit of the shower width in the barrel; the endcap's is four times as large."""
    value, eta = np.array([0.0111, 0.0113, 0.0127, 0.0111, 0.0103]), np.array([0.0, 0.0, 0.0, 2.0, 1.0])
    cuts = electrons.SHAPE_CUTS["Full5x5SigmaIEtaIEta"]
    assert electrons.level(value, eta, cuts, np.zeros(5)).tolist() == [2, 1, 0, 4, 4]


def test_bitmap_agrees_with_the_branches(electron: ak.Array) -> None:
    bitmap = electron.vidNestedWPBitmap
    np.testing.assert_array_equal(_level(bitmap, "ConversionVeto") == 4, electron.convVeto)
    barrel = np.abs(electron.eta) < 1.479
    np.testing.assert_array_equal((_level(bitmap, "MissingHits") >= 2), electron.lostHits <= 1)
    assert np.all(_level(bitmap, "MissingHits")[barrel & (electron.lostHits > 2)] == 0)
    limit = np.where(barrel, 0.112 + 0.506 / electron.pt, 0.108 + 0.963 / electron.pt)
    clear = np.abs(electron.pfRelIso03_all - limit) > 1e-3
    np.testing.assert_array_equal((_level(bitmap, "RelPFIso") >= 2)[clear], (electron.pfRelIso03_all < limit)[clear])
    levels = np.stack([_level(bitmap, name) for name in electrons.VID_CUTS])
    np.testing.assert_array_equal(levels.min(axis=0), electron.cutBased)


def test_prompt_efficiency_is_about_90_percent(electron: ak.Array) -> None:
    """Section 4: both IDs have 90 %; the sequential one is taken at its loose working point."""
    prompt = electron[(electron.pt > 30) & (np.abs(electron.dxy) < 0.02)]
    assert ak.mean(prompt.cutBased >= 2) == pytest.approx(0.90, abs=0.06)
    assert ak.mean(prompt.mvaIso_WP90) == pytest.approx(0.90, abs=0.06)
