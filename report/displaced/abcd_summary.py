"""The tables of the stage `abcd` for a terminal: categories in place of bins, and what needs attention."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from scipy import stats

from hnl.datasets.catalogue import DATA
from hnl.inference.abcd.rows import (
    ALL,
    HIDDEN,
    NO_CLASSIFIER,
    NO_TEST,
    ClosureRow,
    ContaminationRow,
    CorrelationRow,
    EstimateTables,
    ShapeRow,
    SimulatedClosureRow,
    ThresholdRow,
    YieldRow,
)
from hnl.inference.abcd.validation import FLAG
from hnl.records import Record
from hnl.report.displaced import abcd_layout
from hnl.report.displaced.abcd_layout import HIDDEN_NOTE
from hnl.report.tables import Table, TableColumn, percent, rough, short, signed
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.hypotheses import HYPOTHESES

Known = TypeVar("Known", ThresholdRow, YieldRow, ClosureRow, SimulatedClosureRow)


POOR = "poor bins"  # with fewer events expected in C than the estimate wants


def tables(rows: EstimateTables, data: str) -> list[Table]:
    """What `abcd_layout.tables` has, in short; none without rows. `data`: what the data are called."""
    rows = _named(rows, data)
    made = [_thresholds(rows.thresholds)]
    samples = list(dict.fromkeys(row.sample for row in rows.yields))
    for hypothesis in HYPOTHESES:
        for sample in samples:
            where = hypothesis, sample, ALL
            in_sr = [row for row in rows.yields if (row.hypothesis, row.sample, row.bin) == where]
            in_cr = [row for row in rows.closure if (row.hypothesis, row.sample, row.bin) == where]
            made += [_yields(in_sr, hypothesis, sample), _closure(in_cr, hypothesis, sample)]
    made += [
        _simulated_closure(rows.simulated_closure),
        _correlation(rows.correlation),
        _shapes(rows.shapes),
        _signal(rows.contamination),
    ]
    made.append(abcd_layout.dy_correction(rows))
    return [table for table in made if table.records]


def brief(rows: EstimateTables, data: str) -> list[Table]:
    """What a run shows: the prediction, for data if there is any, and the closure of all categories together."""
    rows = _named(rows, data)
    samples = list(dict.fromkeys(row.sample for row in rows.yields))
    if not samples:
        return []
    sample = data if data in samples else samples[0]
    shown = [row for row in rows.yields if (row.sample, row.bin) == (sample, ALL)]
    return [_predictions(shown, sample), _closures(rows.closure)]


def _named(rows: EstimateTables, data: str) -> EstimateTables:
    """With the name of what is taken for data in each row that has a sample."""
    called = {
        name: tuple(row.model_copy(update={"sample": data}) if row.sample == DATA else row for row in some)
        for name, some in rows
        if some and hasattr(some[0], "sample")
    }
    return rows.model_copy(update=called)


def _predictions(rows: Sequence[YieldRow], sample: str) -> Table:
    """Both mass hypotheses beside each other; A and pulls where they are not hidden."""
    hidden = any(HIDDEN in row.mark for row in rows)
    made: dict[str, Record] = {}
    partly = False
    for row in rows:
        line = made.setdefault(row.category, {"category": row.category})
        predicted = _pm(row.prediction, row.total_up, row.total_down)
        if predicted and "D empty" in row.mark:
            predicted, partly = f"{predicted}*", True
        shown = {"B C / D": predicted}
        if not hidden:
            shown = {"A": _show(row.A)} | shown | {"pull": _show(row.pull, signed)}
        line |= {f"{row.hypothesis} mass\n{name}": text for name, text in shown.items()}
    note = [HIDDEN_NOTE] if hidden else []
    note += ["* without bins where D is empty"] if partly else []
    title = f"Signal region, {sample}: prediction of A with its total uncertainty, all bins"
    lines = list(made.values())
    return Table("yields", title, _columns(*lines[0]), lines, "; ".join(note))


def _closures(rows: Sequence[ClosureRow]) -> Table:
    """Control region: one line for each sample and mass hypothesis."""
    made = []
    for key in dict.fromkeys((row.sample, row.hypothesis) for row in rows):
        mine = [row for row in rows if (row.sample, row.hypothesis, row.bin) == (*key, ALL)]
        chi2, bins = sum(row.chi2 or 0.0 for row in mine), sum(row.ndf or 0 for row in mine)
        pulls = {row.category: row.pull for row in mine if row.pull is not None}
        largest = max(pulls, key=lambda category: abs(pulls[category]), default=None)
        made.append(
            {
                "sample": key[0],
                "mass": key[1],
                "A": short(sum(row.A or 0.0 for row in mine)),
                "chi2 / bins": f"{short(chi2)} / {bins}",
                "p": f"{stats.chi2.sf(chi2, bins):.2g}" if bins else None,
                "largest pull": None if largest is None else f"{signed(pulls[largest])} ({largest})",
            }
        )
    names = ("sample", "mass", "A", "chi2 / bins", "p", "largest pull")
    return Table("closure", "Control region: closure, all categories", _columns(*names), made)


def _columns(*names: str) -> list[TableColumn]:
    return [TableColumn(name, name) for name in names]


def _known(rows: Sequence[Known]) -> tuple[list[Known], list[str]]:
    """Rows of categories with a classifier, and a note on the others."""
    missing = list(dict.fromkeys(row.category for row in rows if row.mark == NO_CLASSIFIER))
    note = [f"no classifier for {', '.join(missing)}"] if missing else []
    return [row for row in rows if row.mark != NO_CLASSIFIER], note


def _pm(prediction: float | None, up: float | None, down: float | None) -> str | None:
    if prediction is None or up is None or down is None:
        return None
    return f"{short(prediction)} +{rough(up)} -{rough(down)}"


def _chi2(chi2: float | None, ndf: int | None) -> str | None:
    return None if chi2 is None else f"{short(chi2)} / {ndf}"


def _p_value(p: float | None) -> str | None:
    return None if p is None else f"{p:.2g}"


def _show(value: float | None, how: Callable[[float], str] = short) -> str | None:
    return None if value is None else how(value)


def _thresholds(rows: Sequence[ThresholdRow]) -> Table:
    rows, note = _known(rows)
    made = [
        {
            "mass": row.hypothesis,
            "category": row.category,
            "x": f"{row.x:g}",
            "signal in A": _show(row.signal_fraction, percent),
            "B C / D": _show(row.background),
            "error": _show(row.uncertainty, percent) if row.background else None,
            POOR: _show(row.poor_bins),
        }
        for row in rows
    ]
    marks = {row.mark for row in rows}
    note += ["given, not optimised"] if any("given" in mark for mark in marks) else []
    names = ("mass", "category", "x", "signal in A", "B C / D", "error", POOR)
    return Table("thresholds", "Thresholds x on the score", _columns(*names), made, "; ".join(note))


def _yields(rows: Sequence[YieldRow], hypothesis: str, sample: str) -> Table:
    rows, note = _known(rows)
    if any(HIDDEN in row.mark for row in rows):
        note.append(HIDDEN_NOTE)
    made = [
        {
            "category": row.category,
            "A": "hidden" if row.A is None else short(row.A),
            "B": short(row.B),
            "C": short(row.C),
            "D": short(row.D),
            "B C / D": _pm(row.prediction, row.total_up, row.total_down),
            "pull": _show(row.pull, signed),
            "": row.mark.removeprefix(HIDDEN).removeprefix("; "),
        }
        for row in rows
    ]
    title = f"Signal region, {hypothesis} mass, {sample}: yields, all bins"
    return Table("yields", title, _columns("category", *"ABCD", "B C / D", "pull", ""), made, "; ".join(note))


def _closure(rows: Sequence[ClosureRow], hypothesis: str, sample: str) -> Table:
    rows, note = _known(rows)
    made = [
        {
            "category": row.category,
            "A": _show(row.A),
            "B C / D": _pm(row.prediction, row.stat_up, row.stat_down),
            "pull": _show(row.pull, signed),
            "chi2 / bins": _chi2(row.chi2, row.ndf),
            "p": _p_value(row.p_value),
            "uncertainty": percent(row.closure),
        }
        for row in rows
    ]
    names = ("category", "A", "B C / D", "pull", "chi2 / bins", "p", "uncertainty")
    title = f"Control region, {hypothesis} mass, {sample}: closure, all bins"
    return Table("closure", title, _columns(*names), made, "; ".join(note))


def _simulated_closure(rows: Sequence[SimulatedClosureRow]) -> Table:
    """All categories together, of all thresholds at which any of them tells something."""
    every, note = _known([row for row in rows if row.category == ALL])
    made = [
        {
            "mass": row.hypothesis,
            "selection": row.selection,
            "x": row.threshold,
            "A": _show(row.A),
            "B C / D": _pm(row.prediction, row.stat_up, row.stat_down),
            "tested": f"{row.tested} / {len(CATEGORIES)}",
            "chi2 / ndf": _chi2(row.chi2, row.ndf),
            "p": _p_value(row.p_value),
        }
        for row in every
        if row.tested
    ]
    silent = dict.fromkeys(f"{r.hypothesis} {r.selection} at {r.threshold}" for r in every if not r.tested)
    note += [f"too few events ({NO_TEST}) in any category: {', '.join(silent)}"] if silent else []
    names = ("mass", "selection", "x", "A", "B C / D", "tested", "chi2 / ndf", "p")
    title = "Simulated background at lower x: closure around the SR's window, bins together"
    return Table("simulated_closure", title, _columns(*names), made, "; ".join(note))


def _correlation(rows: Sequence[CorrelationRow]) -> Table:
    """Those with a small p-value alone; if there is none, the smallest."""
    with_p = [(row.p_value, i, row) for i, row in enumerate(rows) if row.p_value is not None]
    known = [row for _, _, row in sorted(with_p)]
    flagged = [row for p, _, row in sorted(with_p) if p < FLAG]
    made = [
        {
            "sample": row.sample,
            "mass": row.hypothesis,
            "category": row.category,
            "bin": row.bin,
            "Pearson": _show(row.coefficient, signed),
            "p": _p_value(row.p_value),
        }
        for row in flagged or known[:1]
    ]
    note = f"{len(flagged)} of {len(known)} with p < {FLAG:g}, {FLAG * len(known):.1f} expected by chance; "
    note += f"{len(rows) - len(known)} bins have too few events"
    title = "Validation region: correlation of score and m(l1,SV)"
    return Table("correlation", title, _columns("sample", "mass", "category", "bin", "Pearson", "p"), made, note)


def _shapes(rows: Sequence[ShapeRow]) -> Table:
    made = [
        {
            "sample": row.sample,
            "mass": row.hypothesis,
            "l2": row.lepton,
            "chi2 / ndf": _chi2(row.chi2, row.ndf),
            "p": _p_value(row.p_value),
            "": row.mark,
        }
        for row in rows
    ]
    title = "Validation region: score in VR-AB against VR-CD"
    return Table("shapes", title, _columns("sample", "mass", "l2", "chi2 / ndf", "p", ""), made)


def _signal(rows: Sequence[ContaminationRow]) -> Table:
    made = [
        {
            "mass": row.hypothesis,
            "signal": row.signal,
            "events": short(row.events),
            "A": _show(row.share_A, percent),
            "B": _show(row.share_B, percent),
            "C": _show(row.share_C, percent),
            "D": _show(row.share_D, percent),
            "S/B": _show(row.s_over_b_B, percent),
            "S/C": _show(row.s_over_b_C, percent),
            "S/D": _show(row.s_over_b_D, percent),
        }
        for row in rows
        if row.category == ALL
    ]
    columns = _columns("mass", "signal", "events", *"ABCD", "S/B", "S/C", "S/D")
    note = "S/B, S/C, S/D: signal over background in the sideband"
    return Table("contamination", "Where the signal in the SR is, all categories", columns, made, note)
