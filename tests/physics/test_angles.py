"""Angles: by hand, on the branch cut too."""

from math import pi

import awkward as ak
import numpy as np
import pytest

from hnl.physics.angles import delta_phi, delta_r


@pytest.mark.parametrize(
    ("phi1", "phi2", "expected"),
    [
        (0.5, 0.2, 0.3),
        (3.0, -3.0, 6 - 2 * pi),
        (-3.0, 3.0, 2 * pi - 6),
        (pi, 0.0, -pi),
        (0.0, pi, -pi),
        (7.0, 7.0, 0.0),
    ],
)
def test_the_short_way_around(phi1: float, phi2: float, expected: float) -> None:
    assert delta_phi(phi1, phi2) == pytest.approx(expected, abs=1e-12)


def test_distance_of_jagged_arrays() -> None:
    """3, 4, 5 across the cut."""
    found = delta_r(ak.Array([[0.3], [], [1.0]]), ak.Array([[pi - 0.1], [], [0.0]]), 0.0, np.array([-pi + 0.3, 0, 0.0]))
    assert ak.to_list(found) == [[pytest.approx(0.5)], [], [1.0]]
