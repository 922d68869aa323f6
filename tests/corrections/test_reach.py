"""Which points samples describe, with and without truth, in one era and several."""

import pytest

from hnl.corrections.lifetime import Point, PointError, SignalSample
from hnl.corrections.reach import Reach


def sample(name: str, mass: float, *, truth: bool, v2: float = 1e-6, nature: str = "majorana") -> SignalSample:
    point = Point(mass, v2_mu=v2, nature=nature)  # type: ignore[arg-type]
    return SignalSample(name, point, point.ctau, 1000.0, v2, truth)


KNOWN, BLIND = sample("known8", 8, truth=True), sample("blind10", 10, truth=False)
FAR = sample("known12", 12, truth=True)


def names(samples: list[SignalSample]) -> list[str]:
    return [s.name for s in samples]


def test_samples_without_truth_have_their_own_point_only() -> None:
    found = Reach({"2018": [KNOWN, BLIND]})
    assert found.masses("mu", "majorana") == ([8], [10])
    assert found.masses("mu", "dirac") == ([8], [10])
    assert found.masses("e", "majorana") == ([], [])
    assert names(found.fixed("mu", "majorana")) == ["blind10"]
    assert found.left_out() == []
    assert found.group("2018", BLIND.point, BLIND.ctau) == [BLIND]
    with pytest.raises(PointError, match="the era 2018 has no sample of this mass, coupling and lifetime"):
        found.group("2018", BLIND.point, 2 * BLIND.ctau)


def test_they_are_no_neighbours() -> None:
    found = Reach({"2018": [KNOWN, BLIND]})
    with pytest.raises(PointError, match=r"simulated masses \(8\).*; samples of 10 GeV have no true decay length"):
        found.shares(Point(9, v2_mu=1e-6))
    wide = Reach({"2018": [KNOWN, BLIND, FAR]})
    assert list(wide.shares(Point(9, v2_mu=1e-6))) == [8, 12]
    assert list(wide.shares(Point(10, v2_mu=1e-6))) == [8, 12]
    without = Reach({"2018": [KNOWN, sample("blind9", 9, truth=False), sample("known17", 17, truth=True)]})
    with pytest.raises(PointError, match="a factor of 2 apart; samples of 9 GeV"):
        without.shares(Point(10, v2_mu=1e-6))


def test_one_with_and_one_without_truth() -> None:
    """The first is reweighted, the second is left out, also at its own point."""
    other = sample("blind8", 8, truth=False, v2=3e-6)
    found = Reach({"2018": [other, KNOWN]})
    assert found.masses("mu", "majorana") == ([8], [])
    assert found.fixed("mu", "majorana") == []
    assert found.left_out() == ["blind8"]
    assert found.group("2018", other.point, other.ctau) == [KNOWN]


def test_a_dirac_sample_with_truth_does_not_stand_for_majorana() -> None:
    found = Reach({"2018": [BLIND, sample("dirac10", 10, truth=True, nature="dirac")]})
    assert found.masses("mu", "majorana") == ([], [10])
    assert found.masses("mu", "dirac") == ([10], [])
    assert found.left_out() == []


def test_eras_of_which_one_has_truth() -> None:
    """Only the lifetime of the era without truth can be had, and the other is reweighted to it."""
    there = sample("known10_17", 10, truth=True, v2=4e-6)
    found = Reach({"2018": [BLIND], "2017": [there]})
    assert found.masses("mu", "majorana") == ([], [10])
    assert names(found.fixed("mu", "majorana")) == ["blind10"]
    assert found.group("2017", BLIND.point, BLIND.ctau) == [there]
    assert found.group("2018", BLIND.point, BLIND.ctau) == [BLIND]


def test_eras_with_one_lifetime_are_one_point() -> None:
    again = sample("blind10_17", 10, truth=False, v2=1.0002e-6)  # rounded
    other = sample("blind10_other", 10, truth=False, v2=2e-6)
    found = Reach({"2018": [BLIND, other], "2017": [again]})
    assert names(found.fixed("mu", "majorana")) == ["blind10", "blind10_other"]
    assert found.group("2017", BLIND.point, BLIND.ctau) == [again]
    with pytest.raises(PointError, match="the era 2017 has no sample"):
        found.group("2017", other.point, other.ctau)
