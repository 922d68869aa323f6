"""Writing simulated events as a NanoAOD-like ROOT file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import awkward as ak
import numpy as np
import uproot

from hnl.datasets.simulation.detector import Block, join
from hnl.datasets.simulation.nanoaod_format import COLLECTIONS, SCALARS, TRUTH, TRUTH_FIELDS
from hnl.errors import InputError

Kind = Literal["simulation", "data"]
EVENTS_PER_BASKET = 20_000
ZSTD_LEVEL = 19


@dataclass(frozen=True)
class RunSums:
    """Content of the Runs tree: sums over *all* generated events, also those that were not written.

    Attributes:
        count: number of generated events.
        sumw, sumw2: sums of their weights and of the squares.
    """

    count: int
    sumw: float
    sumw2: float

    @classmethod
    def from_events(cls, table: ak.Array) -> RunSums:
        """The sums of a particle table."""
        weight = ak.to_numpy(table.weight)
        return cls(len(weight), float(weight.sum()), float((weight**2).sum()))

    def __add__(self, other: RunSums) -> RunSums:
        return RunSums(self.count + other.count, self.sumw + other.sumw, self.sumw2 + other.sumw2)


def check(path: Path | str, overwrite: bool = False) -> None:
    """Raises InputError if a file cannot be made under ``path``: it exists, or there is no folder for it."""
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already; remove it or choose another name")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}")


def write(
    path: Path | str,
    blocks: Iterable[Block],
    sums: RunSums | Callable[[], RunSums],
    kind: Kind = "simulation",
    run: int = 1,
    overwrite: bool = False,
) -> int:
    """Write a file: a temporary one first, renamed when it is complete, so that a file under ``path`` is always whole.

    Args:
        path: the file to make.
        blocks: output of detector.simulate, piece by piece; may be a generator.
        sums: for the Runs tree, or a function that gives them once all blocks were taken.
        kind: 'data' leaves out the truth and the sums of weights.
        run: run number of all events.
        overwrite: replace an existing file.

    Returns:
        Number of events written.

    Raises:
        InputError: the file exists or its folder does not, or two events have the same number.
    """
    path = Path(path)
    check(path, overwrite)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        written = _write(part, blocks, sums, kind, run)
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return written


def _write(part: Path, blocks: Iterable[Block], sums: RunSums | Callable[[], RunSums], kind: Kind, run: int) -> int:
    seen_events: list[np.ndarray] = []
    lumis: set[int] = set()
    with uproot.recreate(part, compression=uproot.ZSTD(ZSTD_LEVEL)) as file:
        tree = file.mktree("Events", _branch_types(kind), title="Events")
        for block in _gather(blocks):
            content = _content(block, kind, run)
            if len(block["event"]):
                tree.extend(content)
            seen_events.append(np.asarray(block["event"]))
            lumis |= set(np.unique(np.asarray(block["luminosityBlock"])).tolist())
        runs: dict[str, np.ndarray] = {"run": np.array([run], np.uint32)}
        if kind == "simulation":
            total = sums() if callable(sums) else sums
            runs["genEventCount"] = np.array([total.count], np.int64)
            runs["genEventSumw"] = np.array([total.sumw])
            runs["genEventSumw2"] = np.array([total.sumw2])
        _write_tree(file, "Runs", runs)
        ordered = np.array(sorted(lumis), np.uint32)
        sections = {"run": np.full(len(ordered), run, np.uint32), "luminosityBlock": ordered}
        _write_tree(file, "LuminosityBlocks", sections)
    events = np.concatenate(seen_events) if seen_events else np.empty(0, np.uint64)
    unique, counts = np.unique(events, return_counts=True)
    if len(unique) != len(events):
        raise InputError(f"event {unique[counts > 1][0]} would be written twice: blocks overlap in event_id and reseed")
    return len(events)


def _write_tree(file: Any, name: str, columns: Mapping[str, np.ndarray]) -> None:
    """Makes a TTree. By assignment to a file uproot would write an RNTuple."""
    file.mktree(name, {column: values.dtype for column, values in columns.items()}).extend(columns)


def _gather(blocks: Iterable[Block]) -> Iterable[Block]:
    """Blocks joined to a size that compresses well."""
    waiting: list[Block] = []
    for block in blocks:
        waiting.append(block)
        if sum(len(b["event"]) for b in waiting) >= EVENTS_PER_BASKET:
            yield join(waiting)
            waiting = []
    if waiting:
        yield join(waiting)


def _fields(collection: str, kind: Kind) -> list[str]:
    return [name for name in COLLECTIONS[collection] if kind == "simulation" or name not in TRUTH_FIELDS]


def _kept(names: Iterable[str], kind: Kind) -> list[str]:
    return [name for name in names if kind == "simulation" or name not in TRUTH]


def _branch_types(kind: Kind) -> dict[str, object]:
    types: dict[str, object] = {name: SCALARS[name] for name in _kept(SCALARS, kind)}
    for name in _kept(COLLECTIONS, kind):
        fields = ", ".join(f"{field}: {COLLECTIONS[name][field].name}" for field in _fields(name, kind))
        types[name] = ak.types.from_datashape(f"var * {{{fields}}}", highlevel=False)
    return types


def _content(block: Block, kind: Kind, run: int) -> dict[str, object]:
    """The arrays of one block in the order of the branches."""
    content: dict[str, object] = {name: np.asarray(block[name]) for name in _kept(SCALARS, kind)}
    content["run"] = np.full(len(block["event"]), run, np.uint32)
    for name in _kept(COLLECTIONS, kind):
        content[name] = ak.to_packed(block[name][_fields(name, kind)])
    return content
