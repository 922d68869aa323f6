"""Tracks: efficiency of reconstruction, and measurement with its uncertainties.

A track is measured at the first hit of its particle, and its errors there do not depend on its origin. Impact
parameters and vertices follow by extrapolation. So the lever arm makes them worse for particles that start far out, as
in a real tracker.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation import helix
from hnl.datasets.simulation.compiled import compiled
from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.parameters import DETECTOR, Curve, Detector, Tracker
from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows

HADRON, ELECTRON, MUON = 0, 1, 2
"""Kinds of particle for the tracker."""

STATE = ("x0", "y0", "z0", "phi0", "cot", "kappa", "s_t", "s_z", "s_phi", "s_cot", "s_kappa")
"""Columns of a measured track: the helix of helix.py at the first hit, and the uncertainties of its transverse and
longitudinal position (cm), azimuth (rad), cot(theta) and curvature (1/cm), taken as uncorrelated there."""

TAIL = "tail"
"""Purpose of the draw that decides whether a track is measured badly."""


def evaluate(curve: Curve, at: ObjectColumn) -> NDArray[np.float64]:
    """Value of a piecewise linear curve."""
    return np.asarray(np.interp(at, curve[0], curve[1]))


def kind_of(pdg_id: ObjectColumn) -> NDArray[np.int64]:
    """HADRON, ELECTRON or MUON."""
    code = np.abs(pdg_id)
    return np.where(code == 11, ELECTRON, np.where(code == 13, MUON, HADRON))


def tail_probability(kind: ObjectColumn, tracker: Tracker = DETECTOR.tracker) -> NDArray[np.float64]:
    """Probability that a track is in the tail of the resolution."""
    return np.array([tracker.tail_hadron, tracker.tail_electron, tracker.tail_muon])[kind]


def efficiency(
    radius: ObjectColumn, pt: ObjectColumn, kind: ObjectColumn, detector: Detector = DETECTOR
) -> NDArray[np.float64]:
    """Probability that a charged particle gives a track.

    Args:
        radius: distance of its production from the beam line, cm.
        pt: GeV.
        kind: see :func:`kind_of`.
    """
    tracker = detector.tracker
    value = evaluate(tracker.efficiency, radius) * evaluate(tracker.efficiency_pt, pt)
    return np.where(kind == MUON, evaluate(detector.muons.track_efficiency, radius), value)


def reconstruct(particles: ObjectRows, draws: Draws, detector: Detector = DETECTOR) -> ObjectRows:
    """Tracks of charged particles.

    Args:
        particles: rows with the columns of propagation.py, charged or not.

    Returns:
        Rows of the particles that have a track, with the columns of :data:`STATE`, ``kind``, ``radius`` (true
        production radius, cm), ``n_pixel``, ``n_strip`` and ``lost`` (hits in pixel and strip layers, layers
        missed before the first).
    """
    tracker = detector.tracker
    charged = particles[particles.charge != 0]
    pt = np.hypot(charged.px, charged.py)
    inside = (pt > tracker.pt) & (np.abs(charged.pz) < math.sinh(tracker.abs_eta) * pt)
    rows, pt = charged[inside], pt[inside]
    kind = kind_of(rows.pdg)
    radius = np.hypot(rows.x - detector.beam.x, rows.y - detector.beam.y)
    reconstructed = draws.uniform(rows.event, rows.uid, "track") < efficiency(radius, pt, kind, detector)
    rows, pt, kind, radius = rows[reconstructed], pt[reconstructed], kind[reconstructed], radius[reconstructed]
    first, n_pixel, n_strip, lost = _hits(rows, radius, draws, tracker)
    kappa = -rows.charge * helix.KAPPA_PER_FIELD * tracker.field / pt
    cot = rows.pz / pt
    true = _at_radius(rows.x, rows.y, rows.z, np.arctan2(rows.py, rows.px), cot, kappa, np.array(tracker.layers)[first])
    return _measure(
        rows.with_columns(kind=kind, radius=radius, n_pixel=n_pixel, n_strip=n_strip, lost=lost),
        true, cot, kappa, pt, first, draws, detector,
    )  # fmt: skip


def _hits(
    rows: ObjectRows, radius: ObjectColumn, draws: Draws, tracker: Tracker
) -> tuple[ObjectColumn, ObjectColumn, ObjectColumn, ObjectColumn]:
    """First layer hit, numbers of pixel and strip hits, and layers without a hit before the first."""
    layers = np.array(tracker.layers)
    next_layer = np.minimum(np.searchsorted(layers, radius, side="right"), len(layers) - 1)
    inefficient = draws.uniform(rows.event, rows.uid, "first hit") > tracker.hit_efficiency
    first = np.minimum(next_layer + inefficient, len(layers) - 1)
    n_pixel = np.maximum(0, tracker.n_pixel_layers - first)
    crossed = len(layers) - np.maximum(first, tracker.n_pixel_layers)
    missed = draws.uniform(rows.event, rows.uid, "strip hits") > tracker.hit_efficiency ** (crossed - 1)
    return first, n_pixel, crossed - missed, first


@compiled
def _at_radius(
    x: ObjectColumn,
    y: ObjectColumn,
    z: ObjectColumn,
    phi: ObjectColumn,
    cot: ObjectColumn,
    kappa: ObjectColumn,
    radius: ObjectColumn,
) -> NDArray[np.float64]:
    """Position (cm) and azimuth of each track where it first reaches a cylinder about the origin; shape (4, tracks)."""
    out = np.empty((4, len(x)))
    for i in range(len(x)):
        s = 0.0
        for _ in range(3):  # straight steps, each starting nearer to the cylinder
            px, py, _ = helix.position(x[i], y[i], z[i], phi[i], cot[i], kappa[i], s)
            ux, uy = math.cos(phi[i] + kappa[i] * s), math.sin(phi[i] + kappa[i] * s)
            along = px * ux + py * uy
            root = along * along + radius[i] * radius[i] - px * px - py * py
            s += -along + math.sqrt(root) if root > 0.0 else -along
        s = min(max(s, 0.0), min(40.0, 1.5 / abs(kappa[i])))
        out[0, i], out[1, i], out[2, i] = helix.position(x[i], y[i], z[i], phi[i], cot[i], kappa[i], s)
        out[3, i] = helix.wrap(phi[i] + kappa[i] * s)
    return out


def _measure(
    rows: ObjectRows,
    true: ObjectColumn,
    cot: ObjectColumn,
    kappa: ObjectColumn,
    pt: ObjectColumn,
    first: ObjectColumn,
    draws: Draws,
    detector: Detector,
) -> ObjectRows:
    """Smear the helix at the first hit."""
    tracker = detector.tracker
    pixel = first < tracker.n_pixel_layers
    growth = np.sqrt(np.sqrt(1 + cot**2))  # material seen along the track
    s_t = np.where(pixel, tracker.sigma_hit, tracker.sigma_hit_strip)
    s_z = np.where(pixel, tracker.sigma_hit_z, tracker.sigma_hit_strip_z)
    s_phi = np.hypot(tracker.sigma_phi, tracker.scatter_phi * growth / pt)
    s_cot = np.hypot(tracker.sigma_phi, tracker.scatter_cot / pt) * growth
    away = np.minimum(np.abs(np.arcsinh(cot)) / tracker.abs_eta, 1.0)
    muon = detector.muons.sigma_pt[0] + (detector.muons.sigma_pt[1] - detector.muons.sigma_pt[0]) * away**2
    base = np.select([rows.kind == MUON, rows.kind == ELECTRON], [muon, tracker.sigma_pt_electron], tracker.sigma_pt)
    relative = np.hypot(base * (1 + tracker.sigma_pt_per_cm * rows.radius), tracker.sigma_pt_per_gev * pt)
    s_kappa = relative * np.abs(kappa)
    in_tail = draws.uniform(rows.event, rows.uid, TAIL) < tail_probability(rows.kind, tracker)
    size = -np.log(draws.uniform(rows.event, rows.uid, "tail size"))
    wide = np.where(in_tail, 1 + tracker.tail_scale * size, 1.0)

    def shift(purpose: str) -> NDArray[np.float64]:
        return draws.normal(rows.event, rows.uid, purpose)

    across, along_z = wide * s_t * shift("t"), wide * s_z * shift("z")
    return rows.with_columns(
        x0=true[0] - np.sin(true[3]) * across,
        y0=true[1] + np.cos(true[3]) * across,
        z0=true[2] + along_z,
        phi0=true[3] + wide * s_phi * shift("phi"),
        cot=cot + wide * s_cot * shift("cot"),
        kappa=kappa * np.maximum(0.2, 1 + relative * shift("kappa")),
        s_t=s_t, s_z=s_z, s_phi=s_phi, s_cot=s_cot, s_kappa=s_kappa,
    )  # fmt: skip


def state_of(tracks: ObjectRows) -> NDArray[np.float64]:
    """The columns of :data:`STATE` as an array of shape (tracks, 11)."""
    return np.stack([tracks.columns[name] for name in STATE], axis=1)


def impact_parameters(tracks: ObjectRows, vertex: ObjectColumn, detector: Detector = DETECTOR) -> ObjectRows:
    """Add the quantities measured relative to the primary vertex.

    Args:
        tracks: rows with :data:`STATE`.
        vertex: reconstructed primary vertex, shape (events, 3), cm.

    Returns:
        The rows with ``pt`` (GeV), ``eta``, ``phi`` at the closest approach to the PV in the transverse
        plane, ``dxy``, ``dxy_err``, ``dz``, ``dz_err``, ``ip3d`` (cm) and ``sip3d``.
    """
    beam = detector.beam
    dxy, dxy_err, dz, dz_err, ip3d, sip3d, phi = _impact(
        state_of(tracks), vertex[tracks.event], beam.pv_sigma_xy, beam.pv_sigma_z
    )
    return tracks.with_columns(
        pt=helix.KAPPA_PER_FIELD * detector.tracker.field / np.abs(tracks.kappa),
        eta=np.arcsinh(tracks.cot),
        phi=phi, dxy=dxy, dxy_err=dxy_err, dz=dz, dz_err=dz_err, ip3d=ip3d, sip3d=sip3d,
    )  # fmt: skip


@compiled
def _impact(state: ObjectColumn, vertex: ObjectColumn, pv_sigma_xy: float, pv_sigma_z: float) -> NDArray[np.float64]:
    out = np.empty((7, len(state)))
    for i in range(len(state)):
        t = state[i]
        x, y, z, phi, cot, kappa, s_t, s_z, s_phi, s_cot, s_kappa = (
            t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10]
        )  # fmt: skip
        s = helix.path_to_closest(x, y, phi, kappa, vertex[i, 0], vertex[i, 1])
        px, py, pz = helix.position(x, y, z, phi, cot, kappa, s)
        azimuth = helix.wrap(phi + kappa * s)
        dxy = -(px - vertex[i, 0]) * math.sin(azimuth) + (py - vertex[i, 1]) * math.cos(azimuth)
        dz = pz - vertex[i, 2]
        bend = 0.5 * s * s * s_kappa
        var_xy = s_t**2 + (s * s_phi) ** 2 + bend * bend
        var_z = s_z**2 + (s * s_cot) ** 2
        sin2 = 1.0 / (1.0 + cot**2)
        ip3d = math.sqrt(dxy * dxy + dz * dz * sin2)
        # Error of the 3D distance: along its own direction, tracks and vertex together.
        along = (dxy * dxy * (var_xy + pv_sigma_xy**2) + dz * dz * sin2 * sin2 * (var_z + pv_sigma_z**2)) / ip3d**2
        out[0, i], out[1, i], out[2, i], out[3, i] = dxy, math.sqrt(var_xy), dz, math.sqrt(var_z)
        out[4, i], out[5, i], out[6, i] = ip3d, ip3d / math.sqrt(along), azimuth
    return out
