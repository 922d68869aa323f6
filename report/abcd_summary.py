"""The tables of the stage `abcd` for a terminal: categories in place of bins, and what needs attention."""

from collections.abc import Callable, Mapping, Sequence

from scipy import stats

from hnl.inference.abcd.records import ALL, HIDDEN, NO_CLASSIFIER, NO_TEST
from hnl.inference.abcd.thresholds import MIN_C
from hnl.inference.abcd.validation import FLAG
from hnl.inference.records import Record
from hnl.report import abcd_layout
from hnl.report.abcd_layout import HIDDEN_NOTE
from hnl.report.tables import Column, Table, percent, rough, short, signed
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.hypotheses import HYPOTHESES


def tables(records: Mapping[str, Sequence[Record]]) -> list[Table]:
    """What `abcd_layout.tables` has, in short; none without rows."""
    made = [_thresholds(records["thresholds"])]
    samples = list(dict.fromkeys(row["sample"] for row in records["yields"]))
    for hypothesis in HYPOTHESES:
        for sample in samples:
            of = {"hypothesis": hypothesis, "sample": sample, "bin": ALL}
            made += [_yields(_where(records["yields"], of), of), _closure(_where(records["closure"], of), of)]
    made += [
        _simulated_closure(records["simulated_closure"]),
        _correlation(records["correlation"]),
        _shapes(records["shapes"]),
        _signal(records["contamination"]),
    ]
    made.append(abcd_layout.tables(records, hidden=False)["dy_correction"])
    return [table for table in made if table.records]


def brief(records: Mapping[str, Sequence[Record]]) -> list[Table]:
    """What a run shows: the prediction, for data if there is any, and the closure of all categories together."""
    samples = list(dict.fromkeys(row["sample"] for row in records["yields"]))
    if not samples:
        return []
    sample = "data" if "data" in samples else samples[0]
    return [_predictions(_where(records["yields"], {"sample": sample, "bin": ALL}), sample), _closures(records)]


def _predictions(rows: Sequence[Record], sample: str) -> Table:
    """Both mass hypotheses beside each other; A and pulls where they are not hidden."""
    hidden = any(HIDDEN in row["mark"] for row in rows)
    made: dict[str, Record] = {}
    partly = False
    for row in rows:
        line = made.setdefault(row["category"], {"category": row["category"]})
        predicted = _pm(row, "total")
        if predicted and "D empty" in row["mark"]:
            predicted, partly = f"{predicted}*", True
        shown = {"B C / D": predicted}
        if not hidden:
            shown = {"A": _show(row["A"])} | shown | {"pull": _show(row["pull"], signed)}
        line |= {f"{row['hypothesis']} mass\n{name}": text for name, text in shown.items()}
    note = [HIDDEN_NOTE] if hidden else []
    note += ["* without bins where D is empty"] if partly else []
    title = f"Signal region, {sample}: prediction of A with its total uncertainty, all bins"
    lines = list(made.values())
    return Table("yields", title, _columns(*lines[0]), lines, "; ".join(note))


def _closures(records: Mapping[str, Sequence[Record]]) -> Table:
    """Control region: one line for each sample and mass hypothesis."""
    made = []
    for key in dict.fromkeys((row["sample"], row["hypothesis"]) for row in records["closure"]):
        rows = _where(records["closure"], dict(zip(("sample", "hypothesis", "bin"), (*key, ALL), strict=True)))
        chi2, bins = sum(row["chi2"] or 0.0 for row in rows), sum(row["ndf"] or 0 for row in rows)
        pulls = {row["category"]: row["pull"] for row in rows if row["pull"] is not None}
        largest = max(pulls, key=lambda category: abs(pulls[category]), default=None)
        made.append(
            {
                "sample": key[0],
                "mass": key[1],
                "A": short(sum(row["A"] for row in rows)),
                "chi2 / bins": f"{short(chi2)} / {bins}",
                "p": f"{stats.chi2.sf(chi2, bins):.2g}" if bins else None,
                "largest pull": None if largest is None else f"{signed(pulls[largest])} ({largest})",
            }
        )
    names = ("sample", "mass", "A", "chi2 / bins", "p", "largest pull")
    return Table("closure", "Control region: closure, all categories", _columns(*names), made)


def _where(rows: Sequence[Record], wanted: Record) -> list[Record]:
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def _columns(*names: str) -> list[Column]:
    return [Column(name, name) for name in names]


def _known(rows: Sequence[Record]) -> tuple[list[Record], list[str]]:
    """Rows of categories with a classifier, and a note on the others."""
    missing = list(dict.fromkeys(row["category"] for row in rows if row["mark"] == NO_CLASSIFIER))
    note = [f"no classifier for {', '.join(missing)}"] if missing else []
    return [row for row in rows if row["mark"] != NO_CLASSIFIER], note


def _pm(row: Record, kind: str) -> str | None:
    if row["prediction"] is None:
        return None
    return f"{short(row['prediction'])} +{rough(row[f'{kind}_up'])} -{rough(row[f'{kind}_down'])}"


def _show(value: float | None, how: Callable[[float], str] = short) -> str | None:
    return None if value is None else how(value)


