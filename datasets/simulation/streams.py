"""The generator filter: each event belongs to exactly one stream, so that streams can be added without overlap.

A leading lepton is an e or mu with pT > 24 GeV and |eta| < 2.5 of any origin. The threshold is 24 GeV because the paper
selects 30 GeV (table 1) and triggers at 24 (section 3), and detector resolution must not matter. An event with a
leading lepton is in the first of these streams whose condition holds:

- 'displaced': another lepton with pT > 5 GeV comes from a hadron or tau decay (the paper: 7 GeV, |d_xy| > 0.02 cm);
- 'photon': a photon with pT > 7 GeV can convert in the tracker (a conversion gives the whole nonprompt lepton);
- 'prompt_pair': there is another prompt lepton with pT > 5 GeV (only a measurement can make it displaced);
- 'track': all other events (only a misidentified hadron can be the nonprompt lepton).

An event without a leading lepton is in the stream 'none'.
"""

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


def classify(table: ak.Array) -> NDArray[np.str_]:
    """The stream of each event of a particle table, shape (events,)."""
    prt = table.particles
    kind, pt = abs(prt.pdg_id), np.hypot(prt.px, prt.py)
    visible = (prt.status == particles.STABLE) & (abs(prt.pz) < np.sinh(MAX_ETA) * pt)
    lepton = visible & ((kind == 11) | (kind == 13)) & (pt > LEPTON_PT)
    secondary = lepton & particles.has_ancestor(prt, particles.is_hadron(prt.pdg_id) | (kind == 15))
    near = (np.hypot(prt.vx, prt.vy) < TRACKER_R) & (abs(prt.vz) < TRACKER_Z)

    leading = ak.any(lepton & (pt > LEADING_PT), axis=1)
    two_leptons = ak.sum(lepton, axis=1) > 1
    photon = ak.any(visible & (kind == 22) & (pt > PHOTON_PT) & near, axis=1)
    displaced = two_leptons & ak.any(secondary, axis=1)
    conditions = [~leading, displaced, photon, two_leptons]
    return np.select([ak.to_numpy(c) for c in conditions], [NONE, DISPLACED, PHOTON, PROMPT_PAIR], TRACK)
