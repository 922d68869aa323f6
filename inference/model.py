"""The statistical model of section 8: what is observed and expected in A to D of every bin, and how uncertain it is.

A cell is one bin of (m_SV, Delta_2D) of one category. With free rates b, c, d > 0 of its background, it expects

    A: mu s_A + c_AB (b c / d) x factors      B: mu s_B + b      C: mu s_C + c      D: mu s_D + d

The signal is in all four regions. All uncertainties are log-normal: a yield is multiplied by kappa^theta, with a
standard normal constraint on theta. So each is one number, a factor kappa (1: no effect; 1.25: 25 %), and means
the same in our likelihood, in pyhf, in HistFactory and in a Combine card.

The nuisance parameters, by name:

- any other name: of the signal, one for all cells and regions, with a factor for each (Table 4).
- `closure_CATEGORY`, or `closure_CELL` if not `closure_correlated`: A of the background (Table 4, 20-30 %).
- `dy_CELL`: A of the background, from c_AB (Table 4, 20-50 %).
- `mc_CELL_REGION`: the statistics of the simulated signal.

Our choice: the paper builds templates from data minus signal before the fit; here the rates are free in the fit, so
that signal in the sidebands is treated exactly at every mu.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hnl.errors import InputError
from hnl.selections.displaced.regions import REGIONS

Values = tuple[float, ...]  # one for each of A, B, C, D

A, B, C, D = range(4)
NONE: Values = (1.0, 1.0, 1.0, 1.0)  # factors without effect
# Our choice: rates start, and blinded A is expected, from these counts where fewer are seen. Without a floor B C / D is
# undefined for D = 0, and no background at all is expected for B or C = 0.
FLOORS = (0.0, 0.5, 0.5, 1.0)
# Our choice: a smaller relative error of the simulated signal is neglected. Table 4 has 4-10 % for each cell anyway.
NEGLIGIBLE_MC = 0.02
RESERVED = ("closure_", "dy_", "mc_", "cAB_", "nA_", "nB_", "nC_", "nD_", "fB_", "fC_", "fD_", "mu", "r")

_NAME = re.compile(r"[A-Za-z]\w*")
_CELL = re.compile(r"(?P<category>\w+)_b(?P<bin>\d+)")


class ModelError(InputError):
    """Yields or uncertainties do not make a model; the message names the cell. Base of the errors below."""


class MissingRegionError(ModelError):
    """A cell does not have a value for each of A, B, C, D."""


class NegativeYieldError(ModelError):
    """A yield is negative. Sums of negative weights have to be dealt with before."""


class NonFiniteError(ModelError):
    """A yield, an error or a factor is not a finite number."""


class FactorError(ModelError):
    """A log-normal factor is not positive, or is given for what cannot have it."""


class NoSignalError(ModelError):
    """No cell has signal in A: there is nothing to set a limit on."""


class BinningError(ModelError):
    """Arrays of observed and signal yields do not have the same bins, or a category's closure does not match."""


class DuplicateCellError(ModelError):
    """Two cells are the same bin of the same category."""


class ForbiddenNameError(ModelError):
    """A category or nuisance has a name that the exported files cannot hold, or that is reserved."""


class HiddenDataError(ModelError):
    """An observed result is asked of blinded data, or only some cells are blinded."""


