"""Tables of limits on the signal strength mu."""

from collections.abc import Sequence

from hnl.inference.displaced.results import SampleLimit
from hnl.inference.displaced.scan_results import CURVES
from hnl.inference.results import StrengthsFile
from hnl.records import Record
from hnl.report.tables import Table, TableColumn, short

GENERATED_ONLY = "generated lifetime only"


def table(samples: Sequence[SampleLimit], label: str) -> Table:
    """Limits on mu where samples cannot be reweighted: each is for its generated lifetime, and there is no scan."""
    rows: list[Record] = []
    for sample in samples:
        if sample.generated_only:
            limit = sample.limit
            row: Record = {"sample": sample.sample, "coupling": sample.coupling, "nature": sample.nature}
            row |= {"mass": sample.mass, "v2": sample.v2, "ctau": sample.ctau}
            row |= dict(zip(CURVES, (limit.observed, *limit.expected) if limit else [None] * 6, strict=True))
            row |= {"method": limit.method if limit else None, "refused": sample.refused}
            rows.append(row | {"lifetime": GENERATED_ONLY, "label": label})
    columns = [
        TableColumn("coupling", "coupling"),
        TableColumn("nature", "nature"),
        TableColumn("mass", "m_N", short),
        TableColumn("v2", "|V|^2", short),
        TableColumn("ctau", "c tau (mm)", short),
        TableColumn("expected", "expected mu <", short),
        TableColumn("observed", "observed mu <", short),
        TableColumn("method", "CLs by"),
        TableColumn("refused", "refused"),
    ]
    note = f"{label}; 95 % CLs; {GENERATED_ONLY}: samples without the true decay length of N, no scan of |V|^2"
    return Table("strengths", "Limits on the signal strength at generated lifetimes", columns, rows, note)


def of_models(content: StrengthsFile) -> Table:
    """Limits on mu of the models of a search."""
    rows: list[Record] = []
    for model in content.limits:
        limit = model.limit
        row: Record = {"model": model.name}
        row |= dict(zip(CURVES, (limit.observed, *limit.expected) if limit else [None] * 6, strict=True))
        row |= {"method": limit.method if limit else None, "refused": model.refused, "label": content.label}
        rows.append(row)
    columns = [
        TableColumn("model", "model"),
        TableColumn("observed", "observed mu <", short),
        TableColumn("expected", "expected mu <", short),
        TableColumn("expected_-1", "-1 sigma", short),
        TableColumn("expected_+1", "+1 sigma", short),
        TableColumn("method", "CLs by"),
        *([TableColumn("refused", "refused")] if any(row["refused"] for row in rows) else []),
    ]
    return Table("strengths", "Upper limits on the signal strength", columns, rows, f"{content.label}; 95 % CLs")
