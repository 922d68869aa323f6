"""What is excluded, as tables and as HEPData YAML. Open edges and 'nothing excluded' are words, never numbers."""

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from hepdata_lib import Submission, Variable
from hepdata_lib import Table as HEPDataTable

from hnl import provenance
from hnl.inference.displaced.scan import ASYMPTOTIC, CLOSED, CURVES, NOTHING
from hnl.inference.displaced.table5 import LUMINOSITY, Row
from hnl.inference.records import Record
from hnl.report import strengths
from hnl.report.tables import Column, Table, short

SIDES = ("lower", "upper")
EXPECTED = "expected"
INFERRED, INTERPOLATED = "exponent inferred", "interpolated from"  # marks beside Table 5


def power(value: float) -> str:
    """|V|^2 for people."""
    return f"{value:.2g}"


def words(found: Record, side: str) -> str:
    """An edge: its |V|^2, or how far the range is known to go, or that there is none."""
    edge = found[side]
    if edge is None:
        return found["status"] if found["status"] == NOTHING else "-"
    if edge["state"] == CLOSED:
        return power(edge["v2"])
    return f"open ({'<' if side == 'lower' else '>'} {power(edge['at'])})"


def method(found: Record) -> str:
    """How CLs was found at the edges, and where it is smallest: 'toys', 'asymptotic', or both."""
    parts = [found, *(found[side] for side in SIDES if found[side] is not None)]
    return " and ".join(sorted({part["method"] for part in parts}))


def _show(text: Any) -> str:
    return str(text)


def between(scan: Record) -> str | None:
    """The simulated masses that a mass is interpolated from, in GeV; None if it is simulated itself."""
    return " and ".join(f"{mass:g}" for mass in scan["interpolated_from"]) or None


def edges(scans: Sequence[Record], label: str) -> Table:
    """One row for each mass and curve."""
    rows: list[Record] = []
    for one in scans:
        for found, asymptotic in zip(one["excluded"], one["excluded_asymptotic"], strict=True):
            row: Record = {key: one[key] for key in ("coupling", "nature", "mass")} | {"curve": found["curve"]}
            row |= {"interpolated_from": between(one), "status": found["status"], "method": method(found)}
            for side in SIDES:
                edge = found[side]
                row[f"{side}_v2"] = None if edge is None else edge["v2"]
                row[f"{side}_state"] = found["status"] if edge is None else edge["state"]
                row[f"{side}_excluded_to"] = None if edge is None else edge["at"]
                row[f"{side}_reason"] = "" if edge is None else edge["reason"]
                row[f"{side}_words"] = words(found, side)
                row[f"{side}_asymptotic"] = words(asymptotic, side)
            row |= {"smallest_cls": found["smallest_cls"], "smallest_at": found["smallest_at"]}
            row |= {"further_ranges": found["further_ranges"], "label": label}
            rows.append(row)
    columns = [
        Column("coupling", "coupling"),
        Column("nature", "nature"),
        Column("mass", "m_N [GeV]", short),
        Column("interpolated_from", "from"),
        Column("curve", "curve"),
        Column("lower_words", "lowest |V|^2", _show),
        Column("upper_words", "highest |V|^2", _show),
        Column("method", "CLs by", _show),
        Column("smallest_cls", "smallest CLs", power),
        Column("smallest_at", "at |V|^2", power),
    ]
    note = f"{label}; 95 % CLs; an open edge lies beyond what the samples describe"
    few = [one for one in scans if any(t["few_events"] and t["method"] == ASYMPTOTIC for t in one["tested"])]
    note += f"; NOT RELIABLE at {len(few)} masses: few events, and no toys were asked for" if few else ""
    return Table("limits", "Excluded |V|^2", columns, rows, note)


def main_rows(table: Table) -> Table:
    """What is observed and the median of what is expected, in the width of a terminal."""
    shown = [
        row | {"mass": short(row["mass"]) + ("*" if row["interpolated_from"] else ""), "range": _range(row)}
        for row in table.records
        if row["curve"] in ("observed", EXPECTED)
    ]
    columns = [
        Column("mass", "m_N [GeV]"),
        Column("curve", "curve"),
        Column("range", "excluded |V|^2"),
        Column("method", "CLs by"),
        Column("smallest_cls", "smallest CLs", power),
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


def _one_name(table: Table) -> Table:
    rows = [row | {"signal": f"{row['coupling']} {row['nature'].title()}"} for row in table.records]
    return replace(table, records=rows, columns=[Column("signal", "signal"), *table.columns])


def _range(row: Record) -> str:
    lower, upper = (row[f"{side}_words"].removeprefix("open (").rstrip(")") for side in SIDES)
    return NOTHING if row["status"] == NOTHING else f"{lower} to {upper}"


def compared(scans: Sequence[Record], label: str, paper: Sequence[Row]) -> Table:
    """Median expected edges beside the observed ones of Table 5, with the ratio, at masses that were scanned."""
    rows: list[Record] = []
    for line in paper:
        own = [s for s in scans if (s["coupling"], s["nature"]) == (line.coupling, line.nature)]
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
        Column("coupling", "coupling"),
        Column("nature", "nature"),
        Column("mass", "m_N [GeV]", short),
        Column("edge", "edge"),
        Column("paper", f"Table 5, {LUMINOSITY:g}/fb", power),
        Column("expected", "expected here", power),
        Column("ratio", "ratio", power),
        Column("mark", ""),
    ]
    return Table("table5", "Beside Table 5 of the paper", columns, rows, label)


