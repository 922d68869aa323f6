"""The whole detector on toy events: the truth comes back, and nothing depends on how the work is cut."""

import awkward as ak
import numpy as np
import pytest
from toy_particles import minimum_bias, particle, signal, table

from hnl.datasets.simulation import collections, detector, overlay
from hnl.datasets.simulation.nanoaod_format import COLLECTIONS, SCALARS
from hnl.datasets.simulation.rows import ObjectRows
from hnl.datasets.simulation.vertexing import SecondaryVertices
from hnl.errors import InputError

N = 300


@pytest.fixture(scope="module")
def libraries() -> overlay.Libraries:
    return overlay.Libraries.from_events(minimum_bias())


@pytest.fixture(scope="module")
def block(libraries: overlay.Libraries) -> detector.Block:
    return detector.simulate(signal(N), libraries, seed=1)


def _same(a: detector.Block, b: detector.Block) -> None:
    assert set(a) == set(b)
    for name in a:
        assert ak.array_equal(a[name], b[name], equal_nan=True), name


def test_all_branches_in_their_types(block: detector.Block) -> None:
    assert set(block) == set(COLLECTIONS) | set(SCALARS)
    for name, kind in SCALARS.items():
        assert np.asarray(block[name]).dtype == kind, name
    for name, fields in COLLECTIONS.items():
        for field, kind in fields.items():
            assert ak.to_numpy(ak.flatten(block[name][field])).dtype == kind, f"{name}_{field}"


def test_the_muons_are_measured(block: detector.Block) -> None:
    """Most events have both muons, the prompt one isolated and on the PV, the other displaced."""
    muon = block["Muon"]
    prompt, displaced = muon[np.abs(muon.dxy) < 0.01], muon[np.abs(muon.dxy) > 0.02]
    assert np.mean(ak.num(prompt) >= 1) > 0.9
    assert np.mean(ak.num(displaced) >= 1) > 0.7
    assert 0.6 < ak.mean(prompt.pfRelIso03_all[prompt.pt > 30] < 0.1) < 0.8  # a fourth was made not isolated
    assert ak.mean(block["HLT_IsoMu24"][ak.any((prompt.pt > 30) & (prompt.pfRelIso03_all < 0.1), axis=1)]) > 0.8
    matched = ak.flatten(muon[muon.genPartIdx >= 0])
    gen = ak.flatten(block["GenPart"][muon.genPartIdx[muon.genPartIdx >= 0]])
    assert np.all(np.abs(gen.pdgId) == 13)
    assert np.median(np.abs(matched.pt / gen.pt - 1)) < 0.02
    np.testing.assert_array_equal(np.sign(gen.pdgId), -matched.charge)


def test_the_hnl_vertex_is_found_and_matches_the_truth(block: detector.Block) -> None:
    """Paper, Fig. 3: |Delta_3D - gen| / gen < 0.1 for the SV that holds the displaced muon."""
    muon, gen = block["Muon"], block["GenPart"]
    l2 = muon[(np.abs(muon.dxy) > 0.02) & (muon.hnlsim_svRow >= 0) & (muon.genPartIdx >= 0)]
    assert ak.sum(ak.num(l2)) > 0.6 * N
    sv, true = block["SV"][l2.hnlsim_svRow], gen[l2.genPartIdx]
    hard = [block[f"GenVtx_{axis}"] for axis in "xyz"]
    distance = np.sqrt((true.vx - hard[0]) ** 2 + (true.vy - hard[1]) ** 2 + (true.vz - hard[2]) ** 2)
    assert ak.mean(np.abs(sv.dlen - distance) < 0.1 * distance) > 0.9
    parent = gen[true.genPartIdxMother]
    assert ak.mean(parent.pdgId == 9900012) > 0.95


def test_sv_distance_is_between_its_position_and_the_pv(block: detector.Block) -> None:
    sv = block["SV"]
    distance = np.sqrt(sum((sv[axis] - block[f"PV_{axis}"]) ** 2 for axis in "xyz"))
    np.testing.assert_allclose(ak.flatten(sv.dlen), ak.flatten(distance), rtol=1e-3, atol=1e-3)
    assert ak.all(sv.pAngle > np.pi / 2, axis=None)


