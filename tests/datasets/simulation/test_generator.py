"""Generated samples: physics of the signal, exact weights, determinism and bad input."""

from dataclasses import replace

import awkward as ak
import generation
import numpy as np
import pytest
from numpy.typing import NDArray

from hnl.datasets.simulation import generator, particles, processes, pythia, streams
from hnl.datasets.simulation.signal import SignalOptions
from hnl.errors import InputError


def sample(process: str, n: int, seed: int = 1, **arguments: object) -> ak.Array:
    batches = list(generation.generate(process, n, seed, **arguments))  # type: ignore[arg-type]
    assert sum(batch.n_generated for batch in batches) == n
    return particles.concatenate([batch.table for batch in batches])


def leptons_of(table: ak.Array, parent: int) -> ak.Array:
    """The e or mu whose parent has this identity, one an event."""
    prt = table.particles
    mother = particles.parents(prt, "pdg_id")
    found = prt[((abs(prt.pdg_id) == 11) | (abs(prt.pdg_id) == 13)) & (abs(mother) == parent)]
    return ak.firsts(found[ak.argsort(-found.energy)])


@pytest.mark.parametrize(("nature", "expected"), [("majorana", 0.5), ("dirac", 0.0)])
def test_same_sign_fraction(nature: str, expected: float) -> None:
    table = sample("hnl", 800, options=SignalOptions(8, ctau=1, nature=nature))  # type: ignore[arg-type]
    l1, l2 = leptons_of(table, 24), leptons_of(table, particles.HNL)
    same = ak.to_numpy(ak.drop_none(l1.pdg_id * l2.pdg_id > 0))
    assert len(same) > 790
    assert np.mean(same) == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(len(same)) if expected else 0)


def test_mean_lifetime() -> None:
    table = sample("hnl", 1500, options=SignalOptions(6, ctau=0.2))
    prt = table.particles
    n = prt[prt.pdg_id == particles.HNL][:, 0]
    length = np.sqrt(
        sum(ak.firsts(prt[f"v{a}"][particles.parents(prt, "pdg_id") == particles.HNL]) ** 2 for a in "xyz")
    )
    ctau = ak.to_numpy(ak.drop_none(length * 6 / np.sqrt(n.px**2 + n.py**2 + n.pz**2))) * 10
    assert len(ctau) == len(table)
    assert np.mean(ctau) == pytest.approx(0.2, abs=4 * 0.2 / np.sqrt(len(ctau)))
    assert np.std(ctau) == pytest.approx(0.2, abs=6 * 0.2 / np.sqrt(len(ctau)))  # exponential


@pytest.mark.parametrize(("coupling", "electrons"), [("e", 1.0), ("mu", 0.0), ("mixed", 0.5)])
def test_flavours_follow_the_coupling(coupling: str, electrons: float) -> None:
    table = sample("hnl", 400, options=SignalOptions(10, coupling, ctau=1))
    for parent in (24, particles.HNL):
        is_electron = ak.drop_none(abs(leptons_of(table, parent).pdg_id) == 11)
        assert ak.mean(is_electron) == pytest.approx(electrons, abs=0.1 if coupling == "mixed" else 0)


@pytest.mark.parametrize("mass", [1.0, 2.0, 2.4, 20.0])
def test_all_masses_work(mass: float) -> None:
    table = sample("hnl", 50, options=SignalOptions(mass, "mixed", v2=1e-3 if mass < 3 else 1e-7))
    prt = table.particles
    n = prt[prt.pdg_id == particles.HNL]
    np.testing.assert_allclose(np.sqrt(n.energy**2 - n.px**2 - n.py**2 - n.pz**2)[:, 0], mass, rtol=1e-3)


