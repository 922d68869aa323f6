"""Pythia's batches: their repair and their translation into particle tables."""

import awkward as ak
import numpy as np
import pytest

from hnl.datasets.simulation import minimum_bias, particles, pythia, signal
from hnl.datasets.simulation.processes import PROCESSES
from hnl.datasets.simulation.signal import SignalOptions
from hnl.errors import HNLError

SIGNAL = [*PROCESSES["hnl"].settings, *signal.settings(SignalOptions(5, ctau=0.5)), "PartonLevel:MPI = off"]
SETTINGS = {
    "hnl": SIGNAL,
    "qcd_bb": [*PROCESSES["qcd_bb"].settings, "PartonLevel:MPI = off"],
    "underlying event": minimum_bias.UNDERLYING_EVENT,  # with multiparton interactions
}


@pytest.mark.parametrize("name", SETTINGS)
def test_vertices_are_those_of_next(name: str) -> None:
    n = 25
    batch = pythia.start(SETTINGS[name], 5).nextBatch(n)
    generator = pythia.start(SETTINGS[name], 5)
    px, expected = [], []
    for _ in range(n):
        generator.next()
        event = [generator.event[i] for i in range(generator.event.size())]
        px += [p.px() for p in event]
        expected += [(p.xProd(), p.yProd(), p.zProd()) for p in event]
    np.testing.assert_array_equal(particles.flat(batch.prt.p.px), px)  # the same events
    np.testing.assert_array_equal(pythia.production_vertices(batch), expected)
    assert np.count_nonzero(expected) > 100
    if len(batch) > 1:  # and the repair is needed
        assert not np.array_equal(particles.flat(ak.fill_none(batch.prt.vProd.px, 0)), np.array(expected)[:, 0])


@pytest.fixture(scope="module")
def tables() -> dict[str, ak.Array]:
    n = 100
    return {
        name: pythia.particle_table(pythia.start(settings, 8).nextBatch(n), np.ones(n), 0)
        for name, settings in SETTINGS.items()
    }


@pytest.mark.parametrize("name", SETTINGS)
def test_stable_particles_carry_the_energy_of_the_beams(tables: dict[str, ak.Array], name: str) -> None:
    prt = tables[name].particles
    stable = prt[prt.status == particles.STABLE]
    np.testing.assert_allclose(ak.sum(stable.energy, axis=1), 13000, rtol=1e-3)
    np.testing.assert_allclose(ak.sum(stable.px, axis=1), 0, atol=1)


@pytest.mark.parametrize("name", SETTINGS)
def test_children_carry_the_momentum_of_their_parent(tables: dict[str, ak.Array], name: str) -> None:
    """Hadrons, taus and N: everything that decays outside the hard process. So the ancestry is complete."""
    prt = tables[name].particles
    kind = particles.flat(abs(prt.pdg_id))
    decayed = (particles.flat(prt.status) == particles.DECAYED) & ((kind > 100) | (kind == 15))
    counts = ak.to_numpy(ak.num(prt.parent))
    first = np.repeat(np.cumsum(counts) - counts, counts)
    parent = particles.flat(prt.parent)
    has_parent = (parent >= 0) & (kind > 10)  # quarks stand beside the hadrons made of them
    for field in ("px", "pz", "energy"):
        values = particles.flat(prt[field])
        sums = np.bincount((first + parent)[has_parent], values[has_parent], len(values))
        np.testing.assert_allclose(sums[decayed], values[decayed], rtol=1e-3, atol=0.02)
    assert np.sum(decayed) > 1000


def test_particles_start_where_their_parent_ended(tables: dict[str, ak.Array]) -> None:
    """All products of N have one vertex, in the direction of N; prompt particles start at the interaction."""
    prt = tables["hnl"].particles
    child = particles.parents(prt, "pdg_id") == particles.HNL
    n = prt[prt.pdg_id == particles.HNL]
    assert ak.all(ak.num(n) == 1)
    for axis in "xyz":
        start = prt[f"v{axis}"][child]
        np.testing.assert_allclose(ak.max(start, axis=1), ak.min(start, axis=1))
        length = np.sqrt(sum(prt[f"v{a}"][child] ** 2 for a in "xyz"))
        momentum = np.sqrt(n.px**2 + n.py**2 + n.pz**2)[:, 0]
        direction = ak.firsts(start / length)
        np.testing.assert_allclose(direction, n[f"p{axis}"][:, 0] / momentum, atol=1e-4)
    assert ak.all(abs(n.vx) < 1e-12)


def test_unknown_setting() -> None:
    with pytest.raises(HNLError, match="NoSuch:flag"):
        pythia.start(["NoSuch:flag = on"], 1)


def test_impossible_settings() -> None:
    with pytest.raises(HNLError, match="cannot start"):
        pythia.start(["Beams:idA = 12345"], 1)


def test_another_layout_is_refused() -> None:
    """Part of a batch, or a Pythia in which the index is right, must not be 'repaired'."""
    batch = pythia.start(SIGNAL, 1).nextBatch(3)
    with pytest.raises(HNLError, match="surplus"):
        pythia.production_vertices(batch[:2])
