"""Generated particles on their way to the detector: beam spot, visible particles, photon conversions.

The output is a table of particles in the laboratory frame, :class:`ObjectRows` with the columns

=================== ======= ===================================================================================
uid                 int64   number of the particle in its event, the same in every run (see draws.py)
gen                 int64   index of the particle in the generator's table, -1 for particles added by the detector
pdg, charge         int32   PDG identity, electric charge
px, py, pz, energy  float64 GeV
x, y, z             float64 production point, cm, in the laboratory
source              int32   interaction that it belongs to, for validation only: 0 is the hard one, 1, 2, ... pileup
=================== ======= ===================================================================================
"""

from __future__ import annotations

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.parameters import DETECTOR, Beam, Material, Tracker
from hnl.datasets.simulation.particles import DECAYED, PARTICLE_FIELDS, STABLE
from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows, concatenate, flatten
from hnl.errors import InputError

CONVERSION_UID = 1 << 40
CONVERSION = "photon conversion"
"""Purpose of the draw that decides where a photon converts."""
COLUMNS = ("uid", "gen", "pdg", "charge", "px", "py", "pz", "energy", "x", "y", "z", "source")
_THREE_CHARGE = np.array([0, -1, 2, -1, 2, -1, 2, 0, 0, 0])
_TRACKED_IF_DECAYED = (211, 321, 3112, 3222, 3312, 3334)


