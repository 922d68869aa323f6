"""The particles of the selected jet (section 5), for files that keep them (PFNano: PFCands and JetPFCands).

Trees take no sets of particles, so a jet is summarised; all summaries are our choice, from the per-particle inputs
that section 5 lists (pt, charge, impact parameters and uncertainties, pixel hits).
"""

import awkward as ak
import numpy as np

from hnl.datasets.arrays import Jagged, Objects, PerEvent
from hnl.physics.angles import delta_phi, delta_r

MAX_PARTICLES = 50  # of a jet (section 5); those of the largest pt, our choice
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


def inputs(particles: Objects, eta: PerEvent, phi: PerEvent, l2_sv_index: PerEvent) -> dict[str, Jagged]:
    """What the particle-flow network of section 5 is given of each particle of a jet, by falling pt.

    Args:
        particles: jagged PFCands of the jet.
        eta, phi: of the axis of the jet.
        l2_sv_index: NanoAOD's svIdx of l2.

    Returns:
        Name -> jagged, at most `MAX_PARTICLES` an event: `pt` (GeV); `deta`, `dphi` (from the axis); `charge`; `type`
        (|pdgId| as particle flow says); `d0`, `d0_err`, `dz`, `dz_err` (cm), NaN without a track; `pixel_hits` and
        `strip_hits` of the track; `pv`, its association to the primary vertex (CMS's pvAssocQuality); `sv`, to
        secondary ones: 2 for the vertex that svIdx gives l2, 1 for another one, 0 for none. -1 where the file does not
        tell.
    """
    particles = particles[ak.argsort(particles.pt, axis=1, ascending=False, stable=True)][:, :MAX_PARTICLES]
    has_track = (particles.charge != 0) & (particles.d0Err > 0)

    def optional(name: str, missing: float) -> Jagged:
        return particles[name] if name in particles.fields else ak.full_like(particles.pt, missing)

    names = {"d0": "d0", "d0_err": "d0Err", "dz": "dz", "dz_err": "dzErr"}
    of_tracks = {ours: ak.where(has_track, optional(theirs, np.nan), np.nan) for ours, theirs in names.items()}
    pixel = particles.numberOfPixelHits
    sv = optional("svIdx", -2)
    return {
        "pt": particles.pt,
        "deta": particles.eta - eta,
        "dphi": delta_phi(particles.phi, phi),
        "charge": particles.charge,
        "type": np.abs(particles.pdgId),
        **of_tracks,
        "pixel_hits": pixel,
        "strip_hits": particles.numberOfHits - pixel if "numberOfHits" in particles.fields else ak.full_like(pixel, -1),
        "pv": optional("pvAssocQuality", -1),
        "sv": ak.where(sv < -1, -1, ak.where(sv < 0, 0, ak.where(sv == l2_sv_index, 2, 1))),
    }


def pixel_hits(l2: PerEvent, particles: Objects) -> PerEvent:
    """Pixel hits of the track of l2: those of the nearest particle of its flavour within 0.02, NaN if there is none."""
    distance = delta_r(particles.eta, particles.phi, l2.eta, l2.phi)
    same = (np.abs(particles.pdgId) == l2.flavour) & (distance < MAX_DELTA_R_SAME)
    nearest = ak.argmin(distance[same], axis=1, keepdims=True)
    return ak.fill_none(ak.firsts(particles.numberOfPixelHits[same][nearest]), np.nan)


def _nan_for_zero(values: PerEvent) -> PerEvent:
    return ak.where(values > 0, values, np.nan)
