"""Reading the parts of a selection: candidates as columns, and their lists."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hnl.processors import columns as schemas
from hnl.processors import lists, parts
from hnl.processors import parquet as tables
from hnl.processors.columns import Column
from hnl.processors.manifests import Manifest
from hnl.processors.parts import PartError, PartFile
from hnl.processors.rows import EVENT, Candidates, ordered

READERS = 4  # threads: a part is small, so that opening it is most of the work


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
        nominal, others, _ = parts.files(folder, name, entry)
        files += [file for file in ((nominal, others) if varied else (nominal,)) if file.rows]
    with ThreadPoolExecutor(READERS) as pool:
        pieces = list(pool.map(lambda file: _rows(file, columns, names), files))
    if not pieces:
        return {name: column for name, column in schemas.empty(columns).items() if name in names}
    return ordered({name: np.concatenate([piece[name] for piece in pieces]) for name in names})


def read_lists(
    folder: Path, manifests: Iterable[Manifest], unit_names: Iterable[str], columns: Sequence[Column]
) -> pa.Table:
    """The lists of some units together, see `lists`; no rows if their files hold none.

    Args:
        folder: output folder.
        manifests: of the units.
        unit_names: of the units.
        columns: of lists.

    Raises:
        PartError: a file is missing, not the one that was written, or has other columns.
    """
    schema = lists.schema(columns)
    files = [parts.files(folder, name, entry)[-1] for entry, name in zip(manifests, unit_names, strict=True)]
    pieces = [pq.read_table(pa.BufferReader(parts.content(file, schema))) for file in files if file.rows]
    return pa.concat_tables([schema.empty_table(), *pieces])


def _rows(part: PartFile, columns: Sequence[Column], names: Sequence[str]) -> Candidates:
    """Columns of a file, after checking that it is what its manifest says."""
    try:
        file = pq.ParquetFile(pa.BufferReader(parts.content(part, tables.schema(columns))))
        return tables.rows(file.read(columns=tables.stored(names), use_threads=False), part.variations)
    except pa.ArrowException as error:
        raise PartError(f"cannot read the candidates {part.path}: {error}") from error


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
