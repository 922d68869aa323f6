"""A flat table of objects (particles, tracks, leptons, ...) that belong to events.

All steps of the detector use it. Objects are plain numpy columns plus the index of the event of each row, because numpy
and numba work on those without copies. Awkward arrays appear only at the input and the output.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

ObjectColumn = NDArray[Any]


class ObjectRows:
    """Objects of a block of events: columns of equal length, sorted by event.

    Args:
        n_events: number of events; events without rows are allowed.
        event: index of the event of each row, int64, ascending.
        columns: the other columns by name.

    A column is read as an attribute (``tracks.pt``); a mask or an index array selects rows
    (``tracks[tracks.pt > 1]``).
    """

    def __init__(self, n_events: int, event: ObjectColumn, columns: Mapping[str, ObjectColumn]) -> None:
        self.n_events = n_events
        self.event: ObjectColumn = event
        self.columns: dict[str, ObjectColumn] = dict(columns)

    def __getattr__(self, name: str) -> ObjectColumn:
        try:
            return self.__dict__["columns"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"no column {name!r}; there are {sorted(self.columns)}") from None

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, selection: ObjectColumn) -> ObjectRows:
        """Rows chosen by a mask or by ascending indices."""
        return ObjectRows(self.n_events, self.event[selection], {k: v[selection] for k, v in self.columns.items()})

    def with_columns(self, **columns: ObjectColumn) -> ObjectRows:
        """The same rows with columns added or replaced."""
        return ObjectRows(self.n_events, self.event, {**self.columns, **columns})

    @property
    def counts(self) -> ObjectColumn:
        """Number of rows of each event, int64."""
        return np.bincount(self.event, minlength=self.n_events)

    @property
    def offsets(self) -> ObjectColumn:
        """Row range of event i is ``offsets[i]:offsets[i + 1]``; int64, length n_events + 1."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def local(self) -> ObjectColumn:
        """Position of each row within its event, int64."""
        return np.arange(len(self)) - self.offsets[:-1][self.event]

    def keep_events(self, mask: ObjectColumn) -> ObjectRows:
        """The rows of the events where ``mask``, shape (events,), is true; events are renumbered from 0."""
        kept = self[mask[self.event]]
        return ObjectRows(int(mask.sum()), (np.cumsum(mask) - 1)[kept.event], kept.columns)

    def jagged(self, values: ObjectColumn) -> ak.Array:
        """An array with one entry per row as a jagged array with one list per event."""
        return ak.unflatten(values, self.counts)

    def sorted_by(self, key: ObjectColumn) -> ObjectRows:
        """Rows in ascending order of ``key`` within each event."""
        return self[np.lexsort((key, self.event))]


def flatten(records: ak.Array, names: Iterable[str]) -> ObjectRows:
    """A jagged record array as rows.

    Args:
        records: one list of records per event.
        names: the fields to take.
    """
    counts = ak.to_numpy(ak.num(records, axis=1))
    event = np.repeat(np.arange(len(counts)), counts)
    return ObjectRows(len(counts), event, {name: ak.to_numpy(ak.flatten(records[name])) for name in names})


def concatenate(parts: Iterable[ObjectRows]) -> ObjectRows:
    """Rows of several tables of the same events, merged event by event; columns must have the same names."""
    tables = list(parts)
    event = np.concatenate([t.event for t in tables])
    order = np.argsort(event, kind="stable")
    names = tables[0].columns
    return ObjectRows(
        tables[0].n_events,
        event[order],
        {name: np.concatenate([t.columns[name] for t in tables])[order] for name in names},
    )


def key(event: ObjectColumn, uid: ObjectColumn) -> NDArray[np.uint64]:
    """A number that tells each particle of a block of events from all others (up to 8192 events, uid below 2^50)."""
    return np.asarray((event.astype(np.uint64) << np.uint64(50)) ^ uid.astype(np.uint64))
