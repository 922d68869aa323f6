"""The particles of the selected jet (section 5), for files that keep them (PFNano: PFCands and JetPFCands).

Trees take no sets of particles, so a jet is summarised; all summaries are our choice, from the per-particle inputs
that section 5 lists (pt, charge, impact parameters and uncertainties, pixel hits).
"""

import awkward as ak
import numpy as np

from hnl.datasets.arrays import Objects, PerEvent
from hnl.physics.angles import delta_r

MIN_SIGNIFICANCE = 3.0  # |d0| / sigma of a 'displaced' track
MAX_DELTA_R_SAME = 0.02  # largest distance of l2 and its own particle


def of_jet(jet_index: PerEvent, jet_particles: Objects, particles: Objects) -> Objects:
    """The particles of one jet per event.

    Args:
        jet_index: position of the jet in the jets of the file.
        jet_particles: jagged JetPFCands with jetIdx and pFCandsIdx, -1 for particles that were not kept.
        particles: jagged PFCands.
    """
    index = jet_particles.pFCandsIdx[jet_particles.jetIdx == jet_index]
    return particles[index[index >= 0]]


def summaries(particles: Objects) -> dict[str, PerEvent]:
    """Summaries of the displacement of a jet.

    Args:
        particles: jagged PFCands of the jet: pt (GeV), charge, d0, d0Err (cm).

    Returns:
        Name -> one number per event: `n_displaced` (tracks with |d0|/sigma > 3), `displaced_pt_fraction` (their share
        of the charged pt), `mean_significance` (pt-weighted |d0|/sigma), `second_significance` (the second largest:
        the largest may be that of l2). NaN if undefined, that is without enough tracks.
    """
    tracks = particles[(particles.charge != 0) & (particles.d0Err > 0)]
    significance = np.abs(tracks.d0) / tracks.d0Err
    displaced = significance > MIN_SIGNIFICANCE
    total = _nan_for_zero(ak.sum(tracks.pt, axis=1))
    ordered = ak.sort(significance, axis=1, ascending=False)
    return {
        "n_displaced": ak.sum(displaced, axis=1),
        "displaced_pt_fraction": ak.sum(tracks.pt[displaced], axis=1) / total,
        "mean_significance": ak.sum(tracks.pt * significance, axis=1) / total,
        "second_significance": ak.fill_none(ak.pad_none(ordered, 2)[:, 1], np.nan),
    }


def pixel_hits(l2: PerEvent, particles: Objects) -> PerEvent:
    """Pixel hits of the track of l2: those of the nearest particle of its flavour within 0.02, NaN if there is none."""
    distance = delta_r(particles.eta, particles.phi, l2.eta, l2.phi)
    same = (np.abs(particles.pdgId) == l2.flavour) & (distance < MAX_DELTA_R_SAME)
    nearest = ak.argmin(distance[same], axis=1, keepdims=True)
    return ak.fill_none(ak.firsts(particles.numberOfPixelHits[same][nearest]), np.nan)


def _nan_for_zero(values: PerEvent) -> PerEvent:
    return ak.where(values > 0, values, np.nan)
