"""Evaluation of corrections in correctionlib files. Errors name the file, the correction and the value.

Inputs are given by their names in the correction, so that files of the CMS POGs work for any order and number of
inputs.
"""

import hashlib
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


def evaluate(file: Path, name: str, inputs: Mapping[str, Argument]) -> np.ndarray:
    """The values of a correction.

    Args:
        file: correctionlib JSON, also gzipped.
        name: name of the correction.
        inputs: by name, flat arrays of one length n or single values; those that it does not need are ignored.

    Returns:
        float64, (n,).

    Raises:
        CorrectionError: see `check`; or an input is NaN or outside the range of the correction, or the result is not
            finite.
    """
    needed = check(file, name, tuple(inputs))
    n = max((len(value) for value in inputs.values() if isinstance(value, np.ndarray)), default=0)
    if n == 0:
        return np.empty(0)
    correction, arguments = _correction(file, name), [_as_argument(inputs[variable]) for variable in needed]
    for variable, value in zip(needed, arguments, strict=True):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and np.isnan(value).any():
            raise CorrectionError(f"{file}: the correction {name} was given {variable} = nan")
    try:
        result = np.broadcast_to(correction.evaluate(*arguments), (n,))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise CorrectionError(_complaint(file, name, correction, needed, arguments, n, error)) from None
    if not np.isfinite(result).all():
        at = int(np.flatnonzero(~np.isfinite(result))[0])
        raise CorrectionError(f"{file}: the correction {name} is {result[at]} for {_values(needed, arguments, at)}")
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


def _as_argument(value: Argument) -> Argument:
    """The value as a type that correctionlib takes: float64, integers or text."""
    if not isinstance(value, np.ndarray):
        return value
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
