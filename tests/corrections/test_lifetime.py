"""Lifetime reweighting: against samples that were generated with the other lifetime, and as an identity."""

from dataclasses import replace
from functools import cache
from typing import Any

import awkward as ak
import generation
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from hnl.corrections import lifetime
from hnl.corrections.lifetime import Point, PointError, ReweightingError, SignalSample, TooFewEventsError
from hnl.datasets.catalogue import Dataset, KFactor
from hnl.datasets.simulation import particles
from hnl.datasets.simulation.signal import SignalOptions, cross_section_pb
from hnl.errors import InputError
from hnl.physics import widths

MASS = 5.0
VOLUME = 50.0  # cm: decays further out are not looked at
means = st.floats(0.01, 1000)
EVENTS = 4000


@cache
def generated(ctau: float, nature: str = "majorana", events: int = EVENTS) -> dict[str, np.ndarray]:
    """Proper decay length (mm), transverse flight (cm) and same sign of events with N decaying in the volume."""
    options = SignalOptions(MASS, ctau=ctau, nature=nature)
    batches = generation.generate("hnl", events, round(10 * ctau), options=options)
    table = particles.concatenate([batch.table for batch in batches])
    prt = table.particles
    n = ak.firsts(prt[abs(prt.pdg_id) == particles.HNL])  # none where it leaves the detector
    mother = abs(particles.parents(prt, "pdg_id"))
    child = prt[mother == particles.HNL]
    place = [ak.to_numpy(ak.fill_none(ak.firsts(child[f"v{axis}"]), np.inf)) for axis in "xyz"]
    momentum = np.sqrt(sum(ak.to_numpy(ak.fill_none(n[f"p{axis}"], np.nan)) ** 2 for axis in "xyz"))
    delta = np.hypot(*place[:2])
    length = np.sqrt(sum(part**2 for part in place))
    inside = delta < VOLUME
    same = []
    for parent in (24, particles.HNL):
        of = prt[(abs(prt.pdg_id) == 13) & (mother == parent)]
        same.append(ak.fill_none(ak.firsts(of.pdg_id), 0))
    violating = ak.to_numpy(same[0] * same[1] > 0)
    return {
        "ctau": (10 * length * MASS / momentum)[inside],
        "delta_2d": delta[inside],
        "same_sign": violating[inside].astype(float),
    }


def sample(ctau: float, nature: str = "majorana", events: float = EVENTS, mass: float = MASS) -> SignalSample:
    v2 = widths.coupling_for_ctau(mass, ctau, {"mu": 1}, nature)["mu"]  # type: ignore[arg-type]
    point = Point(mass, v2_mu=v2, nature=nature)  # type: ignore[arg-type]
    return SignalSample(f"hnl_{ctau:g}", point, ctau, events, v2)


def compare(found: dict[str, np.ndarray], weight: np.ndarray, direct: dict[str, np.ndarray]) -> None:
    """Weighted events inside the volume, out of EVENTS, against as many that were generated directly."""
    n = weight.sum() ** 2 / (weight**2).sum()
    assert n > 500
    # Kolmogorov-Smirnov distance of a weighted and an unweighted sample, with the effective number of events.
    x = np.sort(direct["delta_2d"])
    order = np.argsort(found["delta_2d"])
    at = np.searchsorted(found["delta_2d"][order], x, side="right")
    cumulative = np.concatenate([[0], np.cumsum(weight[order])]) / weight.sum()
    distance = np.abs(cumulative[at] - np.arange(1, len(x) + 1) / len(x)).max()
    assert stats.kstwobign.sf(distance * np.sqrt(n * len(x) / (n + len(x)))) > 0.01
    for name in ("delta_2d", "ctau"):
        mean = np.average(found[name], weights=weight)
        weighted_error = np.sqrt((weight**2 * (found[name] - mean) ** 2).sum()) / weight.sum()
        error = np.hypot(weighted_error, direct[name].std() / np.sqrt(len(x)))
        assert mean == pytest.approx(direct[name].mean(), abs=3.5 * error)
    # How many decay in the volume: the normalisation.
    error = np.sqrt((weight**2).sum() + len(x))
    assert weight.sum() == pytest.approx(len(x), abs=3.5 * error)


@pytest.mark.parametrize("target", [7.0, 92.0])
def test_reweighted_from_23_mm_is_as_generated(target: float) -> None:
    found, one = generated(23.0), sample(23.0)
    (weight,) = lifetime.weights([one], [found["ctau"]], [found["same_sign"]], one.point, at=target)
    compare(found, weight, generated(target))


