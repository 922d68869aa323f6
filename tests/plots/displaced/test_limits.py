"""Figures of limits: drawn from a record alone, and they say what is open, refused or not excluded."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import images
import matplotlib.pyplot as plt
import numpy as np
import printed
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
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


def exclusion(limits: LimitsFile, rows=()) -> Axes:
    return plots.exclusion(limits, "mu", "majorana", rows)


def labels(axes: Axes) -> set[str]:
    return {text.get_text() for text in axes.get_legend().get_texts()}


def title(axes: Axes) -> str:
    return axes.get_legend().get_title().get_text()


def colour_at(axes: Axes, mass: float, v2: float) -> str:
    """Of the picture at a point, as hexadecimal digits."""
    figure = axes.get_figure(root=True)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    x, y = axes.transData.transform((mass, v2))
    picture = np.asarray(canvas.buffer_rgba())
    return to_hex(picture[picture.shape[0] - 1 - round(y), round(x)] / 255)


@pytest.mark.parametrize("observed", [True, False])
def test_what_is_in_the_legend(observed: bool) -> None:
    axes = exclusion(content(*(banded(m, observed=observed) for m in (5.0, 10.0))), table5.rows())
    found = labels(axes)
    assert ("observed" in found) == observed
    assert {"68 % expected", "95 % expected", "old, 90 % CL"} <= found
    assert {"EXO-21-011 lowest, 138/fb", "EXO-21-011 highest, inferred"} <= found
    assert "other, 90 % CL" not in found
    assert "open: goes on" not in found
    assert title(axes) == "Majorana HNL, 95 % CL$_s$ (asymptotic)"


def test_the_legend_is_below_the_axes() -> None:
    axes = exclusion(observed_limits(), table5.rows())
    axes.get_figure(root=True).draw_without_rendering()
    assert axes.get_legend().get_window_extent().y1 < axes.xaxis.get_tightbbox().y0


def test_the_legend_does_not_list_what_is_not_drawn() -> None:
    """Nothing is excluded; then all curves exclude the same, and there is no band."""
    nothing = exclusion(content(*(scanned(m, 1e-4, 1e-6, observed=False) for m in (5.0, 10.0))))
    assert labels(nothing) == {"not described", "simulated masses", "old, 90 % CL"}
    assert "nothing excluded (median expected)" in title(nothing)
    same = exclusion(content(*(scanned(m, 1e-6, 1e-4, observed=False) for m in (5.0, 10.0))))
    assert not {"68 % expected", "95 % expected"} & labels(same)
    assert "nothing excluded" not in title(same)


def test_the_method_is_told() -> None:
    scan = banded(5.0, observed=False)
    assert title(exclusion(content(scan))) == "Majorana HNL, 95 % CL$_s$ (asymptotic)"
    (median,) = (excluded for excluded in scan.excluded if excluded.curve == "expected")
    band = dataclasses.replace(median, curve="expected_+1", method="hybrid moved")
    moved = dataclasses.replace(scan, excluded=(dataclasses.replace(median, method="lhc"), band))
    assert title(exclusion(content(moved))) == "Majorana HNL, 95 % CL$_s$ (lhc; bands: hybrid moved)"


def test_an_open_edge_is_an_arrow() -> None:
    scans = [scanned(5.0, 1e-6, 1e-4, observed=False), scanned(10.0, 1e-6, 1e-4, observed=False, refused_above=1e-5)]
    axes = exclusion(content(*scans))
    (arrow,) = [line for line in axes.lines if line.get_marker() in ("^", "v")]
    assert (arrow.get_xdata()[0], arrow.get_ydata()[0], arrow.get_marker()) == (10.0, 1e-5, "^")
    assert "open: goes on" in labels(axes)


def test_interpolated_masses_have_no_mark_on_the_axis() -> None:
    ends = [scanned(m, 1e-6, 1e-4, observed=False) for m in (5.0, 10.0)]
    middle = scanned(7.0, 1e-6, 1e-4, observed=False, between=(5.0, 10.0))
    axes = exclusion(content(ends[0], middle, ends[1]))
    (marks,) = [line for line in axes.lines if line.get_marker() == "|"]
    assert list(marks.get_xdata()) == [5.0, 10.0]


@pytest.mark.parametrize(("upper", "drawn"), [(10.0, True), (11.0, False)])
def test_no_contour_across_a_wide_gap(upper: float, drawn: bool) -> None:
    axes = exclusion(content(*(scanned(m, 1e-6, 1e-4, observed=False) for m in (5.0, upper))))
    assert colour_at(axes, 7.0, 1e-5) == (plots.INSIDE.lower() if drawn else to_hex(plots.UNKNOWN))


@pytest.mark.parametrize(
    ("mass", "v2", "what"),
    [
        (5.5, 1e-7, "white"),  # described at both masses, not excluded
        (9.5, 1e-7, "white"),
        (5.5, 1e-5, "inside"),
        (9.5, 1e-4, "unknown"),  # above what is described at 10 GeV, half-way and beyond
        (5.5, 1e-4, "unknown"),
        (4.7, 1e-5, "unknown"),  # beyond the masses
        (10.4, 1e-7, "unknown"),
        (5.05, 1e-3, "white"),  # of 5 GeV alone: a strip
        (5.5, 1e-3, "unknown"),
    ],
)
def test_what_is_not_described_looks_the_same_everywhere(mass: float, v2: float, what: str) -> None:
    """5 GeV is described up to 1e-2, 10 GeV up to 3e-5: an open edge beside a closed one."""
    scans = [scanned(5.0, 1e-6, 1e-4, observed=False), scanned(10.0, 1e-6, 1e-4, observed=False, refused_above=3e-5)]
    colours = {"white": "#ffffff", "inside": plots.INSIDE.lower(), "unknown": to_hex(plots.UNKNOWN)}
    assert colour_at(exclusion(dataclasses.replace(content(*scans), published=())), mass, v2) == colours[what]


def test_points_between_that_are_refused_are_not_described() -> None:
    scan = scanned(5.0, 1e-6, 1e-4, observed=False)
    refused = [dataclasses.replace(p, cls=(), refused="too few") if 2e-7 < p.v2 < 8e-7 else p for p in scan.tested]
    axes = exclusion(dataclasses.replace(content(dataclasses.replace(scan, tested=tuple(refused))), published=()))
    assert colour_at(axes, 5.05, 4e-7) == to_hex(plots.UNKNOWN)
    assert colour_at(axes, 5.05, 1e-7) == "#ffffff"


def test_one_mass_alone_is_a_strip() -> None:
    axes = exclusion(dataclasses.replace(content(banded(8.0, observed=True)), published=()))
    assert colour_at(axes, 8.1, 3e-6) == plots.INSIDE.lower()
    assert colour_at(axes, 8.3, 3e-6) == to_hex(plots.UNKNOWN)


@pytest.mark.parametrize("masses", [[5.0], [5.0, 10.0]])
def test_files(tmp_path: Path, masses: list[float]) -> None:
    (made,) = plots.draw_limits(content(*(scanned(m, 1e-6, 1e-4, observed=True) for m in masses)), [], tmp_path)
    assert made.title == "Excluded |V|^2, mu, majorana: made up"
    assert made.section == "result"
    assert made.alt.startswith(f"{len(masses)} masses; excluded |V|^2: 1e-06 to 0.0001 at 5 GeV (observed)")
    assert made.path.read_bytes().startswith(b"\x89PNG")
    assert made.path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")


def test_a_mass_without_any_point(tmp_path: Path) -> None:
    scans = [scanned(5.0, 1e-6, 1e-4, observed=False), scanned(10.0, 1e-6, 1e-4, observed=False, refused_above=1e-9)]
    scans[1] = dataclasses.replace(scans[1], excluded=(), excluded_asymptotic=())
    assert len(plots.draw_limits(content(*scans), [], tmp_path)) == 1


def test_a_point_without_a_scan() -> None:
    """A mark at its |V|^2 with the limit on mu; no range, no band, and no word of what is excluded."""
    axes = exclusion(content(samples=(at_generated_lifetime(10.0, 5e-7, None),)))
    (text,) = [text for text in axes.texts if "mu" in text.get_text()]
    assert text.get_text() == r"$\mu$ < 3.25 expected"
    assert text.xy == (10.0, 5e-7)
    assert labels(axes) == {r"limit on $\mu$ at this lifetime", "old, 90 % CL"}
    assert "excluded" not in title(axes)


def test_drawn_into_given_axes() -> None:
    figure, axes = plt.subplots(1, 2)
    assert plots.exclusion(observed_limits(), "mu", "majorana", ax=axes[1]) is axes[1]
    assert not axes[0].has_data()
    plt.close(figure)


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
    "one": lambda: content(banded(8.0, observed=True)),
    "open": lambda: content(*(banded(m, observed=False, refused_above=2e-5) for m in (8.0, 10.0, 12.0))),
}


def drawn(limits: LimitsFile) -> Figure:
    figure = exclusion(limits, table5.rows()).get_figure(root=True)
    printed.check(figure)
    return figure


@pytest.mark.parametrize("name", list(PICTURES))
def test_look(looks_as_accepted: Callable[[Figure, str], None], name: str) -> None:
    looks_as_accepted(drawn(PICTURES[name]()), f"limits_{name}")


@pytest.mark.usefixtures("looks_as_accepted")
def test_an_edge_that_changes_is_seen() -> None:
    """The range of one mass of six, by a tenth of a decade."""
    before, after = (images.pixels(drawn(observed_limits(factor))) for factor in (1.0, 10**0.1))
    assert images.difference(before, after) > images.MAX_DIFFERENCE
