"""The parts that a selection leaves on disk; `reading` reads them.

A work unit has a parquet file of its candidates, one of its candidates if jet energies are varied, one of their lists
(neither if there are none), and a manifest. They lie in folders of their own, so that each can be opened whole by any
reader of parquet.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hnl import layout, provenance, records
from hnl.datasets.files import WorkUnit
from hnl.datasets.variations import NOMINAL
from hnl.errors import HNLError
from hnl.processors import lists
from hnl.processors import parquet as tables
from hnl.processors.columns import Column
from hnl.processors.manifests import TABLES, Manifest, Tables
from hnl.processors.rows import passing, separate

COMMON = (
    "candidates",
    "lists",
    *TABLES,
    "events",
    "sum_w",
    "sum_w2",
    "variation_sums",
    "pileup_profile",
)  # of every search
READERS = 4  # threads: a part is small, so that opening it is most of the work


@dataclass(frozen=True)
class Part:
    """What a work unit gives: the bytes of its parquet files, and the manifest that vouches for them."""

    manifest: Manifest
    parquet: bytes
    varied: bytes  # empty if there are no varied candidates
    lists: bytes  # empty if the NanoAOD file has none


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
    lists_bytes: int
    lists_sha256: str | None


class PartError(HNLError):
    """A part on disk is not what its manifest says."""


def paths(folder: Path, dataset: str, unit_name: str) -> tuple[Path, Path]:
    """Parquet file of the nominal candidates, and manifest, of a work unit."""
    manifest = folder / layout.MANIFESTS / dataset / f"{unit_name}.json"
    return folder / layout.CANDIDATES / dataset / f"{unit_name}.parquet", manifest


def varied_path(folder: Path, dataset: str, unit_name: str) -> Path:
    """Parquet file of the varied candidates of a work unit."""
    return folder / layout.VARIED_CANDIDATES / dataset / f"{unit_name}.parquet"


def lists_path(folder: Path, dataset: str, unit_name: str) -> Path:
    """Parquet file of the lists of the candidates of a work unit, see `processors.lists`."""
    return folder / layout.PARTICLES / dataset / f"{unit_name}.parquet"


def identity(unit: WorkUnit, fingerprint: str, parquet: bytes, varied: bytes = b"", lists: bytes = b"") -> Identity:
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
        "lists_bytes": len(lists),
        "lists_sha256": sha256(lists).hexdigest() if lists else None,
    }


def make(
    unit: WorkUnit,
    result: dict[str, Any],
    columns: Sequence[Column],
    fingerprint: str,
    checksum: str | None = None,
    variations: Sequence[str] = (NOMINAL,),
    list_columns: Sequence[Column] = (),
) -> Part:
    """What `SelectionProcessor.process` returned for a unit, as it goes to disk.

    Args:
        unit: the work unit.
        result: the processor's answer for its dataset.
        columns: of its candidates.
        fingerprint: hash of configuration and code, see `units.fingerprint`.
        checksum: of the unit's file, where it was verified.
        variations: what the bits of `passes` stand for, the lowest first.
        list_columns: of its lists.
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
    values = {name: column.value for name, column in result.get("lists", {}).items()}
    jets = len(values.get("event", ()))
    of_jets = lists.to_bytes(values, list_columns, unit.dataset) if jets else b""
    manifest = Manifest(
        **identity(unit, fingerprint, parquet, varied, of_jets),
        lists=jets,
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
    return Part(manifest, parquet, varied, of_jets)


def store(folder: Path, unit_name: str, part: Part) -> Manifest:
    """Writes a part into the output folder; the manifest last, so that it vouches for what is there.

    Returns:
        The manifest.
    """
    parquet, manifest_path = paths(folder, part.manifest.dataset, unit_name)
    place = folder, part.manifest.dataset, unit_name
    provenance.write_bytes(parquet, part.parquet)
    for path, content in ((varied_path(*place), part.varied), (lists_path(*place), part.lists)):
        if content:
            provenance.write_bytes(path, content)
        else:
            path.unlink(missing_ok=True)
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
        more = {varied_path: result.varied_bytes, lists_path: result.lists_bytes}
        sizes = [(path(folder, dataset, unit_name), size) for path, size in more.items() if size]
        there = all(path.stat().st_size == size for path, size in [(parquet, result.bytes), *sizes])
        return result if there else None
    except (OSError, ValueError):
        return None


def load(
    folder: Path, unit_name: str, manifest: Manifest, columns: Sequence[Column], list_columns: Sequence[Column]
) -> Part:
    """A part as `store` wrote it, for another folder.

    Raises:
        PartError: see `content`.
    """
    nominal, varied, of_jets = files(folder, unit_name, manifest)
    of_candidates = tables.schema(columns)
    return Part(
        manifest,
        content(nominal, of_candidates),
        content(varied, of_candidates) if varied.sha256 else b"",
        content(of_jets, lists.schema(list_columns)) if of_jets.sha256 else b"",
    )


def files(folder: Path, unit_name: str, entry: Manifest) -> tuple[PartFile, PartFile, PartFile]:
    """Of nominal and varied candidates, and of lists."""
    place = folder, entry.dataset, unit_name
    return (
        PartFile(paths(*place)[0], entry.sha256, entry.candidates, entry.variations),
        PartFile(varied_path(*place), entry.varied_sha256 or "", entry.rows - entry.candidates, entry.variations),
        PartFile(lists_path(*place), entry.lists_sha256 or "", entry.lists, entry.variations),
    )


def content(part: PartFile, expected: pa.Schema) -> bytes:
    """The bytes of a file, after checking that it is what its manifest says.

    Raises:
        PartError: it is not, or has not the rows or columns that it should have.
    """
    path = part.path
    try:
        content = path.read_bytes()
        if sha256(content).hexdigest() != part.sha256:
            raise PartError(f"{path} is not the file that its manifest describes: delete it, run hnl select")
        file = pq.ParquetFile(pa.BufferReader(content))
    except (OSError, pa.ArrowException) as error:
        raise PartError(f"cannot read the candidates {path}: {error}") from error
    found = file.schema_arrow
    if file.metadata.num_rows != part.rows:
        raise PartError(f"{path} has {file.metadata.num_rows} rows; its manifest says {part.rows}")
    if not found.equals(expected):
        other = next((a for a, b in zip_longest(found, expected) if a != b), None)
        raise PartError(f"{path} has other columns than this version of hnl has, such as {other}")
    return content


def remove_others(folder: Path, units: Mapping[str, Collection[str]]) -> None:
    """Removes what earlier selections left among the candidates: readers of the whole folder would count it.

    Args:
        folder: output folder.
        units: dataset -> names of the units that stay.
    """
    for place in (layout.CANDIDATES, layout.VARIED_CANDIDATES, layout.PARTICLES):
        for path in (folder / place).glob("*/*"):
            # Older versions left manifests beside parts.
            if path.suffix == ".json" or (
                path.suffix == ".parquet" and path.stem not in units.get(path.parent.name, ())
            ):
                path.unlink()
