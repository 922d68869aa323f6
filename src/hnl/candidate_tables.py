"""Candidates of a finished run as one table: with scores, final weights, and what the catalogue says of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hnl import analysis as searches
from hnl import layout, lineage, records
from hnl.analysis import Analysis
from hnl.datasets.catalogue import Dataset
from hnl.datasets.variations import NOMINAL
from hnl.errors import InputError
from hnl.inference.abcd import blinding
from hnl.inference.abcd.files import EstimateFile
from hnl.ml import scoring
from hnl.processors import parquet as tables
from hnl.processors import reading
from hnl.processors.lists import of_rows
from hnl.processors.rows import Candidates, passing
from hnl.processors.selection import Selection
from hnl.selections.displaced.hypotheses import HYPOTHESES
from hnl.selections.displaced.regions import RegionSettings

ALL = "all"
FINAL_WEIGHT = "final_weight"


class UnknownNameError(InputError):
    """No dataset, variation, column or histogram has this name; the message lists those that there are."""


class NoListsError(InputError):
    """No file of a dataset keeps the particles of jets."""


@dataclass(frozen=True)
class DatasetRows:
    """Some rows of a dataset with what is not in its parts; all arrays of one length."""

    dataset: Dataset
    rows: Candidates
    variations: tuple[str, ...]  # of jet energies
    scores: Mapping[str, np.ndarray]  # by column; empty without the stage score
    weights: Mapping[str, NDArray[np.float64]]  # final ones, by variation of weights
    lists: Mapping[str, pa.Array]  # those asked for

    def where(self, chosen: NDArray[np.bool_]) -> "DatasetRows":
        """Those of a mask."""
        rows, scores, weights = (
            {name: values[chosen] for name, values in each.items()} for each in (self.rows, self.scores, self.weights)
        )
        lists = {name: values.filter(pa.array(chosen)) for name, values in self.lists.items()}
        return DatasetRows(self.dataset, rows, self.variations, scores, weights, lists)


def read(
    selection: Selection, dataset: Dataset, variation: str, *, scored: bool, lists: Sequence[str] = ()
) -> DatasetRows:
    """Candidates of a dataset; none if it has no such variation.

    Args:
        selection: has the dataset.
        dataset: of the catalogue.
        variation: of jet energies: nominal, the name of one, or all.
        scored: whether to read scores.
        lists: names of those to read.

    Raises:
        NoListsError: lists are asked for, and none of its files has any.
        HNLError: see `Selection.rows`, `Selection.weights` and `ml.scoring.read`.
    """
    rows, names = selection.rows(dataset.name), selection.variations(dataset.name)
    found = scoring.read(selection.folder, dataset.name, rows) if scored else ()
    scores = dict(zip(scoring.COLUMNS, found, strict=True)) if scored else {}
    every = DatasetRows(dataset, rows, names, scores, selection.weights(dataset, rows), {})
    if variation != ALL:
        every = every.where(
            passing(rows, names.index(variation)) if variation in names else np.zeros(len(rows["event"]), bool)
        )
    return replace(every, lists=_lists(selection, dataset, every.rows, lists)) if lists else every


def _lists(selection: Selection, dataset: Dataset, rows: Candidates, names: Sequence[str]) -> dict[str, pa.Array]:
    manifests, units = selection.manifests[dataset.name], selection.units[dataset.name]
    if any(entry.candidates for entry in manifests) and not any(entry.lists for entry in manifests):
        raise NoListsError(
            f"dataset {dataset.name}: its files do not keep the particles of jets (PFCands of PFNano), so that there "
            f"are no {', '.join(names)}"
        )
    columns = selection.analysis.processor.lists
    found = of_rows(rows, reading.read_lists(selection.folder, manifests, units, columns), columns)
    return {name: found[name] for name in names}


def hidden(candidates: DatasetRows, selection: Selection) -> NDArray[np.bool_]:
    """What is not to be looked at of a dataset before unblinding: of data alone, see `Output.table`.

    Returns:
        bool, one for each row.
    """
    rows, search = candidates.rows, selection.analysis
    result = np.zeros(len(rows["event"]), dtype=bool)
    if not candidates.dataset.is_data:
        return result
    estimate = _estimate(selection, search)
    if estimate is not None and not estimate.hidden:
        return result
    if estimate is not None and candidates.scores:
        scores = dict(zip(HYPOTHESES, (candidates.scores[name] for name in scoring.COLUMNS), strict=True))
        edges = searches.part(selection.catalogue, RegionSettings)
        return blinding.in_signal_region(rows, scores, estimate.thresholds, edges)
    for split in search.distributions.splits:
        labels = [i for i, label in enumerate(split.labels) if label in search.distributions.hidden]
        result |= np.isin(split.index(rows), labels)
    return result


def _estimate(selection: Selection, search: Analysis) -> EstimateFile | None:
    """Of these very candidates and scores; None as long as there is none."""
    stage = next((stage for stage in search.stages if stage.name == "abcd"), None)
    if stage is None or lineage.stale(selection.folder, stage):
        return None
    return records.read(selection.folder / layout.ESTIMATE, EstimateFile)


def table(candidates: DatasetRows, search: Analysis, weights: Sequence[str]) -> pa.Table:
    """As `Output.table` describes it.

    Args:
        candidates: of a dataset.
        search: that it belongs to.
        weights: names of variations of weights.
    """
    dataset, rows = candidates.dataset, candidates.rows
    facts = {"process": dataset.process, "kind": dataset.kind, "era": dataset.era}
    columns: dict[str, pa.Array] = dict(tables.labels(rows, dataset.name, candidates.variations))
    columns |= {name: _names(np.zeros(len(rows["event"]), np.int32), [value]) for name, value in facts.items()}
    columns |= {c.name: pa.array(rows[c.name]) for c in search.columns if c.name != "passes"}
    if (categories := search.processor.categories) and "category" in columns:
        columns["category"] = _names(rows["category"], categories)
    columns |= {name: pa.array(values) for name, values in candidates.scores.items()}
    nominal = candidates.weights[NOMINAL]
    columns[FINAL_WEIGHT] = pa.array(nominal)
    columns |= {f"{FINAL_WEIGHT}_{name}": pa.array(candidates.weights.get(name, nominal)) for name in weights}
    columns |= candidates.lists
    fields = [pa.field(name, c.type, nullable=name in candidates.lists) for name, c in columns.items()]
    return pa.table(columns, schema=pa.schema(fields))


def _names(index: np.ndarray, names: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), pa.array(list(names)))


def check(names: Iterable[str], known: Iterable[str], what: str) -> None:
    """Whether all names are known.

    Raises:
        UnknownNameError: one is not.
    """
    listed = list(dict.fromkeys(known))
    for name in names:
        if name not in listed:
            raise UnknownNameError(f"no {what} {name!r}; there are {', '.join(listed) or 'none'}")
