"""Filling histograms from candidates."""

import hist
import numpy as np

from hnl.errors import HNLError
from hnl.histograms.variables import SELECTIONS, VARIABLES, make
from hnl.processors.rows import Candidates
from hnl.selections.displaced.categories import CATEGORIES

Histograms = dict[str, hist.Hist]


class WeightError(HNLError):
    """A weight is not a number."""


def fill(datasets: dict[str, tuple[Candidates, np.ndarray]]) -> Histograms:
    """Fills every variable of `VARIABLES`.

    Args:
        datasets: name -> candidates and their weights.

    Returns:
        variable -> histogram with the axes dataset, selection, category, variable.

    Raises:
        WeightError: names the dataset.
    """
    histograms = {variable.name: make(variable, list(datasets)) for variable in VARIABLES}
    categories, selections = np.array(CATEGORIES), np.array(SELECTIONS)
    for name, (candidates, weight) in datasets.items():
        if not np.isfinite(weight).all():
            raise WeightError(f"dataset {name}: a candidate has the weight {weight[~np.isfinite(weight)][0]}")
        category = categories[candidates["category"]]
        selection = selections[(candidates["n_jets"] > 1).astype(int)]
        for variable, histogram in histograms.items():
            histogram.fill(name, selection, category, candidates[variable], weight=weight)
    return histograms
