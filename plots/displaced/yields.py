"""Yields of region A with their prediction in every bin (Figs. 9 to 12)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from hnl.inference.abcd.rows import ALL, ClosureRow, YieldRow
from hnl.plots import style
from hnl.plots.style import DOUBLE, Label
from hnl.selections.displaced import categories
from hnl.selections.displaced.categories import Category

FLAVOURS = ("mumu", "emu", "ee", "mue")  # in the order of Fig. 9
RATIO_TOP = 3.0
Predicted = YieldRow | ClosureRow
Bins = Sequence[tuple[Category, Predicted]]


def name_of(sample: str, label: Label) -> str:
    """What a sample is called: 'data', 'pseudo-data' or 'simulation'."""
    return label.data if sample == "data" else sample


@style.styled
def yields(rows: Sequence[Predicted], hypothesis: str, sample: str, label: Label = Label()) -> Figure:  # noqa: B008
    """Yields of region A with their prediction in every bin: SS above, OS below, each with the ratio (Fig. 9).

    Bins without D have no prediction: they are grey. What is hidden is not drawn, and the figure says so.

    Args:
        rows: of one hypothesis and sample, of the SR or the CR.
        hypothesis: of `HYPOTHESES`.
        sample: 'data' or 'simulation'.
        label: what is written above, and what data are called.
    """
    name, hidden = name_of(sample, label), any(row.A is None for row in rows)
    figure, grid = style.panels(
        4,
        1,
        width=DOUBLE,
        height=14.5,
        heights=(3, 1.2) * 2,
        left=5.2,
        top=3.4,
        bottom=3.0,
        between=(0, (0.3, 2.4, 0.3)),
    )
    for (main, ratio), charge in zip(grid.reshape(2, 2), ("SS", "OS"), strict=True):
        shown = sorted((c for c in categories.ALL if c.charge == charge), key=lambda c: FLAVOURS.index(c.flavours))
        order = [(category, row) for category in shown for row in rows if row.category == category.label]
        order = [(category, row) for category, row in order if row.bin != ALL]
        chosen = [row for _, row in order]
        main.set_ylabel(f"events / bin, {charge}")
        _yield_panel(main, chosen, name)
        _ratio_panel(ratio, chosen, name)
        _name_bins(main, ratio, order)
        if charge == "OS":
            ratio.set_xlabel(r"$\Delta_\mathrm{2D}$ [cm]")
        if not any(row.prediction for row in chosen):
            none = all(row.prediction is None for row in chosen)
            text = "no event in D: no prediction" if none else "B C / D is 0 where D has events: no ratio"
            style.note(
                main if none and hidden else ratio, text, 0.5, 0.5, ha="center", va="center", backgroundcolor="white"
            )
    top = grid[0, 0]
    style.label(top, label)
    region = "SR" if rows and isinstance(rows[0], YieldRow) else "CR"
    text = f"{region}-A, {hypothesis} mass" + (", blinded" if hidden else "")
    text += r"; $m_\mathrm{SV}$ above, $\Delta_\mathrm{2D}$ below"
    top.text(0.5, 1.015, text, transform=top.transAxes, ha="center", va="bottom")
    style.common_legend(figure, grid.flat)
    return figure


def _columns(rows: Sequence[Predicted]) -> dict[str, NDArray[np.float64]]:
    """Fields of the rows as arrays; None becomes NaN."""
    keys = ("A", "A_error", "prediction", "stat_down", "stat_up", "total_down", "total_up")
    return {key: np.array([getattr(row, key) for row in rows], dtype=float) for key in keys}


def _yield_panel(main: Axes, rows: Sequence[Predicted], name: str) -> None:
    column, x, edges = _columns(rows), np.arange(len(rows)), np.arange(len(rows) + 1) - 0.5
    value, down, up = column["prediction"], column["total_down"], column["total_up"]
    high = value + np.where(np.isfinite(up), up, 0)
    drawn = np.concatenate([value, high, column["A"], column["A"] + column["A_error"]])
    positive = drawn[np.isfinite(drawn) & (drawn > 0)]
    top, low = (positive.max(), max(positive.min() / 5, positive.max() / 1e6)) if len(positive) else (1.0, 0.1)
    main.set(yscale="log", xlim=(edges[0], edges[-1]))
    main.set_ylim(bottom=low)
    style.headroom(main, top, 0.32)
    main.yaxis.set_minor_formatter(NullFormatter())
    if np.isfinite(value).any():
        above = value > low
        if above.any():
            bars: dict[str, Any] = {"width": 1, "bottom": low, "color": style.colour(0), "alpha": 0.5}
            main.bar(x[above], value[above] - low, label="B C / D", **bars)
        bottom = np.maximum(value - down, low)
        style.band(main, edges, bottom, np.zeros_like(bottom), np.maximum(high, low) - bottom, label="total unc.")
    unlimited = np.isfinite(value) & ~np.isfinite(up)
    if unlimited.any():
        start = np.maximum(value[unlimited], low)
        limit = main.get_ylim()[1]
        ends = start * (limit / low) ** 0.15
        arrows: dict[str, Any] = {"lolims": True, "fmt": "none", "ecolor": "0.35", "capsize": 2}
        main.errorbar(x[unlimited], start, ends - start, **arrows, label="no upper end")
    _grey(main, x, value)
    seen = column["A"] > 0
    if seen.any():
        # Of the count itself; what one count could mean is in the prediction's interval.
        errors = np.minimum(column["A_error"], column["A"] * (1 - 1e-9)), column["A_error"]
        main.errorbar(x[seen], column["A"][seen], np.stack(errors)[:, seen], label=name, **style.POINTS)


def _ratio_panel(ratio: Axes, rows: Sequence[Predicted], name: str) -> None:
    column, x, edges = _columns(rows), np.arange(len(rows)), np.arange(len(rows) + 1) - 0.5
    value = column["prediction"]
    safe = np.where(value > 0, value, np.nan)
    for side, colour, label in (("total", "0.85", "total (ratio)"), ("stat", "0.65", "stat. (ratio)")):
        up = column[f"{side}_up"]
        low, high = 1 - column[f"{side}_down"] / safe, 1 + np.where(np.isfinite(up), up, np.inf) / safe
        if np.isfinite(low).any():
            ratio.bar(x, np.minimum(high, RATIO_TOP) - low, width=1, bottom=low, color=colour, label=label)
    seen = np.isfinite(column["A"])
    if seen.any():
        ratio.errorbar(x, column["A"] / safe, column["A_error"] / safe, **style.POINTS)
        style.beyond(ratio, x, column["A"] / safe, RATIO_TOP)
    ratio.axhline(1, color="black", linewidth=0.6)
    _grey(ratio, x, value, named=False)
    ratio.set(ylim=(0, RATIO_TOP), xlim=(edges[0], edges[-1]), yticks=(0, 1, 2))
    ratio.set_ylabel(f"{name}\n/ pred." if seen.any() else "rel. unc.", loc="center")


def _grey(axes: Axes, x: NDArray[np.int64], prediction: NDArray[np.float64], *, named: bool = True) -> None:
    """Bins without prediction."""
    for i, place in enumerate(x[np.isnan(prediction)]):
        label = "no event in D" if named and i == 0 else None
        axes.axvspan(place - 0.5, place + 0.5, color="0.93", zorder=0, linewidth=0, label=label)


def _name_bins(main: Axes, ratio: Axes, order: Bins) -> None:
    """Flavour above, m_SV below it, Delta_2D on the axis, as in Fig. 9."""
    for axes in (main, ratio):
        axes.minorticks_off()
        axes.tick_params(axis="x", length=0)
    main.set_xticks([])
    main.tick_params(axis="y", which="both", right=True)
    limits = [row.bin.split(", ") for _, row in order]  # of m_SV and of Delta_2D, see `regions.bins`
    names = [delta_2d.removesuffix(" cm").replace("-", "\N{EN DASH}") for _, delta_2d in limits]
    ratio.set_xticks(range(len(order)), names)
    transform = main.get_xaxis_transform()
    centred: dict[str, Any] = {"ha": "center", "va": "top"}
    for shown in dict.fromkeys(category for category, _ in order):
        places = [i for i, (category, _) in enumerate(order) if category == shown]
        symbols = style.greek(shown.title.split()[0])
        main.text(float(np.mean(places)), 0.96, symbols, transform=transform, fontweight="bold", **centred)
        for m_sv in dict.fromkeys(limits[i][0] for i in places):
            inside = [i for i in places if limits[i][0] == m_sv]
            text = m_sv.removeprefix("m_SV ") + " GeV"
            main.text(float(np.mean(inside)), 0.84, text, transform=transform, **centred)
            last = inside[-1] == places[-1]
            line: dict[str, Any] = {"color": "grey", "linewidth": 0.6, "linestyle": "-" if last else ":"}
            if inside[-1] + 1 < len(order):
                main.axvline(inside[-1] + 0.5, ymax=1.0 if last else 0.86, **line)
                ratio.axvline(inside[-1] + 0.5, **line)
