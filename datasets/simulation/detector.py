"""The parametrised detector: from a particle table to the collections of NanoAOD.

    libraries = overlay.Libraries.from_events(minimum_bias, underlying_event)
    block = detector.simulate(table, libraries, seed=1)
    nanoaod_writer.write("hnl.root", [block], nanoaod_writer.RunSums.from_events(table))

The result for an event does not depend on the other events, see draws.py.
"""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

from hnl.datasets.simulation import (
    collections,
    electrons,
    jets,
    leptons,
    muons,
    outcomes,
    overlay,
    particle_flow,
    propagation,
    tracking,
    trigger,
    truth,
    vertexing,
)
from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.nanoaod_format import SCALARS, cast, empty
from hnl.datasets.simulation.parameters import DETECTOR, Detector
from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows, concatenate
from hnl.errors import InputError

MAX_RESEEDS = 16
"""``event`` is 16 * event_id + reseed."""
CHUNK = 500
"""Events simulated at once, which bounds the memory; results do not depend on it."""
EVENTS_PER_LUMI = 1000

Block = dict[str, Any]
"""One array per collection (jagged records) or branch (flat), all of the same number of events."""


def check(seed: int, reseeds: int) -> None:
    """Raises InputError if the seed or the number of reseeds is out of range."""
    if not 1 <= reseeds <= MAX_RESEEDS:
        raise InputError(
            f"reseeds = {reseeds}: must be 1 to {MAX_RESEEDS}, as the event number is 16 * event_id + reseed"
        )
    if seed < 0:
        raise InputError(f"seed = {seed}: must not be negative")


