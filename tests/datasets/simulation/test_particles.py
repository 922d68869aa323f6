"""The particle table: contract and ancestry."""

import awkward as ak
import numpy as np
import pytest

from hnl.datasets.simulation import particles

# Event 0: a B meson (0) to a muon (1) and a D (2), which decays to a kaon (3) and an electron (4); a photon (5).
# Event 1 is empty. Event 2: two unrelated pions.
COUNTS = [6, 0, 2]
COLUMNS = {
    "pdg_id": [521, -13, -421, 321, 11, 22, 211, -211],
    "status": [2, 1, 2, 1, 1, 1, 1, 1],
    "px": np.arange(8.0),
    "py": np.zeros(8),
    "pz": np.zeros(8),
    "energy": np.full(8, 10.0),
    "vx": [0, 0.1, 0.1, 0.3, 0.3, 0, 0, 0],
    "vy": np.zeros(8),
    "vz": np.zeros(8),
    "parent": [-1, 0, 0, 2, 2, -1, -1, -1],
}


def table(**changes: list) -> ak.Array:
    return particles.build(COUNTS, {**COLUMNS, **changes}, [10, 11, 12], [1.0, 0.5, 2.0])


def test_types_follow_the_contract() -> None:
    assert str(table().type) == (
        "3 * {event_id: int64, weight: float64, particles: var * {pdg_id: int32, status: int32, px: float64, "
        "py: float64, pz: float64, energy: float64, vx: float64, vy: float64, vz: float64, parent: int32}}"
    )


def test_ancestors() -> None:
    prt = table().particles
    b = particles.has_ancestor(prt, particles.has_flavour(prt.pdg_id, 5))
    d = particles.has_ancestor(prt, particles.has_flavour(prt.pdg_id, 4))
    assert b.tolist() == [[False, True, True, True, True, False], [], [False, False]]
    assert d.tolist() == [[False, False, False, True, True, False], [], [False, False]]


def test_ancestors_of_a_long_chain() -> None:
    n = 100
    columns = {name: np.zeros(n) for name in COLUMNS} | {"parent": np.arange(n) - 1, "status": np.full(n, 2)}
    prt = particles.build([n], columns, [0], [1.0]).particles
    found = particles.has_ancestor(prt, ak.Array([[i == 37 for i in range(n)]]))
    assert found.tolist() == [[i > 37 for i in range(n)]]


def test_children_and_parents() -> None:
    prt = table().particles
    to_electron = particles.has_child(prt, abs(prt.pdg_id) == 11)
    assert to_electron.tolist() == [[False, False, True, False, False, False], [], [False, False]]
    assert particles.parents(prt, "pdg_id").tolist() == [[0, 521, 521, -421, -421, 0], [], [0, 0]]


@pytest.mark.parametrize(
    ("pdg_id", "quark", "expected"),
    [
        (511, 5, True),
        (-5122, 5, True),
        (443, 4, True),
        (10411, 4, True),
        (310, 3, True),
        (211, 4, False),
        (5, 5, False),
        (4122, 5, False),
        (9900012, 5, False),
        (15, 5, False),
    ],
)
def test_flavour(pdg_id: int, quark: int, expected: bool) -> None:
    assert particles.has_flavour(np.array([pdg_id]), quark).tolist() == [expected]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parent": [-1, 0, 0, 4, 2, -1, -1, -1]}, "parent 4"),
        ({"parent": [0, 0, 0, 2, 2, -1, -1, -1]}, "parent 0"),
        ({"parent": [-1, 0, 0, 2, 2, -2, -1, -1]}, "parent -2"),
        ({"parent": [-1, 0, 0, 2, 2, -1, -1, 0]}, "stable particle"),
        ({"status": [2, 1, 2, 1, 1, 62, 1, 1]}, "status 62"),
        ({"px": [np.nan, *range(7)]}, "px has 1 non-finite"),
    ],
)
def test_broken_rules(changes: dict, message: str) -> None:
    with pytest.raises(particles.ParticleTableError, match=message):
        table(**changes)


def test_missing_and_mistyped_fields() -> None:
    good = table()
    with pytest.raises(particles.ParticleTableError, match="weight"):
        particles.validate(good[["event_id", "particles"]])
    with pytest.raises(particles.ParticleTableError, match="vz"):
        particles.build(COUNTS, {k: v for k, v in COLUMNS.items() if k != "vz"}, [0, 1, 2], [1, 1, 1])
    px = ak.values_astype(good.particles.px, "float32")
    wrong = ak.with_field(good, ak.with_field(good.particles, px, "px"), "particles")
    with pytest.raises(particles.ParticleTableError, match="px is float32"):
        particles.validate(wrong)


def test_concatenate() -> None:
    both = particles.concatenate([table(), table()])
    particles.validate(both)
    assert both.event_id.tolist() == [10, 11, 12, 10, 11, 12]
