"""Data and simulation in bins of the score of K0S candidates, and the uncertainty that follows (section 5, Fig. 6)."""

from collections.abc import Sequence
from dataclasses import dataclass

import hist
import numpy as np
from numpy.typing import NDArray

from hnl.processors.displaced.k0s import MASS_AXIS
from hnl.processors.displaced.k0s_inputs import K0SSample

# Our choice, as the figure's bins are not given in words: 0.2 is the lowest score of the search (Table 3).
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
N_LAST = 2  # section 5: 'the last two bins with the highest PFN scores'
MIN_CANDIDATES = 10  # in these: our choice; fewer say nothing


@dataclass(frozen=True)
class Comparison:
    """The score in data and simulation, arrays over the bins of `EDGES`.

    Attributes:
        data: candidates.
        simulation: scaled to the yield in data (Fig. 6).
        simulation_error: statistical, of the scaled yields.
        scale: what the simulation was scaled by; NaN without simulation, as then its yields are.
        ratio: data over simulation of the last two bins together, None where they hold too few candidates.
        ratio_error: statistical, with that of the scale.
        reason: why there is no ratio, '' if there is.
    """

    data: NDArray[np.float64]
    simulation: NDArray[np.float64]
    simulation_error: NDArray[np.float64]
    scale: float
    ratio: float | None
    ratio_error: float | None
    reason: str

    @property
    def uncertainty(self) -> float | None:
        """Our rule for Table 4's 'PFN score': the difference of the ratio from one or its error, the larger."""
        if self.ratio is None or self.ratio_error is None:
            return None
        return max(abs(self.ratio - 1), self.ratio_error)


@dataclass(frozen=True)
class Masses:
    """Vertices of two tracks around the K0S mass in data and simulation, arrays over the bins of `MASS_AXIS`.

    Attributes:
        data: vertices.
        simulation: scaled to the yield in data; 0 without simulation.
    """

    data: NDArray[np.float64]
    simulation: NDArray[np.float64]


def compare_masses(samples: Sequence[K0SSample]) -> Masses:
    """Adds up the masses of vertices in data and simulation."""
    total = {is_data: hist.Hist(MASS_AXIS, storage=hist.storage.Weight()) for is_data in (True, False)}
    for sample in samples:
        total[sample.dataset.is_data] += sample.masses
    data, simulation = (total[is_data].values() for is_data in (True, False))
    scale = data.sum() / simulation.sum() if simulation.sum() > 0 else 0.0
    return Masses(data, simulation * scale)


def compare_samples(samples: Sequence[K0SSample], scores: Sequence[NDArray[np.float64]]) -> Comparison:
    """`compare` for all data and all simulation among some datasets.

    Args:
        samples: datasets.
        scores: of the candidates of each of them.
    """

    def joined(arrays: Sequence[NDArray[np.float64]], *, is_data: bool) -> NDArray[np.float64]:
        chosen = [a for sample, a in zip(samples, arrays, strict=True) if sample.dataset.is_data == is_data]
        return np.concatenate([np.empty(0), *chosen])

    weights = [sample.weights for sample in samples]
    return compare(joined(scores, is_data=True), joined(scores, is_data=False), joined(weights, is_data=False))


def compare(data: NDArray[np.float64], simulation: NDArray[np.float64], weights: NDArray[np.float64]) -> Comparison:
    """Compares the shapes of the score.

    The last two bins are taken together: the mean of their ratios, weighted by the yields that simulation predicts.
    With shares f of all candidates, the ratio is f(data) / f(simulation). A candidate counts in both parts of a share:
    var f(data) = f (1 - f) / N, var f(simulation) = [(1 - f)^2 sum w^2 (inside) + f^2 sum w^2 (outside)] / (sum w)^2.

    Args:
        data: scores, (n,).
        simulation: scores, (m,).
        weights: of the simulation, (m,).
    """
    counts = np.histogram(data, EDGES)[0].astype(np.float64)
    sums, squares = (np.histogram(simulation, EDGES, weights=w)[0] for w in (weights, weights**2))
    total = sums.sum()
    scale = counts.sum() / total if total > 0 else float("nan")
    ratio, error, reason = _of_last(counts, sums, squares)
    return Comparison(counts, sums * scale, np.sqrt(squares) * scale, float(scale), ratio, error, reason)


def _of_last(
    counts: NDArray[np.float64], sums: NDArray[np.float64], squares: NDArray[np.float64]
) -> tuple[float | None, float | None, str]:
    """Ratio, its error and the reason why there is none, see `Comparison`."""
    n, inside, variance = (float(values[-N_LAST:].sum()) for values in (counts, sums, squares))
    effective = inside**2 / variance if variance > 0 else 0.0
    for kind, number in (("data", n), ("simulation", effective)):
        if number < MIN_CANDIDATES:
            what = f"{number:.0f} (effective) candidates" if kind == "simulation" else f"{number:.0f} candidates"
            return None, None, f"{kind} has {what} above {EDGES[-N_LAST - 1]:g}; {MIN_CANDIDATES} are needed"
    total = float(sums.sum())
    share, expected = n / counts.sum(), inside / total
    variance_data = share * (1 - share) / counts.sum()
    outside = float(squares[:-N_LAST].sum())
    variance_simulation = ((1 - expected) ** 2 * variance + expected**2 * outside) / total**2
    ratio = share / expected
    error = ratio * np.sqrt(variance_data / share**2 + variance_simulation / expected**2)
    return float(ratio), float(error), ""
