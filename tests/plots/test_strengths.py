"""The figure of limits on the signal strength, of fixed numbers."""

from collections.abc import Callable

import images
import pytest
from matplotlib.figure import Figure

from hnl.inference.results import NamedLimit, StrengthLimit, StrengthsFile
from hnl.plots.strengths import strengths


def named(name: str, median: float, observed: float | None) -> NamedLimit:
    """A model whose expected limits lie at 0.5, 0.7, 1, 1.5 and 2.2 of the median."""
    expected = tuple(median * ratio for ratio in (0.5, 0.7, 1.0, 1.5, 2.2))
    limit = StrengthLimit(observed, expected, "asymptotic", False, 0, observed, expected, 5.0, name)
    return NamedLimit(name, "", limit)


def content(factor: float = 1.0) -> StrengthsFile:
    """Observed above and below the median, one model blinded, and one without limit, which gets no line.

    Args:
        factor: of the limits of the second model.
    """
    limits = (
        named("heavy_resonance_1000", 0.8, 1.1),
        named("heavy_resonance_2000", 3.0 * factor, 2.0 * factor),
        NamedLimit("refused", "no simulated events", None),
        named("displaced_pair", 40.0, None),
    )
    return StrengthsFile(
        format=StrengthsFile.FORMAT,
        label="data, 59.8/fb (13 TeV)",
        hidden=False,
        luminosity=59.8,
        level=0.95,
        limits=limits,
        partial=(),
        provenance={},
    )


def test_look(looks_as_accepted: Callable[[Figure, str], None]) -> None:
    looks_as_accepted(strengths(content()), "strengths")


@pytest.mark.usefixtures("looks_as_accepted")
def test_a_limit_that_changes_is_seen() -> None:
    """Bands and points of one model of three, by a tenth; the axis stays as it is."""
    before, after = (images.pixels(strengths(content(factor))) for factor in (1.0, 0.9))
    assert images.difference(before, after) > images.MAX_DIFFERENCE
