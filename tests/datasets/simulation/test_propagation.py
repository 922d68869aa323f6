"""Charges, visible particles, photon conversions, and the overlay."""

import awkward as ak
import numpy as np
import pytest
from toy_particles import minimum_bias, particle
from toy_particles import table as toy_table

from hnl.datasets.simulation import overlay, propagation
from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.parameters import DETECTOR, table
from hnl.errors import InputError


def _draws(n: int) -> Draws:
    return Draws.for_events(1, np.arange(n), np.zeros(n))


def test_charges() -> None:
    codes = {
        11: -1,
        -13: 1,
        22: 0,
        211: 1,
        -321: -1,
        130: 0,
        310: 0,
        411: 1,
        421: 0,
        511: 0,
        521: 1,
        2212: 1,
        2112: 0,
        3112: -1,
        3222: 1,
        3312: -1,
        -3334: 1,
        4122: 1,
        5122: 0,
        9900012: 0,
        12: 0,
        24: 1,
        2: 0,
        3122: 0,
    }
    assert propagation.charge(np.array(list(codes))).tolist() == list(codes.values())


def _photons(n: int, eta: float) -> ak.Array:
    return toy_table([[particle(22, 20.0, eta, 0.1 * i)] for i in range(n)])


@pytest.mark.parametrize("eta", [0.0, 1.2])
def test_conversion_probability_is_that_of_the_material(eta: float) -> None:
    n, m = 4000, DETECTOR.material
    draws = _draws(n)
    vertex = np.zeros((n, 3))
    photons = propagation.visible(propagation.generated(_photons(n, eta)), vertex)
    rows = propagation.convert_photons(photons, draws)
    thickness = sum(m.x0) * (1 + m.growth * eta**2)
    legs = rows[np.abs(rows.pdg) == 11]
    assert len(legs) / 2 / n == pytest.approx(1 - np.exp(-7 / 9 * thickness), abs=0.025)
    assert set(np.round(np.hypot(legs.x, legs.y), 6)) == set(m.radii)
    assert len(rows) == n + len(legs) // 2  # a pair for each converted photon
    np.testing.assert_allclose(np.bincount(rows.event, rows.energy), photons.energy)
    assert legs.charge.sum() == 0


def test_neutrinos_and_hnls_are_not_seen() -> None:
    event = [particle(9900012, 5, 0, 0), particle(14, 5, 0, 1), particle(-13, 5, 0, 2)]
    seen = propagation.visible(propagation.generated(toy_table([event])), np.array([[1.0, 2.0, 3.0]]))
    assert seen.pdg.tolist() == [-13]
    assert (seen.x[0], seen.y[0], seen.z[0]) == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(("radius", "seen"), [(20.0, [-13]), (60.0, [-211])])
def test_decays_in_flight(radius: float, seen: list[int]) -> None:
    """A pion that decays early leaves its muon's track; one that decays late leaves its own."""
    event = [particle(-211, 10, 0, 0, status=2), particle(-13, 9, 0, 0, (radius, 0.0, 0.0), parent=0)]
    assert propagation.visible(propagation.generated(toy_table([event])), np.zeros((1, 3))).pdg.tolist() == seen


def test_overlay_activity() -> None:
    """Pileup: Poisson about a profile of mean 32; kept particles are near in z, displaced, or neutral."""
    n = 500
    draws = _draws(n)
    vertex = propagation.beam_spot(draws)
    number = overlay.interactions(draws)
    assert number.mean() == pytest.approx(32, abs=2)
    assert number.std() == pytest.approx(np.hypot(9, np.sqrt(32)), abs=1.5)
    rows = overlay.add(vertex, number, overlay.Libraries.from_events(minimum_bias()), draws)
    pileup = rows[rows.source > 0]
    near = np.abs(pileup.z - vertex[pileup.event, 2]) < DETECTOR.overlay.window_z
    assert np.all(near | (pileup.charge == 0))
    assert np.all(np.diff(rows.event) >= 0)
    assert len(np.unique(np.stack([rows.event, rows.uid]), axis=1).T) == len(rows)
    underlying = rows[rows.source == 0]
    np.testing.assert_allclose(np.stack([underlying.x, underlying.y, underlying.z], 1), vertex[underlying.event])


def test_empty_library_is_refused() -> None:
    with pytest.raises(InputError, match="no events"):
        overlay.Libraries.from_events(minimum_bias()[:0])


def test_every_parameter_names_its_source() -> None:
    rows = list(table())
    assert len(rows) > 80
    for name, _, _, source in rows:
        assert source.startswith(("paper, section", "our choice", "CMSSW, ")), name