def _at(scans: Sequence[Record], mass: float, side: str) -> tuple[float | None, str]:
    """The median expected edge at a mass, and what has to be said of it."""
    for one in scans:
        for found in one["excluded"]:
            if (one["mass"], found["curve"]) == (mass, EXPECTED):
                edge = found[side]
                if edge is None or edge["state"] != CLOSED:
                    return None, words(found, side)
                return float(edge["v2"]), f"{INTERPOLATED} {between(one)} GeV" if between(one) else ""
    return None, "not scanned"


def hepdata(
    folder: Path,
    scans: Sequence[Record],
    samples: Sequence[Record],
    label: str,
    luminosity: float,
    energies: Sequence[float],
) -> None:
    """Writes a HEPData submission, checked by HEPData's own validator: a table for each coupling and nature.

    Those that are known at generated lifetimes only have tables of their own. Without any table nothing is written.

    Args:
        folder: for its files.
        scans, samples: of limits.json.
        label: of every product made with the same background.
        luminosity: /fb.
        energies: of the pp collisions, TeV.
    """
    submission = Submission()
    submission.comment = f"Limits on heavy neutral leptons at 95% CL. {label}"
    for (coupling, nature), group in groupby(scans, key=_signal):
        submission.add_table(_hepdata_table(coupling, nature, list(group), label, luminosity, energies))
    fixed = [row for row in strengths.table(samples, label).records if row[EXPECTED] is not None]
    for (coupling, nature), group in groupby(sorted(fixed, key=_signal), key=_signal):
        submission.add_table(_hepdata_strengths(coupling, nature, list(group), luminosity, energies))
    if not submission.tables:
        return
    folder = folder.resolve()
    with tempfile.TemporaryDirectory() as temporary, contextlib.chdir(temporary):  # it writes beside itself
        submission.create_files("files", validate=True)
        for path in sorted(Path("files").glob("*.yaml")):
            provenance.write_text(folder / path.name, path.read_text(encoding="utf-8"))


def _signal(row: Record) -> tuple[str, str]:
    return row["coupling"], row["nature"]


def _hepdata_strengths(
    coupling: str, nature: str, rows: Sequence[Record], luminosity: float, energies: Sequence[float]
) -> HEPDataTable:
    """Limits on mu at generated lifetimes."""
    table = HEPDataTable(f"Signal strength {coupling} {nature}")
    table.description = (
        f"Upper limits at 95% CL on the signal strength of {nature} N with coupling {coupling} at the generated "
        f"lifetime only: the samples cannot be reweighted, so that |V|^2 is not scanned. {rows[0]['label']}."
    )
    _describe(table, energies)
    for key, name, units in (("mass", "m_N", "GeV"), ("v2", "|V|^2", ""), ("ctau", "c tau", "mm")):
        values = [row[key] for row in rows]
        table.add_variable(Variable(name, is_independent=True, is_binned=False, units=units, values=values))
    for curve in CURVES:
        if all(row[curve] is None for row in rows):
            continue
        values = [float(row[curve]) for row in rows]
        table.add_variable(_limits(f"upper limit on mu, {curve}", values, luminosity, energies))
    return table


def _hepdata_table(
    coupling: str, nature: str, group: Sequence[Record], label: str, luminosity: float, energies: Sequence[float]
) -> HEPDataTable:
    table = HEPDataTable(f"Limits {coupling} {nature}")
    table.description = (
        f"Range of squared mixing parameters excluded at 95% CL for {nature} N and coupling {coupling}. {label}. "
        "CLs is found by toys where there are few events, and asymptotically elsewhere. "
        "A word in place of a number: the edge is beyond what the samples describe, or nothing is excluded."
    )
    _describe(table, energies)
    mass = Variable("m_N", is_independent=True, is_binned=False, units="GeV", values=[s["mass"] for s in group])
    table.add_variable(mass)
    origin = [f"interpolated from {between(s)} GeV" if between(s) else "simulated" for s in group]
    table.add_variable(Variable("signal", is_independent=False, is_binned=False, values=origin))
    for curve in CURVES:
        found = [next((f for f in s["excluded"] if f["curve"] == curve), None) for s in group]
        if all(f is None for f in found):
            continue
        for side in SIDES:
            values = [_hepdata_value(f, side) for f in found]
            table.add_variable(_limits(f"{side} edge of |V|^2, {curve}", values, luminosity, energies))
    return table


def _describe(table: HEPDataTable, energies: Sequence[float]) -> None:
    table.keywords["cmenergies"] = [1000 * energy for energy in energies]  # GeV
    table.keywords["observables"] = ["CLS"]


def _limits(name: str, values: Sequence[float | str], luminosity: float, energies: Sequence[float]) -> Variable:
    variable = Variable(name, is_independent=False, is_binned=False, values=values)
    variable.digits = 3
    variable.add_qualifier("SQRT(S)", energies[0] if len(energies) == 1 else ", ".join(map(str, energies)), "TeV")
    variable.add_qualifier("LUMINOSITY", luminosity, "fb$^{-1}$")
    return variable


def _hepdata_value(found: Record | None, side: str) -> float | str:
    if found is None:
        return "not tested"
    edge = found[side]
    return float(edge["v2"]) if edge is not None and edge["state"] == CLOSED else words(found, side)
