"""Stage `report`: what a run found, in ten lines and as a page for the browser."""

from collections.abc import Sequence
from pathlib import Path

from hnl import layout
from hnl.histograms.fill import Histograms
from hnl.inference.records import Record
from hnl.plots import distributions
from hnl.report import page, summary
from hnl.stages.run import Run


def run(
    at: Run,
    histograms: Histograms,
    figures: Sequence[tuple[str, Path]],
    *,
    hidden: str,
    limits: Record | None,
    notes: Sequence[str],
) -> tuple[Path, list[str]]:
    """Writes OUT/report.html and the figures of distributions.

    Args:
        at: the run.
        histograms: of the stage `histogram`.
        figures: that the stages drew: title, PNG.
        hidden: '' or what of data is not shown.
        limits: content of limits.json, if there are limits.
        notes: what was not done, and why.

    Returns:
        The path of the page, and the lines of the summary.
    """
    drawn = [*distributions.draw_all(histograms, at.selection.catalogue, at.out / layout.PLOTS), *figures]
    lines = summary.lines(at.selection, hidden, limits, notes, len(drawn))
    return page.write(at.selection, lines, drawn), lines
