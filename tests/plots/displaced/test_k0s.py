"""The figures of the check with K0S, of fixed numbers."""

import dataclasses
from collections.abc import Callable

import images
import numpy as np
import printed
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hnl.inference.displaced.k0s_results import MassComparison, ScoreComparison
from hnl.physics.constants import M_K0S
from hnl.plots.displaced import k0s
from hnl.plots.style import Label


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


LABEL = Label("private work", "59.8 fb$^{-1}$ (13 TeV)")


def four() -> dict[str, ScoreComparison]:
    """Two trainings in each row, one without simulation, and one with a ratio beyond the panel."""
    far = scores(10)
    far = dataclasses.replace(far, data=(*far.data[:8], 500.0, 0.0), ratio=1.2, ratio_error=0.3, reason="")
    return {
        "electron_low": scores(),
        "electron_high": scores(10),
        "muon_low": far,
        "muon_high": scores(simulated=False),
    }


def drawn_mass(factor: float = 1.0) -> Figure:
    return k0s.mass(masses(factor), LABEL).get_figure(root=True)


def test_look_of_the_scores(looks_as_accepted: Callable[[Figure, str], None]) -> None:
    figure = k0s.scores(four(), LABEL)
    printed.check(figure)
    looks_as_accepted(figure, "k0s_scores")


def test_look_of_the_mass(looks_as_accepted: Callable[[Figure, str], None]) -> None:
    figure = drawn_mass()
    printed.check(figure)
    looks_as_accepted(figure, "k0s_mass")


@pytest.mark.usefixtures("looks_as_accepted")
def test_a_bar_that_changes_is_seen() -> None:
    before, after = (images.pixels(drawn_mass(factor)) for factor in (1.0, 0.9))
    assert images.difference(before, after) > images.MAX_DIFFERENCE


def test_scores_without_simulation() -> None:
    """Data are drawn, nothing is divided by what is not there, and the figure says so."""
    main, ratio = k0s.score(scores(5, simulated=False))
    assert main.get_ylim()[1] > max(scores(5).data)
    assert ratio.get_ylim() == (0, 2)
    assert [text.get_text() for text in ratio.texts] == ["no simulation"]
    assert labels(main) == ["data"]


def test_the_ratio_of_the_last_bins_is_written() -> None:
    words = [[text.get_text() for text in k0s.score(four()[name])[0].texts] for name in ("muon_low", "electron_low")]
    assert words == [["last two bins:\n1.20 ± 0.30"], ["last two bins:\ntoo few events"]]


def labels(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]