def charge(pdg_id: ObjectColumn) -> NDArray[np.int32]:
    """Electric charge from the PDG identity, for leptons, W and hadrons; 0 for anything else (quarks too)."""
    code = np.abs(pdg_id).astype(np.int64)
    q3, q2, q1 = (_THREE_CHARGE[code // 10**k % 10] for k in (1, 2, 3))
    meson = np.where(code // 100 % 10 % 2 == 1, q3 - q2, q2 - q3)
    hadron = np.where(code // 1000 % 10 == 0, meson, q1 + q2 + q3) // 3
    lepton = -np.isin(code, (11, 13, 15)).astype(np.int64) + (code == 24)
    value = np.where((code > 100) & (code < 9_900_000) & (code // 10 % 10 > 0), hadron, lepton)
    return np.asarray(np.sign(pdg_id) * value, np.int32)


def generated(table: ak.Array) -> ObjectRows:
    """All particles of a particle table as rows, with ``gen``, ``pdg``, ``parent_row`` (-1: none) added.

    Raises:
        InputError: the table lacks a field.
    """
    if missing := {"event_id", "weight", "particles"} - set(ak.fields(table)):
        raise InputError(f"particle table: no field {sorted(missing)}, only {ak.fields(table)}")
    rows = flatten(table.particles, PARTICLE_FIELDS)
    parent_row = np.where(rows.parent >= 0, rows.offsets[:-1][rows.event] + rows.parent, -1)
    return rows.with_columns(gen=rows.local, pdg=rows.pdg_id, parent_row=parent_row)


def beam_spot(draws: Draws, beam: Beam = DETECTOR.beam) -> NDArray[np.float64]:
    """Positions of the hard interactions: shape (events, 3), cm."""
    return np.stack(
        [
            beam.x + beam.sigma_xy * draws.event_normal("beam x"),
            beam.y + beam.sigma_xy * draws.event_normal("beam y"),
            beam.sigma_z * draws.event_normal("beam z"),
        ],
        axis=1,
    )


def visible(rows: ObjectRows, vertex: ObjectColumn, tracker: Tracker = DETECTOR.tracker) -> ObjectRows:
    """Visible particles: stable ones except neutrinos and N, and charged hadrons that decay outside the inner tracker.

    Args:
        rows: output of :func:`generated`.
        vertex: hard interaction of each event, shape (events, 3), cm.
    """
    decay_path = np.zeros(len(rows))
    child = rows.parent_row >= 0
    mother = rows.parent_row[child]
    decay_path[mother] = np.hypot(rows.vx[child] - rows.vx[mother], rows.vy[child] - rows.vy[mother])
    code = np.abs(rows.pdg)
    stable = (rows.status == STABLE) & ~np.isin(code, (12, 14, 16)) & (code < 9_900_000)
    late = (rows.status == DECAYED) & np.isin(code, _TRACKED_IF_DECAYED) & (decay_path > tracker.min_path)
    # A lepton from such a decay has no track of its own: the fake rate of its hadron stands for it.
    tracked_twice = child & np.isin(code, (11, 13)) & late[rows.parent_row]
    kept = rows[(stable & ~tracked_twice) | late]
    interaction = vertex[kept.event]
    return ObjectRows(
        kept.n_events,
        kept.event,
        {
            "uid": kept.gen,
            "gen": kept.gen,
            "pdg": kept.pdg,
            "charge": charge(kept.pdg),
            "px": kept.px,
            "py": kept.py,
            "pz": kept.pz,
            "energy": kept.energy,
            "x": kept.vx + interaction[:, 0],
            "y": kept.vy + interaction[:, 1],
            "z": kept.vz + interaction[:, 2],
            "source": np.zeros(len(kept), np.int32),
        },
    )


def survival(photons: ObjectRows, material: Material = DETECTOR.material) -> NDArray[np.float64]:
    """Probability that a photon gets through each layer and those before it: shape (photons, layers).

    The probability of a conversion in a layer is 1 - exp(-7/9 path / X0).
    """
    eta = np.arcsinh(photons.pz / np.hypot(photons.px, photons.py))
    crossed = np.array(material.radii)[None, :] > np.hypot(photons.x, photons.y)[:, None]
    thickness = np.cumsum(crossed * np.array(material.x0)[None, :], axis=1) * (1 + material.growth * eta**2)[:, None]
    return np.asarray(np.exp(-7 / 9 * thickness))


def convert_photons(
    rows: ObjectRows, draws: Draws, material: Material = DETECTOR.material, tracker: Tracker = DETECTOR.tracker
) -> ObjectRows:
    """Convert photons in the tracker layers. The pair replaces the photon and carries its ``gen``.

    A photon converts in the first layer whose :func:`survival` is not above its draw. The energy is shared uniformly
    (Bethe-Heitler is nearly flat at high energy), and the opening angle is neglected.
    """
    photon = np.flatnonzero((rows.pdg == 22) & (np.hypot(rows.px, rows.py) > material.photon_pt))
    ph = rows[photon]
    pt = np.hypot(ph.px, ph.py)
    eta = np.arcsinh(ph.pz / pt)
    radii = np.array(material.radii)
    draw = draws.uniform(ph.event, ph.uid, CONVERSION)
    layer = (draw[:, None] < survival(ph, material)).sum(axis=1)
    converts = (layer < len(radii)) & (np.abs(eta) < tracker.abs_eta)
    converted = np.zeros(len(rows), bool)
    converted[photon[converts]] = True
    ph, pt, radius = ph[converts], pt[converts], radii[layer[converts]]
    ux, uy = ph.px / pt, ph.py / pt
    along = ph.x * ux + ph.y * uy
    path = -along + np.sqrt(np.maximum(0.0, along**2 + radius**2 - ph.x**2 - ph.y**2))
    share = draws.uniform(ph.event, ph.uid, "conversion energy")
    legs = []
    for number, (sign, part) in enumerate(((1, share), (-1, 1 - share))):
        legs.append(
            ph.with_columns(
                uid=CONVERSION_UID + 2 * ph.uid + number,
                pdg=np.full(len(ph), -11 * sign, np.int32),
                charge=np.full(len(ph), sign, np.int32),
                px=ph.px * part,
                py=ph.py * part,
                pz=ph.pz * part,
                energy=ph.energy * part,
                x=ph.x + ux * path,
                y=ph.y + uy * path,
                z=ph.z + ph.pz / pt * path,
            )
        )
    return concatenate([rows[~converted], *legs])
