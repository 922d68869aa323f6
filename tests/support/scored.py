"""Scored candidates made up for tests of the background estimate: the columns that it uses, as the stage hands them."""

from typing import Any

import numpy as np

from hnl.datasets.catalogue import Dataset
from hnl.datasets.variations import NOMINAL
from hnl.ml.scored import Scored
from hnl.processors.displaced import columns
from hnl.processors.rows import Candidates
from hnl.selections.displaced.categories import CATEGORIES

DTYPES = {column.name: column.dtype for column in columns.COLUMNS}


def candidates(**given: Any) -> Candidates:
    """A table with the whole schema; columns that are not given are zero (weights: one, those of variations: NaN)."""
    n = len(np.atleast_1d(next(iter(given.values()))))
    table = {name: np.zeros(n, dtype) for name, dtype in DTYPES.items()}
    table["event"] = table["generator_event"] = np.arange(n, dtype="uint64")
    table["gen_weight"] = np.ones(n)
    table |= {name: np.full(n, np.nan, DTYPES[name]) for name in table if name.startswith("weight_")}
    table["passes"] = np.ones(n, "uint64")
    for name, values in given.items():
        table[name] = np.asarray(values, dtype=DTYPES[name])
    return table


def dataset(name: str, kind: str, process: str = "process", mass: float = 3.0) -> Dataset:
    """An entry of a catalogue."""
    extra: dict[str, Any] = {"primary_dataset": "SingleMuon"} if kind == "data" else {"cross_section": 1.0}
    if kind == "signal":
        extra["signal"] = {"mass": mass, "v2_mu": 1e-6, "ctau": 10.0}
    return Dataset(name=name, era="era", kind=kind, process=process, files=("none.root",), **extra)


def random(
    rng: np.random.Generator, n: int, *, signal: bool = False, correlated: bool = False
) -> tuple[Candidates, Any]:
    """Candidates and scores, one for both hypotheses.

    Background: a falling m(l1,SV) and, independent of it, a score near 0. With `correlated`, events in 50-85 GeV have
    larger scores. Signal: in 50-85 GeV with scores near 1.
    """
    mass = rng.normal(70, 8, n) if signal else rng.gamma(3, 25, n)
    power = np.where((mass > 50) & (mass < 85) & correlated, 2.0, 1.0)
    score = 1 - (rng.random(n) ** 8 if signal else 1 - rng.beta(0.15, 0.4, n)) ** power
    table = candidates(
        category=rng.integers(0, len(CATEGORIES), n),
        n_jets=np.minimum(1 + rng.poisson(0.9, n), 9),
        m_l1_sv=mass,
        m_sv=rng.gamma(2, 2 if signal else 1.2, n),
        delta_2d=rng.exponential(8 if signal else 4, n),
    )
    return table, score.astype(np.float32)


def scored(entry: Dataset, table: Candidates, score: Any, weight: Any = 1.0, **variations: Any) -> Scored:
    """As the stage reads it."""
    weights = {NOMINAL: table["gen_weight"] * weight}
    weights |= {name: weights[NOMINAL] * factor for name, factor in variations.items()}
    scores = {"low": np.asarray(score, dtype=np.float32), "high": np.asarray(score, dtype=np.float32)}
    return Scored(entry, table, scores, weights, np.arange(len(table["event"])))