@dataclass(frozen=True)
class Cell:
    """One bin of one category. Tuples are over A, B, C, D; arrays are accepted.

    Factors are stored in one form only: those that are all 1 are left out, and a region without signal has no MC error.
    """

    category: str
    bin: int  # `selections.regions.Bin.number`
    observed: tuple[float | None, ...]  # events; A is None in blinded data; Asimov data need not be whole numbers
    signal: Values  # events at mu = 1
    signal_mc: Values = NONE  # factors, see `mc_factor`
    signal_factors: Mapping[str, Values] = field(default_factory=dict)  # nuisance -> factors, see `shift_factor`
    c_ab: float = 1.0  # on the prediction of A (section 6, Drell-Yan)
    c_ab_factor: float = 1.0

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.category) or _CELL.fullmatch(self.category):
            raise ForbiddenNameError(f"category {self.category!r}: use letters, digits and _, and no ending like _b0")
        for name, values in (("observed", self.observed), ("signal", self.signal), ("signal_mc", self.signal_mc)):
            object.__setattr__(self, name, self._four(name, values, hidden=name == "observed"))
        factors = {}
        for name, values in sorted(self.signal_factors.items()):
            if not _NAME.fullmatch(name) or name.startswith(RESERVED[:-2]) or name in RESERVED[-2:]:
                raise ForbiddenNameError(f"nuisance {name!r}: use letters, digits, _; reserved: {', '.join(RESERVED)}")
            factors[name] = self._positive(name, self._four(name, values))
        object.__setattr__(self, "signal_factors", {k: v for k, v in factors.items() if v != NONE})
        mc = self._positive("signal_mc", self.signal_mc)
        object.__setattr__(self, "signal_mc", tuple(k if s > 0 else 1.0 for k, s in zip(mc, self.signal, strict=True)))
        for name in ("c_ab", "c_ab_factor"):
            value = float(getattr(self, name))
            object.__setattr__(self, name, self._positive(name, (value,))[0])

    @property
    def name(self) -> str:
        """CATEGORY_bNUMBER, as in names of parameters, channels and Combine's bins."""
        return f"{self.category}_b{self.bin}"

    @property
    def hidden(self) -> bool:
        """A is blinded."""
        return self.observed[A] is None

    @property
    def sidebands(self) -> tuple[float, float, float]:
        """B, C, D observed, or the floor where fewer are."""
        b, c, d = (max(n or 0.0, floor) for n, floor in zip(self.observed[1:], FLOORS[1:], strict=True))
        return b, c, d

    @property
    def predicted(self) -> float:
        """c_AB B C / D with the floors: what blinded A is expected to have without signal."""
        b, c, d = self.sidebands
        return self.c_ab * b * c / d

    def _four(self, what: str, values: Any, *, hidden: bool = False) -> tuple[float | None, ...]:
        if np.shape(values) != (len(REGIONS),):
            raise MissingRegionError(
                f"{self.name}: {what} needs a value for each region {', '.join(REGIONS)}, got {values!r}"
            )
        result: list[float | None] = []
        for region, value in zip(REGIONS, values, strict=True):
            if hidden and region == "A" and value is None:
                result.append(None)
                continue
            number = math.nan if value is None else float(value)
            if not math.isfinite(number):
                raise NonFiniteError(f"{self.name}: {what} in region {region} is {value!r}")
            if number < 0:
                raise NegativeYieldError(f"{self.name}: {what} in region {region} is negative: {number:g}")
            result.append(number)
        return tuple(result)

    def _positive(self, what: str, values: Sequence[Any]) -> Values:
        if not all(math.isfinite(v) and v > 0 for v in values):
            raise FactorError(f"{self.name}: {what} must be positive factors, got {tuple(values)}")
        return tuple(values)


@dataclass(frozen=True)
class Model:
    """Cells with the closure uncertainty of their categories; refuses what cannot be fitted (see the errors above)."""

    cells: tuple[Cell, ...]
    closure: Mapping[str, float]  # category -> factor; 1 for none
    closure_correlated: bool = True  # one parameter for all bins of a category; the paper does not say: a switch

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", tuple(self.cells))
        object.__setattr__(self, "closure", {name: float(value) for name, value in sorted(self.closure.items())})
        names = [cell.name for cell in self.cells]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise DuplicateCellError(f"more than once in the model: {', '.join(repeated)}")
        if not sum(cell.signal[A] for cell in self.cells) > 0:
            raise NoSignalError(f"no signal in region A of any of the {len(names)} cells")
        if set(self.closure) != {cell.category for cell in self.cells}:
            raise BinningError(f"closure is given for {sorted(self.closure)}, cells for {sorted(self.categories)}")
        for name, value in self.closure.items():
            if not (math.isfinite(value) and value > 0):
                raise FactorError(f"closure of {name} must be a positive factor, got {value}")
        if self.hidden and not all(cell.hidden for cell in self.cells):
            shown = [cell.name for cell in self.cells if not cell.hidden]
            raise HiddenDataError(f"region A is hidden in some cells but shown in {', '.join(shown)}")
        if all(value == 1 for value in self.closure.values()):
            object.__setattr__(self, "closure_correlated", True)  # nothing to correlate: one form only

    @property
    def categories(self) -> tuple[str, ...]:
        """In the order of the cells."""
        return tuple(dict.fromkeys(cell.category for cell in self.cells))

    @property
    def hidden(self) -> bool:
        """Region A is blinded: only expected results can be had."""
        return any(cell.hidden for cell in self.cells)

    @property
    def signal_nuisances(self) -> tuple[str, ...]:
        """Names of the nuisance parameters that all cells share, sorted."""
        return tuple(sorted({name for cell in self.cells for name in cell.signal_factors}))

    def closure_name(self, cell: Cell) -> str:
        """The nuisance parameter of the closure that acts on a cell."""
        return f"closure_{cell.category if self.closure_correlated else cell.name}"

    def observed(self) -> Any:
        """Events, shape (cell, region).

        Raises:
            HiddenDataError: A is blinded.
        """
        if self.hidden:
            raise HiddenDataError("region A of the data is hidden: only expected results can be had (see Model.asimov)")
        return np.array([cell.observed for cell in self.cells], dtype=np.float64)

    def signal(self) -> Any:
        """Events at mu = 1, shape (cell, region)."""
        return np.array([cell.signal for cell in self.cells])

    def asimov(self, mu: float = 0.0) -> "Model":
        """The model with what its sidebands predict as data.

        B, C and D are as observed, or the floors; A is c_AB B C / D; mu times the signal is added.
        A is not looked at. Contamination of the observed sidebands by signal is not taken out of them.
        """
        cells = []
        for cell in self.cells:
            background = (cell.predicted, *cell.sidebands)
            total = tuple(b + mu * s for b, s in zip(background, cell.signal, strict=True))
            cells.append(replace(cell, observed=total))
        return replace(self, cells=tuple(cells))


