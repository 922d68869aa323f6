"""The cutflow and the efficiencies of the signal, of fixed numbers."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import printed
import pytest
import synthetic
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from hnl.datasets.catalogue import PSEUDODATA, Catalogue, Era
from hnl.plots import cutflow, style
from hnl.plots.displaced import efficiencies
from hnl.processors.selection_files import DatasetCutflow

DATASETS = (
    synthetic.background("wjets", "wjets"),
    synthetic.background("ttbar", "ttbar"),
    synthetic.signal("hnl3", 3),
    synthetic.signal("hnl8", 8),
    synthetic.data().model_copy(update={"process": PSEUDODATA}),
)
CATALOGUE = Catalogue(
    eras={"2018": Era(year=2018, luminosity=2.0, triggers=synthetic.TRIGGERS)},
    datasets=DATASETS,
)
STEPS = ("all events", "N(jets) >= 1", "|Delta phi(l1, l2)| > 0.4")
LEFT = {"wjets": (1000, 100, 10), "ttbar": (500, 400, 0), "hnl3": (60, 40, 20), "hnl8": (50, 30, 25)}
LEFT |= {DATASETS[-1].name: (3000, 900, 20)}
SUM_W = {"wjets": 1000.0, "ttbar": 1000.0, "hnl3": 200.0, "hnl8": 100.0}


def one(counts: tuple[int, ...]) -> DatasetCutflow:
    """As it is in cutflow.json; all weights are one."""
    stages = {
        step: {"all": {"events": n, "sum_w": float(n), "sum_w2": float(n)}}
        for step, n in zip(STEPS, counts, strict=True)
    }
    return DatasetCutflow(stages, {}, {}, {}, {}, [], {})


CUTFLOWS = {name: one(counts) for name, counts in LEFT.items()}


def test_look(looks_as_accepted: Callable[[Figure, str], None]) -> None:
    figure = cutflow.cutflow(CUTFLOWS, SUM_W, CATALOGUE)
    with style.look():
        printed.check(figure)
    looks_as_accepted(figure, "cutflow")


def test_events_are_those_of_the_luminosity() -> None:
    """sigma (pb) x 1000 x 2 /fb / sum of weights, times what is left; nothing is drawn of ttbar after the last step."""
    axes = cutflow.expected_events(CUTFLOWS, SUM_W, CATALOGUE)
    values = {p.get_label(): p.get_data().values.tolist() for p in axes.patches if isinstance(p, StepPatch)}
    (sigma,) = {dataset.cross_section for dataset in DATASETS if dataset.kind == "background"}
    assert sigma
    assert values["W+jets"] == pytest.approx([sigma * 2 * n for n in (1000, 100, 10)])
    assert values[r"$t\bar{t}$"][:2] == pytest.approx([sigma * 2 * n for n in (500, 400)])
    assert values[r"$t\bar{t}$"][2] != values[r"$t\bar{t}$"][2]
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "all events",
        "N(jets) \N{GREATER-THAN OR EQUAL TO} 1",
        "|\N{GREEK CAPITAL LETTER DELTA}\N{GREEK SMALL LETTER PHI}(l1, l2)| > 0.4",
    ]
    plt.close("all")


def test_efficiency_is_the_share_of_generated_events(looks_as_accepted: Callable[[Figure, str], None]) -> None:
    """20 of 200, and 25 of 100; the errors are those of the counts."""
    axes = efficiencies.efficiency(CUTFLOWS, SUM_W, CATALOGUE)
    (container,) = axes.containers
    line, _, (bars,) = container
    assert line.get_xydata().tolist() == [[3, 0.1], [8, 0.25]]
    (low, high), _ = bars.get_segments()
    assert high[1] - low[1] == pytest.approx(2 * 20**0.5 / 200)
    with style.look():
        printed.check(style.figure_of(axes))
    looks_as_accepted(style.figure_of(axes), "signal_efficiency")
