"""The likelihood of `inference.model`, with exact first and second derivatives, for many data sets at once.

Its counts are in rows: a cell with its regions A to D, or a bin of a template, with one. Parameters are of two kinds.
Those of one row only: log b, log c, log d of a cell, and the nuisance parameters that act on this row alone. Those of
all rows: mu, the other nuisance parameters, and the logarithms of free normalisations. Each expected yield is

    nu = mu s exp(a_s . x) + sum over processes of k exp(a_b . x)

with constant vectors a, so the derivatives are exact and short. The ABCD estimate is one process with a_b = (1, 1, -1)
for log b, log c, log d in A, and so on. Every array has the data sets (toys) as its first axis. What a row does not
have is padded: regions with no events, seen or expected, and nuisance parameters without effect, held by their
constraints.

Rates and normalisations are logarithms and so have no bounds: where nothing is observed they run to minus infinity.
`inference.minimizer` finds minima.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hnl.errors import HNLError
from hnl.inference.arrays import Floats, Mask
from hnl.inference.cells import FLOORS, A, Cell
from hnl.inference.model import Model
from hnl.inference.templates import SIGNAL
from hnl.selections.displaced.regions import REGIONS

RATES = ("nB", "nC", "nD")
FREE = "norm_"  # before the process, in names of free normalisations
MC_OF_CELLS = tuple(f"mc_{region}" for region in REGIONS)
MC_SIGNAL, MC_BACKGROUND = "mc_signal", "mc_background"  # of templates
OWN = ("closure", "dy", *MC_OF_CELLS, MC_SIGNAL, MC_BACKGROUND)  # nuisance parameters of single rows
FEW_EVENTS = 0.5  # free normalisations start with no fewer


class FitError(HNLError):
    """A fit did not end in a minimum: there is no result, rather than a wrong one."""


class Data(NamedTuple):
    """Observations and auxiliary measurements (the centres of the constraints) of T data sets."""

    n: Floats  # (T, row, region)
    aux_local: Floats  # (T, row, local parameter); of the rates unused
    aux_common: Floats  # (T, common parameter); of mu and free normalisations unused

    def take(self, chosen: slice | Mask | NDArray[np.int64]) -> "Data":
        """Some of the data sets."""
        return Data(self.n[chosen], self.aux_local[chosen], self.aux_common[chosen])


class Fits(NamedTuple):
    """Minima of T data sets."""

    local: Floats  # (T, row, local parameter): log b, log c, log d if there are cells, then nuisance parameters
    common: Floats  # (T, common parameter): mu, nuisance parameters, logarithms of free normalisations
    nll: Floats  # (T,): -log L over that of the saturated model, constraints included
    converged: Mask  # (T,)

    @property
    def mu(self) -> Floats:
        """Signal strength, (T,)."""
        return self.common[:, 0]

    def checked(self, what: str) -> "Fits":
        """Itself.

        Raises:
            FitError: not all converged.
        """
        if not self.converged.all():
            raise FitError(f"the fit of {what} did not converge (-log L = {self.nll[~self.converged][0]:.6g})")
        return self


class Likelihood:
    """-log L of a model and its derivatives. Data are arguments: the model's own come from `data`."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.n_rates = len(RATES) if model.cells else 0
        self.own_factors = own = {name: self._own_factors(name) for name in OWN}
        self.local = (*RATES[: self.n_rates], *(name for name, factors in own.items() if np.any(factors != 1)))
        closure = [f"closure_{c}" for c in model.categories if model.closure_correlated and model.closure[c] != 1]
        self.common = ("mu", *model.shared_nuisances, *closure, *(FREE + process for process in model.free))
        self.n_local, self.n_common = len(self.local), len(self.common)
        self.free = np.arange(self.n_common - len(model.free), self.n_common)  # of the common parameters
        processes = max((len(channel.backgrounds) for channel in model.templates), default=1)
        shape = (len(model.rows), model.regions, self.n_local + self.n_common)
        self.signal_exponents = np.zeros(shape)
        self.background_exponents = np.zeros((max(processes, 1), *shape))  # (process, row, region, parameter)
        self._signal = model.signal()
        self.scales = np.zeros(self.background_exponents.shape[:3])
        if model.cells:
            self._fill_cells()
        self._fill_templates()
        in_a = self.scales[..., A], self.background_exponents[..., A, self.n_local :]
        # Events of the processes with free normalisations as given, (process, row).
        self.free_yields = np.array([(in_a[0] * in_a[1][..., j]).sum(axis=0) for j in self.free]).reshape(-1, shape[0])
        both = np.concatenate([self.signal_exponents, *self.background_exponents], axis=1)
        self._outer = (both[..., :, None] * both[..., None, :]).reshape(*both.shape[:2], shape[2] ** 2)
        self.constrained_local = np.ones((len(model.rows), self.n_local))  # of the rows
        self.constrained_local[: len(model.cells), : self.n_rates] = 0
        self.constrained_common = np.ones(self.n_common)
        self.constrained_common[0] = self.constrained_common[self.free] = 0

    def _own_factors(self, name: str) -> Floats:
        """Factors of the nuisance parameters of single rows, (row,)."""

        def of(cell: Cell) -> float:
            if name == "closure":
                return 1.0 if self.model.closure_correlated else self.model.closure[cell.category]
            if name == "dy":
                return cell.c_ab_factor
            return cell.signal_mc[REGIONS.index(name[-1])] if name in MC_OF_CELLS else 1.0

        channels = self.model.templates
        of_bins = {MC_SIGNAL: [t.signal_mc for t in channels], MC_BACKGROUND: [t.background_mc for t in channels]}
        ones = [(1.0,) * channel.bins for channel in channels]
        return np.array([*map(of, self.model.cells), *(k for ks in of_bins.get(name, ones) for k in ks or ())])

    def _fill_cells(self) -> None:
        cells = self.model.cells
        k = len(cells)
        s, b = self.signal_exponents, self.background_exponents[0]
        for j in range(3):
            b[:k, j + 1, j] = 1  # B: b, C: c, D: d
        b[:k, A, :3] = 1, 1, -1  # A: b c / d
        self.scales[0, :k] = 1
        self.scales[0, :k, A] = [cell.c_ab for cell in cells]
        for j, name in enumerate(self.local[3:], start=3):
            target = s[:k, REGIONS.index(name[-1]), j] if name in MC_OF_CELLS else b[:k, A, j]
            target[:] = np.log(self.own_factors[name][:k])
        for i, cell in enumerate(cells):
            for j, name in enumerate(self.common, start=self.n_local):
                s[i, :, j] = np.log(cell.signal_factors.get(name, (1.0,) * 4))
                if name == f"closure_{cell.category}":
                    b[i, A, j] = np.log(self.model.closure[cell.category])

    def _fill_templates(self) -> None:
        first = len(self.model.cells)
        for channel in self.model.templates:
            rows = slice(first, first + channel.bins)
            first += channel.bins
            terms = [(SIGNAL, MC_SIGNAL, self.signal_exponents)]
            for p, (process, yields) in enumerate(channel.backgrounds.items()):
                self.scales[p, rows, A] = yields
                terms.append((process, MC_BACKGROUND, self.background_exponents[p]))
            for process, mc, exponents in terms:
                if mc in self.local:
                    exponents[rows, A, self.local.index(mc)] = np.log(self.own_factors[mc][rows])
                for name, factors in channel.process_factors(process).items():
                    exponents[rows, A, self.n_local + self.common.index(name)] = np.log(factors)
                if process in channel.free:
                    exponents[rows, A, self.n_local + self.common.index(FREE + process)] = 1

    def data(self, n: ArrayLike | None = None) -> Data:
        """Observations, those of the model by default, with auxiliary measurements at zero.

        Args:
            n: events, shape (row, region) or (T, row, region).

        Raises:
            HiddenDataError: the model's are blinded.
        """
        n = np.asarray(self.model.observed() if n is None else n, dtype=np.float64)
        n = n.reshape(-1, *self._signal.shape)
        return Data(n, np.zeros((*n.shape[:2], self.n_local)), np.zeros((len(n), self.n_common)))

    def parts(self, local: Floats, common: Floats) -> tuple[Floats, Floats]:
        """Signal at mu = 1 and the sum of the backgrounds, shape (T, row, region), each."""
        signal, *backgrounds = self.terms(local, common)
        return signal, _total(backgrounds)

    def terms(self, local: Floats, common: Floats) -> list[Floats]:
        """Signal at mu = 1, then each process, shape (T, row, region)."""
        m = self.n_local
        scaled = [(self._signal, self.signal_exponents), *zip(self.scales, self.background_exponents, strict=True)]
        with np.errstate(over="ignore", invalid="ignore"):
            return [
                scale * np.exp(np.einsum("tkj,krj->tkr", local, a[..., :m]) + np.tensordot(common, a[..., m:], (1, 2)))
                for scale, a in scaled
            ]

    def background_slope(self, local: Floats, common: Floats) -> Floats:
        """Derivatives of the logarithm of the background, shape (T, row, region, parameter)."""
        _, *backgrounds = self.terms(local, common)
        total = _total(backgrounds)
        first, *others = self.background_exponents
        slope = np.broadcast_to(first, (*total.shape, first.shape[-1]))
        for exponents, part in zip(others, backgrounds[1:], strict=True):
            share = np.divide(part, total, out=np.zeros(total.shape), where=total > 0)
            slope = slope + share[..., None] * (exponents - first)
        return slope

    def expected(self, fits: Fits) -> Floats:
        """Events, shape (T, row, region)."""
        signal, background = self.parts(fits.local, fits.common)
        return fits.mu[:, None, None] * signal + background

    def nll(self, local: Floats, common: Floats, data: Data) -> Floats:
        """-log L over that of the saturated model, (T,); infinite where a yield is not positive or overflows."""
        pulls = (self.constrained_common * (common - data.aux_common) ** 2).sum(axis=1)
        with np.errstate(over="ignore"):
            result: Floats = self.row_nll(local, common, data).sum(axis=1) + pulls / 2
        return result

    def row_nll(self, local: Floats, common: Floats, data: Data) -> Floats:
        """The part of each row, (T, row)."""
        signal, background = self.parts(local, common)
        poisson = deviance(data.n, common[:, 0, None, None] * signal + background).sum(axis=2)
        pulls = (self.constrained_local * (local - data.aux_local) ** 2).sum(axis=2)
        result: Floats = np.nan_to_num(poisson + pulls / 2, nan=np.inf)
        return result

    def derivatives(self, local: Floats, common: Floats, data: Data) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Gradient (T, row, local) and (T, common); Hessian, blocks local-local, local-common, common-common."""
        m, mu = self.n_local, common[:, 0, None, None]
        signal, *backgrounds = self.terms(local, common)
        nu = np.maximum(mu * signal + _total(backgrounds), 1e-150)
        first, second = 1 - data.n / nu, data.n / nu**2
        slope = (mu * signal)[..., None] * self.signal_exponents  # (T, row, region, parameter)
        for part, exponents in zip(backgrounds, self.background_exponents, strict=True):
            slope = slope + part[..., None] * exponents
        slope[..., m] = signal
        gradient = (first[..., None] * slope).sum(axis=2)
        weights = np.concatenate([first * mu * signal, *(first * part for part in backgrounds)], axis=2)
        hessian = (
            np.matmul(weights.swapaxes(0, 1), self._outer)
            .swapaxes(0, 1)
            .reshape(*slope.shape[:2], *(2 * [slope.shape[3]]))
        )
        hessian += np.matmul((second[..., None] * slope).swapaxes(2, 3), slope)
        mixed = np.einsum("tkr,krj->tkj", first * signal, self.signal_exponents)
        hessian[..., m, :] += mixed
        hessian[..., :, m] += mixed
        own, shared = self.constrained_local, self.constrained_common
        ll, lc, cc = hessian[..., :m, :m], hessian[..., :m, m:], hessian[..., m:, m:].sum(axis=1)
        ll[..., range(m), range(m)] += own
        cc[..., range(self.n_common), range(self.n_common)] += shared
        g_local = gradient[..., :m] + own * (local - data.aux_local)
        g_common = gradient[..., m:].sum(axis=1) + shared * (common - data.aux_common)
        return g_local, g_common, ll, lc, cc

    def start(self, data: Data, mu: Floats) -> tuple[Floats, Floats]:
        """Where a fit begins.

        Rates are as observed without mu times the signal, or a tenth of it, or the floors. Free normalisations have
        one common value, which gives the sum of the events in bins that have such a process, likewise.
        """
        k = len(self.model.cells)
        local = data.aux_local.copy()
        if k:
            n = data.n[:, :k, 1:]
            rates = np.maximum(np.maximum(n - mu[:, None, None] * self._signal[:k, 1:], n / 10), FLOORS[1:])
            local[:, :k, :3] = np.log(rates)
        common = np.concatenate([mu[:, None], data.aux_common[:, 1:]], axis=1)
        if len(self.free):
            events, bins = self.free_yields.sum(), self.free_yields.any(axis=0)
            n, s = data.n[:, bins, A].sum(axis=1), self._signal[bins, A].sum()
            others = self.scales[:, bins, A].sum() - events
            rest = np.maximum(np.maximum(n - mu * s - others, n / 10), FEW_EVENTS)
            common[:, self.free] = np.log(rest / events)[:, None]
        return local, common

    def mu_scale(self, data: Data) -> Floats:
        """A typical error of mu, (T,): what starts and brackets are measured in."""
        k = len(self.model.cells)
        background = np.zeros(data.n.shape[:2])
        if k:
            n = np.maximum(data.n[:, :k], FLOORS)
            background[:, :k] = n[..., 1] * n[..., 2] / n[..., 3]
        background[:, k:] = self.model.predicted()[k:]
        b = np.maximum(background, 0.5) + data.n[..., A]
        scale: Floats = 1 / np.sqrt((self._signal[:, A] ** 2 / b).sum(axis=1))
        return scale


def _total(parts: Sequence[Floats]) -> Floats:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def deviance(n: Floats, nu: Floats) -> Floats:
    """nu - n + n log(n / nu), without loss of precision at large n; NaN or infinite where nu is not above zero."""
    some = n > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.divide(nu - n, n, out=np.zeros(np.broadcast_shapes(n.shape, nu.shape)), where=some)
        return np.where(some, n * (relative - np.log1p(relative)), np.where(nu >= 0, nu, np.nan))
