"""Ratios of couplings: names, what samples and rates follow from them, and numbers by hand from widths."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnl.corrections import couplings, lifetime, masses
from hnl.corrections.couplings import CouplingError, scenario
from hnl.corrections.lifetime import Point, SignalSample
from hnl.corrections.reach import Reach
from hnl.inference.displaced.scan import direction
from hnl.physics import production, widths

MASS = 8.0
numbers = st.integers(0, 50)


def into(mass: float, lepton: str, e: float = 0.0, mu: float = 0.0, tau: float = 0.0) -> float:
    """BR(N -> lepton q q')."""
    coupling = {name: value for name, value in (("e", e), ("mu", mu), ("tau", tau)) if value}
    return sum(widths.semileptonic_ratios(mass, coupling, lepton).values())


@pytest.mark.parametrize(
    ("text", "name", "channel", "file_name"),
    [
        ("e", "e", "e", "e"),
        ("1:0:0", "e", "e", "e"),
        ("0:0.3:0", "mu", "mu", "mu"),
        ("2:2:0", "mixed", "mixed", "mixed"),
        ("2:4:0", "1:2:0", "mixed", "1-2-0"),
        ("0:1:0.5", "0:2:1", "mu", "0-2-1"),
        ("1e-6:0:1e-7", "10:0:1", "e", "10-0-1"),
        ("1:1:1", "1:1:1", "mixed", "1-1-1"),
        ("1/3:1:0", "1:3:0", "mixed", "1-3-0"),
    ],
)
def test_names(text: str, name: str, channel: str, file_name: str) -> None:
    found = scenario(text)
    assert (found.name, found.channel, found.file_name) == (name, channel, file_name)
    assert scenario(found.name) == found
    assert (found.remark == "") == (name in couplings.COUPLINGS)
    assert ("W -> tau N" in found.remark) == (found.shares[2] > 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1:2", "no coupling '1:2': it is one of e, mu, mixed, tau, or"),
        ("1:2:3:4", "no coupling"),
        ("tau", "no category is about tau alone"),
        ("1::0", "no coupling '1::0'"),
        ("nan:1:0", "no coupling 'nan:1:0'"),
        ("inf:1:0", "no coupling 'inf:1:0'"),
        ("1/0:1:0", "no coupling '1/0:1:0'"),
        ("1:-2:0", "the coupling '1:-2:0' has a negative"),
        ("0:0:0", "no .* above zero"),
        ("0:0:1", r"neither \|V_e\|\^2 nor \|V_mu\|\^2: no category"),
        ("1e-30:1:0", "too far apart"),
    ],
)
def test_what_is_no_coupling(text: str, message: str) -> None:
    with pytest.raises(CouplingError, match=message):
        couplings.named(text)


@given(numbers, numbers, numbers, st.fractions(Fraction(1, 1000), 1000))
def test_a_common_factor_changes_nothing(e: int, mu: int, tau: int, factor: Fraction) -> None:
    if e + mu > 0:
        assert couplings.named(f"{e * factor}:{mu * factor}:{tau * factor}") == couplings.named(f"{e}:{mu}:{tau}")


@given(st.integers(1, 50), st.integers(1, 50), numbers, st.floats(1e-9, 1e-3))
def test_points_of_a_ratio(e: int, mu: int, tau: int, v2: float) -> None:
    """They have the ratio, the |V|^2 that was asked for, and a rate in proportion to it."""
    for ratio in (f"{e}:{mu}:{tau}", f"{e}:0:{tau}", f"0:{mu}:{tau}"):
        point, twice = (direction(ratio, MASS, "majorana", k * v2) for k in (1, 2))
        shares = np.array(scenario(ratio).shares)
        found = np.array([point.v2_e, point.v2_mu, point.v2_tau])
        np.testing.assert_allclose(found / found.sum(), shares / shares.sum(), rtol=1e-12)
        assert point.v2 == pytest.approx(v2, rel=1e-12)
        assert twice.rate == pytest.approx(2 * point.rate, rel=1e-12)
        assert point.scaled(2 * v2).ctau == pytest.approx(point.ctau / 2, rel=1e-12)


