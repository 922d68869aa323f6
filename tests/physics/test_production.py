"""HNL production cross section."""

from math import hypot

import pytest

from hnl.errors import InputError
from hnl.physics import widths
from hnl.physics.constants import M_W, SIGMA_W_LNU
from hnl.physics.production import sigma_semileptonic, sigma_w_to_n


def test_massless_limit_is_the_neutrino() -> None:
    assert sigma_w_to_n(0, 1) == SIGMA_W_LNU[13.0] == 20508.9


def test_phase_space_at_half_the_w_mass() -> None:
    assert sigma_w_to_n(M_W / 2, 1e-6) == pytest.approx(SIGMA_W_LNU[13.0] * 1e-6 * 0.75**2 * 1.125)


def test_vanishes_towards_the_w_mass() -> None:
    assert sigma_w_to_n(M_W * (1 - 1e-6), 1) < 1e-6


@pytest.mark.parametrize("mass", [-1, M_W, 100, float("nan")])
def test_bad_mass(mass: float) -> None:
    with pytest.raises(InputError, match="mass"):
        sigma_w_to_n(mass, 1e-6)


def test_semileptonic_decays() -> None:
    """sigma times BR, of every pair of leptons."""
    for coupling in ({"mu": 1e-6}, {"e": 1e-6, "mu": 3e-6}):
        ratios = widths.branching_ratios(10, coupling)
        share = sum(r for name, r in ratios.items() if name.split()[0] in coupling and name.split()[1] in "uc")
        expected = sigma_w_to_n(10, sum(coupling.values())) * share
        assert sigma_semileptonic(10, coupling) == pytest.approx(expected)
    assert sigma_semileptonic(10, {"mu": 5.64928e-7}) == pytest.approx(0.00576723, rel=1e-5)  # as `hnl simulate` has it


# CMS SMP-20-004 (arXiv:2408.03744) and SMP-22-017 (arXiv:2503.09742, W+ and W-): measured sigma(W -> l nu) in nb, and
# its error: systematic, luminosity, acceptance; those of W+ and W- added up.
@pytest.mark.parametrize(
    ("energy", "measured", "errors"), [(13.0, 20.48, (0.17, 0.47)), (13.6, 11.93 + 8.86, (0.14, 0.29, 0.13))]
)
def test_w_cross_section_is_that_of_measurements(energy: float, measured: float, errors: tuple[float, ...]) -> None:
    assert abs(SIGMA_W_LNU[energy] / 1000 - measured) < 2 * hypot(*errors)


def test_energies() -> None:
    """CMS quotes 63425.1 pb for three flavours at 13.6 TeV; mass and coupling do not know the energy."""
    assert 3 * sigma_w_to_n(0, 1, 13.6) == pytest.approx(63425.1)
    ratio = 63425.1 / 61526.7
    assert sigma_w_to_n(10, 1e-6, 13.6) == pytest.approx(ratio * sigma_w_to_n(10, 1e-6))
    assert sigma_semileptonic(10, {"mu": 1e-6}, 13.6) == pytest.approx(ratio * sigma_semileptonic(10, {"mu": 1e-6}))
    with pytest.raises(InputError, match=r"known at 13 and 13.6 TeV, not at 14 TeV"):
        sigma_w_to_n(10, 1e-6, 14)
