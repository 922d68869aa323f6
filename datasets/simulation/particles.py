"""The particle table, which a generator hands to the detector, in plain columns.

One entry per generated event, with the fields

=========== ======================= =====================================================================
event_id    int64                   number of the generated event within its process and seed
weight      float64                 exact weight; the normalisation is the sum over *all* generated events
particles   var * record            see :data:`PARTICLE_FIELDS`
=========== ======================= =====================================================================

A particle has ``pdg_id``; ``status`` (1: stable as far as the detector is concerned, 2: decayed);
``px, py, pz, energy`` in GeV; its production vertex ``vx, vy, vz`` in cm, relative to the hard interaction;
and ``parent``, the index within the same event of the nearest ancestor in the table, or -1. A parent always
stands before its children, so a pass from left to right meets every ancestor first. This module does not depend on
Pythia: HepMC events of any generator can be brought into this form.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hnl.errors import InputError

HNL = 9900012
"""PDG identity of the heavy neutral lepton N in the table (antiparticle of a Dirac N: -9900012)."""

STABLE, DECAYED = 1, 2

PARTICLE_FIELDS: dict[str, type] = {
    "pdg_id": np.int32,
    "status": np.int32,
    "px": np.float64,
    "py": np.float64,
    "pz": np.float64,
    "energy": np.float64,
    "vx": np.float64,
    "vy": np.float64,
    "vz": np.float64,
    "parent": np.int32,
}
"""Fields of a particle and their types; momenta in GeV, vertices in cm."""


class ParticleTableError(InputError):
    """A table breaks the contract of this module (a missing field, a wrong type, a wrong parent ...)."""


def build(counts: ArrayLike, columns: Mapping[str, ArrayLike], event_id: ArrayLike, weight: ArrayLike) -> ak.Array:
    """Make a particle table of flat columns, and validate it.

    Args:
        counts: number of particles of each event, shape (events,).
        columns: one flat array for each of :data:`PARTICLE_FIELDS`, shape (sum of counts,).
        event_id: number of each event, shape (events,).
        weight: weight of each event, shape (events,).

    Raises:
        ParticleTableError: the columns are not a valid table.
    """
    if missing := set(PARTICLE_FIELDS) - set(columns):
        raise ParticleTableError(f"particle table: missing columns {sorted(missing)}")
    particles: dict[str, NDArray[Any]] = {
        name: np.asarray(columns[name], kind) for name, kind in PARTICLE_FIELDS.items()
    }
    table = ak.Array(
        {
            "event_id": np.asarray(event_id, np.int64),
            "weight": np.asarray(weight, np.float64),
            "particles": ak.unflatten(ak.zip(particles), np.asarray(counts, np.int64)),
        }
    )
    validate(table)
    return table


def no_events() -> ak.Array:
    """A particle table without events."""
    return build([], {name: [] for name in PARTICLE_FIELDS}, [], [])


def validate(table: ak.Array) -> None:
    """Check that ``table`` keeps the contract of this module.

    Raises:
        ParticleTableError: a rule is broken; the message has the rule and the offending value.
    """
    for field in ("event_id", "weight", "particles"):
        if field not in ak.fields(table):
            raise ParticleTableError(f"particle table: no field {field!r}, only {ak.fields(table)}")
    particles = table.particles
    for field, kind in PARTICLE_FIELDS.items():
        if field not in ak.fields(particles):
            raise ParticleTableError(f"particle table: no particle field {field!r}")
        values = flat(particles[field])
        if values.dtype != np.dtype(kind):
            raise ParticleTableError(f"particle table: {field} is {values.dtype}, not {np.dtype(kind)}")
        if not np.all(np.isfinite(values)):
            raise ParticleTableError(f"particle table: {field} has {np.sum(~np.isfinite(values))} non-finite values")
    status, parent = flat(particles.status), flat(particles.parent)
    if np.any(wrong := (status != STABLE) & (status != DECAYED)):
        raise ParticleTableError(f"particle table: status {status[wrong][0]} is neither 1 (stable) nor 2 (decayed)")
    if np.any(wrong := (parent < -1) | (parent >= flat(ak.local_index(particles.parent)))):
        raise ParticleTableError(
            f"particle table: parent {parent[wrong][0]} is below -1 or does not stand before its child"
        )
    if np.any(status[_flat_parents(particles)[parent >= 0]] == STABLE):
        raise ParticleTableError("particle table: a stable particle (status 1) has children")


def has_ancestor(particles: ak.Array, chosen: ak.Array) -> ak.Array:
    """Whether an ancestor of each particle (not the particle itself) is ``chosen``.

    Args:
        particles: ``table.particles``, shape (events, var).
        chosen: bool, shape (events, var).

    Returns:
        bool, shape (events, var).
    """
    jump = _flat_parents(particles)
    mask = flat(chosen)
    has_chosen = (jump >= 0) & mask[jump]
    while np.any(open_ := jump >= 0):  # pointer doubling: each turn looks twice as far up
        has_chosen |= open_ & has_chosen[jump]
        jump = np.where(open_, jump[jump], -1)
    return ak.unflatten(has_chosen, ak.num(particles.parent))


def parents(particles: ak.Array, field: str, missing: float = 0) -> ak.Array:
    """Value of ``field`` of each particle's parent, shape (events, var); ``missing`` where there is none."""
    jump = _flat_parents(particles)
    values = flat(particles[field])
    return ak.unflatten(np.where(jump >= 0, values[jump], values.dtype.type(missing)), ak.num(particles.parent))


def has_child(particles: ak.Array, chosen: ak.Array) -> ak.Array:
    """Whether a child of each particle is ``chosen``; bool, shape (events, var)."""
    jump = _flat_parents(particles)
    has_chosen = np.zeros(len(jump), np.bool_)
    has_chosen[jump[flat(chosen) & (jump >= 0)]] = True
    return ak.unflatten(has_chosen, ak.num(particles.parent))


def has_flavour(pdg_id: Any, quark: int) -> Any:
    """Whether particles are hadrons that contain ``quark`` (3 s, 4 c, 5 b), from the digits of their PDG identity.

    Args:
        pdg_id: int array of any shape (awkward or numpy).
    """
    code = abs(pdg_id)
    hadron = (code > 100) & (code < 9_900_000)
    return hadron & ((code // 10 % 10 == quark) | (code // 100 % 10 == quark) | (code // 1000 % 10 == quark))


def is_hadron(pdg_id: Any) -> Any:
    """Whether particles are hadrons (not the HNL), from their PDG identity; array of any shape."""
    return (abs(pdg_id) > 100) & (abs(pdg_id) < 9_900_000)


def concatenate(tables: Sequence[ak.Array]) -> ak.Array:
    """Join tables into one, shape (sum of events,)."""
    return ak.to_packed(ak.concatenate(tables))


def flat(values: ak.Array) -> NDArray[Any]:
    """The flat numpy content of a jagged array, shape (sum of counts,)."""
    return np.asarray(ak.to_numpy(ak.flatten(values, axis=None)))


def _flat_parents(particles: ak.Array) -> NDArray[np.int64]:
    """Index of each particle's parent in the flat table, -1 where there is none."""
    counts = ak.to_numpy(ak.num(particles.parent))
    first = np.repeat(np.cumsum(counts) - counts, counts)
    parent = flat(particles.parent)
    return np.where(parent >= 0, first + parent, -1)
