"""The vertex of every lepton in a NanoAOD file, from branch titles, CMSSW's rule and geometry: numpy and uproot alone.

CMSSW: `svIdx` is the place, among all secondary vertices, of the first that shares a candidate with the lepton
(PATObjectCrossLinker); the table keeps, in order, those with a decay length significance above 3 (VertexTableProducer,
vertices_cff.py). So row k was at place k or later, and a lepton of place i is in a row up to i or in none.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import uproot

TITLES = {
    "Electron_svIdx": "index of matching secondary vertex",
    "Muon_svIdx": "index of matching secondary vertex",
    "Electron_dxy": "dxy (with sign) wrt first PV, in cm",
    "Muon_dxy": "dxy (with sign) wrt first PV, in cm",
    "Electron_dz": "dz (with sign) wrt first PV, in cm",
    "Muon_dz": "dz (with sign) wrt first PV, in cm",
    "SV_x": "secondary vertex X position, in cm",
    "SV_z": "secondary vertex Z position, in cm",
    "SV_dlenSig": "decay length significance",
    "PV_z": "z coordinate",
}
KEPT = 3.0  # dlenSigMin of the table


class Lepton(NamedTuple):
    """Where a lepton is, and the row of its vertex, -1 if it has none."""

    entry: int
    collection: str
    number: int
    sv_index: int
    row: int


def associations(path: Path) -> list[Lepton]:
    """All leptons with svIdx >= 0."""
    found = []
    with uproot.open(path) as file:
        tree = file["Events"]
        for branch, words in TITLES.items():
            assert words in tree[branch].title, (branch, tree[branch].title)
        names = [f"{c}_{f}" for c in ("Electron", "Muon") for f in ("pt", "eta", "phi", "charge", "dxy", "dz", "svIdx")]
        names += ["SV_x", "SV_y", "SV_z", "SV_dlenSig", "PV_x", "PV_y", "PV_z"]
        columns = tree.arrays(names, library="np")
    assert all((significance > KEPT).all() for significance in columns["SV_dlenSig"])
    for entry in range(len(columns["PV_x"])):
        primary = np.array([columns[f"PV_{c}"][entry] for c in "xyz"], float)
        places = np.stack([columns[f"SV_{c}"][entry] for c in "xyz"], axis=1).astype(float) - primary
        for collection in ("Electron", "Muon"):
            for number, index in enumerate(columns[f"{collection}_svIdx"][entry]):
                if index < 0:
                    continue
                lepton = [float(columns[f"{collection}_{f}"][entry][number]) for f in names_of_track()]
                allowed = places[: int(index) + 1]
                way = np.linalg.norm(allowed, axis=1)
                distance = np.array([distance_in_space(place, *lepton) for place in allowed])
                excess = np.where(distance < 0.03 + 0.005 * way, distance, np.inf)
                row = int(np.argmin(excess)) if np.isfinite(excess).any() else -1
                found.append(Lepton(entry, collection, number, int(index), row))
    return found


def names_of_track() -> tuple[str, ...]:
    """What a helix needs."""
    return "pt", "eta", "phi", "charge", "dxy", "dz"


def distance_in_space(
    place: np.ndarray, pt: float, eta: float, phi: float, charge: float, dxy: float, dz: float
) -> float:
    """The least distance (cm) of a place, relative to the primary vertex, from points on the helix: by looking for it.

    In 3.8 T along z a positive particle of pt (GeV) moves clockwise on a circle of pt / (0.3 x 3.8) m. CMS has
    dxy = (-x p_y + y p_x) / pt at the place (x, y) nearest the primary vertex.
    """
    rate = -charge * 0.299792458 * 3.8 / (100 * pt)  # of the angle, per cm of path in the transverse plane
    reach = 1.5 * np.hypot(place[0], place[1]) + 1.0
    low, high = -reach, reach
    for _ in range(4):
        path = np.linspace(low, high, 2001)
        # The mean direction of an arc is that at its middle; its chord is shorter by sinc.
        chord = path * np.sinc(rate * path / (2 * np.pi))
        x = -dxy * np.sin(phi) + chord * np.cos(phi + rate * path / 2)
        y = dxy * np.cos(phi) + chord * np.sin(phi + rate * path / 2)
        distance = np.sqrt((x - place[0]) ** 2 + (y - place[1]) ** 2 + (dz + path * np.sinh(eta) - place[2]) ** 2)
        best, step = path[np.argmin(distance)], path[1] - path[0]
        low, high = best - 2 * step, best + 2 * step
    return float(distance.min())
