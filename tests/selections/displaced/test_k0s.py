"""Z -> mu mu and K0S -> pi pi, by hand, with random decays, and in real files."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from coffea.nanoevents.methods import vector as behaviours
from hypothesis import given, settings
from hypothesis import strategies as st
from k0s_events import M_K0S, M_PI, decay, four_vector, particle

from hnl.selections.displaced import k0s

FIELD = 3.8  # T


def vectors(lists: list[list[dict[str, Any]]]) -> ak.Array:
    """Jagged four-vectors."""
    return ak.Array(lists, with_name="PtEtaPhiMLorentzVector", behavior=behaviours.behavior)


def hadrons(rng: np.random.Generator, n: int, around: np.ndarray) -> list[dict[str, Any]]:
    """n random charged hadrons within about 0.3 of a direction."""
    eta, phi = np.arcsinh(around[2] / np.hypot(around[0], around[1])), np.arctan2(around[1], around[0])
    return [
        {
            "pt": float(rng.exponential(3) + 0.5),
            "eta": float(eta + rng.normal(0, 0.15)),
            "phi": float(phi + rng.normal(0, 0.15)),
            "charge": int(rng.choice([-1, 1])),
            "mass": M_PI,
        }
        for _ in range(n)
    ]


def vertex(p: np.ndarray, distance: float) -> dict[str, Any]:
    """A vertex as NanoAOD writes it: rounded to about 0.0005."""
    pt = float(np.hypot(p[0], p[1]))
    rounded = {"pt": pt, "eta": float(np.arcsinh(p[2] / pt)), "phi": float(np.arctan2(p[1], p[0])), "mass": M_K0S}
    return {name: float(f"{value:.4g}") for name, value in rounded.items()} | {"dxy": distance}


def at_beam_line(track: dict[str, Any], distance: float) -> dict[str, Any]:
    """A track as it was a transverse distance (cm) ago: a charge q turns by -q 0.3 B l / pt on the way (T, m, GeV)."""
    turn = track["charge"] * 0.3 * FIELD * distance / 100 / track["pt"]
    return track | {"phi": (track["phi"] + turn + np.pi) % (2 * np.pi) - np.pi, "mass": M_PI}


N_EVENTS = 60  # of an example: one call for all


def kaon_and_pions(rng: np.random.Generator) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """A K0S of up to 60 GeV, and its pions where it decays: of 0.8 GeV at least, as tracks of vertices (section 2)."""
    while True:
        kaon = four_vector(rng.uniform(1.5, 60), rng.uniform(-2.2, 2.2), rng.uniform(-np.pi, np.pi), M_K0S)
        decayed = decay(kaon, rng.uniform(-0.95, 0.95), rng.uniform(0, 2 * np.pi))
        pair = [particle(p, charge) | {"mass": M_PI} for p, charge in zip(decayed, (1, -1), strict=True)]
        if all(track["pt"] > 0.8 for track in pair):
            return kaon, pair


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32 - 1), turned=st.booleans())
def test_the_right_pair_is_found(seed: int, turned: bool) -> None:
    """Among random tracks, whether the momentum of the vertex is that at the vertex or at the beam line."""
    rng = np.random.default_rng(seed)
    events, vertices, expected = [], [], []
    for _ in range(N_EVENTS):
        kaon, pair = kaon_and_pions(rng)
        distance = rng.uniform(0, 15)
        pair = [at_beam_line(track, distance if turned else 0.0) for track in pair]
        events.append([*hadrons(rng, 3, kaon), pair[0], *hadrons(rng, 3, kaon), pair[1]])
        vertices.append([vertex(kaon, distance)])
        expected.append(sorted((track["pt"] for track in pair), reverse=True))
    found = k0s.pions(vectors(events), vectors(vertices)[:, 0])
    assert list(zip(found.l2.pt.to_list(), found.other.pt.to_list(), strict=True)) == [tuple(pt) for pt in expected]


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32 - 1))
def test_hardly_a_pair_is_made_of_others(seed: int) -> None:
    """Where one of the two is not among the particles, a pair is found by accident at most, in some per cent."""
    rng = np.random.default_rng(seed)
    kaons = [kaon_and_pions(rng) for _ in range(N_EVENTS)]
    events = [[pair[0], *hadrons(rng, 6, kaon)] for kaon, pair in kaons]
    found = k0s.pions(vectors(events), vectors([[vertex(kaon, 1.0)] for kaon, _ in kaons])[:, 0])
    assert ak.sum(ak.is_none(found)) >= 0.95 * N_EVENTS


def test_no_tracks_at_all() -> None:
    """Nothing is found, and the other event is not touched."""
    kaon = four_vector(8, 0.5, 1.0, M_K0S)
    pair = [particle(p, q) | {"mass": M_PI} for p, q in zip(decay(kaon, 0.3, 1.0), (1, -1), strict=True)]
    vertices = vectors([[vertex(kaon, 0.0)], [vertex(kaon, 0.0)]])[:, 0]
    found = k0s.pions(vectors([[pair[0]], pair]), vertices)
    assert ak.is_none(found).to_list() == [True, False]


@pytest.mark.parametrize(
    ("mass", "inside"), [(81.19, True), (81.18, False), (101.18, True), (101.19, False), (np.nan, False)]
)
def test_z_window(mass: float, inside: bool) -> None:
    """|m - 91.188| < 10 GeV."""
    assert k0s.in_z_window(mass) == inside


@pytest.mark.parametrize(("mass", "inside"), [(0.4827, True), (0.4825, False), (0.5125, True), (0.5127, False)])
def test_k0s_window(mass: float, inside: bool) -> None:
    """|m - 0.497611| < 0.015 GeV."""
    assert k0s.in_k0s_window(ak.Array([{"mass": mass}])).to_list() == [inside]


def test_z_mass() -> None:
    """Two massless muons back to back weigh twice their pt; one, three or two of one charge are no pair."""

    def muon(phi: float, charge: int) -> dict[str, Any]:
        return {"pt": 45.0, "eta": 0.0, "phi": phi, "mass": 0.0, "charge": charge}

    plus, minus, same = muon(0, 1), muon(np.pi, -1), muon(np.pi, 1)
    mass = k0s.z_mass(vectors([[plus, minus], [plus, same], [plus], [plus, minus, minus], []]))
    assert mass[0] == pytest.approx(90.0)
    assert np.isnan(mass[1:]).all()


def test_number_of_tracks() -> None:
    """Two, or not told."""
    assert k0s.of_two_tracks(ak.Array([{"ntracks": n} for n in (2.0, 3.0, np.nan)])).to_list() == [True, False, True]


def test_impact_parameter_of_real_muons(real_nanoaod: Path) -> None:
    """CMS's own 3D impact parameters of muons, of which d_xy and d_z are given as well."""
    tracks: list[Any] = []
    names = {"d0": "dxy", "d0Err": "dxyErr", "dz": "dz", "dzErr": "dzErr", "eta": "eta", "d": "ip3d", "sig": "sip3d"}
    for file in sorted(real_nanoaod.rglob("*.root")):
        with uproot.open(file) as root:
            tree = root["Events"]
            tracks.append(ak.zip({ours: ak.flatten(tree[f"Muon_{theirs}"].array()) for ours, theirs in names.items()}))
    muons = ak.concatenate(tracks)
    muons = muons[(muons.d0Err > 0) & (muons.dzErr > 0)]
    distance, significance = (ak.to_numpy(values) for values in k0s.impact_parameter(muons))
    far = ak.to_numpy(muons.d) > 0.02
    assert far.sum() > 200
    np.testing.assert_allclose(distance[far], ak.to_numpy(muons.d)[far], rtol=0.02)
    # CMS knows the error of the primary vertex as well: good to a tenth.
    assert np.median(significance / ak.to_numpy(muons.sig)) == pytest.approx(1.0, abs=0.1)
