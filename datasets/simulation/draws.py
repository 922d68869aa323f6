"""Random numbers that depend only on their purpose, never on the order of the work.

Each number is a hash of (seed, event, reseed, object, purpose). An event therefore looks the same whether it
is simulated alone or among others, on one worker or on many, and whether or not other events were dropped
before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from hnl.datasets.hashing import splitmix64
from hnl.datasets.simulation.compiled import compiled
from hnl.datasets.simulation.rows import ObjectColumn, key

Keys = NDArray[np.uint64]


mix = compiled(splitmix64)


@compiled
def unit(key: np.uint64, uid: int, purpose: int) -> float:
    """A number uniform in (0, 1) for one object and purpose."""
    bits = mix(mix(key ^ mix(np.uint64(uid))) ^ np.uint64(purpose))
    return (float(bits >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@compiled
def _uniform(keys: Keys, event: ObjectColumn, uid: ObjectColumn, purpose: int) -> NDArray[np.float64]:
    out = np.empty(len(event))
    for i in range(len(event)):
        out[i] = unit(keys[event[i]], uid[i], purpose)
    return out


@compiled
def _normal(keys: Keys, event: ObjectColumn, uid: ObjectColumn, purpose: int) -> NDArray[np.float64]:
    out = np.empty(len(event))
    for i in range(len(event)):
        radius = np.sqrt(-2.0 * np.log(unit(keys[event[i]], uid[i], purpose)))
        out[i] = radius * np.cos(2.0 * np.pi * unit(keys[event[i]], uid[i], purpose + (1 << 32)))
    return out


@compiled
def _event_keys(seed: np.uint64, event_id: ObjectColumn, reseed: ObjectColumn) -> Keys:
    out = np.empty(len(event_id), np.uint64)
    for i in range(len(event_id)):
        out[i] = mix(mix(mix(seed) ^ np.uint64(event_id[i])) ^ np.uint64(reseed[i]))
    return out


class Given(NamedTuple):
    """Numbers laid down for some objects: the index of the event and the number in it of each, and its value."""

    event: ObjectColumn
    uid: ObjectColumn
    values: ObjectColumn


class Draws:
    """Random numbers for a block of events.

    Args:
        keys: one 64-bit key per event; use :meth:`for_events` to make them.
        given: numbers that are laid down, by purpose, see :meth:`giving`.
    """

    def __init__(self, keys: Keys, given: Mapping[str, Given] = MappingProxyType({})) -> None:
        self.keys = keys
        self.given = given

    @classmethod
    def for_events(cls, seed: int, event_id: ObjectColumn, reseed: ObjectColumn) -> Draws:
        """The draws of events with these numbers, under a seed >= 0."""
        return cls(_event_keys(np.uint64(seed), event_id.astype(np.int64), reseed.astype(np.int64)))

    def giving(self, event: ObjectColumn, uid: ObjectColumn, purpose: str, values: ObjectColumn) -> Draws:
        """The same draws, but with these ``values`` for :meth:`uniform` of these objects and this purpose."""
        return Draws(self.keys, {**self.given, purpose: Given(event, uid, values)})

    def keep_events(self, mask: ObjectColumn) -> Draws:
        """The draws of a subset of the events."""
        new = np.cumsum(mask) - 1
        given = {
            purpose: Given(new[g.event[mask[g.event]]], *(column[mask[g.event]] for column in g[1:]))
            for purpose, g in self.given.items()
        }
        return Draws(self.keys[mask], given)

    def uniform(self, event: ObjectColumn, uid: ObjectColumn, purpose: str) -> NDArray[np.float64]:
        """Uniform in (0, 1), one per object, from its event, its number ``uid`` in the event, and the purpose."""
        values = np.asarray(_uniform(self.keys, event, uid, crc32(purpose.encode())))
        if purpose in self.given:
            given = self.given[purpose]
            _, here, there = np.intersect1d(key(event, uid), key(given.event, given.uid), True, return_indices=True)
            values[here] = given.values[there]
        return values

    def normal(self, event: ObjectColumn, uid: ObjectColumn, purpose: str) -> NDArray[np.float64]:
        """Standard normal, one per object; arguments as for :meth:`uniform`."""
        return np.asarray(_normal(self.keys, event, uid, crc32(purpose.encode())))

    def event_normal(self, purpose: str) -> NDArray[np.float64]:
        """Standard normal, one per event."""
        return self.normal(np.arange(len(self.keys)), np.zeros(len(self.keys), np.int64), purpose)
