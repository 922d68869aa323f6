"""The statistical model: a sum of terms that share the signal strength and nuisance parameters.

The terms are cells of the ABCD estimate of section 8 (`inference.cells`) and channels of templates
(`inference.templates`), of which a counting experiment is one with one bin. All uncertainties are log-normal: a yield
is multiplied by kappa^theta, with a standard normal constraint on theta. So each is one number, a factor kappa (1: no
effect; 1.25: 25 %), and means the same in our likelihood, in pyhf, in HistFactory and in a Combine card. A nuisance
parameter is known by its name: the same name is the same parameter everywhere.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

# What makes a model can be had from here.
from hnl.inference.cells import A, check_nuisance
from hnl.inference.cells import Cell as Cell
from hnl.inference.cells import cells as cells
from hnl.inference.factors import shift_factor as shift_factor
from hnl.inference.model_errors import (
    BinningError,
    DuplicateCellError,
    FactorError,
    HiddenDataError,
    NoSignalError,
    ProcessError,
)
from hnl.inference.templates import TemplateChannel


@dataclass(frozen=True)
class Model:
    """Cells with the closure uncertainty of their categories, and templates; refuses what cannot be fitted.

    Its counts are in rows: first the cells, then the bins of each channel of templates. Arrays of counts have the
    shape (row, region). Only cells have the regions B, C and D; they are empty in other rows, and left out where no
    row is a cell.
    """

    cells: tuple[Cell, ...] = ()
    closure: Mapping[str, float] = field(default_factory=dict)  # category -> factor; 1 for none
    closure_correlated: bool = True  # one parameter for all bins of a category; the paper does not say: a switch
    templates: tuple[TemplateChannel, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", tuple(self.cells))
        object.__setattr__(self, "templates", tuple(self.templates))
        object.__setattr__(self, "closure", {name: float(value) for name, value in sorted(self.closure.items())})
        names = [term.name for term in self.terms]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise DuplicateCellError(f"more than once in the model: {', '.join(repeated)}")
        if not sum(cell.signal[A] for cell in self.cells) + sum(sum(t.signal) for t in self.templates) > 0:
            raise NoSignalError(
                f"no signal in region A of any of the {len(self.cells)} cells, "
                f"nor in any of the {len(self.templates)} channels of templates"
            )
        if set(self.closure) != {cell.category for cell in self.cells}:
            raise BinningError(f"closure is given for {sorted(self.closure)}, cells for {sorted(self.categories)}")
        for name, value in self.closure.items():
            if not (math.isfinite(value) and value > 0):
                raise FactorError(f"closure of {name} must be a positive factor, got {value}")
        if self.hidden and (shown := [term.name for term in self.terms if not term.hidden]):
            raise HiddenDataError(f"data are hidden (of cells: region A), but shown in {', '.join(shown)}")
        if all(value == 1 for value in self.closure.values()):
            object.__setattr__(self, "closure_correlated", True)  # nothing to correlate: one form only
        self._check_processes()

    def _check_processes(self) -> None:
        for channel in self.templates if self.cells else ():
            for name in channel.factors:
                check_nuisance(name)
        for process in self.free:
            having = [channel for channel in self.templates if process in channel.backgrounds]
            if constrained := [channel.name for channel in having if process not in channel.free]:
                raise ProcessError(
                    f"{process} is free in other channels, but not in {constrained[0]}: "
                    "make it free there too, or give it another name"
                )
            if not sum(sum(channel.backgrounds[process]) for channel in having) > 0:
                raise ProcessError(f"{process} is free, but has no events in any bin: leave it out")

    @property
    def terms(self) -> tuple[Cell | TemplateChannel, ...]:
        """Cells, then channels of templates."""
        return (*self.cells, *self.templates)

    @property
    def categories(self) -> tuple[str, ...]:
        """Of the cells, in their order."""
        return tuple(dict.fromkeys(cell.category for cell in self.cells))

    @property
    def hidden(self) -> bool:
        """The data (of cells: region A) are blinded: only expected results can be had."""
        return any(term.hidden for term in self.terms)

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the rows: CATEGORY_bNUMBER of cells, then CHANNEL_binNUMBER of templates."""
        bins = (channel.row(i) for channel in self.templates for i in range(channel.bins))
        return (*(cell.name for cell in self.cells), *bins)

    @property
    def regions(self) -> int:
        """Size of the axis of regions."""
        return 4 if self.cells else 1

    @property
    def free(self) -> tuple[str, ...]:
        """Processes with a free normalisation, sorted."""
        return tuple(sorted({process for channel in self.templates for process in channel.free}))

    @property
    def signal_nuisances(self) -> tuple[str, ...]:
        """Names of the nuisance parameters that all cells share, sorted."""
        return tuple(sorted({name for cell in self.cells for name in cell.signal_factors}))

    @property
    def shared_nuisances(self) -> tuple[str, ...]:
        """Names of the nuisance parameters that are given with cells and templates, sorted."""
        return tuple(sorted({*self.signal_nuisances, *(name for t in self.templates for name in t.factors)}))

    def closure_name(self, cell: Cell) -> str:
        """The nuisance parameter of the closure that acts on a cell."""
        return f"closure_{cell.category if self.closure_correlated else cell.name}"

    def observed(self) -> NDArray[np.float64]:
        """Events, shape (row, region).

        Raises:
            HiddenDataError: they are blinded.
        """
        if self.hidden:
            raise HiddenDataError("region A of the data is hidden: only expected results can be had (see Model.asimov)")
        return self.counts([cell.observed for cell in self.cells], [channel.observed for channel in self.templates])

    def signal(self) -> NDArray[np.float64]:
        """Events at mu = 1, shape (row, region)."""
        return self.counts([cell.signal for cell in self.cells], [channel.signal for channel in self.templates])

    def predicted(self) -> NDArray[np.float64]:
        """Background expected in A of cells, and in bins of templates, before any fit: shape (row,).

        All free normalisations have one common value, which gives the sum of the events in channels that have such a
        process, or a tenth of it if the other processes alone give more; 1 if the data are blinded.
        """
        having = [channel for channel in self.templates if channel.free and channel.observed]
        scale = 1.0
        if events := sum(sum(channel.observed or ()) for channel in having):
            free = sum(float(channel.free_background.sum()) for channel in having)
            others = sum(float(channel.background.sum()) for channel in having) - free
            scale = max(events - others, events / 10) / free
        bins = [channel.background + (scale - 1) * channel.free_background for channel in self.templates]
        return np.concatenate([[cell.predicted for cell in self.cells], *bins])

    def counts(
        self, cells: Sequence[Sequence[float | None]], templates: Sequence[Sequence[float] | None]
    ) -> NDArray[np.float64]:
        """An array of shape (row, region).

        Args:
            cells: values of each cell in A to D.
            templates: values of each channel in its bins.
        """
        result = np.zeros((len(self.rows), self.regions))
        result[: len(self.cells)] = np.array(cells, dtype=np.float64).reshape(-1, self.regions)
        result[len(self.cells) :, 0] = [value for values in templates for value in values or ()]
        return result

    def asimov(self, mu: float = 0.0) -> "Model":
        """The model with what is expected as data, with mu times the signal.

        Cells: B, C and D are as observed, or the floors; A is c_AB B C / D and is not looked at. Contamination of the
        observed sidebands by signal is not taken out of them. Templates: as `predicted`.
        """
        cells = []
        for cell in self.cells:
            background = (cell.predicted, *cell.sidebands)
            total = tuple(b + mu * s for b, s in zip(background, cell.signal, strict=True))
            cells.append(replace(cell, observed=total))
        rest = self.predicted()[len(cells) :]
        templates = []
        for channel in self.templates:
            expected, rest = np.split(rest, [channel.bins])
            templates.append(replace(channel, observed=tuple(expected + mu * np.array(channel.signal))))
        return replace(self, cells=tuple(cells), templates=tuple(templates))
