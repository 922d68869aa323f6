"""What is written of limits on the signal strength mu."""

from collections.abc import Sequence

from hnl.inference.displaced.scan import CURVES
from hnl.inference.displaced.strengths import GENERATED_ONLY
from hnl.inference.records import Record
from hnl.report.tables import Column, Table, short


def table(samples: Sequence[Record], label: str) -> Table:
    """Limits on mu where samples cannot be reweighted: each is for its generated lifetime, and there is no scan."""
    rows: list[Record] = []
    for one in samples:
        if one["generated_only"]:
            row = {key: one.get(key) for key in ("sample", "coupling", "nature", "mass", "v2", "ctau", "observed")}
            expected = one.get("expected") or [None] * 5
            row |= dict(zip(CURVES[1:], expected, strict=True))
            row |= {"method": one.get("method"), "refused": one["refused"], "lifetime": GENERATED_ONLY, "label": label}
            rows.append(row)
    columns = [
        Column("coupling", "coupling"),
        Column("nature", "nature"),
        Column("mass", "m_N", short),
        Column("v2", "|V|^2", short),
        Column("ctau", "c tau (mm)", short),
        Column("expected", "expected mu <", short),
        Column("observed", "observed mu <", short),
        Column("method", "CLs by"),
        Column("refused", "refused"),
    ]
    note = f"{label}; 95 % CLs; {GENERATED_ONLY}: samples without the true decay length of N, no scan of |V|^2"
    return Table("strengths", "Limits on the signal strength at generated lifetimes", columns, rows, note)
