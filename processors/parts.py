"""The parts that a selection leaves on disk: one parquet file and one manifest for each work unit, and reading them."""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hnl import layout, provenance, records
from hnl.datasets.files import WorkUnit
from hnl.datasets.variations import NOMINAL
from hnl.errors import HNLError
from hnl.processors import columns as schemas
from hnl.processors.columns import Column
from hnl.processors.manifests import TABLES, Manifest, Tables
from hnl.processors.rows import EVENT, Candidates, ordered, passing

COMMON = ("candidates", *TABLES, "events", "sum_w", "sum_w2", "variation_sums", "pileup_profile")  # of every search
READERS = 4  # threads: a part is small, so that opening it is most of the work


@dataclass(frozen=True)
class Part:
    """What a work unit gives: the bytes of its parquet file, and the manifest that vouches for them."""

    manifest: Manifest
    parquet: bytes


class Identity(TypedDict):
    """What the manifest of a part says of its work unit and its file, whatever was selected."""

    format: int
    fingerprint: str
    dataset: str
    file: str
    uuid: str
    start: int
    stop: int
    bytes: int
    sha256: str


class PartError(HNLError):
    """A part on disk is not what its manifest says."""


def paths(folder: Path, dataset: str, unit_name: str) -> tuple[Path, Path]:
    """Parquet file and manifest of a work unit."""
    stem = folder / layout.CANDIDATES / dataset / unit_name
    return stem.with_name(stem.name + ".parquet"), stem.with_name(stem.name + ".json")


def identity(unit: WorkUnit, fingerprint: str, parquet: bytes) -> Identity:
    """The identity of the part of a work unit."""
    return {
        "format": Manifest.FORMAT,
        "fingerprint": fingerprint,
        "dataset": unit.dataset,
        "file": unit.file.path,
        "uuid": unit.file.uuid,
        "start": unit.start,
        "stop": unit.stop,
        "bytes": len(parquet),
        "sha256": sha256(parquet).hexdigest(),
    }


def make(
    unit: WorkUnit,
    result: dict[str, Any],
    columns: Sequence[Column],
    fingerprint: str,
    checksum: str | None = None,
    variations: Sequence[str] = (NOMINAL,),
) -> Part:
    """What `SelectionProcessor.process` returned for a unit, as it goes to disk.

    Args:
        unit: the work unit.
        result: the processor's answer for its dataset.
        columns: of its candidates.
        fingerprint: hash of configuration and code, see `units.fingerprint`.
        checksum: of the unit's file, where it was verified.
        variations: what the bits of `passes` stand for, the lowest first.
    """
    candidates = {name: column.value for name, column in result["candidates"].items()}
    candidates = ordered(candidates)
    schema = pa.schema(
        [
            pa.field(c.name, pa.from_numpy_dtype(np.dtype(c.dtype)), metadata={"unit": c.unit, "meaning": c.meaning})
            for c in columns
        ]
    )
    table = pa.table([candidates[c.name] for c in columns], schema=schema)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    parquet = sink.getvalue().to_pybytes()
    manifest = Manifest(
        **identity(unit, fingerprint, parquet),
        variations=list(variations),
        candidates=int(passing(candidates, 0).sum()),
        rows=len(candidates["event"]),
        checksum=checksum,
        events=result["events"],
        sum_w=result["sum_w"],
        sum_w2=result["sum_w2"],
        variation_sums=result["variation_sums"],
        facts={key: value for key, value in result.items() if key not in COMMON},
        tables=Tables(result["cutflow"], result["n_minus_one"]),
        pileup_profile=np.trim_zeros(result["pileup_profile"], "b").tolist(),
    )
    return Part(manifest, parquet)


def store(folder: Path, unit_name: str, part: Part) -> Manifest:
    """Writes a part into the output folder; the manifest last, so that it vouches for what is there.

    Returns:
        The manifest.
    """
    parquet, manifest_path = paths(folder, part.manifest.dataset, unit_name)
    provenance.write_bytes(parquet, part.parquet)
    records.write(manifest_path, part.manifest)
    return part.manifest


def write(
    folder: Path,
    unit: WorkUnit,
    result: dict[str, Any],
    columns: Sequence[Column],
    fingerprint: str,
    variations: Sequence[str] = (NOMINAL,),
) -> Manifest:
    """`make` and `store`."""
    return store(folder, unit.name, make(unit, result, columns, fingerprint, variations=variations))


def manifest(folder: Path, dataset: str, unit_name: str, fingerprint: str) -> Manifest | None:
    """The manifest of a finished unit; None if the unit is not done, or was done by other code or settings, or if the
    manifest is broken or of another format."""
    parquet, path = paths(folder, dataset, unit_name)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        expected = (Manifest.FORMAT, fingerprint)
        if not isinstance(content, dict) or (content.get("format"), content.get("fingerprint")) != expected:
            return None
        result = records.from_record(Manifest, content)
        return result if parquet.stat().st_size == result.bytes else None
    except (OSError, ValueError):
        return None


def read(
    folder: Path,
    manifests: Iterable[Manifest],
    unit_names: Iterable[str],
    columns: Sequence[Column],
    names: Sequence[str] | None = None,
) -> Candidates:
    """The rows of some units together, nominal and varied (see `passing`), in the order of `ordered`.

    Args:
        folder: output folder.
        manifests: of the units.
        unit_names: of the units.
        columns: of the candidates.
        names: those to read, among them `EVENT`; all by default.

    Raises:
        PartError: a part is missing, not the one that was written, or has not the rows or columns that it should have.
    """
    names = [column.name for column in columns] if names is None else names
    parts = [
        (paths(folder, entry.dataset, name)[0], entry)
        for entry, name in zip(manifests, unit_names, strict=True)
        if entry.rows
    ]
    with ThreadPoolExecutor(READERS) as pool:
        tables = list(pool.map(lambda part: _table(part[0], part[1], columns, names), parts))
    if not tables:
        return {name: column for name, column in schemas.empty(columns).items() if name in names}
    together = pa.concat_tables(tables)
    return ordered({name: together[name].to_numpy() for name in names})


def _table(path: Path, entry: Manifest, columns: Sequence[Column], names: Sequence[str]) -> pa.Table:
    """Columns of a part, after checking that it is what its manifest says."""
    try:
        content = path.read_bytes()
        if sha256(content).hexdigest() != entry.sha256:
            raise PartError(f"{path} is not the file that its manifest describes: delete it, run hnl select")
        file = pq.ParquetFile(pa.BufferReader(content))
        found, rows = tuple(file.schema.names), file.metadata.num_rows
        table = file.read(columns=list(names), use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise PartError(f"cannot read the candidates {path}: {error}") from error
    if rows != entry.rows or found != tuple(column.name for column in columns):
        raise PartError(
            f"{path} has {rows} rows and {len(found)} columns; its manifest says {entry.rows} and {len(columns)}"
        )
    return table


def files_with(
    folder: Path,
    manifests: Iterable[Manifest],
    unit_names: Iterable[str],
    columns: Sequence[Column],
    event: tuple[int, int, int],
) -> list[str]:
    """The files of which an event was selected. Reads every part again: for error messages."""
    found = []
    for entry, name in zip(manifests, unit_names, strict=True):
        rows = read(folder, [entry], [name], columns, EVENT)
        if np.logical_and.reduce([rows[column] == value for column, value in zip(EVENT, event, strict=True)]).any():
            found.append(entry.file)
    return list(dict.fromkeys(found))
