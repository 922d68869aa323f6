"""Tracks reconstructed as electrons or muons, and their isolation."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation import particle_flow
from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.parameters import DETECTOR, Detector
from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows
from hnl.datasets.simulation.tracking import ELECTRON, HADRON, MUON, evaluate

ENDCAP = 1.479
"""Pseudorapidity where the ECAL endcap begins."""


def barrel_or_endcap(eta: ObjectColumn, values: tuple[float, float]) -> NDArray[np.float64]:
    """The first value in the ECAL barrel, the second in the endcaps."""
    return np.where(np.abs(eta) < ENDCAP, values[0], values[1])


def identify(tracks: ObjectRows, draws: Draws, detector: Detector = DETECTOR) -> NDArray[np.int64]:
    """Identity of each track: 11 electron, 13 muon, 0 neither.

    True electrons and muons are found with the efficiencies of the parameter table, hadrons with its fake
    rates.

    Args:
        tracks: measured tracks with impact parameters.
    """
    e, m = detector.electrons, detector.muons
    draw = draws.uniform(tracks.event, tracks.uid, "lepton")
    muon = (tracks.pt > m.pt) & (np.abs(tracks.eta) < m.abs_eta)
    electron = (tracks.pt > e.pt) & (np.abs(tracks.eta) < e.abs_eta)
    found_muon = (tracks.kind == MUON) & (draw < evaluate(m.efficiency_pt, tracks.pt))
    found_electron = (tracks.kind == ELECTRON) & (
        draw < evaluate(e.efficiency, tracks.radius) * evaluate(e.efficiency_pt, tracks.pt)
    )
    hadron = tracks.kind == HADRON
    muon &= found_muon | (hadron & (draw < m.fake_rate))
    electron &= found_electron | (
        hadron & (draw > 1 - e.fake_rate) & (draw > 1 - evaluate(e.efficiency, tracks.radius))
    )
    return np.where(muon, 13, np.where(electron, 11, 0))


def collect(tracks: ObjectRows, lepton: ObjectColumn, draws: Draws, detector: Detector = DETECTOR) -> ObjectRows:
    """The reconstructed leptons, by falling p_T.

    Args:
        tracks: measured tracks with impact parameters.
        lepton: output of :func:`identify`.

    Returns:
        The tracks' rows with ``flavour`` (11, 13), ``track`` (row of the track) and, for electrons, ``pt``
        from the combination with the ECAL (paper, section 2).
    """
    chosen = np.flatnonzero(lepton > 0)
    rows = tracks[chosen].with_columns(flavour=lepton[chosen], track=chosen)
    true_pt = np.hypot(rows.px, rows.py)
    constant = barrel_or_endcap(rows.eta, detector.electrons.sigma_e)
    width = np.hypot(constant, detector.electrons.sigma_stochastic / np.sqrt(rows.energy))
    ecal = true_pt * np.maximum(0.1, 1 + width * draws.normal(rows.event, rows.uid, "electron energy"))
    rows = rows.with_columns(pt=np.where(rows.flavour == 11, ecal, rows.pt))
    return rows.sorted_by(-rows.pt)


def isolate(leptons: ObjectRows, cands: ObjectRows, rho: ObjectColumn) -> ObjectRows:
    """Add relative isolations ``iso03``, ``iso04``, ``iso03_charged`` and the hadronic activity ``core`` (GeV).

    Args:
        leptons: output of :func:`collect`.
        cands: particle-flow candidates.
        rho: neutral p_T density of each event, GeV; times the cone's area it is the expected pileup
            contribution.
    """
    sums = particle_flow.cones(leptons, cands)

    def relative(charged: ObjectColumn, neutral: ObjectColumn, cone: float) -> NDArray[np.float64]:
        pileup = rho[leptons.event] * math.pi * cone**2
        return np.asarray((charged + np.maximum(0.0, neutral - pileup)) / leptons.pt)

    return leptons.with_columns(
        iso03=relative(sums["charged03"], sums["neutral03"], 0.3),
        iso04=relative(sums["charged04"], sums["neutral04"], 0.4),
        iso03_charged=sums["charged03"] / leptons.pt,
        core=sums["core"],
    )


def interesting(leptons: ObjectRows, n_events: int, isolation: bool) -> NDArray[np.bool_]:
    """Events with a prompt-like and a displaced lepton, shape (events,).

    Prompt-like: p_T > 24 GeV, |d_xy| < 0.05 cm. Displaced: p_T > 5 GeV, |d_xy| > 0.01 cm. The thresholds leave a margin
    to those of the paper's table 1.

    Args:
        leptons: reconstructed leptons.
        n_events: number of events.
        isolation: require also relative isolation < 0.3 of the prompt-like lepton (once it is known).
    """
    prompt = (leptons.pt > 24) & (np.abs(leptons.dxy) < 0.05)
    if isolation:
        prompt &= leptons.iso03 < 0.3
    displaced = (leptons.pt > 5) & (np.abs(leptons.dxy) > 0.01)
    n_prompt, n_displaced, n_either = (
        np.bincount(leptons.event[chosen], minlength=n_events) for chosen in (prompt, displaced, prompt | displaced)
    )
    return np.asarray((n_prompt >= 1) & (n_displaced >= 1) & (n_either >= 2))
