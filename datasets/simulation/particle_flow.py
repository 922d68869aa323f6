"""Particle-flow candidates, of which jets, isolation and missing momentum are made."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation.compiled import compiled
from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.parameters import DETECTOR, Detector, Jets
from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows, concatenate, key
from hnl.physics.angles import delta_phi

CALORIMETER_RADIUS = 129.0
"""Inner radius of the ECAL barrel, cm. Particles produced farther out leave nothing."""

PV_TIGHT, PV_DZ, DISPLACED, PILEUP = 7, 5, 1, 0
"""Association of tracks to the PV, numbered as in PFNano's pvAssocQuality: used in its fit, close in z, displaced (as
in b decays), other."""

_NAMES = ("pdg", "pt", "eta", "phi", "mass", "quality", "track", "uid")


def association(tracks: ObjectRows, jets: Jets = DETECTOR.jets) -> NDArray[np.int64]:
    """Quality of each track's association to the PV."""
    prompt = np.abs(tracks.dxy) < 4 * tracks.dxy_err
    near = np.abs(tracks.dz) < jets.pv_dz
    return np.where(near, np.where(prompt, PV_TIGHT, PV_DZ), np.where(prompt, PILEUP, DISPLACED))


def candidates(
    particles: ObjectRows, tracks: ObjectRows, lepton: ObjectColumn, draws: Draws, detector: Detector = DETECTOR
) -> ObjectRows:
    """The candidates of each event.

    Args:
        particles: rows of propagation.py, with overlay.
        tracks: measured tracks with impact parameters.
        lepton: identity of each track: 11, 13 or 0 (no lepton).

    Returns:
        Rows with ``pdg`` (+-211, +-11, +-13, 22, 130), ``pt``, ``mass`` (GeV), ``eta``, ``phi``, ``quality``
        (association to the PV), ``track`` (row of the track, -1 for neutral candidates) and ``uid``.
    """
    sign = tracks.charge
    code = np.where(lepton > 0, -lepton * sign, 211 * sign)
    charged = ObjectRows(
        tracks.n_events,
        tracks.event,
        {
            "pdg": code,
            "pt": tracks.pt,
            "eta": tracks.eta,
            "phi": tracks.phi,
            "mass": np.select([lepton == 11, lepton == 13], [0.000511, 0.10566], 0.13957),
            "quality": association(tracks, detector.jets),
            "track": np.arange(len(tracks)),
            "uid": tracks.uid,
        },
    )
    return concatenate([charged, _neutral(particles, tracks, draws, detector.jets)])


def _neutral(particles: ObjectRows, tracks: ObjectRows, draws: Draws, jets: Jets) -> ObjectRows:
    """Photons and neutral hadrons; charged particles without a track are seen by the calorimeters only, too."""
    tracked = np.isin(key(particles.event, particles.uid), key(tracks.event, tracks.uid))
    hidden = (particles.charge != 0) & (tracked | (np.abs(particles.pdg) == 13) | (particles.source > 0))
    outside = np.hypot(particles.x, particles.y) > CALORIMETER_RADIUS
    rows = particles[~hidden & ~outside]
    electromagnetic = np.isin(np.abs(rows.pdg), (11, 22))
    pt = np.hypot(rows.px, rows.py)
    stochastic = np.where(electromagnetic, jets.photon_stochastic, jets.hadron_stochastic)
    constant = np.where(electromagnetic, jets.photon_constant, jets.hadron_constant)
    width = np.hypot(stochastic / np.sqrt(np.maximum(rows.energy, 0.1)), constant)
    pt = pt * np.maximum(0.0, 1 + width * draws.normal(rows.event, rows.uid, "calorimeter"))
    eta = np.arcsinh(np.clip(rows.pz / np.maximum(np.hypot(rows.px, rows.py), 1e-9), -1e4, 1e4))
    kept = (pt > jets.neutral_pt) & (np.abs(eta) < 5.0)
    n = int(kept.sum())
    columns = {
        "pdg": np.where(electromagnetic[kept], 22, 130),
        "pt": pt[kept],
        "eta": eta[kept],
        "phi": np.arctan2(rows.py, rows.px)[kept],
        "mass": np.zeros(n),
        "quality": np.full(n, PV_TIGHT),
        "track": np.full(n, -1),
        "uid": rows.uid[kept],
    }
    return ObjectRows(rows.n_events, rows.event[kept], {name: columns[name] for name in _NAMES})


