"""The figures of fits, of fixed numbers."""

import dataclasses
from collections.abc import Callable
from itertools import product
from pathlib import Path

import images
import numpy as np
import printed
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import chi2

from hnl.inference.results import (
    FitFile,
    FitQuality,
    FitRecord,
    FittedImpact,
    FittedYield,
    ParameterCorrelation,
    Pull,
)
from hnl.plots import fits, parameters, style
from hnl.plots.style import Label
from hnl.selections.displaced.regions import REGIONS, bins


def abcd_yields(*, observed: bool = True, factor: float = 1.0) -> list[FittedYield]:
    """Two categories with all four regions, of which A alone is drawn: the others are a thousand times as large.

    Args:
        observed: whether there are data in A.
        factor: of the background in A of the first bin.
    """
    result = []
    for category in ("mumu_OS", "mumu_SS"):
        for b, region in product(bins("high", category), REGIONS):
            background = 80 * 0.5**b.number * (1.0 if region == "A" else 1000.0)
            data = float(round(background * (1 + 0.4 * (-1) ** b.number)))
            if not result:
                background *= factor
            one = FittedYield(
                category=category,
                bin=b.number,
                region=region,
                hypothesis="high",
                observed=data if observed or region != "A" else None,
                prefit=background,
                signal=2.0 + b.number,
                background_only=background,
                background_only_error=None if b.number == 4 else 0.3 * background,
                fitted_background=background,
                fitted_signal=0.0,
            )
            result.append(one)
    return result


def template_yields() -> list[FittedYield]:
    """A channel of twelve bins with a peak on a falling background, whose last bin is empty."""
    background = [100 * 0.8**i for i in range(11)] + [0.0]
    return [
        FittedYield(
            category="four_leptons",
            bin=i,
            observed=float(round(b * (1.2 if i % 2 else 0.9))),
            prefit=b,
            signal=20.0 if i == 6 else 1.0,
            background_only=b,
            background_only_error=0.1 * b,
            fitted_background=b,
            fitted_signal=0.0,
        )
        for i, b in enumerate(background)
    ]


def record(yields: list[FittedYield], *, factor: float = 1.0) -> FitRecord:
    """A fit with more parameters than are drawn; one has no value, one no error, and one is beyond the panel.

    Args:
        yields: before and after the fit.
        factor: of the second impact.
    """
    n = parameters.SHOWN + 5
    impacts = [FittedImpact(f"parameter_{i}", 0.0, 1.0, 0.5 * 0.8**i, -0.4 * 0.8**i) for i in range(n)]
    impacts[1] = FittedImpact("parameter_1", 0.0, 1.0, factor * impacts[1].up, factor * impacts[1].down)
    pulls = [Pull(f"parameter_{i}", 0.4 * (i % 5 - 2), 1 / (1 + 0.2 * (i % 3))) for i in range(n)]
    pulls[3] = Pull("parameter_3", None, None)
    pulls[5] = Pull("parameter_5", 0.7, None)
    pulls[8] = Pull("parameter_8", -3.0, 0.3)
    return FitRecord(
        sample="hnl10_mu",
        mu=0.2,
        mu_error=0.3,
        success=True,
        few_events=False,
        at_bound=(),
        pulls=tuple(pulls),
        impacts=tuple(impacts),
        impacts_of="the fit",
        goodness_of_fit=FitQuality(10.0, 10, 0.44, 0, None, 0),
        yields=tuple(yields),
    )


LABEL = Label("private work", "59.8 fb$^{-1}$ (13 TeV)")


def correlated(n: int, fit: FitRecord | None = None) -> FitRecord:
    """Parameters each of which is correlated with the next, less and less, by turns positively and negatively."""
    names = ["mu", *(f"parameter_{i}" for i in range(n - 1))]
    sizes = [0.95 * 0.95**i * (-1) ** i for i in range(n - 1)]
    pairs = tuple(ParameterCorrelation(a, b, c) for a, b, c in zip(names, names[1:], sizes, strict=False))
    return dataclasses.replace(fit or record(abcd_yields()), correlations=pairs)


def by_toys(statistic: float = 30.0, factor: float = 1.0) -> FitRecord:
    """A fit worse than all of 500 toys but ten, whose statistic follows a chi2 of 12 degrees of freedom.

    Args:
        statistic: of the fit.
        factor: of the highest bar.
    """
    edges = np.linspace(0, 40, 41)
    counts = np.round(500 * np.diff(chi2.cdf(edges, 12)))
    counts[np.argmax(counts)] *= factor
    quality = FitQuality(
        statistic, 12, 0.003, 500, 0.02, 1, tuple(edges.tolist()), tuple(int(count) for count in counts)
    )
    return dataclasses.replace(record(abcd_yields()), goodness_of_fit=quality)


def root(axes: Axes) -> Figure:
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


