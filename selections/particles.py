"""The particles of the selected jet (section 5), for files that keep them (PFNano: PFCands and JetPFCands).

Trees take no sets of particles, so a jet is summarised; all summaries are our choice, from the per-particle inputs
that section 5 lists (pt, charge, impact parameters and uncertainties, pixel hits).
"""

from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.arrays import Objects, PerEvent
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


def inputs(
    particles: Objects, eta: NDArray[Any], phi: NDArray[Any], l2_sv_index: NDArray[Any]
) -> tuple[NDArray[np.int64], dict[str, np.ndarray]]:
    """What the particle-flow network of section 5 is given of each particle of a jet, by falling pt.

    Args:
        particles: jagged PFCands, one list for each of n jets.
        eta, phi: of the axis of the jet, (n,).
        l2_sv_index: NanoAOD's svIdx of l2, (n,).

    Returns:
        The number of particles of each jet, at most `MAX_PARTICLES`; and name -> one value for each particle, jet after
        jet: `pt` (GeV); `deta`, `dphi` (from the axis); `charge`; `type` (|pdgId| as particle flow says); `d0`,
        `d0_err`, `dz`, `dz_err` (cm), NaN without a track; `pixel_hits` and `strip_hits` of the track; `pv`, its
        association to the primary vertex (CMS's pvAssocQuality); `sv`, to secondary ones: 2 for the vertex that svIdx
        gives l2, 1 for another one, 0 for none. -1 where the file does not tell.
    """
    counts = ak.to_numpy(ak.num(particles.pt, axis=1))
    jet = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort([-ak.to_numpy(ak.flatten(particles.pt)), jet])  # jet after jet, in which jets are anyway
    rank = np.arange(len(jet)) - (np.cumsum(counts) - counts)[jet]
    order = order[rank < MAX_PARTICLES]
    jet = jet[order]

    def column(name: str, missing: float = np.nan) -> np.ndarray:
        if name not in particles.fields:
            return np.full(len(order), missing)
        return np.asarray(ak.to_numpy(ak.flatten(particles[name]))[order])

    charge, d0_err, pixel, hits, sv = map(column, ("charge", "d0Err", "numberOfPixelHits", "numberOfHits", "svIdx"))
    has_track = (charge != 0) & (d0_err > 0)
    impact = {"d0": column("d0"), "d0_err": d0_err, "dz": column("dz"), "dz_err": column("dzErr")}
    in_vertex = np.where(sv < 0, 0, np.where(sv == l2_sv_index[jet], 2, 1))
    return np.minimum(counts, MAX_PARTICLES), {
        "pt": column("pt"),
        "deta": column("eta") - eta[jet],
        "dphi": delta_phi(column("phi"), phi[jet]),
        "charge": charge,
        "type": np.abs(column("pdgId")),
        **{name: np.where(has_track, values, np.nan) for name, values in impact.items()},
        "pixel_hits": pixel,
        "strip_hits": np.where(np.isnan(hits), -1, hits - pixel),
        "pv": column("pvAssocQuality", -1),
        "sv": np.where(np.isnan(sv), -1, in_vertex),
    }


def pixel_hits(l2: PerEvent, particles: Objects) -> PerEvent:
    """Pixel hits of the track of l2: those of the nearest particle of its flavour within 0.02, NaN if there is none."""
    distance = delta_r(particles.eta, particles.phi, l2.eta, l2.phi)
    same = (np.abs(particles.pdgId) == l2.flavour) & (distance < MAX_DELTA_R_SAME)
    nearest = ak.argmin(distance[same], axis=1, keepdims=True)
    return ak.fill_none(ak.firsts(particles.numberOfPixelHits[same][nearest]), np.nan)


def _nan_for_zero(values: PerEvent) -> PerEvent:
    return ak.where(values > 0, values, np.nan)
