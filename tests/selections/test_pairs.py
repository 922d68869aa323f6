"""Functions of two objects: masses, angles, nearest jet, vertices, triggers, categories."""

from math import asinh, cos, cosh, pi, sinh, sqrt
from typing import Any

import awkward as ak
import numpy as np
import pytest
import vector
from coffea.nanoevents.methods import vector as coffea_vector
from hypothesis import given
from hypothesis import strategies as st

from hnl.selections import events, jets, triggers, vertices
from hnl.selections.displaced import categories

P4 = ("pt", "eta", "phi", "mass")
momentum = st.tuples(
    st.floats(1, 500, width=32), st.floats(-2.5, 2.5, width=32), st.floats(-3.125, 3.125, width=32), st.just(0.0)
)


def vectors(rows: Any, **more: Any) -> Any:
    """Four-vectors (pt, eta, phi, mass) of single precision, as NanoAOD has them; nested lists make them jagged."""
    array = ak.Array(rows)
    columns = {name: ak.values_astype(array[..., str(i)], np.float32) for i, name in enumerate(P4)}
    return ak.zip(columns | more, with_name="PtEtaPhiMLorentzVector", behavior=coffea_vector.behavior)


def one(pt: float, eta: float, phi: float, mass: float = 0.0) -> Any:
    """One four-vector, in an array of one."""
    return vectors([(pt, eta, phi, mass)])


@given(momentum, momentum)
def test_mass_of_massless(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    """m^2 = 2 pt pt (cosh(delta eta) - cos(delta phi)), also for fast particles close to each other."""
    expected = sqrt(2 * a[0] * b[0] * max(cosh(a[1] - b[1]) - cos(a[2] - b[2]), 0))
    found = float(events.mass(one(*a), one(*b))[0])
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-4)


def test_mass_in_double_precision() -> None:
    """Forward leptons at 10 GeV: single precision would be off by a per mille of the threshold."""
    pt2 = 10**2 / (2 * 400 * (1 - cos(0.5)))
    found = events.mass(one(400, 2.35, 0.25), one(pt2, 2.35, -0.25))
    assert float(found[0]) == pytest.approx(10, rel=1e-6)


def test_mass_adds_masses_at_rest_to_each_other() -> None:
    """Two particles of one velocity: the sum of their masses."""
    assert float(events.mass(one(20, 0.5, 1, 4), one(10, 0.5, 1, 2))[0]) == pytest.approx(
        vector.obj(pt=20, eta=0.5, phi=1, mass=4).add(vector.obj(pt=10, eta=0.5, phi=1, mass=2)).mass, rel=1e-6
    )


@pytest.mark.parametrize(
    ("mass", "muons", "opposite", "passes"),
    [
        (84.99, True, True, True),
        (85.0, True, True, False),
        (90.0, True, True, False),
        (95.0, True, True, False),
        (95.01, True, True, True),
        (90.0, False, True, True),
        (90.0, True, False, True),
    ],
)
def test_z_window(mass: float, muons: bool, opposite: bool, passes: bool) -> None:
    """Table 2: the closed interval [85, 95] GeV, for OS dimuons only."""
    found = events.outside_z_window(np.array([mass]), np.array([muons]), np.array([opposite]))
    assert found.tolist() == [passes]


@given(st.floats(-3.125, 3.125, width=32), st.floats(-3.125, 3.125, width=32))
def test_separation_in_phi_is_symmetric(a: float, b: float) -> None:
    """|Delta phi| does not depend on the order, nor on where pi is."""
    first, second = one(10, 0, a), one(10, 0, b)
    distance = abs((a - b + pi) % (2 * pi) - pi)
    if abs(distance - 0.4) > 1e-5:
        assert events.separated_in_phi(first, second).tolist() == [distance > 0.4]
        assert events.separated_in_phi(second, first).tolist() == [distance > 0.4]


def test_good_jets() -> None:
    """pt > 20, |eta| < 2.4, ID: all three."""
    rows = [(20.1, 2.3, 0, 1), (19.9, 0, 0, 1), (30, -2.41, 0, 1), (30, -2.39, 0, 1), (30, 0, 0, 1)]
    collection = vectors([rows], passes_id=ak.Array([[True, True, True, True, False]]))
    assert jets.good_jets(collection).pt.tolist() == [[np.float32(20.1), 30.0]]


