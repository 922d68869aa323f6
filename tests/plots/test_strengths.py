"""The figure of limits on the signal strength, of fixed numbers."""

import dataclasses
from collections.abc import Callable

import images
import printed
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


def many() -> StrengthsFile:
    """Twenty models with long names, decades apart; blinded."""
    limits = tuple(named(f"heavy_neutral_lepton_{i}_majorana", 0.01 * 2.2**i, None) for i in range(20))
    return dataclasses.replace(content(), limits=limits, hidden=True)


def one() -> StrengthsFile:
    return dataclasses.replace(content(), limits=(named("heavy_resonance_1000", 0.8, 1.1),))


def drawn(limits: StrengthsFile) -> Figure:
    figure = strengths(limits).get_figure(root=True)
    assert figure is not None
    return figure


@pytest.mark.parametrize(("name", "limits"), [("", content()), ("_many", many()), ("_one", one())])
def test_look(looks_as_accepted: Callable[[Figure, str], None], name: str, limits: StrengthsFile) -> None:
    figure = drawn(limits)
    printed.check(figure)
    looks_as_accepted(figure, f"strengths{name}")


@pytest.mark.usefixtures("looks_as_accepted")
def test_a_limit_that_changes_is_seen() -> None:
    """Bands and points of one model of three, by a tenth; the axis stays as it is."""
    before, after = (images.pixels(drawn(content(factor))) for factor in (1.0, 0.9))
    assert images.difference(before, after) > images.MAX_DIFFERENCE


def test_a_model_without_limit_says_so() -> None:
    axes = strengths(content())
    (text,) = [text for text in axes.texts if text.get_text() == "no limit"]
    assert [label.get_text() for label in axes.get_yticklabels()][int(text.get_position()[1])] == "refused"


def test_logarithmic_only_where_limits_are_far_apart() -> None:
    assert [strengths(limits).get_xscale() for limits in (one(), many())] == ["linear", "log"]


def test_the_method_and_its_doubts_are_in_the_legend() -> None:
    first, *others = content().limits
    doubtful = dataclasses.replace(first, limit=dataclasses.replace(first.limit, few_events=True))
    axes = strengths(dataclasses.replace(content(), limits=(doubtful, *others)))
    assert axes.get_legend().get_title().get_text() == "asymptotic (1 of 3: few events)"
