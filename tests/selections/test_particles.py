"""Summaries of the particles of a jet, by hand."""

from typing import Any

import awkward as ak
import numpy as np
import pytest

from hnl.selections import particles


def track(pt: float, d0: float, error: float = 0.01, charge: int = 1) -> dict[str, Any]:
    """A particle of a jet."""
    return {"pt": pt, "d0": d0, "d0Err": error, "charge": charge}


def summary(*jets: list[dict[str, Any]]) -> dict[str, Any]:
    """`particles.summaries` as numpy arrays."""
    return {name: ak.to_numpy(values) for name, values in particles.summaries(ak.Array(list(jets))).items()}


def test_by_hand() -> None:
    """Significances 50, 5, 1; neutral particles and tracks without uncertainty are left out."""
    jet = [track(10, -0.5), track(5, 0.05), track(5, 0.01), track(99, 9, charge=0), track(99, 9, error=-1)]
    found = summary(jet)
    assert found["n_displaced"].tolist() == [2]
    assert found["displaced_pt_fraction"] == pytest.approx([0.75])
    assert found["mean_significance"] == pytest.approx([(500 + 25 + 5) / 20])
    assert found["second_significance"] == pytest.approx([5])


def test_threshold() -> None:
    """Displaced is above 3 standard deviations, either sign."""
    found = summary([track(1, 0.0301)], [track(1, -0.0301)], [track(1, 0.0299)], [track(1, -0.0299)])
    assert found["n_displaced"].tolist() == [1, 1, 0, 0]


def test_too_few_tracks() -> None:
    """One track has no second; without tracks nothing is defined but the number."""
    found = summary([track(2, 0.1)], [track(5, 1.0, charge=0)], [])
    assert found["n_displaced"].tolist() == [1, 0, 0]
    assert np.isnan(found["second_significance"]).tolist() == [True, True, True]
    assert np.isnan(found["mean_significance"]).tolist() == [False, True, True]
    assert np.isnan(found["displaced_pt_fraction"]).tolist() == [False, True, True]


def test_of_jet() -> None:
    """Links are followed: jetIdx to the jet of the file, pFCandsIdx to the particle."""
    links = ak.Array(
        [
            [{"jetIdx": 0, "pFCandsIdx": 2}, {"jetIdx": 1, "pFCandsIdx": 0}, {"jetIdx": 1, "pFCandsIdx": 3}],
            [{"jetIdx": 0, "pFCandsIdx": 0}],
        ]
    )
    candidates = ak.Array([[{"pt": 0.0}, {"pt": 1.0}, {"pt": 2.0}, {"pt": 3.0}], [{"pt": 4.0}]])
    assert particles.of_jet(ak.Array([1, 0]), links, candidates).pt.tolist() == [[0.0, 3.0], [4.0]]
    assert particles.of_jet(ak.Array([2, 1]), links, candidates).pt.tolist() == [[], []]


def candidate(eta: float, phi: float, pdg_id: int, hits: int) -> dict[str, Any]:
    """A particle with pixel hits."""
    return {"eta": eta, "phi": phi, "pdgId": pdg_id, "numberOfPixelHits": hits}


def test_pixel_hits() -> None:
    """Of the nearest particle of its flavour within 0.02, also across pi; NaN if there is none."""
    l2 = ak.Array([{"eta": 0.0, "phi": 3.14, "flavour": f} for f in (13, 13, 11, 13, 13)])
    found = particles.pixel_hits(
        l2,
        ak.Array(
            [
                [candidate(0.015, 3.14, 13, 1), candidate(0.0, -3.1361, -13, 4), candidate(0.0, 3.14, 211, 3)],
                [candidate(0.0, 3.14, 211, 3)],
                [candidate(0.0, 3.14, 13, 3), candidate(0.0199, 3.14, -11, 2)],
                [candidate(0.0201, 3.14, 13, 3)],
                [],
            ]
        ),
    )
    assert ak.to_numpy(found) == pytest.approx([4, np.nan, 2, np.nan, np.nan], nan_ok=True)
