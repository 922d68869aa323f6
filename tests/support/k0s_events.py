"""Hand-made Z -> mu mu events with a K0S in a jet, for files of `nanoaod_events`."""

from math import asinh, atan2, hypot, pi
from typing import Any

import numpy as np
from nanoaod_events import COLUMNS, ELECTRON_PATHS, MUON_PATHS, OTHER_PATH, SCALARS, Event, Object

M_PI, M_K0S = 0.13957, 0.49761


def k0s_event(number: int = 1, seed: int | None = None, **change: Object) -> Event:
    """Two muons that weigh 91 GeV, a jet, and in it a K0S with its two pions and three other particles.

    Args:
        number: of the event.
        seed: of the decay and of the pt of the K0S.
        change: what is different of `mu1`, `mu2`, `jet`, `sv`, `plus` or `minus`.
    """
    rng = np.random.default_rng(number if seed is None else seed)
    event: Event = {name: default for name, (_, default) in SCALARS.items()} | {"event": number}
    event |= {name: [] for name in COLUMNS}
    event["HLT"] = dict.fromkeys((*ELECTRON_PATHS, *MUON_PATHS, OTHER_PATH), False) | {MUON_PATHS[0]: True}
    muon = {"pt": 45.594, "eta": 0.0, "phi": 0.0, "charge": 1, "mass": 0.10566}
    event["Muon"] = [muon | change.get("mu1", {}), muon | {"phi": pi, "charge": -1} | change.get("mu2", {})]
    kaon = four_vector(float(rng.uniform(4, 25)), 0.6, 1.5, M_K0S)
    plus, minus = decay(kaon, float(rng.uniform(-0.9, 0.9)), float(rng.uniform(0, 2 * pi)))
    details = {"d0": 0.3, "d0Err": 0.01, "dz": 0.4, "dzErr": 0.02, "lostInnerHits": 1}
    pions = [
        particle(plus, 1) | details | change.get("plus", {}),
        particle(minus, -1) | details | change.get("minus", {}),
    ]
    others = [
        {"pt": 9.0, "eta": 0.55, "phi": 1.45, "charge": 1, "d0": 0.001, "d0Err": 0.01},
        {"pt": 7.0, "eta": 0.7, "phi": 1.6, "charge": -1, "d0": 0.002, "d0Err": 0.01},
        {"pt": 5.0, "eta": 0.6, "phi": 1.4, "charge": 0, "pdgId": 22, "d0Err": -1.0},
    ]
    event["PFCands"] = [*others[:2], *pions, others[2]]
    event["JetPFCands"] = [{"jetIdx": 0, "pFCandsIdx": i} for i in range(5)]
    event["Jet"] = [{"pt": 60.0, "eta": 0.6, "phi": 1.5, "mass": 8.0, "nConstituents": 5} | change.get("jet", {})]
    px, py, pz, _ = kaon
    pt = hypot(px, py)
    event["SV"] = [
        {"pt": pt, "eta": asinh(pz / pt), "phi": atan2(py, px), "mass": M_K0S, "ntracks": 2} | change.get("sv", {})
    ]
    return event


def four_vector(pt: float, eta: float, phi: float, mass: float) -> np.ndarray:
    """(px, py, pz, E)."""
    p = np.array([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    return np.append(p, np.sqrt(p @ p + mass**2))


def decay(parent: np.ndarray, cos_theta: float, azimuth: float) -> tuple[np.ndarray, np.ndarray]:
    """Two pions, back to back in the rest frame of their parent, by a Lorentz boost."""
    mass = np.sqrt(parent[3] ** 2 - parent[:3] @ parent[:3])
    momentum = np.sqrt(mass**2 / 4 - M_PI**2)
    sin_theta = np.sqrt(1 - cos_theta**2)
    direction = np.array([sin_theta * np.cos(azimuth), sin_theta * np.sin(azimuth), cos_theta])
    beta, gamma = parent[:3] / parent[3], parent[3] / mass
    result = []
    for sign in (1, -1):
        p, energy = sign * momentum * direction, mass / 2
        along = p @ beta
        boosted = p + beta * (gamma**2 / (gamma + 1) * along + gamma * energy)
        result.append(np.append(boosted, gamma * (energy + along)))
    return result[0], result[1]


def particle(p: np.ndarray, charge: int) -> dict[str, Any]:
    """A charged hadron of this four-momentum."""
    pt = hypot(p[0], p[1])
    return {"pt": pt, "eta": asinh(p[2] / pt), "phi": atan2(p[1], p[0]), "charge": charge, "pdgId": 211 * charge}