def _thresholds(rows: Sequence[Record]) -> Table:
    rows, note = _known(rows)
    made = [
        {
            "mass": row["hypothesis"],
            "category": row["category"],
            "x": f"{row['x']:g}",
            "signal in A": _show(row["signal_fraction"], percent),
            "B C / D": _show(row["background"]),
            "error": _show(row["uncertainty"], percent) if row["background"] else None,
            f"bins with C < {MIN_C:g}": _show(row["poor_bins"]),
        }
        for row in rows
    ]
    marks = {row["mark"] for row in rows}
    note += ["given, not optimised"] if any("given" in mark for mark in marks) else []
    names = ("mass", "category", "x", "signal in A", "B C / D", "error", f"bins with C < {MIN_C:g}")
    return Table("thresholds", "Thresholds x on the score", _columns(*names), made, "; ".join(note))


def _yields(rows: Sequence[Record], of: Record) -> Table:
    rows, note = _known(rows)
    if any(HIDDEN in row["mark"] for row in rows):
        note.append(HIDDEN_NOTE)
    made = [
        {
            "category": row["category"],
            "A": "hidden" if row["A"] is None else short(row["A"]),
            **{name: short(row[name]) for name in "BCD"},
            "B C / D": _pm(row, "total"),
            "pull": _show(row["pull"], signed),
            "": row["mark"].removeprefix(HIDDEN).removeprefix("; "),
        }
        for row in rows
    ]
    title = f"Signal region, {of['hypothesis']} mass, {of['sample']}: yields, all bins"
    return Table("yields", title, _columns("category", *"ABCD", "B C / D", "pull", ""), made, "; ".join(note))


def _closure(rows: Sequence[Record], of: Record) -> Table:
    rows, note = _known(rows)
    made = [
        {
            "category": row["category"],
            "A": short(row["A"]),
            "B C / D": _pm(row, "stat"),
            "pull": _show(row["pull"], signed),
            "chi2 / bins": f"{short(row['chi2'])} / {row['ndf']}",
            "p": _show(row["p_value"], lambda p: f"{p:.2g}"),
            "uncertainty": percent(row["closure"]),
        }
        for row in rows
    ]
    names = ("category", "A", "B C / D", "pull", "chi2 / bins", "p", "uncertainty")
    title = f"Control region, {of['hypothesis']} mass, {of['sample']}: closure, all bins"
    return Table("closure", title, _columns(*names), made, "; ".join(note))


def _simulated_closure(rows: Sequence[Record]) -> Table:
    """All categories together, of all thresholds at which any of them tells something."""
    every, note = _known([row for row in rows if row["category"] == ALL])
    made = [
        {
            "mass": row["hypothesis"],
            "selection": row["selection"],
            "x": row["threshold"],
            "A": short(row["A"]),
            "B C / D": _pm(row, "stat"),
            "tested": f"{row['tested']} / {len(CATEGORIES)}",
            "chi2 / ndf": f"{short(row['chi2'])} / {row['ndf']}",
            "p": _show(row["p_value"], lambda p: f"{p:.2g}"),
        }
        for row in every
        if row["tested"]
    ]
    silent = dict.fromkeys(f"{r['hypothesis']} {r['selection']} at {r['threshold']}" for r in every if not r["tested"])
    note += [f"too few events ({NO_TEST}) in any category: {', '.join(silent)}"] if silent else []
    names = ("mass", "selection", "x", "A", "B C / D", "tested", "chi2 / ndf", "p")
    title = "Simulated background at lower x: closure around 50-85 GeV, bins together"
    return Table("simulated_closure", title, _columns(*names), made, "; ".join(note))


def _correlation(rows: Sequence[Record]) -> Table:
    """Those with a small p-value alone; if there is none, the smallest."""
    known = sorted((row for row in rows if row["p_value"] is not None), key=lambda row: float(row["p_value"]))
    flagged = [row for row in known if row["p_value"] < FLAG]
    made = [
        {
            "sample": row["sample"],
            "mass": row["hypothesis"],
            "category": row["category"],
            "bin": row["bin"],
            "Pearson": signed(row["coefficient"]),
            "p": f"{row['p_value']:.2g}",
        }
        for row in flagged or known[:1]
    ]
    note = f"{len(flagged)} of {len(known)} with p < {FLAG:g}, {FLAG * len(known):.1f} expected by chance; "
    note += f"{len(rows) - len(known)} bins have too few events"
    title = "Validation region: correlation of score and m(l1,SV)"
    return Table("correlation", title, _columns("sample", "mass", "category", "bin", "Pearson", "p"), made, note)


def _shapes(rows: Sequence[Record]) -> Table:
    made = [
        {
            "sample": row["sample"],
            "mass": row["hypothesis"],
            "l2": row["lepton"],
            "chi2 / ndf": f"{short(row['chi2'])} / {row['ndf']}",
            "p": _show(row["p_value"], lambda p: f"{p:.2g}"),
            "": row["mark"],
        }
        for row in rows
    ]
    title = "Validation region: score in VR-AB against VR-CD"
    return Table("shapes", title, _columns("sample", "mass", "l2", "chi2 / ndf", "p", ""), made)


def _signal(rows: Sequence[Record]) -> Table:
    made = [
        {"mass": row["hypothesis"], "signal": row["signal"], "events": short(row["events"])}
        | {name: _show(row[f"share_{name}"], percent) for name in "ABCD"}
        | {f"S/{name}": _show(row[f"s_over_b_{name}"], percent) for name in "BCD"}
        for row in rows
        if row["category"] == ALL
    ]
    columns = _columns("mass", "signal", "events", *"ABCD", "S/B", "S/C", "S/D")
    note = "S/B, S/C, S/D: signal over background in the sideband"
    return Table("contamination", "Where the signal in the SR is, all categories", columns, made, note)
