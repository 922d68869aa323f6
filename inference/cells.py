"""A cell of the ABCD estimate of section 8: what is observed and expected in A to D of a bin, and how uncertain.

A cell is one bin of (m_SV, Delta_2D) of one category. With free rates b, c, d > 0 of its background, it expects

    A: mu s_A + c_AB (b c / d) x factors      B: mu s_B + b      C: mu s_C + c      D: mu s_D + d

The signal is in all four regions. The nuisance parameters, by name:

- `closure_CATEGORY`, or `closure_CELL` if not `Model.closure_correlated`: A of the background (Table 4, 20-30 %).
- `dy_CELL`: A of the background, from c_AB (Table 4, 20-50 %).
- `mc_CELL_REGION`: the statistics of the simulated signal.
- any other name: of the signal, one for all cells, regions and templates, with a factor for each (Table 4).

Our choice: the paper builds templates from data minus signal before the fit; here the rates are free in the fit, so
that signal in the sidebands is treated exactly at every mu.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hnl.corrections.nuisances import RESERVED
from hnl.inference.factors import mc_factor
from hnl.inference.model_errors import (
    BinningError,
    FactorError,
    ForbiddenNameError,
    MissingRegionError,
    NegativeYieldError,
    NonFiniteError,
)
from hnl.selections.displaced.regions import REGIONS

Values = tuple[float, ...]  # one for each of A, B, C, D

A, B, C, D = range(4)
NONE: Values = (1.0, 1.0, 1.0, 1.0)  # factors without effect
# Our choice: rates start, and blinded A is expected, from these counts where fewer are seen. Without a floor B C / D is
# undefined for D = 0, and no background at all is expected for B or C = 0.
FLOORS = (0.0, 0.5, 0.5, 1.0)
NAME = re.compile(r"[A-Za-z]\w*")

_CELL = re.compile(r"(?P<category>\w+)_b(?P<bin>\d+)")


def check_nuisance(name: str) -> None:
    """Refuses the names of what has a meaning of its own beside cells.

    Raises:
        ForbiddenNameError: it is such a name, or files cannot hold it.
    """
    if not NAME.fullmatch(name) or name.startswith(RESERVED[:-2]) or name in RESERVED[-2:]:
        raise ForbiddenNameError(f"nuisance {name!r}: use letters, digits, _; reserved: {', '.join(RESERVED)}")


@dataclass(frozen=True)
class Cell:
    """One bin of one category. Tuples are over A, B, C, D; arrays are accepted.

    Factors are stored in one form only: those that are all 1 are left out, and a region without signal has no MC error.
    """

    category: str
    bin: int  # `selections.displaced.regions.Bin.number`
    observed: tuple[float | None, ...]  # events; A is None in blinded data; Asimov data need not be whole numbers
    signal: Values  # events at mu = 1
    signal_mc: Values = NONE  # factors, see `factors.mc_factor`
    signal_factors: Mapping[str, Values] = field(
        default_factory=dict
    )  # nuisance -> factors, see `factors.shift_factor`
    c_ab: float = 1.0  # on the prediction of A (section 6, Drell-Yan)
    c_ab_factor: float = 1.0

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.category) or _CELL.fullmatch(self.category):
            raise ForbiddenNameError(f"category {self.category!r}: use letters, digits and _, and no ending like _b0")
        for name, values in (("observed", self.observed), ("signal", self.signal), ("signal_mc", self.signal_mc)):
            object.__setattr__(self, name, self._four(name, values, hidden=name == "observed"))
        factors = {}
        for name, values in sorted(self.signal_factors.items()):
            check_nuisance(name)
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


def cells(
    category: str,
    bins: Sequence[int],
    observed: ArrayLike,
    signal: ArrayLike,
    signal_error: ArrayLike | None = None,
    signal_factors: Mapping[str, ArrayLike] | None = None,
    c_ab: ArrayLike | None = None,
    c_ab_error: ArrayLike | None = None,
) -> tuple[Cell, ...]:
    """The cells of one category from arrays over (bin, region).

    Args:
        category: name.
        bins: numbers of the bins.
        observed: events, shape (bin, 4); NaN in all of column A if it is blinded.
        signal: events at mu = 1, shape (bin, 4).
        signal_error: its MC error in events, the same shape; none if not given.
        signal_factors: nuisance -> factor(s) that broadcast to (bin, 4), see `factors.shift_factor`.
        c_ab, c_ab_error: shape (bin,); 1 and 0 if not given.

    Raises:
        BinningError: the shapes do not match.
        ModelError: see `inference.model_errors`.
    """
    n = len(bins)
    expected: dict[str, tuple[Any, tuple[int, ...]]] = {
        "observed": (observed, (n, 4)),
        "signal": (signal, (n, 4)),
    }
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
