"""Stage `report`: what a run found, in ten lines and as a page for the browser."""

import json
from collections.abc import Sequence
from pathlib import Path

from hnl import layout
from hnl.histograms import files
from hnl.inference import records
from hnl.inference.displaced.results import LimitsFile
from hnl.plots import distributions
from hnl.report import page, summary
from hnl.stages.run import Run


def run(
    at: Run, figures: Sequence[tuple[str, Path]], *, estimate: bool, limits: bool, notes: Sequence[str]
) -> tuple[Path, list[str]]:
    """Writes OUT/report.html and the figures of distributions.

    Args:
        at: the run.
        figures: that the stages drew: title, PNG.
        estimate: whether the run has a background estimate.
        limits: whether it has limits.
        notes: what was not done, and why.

    Returns:
        The path of the page, and the lines of the summary.
    """
    histograms = files.read_json(at.out / layout.HISTOGRAMS)
    hidden = json.loads((at.out / layout.ESTIMATE).read_text(encoding="utf-8"))["hidden"] if estimate else ""
    content = records.read(at.out / layout.limits() / layout.LIMITS_FILE, LimitsFile) if limits else None
    drawn = [*distributions.draw_all(histograms, at.selection.catalogue, at.out / layout.PLOTS), *figures]
    lines = summary.lines(at.selection, hidden, content, notes, len(drawn))
    return page.write(at.selection, lines, drawn), lines
