"""The check of the score with K0S: Fig. 6, and the mass of its vertices."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import mplhep
import numpy as np
from numpy.typing import NDArray

from hnl.inference.displaced.k0s_results import K0SFile, MassComparison, ScoreComparison
from hnl.physics.constants import M_K0S
from hnl.plots.style import Drawn, save
from hnl.selections.displaced.k0s import MAX_K0S_DIFFERENCE

COLUMN = (5.6, 5.4)  # inches


def draw_all(content: K0SFile, folder: Path) -> list[Drawn]:
    """Draws both figures, as PNG and PDF.

    Args:
        content: content of k0s.json.
        folder: folder of the figures; made if needed.

    Returns:
        Each figure.
    """
    drawn = {
        "k0s_scores": ("Score of K0S candidates in data and simulation", scores(content.trainings)),
        "k0s_mass": ("Mass of vertices of two tracks in Z events", mass(content.masses)),
    }
    for name, (_, figure) in drawn.items():
        save(figure, folder / f"{name}.png")
    return [Drawn(title, folder / f"{name}.png") for name, (title, _) in drawn.items()]


def scores(trainings: Mapping[str, ScoreComparison]) -> mpl.figure.Figure:
    """One column per training: yields above, data over simulation below (Fig. 6)."""
    n = len(trainings)
    figure, panels = plt.subplots(
        2, n, figsize=(COLUMN[0] * n, COLUMN[1]), squeeze=False, sharex="col", height_ratios=(3, 1)
    )
    figure.subplots_adjust(left=0.5 / n * 0.25, right=1 - 0.02 / n, bottom=0.11, top=0.93, hspace=0.06)
    for (upper, lower), (name, yields) in zip(panels.T, trainings.items(), strict=True):
        edges, data, expected, error = (
            np.array(values, dtype=np.float64)  # None becomes NaN
            for values in (yields.edges, yields.data, yields.simulation, yields.simulation_error)
        )
        mplhep.histplot(expected, edges, histtype="fill", color="C0", alpha=0.4, label="simulation", ax=upper)
        mplhep.histplot(data, edges, yerr=np.sqrt(data), histtype="errorbar", color="black", label="data", ax=upper)
        top = 1.4 * max(1.0, float((data + np.sqrt(data)).max()), float(expected.max()))  # room for the legend
        upper.set(ylabel="K0S candidates", ylim=(0, top), title=name.replace("_", ", "))
        upper.legend()
        safe = np.where(expected > 0, expected, np.nan)
        lower.fill_between(edges, *(_steps(1 + sign * error / safe) for sign in (-1, 1)), step="post", alpha=0.3)
        centres = (edges[:-1] + edges[1:]) / 2
        lower.errorbar(centres, data / safe, np.sqrt(data) / safe, fmt="o", color="black", markersize=4)
        lower.axhline(1, color="grey", linewidth=0.8)
        lower.set(xlabel="score", ylabel="data / simulation", xlim=(edges[0], edges[-1]), ylim=(0, 2))
    return figure


def mass(masses: MassComparison) -> mpl.figure.Figure:
    """Vertices of two tracks in data and simulation, scaled to data, with the window of the selection."""
    figure, panel = plt.subplots(figsize=COLUMN)
    edges, data, expected = (np.array(values) for values in (masses.edges, masses.data, masses.simulation))
    mplhep.histplot(expected, edges, histtype="fill", color="C0", alpha=0.4, label="simulation", ax=panel)
    mplhep.histplot(data, edges, yerr=np.sqrt(data), histtype="errorbar", color="black", label="data", ax=panel)
    for side in (-1, 1):
        panel.axvline(M_K0S + side * MAX_K0S_DIFFERENCE, color="grey", linestyle="--")
    panel.set(xlabel=r"mass of the vertex [GeV]", ylabel="vertices", xlim=(edges[0], edges[-1]), ylim=(0, None))
    panel.legend()
    return figure


def _steps(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bin contents for matplotlib's 'post' steps, with one value per edge."""
    return np.append(values, values[-1])
