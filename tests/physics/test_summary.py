"""What `hnl physics` tells, against the functions it is made of and numbers worked out by hand."""

import pytest

from hnl.errors import InputError
from hnl.physics import production, summary, widths
from hnl.physics.constants import HBAR_C


def test_a_benchmark_of_the_paper() -> None:
    found = summary.describe(10, {"e": 0.0, "mu": 5.7e-7, "tau": 0.0})
    assert found["ctau"] == pytest.approx(7, rel=0.05)
    assert found["total_width"] * found["ctau"] == pytest.approx(HBAR_C)
    assert sum(found["widths"].values()) == pytest.approx(found["total_width"])
    assert sum(found["branching_ratios"].values()) == pytest.approx(1)
    assert found["cross_sections"] == {"mu": production.sigma_w_to_n(10, 5.7e-7)}
    assert found["momentum"] == pytest.approx((80.369**2 - 100) / (2 * 80.369))
    assert found["decay_length"] == pytest.approx(found["ctau"] * found["momentum"] / 10)


def test_dirac_has_half_the_widths() -> None:
    v2 = {"e": 1e-6, "mu": 2e-6}
    majorana, dirac = (summary.describe(5, v2, nature, 20.0) for nature in ("majorana", "dirac"))
    for channel, width in dirac["widths"].items():
        assert majorana["widths"][channel] == pytest.approx(2 * width)
    assert majorana["cross_sections"] == dirac["cross_sections"]
    assert dirac["decay_length"] == pytest.approx(2 * majorana["decay_length"])
    assert dirac["ctau"] == pytest.approx(widths.ctau_mm(5, 1e-6, 2e-6, nature="dirac"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((100, {"e": 1e-6}), "100"),
        ((5, {"e": 0.0}), "above 0"),
        ((5, {"e": 1e-6}, "weyl"), "weyl"),
        ((5, {"e": 1e-6}, "dirac", 0.0), "momentum of N must be above 0 GeV, not 0.0"),
    ],
)
def test_bad_input(arguments: tuple, message: str) -> None:
    with pytest.raises(InputError, match=message):
        summary.describe(*arguments)


def test_energy_changes_the_cross_section_alone() -> None:
    here, there = (summary.describe(10, {"mu": 5.7e-7}, energy=energy) for energy in (13.0, 13.6))
    assert {key for key in here if here[key] != there[key]} == {"energy", "cross_sections"}
    assert here == summary.describe(10, {"mu": 5.7e-7})
    assert there["cross_sections"]["mu"] / here["cross_sections"]["mu"] == pytest.approx(63425.1 / 61526.7)
