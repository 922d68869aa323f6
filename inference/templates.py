"""Templates: the yields of signal and backgrounds, bin by bin, of one channel. One bin is a counting experiment.

A bin expects

    mu s x factors + sum over processes (norm_PROCESS) b x factors

All uncertainties are log-normal, as in `inference.cells`: a yield is multiplied by kappa^theta. A shape uncertainty has
one factor kappa for each bin and one common theta; a normalisation has the same factor in every bin. A nuisance
parameter of the same name is one parameter in all channels and cells. By name:

- `norm_PROCESS`: the normalisation of a process that is free in the fit, relative to the yields given; one for all
  channels that have the process, such as a signal region and a control region.
- `mc_CHANNEL_binN_signal`, `mc_CHANNEL_binN_background`: the statistics of simulation; of the background one for the
  sum of all processes (R. Barlow and C. Beeston, Comput. Phys. Commun. 77 (1993) 219, as simplified by J. Conway,
  arXiv:1103.0354), with a log-normal factor in place of a Gaussian one, so that no yield is negative.
- any other name: given with the channel.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hnl.inference.cells import NAME
from hnl.inference.factors import mc_factor, shift_factor
from hnl.inference.model_errors import (
    BinningError,
    EmptyBinError,
    FactorError,
    ForbiddenNameError,
    NegativeYieldError,
    NonFiniteError,
    ProcessError,
)

SIGNAL = "signal"  # among processes
Values = tuple[float, ...]  # one for each bin

_RESERVED = ("mc_", "norm_", "mu", "r")
_PROCESSES = (SIGNAL, "sig")  # the signal has these names in the files


@dataclass(frozen=True)
class TemplateChannel:
    """Bins of one channel, in events at mu = 1. Tuples are over bins; arrays are accepted.

    Values are stored in one form only: factors that are all 1 are left out, those of empty bins are 1, and processes
    are sorted.
    """

    name: str
    observed: tuple[float, ...] | None  # events; None if blinded; Asimov data need not be whole numbers
    signal: Values
    backgrounds: Mapping[str, Values]  # process -> events
    factors: Mapping[str, Mapping[str, Values]] = field(default_factory=dict)  # nuisance -> process or 'signal'
    free: tuple[str, ...] = ()  # processes whose normalisation is free in the fit
    signal_mc: Values | None = None  # factors of the statistics of simulation, see `factors.mc_factor`
    background_mc: Values | None = None  # of the sum of the backgrounds

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ForbiddenNameError(f"channel {self.name!r}: use letters, digits and _")
        for process in self.backgrounds:
            if not NAME.fullmatch(process) or process in _PROCESSES:
                raise ForbiddenNameError(
                    f"{self.name}: process {process!r}: use letters, digits, _; reserved: {', '.join(_PROCESSES)}"
                )
        object.__setattr__(self, "signal", self._yields(SIGNAL, self.signal))
        if not self.signal:
            raise BinningError(f"{self.name}: no bins")
        if self.observed is not None:
            object.__setattr__(self, "observed", self._yields("observed", self.observed))
        backgrounds = {name: self._yields(name, values) for name, values in sorted(self.backgrounds.items())}
        object.__setattr__(self, "backgrounds", backgrounds)
        object.__setattr__(self, "free", tuple(sorted(set(self.free))))
        if unknown := [process for process in self.free if process not in backgrounds]:
            raise ProcessError(f"{self.name}: {unknown[0]!r} is free, but the processes are {', '.join(backgrounds)}")
        object.__setattr__(self, "factors", self._sorted_factors())
        for name, nominal in (("signal_mc", np.array(self.signal)), ("background_mc", self.background)):
            given = getattr(self, name)
            ones = (1.0,) * self.bins
            object.__setattr__(self, name, ones if given is None else self._positive(name, given, nominal))
        if self.observed is not None:
            for i, (n, b) in enumerate(zip(self.observed, self.background, strict=True)):
                if n > 0 and b == 0:
                    raise EmptyBinError(
                        f"{self.row(i)}: {n:g} events but no background, so they would be impossible without signal; "
                        "merge the bin with its neighbour, or give what the background can be at most"
                    )

    @property
    def bins(self) -> int:
        """Number of bins."""
        return len(self.signal)

    @property
    def hidden(self) -> bool:
        """The data are blinded."""
        return self.observed is None

    @property
    def free_background(self) -> NDArray[np.float64]:
        """Sum of the processes with free normalisations, as given, (bin,)."""
        result = np.zeros(self.bins)
        for process in self.free:
            result += self.backgrounds[process]
        return result

    @property
    def background(self) -> NDArray[np.float64]:
        """Sum of the processes, as given: events expected without signal, (bin,)."""
        return np.array(
            [math.fsum(values) for values in zip(*self.backgrounds.values(), strict=True)] or [0.0] * self.bins
        )

    def row(self, number: int) -> str:
        """CHANNEL_binNUMBER, as in names of parameters, of Combine's bins and of pyhf's channels."""
        return f"{self.name}_bin{number}"

    def process_factors(self, process: str) -> dict[str, Values]:
        """The factors of one process, or of the signal, by nuisance parameter."""
        return {name: of[process] for name, of in self.factors.items() if process in of}

    def _sorted_factors(self) -> dict[str, dict[str, Values]]:
        nominal = {SIGNAL: self.signal, **self.backgrounds}
        result = {}
        for name, processes in sorted(self.factors.items()):
            if not NAME.fullmatch(name) or name.startswith(_RESERVED[:-2]) or name in _RESERVED[-2:]:
                raise ForbiddenNameError(
                    f"{self.name}: nuisance {name!r}: use letters, digits, _; reserved: {', '.join(_RESERVED)}"
                )
            if unknown := [process for process in processes if process not in nominal]:
                raise ProcessError(
                    f"{self.name}: {name} has factors for {unknown[0]!r}, not one of {', '.join(nominal)}"
                )
            kappas = {p: self._positive(f"{name} of {p}", v, nominal[p]) for p, v in sorted(processes.items())}
            if kappas := {process: values for process, values in kappas.items() if set(values) != {1.0}}:
                result[name] = kappas
        return result

    def _positive(self, what: str, values: Iterable[float], nominal: ArrayLike) -> Values:
        """Factors, 1 where nothing is expected."""
        kappas = self._numbers(what, values)
        if not all(kappa > 0 for kappa in kappas):
            raise FactorError(f"{self.name}: {what} must be positive factors, got {kappas}")
        return tuple(float(k) if y > 0 else 1.0 for k, y in zip(kappas, np.asarray(nominal), strict=True))

    def _yields(self, what: str, values: Iterable[float]) -> Values:
        numbers = self._numbers(what, values)
        for i, number in enumerate(numbers):
            if number < 0:
                raise NegativeYieldError(f"{self.row(i)}: {what} is negative: {number:g}")
        return numbers

    def _numbers(self, what: str, values: Iterable[float]) -> Values:
        """Finite numbers, one per bin."""
        array = np.asarray(values, dtype=np.float64)
        if array.shape != np.shape(self.signal) or array.ndim != 1:
            raise BinningError(
                f"{self.name}: {what} has the shape {array.shape}, the signal {np.shape(self.signal)}; use one axis"
            )
        for i, value in enumerate(array):
            if not math.isfinite(value):
                raise NonFiniteError(f"{self.row(i)}: {what} is {value}")
        return tuple(array.tolist())


def from_arrays(
    name: str,
    observed: ArrayLike | None,
    signal: ArrayLike,
    backgrounds: Mapping[str, ArrayLike],
    *,
    sum_w2: Mapping[str, ArrayLike] | None = None,
    varied: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]] | None = None,
    normalisations: Mapping[str, Mapping[str, float]] | None = None,
    free: Collection[str] = (),
) -> TemplateChannel:
    """A channel from histograms: values and variances of `hist`, for example.

    A sum of weights below zero, which negative weights of generators can give, is set to zero, as for signals of cells:
    the mean of a Poisson distribution is not negative. Its sum of squared weights is kept.

    Args:
        name: of the channel.
        observed: events, shape (bin,); None if blinded.
        signal: events at mu = 1, shape (bin,).
        backgrounds: process -> events, shape (bin,). Those of free processes may have any normalisation, but are
            taken as they are for expected results of blinded data.
        sum_w2: process, or 'signal' -> sums of squared weights, shape (bin,); no MC statistical error if not given.
            That of the background is kept however small, since data of many events would notice.
        varied: nuisance -> process, or 'signal' -> yields (up, down), shape (bin,) each; see `factors.shift_factor`.
        normalisations: nuisance -> process, or 'signal' -> factor in all bins, such as 1.016.
        free: processes whose normalisation is free in the fit.

    Raises:
        BinningError: the shapes do not match.
        ProcessError: there is no process of this name, or a nuisance parameter acts twice on one.
        ModelError: see `inference.model_errors`.
    """
    shape = np.shape(signal)

    def array(what: str, values: ArrayLike) -> NDArray[np.float64]:
        if np.shape(values) != shape:
            raise BinningError(f"{name}: {what} has the shape {np.shape(values)}, the signal {shape}")
        return np.asarray(values, dtype=np.float64)

    nominal = {p: np.maximum(array(p, values), 0) for p, values in {SIGNAL: signal, **backgrounds}.items()}
    factors: dict[str, dict[str, Values]] = {}
    for nuisance, shifts in (varied or {}).items():
        for process, (up, down) in shifts.items():
            _known(name, nuisance, process, nominal)
            both = array(f"{nuisance} up", up), array(f"{nuisance} down", down)
            factors.setdefault(nuisance, {})[process] = tuple(shift_factor(nominal[process], *both))
    for nuisance, sizes in (normalisations or {}).items():
        for process, factor in sizes.items():
            _known(name, nuisance, process, nominal)
            if process in factors.get(nuisance, {}):
                raise ProcessError(f"{name}: {nuisance} is given twice for {process}: by yields and by a factor")
            factors.setdefault(nuisance, {})[process] = (float(factor),) * len(nominal[SIGNAL])
    squares = {process: array(f"sum_w2 of {process}", values) for process, values in (sum_w2 or {}).items()}
    for process, values in squares.items():
        _known(name, "sum_w2", process, nominal)
        if (values < 0).any():
            raise NegativeYieldError(f"{name}: sum_w2 of {process} is negative: {values.min():g}")
    none = np.zeros(shape)
    total = sum((nominal[process] for process in backgrounds), none)
    error = np.sqrt(sum((values for process, values in squares.items() if process != SIGNAL), none))
    return TemplateChannel(
        name,
        None if observed is None else tuple(array("observed", observed)),
        tuple(nominal[SIGNAL]),
        {process: tuple(nominal[process]) for process in backgrounds},
        factors,
        tuple(free),
        tuple(mc_factor(nominal[SIGNAL], np.sqrt(squares.get(SIGNAL, none)))),
        tuple(mc_factor(total, error, 0.0)),
    )


def _known(name: str, nuisance: str, process: str, nominal: Mapping[str, object]) -> None:
    if process not in nominal:
        raise ProcessError(f"{name}: {nuisance} is given for {process!r}, not one of {', '.join(nominal)}")