def test_indices_stay_in_range(block: detector.Block) -> None:
    targets = {
        ("Muon", "jetIdx"): "Jet",
        ("Muon", "hnlsim_svRow"): "SV",
        ("Muon", "genPartIdx"): "GenPart",
        ("Jet", "genJetIdx"): "GenJet",
        ("Jet", "muonIdx1"): "Muon",
        ("Electron", "jetIdx"): "Jet",
        ("GenPart", "genPartIdxMother"): "GenPart",
        ("JetPFCands", "jetIdx"): "Jet",
        ("JetPFCands", "pFCandsIdx"): "PFCands",
    }
    for (name, field), target in targets.items():
        index = block[name][field]
        assert ak.all(index >= -1, axis=None)
        assert ak.all(index < ak.num(block[target]), axis=None), (name, field)
    assert ak.any(block["Jet"].muonIdx1 >= 0, axis=None)


def test_the_vertex_of_a_track() -> None:
    """svIdx is the first of all vertices with the track (CMSSW); the truth is the row of that of highest p_T (paper,
    section 2) among those in the table. Track 0 is in all of the first event, 1 in those that are not in the table,
    2 in the last that is, 3 in the second event's only one, 4 in none."""
    pt = np.array([99.0, 3.0, 9.0, 5.0, 98.0, 1.0])
    vertices = ObjectRows(2, np.array([0, 0, 0, 0, 0, 1]), {"px": pt, "py": np.zeros(6)})
    pairs = [(0, 0), (0, 1), (1, 0), (2, 0), (3, 0), (3, 2), (4, 0), (4, 1), (5, 3)]
    vertex, track = np.array(pairs).T
    in_table = np.array([False, True, True, True, False, True])
    found = collections.track_to_vertex(SecondaryVertices(vertices, vertex, track, in_table), 5)
    assert found.sv_index.tolist() == [0, 0, 3, 0, -1]
    assert found.row.tolist() == [1, -1, 2, 0, -1]


def test_vertices_that_are_not_in_the_table(block: detector.Block) -> None:
    """CMSSW keeps those with dlenSig > 3 and counts all: where one is left out, svIdx is above the row."""
    assert ak.min(block["SV"].dlenSig) > 3
    muon, n = block["Muon"], ak.num(block["SV"])
    inside = muon.svIdx >= 0
    assert ak.all(inside[muon.hnlsim_svRow >= 0], axis=None)
    known = muon[muon.hnlsim_svRow >= 0]
    assert ak.all(known.svIdx >= known.hnlsim_svRow, axis=None)
    assert 0 < ak.sum(known.svIdx > known.hnlsim_svRow) < 0.3 * ak.sum(ak.num(known))
    assert ak.sum(muon.svIdx >= n) > 0


def test_a_muon_and_its_jet_know_each_other(block: detector.Block) -> None:
    muon, jet = block["Muon"], block["Jet"]
    inside = muon.jetIdx >= 0
    first = jet.muonIdx1[muon.jetIdx[inside]]
    second = jet.muonIdx2[muon.jetIdx[inside]]
    own = ak.local_index(muon)[inside]
    third = jet.nMuons[muon.jetIdx[inside]] > 2
    assert ak.all((first == own) | (second == own) | third, axis=None)


def test_jet_constituents(block: detector.Block) -> None:
    """Every jet has its constituents listed, and those of jets near displaced leptons are stored and add up to it."""
    jet, links, cands = block["Jet"], block["JetPFCands"], block["PFCands"]
    np.testing.assert_array_equal(ak.sum(jet.nConstituents, axis=1), ak.num(links))
    stored = links[links.pFCandsIdx >= 0]
    np.testing.assert_array_equal(ak.num(stored), ak.num(cands))
    assert ak.sum(ak.num(cands)) > 3 * N
    raw = jet.pt * (1 - jet.rawFactor)
    of_jet = stored.jetIdx[:, :, None] == ak.local_index(jet)[:, None, :]
    px, py = (ak.sum(of_jet * (cands.pt * f(cands.phi))[:, :, None], axis=1) for f in (np.cos, np.sin))
    px, py = px[ak.num(cands) > 0], py[ak.num(cands) > 0]
    raw, few, of_jet = (a[ak.num(cands) > 0] for a in (raw, jet.nConstituents <= 50, of_jet))
    complete = ak.any(of_jet, axis=1) & few
    np.testing.assert_allclose(ak.flatten(np.hypot(px, py)[complete]), ak.flatten(raw[complete]), rtol=2e-3)


