"""The candidates of a dataset with their scores and weights, in all variations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hnl.datasets.catalogue import Dataset
from hnl.datasets.variations import NOMINAL
from hnl.errors import InputError
from hnl.processors.rows import Candidates, generated_events, passing


@dataclass(frozen=True)
class Scored:
    """A dataset with what the stage needs of it; arrays over its nominal candidates."""

    dataset: Dataset
    columns: Mapping[str, np.ndarray]
    scores: Mapping[str, np.ndarray]  # by hypothesis
    weights: Mapping[str, NDArray[np.float64]]  # by variation, events expected in the luminosity
    cluster: NDArray[np.int64]  # equal for re-simulations of one generated event
    shifted: Mapping[str, "Scored"] = field(default_factory=dict)  # by variation of jet energies: candidates of its own

    def chosen(self, rows: NDArray[np.bool_]) -> "Scored":
        """Of some of the rows: a mask."""
        columns, scores, weights = (
            {name: values[rows] for name, values in each.items()} for each in (self.columns, self.scores, self.weights)
        )
        return Scored(self.dataset, columns, scores, weights, self.cluster[rows])


def by_variation(every: Scored, rows: Candidates, variations: Sequence[str]) -> Scored:
    """Nominal candidates with all weights, and those of each variation of jet energies with the nominal weight.

    Raises:
        InputError: a nuisance of jets has the name of a nuisance of weights.
    """
    if both := sorted(set(every.weights) & set(variations[1:])):
        raise InputError(
            f"era {every.dataset.era}: {both[0]} is a variation of weights and one of jet energies; "
            "call the nuisance in corrections.jets otherwise"
        )
    nominal, *shifted = (every.chosen(passing(rows, i)) for i in range(len(variations)))
    only_nominal = (replace(one, weights={NOMINAL: one.weights[NOMINAL]}) for one in shifted)
    return replace(nominal, shifted=dict(zip(variations[1:], only_nominal, strict=True)))


def clusters(candidates: Candidates, is_data: bool) -> np.ndarray:
    """Number of the event that each row is independent of others by: of data, each row its own."""
    return np.arange(len(candidates["event"])) if is_data else generated_events(candidates)
