"""The classifiers: ROC curves, scores, thresholds, dependence on m(l1,SV), features; from `ml.evaluation` alone.

Each figure has a panel for each training; the functions of panels draw into given axes as well.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from hnl.plots import labels, style
from hnl.plots.style import Drawn, Label, styled

Of = Mapping[str, Any]  # result of `evaluation.evaluate`
Metrics = Mapping[str, Of]  # by training

COLUMNS, ROW = 2, 6.4  # panels side by side; cm
N_FEATURES = 15
MIN_BACKGROUND_EFFICIENCY = 1e-4
MIN_EVENTS = 10  # of a number that is not called short of events: as the limits ask of simulation
DECADES = 5  # of densities that are drawn
SIGNAL, BACKGROUND = style.SIGNALS[0], style.BACKGROUNDS[0]
_NAMES = {"train": "trained events", "unseen": "unseen events", "test": "test set"}
_SELECTIONS = {"all": "all", "preselected": "preselected"}


def draw_all(metrics: Metrics, folder: Path, label: Label | None = None) -> list[Drawn]:
    """Draws every figure, as PNG and PDF.

    Args:
        metrics: training -> result of `evaluation.evaluate`.
        folder: folder of the figures; made if needed.
        label: above the figures; simulation by default.

    Returns:
        Each figure.
    """
    figures = []
    for name, (title, draw, caption) in FIGURES.items():
        path = style.save(panels(metrics, draw, label or Label()), folder / f"classifier_{name}.png")
        alt = "; ".join(f"{training}: {_told(name, of)}" for training, of in metrics.items()) + "."
        figures.append(Drawn(title, path, caption, alt, "classifiers"))
    return figures


@styled
def panels(metrics: Metrics, draw: Callable[[Of, Axes | None], Axes], label: Label | None = None) -> Figure:
    """One panel per training, two per row.

    Args:
        metrics: training -> result of `evaluation.evaluate`.
        draw: of one training, such as `roc`.
        label: above the figure.
    """
    columns = min(COLUMNS, len(metrics))
    rows = -(-len(metrics) // columns)
    names = [labels.FEATURES.get(name, name) for of in metrics.values() for name in of["importance"]]
    left = labels.ems(names) if draw is importance else 4.6
    width = style.SINGLE if columns == 1 else style.DOUBLE
    room: dict[str, Any] = {"left": left, "between": (left + 0.6, 3.6)}
    figure, axes = style.panels(rows, columns, width=width, height=ROW * rows, **room)
    for panel in axes.flat[len(metrics) :]:
        panel.set_visible(False)
    for panel, (name, of) in zip(axes.flat, metrics.items(), strict=False):
        draw(of, panel)
        style.note(panel, name.replace("_", ", "), x=0.97, y=0.22 if draw is importance else 0.96, ha="right")
    if label:
        style.label(axes[0, 0], label, last=axes[0, -1])
    return figure


@styled
def roc(of: Of, ax: Axes | None = None) -> Axes:
    """Signal efficiency against background efficiency: test set, unseen events, and trained events."""
    ax = style.single(ax)
    for kind, line, colour in (("train", ":", 1), ("unseen", "-", SIGNAL), ("test", "--", BACKGROUND)):
        curve = of["roc"][kind]
        if curve["signal"]:
            area = of["auc"][kind]
            name = f"{_NAMES[kind]}, AUC {_number(area['value'])} \N{PLUS-MINUS SIGN} {_number(area['error'])}"
            # At a background efficiency of zero the curve comes from below the axis.
            background = np.maximum(curve["background"], MIN_BACKGROUND_EFFICIENCY / 10)
            ax.plot(background, curve["signal"], line, color=style.colour(colour), drawstyle="steps-pre", label=name)
    ax.set(xlabel="background efficiency", ylabel="signal efficiency", xscale="log")
    ax.set(xlim=(MIN_BACKGROUND_EFFICIENCY, 1), ylim=(0, 1.62))  # the legend is above the curves
    ax.set_yticks(np.linspace(0, 1, 6))
    if not ax.lines:
        style.note(ax, "no events", y=0.5)
        return ax
    chance = np.geomspace(MIN_BACKGROUND_EFFICIENCY, 1, 50)
    ax.plot(chance, chance, color="0.5", linestyle=(0, (1, 3)), linewidth=0.8, label="chance")
    ax.grid(alpha=0.3)
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0.94))
    return ax


@styled
def scores(of: Of, ax: Axes | None = None) -> Axes:
    """Scores of signal and background (as Fig. 5, unit area): trained events as areas, unseen ones as points."""
    ax = style.single(ax)
    edges = np.array(of["histograms"]["edges"])
    centres = (edges[1:] + edges[:-1]) / 2
    highest: list[float] = []
    for name, place, filled, marker in (("signal", SIGNAL, True, "o"), ("background", BACKGROUND, False, "s")):
        colour = style.colour(place)
        trained, _ = _density(of["histograms"]["train"], name, edges)
        unseen, error = _density(of["histograms"]["unseen"], name, edges)
        if np.isfinite(trained).any():
            line: dict[str, Any] = {"fill": True, "color": (colour, 0.35)} if filled else {"color": colour}
            ax.stairs(trained, edges, label=f"{name}, trained", **line)
        if np.isfinite(unseen).any():
            points: dict[str, Any] = {"fmt": marker, "color": colour, "label": f"{name}, unseen"}
            ax.errorbar(centres, unseen, error, markerfacecolor=colour if filled else "white", **points)
        highest += [value for value in (*trained, *(unseen + error)) if np.isfinite(value)]
    ax.set(xlabel="score", ylabel="density", xlim=(0, 1))
    if not highest:
        style.note(ax, "no events", y=0.5)
        return ax
    lowest = min(value for value in highest if value > 0)
    ax.set(yscale="log", ylim=(max(lowest / 2, max(highest) / 10**DECADES), max(highest)))
    style.headroom(ax, highest, 0.33)
    _decades(ax, ax.get_ylim()[1])
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.92), ncols=2)
    return ax


@styled
def thresholds(of: Of, ax: Axes | None = None) -> Axes:
    """Efficiencies of signal and background above thresholds on the score; open where fewer than 10 events pass."""
    ax = style.single(ax)
    rows = of["thresholds"]
    x = np.arange(len(rows))
    shown: list[float] = []
    for name, place, marker in (("signal", SIGNAL, "o"), ("background", BACKGROUND, "s")):
        colour = style.colour(place)
        value, error = (_floats(row[name][key] for row in rows) for key in ("value", "error"))
        many = np.array([row[f"{name}_events"] >= MIN_EVENTS for row in rows], dtype=bool)
        drawn = value > 0
        for chosen, face, words in ((drawn & many, colour, name), (drawn & ~many, "white", f"{name}, < 10 events")):
            if chosen.any():
                points: dict[str, Any] = {
                    "fmt": marker,
                    "color": colour,
                    "markerfacecolor": face,
                    "capsize": 1.5,
                    "label": words,
                }
                ax.errorbar(x[chosen], value[chosen], np.nan_to_num(error)[chosen], **points)
        for place_x in x[~drawn]:
            low: dict[str, Any] = {
                "transform": ax.get_xaxis_transform(),
                "ha": "center",
                "va": "bottom",
                "color": colour,
            }
            ax.text(
                place_x, 0.02 if name == "background" else 0.1, "no bkg." if name == "background" else "no sig.", **low
            )
        shown += value[drawn].tolist()
    low_end = max(min(shown, default=1.0) / 10, MIN_BACKGROUND_EFFICIENCY / 10)
    ax.set(yscale="log", ylim=(low_end, 1.0), xlim=(-0.5, len(rows) - 0.5))
    style.headroom(ax, 1.0, 0.33)
    _decades(ax, 1.0)
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="threshold on the score", ylabel="efficiency")
    ax.set_xticks(x, [f"{row['threshold']:g}" for row in rows])
    ax.xaxis.set_minor_locator(NullLocator())
    if shown:
        ax.legend(loc="upper left", bbox_to_anchor=(0, 0.94))
    else:
        style.note(ax, "no events", y=0.5)
    return ax


@styled
def independence(of: Of, ax: Axes | None = None) -> Axes:
    """Mean m(l1,SV) of background in bins of the score; flat if the two are independent (section 6)."""
    ax = style.single(ax)
    points = of["profile"]
    low, high, mean, error = (_floats(point[key] for point in points) for key in ("low", "high", "mean", "error"))
    if points:
        ax.errorbar((low + high) / 2, mean, xerr=(high - low) / 2, yerr=error, **style.POINTS)
    else:
        style.note(ax, "too few events for a mean", x=0.5, y=0.4, ha="center")
    ax.set(ylim=(0, None), xlabel="score", ylabel=r"mean $m(\ell_1, SV)$ of background [GeV]", xlim=(0, 1))
    style.headroom(ax, [100.0, *np.minimum(mean + error, 2 * mean)], 0.4)
    lines = [r"linear correlation $r$, distance corr. $d$ (p-values)"] if of["correlation"] else []
    for entry in of["correlation"]:
        if entry["where"] == "inclusive":
            r, d = (f"{_number(entry[key]['value'], 2)} ({_number(entry[key]['p_value'], 2)})" for key in _KINDS)
            lines.append(f"{_SELECTIONS[entry['selection']]}: $r$ = {r}, $d$ = {d}")
    style.note(ax, "\n".join(lines), y=0.88)
    ax.grid(alpha=0.3)
    return ax


_KINDS = ("pearson", "distance")


@styled
def importance(of: Of, ax: Axes | None = None) -> Axes:
    """Shares of the features in the gain of all splits, the largest on top."""
    first = list(of["importance"].items())[:N_FEATURES][::-1]
    names = [labels.FEATURES.get(name, labels.spaced(name)) for name, _ in first]
    ax = style.single(ax, left=labels.ems(names))
    ax.barh(range(len(first)), [share for _, share in first], color=style.colour(0))
    ax.set_yticks(range(len(first)), names)
    ax.yaxis.set_minor_locator(NullLocator())
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel="share of the total gain", ylim=(-0.7, len(first) - 0.3))
    n = len(of["importance"])
    style.note(ax, f"largest {len(first)} of {n}" if n > len(first) else f"all {n}", x=0.97, y=0.14, ha="right")
    return ax


FIGURES: Mapping[str, tuple[str, Callable[[Of, Axes | None], Axes], str]] = {
    "roc": (
        "Classifiers: signal and background efficiency",
        roc,
        "Signal efficiency against background efficiency of the score. A curve of trained events far above that of "
        "unseen ones tells of overtraining; the dotted grey line is a classifier that knows nothing.",
    ),
    "scores": (
        "Classifiers: scores",
        scores,
        "Scores of events that the models were trained with (areas) and of those that they did not see (points), at "
        "unit area, as Fig. 5. Points away from the areas tell of overtraining.",
    ),
    "thresholds": (
        "Classifiers: efficiencies above thresholds",
        thresholds,
        "What passes a threshold on the score; unseen events. Open symbols have fewer than 10 simulated events.",
    ),
    "m_l1_sv": (
        "Classifiers: independence of the score from m(l1, SV)",
        independence,
        "Mean m(l1,SV) of background in bins of the score: flat if the two are independent, as the estimate of "
        "background asks. Small p-values speak against it.",
    ),
    "importance": (
        "Classifiers: features",
        importance,
        "What the models use most: shares of the features in the gain of all splits.",
    ),
}


def _told(figure: str, of: Of) -> str:
    """What is seen of a training, in numbers."""
    if figure == "importance":
        name, share = next(iter(of["importance"].items()), ("none", 0.0))
        return f"{name} first with {100 * share:.0f} %"
    if figure == "m_l1_sv":
        r = next((entry["pearson"]["value"] for entry in of["correlation"] if entry["where"] == "inclusive"), None)
        return f"linear correlation {_number(r)}"
    if figure == "thresholds":
        rows = [row for row in of["thresholds"] if row["signal"]["value"] is not None]
        passed = [f"{100 * row['signal']['value']:.0f} % of signal above {row['threshold']:g}" for row in rows[:2]]
        return ", ".join(passed) or "no events"
    return ", ".join(f"AUC {_number(of['auc'][kind]['value'])} of {_NAMES[kind]}" for kind in ("train", "unseen"))


def _decades(ax: Axes, high: float) -> None:
    """Major ticks of y at powers of ten inside of the axes, not above a value."""
    exponents = np.arange(np.ceil(np.log10(ax.get_ylim()[0])), np.floor(np.log10(high) + 1e-9) + 1)
    ax.set_yticks(10.0 ** exponents[:: 1 + len(exponents) // 8])


def _density(histograms: Of, name: str, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and errors with unit area; bins at or below zero (negative weights) cannot be drawn on a log axis."""
    values, variance = np.array(histograms[name]), np.array(histograms[f"{name}_variance"])
    area = values.sum() * (edges[1] - edges[0])
    if not area > 0:
        return np.full(len(values), np.nan), np.zeros(len(values))
    return np.where(values > 0, values, np.nan) / area, np.sqrt(variance) / area


def _floats(values: Any) -> np.ndarray:
    """Numbers, NaN for None."""
    return np.array(list(values), dtype=np.float64)


def _number(value: float | None, digits: int = 3) -> str:
    return "\N{EN DASH}" if value is None else f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")
