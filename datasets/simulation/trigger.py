"""The single-lepton triggers and their objects (paper, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.parameters import DETECTOR, Detector
from hnl.datasets.simulation.rows import ObjectRows, concatenate

ELECTRON_BITS = 1 << 1
"""TrigObj_filterBits of a single electron, tight working point (WPTight)."""
MUON_BITS = 1 << 1 | 1 << 3
"""TrigObj_filterBits of a single isolated muon."""


@dataclass(frozen=True)
class Decision:
    """Trigger decisions, one bool per event and path, and the objects that they are based on.

    Attributes:
        paths: by NanoAOD name.
        objects: rows with ``pt`` (GeV), ``eta``, ``phi``, ``id`` (11, 13), ``bits`` and ``charge``.
    """

    paths: dict[str, NDArray[np.bool_]]
    objects: ObjectRows


def decide(electrons: ObjectRows, muons: ObjectRows, draws: Draws, detector: Detector = DETECTOR) -> Decision:
    """Run the triggers on the reconstructed leptons.

    They require a threshold on a smeared p_T, isolation and |d_xy|, and have a plateau efficiency.

    Args:
        electrons, muons: output of electrons.py and muons.py.
    """
    t = detector.trigger
    e = electrons[(electrons.cut_based >= 1) | electrons.mva_wp90]
    m = muons[muons.loose_id]
    objects = concatenate(
        [
            _objects(e, 11, ELECTRON_BITS, t.electron_efficiency, t.sigma_pt[1], min(t.electron_pt), draws, detector),
            _objects(m, 13, MUON_BITS, t.muon_efficiency, t.sigma_pt[0], t.muon_pt, draws, detector),
        ]
    )

    def fired(code: int, threshold: float) -> NDArray[np.bool_]:
        chosen = objects.event[(objects.id == code) & (objects.pt > threshold)]
        return np.asarray(np.bincount(chosen, minlength=objects.n_events) > 0)

    paths = {
        "HLT_IsoMu24": fired(13, t.muon_pt),
        "HLT_Ele27_WPTight_Gsf": fired(11, t.electron_pt[0]),
        "HLT_Ele32_WPTight_Gsf": fired(11, t.electron_pt[1]),
    }
    return Decision(paths, objects)


def _objects(
    leptons: ObjectRows,
    code: int,
    bits: int,
    efficiency: float,
    width: float,
    threshold: float,
    draws: Draws,
    detector: Detector,
) -> ObjectRows:
    """The leptons of one flavour that the HLT finds."""
    t = detector.trigger
    pt = leptons.pt * (1 + width * draws.normal(leptons.event, leptons.uid, "hlt pt"))
    accepted = draws.uniform(leptons.event, leptons.uid, "hlt") < efficiency
    accepted &= (pt > threshold) & (leptons.iso03 < t.iso) & (np.abs(leptons.dxy) < t.abs_dxy)
    rows, pt = leptons[accepted], pt[accepted]
    columns = {
        "pt": pt,
        "eta": rows.eta,
        "phi": rows.phi,
        "id": np.full(len(rows), code),
        "bits": np.full(len(rows), bits),
        "charge": rows.charge,
    }
    return ObjectRows(rows.n_events, rows.event, columns)
