"""The Muon collection: identification variables."""

from __future__ import annotations

import numpy as np

from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.parameters import DETECTOR, Detector
from hnl.datasets.simulation.rows import ObjectRows
from hnl.datasets.simulation.tracking import MUON

SEGMENT_LOOSE, SEGMENT_TIGHT = 0.303, 0.451
"""Medium ID of CMS (public): smallest segment compatibility of muons with a good global fit, and of the others."""


def build(leptons: ObjectRows, draws: Draws, detector: Detector = DETECTOR) -> ObjectRows:
    """Muons with the variables of their identification.

    Args:
        leptons: isolated leptons of both flavours.

    Returns:
        The muons' rows, with ``segment_comp``, ``is_global``, ``loose_id``, ``medium_id``, ``tight_id`` and
        ``high_purity`` added. Medium requires loose, enough valid hits, and segment compatibility above 0.303 (good
        global fit) or 0.451 (else). Displaced muons lose valid hits and the good global fit, so the 'reduced' ID of
        the paper (section 4) can be formed from loose and segments.
    """
    rows = leptons[leptons.flavour == 13]
    p = detector.muons
    genuine = rows.kind == MUON

    def draw(purpose: str) -> np.ndarray:
        return draws.uniform(rows.event, rows.uid, purpose)

    # Segment compatibility: near 1 for most true muons with a flat rest, low for hadrons that reach the muon system.
    shape = draw("segment shape")
    high = SEGMENT_TIGHT + (1 - SEGMENT_TIGHT) * shape**0.2
    low = np.where(genuine, SEGMENT_TIGHT * np.sqrt(shape), p.fake_segment * shape)
    segment = np.where(genuine & (draw("segment") < p.segment_good), high, low)
    good_global = draw("global fit") < np.where(genuine, *p.good_global) * np.exp(-p.global_per_cm * rows.radius)
    is_global = good_global | (draw("global") < p.any_global)
    valid_fraction = draw("valid hits") < p.medium_efficiency * np.exp(-p.valid_fraction_per_cm * rows.radius)
    medium = valid_fraction & (segment > np.where(good_global, SEGMENT_LOOSE, SEGMENT_TIGHT))
    tight = medium & good_global & (np.abs(rows.dxy) < 0.2) & (np.abs(rows.dz) < 0.5) & (rows.n_pixel > 0)
    return rows.with_columns(
        segment_comp=segment,
        is_global=is_global,
        loose_id=np.ones(len(rows), bool),
        medium_id=medium,
        tight_id=tight,
        high_purity=draw("high purity") < p.high_purity * np.exp(-p.high_purity_per_cm * rows.radius),
    )
