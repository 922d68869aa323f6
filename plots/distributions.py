"""Distributions of candidates: what Fig. 4 of the paper shows by category, for every histogrammed variable."""

from itertools import product
from math import ceil
from pathlib import Path
from typing import Any

import hist
import matplotlib as mpl
import matplotlib.pyplot as plt
import mplhep
from matplotlib.axes import Axes

from hnl.datasets import years
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.histograms.fill import Histograms
from hnl.histograms.variables import Distributions, Split
from hnl.plots.style import Drawn, save

SIGNAL_COLOURS = ("tab:red", "tab:blue", "tab:purple")  # from low to high mass
MIN_EVENTS = 20  # effective events of a signal in a panel that is drawn


def draw_all(histograms: Histograms, distributions: Distributions, catalogue: Catalogue, folder: Path) -> list[Drawn]:
    """Draws every variable, as PNG and PDF.

    Args:
        histograms: variable -> axes dataset, splits, variable.
        distributions: what they are of.
        catalogue: tells what each dataset is.
        folder: for the figures; made if needed.

    Returns:
        Each figure.
    """
    figures = []
    *outer, panels = distributions.splits or (None,)
    for variable in distributions.variables:
        for labels in product(*(split.labels for split in outer if split)):
            if variable.drawn_for and labels[0] not in variable.drawn_for:
                continue
            chosen = histograms[variable.name][(slice(None), *labels, ...)]
            figure = by_panel(chosen, panels, catalogue, with_data=distributions.hidden.isdisjoint(labels))
            path = folder / f"{'_'.join((variable.name, *labels))}.png"
            titles = [split.title(label) for split, label in zip(outer, labels, strict=True) if split]
            figures.append(Drawn(", ".join((variable.title, *titles)), save(figure, path)))
    return figures


def by_panel(histogram: hist.Hist, split: Split | None, catalogue: Catalogue, *, with_data: bool) -> mpl.figure.Figure:
    """One panel for each label of a split: backgrounds stacked, signals as lines, data as points.

    Signals are scaled to the background of the panel, as in Fig. 4 (where there is none: to themselves).

    Args:
        histogram: axes dataset, split, variable.
        split: None where there is no such axis.
        catalogue: tells what each dataset is.
        with_data: draw them; before unblinding, those of a signal selection are not looked at.
    """
    labels = split.labels if split else ("",)
    n_rows = min(2, len(labels))  # of categories: OS above, SS below
    n_columns = ceil(len(labels) / n_rows)
    width, height = (4.25 * n_columns, 4.3 * n_rows) if n_columns > 1 else (7.0, 5.2)
    figure, panels = plt.subplots(n_rows, n_columns, figsize=(width, height), squeeze=False)
    left, right, bottom, top = 0.85, 0.17, 0.602, 1.204  # inches
    figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height, wspace=0.22, hspace=0.28)
    for panel, label in zip(panels.T.flat, labels, strict=False):
        _panel(panel, histogram[:, label, :] if split else histogram, catalogue, with_data=with_data)
        panel.set_title(split.title(label) if split else "", fontsize="medium")
    used = {dataset.era for dataset in catalogue.datasets}
    luminosity = sum(era.luminosity for name, era in catalogue.eras.items() if name in used)
    label = f"{luminosity:g} fb$^{{-1}}$ ({years.in_words(catalogue.energies)})"
    figure.text(0.99, 0.97, label, ha="right", va="top", fontsize="large")
    handles: dict[str, Any] = {}
    for panel in panels.flat:
        handles |= {label: handle for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)}
    if handles:
        many = n_columns > 1
        figure.legend(
            handles.values(),
            handles.keys(),
            loc="upper center" if many else "upper left",
            ncols=7 if many else 3,
            frameon=False,
        )
    return figure


def _panel(panel: Axes, histogram: hist.Hist, catalogue: Catalogue, *, with_data: bool) -> None:
    variable = histogram.axes[1]
    backgrounds = _by_process(histogram, [d for d in catalogue.datasets if d.kind == "background"])
    total = sum((h.values().sum() for h in backgrounds.values()), 0.0)
    if total > 0:
        colours = [mpl.colormaps["Set3"](i % 12) for i in range(len(backgrounds))]
        labels, stacked = list(backgrounds), list(backgrounds.values())
        mplhep.histplot(stacked, label=labels, color=colours, stack=True, histtype="fill", ax=panel)
    for (name, datasets), colour in zip(_signals(catalogue).items(), SIGNAL_COLOURS, strict=False):
        signal = _clearest(histogram, datasets)
        if signal is not None:
            scaled = signal * (total / signal.values().sum()) if total > 0 else signal
            label = name + (" (scaled)" if total > 0 else "")
            mplhep.histplot(scaled, label=label, color=colour, yerr=False, ax=panel)
    data = _by_process(histogram, [d for d in catalogue.datasets if d.kind == "data"])
    if with_data and data:
        mplhep.histplot(sum(data.values()), label="data", histtype="errorbar", color="black", ax=panel)
    panel.set(xlabel=variable.label, ylabel="events", xlim=(variable.edges[0], variable.edges[-1]))
    panel.set_ylim(bottom=0)


def _signals(catalogue: Catalogue) -> dict[str, list[Dataset]]:
    """What is drawn of the signals: HNLs of some masses, and other signals by process."""
    signals = [dataset for dataset in catalogue.datasets if dataset.kind == "signal"]
    groups = {
        f"$m_N$ = {mass:g} GeV": [d for d in signals if d.signal and d.signal.mass == mass]
        for mass in _masses(catalogue)
    }
    for dataset in signals:
        if dataset.signal is None:
            groups.setdefault(dataset.process, []).append(dataset)
    return groups


def _masses(catalogue: Catalogue) -> list[float]:
    """The lowest, a middle and the highest m_N: more lines could not be told apart."""
    masses = sorted({dataset.signal.mass for dataset in catalogue.datasets if dataset.signal})
    return sorted({masses[0], masses[len(masses) // 2], masses[-1]}) if masses else []


def _clearest(histogram: hist.Hist, datasets: list[Dataset]) -> hist.Hist | None:
    """The one with the most effective events, None if it has too few to have a shape."""
    best, most = None, float(MIN_EVENTS)
    for dataset in datasets:
        one = histogram[dataset.name, :]
        squares = one.variances().sum()
        effective = one.values().sum() ** 2 / squares if squares > 0 else 0.0
        if effective >= most:
            best, most = one, effective
    return best


def _by_process(histogram: hist.Hist, datasets: list[Dataset]) -> dict[str, hist.Hist]:
    """The histograms of some datasets, added up by process."""
    result: dict[str, hist.Hist] = {}
    for dataset in datasets:
        one = histogram[dataset.name, :]
        result[dataset.process] = result[dataset.process] + one if dataset.process in result else one
    return result
