"""Figures of the background estimate: yields with prediction (Figs. 9-12), scores in the VR (Fig. 8), thresholds."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import hist
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from hnl.histograms.displaced.yields import vr_scores
from hnl.inference.abcd.rows import ClosureRow, EstimateTables, SimulatedClosureRow, YieldRow
from hnl.inference.abcd.settings import PAPER, AbcdSettings
from hnl.inference.abcd.thresholds import Scan
from hnl.plots.style import Drawn, save
from hnl.selections.displaced import categories
from hnl.selections.displaced.categories import LEPTONS, Category
from hnl.selections.displaced.hypotheses import HYPOTHESES
from hnl.selections.displaced.regions import INSIDE, Bin, RegionSettings, Thresholds, bins

FLAVOURS = ("mumu", "emu", "ee", "mue")  # in the order of Fig. 9
PREDICTION, POINTS, SECOND = "#5790fc", "black", "#e42536"
MARKERS: dict[str, Any] = {"fmt": "o", "color": POINTS, "markersize": 4}
Predicted = YieldRow | ClosureRow

RATIO_TOP = 3.0
RATIO_EDGES = (0.05, 20.0)
# Fixed places: looking for them takes longer than everything else in the stage.
GRID: dict[str, Any] = {"left": 0.06, "right": 0.98, "top": 0.9, "bottom": 0.08, "hspace": 0.16, "wspace": 0.08}
STACKED = GRID | {"height_ratios": (3, 1.2, 3, 1.2), "hspace": 0.28, "wspace": 0.18, "top": 0.94}
# Scores of the plane put together for Fig. 8, which has ten bins from 0 to 1.
SHAPE_EDGES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def draw_all(
    tables: EstimateTables,
    plane: hist.Hist,
    samples: Mapping[str, Sequence[str]],
    scans: Mapping[str, Mapping[str, Scan]],
    thresholds: Thresholds,
    folder: Path,
    settings: AbcdSettings = PAPER,
) -> list[Drawn]:
    """Draws every figure of the stage, as PNG and PDF.

    Args:
        tables: rows of the stage.
        plane: histogram of `histograms.displaced.abcd`.
        samples: name -> datasets.
        scans: hypothesis -> category.
        thresholds: those that are used.
        folder: for the figures; made if needed.
        settings: of the estimate.

    Returns:
        Each figure.
    """
    figures, edges, least_c = [], settings.regions, settings.estimate.least_c
    for hypothesis in HYPOTHESES:
        for sample in samples:
            for rows, selection in ((tables.yields, "SR"), (tables.closure, "CR")):
                chosen = [r for r in rows if (r.sample, r.hypothesis) == (sample, hypothesis)]
                title = f"Yields and prediction in the {selection}, {hypothesis}-mass classifier, {sample}"
                figures.append(
                    (title, f"abcd_{selection}_{hypothesis}_{sample}", yields(chosen, hypothesis, sample, edges))
                )
        if scans:
            title = f"Thresholds on the score, {hypothesis}-mass classifier"
            figures.append(
                (title, f"abcd_thresholds_{hypothesis}", scan(scans[hypothesis], thresholds[hypothesis], least_c))
            )
    if tables.simulated_closure:
        title = "Simulated background: A over its prediction at lower thresholds"
        figures.append((title, "abcd_simulated_closure", simulated_closure(tables.simulated_closure)))
    for sample, datasets in samples.items():
        title = f"Score inside and outside of {edges.windows[INSIDE]} GeV in the VR, {sample}"
        figures.append((title, f"abcd_VR_scores_{sample}", scores(plane, datasets, edges)))
    return [Drawn(title, save(figure, folder / f"{name}.png")) for title, name, figure in figures]


def yields(
    rows: Sequence[Predicted], hypothesis: str, sample: str, settings: RegionSettings = PAPER.regions
) -> mpl.figure.Figure:
    """Yields of region A with their prediction in every bin: SS above, OS below, each with the ratio (Fig. 9).

    Bins without D have no prediction and are left open. What is hidden is not drawn, and the figure says so.
    """
    figure, panels = plt.subplots(4, 1, figsize=(14, 10), gridspec_kw=STACKED)
    for (main, ratio), charge in zip(panels.reshape(2, 2), ("SS", "OS"), strict=True):
        found = {(r.category, r.bin): r for r in rows}
        shown = sorted((c for c in categories.ALL if c.charge == charge), key=lambda c: FLAVOURS.index(c.flavours))
        order = [(category, b) for category in shown for b in bins(hypothesis, category.label, settings)]
        _yield_panels(main, ratio, [found[category.label, b.label] for category, b in order], sample)
        _name_bins(main, ratio, order)
        main.set_title(charge, loc="left", fontweight="bold")
    legend = [pair for panel in panels[:2] for pair in zip(*panel.get_legend_handles_labels(), strict=True)]
    figure.legend(*zip(*legend, strict=True), loc="upper right", ncols=len(legend), frameon=False)
    if any(row.A is None for row in rows):
        figure.suptitle("region A hidden (blinded)", x=0.02, ha="left", color=SECOND)
    return figure


def _yield_panels(main: Axes, ratio: Axes, rows: Sequence[Predicted], sample: str) -> None:
    x = np.arange(len(rows))
    column = {
        key: np.array([getattr(row, key) for row in rows], dtype=float)  # None becomes NaN
        for key in ("A", "A_error", "prediction", "stat_down", "stat_up", "total_down", "total_up")
    }
    value = column["prediction"]
    main.stairs(value, np.arange(len(rows) + 1) - 0.5, color=PREDICTION, fill=True, alpha=0.4, label="B C / D")
    box: dict[str, Any] = {"align": "center", "fill": False, "hatch": "/////", "edgecolor": "grey", "linewidth": 0}
    top = np.where(np.isfinite(column["total_up"]), column["total_up"], 0) + column["total_down"]
    main.bar(x, top, width=1, bottom=value - column["total_down"], label="total uncertainty", **box)
    # Data: of the count itself; what one count could mean is in the prediction's interval.
    main.errorbar(x, column["A"], column["A_error"], label=sample, **MARKERS)
    positive = np.concatenate([value, column["A"], value + column["total_up"]])
    positive = positive[np.isfinite(positive) & (positive > 0)]
    if len(positive):
        main.yaxis.set_minor_formatter(NullFormatter())
        main.set(yscale="log", ylim=(max(positive.min() / 5, positive.max() / 1e6), positive.max() * 30))
    main.set_ylabel("events")

    safe = np.where(value > 0, value, np.nan)
    for side, colour, label in (("total", "lightgrey", "ratio: total"), ("stat", "darkgrey", "ratio: statistical")):
        low, high = 1 - column[f"{side}_down"] / safe, 1 + column[f"{side}_up"] / safe
        ratio.bar(x, high - low, width=1, bottom=low, color=colour, label=label)
    ratio.errorbar(x, column["A"] / safe, column["A_error"] / safe, **MARKERS)
    for i in np.flatnonzero(column["A"] / safe > RATIO_TOP):
        ratio.plot(x[i], RATIO_TOP * 0.95, marker="^", color=POINTS, clip_on=False)
    ratio.axhline(1, color="black", linewidth=0.8)
    ratio.set(ylim=(0, RATIO_TOP), ylabel=f"{sample} / pred." if sample == "data" else "direct / pred.")
    for panel in (main, ratio):
        panel.set_xlim(-0.5, len(rows) - 0.5)


def _name_bins(main: Axes, ratio: Axes, order: Sequence[tuple[Category, Bin]]) -> None:
    """Flavour above, m_SV below it, Delta_2D on the axis, as in Fig. 9."""
    main.set_xticks([])
    ratio.set_xticks(
        range(len(order)), [b.label.split(", ")[1].removesuffix(" cm") for _, b in order], fontsize="small"
    )
    ratio.set_xlabel(r"$\Delta_{2D}$ [cm]", loc="right")
    transform = main.get_xaxis_transform()
    centred: dict[str, Any] = {"ha": "center", "va": "top", "backgroundcolor": "white"}
    for shown in dict.fromkeys(category for category, _ in order):
        places = [i for i, (category, _) in enumerate(order) if category == shown]
        main.text(float(np.mean(places)), 0.97, shown.symbols, transform=transform, fontsize="large", **centred)
        for m_sv in (0, 1):
            inside = [i for i in places if order[i][1].m_sv == m_sv]
            text = order[inside[0]][1].label.split(", ")[0].removeprefix("m_SV ") + " GeV"
            main.text(float(np.mean(inside)), 0.87, text, transform=transform, fontsize="small", **centred)
            style = "-" if m_sv else ":"
            for panel in (main, ratio):
                panel.axvline(inside[-1] + 0.5, color="grey", linestyle=style, linewidth=0.8)


def simulated_closure(rows: Sequence[SimulatedClosureRow]) -> mpl.figure.Figure:
    """A over its prediction with its 68.3 % interval, for each selection, hypothesis, category and threshold.

    Open and grey: too few events to tell anything. An interval without end goes on to the edge of the panel.
    """
    columns = {
        key: list(dict.fromkeys(getattr(row, key) for row in rows)) for key in ("hypothesis", "selection", "threshold")
    }
    groups = list(dict.fromkeys(row.category for row in rows if row.ndf is None))
    shape = [len(columns[key]) for key in ("hypothesis", "selection")]
    figure, panels = plt.subplots(
        *shape, figsize=(16, 9), sharex=True, sharey=True, squeeze=False, gridspec_kw=GRID | {"bottom": 0.14}
    )
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(columns["threshold"])))
    for (h, selection), panel in zip(product(columns["hypothesis"], columns["selection"]), panels.flat, strict=True):
        for i, threshold in enumerate(columns["threshold"]):
            wanted = (h, selection, threshold)
            chosen = [r for r in rows if (r.hypothesis, r.selection, r.threshold) == wanted]
            for row in chosen:
                if row.category not in groups:
                    continue
                x = groups.index(row.category) + 0.15 * (i - (len(columns["threshold"]) - 1) / 2)
                colour = colours[i] if row.tested else "lightgrey"
                low, high = row.ratio_low or 0.0, row.ratio_high or RATIO_EDGES[1]
                panel.plot([x, x], [max(low, RATIO_EDGES[0]), high], color=colour, linewidth=1.5)
                if row.ratio:
                    fill = colour if row.tested else "white"
                    panel.plot(x, row.ratio, "o", color=colour, markerfacecolor=fill, markersize=4)
            panel.plot([], [], "o-", color=colours[i], label=f"x = {threshold}")
        panel.axhline(1, color="black", linewidth=0.8)
        panel.set_title(f"{selection}, {h} mass", loc="left")
        panel.set_xticks(range(len(groups)), [name.replace("_", " ") for name in groups], rotation=90)
        panel.set(yscale="log", ylim=RATIO_EDGES, xlim=(-0.6, len(groups) - 0.4))
    for panel in panels[:, 0]:
        panel.set_ylabel("A D / (B C)")
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=len(labels), frameon=False)
    return figure


def scores(plane: hist.Hist, datasets: Sequence[str], settings: RegionSettings = PAPER.regions) -> mpl.figure.Figure:
    """Scores in VR-AB and VR-CD, normalised to unity, with their ratio (Fig. 8)."""
    figure, panels = plt.subplots(4, 2, figsize=(12, 11), gridspec_kw=STACKED)
    shown = [settings.score, *(edge for edge in SHAPE_EDGES if edge > settings.score)]
    edges, starts = np.array(shown), np.searchsorted(plane.axes["score"].edges, shown[:-1])
    for row, hypothesis in enumerate(HYPOTHESES):
        for column, lepton in enumerate(LEPTONS):
            main, ratio = panels[2 * row : 2 * row + 2, column]
            drawn = []
            for counts in vr_scores(plane, datasets, hypothesis, lepton, settings):
                w, w2 = (np.add.reduceat(part, starts) for part in counts)
                total = w.sum() if w.sum() > 0 else np.nan
                drawn.append((w / total, np.sqrt(w2) / abs(total)))
            _shape_panels(main, ratio, edges, drawn)
            main.set_title(f"{lepton}, {hypothesis} mass", loc="left")
    return figure


def _shape_panels(
    main: Axes,
    ratio: Axes,
    edges: NDArray[np.float64],
    drawn: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> None:
    centres = (edges[1:] + edges[:-1]) / 2
    (inside, inside_error), (outside, outside_error) = drawn
    main.stairs(outside, edges, color=PREDICTION, linewidth=1.5, label="VR-CD")
    main.stairs(
        outside + outside_error, edges, baseline=outside - outside_error, fill=True, color=PREDICTION, alpha=0.3
    )
    main.errorbar(centres, inside, inside_error, label="VR-AB", **MARKERS)
    main.set(ylabel="share of events", xlim=(edges[0], edges[-1]), ylim=(0, None))
    main.legend()
    safe = np.where(outside > 0, outside, np.nan)
    band = outside_error / safe
    ratio.bar(centres, 2 * band, width=np.diff(edges), bottom=1 - band, color=PREDICTION, alpha=0.3)
    ratio.errorbar(centres, inside / safe, inside_error / safe, **MARKERS)
    ratio.axhline(1, color="black", linewidth=0.8)
    ratio.set(ylabel="AB / CD", xlabel="score", xlim=(edges[0], edges[-1]), ylim=(0, 2))


def scan(
    scans: Mapping[str, Scan], thresholds: Mapping[str, float], least_c: float = PAPER.estimate.least_c
) -> mpl.figure.Figure:
    """For each category: figure of merit, signal kept and relative error of the prediction against the threshold.

    Grey: thresholds with which more bins than necessary expect fewer than `least_c` events in C.
    """
    figure, panels = plt.subplots(2, 4, figsize=(16, 7.5), sharex=True, sharey=True, gridspec_kw=GRID)
    for panel, category in zip(panels.T.flat, categories.ALL, strict=True):
        found = scans[category.label]
        x = found.thresholds
        panel.plot(x, found.figure_of_merit, color=POINTS, label="$Z^2$, relative to the best")
        panel.plot(x, found.signal_fraction, color=PREDICTION, label="share of the signal in A")
        panel.plot(
            x, np.where(found.uncertainty > 0, found.uncertainty, np.nan), color=SECOND, label="error of B C / D"
        )
        panel.axvline(thresholds[category.label], color="black", linestyle="--", label="x")
        poor = found.poor_bins > found.poor_bins.min()
        panel.fill_between(x, 0, 1, where=poor, step="mid", transform=panel.get_xaxis_transform(), color="0.9")
        worst = int(found.poor_bins.min())
        text = f"N(C) < {least_c:g} in {worst} bins or more" if worst else f"N(C) > {least_c:g} can be had in all bins"
        panel.set_title(f"{category.title}: {text}", fontsize="small")
        panel.set(xlim=(x[0] - 0.001, x[-1] + 0.001), ylim=(0, 1.2))
    for panel in panels[-1]:
        panel.set_xlabel("threshold x")
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=4, frameon=False)
    return figure
