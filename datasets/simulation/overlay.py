"""Pileup and underlying event, taken from minimum-bias events that were generated once.

Each time a library event is used, it is turned by a random angle about the beam and mirrored at random. So a library of
some thousand events does not repeat itself visibly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from zlib import crc32

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation.compiled import compiled
from hnl.datasets.simulation.draws import Draws, Keys, unit
from hnl.datasets.simulation.parameters import DETECTOR, Detector
from hnl.datasets.simulation.propagation import COLUMNS, generated, visible
from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows, concatenate
from hnl.errors import InputError

OVERLAY_UID = 1 << 48
_SLOT_UID, _UNDERLYING_SLOT = 1 << 24, 1 << 12
_PICK, _TURN, _FLIP, _HEIGHT = (crc32(p.encode()) for p in ("pick", "turn", "flip", "pileup z"))


@dataclass(frozen=True)
class Library:
    """Minimum-bias events, reduced to the particles that can matter.

    Attributes:
        offsets: rows of event i are ``offsets[i]:offsets[i + 1]``.
        momenta: px, py, pz, energy in GeV; shape (particles, 4).
        points: production points relative to the interaction, cm; shape (particles, 3).
        pdg, charge: int32, shape (particles,).
    """

    offsets: NDArray[np.int64]
    momenta: NDArray[np.float64]
    points: NDArray[np.float64]
    pdg: NDArray[np.int32]
    charge: NDArray[np.int32]

    @classmethod
    def from_table(cls, minimum_bias: ak.Array, detector: Detector = DETECTOR) -> Library:
        """The library of a particle table of minimum-bias events."""
        if len(minimum_bias) == 0:
            raise InputError("minimum-bias table: it has no events, so there is nothing to overlay")
        rows = visible(generated(minimum_bias), np.zeros((len(minimum_bias), 3)), detector.tracker)
        pt = np.hypot(rows.px, rows.py)
        limit = math.sinh(3.0)
        floor = np.where(rows.charge != 0, detector.tracker.pt, detector.jets.neutral_pt)
        rows = rows[(pt > floor) & (np.abs(rows.pz) < limit * pt)]
        return cls(
            rows.offsets,
            np.stack([rows.px, rows.py, rows.pz, rows.energy], axis=1),
            np.stack([rows.x, rows.y, rows.z], axis=1),
            rows.pdg,
            rows.charge,
        )


@dataclass(frozen=True)
class Libraries:
    """Libraries of the events that are overlaid on hard events.

    Attributes:
        pileup: minimum-bias events.
        underlying: events from which the underlying event is taken.
        n_underlying: number of them per underlying event.
    """

    pileup: Library
    underlying: Library
    n_underlying: int

    @classmethod
    def from_events(
        cls, minimum_bias: ak.Array, underlying_event: ak.Array | None = None, detector: Detector = DETECTOR
    ) -> Libraries:
        """The libraries of these particle tables (minimum_bias.py).

        Without a table of underlying events, an underlying event is ``overlay.underlying_events`` minimum-bias events.
        """
        pileup = Library.from_table(minimum_bias, detector)
        if underlying_event is None:
            return cls(pileup, pileup, detector.overlay.underlying_events)
        return cls(pileup, Library.from_table(underlying_event, detector), 1)


def true_interactions(draws: Draws, detector: Detector = DETECTOR) -> NDArray[np.float64]:
    """Mean number of pileup interactions of each event (``Pileup_nTrueInt``): a normal profile cut off at 1."""
    o = detector.overlay
    return np.maximum(1.0, o.pileup_mean + o.pileup_sigma * draws.event_normal("pileup profile"))


def interactions(draws: Draws, detector: Detector = DETECTOR) -> NDArray[np.int64]:
    """Number of pileup interactions of each event (``Pileup_nPU``): Poisson, in the normal approximation."""
    mean = true_interactions(draws, detector)
    return np.maximum(0, np.rint(mean + np.sqrt(mean) * draws.event_normal("pileup number"))).astype(np.int64)


def add(
    vertex: ObjectColumn, n_pileup: ObjectColumn, libraries: Libraries, draws: Draws, detector: Detector = DETECTOR
) -> ObjectRows:
    """Particles of underlying event and pileup near each hard interaction.

    Of the pileup, neutral particles are kept, and charged particles from vertices within ``overlay.window_z`` or
    produced off the beam line. Columns as in propagation.py; ``source`` is 0 for the underlying event.

    Args:
        vertex: hard interaction of each event, shape (events, 3), cm.
        n_pileup: number of pileup interactions of each event.
        libraries: events to draw from.
    """
    n_underlying = np.full(len(vertex), libraries.n_underlying)
    return concatenate(
        [
            _overlay(vertex, n_underlying, libraries.underlying, False, draws, detector),
            _overlay(vertex, n_pileup, libraries.pileup, True, draws, detector),
        ]
    )


def _overlay(
    vertex: ObjectColumn, n_slots: ObjectColumn, library: Library, pileup: bool, draws: Draws, detector: Detector
) -> ObjectRows:
    """``n_slots`` events of the library on each hard interaction, at its vertex or at vertices of their own."""
    o, b = detector.overlay, detector.beam
    cuts = (o.window_z, o.displaced, o.track_pt, o.neutral_pt)
    inputs = (draws.keys, vertex, n_slots, pileup, library.offsets, library.momenta, library.points, library.charge)
    spot = (b.x, b.y, b.sigma_z)
    size = _fill(*inputs, cuts, spot, np.empty((0, 7)), np.empty((0, 4), np.int64))
    values, numbers = np.empty((size, 7)), np.empty((size, 4), np.int64)
    _fill(*inputs, cuts, spot, values, numbers)
    event, uid, source, member = numbers.T
    names = ("px", "py", "pz", "energy", "x", "y", "z")
    columns = dict(zip(names, np.ascontiguousarray(values.T), strict=True)) | {
        "uid": uid,
        "source": source.astype(np.int32),
        "gen": np.full(size, -1),
        "pdg": library.pdg[member],
        "charge": library.charge[member],
    }
    return ObjectRows(len(vertex), np.ascontiguousarray(event), {name: columns[name] for name in COLUMNS})


@compiled
def _fill(
    keys: Keys,
    vertex: ObjectColumn,
    n_slots: ObjectColumn,
    pileup: bool,
    offsets: ObjectColumn,
    momenta: ObjectColumn,
    points: ObjectColumn,
    charge: ObjectColumn,
    cuts: tuple[float, float, float, float],
    spot: tuple[float, float, float],
    values: ObjectColumn,
    numbers: ObjectColumn,
) -> int:
    """Count the particles kept; if ``values`` and ``numbers`` have room, also write them there."""
    window, displaced, track_pt, neutral_pt = cuts
    write, n, n_library = len(values) > 0, 0, len(offsets) - 1
    for e in range(len(keys)):
        for slot in range(n_slots[e]):
            number = OVERLAY_UID + (slot if pileup else _UNDERLYING_SLOT + slot) * _SLOT_UID
            pick = int(unit(keys[e], number, _PICK) * n_library)
            turn = 2.0 * math.pi * unit(keys[e], number, _TURN)
            flip = -1.0 if unit(keys[e], number, _FLIP) < 0.5 else 1.0
            cos, sin = math.cos(turn), math.sin(turn)
            vx, vy, vz = vertex[e, 0], vertex[e, 1], vertex[e, 2]
            if pileup:
                u1, u2 = unit(keys[e], number, _HEIGHT), unit(keys[e], number + 1, _HEIGHT)
                vx, vy = spot[0], spot[1]
                vz = spot[2] * math.sqrt(-2.0 * math.log(u1)) * math.cos(2.0 * math.pi * u2)
            near = abs(vz - vertex[e, 2]) < window
            for m in range(offsets[pick], offsets[pick + 1]):
                if pileup:
                    pt = math.hypot(momenta[m, 0], momenta[m, 1])
                    off_beam = math.hypot(points[m, 0], points[m, 1]) > displaced
                    if pt < (neutral_pt if charge[m] == 0 else track_pt):
                        continue
                    if charge[m] != 0 and not near and not off_beam:
                        continue
                if write:
                    values[n, 0] = cos * momenta[m, 0] - sin * momenta[m, 1]
                    values[n, 1] = sin * momenta[m, 0] + cos * momenta[m, 1]
                    values[n, 2] = flip * momenta[m, 2]
                    values[n, 3] = momenta[m, 3]
                    values[n, 4] = vx + cos * points[m, 0] - sin * points[m, 1]
                    values[n, 5] = vy + sin * points[m, 0] + cos * points[m, 1]
                    values[n, 6] = vz + flip * points[m, 2]
                    numbers[n, 0], numbers[n, 1] = e, number + 2 + m - offsets[pick]
                    numbers[n, 2], numbers[n, 3] = slot + 1 if pileup else 0, m
                n += 1
    return n
