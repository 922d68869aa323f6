"""Positions in the file of the values of a TTree's flat branches: the part of ROOT's metadata that NanoAOD uses.

uproot parses the metadata of every branch, which for the hundreds of branches of NanoAOD takes longer than
decompressing the columns that the analysis needs. Here a branch is parsed when it is requested, and the others are
skipped by their byte counts. Unfamiliar metadata (class, version, shape, baskets that are not in the file on their own)
are reported as such and left to uproot.

Names that begin with f are those of ROOT's classes (TTree, TBranch, TLeaf).
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TREE_VERSION, BRANCH_VERSION = 20, 13  # ROOT 6.14 (2018) and later
LEAF_DTYPES = {
    "TLeafO": "?", "TLeafB": "i1", "TLeafS": ">i2", "TLeafI": ">i4", "TLeafL": ">i8", "TLeafF": ">f4", "TLeafD": ">f8"
}  # fmt: skip

# ROOT's flags in byte counts and class tags, its offset of positions, and TObject::kIsReferenced.
_BYTE_COUNT, _CLASS, _NEW_CLASS, _MAP_OFFSET, _IS_REFERENCED = 0x40000000, 0x80000000, 0xFFFFFFFF, 2, 1 << 4


class UnfamiliarError(Exception):
    """Metadata of a kind that is not known here; uproot may know them."""


@dataclass(frozen=True)
class Branch:
    """Positions of the values of a flat branch. Basket b holds the entries i of edges[b] <= i < edges[b + 1]."""

    name: str
    title: str
    dtype: np.dtype  # in the file
    counter: str | None  # the branch with the number of values of each entry; None if it is always one
    edges: NDArray[np.int64]  # [n_baskets + 1]
    seeks: NDArray[np.int64]  # [n_baskets], position in the file
    sizes: NDArray[np.int64]  # [n_baskets], bytes in the file

    def covering(self, start: int, stop: int) -> range:
        """The baskets that hold entries of [start, stop)."""
        if start >= stop:
            return range(0)
        first, last = np.searchsorted(self.edges, [start, stop - 1], side="right") - 1
        return range(int(first), int(last) + 1)

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """[start, stop) rounded outwards to whole baskets."""
        baskets = self.covering(start, stop)
        return (int(self.edges[baskets[0]]), int(self.edges[baskets[-1] + 1])) if baskets else (start, start)


class Metadata:
    """The metadata of a TTree.

    Args:
        data: the streamed TTree, uncompressed.
        key_length: length of its TKey in bytes: ROOT counts positions from the beginning of the TKey.

    Raises:
        UnfamiliarError: the metadata are not understood.
    """

    def __init__(self, data: bytes, key_length: int) -> None:
        self._buffer = _Buffer(data, key_length)
        self._begins: dict[str, int] = {}  # where each branch begins, -1 if it is not of class TBranch
        try:
            self._scan()
        except (struct.error, ValueError, IndexError) as error:
            raise UnfamiliarError(str(error)) from error

    @property
    def names(self) -> list[str]:
        """Names of all branches, in order."""
        return list(self._begins)

    def branch(self, name: str) -> Branch:
        """A branch.

        Raises:
            UnfamiliarError: the branch is not understood, or does not exist.
        """
        try:
            return self._branch(name)
        except (struct.error, ValueError, IndexError, KeyError) as error:
            raise UnfamiliarError(str(error)) from error

    def _scan(self) -> None:
        buffer = self._buffer
        if buffer.header()[0] != TREE_VERSION:
            raise UnfamiliarError("TTree of another version")
        buffer.skip(4)  # TNamed, TAttLine, TAttFill, TAttMarker
        self.num_entries, *_, n_ranges = buffer.unpack(">qqqqqdiiiiI")
        buffer.at += 6 * 8 + 2 * (1 + 8 * n_ranges)
        buffer.skip()  # fIOFeatures
        for _ in range(buffer.n_objects()):
            kind, end = buffer.object()
            begin = buffer.at
            buffer.header()
            if kind != "TBranch":
                buffer.header()  # derived classes begin with their TBranch
            name, _ = buffer.named()
            if name in self._begins:
                raise UnfamiliarError(f"two branches {name}")
            self._begins[name] = begin if kind == "TBranch" else -1
            buffer.at = end

    def _branch(self, name: str) -> Branch:
        buffer, buffer.at = self._buffer, self._begins[name]
        if buffer.at < 0 or buffer.header()[0] != BRANCH_VERSION:
            raise UnfamiliarError("branch of another class or version")
        _, title = buffer.named()
        buffer.skip()  # TAttFill
        _, _, _, n_baskets, _ = buffer.unpack(">iiiiq")
        buffer.skip()  # fIOFeatures
        _, n_max, _, entries, first_entry, _, _ = buffer.unpack(">iIiqqqq")
        buffer.skip()  # fBranches
        before_leaves = buffer.at
        if buffer.n_objects() != 1:
            raise UnfamiliarError("not one leaf")
        dtype, counter = self._leaf()
        buffer.at = before_leaves
        buffer.skip(2)  # fLeaves and fBaskets: baskets within the metadata, missing in the arrays that follow
        sizes, edges, seeks = (buffer.values(dtype, n_max) for dtype in (">i4", ">i8", ">i8"))
        edges, sizes, seeks = edges[: n_baskets + 1], sizes[:n_baskets], seeks[:n_baskets]
        all_in_this_file = (
            n_baskets < n_max
            and buffer.string() == ""  # fFileName
            and (entries, first_entry, edges[0], edges[-1]) == (self.num_entries, 0, 0, self.num_entries)
            and (np.diff(edges) > 0).all()
            and (sizes > 0).all()
            and (seeks > 0).all()
        )
        if not all_in_this_file:
            raise UnfamiliarError("baskets elsewhere")
        return Branch(name, title, dtype, counter, edges, seeks, sizes)

    def _leaf(self) -> tuple[np.dtype, str | None]:
        """Type of the leaf at the present position, and the name of the leaf that counts it."""
        buffer = self._buffer
        kind, _ = buffer.object()
        if kind not in LEAF_DTYPES:
            raise UnfamiliarError(f"leaf of class {kind}")
        buffer.header()  # the class itself
        buffer.header()  # TLeaf
        buffer.skip()  # TNamed
        length, _, _, _, unsigned = buffer.unpack(">iii??")
        if length != 1:
            raise UnfamiliarError("array of fixed size")
        dtype = np.dtype(LEAF_DTYPES[kind].replace("i", "u") if unsigned else LEAF_DTYPES[kind])
        if not buffer.follow():
            return dtype, None
        buffer.object()
        buffer.header()
        buffer.header()
        return dtype, buffer.named()[0]


class _Buffer:
    """Streamed objects in memory, and a position among them."""

    def __init__(self, data: bytes, key_length: int) -> None:
        self.data, self.key_length, self.at = data, key_length, 0

    def unpack(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return values

    def string(self) -> str:
        (length,) = self.unpack("B")
        if length == 255:
            (length,) = self.unpack(">I")
        self.at += length
        return self.data[self.at - length : self.at].decode("utf-8", "surrogateescape")

    def header(self) -> tuple[int, int]:
        """Enters an object: its version and end."""
        begin = self.at
        count, version = self.unpack(">IH")
        if not count & _BYTE_COUNT:
            raise UnfamiliarError("object without byte count")
        return version, begin + 4 + (count & ~_BYTE_COUNT)

    def skip(self, n_objects: int = 1) -> None:
        for _ in range(n_objects):
            self.at = self.header()[1]

    def named(self) -> tuple[str, str]:
        """Passes over a TNamed: name and title."""
        _, end = self.header()
        self._tobject()
        name, title = self.string(), self.string()
        self.at = end
        return name, title

    def n_objects(self) -> int:
        """Enters a TObjArray: the number of its objects."""
        self.header()
        self._tobject()
        self.string()
        return int(self.unpack(">ii")[0])

    def object(self) -> tuple[str, int]:
        """Enters an object behind its class tag: its class and end."""
        begin = self.at
        count, tag = self.unpack(">II")
        if count & _CLASS or not count & _BYTE_COUNT or not tag & _CLASS:
            raise UnfamiliarError("not an object with byte count and class")
        end = begin + 4 + (count & ~_BYTE_COUNT)
        if tag == _NEW_CLASS:
            return self._class_name(), end
        behind_tag = self.at
        self._go_to(tag & ~_CLASS)  # where this class came first
        if self.unpack(">I") != (_NEW_CLASS,):
            raise UnfamiliarError("class tag that points nowhere")
        name, self.at = self._class_name(), behind_tag
        return name, end

    def follow(self) -> bool:
        """Follows the pointer at the present position, if its object came before; False for a null pointer."""
        (count,) = struct.unpack_from(">I", self.data, self.at)
        if count and not count & _BYTE_COUNT:
            self._go_to(count)
        return bool(count)

    def values(self, dtype: str, n: int) -> NDArray[np.int64]:
        """A C array, with the byte that ROOT puts before it; int64."""
        values = np.frombuffer(self.data, dtype, n, self.at + 1)
        self.at += 1 + values.nbytes
        return values.astype(np.int64)

    def _tobject(self) -> None:
        _, _, flags = self.unpack(">HII")
        self.at += 2 if flags & _IS_REFERENCED else 0

    def _class_name(self) -> str:
        end = self.data.index(b"\0", self.at)
        name, self.at = self.data[self.at : end].decode(), end + 1
        return name

    def _go_to(self, tag: int) -> None:
        self.at = tag - _MAP_OFFSET - self.key_length
        if not 0 <= self.at < len(self.data):
            raise UnfamiliarError("reference to outside of the object")