def simulate(
    table: ak.Array,
    libraries: overlay.Libraries,
    seed: int,
    reseeds: int = 1,
    preselect: bool = False,
    detector: Detector = DETECTOR,
    every_jet: bool = False,
    outcome: outcomes.Outcome = outcomes.NATURAL,
) -> Block:
    """Measure generated events.

    Args:
        table: particle table, see particles.py.
        libraries: minimum-bias events for pileup and underlying event.
        seed: an event's result depends on (seed, event_id, reseed) only.
        reseeds: measurements of each event, with independent random numbers, 1 to 16; every copy has
            weight / reseeds.
        preselect: drop events without a prompt-like isolated lepton of p_T > 24 GeV and a displaced lepton of
            p_T > 5 GeV, both from the hard interaction. Saves most of the time.
        every_jet: store the particles of every jet, not only of those near displaced leptons.
        outcome: what the measurement must show; its probability becomes a factor of the weight. Events in which it is
            impossible are dropped.

    Returns:
        NanoAOD branches and collections by name, in the order of the table, reseeds of an event side by side.

    Raises:
        InputError: the number of reseeds or the seed is out of range, or the table is not a particle table.
    """
    check(seed, reseeds)
    step = max(1, CHUNK // reseeds)
    blocks = [
        _simulate(table[start : start + step], libraries, seed, reseeds, preselect, detector, every_jet, outcome)
        for start in range(0, max(1, len(table)), step)
    ]
    return join(blocks)


def join(blocks: list[Block]) -> Block:
    """Several blocks as one."""
    if len(blocks) == 1:
        return blocks[0]
    return {name: ak.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _simulate(
    table: ak.Array, libraries: overlay.Libraries, seed: int, reseeds: int, preselect: bool, detector: Detector,
    every_jet: bool, outcome: outcomes.Outcome,
) -> Block:  # fmt: skip
    copy = np.repeat(np.arange(len(table)), reseeds)
    reseed = np.tile(np.arange(reseeds), len(table))
    table = table[copy]
    generated = propagation.generated(table)
    draws = Draws.for_events(seed, ak.to_numpy(table.event_id), reseed)
    vertex = propagation.beam_spot(draws, detector.beam)
    hard = propagation.visible(generated, vertex, detector.tracker)
    draws, probability = outcomes.impose(outcome, table, hard, draws, detector)
    hard = propagation.convert_photons(hard, draws, detector.material, detector.tracker)
    tracks = _tracks(hard, vertex, draws, detector)
    numbers = {
        "event_id": ak.to_numpy(table.event_id),
        "reseed": reseed,
        "weight": ak.to_numpy(table.weight) / reseeds * probability,
    }
    keep = probability > 0
    if preselect:
        reco_leptons = leptons.collect(tracks, leptons.identify(tracks, draws, detector), draws, detector)
        keep &= leptons.interesting(reco_leptons, len(copy), isolation=False)
    if not keep.all():
        numbers = {name: value[keep] for name, value in numbers.items()}
        generated = _keep_generated(generated, keep)
        draws, vertex = draws.keep_events(keep), vertex[keep]
        hard, tracks = hard.keep_events(keep), tracks.keep_events(keep)
    n_pileup = overlay.interactions(draws, detector)
    extra = overlay.add(vertex, n_pileup, libraries, draws, detector)
    particles = concatenate([hard, extra])
    tracks = concatenate([tracks, _tracks(extra, vertex, draws, detector)])
    lepton = leptons.identify(tracks, draws, detector)
    cands = particle_flow.candidates(particles, tracks, lepton, draws, detector)
    rho = particle_flow.density(cands, neutral_only=True)
    reco_leptons = leptons.isolate(leptons.collect(tracks, lepton, draws, detector), cands, rho)
    if preselect:
        keep = leptons.interesting(reco_leptons, len(vertex), isolation=True)
        numbers = {name: value[keep] for name, value in numbers.items()}
        generated = _keep_generated(generated, keep)
        draws, vertex, n_pileup, rho = draws.keep_events(keep), vertex[keep], n_pileup[keep], rho[keep]
        kept_track = np.cumsum(keep[tracks.event]) - 1
        cands, reco_leptons, tracks, particles = (t.keep_events(keep) for t in (cands, reco_leptons, tracks, particles))
        cands = cands.with_columns(track=np.where(cands.track >= 0, kept_track[cands.track], -1))
        reco_leptons = reco_leptons.with_columns(track=kept_track[reco_leptons.track])
    return _collect(
        numbers, generated, particles, tracks, cands, reco_leptons, rho, vertex, n_pileup, draws, detector, every_jet
    )


def _keep_generated(generated: ObjectRows, keep: ObjectColumn) -> ObjectRows:
    """The generated particles of some events, with their parents' rows renumbered."""
    row = np.cumsum(keep[generated.event]) - 1
    kept = generated.keep_events(keep)
    return kept.with_columns(parent_row=np.where(kept.parent_row >= 0, row[kept.parent_row], -1))


def _tracks(particles: ObjectRows, vertex: ObjectColumn, draws: Draws, detector: Detector) -> ObjectRows:
    tracks = tracking.reconstruct(particles, draws, detector)
    return tracking.impact_parameters(tracks, primary_vertex(vertex, draws, detector), detector)


def primary_vertex(vertex: ObjectColumn, draws: Draws, detector: Detector) -> ObjectColumn:
    """The reconstructed primary vertex: the true one, smeared; shape (events, 3), cm."""
    widths = (detector.beam.pv_sigma_xy, detector.beam.pv_sigma_xy, detector.beam.pv_sigma_z)
    return vertex + np.stack([w * draws.event_normal(f"pv {i}") for i, w in enumerate(widths)], axis=1)


def _collect(
    numbers: dict[str, ObjectColumn],
    generated: ObjectRows,
    particles: ObjectRows,
    tracks: ObjectRows,
    cands: ObjectRows,
    reco_leptons: ObjectRows,
    rho: ObjectColumn,
    vertex: ObjectColumn,
    n_pileup: ObjectColumn,
    draws: Draws,
    detector: Detector,
    every_jet: bool,
) -> Block:
    """Vertices, jets and identification, in the form of NanoAOD."""
    pv = primary_vertex(vertex, draws, detector)
    svs = vertexing.find(tracks, pv, detector)
    clustered = jets.reconstruct(cands, rho, detector)
    gen_jets = jets.generated(particles, detector)
    record = truth.build(generated, vertex)
    e = electrons.build(reco_leptons, tracks, rho, draws, detector)
    m = muons.build(reco_leptons, draws, detector)
    decision = trigger.decide(e, m, draws, detector)
    to_vertex = collections.track_to_vertex(svs, len(tracks))
    to_jet = collections.track_to_jet(clustered, cands, len(tracks))
    pf, links = collections.particle_flow(clustered, cands, tracks, reco_leptons, to_vertex, every_jet)
    block: Block = {
        "Electron": collections.electron(e, to_jet, to_vertex, record),
        "Muon": collections.muon(m, to_jet, to_vertex, record),
        "Jet": collections.jet(clustered, gen_jets, e, m, to_jet, record),
        "SV": collections.sv(svs),
        "TrigObj": collections.trigger_objects(decision.objects),
        "PFCands": pf,
        "JetPFCands": links,
        "GenPart": collections.gen_part(record),
        "GenJet": collections.gen_jet(gen_jets),
        **empty(len(vertex)),
    }
    at_pv = tracks[(np.abs(tracks.dz) < 0.1) & (np.abs(tracks.dxy) < 4 * tracks.dxy_err)]
    ndof = 2.0 * at_pv.counts - 3
    all_rho = rho / detector.overlay.neutral_share
    n_vertices = np.rint(1 + detector.overlay.vertex_efficiency * n_pileup)
    scalars = {
        "run": np.ones(len(vertex)),
        "luminosityBlock": numbers["event_id"] // EVENTS_PER_LUMI + 1,
        "event": numbers["event_id"] * MAX_RESEEDS + numbers["reseed"],
        "hnlsim_generatorEvent": numbers["event_id"],
        "genWeight": numbers["weight"],
        "Generator_weight": numbers["weight"],
        "Pileup_nTrueInt": overlay.true_interactions(draws, detector),
        "Pileup_nPU": n_pileup,
        "PV_ndof": ndof,
        "PV_chi2": np.ones(len(vertex)),
        "PV_npvs": n_vertices,
        "PV_npvsGood": n_vertices,
        "fixedGridRhoFastjetAll": all_rho,
        "Rho_fixedGridRhoFastjetAll": all_rho,
        "Rho_fixedGridRhoFastjetCentralNeutral": rho,
        **{f"GenVtx_{axis}": vertex[:, i] for i, axis in enumerate("xyz")},
        **{f"PV_{axis}": pv[:, i] for i, axis in enumerate("xyz")},
        **_missing_momentum(cands, detector),
        **decision.paths,
    }
    return block | {name: cast(name, scalars[name], kind) for name, kind in SCALARS.items()}


def _missing_momentum(cands: ObjectRows, detector: Detector) -> dict[str, ObjectColumn]:
    """MET from all candidates not from pileup tracks; PuppiMET without soft neutral ones (our choice: below 2 GeV)."""
    out = {}
    for name, used in (
        ("MET", cands.quality > 0),
        ("PuppiMET", (cands.quality > 0) & ((cands.track >= 0) | (cands.pt > detector.jets.puppi_neutral_pt))),
    ):
        c = cands[used]
        px = -np.bincount(c.event, c.pt * np.cos(c.phi), cands.n_events)
        py = -np.bincount(c.event, c.pt * np.sin(c.phi), cands.n_events)
        out[f"{name}_pt"], out[f"{name}_phi"] = np.hypot(px, py), np.arctan2(py, px)
    return out
