"""The tables of fits: yields of region A, and the leading impacts with the pulls beside them."""

from hnl.inference.records import Record
from hnl.report.tables import Column, Table, short, signed

FEW = "few events: fits of such data may find up to 10 % less signal than there is"  # docs/statistics.md


def tables(one: Record, data: str, label: str) -> list[Table]:
    """Yields of A, and the leading impacts, with the pulls beside them."""
    pulls = {row["name"]: row for row in one["pulls"]}
    rows = [row | {"sample": one["sample"]} for row in one["impacts"]]
    for row in rows:
        pull = pulls.get(row["name"], {"value": None, "error": None})
        row |= {"pull": pull["value"], "pull_error": pull["error"]}
    quality = one["goodness_of_fit"]
    p = quality["p_value"] if quality["p_value_toys"] is None else quality["p_value_toys"]
    error = "at its bound" if one["mu_error"] is None else f"+- {one['mu_error']:.2g}"
    note = f"{label}; {data}: mu = {one['mu']:.2g} {error}; goodness of fit p = {p:.2g}"
    note += f"; {FEW}" if one["few_events"] else ""
    impacts = Table(
        f"impacts_{one['sample']}",
        f"Impacts on mu and pulls, {one['sample']} ({one['impacts_of']})",
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
        f"yields_{one['sample']}",
        f"Region A, {one['sample']}",
        [
            Column("category", "category"),
            Column("bin", "bin"),
            Column("observed", "observed", short),
            Column("prefit", "prefit", short),
            Column("background_only", "fitted, mu = 0", short),
            Column("background_only_error", "error", short),
            Column("signal", "signal, mu = 1", short),
        ],
        [row for row in one["yields"] if row["region"] == "A"],
        note,
    )
    return [yields, impacts]
