"""Hand-made particle tables: events whose content is known exactly, made without any generator."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

from hnl.datasets.simulation import particles

MASS = {11: 0.000511, 13: 0.10566, 22: 0.0, 211: 0.13957, 130: 0.49761, 24: 80.4, 9900012: 5.0, 12: 0.0, 14: 0.0}
MASS |= {111: 0.13498, 521: 5.2793, 523: 5.3247, 421: 1.8648, 413: 2.0103}


def table(events: list[list[dict[str, Any]]], weight: float = 1.0, first: int = 0) -> ak.Array:
    """A particle table of events given as lists of :func:`particle`."""
    columns = {
        name: np.array([p[name] for event in events for p in event], kind)
        for name, kind in particles.PARTICLE_FIELDS.items()
    }
    number = np.arange(first, first + len(events))
    return particles.build([len(e) for e in events], columns, number, np.full(len(events), weight))


def particle(
    pdg: int,
    pt: float,
    eta: float,
    phi: float,
    at: tuple[float, float, float] = (0.0, 0.0, 0.0),
    parent: int = -1,
    status: int = 1,
) -> dict[str, Any]:
    """One particle; p_T in GeV, production point in cm relative to the hard interaction."""
    pz = pt * np.sinh(eta)
    energy = np.sqrt((pt * np.cosh(eta)) ** 2 + MASS[abs(pdg)] ** 2)
    momentum = {"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pz, "energy": energy}
    return (
        {"pdg_id": pdg, "status": status, "parent": parent} | momentum | dict(zip(("vx", "vy", "vz"), at, strict=True))
    )


def minimum_bias(n_events: int = 50, seed: int = 3) -> ak.Array:
    """Soft prompt pions and photons, 40 to an event."""
    rng = np.random.default_rng(seed)
    return table(
        [
            [
                particle(code, 0.4 + rng.exponential(0.5), rng.uniform(-2.8, 2.8), rng.uniform(-np.pi, np.pi))
                for code in rng.choice([211, -211, 22], 40)
            ]
            for _ in range(n_events)
        ]
    )


def signal(n_events: int, lepton: int = 13, distance: float = 3.0, seed: int = 5, first: int = 0) -> ak.Array:
    """W -> l N, N -> l pi pi pi after ``distance`` cm in the transverse plane, with 15 prompt pions besides.

    In every fourth event the prompt lepton is not isolated.
    """
    rng = np.random.default_rng(seed)
    events = []
    for number in range(n_events):
        phi, eta = rng.uniform(-np.pi, np.pi), rng.uniform(-1.5, 1.5)
        at = (distance * np.cos(phi), distance * np.sin(phi), distance * np.sinh(eta))
        event = [
            particle(24, 0.5, 0.0, 0.0, status=2),
            particle(lepton, rng.uniform(30, 45), rng.uniform(-2, 2), phi + np.pi, parent=0),
            particle(9900012, 30.0, eta, phi, parent=0, status=2),
            particle(-lepton, rng.uniform(10, 20), eta + 0.1, phi - 0.25, at, parent=2),
        ]
        for sign, side in ((1, 0.3), (1, -0.1), (-1, 0.15)):
            event.append(particle(sign * 211, rng.uniform(3, 8), eta + rng.normal(0, 0.2), phi + side, at, parent=2))
        if number % 4 == 3:
            event += [
                particle(22, 20.0, np.arcsinh(event[1]["pz"] / np.hypot(event[1]["px"], event[1]["py"])), phi + 3.0)
            ]
        event += [
            particle(int(code), 0.5 + rng.exponential(1.0), rng.uniform(-2.4, 2.4), rng.uniform(-np.pi, np.pi))
            for code in rng.choice([211, -211, 22], 15)
        ]
        events.append(event)
    return table(events, first=first)
