"""Free normalisations in toys.

Toys average over what the data leave open (`inference.toys`), and free normalisations are known from the data alone. So
they are drawn from a fit at the mu that is tested, as sidebands are looked at without mu times the signal:

    log norm = fit - H^-1 G (nuisance parameters of the toy - those of the fit) - diag(H^-1) / 2 + Gaussian of H^-1

with H and G the second derivatives of -log L by the normalisations, and by them and the nuisance parameters. What the
data fix is thus kept where nuisance parameters move: if 2 % more luminosity is drawn, the normalisation is 2 % less.
Our choice: a log-normal distribution with the mean of the fit, since normalisations are positive and correlated. For
one process alone it has the mean and nearly the variance of the Gamma(n) of sidebands.
"""

import numpy as np

from hnl.inference import minimizer
from hnl.inference.arrays import Floats
from hnl.inference.likelihood import Data, Likelihood

# Our choice: log norm has a standard deviation of 2 at most. It bounds what data that do not tell two processes apart,
# or that have hardly an event, leave open.
LEAST_CURVATURE = 0.25


class Normalisations:
    """Draws of the free normalisations, the same random numbers at every mu."""

    def __init__(
        self, likelihood: Likelihood, data: Data, local: Floats, common: Floats, rng: np.random.Generator
    ) -> None:
        """Keeps what is drawn.

        Args:
            likelihood: of the model.
            data: one data set, which the normalisations are fitted to.
            local, common: parameters of the toys, (toy, row, local parameter) and (toy, common parameter).
            rng: random numbers.
        """
        self._likelihood, self._data, self._local, self._common = likelihood, data, local, common
        self._deviates = rng.normal(size=(len(common), len(likelihood.free)))

    def draw(self, mu: float) -> Floats:
        """Normalisations, relative to the yields given, (toy, process).

        Raises:
            FitError: the fit did not converge.
        """
        likelihood, free = self._likelihood, self._likelihood.free
        if not len(free):
            return np.ones(self._deviates.shape)
        fit = minimizer.fit_fixed_mu(likelihood, self._data, mu).checked(f"mu = {mu:g}")
        _, _, _, mixed, common = (part[0] for part in likelihood.derivatives(fit.local, fit.common, self._data))
        logs = np.broadcast_to(fit.common[0, free], self._deviates.shape).copy()
        some = np.exp(logs[0]) * likelihood.free_yields.sum(axis=1) > minimizer.EMPTY  # others stay at zero
        chosen = free[some]
        nuisance = likelihood.constrained_common > 0
        moved = (self._common - fit.common)[:, nuisance] @ common[np.ix_(nuisance, chosen)]
        own = (self._local - fit.local) * likelihood.constrained_local
        moved += np.einsum("tkl,klp->tp", own, mixed[..., chosen])
        values, vectors = np.linalg.eigh(common[np.ix_(chosen, chosen)])
        values = np.maximum(values, LEAST_CURVATURE)
        covariance = (vectors / values) @ vectors.T
        spread = self._deviates[:, some] @ (vectors / np.sqrt(values)).T
        logs[:, some] += spread - moved @ covariance - np.diag(covariance) / 2
        drawn: Floats = np.exp(logs)
        return drawn
