"""Excluded |V|^2 against m_N (Fig. 13), from limits.json only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from hnl import layout
from hnl.corrections.couplings import scenario
from hnl.inference.displaced.results import LimitsFile, SampleLimit
from hnl.inference.displaced.scan_results import CLOSED, CURVES, NOTHING, Edge, MassScan
from hnl.inference.displaced.table5 import LUMINOSITY, Table5Row
from hnl.inference.published import Curve
from hnl.plots import labels, style
from hnl.plots.displaced import limit_grid
from hnl.plots.displaced.limit_grid import MEDIAN, OBSERVED, Grid
from hnl.plots.strengths import GREEN, YELLOW
from hnl.plots.style import Drawn, Label, styled

INSIDE = "#CFE2F7"
UNKNOWN = "0.86"  # what the samples do not describe, wherever it is
BANDS = ((1, YELLOW), (2, GREEN), (4, YELLOW), (5, INSIDE))  # of the curves: excluded one after the other
MARGIN = 0.5  # GeV beside the masses
STRENGTH = style.SIGNALS[0]  # place of the colour of samples at their generated lifetime


def draw_limits(
    content: LimitsFile, table5: Sequence[Table5Row], folder: Path, label: Label | None = None
) -> list[Drawn]:
    """One figure for each coupling and nature.

    Args:
        content: of limits.json.
        table5: rows of the paper's Table 5.
        folder: for the figures; made if needed.
        label: of the catalogue; the luminosity is that of the file.

    Returns:
        Each figure.
    """
    figures = []
    above = labels.above(content.label, content.luminosity, projected=content.projected, of=label)
    stem = layout.limits(content.luminosity if content.projected else None)
    results: list[MassScan | SampleLimit] = [*content.scans, *_generated_only(content)]
    for coupling, nature in dict.fromkeys((result.coupling, result.nature) for result in results):
        path = folder / f"{stem}_{scenario(coupling).file_name}_{nature}.png"
        style.save(labels.figure_of(exclusion(content, coupling, nature, table5, above)), path)
        scans = _scans(content, coupling, nature)
        shown = "Excluded |V|^2" if scans else "Signal strength at generated lifetimes, no scan of |V|^2"
        caption = (
            "Couplings |V|^2 excluded at 95 % CLs against the mass of the HNL: inside of the contours. Grey is what "
            "the simulated samples do not describe; a contour that ends there is open, and says nothing beyond."
            if scans
            else "Limits on the signal strength at the generated lifetime of each sample; nothing is said of others."
        )
        title = f"{shown}, {coupling}, {nature}: {content.label}"
        figures.append(Drawn(title, path, caption, _told(content, scans, coupling, nature), "result"))
    return figures


@styled
def exclusion(
    content: LimitsFile,
    coupling: str,
    nature: str,
    table5: Sequence[Table5Row] = (),
    label: Label | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Where CLs < 5 %: median, bands of 68 and 95 %, observed if there is; between scanned masses straight in log CLs.

    What the samples do not describe is grey: contours that end there are open, and have an arrow. Nothing is drawn
    across gaps that are too wide to be interpolated; a mass apart is a strip. Simulated masses have a mark on the axis,
    those whose signal is interpolated have none. Samples that cannot be reweighted are points at their generated
    lifetime, with the limit on the signal strength: nothing is said of other |V|^2.

    Args:
        content: of limits.json.
        coupling: e, mu or mixed.
        nature: majorana or dirac.
        table5: rows of the paper's Table 5, which are drawn as points.
        label: above the figure; by default from the file.
        ax: a new figure by default, with the legend below.
    """
    scans = _scans(content, coupling, nature)
    generated = [s for s in _generated_only(content) if (s.coupling, s.nature) == (coupling, nature)]
    rows = [row for row in table5 if (row.coupling, row.nature) == (coupling, nature)]
    grid = limit_grid.of(scans, content.settings)
    chosen = [curve for curve in content.published if curve.coupling == coupling and nature in curve.natures]
    own, ax = ax is None, style.single(ax, height=8.0, left=5.0)
    masses = [*(s.mass for s in scans), *(s.mass for s in generated), *(row.mass for row in rows)] or [1.0, 16.0]
    ax.set(yscale="log", xlim=(min(masses) - MARGIN, max(masses) + MARGIN))
    handles = [*_draw_grid(ax, grid), *_draw_open_ends(ax, scans), *_draw_masses(ax, scans)] if scans else []
    handles += _draw_strengths(ax, generated)
    handles += _draw_published(ax, chosen)
    handles += _draw_table5(ax, rows)
    points = [v2 for row in rows for v2 in (row.lowest, row.highest)] + [s.v2 for s in generated if s.v2 is not None]
    ax.set_ylim(_span([*grid.described(), *points], content))
    ax.set(xlabel="$m_N$ [GeV]", ylabel=f"${scenario(coupling).symbol}$")
    words = [f"{nature.capitalize()} HNL, {100 * content.level:g} % CL$_s${_methods(scans)}"]
    if not scans:
        words.append("no scan of $|V|^2$")
    elif not any(grid.excludes(curve) for curve in (MEDIAN, OBSERVED)):
        words.append("nothing excluded" + ("" if grid.has(OBSERVED) else " (median expected)"))
    if content.hidden:
        words.append("expected: data are blinded")
    labels.legend_below(ax, handles, columns=1 if chosen else 2, title="\n".join(words), grow=own)
    style.label(ax, label or labels.above(content.label, content.luminosity, projected=content.projected))
    return ax


