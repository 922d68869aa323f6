"""What the stage `fit` writes, for any search."""

from dataclasses import dataclass
from pathlib import Path

from hnl import layout, provenance, records
from hnl.inference.results import FitFile
from hnl.report import fit_tables
from hnl.report.tables import Table


@dataclass(frozen=True)
class Fitted:
    """What the stage found and wrote."""

    folder: Path
    content: FitFile
    tables: list[Table]


def write(out: Path, content: FitFile) -> Fitted:
    """fit.json, and its tables as CSV.

    Args:
        out: output folder.
        content: of fit.json.
    """
    folder = out / layout.fit(content.luminosity if content.projected else None)
    tables = [table for record in content.fits for table in fit_tables.tables(record, content.data, content.label)]
    records.write(folder / layout.FIT_FILE, content)
    for table in tables:
        provenance.write_text(folder / f"{table.name}.csv", table.csv())
    return Fitted(folder, content, tables)
