"""The figures of the check with K0S, of fixed numbers."""

from collections.abc import Callable

import images
import numpy as np
import pytest
from matplotlib.figure import Figure

from hnl.inference.displaced.k0s_results import MassComparison, ScoreComparison
from hnl.physics.constants import M_K0S
from hnl.plots.displaced import k0s


def scores(n: int = 20, *, simulated: bool = True) -> ScoreComparison:
    """Falling, with an empty bin of simulation and data above and below it by turns."""
    expected = 400 * np.exp(-np.arange(n) / 4)
    expected[-1] = 0
    data = np.round(expected * (1 + 0.2 * (-1.0) ** np.arange(n)))
    return ScoreComparison(
        edges=tuple(np.linspace(0, 1, n + 1).tolist()),
        data=tuple(data.tolist()),
        simulation=tuple(expected.tolist()) if simulated else (None,) * n,
        simulation_error=tuple((0.1 * expected).tolist()) if simulated else (None,) * n,
        scale=1.0 if simulated else None,
        ratio=None,
        ratio_error=None,
        reason="not of interest here",
        uncertainty=None,
        missing_features=(),
        auc=None,
    )


def masses(factor: float = 1.0) -> MassComparison:
    """A peak at the mass of the K0S on a flat background; `factor` scales the highest bar of simulation."""
    edges = np.linspace(0.4, 0.6, 41)
    centres = (edges[1:] + edges[:-1]) / 2
    expected = 20 + 300 * np.exp(-(((centres - M_K0S) / 0.008) ** 2))
    data = np.round(1.05 * expected)
    expected[np.argmax(expected)] *= factor
    return MassComparison(edges=tuple(edges.tolist()), data=tuple(data.tolist()), simulation=tuple(expected.tolist()))


def test_look_of_the_scores(looks_as_accepted: Callable[[Figure, str], None]) -> None:
    looks_as_accepted(k0s.scores({"electron_low": scores(), "muon_high": scores(10)}), "k0s_scores")


def test_look_of_the_mass(looks_as_accepted: Callable[[Figure, str], None]) -> None:
    looks_as_accepted(k0s.mass(masses()), "k0s_mass")


@pytest.mark.usefixtures("looks_as_accepted")
def test_a_bar_that_changes_is_seen() -> None:
    before, after = (images.pixels(k0s.mass(masses(factor))) for factor in (1.0, 0.9))
    assert images.difference(before, after) > images.MAX_DIFFERENCE


def test_scores_without_simulation() -> None:
    """Data are drawn, and nothing is divided by what is not there."""
    upper, lower = k0s.scores({"electron_low": scores(5, simulated=False)}).axes
    assert upper.get_ylim()[1] > max(scores(5).data)
    assert lower.get_ylim() == (0, 2)
