"""Libraries of minimum-bias events for pileup and of underlying events, made once and then read from a cache.

Multiparton interactions take ten times as long as the hard process, so hard processes are made without them,
and the detector overlays events of these libraries. Both are particle tables with unit weights.
"""

import os
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import awkward as ak
import numpy as np

from hnl.datasets.simulation import particles, pythia
from hnl.datasets.simulation.generator import block_seed
from hnl.errors import InputError

MINIMUM_BIAS = ("SoftQCD:inelastic = on",)
"""Pileup: inelastic collisions, diffraction included (Pythia 8, tune Monash 2013)."""

UNDERLYING_EVENT = (
    "WeakSingleBoson:ffbar2gmZ = on",
    "PhaseSpace:mHatMin = 60",
    "23:onMode = off",
    "23:onIfAny = 12",
)
"""Underlying event: the particles that accompany an invisible Z of pT below :data:`MAX_Z_PT`. Our choice: multiparton
interactions at the small impact parameters of hard collisions, with little radiation from the Z itself. It gives 1.0
charged particles (pT > 0.5 GeV) per unit of eta and phi. Pythia has 1.1 transverse to a W, of which 0.16 remain without
multiparton interactions; minimum bias has 0.5."""

MAX_Z_PT = 5.0
"""GeV; our choice (see above): a fifth of the Z events."""


def minimum_bias(n_events: int, seed: int, cache: Path | None = None) -> ak.Array:
    """Inelastic collisions for pileup, as a particle table.

    Args:
        n_events: number of events (20 ms and 12 kB per event).
        seed: any integer that is not negative.
        cache: folder of the libraries as parquet; a library that exists is read from it.

    Raises:
        InputError: n_events not above 0, or negative seed.
    """
    return _library("minimum_bias", MINIMUM_BIAS, lambda table: table, n_events, seed, cache)


def underlying_event(n_events: int, seed: int, cache: Path | None = None) -> ak.Array:
    """Underlying events of hard collisions, as particle table; arguments as above (35 ms per event)."""
    return _library("underlying_event", UNDERLYING_EVENT, _without_z, n_events, seed, cache)


def _library(
    name: str,
    settings: tuple[str, ...],
    select: Callable[[ak.Array], ak.Array],
    n_events: int,
    seed: int,
    cache: Path | None,
) -> ak.Array:
    if n_events <= 0 or seed < 0:
        raise InputError(f"{name}: needs events and a seed that is not negative, not {n_events} and {seed}")
    path = cache / file_name(name, settings, n_events, seed) if cache else None
    if path and path.exists():
        return ak.from_parquet(path)
    generator = pythia.start((*settings, "PartonLevel:MPI = on"), block_seed(seed, name, 0))
    table, generated = None, 0
    while table is None or len(table) < n_events:
        batch = generator.nextBatch(pythia.BATCH)
        new = select(pythia.particle_table(batch, np.ones(len(batch)), generated))
        table = new if table is None else particles.concatenate([table, new])
        generated += len(batch)
    table = ak.to_packed(table[:n_events])
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.part")
        ak.to_parquet(table, temporary)
        temporary.rename(path)
    return table


def file_name(name: str, settings: tuple[str, ...], n_events: int, seed: int) -> str:
    """Name of a library in the cache: other settings give another library."""
    return f"{name}_{n_events}_{seed}_{crc32(repr(settings).encode()):08x}.parquet"


def _without_z(table: ak.Array) -> ak.Array:
    """Events with a slow Z, without the Z and its neutrinos."""
    prt = table.particles
    is_z = prt.pdg_id == 23
    slow = ak.any(is_z & (np.hypot(prt.px, prt.py) < MAX_Z_PT), axis=1)
    table, prt, is_z = table[slow], prt[slow], is_z[slow]
    drop = is_z | particles.has_ancestor(prt, is_z)
    prt = ak.with_field(prt, ak.values_astype(_renumbered(prt.parent, drop), np.int32), "parent")
    return ak.to_packed(ak.with_field(table, prt[~drop], "particles"))


def _renumbered(parent: ak.Array, drop: ak.Array) -> ak.Array:
    """Indices of the parents after the entries in ``drop``, none of them a parent of what stays, are gone."""
    gone = particles.flat(drop)
    counts = ak.to_numpy(ak.num(parent))
    before = np.concatenate([[0], np.cumsum(gone)])
    first = np.repeat(np.cumsum(counts) - counts, counts)
    index = particles.flat(parent)
    return ak.unflatten(np.where(index >= 0, index - (before[first + index] - before[first]), -1), counts)
