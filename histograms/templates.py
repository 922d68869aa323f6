"""Templates of one variable: data, and every simulated process in all variations, for a fit of any search."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hnl.corrections import normalisation
from hnl.datasets.catalogue import Dataset
from hnl.datasets.variations import NOMINAL
from hnl.errors import InputError
from hnl.processors.rows import Candidates

if TYPE_CHECKING:  # what was selected is taken as it is
    from hnl.processors.selection import Selection

Events = NDArray[np.float64]  # per bin
Cut = Callable[[Candidates], NDArray[np.bool_]]


class TemplateError(InputError):
    """Candidates do not make templates."""


@dataclass(frozen=True)
class Template:
    """Events of one process in the luminosity of its eras; arrays have one entry per bin.

    Attributes:
        nominal: sums of weights.
        sum_w2: sums of squared weights.
        varied: NUISANCE_up, NUISANCE_down -> sums of weights.
        normalisations: nuisance -> relative uncertainty of the whole.
    """

    nominal: Events
    sum_w2: Events
    varied: Mapping[str, Events]
    normalisations: Mapping[str, float]


@dataclass(frozen=True)
class Templates:
    """What is observed and simulated in the bins of one variable.

    Attributes:
        edges: of the bins, in the unit of the column; candidates outside are in none.
        luminosity: of the eras with data, or of all if there are none, /fb.
        observed: events in data per bin, None without any.
        luminosity_uncertainties: nuisance -> relative uncertainty of the luminosity.
        backgrounds: by process, named as a nuisance parameter can be.
        signals: by dataset.
    """

    edges: Events
    luminosity: float
    luminosity_uncertainties: Mapping[str, float]
    observed: Events | None
    backgrounds: Mapping[str, Template]
    signals: Mapping[str, Template]


def fill(selection: "Selection", column: str, edges: Sequence[float], cut: Cut | None = None) -> Templates:
    """Fills templates from the candidates of a finished selection.

    Args:
        selection: with all its datasets.
        column: of the candidates.
        edges: increasing; a bin holds low <= value < high, the last one its upper edge as well.
        cut: bool per candidate, those that are filled; all by default.

    Raises:
        TemplateError: there is no such column, or simulation is of an era without data.
        CorrectionError: a weight cannot be had.
    """
    names = [c.name for c in selection.analysis.columns]
    if column not in names:
        raise TemplateError(f"candidates have no column {column!r}; they have {', '.join(names)}")
    catalogue, bins = selection.catalogue, np.asarray(edges, dtype=np.float64)

    def histogram(candidates: Candidates, weights: Events) -> Events:
        chosen = np.ones(len(weights), dtype=bool) if cut is None else np.asarray(cut(candidates))
        result: Events = np.histogram(candidates[column][chosen], bins, weights=weights[chosen])[0]
        return result

    data = [dataset for dataset in catalogue.datasets if dataset.is_data]
    eras = catalogue.data_eras
    if missing := sorted({dataset.era for dataset in catalogue.datasets} - set(eras)):
        raise TemplateError(f"{selection.folder}: simulation but no data in the eras {', '.join(missing)}")
    luminosity = sum(era.luminosity for era in eras.values())
    uncertainties: dict[str, float] = {}
    for era in eras.values():  # each with its share of the total
        for nuisance, size in normalisation.luminosity_uncertainties(era).items():
            uncertainties[nuisance] = uncertainties.get(nuisance, 0.0) + size * era.luminosity / luminosity
    counts = [histogram(rows, np.ones(len(rows["event"]))) for rows in map(selection.candidates, _names(data))]
    backgrounds: dict[str, list[Dataset]] = {}
    for dataset in catalogue.datasets:
        if dataset.kind == "background":
            backgrounds.setdefault(re.sub(r"\W", "_", dataset.process), []).append(dataset)
    return Templates(
        bins,
        luminosity,
        uncertainties,
        np.sum(counts, axis=0) if data else None,
        {process: _template(selection, datasets, histogram) for process, datasets in backgrounds.items()},
        {d.name: _template(selection, [d], histogram) for d in catalogue.datasets if d.kind == "signal"},
    )


def _names(datasets: Sequence[Dataset]) -> list[str]:
    return [dataset.name for dataset in datasets]


def _template(
    selection: "Selection", datasets: Sequence[Dataset], histogram: Callable[[Candidates, Events], Events]
) -> Template:
    """The sum of some datasets. One that a variation does not concern has its nominal yield in it."""
    parts = [_of_dataset(selection, dataset, histogram) for dataset in datasets]
    total = sum(part.nominal.sum() for part in parts)
    variations = dict.fromkeys(name for part in parts for name in part.varied)
    sizes = dict.fromkeys(name for part in parts for name in part.normalisations)
    return Template(
        np.sum([part.nominal for part in parts], axis=0),
        np.sum([part.sum_w2 for part in parts], axis=0),
        {name: np.sum([part.varied.get(name, part.nominal) for part in parts], axis=0) for name in variations},
        {
            name: sum(part.normalisations.get(name, 0.0) * part.nominal.sum() for part in parts) / total
            for name in (sizes if total > 0 else ())
        },
    )


def _of_dataset(
    selection: "Selection", dataset: Dataset, histogram: Callable[[Candidates, Events], Events]
) -> Template:
    candidates = selection.candidates(dataset.name)
    weights = selection.weights(dataset, candidates)
    varied = {name: histogram(candidates, weight) for name, weight in weights.items() if name != NOMINAL}
    for name in selection.variations(dataset.name)[1:]:  # of jet energies: other candidates
        rows = selection.candidates(dataset.name, name)
        varied[name] = histogram(rows, selection.weights(dataset, rows)[NOMINAL])
    sizes = normalisation.uncertainties(dataset, selection.catalogue.era(dataset))
    return Template(
        histogram(candidates, weights[NOMINAL]), histogram(candidates, weights[NOMINAL] ** 2), varied, sizes
    )
