"""Single mesons against tau decays, which have the same matrix element, and against free quarks."""

from math import isclose

import pytest

from hnl.physics import mesons, widths
from hnl.physics.constants import LEPTON_MASS
from hnl.physics.mesons import MESONS

TAU = LEPTON_MASS["tau"]
TAU_WIDTH = 6.582119569e-25 / 290.3e-15  # GeV: hbar over the mean life (PDG)


@pytest.mark.parametrize(
    ("pdg_id", "expected"),
    [(211, 0.1082), (213, 0.2549), (321, 0.00696), (323, 0.0120)],  # PDG; tau -> pi- pi0 nu for rho
)
def test_branching_ratios_of_the_tau(monkeypatch: pytest.MonkeyPatch, pdg_id: int, expected: float) -> None:
    """tau- -> nu M-: N of the mass of the tau with a massless lepton. Without radiative corrections, of 2 %."""
    monkeypatch.setattr(mesons, "LEPTON_MASS", {"e": 0.0})
    (quarks, meson), *_ = [(q, m) for q, found in MESONS.items() for m in found if m.pdg_id == pdg_id]
    assert mesons.width(TAU, "e", quarks, meson) / TAU_WIDTH == pytest.approx(expected, rel=0.035)


def test_width_into_a_muon_and_a_pion() -> None:
    """From an independent calculation that was checked with the fluxes of T2K (GeV, |V|^2 = 1, Dirac)."""
    pion = MESONS["u", "d"][0]
    for mass, mu, e in ((0.25, 4.024e-17, 3.220e-16), (0.38, 1.282e-15, 1.786e-15)):
        assert mesons.width(mass, "mu", ("u", "d"), pion) == pytest.approx(mu, rel=2e-3)
        assert mesons.width(mass, "e", ("u", "d"), pion) == pytest.approx(e, rel=2e-3)
    assert mesons.width(0.245, "mu", ("u", "d"), pion) == 0


def test_shares_of_a_tau_like_n() -> None:
    """Hadronic tau decays without strangeness are 61.8 % of all, of which pi are 17.5 % and rho 41 % (PDG)."""
    found = mesons.shares(TAU, "e", ("u", "d"))
    assert found[211] == pytest.approx(0.175, abs=0.02)
    assert found[213] == pytest.approx(0.41, abs=0.04)


@pytest.mark.parametrize("mass", [1.0, 1.09, 1.2, 1.5, 2, 3, 5, 10, 20])
@pytest.mark.parametrize("lepton", ["e", "mu", "tau"])
def test_shares_are_shares(mass: float, lepton: str) -> None:
    found = mesons.shares(mass, lepton, ("u", "d"))
    if mass > LEPTON_MASS[lepton] + 0.14:
        assert all(share > 0 for share in found.values())
        total = sum(found.values())
        assert 0 < total <= 1 + 1e-12
        assert (mass > LEPTON_MASS[lepton] + mesons.CONTINUUM) or isclose(total, 1)
    else:
        assert found == {}
    assert mesons.shares(mass, lepton, ("c", "s")) == {}


def test_phase_space_above_a_mass() -> None:
    """Massless products: the density of y is 2 (1 - y)^2 (1 + 2 y), so above y there is (1 - y)^3 (1 + y)."""
    for y in (0.0, 0.2, 0.7):
        assert widths.cc_phase_space(0, 0, 0, y_min=y) == pytest.approx((1 - y) ** 3 * (1 + y), rel=1e-9)
    assert widths.cc_phase_space(0.1, 0.1, 0.1, y_min=0.9) == 0
