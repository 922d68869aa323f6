"""The generator filter: each event belongs to exactly one stream, so that streams can be added without overlap.

**Streams of generated events.** A leading lepton is an e or mu with pT > 24 GeV and |eta| < 2.5 of any origin. The
threshold is 24 GeV because the paper selects 30 GeV (table 1) and triggers at 24 (section 3), and detector resolution
must not matter. An event with a leading lepton is in the first of these streams whose condition holds:

- 'displaced': another lepton with pT > 5 GeV comes from a hadron or tau decay (the paper: 7 GeV, |d_xy| > 0.02 cm);
- 'photon': a photon with pT > 7 GeV can convert in the tracker (a conversion gives the whole nonprompt lepton);
- 'prompt_pair': there is another prompt lepton with pT > 5 GeV (only a measurement can make it displaced);
- 'track': all other events (only a misidentified hadron can be the nonprompt lepton).

An event without a leading lepton is in the stream 'none'.

**Parton-level streams** are chosen before the partons become hadrons (hadronisation.py), so with margins to the above.
An event needs a final e, mu or tau with pT > 24 GeV and |eta| < 2.6; then it is in

- 'lepton';
- 'heavy' if there is a final c or b quark with pT > 6 GeV and |eta| < 2.8, otherwise 'light';
- 'radiation' if there is a final photon, quark or gluon with pT > 7 GeV and |eta| < 2.8 (most photons are of pi0).

Where both leptons come from hadrons, an event is in 'heavy_pair' if there are two such c or b quarks, one of them with
pT > 24 GeV.
"""

from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation import particles

DISPLACED, PHOTON, PROMPT_PAIR, TRACK, NONE = ALL = ("displaced", "photon", "prompt_pair", "track", "none")

LEADING_PT, LEPTON_PT, PHOTON_PT = 24.0, 5.0, 7.0
"""Thresholds in GeV: our choice, below those of the paper's table 1."""

MAX_ETA = 2.5
"""Paper, table 1: |eta| < 2.5 (e), 2.4 (mu)."""

TRACKER_R, TRACKER_Z = 60.0, 280.0
"""Region in which photons that can convert start, cm: tracks begin within 60 cm of the beam line (paper, section 2)."""

LEPTON, HEAVY, LIGHT, RADIATION, HEAVY_PAIR = PARTON_STREAMS = ("lepton", "heavy", "light", "radiation", "heavy_pair")

PARTON_LEPTON_ETA, QUARK_PT, PARTON_ETA = 2.6, 6.0, 2.8
"""Our choice: GeV and pseudorapidities. A lepton of a tau, and a hadron of a parton, goes nearly its parent's way. A
hadron has hardly more pT than its parton, and its lepton or photon less."""


def of_partons(batch: ak.Array, stream: str) -> NDArray[np.bool_]:
    """Whether parton-level events are in a parton-level stream, shape (events,).

    Args:
        batch: result of ``Pythia.nextBatch`` without hadronisation.
        stream: one of :data:`PARTON_STREAMS`.
    """
    p = batch.prt.p
    kind, pt = abs(batch.prt.id), np.hypot(p.px, p.py)
    final = batch.prt.status > 0

    def some(chosen: Any, least_pt: float, eta: float, number: int = 1) -> NDArray[np.bool_]:
        found = final & chosen & (pt > least_pt) & (abs(p.pz) < np.sinh(eta) * pt)
        return np.asarray(ak.sum(found, axis=1) >= number)

    quark = (kind == 4) | (kind == 5)
    if stream == HEAVY_PAIR:
        return some(quark, QUARK_PT, PARTON_ETA, 2) & some(quark, LEADING_PT, PARTON_ETA)
    lepton = some((kind == 11) | (kind == 13) | (kind == 15), LEADING_PT, PARTON_LEPTON_ETA)
    if stream == LEPTON:
        return lepton
    if stream == RADIATION:
        return lepton & some((kind <= 5) | (kind == 21) | (kind == 22), PHOTON_PT, PARTON_ETA)
    heavy = some(quark, QUARK_PT, PARTON_ETA)
    return lepton & (heavy if stream == HEAVY else ~heavy)


def prompt_leptons(prt: ak.Array) -> tuple[ak.Array, ak.Array]:
    """Masks of the visible e and mu with pT > 5 GeV, shape (events, var): all, and those not from a hadron or tau."""
    kind, pt = abs(prt.pdg_id), np.hypot(prt.px, prt.py)
    lepton = _visible(prt) & ((kind == 11) | (kind == 13)) & (pt > LEPTON_PT)
    return lepton, lepton & ~particles.has_ancestor(prt, particles.is_hadron(prt.pdg_id) | (kind == 15))


def _visible(prt: ak.Array) -> ak.Array:
    return (prt.status == particles.STABLE) & (abs(prt.pz) < np.sinh(MAX_ETA) * np.hypot(prt.px, prt.py))


def classify(table: ak.Array) -> NDArray[np.str_]:
    """The stream of each event of a particle table, shape (events,)."""
    prt = table.particles
    kind, pt = abs(prt.pdg_id), np.hypot(prt.px, prt.py)
    lepton, prompt = prompt_leptons(prt)
    near = (np.hypot(prt.vx, prt.vy) < TRACKER_R) & (abs(prt.vz) < TRACKER_Z)

    leading = ak.any(lepton & (pt > LEADING_PT), axis=1)
    two_leptons = ak.sum(lepton, axis=1) > 1
    photon = ak.any(_visible(prt) & (kind == 22) & (pt > PHOTON_PT) & near, axis=1)
    displaced = two_leptons & ak.any(lepton & ~prompt, axis=1)
    conditions = [~leading, displaced, photon, two_leptons]
    return np.select([ak.to_numpy(c) for c in conditions], [NONE, DISPLACED, PHOTON, PROMPT_PAIR], TRACK)
