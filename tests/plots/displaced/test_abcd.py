"""The figures of the background estimate, of fixed numbers."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import hist
import images
import matplotlib.pyplot as plt
import numpy as np
import printed
import pytest
from matplotlib.figure import Figure

from hnl.histograms.displaced.abcd import make_plane, score_edges
from hnl.histograms.displaced.settings import PAPER
from hnl.inference.abcd.rows import HIDDEN, NO_TEST, ClosureRow, SimulatedClosureRow, YieldRow
from hnl.inference.abcd.thresholds import Scan
from hnl.plots import style
from hnl.plots.displaced import closure, regions, scores, thresholds
from hnl.plots.displaced import yields as yield_plots
from hnl.plots.style import Label
from hnl.selections.displaced.categories import ALL, CATEGORIES, MUON
from hnl.selections.displaced.hypotheses import HYPOTHESES
from hnl.selections.displaced.regions import Kind, bins, region, rows, score_bin, window

SELECTIONS = ("SR", "VR", "SR+VR")
THRESHOLDS = ("0.3", "0.5", "0.7", "0.9", "chosen")


def share(fraction: float, prediction: float | None) -> float | None:
    """A part of a prediction, events; None without one."""
    return None if prediction is None else fraction * prediction


def compared(prediction: float | None, a: float) -> dict[str, Any]:
    """A `Comparison` of what is drawn, events: the statistical error is -10 % and +20 %."""
    row: dict[str, Any] = dict.fromkeys(("low95", "high95", "pull", "ratio", "chi2", "ndf", "p_value"))
    row |= {"stat_down": share(0.1, prediction), "stat_up": share(0.2, prediction)}
    return row | {"A": a, "B": 40.0, "C": 20.0, "D": 10.0, "A_error": a**0.5, "prediction": prediction, "mark": ""}


def with_total(prediction: float | None, a: float) -> dict[str, Any]:
    """The same with the total error, -30 % and +50 %."""
    total = {"closure": 0.3, "total_down": share(0.3, prediction), "total_up": share(0.5, prediction)}
    return compared(prediction, a) | total


def in_bins(hypothesis: str, factor: float = 1.0) -> dict[tuple[str, str], dict[str, Any]]:
    """Category and bin -> comparison: falling from bin to bin, one without prediction, one unlimited, one far above.

    Args:
        hypothesis: decides the bins.
        factor: of A in the first bin of mumu_SS.
    """
    result = {}
    for i, category in enumerate(CATEGORIES):
        for k, one in enumerate(bins(hypothesis, category)):
            prediction = 200 * 0.25**k / (1 + 0.5 * i)
            result[category, one.label] = with_total(prediction, (1 + 0.3 * (-1) ** k) * prediction)
    first, second, third = (b.label for b in bins(hypothesis, "ee_OS")[:3])
    result["ee_OS", first] = with_total(None, 2.0)
    result["ee_OS", second] |= {"stat_up": None, "total_up": None}
    result["ee_OS", third] = with_total(20.0, 120.0)  # beyond the panel of ratios
    result["mumu_SS", first]["A"] *= factor
    return result


def yield_rows(hypothesis: str, sample: str, *, hidden: bool = False, factor: float = 1.0) -> list[YieldRow]:
    """Rows of the SR."""
    blind: dict[str, Any] = {"A": None, "A_error": None, "mark": HIDDEN} if hidden else {}
    at: dict[str, Any] = {"sample": sample, "hypothesis": hypothesis, "x": 0.97, "c_ab": 1.0, "c_ab_uncertainty": 0.0}
    return [
        YieldRow(**at, category=category, bin=label, **row | blind)
        for (category, label), row in in_bins(hypothesis, factor).items()
    ]


def closure_rows(hypothesis: str, sample: str) -> list[ClosureRow]:
    """Rows of the CR."""
    at = {"sample": sample, "hypothesis": hypothesis}
    return [
        ClosureRow(**at, category=category, bin=label, **row) for (category, label), row in in_bins(hypothesis).items()
    ]


def simulated_rows(factor: float = 1.0) -> list[SimulatedClosureRow]:
    """Ratios around one; in ee_OS there are too few events, ee_SS has no upper end, and mumu_OS nothing in A.

    Args:
        factor: of the ratio of mue_SS in the SR, low mass, x = 0.3.
    """
    result = []
    groups = (*CATEGORIES, "l2 electron", "l2 muon", "all")
    for hypothesis, selection, threshold, group in product(HYPOTHESES, SELECTIONS, THRESHOLDS, groups):
        g, t = groups.index(group), THRESHOLDS.index(threshold)
        ratio = 1 + 0.08 * (g - 4) + 0.1 * t * (1, -1, 0)[SELECTIONS.index(selection)]
        ratio *= 1 + HYPOTHESES.index(hypothesis)
        width = 1.2 + 0.2 * t
        if (hypothesis, selection, threshold, group) == ("low", "SR", "0.3", "mue_SS"):
            ratio *= factor
        row = compared(30.0, 30 * ratio)
        row |= {"ratio": ratio, "ratio_low": ratio / width, "ratio_high": ratio * width, "tested": 1}
        if group == "ee_OS":
            row |= {"ratio_low": 0.2, "ratio_high": 6.0, "tested": 0, "mark": NO_TEST}
        elif group == "ee_SS":
            row |= {"ratio_high": None}
        elif group == "mumu_OS":
            row |= {"A": 0.0, "ratio": 0.0, "ratio_low": 0.0}
        elif group == "all":
            row |= {"ndf": 8, "tested": 7}
        at = {"hypothesis": hypothesis, "selection": selection, "threshold": threshold, "category": group}
        result.append(SimulatedClosureRow(**at, **row))
    return result


def plane(factor: float = 1.0) -> hist.Hist:
    """Scores that fall, more steeply outside of 50-85 GeV, for muons and at high mass; of two datasets one is drawn.

    Args:
        factor: of the scores between 0.2 and 0.3 inside of 50-85 GeV, low mass, l2 electron.
    """
    histogram = make_plane(("drawn", "other"), score_edges())
    _, _, _, _, mass, score, _, _ = histogram.axes
    # Indices of category, hypothesis, selection, m(l1,SV), score, m_SV, Delta_2D.
    muon = np.array([category.l2 == MUON for category in ALL])[:, None, None, None, None, None, None]
    high = np.array([False, True])[:, None, None, None, None, None]
    outside = ((mass.centers < 50) | (mass.centers > 85))[:, None, None, None]
    x, width = score.centers[:, None, None], score.widths[:, None, None]
    content = 10 * width * np.exp(-(2.0 + outside + high + 0.5 * muon) * x)
    content = np.where(muon | high | outside | (x > 0.3), content, factor * content)
    view = histogram.view()
    view["value"][0] = view["variance"][0] = np.broadcast_to(content, view.shape[1:])
    view["value"][1] = view["variance"][1] = 1000.0
    return histogram


def scans(factor: float = 1.0) -> tuple[dict[str, Scan], dict[str, float]]:
    """Scans of the eight categories, and their thresholds: ee has poor bins everywhere, emu_SS none.

    Args:
        factor: of the figure of merit of ee_OS.
    """
    x = np.array(PAPER.scan)
    result, thresholds = {}, {}
    for i, category in enumerate(CATEGORIES):
        best = i + 4
        merit = 1 - ((np.arange(len(x)) - best) / 15) ** 2
        uncertainty = 0.3 + 0.05 * i + 30 * (x - x[0]) ** 2
        uncertainty[-1] *= i % 2  # 0 without background: not drawn
        poor = (i < 2) + np.where(x > x[best + 2], 1 + np.arange(len(x)) // 8, 0) * (category != "emu_SS")
        result[category] = Scan(
            thresholds=x,
            figure_of_merit=merit * (factor if category == "ee_OS" else 1),
            signal_fraction=0.9 - 10 * (x - x[0]),
            background=np.full(len(x), 10.0),
            uncertainty=uncertainty,
            poor_bins=poor.astype(np.int64),
            smallest_c=np.full(len(x), 1.0),
            best=best,
            mark="",
        )
        thresholds[category] = float(x[best])
    return result, thresholds


LABEL = Label("simulation", "0.07 fb$^{-1}$ (13 TeV)", "pseudo-data")


def yields(rows: Sequence[yield_plots.Predicted]) -> Figure:
    return yield_plots.yields(rows, rows[0].hypothesis, rows[0].sample, LABEL)


def without_d(rows: Sequence[YieldRow]) -> list[YieldRow]:
    """The same, with no event in D of any SS bin."""
    none: dict[str, Any] = {"D": 0.0, **dict.fromkeys(("prediction", "stat_down", "stat_up", "total_down", "total_up"))}
    return [row.model_copy(update=none) if row.category.endswith("SS") else row for row in rows]


FIGURES: dict[str, Callable[[], Figure]] = {
    "regions": regions.scheme,
    "SR_low_without_D": lambda: yields(without_d(yield_rows("low", "data", hidden=True))),
    "SR_low_simulation": lambda: yields(yield_rows("low", "simulation")),
    "SR_high_data": lambda: yields(yield_rows("high", "data", hidden=True)),
    "CR_high_data": lambda: yields(closure_rows("high", "data")),
    "simulated_closure": lambda: closure.simulated_closure(simulated_rows()),
    "VR_scores": lambda: scores.scores(plane(), ["drawn"], LABEL, "pseudo-data"),
    "thresholds": lambda: thresholds.scan(*scans(), LABEL),
}

CHANGED: dict[str, Callable[[], Figure]] = {
    "SR_low_simulation": lambda: yields(yield_rows("low", "simulation", factor=0.5)),
    "simulated_closure": lambda: closure.simulated_closure(simulated_rows(0.5)),
    "VR_scores": lambda: scores.scores(plane(0.9), ["drawn"], LABEL, "pseudo-data"),
    "thresholds": lambda: thresholds.scan(*scans(0.9), LABEL),
}


@pytest.mark.parametrize("name", list(FIGURES))
def test_look(looks_as_accepted: Callable[[Figure, str], None], name: str) -> None:
    looks_as_accepted(FIGURES[name](), f"abcd_{name}")


@pytest.mark.usefixtures("looks_as_accepted")
@pytest.mark.parametrize("name", list(CHANGED))
def test_what_changes_is_seen(name: str) -> None:
    """One point, one bar of a shape or one curve of many; on logarithmic axes by a half, otherwise by a tenth."""
    before, after = (images.pixels(draw()) for draw in (FIGURES[name], CHANGED[name]))
    assert images.difference(before, after) > images.MAX_DIFFERENCE


@pytest.mark.parametrize("name", list(FIGURES))
def test_it_can_be_read(name: str) -> None:
    with style.look():
        printed.check(FIGURES[name]())


def written(figure: Figure) -> set[str]:
    """Every text of a figure."""
    with style.look():
        return {text.get_text() for text in printed.texts(figure)}


@pytest.mark.parametrize(("hidden", "region"), [(False, "SR-A, high mass;"), (True, "SR-A, high mass, blinded;")])
def test_what_is_hidden_is_not_in_the_legend(hidden: bool, region: str) -> None:
    texts = written(yields(yield_rows("high", "data", hidden=hidden)))
    assert ("pseudo-data" in texts) is not hidden
    assert any(text.startswith(region) for text in texts)
    assert "no upper end" in texts  # of a bin of ee_OS
    assert "no event in D" in texts  # of another
    assert not any(text == "data" or text.startswith("data ") for text in texts)


def test_without_any_event_in_d_a_sentence_says_so() -> None:
    texts = written(FIGURES["SR_low_without_D"]())
    assert "no event in D: no prediction" in texts


def test_the_scan_counts_poor_bins() -> None:
    """Two categories, ee, have one poor bin at any threshold, the others none."""
    texts = written(FIGURES["thresholds"]())
    assert {text.partition("\n")[2] for text in texts if "\n" in text} == {
        "N(C) < 3 in 1 bin at best",
        "N(C) > 3 in all bins",
    }
    assert len([text for text in texts if "1 bin at best" in text]) == 2


@pytest.mark.parametrize(
    ("kind", "names"), [("SR", "SR-A SR-B SR-C SR-D"), ("VR", "VR-AB VR-CD"), ("CR", "CR-A CR-B CR-C CR-D")]
)
def test_each_point_of_the_scheme_is_in_the_region_that_is_drawn_there(kind: Kind, names: str) -> None:
    """The names stand where `regions.region` puts a candidate of that score and mass."""
    axes = regions.regions(kind)
    placed = [text for text in axes.texts if text.get_text().startswith(kind)]
    assert {text.get_text() for text in placed} == set(names.split())
    selection = 1 if kind == "VR" else 0
    for text in placed:
        score, mass = text.get_position()
        place = region(kind, selection, window(mass), score_bin(score, regions.THRESHOLD))
        assert rows(kind)[int(place)].name == text.get_text()
    plt.close("all")
