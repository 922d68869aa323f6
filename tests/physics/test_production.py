"""HNL production cross section."""

import pytest

from hnl.errors import InputError
from hnl.physics.constants import M_W, SIGMA_W_LNU
from hnl.physics.production import sigma_w_to_n


def test_massless_limit_is_the_neutrino() -> None:
    assert sigma_w_to_n(0, 1) == SIGMA_W_LNU


def test_phase_space_at_half_the_w_mass() -> None:
    assert sigma_w_to_n(M_W / 2, 1e-6) == pytest.approx(SIGMA_W_LNU * 1e-6 * 0.75**2 * 1.125)


def test_vanishes_towards_the_w_mass() -> None:
    assert sigma_w_to_n(M_W * (1 - 1e-6), 1) < 1e-6


@pytest.mark.parametrize("mass", [-1, M_W, 100, float("nan")])
def test_bad_mass(mass: float) -> None:
    with pytest.raises(InputError, match="mass"):
        sigma_w_to_n(mass, 1e-6)
