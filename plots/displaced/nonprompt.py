"""Figs. 2 and 3 of the paper: efficiencies of nonprompt leptons and of the vertex, against what was generated.

They are counted by `processors.displaced.efficiencies`, in simulated signals.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from hist.intervals import clopper_pearson_interval
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.plots import processes, style
from hnl.plots.style import DOUBLE, Drawn, Label, save
from hnl.processors.displaced.efficiencies import DELTA_2D, FLAVOURS, PT, bins
from hnl.processors.selection_files import DatasetCutflow

MARKERS = ("o", "s", "^")
TOP = 1.15  # of the panels: above 1 is free
LEAST = style.EVENTS_PER_BIN


def draw_all(cutflows: Mapping[str, DatasetCutflow], catalogue: Catalogue, folder: Path) -> list[Drawn]:
    """The figures of `leptons` and of `vertices`, if leptons of a signal are counted.

    Args:
        cutflows: by dataset, of cutflow.json.
        catalogue: tells what each dataset is.
        folder: for the figures; made if needed.

    Returns:
        Each figure.
    """
    if not _signals(cutflows, catalogue):
        return []
    path = save(leptons(cutflows, catalogue), folder / "nonprompt_efficiency.png")
    caption = (
        "Share of the generated electrons and muons from the decay of N (pT > 7 GeV, |eta| < 2.5 and 2.4, Delta_2D < "
        "50 cm) that are selected as nonprompt leptons, as Fig. 2 of the paper. Bars: 68 % intervals of Clopper and "
        f"Pearson; bins of fewer than {LEAST} leptons are left out. Look for electrons to fall with displacement "
        "faster than muons."
    ) + left_out(cutflows, catalogue)
    alt = _in_words(cutflows, catalogue, "delta_2d")
    drawn = Drawn("Efficiency of nonprompt leptons", path, caption, alt, "selection")
    path = save(vertices(cutflows, catalogue), folder / "vertex_efficiency.png")
    caption = (
        "Share of the selected nonprompt leptons of the signal that are in a displaced vertex whose distance from the "
        "primary vertex is that of the decay of N within 10 %, against the generated displacement, as Fig. 3 of the "
        "paper. Bars: as above."
    )
    alt = _in_words(cutflows, catalogue, "vertex")
    return [drawn, Drawn("Efficiency of the vertex", path, caption, alt, "selection")]


@style.styled
def leptons(cutflows: Mapping[str, DatasetCutflow], catalogue: Catalogue) -> Figure:
    """Fig. 2 of the paper: `of_lepton` of electrons and of muons, against pt and against Delta_2D.

    Args:
        cutflows, catalogue: see `draw_all`.
    """
    figure, grid = style.panels(2, 2, width=DOUBLE, height=12.5, top=3.4, between=(5.0, 3.6))
    for row, flavour in zip(grid, FLAVOURS, strict=True):
        of_lepton(cutflows, catalogue, flavour, "pt", row[0])
        of_lepton(cutflows, catalogue, flavour, "delta_2d", row[1])
    style.common_legend(figure, grid.flat)
    style.label(grid[0, 0], Label.of(catalogue), last=grid[0, 1])
    return figure


@style.styled
def vertices(cutflows: Mapping[str, DatasetCutflow], catalogue: Catalogue) -> Figure:
    """Fig. 3 of the paper: `of_vertex` of electrons and of muons.

    Args:
        cutflows, catalogue: see `draw_all`.
    """
    figure, grid = style.panels(1, 2, width=DOUBLE, height=7.0, top=3.4, between=(5.0, 0))
    for panel, flavour in zip(grid[0], FLAVOURS, strict=True):
        of_vertex(cutflows, catalogue, flavour, panel)
    style.common_legend(figure, grid.flat)
    style.label(grid[0, 0], Label.of(catalogue), last=grid[0, 1])
    return figure


@style.styled
def of_lepton(
    cutflows: Mapping[str, DatasetCutflow],
    catalogue: Catalogue,
    flavour: str,
    against: str,
    ax: Axes | None = None,
) -> Axes:
    """Share of the generated electrons, or muons, from the decay of N that are selected as nonprompt leptons.

    Args:
        cutflows, catalogue: see `draw_all`.
        flavour: 'electron' or 'muon'.
        against: 'pt', generated (GeV), or 'delta_2d', of the generated decay (cm).
        ax: where to; by default the axes of a new figure.
    """
    return _draw(cutflows, catalogue, flavour, against, f"efficiency of nonprompt {flavour}s", style.single(ax))


@style.styled
def of_vertex(
    cutflows: Mapping[str, DatasetCutflow], catalogue: Catalogue, flavour: str, ax: Axes | None = None
) -> Axes:
    """Share of the selected nonprompt electrons, or muons, that are in a vertex where N decayed, against the generated
    Delta_2D (cm).

    Args:
        cutflows, catalogue: see `draw_all`.
        flavour: 'electron' or 'muon'.
        ax: where to; by default the axes of a new figure.
    """
    return _draw(cutflows, catalogue, flavour, "vertex", f"efficiency of the SV of {flavour}s", style.single(ax))


def _draw(
    cutflows: Mapping[str, DatasetCutflow], catalogue: Catalogue, flavour: str, kind: str, title: str, axes: Axes
) -> Axes:
    edges = np.array(PT if kind == "pt" else DELTA_2D)
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    signals = _signals(cutflows, catalogue).items()
    for (name, datasets), marker, place in zip(signals, MARKERS, style.SIGNALS, strict=False):
        if of_flavour := _coupled(datasets, flavour):
            share, down, up = _shares(_sums(cutflows, of_flavour, f"{flavour}_{kind}", edges))
            if np.isfinite(share).any():
                colour = style.colour(place)
                axes.errorbar(middle, share, (down, up), half, fmt=marker, color=colour, elinewidth=0.8, label=name)
    if not axes.containers:
        style.instead(axes, f"no sample to count {flavour}s in")
        return axes
    axes.axhline(1, color="0.6", linewidth=0.6)
    axes.set(ylim=(0, TOP), ylabel=title)
    if kind == "pt":
        axes.set(xlim=edges[[0, -1]], xscale="log", xlabel=r"generated $p_T$ [GeV]")
        axes.set_xticks((10, 20, 50, 100), ("10", "20", "50", "100"))
    else:  # logarithmic above the first bin, which begins at 0
        axes.set_xscale("symlog", linthresh=edges[1], linscale=0.3)
        axes.set(xlim=edges[[0, -1]], xlabel=r"generated $\Delta_{2D}$ [cm]")
        axes.set_xticks((0, 0.1, 1, 10, 50), ("0", "0.1", "1", "10", "50"))
    return axes


def _shares(sums: NDArray[np.float64], least: float = LEAST) -> NDArray[np.float64]:
    """The share that was found, and its errors below and above: of Clopper and Pearson, for (sum w)^2 / sum w^2 leptons
    of equal weight. NaN in bins with fewer than `least` of them; a share that negative weights move out of 0 to 1 is
    moved back.

    Args:
        sums: of weights generated, of their squares, of weights found; shape (3, bins).
        least: number of leptons.

    Returns:
        Shape (3, bins).
    """
    generated, squares, found = sums
    result = np.full(sums.shape, np.nan)
    used = (generated > 0) & (generated**2 >= least * squares)
    n = generated[used] ** 2 / squares[used]
    share = np.clip(found[used] / generated[used], 0, 1)
    low, high = clopper_pearson_interval(share * n, n)
    result[:, used] = share, share - low, high - share
    return result


def _sums(
    cutflows: Mapping[str, DatasetCutflow], datasets: list[Dataset], efficiency: str, edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What `_shares` asks for, of all samples of a mass together."""
    kinds = ("generated", "generated_w2", "found")
    counts = [cutflows[dataset.name].efficiencies[efficiency] for dataset in datasets]
    names = bins(edges.tolist())
    sums: NDArray[np.float64] = np.sum([[[of[n][kind] for n in names] for kind in kinds] for of in counts], axis=0)
    return sums


