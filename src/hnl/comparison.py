"""Comparison of the results of two runs, bit for bit: candidates, scores, histograms, estimate, fits and limits.

Paths, times and hashes of the code are not compared: they differ for the same search in another place or by rewritten
code. ROOT files and CSV tables have the content of the JSON beside them, and are not compared either.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hnl import layout
from hnl.errors import InputError
from hnl.processors.lists import KEY as LISTS_KEY
from hnl.processors.rows import KEY

PRODUCTS = (
    layout.CUTFLOW,
    layout.HISTOGRAMS,
    layout.EVALUATION,
    f"{layout.ABCD}/*.json",
    *layout.EVERY_FIT,
    *layout.EVERY_LIMITS,
)
# Keys on the place, time and code of a product.
MADE_BY = frozenset({"provenance", "corrections", "sv_association", "version", "writer_info"})
SHOWN = 5  # largest number of differences shown per product


class ComparisonError(InputError):
    """A folder has no run that can be compared."""


@dataclass(frozen=True)
class Difference:
    """A difference between two runs.

    Attributes:
        product: path relative to the output folders.
        what: description of the difference.
    """

    product: str
    what: str


def compare(first: Path, second: Path) -> tuple[list[str], list[Difference]]:
    """Compares two output folders.

    Args:
        first, second: output folders, each with a finished selection.

    Returns:
        The products that were compared, and their differences.

    Raises:
        ComparisonError: a folder has no finished selection, or a product of it is broken.
    """
    selections = [_selection(out) for out in (first, second)]
    compared = [layout.SELECTION]
    differences = [
        Difference(layout.SELECTION, text)
        for key in ("sum_w", "variations")
        for text in _values(selections[0].get(key), selections[1].get(key), key)
    ]
    for dataset in sorted({*selections[0]["units"], *selections[1]["units"]}):
        for folder, read in ((layout.CANDIDATES, _candidates), (layout.PARTICLES, _lists), (layout.SCORES, _scores)):
            tables = [read(out, content, dataset) for out, content in zip((first, second), selections, strict=True)]
            if all(table is None for table in tables):
                continue
            name = f"{folder}/{dataset}"
            compared.append(name)
            differences += [Difference(name, text) for text in _tables(*tables)]
    names = {str(path.relative_to(out)) for out in (first, second) for p in PRODUCTS for path in out.glob(p)}
    for name in sorted(names):
        compared.append(name)
        if missing := [out for out in (first, second) if not (out / name).is_file()]:
            differences.append(Difference(name, f"{missing[0]} has none"))
            continue
        texts = list(_values(_json(first / name), _json(second / name), ""))
        more = [f"and {len(texts) - SHOWN} more"] if len(texts) > SHOWN else []
        differences += [Difference(name, text) for text in [*texts[:SHOWN], *more]]
    return compared, differences


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ComparisonError(f"{path} cannot be read: {error}") from error


def _selection(out: Path) -> dict[str, Any]:
    path = out / layout.SELECTION
    if not path.is_file():
        raise ComparisonError(f"{out} holds no finished selection (no {layout.SELECTION})")
    content = _json(path)
    if not isinstance(content, dict) or not isinstance(content.get("units"), dict):
        raise ComparisonError(f"{path} names no work units")
    return content


def _candidates(out: Path, selection: dict[str, Any], dataset: str) -> pa.Table | None:
    units = selection["units"].get(dataset)
    if units is None:
        return None
    nominal, varied = (
        [out / place / dataset / f"{unit}.parquet" for unit in units]
        for place in (layout.CANDIDATES, layout.VARIED_CANDIDATES)
    )
    parts = [_parquet(path) for path in [*nominal, *(path for path in varied if path.is_file())]]
    return pa.concat_tables(parts) if parts else pa.table({name: [] for name in KEY})


def _lists(out: Path, selection: dict[str, Any], dataset: str) -> pa.Table | None:
    paths = [out / layout.PARTICLES / dataset / f"{unit}.parquet" for unit in selection["units"].get(dataset, ())]
    tables = [_parquet(path) for path in paths if path.is_file()]
    return pa.concat_tables(tables) if tables else None


def _scores(out: Path, selection: dict[str, Any], dataset: str) -> pa.Table | None:
    paths = [out / place / f"{dataset}.parquet" for place in (layout.SCORES, layout.VARIED_SCORES)]
    tables = [_parquet(path) for path in paths if path.is_file()]
    return pa.concat_tables(tables) if tables else None


def _parquet(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise ComparisonError(f"{path} cannot be read: {error}") from error


def _tables(first: pa.Table | None, second: pa.Table | None) -> Iterator[str]:
    """Differences of two tables. Rows are matched by their `KEY`, those of lists by their jet."""
    if first is None or second is None:
        yield "only one run has it"
    elif len(first) != len(second):
        yield f"{len(first)} rows and {len(second)}"
    elif first.schema.names != second.schema.names:
        yield f"other columns: {', '.join(sorted(set(first.schema.names) ^ set(second.schema.names))) or 'the order'}"
    else:
        key = KEY if set(KEY) <= set(first.schema.names) else LISTS_KEY
        orders = [np.lexsort([_values_of(table, name) for name in reversed(key)]) for table in (first, second)]
        for name in first.schema.names:
            if pa.types.is_list(first.schema.field(name).type):
                lists = [table[name].take(pa.array(o)) for table, o in zip((first, second), orders, strict=True)]
                if len({(pc.list_value_length(c).to_numpy().tobytes(), _flat(c)) for c in lists}) > 1:
                    yield f"{name}: other lists"
                continue
            a, b = (_values_of(table, name)[order] for table, order in zip((first, second), orders, strict=True))
            if a.dtype != b.dtype:
                yield f"{name}: {a.dtype} and {b.dtype}"
            elif number := int(np.any(_bytes(a) != _bytes(b), axis=1).sum()):
                yield f"{name}: {number} of {len(a)} rows"


def _values_of(table: pa.Table, name: str) -> np.ndarray:
    """A column. Strings have no references to Python objects, but their characters."""
    column = table[name]
    return np.asarray(column.to_pylist(), dtype=np.str_) if pa.types.is_dictionary(column.type) else column.to_numpy()


def _flat(lists: pa.ChunkedArray) -> bytes:
    """The bytes of all entries."""
    return bytes(pc.list_flatten(lists).to_numpy().tobytes())


def _bytes(values: np.ndarray) -> np.ndarray:
    """Bytes of the values, shape (n, bytes per value): NaN equals itself, and 0 is not -0."""
    return np.ascontiguousarray(values).view(np.uint8).reshape(len(values), values.dtype.itemsize)


def _values(first: object, second: object, where: str) -> Iterator[str]:
    """Differences of two values from JSON."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in dict.fromkeys([*first, *second]):
            if key in MADE_BY:
                continue
            inner = f"{where}.{key}" if where else str(key)
            if key in first and key in second:
                yield from _values(first[key], second[key], inner)
            else:
                yield f"{inner}: only in the {'first' if key in first else 'second'}"
    elif isinstance(first, list) and isinstance(second, list):
        if len(first) != len(second):
            yield f"{where}: {len(first)} entries and {len(second)}"
            return
        for i, (a, b) in enumerate(zip(first, second, strict=True)):
            yield from _values(a, b, f"{where}[{i}]")
    elif repr(first) != repr(second):  # 1 is not 1.0, and every float has its own repr
        yield f"{where}: {first!r} and {second!r}"
