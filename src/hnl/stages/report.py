"""Stage `report`: what a run found, in a few lines and as a page for the browser."""

from collections.abc import Sequence

from hnl import layout, records
from hnl.inference.abcd.files import EstimateFile
from hnl.inference.displaced.results import LimitsFile
from hnl.inference.results import StrengthsFile
from hnl.report import page, summary
from hnl.report.figures import FiguresFile
from hnl.report.states import StageState
from hnl.stages.run import Run


def run(at: Run, states: Sequence[StageState]) -> list[str]:
    """Writes OUT/report.html, of saved products only.

    Args:
        at: the run.
        states: of the stages.

    Returns:
        The lines of the summary.
    """
    out = at.out
    estimate = records.read(path, EstimateFile) if (path := out / layout.ESTIMATE).is_file() else None
    hidden = estimate.hidden if estimate else ""
    figures = records.read(out / layout.FIGURES, FiguresFile).figures()
    lines = summary.lines(at.selection, hidden, _results(at), states, len(figures))
    page.write(at.selection, lines, [(figure.title, out / figure.files[0]) for figure in figures])
    return lines


def _results(at: Run) -> list[str]:
    """Of the scans of |V|^2, or of the signal strengths of a search without them."""
    folder = at.out / layout.limits()
    if (folder / layout.STRENGTHS_FILE).is_file():
        return summary.of_strengths(records.read(folder / layout.STRENGTHS_FILE, StrengthsFile))
    if (folder / layout.LIMITS_FILE).is_file():
        return summary.of_scans(records.read(folder / layout.LIMITS_FILE, LimitsFile))
    return []
