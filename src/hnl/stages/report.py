"""Stage `report`: what a run found, in a few lines and as a page for the browser."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from hnl import layout, provenance, records
from hnl.datasets.catalogue import data_name
from hnl.inference.abcd.files import EstimateFile
from hnl.inference.displaced import table5
from hnl.inference.displaced.k0s_results import K0SFile
from hnl.inference.displaced.results import LimitsFile
from hnl.inference.results import FitFile, StrengthsFile
from hnl.records import FileContent
from hnl.report import notices, page, sections, summary
from hnl.report.displaced import sections as displaced
from hnl.report.figures import FiguresFile
from hnl.report.page import Page
from hnl.report.states import StageState
from hnl.stages.run import Run

File = TypeVar("File", bound=FileContent)


def run(at: Run, states: Sequence[StageState]) -> list[str]:
    """Writes OUT/report.html, of saved products only.

    Args:
        at: the run.
        states: of the stages.

    Returns:
        The lines of the summary.

    Raises:
        SelectionError, InputError: see `selection.load`.
        BrokenFileError, FormatError: a product cannot be read.
    """
    out, selection = at.out, at.selection
    estimates = _all(out, (layout.ESTIMATE,), EstimateFile)
    limits = _all(out, layout.EVERY_LIMITS, LimitsFile)
    strengths = _all(out, layout.EVERY_STRENGTHS, StrengthsFile)
    fits = _all(out, layout.EVERY_FIT, FitFile)
    checks = _all(out, (layout.K0S_FILE,), K0SFile)
    drawn = [figure for content in _all(out, (layout.FIGURES,), FiguresFile) for figure in content.figures()]
    evaluation = out / layout.EVALUATION
    found = [lines for content in limits if (lines := summary.of_scans(content))]
    found += [summary.of_strengths(content) for content in strengths]
    hidden = [content.hidden for content in estimates if content.hidden]
    data = data_name(selection.catalogue.datasets)
    key = next(iter(sections.with_captions(drawn, "result")), None)
    figures = [figure for figure in drawn if key is None or figure.files != key.files]
    parts = [
        *([displaced.of_limits(limits, table5.rows(), figures)] if limits else []),
        *(sections.of_strengths(content, figures) for content in strengths),
        sections.of_selection(selection, figures),
        *(
            [displaced.of_classifiers(json.loads(evaluation.read_text(encoding="utf-8")), figures)]
            if evaluation.is_file()
            else []
        ),
        *(displaced.of_background(content, data, figures) for content in estimates),
        *([sections.of_fits(fits, figures)] if fits else []),
        *(displaced.of_k0s(content, data, figures) for content in checks),
        sections.of_states(states),
        sections.of_provenance(provenance.record()),
    ]
    content = Page(
        f"Search for {at.analysis.title}",
        at.label(hidden=False),
        [*([displaced.SEARCHED] if estimates or limits else []), sections.searched(selection)],
        notices.notices(selection, hidden, displaced.few_events(limits), states),
        [(lines[0], [line.strip() for line in lines[1:]]) for lines in found],
        key,
        parts,
    )
    page.write(content, out)
    results = [line for lines in found for line in lines]
    return summary.lines(selection, "; ".join(hidden), results, states)


def _all(out: Path, patterns: Iterable[str], kind: type[File]) -> list[File]:
    return [records.read(path, kind) for pattern in patterns for path in sorted(out.glob(pattern))]
