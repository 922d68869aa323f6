"""Figures of fits, from fit.json only: yields and goodness of fit; those of parameters are in `parameters`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator
from scipy.stats import chi2

from hnl import layout
from hnl.inference.results import FitFile, FitRecord, FittedYield
from hnl.plots import labels, parameters, style
from hnl.plots.style import Drawn, Label, styled
from hnl.selections.displaced.regions import PAPER, REGIONS, RegionSettings, bins

SHOWN_BINS = 30  # whose names are written
LARGEST_RATIO = 5.0
EXACT = 1e-3  # -2 ln L below which a fit describes counts exactly: far below any degree of freedom
WHERE = {False: "Region A", True: "All bins"}  # what is drawn of ABCD cells, and of templates


def draw_fits(
    content: FitFile, folder: Path, label: Label | None = None, settings: RegionSettings = PAPER
) -> list[Drawn]:
    """Yields in A, pulls with impacts, correlations if there are, and goodness of fit by toys, of every fitted sample.

    Args:
        content: of fit.json.
        folder: for the figures; made if needed.
        label: of the catalogue; the luminosity is that of the file.
        settings: the bins.

    Returns:
        Each figure.
    """
    label = labels.above(content.label, content.luminosity, projected=content.projected, of=label)
    stem = layout.fit(content.luminosity if content.projected else None)
    drawn = []
    for record in content.fits:

        def add(name: str, title: str, figure: Figure, caption: str, alt: str, record: FitRecord = record) -> None:
            path = style.save(figure, folder / f"{stem}_{name}_{record.sample}.png")
            drawn.append(Drawn(f"{title}, {record.sample}: {content.label}", path, caption, alt, "fit"))

        add(
            "yields",
            WHERE[_is_of_templates(record)],
            yields(record, content.data, label, settings=settings),
            *_told_of_yields(record, content.data),
        )
        if record.impacts:
            figure = parameters.impacts(record, content.data, label)
            add("impacts", "Pulls and impacts", figure, *parameters.told_of_impacts(record, content.data))
        if len(record.correlations) > 1:  # a matrix of one number is none
            figure = labels.figure_of(parameters.correlations(record, label))
            add("correlations", "Correlations of parameters", figure, *parameters.told_of_correlations(record))
        if record.goodness_of_fit.toys:
            figure = labels.figure_of(goodness(record, label))
            add("goodness", "Goodness of fit", figure, *_told_of_goodness(record))
    return drawn


def _is_of_templates(record: FitRecord) -> bool:
    return all(row.region is None for row in record.yields)


@styled
def yields(
    record: FitRecord,
    data: str,
    label: Label | None = None,
    ax: tuple[Axes, Axes] | None = None,
    settings: RegionSettings = PAPER,
) -> Figure:
    """Region A of every bin: background fitted without signal, its error, the signal, the data; ratios below.

    Args:
        record: of the fit.
        data: what was fitted, as in fit.json.
        label: above the figure.
        ax: for yields and ratios; those of a new figure by default.
        settings: the bins.
    """
    rows = [row for row in record.yields if row.region in (REGIONS[0], None)]
    names = [_bin_label(row, settings) for row in rows]
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
    if has_data:
        main.errorbar(x, observed, spread, label=_data_name(data, label), **style.POINTS)
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
    ratio.errorbar(x, observed / safe, spread / safe, **style.POINTS)
    _mark_above(ratio, x, observed / safe, top)
    ratio.axhline(1, color="black", linewidth=0.6)
    ratio.set(ylim=(0, top), ylabel="ratio")
    ratio.xaxis.set_minor_locator(NullLocator())
    step = -(-len(rows) // SHOWN_BINS)
    ratio.set_xticks(x[::step], names[::step], rotation=90)
    ratio.tick_params(axis="x", length=0)
    return labels.figure_of(main)


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
            axes.plot([place], [0.93 * top], "^", color=style.OF_DATA, clip_on=False)
            axes.text(place, 0.86 * top, f"{value:.1f}", ha="center", va="top")


def _bin_label(row: FittedYield, settings: RegionSettings) -> str:
    """Edges of a bin of this search in symbols, or the number of the bin of a template."""
    if row.region is None or row.hypothesis is None:
        return f"bin {row.bin}"
    words = next(b.label for b in bins(row.hypothesis, row.category, settings) if b.number == row.bin)
    return words.replace("m_SV", "$m_{SV}$").replace("-", "\N{EN DASH}")


def _data_name(data: str, label: Label | None = None) -> str:
    return (label.data if label else "data") if data == "observed" else "Asimov data"


def _what(data: str, has_data: bool) -> str:
    return "observed" if has_data and data == "observed" else f"{data}" + ("" if has_data else ", blinded")


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
    if max(edges[-1], quality.statistic) < EXACT:
        style.instead(ax, "nothing to test: the fit describes\nthe data and every toy exactly")
        return ax
    ax.stairs(counts, edges, fill=True, color=style.colour(0), alpha=0.5, label=f"{counts.sum():.0f} toys")
    expected = np.diff(chi2.cdf(edges, quality.degrees)) * counts.sum()
    ax.stairs(
        expected, edges, color="black", linestyle="--", label=rf"$\chi^2$, {quality.degrees} d.o.f.", baseline=None
    )
    seen = quality.statistic
    p = "" if quality.p_value_toys is None else f" (p = {quality.p_value_toys:.2g})"
    ax.axvline(seen, ymax=0.64, color=style.colour(style.SIGNALS[0]), linewidth=1.5, label=f"fit: {seen:.1f}{p}")
    ends = np.array([edges[0], edges[-1], seen])
    margin = 0.03 * np.ptp(ends)
    ax.set(xlim=(ends.min() - margin, ends.max() + margin), ylim=(0, None), ylabel="toys")
    ax.set_xlabel(r"$-2\,\ln\,(L\,/\,L_{saturated})$")
    style.headroom(ax, [*counts, *expected], 0.35)
    ax.legend(loc="upper right")
    words = [labels.spaced(record.sample)] + ([f"failed toys: {quality.failed}"] if quality.failed else [])
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


def _told_of_goodness(record: FitRecord) -> tuple[str, str]:
    quality = record.goodness_of_fit
    caption = (
        "The likelihood ratio of the fit to the saturated model, in toys and in the fit. A line far to the right of "
        "the toys says that the model does not describe the data; the dashed chi2 holds with many events only."
    )
    p = "" if quality.p_value_toys is None else f", p = {quality.p_value_toys:.2g} by {quality.toys} toys"
    return caption, f"-2 ln of the ratio is {quality.statistic:.3g}{p} ({quality.p_value:.2g} by chi2)."
