"""Figures of limits: drawn from a record alone, and they say what is open, refused or not excluded."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from hnl.inference.displaced import table5
from hnl.inference.displaced.scan import CURVES
from hnl.plots import limits as plots

V2 = np.geomspace(1e-8, 1e-2, 25)


def scanned(
    mass: float,
    lower: float,
    upper: float,
    *,
    observed: bool,
    refused_above: float = 1.0,
    between: tuple[float, ...] = (),
) -> dict:
    """CLs that falls to 1e-3 between two |V|^2; the same for all curves."""
    tested = []
    for v2 in V2:
        cls = 1e-3 if lower < v2 < upper else 0.6
        refused = "too few" if v2 > refused_above else ""
        curves = [] if refused else [cls if observed else None, *[cls] * 5]
        tested.append({"v2": float(v2), "cls": curves, "refused": refused})
    is_open = upper > refused_above
    edges = {
        "lower": {"state": "closed", "v2": lower, "at": lower, "reason": ""},
        "upper": {"state": "open" if is_open else "closed", "v2": None if is_open else upper, "at": refused_above},
    }
    if lower >= upper:
        edges = {"lower": None, "upper": None}
    excluded = [{"curve": name} | edges for name in (CURVES if observed else CURVES[1:])]
    one = {"coupling": "mu", "nature": "majorana", "mass": mass, "interpolated_from": list(between)}
    return one | {"tested": tested, "excluded": excluded}


def content(*scans: dict) -> dict:
    return {
        "scans": list(scans),
        "label": "made up",
        "projected": False,
        "luminosity": 1.0,
        "settings": {"lowest": 1e-8, "highest": 1e-2},
        "published": [
            {
                "coupling": "mu",
                "natures": ["majorana"],
                "name": "old",
                "level": 0.9,
                "mass": [1, 9],
                "v2": [1e-4, 1e-5],
            },
            {
                "coupling": "e",
                "natures": ["majorana"],
                "name": "other",
                "level": 0.9,
                "mass": [1, 9],
                "v2": [1e-4, 1e-5],
            },
        ],
    }


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
    scans[1]["excluded"] = []
    assert len(plots.draw_limits(content(*scans), [], tmp_path)) == 1


def test_a_point_without_a_scan() -> None:
    """A mark at its |V|^2 with the limit on mu; no range, no band, and no word of what is excluded."""
    row = {"coupling": "mu", "nature": "majorana", "mass": 10.0, "v2": 5e-7, "observed": None, "refused": ""}
    row |= {"generated_only": True, "expected": [1.0, 2.0, 3.25, 4.0, 5.0]}
    figure = plots.exclusion(content() | {"samples": [row]}, "mu", "majorana", [])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == [r"$\mu$ < 3.25 expected"]
    assert axes.texts[0].xy == (10.0, 5e-7)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "at the generated lifetime only" in labels[0]
    assert not [label for label in labels if "expected" in label or "excluded" in label]