def test_all_samples_together_are_as_generated() -> None:
    """7 and 92 mm as one sample of 23 mm, with different numbers of events."""
    parts = [generated(7.0), generated(92.0)]
    samples = [sample(7.0), sample(92.0)]
    target = sample(23.0).point
    columns = [[part[name] for part in parts] for name in ("ctau", "same_sign")]
    factors = lifetime.weights(samples, *columns, target, at=23.0)
    # Each sample is normalised to its own rate, so that a factor of 1 is EVENTS events at its |V|^2.
    weight = np.concatenate([f * s.point.v2 / target.v2 for f, s in zip(factors, samples, strict=True)])
    merged = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    compare(merged, weight, generated(23.0))


def test_dirac_from_majorana_is_as_generated() -> None:
    """Only opposite signs, twice as many, twice the lifetime."""
    found, one = generated(23.0), sample(23.0)
    target = replace(one.point, nature="dirac")
    assert target.ctau == pytest.approx(46)
    (weight,) = lifetime.weights([one], [found["ctau"]], [found["same_sign"]], target)
    direct = generated(46.0, "dirac")
    assert not direct["same_sign"].any()
    assert (weight[found["same_sign"] == 1] == 0).all()
    compare(found, weight, direct)


@given(means, means, st.lists(st.floats(0, 2000), min_size=1, max_size=20))
def test_forth_and_back_is_the_identity(first: float, second: float, t: list[float]) -> None:
    t = [value for value in t if abs(value * (1 / first - 1 / second)) < 300]
    forth = lifetime.density_ratio(t, second, [first], [1.0])
    back = lifetime.density_ratio(t, first, [second], [1.0])
    np.testing.assert_allclose(forth * back, 1, rtol=1e-9)


@given(means)
def test_the_own_lifetime_changes_nothing(mean: float) -> None:
    assert (lifetime.density_ratio([0.0, 0.3 * mean, 50 * mean], mean, [mean], [1.0]) == 1).all()


@given(st.lists(st.tuples(st.floats(0.5, 50), st.floats(0.1, 10)), min_size=1, max_size=4), st.floats(0.5, 50))
def test_mixtures_are_normalised(parts: list[tuple[float, float]], tau: float) -> None:
    """The density of all samples times the weight integrates to one, with mean tau."""
    generated = [mean for mean, _ in parts]
    assume(tau <= lifetime.MAX_STRETCH * max(generated))  # others are refused
    total = sum(events for _, events in parts)
    shares = [events / total for _, events in parts]

    def density(t: float) -> float:
        return sum(f / mean * np.exp(-t / mean) for f, mean in zip(shares, generated, strict=True))

    def weighted(t: float) -> float:
        return density(t) * float(lifetime.density_ratio(t, tau, generated, shares))

    end = 40 * tau
    for power, expected in ((0, 1), (1, tau)):
        value, _ = quad(lambda t, p=power: t**p * weighted(t), 0, end, points=[tau, 5 * tau], limit=200)
        assert value == pytest.approx(expected, rel=1e-5)


def test_eq_2_by_hand() -> None:
    """tau1 / tau2 exp(t (1 / tau1 - 1 / tau2)), times the ratio of |V|^2."""
    one = sample(20.0)
    target = one.point.scaled(one.point.v2 / 3)
    assert target.ctau == pytest.approx(60)
    (weight,) = lifetime.weights([one], [[0.0, 10.0]], [[0, 1]], target)
    np.testing.assert_allclose(weight, [1 / 9, 1 / 9 * np.exp(10 * (1 / 20 - 1 / 60))])


def test_mixed_coupling_has_the_rate_of_the_simulation() -> None:
    """|V_e V_mu|^2 / (|V_e|^2 + |V_mu|^2) is what W -> l1 N, N -> l2 q q' gives for e mu: |V_e|^2 BR(mu q q')."""
    ratio = {}
    for v2_e, v2_mu in ((1e-6, 1e-6), (3e-6, 1e-6)):
        point = Point(8.0, v2_e, v2_mu)
        pairs = widths.semileptonic_ratios(8.0, {"e": v2_e, "mu": v2_mu}, "mu")
        ratio[v2_e] = v2_e * sum(pairs.values()) / point.v2
        assert point.ctau == pytest.approx(widths.ctau_mm(8, v2_mu=v2_e + v2_mu), rel=0.01)
        assert point.coupling == "mixed"
    assert ratio[1e-6] == pytest.approx(ratio[3e-6], rel=0.01)
    # Samples: |V|^2 of each flavour; all four combinations of l1 and l2 are in them, a quarter each.
    options = SignalOptions(8.0, "mixed", v2=1e-6)
    both = sum(cross_section_pb(SignalOptions(8.0, c, v2=1e-6)) for c in ("e", "mu"))
    assert cross_section_pb(options) == pytest.approx(both, rel=0.01)
    assert Point(8.0, 1e-6, 1e-6).v2 == 5e-7


