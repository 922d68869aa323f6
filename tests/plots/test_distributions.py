"""Distributions of candidates: what is written on them, and how they look."""

from collections.abc import Callable
from pathlib import Path

import hist
import images
import matplotlib.pyplot as plt
import numpy as np
import printed
import pytest
import synthetic
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from hnl.datasets.catalogue import PSEUDODATA, Catalogue, Era
from hnl.histograms import variables
from hnl.histograms.displaced.distributions import BY_CATEGORY, DISTRIBUTIONS, VARIABLES
from hnl.histograms.fill import fill
from hnl.plots import distributions, processes, style
from hnl.selections.displaced.categories import CATEGORIES


def written(figure: Figure) -> set[str]:
    """Every text of a figure."""
    with style.look():
        return {text.get_text() for text in printed.texts(figure)}


@pytest.mark.parametrize(
    ("eras", "label"),
    [({"2018": 59.8}, "59.8 fb$^{-1}$ (13 TeV)"), ({"2018": 59.8, "2022": 8.0}, "67.8 fb$^{-1}$ (13, 13.6 TeV)")],
)
def test_luminosity_and_energy(eras: dict[str, float], label: str) -> None:
    datasets = tuple(synthetic.background(f"w{name}", "wjets", era=name) for name in eras)
    catalogue = Catalogue(
        eras={
            name: Era(year=int(name), luminosity=luminosity, triggers=synthetic.TRIGGERS)
            for name, luminosity in (eras | {"2017": 41.5}).items()  # of 2017 there are no datasets
        },
        datasets=datasets,
    )
    filled = fill({dataset.name: (synthetic.candidates(20), np.ones(20)) for dataset in datasets}, DISTRIBUTIONS)
    figure = distributions.by_panel(filled["m_sv"][:, "SR", ...], BY_CATEGORY, catalogue, with_data=False)
    assert label in written(figure)
    plt.close(figure)


DATASETS = (
    synthetic.background("wjets", "wjets"),
    synthetic.background("ttbar", "ttbar"),
    synthetic.signal("hnl3", 3),
    synthetic.signal("hnl8", 8),
    synthetic.signal("hnl15", 15),
    synthetic.data().model_copy(update={"process": PSEUDODATA}),
)
CATALOGUE = Catalogue(
    eras={"2018": Era(year=2018, luminosity=59.8, triggers=synthetic.TRIGGERS)},
    datasets=DATASETS,
)


def m_l1_sv(scale: float = 1.0) -> hist.Hist:
    """Two falling backgrounds, three peaks that lie beside each other, and data: their sum, up and down by turns.

    Args:
        scale: of the largest bin of wjets in mumu_OS, N(jets) > 1.
    """
    (variable,) = (variable for variable in VARIABLES if variable.name == "m_l1_sv")
    histogram = variables.make(variable, DISTRIBUTIONS.splits, [dataset.name for dataset in DATASETS])
    x = histogram.axes[-1].centers
    falling = {"wjets": 900 * np.exp(-x / 50), "ttbar": 9 * x * np.exp(-x / 40)}
    shapes = falling | {f"hnl{m}": 40 * np.exp(-(((x - 60 - 2 * m) / 15) ** 2)) for m in (3, 8, 15)}
    shapes["pseudodata"] = np.round(sum(falling.values()) * (1 + 0.1 * (-1.0) ** np.arange(len(x))))
    for i, category in enumerate(CATEGORIES):
        for name, values in shapes.items():
            for selection, part in (("SR", 1.0), ("VR", 0.5)):
                content = part * values / (1 + i)
                cell = {"dataset": hist.loc(name), "selection": hist.loc(selection), "category": hist.loc(category)}
                histogram[cell] = np.stack([content, content], axis=-1)
    largest = {"dataset": hist.loc("wjets"), "selection": hist.loc("VR"), "category": hist.loc("mumu_OS")}
    content = histogram[largest].view()
    content[0] = (scale * content[0].value, content[0].variance)
    histogram[largest] = content
    return histogram


def drawn(histogram: hist.Hist, selection: str) -> Figure:
    return distributions.by_panel(histogram[:, selection, ...], BY_CATEGORY, CATALOGUE, with_data=selection != "SR")


@pytest.mark.parametrize("selection", ["SR", "VR"])
def test_look(looks_as_accepted: Callable[[Figure, str], None], selection: str) -> None:
    """Data is in the picture of N(jets) > 1 alone."""
    looks_as_accepted(drawn(m_l1_sv(), selection), f"distributions_{selection}")


@pytest.mark.usefixtures("looks_as_accepted")
def test_a_bar_that_changes_is_seen(tmp_path: Path) -> None:
    """One bin of 40 in one panel of eight, by a tenth: the pictures differ by more than is accepted."""
    before, after = (images.pixels(drawn(m_l1_sv(f), "VR")) for f in (1.0, 0.9))
    assert images.difference(before, after) > images.MAX_DIFFERENCE
    with pytest.raises(AssertionError, match=r"distributions_VR\.png by .* make test-images-update"):
        images.compare(
            drawn(m_l1_sv(0.9), "VR"),
            "distributions_VR",
            update=False,
            failed=tmp_path,
        )


@pytest.mark.parametrize("selection", ["SR", "VR"])
def test_it_can_be_read(selection: str) -> None:
    with style.look():
        printed.check(drawn(m_l1_sv(), selection))


def one_panel(selection: str) -> hist.Hist:
    return m_l1_sv()[:, selection, "ee_OS", :]


