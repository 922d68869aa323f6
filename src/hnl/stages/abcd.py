"""Stage `abcd`: scored candidates -> regions, thresholds, background estimate, and every check of section 6."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import hist
import numpy as np

from hnl import layout, provenance
from hnl.histograms.displaced import abcd_files
from hnl.inference.abcd import analysis
from hnl.inference.abcd import thresholds as tuning
from hnl.inference.abcd.analysis import Analysis
from hnl.inference.abcd.thresholds import Scan
from hnl.ml.scored import Scored
from hnl.plots import abcd as plots
from hnl.report import abcd_layout, abcd_summary
from hnl.report.tables import Table
from hnl.selections.displaced.regions import Thresholds
from hnl.stages.run import Run
from hnl.terminal import TextTable

FORMAT = 1  # of abcd.json; raised when its meaning changes


@dataclass(frozen=True)
class Result:
    """What the stage found and wrote."""

    tables: dict[str, Table]
    thresholds: Thresholds
    scans: dict[str, dict[str, Scan]]  # hypothesis -> category; empty if there was nothing to scan
    histograms: dict[str, hist.Hist]
    figures: list[tuple[str, Path]]  # title, PNG
    files: list[Path]
    hidden: str  # '' or what is
    partial: list[str]

    def text_tables(self, *, full: bool = False, brief: bool = False) -> list[TextTable]:
        """For the terminal: each category with its bins together, or every bin (full), or what a run shows (brief)."""
        records = {name: table.records for name, table in self.tables.items()}
        short = abcd_summary.brief(records) if brief else abcd_summary.tables(records)
        return [table.text() for table in (self.tables.values() if full else short)]


def run(at: Run, *, unblind: bool = False, thresholds: Path | None = None) -> Result:
    """Writes OUT/abcd and its figures.

    Args:
        at: with a finished selection and scores.
        unblind: show region A of the SR for data.
        thresholds: table of thresholds (JSON) to be used in place of the optimised ones.

    Raises:
        SelectionError, InputError: see `selection.load`, `ml.scoring.read` and `thresholds.read`.
        FillError: a candidate cannot be filled.
    """
    given = tuning.read(thresholds) if thresholds else None
    scored = list(at.scored.values())
    used = at.selection.corrections()
    return analyse(scored, at.out, unblind=unblind, given=given, partial=at.selection.partial, corrections=used)


def analyse(
    scored: Sequence[Scored],
    out: Path,
    *,
    unblind: bool = False,
    given: Thresholds | None = None,
    partial: Sequence[str] = (),
    corrections: Mapping[str, Mapping[str, str]] | None = None,
) -> Result:
    """`run` for datasets in memory; `partial` are the files that were left out, `corrections` for each era the files of
    corrections and their SHA-256."""
    found = analysis.analyse(scored, unblind=unblind, given=given)
    tables = abcd_layout.tables(found.records, bool(found.hidden))
    plane, folder = found.histograms["plane"], out / layout.PLOTS
    figures = plots.draw_all(found.records, plane, found.samples, found.scans, found.thresholds, folder)
    files = _write(out, found, tables, list(partial), corrections or {})
    return Result(tables, found.thresholds, found.scans, found.histograms, figures, files, found.hidden, list(partial))


def _write(
    out: Path,
    found: Analysis,
    tables: Mapping[str, Table],
    partial: Sequence[str],
    corrections: Mapping[str, Mapping[str, str]],
) -> list[Path]:
    """Everything but the figures."""
    scan_content = {
        h: {c: {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(s).items()} for c, s in row.items()}
        for h, row in found.scans.items()
    }
    content = {
        "format": FORMAT,
        "hidden": found.hidden,
        "partial": partial,
        "corrections": corrections,
        "variations": found.variations,
        "thresholds": found.thresholds,
        "tables": {name: table.records for name, table in tables.items()},
        "scan": scan_content,
        "provenance": provenance.record(),
    }
    provenance.write_json(out / layout.ESTIMATE, content)
    provenance.write_json(out / layout.THRESHOLDS, found.thresholds)
    abcd_files.write_json(out / layout.REGIONS, found.histograms)
    abcd_files.write_root(out / layout.REGIONS_ROOT, found.histograms)
    written = [out / name for name in (layout.ESTIMATE, layout.THRESHOLDS, layout.REGIONS, layout.REGIONS_ROOT)]
    for name, table in tables.items():
        for suffix, text in (("csv", table.csv()), ("tex", table.latex())):
            written.append(out / layout.ABCD / f"{name}.{suffix}")
            provenance.write_text(written[-1], text)
    return written
