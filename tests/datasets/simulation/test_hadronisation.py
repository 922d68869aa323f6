"""Events hadronised several times: exact sums, copies that differ, the physics of plain events."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import awkward as ak
import generation
import numpy as np
import pytest
import uproot

from hnl.datasets.simulation import generator, particles, processes, pythia, sample, streams
from hnl.datasets.simulation.hadronisation import Hadroniser
from hnl.datasets.simulation.sample import Request
from hnl.datasets.simulation.signal import SignalOptions
from hnl.errors import InputError

N, COPIES = 400, 5


@pytest.fixture(scope="module")
def heavy() -> tuple[list[generator.GeneratedBatch], ak.Array]:
    """W + jets with b or c, and its table, without the generator filter."""
    with pytest.MonkeyPatch.context() as patch:
        recipe = replace(processes.get("wjets_heavy"), streams=streams.ALL)
        patch.setitem(processes.PROCESSES, "wjets_heavy", recipe)
        batches = list(generator.generate_block("wjets_heavy", N, 3, 0, copies=COPIES))
    return batches, particles.concatenate([batch.table for batch in batches])


def test_sums_are_of_all_partons_and_copies_share_the_weight(
    heavy: tuple[list[generator.GeneratedBatch], ak.Array],
) -> None:
    batches, table = heavy
    assert [batch.n_generated for batch in batches] == [250, 150]
    assert [batch.sum_w for batch in batches] == [250.0, 150.0]
    assert [batch.sum_w2 for batch in batches] == [250.0, 150.0]
    assert set(table.weight) == {1 / COPIES}
    number = ak.to_numpy(table.event_id)
    assert len(np.unique(number)) == len(number)
    chosen, copies = np.unique(number // COPIES, return_counts=True)
    assert 10 < len(chosen) < 100  # 8 % of 400
    assert set(copies) == {COPIES}
    assert chosen.max() < N


def test_copies_have_the_partons_in_common_and_not_the_hadrons(
    heavy: tuple[list[generator.GeneratedBatch], ak.Array],
) -> None:
    _, table = heavy
    prt, event = table.particles, ak.to_numpy(table.event_id) // COPIES
    w = ak.to_numpy(ak.firsts(prt.px[abs(prt.pdg_id) == 24]))
    momenta = [np.unique(w[event == one]) for one in np.unique(event)]
    assert {len(values) for values in momenta} == {1}
    assert len(np.unique(w)) == len(momenta)
    energy = ak.to_numpy(ak.sum(prt.energy[prt.status == particles.STABLE], axis=1))
    np.testing.assert_allclose(energy, 13000, rtol=1e-4)
    first = [ak.to_numpy(ak.num(prt))[event == one] for one in np.unique(event)]
    assert all(len(set(numbers.tolist())) > 1 for numbers in first)
    heavy_quark = (abs(prt.pdg_id) == 4) | (abs(prt.pdg_id) == 5)
    assert ak.all(ak.any(heavy_quark, axis=1))


def test_streams_of_partons_share_the_events_out() -> None:
    batch = Hadroniser([*processes.get("wjets").settings, "PartonLevel:MPI = off"], [], (1, 2)).partons(250)
    lepton, heavy, light, radiation, _ = (streams.of_partons(batch, name) for name in streams.PARTON_STREAMS)
    np.testing.assert_array_equal(lepton, heavy | light)
    assert not (heavy & light).any()
    assert not (radiation & ~lepton).any()
    assert 0.02 < heavy.sum() / 250 < 0.15
    assert 0.1 < radiation.sum() / lepton.sum() < 0.99


@pytest.mark.parametrize(
    ("final", "expected"),
    [
        ([(13, 25.0, 0.0)], {"lepton", "light"}),
        ([(13, 23.0, 0.0), (5, 50.0, 0.0)], set()),
        ([(-15, 25.0, 2.55), (-4, 6.1, 0.0)], {"lepton", "heavy"}),
        ([(11, 25.0, 2.65), (5, 50.0, 0.0)], set()),
        ([(11, 25.0, 0.0), (5, 5.9, 0.0), (4, 30.0, 2.9)], {"lepton", "light"}),
        ([(11, 25.0, 0.0), (21, 7.1, 0.0)], {"lepton", "light", "radiation"}),
        ([(11, 25.0, 0.0), (22, 7.1, 2.9)], {"lepton", "light"}),
        ([(11, 25.0, 0.0), (5, 8.0, -2.0)], {"lepton", "heavy", "radiation"}),
        ([(11, 25.0, 0.0), (2212, 80.0, 0.0)], {"lepton", "light"}),
        ([(5, 24.5, 0.0), (-4, 6.5, -2.7)], {"heavy_pair"}),
        ([(5, 23.5, 0.0), (-5, 23.5, 1.0)], set()),
        ([(5, 90.0, 0.0), (21, 90.0, 1.0), (-5, 5.5, 1.0)], set()),
    ],
)
def test_thresholds_of_partons(final: list[tuple[int, float, float]], expected: set[str]) -> None:
    """Entries (identity, pT, eta), besides a b quark that is not final."""
    pt, eta = np.array([80.0, *(p for _, p, _ in final)]), np.array([0.0, *(e for _, _, e in final)])
    momentum = ak.zip({"px": [pt], "py": [0 * pt], "pz": [pt * np.sinh(eta)]})
    identity, status = [5, *(kind for kind, _, _ in final)], [-51, *(1 for _ in final)]
    batch = ak.Array({"prt": ak.zip({"id": [identity], "status": [status], "p": momentum}, depth_limit=2)})
    assert {name for name in streams.PARTON_STREAMS if streams.of_partons(batch, name)[0]} == expected


def test_nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sums are those of all partons, the table is empty and can be joined to others."""
    monkeypatch.setattr(streams, "LEADING_PT", 6000.0)
    (batch,) = generator.generate_block("st_tchannel", 10, 3, 0, copies=3)
    assert (len(batch.table), *batch[1:]) == (0, 10, 10.0, 10.0)
    monkeypatch.undo()
    (other,) = generator.generate_block("st_tchannel", 40, 3, 0, copies=3)
    assert len(particles.concatenate([batch.table, other.table])) == len(other.table) > 0


