"""Evaluating corrections of correctionlib files; whatever goes wrong names file, correction and value.

Inputs are given by the names that the correction itself has for them, so that real files of the CMS POGs work whatever
the order or number of their inputs.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import correctionlib
import numpy as np

from hnl import provenance
from hnl.errors import InputError


class CorrectionError(InputError):
    """A correction cannot be used; the message names the file, the correction and the value."""


def check(file: Path, name: str, inputs: Sequence[str]) -> tuple[str, ...]:
    """Looks a correction up, without evaluating it.

    Args:
        file: correctionlib JSON, also gzipped.
        name: of the correction.
        inputs: names of the inputs that can be given to it.

    Returns:
        The names of the inputs that it wants, in its order.

    Raises:
        CorrectionError: the file cannot be read, has no such correction, or the correction wants another input.
    """
    wanted = tuple(variable.name for variable in _correction(file, name).inputs)
    if unknown := [one for one in wanted if one not in inputs]:
        raise CorrectionError(
            f"{file}: the correction {name} wants the input '{unknown[0]}'; it can be given {', '.join(inputs)}"
        )
    return wanted


def evaluate(file: Path, name: str, inputs: Mapping[str, Any]) -> np.ndarray:
    """The values of a correction.

    Args:
        file: correctionlib JSON, also gzipped.
        name: of the correction.
        inputs: by name, flat arrays of one length n or single values; it takes those that it wants.

    Returns:
        float64, (n,).

    Raises:
        CorrectionError: see `check`; or an input is NaN or outside the range of the correction, or its answer is not
            a finite number.
    """
    wanted = check(file, name, tuple(inputs))
    n = max((len(value) for value in inputs.values() if isinstance(value, np.ndarray)), default=0)
    if n == 0:
        return np.empty(0)
    correction, given = _correction(file, name), [_as_wanted(inputs[one]) for one in wanted]
    for one, value in zip(wanted, given, strict=True):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and np.isnan(value).any():
            raise CorrectionError(f"{file}: the correction {name} was given {one} = nan")
    try:
        result = np.broadcast_to(correction.evaluate(*given), (n,))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise CorrectionError(_complaint(file, name, correction, wanted, given, n, error)) from None
    if not np.isfinite(result).all():
        at = int(np.flatnonzero(~np.isfinite(result))[0])
        raise CorrectionError(f"{file}: the correction {name} is {result[at]} for {_values(wanted, given, at)}")
    return np.array(result, dtype=np.float64)


def sha256(file: Path) -> str:
    """Of the content of a file.

    Raises:
        CorrectionError: it cannot be read.
    """
    provenance.used[file] = None
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise CorrectionError(f"cannot read {file}: {error.strerror}") from None


def _as_wanted(value: Any) -> Any:
    """correctionlib takes float64, integers and text."""
    if not isinstance(value, np.ndarray):
        return value
    return value.astype(np.int64 if value.dtype.kind in "iub" else np.float64)


def _complaint(
    file: Path, name: str, correction: Any, wanted: Sequence[str], given: Sequence[Any], n: int, error: Exception
) -> str:
    """The first entry that the correction refuses, found by halving."""
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        try:
            correction.evaluate(*(_part(value, low, middle) for value in given))
            low = middle
        except (RuntimeError, ValueError, IndexError, TypeError):
            high = middle
    return f"{file}: the correction {name} refuses {_values(wanted, given, low)}: {error}"


def _part(value: Any, low: int, high: int) -> Any:
    return value[low:high] if isinstance(value, np.ndarray) else value


def _values(wanted: Sequence[str], given: Sequence[Any], at: int) -> str:
    one = [value[at] if isinstance(value, np.ndarray) else value for value in given]
    return ", ".join(f"{name} = {value}" for name, value in zip(wanted, one, strict=True))


def _correction(file: Path, name: str) -> Any:
    known = _load(file, _modified(file))
    if name not in list(known):
        raise CorrectionError(f"{file}: no correction {name}; it has {', '.join(known) or 'none'}")
    return known[name]


def _modified(file: Path) -> int:
    provenance.used[file] = None
    try:
        return file.stat().st_mtime_ns
    except OSError as error:
        raise CorrectionError(f"cannot read the corrections {file}: {error.strerror}") from None


@lru_cache(maxsize=32)
def _load(file: Path, modified: int) -> Any:
    """A file that did not change since is read once."""
    try:
        return correctionlib.CorrectionSet.from_file(str(file))
    except Exception as error:  # broken JSON or gzip, another schema: correctionlib raises almost any type
        reason = " ".join(str(error).split())[:200]
        raise CorrectionError(f"cannot read the corrections {file}: {reason}") from None
