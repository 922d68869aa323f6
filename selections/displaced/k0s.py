"""K0S -> pi pi decays in Z -> mu mu events: the selection for the check of the score on data (section 5).

NanoAOD does not hold the two tracks of a vertex. They are found among the particles of jets (PFNano's PFCands), as the
pair of opposite charge whose four-momenta add up to that of the vertex.
"""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.arrays import Jagged, Mask, Objects, PerEvent
from hnl.physics.constants import M_K0S, M_Z
from hnl.selections import events as two_leptons
from hnl.selections.vertices import CURVATURE

MAX_Z_DIFFERENCE = 10.0  # GeV, section 5
MAX_K0S_DIFFERENCE = 0.015  # GeV, section 5
N_MUONS = 2  # section 5
N_TRACKS = 2  # section 5

# Our choice. NanoAOD rounds momenta to about 0.001 of their value. A wrong pair is off by the share of a track.
MAX_DEVIATION = 0.01
MAX_DELTA_R_TRACK = (
    0.7  # of a track and its vertex; reduces the number of pairs. Only for K0S below 1 GeV it is larger.
)


def in_z_window(mass: NDArray[np.float64]) -> NDArray[np.bool_]:
    """|m(mu mu) - m_Z| < 10 GeV (section 5); mass in GeV."""
    return np.abs(mass - M_Z) < MAX_Z_DIFFERENCE


def z_mass(muons: Objects) -> NDArray[np.float64]:
    """Mass of a pair of muons of opposite charge.

    Args:
        muons: jagged muons.

    Returns:
        GeV, one number per event; NaN for events without exactly two muons of opposite charge.
    """
    result = np.full(len(muons), np.nan)
    pair = ak.to_numpy(ak.num(muons) == N_MUONS)
    first, second = muons[pair][:, 0], muons[pair][:, 1]
    result[pair] = np.where(first.charge != second.charge, two_leptons.mass(first, second), np.nan)
    return result


def of_two_tracks(vertices: Objects) -> Mask:
    """Mask of the vertices that may have two tracks: all if the file does not tell (NaN), see `pions`."""
    return np.isnan(vertices.ntracks) | (vertices.ntracks == N_TRACKS)


def in_k0s_window(vertices: Objects) -> Mask:
    """Mask of the vertices within 15 MeV of the K0S mass (section 5)."""
    return np.abs(vertices.mass - M_K0S) < MAX_K0S_DIFFERENCE


def pions(hadrons: Objects, vertex: PerEvent) -> PerEvent:
    """The two tracks of a vertex.

    A track turns in the magnetic field between the beam line, at which particle flow gives its direction, and the
    vertex. NanoAOD does not tell at which of the two the momentum of the vertex is taken, so both are tried.

    Args:
        hadrons: jagged four-vectors with charge: the charged hadrons of an event, with pion mass.
        vertex: one record per event: four-momentum of the tracks, and `dxy`, the transverse distance from the primary
            vertex in cm.

    Returns:
        Records with `l2`, the pion with the higher pt; `other`, the other pion; and `deviation`, that of the momenta
        relative to the energy of the vertex. None if no pair deviates by less than 0.01.
    """
    near = hadrons[hadrons.deltaR(vertex) < MAX_DELTA_R_TRACK]
    pair = ak.cartesian({"plus": near[near.charge > 0], "minus": near[near.charge < 0]}, axis=1)
    turned = np.minimum(_deviation(pair, vertex, 0.0), _deviation(pair, vertex, vertex.dxy))
    best = ak.argmin(turned, axis=1, keepdims=True)
    pair, deviation = ak.firsts(pair[best]), ak.firsts(turned[best])
    plus_leads = pair.plus.pt > pair.minus.pt
    tracks = ak.zip(
        {
            "l2": ak.where(plus_leads, pair.plus, pair.minus),
            "other": ak.where(plus_leads, pair.minus, pair.plus),
            "deviation": deviation,
        },
        depth_limit=1,
    )
    return ak.mask(tracks, ak.fill_none(deviation < MAX_DEVIATION, False))


def _deviation(pair: Objects, vertex: PerEvent, path: PerEvent | float) -> Jagged:
    """Difference of the four-momenta of pairs and vertex, relative to the energy of the vertex.

    Args:
        pair: jagged, with `plus` and `minus`.
        vertex: one per event.
        path: transverse distance from the beam line to the point at which the momenta are compared, cm.
    """
    difference = [-vertex.x, -vertex.y, -vertex.z, -vertex.energy]
    for sign, track in ((1, pair.plus), (-1, pair.minus)):
        phi = track.phi - sign * CURVATURE * path / track.pt
        momentum = (track.pt * np.cos(phi), track.pt * np.sin(phi), track.z, track.energy)
        difference = [before + component for before, component in zip(difference, momentum, strict=True)]
    return np.sqrt(sum(component**2 for component in difference)) / vertex.energy


def impact_parameter(track: PerEvent) -> tuple[PerEvent, PerEvent]:
    """3D impact parameter of a track and its significance, from the transverse and the longitudinal one.

    A track is a straight line near the primary vertex: d^2 = d_xy^2 + (d_z cos lambda)^2 with
    tan lambda = sinh(eta). Our choice: the errors of d_xy and d_z alone, without their correlation and the error of the
    primary vertex, which NanoAOD does not have for the particles of jets.

    Args:
        track: d0, d0Err, dz, dzErr in cm, eta.

    Returns:
        Impact parameter (cm) and significance; NaN if d_z is NaN.
    """
    cos2 = 1 / np.cosh(track.eta) ** 2
    distance = np.sqrt(track.d0**2 + cos2 * track.dz**2)
    error = np.sqrt((track.d0 * track.d0Err) ** 2 + (cos2 * track.dz * track.dzErr) ** 2) / distance
    return distance, distance / error
