"""Filling histograms from candidates."""

from collections.abc import Collection, Mapping, Sequence

import hist
import numpy as np

from hnl.datasets.variations import NOMINAL
from hnl.errors import HNLError
from hnl.histograms.variables import Distributions, make
from hnl.processors.rows import Candidates

Histograms = dict[str, hist.Hist]
HIDDEN = "hidden"  # in the metadata of a histogram


class WeightError(HNLError):
    """A weight is not a number."""


def fill_varied(
    datasets: Mapping[str, tuple[Candidates, Mapping[str, np.ndarray]]],
    distributions: Distributions,
    variations: Sequence[str],
    blinded: Collection[str] = (),
) -> Histograms:
    """Fills every variable with nominal weights, and again in some variations of them.

    Args:
        datasets: name -> candidates, and their weights by variation. What does not vary a dataset is nominal there.
        distributions: of the search.
        variations: NUISANCE_up, NUISANCE_down, ...
        blinded: see `fill`.

    Returns:
        As `fill`; a variation is VARIABLE_VARIATION.

    Raises:
        WeightError: see `fill`.
    """
    histograms: Histograms = {}
    for variation in (NOMINAL, *variations):
        weighted = {name: (rows, of.get(variation, of[NOMINAL])) for name, (rows, of) in datasets.items()}
        end = "" if variation == NOMINAL else f"_{variation}"
        histograms |= {f"{name}{end}": filled for name, filled in fill(weighted, distributions, blinded).items()}
    return histograms


def fill(
    datasets: Mapping[str, tuple[Candidates, np.ndarray]],
    distributions: Distributions,
    blinded: Collection[str] = (),
) -> Histograms:
    """Fills every variable.

    Args:
        datasets: name -> candidates and their weights.
        distributions: of the search.
        blinded: datasets that are left out where the distributions are `hidden`. The metadata of the histograms say it:
            'hidden' has those labels, or none if no dataset is blinded.

    Returns:
        variable -> histogram with the axes dataset, splits, variable.

    Raises:
        WeightError: names the dataset.
    """
    splits = distributions.splits
    histograms = {variable.name: make(variable, splits, list(datasets)) for variable in distributions.variables}
    labels = [np.array(split.labels) for split in splits]
    for name, (candidates, weight) in datasets.items():
        if not np.isfinite(weight).all():
            raise WeightError(f"dataset {name}: a candidate has the weight {weight[~np.isfinite(weight)][0]}")
        places = [names[split.index(candidates)] for split, names in zip(splits, labels, strict=True)]
        shown = np.ones(len(weight), dtype=bool)
        if name in blinded:
            for place in places:
                shown &= ~np.isin(place, list(distributions.hidden))
        for variable, histogram in histograms.items():
            values = candidates[variable][shown]
            histogram.fill(name, *(place[shown] for place in places), values, weight=weight[shown])
    for histogram in histograms.values():
        histogram.metadata = {HIDDEN: sorted(distributions.hidden) if blinded else []}
    return histograms


def hidden(histograms: Histograms, distributions: Distributions) -> frozenset[str]:
    """The labels where histograms hold no data; those of the search if the histograms do not say."""
    said = [(histogram.metadata or {}).get(HIDDEN, distributions.hidden) for histogram in histograms.values()]
    return frozenset().union(*said)
