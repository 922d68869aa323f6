"""Excluded |V|^2 against m_N (Fig. 13), from limits.json only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from numpy.typing import NDArray

from hnl import layout
from hnl.corrections.couplings import scenario
from hnl.corrections.masses import MAX_RATIO
from hnl.inference.displaced.results import LimitsFile, SampleLimit
from hnl.inference.displaced.scan_results import CLOSED, CURVES, MassScan
from hnl.inference.displaced.table5 import Table5Row
from hnl.inference.published import Curve
from hnl.plots.style import Drawn, save

ALPHA = 0.05
GREEN, YELLOW = "#607641", "#F5BB54"  # the colours of the bands at CMS since 2024
INSIDE = "#CFE2F7"
INTERPOLATED = "dimgrey"
UNKNOWN = "gainsboro"  # where there are no samples
BANDS = ((1, YELLOW), (2, GREEN), (4, YELLOW), (5, INSIDE))  # of the curves: excluded one after the other
OBSERVED, MEDIAN = 0, 3
LOWEST_CLS = 1e-6  # drawn

Array = NDArray[np.float64]


def draw_limits(content: LimitsFile, table5: Sequence[Table5Row], folder: Path) -> list[Drawn]:
    """One figure for each coupling and nature.

    Args:
        content: of limits.json.
        table5: rows of the paper's Table 5.
        folder: for the figures; made if needed.

    Returns:
        Each figure.
    """
    figures = []
    stem = layout.limits(content.luminosity if content.projected else None)
    results: list[MassScan | SampleLimit] = [*content.scans, *_generated_only(content)]
    for coupling, nature in dict.fromkeys((result.coupling, result.nature) for result in results):
        path = folder / f"{stem}_{scenario(coupling).file_name}_{nature}.png"
        save(exclusion(content, coupling, nature, table5), path)
        scanned = any((s.coupling, s.nature) == (coupling, nature) for s in content.scans)
        shown = "Excluded |V|^2" if scanned else "Signal strength at generated lifetimes, no scan of |V|^2"
        figures.append(Drawn(f"{shown}, {coupling}, {nature}: {content.label}", path))
    return figures


def exclusion(content: LimitsFile, coupling: str, nature: str, table5: Sequence[Table5Row]) -> mpl.figure.Figure:
    """Where CLs < 5 %: median, bands of 68 and 95 %, observed if there is; between scanned masses straight in log CLs.

    Points that the samples do not describe are grey: contours that end there are open. Bars are black at simulated
    masses, which have a mark on the axis, and grey at those whose signal is interpolated. Nothing is drawn across gaps
    that are too wide to be interpolated. Samples that cannot be reweighted are points at their generated lifetime, with
    the limit on the signal strength: nothing is said of other |V|^2.
    """
    scans = [s for s in content.scans if (s.coupling, s.nature) == (coupling, nature)]
    scans.sort(key=lambda s: s.mass)
    v2 = np.geomspace(content.settings.lowest, content.settings.highest, 400)
    generated = [s for s in _generated_only(content) if (s.coupling, s.nature) == (coupling, nature)]
    masses = np.array([s.mass for s in scans])
    # (mass, curve, v2): log CLs / 5 %, NaN where unknown
    values = np.stack([_log_cls(s, v2) for s in scans]) if scans else np.empty((0, len(CURVES), len(v2)))
    masses, values = _apart(masses, values)

    figure, axes = plt.subplots(figsize=(9, 7.5))
    handles: list[Artist] = []
    unknown = np.isnan(values[:, MEDIAN])
    if len(masses) > 1:
        axes.contourf(masses, v2, unknown.T.astype(float), [0.5, 1.5], colors=UNKNOWN)
        for curve, colour in BANDS:
            _fill(axes, masses, v2, values[:, curve], colour)
        _line(axes, masses, v2, values[:, MEDIAN], "--")
        _line(axes, masses, v2, values[:, OBSERVED], "-")
    for scan in scans:
        _draw_range(axes, scan)
    simulated = [s.mass for s in scans if not s.interpolated_from]
    axes.plot(simulated, np.full(len(simulated), v2[0] * 1.3), "|", color="black", clip_on=False)
    if scans:
        handles += [mpl.lines.Line2D([], [], color="black", linestyle="--", label="median expected; arrows: open")]
        if np.isfinite(values[:, OBSERVED]).any():
            handles.append(mpl.lines.Line2D([], [], color="black", label="observed"))
        handles += [Patch(color=GREEN, label="68 % expected"), Patch(color=YELLOW, label="95 % expected")]
        handles.append(Patch(color=INSIDE, label="expected to be excluded beyond"))
        handles.append(Patch(color=UNKNOWN, label="not described by the samples"))
        handles.append(mpl.lines.Line2D([], [], color="black", marker="|", linestyle="", label="simulated masses"))
    if len(simulated) < len(scans):
        handles.append(mpl.lines.Line2D([], [], color=INTERPOLATED, label="signal interpolated between them"))
    handles += _draw_strengths(axes, generated)
    handles += _draw_published(axes, content.published, coupling, nature)
    handles += _draw_table5(axes, [row for row in table5 if (row.coupling, row.nature) == (coupling, nature)])
    margin = 0.5
    ends = [1, 16, *masses, *(s.mass for s in generated)]
    axes.set(yscale="log", xlim=(min(ends) - margin, max(ends) + margin), ylim=(v2[0], v2[-1]))
    axes.set(xlabel="$m_N$ [GeV]", ylabel=f"${scenario(coupling).symbol}$")
    axes.legend(handles=handles, loc="upper right", fontsize="x-small", ncols=2)
    axes.set_title(f"{nature.capitalize()}, 95 % CLs\n{content.label}", loc="left", fontsize="small")
    if scans and not (values[:, MEDIAN] < 0).any():
        text = "nothing excluded (median expected)"
        axes.text(0.03, 0.04, text, transform=axes.transAxes, color="firebrick")
    figure.tight_layout()
    return figure


def _log_cls(scan: MassScan, v2: Array) -> Array:
    """log(CLs / 5 %) of each curve on the axis: straight between tested points, NaN outside of them."""
    tested = [point for point in scan.tested if not point.refused]
    result = np.full((len(CURVES), len(v2)), np.nan)
    if not tested:
        return result
    at = np.log([point.v2 for point in tested])
    inside = (np.log(v2) >= at[0] - 1e-9) & (np.log(v2) <= at[-1] + 1e-9)
    for curve in range(len(CURVES)):
        values = [value for value in (point.cls[curve] for point in tested) if value is not None]
        if len(values) == len(tested):
            cls = np.clip(values, LOWEST_CLS, 1)
            result[curve, inside] = np.interp(np.log(v2[inside]), at, np.log(cls / ALPHA))
    return result


def _apart(masses: Array, values: Array) -> tuple[Array, Array]:
    """Nothing is known in gaps that are not interpolated: each gets an unknown point next to either end."""
    (wide,) = np.nonzero(masses[1:] > MAX_RATIO * masses[:-1])
    ends = np.concatenate([masses[wide] * (1 + 1e-6), masses[wide + 1] * (1 - 1e-6)])
    where = np.concatenate([wide + 1, wide + 1])
    return np.insert(masses, where, ends), np.insert(values, where, np.nan, axis=0)


def _fill(axes: Axes, masses: Array, v2: Array, values: Array, colour: str) -> None:
    if (values < 0).any():
        axes.contourf(masses, v2, np.ma.masked_invalid(values.T), [np.log(LOWEST_CLS / ALPHA) - 1, 0], colors=colour)


def _line(axes: Axes, masses: Array, v2: Array, values: Array, style: str) -> None:
    if (values < 0).any():
        axes.contour(masses, v2, np.ma.masked_invalid(values.T), [0], colors="black", linestyles=style)


def _draw_range(axes: Axes, scan: MassScan) -> None:
    """The median expected range at a mass: bars end it, arrows say that it is open."""
    excluded = scan.range_of(CURVES[MEDIAN])
    if excluded is None or excluded.lower is None or excluded.upper is None:
        return
    ends = []
    colour = INTERPOLATED if scan.interpolated_from else "black"
    for edge, arrow in ((excluded.lower, "v"), (excluded.upper, "^")):
        ends.append(edge.at if edge.v2 is None else edge.v2)
        marker = "_" if edge.state == CLOSED else arrow
        axes.plot([scan.mass], ends[-1:], marker, color=colour, markersize=7, clip_on=False)
    axes.plot([scan.mass] * 2, ends, color=colour, linewidth=0.8)


def _generated_only(content: LimitsFile) -> list[SampleLimit]:
    """Limits on mu of samples that cannot be reweighted."""
    return [sample for sample in content.samples if sample.generated_only and not sample.refused]


def _draw_strengths(axes: Axes, samples: Sequence[SampleLimit]) -> list[Artist]:
    """At the generated point of each sample its limit on mu: observed, or else the median expected."""
    for sample in samples:
        if sample.limit is None or sample.v2 is None:
            continue
        observed = sample.limit.observed is not None
        value = sample.limit.observed if observed else sample.limit.expected[2]
        axes.plot([sample.mass], [sample.v2], "D", color="firebrick", markersize=6)
        text = rf"$\mu$ < {value:.3g} {'observed' if observed else 'expected'}"
        place: dict[str, Any] = {"textcoords": "offset points", "xytext": (8, 0), "va": "center", "fontsize": "x-small"}
        axes.annotate(text, (sample.mass, sample.v2), **place)
    label = r"limit on the signal strength $\mu$ at the generated lifetime only"
    return [mpl.lines.Line2D([], [], color="firebrick", marker="D", linestyle="", label=label)] if samples else []


def _draw_published(axes: Axes, curves: Sequence[Curve], coupling: str, nature: str) -> list[Artist]:
    handles: list[Artist] = []
    chosen = [curve for curve in curves if curve.coupling == coupling and nature in curve.natures]
    for curve, colour in zip(chosen, mpl.color_sequences["tab10"], strict=False):
        label = f"{curve.name}, {100 * curve.level:.0f} % CL"
        handles += axes.plot(curve.mass, curve.v2, color=colour, linewidth=1, label=label)
    return handles


def _draw_table5(axes: Axes, rows: Sequence[Table5Row]) -> list[Artist]:
    """The points of Table 5; open where the exponent is not legible."""
    handles: list[Artist] = []
    for row in rows:
        for name, v2, marker in (("lowest", row.lowest, "^"), ("highest", row.highest, "v")):
            full = name not in row.inferred
            style: dict[str, Any] = {"marker": marker, "linestyle": "", "color": "navy", "markersize": 9}
            label = f"EXO-21-011, 138/fb, {name}" + ("" if full else " (exponent inferred)")
            style |= {"fillstyle": "full" if full else "none", "label": label}
            handles += axes.plot([row.mass], [v2], **style)
    return handles
