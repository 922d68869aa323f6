"""The check of the score with K0S: Fig. 6, and the mass of its vertices."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hnl.inference.displaced.k0s_results import K0SFile, MassComparison, ScoreComparison
from hnl.physics.constants import M_K0S
from hnl.plots import labels, style
from hnl.plots.style import Drawn, Label, styled
from hnl.selections.displaced.k0s import MAX_K0S_DIFFERENCE

COLUMNS = 2
ROW = 7.0  # cm
MAX_RATIO = 2.0  # drawn
SIMULATION = 0  # place of its colour

PRIVATE = Label("private work")


def draw_all(content: K0SFile, folder: Path, label: Label = PRIVATE) -> list[Drawn]:
    """Draws both figures, as PNG and PDF.

    Args:
        content: content of k0s.json.
        folder: folder of the figures; made if needed.
        label: above the figures.

    Returns:
        Each figure.
    """
    drawn = []
    if content.trainings:
        path = style.save(scores(content.trainings, label), folder / "k0s_scores.png")
        caption = (
            "The score that classifiers give to K0S, which data and simulation have alike. Where the ratio of the last "
            "two bins is away from one, simulation does not describe the score: this is its uncertainty."
        )
        ratios = [f"{name}: {_ratio(of)}" for name, of in content.trainings.items()]
        alt = f"Data over simulation in the last two bins: {'; '.join(ratios)}."
        drawn.append(Drawn("Score of K0S candidates in data and simulation", path, caption, alt, "k0s"))
    masses = content.masses
    path = style.save(labels.figure_of(mass(masses, label)), folder / "k0s_mass.png")
    caption = (
        "Mass of vertices of two tracks in Z events. The peak at the mass of the K0S, between dashed lines, is what "
        "the check of the score selects; the simulation is scaled to all data."
    )
    alt = f"{sum(masses.data):g} vertices in data and {sum(masses.simulation):.3g} in scaled simulation."
    drawn.append(Drawn("Mass of vertices of two tracks in Z events", path, caption, alt, "k0s"))
    return drawn


@styled
def scores(trainings: Mapping[str, ScoreComparison], label: Label | None = None) -> Figure:
    """Two panels per training: yields above, data over simulation below (Fig. 6).

    Args:
        trainings: by name.
        label: above the figure.
    """
    figure, pairs = _pairs(len(trainings))
    for (main, ratio), (name, of) in zip(pairs, trainings.items(), strict=True):
        score(of, (main, ratio), label.data if label else "data")
        style.note(main, name.replace("_", ", "))
    if label and pairs:
        style.label(pairs[0][0], label, last=pairs[min(COLUMNS, len(pairs)) - 1][0])
    return figure


def _pairs(n: int) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Panels with ratios below them, `COLUMNS` in a row."""
    columns = min(COLUMNS, n)
    rows = -(-n // columns)
    figure, axes = style.panels(
        2 * rows,
        columns,
        width=style.SINGLE if columns == 1 else style.DOUBLE,
        height=ROW * rows,
        heights=(3.0, 1.2) * rows,
        between=(5.5, [*(0.8, 3.8) * rows][:-1]),
    )
    pairs = [*zip(axes[0::2].flat, axes[1::2].flat, strict=True)]
    for pair in pairs[n:]:
        for unused in pair:
            unused.set_visible(False)
    return figure, pairs[:n]


@styled
def score(of: ScoreComparison, ax: tuple[Axes, Axes] | None = None, data_name: str = "data") -> tuple[Axes, Axes]:
    """The score of one classifier: yields, and data over simulation.

    Args:
        of: of one training.
        ax: for yields and ratios; those of a new figure by default.
        data_name: in the legend.
    """
    main, ratio = style.with_ratio(ax)
    edges, data, expected, error = (
        np.array(values, dtype=np.float64)  # None becomes NaN
        for values in (of.edges, of.data, of.simulation, of.simulation_error)
    )
    centres = (edges[:-1] + edges[1:]) / 2
    if np.isfinite(expected).any():
        main.stairs(expected, edges, fill=True, color=style.colour(SIMULATION), alpha=0.5, label="simulation")
        style.band(main, edges, expected, error, label="its stat. uncertainty")
    main.errorbar(centres, data, np.sqrt(data), label=data_name, **style.POINTS)
    main.set(ylabel="K$^0_S$ candidates", xlim=(edges[0], edges[-1]), ylim=(0, None), xticklabels=[])
    style.headroom(main, [1.0, *(data + np.sqrt(data)), *(expected + error)], 0.42)
    main.legend(loc="upper right")

    safe = np.where(expected > 0, expected, np.nan)
    values, spread = data / safe, np.sqrt(data) / safe
    style.band(ratio, edges, np.where(expected > 0, 1.0, np.nan), error / safe)
    inside = values <= MAX_RATIO
    ratio.errorbar(centres[inside], values[inside], spread[inside], **style.POINTS)
    style.beyond(ratio, centres, values, MAX_RATIO)
    ratio.axhline(1, color="black", linewidth=0.6)
    ratio.set(xlabel="score", ylabel=f"{data_name} / sim.", xlim=(edges[0], edges[-1]), ylim=(0, MAX_RATIO))
    ratio.set_yticks([0.5, 1.0, 1.5])
    if not np.isfinite(safe).any():
        style.note(ratio, "no simulation")
    style.note(main, f"last two bins:\n{_ratio(of)}", y=0.86)
    return main, ratio


def _ratio(of: ScoreComparison) -> str:
    """Data over simulation in the last two bins, or that there is no such number."""
    if of.ratio is None or of.ratio_error is None:
        return "too few events" if np.isfinite(np.array(of.simulation, dtype=float)).any() else "no simulation"
    return f"{of.ratio:.2f} \N{PLUS-MINUS SIGN} {of.ratio_error:.2f}"


@styled
def mass(masses: MassComparison, label: Label | None = None, ax: Axes | None = None) -> Axes:
    """Vertices of two tracks in data and simulation, scaled to data, with the window of the selection.

    Args:
        masses: histograms.
        label: above the figure.
        ax: a new figure by default.
    """
    ax = style.single(ax)
    edges, data, expected = (np.array(values, dtype=float) for values in (masses.edges, masses.data, masses.simulation))
    if expected.any():
        ax.stairs(expected, edges, fill=True, color=style.colour(SIMULATION), alpha=0.5, label="simulation")
    centres = (edges[1:] + edges[:-1]) / 2
    ax.errorbar(centres, data, np.sqrt(data), label=label.data if label else "data", **style.POINTS)
    for side in (-1, 1):
        name = "selection" if side > 0 else None
        ax.axvline(M_K0S + side * MAX_K0S_DIFFERENCE, color="0.35", linestyle="--", linewidth=0.8, label=name)
    unit = style.events_per(1000 * edges, "MeV").replace("events", "vertices")
    ax.set(xlabel=r"$m(\pi\pi)$ [GeV]", ylabel=unit, xlim=(edges[0], edges[-1]), ylim=(0, None))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    style.headroom(ax, [1.0, *(data + np.sqrt(data)), *expected], 0.3)
    ax.legend(loc="upper right")
    if label:
        style.label(ax, label)
    return ax
