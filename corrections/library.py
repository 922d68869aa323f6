"""Evaluation of corrections in correctionlib files. Errors name the file, the correction and the value.

Inputs are given by their names in the correction, so that files of the CMS POGs work for any order and number of
inputs.
"""

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import correctionlib
import numpy as np
from correctionlib.highlevel import Correction

from hnl import provenance
from hnl.errors import InputError

Argument = np.ndarray | float | str  # of a correction: one value per candidate, or one for all


class CorrectionError(InputError):
    """An unusable correction; the message names the file, the correction and the value."""


def check(file: Path, name: str, inputs: Sequence[str]) -> tuple[str, ...]:
    """Looks a correction up, without evaluating it.

    Args:
        file: correctionlib JSON, also gzipped.
        name: name of the correction.
        inputs: names of the available inputs.

    Returns:
        Names of the inputs of the correction, in its order.

    Raises:
        CorrectionError: the file cannot be read, has no such correction, or the correction needs another input.
    """
    needed = tuple(variable.name for variable in _correction(file, name).inputs)
    if unknown := [variable for variable in needed if variable not in inputs]:
        raise CorrectionError(
            f"{file}: the correction {name} wants the input '{unknown[0]}'; it can be given {', '.join(inputs)}"
        )
    return needed


def arguments(
    candidates: Mapping[str, np.ndarray],
    columns: Mapping[str, str],
    constants: Mapping[str, float | str],
    clip: Mapping[str, tuple[float, float]],
) -> dict[str, Argument]:
    """The inputs of a correction.

    Args:
        candidates: columns.
        columns: input -> column of the candidates, or abs(column).
        constants: input -> value.
        clip: input -> range that its values are moved into.
    """
    inputs: dict[str, Argument] = dict(constants)
    for name, text in columns.items():
        values = candidates[column_of(text)]
        values = values if text == column_of(text) else np.abs(values)
        inputs[name] = np.clip(values, *clip[name]) if name in clip else values
    return inputs


def column_of(text: str) -> str:
    """The column in `abs(column)`."""
    return text.removeprefix("abs(").removesuffix(")")


def inputs_of(file: Path, name: str) -> dict[str, str]:
    """Inputs of a correction, in its order, and their types: 'real', 'int' or 'string'.

    Raises:
        CorrectionError: the file cannot be read, or has no such correction.
    """
    return {variable.name: str(variable.type) for variable in _correction(file, name).inputs}


def keys(file: Path, name: str, variable: str) -> set[str | int] | None:
    """The values that an input of a correction can have; None if it takes any.

    Raises:
        CorrectionError: see `inputs_of`.
    """
    _correction(file, name)  # the file is sound
    text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    waiting = [one for one in json.loads(text)["corrections"] if one["name"] == name]
    found: set[str | int] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            if node.get("nodetype") == "category" and node["input"] == variable:
                if node.get("default") is not None:
                    return None
                found |= {item["key"] for item in node["content"]}
            waiting += node.values()
    return found or None


def evaluate(file: Path, name: str, inputs: Mapping[str, Argument], *, positive: bool = False) -> np.ndarray:
    """The values of a correction.

    Args:
        file: correctionlib JSON, also gzipped.
        name: name of the correction.
        inputs: by name, flat arrays of one length n or single values; those that it does not need are ignored.
        positive: refuse values that are not above zero.

    Returns:
        float64, (n,).

    Raises:
        CorrectionError: see `check`; or an input is NaN or outside the range of the correction, or the result is not
            finite, or not `positive`.
    """
    needed = check(file, name, tuple(inputs))
    n = max((len(value) for value in inputs.values() if isinstance(value, np.ndarray)), default=0)
    if n == 0:
        return np.empty(0)
    correction, types = _correction(file, name), inputs_of(file, name)
    given = [_as_argument(inputs[variable], types[variable]) for variable in needed]
    for variable, value in zip(needed, given, strict=True):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and np.isnan(value).any():
            raise CorrectionError(f"{file}: the correction {name} was given {variable} = nan")
    try:
        result = np.broadcast_to(correction.evaluate(*given), (n,))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise CorrectionError(_complaint(file, name, correction, needed, given, n, error)) from None
    usable = np.isfinite(result) & ((result > 0) | (not positive))
    if not usable.all():
        at = int(np.flatnonzero(~usable)[0])
        raise CorrectionError(f"{file}: the correction {name} is {result[at]} for {_values(needed, given, at)}")
    return np.array(result, dtype=np.float64)


def sha256(file: Path) -> str:
    """SHA-256 of the content of a file.

    Raises:
        CorrectionError: the file cannot be read.
    """
    provenance.used[file] = None
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise CorrectionError(f"cannot read {file}: {error.strerror}") from None


def _as_argument(value: Argument, kind: str) -> Argument:
    """The value as a type that correctionlib takes: float64, integers or text."""
    if not isinstance(value, np.ndarray):
        return float(value) if kind == "real" else value
    return value.astype(np.int64 if value.dtype.kind in "iub" else np.float64)


def _complaint(
    file: Path,
    name: str,
    correction: Correction,
    needed: Sequence[str],
    arguments: Sequence[Argument],
    n: int,
    error: Exception,
) -> str:
    """A message with the first entry that the correction refuses, which is found by bisection."""
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        try:
            correction.evaluate(*(_part(value, low, middle) for value in arguments))
            low = middle
        except (RuntimeError, ValueError, IndexError, TypeError):
            high = middle
    return f"{file}: the correction {name} refuses {_values(needed, arguments, low)}: {error}"


def _part(value: Argument, low: int, high: int) -> Argument:
    return value[low:high] if isinstance(value, np.ndarray) else value


def _values(needed: Sequence[str], arguments: Sequence[Argument], at: int) -> str:
    entry = [value[at] if isinstance(value, np.ndarray) else value for value in arguments]
    return ", ".join(f"{name} = {value}" for name, value in zip(needed, entry, strict=True))


def _correction(file: Path, name: str) -> Correction:
    corrections = _load(file, _modified(file))
    if name not in list(corrections):
        raise CorrectionError(f"{file}: no correction {name}; it has {', '.join(corrections) or 'none'}")
    return corrections[name]


def _modified(file: Path) -> int:
    provenance.used[file] = None
    try:
        return file.stat().st_mtime_ns
    except OSError as error:
        raise CorrectionError(f"cannot read the corrections {file}: {error.strerror}") from None


@lru_cache(maxsize=32)
def _load(file: Path, modified: int) -> correctionlib.CorrectionSet:
    """The corrections of a file. An unchanged file is read only once."""
    try:
        return correctionlib.CorrectionSet.from_file(str(file))
    except Exception as error:  # broken JSON or gzip, another schema: correctionlib raises almost any type
        reason = " ".join(str(error).split())[:200]
        raise CorrectionError(f"cannot read the corrections {file}: {reason}") from None
