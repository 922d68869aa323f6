"""Candidates as tables for parquet: a row for each candidate of each variation; `rows.KEY` tells it from all others."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hnl.processors.columns import Column
from hnl.processors.rows import Candidates, variation_of

STRING = pa.dictionary(pa.int32(), pa.string())
MEANINGS = {
    "dataset": "dataset of the catalogue",
    "variation": "nominal, or the variation of jet energies that the row is a candidate of",
}


def schema(columns: Sequence[Column]) -> pa.Schema:
    """Of files: `MEANINGS`, then the columns, each with its unit and meaning; `variation` is there for `passes`."""
    strings = [pa.field(name, STRING, metadata={"unit": "1", "meaning": text}) for name, text in MEANINGS.items()]
    return pa.schema(
        strings
        + [
            pa.field(c.name, pa.from_numpy_dtype(np.dtype(c.dtype)), metadata={"unit": c.unit, "meaning": c.meaning})
            for c in columns
            if c.name != "passes"
        ]
    )


def labels(rows: Candidates, dataset: str, variations: Sequence[str]) -> dict[str, pa.Array]:
    """The columns of `MEANINGS`.

    Args:
        rows: see `rows.separate`.
        dataset: their dataset.
        variations: names, nominal first.
    """
    variation = variation_of(rows)
    return {
        "dataset": pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(variation), np.int32)), pa.array([dataset])),
        "variation": pa.DictionaryArray.from_arrays(pa.array(variation, pa.int32()), pa.array(list(variations))),
    }


def table(rows: Candidates, columns: Sequence[Column], dataset: str, variations: Sequence[str]) -> pa.Table:
    """Rows of a dataset, see `labels`, as they go into a file."""
    names = schema(columns)
    arrays = labels(rows, dataset, variations) | {name: rows[name] for name in names.names if name not in MEANINGS}
    return pa.table([arrays[name] for name in names.names], schema=names)


def to_bytes(table: pa.Table) -> bytes:
    """The content of a parquet file. Real numbers are split into bytes: of those of NanoAOD the last ones are zero."""
    real = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    in_lists = {f.name: f.type.value_type for f in table.schema if pa.types.is_list(f.type)}
    others = [field.name for field in table.schema if field.name not in real and field.name not in in_lists]
    others += [f"{name}.list.element" for name, kind in in_lists.items() if not pa.types.is_floating(kind)]
    sink = pa.BufferOutputStream()
    encoding = dict.fromkeys(real, "BYTE_STREAM_SPLIT")  # not in lists, of 16 bits: few readers know it there
    # The level is our choice: a fifth fewer bytes than by default, in a part of the time that the selection takes.
    pq.write_table(
        table, sink, compression="zstd", compression_level=9, use_dictionary=others, column_encoding=encoding or None
    )
    return bytes(sink.getvalue().to_pybytes())


def rows(table: pa.Table, variations: Sequence[str]) -> Candidates:
    """What `table` was made of, but for the dataset; without `variation`, no `passes` either.

    Raises:
        ArrowException: a row is of no variation that is named.
    """
    found = {name: table[name].to_numpy() for name in table.column_names if name not in MEANINGS}
    if "variation" in table.column_names:
        index = pc.index_in(table["variation"].cast(pa.string()), pa.array(list(variations)))
        if index.null_count:
            raise pa.ArrowInvalid(f"a row is of none of the variations {', '.join(variations)}")
        found["passes"] = np.uint64(1) << index.to_numpy().astype(np.uint64)
    return found


def stored(names: Sequence[str]) -> list[str]:
    """The columns of a file that the columns of candidates are made of."""
    return ["variation" if name == "passes" else name for name in names]
