"""Opening NanoAOD files, cutting them into work units, reading a unit: the one seam between files and physics."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import pairwise
from math import fsum
from pathlib import Path
from typing import Any
from zlib import adler32

import awkward as ak
import uproot
from coffea.nanoevents import NanoAODSchema, NanoEventsFactory
from coffea.nanoevents.mapping import SimplePreloadedColumnSource

from hnl.datasets import generator_weights, nanoaod, trigger_bits, versions
from hnl.datasets.arrays import Events
from hnl.datasets.baskets import Tree
from hnl.datasets.catalogue import Dataset, Era
from hnl.datasets.nanoaod import Needs
from hnl.datasets.remote import RemoteSource, UnreachableError, is_remote
from hnl.datasets.settings import Remote
from hnl.datasets.trigger_bits import TriggerBits
from hnl.errors import InputError

# Events of one work unit: fixed costs (opening, building the columns) stay below a few per cent from here on, and
# the memory of twice as many stays below 1.5 GB. Our choice.
EVENTS_PER_UNIT = 300_000
_TEMPORARY = (errno.EAGAIN, errno.EIO, errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT)  # of network file systems
CHECKSUM_BLOCK = 8_000_000  # bytes in memory at once


class FileError(InputError):
    """A file cannot be used; the message names the file and says why."""


class DuplicateFileError(InputError):
    """The same content is in the catalogue twice."""


@dataclass(frozen=True)
class FileInfo:
    """What a file promises, read without touching its events."""

    path: str
    uuid: str
    events: int
    version: str
    branches: tuple[str, ...]
    missing: tuple[str, ...]
    sv_association: str
    generated_events: int | None
    sum_w: float | None
    sum_w2: float | None
    variation_sums: tuple[tuple[str, float], ...] = ()  # of the weights of the generator that the file counts
    trigger_bits: TriggerBits | None = None  # None: the file has no trigger objects, or they are not read


@dataclass(frozen=True)
class WorkUnit:
    """A range of entries of one file, processed in one go, opened once."""

    dataset: str
    file: FileInfo
    start: int
    stop: int

    @property
    def name(self) -> str:
        """Unique, also between files of one name in different folders."""
        return f"{Path(self.file.path).stem}-{self.file.uuid}-{self.start}-{self.stop}"


class Schema(NanoAODSchema):  # type: ignore[misc]
    """NanoAODSchema without cross references: the analysis follows none, and only needed branches are read."""

    warn_missing_crossrefs = False
    all_cross_references: dict[str, str] = {}  # noqa: RUF012
    nested_items: dict[str, list[str]] = {}  # noqa: RUF012
    nested_index_items: dict[str, tuple[str, str]] = {}  # noqa: RUF012
    special_items: dict[str, Any] = {}  # noqa: RUF012


@contextmanager
def _opened(path: str, remote: Remote) -> Iterator[uproot.ReadOnlyDirectory]:
    """A ROOT file; whatever is wrong with it becomes a `FileError` that names it."""
    options: dict[str, Any] = {"array_cache": None, "object_cache": None}
    if is_remote(path):
        options |= {"handler": RemoteSource, "remote": remote}
    else:
        local = Path(path)
        if not local.exists():
            raise FileError(f"{path}: no such file")
        if not local.is_file():
            raise FileError(f"{path}: not a file")
        if local.stat().st_size == 0:
            raise FileError(f"{path}: the file is empty (0 bytes)")
    try:
        with uproot.open({path: None}, **options) as root:
            promised, found = root.file.fEND, root.file.source.num_bytes
            if found is not None and found < promised:
                raise FileError(f"{path}: truncated: the header promises {promised} bytes, the file has {found}")
            yield root
    except InputError:
        raise
    except Exception as error:
        # uproot and its decompressors raise almost any type on broken input; none of it is a bug of ours to show.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileError(f"{path}: cannot be read as ROOT: {reason[:300]}") from error


def _tree(root: uproot.ReadOnlyDirectory, path: str) -> Tree:
    if "Events" not in root:
        raise FileError(f"{path}: no tree 'Events'; it holds {', '.join(root.keys(cycle=False)) or 'nothing'}")
    if (kind := root.classname_of("Events")) != "TTree":
        raise FileError(f"{path}: 'Events' is a {kind}, not a TTree")
    return Tree(root, "Events")


def inspect(
    path: str,
    dataset: Dataset,
    era: Era,
    remote: Remote = Remote(),  # noqa: B008 (frozen)
    needs: Needs = Needs(),  # noqa: B008 (frozen)
) -> FileInfo:
    """Opens a file and says what it holds, without reading events.

    Args:
        path: local path or URL.
        dataset: what the catalogue says the file is.
        era: its era, for the trigger paths.
        remote: how to read it if it is a URL.
        needs: what the search reads.

    Raises:
        RemoteFileError: its server does not give it.
        FileError: missing, empty, truncated, not ROOT, without Events, or data that turns out to be simulation.
        UnknownLayoutError: electron ID bits in an unknown order, or unknown bits of trigger objects.
    """
    with _opened(path, remote) as root:
        tree = _tree(root, path)
        names = set(tree.names)
        wanted, missing = nanoaod.branches(names, dataset, era, needs)
        if dataset.is_data and "genWeight" in names:
            raise FileError(f"{path}: dataset {dataset.name} is of kind data, but the file has genWeight: simulation")
        bits = None
        try:
            if "Electron_vidNestedWPBitmap" in wanted:
                nanoaod.check_electron_id(tree.title("Electron_vidNestedWPBitmap"))
            if trigger_bits.BRANCH in wanted:
                bits = trigger_bits.meaning(tree.title(trigger_bits.BRANCH), era.year)
        except nanoaod.UnknownLayoutError as error:
            raise nanoaod.UnknownLayoutError(f"{path}: {error}") from None
        for branch in (b for b in dataset.generator_weights.branches if b in names):
            try:
                generator_weights.check_titles(branch, tree.title(branch))
            except generator_weights.GeneratorWeightError as error:
                raise generator_weights.GeneratorWeightError(f"{path}: {error}") from None
        count, sum_w, sum_w2, varied = (None, None, None, {}) if dataset.is_data else _runs_sums(root)
        return FileInfo(
            path=path,
            uuid=str(root.file.uuid),
            events=int(tree.num_entries),
            version=versions.version(names),
            branches=tuple(wanted),
            missing=tuple(missing),
            sv_association=nanoaod.sv_association(names),
            generated_events=count,
            sum_w=sum_w,
            sum_w2=sum_w2,
            variation_sums=tuple(varied.items()),
            trigger_bits=bits,
        )


def _runs_sums(root: uproot.ReadOnlyDirectory) -> tuple[int | None, float | None, float | None, dict[str, float]]:
    """genEventCount, genEventSumw, genEventSumw2 of the Runs tree (v6 and v7 write a trailing underscore), and the sums
    of weights of `generator_weights.runs_sums`."""
    if "Runs" not in root:
        return None, None, None, {}
    runs = root["Runs"]
    for suffix in ("", "_"):
        names = [f"{name}{suffix}" for name in ("genEventCount", "genEventSumw", "genEventSumw2")]
        if all(name in runs for name in names):
            count, sum_w, sum_w2 = (runs[name].array(library="np") for name in names)
            return int(count.sum()), fsum(sum_w), fsum(sum_w2), generator_weights.runs_sums(runs, sum_w, suffix)
    return None, None, None, {}


def problem(info: FileInfo | InputError) -> InputError | None:
    """Why a file cannot be used, None if it can."""
    if isinstance(info, InputError):
        return info
    if info.missing:
        missing = f"missing essential branches: {', '.join(info.missing)} (NanoAOD version: {info.version})"
        return nanoaod.MissingBranchError(f"{info.path}: {missing}")
    return None


def is_temporary(error: InputError) -> bool:
    """Whether a file that could not be read may be readable later: its server or its file system was not there."""
    return isinstance(error, UnreachableError) or getattr(error.__cause__, "errno", None) in _TEMPORARY


def check_unique(infos: list[FileInfo]) -> None:
    """Refuses one content under two names.

    Raises:
        DuplicateFileError: with both names.
    """
    seen: dict[str, str] = {}
    for info in infos:
        if info.uuid in seen:
            raise DuplicateFileError(f"{seen[info.uuid]} and {info.path} are the same file: UUID {info.uuid}")
        seen[info.uuid] = info.path


def work_units(dataset: str, info: FileInfo, per_unit: int = EVENTS_PER_UNIT) -> list[WorkUnit]:
    """Cuts a file into ranges of at least `per_unit` events (one range if it has fewer, also if it has none)."""
    n = max(1, info.events // per_unit)
    edges = [info.events * i // n for i in range(n + 1)]
    return [WorkUnit(dataset, info, start, stop) for start, stop in pairwise(edges)]


def events(unit: WorkUnit, remote: Remote = Remote(), local: str | None = None) -> Events:  # noqa: B008 (frozen)
    """Reads a work unit as NanoEvents: the columns of `unit.file.branches`, in bulk, and nothing else.

    Args:
        unit: the work unit.
        remote: how to read it if it is a URL.
        local: where a copy of the file is, to be read in its place.

    Raises:
        RemoteFileError: its server does not give it.
        FileError: the file changed since it was inspected, or a basket cannot be read.
    """
    info = unit.file
    with _opened(local or info.path, remote) as root:
        tree = _tree(root, info.path)
        if str(root.file.uuid) != info.uuid or tree.num_entries != info.events:
            raise FileError(f"{info.path}: the file was changed or replaced while it was being processed")
        columns = tree.arrays(info.branches, unit.start, unit.stop)
    if short := [name for name, column in columns.items() if len(column) != unit.stop - unit.start]:
        raise FileError(f"{info.path}: branch {short[0]} has fewer entries than the tree promises")
    source = SimplePreloadedColumnSource(columns, info.uuid, unit.stop - unit.start, "/Events")
    source.uuid = info.uuid
    return NanoEventsFactory.from_preloaded(
        source, schemaclass=Schema, metadata={"dataset": unit.dataset, "file": asdict(info)}
    ).events()


def columns(info: FileInfo, names: Sequence[str], remote: Remote = Remote()) -> dict[str, ak.Array]:  # noqa: B008 (frozen)
    """Some branches of a whole file, by name.

    Raises:
        RemoteFileError: its server does not give it.
        FileError: a basket cannot be read.
    """
    with _opened(info.path, remote) as root:
        return _tree(root, info.path).arrays(names, 0, info.events)


def verify(path: str, checksum: str, remote: Remote = Remote()) -> None:  # noqa: B008 (frozen)
    """Reads a whole file and compares it with its checksum.

    Args:
        path: local path or URL.
        checksum: 'adler32:...' or 'sha256:...', in lower case.
        remote: how to read it if it is a URL.

    Raises:
        RemoteFileError: its server does not give it.
        FileError: it is another one, or the file cannot be read.
    """
    kind = checksum.partition(":")[0]
    adler, sha = 1, sha256()
    try:
        for block in _blocks(path, remote):
            if kind == "adler32":
                adler = adler32(block, adler)
            else:
                sha.update(block)
    except InputError:
        raise
    except Exception as error:  # of whichever protocol
        raise FileError(f"{path}: cannot be read for its checksum: {' '.join(str(error).split())}") from error
    found = f"adler32:{adler:08x}" if kind == "adler32" else f"sha256:{sha.hexdigest()}"
    if found != checksum:
        raise FileError(f"{path}: the checksum is {found}, the catalogue says {checksum}")


def _blocks(path: str, remote: Remote) -> Iterator[Any]:
    """All bytes of a file, in pieces."""
    if is_remote(path):
        with RemoteSource(path, remote=remote) as source:
            for start in range(0, source.num_bytes, CHECKSUM_BLOCK):
                yield source.chunk(start, min(start + CHECKSUM_BLOCK, source.num_bytes)).raw_data
    else:
        with Path(path).open("rb") as file:
            while block := file.read(CHECKSUM_BLOCK):
                yield block
