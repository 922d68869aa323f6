"""HNL widths against the paper, against analytic limits and against each other."""

from math import log, sqrt

import numpy as np
import pytest
from scipy.integrate import quad

from hnl.errors import InputError
from hnl.physics import widths
from hnl.physics.constants import G_F, LEPTON_MASS

MASSES = [1.0, 2.5, 3.0, 5.0, 10.0, 20.0]


@pytest.mark.parametrize(("mass", "v2", "expected"), [(3, 9.9e-5, 23), (5, 1.6e-6, 92), (10, 5.7e-7, 7)])
def test_lifetimes_of_the_paper(mass: float, v2: float, expected: float) -> None:
    """Section 4: HNL3, HNL5 and HNL10."""
    assert widths.ctau_mm(mass, v2_mu=v2) == pytest.approx(expected, rel=0.05)


def test_lifetime_at_40_gev() -> None:
    """Liu, Kulkarni and Deppisch, eq. 1: about 3 m. Without the propagators it would be 3.45 m."""
    assert widths.ctau_mm(40, v2_e=1e-12) == pytest.approx(3000, rel=0.05)


@pytest.mark.parametrize("mass", MASSES)
def test_branching_ratios_add_up_to_one(mass: float) -> None:
    ratios = widths.branching_ratios(mass, {"e": 1e-6, "mu": 2e-6, "tau": 5e-7})
    assert sum(ratios.values()) == pytest.approx(1)
    assert min(ratios.values()) > 0


@pytest.mark.parametrize("mass", MASSES)
def test_dirac_lives_twice_as_long(mass: float) -> None:
    assert widths.ctau_mm(mass, v2_mu=1e-6, nature="dirac") == pytest.approx(2 * widths.ctau_mm(mass, v2_mu=1e-6))


def test_muon_decay() -> None:
    """mu -> e nu nu is the same integral: the lifetime of the muon, 2.197 us, and its phase space."""
    x = LEPTON_MASS["e"] / LEPTON_MASS["mu"]
    phase_space = widths.cc_phase_space(0, 0, x)
    assert phase_space == pytest.approx(1 - 8 * x**2 + 8 * x**6 - x**8 - 24 * x**4 * log(x), rel=1e-10)
    gamma = G_F**2 * LEPTON_MASS["mu"] ** 5 / (192 * 3.14159265**3) * phase_space
    assert 6.582119569e-25 / gamma == pytest.approx(2.197e-6, rel=0.005)


def test_phase_space_does_not_depend_on_which_product_is_heavy() -> None:
    heavy = [widths.cc_phase_space(*x) for x in ((0.3, 0, 0), (0, 0.3, 0), (0, 0, 0.3))]
    assert heavy == pytest.approx([heavy[0]] * 3, rel=1e-9)


