"""Charged-particle trajectories in a uniform field along z, as numba functions on single tracks.

A track is (x, y, z, phi, cot, kappa): a reference point in cm, the azimuth of its momentum there, cot(theta)
= p_z / p_T and the signed curvature kappa in 1/cm, the change of phi per transverse path length (negative for
positive charge). ``s`` is the transverse path length in cm from the reference point.
"""

from __future__ import annotations

import math

from hnl.datasets.simulation.compiled import compiled

KAPPA_PER_FIELD = 0.0029979246
"""Curvature in 1/cm of a particle of p_T = 1 GeV in 1 T."""


@compiled
def wrap(angle: float) -> float:
    """The angle brought to [-pi, pi)."""
    return angle - 2.0 * math.pi * math.floor(angle / (2.0 * math.pi) + 0.5)


@compiled
def position(
    x: float, y: float, z: float, phi: float, cot: float, kappa: float, s: float
) -> tuple[float, float, float]:
    """The point at transverse path length ``s``, cm."""
    turned = phi + kappa * s
    return (
        x + (math.sin(turned) - math.sin(phi)) / kappa,
        y - (math.cos(turned) - math.cos(phi)) / kappa,
        z + s * cot,
    )


@compiled
def path_to_closest(x: float, y: float, phi: float, kappa: float, px: float, py: float) -> float:
    """Transverse path length, cm, to the point nearest (px, py) in the transverse plane, within half a turn."""
    to_x = px - (x - math.sin(phi) / kappa)
    to_y = py - (y + math.cos(phi) / kappa)
    sign = 1.0 if kappa > 0 else -1.0
    return wrap(math.atan2(sign * to_x, -sign * to_y) - phi) / kappa


@compiled
def crossings(
    x1: float, y1: float, phi1: float, kappa1: float, x2: float, y2: float, phi2: float, kappa2: float
) -> tuple[float, float, float, float]:
    """Points at which two tracks cross, or come closest, in the transverse plane.

    Returns:
        Path lengths (s1, s2) at the first crossing and (s1, s2) at the second, cm. Both are the same if the circles do
        not cross: the point of closest approach on the line of the centres.
    """
    c1x, c1y, r1 = x1 - math.sin(phi1) / kappa1, y1 + math.cos(phi1) / kappa1, 1.0 / abs(kappa1)
    c2x, c2y, r2 = x2 - math.sin(phi2) / kappa2, y2 + math.cos(phi2) / kappa2, 1.0 / abs(kappa2)
    dx, dy = c2x - c1x, c2y - c1y
    distance = math.sqrt(dx * dx + dy * dy)
    if distance < 1e-9:
        return 0.0, 0.0, 0.0, 0.0
    ux, uy = dx / distance, dy / distance
    along = 0.5 * (distance + (r1 - r2) * (r1 + r2) / distance)
    half_chord = (r1 - along) * (r1 + along)
    if half_chord > 0.0:
        h = math.sqrt(half_chord)
    else:
        h = 0.0
        if distance > r1 + r2:
            along = 0.5 * (r1 + distance - r2)
        elif r1 > r2:
            along = 0.5 * (r1 + distance + r2)
        else:
            along = 0.5 * (distance - r1 - r2)
    mx, my = c1x + along * ux, c1y + along * uy
    ax, ay, bx, by = mx - h * uy, my + h * ux, mx + h * uy, my - h * ux
    return (
        path_to_closest(x1, y1, phi1, kappa1, ax, ay),
        path_to_closest(x2, y2, phi2, kappa2, ax, ay),
        path_to_closest(x1, y1, phi1, kappa1, bx, by),
        path_to_closest(x2, y2, phi2, kappa2, bx, by),
    )
