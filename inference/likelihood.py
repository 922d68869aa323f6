"""The likelihood of `inference.model`, with exact first and second derivatives, for many data sets at once.

Parameters are of two kinds. Those of one cell only: log b, log c, log d, and the nuisance parameters that act on this
cell alone. Those of all cells: mu, the nuisance parameters of the signal, and the closure of a category. Each expected
yield is

    nu = mu s exp(a_s . x) + k exp(a_b . x)

with constant vectors a, so the derivatives are exact and short. Every array has the data sets (toys) as its first axis.

Rates are logarithms and so have no bounds: where nothing is observed they run to minus infinity. `inference.minimum`
finds minima.
"""

from typing import Any, NamedTuple

import numpy as np

from hnl.errors import HNLError
from hnl.inference.model import FLOORS, Cell, Model
from hnl.selections.displaced.regions import REGIONS

A = 0
RATES = ("nB", "nC", "nD")


class FitError(HNLError):
    """A fit did not end in a minimum: there is no result, rather than a wrong one."""


class Data(NamedTuple):
    """Observations and auxiliary measurements (the centres of the constraints) of T data sets."""

    n: Any  # (T, cell, region)
    aux_local: Any  # (T, cell, local parameter); of the rates unused
    aux_common: Any  # (T, common parameter); of mu unused

    def take(self, chosen: Any) -> "Data":
        """Some of the data sets."""
        return Data(self.n[chosen], self.aux_local[chosen], self.aux_common[chosen])


