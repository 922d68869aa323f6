"""Fitted yields, pulls, impacts, correlations and goodness of fit, from fit.json only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullFormatter, NullLocator
from scipy.stats import chi2

from hnl import layout
from hnl.inference.results import FitFile, FitRecord, FittedYield
from hnl.plots import labels, style
from hnl.plots.style import Drawn, Label, styled
from hnl.selections.displaced.regions import REGIONS, bins

SHOWN = 20  # impacts, and parameters in the matrix of correlations
SHOWN_BINS = 30  # whose names are written
LARGEST_PULL = 5.0  # drawn; larger ones are arrows with numbers
LARGEST_RATIO = 5.0
WHERE = {False: "Region A", True: "All bins"}  # what is drawn of ABCD cells, and of templates
WORDS = 2.6  # rows above those of parameters
UP, DOWN = 0, 1  # places of colours


def draw_fits(content: FitFile, folder: Path, label: Label | None = None) -> list[Drawn]:
    """Yields in A, pulls with impacts, correlations if there are, and goodness of fit by toys, of every fitted sample.

    Args:
        content: of fit.json.
        folder: for the figures; made if needed.
        label: above the figures; by default from the file.

    Returns:
        Each figure.
    """
    label = label or labels.above(content.label, content.luminosity, projected=content.projected)
    stem = layout.fit(content.luminosity if content.projected else None)
    drawn = []
    for record in content.fits:

        def add(name: str, title: str, figure: Figure, caption: str, alt: str, record: FitRecord = record) -> None:
            path = style.save(figure, folder / f"{stem}_{name}_{record.sample}.png")
            drawn.append(Drawn(f"{title}, {record.sample}: {content.label}", path, caption, alt, "fit"))

        add("yields", WHERE[_is_of_templates(record)], yields(record, content.data, label), *_told_of_yields(record, content.data))
        if record.impacts:
            figure = impacts(record, content.data, label)
            add("impacts", "Pulls and impacts", figure, *_told_of_impacts(record, content.data))
        if record.correlations:
            figure = correlations(record, label).get_figure(root=True)
            add("correlations", "Correlations of parameters", figure, *_told_of_correlations(record))
        if record.goodness_of_fit.toys:
            figure = goodness(record, label).get_figure(root=True)
            add("goodness", "Goodness of fit", figure, *_told_of_goodness(record))
    return drawn


def _is_of_templates(record: FitRecord) -> bool:
    return all(row.region is None for row in record.yields)


@styled
def yields(record: FitRecord, data: str, label: Label | None = None, ax: tuple[Axes, Axes] | None = None) -> Figure:
    """Region A of every bin: background fitted without signal, its error, the signal, the data; ratios below.

    Args:
        record: of the fit.
        data: what was fitted, as in fit.json.
        label: above the figure.
        ax: for yields and ratios; those of a new figure by default.
    """
    rows = [row for row in record.yields if row.region in (REGIONS[0], None)]
    names = [_bin_label(row) for row in rows]
    own = {"width": style.DOUBLE, "height": 9.5, "bottom": labels.ems(names)}
    main, ratio = style.with_ratio(ax, **own)
    x, edges = np.arange(len(rows)), np.arange(len(rows) + 1) - 0.5
    background = np.array([row.background_only for row in rows])
    error = np.array([row.background_only_error or 0.0 for row in rows])
    signal = np.array([row.signal for row in rows])
    observed = np.array([np.nan if row.observed is None else row.observed for row in rows], dtype=float)
    spread, has_data = np.sqrt(np.maximum(observed, 0)), bool(np.isfinite(observed).any())

    grey = style.colour(style.BACKGROUNDS[3])
    main.stairs(background, edges, fill=True, color=grey, label=r"background, fit with $\mu$ = 0")
    style.band(main, edges, background, error, label="its uncertainty")
    line: dict[str, Any] = {"color": style.colour(style.SIGNALS[0]), "linewidth": 1.2}
    main.stairs(signal, edges, label=rf"{labels.spaced(record.sample)}, $\mu$ = 1", **line)
    points: dict[str, Any] = {"fmt": "o", "color": style.DATA}
    if has_data:
        main.errorbar(x, observed, spread, label=_data_name(data), **points)
    drawn = np.concatenate([background + error, signal, observed + spread])
    positive = drawn[np.isfinite(drawn) & (drawn > 0)]
    lowest = np.concatenate([background, signal])
    lowest = lowest[lowest > 0]
    if len(lowest):
        low = max(lowest.min() / 3, positive.max() / 1e5)
        main.set(yscale="log", ylim=(low, positive.max()))
        style.headroom(main, positive, 0.32)
    else:
        style.note(main, "no events are expected in any bin")
    main.yaxis.set_minor_formatter(NullFormatter())
    main.set(ylabel="events", xlim=(edges[0], edges[-1]))
    main.legend(loc="upper left", ncols=4)
    style.note(main, f"{WHERE[_is_of_templates(record)]}, {_what(data, has_data)}", x=0.01, y=0.88)
    _name_categories(main, ratio, rows)
    if label:
        style.label(main, label)

    safe = np.where(background > 0, background, np.nan)
    style.band(ratio, edges, np.where(background > 0, 1.0, np.nan), error / safe)
    ratio.stairs((background + signal) / safe, edges, baseline=None, **line)
    shown = np.concatenate([(background + signal) / safe, (observed + spread) / safe, 1 + error / safe])
    top = float(np.clip(1.1 * np.nanmax(shown, initial=1.0), 2.0, LARGEST_RATIO))
    ratio.errorbar(x, observed / safe, spread / safe, **points)
    _mark_above(ratio, x, observed / safe, top)
    ratio.axhline(1, color="black", linewidth=0.6)
    ratio.set(ylim=(0, top), ylabel="ratio")
    ratio.xaxis.set_minor_locator(NullLocator())
    step = -(-len(rows) // SHOWN_BINS)
    ratio.set_xticks(x[::step], names[::step], rotation=90)
    ratio.tick_params(axis="x", length=0)
    figure = main.get_figure(root=True)
    assert figure is not None
    return figure


def _name_categories(main: Axes, ratio: Axes, rows: Sequence[FittedYield]) -> None:
    """Lines between categories, and the name of each inside its part."""
    starts = [i for i, row in enumerate(rows) if i == 0 or row.category != rows[i - 1].category]
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        for axes in (main, ratio):
            if start:
                axes.axvline(start - 0.5, ymax=0.79 if axes is main else 1, color="black", linewidth=0.6, linestyle=":")
        middle = (start + end - 1) / 2
        place: dict[str, Any] = {"transform": main.get_xaxis_transform(), "ha": "center", "va": "top"}
        main.text(middle, 0.79, labels.category(rows[start].category), **place)


def _mark_above(axes: Axes, x: np.ndarray, values: np.ndarray, top: float) -> None:
    """An arrow for each point above the axes, with its value."""
    for place, value in zip(x, values, strict=True):
        if value > top:
            axes.plot([place], [0.93 * top], "^", color=style.DATA, clip_on=False)
            axes.text(place, 0.86 * top, f"{value:.1f}", ha="center", va="top")


def _bin_label(row: FittedYield) -> str:
    """Edges of a bin of this search in symbols, or the number of the bin of a template."""
    if row.region is None or row.hypothesis is None:
        return f"bin {row.bin}"
    words = next(b.label for b in bins(row.hypothesis, row.category) if b.number == row.bin)
    return words.replace("m_SV", "$m_{SV}$").replace("-", "\N{EN DASH}")


def _data_name(data: str) -> str:
    return "data" if data == "observed" else "Asimov data"


def _what(data: str, has_data: bool) -> str:
    return "observed" if has_data and data == "observed" else f"{data}" + ("" if has_data else ", blinded")


@styled
def impacts(record: FitRecord, data: str, label: Label | None = None, ax: tuple[Axes, Axes] | None = None) -> Figure:
    """The leading nuisance parameters: pull with its error, and change of mu for one standard deviation.

    Args:
        record: of the fit.
        data: what was fitted, as in fit.json.
        label: above the figure.
        ax: for pulls and impacts; those of a new figure by default.
    """
    rows = record.impacts[:SHOWN][::-1]
    left, right = ax or _two(len(rows), [labels.parameter(row.name) for row in rows])
    y = np.arange(len(rows))
    pulls = {pull.name: pull for pull in record.pulls}
    value = np.array([np.nan if (pull := pulls[row.name].value) is None else pull for row in rows])
    error = np.array([np.nan if (sigma := pulls[row.name].error) is None else sigma for row in rows])
    _draw_pulls(left, y, value, error)
    left.set_yticks(y, [labels.parameter(row.name) for row in rows])

    for row, colour, hatch, word in (("up", UP, "", "+"), ("down", DOWN, "//////", "\N{MINUS SIGN}")):
        fill = style.colour(colour)
        face = to_rgba(fill, 0.9 if row == "up" else 0.25)
        bars: dict[str, Any] = {"facecolor": face, "edgecolor": fill, "hatch": hatch, "linewidth": 0.6}
        name = rf"{word}1$\sigma$"
        right.barh(y, [getattr(one, row) for one in rows], 0.7, label=name, **bars)
    largest = max((max(abs(row.up), abs(row.down)) for row in rows), default=1.0) or 1.0
    right.axvline(0, ymax=_top(len(rows)), color="black", linewidth=0.6)
    low, high = (sign * max((sign * v for row in rows for v in (row.up, row.down)), default=1.0) for sign in (-1, 1))
    right.set_xlim(min(low, 0) - 0.1 * largest, max(high, 0) + 0.1 * largest)
    right.xaxis.set_major_locator(MaxNLocator(5))
    right.set_xlabel(r"change of $\hat{\mu}$")
    right.set_yticks(y, [])
    for axes in (left, right):
        axes.yaxis.set_minor_locator(NullLocator())
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(-0.7, len(rows) - 0.7 + WORDS)
    right.legend(loc="upper right", ncols=2)
    error_of_mu = "" if record.mu_error is None else f" \N{PLUS-MINUS SIGN} {record.mu_error:.2g}"
    fitted = rf"{labels.spaced(record.sample)}: $\hat{{\mu}}$ = {record.mu:.2g}{error_of_mu}"
    style.note(left, f"{fitted}\n{data}", x=0.02, y=0.99)
    style.note(right, _ranked(record), x=0.02, y=0.99)
    if label:
        style.label(left, label, last=right)
    figure = left.get_figure(root=True)
    assert figure is not None
    return figure


def _ranked(record: FitRecord) -> str:
    """What the impacts are of, and how many are drawn."""
    of = "" if record.impacts_of == "the fit" else rf"with $\mu$ = 1"
    n = len(record.impacts)
    return (f"largest {SHOWN} of {n}" if n > SHOWN else f"all {n}") + (f"\n{of}" if of else "")


def _two(n: int, names: Sequence[str]) -> tuple[Axes, Axes]:
    """Two panels side by side with a row for each name."""
    room = {"left": labels.ems(names), "between": (4.5, 0.0)}
    _, ((left, right),) = style.panels(1, 2, width=style.DOUBLE, height=2.2 + 0.42 * (n + WORDS), **room)
    return left, right


def _top(n: int) -> float:
    """Where the rows of a panel end and its words begin, 0 to 1."""
    return (n + 0.2) / (n + WORDS)


def _draw_pulls(axes: Axes, y: np.ndarray, value: np.ndarray, error: np.ndarray) -> None:
    """Pulls with errors and, beside them, the errors in numbers; beyond `LARGEST_PULL` arrows with the value."""
    reach = np.abs(value) + np.nan_to_num(error)
    limit = float(np.clip(1.1 * np.nanmax(reach, initial=0.0), 2.5, LARGEST_PULL))
    top = _top(len(y))
    axes.axvspan(-1, 1, ymax=top, color="0.88", linewidth=0)
    axes.axvline(0, ymax=top, color="0.6", linewidth=0.6)
    inside = np.abs(value) <= limit
    axes.errorbar(value[inside], y[inside], xerr=np.nan_to_num(error)[inside], fmt="o", color="black", capsize=2)
    for place, pull in zip(y[~inside], value[~inside], strict=True):
        if np.isnan(pull):
            axes.text(0, place, "no value", ha="center", va="center")
            continue
        side = np.sign(pull)
        axes.plot([side * 0.95 * limit], [place], ">" if side > 0 else "<", color="black", markersize=5)
        ha = "right" if side > 0 else "left"
        axes.text(side * 0.88 * limit, place, f"{pull:.1f}".replace("-", "\N{MINUS SIGN}"), ha=ha, va="center")
    to_the_right: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center", "ha": "right"}
    for place, sigma in zip(y, error, strict=True):
        axes.text(1.155, place, "\N{EN DASH}" if np.isnan(sigma) else f"{sigma:.2f}", **to_the_right)
    axes.text(1.155, len(y), r"$\sigma_{post}$", **to_the_right)
    axes.set(xlim=(-limit, limit), xlabel=r"pull, $(\hat{\theta}-\theta_0)\,/\,\sigma_{pre}$")


@styled
def correlations(record: FitRecord, label: Label | None = None, ax: Axes | None = None) -> Axes:
    """Correlations in percent of the parameters whose correlations are the largest.

    Args:
        record: of the fit.
        label: above the figure.
        ax: a new figure by default.
    """
    names, n = _correlated(record)
    matrix = np.full((len(names), len(names)), np.nan)
    for pair in record.correlations:
        if pair.first in names and pair.second in names:
            i, j = sorted((names.index(pair.first), names.index(pair.second)))
            matrix[j, i] = 100 * pair.value
    if ax is None:
        few, room = len(names) <= 6, labels.ems(map(labels.parameter, names))
        height = 0.7 + 0.29 * room + (0.9 if few else 0.48) * len(names)
        ax = style.single(width=style.SINGLE if few else style.DOUBLE, height=height, left=room, bottom=room)
    ax.pcolormesh(np.ma.masked_invalid(matrix), cmap="PuOr", vmin=-100, vmax=100, edgecolors="white", linewidth=0.4)
    for j, i in zip(*np.nonzero(np.isfinite(matrix)), strict=True):
        rho = matrix[j, i]
        text = f"{rho:.0f}".replace("-", "\N{MINUS SIGN}")
        ax.text(i + 0.5, j + 0.5, text, ha="center", va="center", color="white" if abs(rho) > 60 else "black")
    readable = [labels.parameter(name) for name in names]
    places = np.arange(len(names)) + 0.5
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(FixedLocator(places.tolist()))
        axis.set_major_formatter(FixedFormatter(readable))
        axis.set_minor_locator(NullLocator())
        axis.set_tick_params(length=0)
    ax.tick_params(axis="x", rotation=90)
    ax.set(xlim=(0, len(names)), ylim=(len(names), 0))
    count = f"largest {len(names)} of {n} parameters" if n > len(names) else f"all {n} correlated parameters"
    lines = [labels.spaced(record.sample), "correlation in %", count, "empty: below 1 %"]
    ax.text(0.98, 0.97, "\n".join(lines), transform=ax.transAxes, ha="right", va="top")
    if label:
        style.label(ax, label)
    return ax


def _correlated(record: FitRecord) -> tuple[list[str], int]:
    """The parameters with the largest correlations, the largest first, and how many have any."""
    every = list(dict.fromkeys(name for pair in record.correlations for name in (pair.first, pair.second)))
    return every[:SHOWN], len(every)


@styled
def goodness(record: FitRecord, label: Label | None = None, ax: Axes | None = None) -> Axes:
    """The goodness of fit of toys, that of the data, and the chi2 distribution.

    Args:
        record: of the fit.
        label: above the figure.
        ax: a new figure by default.
    """
    quality, ax = record.goodness_of_fit, style.single(ax)
    edges, counts = np.array(quality.toy_edges), np.array(quality.toy_counts, dtype=float)
    if not len(counts):
        style.instead(ax, "no toys were thrown for the goodness of fit")
        return ax
    ax.stairs(counts, edges, fill=True, color=style.colour(0), alpha=0.5, label=f"{counts.sum():.0f} toys")
    expected = np.diff(chi2.cdf(edges, quality.degrees)) * counts.sum()
    ax.stairs(expected, edges, color="black", linestyle="--", label=rf"$\chi^2$, {quality.degrees} d.o.f.", baseline=None)
    seen = quality.statistic
    p = "" if quality.p_value_toys is None else f" (p = {quality.p_value_toys:.2g})"
    ax.axvline(seen, color=style.colour(style.SIGNALS[0]), linewidth=1.5, label=f"fit: {seen:.1f}{p}")
    ends = np.array([edges[0], edges[-1], seen])
    margin = 0.03 * np.ptp(ends)
    ax.set(xlim=(ends.min() - margin, ends.max() + margin), ylim=(0, None), ylabel="toys")
    ax.set_xlabel(r"$-2\,\ln\,(L\,/\,L_{saturated})$")
    style.headroom(ax, [*counts, *expected], 0.35)
    ax.legend(loc="upper right")
    words = [labels.spaced(record.sample)] + ([f"{quality.failed} toys failed"] if quality.failed else [])
    style.note(ax, "\n".join(words))
    if label:
        style.label(ax, label)
    return ax


def _told_of_yields(record: FitRecord, data: str) -> tuple[str, str]:
    rows = [row for row in record.yields if row.region in (REGIONS[0], None)]
    background, signal = (sum(row.background_only if k else row.signal for row in rows) for k in (1, 0))
    seen = sum(row.observed for row in rows if row.observed is not None)
    shown = f", {seen:g} events of {_data_name(data)}" if any(row.observed is not None for row in rows) else ""
    caption = (
        f"Events of each bin ({data}): background of the fit without signal, and {record.sample} at a signal strength "
        "of 1. Where the signal stands out of the hatched uncertainty the search is sensitive."
    )
    return caption, f"{len(rows)} bins: {background:.3g} events of background, {signal:.3g} of signal{shown}."


def _told_of_impacts(record: FitRecord, data: str) -> tuple[str, str]:
    n, first = len(record.impacts), record.impacts[0]
    beyond = [pull.name for pull in record.pulls if pull.value is not None and abs(pull.value) > 1]
    caption = (
        f"Pulls ({data}) and impacts on mu ({record.impacts_of}) of the {min(n, SHOWN)} of {n} nuisance parameters "
        "that matter most. A pull outside of the grey band, or an error well below 1, says that the data know more of "
        "a parameter than we put in."
    )
    alt = (
        f"The largest impact is {first.name}: {first.up:+.2g} and {first.down:+.2g} on mu = {record.mu:.2g}; "
        f"{len(beyond)} of {len(record.pulls)} pulls are beyond one standard deviation."
    )
    return caption, alt


def _told_of_correlations(record: FitRecord) -> tuple[str, str]:
    names, n = _correlated(record)
    first = record.correlations[0]
    caption = (
        f"Correlations of the {len(names)} of {n} parameters that are correlated most, in percent. Large values say "
        "that the data cannot tell two parameters apart."
    )
    return caption, f"The largest is {100 * first.value:.0f} %, of {first.first} and {first.second}."


def _told_of_goodness(record: FitRecord) -> tuple[str, str]:
    quality = record.goodness_of_fit
    caption = (
        "The likelihood ratio of the fit to the saturated model, in toys and in the fit. A line far to the right of the "
        "toys says that the model does not describe the data; the dashed chi2 distribution holds with many events only."
    )
    p = "" if quality.p_value_toys is None else f", p = {quality.p_value_toys:.2g} by {quality.toys} toys"
    return caption, f"-2 ln of the ratio is {quality.statistic:.3g}{p} ({quality.p_value:.2g} by chi2)."
