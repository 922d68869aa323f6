"""Golden JSON: the luminosity sections, by run, in which the detector was certified as good.

`{"315257": [[1, 88], [91, 92]]}`: run -> ranges of luminosity sections, both ends included, as CMS publishes them.
"""

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hnl.errors import InputError

_LARGEST = 2**32 - 1  # NanoAOD has run and luminosityBlock as 32-bit numbers; both count from 1


class GoldenJSONError(InputError):
    """An unusable golden JSON; the message names the file and the value."""


@dataclass(frozen=True)
class Certified:
    """Certified luminosity sections: disjoint ranges in ascending order, as run * 2^32 + section."""

    first: NDArray[np.uint64]
    last: NDArray[np.uint64]

    def holds(self, run: NDArray[np.integer], section: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Whether luminosity sections are certified.

        Args:
            run, section: integers, (n,).

        Returns:
            bool, (n,).
        """
        key = _key(run, section)
        position = np.searchsorted(self.first, key, side="right") - 1
        return np.asarray((position >= 0) & (key <= self.last[position]))


def read(path: Path) -> Certified:
    """Reads a golden JSON. The ranges of a run may come in any order.

    Args:
        path: the file, plain JSON.

    Raises:
        GoldenJSONError: the file cannot be read, is not of that form, lists a run twice, certifies nothing, or has
            ranges that overlap, end before they begin, or hold no numbers of luminosity sections.
    """
    try:
        content = json.loads(path.read_bytes(), object_pairs_hook=_unique)
        ranges = _ranges(content)
    except FileNotFoundError:
        raise GoldenJSONError(f"no such golden JSON: {path}") from None
    except OSError as error:
        raise GoldenJSONError(f"cannot read the golden JSON {path}: {error.strerror}") from None
    except GoldenJSONError as error:
        raise GoldenJSONError(f"golden JSON {path}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise GoldenJSONError(f"golden JSON {path}: not valid JSON: {error}") from None
    runs, first, last = (np.array(column) for column in zip(*sorted(ranges), strict=True))
    return Certified(_key(runs, first), _key(runs, last))


def _key(run: NDArray[np.integer], section: NDArray[np.integer]) -> NDArray[np.uint64]:
    return run.astype(np.uint64) << np.uint64(32) | section.astype(np.uint64)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON without repeated keys, which Python would drop silently."""
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        raise GoldenJSONError(f"run {next(key for key in keys if keys.count(key) > 1)} is listed twice")
    return result


def _ranges(content: object) -> list[tuple[int, int, int]]:
    """(run, first section, last section)."""
    if not isinstance(content, dict):
        raise GoldenJSONError(f"not an object of runs: {_shown(content)}")
    if not content:
        raise GoldenJSONError("it certifies nothing: {}")
    result = []
    for run, listed in content.items():
        if not re.fullmatch("[1-9][0-9]{0,9}", run) or int(run) > _LARGEST:
            raise GoldenJSONError(f"{run!r} is not the number of a run")
        if not isinstance(listed, list) or not listed:
            raise GoldenJSONError(f"run {run}: not a list of ranges: {_shown(listed)}")
        for pair in listed:
            if not isinstance(pair, list) or len(pair) != 2 or not all(_is_section(section) for section in pair):
                raise GoldenJSONError(f"run {run}: not a range of two luminosity sections, from 1: {_shown(pair)}")
            if pair[0] > pair[1]:
                raise GoldenJSONError(f"run {run}: the range {_shown(pair)} ends before it begins")
        for earlier, later in pairwise(sorted(listed)):
            if later[0] <= earlier[1]:
                raise GoldenJSONError(f"run {run}: the ranges {_shown(earlier)} and {_shown(later)} overlap")
        result += [(int(run), first, last) for first, last in listed]
    return result


def _is_section(value: object) -> bool:
    return type(value) is int and 1 <= value <= _LARGEST  # True is no number here


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
