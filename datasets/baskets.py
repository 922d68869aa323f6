"""Reading many flat columns of a TTree at once.

Baskets are decompressed straight into one array per column, and the columns of one collection share their offsets.
Branches that `datasets.branches` does not understand are left to uproot. Anything wrong in a basket is an error.

Names that begin with f are those of ROOT's classes (TKey, TBasket).
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from queue import Queue

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray
from uproot.source.chunk import Source

from hnl.datasets.branches import Branch, Metadata, UnfamiliarError

BATCH_BYTES = 32_000_000  # of a remote file, in memory at once


class BasketError(ValueError):
    """A basket cannot be read, or contradicts its header, its branch or the counter of its collection."""


class Tree:
    """A TTree, of which only the requested columns are read.

    Args:
        root: open file of uproot.
        name: name of the tree, which must exist.
    """

    def __init__(self, root: uproot.ReadOnlyDirectory, name: str) -> None:
        self._root, self._name = root, name
        self._branches: dict[str, Branch | None] = {}
        key = root.key(name)
        chunk, _ = key.get_uncompressed_chunk_cursor()
        try:
            self._metadata: Metadata | None = Metadata(bytes(chunk.raw_data), key.fKeylen)
        except UnfamiliarError:
            self._metadata = None

    @cached_property
    def _by_uproot(self) -> uproot.TTree:
        return self._root[self._name]

    @property
    def num_entries(self) -> int:
        """Number of entries."""
        return int((self._metadata or self._by_uproot).num_entries)

    @property
    def names(self) -> list[str]:
        """Names of the branches, in order."""
        return self._metadata.names if self._metadata else list(self._by_uproot.keys())

    def title(self, name: str) -> str:
        """Title of a branch; in NanoAOD it describes the content."""
        branch = self.branch(name)
        return branch.title if branch else str(self._by_uproot[name].title)

    def branch(self, name: str) -> Branch | None:
        """Positions of the values of a branch; None if it is left to uproot (or does not exist)."""
        if name not in self._branches:
            try:
                self._branches[name] = self._metadata.branch(name) if self._metadata else None
            except UnfamiliarError:
                self._branches[name] = None
        return self._branches[name]

    def arrays(self, names: Iterable[str], start: int, stop: int) -> dict[str, ak.Array]:
        """Columns of the entries [start, stop).

        Args:
            names: names of existing branches.
            start: first entry.
            stop: last entry + 1.

        Returns:
            For each name an awkward array [stop - start], flat or jagged, just as uproot gives it.

        Raises:
            BasketError: a basket cannot be read or is inconsistent.
            ValueError: the tree has no such entries.
        """
        if not 0 <= start <= stop <= self.num_entries:
            raise ValueError(f"entries {start} to {stop} of a tree with {self.num_entries}")
        names = list(dict.fromkeys(names))
        familiar = [branch for name in names if (branch := self.branch(name)) and self._is_counted(branch)]
        counters = {name: branch for b in familiar if (name := b.counter) and (branch := self.branch(name))}
        columns = _read(self._root.file.source, familiar, counters, start, stop)
        if others := [name for name in names if name not in columns]:
            columns |= self._by_uproot.arrays(
                others, entry_start=start, entry_stop=stop, library="ak", how=dict, array_cache=None
            )
        return {name: columns[name] for name in names}

    def _is_counted(self, branch: Branch) -> bool:
        """Whether the number of values per entry is known: one, or an integer in a flat branch."""
        if branch.counter is None:
            return True
        counter = self.branch(branch.counter)
        return counter is not None and counter.counter is None and counter.dtype.kind in "iu"


@dataclass(frozen=True)
class _Column:
    """Whole baskets of a branch: basket baskets[i] belongs to values[bounds[i]:bounds[i + 1]]."""

    branch: Branch
    baskets: range
    first: int  # entry that the first basket begins with
    bounds: NDArray[np.int64]  # [n_baskets + 1]
    values: np.ndarray

    @classmethod
    def covering(cls, branch: Branch, start: int, stop: int, counted: "_Counted | None" = None) -> "_Column":
        """Empty arrays for the baskets that hold [start, stop); `_fill` fills them."""
        baskets = branch.covering(start, stop)
        edges = branch.edges[baskets.start : baskets.stop + 1] if baskets else np.array([start])
        bounds = edges if counted is None else counted.positions(edges)
        bounds = bounds - bounds[0]
        return cls(branch, baskets, int(edges[0]), bounds, np.empty(bounds[-1], branch.dtype.newbyteorder("=")))


@dataclass(frozen=True)
class _Counted:
    """Begin of the values of each entry of a collection: offsets[entry - first]."""

    first: int
    offsets: NDArray[np.int64]

    @classmethod
    def by(cls, counter: _Column) -> "_Counted":
        if counter.values.size and counter.values.min() < 0:
            raise BasketError(f"branch {counter.branch.name}: a negative number of values")
        return cls(counter.first, np.concatenate([[0], np.cumsum(counter.values, dtype=np.int64)]))

    def positions(self, entries: NDArray[np.int64]) -> NDArray[np.int64]:
        positions: NDArray[np.int64] = self.offsets[entries - self.first]
        return positions


def _read(
    source: Source, branches: list[Branch], counters: dict[str, Branch], start: int, stop: int
) -> dict[str, ak.Array]:
    """Columns of branches, see `Tree.arrays`; `counters` are those of all jagged ones."""
    # Baskets of a collection may end at different entries: count from the first to the last entry that is touched.
    spans = dict.fromkeys(counters, (start, stop))
    for branch in branches:
        if branch.counter:
            (low, high), (first, last) = spans[branch.counter], branch.span(start, stop)
            spans[branch.counter] = min(low, first), max(high, last)
    counts = {name: _Column.covering(counters[name], *span) for name, span in spans.items()}
    _fill(source, counts.values())
    counted = {name: _Counted.by(column) for name, column in counts.items()}
    columns = counts | {
        branch.name: _Column.covering(branch, start, stop, counted[branch.counter] if branch.counter else None)
        for branch in branches
        if branch.name not in counts
    }
    _fill(source, (column for name, column in columns.items() if name not in counts))

    starts = {name: counter.positions(np.arange(start, stop + 1)) for name, counter in counted.items()}
    shared = {name: ak.index.Index64(offsets - offsets[0]) for name, offsets in starts.items()}
    result = {}
    for branch in branches:
        column = columns[branch.name]
        if branch.counter:
            origin = counted[branch.counter].positions(np.array([column.first]))
            low, high = starts[branch.counter][[0, -1]] - origin
            content = ak.contents.NumpyArray(column.values[low:high])
            result[branch.name] = ak.Array(ak.contents.ListOffsetArray(shared[branch.counter], content))
        else:
            result[branch.name] = ak.Array(column.values[start - column.first : stop - column.first])
    return result


def _fill(source: Source, columns: Iterable[_Column]) -> None:
    """Reads and decompresses the baskets of columns, in the order in which the file has them."""
    jobs = [(column, i, basket) for column in columns for i, basket in enumerate(column.baskets)]
    jobs.sort(key=lambda job: int(job[0].branch.seeks[job[2]]))
    begins = [int(column.branch.seeks[basket]) for column, _, basket in jobs]
    ends = [begin + int(column.branch.sizes[basket]) for begin, (column, _, basket) in zip(begins, jobs, strict=True)]
    for (column, i, basket), raw in zip(jobs, _bytes(source, list(zip(begins, ends, strict=True))), strict=True):
        branch, (low, high) = column.branch, column.bounds[i : i + 2]
        try:
            content = _content(source, raw, int(branch.edges[basket + 1] - branch.edges[basket]))
            if len(content) != (high - low) * branch.dtype.itemsize:
                raise BasketError(f"{len(content)} bytes for {high - low} values of {branch.dtype.itemsize} bytes")
        except Exception as error:  # decompressors raise almost any type
            raise BasketError(f"basket {basket} of branch {branch.name}: {error}") from error
        column.values[low:high] = content.view(branch.dtype)


def _bytes(source: Source, ranges: list[tuple[int, int]]) -> Iterator[NDArray[np.uint8]]:
    """The bytes of each range of the file; ranges ascend."""
    path = Path(source.file_path)
    if path.is_file():
        with path.open("rb", buffering=0) as file:
            for start, stop in ranges:
                file.seek(start)
                yield np.frombuffer(file.read(stop - start), np.uint8)
        return
    while ranges:
        n = max(1, sum(stop - ranges[0][0] <= BATCH_BYTES for _, stop in ranges))
        for chunk in source.chunks(ranges[:n], Queue()):
            yield chunk.raw_data
        ranges = ranges[n:]


def _content(source: Source, raw: NDArray[np.uint8], n_entries: int) -> NDArray[np.uint8]:
    """The values in a basket.

    Args:
        source: source of the file, for uproot's messages.
        raw: the basket in the file, uint8: its TKey, the rest of its header, its content, mostly compressed.
        n_entries: number of entries that it must have.

    Returns:
        uint8, big-endian values.

    Raises:
        BasketError: the basket contradicts its header or its branch.
    """
    n_bytes, _, length, _, key_length, _ = struct.unpack_from(">ihiIhh", raw.data)
    _, _, _, n, last = struct.unpack_from(">Hiiii", raw.data, key_length - 19)
    consistent = (n_bytes, n) == (len(raw), n_entries) and 0 <= last - key_length <= length
    if not consistent or b"\7TBasket" not in bytes(raw[:key_length]):
        raise BasketError("its header contradicts the branch")
    content = raw[key_length:]
    if len(content) != length:
        blocks: list[tuple[str, int, int]] = []
        chunk, cursor = uproot.source.chunk.Chunk.wrap(source, content), uproot.source.cursor.Cursor(0)
        content = uproot.compression.decompress(chunk, cursor, {}, len(content), length, blocks).raw_data
        if sum(uncompressed for _, _, uncompressed in blocks) != length:
            raise BasketError("its content is shorter than its header says")
    return content[: last - key_length]  # behind it are offsets, which the counter gives as well
