"""Data over simulation in the last two bins of the score, and its error."""

from pathlib import Path

import hist
import numpy as np
import pytest
from chain import catalogue_of

from hnl.histograms.displaced import k0s
from hnl.processors.displaced.k0s import MASS_AXIS
from hnl.processors.displaced.k0s_inputs import K0SSample


def repeated(*counts: int) -> np.ndarray:
    """So many scores in the middle of each bin."""
    return np.repeat([0.1, 0.3, 0.5, 0.7, 0.9], counts)


def test_by_hand() -> None:
    """100 in data, 30 of them above 0.6; 200 in simulation, 50 of them: ratio 0.30 / 0.25."""
    found = k0s.compare(repeated(40, 20, 10, 20, 10), repeated(100, 30, 20, 20, 30), np.full(200, 3.0))
    assert found.scale == pytest.approx(100 / 600)
    assert found.data.tolist() == [40, 20, 10, 20, 10]
    assert found.simulation == pytest.approx([50, 15, 10, 10, 15])
    assert found.simulation_error == pytest.approx(np.sqrt([100, 30, 20, 20, 30]) / 2)
    assert found.ratio == pytest.approx(1.2)
    # Binomial errors of both shares: 0.3 0.7 / 100 and 0.25 0.75 / 200.
    assert found.ratio_error == pytest.approx(1.2 * np.sqrt(0.7 / 0.3 / 100 + 0.75 / 0.25 / 200))
    assert found.uncertainty == pytest.approx(max(0.2, found.ratio_error or 0))


def test_uncertainty_is_the_larger() -> None:
    """A difference that is smaller than its error counts as the error."""
    same = repeated(40, 20, 10, 20, 10)
    found = k0s.compare(same, same, np.ones(100))
    assert found.ratio == pytest.approx(1.0)
    assert found.uncertainty == found.ratio_error


def test_error_covers() -> None:
    """Over pseudo-experiments with weights, the ratio is off by its error as often as it should be."""
    rng = np.random.default_rng(1)
    pulls = []
    for _ in range(400):
        weights = rng.choice([0.5, 2.0], 900)
        found = k0s.compare(rng.uniform(0, 1, rng.poisson(500)), rng.uniform(0, 1, 900), weights)
        pulls.append(((found.ratio or 0) - 1) / (found.ratio_error or 1))
    assert np.mean(pulls) == pytest.approx(0, abs=0.15)
    assert np.std(pulls) == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize(
    ("data", "simulation", "says"),
    [
        ((90, 0, 0, 5, 4), (50, 10, 10, 10, 10), "data has 9 candidates above 0.6; 10 are needed"),
        ((50, 10, 10, 10, 10), (90, 0, 0, 5, 4), "simulation has 9 (effective) candidates above 0.6; 10 are needed"),
        ((0, 0, 0, 0, 0), (1, 1, 1, 1, 1), "data has 0 candidates above 0.6; 10 are needed"),
    ],
)
def test_too_few(data: tuple[int, ...], simulation: tuple[int, ...], says: str) -> None:
    """No number, and why."""
    scores = repeated(*simulation)
    found = k0s.compare(repeated(*data), scores, np.ones(len(scores)))
    assert (found.ratio, found.uncertainty, found.reason) == (None, None, says)


def sample(kind: str, weights: list[float], masses: list[float], weight: float = 1.0) -> K0SSample:
    """A dataset of so many candidates, and vertices of one weight."""
    histogram = hist.Hist(MASS_AXIS, storage=hist.storage.Weight())
    histogram.fill(masses, weight=np.full(len(masses), weight))
    (dataset,) = catalogue_of(Path("x.root"), kind=kind).datasets
    return K0SSample(dataset, {}, np.array(weights), {}, histogram)


def test_samples_are_joined_by_kind() -> None:
    """Two of data and two of simulation, in any order, are one of each; weights of simulation count."""
    samples = [
        sample("background", [2.0, 1.0], []),
        sample("data", [1.0], []),
        sample("background", [5.0], []),
        sample("data", [1.0, 1.0, 1.0], []),
    ]
    scores = [np.array(values) for values in ([0.1, 0.5], [0.9], [0.5], [0.1, 0.1, 0.3])]
    found = k0s.compare_samples(samples, scores)
    assert found.data.tolist() == [2, 1, 0, 0, 1]
    assert found.scale == pytest.approx(4 / 8)
    assert found.simulation == pytest.approx([1, 0, 3, 0, 0])
    assert found.simulation_error == pytest.approx([1, 0, np.sqrt(1 + 25) / 2, 0, 0])


def test_masses_by_hand() -> None:
    """Bins of 2.5 MeV from 0.44 GeV: 0.4976 GeV is in bin 23, 0.511 GeV in bin 28."""
    samples = [
        sample("data", [], [0.4976, 0.4976, 0.511]),
        sample("background", [], [0.4976], weight=2.0),
        sample("background", [], [0.511], weight=4.0),
    ]
    found = k0s.compare_masses(samples)
    assert {i: n for i, n in enumerate(found.data) if n} == {23: 2, 28: 1}
    assert {i: n for i, n in enumerate(found.simulation) if n} == pytest.approx({23: 1, 28: 2})


def test_masses_without_simulation() -> None:
    found = k0s.compare_masses([sample("data", [], [0.5])])
    assert found.data.sum() == 1
    assert found.simulation.tolist() == [0] * 48
