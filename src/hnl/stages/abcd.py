"""Stage `abcd`: scored candidates -> regions, thresholds, background estimate, and every check of section 6."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import hist

from hnl import layout, provenance, records
from hnl.datasets.catalogue import data_name
from hnl.histograms.displaced import abcd_files
from hnl.inference.abcd import results
from hnl.inference.abcd import thresholds as tuning
from hnl.inference.abcd.files import EstimateFile
from hnl.inference.abcd.results import AbcdResults
from hnl.inference.abcd.rows import EstimateTables
from hnl.inference.abcd.settings import PAPER, AbcdSettings
from hnl.inference.abcd.thresholds import Scan
from hnl.ml.scored import Scored
from hnl.report.displaced import abcd_layout, abcd_summary
from hnl.report.tables import Table
from hnl.selections.displaced.regions import Thresholds
from hnl.stages.run import Run
from hnl.terminal import TextTable


@dataclass(frozen=True)
class Result:
    """What the stage found and wrote."""

    rows: EstimateTables
    data: str  # what the data are called
    tables: dict[str, Table]
    thresholds: Thresholds
    scans: dict[str, dict[str, Scan]]  # hypothesis -> category; empty if there was nothing to scan
    histograms: dict[str, hist.Hist]
    files: list[Path]
    hidden: str  # '' or what is
    partial: list[str]

    def text_tables(self, *, full: bool = False, brief: bool = False) -> list[TextTable]:
        """For the terminal: each category with its bins together, or every bin (full), or what a run shows (brief)."""
        short = (abcd_summary.brief if brief else abcd_summary.tables)(self.rows, self.data)
        return [table.text() for table in (self.tables.values() if full else short)]


def run(at: Run, *, unblind: bool = False, thresholds: Path | None = None) -> Result:
    """Writes OUT/abcd.

    Args:
        at: with a finished selection and scores.
        unblind: show region A of the SR for data.
        thresholds: table of thresholds (JSON) to be used in place of the optimised ones.

    Raises:
        SelectionError, InputError: see `selection.load`, `ml.scoring.read` and `thresholds.read`.
        FillError: a candidate cannot be filled.
    """
    settings = AbcdSettings.of_catalogue(at.selection.catalogue)
    given = tuning.read(thresholds, settings.regions) if thresholds else None
    scored = list(at.scored.values())
    used = at.selection.corrections()
    partial = at.selection.partial
    return analyse(scored, at.out, unblind=unblind, given=given, partial=partial, corrections=used, settings=settings)


def analyse(
    scored: Sequence[Scored],
    out: Path,
    *,
    unblind: bool = False,
    given: Thresholds | None = None,
    partial: Sequence[str] = (),
    corrections: Mapping[str, Mapping[str, str]] | None = None,
    settings: AbcdSettings = PAPER,
) -> Result:
    """`run` for datasets in memory; `partial` are the files that were left out, `corrections` for each era the files of
    corrections and their SHA-256."""
    found = results.estimate_background(scored, unblind=unblind, given=given, settings=settings)
    tables = abcd_layout.tables(found.tables, bool(found.hidden), settings.regions)
    files = _write(out, found, tables, partial, corrections or {})
    return Result(
        found.tables,
        data_name(each.dataset for each in scored),
        tables,
        found.thresholds,
        found.scans,
        found.histograms,
        files,
        found.hidden,
        list(partial),
    )


def _write(
    out: Path,
    found: AbcdResults,
    tables: Mapping[str, Table],
    partial: Sequence[str],
    corrections: Mapping[str, Mapping[str, str]],
) -> list[Path]:
    estimate = EstimateFile(
        format=EstimateFile.FORMAT,
        hidden=found.hidden,
        partial=tuple(partial),
        corrections={era: dict(files) for era, files in corrections.items()},
        variations=found.variations,
        thresholds=found.thresholds,
        tables=found.tables,
        scan=found.scans,
        provenance=provenance.record(),
    )
    records.write(out / layout.ESTIMATE, estimate)
    provenance.write_json(out / layout.THRESHOLDS, found.thresholds)
    abcd_files.write_json(out / layout.REGIONS, found.histograms)
    abcd_files.write_root(out / layout.REGIONS_ROOT, found.histograms)
    written = [out / name for name in (layout.ESTIMATE, layout.THRESHOLDS, layout.REGIONS, layout.REGIONS_ROOT)]
    for name, table in tables.items():
        for suffix, text in (("csv", table.csv()), ("tex", table.latex())):
            written.append(out / layout.ABCD / f"{name}.{suffix}")
            provenance.write_text(written[-1], text)
    return written
