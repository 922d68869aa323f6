"""The parts of the page that the search for displaced leptons has: background, limits on |V|^2, classifiers, K0S."""

from collections.abc import Mapping, Sequence
from typing import Any

from hnl.inference.abcd.files import EstimateFile
from hnl.inference.displaced.k0s_results import K0SFile
from hnl.inference.displaced.results import LimitsFile
from hnl.inference.displaced.table5 import Table5Row
from hnl.inference.methods import ASYMPTOTIC
from hnl.report import learning_tables
from hnl.report import strengths as strength_tables
from hnl.report.displaced import abcd_summary, limit_files
from hnl.report.figures import Figure
from hnl.report.page import Section
from hnl.report.sections import TITLES, with_captions
from hnl.report.tables import short

SEARCHED = (
    "A W boson decays to a prompt lepton and a long-lived heavy neutral lepton N, whose decay leaves a second lepton "
    "in a jet, with a secondary vertex. The region of signal (A) has high scores and 50 < m(l1, SV) < 85 GeV; the "
    "regions around it (B, C, D) predict its background as B C / D."
)


def of_limits(contents: Sequence[LimitsFile], table5: Sequence[Table5Row], figures: Sequence[Figure]) -> Section:
    """Excluded |V|^2, and limits on the signal strength where there is no scan."""
    tables, text = [], []
    for content in contents:
        text.append(f"{content.method} ({content.label}).")
        made = [
            limit_files.main_rows(limit_files.edges(content.scans, content.label)),
            limit_files.narrow(limit_files.compared(content.scans, content.label, table5)),
            limit_files.by_signal(strength_tables.table(content.samples, content.label)),
        ]
        tables += [table.text() for table in made if table.records]
    return Section("result", TITLES["result"], text, tables, with_captions(figures, "result"))


def of_background(content: EstimateFile, data: str, figures: Sequence[Figure]) -> Section:
    """Region A with its prediction, and the closure in the control region."""
    text = [
        "Region A of the signal region is predicted from B, C and D in each category; the same method is tested in the "
        "control region, where no signal is expected. A p-value below 0.05 in the closure asks for a look."
    ]
    tables = [table.text() for table in abcd_summary.brief(content.tables, data)]
    return Section("background", TITLES["background"], text, tables, with_captions(figures, "background"))


def of_classifiers(content: Mapping[str, Any], figures: Sequence[Figure]) -> Section:
    """How good the classifiers are: of the content of evaluation.json."""
    tables = [learning_tables.performance(content["metrics"], content["skipped"])]
    return Section("classifiers", TITLES["classifiers"], (), tables, with_captions(figures, "classifiers"))


def of_k0s(content: K0SFile, data: str, figures: Sequence[Figure]) -> Section:
    """The check of the score on data."""
    text = [
        f"{name}: {data} over simulation above a score of 0.6 is {short(row.ratio)} +- {short(row.ratio_error)}."
        for name, row in content.trainings.items()
        if row.ratio is not None and row.ratio_error is not None
    ]
    return Section("k0s", TITLES["k0s"], text, (), with_captions(figures, "k0s"))


def few_events(contents: Sequence[LimitsFile]) -> str:
    """A sentence if limits are of few events; '' else."""
    points = [point for content in contents for scan in content.scans for point in scan.tested if point.few_events]
    if not points:
        return ""
    if any(point.method == ASYMPTOTIC for point in points):
        return "limits are asymptotic, and not reliable with as few events as here"
    return "limits are by toys; asymptotic formulas would not hold for as few events as here"
