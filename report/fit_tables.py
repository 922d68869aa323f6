"""The tables of fits: yields of region A, and the leading impacts with the pulls beside them."""

from hnl.inference.results import FitRecord
from hnl.records import Record, as_record
from hnl.report.tables import Table, TableColumn, short, signed

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
            TableColumn("name", "nuisance"),
            TableColumn("up", "+1 sigma", signed),
            TableColumn("down", "-1 sigma", signed),
            TableColumn("pull", "pull", signed),
            TableColumn("pull_error", "its error", short),
        ],
        rows,
        note,
    )
    yields = Table(
        f"yields_{record.sample}",
        f"{'Yields' if record.yields[0].region is None else 'Region A'}, {record.sample}",
        [
            TableColumn("category", "category"),
            TableColumn("bin", "bin"),
            TableColumn("observed", "observed", short),
            TableColumn("prefit", "prefit", short),
            TableColumn("background_only", "fitted, mu = 0", _events),
            TableColumn("background_only_error", "error", _events),
            TableColumn("signal", "signal, mu = 1", short),
        ],
        [as_record(row) for row in record.yields if row.region in ("A", None)],
        note,
    )
    return [yields, impacts]


def _events(value: float) -> str:
    """As `short`; fits end near zero, not at it, where nothing is seen: what stays below a millionth is none.

    >>> _events(3.67e-12), _events(0.25)
    ('0', '0.25')
    """
    return short(value if value >= 1e-6 else 0.0)