def cells(
    category: str,
    bins: Sequence[int],
    observed: Any,
    signal: Any,
    signal_error: Any = None,
    signal_factors: Mapping[str, Any] | None = None,
    c_ab: Any = None,
    c_ab_error: Any = None,
) -> tuple[Cell, ...]:
    """The cells of one category from arrays over (bin, region).

    Args:
        category: name.
        bins: numbers of the bins.
        observed: events, shape (bin, 4); NaN in all of column A if it is blinded.
        signal: events at mu = 1, shape (bin, 4).
        signal_error: its MC error in events, the same shape; none if not given.
        signal_factors: nuisance -> factor(s) that broadcast to (bin, 4), see `shift_factor`.
        c_ab, c_ab_error: shape (bin,); 1 and 0 if not given.

    Raises:
        BinningError: the shapes do not match.
        ModelError: see the errors of this module.
    """
    n = len(bins)
    expected: dict[str, tuple[Any, tuple[int, ...]]] = {"observed": (observed, (n, 4)), "signal": (signal, (n, 4))}
    optional = {"signal_error": (signal_error, (n, 4)), "c_ab": (c_ab, (n,)), "c_ab_error": (c_ab_error, (n,))}
    expected |= {name: given for name, given in optional.items() if given[0] is not None}
    for name, (array, shape) in expected.items():
        if np.ndim(array) == 2 and np.shape(array)[0] == n and np.shape(array)[1] != 4:
            raise MissingRegionError(f"{category}: {name} has {np.shape(array)[1]} regions, not {', '.join(REGIONS)}")
        if np.shape(array) != shape:
            raise BinningError(f"{category}: {name} has the shape {np.shape(array)}, {n} bins need {shape}")
    factors = {}
    for name, value in (signal_factors or {}).items():
        try:
            factors[name] = np.broadcast_to(np.asarray(value, dtype=np.float64), (n, 4))
        except ValueError as error:
            raise BinningError(f"{category}: {name} has the shape {np.shape(value)}, not {(n, 4)}") from error
    data = np.asarray(observed, dtype=np.float64)
    blinded = bool(n) and bool(np.isnan(data[:, A]).all())
    signal = np.asarray(signal, dtype=np.float64)
    mc = np.ones((n, 4)) if signal_error is None else mc_factor(signal, signal_error)
    c = np.ones(n) if c_ab is None else np.asarray(c_ab, dtype=np.float64)
    c_error = np.zeros(n) if c_ab_error is None else np.asarray(c_ab_error, dtype=np.float64)
    return tuple(
        Cell(
            category,
            int(number),
            (None, *data[i, 1:]) if blinded else tuple(data[i]),
            tuple(signal[i]),
            tuple(mc[i]),
            {name: tuple(value[i]) for name, value in factors.items()},
            float(c[i]),
            float(1 + c_error[i] / c[i]),
        )
        for i, number in enumerate(bins)
    )


def mc_factor(signal: Any, error: Any) -> Any:
    """1 + error / signal, the factor of the statistics of simulation; 1 below `NEGLIGIBLE_MC` and without signal.

    Args:
        signal: yield, any shape.
        error: of the yield (root of the sum of squared weights).
    """
    signal, error = np.asarray(signal, dtype=np.float64), np.asarray(error, dtype=np.float64)
    relative = np.divide(error, signal, out=np.zeros(signal.shape), where=signal > 0)
    return np.where(relative < NEGLIGIBLE_MC, 1.0, 1 + relative)  # NaN stays and is refused


def shift_factor(nominal: Any, up: Any, down: Any) -> Any:
    """The factor of a shifted signal: sqrt(up / down), or the larger shift, upwards, where both go the same way.

    Our choice: one factor in place of two, since tools interpolate between two differently. Where a yield is zero the
    shift cannot be told, and the factor is 1; shifts are limited to a factor of 2.

    Args:
        nominal, up, down: yields, one shape.
    """
    nominal, up, down = (np.asarray(v, dtype=np.float64) for v in (nominal, up, down))
    some = ~((nominal <= 0) | (up <= 0) | (down <= 0))  # NaN is some, and is refused later
    high = np.log(np.divide(up, nominal, out=np.ones(nominal.shape), where=some))
    low = np.log(np.divide(down, nominal, out=np.ones(nominal.shape), where=some))
    larger = np.maximum(np.abs(high), np.abs(low))
    shift = np.where(high * low > 0, larger, (high - low) / 2)
    return np.exp(np.clip(shift, -math.log(2), math.log(2)))
