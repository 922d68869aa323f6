"""Fitted yields, pulls and impacts, from fit.json only."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import mplhep
import numpy as np
from matplotlib.ticker import MaxNLocator, NullFormatter

from hnl import layout
from hnl.inference.results import FitFile, FitRecord, FittedYield
from hnl.plots.style import Drawn, save
from hnl.selections.displaced.regions import PAPER, REGIONS, RegionSettings, bins

SHOWN_IMPACTS = 20
WHERE = {False: "Region A", True: "All bins"}  # what is drawn of ABCD cells, and of templates


def draw_fits(content: FitFile, folder: Path, settings: RegionSettings = PAPER) -> list[Drawn]:
    """Yields in A, and pulls with impacts, of every fitted sample.

    Args:
        content: of fit.json.
        folder: for the figures; made if needed.
        settings: the bins.

    Returns:
        Each figure.
    """
    figures = []
    stem = layout.fit(content.luminosity if content.projected else None)
    for record in content.fits:
        for name, title, figure in (
            ("yields", WHERE[_is_of_templates(record)], yields(record, content.label, settings)),
            ("impacts", "Pulls and impacts", impacts(record, content.data)),
        ):
            path = folder / f"{stem}_{name}_{record.sample}.png"
            save(figure, path)
            figures.append(Drawn(f"{title}, {record.sample}: {content.label}", path))
    return figures


def _is_of_templates(record: FitRecord) -> bool:
    return all(row.region is None for row in record.yields)


def yields(record: FitRecord, label: str, settings: RegionSettings = PAPER) -> mpl.figure.Figure:
    """Region A of every bin: background fitted without signal, its error, the signal, the data; ratios below."""
    rows = [row for row in record.yields if row.region in (REGIONS[0], None)]
    figure, (main, ratio) = plt.subplots(2, 1, figsize=(12, 7), sharex=True, gridspec_kw={"height_ratios": [3, 1]})
    x, edges = np.arange(len(rows)), np.arange(len(rows) + 1) - 0.5
    background = np.array([row.background_only for row in rows])
    error = np.array([row.background_only_error or 0.0 for row in rows])
    signal = np.array([row.signal for row in rows])
    observed = np.array([np.nan if row.observed is None else row.observed for row in rows], dtype=float)
    mplhep.histplot(
        background, edges, ax=main, histtype="fill", color="#92dadd", label=r"background, fit with $\mu$ = 0"
    )
    box: dict[str, Any] = {"width": 1, "fill": False, "hatch": "/////", "edgecolor": "grey", "linewidth": 0}
    main.bar(x, 2 * error, bottom=background - error, label="its uncertainty", **box)
    mplhep.histplot(signal, edges, ax=main, color="firebrick", label=rf"{record.sample}, $\mu$ = 1")
    spread = np.sqrt(np.maximum(observed, 0))
    main.errorbar(x, observed, spread, fmt="o", color="black", label="data" if np.isfinite(observed).any() else None)
    positive = np.concatenate([background, signal, observed])
    positive = positive[np.isfinite(positive) & (positive > 0)]
    main.yaxis.set_minor_formatter(NullFormatter())
    main.set(yscale="log", ylim=(max(positive.min() / 3, positive.max() / 1e5), positive.max() * 20), ylabel="events")
    main.legend(loc="upper right", ncols=2, fontsize="small")
    main.set_title(f"{WHERE[_is_of_templates(record)]}, {label}", loc="left", fontsize="small")
    safe = np.where(background > 0, background, np.nan)
    ratio.bar(x, 2 * error / safe, bottom=1 - error / safe, width=1, color="lightgrey")
    ratio.plot(x, (background + signal) / safe, "_", color="firebrick", markersize=14)
    ratio.errorbar(x, observed / safe, spread / safe, fmt="o", color="black")
    ratio.axhline(1, color="black", linewidth=0.8)
    ratio.set(ylim=(0, 3), ylabel="/ background", xlim=(edges[0], edges[-1]))
    names = [f"{row.category.replace('_', ' ')}, {_bin_label(row, settings)}" for row in rows]
    ratio.set_xticks(x, names, rotation=60, ha="right", fontsize="x-small")
    figure.tight_layout()
    return figure


def _bin_label(row: FittedYield, settings: RegionSettings) -> str:
    """Edges of a bin of this search, or the number of the bin of a template."""
    if row.region is None or row.hypothesis is None:
        return f"bin {row.bin}"
    return next(b.label for b in bins(row.hypothesis, row.category, settings) if b.number == row.bin)


def impacts(record: FitRecord, data: str) -> mpl.figure.Figure:
    """The leading nuisance parameters: pull with its error, and change of mu for one standard deviation."""
    rows = record.impacts[:SHOWN_IMPACTS][::-1]
    pulls = {pull.name: pull for pull in record.pulls}
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 1.5 + 0.3 * len(rows)), sharey=True)
    y = np.arange(len(rows))
    value = [np.nan if (pull := pulls[row.name].value) is None else pull for row in rows]
    error = [pulls[row.name].error or 0.0 for row in rows]
    left.axvspan(-1, 1, color="lightgrey")
    left.errorbar(value, y, xerr=error, fmt="o", color="black", markersize=4)
    left.set(xlim=(-2.5, 2.5), xlabel="pull", yticks=y, yticklabels=[row.name for row in rows])
    right.barh(y, [row.up for row in rows], color="firebrick", alpha=0.7, label="+1 s.d.")
    right.barh(y, [row.down for row in rows], color="steelblue", alpha=0.7, label="-1 s.d.")
    right.axvline(0, color="black", linewidth=0.8)
    right.xaxis.set_major_locator(MaxNLocator(5))
    right.set_xlabel(r"change of $\mu$")
    right.legend(fontsize="small")
    left.set_title(f"{record.sample}: {data}; impacts on {record.impacts_of}", loc="left", fontsize="small")
    figure.tight_layout()
    return figure
