"""The true decay of N, by hand."""

from typing import Any

import awkward as ak
import numpy as np
import pytest

from hnl.selections import truth

N = 9900012
M_N = 8.0  # of the catalogue


def particle(pdg_id: int, mother: int, at: tuple[float, float, float] = (0, 0, 0), **p: float) -> dict[str, Any]:
    """A generated particle produced at `at` (cm)."""
    row = {"pdgId": pdg_id, "genPartIdxMother": mother, "pt": 10.0, "eta": 0.0, "phi": 0.0, "mass": 0.0}
    return row | dict(zip(("vx", "vy", "vz"), map(float, at), strict=True)) | p


def decay(*events: list[dict[str, Any]]) -> dict[str, list[float]]:
    """`truth.decay` of some events, the first of which has at least one particle."""
    return {name: np.asarray(values).tolist() for name, values in truth.decay(ak.Array(list(events)), M_N).items()}


def chain(l1: int, hnl: int, l2: int, *, copies: int = 1, **p: float) -> list[dict[str, Any]]:
    """W -> l1 N, N (possibly listed several times) -> l2 q q at (3.1, 4.2, 12.3), from (0.1, 0.2, 0.3)."""
    start, end = (0.1, 0.2, 0.3), (3.1, 4.2, 12.3)
    rows = [particle(24, -1), particle(l1, 0, start)]
    rows += [particle(hnl, 0 if i == 0 else 1 + i, start, mass=6.0, **p) for i in range(copies)]
    rows += [particle(2, 1 + copies, end), particle(l2, 1 + copies, end), particle(-1, 1 + copies, end)]
    return rows


@pytest.mark.parametrize("hnl", [9900012, -9900012, 9900014, 9900016, 9990012])
@pytest.mark.parametrize("copies", [1, 2, 3])
def test_decay_by_hand(hnl: int, copies: int) -> None:
    """A flight of (3, 4, 12) cm: 5 cm, 13 cm, and c tau = L m / p in mm."""
    found = decay(chain(-13, hnl, 11, copies=copies, pt=20.0, eta=1.0))
    assert found["delta_2d"] == pytest.approx([5])
    assert found["delta_3d"] == pytest.approx([13])
    assert found["ctau"] == pytest.approx([130 * 6 / (20 * np.cosh(1))])


@pytest.mark.parametrize(
    ("l1", "l2", "same"),
    [(-13, 11, 0), (-13, -11, 1), (11, 13, 1), (11, -11, 0), (13, -13, 0), (-11, -13, 1), (-15, 13, 0), (15, 15, 1)],
)
@pytest.mark.parametrize("copies", [1, 2])
def test_charges(l1: int, l2: int, same: int, copies: int) -> None:
    """LNV decays have leptons of one charge."""
    assert decay(chain(l1, N, l2, copies=copies))["same_sign"] == [same]


def test_without_lepton_number() -> None:
    """N -> nu q q: the charge is not known, the flight is."""
    found = decay(chain(-13, N, 12))
    assert np.isnan(found["same_sign"]).all()
    assert found["delta_3d"] == pytest.approx([13])


def test_events_without_decay() -> None:
    """No N, N that does not decay, no particles: NaN, and neighbours are not touched."""
    undecayed = [particle(24, -1), particle(-13, 0), particle(N, 0, mass=6.0)]
    found = decay(chain(-13, N, 11), [particle(13, -1)], undecayed, [], chain(13, N, 13))
    for name, values in found.items():
        assert np.isnan(values).tolist() == [False, True, True, True, False], name


def test_a_mass_that_is_not_kept() -> None:
    """That of the catalogue takes its place; one that is kept is used."""
    rows = chain(-13, N, 11, pt=20.0)
    assert decay(rows)["ctau"] == pytest.approx([130 * 6 / 20])
    for row in rows:
        row["mass"] = 0.0
    assert decay(rows)["ctau"] == pytest.approx([130 * M_N / 20])


def test_without_vertices_charges_are_known() -> None:
    rows = chain(-13, N, -11)
    for row in rows:
        row |= dict.fromkeys(("vx", "vy", "vz"), np.nan)
    found = decay(rows)
    assert found["same_sign"] == [1]
    assert all(np.isnan(found[name]).all() for name in ("ctau", "delta_2d", "delta_3d"))
