"""The figures of the classifiers, of fixed numbers."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import images
import matplotlib.pyplot as plt
import numpy as np
import printed
import pytest
from matplotlib.figure import Figure

from hnl.ml.displaced.features import FEATURES
from hnl.plots import classifier, labels, style
from hnl.plots.style import Label

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
    thresholds = [
        {
            "threshold": threshold,
            "signal": {"value": 0.95 - 0.2 * i, "error": 0.02},
            "signal_events": 400,
            "background": {"value": 0.1**i if i < 3 else 0.0, "error": 0.03**i if i else 0.01},
            "background_events": (900, 40, 4, 0)[i],
        }
        for i, threshold in enumerate((0.2, 0.9, 0.97, 0.99))
    ]
    share = [factor * 0.4, *(0.6 * 0.5**i for i in range(1, 18))]
    return {
        "roc": {
            kind: {"signal": x.tolist(), "background": (x ** (sharp + i)).tolist()} for i, kind in enumerate(kinds)
        },
        "auc": {kind: {"value": area, "error": None if kind == "test" else 0.01} for kind, area in areas.items()},
        "histograms": {"edges": np.linspace(0, 1, BINS + 1).tolist(), "train": histograms, "unseen": histograms},
        "profile": profile,
        "thresholds": thresholds,
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
    figure = classifier.panels(metrics(), classifier.FIGURES[name][1], Label())
    printed.check(figure)
    looks_as_accepted(figure, f"classifier_{name}")


@pytest.mark.usefixtures("looks_as_accepted")
def test_a_bar_that_changes_is_seen() -> None:
    """The first of 15 features in one panel of three, by a tenth."""
    before, after = (images.pixels(classifier.panels(metrics(factor), classifier.importance)) for factor in (1.0, 0.9))
    assert images.difference(before, after) > images.MAX_DIFFERENCE


def test_a_classifier_without_test_set_or_background_can_be_drawn() -> None:
    """Empty curves, no profile, no area: each panel says so, and nothing is divided by nothing."""
    of = of_training(3)
    empty = {name: [0.0] * BINS for name in of["histograms"]["train"]}
    nothing = {"value": None, "error": None}
    rows = [row | {"signal": nothing, "background": nothing, "signal_events": 0} for row in of["thresholds"]]
    of |= {"profile": [], "histograms": of["histograms"] | {"train": empty, "unseen": empty}, "thresholds": rows}
    of["roc"] = {kind: {"signal": [], "background": []} for kind in of["roc"]}
    told = {
        "roc": "no events",
        "scores": "no events",
        "thresholds": "no events",
        "m_l1_sv": "too few events for a mean",
    }
    for name, (_, draw, _) in classifier.FIGURES.items():
        axes = draw(of, None)
        axes.get_figure(root=True).canvas.draw()
        assert (told.get(name) in [text.get_text() for text in axes.texts]) == (name in told)
        plt.close("all")


def test_the_legend_of_the_roc_curve_is_above_all_curves() -> None:
    """Whatever the classifier: the curves end at an efficiency of 1."""
    axes = classifier.roc(of_training(3))
    axes.get_figure(root=True).draw_without_rendering()
    bottom = axes.get_legend().get_window_extent().y0
    assert axes.transData.inverted().transform((0, bottom))[1] > 1
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names[1:] == ["unseen events, AUC 0.800 ± 0.010", "test set, AUC 0.833 ± \N{EN DASH}", "chance"]
    assert axes.get_xscale() == "log"


def test_few_events_above_a_threshold_are_open() -> None:
    axes = classifier.thresholds(of_training(3))
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["signal", "background", "background, < 10 events"]
    assert [text.get_text() for text in axes.texts] == ["no bkg."]


def test_features_of_this_search_have_symbols() -> None:
    assert {feature.name for feature in FEATURES} <= set(labels.FEATURES)


def test_files(tmp_path: Path) -> None:
    with style.look(formats=("png",)):
        made = classifier.draw_all({"muon_low": of_training(3)}, tmp_path)
    assert [one.path.stem for one in made] == [f"classifier_{name}" for name in classifier.FIGURES]
    assert all(one.caption and one.section == "classifiers" and one.path.is_file() for one in made)
    assert made[0].alt == "muon_low: AUC 0.750 of trained events, AUC 0.800 of unseen events."