@pytest.mark.parametrize("v2", [1e-6, 3.7e-7])
def test_scenarios_of_the_paper_to_the_bit(v2: float) -> None:
    expected = {"1:0:0": Point(MASS, v2, 0.0), "0:1:0": Point(MASS, 0.0, v2), "1:1:0": Point(MASS, 2 * v2, 2 * v2)}
    for ratio, point in expected.items():
        found = direction(ratio, MASS, "majorana", v2)
        assert found == point
        assert found.rate == found.v2 == v2
        coupling = {name: value for name, value in (("e", point.v2_e), ("mu", point.v2_mu)) if value}
        assert found.ctau == widths.ctau_mm(MASS, coupling.get("e", 0.0), coupling.get("mu", 0.0))


@pytest.mark.parametrize("mass", [2.0, 8.0, 15.0])
def test_the_rate_is_that_of_widths(mass: float) -> None:
    """|V_l1|^2 BR(N -> l2 q q') of a ratio over that of the sample, by the branching fractions themselves."""
    e_mu, mixed = Point(mass, 1e-6, 2e-6), Point(mass, 1e-6, 1e-6)
    for l1, l2 in (("e", "mu"), ("mu", "e")):
        production_ratio = {"e": 1.0, "mu": 2.0}[l1]
        by_hand = production_ratio * into(mass, l2, 1, 2) / into(mass, l2, 1, 1)
        assert e_mu.rate / mixed.rate == pytest.approx(by_hand, rel=1e-12)
    with_tau, alone = Point(mass, 0, 1e-6, v2_tau=1e-6), Point(mass, 0, 1e-6)
    assert with_tau.rate / alone.rate == pytest.approx(
        into(mass, "mu", mu=1, tau=1) / into(mass, "mu", mu=1), rel=1e-12
    )
    assert with_tau.ctau == widths.ctau_mm(mass, v2_mu=1e-6, v2_tau=1e-6) < alone.ctau
    three = Point(mass, 1e-6, 1e-6, v2_tau=3e-6)
    assert three.rate / mixed.rate == pytest.approx(into(mass, "mu", 1, 1, 3) / into(mass, "mu", 1, 1), rel=1e-12)


def test_little_tau_is_none() -> None:
    """The rate and lifetime of N with nearly no |V_tau|^2 are those of mu."""
    little, none = direction("0:1000000:1", MASS, "majorana", 1e-6), direction("mu", MASS, "majorana", 1e-6)
    assert little.rate == pytest.approx(none.rate, rel=2e-6)
    assert little.ctau == pytest.approx(none.ctau, rel=2e-6)
    assert little.coupling == none.coupling == "mu"


@pytest.mark.parametrize("bad", [-1e-9, 1.1, float("nan")])
def test_bad_tau(bad: float) -> None:
    with pytest.raises(lifetime.PointError, match=r"\|V_tau\|\^2"):
        Point(MASS, v2_mu=1e-6, v2_tau=bad)


def test_weights_by_hand() -> None:
    """1:2:0 from 1:1:0, and 0:1:1 from 0:1:0: the ratio of rates times Eq. 2 of the paper."""
    t = np.array([0.0, 5.0, 30.0])
    cases = (
        (Point(MASS, 1e-6, 1e-6), Point(MASS, 0.5e-6, 1e-6), 0.5 * into(MASS, "mu", 1, 2) / into(MASS, "mu", 1, 1)),
        (
            Point(MASS, 0, 1e-6),
            Point(MASS, 0, 1e-6, v2_tau=1e-6),
            into(MASS, "mu", mu=1, tau=1) / into(MASS, "mu", mu=1),
        ),
    )
    for generated, target, rate in cases:
        one = SignalSample("s", generated, generated.ctau, 100.0, 1.0)
        (found,) = lifetime.weights([one], [t], [np.ones(3)], target)
        tau, tau0 = (widths.ctau_mm(MASS, p.v2_e, p.v2_mu, p.v2_tau) for p in (target, generated))
        np.testing.assert_allclose(found, rate * tau0 / tau * np.exp(t * (1 / tau0 - 1 / tau)), rtol=1e-12)


