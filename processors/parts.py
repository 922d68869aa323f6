"""The parts that a selection leaves on disk, and reading them.

A work unit has a parquet file of its candidates, one of its candidates if jet energies are varied (none if there are
none), and a manifest. They lie in three folders, so that the first can be opened whole by any reader of parquet.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hnl import layout, provenance, records
from hnl.datasets.files import WorkUnit
from hnl.datasets.variations import NOMINAL
from hnl.errors import HNLError
from hnl.processors import columns as schemas
from hnl.processors import parquet as tables
from hnl.processors.columns import Column
from hnl.processors.manifests import TABLES, Manifest, Tables
from hnl.processors.rows import EVENT, Candidates, ordered, passing, separate

COMMON = ("candidates", *TABLES, "events", "sum_w", "sum_w2", "variation_sums", "pileup_profile")  # of every search
READERS = 4  # threads: a part is small, so that opening it is most of the work


@dataclass(frozen=True)
class Part:
    """What a work unit gives: the bytes of its parquet files, and the manifest that vouches for them."""

    manifest: Manifest
    parquet: bytes
    varied: bytes  # empty if there are no varied candidates


class PartFile(NamedTuple):
    """A parquet file of a part, as its manifest describes it."""

    path: Path
    sha256: str
    rows: int
    variations: list[str]


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
    varied_bytes: int
    varied_sha256: str | None


class PartError(HNLError):
    """A part on disk is not what its manifest says."""


def paths(folder: Path, dataset: str, unit_name: str) -> tuple[Path, Path]:
    """Parquet file of the nominal candidates, and manifest, of a work unit."""
    manifest = folder / layout.MANIFESTS / dataset / f"{unit_name}.json"
    return folder / layout.CANDIDATES / dataset / f"{unit_name}.parquet", manifest


def varied_path(folder: Path, dataset: str, unit_name: str) -> Path:
    """Parquet file of the varied candidates of a work unit."""
    return folder / layout.VARIED_CANDIDATES / dataset / f"{unit_name}.parquet"


def identity(unit: WorkUnit, fingerprint: str, parquet: bytes, varied: bytes = b"") -> Identity:
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
        "varied_bytes": len(varied),
        "varied_sha256": sha256(varied).hexdigest() if varied else None,
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
    candidates = separate(candidates)
    nominal = passing(candidates, 0)
    parquet, varied = (
        tables.to_bytes(
            tables.table({name: c[some] for name, c in candidates.items()}, columns, unit.dataset, variations)
        )
        if some is nominal or some.any()
        else b""
        for some in (nominal, ~nominal)
    )
    manifest = Manifest(
        **identity(unit, fingerprint, parquet, varied),
        variations=list(variations),
        candidates=int(nominal.sum()),
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
    return Part(manifest, parquet, varied)


def store(folder: Path, unit_name: str, part: Part) -> Manifest:
    """Writes a part into the output folder; the manifest last, so that it vouches for what is there.

    Returns:
        The manifest.
    """
    parquet, manifest_path = paths(folder, part.manifest.dataset, unit_name)
    varied = varied_path(folder, part.manifest.dataset, unit_name)
    provenance.write_bytes(parquet, part.parquet)
    if part.varied:
        provenance.write_bytes(varied, part.varied)
    else:
        varied.unlink(missing_ok=True)
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
        varied = varied_path(folder, dataset, unit_name).stat().st_size if result.varied_bytes else 0
        return result if (parquet.stat().st_size, varied) == (result.bytes, result.varied_bytes) else None
    except (OSError, ValueError):
        return None


def read(
    folder: Path,
    manifests: Iterable[Manifest],
    unit_names: Iterable[str],
    columns: Sequence[Column],
    names: Sequence[str] | None = None,
    *,
    varied: bool = True,
) -> Candidates:
    """The rows of some units together, a row for each candidate of each variation, in the order of `ordered`.

    Args:
        folder: output folder.
        manifests: of the units.
        unit_names: of the units.
        columns: of the candidates.
        names: those to read, among them `EVENT`; all by default.
        varied: whether to read varied candidates as well, after the nominal one of their event.

    Raises:
        PartError: a part is missing, not the one that was written, or has not the rows or columns that it should have.
    """
    names = [column.name for column in columns] if names is None else names
    files = []
    for entry, name in zip(manifests, unit_names, strict=True):
        if entry.candidates:
            path = paths(folder, entry.dataset, name)[0]
            files.append(PartFile(path, entry.sha256, entry.candidates, entry.variations))
        if varied and entry.varied_sha256:
            path = varied_path(folder, entry.dataset, name)
            files.append(PartFile(path, entry.varied_sha256, entry.rows - entry.candidates, entry.variations))
    with ThreadPoolExecutor(READERS) as pool:
        pieces = list(pool.map(lambda file: _rows(file, columns, names), files))
    if not pieces:
        return {name: column for name, column in schemas.empty(columns).items() if name in names}
    return ordered({name: np.concatenate([piece[name] for piece in pieces]) for name in names})


def _rows(part: PartFile, columns: Sequence[Column], names: Sequence[str]) -> Candidates:
    """Columns of a file, after checking that it is what its manifest says."""
    path = part.path
    try:
        content = path.read_bytes()
        if sha256(content).hexdigest() != part.sha256:
            raise PartError(f"{path} is not the file that its manifest describes: delete it, run hnl select")
        file = pq.ParquetFile(pa.BufferReader(content))
        found, expected = file.schema_arrow.names, tables.schema(columns).names
        if (file.metadata.num_rows, found) != (part.rows, expected):
            raise PartError(
                f"{path} has {file.metadata.num_rows} rows and {len(found)} columns; "
                f"its manifest says {part.rows} and {len(expected)}"
            )
        return tables.rows(file.read(columns=tables.stored(names), use_threads=False), part.variations)
    except (OSError, pa.ArrowException) as error:
        raise PartError(f"cannot read the candidates {path}: {error}") from error


def remove_others(folder: Path, units: Mapping[str, Collection[str]]) -> None:
    """Removes what earlier selections left among the candidates: readers of the whole folder would count it.

    Args:
        folder: output folder.
        units: dataset -> names of the units that stay.
    """
    for place in (layout.CANDIDATES, layout.VARIED_CANDIDATES):
        for path in (folder / place).glob("*/*"):
            # Older versions left manifests beside parts.
            if path.suffix == ".json" or (
                path.suffix == ".parquet" and path.stem not in units.get(path.parent.name, ())
            ):
                path.unlink()


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
        rows = read(folder, [entry], [name], columns, EVENT, varied=False)
        if np.logical_and.reduce([rows[column] == value for column, value in zip(EVENT, event, strict=True)]).any():
            found.append(entry.file)
    return list(dict.fromkeys(found))
