"""The figures of fits, of fixed numbers."""

from collections.abc import Callable
from itertools import product

import images
import pytest
from matplotlib.figure import Figure

from hnl.inference.results import FitQuality, FitRecord, FittedImpact, FittedYield, Pull
from hnl.plots import fits
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
    n = fits.SHOWN_IMPACTS + 5
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


LABEL = "data, 59.8/fb (13 TeV)"
FIGURES: dict[str, Callable[[], Figure]] = {
    "yields_observed": lambda: fits.yields(record(abcd_yields()), LABEL),
    "yields_blinded": lambda: fits.yields(record(abcd_yields(observed=False)), LABEL),
    "yields_templates": lambda: fits.yields(record(template_yields()), LABEL),
    "impacts": lambda: fits.impacts(record(abcd_yields()), "observed"),
}
CHANGED: dict[str, Callable[[], Figure]] = {
    "yields_observed": lambda: fits.yields(record(abcd_yields(factor=0.9)), LABEL),
    "impacts": lambda: fits.impacts(record(abcd_yields(), factor=0.9), "observed"),
}


@pytest.mark.parametrize("name", list(FIGURES))
def test_look(looks_as_accepted: Callable[[Figure, str], None], name: str) -> None:
    looks_as_accepted(FIGURES[name](), f"fit_{name}")


@pytest.mark.usefixtures("looks_as_accepted")
@pytest.mark.parametrize("name", list(CHANGED))
def test_a_bar_that_changes_is_seen(name: str) -> None:
    """The background of one bin of eleven, and one impact of twenty, by a tenth."""
    before, after = (images.pixels(draw()) for draw in (FIGURES[name], CHANGED[name]))
    assert images.difference(before, after) > images.MAX_DIFFERENCE
