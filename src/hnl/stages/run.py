"""What the stages of one run share: an output folder, and what was read of it already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hnl import layout, provenance
from hnl.analysis import Analysis, AnalysisError
from hnl.datasets import years
from hnl.datasets.catalogue import Dataset
from hnl.inference.model import Model
from hnl.ml import scored, scoring
from hnl.ml.scored import Scored
from hnl.processors import selection
from hnl.processors.selection import Selection
from hnl.selections.displaced.hypotheses import HYPOTHESES

USED = ("category", "n_jets", "m_l1_sv", "m_sv", "delta_2d", "gen_weight", "gen_ctau", "gen_same_sign")


@dataclass
class Run:
    """An output folder whose candidates are read once, whatever number of stages wants them."""

    out: Path

    @cached_property
    def selection(self) -> Selection:
        """The finished selection.

        Raises:
            InputError, SelectionError: see `selection.load`.
        """
        return selection.load(self.out)

    @property
    def analysis(self) -> Analysis:
        """The search of the selection."""
        return self.selection.analysis

    @property
    def luminosity(self) -> float:
        """/fb, see `Catalogue.data_eras`."""
        return sum(era.luminosity for era in self.selection.catalogue.data_eras.values())

    @property
    def unblinded(self) -> bool:
        """Whether the signal region of data may be shown."""
        return (self.out / layout.UNBLINDED).is_file()

    def set_blinding(self, *, unblind: bool) -> bool:
        """Notes for all stages whether the signal region of data may be shown; returns whether that is new."""
        if unblind == self.unblinded:
            return False
        path = self.out / layout.UNBLINDED
        if unblind:
            provenance.write_json(path, {"unblinded": True, "provenance": provenance.record()})
        else:
            path.unlink()
        return True

    def label(self, *, hidden: bool) -> str:
        """Of every product made with the data of this run; `hidden` if they are blinded, or there are none."""
        energy = years.in_words(self.selection.catalogue.energies)
        return f"{self.luminosity:g}/fb ({energy})" + (", expected only: data are blinded" if hidden else "")

    @cached_property
    def _models(self) -> Mapping[str, Model]:
        if self.analysis.models is None:
            raise AnalysisError(f"the search '{self.analysis.title}' gives no statistical models")
        return self.analysis.models(self)

    def models(self, names: Sequence[str] = ()) -> dict[str, Model]:
        """The statistical models of the search; all, or those of some names.

        Raises:
            AnalysisError: the search has none, or none of a name.
        """
        if unknown := [name for name in names if name not in self._models]:
            raise AnalysisError(f"no model {unknown[0]!r}; there are {', '.join(self._models)}")
        return {name: self._models[name] for name in names or self._models}

    @cached_property
    def scored(self) -> Mapping[str, Scored]:
        """Every dataset with its scores and weights. Not to be asked for before the stage `score` is done.

        Raises:
            HNLError: see `read`.
        """
        return {one.name: read(self.selection, one) for one in self.selection.catalogue.datasets}


def read(selection: Selection, dataset: Dataset) -> Scored:
    """Candidates of a dataset with their scores and weights, in all variations.

    Raises:
        HNLError: see `ml.scoring.read`.
    """
    rows = selection.rows(dataset.name)
    scores = dict(zip(HYPOTHESES, scoring.read(selection.folder, dataset.name, rows), strict=True))
    weights = selection.weights(dataset, rows)
    columns = {name: rows[name] for name in USED}
    every = Scored(dataset, columns, scores, weights, scored.clusters(rows, dataset.is_data))
    return scored.by_variation(every, rows, selection.variations(dataset.name))
