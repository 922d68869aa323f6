"""Angles around the beam."""

from math import pi
from typing import Any

import numpy as np


def delta_phi(phi1: Any, phi2: Any) -> Any:
    """Difference of azimuthal angles in rad, from -pi up to pi; numbers, or arrays that can be subtracted."""
    return (phi1 - phi2 + pi) % (2 * pi) - pi


def delta_r(eta1: Any, phi1: Any, eta2: Any, phi2: Any) -> Any:
    """Distance in (eta, phi); numbers, or arrays that can be subtracted."""
    return np.hypot(eta1 - eta2, delta_phi(phi1, phi2))
