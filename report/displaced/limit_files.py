"""What is excluded, as tables. Open edges and 'nothing excluded' are words, never numbers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from hnl.inference.displaced.scan_results import NOTHING, Edge, ExcludedRange, MassScan
from hnl.inference.displaced.table5 import LUMINOSITY, Table5Row
from hnl.inference.methods import ASYMPTOTIC
from hnl.records import Record
from hnl.report.tables import Table, TableColumn, short

Side = Literal["lower", "upper"]
SIDES: tuple[Side, Side] = ("lower", "upper")
EXPECTED = "expected"
INFERRED, INTERPOLATED = "exponent inferred", "interpolated from"  # marks beside Table 5


def power(value: float) -> str:
    """|V|^2 for people."""
    return f"{value:.2g}"


def edge_of(excluded: ExcludedRange, side: Side) -> Edge | None:
    """One edge of a range; None without a range."""
    return excluded.lower if side == "lower" else excluded.upper


def words(excluded: ExcludedRange, side: Side) -> str:
    """An edge: its |V|^2, or how far the range is known to go, or that nothing is excluded."""
    edge = edge_of(excluded, side)
    if edge is None:
        return NOTHING
    if edge.v2 is not None:
        return power(edge.v2)
    return f"open ({'<' if side == 'lower' else '>'} {power(edge.at)})"


def method(excluded: ExcludedRange) -> str:
    """How CLs of a curve was found, see `inference.methods`."""
    return excluded.method


def between(scan: MassScan) -> str | None:
    """The simulated masses that a mass is interpolated from, in GeV; None if it is simulated itself."""
    return " and ".join(f"{mass:g}" for mass in scan.interpolated_from) or None


def edges(scans: Sequence[MassScan], label: str) -> Table:
    """One row for each mass and curve."""
    rows: list[Record] = []
    for scan in scans:
        for i, (excluded, asymptotic) in enumerate(zip(scan.excluded, scan.excluded_asymptotic, strict=True)):
            row: Record = {"coupling": scan.coupling, "nature": scan.nature, "mass": scan.mass}
            row |= {"curve": excluded.curve, "interpolated_from": between(scan)}
            row |= {"status": excluded.status, "method": method(excluded)}
            for side in SIDES:
                edge = edge_of(excluded, side)
                row[f"{side}_v2"] = None if edge is None else edge.v2
                row[f"{side}_state"] = excluded.status if edge is None else edge.state
                row[f"{side}_excluded_to"] = None if edge is None else edge.at
                row[f"{side}_reason"] = "" if edge is None else edge.reason
                row[f"{side}_words"] = words(excluded, side)
                row[f"{side}_error"] = None if edge is None else edge.error
                row[f"{side}_hybrid"] = words(scan.excluded_hybrid[i], side) if scan.excluded_hybrid else ""
                row[f"{side}_asymptotic"] = words(asymptotic, side)
            row |= {"smallest_cls": excluded.smallest_cls, "smallest_at": excluded.smallest_at}
            row |= {"further_ranges": excluded.further_ranges, "label": label}
            rows.append(row)
    columns = [
        TableColumn("coupling", "coupling"),
        TableColumn("nature", "nature"),
        TableColumn("mass", "m_N [GeV]", short),
        TableColumn("interpolated_from", "from"),
        TableColumn("curve", "curve"),
        TableColumn("lower_words", "lowest |V|^2"),
        TableColumn("upper_words", "highest |V|^2"),
        TableColumn("method", "CLs by"),
        TableColumn("smallest_cls", "smallest CLs", power),
        TableColumn("smallest_at", "at |V|^2", power),
    ]
    note = f"{label}; 95 % CLs; an open edge lies beyond what the samples describe"
    few = [scan for scan in scans if any(t.few_events and t.method == ASYMPTOTIC for t in scan.tested)]
    note += f"; NOT RELIABLE at {len(few)} masses: asymptotic, and few events" if few else ""
    return Table("limits", "Excluded |V|^2", columns, rows, note)


def main_rows(table: Table) -> Table:
    """What is observed and the median of what is expected, in the width of a terminal."""
    shown = [
        row | {"mass": short(row["mass"]) + ("*" if row["interpolated_from"] else ""), "range": _range(row)}
        for row in table.records
        if row["curve"] in ("observed", EXPECTED)
    ]
    columns = [
        TableColumn("mass", "m_N [GeV]"),
        TableColumn("curve", "curve"),
        TableColumn("range", "excluded |V|^2"),
        TableColumn("method", "CLs by"),
        TableColumn("smallest_cls", "smallest CLs", power),
    ]
    note = table.note.replace("an open edge", "< and >: an open edge")
    note += "; * interpolated" if any(row["interpolated_from"] for row in shown) else ""
    return _one_name(Table(table.name, table.title, columns, shown, note))


def narrow(comparison: Table) -> Table:
    """`compared` in the width of a terminal."""
    rows = [dict(row) for row in comparison.records]
    inferred = [row for row in rows if INFERRED in row["mark"]]
    for row in rows:
        row["paper"] = power(row["paper"]) + ("*" if row in inferred else "")
        marks = (mark for mark in row["mark"].split("; ") if mark != INFERRED)
        row["mark"] = "; ".join(marks).replace(INTERPOLATED, "from")
    columns = [column._replace(show=str) if column.key == "paper" else column for column in comparison.columns[2:]]
    notes = ["* " + INFERRED] if inferred else []
    notes += ["from: interpolated between these masses"] if any(row["mark"].startswith("from") for row in rows) else []
    return _one_name(replace(comparison, columns=columns, records=rows, note="; ".join([comparison.note, *notes])))


def by_signal(strengths: Table) -> Table:
    """Limits on signal strengths, with one column for coupling and nature."""
    return _one_name(replace(strengths, columns=strengths.columns[2:]))


def _one_name(table: Table) -> Table:
    rows = [row | {"signal": f"{row['coupling']} {row['nature'].title()}"} for row in table.records]
    return replace(table, records=rows, columns=[TableColumn("signal", "signal"), *table.columns])


def _range(row: Record) -> str:
    lower, upper = (row[f"{side}_words"].removeprefix("open (").rstrip(")") for side in SIDES)
    return NOTHING if row["status"] == NOTHING else f"{lower} to {upper}"


def compared(scans: Sequence[MassScan], label: str, paper: Sequence[Table5Row]) -> Table:
    """Median expected edges beside the observed ones of Table 5, with the ratio, at masses that were scanned."""
    rows: list[Record] = []
    for line in paper:
        own = [s for s in scans if (s.coupling, s.nature) == (line.coupling, line.nature)]
        if not own:
            continue
        for side, value in zip(SIDES, (line.lowest, line.highest), strict=True):
            ours, mark = _at(own, line.mass, side)
            name = "lowest" if side == "lower" else "highest"
            marks = [mark, INFERRED if name in line.inferred else ""]
            rows.append(
                {
                    "coupling": line.coupling,
                    "nature": line.nature,
                    "mass": line.mass,
                    "edge": name,
                    "paper": value,
                    "expected": ours,
                    "ratio": None if ours is None else ours / value,
                    "mark": "; ".join(filter(None, marks)),
                    "label": label,
                }
            )
    columns = [
        TableColumn("coupling", "coupling"),
        TableColumn("nature", "nature"),
        TableColumn("mass", "m_N [GeV]", short),
        TableColumn("edge", "edge"),
        TableColumn("paper", f"Table 5, {LUMINOSITY:g}/fb", power),
        TableColumn("expected", "expected here", power),
        TableColumn("ratio", "ratio", power),
        TableColumn("mark", ""),
    ]
    return Table("table5", "Beside Table 5 of the paper", columns, rows, label)


def _at(scans: Sequence[MassScan], mass: float, side: Side) -> tuple[float | None, str]:
    """The median expected edge at a mass, and what has to be said of it."""
    for scan in scans:
        excluded = scan.range_of(EXPECTED)
        if scan.mass == mass and excluded is not None:
            edge = edge_of(excluded, side)
            if edge is None or edge.v2 is None:
                return None, words(excluded, side)
            return edge.v2, f"{INTERPOLATED} {between(scan)} GeV" if between(scan) else ""
    return None, "not scanned"
