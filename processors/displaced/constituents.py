"""The lists of a candidate: particles of its jet, and vertices in it, for networks that take sets (section 5).

Of files that keep particles (PFNano: PFCands, JetPFCands). What is missing of the inputs of the paper there: the
association of particles to secondary vertices, which PFNano does not keep; our own samples do.
"""

from dataclasses import dataclass

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets import nanoaod
from hnl.datasets.arrays import Events, Objects, PerEvent
from hnl.physics.angles import delta_phi
from hnl.processors import lists
from hnl.processors.base import identity, numbers
from hnl.processors.columns import Column
from hnl.processors.displaced.jet_variations import CandidateRows
from hnl.processors.rows import EVENT
from hnl.selections import particles

MAX_DELTA_R = 0.4  # of a vertex and the axis of the jet: the size of the jet. Our choice

# Real numbers: 11 significant bits. Directions are stored from the axis of the jet, so that these are 0.0002 or less.
LISTS = tuple(
    Column(*row)
    for row in (
        # particles of the jet by falling pt, at most 50 (section 5)
        ("particle_pt", "float16", "GeV", "transverse momentum"),
        ("particle_deta", "float16", "1", "pseudorapidity from the axis of the jet"),
        ("particle_dphi", "float16", "rad", "azimuth from the axis of the jet"),
        ("particle_charge", "int8", "1", "charge"),
        ("particle_type", "int16", "1", "|pdgId| of particle flow: 211, 130, 22, 11, 13; 1, 2 forward"),
        ("particle_d0", "float16", "cm", "transverse impact parameter; NaN without a track, and in the next three"),
        ("particle_d0_err", "float16", "cm", "its uncertainty"),
        ("particle_dz", "float16", "cm", "longitudinal impact parameter"),
        ("particle_dz_err", "float16", "cm", "its uncertainty"),
        ("particle_pixel_hits", "int8", "1", "hits in the pixel detector"),
        ("particle_strip_hits", "int8", "1", "hits in the strip detector; -1 where the file does not tell"),
        ("particle_pv", "int8", "1", "association to the primary vertex, CMS's pvAssocQuality; -1 likewise"),
        ("particle_sv", "int8", "1", "2 in the vertex of l2 by svIdx, 1 in another one, 0 in none; -1 likewise"),
        # secondary vertices within Delta R < 0.4 of the axis of the jet, in the order of the file
        ("vertex_pt", "float16", "GeV", "transverse momentum of the tracks"),
        ("vertex_deta", "float16", "1", "their pseudorapidity from the axis of the jet"),
        ("vertex_dphi", "float16", "rad", "their azimuth from the axis of the jet"),
        ("vertex_mass", "float16", "GeV", "their invariant mass"),
        ("vertex_n_tracks", "float16", "1", "their number; NaN in old NanoAOD"),
        ("vertex_chi2_ndof", "float16", "1", "normalised chi2 of the vertex fit"),
        ("vertex_delta_2d", "float16", "cm", "transverse distance from the primary vertex"),
        ("vertex_delta_2d_sig", "float16", "1", "its significance"),
        ("vertex_delta_3d", "float16", "cm", "distance from the primary vertex"),
        ("vertex_delta_3d_sig", "float16", "1", "its significance"),
    )
)


@dataclass(frozen=True)
class JetParticles:
    """The particles of the jets of some rows; of each jet once, however many variations choose it.

    Attributes:
        event: index of the event of each jet.
        index: place of the jet in the jets of the file.
        row: the first row of each jet.
        of_row: number of the jet of each row.
        particles: jagged PFCands, one list a jet.
    """

    event: NDArray[np.int64]
    index: NDArray[np.int64]
    row: NDArray[np.int64]
    of_row: NDArray[np.int64]
    particles: Objects


def of_rows(events: Events, rows: CandidateRows) -> JetParticles | None:
    """The particles of the jets of rows; None where the file does not keep them."""
    if not nanoaod.has_particles(events):
        return None
    keys = np.stack([rows.event, numbers(rows.jet.index)])
    (event, index), row, of_row = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    inside = particles.of_jet(index, events.JetPFCands[event], events.PFCands[event])
    return JetParticles(event, index, row, of_row.reshape(-1), inside)


def lists_of(events: Events, l2: PerEvent, rows: CandidateRows, inside: JetParticles) -> dict[str, np.ndarray]:
    """`LISTS` and the key of each jet, as in `processors.lists`.

    Args:
        events: of the rows.
        l2: one an event.
        rows: of the table of candidates.
        inside: of these rows.
    """
    events, jet = events[inside.event], rows.jet[inside.row]
    known = identity(events)
    key = {name: numbers(known[name]) for name in EVENT} | {"jet_index": inside.index}
    eta, phi = numbers(jet.eta), numbers(jet.phi)
    result = lists.packed(
        LISTS, "particle", *particles.inputs(inside.particles, eta, phi, numbers(l2[inside.event].sv_index))
    )
    return key | result | lists.packed(LISTS, "vertex", *_vertices(events, eta, phi))


def _vertices(
    events: Events, eta: NDArray[np.float32], phi: NDArray[np.float32]
) -> tuple[NDArray[np.int64], dict[str, np.ndarray]]:
    """Those near axes: their number in each jet, and name -> one value for each, jet after jet."""
    sv = nanoaod.vertices(events)
    number = ak.to_numpy(ak.num(sv.pt, axis=1))
    jet = np.repeat(np.arange(len(number)), number)
    names = {"pt": "pt", "mass": "mass", "n_tracks": "ntracks", "chi2_ndof": "chi2", "delta_2d": "dxy"}
    names |= {"delta_2d_sig": "dxySig", "delta_3d": "dlen", "delta_3d_sig": "dlenSig", "deta": "eta", "dphi": "phi"}
    flat = {ours: ak.to_numpy(ak.flatten(sv[theirs])) for ours, theirs in names.items()}
    flat |= {"deta": flat["deta"] - eta[jet], "dphi": delta_phi(flat["dphi"], phi[jet])}
    near = np.hypot(flat["deta"], flat["dphi"]) < MAX_DELTA_R
    return np.bincount(jet[near], minlength=len(number)), {name: values[near] for name, values in flat.items()}