def test_nearest_jet() -> None:
    """By Delta R, across pi, None without jets; all others are marked."""
    collection = vectors([[(30, 0, 0, 1), (40, 0.5, -3.1, 1), (50, 1, 3.0, 1)], [(25, 0, 0, 1)], []][:2])
    collection = ak.concatenate([collection, collection[:1][:, :0]])
    l2 = vectors([(10, 0.5, 3.1, 0), (10, 2, 2, 0), (10, 0, 0, 0)])
    jet, others = jets.nearest_jet(l2, collection)
    assert jet.pt.tolist() == [40.0, 25.0, None]
    assert others.tolist() == [[True, False, True], [False], []]
    l1 = vectors([(40, 0, 0.39, 0), (40, 0, 0.41, 0), (40, 0, 0, 0)])
    assert jets.separated(l1, collection).tolist() == [[False, True, True], [True], []]


@given(st.lists(momentum, min_size=1, max_size=6), momentum, st.randoms(use_true_random=False))
def test_nearest_jet_in_any_order(rows: list[Any], l2: Any, random: Any) -> None:
    """The nearest jet is as near however the jets are ordered."""
    other = list(rows)
    random.shuffle(other)
    near, far = one(*l2), [jets.nearest_jet(one(*l2), vectors([r]))[0] for r in (rows, other)]
    assert far[0].deltaR(near).tolist() == far[1].deltaR(near).tolist()


def test_pt_rel() -> None:
    """At right angles all of it, along the jet none, either side the same."""
    jet = one(50, 0, 0)
    assert float(jets.pt_rel(one(3, 0, pi / 2), jet)[0]) == pytest.approx(3)
    assert float(jets.pt_rel(one(3, 0, pi / 6), jet)[0]) == pytest.approx(1.5)
    assert float(jets.pt_rel(one(3, 0, -pi / 6), jet)[0]) == pytest.approx(1.5)
    assert float(jets.pt_rel(one(3, 0, 0), jet)[0]) == pytest.approx(0)
    assert float(jets.pt_rel(one(3, 1, 0), jet)[0]) == pytest.approx(3 * sinh(1))


def test_displaced_vertices() -> None:
    """Both significances."""
    collection = ak.Array(
        [[{"dlenSig": a, "dxySig": b} for a, b in ((0.51, 2.51), (0.49, 9.0), (9.0, 2.49), (0.49, 2.49))], []]
    )
    assert vertices.displaced(collection).tolist() == [[True, False, False, False], []]


R = 10.0  # cm
PT_OF_R = 0.299792458 * 3.8 * R / 100  # GeV: p = 0.3 B r (r in m)


def secondary(*places: tuple[float, float, float]) -> Any:
    return ak.Array(
        [[{"position_x": x, "position_y": y, "position_z": z, "n": i} for i, (x, y, z) in enumerate(places)]]
    )


def lepton(**columns: float) -> Any:
    return ak.Array([{"pt": 1e6, "eta": 0.0, "phi": 0.0, "charge": 1, "dxy": 0.0, "dz": 0.0} | columns])


ORIGIN = ak.Array([{"x": 0.0, "y": 0.0, "z": 0.0}])


@pytest.mark.parametrize(
    ("l2", "place", "expected"),
    [
        ({}, (3, 0.25, 0), 0.25),
        ({"dxy": 0.1}, (3, 0.25, 0), 0.15),  # dxy is positive to the left
        ({"dxy": 0.1}, (3, -0.25, 0), 0.35),
        ({"dxy": 0.1, "phi": pi / 2}, (-0.25, 3, 0), 0.15),
        ({"dz": 0.4}, (3, 0, 0.1), 0.3),
        ({"eta": asinh(1)}, (3, 0, 3), 0),
        ({"eta": asinh(1)}, (3, 0, 4), 1 / sqrt(2)),  # across the track
        ({"pt": PT_OF_R}, (R, -R, 0), 0),  # a quarter of a turn, clockwise for positive charge
        ({"pt": PT_OF_R, "charge": -1}, (R, R, 0), 0),
        ({"pt": PT_OF_R, "charge": -1}, (R, -R, 0), (sqrt(5) - 1) * R),
        ({"pt": PT_OF_R, "eta": asinh(2)}, (R, -R, pi * R), 0),  # pi R / 2 of path, cot theta = 2
        ({"pt": PT_OF_R, "eta": asinh(2), "dz": -1.0}, (R + 0.5, -R, pi * R - 1), 0.5),
        ({"pt": PT_OF_R, "dxy": 2.0}, (R, 2 - R, 0), 0),
    ],
)
def test_distance_to_track(l2: dict[str, float], place: tuple[float, float, float], expected: float) -> None:
    """Straight and round tracks, by hand."""
    found = vertices.distance_to_track(secondary(place), ORIGIN, lepton(**l2))
    assert float(found[0, 0]) == pytest.approx(expected, abs=2e-5)