FIGURES: dict[str, Callable[[], Figure]] = {
    "yields_observed": lambda: fits.yields(record(abcd_yields()), "observed", LABEL),
    "yields_blinded": lambda: fits.yields(record(abcd_yields(observed=False)), "expected (Asimov data)", LABEL),
    "yields_templates": lambda: fits.yields(record(template_yields()), "observed", LABEL),
    "impacts": lambda: parameters.impacts(record(abcd_yields()), "observed", LABEL),
    "correlations_few": lambda: root(parameters.correlations(correlated(5), LABEL)),
    "correlations_many": lambda: root(parameters.correlations(correlated(60), LABEL)),
    "goodness": lambda: root(fits.goodness(by_toys(), LABEL)),
}
CHANGED: dict[str, Callable[[], Figure]] = {
    "yields_observed": lambda: fits.yields(record(abcd_yields(factor=0.9)), "observed", LABEL),
    "impacts": lambda: parameters.impacts(record(abcd_yields(), factor=0.9), "observed", LABEL),
    "goodness": lambda: root(fits.goodness(by_toys(factor=0.9), LABEL)),
}


@pytest.mark.parametrize("name", list(FIGURES))
def test_look(looks_as_accepted: Callable[[Figure, str], None], name: str) -> None:
    figure = FIGURES[name]()
    printed.check(figure)
    looks_as_accepted(figure, f"fit_{name}")


@pytest.mark.usefixtures("looks_as_accepted")
@pytest.mark.parametrize("name", list(CHANGED))
def test_a_bar_that_changes_is_seen(name: str) -> None:
    """The background of one bin of eleven, one impact of twenty, one bar of forty, by a tenth."""
    before, after = (images.pixels(draw()) for draw in (FIGURES[name], CHANGED[name]))
    assert images.difference(before, after) > images.MAX_DIFFERENCE


def pull_of(value: float, error: float = 1.0) -> tuple[Axes, list[str]]:
    """The panel of a single pull, and what is written in it."""
    fit = record(abcd_yields())
    one = dataclasses.replace(fit, pulls=(Pull("parameter_0", value, error),), impacts=fit.impacts[:1])
    left, _ = parameters.impacts(one, "observed").axes
    return left, [text.get_text() for text in left.texts]


def test_pulls_are_within_the_axes_or_marked() -> None:
    """Three standard deviations widen the axes; eight are an arrow with the number."""
    axes, words = pull_of(-3.0, 0.5)
    assert axes.get_xlim() == pytest.approx((-3.85, 3.85))
    assert "\N{MINUS SIGN}3.0" not in words
    axes, words = pull_of(-8.0, 0.5)
    assert axes.get_xlim() == (-parameters.LARGEST_PULL, parameters.LARGEST_PULL)
    assert "\N{MINUS SIGN}8.0" in words
    assert [line.get_marker() for line in axes.lines if line.get_marker() in ("<", ">")] == ["<"]


def test_constraints_are_written() -> None:
    assert "0.37" in pull_of(0.0, 0.37)[1]


def test_signs_of_impacts_are_told_apart_without_colour() -> None:
    _, right = parameters.impacts(record(abcd_yields()), "observed").axes
    hatches = {patch.get_hatch() for patch in right.patches}
    assert len(hatches) == 2


@pytest.mark.parametrize(("n", "shown", "told"), [(5, 5, "all 5 correlated"), (60, 20, "largest 20 of 60")])
def test_parameters_of_the_matrix(n: int, shown: int, told: str) -> None:
    """Those of the largest correlations; each number stands in the lower triangle."""
    axes = parameters.correlations(correlated(n))
    assert len(axes.get_yticklabels()) == shown
    *numbers, words = [text.get_text() for text in axes.texts]
    assert told in words
    assert len(numbers) == shown - 1
    assert numbers[:2] == ["95", "\N{MINUS SIGN}90"]


def test_without_toys_the_figure_says_so() -> None:
    axes = fits.goodness(record(abcd_yields()))
    assert [text.get_text() for text in axes.texts] == ["no toys were thrown for the goodness of fit"]


def test_no_histogram_of_rounding_errors() -> None:
    """With empty sidebands the model describes whatever is thrown: -2 ln L is 3e-10 for the data and every toy."""
    quality = FitQuality(3e-10, 11, 1.0, 3, 1.0, 0, [3e-10, 3.5e-10, 4e-10], [2, 1])
    axes = fits.goodness(dataclasses.replace(record(abcd_yields()), goodness_of_fit=quality))
    assert [text.get_text() for text in axes.texts] == [
        "nothing to test: the fit describes\nthe data and every toy exactly"
    ]


def test_files(tmp_path: Path) -> None:
    """Figures of correlations and goodness where there are such results; each says what it shows."""
    plain, full = record(abcd_yields()), dataclasses.replace(correlated(5, by_toys()), sample="full")
    content = FitFile(
        format=FitFile.FORMAT,
        label="data, 59.8/fb (13 TeV)",
        projected=False,
        data="observed",
        luminosity=59.8,
        correlated_closure=True,
        fits=(plain, full),
        refused={},
        partial=(),
        provenance={},
    )
    with style.look(formats=("png",)):
        made = fits.draw_fits(content, tmp_path)
    names = ["yields_hnl10_mu", "impacts_hnl10_mu"]
    names += [f"{name}_full" for name in ("yields", "impacts", "correlations", "goodness")]
    assert [one.path.stem for one in made] == [f"fit_{name}" for name in names]
    assert all(one.caption and one.alt and one.section == "fit" and one.path.is_file() for one in made)
    assert made[-1].alt == "-2 ln of the ratio is 30, p = 0.02 by 500 toys (0.003 by chi2)."
