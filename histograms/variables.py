"""What of the candidates is histogrammed: variables, and the axes of names that tell candidates apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import hist
import numpy as np
from numpy.typing import NDArray

from hnl.processors.rows import Candidates


@dataclass(frozen=True)
class Variable:
    """One histogrammed variable; the last bin does not include the overflow, which is kept apart.

    Attributes:
        name: of the column of the candidates.
        bins: number of bins of equal width, or the edges of all bins, in the unit of the column.
        low, high: first and last edge of bins of equal width.
        label: of the axis, with its unit in brackets.
        title: of a figure.
        drawn_for: labels of the first split for which there is a figure; all by default.
    """

    name: str
    bins: int | tuple[float, ...]
    low: float = 0.0
    high: float = 0.0
    label: str = ""
    title: str = ""
    drawn_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """An axis of names, such as categories.

    Attributes:
        name: of the axis.
        labels: on the axis.
        index: from candidates to an index into `labels` per row.
        titles: of the labels, in figures; the labels themselves by default.
    """

    name: str
    labels: tuple[str, ...]
    index: Callable[[Candidates], NDArray[np.integer]]
    titles: tuple[str, ...] = ()

    def title(self, label: str) -> str:
        """Of a label, in figures."""
        return self.titles[self.labels.index(label)] if self.titles else label


@dataclass(frozen=True)
class Distributions:
    """What a search histograms of its candidates.

    Attributes:
        variables: a histogram each.
        splits: axes of names of every histogram. In figures the last one makes panels, those before it figures.
        hidden: labels of splits for which data are not histogrammed before they are unblinded.
    """

    variables: tuple[Variable, ...]
    splits: tuple[Split, ...] = ()
    hidden: frozenset[str] = frozenset()


def make(variable: Variable, splits: Sequence[Split], datasets: Sequence[str]) -> hist.Hist:
    """An empty histogram: dataset x splits x variable, weighted."""
    name, label = variable.name, variable.label
    axis: hist.axis.Regular | hist.axis.Variable
    if isinstance(variable.bins, tuple):
        axis = hist.axis.Variable(variable.bins, name=name, label=label)
    else:
        axis = hist.axis.Regular(variable.bins, variable.low, variable.high, name=name, label=label)
    return hist.Hist(
        hist.axis.StrCategory(datasets, name="dataset"),
        *(hist.axis.StrCategory(split.labels, name=split.name) for split in splits),
        axis,
        storage=hist.storage.Weight(),
    )
