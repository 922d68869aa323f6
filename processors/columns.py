"""What every candidate carries, whatever the search: which event it is of, and its weights."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Column(NamedTuple):
    """One column of the candidates."""

    name: str
    dtype: str
    unit: str
    meaning: str


# Units: GeV, cm, rad, mm for proper decay lengths only; '1' is a pure number. Missing values are NaN.
EVENT_COLUMNS = tuple(
    Column(*row)
    for row in (
        # A row with bit 0 is a candidate. The others are what it is if jet energies are varied (simulation only).
        (
            "passes",
            "uint64",
            "1",
            "in memory: bit 0 is nominal, bit i the i-th variation of jet energies; in files: `variation`",
        ),
        # event
        ("run", "uint32", "1", "run number"),
        ("luminosity_block", "uint32", "1", "luminosity section"),
        ("event", "uint64", "1", "event number"),
        ("generator_event", "uint64", "1", "equal for re-simulations of one generated event; else the event number"),
        ("gen_weight", "float64", "1", "generator weight; 1 for data"),
        ("n_true_interactions", "float32", "1", "true mean number of pileup interactions; NaN for data"),
        # weights for `corrections.weights`, relative; NaN where the file has none or the catalogue asks for none
        ("weight_prefiring", "float32", "1", "efficiency of the triggers not to fire early (L1PreFiringWeight)"),
        ("weight_prefiring_up", "float32", "1", "... up"),
        ("weight_prefiring_down", "float32", "1", "... down"),
        *(
            (f"weight_{name}_{way}", "float64", "1", f"weight of the generator, {meaning}, {way}")
            for name, meaning in (
                ("mur", "renormalisation scale"),
                ("muf", "factorisation scale"),
                ("pdf", "parton distributions"),
                ("isr", "scale of initial-state showers"),
                ("fsr", "scale of final-state showers"),
            )
            for way in ("up", "down")
        ),
    )
)


def empty(columns: Sequence[Column]) -> dict[str, np.ndarray]:
    """The columns of no candidates."""
    return {column.name: np.empty(0, dtype=column.dtype) for column in columns}