def _scans(content: LimitsFile, coupling: str, nature: str) -> list[MassScan]:
    return sorted((s for s in content.scans if (s.coupling, s.nature) == (coupling, nature)), key=lambda s: s.mass)


def _draw_grid(ax: Axes, grid: Grid) -> list[Artist]:
    """Bands and lines on what is described, which is white on grey."""
    ax.set_facecolor(UNKNOWN)
    for low, high, bottom, top in grid.rectangles():
        ax.fill_between([low, high], bottom, top, facecolor="white", linewidth=0, zorder=0.5)
    handles: list[Artist] = []
    for masses, v2, values in grid.pieces():
        for curve, colour in BANDS:
            if (values[:, curve] < 0).any():
                levels = [limit_grid.LOWEST - 1, 0]
                ax.contourf(masses, v2, values[:, curve].T, levels, colors=colour, corner_mask=False, zorder=1)
        for curve, line in ((MEDIAN, "--"), (OBSERVED, "-")):
            if (values[:, curve] < 0).any():
                ax.contour(
                    masses,
                    v2,
                    values[:, curve].T,
                    [0],
                    colors="black",
                    linestyles=line,
                    linewidths=1.2,
                    corner_mask=False,
                    zorder=2,
                )
    if grid.excludes(MEDIAN):
        handles.append(Line2D([], [], color="black", linestyle="--", label="median expected"))
    if grid.excludes(OBSERVED):
        handles.append(Line2D([], [], color="black", label="observed"))
    drawn = (
        (GREEN, "68 % expected", grid.differs(2, 4)),
        (YELLOW, "95 % expected", grid.differs(1, 2) or grid.differs(4, 5)),
        (INSIDE, r"excluded at +2$\sigma$", grid.excludes(5)),
    )
    handles += [Patch(color=colour, label=name) for colour, name, is_drawn in drawn if is_drawn]
    handles.append(Patch(color=UNKNOWN, label="not described"))
    return handles


def _draw_open_ends(ax: Axes, scans: Sequence[MassScan]) -> list[Artist]:
    """Arrows where the range of a mass ends because the samples do: filled for observed, hollow for expected."""
    drawn = False
    for scan in scans:
        for curve in (CURVES[MEDIAN], CURVES[OBSERVED]):
            excluded = scan.range_of(curve)
            if excluded is None or excluded.status == NOTHING:
                continue
            for edge, arrow in ((excluded.lower, "v"), (excluded.upper, "^")):
                if edge is not None and edge.state != CLOSED:
                    face = "white" if curve == CURVES[MEDIAN] else "black"
                    size = 6 if curve == CURVES[MEDIAN] else 4
                    ax.plot(
                        [scan.mass], [edge.at], arrow, color="black", markerfacecolor=face, markersize=size, zorder=4
                    )
                    drawn = True
    mark: dict[str, Any] = {
        "color": "black",
        "marker": "^",
        "markerfacecolor": "white",
        "markersize": 6,
        "linestyle": "",
    }
    return [Line2D([], [], label="open: goes on", **mark)] if drawn else []


def _draw_masses(ax: Axes, scans: Sequence[MassScan]) -> list[Artist]:
    """Marks on the axis at simulated masses."""
    simulated = [s.mass for s in scans if not s.interpolated_from]
    mark: dict[str, Any] = {"marker": "|", "color": "black", "linestyle": "", "markersize": 7, "markeredgewidth": 1.2}
    ax.plot(simulated, [0.02] * len(simulated), transform=ax.get_xaxis_transform(), zorder=4, **mark)
    return [Line2D([], [], label="simulated masses", **mark)]