def displaced_spectrum(n: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """pT of leptons from hadrons in filtered ttbar: fraction of generated events by bin, its variance, counts."""
    batches = list(generation.generate("ttbar", n, seed))
    table = particles.concatenate([batch.table for batch in batches])
    prt = table.particles
    pt = np.hypot(prt.px, prt.py)
    chosen = ((abs(prt.pdg_id) == 11) | (abs(prt.pdg_id) == 13)) & (pt > 5)
    chosen = chosen & particles.has_ancestor(prt, particles.is_hadron(prt.pdg_id))
    pt = pt[chosen]
    weight = particles.flat(ak.broadcast_arrays(table.weight, pt)[0])
    bins = [5, 8, 12, 18, 30, 200]
    sums = [np.histogram(particles.flat(pt), bins, weights=weight**power)[0] for power in (0, 1, 2)]
    norm = sum(batch.sum_w for batch in batches)
    return sums[1] / norm, sums[2] / norm**2, sums[0] / norm


def test_enhanced_decays_have_exact_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leptons of hadrons in the filtered sample, with and without enhanced decays into leptons."""
    recipe = replace(processes.PROCESSES["ttbar"], lepton_enhancement=1.8)
    expected, expected_variance, _ = displaced_spectrum(1600, seed=2)
    monkeypatch.setitem(processes.PROCESSES, "ttbar", recipe)
    enhanced, variance, raw = displaced_spectrum(1600, seed=1)
    pulls = (enhanced - expected) / np.sqrt(variance + expected_variance)
    assert np.sum(pulls**2) < 20.5  # chi2 of 5 bins at p = 0.001
    wrong = (raw - expected) / np.sqrt(variance + expected_variance)
    assert np.sum(wrong**2) > 50  # the test notices missing weights
    assert np.sum(raw) > 1.3 * np.sum(expected)  # and there are more leptons


def test_mean_weight_is_one() -> None:
    """Over all events, with enhanced decays of taus and hadrons."""
    for process in ("zjets_tau", "qcd_bb"):
        batches = list(generation.generate(process, 600, 5, keep=streams.ALL))
        weight = np.concatenate([ak.to_numpy(batch.table.weight) for batch in batches])
        sum_w = sum(batch.sum_w for batch in batches)
        error = np.std(weight) * np.sqrt(len(weight))
        assert np.sum(weight) == pytest.approx(sum_w, abs=4 * error)
        assert np.std(weight / np.mean(weight)) > 0.2


def test_pt_hat_weights_are_those_of_pythia() -> None:
    recipe = processes.PROCESSES["qcd_bb"]
    settings = [*recipe.settings, "PartonLevel:all = off", *generator._bias(recipe)]
    batch = pythia.start(settings, 3).nextBatch(50)
    one_by_one = pythia.start(settings, 3)
    expected = []
    for _ in range(50):
        one_by_one.next()
        expected.append(one_by_one.infoPython().weight())
    np.testing.assert_allclose(generator._hard_weight(recipe, batch), expected, rtol=1e-9)
    assert max(expected) > 2 * min(expected)


def test_filter_keeps_the_normalisation() -> None:
    """The streams share the events out; n_generated and sums of weights are those of all events in each."""
    every = list(generation.generate("qcd_bb", 250, 4, keep=streams.ALL))
    parts = {name: list(generation.generate("qcd_bb", 250, 4, keep=[name])) for name in streams.ALL}
    assert len(every[0].table) == 250
    assert sum(len(part[0].table) for part in parts.values()) == 250
    assert {part[0][1:] for part in parts.values()} == {every[0][1:]}
    ids = np.concatenate([ak.to_numpy(part[0].table.event_id) for part in parts.values()])
    assert sorted(ids) == list(range(250))
    for name, (batch,) in parts.items():
        assert set(streams.classify(batch.table)) <= {name}


def test_blocks_are_independent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "BLOCK", 60)
    options = SignalOptions(3, v2=1e-4)
    whole = sample("hnl", 150, seed=7, options=options)
    blocks = [2, 0, 1]  # in any order
    parts = {
        b: particles.concatenate([x.table for x in generator.generate_block("hnl", 150, 7, b, options)]) for b in blocks
    }
    assert generator.n_blocks(150) == 3
    assert ak.array_equal(whole, particles.concatenate([parts[b] for b in range(3)]))
    assert whole.event_id.tolist() == list(range(150))
    longer = sample("hnl", 180, seed=7, options=options)
    assert ak.array_equal(whole, longer[:150])


def test_seeds_differ() -> None:
    seeds = {generator.block_seed(s, p, b) for s in range(20) for p in processes.PROCESSES for b in range(20)}
    assert len(seeds) == 400 * len(processes.PROCESSES)
    assert min(seeds) >= 1
    assert max(seeds) <= 900_000_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("wjet", 10, 1), "unknown process 'wjet'; known: hnl, wjets"),
        (("ttbar", 0, 1), "number of events must be above 0, not 0"),
        (("ttbar", -5, 1), "not -5"),
        (("ttbar", 10, -1), "seed must not be negative, not -1"),
        (("ttbar", 10, 1, SignalOptions(5, ctau=1)), "'ttbar' has no HNL"),
        (("hnl", 10, 1), "'hnl' needs an HNL mass"),
        (("ttbar", 10, 1, None, ["displaced", "leptons"]), "leptons"),
    ],
)
def test_bad_arguments(arguments: tuple, message: str) -> None:
    with pytest.raises(InputError, match=message):  # before the first batch is asked for
        generation.generate(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mass": 0.9, "ctau": 1}, "between 1 and 20 GeV, not 0.9"),
        ({"mass": 20.1, "ctau": 1}, "not 20.1"),
        ({"mass": float("nan"), "ctau": 1}, "not nan"),
        ({"mass": 5, "ctau": 0}, "above 0 mm, not 0"),
        ({"mass": 5, "ctau": -3}, "not -3"),
        ({"mass": 5, "ctau": float("inf")}, "not inf"),
        ({"mass": 5, "v2": 0}, "not 0"),
        ({"mass": 5, "v2": 2}, "not 2"),
        ({"mass": 1, "ctau": 1e-3}, "needs"),
        ({"mass": 5}, "either c tau or"),
        ({"mass": 5, "ctau": 1, "v2": 1e-6}, "either c tau or"),
        ({"mass": 5, "ctau": 1, "coupling": "nu"}, "no coupling 'nu': it is one of e, mu, mixed, tau, or"),
        ({"mass": 5, "ctau": 1, "nature": "weyl"}, "weyl"),
    ],
)
def test_bad_signal_options(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SignalOptions(**options)


def test_closed_decay() -> None:
    """A tau and a pion weigh 1.916 GeV, as do a tau and quarks that can become them."""
    with pytest.raises(InputError, match=r"no decay N -> l q q' is open at 1\.9 GeV"):
        generation.generate("hnl", 10, 1, SignalOptions(1.9, "tau", v2=1e-3))


def children_of_n(table: ak.Array) -> ak.Array:
    prt = table.particles
    return prt[abs(particles.parents(prt, "pdg_id")) == particles.HNL]


def test_taus_and_their_polarisation() -> None:
    """W -> tau N, N -> tau q q' for a coupling to tau alone. Taus of W are left-handed: of tau -> pi nu, the pion has a
    share x of the energy with 2 (1 - x), so 1/3 on average (1/2 without polarisation); of N, nearly so."""
    table = sample("hnl", 1500, options=SignalOptions(15, "tau", ctau=1))
    prt = table.particles
    assert ak.all(ak.sum(abs(children_of_n(table).pdg_id) == 15, axis=1) == 1)
    tau, mother = particles.parents(prt, "pdg_id"), particles.parents(prt, "parent")
    for boson, below in ((24, 0.40), (particles.HNL, 0.45)):
        of_boson = ak.fill_none(abs(prt.pdg_id[ak.mask(mother, mother >= 0)]) == boson, False)
        from_tau = of_boson & (abs(tau) == 15)
        n_children = ak.sum(from_tau, axis=1)
        pion = prt[from_tau & (abs(prt.pdg_id) == 211)]
        alone = (n_children == 2) & (ak.num(pion) == 1)
        parent = prt[pion.parent]
        w = prt[parent.parent]
        x = ak.flatten((_dot(pion, w) / _dot(parent, w))[alone])
        assert len(x) > 100
        assert 0.28 < ak.mean(x) < below


def _dot(a: ak.Array, b: ak.Array) -> ak.Array:
    return a.energy * b.energy - a.px * b.px - a.py * b.py - a.pz * b.pz


@pytest.mark.parametrize("mass", [1.0, 2.0])
def test_single_mesons(mass: float) -> None:
    """At 1 GeV all decays have one meson, at 2 GeV pi has 13.7 % and rho 33 %.

    By hand: 4 pi^2 f^2 / m^2 of the quarks, 0.167 and 0.431, times phase space, 0.98 and 0.93, over 0.978 of the quarks
    and 1.155 for QCD, times 0.95 for u d among all."""
    table = sample("hnl", 600, options=SignalOptions(mass, v2=1.0))
    children = children_of_n(table)
    children = children[ak.num(children) > 0]  # a few N leave the detector
    assert len(children) > 580
    code = abs(children.pdg_id)
    two = ak.num(code) == 2
    if mass == 1:
        assert ak.all(two)
        assert set(ak.flatten(code)) == {13, 211, 213, 321, 323}
    else:
        for meson, share in ((211, 0.138), (213, 0.337)):
            found = ak.mean(two & ak.any(code == meson, axis=1))
            assert found == pytest.approx(share, abs=4 * np.sqrt(share / 600))
    # The others have at least two hadrons, of more than 1 GeV together.
    hadrons = children[code != 13][~two]
    m2 = ak.sum(hadrons.energy, axis=1) ** 2 - sum(ak.sum(hadrons[p], axis=1) ** 2 for p in ("px", "py", "pz"))
    assert len(m2) == 0 or ak.min(m2) > 0.99
