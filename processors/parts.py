"""The parts that a selection leaves on disk: one parquet file and one manifest for each work unit, and reading them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hnl import provenance
from hnl.datasets.corrections import NOMINAL
from hnl.datasets.files import WorkUnit
from hnl.errors import HNLError
from hnl.processors import columns

FORMAT = 2  # of the manifests; raised when their meaning changes

Candidates = dict[str, np.ndarray]
EVENT = ("run", "luminosity_block", "event")


class PartError(HNLError):
    """A part on disk is not what its manifest says."""


def paths(folder: Path, dataset: str, unit_name: str) -> tuple[Path, Path]:
    """Parquet file and manifest of a work unit."""
    stem = folder / "candidates" / dataset / unit_name
    return stem.with_name(stem.name + ".parquet"), stem.with_name(stem.name + ".json")


def write(
    folder: Path, unit: WorkUnit, result: dict[str, Any], fingerprint: str, variations: Sequence[str] = (NOMINAL,)
) -> dict[str, Any]:
    """Writes what `DisplacedProcessor.process` returned for a unit; the manifest last, so that it vouches for the part.

    Args:
        folder: output folder of the run.
        unit: the work unit.
        result: the processor's answer for its dataset.
        fingerprint: hash of configuration and code, see `pipeline.fingerprint`.
        variations: what the bits of `passes` stand for, the lowest first.

    Returns:
        The manifest.
    """
    candidates = {name: column.value for name, column in result["candidates"].items()}
    candidates = ordered(candidates)
    parquet, manifest_path = paths(folder, unit.dataset, unit.name)
    schema = pa.schema(
        [
            pa.field(c.name, pa.from_numpy_dtype(np.dtype(c.dtype)), metadata={"unit": c.unit, "meaning": c.meaning})
            for c in columns.COLUMNS
        ]
    )
    table = pa.table([candidates[name] for name in columns.NAMES], schema=schema)
    provenance.write(parquet, lambda path: pq.write_table(table, path, compression="zstd"))
    manifest = {
        "format": FORMAT,
        "fingerprint": fingerprint,
        "dataset": unit.dataset,
        "file": unit.file.path,
        "uuid": unit.file.uuid,
        "start": unit.start,
        "stop": unit.stop,
        "variations": list(variations),
        "candidates": int(passing(candidates, 0).sum()),
        "rows": len(candidates["event"]),
        **{key: result[key] for key in ("events", "sum_w", "sum_w2", "variation_sums", "cutflow", "n_minus_one")},
        "pileup_profile": np.trim_zeros(result["pileup_profile"], "b").tolist(),
    }
    provenance.write_json(manifest_path, manifest)
    return manifest


def manifest(folder: Path, dataset: str, unit_name: str, fingerprint: str) -> dict[str, Any] | None:
    """The manifest of a finished unit, None if the unit is not done, or was done by other code or settings."""
    parquet, path = paths(folder, dataset, unit_name)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    current = isinstance(content, dict) and (content.get("format"), content.get("fingerprint")) == (FORMAT, fingerprint)
    return content if current and parquet.is_file() else None


def read(folder: Path, manifests: Iterable[dict[str, Any]], unit_names: Iterable[str]) -> Candidates:
    """The rows of some units together, nominal and varied (see `passing`), in the order of `ordered`.

    Raises:
        PartError: a part is missing, broken, or has not the rows or columns that it should have.
    """
    tables = []
    for entry, name in zip(manifests, unit_names, strict=True):
        path, _ = paths(folder, entry["dataset"], name)
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise PartError(f"cannot read the candidates {path}: {error}") from error
        if table.num_rows != entry["rows"] or tuple(table.column_names) != columns.NAMES:
            raise PartError(
                f"{path} has {table.num_rows} rows and {table.num_columns} columns; "
                f"its manifest says {entry['rows']} and {len(columns.NAMES)}"
            )
        tables.append(table)
    if not tables:
        return columns.empty()
    together = pa.concat_tables(tables)
    return ordered({name: together[name].to_numpy() for name in columns.NAMES})


def passing(rows: Candidates, variation: int) -> np.ndarray:
    """Mask of the rows that are the candidates of a variation: 0 for nominal, i for the i-th of the manifest."""
    mask: np.ndarray = (rows["passes"] >> np.uint64(variation)) & np.uint64(1) == 1
    return mask


def ordered(candidates: Candidates) -> Candidates:
    """Sorted by run, luminosity section, event: whatever the order of processing. Rows of one event keep theirs."""
    order = np.lexsort((candidates["event"], candidates["luminosity_block"], candidates["run"]))
    return {name: column[order] for name, column in candidates.items()}


def repeated_event(candidates: Candidates) -> tuple[int, int, int] | None:
    """A (run, luminosity section, event) that occurs twice, None if there is none."""
    ids = np.stack([candidates[name].astype(np.uint64) for name in EVENT], axis=1)
    ids = ids[np.lexsort(ids.T[::-1])]
    same = np.flatnonzero((ids[1:] == ids[:-1]).all(axis=1))
    return (int(ids[same[0], 0]), int(ids[same[0], 1]), int(ids[same[0], 2])) if len(same) else None
