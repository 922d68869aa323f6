"""Limits on the signal strength of each model of a search, from strengths.json only."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from hnl.inference.results import StrengthsFile
from hnl.plots.style import Drawn, save

TITLE = "Upper limits on the signal strength"


def draw_strengths(content: StrengthsFile, folder: Path) -> list[Drawn]:
    """The figure of `strengths`, if there is a limit.

    Args:
        content: of strengths.json.
        folder: for the figure; made if needed.

    Returns:
        Each figure.
    """
    if all(model.limit is None for model in content.limits):
        return []
    path = folder / "strengths.png"
    save(strengths(content), path)
    return [Drawn(f"{TITLE}, {content.label}", path)]


def strengths(content: StrengthsFile) -> mpl.figure.Figure:
    """One line per model: expected median with bands of one and two standard deviations, and observed."""
    limits = [(model.name, model.limit) for model in content.limits if model.limit]
    figure, axes = plt.subplots(figsize=(7, 1.8 + 0.45 * len(limits)), layout="constrained")
    first_observed = next((y for y, (_, limit) in enumerate(limits) if limit.observed is not None), None)
    for y, (_, limit) in enumerate(limits):
        low2, low1, median, high1, high2 = limit.expected
        first = y == 0
        axes.barh(y, high2 - low2, 0.6, low2, color="#f5d547", label="expected, 95 %" if first else None)
        axes.barh(y, high1 - low1, 0.6, low1, color="#6fbf73", label="expected, 68 %" if first else None)
        axes.plot([median] * 2, [y - 0.3, y + 0.3], "k--", label="expected, median" if first else None)
        if limit.observed is not None:
            axes.plot(limit.observed, y, "ko", label="observed" if y == first_observed else None)
    axes.set_yticks(range(len(limits)), [name.replace("_", " ") for name, _ in limits])
    axes.set(xscale="log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(xlabel=r"95 % CLs upper limit on $\mu$", ylim=(-0.7, len(limits) - 0.3))
    smallest = min(value for _, limit in limits for value in (*limit.expected, limit.observed or np.inf))
    largest = max(value for _, limit in limits for value in (*limit.expected, limit.observed or 0.0))
    axes.set_xlim(smallest / 2, largest * 2)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize="small")
    axes.set_title(content.label, loc="right", fontsize="small")
    return figure
