"""Records: what tables and JSON files tell, one for each row."""

from math import isfinite
from typing import Any

Record = dict[str, Any]  # None stands for what is undefined, unlimited or hidden


def number(value: float | None) -> float | None:
    """A number for a record: None for NaN and infinity."""
    return None if value is None or not isfinite(value) else float(value)
