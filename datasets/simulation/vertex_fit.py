"""Adaptive least-squares fit of one vertex, and the distance of two tracks: numba functions on one event's tracks.

``tracks`` is an array of shape (tracks, 11) with the columns of ``tracking.STATE``. Tracks enter only as
measured; nothing here or in vertexing.py has access to the truth.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation import helix
from hnl.datasets.simulation.compiled import compiled
from hnl.datasets.simulation.rows import ObjectColumn

TEMPERATURES = np.array([256.0, 64.0, 16.0, 4.0, 1.0, 1.0, 1.0])
"""Annealing temperatures: softness of the cut on a track's chi2 in each iteration. From memory of the public CMS
defaults (256, ratio 1/4)."""


@compiled
def errors(track: ObjectColumn, s: float) -> tuple[float, float]:
    """Variances of a track's position at path length ``s``, cm^2: across it in the x-y plane, and along the other
    normal."""
    bend = 0.5 * s * s * track[10]
    sin2 = 1.0 / (1.0 + track[4] * track[4])
    return (
        track[6] * track[6] + (s * track[8]) ** 2 + bend * bend,
        sin2 * (track[7] * track[7] + (s * track[9]) ** 2),
    )


@compiled
def closest_pair(a: ObjectColumn, b: ObjectColumn) -> tuple[float, float, float, float, float, float]:
    """Closest approach of two tracks in three dimensions.

    Returns:
        Path lengths (s_a, s_b), the crossing point (x, y, z) and the distance, cm.
    """
    s1, t1, s2, t2 = helix.crossings(a[0], a[1], a[3], a[5], b[0], b[1], b[3], b[5])
    first = abs((a[2] + s1 * a[4]) - (b[2] + t1 * b[4]))
    second = abs((a[2] + s2 * a[4]) - (b[2] + t2 * b[4]))
    s, t = (s1, t1) if first <= second else (s2, t2)
    ax, ay, az = helix.position(a[0], a[1], a[2], a[3], a[4], a[5], s)
    bx, by, bz = helix.position(b[0], b[1], b[2], b[3], b[4], b[5], t)
    for _ in range(2):  # closest points of the two tangents
        ux, uy, uz = math.cos(a[3] + a[5] * s), math.sin(a[3] + a[5] * s), a[4]
        vx, vy, vz = math.cos(b[3] + b[5] * t), math.sin(b[3] + b[5] * t), b[4]
        wx, wy, wz = bx - ax, by - ay, bz - az
        uu, vv, uv = 1.0 + uz * uz, 1.0 + vz * vz, ux * vx + uy * vy + uz * vz
        uw, vw = ux * wx + uy * wy + uz * wz, vx * wx + vy * wy + vz * wz
        det = uu * vv - uv * uv
        if det < 1e-9 * uu * vv:
            break
        step_a, step_b = (uw * vv - vw * uv) / det, (uw * uv - vw * uu) / det
        s += max(-5.0, min(5.0, step_a))
        t += max(-5.0, min(5.0, step_b))
        ax, ay, az = helix.position(a[0], a[1], a[2], a[3], a[4], a[5], s)
        bx, by, bz = helix.position(b[0], b[1], b[2], b[3], b[4], b[5], t)
    distance = math.sqrt((bx - ax) ** 2 + (by - ay) ** 2 + (bz - az) ** 2)
    return s, t, 0.5 * (ax + bx), 0.5 * (ay + by), 0.5 * (az + bz), distance


@compiled
def projected_variance(track: ObjectColumn, s: float, ux: float, uy: float, uz: float) -> float:
    """Variance of a track's position at ``s`` along the unit vector u."""
    phi, cot = track[3] + track[5] * s, track[4]
    sin_theta = 1.0 / math.sqrt(1.0 + cot * cot)
    across = -math.sin(phi) * ux + math.cos(phi) * uy
    up = sin_theta * (uz - cot * (math.cos(phi) * ux + math.sin(phi) * uy))
    var_t, var_m = errors(track, s)
    return float(across * across * var_t + up * up * var_m)


