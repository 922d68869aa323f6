"""The secondary vertex of l2: section 2 (last paragraph on vertices) and Table 2, 'l2 in SV'."""

from typing import Any

import awkward as ak
import numpy as np

MIN_SIGNIFICANCE_3D = 0.5  # section 2
MIN_SIGNIFICANCE_2D = 2.5  # section 2

# Our choice, for NanoAOD without svIdx (before v11), where the tracks of a vertex are not known: l2 belongs to a
# vertex if it lies within 0.4 of both the vertex momentum (it flew with the other tracks) and the direction from the
# primary vertex to the secondary one (it came out of it). 0.4 is the size of a jet.
MAX_DELTA_R_MOMENTUM = 0.4
MAX_DELTA_R_FLIGHT = 0.4


def displaced(vertices: Any) -> Any:
    """Mask of the vertices with significances Delta_3D > 0.5 and Delta_2D > 2.5 (section 2).

    Args:
        vertices: jagged SV records with dlenSig (3D) and dxySig (2D).
    """
    return (vertices.dlenSig > MIN_SIGNIFICANCE_3D) & (vertices.dxySig > MIN_SIGNIFICANCE_2D)


def holds_track(vertices: Any, sv_index: Any) -> Any:
    """Mask of the vertices that hold the track of l2.

    Args:
        vertices: jagged SV records.
        sv_index: one number an event, NanoAOD's svIdx of l2: -1 if its track is in no vertex.
    """
    return ak.local_index(vertices.pt, axis=1) == sv_index


def near_lepton(vertices: Any, primary_vertex: Any, l2: Any) -> Any:
    """Geometric stand-in for `holds_track`, see `MAX_DELTA_R_MOMENTUM`.

    Args:
        vertices: jagged SV records with position_x, _y, _z in cm and momentum.
        primary_vertex: one record an event with x, y, z in cm.
        l2: one lepton an event.
    """
    x, y, z = (vertices[f"position_{c}"] - primary_vertex[c] for c in "xyz")
    flight_eta = np.arcsinh(z / np.hypot(x, y))
    flight_phi = np.arctan2(y, x)
    delta_phi = (flight_phi - l2.phi + np.pi) % (2 * np.pi) - np.pi
    flight = np.hypot(flight_eta - l2.eta, delta_phi)
    return (vertices.deltaR(l2) < MAX_DELTA_R_MOMENTUM) & (flight < MAX_DELTA_R_FLIGHT)


def highest_pt(vertices: Any) -> Any:
    """The vertex with the highest pt (section 2, for several that hold the l2 track), None if there is none."""
    return ak.firsts(vertices[ak.argmax(vertices.pt, axis=1, keepdims=True)])
