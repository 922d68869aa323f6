"""Which event a row is of."""

import numpy as np

from hnl.processors.rows import generated_events


def test_generated_events_are_numbered_by_run_section_and_event() -> None:
    """The order of the numbers, in whole numbers of 64 bits; re-simulations share one."""
    rows = {
        "run": np.array([2, 1, 1, 2, 1], dtype=np.uint32),
        "luminosity_block": np.array([1, 9, 9, 1, 1], dtype=np.uint32),
        "generator_event": np.array([2**63 + 1, 5, 5, 2**63, 2**64 - 1], dtype=np.uint64),
    }
    assert generated_events(rows).tolist() == [3, 1, 1, 2, 0]
    assert generated_events({name: column[:0] for name, column in rows.items()}).tolist() == []
