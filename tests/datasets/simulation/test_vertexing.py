"""The inclusive vertex finder, on tracks made by hand."""

import ast
import dataclasses
import inspect

import numpy as np
import pytest

from hnl.datasets.simulation import helix, tracking, vertex_fit, vertexing
from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.parameters import DETECTOR
from hnl.datasets.simulation.rows import ObjectRows

B = DETECTOR.beam
PRIMARY = np.array([B.x, B.y, 0.0])


def _measured(events: list[list[tuple[float, float, float, tuple[float, float, float]]]], seed: int = 1) -> ObjectRows:
    """Tracks of particles (p_T with the sign of the charge, eta, phi, production point relative to the PV)."""
    flat = [(e, i, *p) for e, particles in enumerate(events) for i, p in enumerate(particles)]
    event, uid = (np.array([f[k] for f in flat], np.int64) for k in (0, 1))
    signed, eta, phi = (np.array([f[k] for f in flat]) for k in (2, 3, 4))
    point = np.array([f[5] for f in flat]) + PRIMARY
    pt = np.abs(signed)
    columns = {
        "uid": uid,
        "gen": uid,
        "pdg": np.full(len(uid), 13),
        "charge": np.sign(signed).astype(int),
        "px": pt * np.cos(phi),
        "py": pt * np.sin(phi),
        "pz": pt * np.sinh(eta),
        "energy": pt * np.cosh(eta),
        "x": point[:, 0],
        "y": point[:, 1],
        "z": point[:, 2],
        "source": np.zeros(len(uid), np.int32),
    }
    rows = ObjectRows(len(events), event, columns)
    draws = Draws.for_events(seed, np.arange(len(events)), np.zeros(len(events)))
    return tracking.impact_parameters(tracking.reconstruct(rows, draws), np.tile(PRIMARY, (len(events), 1)))


def _find(tracks: ObjectRows) -> vertexing.SecondaryVertices:
    return vertexing.find(tracks, np.tile(PRIMARY, (tracks.n_events, 1)))


def _decay(radius: float, phi: float) -> list[tuple[float, float, float, tuple[float, float, float]]]:
    """Four tracks from a point at ``radius`` cm, about the direction from the PV."""
    at = (radius * np.cos(phi), radius * np.sin(phi), 0.5 * radius)
    eta = np.arcsinh(0.5)
    sides = ((15.0, 0.10, -0.15), (-6.0, -0.15, 0.25), (4.0, 0.2, 0.1), (-3.0, -0.1, -0.3))
    return [(pt, eta + deta, phi + dphi, at) for pt, deta, dphi in sides]


@pytest.mark.parametrize("radius", [0.2, 1.0, 4.0, 12.0])
def test_decays_are_found_where_they_are(radius: float) -> None:
    """A four-track decay is found nearly always, within its errors, with its charge and its tracks."""
    n = 150
    tracks = _measured([_decay(radius, 0.04 * i) for i in range(n)])
    found = _find(tracks)
    v = found.vertices
    enough = tracks.counts >= 3
    has_vertex = np.isin(np.arange(n), v.event)
    assert has_vertex[enough].mean() > 0.93
    best = v[v.ntracks >= 3]
    pull = (best.dxy - radius) / (best.dxy / best.dxy_sig)
    assert abs(np.median(pull)) < 0.35
    assert 0.7 < (np.percentile(pull, 84) - np.percentile(pull, 16)) / 2 < 1.4
    assert np.mean(np.abs(best.dxy - radius) < 0.1 * radius) > 0.9
    full = best[best.ntracks == 4]
    np.testing.assert_array_equal(full.charge, 0)
    mass = np.sqrt(full.energy**2 - full.px**2 - full.py**2 - full.pz**2)
    assert np.median(mass) == pytest.approx(_mass(_decay(radius, 0.0)), rel=0.03)


def test_tracks_bend_to_their_vertex() -> None:
    """Two 1 GeV tracks from 30 cm: without their curvature the vertex would be off by centimetres."""
    at = (30.0, 0.0, 0.0)
    tracks = _measured([[(1.5, 0.1, 0.3, at), (-1.5, -0.1, -0.3, at)]] * 300)
    v = _find(tracks).vertices
    assert len(v) > 20  # two tracks at 40 % each
    assert np.median(np.abs(v.dxy - 30.0)) < 1.0


def test_prompt_tracks_make_hardly_any_vertex() -> None:
    """40 tracks from the PV: a fake in fewer than every third event, and many more without the significance cuts."""
    rng = np.random.default_rng(2)
    events = [
        [
            (s * (0.8 + rng.exponential(3)), rng.uniform(-2, 2), rng.uniform(-3, 3), (0.0, 0.0, 0.0))
            for s in (1, -1) * 20
        ]
        for _ in range(100)
    ]
    tracks = _measured(events)
    fakes = len(_find(tracks).vertices)
    uncut = dataclasses.replace(DETECTOR, vertices=dataclasses.replace(DETECTOR.vertices, min_2d_significance=0.0))
    assert fakes < 33
    assert len(vertexing.find(tracks, np.tile(PRIMARY, (100, 1)), uncut).vertices) > 3 * fakes


def test_two_decays_are_told_apart() -> None:
    both = [_decay(3.0, 0.1 * i) + _decay(5.0, 0.1 * i + 2.0) for i in range(60)]
    found = _find(_measured(both))
    per_event = np.array([_has(found, i, 3.0) and _has(found, i, 5.0) for i in range(60)])
    assert per_event.mean() > 0.8


