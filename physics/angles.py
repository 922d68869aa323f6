"""Angles around the beam."""

from math import pi
from typing import Any

import numpy as np

Coordinate = Any  # phi in rad or eta: a number, or a numpy or awkward array of any shape


def delta_phi(phi1: Coordinate, phi2: Coordinate) -> Coordinate:
    """Difference of azimuthal angles in rad, from -pi up to pi; numbers, or arrays that can be subtracted."""
    return (phi1 - phi2 + pi) % (2 * pi) - pi


def delta_r(eta1: Coordinate, phi1: Coordinate, eta2: Coordinate, phi2: Coordinate) -> Coordinate:
    """Distance in (eta, phi); numbers, or arrays that can be subtracted."""
    return np.hypot(eta1 - eta2, delta_phi(phi1, phi2))
