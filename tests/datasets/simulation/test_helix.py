"""The trajectory, on cases that can be computed by hand."""

import math

import numpy as np
import pytest

from hnl.datasets.simulation import helix

QUARTER = 0.5 * math.pi


def test_radius_of_curvature() -> None:
    """p_T = 0.3 B R: 1.14 GeV in 3.8 T has a radius of 1 m."""
    assert pytest.approx(100.0, rel=1e-3) == 1 / (helix.KAPPA_PER_FIELD * 3.8 / 1.1392)


def test_quarter_turn_of_a_positive_particle() -> None:
    """From the origin along x with a radius of 100 cm: a positive charge bends to negative y (field along +z)."""
    x, y, z = helix.position(0.0, 0.0, 0.0, 0.0, 2.0, -0.01, QUARTER * 100)
    assert (x, y, z) == pytest.approx((100.0, -100.0, QUARTER * 200))


def test_closest_point_is_the_one_that_was_left() -> None:
    """Going back from anywhere on the circle to its start gives the path with a minus sign."""
    x, y, _ = helix.position(1.0, 2.0, 0.0, 0.3, 0.0, 0.02, 25.0)
    assert helix.path_to_closest(x, y, 0.3 + 0.02 * 25.0, 0.02, 1.0, 2.0) == pytest.approx(-25.0)


def test_straight_crossing() -> None:
    """Two nearly straight tracks along x and y through (10, 0) cross there: 10 cm and 5 cm from their starts."""
    s1, s2, *_ = _near(helix.crossings(0.0, 0.0, 0.0, 1e-7, 10.0, -5.0, QUARTER, 1e-7), (10.0, 5.0))
    assert (s1, s2) == pytest.approx((10.0, 5.0), abs=1e-3)


def test_crossing_of_two_circles() -> None:
    """Circles of radius 100 cm about (0, 100) and (160, 100) meet at (80, 40)."""
    found = helix.crossings(0.0, 0.0, 0.0, 0.01, 160.0, 0.0, math.pi, -0.01)
    angle = math.asin(0.8)
    assert _near(found, (100 * angle, 100 * angle)) == pytest.approx((100 * angle, 100 * angle))


def test_circles_apart_give_the_point_between() -> None:
    """Circles of radius 10 cm about (0, 10) and (30, 10): the points of closest approach are (10, 10) and (20, 10)."""
    s1, s2, t1, t2 = helix.crossings(0.0, 0.0, 0.0, 0.1, 30.0, 0.0, math.pi, -0.1)
    assert (s1, s2) == pytest.approx((t1, t2))
    assert helix.position(0.0, 0.0, 0.0, 0.0, 0.0, 0.1, s1)[:2] == pytest.approx((10.0, 10.0))
    assert helix.position(30.0, 0.0, 0.0, math.pi, 0.0, -0.1, s2)[:2] == pytest.approx((20.0, 10.0))


def test_wrap() -> None:
    angles = np.array([-9.0, -math.pi, 0.1, math.pi, 7.0])
    wrapped = np.array([helix.wrap(a) for a in angles])
    assert np.all((wrapped >= -math.pi) & (wrapped < math.pi))
    np.testing.assert_allclose(np.exp(1j * wrapped), np.exp(1j * angles))


def _near(found: tuple[float, float, float, float], expected: tuple[float, float]) -> tuple[float, float]:
    """The one of two crossings that lies near the expected path lengths."""
    pairs = (found[0], found[1]), (found[2], found[3])
    return min(pairs, key=lambda p: abs(p[0] - expected[0]) + abs(p[1] - expected[1]))
