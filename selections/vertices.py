"""The secondary vertex of l2: section 2 (last paragraph on vertices) and Table 2, 'l2 in SV'.

NanoAOD keeps no tracks of vertices. Its svIdx (v11 and later) tells that the track of a lepton is in a vertex, but not
the row of this vertex in the table. CMSSW counts all vertices (PATObjectCrossLinker), and the table keeps those with
dlenSig > 3 (vertices_cff.py); the number of vertices left out is unknown. The order is kept, so the row is svIdx or
lower, or the vertex is not in the table. The helix of the lepton decides which row it is, if any.
"""

import awkward as ak
import numpy as np
from pydantic import Field

from hnl.datasets import nanoaod
from hnl.datasets.arrays import Events, Jagged, Mask, Objects, PerEvent, require
from hnl.datasets.model import Real, Settings

FIELD = 3.8  # T, section 2
CURVATURE = 0.0029979246 * FIELD  # 1/cm at pt = 1 GeV: the speed of light in GeV / (T cm)


class VertexCuts(Settings):
    """Of displaced vertices, and of the vertex of a track.

    The distance of a track from its vertex is measured (docs/selection.md): columns are rounded (phi to 0.2 mrad in
    CMS), electrons radiate, tracks scatter. Without svIdx the limit is smaller, because a track that is in no vertex
    may pass near another one: in a b jet, that of other daughters.
    """

    dlen_sig: Real = Field(default=0.5, description="least significance of Delta_3D (section 2)")
    dxy_sig: Real = Field(default=2.5, description="least significance of Delta_2D (section 2)")
    distance: Real = Field(default=0.03, gt=0, description="cm, largest distance of l2's track; our choice")
    distance_without_index: Real = Field(
        default=0.01, gt=0, description="cm, the same in files without svIdx; our choice"
    )
    distance_per_cm: Real = Field(default=0.005, ge=0, description="cm more for each cm of flight; our choice")


PAPER = VertexCuts()


def displaced(vertices: Objects, cuts: VertexCuts = PAPER) -> Mask:
    """Mask of the vertices with significances Delta_3D > 0.5 and Delta_2D > 2.5 (section 2).

    Args:
        vertices: SV records with dlenSig (3D) and dxySig (2D).
        cuts: other numbers.
    """
    return (vertices.dlenSig > cuts.dlen_sig) & (vertices.dxySig > cuts.dxy_sig)


def distance_to_track(vertices: Objects, primary_vertex: PerEvent, l2: PerEvent) -> Jagged:
    """Distance of each vertex from the track of l2, cm: across the track, at the point nearest in the transverse plane.

    The track is a helix from its point nearest the primary vertex, which dxy and dz (with their signs) and phi describe
    in NanoAOD. The transverse distance is that of a point from a circle (V. Karimaeki, NIM A 305 (1991) 187).

    Args:
        vertices: jagged SV records with position_x, _y, _z (cm).
        primary_vertex: one record per event with x, y, z (cm).
        l2: one lepton per event: pt (GeV), eta, phi, charge, dxy, dz (cm).

    Raises:
        MissingColumnError: plain NanoEvents have no `position_x`: x, y, z of a four-vector are its momentum.
    """
    require(vertices, "vertices", "position_x", "position_y", "position_z")
    x, y, z = (vertices[f"position_{c}"] - primary_vertex[c] for c in "xyz")
    curvature = -l2.charge * CURVATURE / l2.pt  # positive for tracks that turn left
    along = x * np.cos(l2.phi) + y * np.sin(l2.phi)
    left = y * np.cos(l2.phi) - x * np.sin(l2.phi) - l2.dxy
    difference = curvature * (along**2 + left**2) - 2 * left
    transverse = difference / (1 + np.sqrt(1 + curvature * difference))
    path = np.arctan2(curvature * along, 1 - curvature * left) / curvature
    return np.hypot(transverse, (z - l2.dz - path * np.sinh(l2.eta)) / np.cosh(l2.eta))


def of_track(
    vertices: Objects,
    primary_vertex: PerEvent,
    l2: PerEvent,
    sv_index: PerEvent | None = None,
    cuts: VertexCuts = PAPER,
) -> PerEvent:
    """The vertex that holds the track of l2: the nearest to the track, if it is near enough.

    Args:
        vertices: jagged SV records with position_x, _y, _z (cm), all of the table.
        primary_vertex: one record per event with x, y, z (cm).
        l2: one lepton per event, see `distance_to_track`.
        sv_index: one number per event, NanoAOD's svIdx of l2: -1 if its track is in no vertex. None for files that
            do not have it, for which all rows are possible.
        cuts: how near is near enough.

    Returns:
        One vertex per event, None if there is none.
    """
    require(vertices, "vertices", "position_x", "position_y", "position_z")
    limit = cuts.distance_without_index if sv_index is None else cuts.distance
    if sv_index is not None:
        vertices = vertices[ak.local_index(vertices, axis=1) <= sv_index]
    flight = np.sqrt(sum((vertices[f"position_{c}"] - primary_vertex[c]) ** 2 for c in "xyz"))
    distance = distance_to_track(vertices, primary_vertex, l2)
    near = distance < limit + cuts.distance_per_cm * flight
    return ak.firsts(vertices[near][ak.argmin(distance[near], axis=1, keepdims=True)])


def of_lepton(events: Events, l2: PerEvent, cuts: VertexCuts = PAPER) -> PerEvent:
    """The displaced vertex that holds the track of l2 (sections 2 and 4), whether the file has svIdx or not.

    Args:
        events: NanoEvents of any version, with SV and PV.
        l2: one lepton per event, of `leptons.leading`.
        cuts: other numbers.

    Returns:
        One vertex per event, None if l2 is in none, or in one that is not displaced.
    """
    sv_index = l2.sv_index if nanoaod.has_sv_index(events) else None
    vertex = of_track(nanoaod.vertices(events), events.PV, l2, sv_index, cuts)
    return ak.mask(vertex, ak.fill_none(displaced(vertex, cuts), False))


def highest_pt(vertices: Objects) -> PerEvent:
    """The vertex with the highest pt (section 2) of each event, None if there is none."""
    return ak.firsts(vertices[ak.argmax(vertices.pt, axis=1, keepdims=True)])
