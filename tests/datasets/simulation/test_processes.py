"""The table of processes and its cross sections."""

import awkward as ak
import generation
import numpy as np
import pytest

from hnl.datasets.simulation import particles, processes, pythia, streams
from hnl.datasets.simulation.signal import SignalOptions
from hnl.errors import InputError
from hnl.physics import production, widths

WITH_K = [name for name, process in processes.PROCESSES.items() if process.k_factor]


@pytest.mark.parametrize("name", WITH_K)
def test_cross_section_is_k_times_pythia(name: str) -> None:
    process = processes.get(name)
    run = pythia.start([*process.settings, "PartonLevel:all = off"], 1)
    run.nextBatch(5000)
    pythia_pb = run.infoPython().sigmaGen() * 1e9
    assert process.cross_section == pytest.approx(process.k_factor * pythia_pb, rel=0.06)


def test_every_process_is_documented() -> None:
    for name, process in processes.PROCESSES.items():
        assert process.name == name
        assert process.description
        assert process.source
        assert 0 < process.uncertainty <= 1
        assert set(process.streams) <= set(streams.ALL)


def test_signal_cross_section() -> None:
    """W -> l N times N -> l q q', by hand for HNL10 of the paper."""
    ratio = sum(widths.semileptonic_ratios(10, {"mu": 1}, "mu").values())
    expected = production.sigma_w_to_n(10, 5.7e-7) * ratio
    assert processes.cross_section_pb("hnl", SignalOptions(10, v2=5.7e-7)) == pytest.approx(expected, rel=1e-3)
    assert expected == pytest.approx(20508.9 * 5.7e-7 * 0.51, rel=0.05)


def test_signal_cross_section_of_ctau_is_that_of_its_coupling() -> None:
    by_v2 = SignalOptions(8, "mixed", v2=1e-6, nature="dirac")
    by_ctau = SignalOptions(8, "mixed", ctau=by_v2.ctau_mm, nature="dirac")
    assert by_ctau.couplings == pytest.approx({"e": 1e-6, "mu": 1e-6})
    assert processes.cross_section_pb("hnl", by_ctau) == pytest.approx(processes.cross_section_pb("hnl", by_v2))
    assert by_v2.ctau_mm == pytest.approx(widths.ctau_mm(8, 1e-6, 1e-6, nature="dirac"))


def test_mixed_cross_section_adds_both_flavours() -> None:
    """Twice the production; each N decays with about the branching ratio of one flavour in sum."""
    mixed, muon = (processes.cross_section_pb("hnl", SignalOptions(10, c, v2=1e-6)) for c in ("mixed", "mu"))
    assert mixed == pytest.approx(2 * muon, rel=0.01)


def test_bad_names_and_options() -> None:
    with pytest.raises(InputError, match="unknown process 'zee'"):
        processes.cross_section_pb("zee")
    with pytest.raises(InputError, match="has no HNL"):
        processes.cross_section_pb("ttbar", SignalOptions(5, ctau=1))
    with pytest.raises(InputError, match="needs an HNL mass"):
        processes.cross_section_pb("hnl")


def test_tw_has_its_particles() -> None:
    """The stand-in for t W: one top, and two W that carry its charge balance."""
    (batch,) = generation.generate("st_tw", 30, 1, keep=streams.ALL)
    prt = batch.table.particles
    kind = abs(prt.pdg_id)
    assert ak.all(ak.sum(kind == 6, axis=1) == 1)
    w = prt[kind == 24]
    assert ak.all(ak.num(w) == 2)
    assert ak.all(ak.sum(w.pdg_id, axis=1) == 0)


# One event for each case: (pdg_id, pT, parent) of each particle.
CASES = {
    "none": [(13, 23.0, -1), (-11, 9.0, -1)],
    "displaced": [(13, 30.0, -1), (521, 20.0, -1), (-11, 6.0, 1), (22, 10.0, -1)],
    "photon": [(13, 30.0, -1), (-13, 20.0, -1), (22, 8.0, -1)],
    "prompt_pair": [(13, 30.0, -1), (-13, 20.0, -1), (22, 6.0, -1), (521, 20.0, -1), (-11, 4.0, 3)],
    "track": [(11, 30.0, -1), (211, 50.0, -1)],
}
TAU = [(15, 40.0, -1), (11, 30.0, 0), (-15, 40.0, -1), (-13, 6.0, 2)]


@pytest.mark.parametrize(
    ("event", "expected"), [*((event, name) for name, event in CASES.items()), (TAU, "displaced"), (TAU[:2], "track")]
)
def test_streams(event: list[tuple[int, float, int]], expected: str) -> None:
    pdg_id, pt, parent = zip(*event, strict=True)
    columns = {name: np.zeros(len(event)) for name in particles.PARTICLE_FIELDS}
    status = [2 if i in parent or abs(kind) == 521 else 1 for i, kind in enumerate(pdg_id)]
    columns |= {"pdg_id": pdg_id, "px": pt, "energy": pt, "parent": parent, "status": status}
    table = particles.build([len(event)], columns, [0], [1.0])
    assert streams.classify(table).tolist() == [expected]
    forward = particles.build([len(event)], {**columns, "pz": np.array(pt) * 10}, [0], [1.0])
    assert streams.classify(forward).tolist() == ["none"]
