"""Interpolation in m_N: shares, lifetimes, factors and how uncertain they are, by hand."""

from math import inf, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnl.corrections import masses
from hnl.corrections.lifetime import Point, PointError, ReweightingError, SignalSample
from hnl.physics import production, summary

HALF = {8.0: 0.5, 10.0: 0.5}


def sample(mass: float, over: float = 1.0, v2: float = 1e-6, events: float = 100.0) -> SignalSample:
    """A sample whose cross section is that of `physics` times a factor."""
    point = Point(mass, v2_mu=v2)
    return SignalSample(f"hnl{mass:g}", point, 10.0, events, over * production.sigma_semileptonic(mass, {"mu": v2}))


def sigma(mass: float) -> float:
    return production.sigma_semileptonic(mass, {"mu": 1.0})


def test_simulated_masses_stand_for_themselves() -> None:
    assert masses.shares([10.0, 5.0, 8.0], 8.0) == {8.0: 1.0}


def test_between_the_nearest_two() -> None:
    """The geometric mean is half way."""
    assert masses.shares([16.0, 3.0, 8.0, 5.0], sqrt(128)) == pytest.approx({8.0: 0.5, 16.0: 0.5})


@given(st.floats(3, 15))
def test_shares_add_up_to_one_and_to_the_mass(mass: float) -> None:
    found = masses.shares([3.0, 5.0, 8.0, 12.0, 15.0], mass)
    assert sum(found.values()) == pytest.approx(1)
    assert sum(log(m) * share for m, share in found.items()) == pytest.approx(log(mass))
    assert min(found.values()) >= 0


@pytest.mark.parametrize("mass", [2.9, 15.1])
def test_nothing_is_extrapolated(mass: float) -> None:
    with pytest.raises(PointError, match=rf"{mass} GeV is outside of the simulated masses \(3, 15\)"):
        masses.shares([15.0, 3.0], mass)


def test_wide_gaps() -> None:
    assert set(masses.shares([5.0, 10.0], 6.0)) == {5.0, 10.0}
    with pytest.raises(PointError, match=r"6 GeV is between the simulated 4.9 and 10 GeV, .* factor of 2 apart"):
        masses.shares([4.9, 10.0], 6.0)


def test_a_neighbour_flies_as_far() -> None:
    """c tau p / m at one momentum."""
    ctau = masses.ctau_to_fly_as_far(10.0, 8.0, 5.0)
    assert ctau == 6.25
    there, here = (summary.describe(mass, {"mu": 1e-6}, momentum=40.0) for mass in (5.0, 8.0))
    assert ctau * there["decay_length"] / there["ctau"] == pytest.approx(10 * here["decay_length"] / here["ctau"])


def test_what_is_asked_of_neighbours() -> None:
    point = Point(9, v2_mu=3e-7, nature="dirac")
    found = masses.neighbours(point, 18.0, HALF, {8.0: [sample(8)], 10.0: [sample(10)]})
    assert [near.point for near in found.values()] == [Point(m, v2_mu=3e-7, nature="dirac") for m in (8, 10)]
    assert [near.ctau for near in found.values()] == pytest.approx([16, 20])
    assert [near.stretch for near in found.values()] == [9 / 8, 0.9]


@pytest.mark.parametrize("over", [1.0, 1.1])
def test_factors_are_ratios_of_cross_sections(over: float) -> None:
    """Whatever |V|^2 the neighbours have, and whatever constant the catalogue has over `physics`."""
    samples = {8.0: [sample(8, over, 4e-5)], 10.0: [sample(10, over), sample(10, over, 1e-5)]}
    found = masses.neighbours(Point(9, v2_mu=3e-7), 1.0, HALF, samples)
    expected = [0.5 * sigma(9) / sigma(8), 0.5 * sigma(9) / sigma(10)]
    assert [near.factor for near in found.values()] == pytest.approx(expected)


def test_catalogue_over_physics_is_interpolated() -> None:
    """Acceptances of one, at 1 and 1.2 times the cross section: 1.05 times at a quarter of the way."""
    samples = {8.0: [sample(8)], 12.0: [sample(12, 1.2)]}
    found = masses.neighbours(Point(9, v2_mu=1e-6), 1.0, {8.0: 0.75, 12.0: 0.25}, samples)
    assert found[8.0].factor * sigma(8) + found[12.0].factor * 1.2 * sigma(12) == pytest.approx(1.05 * sigma(9))


def test_mixed_couplings_count_all_flavours() -> None:
    """The rate of samples goes with the sum of |V|^2, in whatever ratio they are."""
    points = {8.0: Point(8, 1e-6, 1e-6), 10.0: Point(10, 2e-6, 2e-6)}
    samples = {
        m: [SignalSample("s", p, 1.0, 1.0, production.sigma_semileptonic(m, {"e": p.v2_e, "mu": p.v2_mu}))]
        for m, p in points.items()
    }
    found = masses.neighbours(Point(9, 1e-6, 1e-6), 1.0, HALF, samples)
    per_v2 = {m: production.sigma_semileptonic(m, {"e": 0.5, "mu": 0.5}) for m in (8.0, 9.0, 10.0)}
    assert found[10.0].factor == pytest.approx(0.5 * per_v2[9.0] / per_v2[10.0])


def test_a_simulated_mass_is_left_as_it_is() -> None:
    point = Point(8, v2_mu=1e-6)
    found = masses.neighbours(point, 7.0, {8.0: 1.0}, {8.0: [sample(8, 7.0)]})
    assert found == {8.0: masses.Neighbour(point, 7.0, 1.0, 1.0)}


def test_cross_sections_that_do_not_belong_together() -> None:
    samples = {8.0: [sample(8)], 10.0: [sample(10, 1.3)]}
    with pytest.raises(ReweightingError, match=r"9 GeV cannot be interpolated: .* are 1 at 8 GeV, 1.3 at 10 GeV"):
        masses.neighbours(Point(9, v2_mu=1e-6), 1.0, HALF, samples)


def test_uncertainty() -> None:
    assert masses.uncertainty({8.0: 1.0}, {8.0: 3.0}) == 0
    # Equal acceptances: the curvature alone, by the share and by the square of the gap.
    assert masses.uncertainty({8.0: 0.5, 16.0: 0.5}, {8.0: 3.0, 16.0: 3.0}) == pytest.approx(masses.CURVATURE)
    assert masses.uncertainty({8.0: 0.9, 16.0: 0.1}, {8.0: 9.0, 16.0: 1.0}) == pytest.approx(0.36 * masses.CURVATURE)
    assert masses.uncertainty({4.0: 0.5, 16.0: 0.5}, {4.0: 3.0, 16.0: 3.0}) == pytest.approx(4 * masses.CURVATURE)
    # Acceptances of 2 and 8: 5 with shares of a half, 4 with their logarithms.
    expected = sqrt(masses.CURVATURE**2 + log(5 / 4) ** 2)
    assert masses.uncertainty({8.0: 0.5, 16.0: 0.5}, {8.0: 1.0, 16.0: 4.0}) == pytest.approx(expected)
    assert masses.uncertainty({8.0: 0.5, 10.0: 0.5}, {8.0: 0.0, 10.0: 4.0}) == inf
