"""All figures of the background estimate, with their captions."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import hist
from matplotlib.figure import Figure

from hnl.inference.abcd.rows import EstimateTables, SimulatedClosureRow
from hnl.inference.abcd.settings import PAPER, AbcdSettings
from hnl.inference.abcd.thresholds import Scan
from hnl.plots.displaced.closure import simulated_closure
from hnl.plots.displaced.regions import scheme
from hnl.plots.displaced.scores import scores
from hnl.plots.displaced.thresholds import scan
from hnl.plots.displaced.yields import Predicted, name_of, yields
from hnl.plots.style import Drawn, Label, save
from hnl.selections.displaced.hypotheses import HYPOTHESES
from hnl.selections.displaced.regions import INSIDE, Thresholds

SECTION = "background"


def draw_all(
    tables: EstimateTables,
    plane: hist.Hist,
    samples: Mapping[str, Sequence[str]],
    scans: Mapping[str, Mapping[str, Scan]],
    thresholds: Thresholds,
    folder: Path,
    label: Label = Label(),  # noqa: B008 (cannot change)
    settings: AbcdSettings = PAPER,
) -> list[Drawn]:
    """Draws every figure of the stage, as PNG and PDF.

    Args:
        tables: rows of the stage.
        plane: histogram of `histograms.displaced.abcd`.
        samples: name -> datasets.
        scans: hypothesis -> category.
        thresholds: those that are used.
        folder: for the figures; made if needed.
        label: what is written above them, and what their data are called.
        settings: of the estimate.

    Returns:
        Each figure.
    """
    figures: list[Drawn] = []

    def add(name: str, figure: Figure, title: str, caption: str, alt: str) -> None:
        path = save(figure, folder / f"abcd_{name}.png")
        figures.append(Drawn(title, path, caption, alt, SECTION))

    regions, least_c = settings.regions, settings.estimate.least_c
    windows = ", ".join(f"{edge:g}" for edge in regions.m_l1_sv)
    add(
        "regions",
        scheme(regions),
        "Regions of the background estimate",
        "The regions of Table 3 in the score and m(l1, SV): A is predicted by B C / D. The validation region has more "
        "than one jet, the control region any number.",
        f"Boundaries at {windows} GeV, and at the scores {regions.score:g} and x.",
    )
    for hypothesis in HYPOTHESES:
        for sample in samples:
            called = name_of(sample, label)
            for rows, selection in ((tables.yields, "SR"), (tables.closure, "CR")):
                chosen = [r for r in rows if (r.sample, r.hypothesis) == (sample, hypothesis)]
                add(
                    f"{selection}_{hypothesis}_{sample}",
                    yields(chosen, hypothesis, sample, label),
                    f"Yields and prediction in the {selection}, {hypothesis}-mass classifier, {called}",
                    f"Prediction B C / D of {called} in region A of the {selection} (bars) with its total uncertainty "
                    "(hatched), and the yields in A (points), in bins of category, m_SV and Delta_2D. Bins without an "
                    "event in D have no prediction; an arrow is an uncertainty without upper end. Bins without a "
                    "point have no event in A. Look for points that leave the band.",
                    _numbers(chosen),
                )
        if scans:
            add(
                f"thresholds_{hypothesis}",
                scan(scans[hypothesis], thresholds[hypothesis], label, least_c),
                f"Thresholds on the score, {hypothesis}-mass classifier",
                "Scan of the threshold x on the score: the figure of merit, the share of the signal that is kept in A, "
                f"and the relative error of B C / D. Grey: more bins with fewer than {least_c:g} events in C than with "
                "the best threshold. The chosen threshold (dashed) should be where the figure of merit is highest "
                "outside of the grey.",
                "Chosen thresholds: "
                + ", ".join(f"{name.replace('_', ' ')} {x:g}" for name, x in thresholds[hypothesis].items())
                + ".",
            )
    if tables.simulated_closure:
        add(
            "simulated_closure",
            simulated_closure(tables.simulated_closure, label),
            "Simulated background: A over its prediction at lower thresholds",
            "Closure of the estimate in simulation, A D / (B C) with its 68.3 % interval, by category and threshold; "
            "grey intervals have too few events to tell a factor of three. Look for intervals that do not reach 1.",
            _closure_numbers(tables.simulated_closure),
        )
    for sample, datasets in samples.items():
        called = name_of(sample, label)
        add(
            f"VR_scores_{sample}",
            scores(plane, datasets, label, called, regions),
            f"Score inside and outside of {regions.windows[INSIDE]} GeV in the VR, {called}",
            f"Scores of {called} in the validation region, of unit area, inside the window of m(l1, SV) (VR-AB, points)"
            " and outside (VR-CD, line), with their ratio. The method asks for one shape: ratios of 1.",
            "Each panel is of one classifier: electron or muon, low or high mass.",
        )
    return figures


def _numbers(rows: Sequence[Predicted]) -> str:
    """What is seen in a figure of yields."""
    predicted = [row for row in rows if row.prediction is not None]
    bins = [row for row in predicted if row.bin != "all" and row.category != "all"]
    inside = [row for row in rows if row.bin != "all" and row.category != "all"]
    text = f"{len(bins)} of {len(inside)} bins have a prediction"
    if bins:
        text += f", {sum(row.prediction or 0.0 for row in bins):.3g} events together"
    observed = [row.A for row in inside if row.A is not None]
    if inside and not observed:
        return text + "; the yields in A are blinded."
    return text + f"; {sum(observed):.3g} events are in A."


def _closure_numbers(rows: Sequence[SimulatedClosureRow]) -> str:
    told = [row for row in rows if row.ndf is None and row.tested]
    inside = [row for row in told if (row.ratio_low or 0.0) <= 1 <= (row.ratio_high or float("inf"))]
    return f"{len(inside)} of {len(told)} intervals that can tell something hold 1."
