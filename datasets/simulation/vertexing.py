"""Secondary vertices: an inclusive vertex finder (IVF) like that of CMS (paper, section 2), on measured tracks only.

For each seed, a track away from the primary vertex, the tracks that cross it are collected and fitted to a
common vertex; vertices that are significant, point back to the PV and are not duplicates are kept.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation import helix, vertex_fit
from hnl.datasets.simulation.compiled import compiled
from hnl.datasets.simulation.parameters import DETECTOR, Detector
from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows
from hnl.datasets.simulation.tracking import state_of

PION_MASS = 0.13957
MAX_TRACKS = 32
"""Largest number of tracks in a cluster; further ones are ignored (never reached in practice)."""

_VERTEX = ("x", "y", "z", "dlen", "dlen_sig", "dxy", "dxy_sig", "angle", "chi2", "ndof", "px", "py", "pz", "energy",
           "charge", "ntracks")  # fmt: skip


class Cuts(NamedTuple):
    """Numbers of ``parameters.Vertices`` and ``Beam`` for the compiled functions."""

    pv_sigma_xy: float
    pv_sigma_z: float
    pair_distance: float
    pair_significance: float
    pair_distance_ratio: float
    pair_cosine: float
    fit_chi2: float
    track_weight: float
    min_2d_significance: float
    min_3d_significance: float
    min_cosine: float
    merge_fraction: float
    max_radius: float

    @classmethod
    def for_detector(cls, detector: Detector) -> Cuts:
        """The numbers of this detector."""
        named = asdict(detector.beam) | asdict(detector.vertices)
        return cls(**{name: named[name] for name in cls._fields})


@dataclass(frozen=True)
class SecondaryVertices:
    """The secondary vertices of a block of events.

    Attributes:
        vertices: rows with ``x, y, z`` (cm), ``dlen``, ``dlen_sig`` (3D distance to the PV, cm, and
            significance), ``dxy``, ``dxy_sig`` (2D), ``angle`` (between momentum and flight direction, rad),
            ``chi2`` (reduced), ``ndof``, ``px, py, pz, energy`` (GeV, tracks at the vertex with pion mass),
            ``charge``, ``ntracks``; in the order in which they were found.
        vertex: for each pair of vertex and track, the row of the vertex, ascending.
        track: the row of the track.
        in_table: whether NanoAOD keeps the vertex, see ``parameters.Vertices.table_3d_significance``.
    """

    vertices: ObjectRows
    vertex: NDArray[np.int64]
    track: NDArray[np.int64]
    in_table: NDArray[np.bool_]


def find(tracks: ObjectRows, primary: ObjectColumn, detector: Detector = DETECTOR) -> SecondaryVertices:
    """Secondary vertices.

    Args:
        tracks: rows with ``tracking.STATE`` and the impact parameters.
        primary: reconstructed primary vertex of each event, shape (events, 3), cm.
    """
    p = detector.vertices
    good = (tracks.pt > p.track_pt) & (tracks.n_pixel + tracks.n_strip >= p.track_hits)
    good &= (np.abs(tracks.dz) < p.max_dz) | (np.abs(tracks.dxy) > p.min_dxy_significance * tracks.dxy_err)
    good_rows = np.flatnonzero(good)
    rows = tracks[good_rows]
    seed = (rows.sip3d > p.seed_significance) & (rows.ip3d > p.seed_ip3d)
    state = state_of(rows)
    event, values, members, counts = _find_all(
        rows.offsets, state, rows.pt, rows.charge.astype(np.int64), seed, primary,
        Cuts.for_detector(detector),
    )  # fmt: skip
    vertices = ObjectRows(tracks.n_events, event, dict(zip(_VERTEX, np.ascontiguousarray(values.T), strict=True)))
    of_member = np.repeat(np.arange(len(event)), counts)
    return SecondaryVertices(vertices, of_member, good_rows[members], vertices.dlen_sig > p.table_3d_significance)


@compiled
def _find_all(
    offsets: ObjectColumn,
    state: ObjectColumn,
    pt: ObjectColumn,
    charge: ObjectColumn,
    seed: ObjectColumn,
    primary: ObjectColumn,
    p: Cuts,
) -> tuple[ObjectColumn, ObjectColumn, ObjectColumn, ObjectColumn]:
    """Run the finder event by event.

    Returns:
        Event and values of each vertex, the members of all vertices, and the number of members of each.
    """
    n_seeds = seed.sum()
    event, values = np.empty(n_seeds, np.int64), np.empty((n_seeds, 16))
    counts, members = np.empty(n_seeds, np.int64), np.empty(n_seeds * MAX_TRACKS, np.int64)
    n_vertices, n_members = 0, 0
    for e in range(len(offsets) - 1):
        first, last = offsets[e], offsets[e + 1]
        if last - first < 2:
            continue
        vertex_values, lists, sizes = _find(
            state[first:last], pt[first:last], charge[first:last], seed[first:last], primary[e], p
        )
        for v in range(len(sizes)):
            event[n_vertices], values[n_vertices], counts[n_vertices] = e, vertex_values[v], sizes[v]
            n_vertices += 1
            for k in range(sizes[v]):
                members[n_members] = first + lists[v, k]
                n_members += 1
    return event[:n_vertices], values[:n_vertices], members[:n_members], counts[:n_vertices]


@compiled
def _find(
    state: ObjectColumn, pt: ObjectColumn, charge: ObjectColumn, seed: ObjectColumn, primary: ObjectColumn, p: Cuts
) -> tuple[ObjectColumn, ObjectColumn, ObjectColumn]:
    """The vertices of one event: values (vertices, 16), members (vertices, MAX_TRACKS), number of members."""
    n_seeds = seed.sum()
    values, lists = np.empty((n_seeds, 16)), np.empty((n_seeds, MAX_TRACKS), np.int64)
    sizes = np.zeros(n_seeds, np.int64)
    n = 0
    for i in range(len(seed)):
        if not seed[i]:
            continue
        cluster, start = _cluster(i, state, primary, p)
        if len(cluster) < 2:
            continue
        position, covariance, weight, chi2 = vertex_fit.fit(state, cluster, start, p.fit_chi2)
        size = _describe(state, pt, charge, cluster, position, covariance, weight, chi2, primary, p,
                         values[n], lists[n])  # fmt: skip
        if size >= 2 and not _duplicate(values, lists, sizes, n, size, p.merge_fraction):
            sizes[n] = size
            n += 1
    kept = np.flatnonzero(sizes[:n] > 0)
    return values[kept], lists[kept], sizes[kept]


@compiled
def _cluster(i: int, state: ObjectColumn, primary: ObjectColumn, p: Cuts) -> tuple[ObjectColumn, ObjectColumn]:
    """Tracks that cross seed ``i`` (which comes first), and the mean crossing point."""
    cluster, start, total, n = np.empty(MAX_TRACKS, np.int64), np.zeros(3), 0.0, 1
    cluster[0] = i
    a = state[i]
    for j in range(len(state)):
        if j == i or n == MAX_TRACKS:
            continue
        b = state[j]
        s, t, x, y, z, distance = vertex_fit.closest_pair(a, b)
        if distance > p.pair_distance or math.hypot(x, y) > p.max_radius:
            continue
        dx, dy, dz = x - primary[0], y - primary[1], z - primary[2]
        flight = math.sqrt(dx * dx + dy * dy + dz * dz)
        if distance * p.pair_distance_ratio > flight:
            continue
        ax, ay, bx, by = (math.cos(a[3] + a[5] * s), math.sin(a[3] + a[5] * s),
                          math.cos(b[3] + b[5] * t), math.sin(b[3] + b[5] * t))  # fmt: skip
        norm_a, norm_b = math.sqrt(1 + a[4] * a[4]), math.sqrt(1 + b[4] * b[4])
        if ax * dx + ay * dy + a[4] * dz < p.pair_cosine * flight * norm_a:
            continue
        if bx * dx + by * dy + b[4] * dz < p.pair_cosine * flight * norm_b:
            continue
        # The two tangents' common normal is the direction of the distance.
        ux, uy, uz = ay * b[4] - a[4] * by, a[4] * bx - ax * b[4], ax * by - ay * bx
        norm = math.sqrt(ux * ux + uy * uy + uz * uz)
        if norm < 1e-9:
            continue
        ux, uy, uz = ux / norm, uy / norm, uz / norm
        variance = vertex_fit.projected_variance(a, s, ux, uy, uz) + vertex_fit.projected_variance(b, t, ux, uy, uz)
        if distance * distance > p.pair_significance * p.pair_significance * variance:
            continue
        sine = norm / (norm_a * norm_b)
        weight = sine * sine / variance
        start[0] += weight * x
        start[1] += weight * y
        start[2] += weight * z
        total += weight
        cluster[n] = j
        n += 1
    return cluster[:n], start / max(total, 1e-30)


@compiled
def _describe(
    state: ObjectColumn,
    pt: ObjectColumn,
    charge: ObjectColumn,
    cluster: ObjectColumn,
    position: ObjectColumn,
    covariance: ObjectColumn,
    weight: ObjectColumn,
    chi2: ObjectColumn,
    primary: ObjectColumn,
    p: Cuts,
    out: ObjectColumn,
    members: ObjectColumn,
) -> int:
    """Fill the values and members of a fitted vertex; returns the number of members, 0 if the vertex is not kept."""
    size, px, py, pz, energy, total_charge, total_chi2, total_weight = 0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0.0
    for k in range(len(cluster)):
        total_chi2 += weight[k] * chi2[k]
        total_weight += weight[k]
        if weight[k] < p.track_weight:
            continue
        track, j = state[cluster[k]], cluster[k]
        s = helix.path_to_closest(track[0], track[1], track[3], track[5], position[0], position[1])
        phi = track[3] + track[5] * s
        px += pt[j] * math.cos(phi)
        py += pt[j] * math.sin(phi)
        pz += pt[j] * track[4]
        energy += math.sqrt(pt[j] * pt[j] * (1 + track[4] * track[4]) + PION_MASS * PION_MASS)
        total_charge += charge[j]
        members[size] = j
        size += 1
    dx, dy, dz = position[0] - primary[0], position[1] - primary[1], position[2] - primary[2]
    d2, d3 = math.hypot(dx, dy), math.sqrt(dx * dx + dy * dy + dz * dz)
    momentum = math.sqrt(px * px + py * py + pz * pz)
    if size < 2 or d2 == 0.0 or math.hypot(position[0], position[1]) > p.max_radius:
        return 0
    cosine = (px * dx + py * dy + pz * dz) / (momentum * d3)
    xx, yy, zz = (
        covariance[0, 0] + p.pv_sigma_xy**2,
        covariance[1, 1] + p.pv_sigma_xy**2,
        covariance[2, 2] + p.pv_sigma_z**2,
    )
    var2 = (dx * dx * xx + dy * dy * yy + 2 * dx * dy * covariance[0, 1]) / (d2 * d2)
    var3 = dx * dx * xx + dy * dy * yy + dz * dz * zz
    var3 += 2 * (dx * dy * covariance[0, 1] + dx * dz * covariance[0, 2] + dy * dz * covariance[1, 2])
    var3 /= d3 * d3
    sig2, sig3 = d2 / math.sqrt(var2), d3 / math.sqrt(var3)
    if sig2 < p.min_2d_significance or sig3 < p.min_3d_significance or cosine < p.min_cosine:
        return 0
    ndof = 2 * total_weight - 3
    out[:3] = position
    out[3], out[4], out[5], out[6] = d3, sig3, d2, sig2
    out[7], out[8], out[9] = math.acos(min(1.0, cosine)), total_chi2 / ndof, ndof
    out[10], out[11], out[12], out[13], out[14], out[15] = px, py, pz, energy, total_charge, size
    return size


@compiled
def _duplicate(
    values: ObjectColumn, lists: ObjectColumn, sizes: ObjectColumn, n: int, size: int, fraction: float
) -> bool:
    """Whether vertex ``n`` shares too many tracks with an earlier vertex that is as good.

    An earlier vertex that is worse is dropped.
    """
    for v in range(n):
        common = 0
        for k in range(size):
            for m in range(sizes[v]):
                common += lists[n, k] == lists[v, m]
        if sizes[v] == 0 or common < fraction * min(size, sizes[v]):
            continue
        if sizes[v] > size or (sizes[v] == size and values[v, 8] <= values[n, 8]):
            return True
        sizes[v] = 0
    return False