@compiled
def invert(m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of a symmetric, positive 3 x 3 matrix."""
    out = np.empty((3, 3))
    out[0, 0] = m[1, 1] * m[2, 2] - m[1, 2] * m[1, 2]
    out[0, 1] = m[0, 2] * m[1, 2] - m[0, 1] * m[2, 2]
    out[0, 2] = m[0, 1] * m[1, 2] - m[0, 2] * m[1, 1]
    out[1, 1] = m[0, 0] * m[2, 2] - m[0, 2] * m[0, 2]
    out[1, 2] = m[0, 1] * m[0, 2] - m[0, 0] * m[1, 2]
    out[2, 2] = m[0, 0] * m[1, 1] - m[0, 1] * m[0, 1]
    det = m[0, 0] * out[0, 0] + m[0, 1] * out[0, 1] + m[0, 2] * out[0, 2]
    for i in range(3):
        for j in range(i, 3):
            out[i, j] /= det
            out[j, i] = out[i, j]
    return out


@compiled
def fit(
    tracks: NDArray[np.float64], members: ObjectColumn, start: NDArray[np.float64], cut: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Adaptive vertex fit: a track has the weight 1 / (1 + exp((chi2 - cut) / 2T)), and T is lowered step by step.

    Args:
        tracks: shape (tracks, 11).
        members: indices of the tracks to fit.
        start: first guess, shape (3,), cm.
        cut: chi2 at which a track counts half.

    Returns:
        Position (3,), its covariance (3, 3), and weight and chi2 of each member.
    """
    n = len(members)
    vertex, weight, chi2 = start.copy(), np.ones(n), np.zeros(n)
    covariance = np.eye(3)
    normal = np.empty((3, 3))
    right = np.empty(3)
    rows = np.empty((n, 2, 3))
    goals = np.empty((n, 2))
    for step in range(len(TEMPERATURES)):
        for i in range(n):
            track = tracks[members[i]]
            s = helix.path_to_closest(track[0], track[1], track[3], track[5], vertex[0], vertex[1])
            px, py, pz = helix.position(track[0], track[1], track[2], track[3], track[4], track[5], s)
            phi, cot = track[3] + track[5] * s, track[4]
            sin_theta = 1.0 / math.sqrt(1.0 + cot * cot)
            var_t, var_m = errors(track, s)
            a, b = 1.0 / math.sqrt(var_t), sin_theta / math.sqrt(var_m)
            rows[i, 0, 0], rows[i, 0, 1], rows[i, 0, 2] = -a * math.sin(phi), a * math.cos(phi), 0.0
            rows[i, 1, 0], rows[i, 1, 1], rows[i, 1, 2] = -b * cot * math.cos(phi), -b * cot * math.sin(phi), b
            for k in range(2):
                goals[i, k] = rows[i, k, 0] * px + rows[i, k, 1] * py + rows[i, k, 2] * pz
            chi2[i] = 0.0
            for k in range(2):
                off = goals[i, k]
                for c in range(3):
                    off -= rows[i, k, c] * vertex[c]
                chi2[i] += off * off
        # Far from all tracks every weight would be zero: before the last steps only their ratios count.
        nearest = chi2.min() if step < len(TEMPERATURES) - 2 else 0.0
        for i in range(n):
            exponent = 0.5 * (chi2[i] - max(cut, nearest)) / TEMPERATURES[step]
            weight[i] = 1.0 / (1.0 + math.exp(min(exponent, 50.0)))
        for c in range(3):  # a weak pull to the present place keeps parallel tracks solvable
            right[c] = 1e-4 * vertex[c]
            for d in range(3):
                normal[c, d] = 1e-4 if c == d else 0.0
        for i in range(n):
            for k in range(2):
                for c in range(3):
                    right[c] += weight[i] * rows[i, k, c] * goals[i, k]
                    for d in range(3):
                        normal[c, d] += weight[i] * rows[i, k, c] * rows[i, k, d]
        covariance = invert(normal)
        for c in range(3):
            vertex[c] = covariance[c, 0] * right[0] + covariance[c, 1] * right[1] + covariance[c, 2] * right[2]
    for i in range(n):
        chi2[i] = 0.0
        for k in range(2):
            off = goals[i, k]
            for c in range(3):
                off -= rows[i, k, c] * vertex[c]
            chi2[i] += off * off
    return vertex, covariance, weight, chi2
