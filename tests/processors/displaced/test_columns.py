"""The schema of candidates."""

import numpy as np

from hnl.processors.displaced.columns import COLUMNS, NAMES, empty


def test_names_are_unique_and_described() -> None:
    """Every column says what it is, in which unit."""
    assert len(set(NAMES)) == len(COLUMNS)
    for column in COLUMNS:
        assert column.meaning
        assert column.unit in ("1", "GeV", "cm", "mm", "rad")
        assert np.dtype(column.dtype).name == column.dtype


def test_empty() -> None:
    """No rows, all columns."""
    table = empty()
    assert tuple(table) == NAMES
    assert {len(column) for column in table.values()} == {0}