def _span(v2: Sequence[float], content: LimitsFile) -> tuple[float, float]:
    """The decades of |V|^2 that are drawn, within those of the scan."""
    low, high = content.settings.lowest, content.settings.highest
    if v2:
        low, high = min(v2), max(v2)
    return 10 ** np.floor(np.log10(low) + 1e-9), 10 ** np.ceil(np.log10(high) - 1e-9)


def _methods(scans: Sequence[MassScan]) -> str:
    """How CLs was calculated, in words."""
    found = [scan.range_of(CURVES[curve]) for curve in (OBSERVED, MEDIAN, *range(len(CURVES))) for scan in scans]
    methods = dict.fromkeys(excluded.method for excluded in found if excluded is not None)
    return f" ({'; bands: '.join(methods)})" if methods else ""


def _generated_only(content: LimitsFile) -> list[SampleLimit]:
    """Limits on mu of samples that cannot be reweighted."""
    return [sample for sample in content.samples if sample.generated_only and not sample.refused]


def _draw_strengths(ax: Axes, samples: Sequence[SampleLimit]) -> list[Artist]:
    """At the generated point of each sample its limit on mu: observed, or else the median expected."""
    low, high = ax.get_xlim()
    colour = style.colour(STRENGTH)
    for sample in samples:
        if sample.limit is None or sample.v2 is None:
            continue
        observed = sample.limit.observed is not None
        value = sample.limit.observed if observed else sample.limit.expected[2]
        ax.plot([sample.mass], [sample.v2], "D", color=colour, markersize=4, zorder=4)
        text = rf"$\mu$ < {value:.3g} {'observed' if observed else 'expected'}"
        third = 3 * (sample.mass - low) / (high - low)
        place: dict[str, Any] = {"textcoords": "offset points", "xytext": (0, 4), "va": "bottom", "zorder": 4}
        ax.annotate(text, (sample.mass, sample.v2), ha=("left", "center", "right")[int(third)], **place)
    mark: dict[str, Any] = {"color": colour, "marker": "D", "linestyle": "", "markersize": 4}
    return [Line2D([], [], label=r"limit on $\mu$ at this lifetime", **mark)] if samples else []


def _draw_published(ax: Axes, curves: Sequence[Curve]) -> list[Artist]:
    handles: list[Artist] = []
    lines = ("-", "--", "-.", ":")
    for i, (curve, colour) in enumerate(zip(curves, mpl.color_sequences["petroff10"], strict=False)):
        label = f"{curve.name}, {100 * curve.level:.0f} % CL"
        handles += ax.plot(curve.mass, curve.v2, lines[i % 4], color=colour, linewidth=1, label=label, zorder=3)
    return handles


def _draw_table5(ax: Axes, rows: Sequence[Table5Row]) -> list[Artist]:
    """The points of Table 5; open where the exponent is not legible."""
    handles: list[Artist] = []
    for row in rows:
        for name, v2, marker in (("lowest", row.lowest, "s"), ("highest", row.highest, "o")):
            full = name not in row.inferred
            mark: dict[str, Any] = {"marker": marker, "linestyle": "", "color": style.colour(4), "markersize": 5}
            label = f"EXO-21-011 {name}" + (f", {LUMINOSITY:g}/fb" if full else ", inferred")
            mark |= {"markerfacecolor": style.colour(4) if full else "white", "label": label}
            handles += ax.plot([row.mass], [v2], zorder=4, **mark)
    return handles


def _told(content: LimitsFile, scans: Sequence[MassScan], coupling: str, nature: str) -> str:
    """What is seen of some scans, in numbers."""
    ranges = []
    for scan in scans:
        curve = CURVES[OBSERVED] if scan.range_of(CURVES[OBSERVED]) else CURVES[MEDIAN]
        excluded = scan.range_of(curve)
        if excluded and excluded.lower and excluded.upper:
            ends = " to ".join(_end(edge) for edge in (excluded.lower, excluded.upper))
            ranges.append(f"{ends} at {scan.mass:g} GeV ({'observed' if curve == CURVES[OBSERVED] else 'expected'})")
    if scans:
        return f"{len(scans)} masses; excluded |V|^2: {', '.join(ranges) or 'none'}."
    n = sum((s.coupling, s.nature) == (coupling, nature) for s in _generated_only(content))
    return f"{n} points, each with its limit on the signal strength."


def _end(edge: Edge) -> str:
    return f"{edge.at:.2g} (open)" if edge.v2 is None else f"{edge.v2:.2g}"