def test_between_masses_the_cross_section_is_that_of_the_ratio() -> None:
    """0:1:1 at 3.5 GeV, near the threshold of tau q q', from 3 and 4 GeV, of equal acceptance."""
    of = {3.0: 0.5, 4.0: 0.5}
    v2 = {"mu": 1e-6}
    samples = {m: [SignalSample("s", Point(m, 0, 1e-6), 1.0, 1.0, production.sigma_semileptonic(m, v2))] for m in of}
    found = masses.neighbours(Point(3.5, 0, 1e-6, v2_tau=1e-6), 1.0, of, samples)
    signal = sum(
        near.factor * near.point.rate / samples[m][0].point.rate * samples[m][0].cross_section
        for m, near in found.items()
    )
    assert signal == pytest.approx(production.sigma_w_to_n(3.5, 1e-6) * into(3.5, "mu", mu=1, tau=1), rel=1e-12)


def test_samples_with_taus_serve_their_own_ratio_only() -> None:
    """Their leptons of taus have rates with other products of couplings. Catalogues round |V|^2."""

    def one(name: str, *v2: float) -> SignalSample:
        point = Point(MASS, v2[0], v2[1], v2_tau=v2[2])
        return SignalSample(name, point, point.ctau, 100.0, 1.0)

    every = [
        one("mu", 0, 1e-6, 0),
        one("mixed", 1e-6, 1e-6, 0),
        one("democratic", 3.33333e-7, 3.33333e-7, 3.33333e-7),
        one("thirds", 1.23457e-7, 3.7037e-7, 3.7037e-7),
        one("tau", 0, 0, 1e-6),
    ]
    for pattern, names in (
        ("mu", ["mu"]),
        ("mixed", ["mixed"]),
        ("1:2:0", ["mixed"]),
        ("1:1:1", ["democratic"]),
        ("1:3:3", ["thirds"]),
        ("1:1:2", ["mixed"]),  # without the taus, as `Scenario.remark` says
        ("0:1:1", ["mu"]),
        ("tau", ["tau"]),
    ):
        assert [s.name for s in lifetime.serving(every, pattern, "majorana")] == names
    target = direction("1:1:1", MASS, "majorana", 1e-6)
    assert [s.name for s in lifetime.samples_for(every, target, target.ctau)] == ["democratic"]
    assert Reach({"era": every}).masses("1:1:1", "dirac") == ([MASS], [])


def test_weights_of_a_sample_with_taus() -> None:
    """At its own ratio the rate goes with |V|^2, as that of any sample (Eq. 2)."""
    generated, target = (Point(MASS, v2, v2, v2_tau=v2) for v2 in (3e-7, 6e-7))
    (found,) = lifetime.weights([SignalSample("s", generated, generated.ctau, 1.0, 1.0)], [[0.0]], [[1.0]], target)
    assert found == pytest.approx(2 * 2)  # twice the rate, half the lifetime


def test_between_masses_with_taus() -> None:
    """1:1:1 at 3.5 GeV from samples of 1:1:1 at 3 and 4 GeV: the cross section of all leptons, of equal acceptance."""
    of, v2 = {3.0: 0.5, 4.0: 0.5}, dict.fromkeys(("e", "mu", "tau"), 1e-6)
    samples = {
        m: [SignalSample("s", Point(m, 1e-6, 1e-6, v2_tau=1e-6), 1.0, 1.0, production.sigma_semileptonic(m, v2))]
        for m in of
    }
    found = masses.neighbours(Point(3.5, 2e-6, 2e-6, v2_tau=2e-6), 1.0, of, samples)
    signal = sum(near.factor * 2 * samples[m][0].cross_section for m, near in found.items())
    assert signal == pytest.approx(2 * production.sigma_semileptonic(3.5, v2), rel=1e-12)
