"""What figures of results write: labels, names, and legends below the axes."""

import pytest

from hnl.plots import labels, style
from hnl.plots.style import Label


def test_the_label_of_a_file() -> None:
    """Luminosity and energy are those of the file; whether data are simulated is what the catalogue says."""
    text = "data, 59.8/fb (13 TeV), expected only: region A is blinded"
    assert labels.above(text, 59.8) == Label("private work", "59.8 fb$^{-1}$ (13 TeV)", "data")
    demo = Label("simulation", "0.07 fb$^{-1}$ (13 TeV)", "pseudo-data")
    assert labels.above(text, 59.8, of=demo) == Label("simulation", "59.8 fb$^{-1}$ (13 TeV)", "pseudo-data")
    assert labels.above("projection of simulated background", 138.0, projected=True).status == "simulation"
    assert labels.above("no energy", 1.0).right == "1 fb$^{-1}$"


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("closure_emu_OS", r"closure $e \mu$ OS"),
        ("dy_mumu_OS_b3", r"Drell-Yan $\mu \mu$ OS bin 3"),
        ("mc_ee_SS_b0_A", "MC stat. $e e$ SS bin 0 A"),
        ("mc_other_channel", "mc other channel"),
        ("jes", "jet energy scale"),
        ("trigger_muon_2018", "trigger muon 2018"),
    ],
)
def test_names_of_parameters(name: str, read: str) -> None:
    assert labels.parameter(name) == read


def test_symbols_are_one_letter_wide() -> None:
    assert labels.ems([r"$\Delta_{2D}$"]) == labels.ems(["x2D"])
    assert labels.ems(["short", "much longer"]) == labels.ems(["much longer"])


def test_a_figure_grows_by_its_legend() -> None:
    """The axes keep their size, and given axes their figure."""
    ax = style.single(height=6.0)
    ax.plot([0, 1], label="line")
    figure = labels.figure_of(ax)
    before = ax.get_position().height * figure.get_figheight()
    height = figure.get_figheight()
    labels.legend_below(ax, title="what", grow=False)
    assert figure.get_figheight() == height
    labels.legend_below(ax, title="what")
    assert figure.get_figheight() > height
    assert ax.get_position().height * figure.get_figheight() == pytest.approx(before)
    figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().y0 >= 0
