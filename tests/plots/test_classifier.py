"""The figures of the classifiers, of fixed numbers."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import images
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from hnl.plots import classifier

BINS = 25


def of_training(sharp: float, factor: float = 1.0) -> dict[str, Any]:
    """What `evaluation.evaluate` returns, of formulas; the larger `sharp`, the better the classifier.

    Args:
        sharp: power of the efficiencies.
        factor: of the largest share in the gain.
    """
    x = np.linspace(0, 1, 101)
    kinds = ("train", "unseen", "test")
    areas = {kind: 1 - 1 / (1 + sharp + i) for i, kind in enumerate(kinds)}
    centres = (np.arange(BINS) + 0.5) / BINS
    signal, background = 400 * centres**sharp, 9000 * (1 - centres) ** sharp
    background[-1] = -1.0  # negative weights: not drawn
    shapes = {"signal": signal, "signal_variance": signal, "background": background}
    shapes["background_variance"] = np.abs(background)
    histograms = {name: values.tolist() for name, values in shapes.items()}
    edges = [0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9]
    profile = [
        {"low": low, "high": high, "mean": 80 + 5 * (-1) ** i, "error": 2.0 + i}
        for i, (low, high) in enumerate(pairwise(edges))
    ]
    dependence = {"pearson": {"value": 0.012, "p_value": 0.34}, "distance": {"value": 0.05, "p_value": None}}
    share = [factor * 0.4, *(0.6 * 0.5**i for i in range(1, 18))]
    return {
        "roc": {
            kind: {"signal": x.tolist(), "background": (x ** (sharp + i)).tolist()} for i, kind in enumerate(kinds)
        },
        "auc": {kind: {"value": area, "error": None if kind == "test" else 0.01} for kind, area in areas.items()},
        "histograms": {"edges": np.linspace(0, 1, BINS + 1).tolist(), "train": histograms, "unseen": histograms},
        "profile": profile,
        "correlation": [
            {"selection": selection, "where": "inclusive"} | dependence for selection in ("all", "preselected")
        ],
        "importance": {f"feature_{i}": value for i, value in enumerate(share)},
    }


def metrics(factor: float = 1.0) -> dict[str, Any]:
    """Two classifiers side by side, and one in the second row."""
    return {"electron_low": of_training(3, factor), "electron_high": of_training(5), "muon_low": of_training(8)}


@pytest.mark.parametrize("name", list(classifier.FIGURES))
def test_look(looks_as_accepted: Callable[[Figure, str], None], name: str) -> None:
    looks_as_accepted(classifier._panels(metrics(), classifier.FIGURES[name][1]), f"classifier_{name}")


@pytest.mark.usefixtures("looks_as_accepted")
def test_a_bar_that_changes_is_seen() -> None:
    """The first of 15 features in one panel of three, by a tenth."""
    draw = classifier.FIGURES["importance"][1]
    before, after = (images.pixels(classifier._panels(metrics(factor), draw)) for factor in (1.0, 0.9))
    assert images.difference(before, after) > images.MAX_DIFFERENCE


def test_a_classifier_without_test_set_or_background_can_be_drawn() -> None:
    """Empty curves, no profile, no area: the panel stays empty and nothing is divided by nothing."""
    of = of_training(3)
    empty = {name: [0.0] * BINS for name in of["histograms"]["train"]}
    of |= {"profile": [], "histograms": of["histograms"] | {"train": empty, "unseen": empty}}
    of["roc"] = {kind: {"signal": [], "background": []} for kind in of["roc"]}
    for _, draw in classifier.FIGURES.values():
        figure = classifier._panels({"muon_low": of}, draw)
        figure.canvas.draw()
        assert [line for line in figure.axes[0].lines if len(line.get_xdata()) and draw is classifier.roc] == []
        plt.close(figure)