class Fits(NamedTuple):
    """Minima of T data sets."""

    local: Any  # (T, cell, local parameter): log b, log c, log d, then nuisance parameters
    common: Any  # (T, common parameter): mu, then nuisance parameters
    nll: Any  # (T,): -log L over that of the saturated model, constraints included
    converged: Any  # (T,) bool

    @property
    def mu(self) -> Any:
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
        cells = model.cells
        factors = {name: self._local_factors(name) for name in ("closure", "dy", *(f"mc_{r}" for r in REGIONS))}
        self.local = (*RATES, *(name for name, f in factors.items() if np.any(f != 1)))
        closure = [f"closure_{c}" for c in model.categories if model.closure_correlated and model.closure[c] != 1]
        self.common = ("mu", *model.signal_nuisances, *closure)
        self.n_local, self.n_common = len(self.local), len(self.common)
        n = self.n_local + self.n_common
        s, b = np.zeros((len(cells), 4, n)), np.zeros((len(cells), 4, n))
        for j in range(3):
            b[:, j + 1, j] = 1  # B: b, C: c, D: d
        b[:, A, :3] = 1, 1, -1  # A: b c / d
        for j, name in enumerate(self.local[3:], start=3):
            target = s[:, REGIONS.index(name[-1]), j] if name.startswith("mc_") else b[:, A, j]
            target[:] = np.log(factors[name])
        for i, cell in enumerate(cells):
            for j, name in enumerate(self.common, start=self.n_local):
                s[i, :, j] = np.log(cell.signal_factors.get(name, (1.0,) * 4))
                if name == f"closure_{cell.category}":
                    b[i, A, j] = np.log(model.closure[cell.category])
        self.signal_exponents, self.background_exponents = s, b
        both = np.concatenate([s, b], axis=1)  # (cell, 8, n)
        self._outer = (both[..., :, None] * both[..., None, :]).reshape(len(cells), 8, n * n)
        self._signal = model.signal()
        self._scale = np.ones((len(cells), 4))
        self._scale[:, A] = [cell.c_ab for cell in cells]
        self.constrained = np.r_[np.zeros(3), np.ones(self.n_local - 3), 0.0, np.ones(self.n_common - 1)]

    def _local_factors(self, name: str) -> np.ndarray:
        def of(cell: Cell) -> float:
            if name == "closure":
                return 1.0 if self.model.closure_correlated else self.model.closure[cell.category]
            return cell.c_ab_factor if name == "dy" else cell.signal_mc[REGIONS.index(name[-1])]

        return np.array([of(cell) for cell in self.model.cells])

    def data(self, n: Any = None) -> Data:
        """Observations, those of the model by default, with auxiliary measurements at zero.

        Args:
            n: events, shape (cell, region) or (T, cell, region).

        Raises:
            HiddenDataError: the model's are blinded.
        """
        n = np.asarray(self.model.observed() if n is None else n, dtype=np.float64)
        n = n.reshape(-1, len(self.model.cells), 4)
        return Data(n, np.zeros((*n.shape[:2], self.n_local)), np.zeros((len(n), self.n_common)))

    def parts(self, local: Any, common: Any) -> tuple[Any, Any]:
        """Signal at mu = 1 and background, shape (T, cell, region), each."""
        m = self.n_local
        with np.errstate(over="ignore"):
            signal, background = (
                scale * np.exp(np.einsum("tkj,krj->tkr", local, a[..., :m]) + np.tensordot(common, a[..., m:], (1, 2)))
                for scale, a in ((self._signal, self.signal_exponents), (self._scale, self.background_exponents))
            )
        return signal, background

    def expected(self, fits: Fits) -> Any:
        """Events, shape (T, cell, region)."""
        signal, background = self.parts(fits.local, fits.common)
        return fits.mu[:, None, None] * signal + background

    def nll(self, local: Any, common: Any, data: Data) -> Any:
        """-log L over that of the saturated model, (T,); infinite where a yield is not positive or overflows."""
        pulls = (self.constrained[self.n_local :] * (common - data.aux_common) ** 2).sum(axis=1)
        with np.errstate(over="ignore"):
            return self.cell_nll(local, common, data).sum(axis=1) + pulls / 2

    def cell_nll(self, local: Any, common: Any, data: Data) -> Any:
        """The part of each cell, (T, cell)."""
        signal, background = self.parts(local, common)
        poisson = deviance(data.n, common[:, 0, None, None] * signal + background).sum(axis=2)
        pulls = (self.constrained[: self.n_local] * (local - data.aux_local) ** 2).sum(axis=2)
        return np.nan_to_num(poisson + pulls / 2, nan=np.inf)

    def derivatives(self, local: Any, common: Any, data: Data) -> tuple[Any, Any, Any, Any, Any]:
        """Gradient (T, cell, local) and (T, common); Hessian, blocks local-local, local-common, common-common."""
        m, mu = self.n_local, common[:, 0, None, None]
        signal, background = self.parts(local, common)
        nu = np.maximum(mu * signal + background, 1e-150)
        first, second = 1 - data.n / nu, data.n / nu**2
        slope = (mu * signal)[..., None] * self.signal_exponents + background[
            ..., None
        ] * self.background_exponents  # (T, cell, region, parameter)
        slope[..., m] = signal
        gradient = (first[..., None] * slope).sum(axis=2)
        weights = np.concatenate([first * mu * signal, first * background], axis=2)
        hessian = (
            np.matmul(weights.swapaxes(0, 1), self._outer)
            .swapaxes(0, 1)
            .reshape(*slope.shape[:2], *(2 * [slope.shape[3]]))
        )
        hessian += np.matmul((second[..., None] * slope).swapaxes(2, 3), slope)
        mixed = np.einsum("tkr,krj->tkj", first * signal, self.signal_exponents)
        hessian[..., m, :] += mixed
        hessian[..., :, m] += mixed
        c = self.constrained
        ll, lc, cc = hessian[..., :m, :m], hessian[..., :m, m:], hessian[..., m:, m:].sum(axis=1)
        ll[..., range(m), range(m)] += c[:m]
        cc[..., range(self.n_common), range(self.n_common)] += c[m:]
        g_local = gradient[..., :m] + c[:m] * (local - data.aux_local)
        g_common = gradient[..., m:].sum(axis=1) + c[m:] * (common - data.aux_common)
        return g_local, g_common, ll, lc, cc

    def start(self, data: Data, mu: Any) -> tuple[Any, Any]:
        """Where a fit begins: rates as observed without mu times the signal, or a tenth of it, or the floors."""
        n = data.n[..., 1:]
        rates = np.maximum(np.maximum(n - mu[:, None, None] * self._signal[:, 1:], n / 10), FLOORS[1:])
        local = data.aux_local.copy()
        local[..., :3] = np.log(rates)
        return local, np.concatenate([mu[:, None], data.aux_common[:, 1:]], axis=1)

    def mu_scale(self, data: Data) -> Any:
        """A typical error of mu, (T,): what starts and brackets are measured in."""
        n = np.maximum(data.n, FLOORS)
        b = np.maximum(n[..., 1] * n[..., 2] / n[..., 3], 0.5) + data.n[..., A]
        return 1 / np.sqrt((self._signal[:, A] ** 2 / b).sum(axis=1))


def deviance(n: Any, nu: Any) -> Any:
    """nu - n + n log(n / nu), without loss of precision at large n; NaN or infinite where nu is not above zero."""
    some = n > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.divide(nu - n, n, out=np.zeros(np.broadcast_shapes(n.shape, nu.shape)), where=some)
        return np.where(some, n * (relative - np.log1p(relative)), np.where(nu >= 0, nu, np.nan))