def test_distance_is_from_the_primary_vertex() -> None:
    shifted = ak.Array([{"x": 1.0, "y": -2.0, "z": 5.0}])
    found = vertices.distance_to_track(secondary((4, -1.75, 5)), shifted, lepton(dxy=0.1))
    assert float(found[0, 0]) == pytest.approx(0.15, abs=2e-5)


def test_vertex_of_a_track() -> None:
    """The nearest that svIdx allows, the first of equals; within 0.03 cm (0.01 without svIdx) + 0.005 of the way."""
    collection = secondary((4, 0.02, 0), (4, 0.01, 0), (4, 0.01, 0), (4, 0.0, 0), (40, 0.4, 0))

    def found(index: int | None, rows: Any = collection) -> Any:
        vertex = vertices.of_track(rows, ORIGIN, lepton(), None if index is None else ak.Array([index]))
        return None if ak.is_none(vertex)[0] else vertex.n.tolist()[0]

    assert [found(index) for index in (-1, 0, 1, 2, 3, 9, None)] == [None, 0, 1, 1, 3, 3, 3]
    assert found(0, secondary((4, 0.049, 0))) == 0
    assert found(0, secondary((4, 0.051, 0))) is None
    assert found(0, secondary((40, 0.2, 0))) == 0
    assert found(0, secondary((40, 0.3, 0))) is None
    assert found(None, secondary((4, 0.029, 0))) == 0
    assert found(None, secondary((4, 0.031, 0))) is None
    assert found(None, collection[:, :0]) is None


def test_fired() -> None:
    """Any of the paths; none of no paths."""
    hlt = ak.Array({"A": [True, False, False], "B": [False, True, False]})
    assert triggers.fired(hlt, ("HLT_A", "HLT_B"), 3).tolist() == [True, True, False]
    assert triggers.fired(hlt, ("HLT_B",), 3).tolist() == [False, True, False]
    assert triggers.fired(hlt, (), 3).tolist() == [False, False, False]


def test_categories() -> None:
    """Eight, l1 first, OS before SS."""
    assert categories.CATEGORIES == ("ee_OS", "ee_SS", "mumu_OS", "mumu_SS", "emu_OS", "emu_SS", "mue_OS", "mue_SS")
    first = np.array([11, 11, 13, 13, 11, 11, 13, 13])
    second = np.array([11, 11, 13, 13, 13, 13, 11, 11])
    found = categories.category(first, second, np.array([False, True] * 4))
    assert found.tolist() == list(range(8))
    assert found.dtype == np.int8
    for i, one in enumerate(categories.ALL):
        assert (one.index, one.label, one.title) == (i, categories.CATEGORIES[i], one.label.replace("_", " "))
        assert categories.named(one.label) is one
        assert (categories.PDG_ID[one.l1], categories.PDG_ID[one.l2]) == (first[i], second[i])
        assert one.same_sign == one.label.endswith("SS")


def test_coupling_of_a_category() -> None:
    """Section 1: ee constrains |V_e|^2, mumu |V_mu|^2, the mixed channels both."""
    found = {one.flavours: one.coupling for one in categories.ALL}
    assert found == {"ee": "e", "mumu": "mu", "emu": "mixed", "mue": "mixed"}
    assert [one.symbols for one in categories.ALL[::2]] == ["$e e$", r"$\mu \mu$", r"$e \mu$", r"$\mu e$"]