def final_numbers(table: ak.Array) -> np.ndarray:
    """Numbers of charged hadrons, photons, and leptons of hadrons above 0.5 GeV, and the way from the interaction of
    the last, in each event."""
    prt = table.particles
    kind, final = abs(prt.pdg_id), prt.status == particles.STABLE
    lepton = final & ((kind == 11) | (kind == 13)) & (np.hypot(prt.px, prt.py) > 0.5)
    lepton = lepton & particles.has_ancestor(prt, particles.is_hadron(prt.pdg_id) & (kind != 2212))
    masks = (final & ((kind == 211) | (kind == 321)), final & (kind == 22), lepton, kind == 511)
    radius = np.minimum(np.hypot(prt.vx, prt.vy), 100)
    return np.stack(
        [*(ak.to_numpy(ak.sum(mask, axis=1)) for mask in masks), ak.to_numpy(ak.sum(radius * lepton, axis=1))]
    )


def test_hadronised_events_are_like_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Means over single top events, whose partons are chosen or not by the same condition on the lepton."""
    monkeypatch.setitem(processes.PROCESSES, "st_tchannel", replace(processes.get("st_tchannel"), streams=streams.ALL))
    enriched = particles.concatenate([b.table for b in generator.generate_block("st_tchannel", 700, 5, 0, copies=2)])
    plain = particles.concatenate([b.table for b in generation.generate("st_tchannel", 700, 6, keep=streams.ALL)])
    leading = streams.classify(plain) != streams.NONE, streams.classify(enriched) != streams.NONE
    one, other = final_numbers(plain[leading[0]]), final_numbers(enriched[leading[1]])
    groups = np.unique(ak.to_numpy(enriched.event_id)[leading[1]] // 2)
    assert len(groups) > 120
    error = np.sqrt(one.var(axis=1) / one.shape[1] + other.var(axis=1) / len(groups))
    pulls = (other.mean(axis=1) - one.mean(axis=1)) / error
    assert np.all(np.abs(pulls) < 4), pulls
    yields = leading[0].sum(), leading[1].sum() / 2
    assert abs(yields[0] - yields[1]) < 4 * np.sqrt(sum(yields))


@pytest.mark.parametrize(
    ("process", "stream", "most"),
    [
        ("wjets_heavy", streams.DISPLACED, 0.0),
        ("wgamma", streams.PHOTON, 0.02),
        ("st_tchannel", streams.DISPLACED, 0.25),
    ],
)
def test_the_filter_keeps_what_the_plain_way_has(process: str, stream: str, most: float) -> None:
    """Of all events hadronised, those in the stream passed the parton-level filter, with the stated exceptions.

    Together with 'light', 'heavy' has lost none. Photons: a hadron is seldom harder than its parton. Top: a leading
    lepton of a b hadron, which is not isolated.
    """
    recipe = processes.get(process)
    hadroniser = Hadroniser([*recipe.settings, "PartonLevel:MPI = off"], recipe.hadron_settings, (3, 4))
    lost = total = 0
    for _ in range(3):
        partons = hadroniser.partons(250)
        names = (streams.HEAVY, streams.LIGHT) if recipe.partons == streams.HEAVY else (recipe.partons,)
        passed = np.any([streams.of_partons(partons, str(name)) for name in names], axis=0)
        for events, origin, _ in hadroniser.hadronise(partons, np.ones(250, bool), 1):
            found = streams.classify(pythia.particle_table(events, np.ones(len(events)), 0)) == stream
            total += found.sum()
            lost += (found & ~passed[origin]).sum()
    assert total > (5 if most == 0 else 20)
    assert lost <= most * total, (lost, total)


def test_polarisation_of_taus_survives() -> None:
    """Of W -> tau nu, as Pythia has it without a break: the mean share of the tau's pT that an e or mu gets is 0.40,
    and 0.34 without spin."""
    settings = ("WeakSingleBoson:ffbar2W = on", "24:onMode = off", "24:onIfAny = 15", "PartonLevel:MPI = off")
    hadroniser = Hadroniser(settings, (), (5, 6))
    shares: list[np.ndarray] = []
    partons = hadroniser.partons(250)
    for events, _, _ in hadroniser.hadronise(partons, np.ones(len(partons), bool), 4):
        prt = pythia.particle_table(events, np.ones(len(events)), 0).particles
        pt = np.hypot(prt.px, prt.py)
        tau_pt = particles.parents(ak.with_field(prt, pt, "pt"), "pt")
        of_tau = abs(particles.parents(prt, "pdg_id")) == 15
        chosen = of_tau & ((abs(prt.pdg_id) == 11) | (abs(prt.pdg_id) == 13)) & (tau_pt > 20)
        shares.append(ak.to_numpy(ak.flatten(pt[chosen] / tau_pt[chosen])))
    share = np.concatenate(shares)
    assert len(share) > 200
    assert share.mean() == pytest.approx(0.403, abs=4 * share.std() / np.sqrt(len(share)))
    assert share.mean() > 0.338 + 2 * share.std() / np.sqrt(len(share))


@pytest.fixture
def files(small_libraries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Path]]:
    """One sample, made by one worker and by two, in two blocks."""
    import small_blocks as small

    monkeypatch.setattr(generator, "BLOCK", small.BLOCK)
    monkeypatch.setattr(sample, "one_block", small.one_block)
    request = Request("st_tchannel", small.BLOCK + 100, 3, None, 2, True, 4)
    paths = {str(workers): tmp_path / f"{workers}.root" for workers in (1, 2)}
    for workers, path in paths.items():
        sample.make(request, path, workers=int(workers))
    return paths


def test_files(files: dict[str, Path]) -> None:
    """The same from any number of workers; the generated event is that of the partons."""
    contents = []
    for path in files.values():
        with uproot.open(path) as root:
            assert root["Runs"]["genEventSumw"].array().tolist() == [500.0]
            assert root["Runs"]["genEventCount"].array().tolist() == [500]
            contents.append(root["Events"].arrays())
    one, two = contents
    for name in one.fields:
        assert ak.array_equal(one[name], two[name], equal_nan=True), name
    assert len(one) > 5
    assert len(np.unique(one.event)) == len(one)
    np.testing.assert_array_equal(one.event // (16 * 4), one.hnlsim_generatorEvent)
    assert set(one.genWeight) == {1 / 8}


def test_copies_need_chosen_partons() -> None:
    for process, copies in (("wjets", 2), ("hnl", 3), ("ttbar", 0)):
        assert (processes.get(process).partons is None) == (copies > 1)
        with pytest.raises(InputError, match=f"copies = {copies}"):
            generator.check(process, 10, 1, SignalOptions(5, ctau=1) if process == "hnl" else None, None, copies)
