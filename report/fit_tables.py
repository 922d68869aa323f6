"""The tables of fits: yields of region A, and the leading impacts with the pulls beside them."""

from hnl.inference.results import FitRecord
from hnl.records import Record, as_record
from hnl.report.tables import Column, Table, short, signed

FEW = "few events: fits of such data may find up to 10 % less signal than there is"  # docs/statistics.md


def tables(record: FitRecord, data: str, label: str) -> list[Table]:
    """Yields of A, and the leading impacts, with the pulls beside them."""
    pulls = {pull.name: pull for pull in record.pulls}
    rows: list[Record] = []
    for impact in record.impacts:
        pull = pulls.get(impact.name)
        row = as_record(impact) | {"sample": record.sample}
        row |= {"pull": pull.value, "pull_error": pull.error} if pull else {"pull": None, "pull_error": None}
        rows.append(row)
    quality = record.goodness_of_fit
    p = quality.p_value if quality.p_value_toys is None else quality.p_value_toys
    error = "at its bound" if record.mu_error is None else f"+- {record.mu_error:.2g}"
    note = f"{label}; {data}: mu = {record.mu:.2g} {error}; goodness of fit p = {p:.2g}"
    note += f"; {FEW}" if record.few_events else ""
    impacts = Table(
        f"impacts_{record.sample}",
        f"Impacts on mu and pulls, {record.sample} ({record.impacts_of})",
        [
            Column("name", "nuisance"),
            Column("up", "+1 sigma", signed),
            Column("down", "-1 sigma", signed),
            Column("pull", "pull", signed),
            Column("pull_error", "its error", short),
        ],
        rows,
        note,
    )
    yields = Table(
        f"yields_{record.sample}",
        f"{'Yields' if record.yields[0].region is None else 'Region A'}, {record.sample}",
        [
            Column("category", "category"),
            Column("bin", "bin"),
            Column("observed", "observed", short),
            Column("prefit", "prefit", short),
            Column("background_only", "fitted, mu = 0", short),
            Column("background_only_error", "error", short),
            Column("signal", "signal, mu = 1", short),
        ],
        [as_record(row) for row in record.yields if row.region in ("A", None)],
        note,
    )
    return [yields, impacts]