def _signals(cutflows: Mapping[str, DatasetCutflow], catalogue: Catalogue) -> dict[str, list[Dataset]]:
    """The lowest, a middle and the highest mass, and the samples of each in which leptons were counted."""
    counted = [dataset for dataset in _hnls(cutflows, catalogue) if cutflows[dataset.name].efficiencies]
    return processes.signals(counted)


def _coupled(datasets: list[Dataset], flavour: str) -> list[Dataset]:
    """Of samples of HNLs those in which N decays into a flavour."""
    v2 = {"electron": "v2_e", "muon": "v2_mu"}[flavour]
    return [dataset for dataset in datasets if getattr(dataset.signal, v2) > 0]


def _hnls(cutflows: Mapping[str, DatasetCutflow], catalogue: Catalogue) -> list[Dataset]:
    return [dataset for dataset in catalogue.datasets if dataset.signal and dataset.name in cutflows]


def left_out(cutflows: Mapping[str, DatasetCutflow], catalogue: Catalogue) -> str:
    """A sentence on samples of HNLs in which no leptons were counted; none if there are none."""
    names = [dataset.name for dataset in _hnls(cutflows, catalogue) if not cutflows[dataset.name].efficiencies]
    if not names:
        return ""
    return (
        " No efficiencies against generated momentum and displacement (Figs. 2 and 3 of the paper) of "
        f"{', '.join(names)}: the files do not hold all generated events, or not where N decayed."
    )


def _in_words(cutflows: Mapping[str, DatasetCutflow], catalogue: Catalogue, kind: str) -> str:
    """The shares of all bins together."""
    parts = []
    for flavour in FLAVOURS:
        for name, datasets in _signals(cutflows, catalogue).items():
            if of_flavour := _coupled(datasets, flavour):
                sums = _sums(cutflows, of_flavour, f"{flavour}_{kind}", np.array(DELTA_2D)).sum(axis=1, keepdims=True)
                parts.append(f"{flavour}s, {name.replace('$m_N$', 'm_N')}: {_shares(sums, 0)[0, 0]:.2g}")
    return f"Of all bins together, {'; '.join(parts)}."