def test_jets_have_the_energy_of_their_particles(libraries: overlay.Libraries) -> None:
    """A 60 GeV jet of pions and photons: the mean response is within 5-10 % of one (paper, section 2)."""
    rng = np.random.default_rng(1)
    events = [
        [particle(int(c), 6.0, 0.5 + rng.normal(0, 0.05), rng.normal(0, 0.05)) for c in (211, -211, 22, 22, 211) * 2]
        for _ in range(300)
    ]
    jet = detector.simulate(table(events), libraries, seed=1)["Jet"]
    leading = jet[ak.num(jet) > 0][:, 0]
    assert len(leading) == 300
    assert np.median(leading.pt) == pytest.approx(60, rel=0.07)
    assert 0.02 < np.std(leading.pt / 60) < 0.2


def test_same_seed_same_events(block: detector.Block, libraries: overlay.Libraries) -> None:
    _same(block, detector.simulate(signal(N), libraries, seed=1))


def test_events_do_not_depend_on_their_neighbours(block: detector.Block, libraries: overlay.Libraries) -> None:
    """Any division of the events over workers gives the same."""
    events = signal(N)
    parts = [detector.simulate(events[part], libraries, seed=1) for part in (slice(0, 7), slice(7, 180), slice(180, N))]
    _same(block, detector.join(parts))


def test_preselection_only_drops_events(block: detector.Block, libraries: overlay.Libraries) -> None:
    selected = detector.simulate(signal(N), libraries, seed=1, preselect=True)
    kept = np.isin(block["event"], selected["event"])
    assert 0.4 < kept.mean() < 1
    _same({name: block[name][kept] for name in block}, selected)
    muon = block["Muon"]
    good = ak.any((muon.pt > 24) & (np.abs(muon.dxy) < 0.1) & (muon.pfRelIso03_all < 0.3), axis=1)
    two = ak.num(muon[muon.pt > 5]) + ak.num(block["Electron"].pt[block["Electron"].pt > 5]) >= 2
    electron = block["Electron"]
    good = good | ak.any((electron.pt > 24) & (np.abs(electron.dxy) < 0.1) & (electron.pfRelIso03_all < 0.3), axis=1)
    assert np.mean(kept == ak.to_numpy(good & two)) > 0.995  # rounding of stored values


def test_another_seed_other_events(block: detector.Block, libraries: overlay.Libraries) -> None:
    other = detector.simulate(signal(N), libraries, seed=2)
    assert not np.any(np.asarray(other["PV_z"]) == np.asarray(block["PV_z"]))


def test_reseeds(libraries: overlay.Libraries) -> None:
    """Copies of an event have the same truth, other measurements, and share its weight."""
    once, copies = (detector.simulate(signal(20), libraries, seed=1, reseeds=r) for r in (1, 3))
    first = np.arange(60) % 3 == 0
    assert np.asarray(copies["event"]).tolist() == [16 * i + r for i in range(20) for r in range(3)]
    assert np.asarray(copies["hnlsim_generatorEvent"]).tolist() == np.repeat(np.arange(20), 3).tolist()
    np.testing.assert_allclose(copies["genWeight"], 1 / 3)
    _same(once, {name: copies[name][first] for name in once} | {n: once[n] for n in ("genWeight", "Generator_weight")})
    assert len(np.unique(copies["PV_z"])) == 60
    pt = ak.to_numpy(copies["GenPart"].pt[:, 1]).reshape(20, 3)
    assert np.all(pt == pt[:, :1])


def test_no_events(libraries: overlay.Libraries) -> None:
    empty = detector.simulate(signal(3)[:0], libraries, seed=1)
    assert len(empty["event"]) == 0
    assert set(empty) == set(COLLECTIONS) | set(SCALARS)


@pytest.mark.parametrize(("arguments", "message"), [({"reseeds": 17}, "reseeds = 17"), ({"seed": -1}, "seed = -1")])
def test_bad_input(libraries: overlay.Libraries, arguments: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        detector.simulate(signal(2), libraries, **({"seed": 1} | arguments))


def test_not_a_particle_table(libraries: overlay.Libraries) -> None:
    with pytest.raises(InputError, match="particles"):
        detector.simulate(ak.Array({"event_id": [1], "weight": [1.0]}), libraries, seed=1)
