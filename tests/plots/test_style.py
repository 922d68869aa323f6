"""The common look of figures: whose settings count, and what is written above."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
import synthetic
from matplotlib.axes import Axes

from hnl.datasets.catalogue import Catalogue, Era
from hnl.plots import style
from hnl.plots.style import Label


@style.styled
def draw() -> Axes:
    """What a function of a figure does."""
    axes = style.single()
    axes.plot([0, 1], [0, 1], color=style.colour(0))
    axes.set_xlabel("x")
    return axes


@pytest.fixture(autouse=True)
def _defaults() -> object:
    with mpl.rc_context(mpl.rcParamsDefault | {"backend": "agg"}):
        yield
    plt.close("all")


def test_our_look_needs_no_preparation_and_leaves_nothing_behind() -> None:
    axes = draw()
    assert axes.xaxis.label.get_size() == 8
    assert axes.lines[0].get_color() == style.PETROFF[0]
    assert style.figure_of(axes).get_figwidth() == pytest.approx(8.5 / 2.54)
    assert mpl.rcParams["font.size"] == mpl.rcParamsDefault["font.size"]


STYLE = """
font.size: 13
axes.prop_cycle: cycler(color=['123456'])
xtick.top: False
figure.figsize: 6, 4
"""


def test_the_users_file_counts_before_our_look(tmp_path: Path) -> None:
    """Also where it asks for what matplotlib does by default, here no ticks above, and ours does not."""
    path = tmp_path / "mine.mplstyle"
    path.write_text(STYLE, encoding="utf-8")
    with style.look(path):
        axes = draw()
    assert axes.xaxis.label.get_size() == 13  # our sizes of labels are relative to it
    assert axes.lines[0].get_color() == "#123456"
    assert not axes.xaxis.get_major_ticks()[0].tick2line.get_visible()
    assert axes.yaxis.get_major_ticks()[0].tick2line.get_visible()  # ours: the file does not say
    assert style.figure_of(axes).get_size_inches().tolist() == [6, 4]


def test_settings_of_a_notebook_count_as_well() -> None:
    with mpl.rc_context({"font.size": 11, "axes.linewidth": 3}):
        axes = draw()
    assert axes.xaxis.label.get_size() == 11
    assert axes.spines["left"].get_linewidth() == 3


@pytest.mark.parametrize(
    ("process", "label"),
    [
        ("pseudo-data", Label("simulation", "59.8 fb$^{-1}$ (13 TeV)", "pseudo-data")),
        ("data", Label("private work", "59.8 fb$^{-1}$ (13 TeV)", "data")),
        (None, Label("simulation", "59.8 fb$^{-1}$ (13 TeV)", "data")),
    ],
)
def test_label_of_a_catalogue(process: str | None, label: Label) -> None:
    data = [synthetic.data().model_copy(update={"process": process})] if process else []
    era = Era(year=2018, luminosity=59.8, triggers=synthetic.TRIGGERS)
    catalogue = Catalogue(eras={"2018": era}, datasets=(synthetic.background("w", "wjets"), *data))
    assert Label.of(catalogue) == label


def test_headroom_of_a_logarithmic_axis_is_a_share_of_the_height() -> None:
    axes = style.single()
    axes.set(yscale="log", ylim=(1, 2))
    style.headroom(axes, [float("nan"), 100.0], 0.5)
    assert axes.get_ylim() == pytest.approx((1, 1e4))
