"""Pulls, impacts and correlations of the parameters of fits, from fit.json only."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from hnl.inference.results import FitRecord
from hnl.plots import labels, style
from hnl.plots.style import Label, styled

SHOWN = 20  # impacts, and parameters in the matrix of correlations
LARGEST_PULL = 5.0  # drawn; larger ones are arrows with numbers
WORDS = 2.6  # rows above those of parameters
UP, DOWN = 0, 1  # places of colours


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
    return labels.figure_of(left)


def _ranked(record: FitRecord) -> str:
    """What the impacts are of, and how many are drawn."""
    of = "" if record.impacts_of == "the fit" else r"with $\mu$ = 1"
    n = len(record.impacts)
    return (f"largest {SHOWN} of {n}" if n > SHOWN else f"all {n}") + (f"\n{of}" if of else "")


def _two(n: int, names: Sequence[str]) -> tuple[Axes, Axes]:
    """Two panels side by side with a row for each name."""
    room: dict[str, Any] = {"left": labels.ems(names), "between": (4.5, 0.0)}
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


def told_of_impacts(record: FitRecord, data: str) -> tuple[str, str]:
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


def told_of_correlations(record: FitRecord) -> tuple[str, str]:
    names, n = _correlated(record)
    first = record.correlations[0]
    caption = (
        f"Correlations of the {len(names)} of {n} parameters that are correlated most, in percent. Large values say "
        "that the data cannot tell two parameters apart."
    )
    return caption, f"The largest is {100 * first.value:.0f} %, of {first.first} and {first.second}."
