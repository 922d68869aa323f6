"""Lists of candidates, such as the particles of their jets: as many entries as there are, in files of their own.

A row is a jet of an event, whatever number of candidates (variations of jet energies) has it; `KEY` tells which. In
memory a column of lists is flat, (all entries,), and `n_GROUP` has the number of entries of each row; the group of a
column is what its name begins with. Real numbers have 16 bits: 0.05 % of the value, which no detector measures better.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hnl.processors import parquet as tables
from hnl.processors.columns import Column
from hnl.processors.rows import EVENT, Candidates

KEY = (*EVENT, "jet_index")
KEY_TYPES = {"run": pa.uint32(), "luminosity_block": pa.uint32(), "event": pa.uint64(), "jet_index": pa.int16()}


def packed(
    columns: Sequence[Column], name: str, numbers: NDArray[np.int64], values: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """A group of lists as they are in memory.

    Args:
        columns: of all groups.
        name: of the group.
        numbers: of entries of each row.
        values: by column, without the name of the group; one for each entry, row after row.
    """
    with np.errstate(over="ignore"):  # beyond 65504 is infinite
        own = {c.name: values[c.name.removeprefix(f"{name}_")].astype(c.dtype) for c in columns if group(c) == name}
    return {f"n_{name}": numbers, **own}


def group(column: Column) -> str:
    """Of columns whose lists have the same lengths."""
    return column.name.partition("_")[0]


def schema(columns: Sequence[Column]) -> pa.Schema:
    """Of files: dataset, `KEY`, and a column of lists for each of `columns`, with its unit and meaning."""
    return pa.schema(
        [
            pa.field("dataset", tables.STRING, metadata={"unit": "1", "meaning": tables.MEANINGS["dataset"]}),
            *(pa.field(name, kind) for name, kind in KEY_TYPES.items()),
            *(pa.field(c.name, _type(c), metadata={"unit": c.unit, "meaning": c.meaning}) for c in columns),
        ]
    )


def _type(column: Column, dtype: str = "") -> pa.ListType:
    return pa.list_(pa.field("element", pa.from_numpy_dtype(np.dtype(dtype or column.dtype)), nullable=False))


def to_bytes(lists: Mapping[str, np.ndarray], columns: Sequence[Column], dataset: str) -> bytes:
    """The content of a file, ordered by `KEY`.

    Args:
        lists: `KEY`, and what `packed` gives.
        columns: of lists.
        dataset: their dataset.
    """
    n = len(lists["event"])
    offsets = {name: np.concatenate([[0], np.cumsum(lists[name])]) for name in lists if name.startswith("n_")}
    arrays = {"dataset": pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([dataset]))}
    arrays |= {name: pa.array(lists[name], kind) for name, kind in KEY_TYPES.items()}
    arrays |= {
        c.name: pa.ListArray.from_arrays(pa.array(offsets[f"n_{group(c)}"], pa.int32()), lists[c.name], _type(c))
        for c in columns
    }
    return tables.to_bytes(pa.table(arrays, schema=schema(columns)).sort_by([(name, "ascending") for name in KEY]))


def of_rows(rows: Candidates, table: pa.Table, columns: Sequence[Column]) -> dict[str, pa.Array]:
    """The lists of some rows of candidates, by column; null where there are none.

    Args:
        rows: of a dataset, with `KEY`.
        table: of this dataset, see `reading.read_lists`.
        columns: of lists.

    Returns:
        By column lists of int or float32, one a row.
    """
    ours = np.stack([rows[name].astype(np.uint64) for name in KEY], axis=1)
    theirs = np.stack([table[name].to_numpy().astype(np.uint64) for name in KEY], axis=1)
    _, place = np.unique(np.concatenate([theirs, ours]), axis=0, return_inverse=True)
    place = place.reshape(-1)
    row = np.full(place.max(initial=-1) + 1, -1)
    row[place[: len(theirs)]] = np.arange(len(theirs))
    index = row[place[len(theirs) :]]
    indices = pa.array(index, mask=index < 0)
    return {c.name: _as_read(table[c.name].combine_chunks(), c).take(indices) for c in columns}


def _as_read(lists: pa.ListArray, column: Column) -> pa.ListArray:
    """Numbers of 16 bits as those of 32, which every tool knows."""
    if column.dtype != "float16":
        return lists
    return pa.ListArray.from_arrays(lists.offsets, lists.values.to_numpy().astype(np.float32), _type(column, "float32"))