def density(cands: ObjectRows, neutral_only: bool) -> NDArray[np.float64]:
    """Median p_T per area (GeV) on a fixed grid over |eta| < 2.5, from neutral or all candidates; shape (events,)."""
    used = cands[(cands.track < 0) & (np.abs(cands.eta) < 2.5)] if neutral_only else cands[np.abs(cands.eta) < 2.5]
    n_eta, n_phi = 9, 11
    cell = ((used.eta + 2.5) / 5.0 * n_eta).astype(np.int64) * n_phi
    cell += np.minimum(((used.phi + math.pi) / (2 * math.pi) * n_phi).astype(np.int64), n_phi - 1)
    size = n_eta * n_phi
    sums = np.bincount(used.event * size + cell, used.pt, cands.n_events * size).reshape(cands.n_events, size)
    return np.asarray(np.median(sums, axis=1) / (5.0 * 2 * math.pi / size))


_delta_phi = compiled(delta_phi)


@compiled
def _cones(
    lepton_event: ObjectColumn,
    lepton_eta: ObjectColumn,
    lepton_phi: ObjectColumn,
    lepton_track: ObjectColumn,
    veto: ObjectColumn,
    offsets: ObjectColumn,
    code: ObjectColumn,
    pt: ObjectColumn,
    eta: ObjectColumn,
    phi: ObjectColumn,
    quality: ObjectColumn,
    track: ObjectColumn,
) -> NDArray[np.float64]:
    out = np.zeros((5, len(lepton_event)))
    for i in range(len(lepton_event)):
        for c in range(offsets[lepton_event[i]], offsets[lepton_event[i] + 1]):
            deta = eta[c] - lepton_eta[i]
            if abs(deta) > 0.4 or track[c] == lepton_track[i]:
                continue
            dphi = _delta_phi(phi[c], lepton_phi[i])
            dr2 = deta * deta + dphi * dphi
            if dr2 > 0.16:
                continue
            kind = abs(code[c])
            hadron = kind == 211 or kind == 130
            if dr2 < 0.0225 and hadron:
                out[4, i] += pt[c]
            if kind == 211 and quality[c] >= PV_DZ:
                out[2, i] += pt[c]
                if dr2 < 0.09:
                    out[0, i] += pt[c]
            elif track[c] < 0 and (kind == 130 or dr2 > veto[i] * veto[i]):
                out[3, i] += pt[c]
                if dr2 < 0.09:
                    out[1, i] += pt[c]
    return out


def cones(leptons: ObjectRows, cands: ObjectRows) -> dict[str, NDArray[np.float64]]:
    """p_T sums around leptons, GeV.

    Args:
        leptons: rows with ``eta``, ``phi``, ``track`` and ``flavour`` (11 or 13).
        cands: output of :func:`candidates`.

    Returns:
        ``charged03``, ``neutral03``, ``charged04``, ``neutral04``: charged hadrons from the PV, photons and
        neutral hadrons within Delta R < 0.3 and 0.4; ``core``: hadrons of any kind within 0.15. Photons
        within 0.05 of an electron (0.01 of a muon) count as radiated by it.
    """
    veto = np.where(leptons.flavour == 11, 0.05, 0.01)
    sums = _cones(leptons.event, leptons.eta, leptons.phi, leptons.track, veto, cands.offsets,
                  cands.pdg, cands.pt, cands.eta, cands.phi, cands.quality, cands.track)  # fmt: skip
    return dict(zip(("charged03", "neutral03", "charged04", "neutral04", "core"), sums, strict=True))
