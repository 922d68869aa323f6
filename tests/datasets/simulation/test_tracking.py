"""Tracks: efficiency and resolution as quoted in section 2 of the paper, and impact parameters."""

import dataclasses

import numpy as np
import pytest

from hnl.datasets.simulation import tracking
from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.parameters import DETECTOR, Detector
from hnl.datasets.simulation.rows import ObjectRows

N = 4000
B = DETECTOR.beam
EXACT = dataclasses.replace(
    DETECTOR,
    tracker=dataclasses.replace(
        DETECTOR.tracker,
        sigma_hit=1e-9,
        sigma_hit_z=1e-9,
        sigma_hit_strip=1e-9,
        sigma_hit_strip_z=1e-9,
        sigma_phi=1e-9,
        scatter_phi=1e-9,
        scatter_cot=1e-9,
        sigma_pt=1e-9,
        sigma_pt_per_gev=1e-12,
        efficiency=((0.0,), (1.0,)),
        efficiency_pt=((0.0,), (1.0,)),
    ),
)
"""A tracker that finds everything and errs by nothing."""


def _particles(
    pt: float, radius: float = 0.0, pdg: int = 211, n: int = N, eta_max: float = 1.4, side: float = 0.0
) -> ObjectRows:
    """Particles from points at ``radius`` from the beam line, flying outward at an angle ``side`` to the radius."""
    rng = np.random.default_rng(1)
    phi, eta = rng.uniform(-np.pi, np.pi, n), rng.uniform(-eta_max, eta_max, n)
    direction = phi + side
    columns = {
        "uid": np.arange(n),
        "gen": np.arange(n),
        "pdg": np.full(n, pdg),
        "charge": np.where(np.arange(n) % 2 == 0, 1, -1),
        "px": pt * np.cos(direction),
        "py": pt * np.sin(direction),
        "pz": pt * np.sinh(eta),
        "energy": pt * np.cosh(eta),
        "x": B.x + radius * np.cos(phi),
        "y": B.y + radius * np.sin(phi),
        "z": radius * np.sinh(eta),
        "source": np.zeros(n, np.int32),
    }
    return ObjectRows(1, np.zeros(n, np.int64), columns)


def _tracks(particles: ObjectRows, detector: Detector = DETECTOR) -> ObjectRows:
    draws = Draws.for_events(7, np.arange(particles.n_events), np.zeros(particles.n_events))
    vertex = np.tile([B.x, B.y, 0.0], (particles.n_events, 1))
    return tracking.impact_parameters(tracking.reconstruct(particles, draws, detector), vertex, detector)


def _width(values: np.ndarray) -> float:
    """Half the central 68 %: the resolution without its tail."""
    low, high = np.percentile(values, [16, 84])
    return float(high - low) / 2


@pytest.mark.parametrize(("radius", "quoted"), [(2.0, 0.90), (10.0, 0.60), (48.0, 0.25)])
def test_efficiency_is_better_than_quoted(radius: float, quoted: float) -> None:
    """Section 2: better than 90, 60, 25 % within 2, 10, 48 cm for p_T > 0.9 GeV; the worst is at the edge."""
    found = len(_tracks(_particles(1.0, radius))) / N
    assert quoted < found < quoted + 0.08


def test_nothing_starts_beyond_60_cm() -> None:
    assert len(_tracks(_particles(5.0, 60.5))) == 0


def test_slow_particles_are_found_less_often() -> None:
    assert len(_tracks(_particles(0.45))) < 0.9 * len(_tracks(_particles(2.0)))


@pytest.mark.parametrize("pt", [1.0, 3.0, 10.0])
def test_resolutions_of_section_2(pt: float) -> None:
    """d_xy 20-75 um, d_z 45-150 um and p_T 1.5 % for 1 < p_T < 10 GeV and |eta| < 1.4; 10 % tolerance at the edges."""
    tracks = _tracks(_particles(pt))
    dxy, dz = _width(tracks.dxy) * 1e4, _width(tracks.dz) * 1e4
    assert 18 < dxy < 82
    assert 40 < dz < 165
    assert _width(tracks.pt / pt) == pytest.approx(0.015, rel=0.1)
    if pt in (1.0, 10.0):  # the range is reached at both ends
        assert dxy == pytest.approx({1.0: 75, 10.0: 20}[pt], rel=0.15)


@pytest.mark.parametrize("radius", [0.0, 5.0, 30.0])
def test_uncertainties_are_right(radius: float) -> None:
    """Pulls of d_xy and d_z, measured minus exact, have unit width at any displacement."""
    every = dataclasses.replace(
        DETECTOR,
        tracker=dataclasses.replace(DETECTOR.tracker, efficiency=((0.0,), (1.0,)), efficiency_pt=((0.0,), (1.0,))),
    )
    particles = _particles(5.0, radius)
    measured, exact = _tracks(particles, every), _tracks(particles, EXACT)
    np.testing.assert_array_equal(measured.uid, exact.uid)
    assert _width((measured.dxy - exact.dxy) / measured.dxy_err) == pytest.approx(1.0, abs=0.08)
    assert _width((measured.dz - exact.dz) / measured.dz_err) == pytest.approx(1.0, abs=0.08)


def test_resolution_worsens_with_displacement() -> None:
    near, far = _tracks(_particles(5.0, 0.0)), _tracks(_particles(5.0, 20.0))
    assert np.median(far.dxy_err) > 3 * np.median(near.dxy_err)


def test_exact_impact_parameter_of_a_displaced_track() -> None:
    """A stiff particle 3 cm out that flies at 0.5 rad to the radius passes the beam line at 3 cm * sin(0.5)."""
    tracks = _tracks(_particles(1000.0, 3.0, side=0.5), EXACT)
    assert len(tracks) > 0.99 * N
    np.testing.assert_allclose(np.abs(tracks.dxy), 3.0 * np.sin(0.5), rtol=2e-3)
    np.testing.assert_allclose(tracks.pt, 1000.0, rtol=1e-6)


def test_sign_of_dxy() -> None:
    """NanoAOD: dxy = -(x - PV_x) sin(phi) + (y - PV_y) cos(phi); a track along +x above the PV has dxy > 0."""
    one = _particles(1000.0, n=1).with_columns(
        px=np.array([1000.0]), py=np.zeros(1), pz=np.zeros(1), x=np.array([B.x]), y=np.array([B.y + 0.5])
    )
    assert _tracks(one, EXACT).dxy[0] == pytest.approx(0.5, rel=1e-4)


def test_positive_charges_bend_clockwise() -> None:
    """The field points along +z: a 1 GeV positive particle has turned by -2.9 cm / 88 cm at the first layer."""
    one = _particles(1.0, n=2).with_columns(px=np.ones(2), py=np.zeros(2), pz=np.zeros(2), x=np.zeros(2), y=np.zeros(2))
    tracks = _tracks(one, EXACT)
    assert tracks.charge.tolist() == [1, -1]
    expected = tracks.x0 / 87.78
    np.testing.assert_allclose(tracks.phi0, [-expected[0], expected[1]], rtol=0.01)


def test_hits_are_lost_with_displacement() -> None:
    tracks = _tracks(_particles(5.0, 8.0))
    assert set(np.unique(tracks.n_pixel)) <= {1, 2}
    assert tracks.lost.min() == 2
    assert _tracks(_particles(5.0)).n_pixel.max() == 4


def test_muons_survive_displacement_better_than_hadrons() -> None:
    assert len(_tracks(_particles(20.0, 20.0, pdg=13))) > 1.2 * len(_tracks(_particles(20.0, 20.0)))
