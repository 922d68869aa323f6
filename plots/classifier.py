"""The classifiers: ROC curves, scores, dependence on m(l1,SV), features; from the results of `ml.evaluation` alone."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import mplhep
import numpy as np
from matplotlib.axes import Axes

from hnl.plots.style import Drawn, save

Metrics = Mapping[str, Mapping[str, Any]]

PANEL = (5.6, 4.4)  # inches
N_FEATURES = 15
MIN_BACKGROUND_EFFICIENCY = 1e-4
SIGNAL, BACKGROUND = "C3", "C0"


def draw_all(metrics: Metrics, folder: Path) -> list[Drawn]:
    """Draws every figure, as PNG and PDF.

    Args:
        metrics: training -> result of `evaluation.evaluate`.
        folder: folder of the figures; made if needed.

    Returns:
        Each figure.
    """
    figures = []
    for name, (title, draw) in FIGURES.items():
        path = folder / f"classifier_{name}.png"
        save(_panels(metrics, draw), path)
        figures.append(Drawn(title, path))
    return figures


def roc(panel: Axes, of: Mapping[str, Any]) -> None:
    """Background efficiency against signal efficiency: test set, unseen events, and trained events."""
    for kind, style in (("train", ":"), ("unseen", "-"), ("test", "--")):
        curve = of["roc"][kind]
        if curve["signal"]:
            area = of["auc"][kind]
            label = f"{_NAMES[kind]}: AUC {_number(area['value'])} \N{PLUS-MINUS SIGN} {_number(area['error'])}"
            panel.step(curve["signal"], curve["background"], style, where="post", label=label)
    panel.set(xlabel="signal efficiency", ylabel="background efficiency", yscale="log", xlim=(0, 1))
    panel.set_ylim(MIN_BACKGROUND_EFFICIENCY, 1)
    panel.grid(alpha=0.3)
    if panel.lines:
        panel.legend(loc="lower right", fontsize="small")


def scores(panel: Axes, of: Mapping[str, Any]) -> None:
    """Scores of signal and background (as Fig. 5, unit area): trained events filled, unseen ones as points."""
    edges = np.array(of["histograms"]["edges"])
    scale = "linear"  # where nothing is drawn
    for label, colour in (("signal", SIGNAL), ("background", BACKGROUND)):
        train, _ = _density(of["histograms"]["train"], label, edges)
        unseen, error = _density(of["histograms"]["unseen"], label, edges)
        if np.isfinite([train, unseen]).any():
            scale = "log"
        mplhep.histplot(train, edges, histtype="fill", alpha=0.3, color=colour, label=f"{label}, trained", ax=panel)
        mplhep.histplot(
            unseen,
            edges,
            yerr=error,
            histtype="errorbar",
            color=colour,
            markersize=5,
            label=f"{label}, unseen",
            ax=panel,
        )
    panel.set(xlabel="score", ylabel="density", yscale=scale, xlim=(0, 1))
    panel.legend(loc="upper center", ncols=2, fontsize="small")


def independence(panel: Axes, of: Mapping[str, Any]) -> None:
    """Mean m(l1,SV) of background in bins of the score; flat if the two are independent (section 6)."""
    points = of["profile"]
    low, high, mean, error = (np.array([point[key] for point in points]) for key in ("low", "high", "mean", "error"))
    if points:
        panel.errorbar((low + high) / 2, mean, xerr=(high - low) / 2, yerr=error, fmt="o", color="black", markersize=4)
        panel.set_ylim(0, min(max(150.0, float((mean + error).max()) * 1.1), 250.0))
    lines = []
    for entry in of["correlation"]:
        if entry["where"] == "inclusive":
            pearson, distance = entry["pearson"], entry["distance"]
            lines.append(
                f"{_SELECTIONS[entry['selection']]}:  r = {_number(pearson['value'])} "
                f"(p = {_number(pearson['p_value'])})"
                f"\n    distance correlation {_number(distance['value'])} (p = {_number(distance['p_value'])})"
            )
    panel.text(0.03, 0.03, "\n".join(lines), transform=panel.transAxes, fontsize="x-small", va="bottom")
    panel.set(xlabel="score", ylabel=r"mean $m(\ell_1, SV)$ of background [GeV]", xlim=(0, 1))
    panel.grid(alpha=0.3)


def importance(panel: Axes, of: Mapping[str, Any]) -> None:
    """Shares of the features in the gain of all splits."""
    first = list(of["importance"].items())[:N_FEATURES][::-1]
    panel.barh([name for name, _ in first], [share for _, share in first], color="C0")
    panel.set(xlabel="share of the total gain")
    panel.tick_params(axis="y", labelsize="small")


FIGURES: Mapping[str, tuple[str, Callable[[Axes, Mapping[str, Any]], None]]] = {
    "roc": ("Classifiers: signal and background efficiency", roc),
    "scores": ("Classifiers: scores", scores),
    "m_l1_sv": ("Classifiers: independence of the score from m(l1, SV)", independence),
    "importance": ("Classifiers: features", importance),
}
LEFT_MARGIN: Mapping[Callable[..., None], float] = {importance: 1.75}  # inches, for the names of the features
_NAMES = {"train": "trained events", "unseen": "unseen events", "test": "test set"}
_SELECTIONS = {"all": "all", "preselected": "score > 0.2, m > 10 GeV"}


def _panels(metrics: Metrics, draw: Callable[[Axes, Mapping[str, Any]], None]) -> mpl.figure.Figure:
    """One panel per training, two per row."""
    rows = -(-len(metrics) // 2)
    width, height = 2 * PANEL[0], rows * PANEL[1]
    figure, panels = plt.subplots(rows, 2, figsize=(width, height), squeeze=False)
    # Margins in inches: a layout engine would take longer than all the drawing.
    left, right = LEFT_MARGIN.get(draw, 0.8), 0.2
    figure.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        bottom=0.55 / height,
        top=1 - 0.35 / height,
        wspace=(left + right) / (PANEL[0] - left - right),
        hspace=0.28,
    )
    for panel in panels.flat[len(metrics) :]:
        panel.set_axis_off()
    for panel, (name, of) in zip(panels.flat, metrics.items(), strict=False):
        draw(panel, of)
        panel.set_title(name.replace("_", ", "), fontsize="medium")
    return figure


def _density(histograms: Mapping[str, Any], label: str, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and errors with unit area; bins at or below zero (negative weights) cannot be drawn on a log axis."""
    values, variance = np.array(histograms[label]), np.array(histograms[f"{label}_variance"])
    area = values.sum() * (edges[1] - edges[0])
    if not area > 0:
        return np.full(len(values), np.nan), np.zeros(len(values))
    return np.where(values > 0, values, np.nan) / area, np.sqrt(variance) / area


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