@pytest.mark.parametrize("selection", ["SR", "VR"])
def test_look_of_one_panel(looks_as_accepted: Callable[[Figure, str], None], selection: str) -> None:
    axes = distributions.distribution(one_panel(selection), CATALOGUE, with_data=selection != "SR")
    with style.look():
        printed.check(style.figure_of(axes))
    looks_as_accepted(style.figure_of(axes), f"distribution_{selection}")


def test_it_draws_in_the_axes_that_are_given() -> None:
    figure, axes = plt.subplots()
    assert distributions.distribution(one_panel("VR"), CATALOGUE, ax=axes) is axes
    assert figure.axes == [axes]
    plt.close(figure)


def test_what_is_written_is_what_is_drawn() -> None:
    """Bins of 5 GeV, pseudo-data, a factor that makes the signal as high as the background; hidden where it must be."""
    shown, hidden = written(drawn(m_l1_sv(), "VR")), written(drawn(m_l1_sv(), "SR"))
    for texts in (shown, hidden):
        assert {"events / 5 GeV", r"$t\bar{t}$", "W+jets", "simulation"} <= {text.strip() for text in texts}
        assert not texts & {"ttbar", "wjets", "data"}
    assert "pseudo-data" in shown
    assert "blinded" not in shown
    assert "blinded" in hidden
    assert "pseudo-data" not in hidden
    # ee_OS, the largest: a background of 900 exp(-0.05) + 22.5 exp(-0.0625) in the first bin; 40 in the signal's peak.
    x = 5 * np.arange(40) + 2.5
    highest = (900 * np.exp(-x / 50) + 9 * x * np.exp(-x / 40)).max()
    peak = (40 * np.exp(-(((x - 66) / 15) ** 2))).max()
    (text,) = (text for text in shown if text.startswith("$m_N$ = 3 GeV"))
    assert float(text.partition("\N{MULTIPLICATION SIGN} ")[2]) == pytest.approx(highest / peak, rel=0.05)


@pytest.mark.parametrize(("events", "width"), [(10_000.0, 5), (170.0, 10), (150.0, 20), (4.0, 25)])
def test_few_events_make_wide_bins(events: float, width: int) -> None:
    """40 bins of 5 GeV. 170 events are 8.5 in each of 20 bins; 150 are 7.5, too few, and 15 in each of 10; of 4 events
    there would be none, but six bins are to be left, and eight is the next number that divides 40."""
    histogram = one_panel("VR")
    histogram[0, :] = np.full((40, 2), events / 40)
    histogram[1, :] = np.zeros((40, 2))
    axes = distributions.distribution(histogram, CATALOGUE, with_data=False)
    plt.close("all")
    assert axes.get_ylabel() == f"events / {width} GeV"


def test_the_catalogue_names_a_process() -> None:
    named = synthetic.background("w", "wjets").model_copy(update={"title": "W and jets"})
    assert processes.title(named) == "W and jets"
    assert processes.title(synthetic.background("w", "wjets")) == "W+jets"


def test_overflow_is_in_the_last_bin() -> None:
    (variable,) = (v for v in VARIABLES if v.name == "m_l1_sv")
    histogram = variables.make(variable, (), ["wjets"])
    histogram.fill("wjets", [199.0, 300.0, 1000.0])
    axes = distributions.distribution(histogram, CATALOGUE)
    drawn_values = [patch.get_data().values for patch in axes.patches if isinstance(patch, StepPatch)]
    assert drawn_values[0][-1] == 3
    plt.close("all")


def test_a_saved_figure_does_not_know_the_time(tmp_path: Path) -> None:
    """A stage whose figures `hnl plot` draws again would be stale."""
    distributions.save(plt.figure(), tmp_path / "figure.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.pdf", "figure.png"]
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"/Producer" in pdf
    assert b"CreationDate" not in pdf


def test_displacements_of_all_sizes_can_be_seen() -> None:
    """Bins of their own widths on a logarithmic axis; 0.15 cm is in the third of them."""
    (variable,) = (v for v in VARIABLES if v.name == "delta_2d")
    histogram = variables.make(variable, (), ["wjets"])
    histogram.fill("wjets", np.full(1000, 0.15))
    axes = distributions.distribution(histogram, CATALOGUE)
    stack = next(patch.get_data() for patch in axes.patches if isinstance(patch, StepPatch))
    assert stack.edges.tolist() == list(variable.bins)
    assert np.flatnonzero(stack.values).tolist() == [2]
    assert axes.get_xscale() == "log"
    assert axes.get_ylabel() == "events / bin"
    plt.close("all")


def test_no_two_processes_have_one_colour() -> None:
    """Of eight, the six largest are drawn by name, and the others together."""
    datasets = tuple(synthetic.background(f"p{i}", f"process {i}") for i in range(8))
    catalogue = Catalogue(eras=CATALOGUE.eras, datasets=datasets)
    (variable,) = (v for v in VARIABLES if v.name == "m_l1_sv")
    histogram = variables.make(variable, (), [dataset.name for dataset in datasets])
    for i, dataset in enumerate(datasets):
        histogram.fill(dataset.name, np.full(100 + i, 42.0))
    axes = distributions.distribution(histogram, catalogue)
    stacked = [p for p in axes.patches if isinstance(p, StepPatch) and p.get_fill() and not p.get_hatch()]
    named = {str(patch.get_label()): patch.get_facecolor() for patch in stacked}
    assert set(named) == {"other", *(f"process {i}" for i in range(2, 8))}
    assert len(set(named.values())) == len(named) == 7
    plt.close("all")
