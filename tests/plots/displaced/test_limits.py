"""Figures of limits: drawn from a record alone, and they say what is open, refused or not excluded."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import images
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from hnl.inference.displaced import table5
from hnl.inference.displaced.results import LimitsFile, SampleLimit
from hnl.inference.displaced.scan_results import CURVES, Edge, ExcludedRange, MassScan, ScanPoint, ScanSettings
from hnl.inference.published import Curve
from hnl.inference.results import StrengthLimit
from hnl.plots.displaced import limits as plots

V2 = np.geomspace(1e-8, 1e-2, 25)


def scanned(
    mass: float,
    lower: float,
    upper: float,
    *,
    observed: bool,
    refused_above: float = 1.0,
    between: tuple[float, ...] = (),
) -> MassScan:
    """CLs that falls to 1e-3 between two |V|^2; the same for all curves."""
    tested = []
    for v2 in map(float, V2):
        cls = 1e-3 if lower < v2 < upper else 0.6
        refused = v2 > refused_above
        curves = () if refused else (cls if observed else None, *[cls] * 5)
        tested.append(ScanPoint(v2, curves, "too few" if refused else ""))
    is_open = upper > refused_above
    status = "open" if is_open else "closed"
    edges = (Edge("closed", lower, lower), Edge(status, None if is_open else upper, refused_above))
    if lower >= upper:
        status, edges = "nothing excluded", (None, None)
    names = CURVES if observed else CURVES[1:]
    excluded = tuple(ExcludedRange(name, status, *edges, smallest_cls=1e-3, smallest_at=1e-5) for name in names)
    return MassScan("mu", "majorana", mass, tuple(tested), excluded, excluded, between)


def at_generated_lifetime(mass: float, v2: float, observed: float | None) -> SampleLimit:
    """A point that cannot be reweighted, whose median expected limit on mu is 3.25."""
    expected = (1.0, 2.0, 3.25, 4.0, 5.0)
    limit = StrengthLimit(observed, expected, "asymptotic", False, 0, None, expected, 5.0, "made up")
    return SampleLimit(f"hnl{mass:g}", "mu", "majorana", mass, 3.0, generated_only=True, v2=v2, limit=limit)


def published(coupling: str, name: str) -> Curve:
    place = {"name": name, "reference": "ABC-1", "file": "curve.dat", "coupling": coupling}
    return Curve(**place, natures=("majorana",), level=0.9, mass=(1.0, 9.0), v2=(1e-4, 1e-5))


def content(*scans: MassScan, samples: tuple[SampleLimit, ...] = ()) -> LimitsFile:
    return LimitsFile(
        format=LimitsFile.FORMAT,
        label="made up",
        projected=False,
        hidden=False,
        luminosity=1.0,
        level=0.95,
        method="made up",
        settings=ScanSettings(lowest=1e-8, highest=1e-2),
        partial=(),
        scans=scans,
        not_scanned=(),
        left_out=(),
        published=(published("mu", "old"), published("e", "other")),
        samples=samples,
        provenance={},
    )


def labels(figure) -> set[str]:
    return {text.get_text() for text in figure.axes[0].get_legend().get_texts()}


@pytest.mark.parametrize("observed", [True, False])
def test_what_is_in_the_legend(observed: bool) -> None:
    scans = [scanned(m, 1e-6, 1e-4, observed=observed) for m in (5.0, 10.0)]
    figure = plots.exclusion(content(*scans), "mu", "majorana", table5.rows())
    found = labels(figure)
    assert ("observed" in found) == observed
    assert {"old, 90 % CL", "EXO-21-011, 138/fb, lowest", "EXO-21-011, 138/fb, highest (exponent inferred)"} <= found
    assert "other, 90 % CL" not in found
    assert "made up" in figure.axes[0].get_title(loc="left")
    plt.close(figure)


def test_an_open_edge_is_an_arrow_and_no_bar() -> None:
    scans = [scanned(5.0, 1e-6, 1e-4, observed=False), scanned(10.0, 1e-6, 1e-4, observed=False, refused_above=1e-5)]
    figure = plots.exclusion(content(*scans), "mu", "majorana", [])
    markers = {(line.get_xdata()[0], line.get_marker()) for line in figure.axes[0].lines if len(line.get_xdata()) == 1}
    assert markers == {(5.0, "_"), (10.0, "_"), (10.0, "^")}
    ends = {line.get_ydata()[0] for line in figure.axes[0].lines if line.get_marker() == "^"}
    assert ends == {1e-5}
    plt.close(figure)


def test_interpolated_masses_are_told_from_simulated_ones() -> None:
    ends = [scanned(m, 1e-6, 1e-4, observed=False) for m in (5.0, 10.0)]
    figure = plots.exclusion(content(*ends), "mu", "majorana", [])
    assert "signal interpolated between them" not in labels(figure)
    plt.close(figure)
    middle = scanned(7.0, 1e-6, 1e-4, observed=False, between=(5.0, 10.0))
    figure = plots.exclusion(content(ends[0], middle, ends[1]), "mu", "majorana", [])
    assert "signal interpolated between them" in labels(figure)
    (marks,) = [line for line in figure.axes[0].lines if line.get_marker() == "|"]
    assert list(marks.get_xdata()) == [5.0, 10.0]
    colours = {line.get_xdata()[0]: line.get_color() for line in figure.axes[0].lines if line.get_marker() == "_"}
    assert colours == {5.0: "black", 7.0: plots.INTERPOLATED, 10.0: "black"}
    plt.close(figure)


@pytest.mark.parametrize(("upper", "drawn"), [(10.0, True), (11.0, False)])
def test_no_contour_across_a_wide_gap(upper: float, drawn: bool) -> None:
    scans = [scanned(m, 1e-6, 1e-4, observed=False) for m in (5.0, upper)]
    figure = plots.exclusion(content(*scans), "mu", "majorana", [])
    inside = [
        path.contains_point(figure.axes[0].transData.transform((7.0, 1e-5)), one.get_transform())
        for one in figure.axes[0].collections
        for path in one.get_paths()
        if one.get_facecolor().size and tuple(one.get_facecolor()[0]) != to_rgba(plots.UNKNOWN)
    ]
    assert any(inside) == drawn
    plt.close(figure)


def test_nothing_excluded_is_written() -> None:
    scans = [scanned(m, 1e-4, 1e-6, observed=False) for m in (5.0, 10.0)]
    figure = plots.exclusion(content(*scans), "mu", "majorana", [])
    assert any("nothing excluded" in text.get_text() for text in figure.axes[0].texts)
    plt.close(figure)


@pytest.mark.parametrize("masses", [[5.0], [5.0, 10.0]])
def test_files(tmp_path: Path, masses: list[float]) -> None:
    made = plots.draw_limits(content(*(scanned(m, 1e-6, 1e-4, observed=True) for m in masses)), [], tmp_path)
    assert [title for title, _ in made] == ["Excluded |V|^2, mu, majorana: made up"]
    for _, path in made:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")


def test_a_mass_without_any_point(tmp_path: Path) -> None:
    scans = [scanned(5.0, 1e-6, 1e-4, observed=False), scanned(10.0, 1e-6, 1e-4, observed=False, refused_above=1e-9)]
    scans[1] = dataclasses.replace(scans[1], excluded=(), excluded_asymptotic=())
    assert len(plots.draw_limits(content(*scans), [], tmp_path)) == 1


def test_a_point_without_a_scan() -> None:
    """A mark at its |V|^2 with the limit on mu; no range, no band, and no word of what is excluded."""
    figure = plots.exclusion(content(samples=(at_generated_lifetime(10.0, 5e-7, None),)), "mu", "majorana", [])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == [r"$\mu$ < 3.25 expected"]
    assert axes.texts[0].xy == (10.0, 5e-7)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "at the generated lifetime only" in labels[0]
    assert not [label for label in labels if "expected" in label or "excluded" in label]


def banded(
    mass: float,
    *,
    observed: bool,
    factor: float = 1.0,
    refused_above: float = 1.0,
    between: tuple[float, ...] = (),
) -> MassScan:
    """log(CLs / 5 %) is a parabola in log10 |V|^2, its curves apart: the range narrows with the mass.

    Args:
        mass: in GeV.
        observed: whether there is an observed curve, a little stronger than the median.
        factor: of the |V|^2 of every edge.
        refused_above: |V|^2 from where on the samples describe nothing.
        between: the masses that the signal is interpolated from.
    """
    centre, half = 3e-6 * factor, 2.0 - 0.08 * mass  # |V|^2, decades
    steps = np.log10(V2 / centre)
    curves = []
    for shift in (0.1 if observed else np.nan, 0.6, 0.3, 0.0, -0.3, -0.6):  # decades that the half width gets more
        log_cls = 3 * ((steps / (half + shift)) ** 2 - 1)
        curves.append(np.minimum(0.05 * np.exp(log_cls), 1.0))
    tested = []
    for v2, values in zip(V2.tolist(), np.transpose(curves).tolist(), strict=True):
        described = v2 <= refused_above
        cls = tuple(None if np.isnan(value) else value for value in values) if described else ()
        tested.append(ScanPoint(v2, cls, "" if described else "too few"))
    lower, upper = centre * 10**-half, centre * 10**half
    if upper > refused_above:
        last = max(v2 for v2 in V2.tolist() if v2 <= refused_above)
        status, top = "open", Edge("open", None, last)
    else:
        status, top = "closed", Edge("closed", upper, upper)
    median = ExcludedRange(
        "expected", status, Edge("closed", lower, lower), top, smallest_cls=2.5e-3, smallest_at=centre
    )
    return MassScan("mu", "majorana", mass, tuple(tested), (median,), (median,), between)


def observed_limits(factor: float = 1.0) -> LimitsFile:
    """All there is: an open edge at 5 GeV, a gap from 5 to 11 GeV, 12 GeV interpolated, a point without a scan.

    Args:
        factor: of the |V|^2 that are excluded at 14 GeV.
    """
    scans = [banded(m, observed=True) for m in (3.0, 4.0, 11.0)]
    scans.append(banded(5.0, observed=True, refused_above=2e-5))
    scans.append(banded(12.0, observed=True, between=(11.0, 14.0)))
    scans.append(banded(14.0, observed=True, factor=factor))
    return content(*scans, samples=(at_generated_lifetime(8.0, 5e-7, 0.8),))


PICTURES: dict[str, Callable[[], LimitsFile]] = {
    "observed": observed_limits,
    "expected": lambda: content(*(banded(m, observed=False) for m in (8.0, 10.0, 12.0, 14.0))),
    "nothing": lambda: content(*(scanned(m, 1e-4, 1e-6, observed=False) for m in (5.0, 10.0))),
    "points": lambda: content(samples=(at_generated_lifetime(3.0, 1e-6, None), at_generated_lifetime(10.0, 5e-7, 2.0))),
}


def drawn(limits: LimitsFile) -> Figure:
    return plots.exclusion(limits, "mu", "majorana", table5.rows())


@pytest.mark.parametrize("name", list(PICTURES))
def test_look(looks_as_accepted: Callable[[Figure, str], None], name: str) -> None:
    looks_as_accepted(drawn(PICTURES[name]()), f"limits_{name}")


@pytest.mark.usefixtures("looks_as_accepted")
def test_an_edge_that_changes_is_seen() -> None:
    """The range of one mass of six, by a tenth of a decade."""
    before, after = (images.pixels(drawn(observed_limits(factor))) for factor in (1.0, 10**0.1))
    assert images.difference(before, after) > images.MAX_DIFFERENCE