@pytest.fixture
def contact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Infinitely heavy W and Z."""
    for name in ("M_W", "M_Z"):
        monkeypatch.setattr(widths, name, 1e9)


@pytest.mark.parametrize("x", [(0.1, 0.3, 0.2), (0.4, 0.05, 0.3), (0, 0.6, 0.1), (0.3, 0.3, 0.39)])
def test_phase_space_of_a_contact_interaction(x: tuple[float, float, float]) -> None:
    """B18, eq. 3.2, integrates over the mass of the other pair: another way to the same number."""
    u, d, lepton = x

    def kallen(a: float, b: float, c: float) -> float:
        return max(a * a + b * b + c * c - 2 * (a * b + b * c + c * a), 0)

    def integrand(y: float) -> float:
        roots = sqrt(kallen(y, lepton**2, d * d) * kallen(1, y, u * u))
        return 12 / y * (y - lepton**2 - d * d) * (1 + u * u - y) * roots

    expected, _ = quad(integrand, (d + lepton) ** 2, (1 - u) ** 2, epsabs=1e-12)
    assert widths.cc_phase_space(*x) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("r", [0.0, 0.01, 0.25, 0.8])
def test_propagator_of_massless_products(r: float) -> None:
    """Both integrals, and events spread evenly over phase space, with q of the W and of the other pair."""
    assert widths.cc_phase_space(0, 0, 0, r) == pytest.approx(widths.propagators(r), rel=1e-9)
    rng = np.random.default_rng(7)
    y = rng.random((200_000, 2))
    y = np.where(y.sum(axis=1, keepdims=True) > 1, 1 - y, y)  # the Dalitz plot of massless products is a triangle
    s = 1 - y.sum(axis=1)
    for values, expected in (
        (1 / (1 - r * y[:, 0]) ** 2, widths.propagators(r)),
        (1 / (1 - r * y[:, 0]) / (1 - r / 2 * y[:, 1]), widths.propagators(r, r / 2)),
    ):
        assert np.average(values, weights=s * (1 - s)) == pytest.approx(expected, rel=5e-3)
    if r < 0.1:
        assert widths.propagators(r) == pytest.approx(1 + 3 / 5 * r, abs=0.6 * r**2 + 1e-12)


def test_heavy_bosons_change_widths_little_at_low_mass(monkeypatch: pytest.MonkeyPatch) -> None:
    full = {m: widths.total_width(m, {"mu": 1}) for m in (5, 10, 20)}
    for name in ("M_W", "M_Z"):
        monkeypatch.setattr(widths, name, 1e9)
    excess = [full[m] / widths.total_width(m, {"mu": 1}) - 1 for m in (5, 10, 20)]
    assert excess == pytest.approx([0.002, 0.009, 0.037], rel=0.15)


@pytest.mark.usefixtures("contact")
@pytest.mark.parametrize(
    ("lepton", "fermion", "c1"), [("mu", "mu", 0.588), ("mu", "e", 0.1257), ("mu", "u", 3 * 0.1433)]
)
def test_neutral_current_far_above_threshold(lepton: str, fermion: str, c1: float) -> None:
    """colour factor times C1 of Bondarenko et al. at sin^2 theta_W = 0.2312, relative to a CC lepton."""
    ratio = widths.nc_width(60, lepton, fermion) / widths.cc_width(60, lepton, "nu", "e")
    assert ratio == pytest.approx(c1, rel=0.01)


@pytest.mark.usefixtures("contact")
def test_three_neutrinos_are_as_many_as_massless_leptons() -> None:
    assert widths.three_neutrino_width(60) == pytest.approx(widths.cc_width(60, "mu", "nu", "e"), rel=1e-3)


def test_thresholds_are_continuous() -> None:
    channels = [
        (lambda m: widths.nc_width(m, "e", "mu"), 2 * LEPTON_MASS["mu"]),
        (lambda m: widths.nc_width(m, "e", "tau"), 2 * LEPTON_MASS["tau"]),
        (lambda m: widths.cc_width(m, "tau", "nu", "mu"), LEPTON_MASS["tau"] + LEPTON_MASS["mu"]),
    ]
    for width, threshold in channels:
        assert width(threshold * (1 - 1e-9)) == 0
        assert 0 <= width(threshold * (1 + 1e-4)) < 1e-6 * width(2 * threshold)
        assert width(threshold * 1.1) > 0


def test_coupling_for_ctau_is_the_inverse() -> None:
    coupling = widths.coupling_for_ctau(8, 25, {"e": 1, "mu": 3}, "dirac")
    assert coupling["mu"] == pytest.approx(3 * coupling["e"])
    assert widths.ctau_mm(8, coupling["e"], coupling["mu"], nature="dirac") == pytest.approx(25)


def test_semileptonic_ratio() -> None:
    """About half of the decays (the same model by an independent calculation: 0.47, 0.50, 0.51)."""
    ratios = [sum(widths.semileptonic_ratios(m, {"mu": 1}, "mu").values()) for m in (3, 5, 10)]
    assert ratios == pytest.approx([0.47, 0.50, 0.51], abs=0.01)
    assert widths.semileptonic_ratios(3, {"mu": 1}, "e") == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mass": 0.1, "coupling": {"mu": 1}}, "0.1"),
        ({"mass": 95, "coupling": {"mu": 1}}, "95"),
        ({"mass": float("nan"), "coupling": {"mu": 1}}, "nan"),
        ({"mass": 5, "coupling": {}}, "above 0"),
        ({"mass": 5, "coupling": {"mu": -1e-6, "e": 1}}, "-1e-06"),
        ({"mass": 5, "coupling": {"muon": 1}}, "muon"),
        ({"mass": 5, "coupling": {"mu": 1}, "nature": "weyl"}, "weyl"),
    ],
)
def test_bad_input(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        widths.total_width(**arguments)


@pytest.mark.parametrize("ctau", [0, -1, float("inf"), float("nan")])
def test_bad_ctau(ctau: float) -> None:
    with pytest.raises(InputError, match="c tau"):
        widths.coupling_for_ctau(5, ctau, {"mu": 1})
