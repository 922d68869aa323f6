"""Jets of particle-flow candidates and of generated particles: anti-kt with R = 0.4, by fastjet (paper, section 2)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import awkward as ak
import fastjet
import fastjet._swig
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation.parameters import DETECTOR, Detector
from hnl.datasets.simulation.particle_flow import PILEUP
from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows
from hnl.datasets.simulation.tracking import evaluate
from hnl.physics.angles import delta_r

# fastjet's banner would go to standard output. It asks to cite Cacciari, Salam, Soyez, EPJC 72 (2012) 1896.
fastjet._swig.ClusterSequence.set_fastjet_banner_stream(None)


@dataclass(frozen=True)
class Clustered:
    """Jets, by falling p_T, and their constituents.

    Attributes:
        jets: rows with ``pt, mass`` (GeV), ``eta``, ``phi``.
        jet, member: row of the jet and row of the input, for each constituent.
    """

    jets: ObjectRows
    jet: NDArray[np.int64]
    member: NDArray[np.int64]


def cluster(inputs: ObjectRows, min_pt: float, radius: float = DETECTOR.jets.radius) -> Clustered:
    """Anti-kt jets.

    Args:
        inputs: rows with ``pt, mass`` (GeV), ``eta``, ``phi``.
        min_pt: smallest p_T of a jet, GeV.
    """
    px, py, pz = inputs.pt * np.cos(inputs.phi), inputs.pt * np.sin(inputs.phi), inputs.pt * np.sinh(inputs.eta)
    energy = np.sqrt(px**2 + py**2 + pz**2 + inputs.mass**2)
    momenta = {"px": px, "py": py, "pz": pz, "E": energy}
    vectors = ak.zip({name: inputs.jagged(value) for name, value in momenta.items()}, with_name="Momentum4D")
    sequence = fastjet.ClusterSequence(vectors, fastjet.JetDefinition(fastjet.antikt_algorithm, radius))
    indices = sequence.constituent_index(min_pt)
    n_jets = ak.to_numpy(ak.num(indices, axis=1))
    sizes = ak.to_numpy(ak.flatten(ak.num(indices, axis=2)))
    event = np.repeat(np.arange(inputs.n_events), n_jets)
    jet = np.repeat(np.arange(len(event)), sizes)
    member = ak.to_numpy(ak.flatten(indices, axis=None)).astype(np.int64) + inputs.offsets[:-1][event[jet]]
    total = {k: np.bincount(jet, v[member], len(event)) for k, v in momenta.items()}
    pt = np.hypot(total["px"], total["py"])
    columns = {
        "pt": pt,
        "eta": np.arcsinh(total["pz"] / pt),
        "phi": np.arctan2(total["py"], total["px"]),
        "mass": np.sqrt(np.maximum(0.0, total["E"] ** 2 - pt**2 - total["pz"] ** 2)),
    }
    return _reorder(ObjectRows(inputs.n_events, event, columns), jet, member, pt)


def _reorder(
    jets: ObjectRows, jet: ObjectColumn, member: ObjectColumn, pt: ObjectColumn, keep: ObjectColumn | None = None
) -> Clustered:
    """Sort jets by falling p_T, dropping those not in ``keep``."""
    order = np.lexsort((-pt, jets.event))
    if keep is not None:
        order = order[keep[order]]
    place = np.full(len(jets), -1)
    place[order] = np.arange(len(order))
    jet = place[jet]
    used = jet >= 0
    order_members = np.argsort(jet[used], kind="stable")
    return Clustered(jets[order], jet[used][order_members], member[used][order_members])


def reconstruct(cands: ObjectRows, rho: ObjectColumn, detector: Detector = DETECTOR) -> Clustered:
    """Jets of all candidates except pileup tracks, corrected for neutral pileup and to the particle-level scale.

    Args:
        cands: output of particle_flow.candidates.
        rho: neutral p_T density of each event, GeV.

    Returns:
        Jets with ``raw_factor``, ``area``, energy fractions ``ch_hef, ne_hef, ch_emf, ne_emf, mu_ef``,
        multiplicities ``n, n_charged, n_electrons, n_muons`` and ``jet_id`` (2 tight, 4 tight with lepton
        veto) added. ``member`` counts rows of ``cands``.
    """
    p = detector.jets
    used = np.flatnonzero(cands.quality != PILEUP)
    raw = cluster(cands[used], 0.5 * p.min_pt)
    jets, member = raw.jets, used[raw.member]
    area = math.pi * p.radius**2
    subtracted = np.maximum(0.01, jets.pt - rho[jets.event] * area)
    corrected = subtracted * evaluate(p.correction, subtracted)
    scale = corrected / jets.pt
    energy = cands.pt * np.cosh(cands.eta)
    total = np.bincount(raw.jet, energy[member], len(jets))
    code = np.abs(cands.pdg[member])

    def fraction(kind: int) -> NDArray[np.float64]:
        return np.bincount(raw.jet, energy[member] * (code == kind), len(jets)) / total

    def number(mask: ObjectColumn) -> NDArray[np.int64]:
        return np.bincount(raw.jet[mask], minlength=len(jets))

    columns = {
        "pt": corrected,
        "mass": jets.mass * scale,
        "raw_factor": 1 - 1 / scale,
        "area": np.full(len(jets), area),
        "ch_hef": fraction(211), "ne_hef": fraction(130), "ch_emf": fraction(11), "ne_emf": fraction(22),
        "mu_ef": fraction(13),
        "n": number(code > 0), "n_charged": number((code == 211) | (code == 11) | (code == 13)),
        "n_electrons": number(code == 11), "n_muons": number(code == 13),
    }  # fmt: skip
    central = np.abs(jets.eta) < 2.6
    tight = (columns["ne_hef"] < 0.9) & (columns["ne_emf"] < 0.9) & (columns["n"] > 1)
    tight &= ~central | ((columns["ch_hef"] > 0) & (columns["n_charged"] > 0))
    veto = tight & (columns["mu_ef"] < 0.8) & (~central | (columns["ch_emf"] < 0.8))
    columns["jet_id"] = 2 * tight + 4 * veto
    keep = (corrected > p.min_pt) & (np.abs(jets.eta) < p.abs_eta)
    return _reorder(jets.with_columns(**columns), raw.jet, member, corrected, keep)


def generated(particles: ObjectRows, detector: Detector = DETECTOR) -> ObjectRows:
    """Jets of the generated visible particles of the hard interaction and the underlying event, above 10 GeV.

    Args:
        particles: rows of propagation.py.
    """
    hard = particles[particles.source == 0]
    pt = np.maximum(np.hypot(hard.px, hard.py), 1e-6)
    momentum2 = hard.px**2 + hard.py**2 + hard.pz**2
    eta = np.arcsinh(hard.pz / pt)
    inputs = hard.with_columns(
        pt=pt, eta=eta, phi=np.arctan2(hard.py, hard.px), mass=np.sqrt(np.maximum(0.0, hard.energy**2 - momentum2))
    )
    return cluster(inputs[np.abs(eta) < 5.0], 10.0, detector.jets.radius).jets


def nearest(objects: ObjectRows, targets: ObjectRows, max_dr: float) -> NDArray[np.int64]:
    """For each object the position within its event of the nearest target, -1 if none is within ``max_dr``.

    Args:
        objects, targets: rows with ``eta`` and ``phi``, of the same events.
    """
    counts = targets.counts[objects.event]
    pair = np.repeat(np.arange(len(objects)), counts)
    local = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
    target = targets.offsets[:-1][objects.event[pair]] + local
    dr = delta_r(objects.eta[pair], objects.phi[pair], targets.eta[target], targets.phi[target])
    order = np.lexsort((dr, pair))
    order = order[dr[order] < max_dr]
    best, first = np.unique(pair[order], return_index=True)
    out = np.full(len(objects), -1)
    out[best] = local[order[first]]
    return out