def _has(found: vertexing.SecondaryVertices, event: int, radius: float) -> bool:
    return bool(np.any((found.vertices.event == event) & (np.abs(found.vertices.dxy - radius) < 0.3)))


def test_every_kept_vertex_passes_the_quoted_cuts() -> None:
    """Section 2: Delta_2D significance > 2.5 and Delta_3D significance > 0.5; and the finder's own pointing cut."""
    v = _find(_measured([_decay(0.02 + 0.002 * i, 0.1 * i) for i in range(200)])).vertices
    assert len(v) > 50
    assert v.dxy_sig.min() >= 2.5
    assert v.dlen_sig.min() >= 0.5
    assert np.cos(v.angle).min() >= 0.95
    assert np.all(v.ntracks >= 2)


def test_vertices_must_point_back_to_the_pv() -> None:
    """Tracks at 0.5 rad to the flight direction, cos = 0.88: not kept."""
    at = (1.0, 0.0, 0.0)
    aside = [[(5.0, 0.1, 0.45, at), (-5.0, -0.1, 0.55, at), (4.0, 0.0, 0.5, at)]] * 50
    assert len(_find(_measured(aside)).vertices) < 5


def test_members_are_tracks_of_the_same_event() -> None:
    tracks = _measured([_decay(1.0, 0.1 * i) for i in range(40)])
    found = _find(tracks)
    np.testing.assert_array_equal(found.vertices.event[found.vertex], tracks.event[found.track])
    np.testing.assert_array_equal(np.bincount(found.vertex), found.vertices.ntracks)


def test_soft_tracks_are_not_used() -> None:
    """Section 2: p_T > 0.8 GeV."""
    at = (1.0, 0.0, 0.0)
    soft = _measured([[(0.75, 0.1, 0.5, at), (-0.75, -0.1, -0.5, at), (0.7, 0.0, 0.2, at)]] * 50)
    assert len(soft) > 50
    assert len(_find(soft).vertices) == 0


def test_fit_of_exact_tracks_gives_the_crossing() -> None:
    """Three exact tracks through one point: the fit lands on it, and a stray fourth one is thrown out."""
    point = np.array([2.0, 1.0, 3.0])
    tracks = np.empty((4, 11))
    for i, (phi, cot, kappa) in enumerate(((0.3, 0.5, 0.01), (0.6, 0.2, -0.008), (0.9, 0.8, 0.002), (0.5, 0.4, 0.001))):
        start = helix.position(*point, phi, cot, kappa, 4.0)
        tracks[i] = (*start, phi + 4.0 * kappa, cot, kappa, 0.002, 0.004, 1e-4, 1e-4, 1e-6)
    tracks[3, 1] += 0.5
    place, covariance, weight, chi2 = vertex_fit.fit(tracks, np.arange(4), point + 0.1, 9.0)
    np.testing.assert_allclose(place, point, atol=1e-4)
    assert np.all(weight[:3] > 0.9)
    assert weight[3] < 0.01
    assert np.all(np.linalg.eigvalsh(covariance) > 0)
    assert chi2[:3].max() < 0.01


def test_closest_pair_of_skew_lines() -> None:
    """A line along x at z = 0 and one along y at z = 0.3, both through x = y = 1: 0.3 cm apart."""
    a = np.array([0.0, 1.0, 0.0, 0.0, 0.0, 1e-6] + [0.001] * 5)
    b = np.array([1.0, 0.0, 0.3, np.pi / 2, 0.0, 1e-6] + [0.001] * 5)
    s, t, x, y, z, distance = vertex_fit.closest_pair(a, b)
    assert (s, t, x, y, z, distance) == pytest.approx((1.0, 1.0, 1.0, 1.0, 0.15, 0.3), abs=1e-4)


def test_the_finder_cannot_see_the_truth() -> None:
    """Its source reads measured columns only, and hiding the true ones changes nothing."""
    tracks = _measured([_decay(2.0, 0.1 * i) for i in range(20)])
    measured = {*tracking.STATE, "pt", "charge", "dxy", "dxy_err", "dz", "ip3d", "sip3d", "n_pixel", "n_strip"}
    blind = ObjectRows(tracks.n_events, tracks.event, {k: v for k, v in tracks.columns.items() if k in measured})
    seen, unseen = _find(tracks), _find(blind)
    for name, column in seen.vertices.columns.items():
        np.testing.assert_array_equal(column, unseen.vertices.columns[name])
    imports = {
        node.module
        for module in (vertexing, vertex_fit)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.ImportFrom)
    }
    assert not any(m and m.endswith(("truth", "particles", "propagation")) for m in imports)


def _mass(decay: list[tuple[float, float, float, tuple[float, float, float]]]) -> float:
    """Invariant mass of particles with pion mass."""
    px, py, pz, energy = np.sum(
        [
            (
                abs(pt) * np.cos(phi),
                abs(pt) * np.sin(phi),
                abs(pt) * np.sinh(eta),
                np.hypot(abs(pt) * np.cosh(eta), 0.13957),
            )
            for pt, eta, phi, _ in decay
        ],
        axis=0,
    )
    return float(np.sqrt(energy**2 - px**2 - py**2 - pz**2))
