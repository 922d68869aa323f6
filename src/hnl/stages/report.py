"""Stage `report`: what a run found, in ten lines and as a page for the browser."""

from collections.abc import Sequence
from pathlib import Path

from hnl import layout, records
from hnl.histograms import files
from hnl.inference.abcd.files import EstimateFile
from hnl.inference.displaced.results import LimitsFile
from hnl.inference.results import StrengthsFile
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
    hidden = records.read(at.out / layout.ESTIMATE, EstimateFile).hidden if estimate else ""
    folder = at.out / layout.PLOTS
    made = distributions.draw_all(histograms, at.analysis.distributions, at.selection.catalogue, folder)
    drawn = [*((figure.title, figure.path) for figure in made), *figures]
    lines = summary.lines(at.selection, hidden, _results(at.out) if limits else [], notes, len(drawn))
    return page.write(at.selection, lines, drawn), lines


def _results(out: Path) -> list[str]:
    """Of the scans of |V|^2, or of the signal strengths of a search without them."""
    folder = out / layout.limits()
    if (folder / layout.STRENGTHS_FILE).is_file():
        return summary.of_strengths(records.read(folder / layout.STRENGTHS_FILE, StrengthsFile))
    return summary.of_scans(records.read(folder / layout.LIMITS_FILE, LimitsFile))
