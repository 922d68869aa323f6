"""Counts with several minima, and a slow search of the deepest one."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import search_models
from numpy.typing import NDArray
from scipy.optimize import minimize

from hnl.inference.likelihood import Data, Likelihood
from hnl.inference.model import Model

# A, B, C, D of the six cells of `search_models.sparse`: toys without signal in which a fit that begins at the observed
# rates and at mu = 0 ends at mu = 0, above the minimum.
TRAPS = (
    [[0, 0, 1, 1], [0, 0, 0, 5], [1, 0, 0, 2], [1, 0, 0, 3], [0, 1, 0, 3], [0, 0, 0, 5]],
    [[0, 0, 0, 7], [1, 0, 0, 7], [0, 1, 0, 2], [0, 0, 0, 1], [0, 1, 1, 6], [0, 0, 0, 11]],
    [[0, 0, 1, 0], [1, 0, 1, 6], [0, 0, 0, 1], [1, 1, 4, 1], [0, 2, 1, 4], [0, 0, 0, 7]],
)


def observed(counts: Sequence[Sequence[int]]) -> Model:
    """The model with these counts."""
    model = search_models.sparse()
    pairs = zip(model.cells, counts, strict=True)
    return replace(model, cells=tuple(replace(cell, observed=tuple(map(float, n))) for cell, n in pairs))


def global_minimum(likelihood: Likelihood, data: Data, starts: int = 10) -> float:
    """The deepest of many descents by scipy from random points: -log L."""
    shape, n = (1, *data.n.shape[1:2], likelihood.n_local), data.n.shape[1] * likelihood.n_local

    def value(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        local, common = x[:n].reshape(shape), x[n:].reshape(1, -1)
        gradient = likelihood.derivatives(local, common, data)[:2]
        return float(likelihood.nll(local, common, data)[0]), np.concatenate([g.ravel() for g in gradient])

    rng = np.random.default_rng(1)
    lowest = [(-15.0, 15.0)] * n + [(0.0, 50.0)] + [(-5.0, 5.0)] * (likelihood.n_common - 1)
    found = []
    for _ in range(starts):
        local = rng.normal(0, 0.3, shape)
        local[..., :3] = np.log(rng.gamma(data.n[..., 1:] + 0.3) + 1e-3)
        x = np.r_[local.ravel(), rng.uniform(0, 3), rng.normal(0, 0.3, likelihood.n_common - 1)]
        found.append(minimize(value, x, jac=True, method="L-BFGS-B", bounds=lowest, options={"maxiter": 400}).fun)
    return min(found)
