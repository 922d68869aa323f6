"""Excluded |V|^2 against m_N (Fig. 13), fitted yields, pulls and impacts; from limits.json and fit.json only."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import mplhep
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullFormatter

from hnl import layout
from hnl.corrections.masses import MAX_RATIO
from hnl.plots.distributions import save
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.regions import REGIONS, bins

ALPHA = 0.05
GREEN, YELLOW = "#607641", "#F5BB54"  # the colours of the bands at CMS since 2024
INSIDE = "#CFE2F7"
INTERPOLATED = "dimgrey"
UNKNOWN = "gainsboro"  # where there are no samples
BANDS = ((1, YELLOW), (2, GREEN), (4, YELLOW), (5, INSIDE))  # of the curves: excluded one after the other
OBSERVED, MEDIAN = 0, 3
LOWEST_CLS = 1e-6  # drawn
SYMBOLS = {"e": r"|V_{eN}|^2", "mu": r"|V_{\mu N}|^2"}
SYMBOLS["mixed"] = r"|V_{eN} V_{\mu N}|^2 / (|V_{eN}|^2 + |V_{\mu N}|^2)"
SHOWN_IMPACTS = 20

Record = Mapping[str, Any]


def draw_limits(content: Record, table5: Sequence[Any], folder: Path) -> list[tuple[str, Path]]:
    """One figure for each coupling and nature.

    Args:
        content: of limits.json.
        table5: rows of the paper's Table 5.
        folder: for the figures; made if needed.

    Returns:
        (title, PNG) of each figure.
    """
    figures = []
    stem = layout.limits(content["luminosity"] if content["projected"] else None)
    rows = [*content["scans"], *_fixed(content)]
    for coupling, nature in dict.fromkeys((row["coupling"], row["nature"]) for row in rows):
        path = folder / f"{stem}_{coupling}_{nature}.png"
        save(exclusion(content, coupling, nature, table5), path)
        scanned = any((s["coupling"], s["nature"]) == (coupling, nature) for s in content["scans"])
        shown = "Excluded |V|^2" if scanned else "Signal strength at generated lifetimes, no scan of |V|^2"
        figures.append((f"{shown}, {coupling}, {nature}: {content['label']}", path))
    return figures


def exclusion(content: Record, coupling: str, nature: str, table5: Sequence[Any]) -> mpl.figure.Figure:
    """Where CLs < 5 %: median, bands of 68 and 95 %, observed if there is; between scanned masses straight in log CLs.

    Points that the samples do not describe are grey: contours that end there are open. Bars are black at simulated
    masses, which have a mark on the axis, and grey at those whose signal is interpolated. Nothing is drawn across gaps
    that are too wide to be interpolated. Samples that cannot be reweighted are points at their generated lifetime, with
    the limit on the signal strength: nothing is said of other |V|^2.
    """
    scans = [s for s in content["scans"] if (s["coupling"], s["nature"]) == (coupling, nature)]
    scans.sort(key=lambda s: s["mass"])
    settings = content["settings"]
    v2 = np.geomspace(settings["lowest"], settings["highest"], 400)
    fixed = [row for row in _fixed(content) if (row["coupling"], row["nature"]) == (coupling, nature)]
    masses = np.array([s["mass"] for s in scans])
    # (mass, curve, v2): log CLs / 5 %, NaN where unknown
    values = np.stack([_log_cls(s, v2) for s in scans]) if scans else np.empty((0, 6, len(v2)))
    masses, values = _apart(masses, values)

    figure, axes = plt.subplots(figsize=(9, 7.5))
    handles: list[Any] = []
    unknown = np.isnan(values[:, MEDIAN])
    if len(masses) > 1:
        axes.contourf(masses, v2, unknown.T.astype(float), [0.5, 1.5], colors=UNKNOWN)
        for curve, colour in BANDS:
            _fill(axes, masses, v2, values[:, curve], colour)
        _line(axes, masses, v2, values[:, MEDIAN], "--")
        _line(axes, masses, v2, values[:, OBSERVED], "-")
    for one in scans:
        _ranges(axes, one)
    simulated = [s["mass"] for s in scans if not s["interpolated_from"]]
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
    handles += _strengths(axes, fixed)
    handles += _published(axes, content.get("published", []), coupling, nature)
    handles += _paper(axes, [row for row in table5 if (row.coupling, row.nature) == (coupling, nature)])
    margin = 0.5
    ends = [1, 16, *masses, *(row["mass"] for row in fixed)]
    axes.set(yscale="log", xlim=(min(ends) - margin, max(ends) + margin), ylim=(v2[0], v2[-1]))
    axes.set(xlabel="$m_N$ [GeV]", ylabel=f"${SYMBOLS[coupling]}$")
    axes.legend(handles=handles, loc="upper right", fontsize="x-small", ncols=2)
    axes.set_title(f"{nature.capitalize()}, 95 % CLs\n{content['label']}", loc="left", fontsize="small")
    if scans and not (values[:, MEDIAN] < 0).any():
        text = "nothing excluded (median expected)"
        axes.text(0.03, 0.04, text, transform=axes.transAxes, color="firebrick")
    figure.tight_layout()
    return figure


def _log_cls(scan: Record, v2: Any) -> Any:
    """log(CLs / 5 %) of each curve on the axis: straight between tested points, NaN outside of them."""
    tested = [t for t in scan["tested"] if not t["refused"]]
    result = np.full((6, len(v2)), np.nan)
    if not tested:
        return result
    at = np.log([t["v2"] for t in tested])
    inside = (np.log(v2) >= at[0] - 1e-9) & (np.log(v2) <= at[-1] + 1e-9)
    for curve in range(6):
        if tested[0]["cls"][curve] is not None:
            cls = np.clip([t["cls"][curve] for t in tested], LOWEST_CLS, 1)
            result[curve, inside] = np.interp(np.log(v2[inside]), at, np.log(cls / ALPHA))
    return result


def _apart(masses: Any, values: Any) -> tuple[Any, Any]:
    """Nothing is known in gaps that are not interpolated: each gets an unknown point next to either end."""
    (wide,) = np.nonzero(masses[1:] > MAX_RATIO * masses[:-1])
    ends = np.concatenate([masses[wide] * (1 + 1e-6), masses[wide + 1] * (1 - 1e-6)])
    where = np.concatenate([wide + 1, wide + 1])
    return np.insert(masses, where, ends), np.insert(values, where, np.nan, axis=0)


def _fill(axes: Axes, masses: Any, v2: Any, values: Any, colour: str) -> None:
    if (values < 0).any():
        axes.contourf(masses, v2, np.ma.masked_invalid(values.T), [np.log(LOWEST_CLS / ALPHA) - 1, 0], colors=colour)


def _line(axes: Axes, masses: Any, v2: Any, values: Any, style: str) -> None:
    if (values < 0).any():
        axes.contour(masses, v2, np.ma.masked_invalid(values.T), [0], colors="black", linestyles=style)


def _ranges(axes: Axes, scan: Record) -> None:
    """The median expected range at a mass: bars end it, arrows say that it is open."""
    (found,) = [f for f in scan["excluded"] if f["curve"] == "expected"] or [None]
    if found is None or found["lower"] is None:
        return
    ends = []
    colour = INTERPOLATED if scan["interpolated_from"] else "black"
    for side, arrow in (("lower", "v"), ("upper", "^")):
        edge = found[side]
        closed = edge["state"] == "closed"
        ends.append(edge["v2"] if closed else edge["at"])
        axes.plot([scan["mass"]], ends[-1:], "_" if closed else arrow, color=colour, markersize=7, clip_on=False)
    axes.plot([scan["mass"]] * 2, ends, color=colour, linewidth=0.8)


def _fixed(content: Record) -> list[Record]:
    """Limits on mu of samples that cannot be reweighted."""
    return [row for row in content.get("samples", []) if row.get("generated_only") and not row["refused"]]


def _strengths(axes: Axes, rows: Sequence[Record]) -> list[Any]:
    """At the generated point of each sample its limit on mu: observed, or else the median expected."""
    for row in rows:
        observed = row["observed"] is not None
        limit = row["observed"] if observed else row["expected"][len(row["expected"]) // 2]
        axes.plot([row["mass"]], [row["v2"]], "D", color="firebrick", markersize=6)
        text = rf"$\mu$ < {limit:.3g} {'observed' if observed else 'expected'}"
        place: dict[str, Any] = {"textcoords": "offset points", "xytext": (8, 0), "va": "center", "fontsize": "x-small"}
        axes.annotate(text, (row["mass"], row["v2"]), **place)
    label = r"limit on the signal strength $\mu$ at the generated lifetime only"
    return [mpl.lines.Line2D([], [], color="firebrick", marker="D", linestyle="", label=label)] if rows else []


def _published(axes: Axes, curves: Sequence[Record], coupling: str, nature: str) -> list[Any]:
    handles = []
    chosen = [c for c in curves if c["coupling"] == coupling and nature in c["natures"]]
    for curve, colour in zip(chosen, mpl.color_sequences["tab10"], strict=False):
        label = f"{curve['name']}, {100 * curve['level']:.0f} % CL"
        handles += axes.plot(curve["mass"], curve["v2"], color=colour, linewidth=1, label=label)
    return handles


def _paper(axes: Axes, rows: Sequence[Any]) -> list[Any]:
    """The points of Table 5; open where the exponent is not legible."""
    handles = []
    for row in rows:
        for name, marker in (("lowest", "^"), ("highest", "v")):
            full = name not in row.inferred
            style: dict[str, Any] = {"marker": marker, "linestyle": "", "color": "navy", "markersize": 9}
            label = f"EXO-21-011, 138/fb, {name}" + ("" if full else " (exponent inferred)")
            style |= {"fillstyle": "full" if full else "none", "label": label}
            handles += axes.plot([row.mass], [getattr(row, name)], **style)
    return handles


def draw_fits(content: Record, folder: Path) -> list[tuple[str, Path]]:
    """Yields in A, and pulls with impacts, of every fitted sample; arguments as `draw_limits`."""
    figures = []
    stem = layout.fit(content["luminosity"] if content["projected"] else None)
    for one in content["fits"]:
        for name, title, figure in (
            ("yields", "Region A", yields(one, content)),
            ("impacts", "Pulls and impacts", impacts(one, content)),
        ):
            path = folder / f"{stem}_{name}_{one['sample']}.png"
            save(figure, path)
            figures.append((f"{title}, {one['sample']}: {content['label']}", path))
    return figures


def yields(one: Record, content: Record) -> mpl.figure.Figure:
    """Region A of every bin: background fitted without signal, its error, the signal, the data; ratios below."""
    rows = [row for row in one["yields"] if row["region"] == REGIONS[0]]
    figure, (main, ratio) = plt.subplots(2, 1, figsize=(12, 7), sharex=True, gridspec_kw={"height_ratios": [3, 1]})
    x, edges = np.arange(len(rows)), np.arange(len(rows) + 1) - 0.5
    background = np.array([row["background_only"] for row in rows])
    error = np.array([row["background_only_error"] or 0.0 for row in rows])
    signal = np.array([row["signal"] for row in rows])
    observed = np.array([np.nan if row["observed"] is None else row["observed"] for row in rows], dtype=float)
    mplhep.histplot(
        background, edges, ax=main, histtype="fill", color="#92dadd", label=r"background, fit with $\mu$ = 0"
    )
    box: dict[str, Any] = {"width": 1, "fill": False, "hatch": "/////", "edgecolor": "grey", "linewidth": 0}
    main.bar(x, 2 * error, bottom=background - error, label="its uncertainty", **box)
    mplhep.histplot(signal, edges, ax=main, color="firebrick", label=rf"{one['sample']}, $\mu$ = 1")
    spread = np.sqrt(np.maximum(observed, 0))
    main.errorbar(x, observed, spread, fmt="o", color="black", label="data" if np.isfinite(observed).any() else None)
    positive = np.concatenate([background, signal, observed])
    positive = positive[np.isfinite(positive) & (positive > 0)]
    main.yaxis.set_minor_formatter(NullFormatter())
    main.set(yscale="log", ylim=(max(positive.min() / 3, positive.max() / 1e5), positive.max() * 20), ylabel="events")
    main.legend(loc="upper right", ncols=2, fontsize="small")
    main.set_title(f"region A, {content['label']}", loc="left", fontsize="small")
    safe = np.where(background > 0, background, np.nan)
    ratio.bar(x, 2 * error / safe, bottom=1 - error / safe, width=1, color="lightgrey")
    ratio.plot(x, (background + signal) / safe, "_", color="firebrick", markersize=14)
    ratio.errorbar(x, observed / safe, spread / safe, fmt="o", color="black")
    ratio.axhline(1, color="black", linewidth=0.8)
    ratio.set(ylim=(0, 3), ylabel="/ background", xlim=(edges[0], edges[-1]))
    labels = {c: {b.number: b.label for b in bins(_hypothesis(rows), c)} for c in CATEGORIES}
    names = [f"{row['category'].replace('_', ' ')}, {labels[row['category']][row['bin']]}" for row in rows]
    ratio.set_xticks(x, names, rotation=60, ha="right", fontsize="x-small")
    figure.tight_layout()
    return figure


def _hypothesis(rows: Sequence[Record]) -> str:
    """Bins have the same numbers in both; only the labels differ, which the rows know."""
    return str(rows[0]["hypothesis"])


def impacts(one: Record, content: Record) -> mpl.figure.Figure:
    """The leading nuisance parameters: pull with its error, and change of mu for one standard deviation."""
    rows = one["impacts"][:SHOWN_IMPACTS][::-1]
    pulls = {row["name"]: row for row in one["pulls"]}
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 1.5 + 0.3 * len(rows)), sharey=True)
    y = np.arange(len(rows))
    value = [pulls[row["name"]]["value"] for row in rows]
    error = [pulls[row["name"]]["error"] or 0.0 for row in rows]
    left.axvspan(-1, 1, color="lightgrey")
    left.errorbar(value, y, xerr=error, fmt="o", color="black", markersize=4)
    left.set(xlim=(-2.5, 2.5), xlabel="pull", yticks=y, yticklabels=[row["name"] for row in rows])
    for key, colour, label in (("up", "firebrick", "+1 s.d."), ("down", "steelblue", "-1 s.d.")):
        right.barh(y, [row[key] for row in rows], color=colour, alpha=0.7, label=label)
    right.axvline(0, color="black", linewidth=0.8)
    right.xaxis.set_major_locator(MaxNLocator(5))
    right.set_xlabel(r"change of $\mu$")
    right.legend(fontsize="small")
    left.set_title(f"{one['sample']}: {content['data']}; impacts on {one['impacts_of']}", loc="left", fontsize="small")
    figure.tight_layout()
    return figure