def test_which_samples_are_used() -> None:
    samples = [sample(7.0), sample(20.0), sample(7.0, "dirac"), sample(7.0, mass=6.0)]
    assert lifetime.samples_for(samples, Point(MASS, v2_mu=1e-6), 30.0) == samples[:2]
    assert lifetime.samples_for(samples, Point(MASS, v2_mu=1e-6, nature="dirac"), 30.0) == samples[:3]
    assert lifetime.samples_for(samples, Point(MASS, v2_e=1e-6), 30.0) == []


def test_sample_of_a_dataset() -> None:
    signal = {"mass": 5, "v2_mu": 1.6e-6, "ctau": 90.0}
    entry = Dataset(name="s", era="x", kind="signal", process="s", files=("f",), cross_section=2.0, signal=signal)
    assert SignalSample.from_dataset(entry, 7.0) == SignalSample("s", Point(5, v2_mu=1.6e-6), 90.0, 7.0, 2.0)
    scaled = entry.model_copy(update={"k_factor": KFactor(value=1.1, uncertainty=0.04)})
    assert SignalSample.from_dataset(scaled, 7.0).cross_section == pytest.approx(2.2)
    with pytest.raises(ReweightingError, match="b is not a signal"):
        SignalSample.from_dataset(
            Dataset(name="b", era="x", kind="background", process="b", files=("f",), cross_section=1.0), 1.0
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mass": 5}, "one above 0"),
        ({"mass": 5, "v2_e": -1e-6, "v2_mu": 1e-6}, "-1e-06"),
        ({"mass": 5, "v2_e": 2.0}, "2.0"),
        ({"mass": 500, "v2_e": 1e-6}, "500"),
        ({"mass": 5, "v2_e": 1e-6, "nature": "weyl"}, "weyl"),
    ],
)
def test_bad_points(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Point(**arguments)


def test_no_sample() -> None:
    with pytest.raises(PointError, match="no signal sample has m_N = 7 GeV and the coupling e"):
        lifetime.weights([], [], [], Point(7.0, v2_e=1e-6))


def test_longer_than_samples_can_tell() -> None:
    one = sample(10.0)
    lifetime.weights([one], [[1.0]], [[0]], one.point, at=49.9)
    with pytest.raises(PointError, match=r"50.1 mm at 5 GeV is more than 5 times the longest .* \(10 mm\)"):
        lifetime.weights([one], [[1.0]], [[0]], one.point, at=50.1)


@pytest.mark.parametrize(("t", "same"), [(np.nan, 0), (-1.0, 0), (1.0, np.nan)])
def test_missing_truth(t: float, same: float) -> None:
    """N that left the detector is kept as it is; a sample without truth is refused."""
    one = sample(10.0)
    (weight,) = lifetime.weights([one], [[1.0] * 99 + [t]], [[0] * 99 + [same]], one.point, at=5.0)
    assert weight[-1] == 1
    assert weight[:-1] == pytest.approx(2 * np.exp(-0.1))
    with pytest.raises(ReweightingError, match="hnl_10: 6 of 100 candidates are without"):
        lifetime.weights([one], [[1.0] * 94 + [t] * 6], [[0] * 94 + [same] * 6], one.point)


def test_samples_of_different_models() -> None:
    samples = [sample(10.0), replace(sample(20.0), cross_section=1.0)]
    with pytest.raises(ReweightingError, match=r"not proportional to \|V\|\^2: hnl_10 .*hnl_20 1 pb"):
        lifetime.weights(samples, [[1.0], [1.0]], [[0], [0]], sample(10.0).point)


def test_the_floor() -> None:
    assert lifetime.effective(10.0, 10.0) == 10
    assert lifetime.effective(0.0, 0.0) == 0
    lifetime.require(10.0, sample(10.0).point)
    with pytest.raises(TooFewEventsError, match=r"9.9 effective events .* at least 10"):
        lifetime.require(9.9, sample(10.0).point)


def without_truth(ctau: float, **how: Any) -> SignalSample:
    return replace(sample(ctau, **how), truth=False)


def test_the_own_point_has_the_generated_lifetime() -> None:
    """Also where c tau and |V|^2 of the catalogue do not belong together; the rate goes with |V|^2."""
    one = replace(without_truth(10.0), ctau=12.5)
    assert one.own("majorana").ctau == pytest.approx(12.5)
    assert one.own("majorana").v2 == pytest.approx(one.point.v2 * 10 / 12.5)
    assert one.own("dirac").ctau == pytest.approx(12.5)
    assert one.own("dirac").v2 == pytest.approx(2 * one.own("majorana").v2)  # half the width
    mixed = replace(one, point=Point(MASS, 2e-6, 1e-6))
    assert mixed.own("majorana").v2_e == pytest.approx(2 * mixed.own("majorana").v2_mu)


@pytest.mark.parametrize(
    ("same", "expected"), [(np.nan, 1.0), (0.0, 1.0), (1.0, 1.0)], ids=["nothing known", "conserved", "violated"]
)
def test_no_truth_is_needed_at_the_generated_lifetime(same: float, expected: float) -> None:
    one = without_truth(10.0)
    (weight,) = lifetime.weights([one], [[np.nan] * 5], [[same] * 5], one.point, at=one.ctau)
    assert (weight == expected).all()


@pytest.mark.parametrize("at", [9.9, 10.1, 5.0, 49.0])
def test_without_truth_there_is_no_other_lifetime(at: float) -> None:
    one = without_truth(10.0)
    with pytest.raises(ReweightingError, match=f"hnl_10: .* generated c tau = 10 mm only, not {at:g} mm"):
        lifetime.weights([one], [[np.nan] * 5], [[0.0] * 5], one.point, at=at)


@pytest.mark.parametrize("nature", ["majorana", "dirac"])
def test_without_truth_as_with_it_at_the_generated_lifetime(nature: str) -> None:
    """Dirac from Majorana too: by charges alone, at the |V|^2 with this lifetime."""
    one = replace(sample(10.0), ctau=10.3)
    t, same = [0.3, 4.0, 11.0, 90.0], [0.0, 1.0, 1.0, 0.0]
    point = one.own(nature)
    (known,) = lifetime.weights([one], [t], [same], point)
    blind = replace(one, truth=False)
    (unknown,) = lifetime.weights([blind], [[np.nan] * 4], [same], point, at=one.ctau)
    np.testing.assert_allclose(unknown, known, rtol=1e-12)
    per_v2 = 10 / 10.3 if nature == "majorana" else 2 * 10 / 10.3
    np.testing.assert_allclose(unknown, [per_v2 * f for f in ((1, 1, 1, 1) if nature == "majorana" else (2, 0, 0, 2))])


def test_dirac_needs_charges() -> None:
    one = without_truth(10.0)
    with pytest.raises(ReweightingError, match="5 of 5 candidates are without"):
        lifetime.weights([one], [[np.nan] * 5], [[np.nan] * 5], one.own("dirac"), at=one.ctau)


def test_samples_of_one_lifetime_add_up_without_truth() -> None:
    samples = [without_truth(10.0, events=1000.0), without_truth(10.0, events=3000.0)]
    factors = lifetime.weights(samples, [[np.nan]] * 2, [[0.0]] * 2, samples[0].point, at=10.0)
    assert [float(f[0]) for f in factors] == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize(
    ("unknown", "same", "expected"),
    [
        (0, np.nan, True),
        (5, np.nan, True),  # N left the detector
        (6, np.nan, False),
        (100, np.nan, False),
        (1, 0.0, False),  # a decay without a length: some file has no vertices
        (1, 1.0, False),
        (100, 1.0, False),
    ],
)
def test_whether_a_sample_has_truth(unknown: int, same: float, expected: bool) -> None:
    n = 100
    t = [np.nan] * unknown + [3.0] * (n - unknown)
    assert lifetime.has_truth(t, [same] * unknown + [0.0] * (n - unknown)) is expected


def test_no_candidates_have_all_truth() -> None:
    assert lifetime.has_truth([], [])


def test_samples_without_truth_are_left_out_where_others_are() -> None:
    known, blind, other = sample(7.0), without_truth(10.0), without_truth(20.0)
    target = blind.point
    assert lifetime.samples_for([blind, known, other], target, 10.0) == [known]
    assert lifetime.samples_for([blind, other], target, 10.0) == [blind]
    assert lifetime.samples_for([blind, other], target, 20.01) == [other]
    assert lifetime.samples_for([blind, other], target, 15.0) == []
