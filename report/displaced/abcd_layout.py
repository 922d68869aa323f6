"""The tables of the stage `abcd`: which columns of its records are shown, and how."""

from collections.abc import Sequence

from hnl.inference.abcd.rows import EstimateTables, Row
from hnl.records import Record
from hnl.report.tables import Table, TableColumn, percent, short, signed
from hnl.selections.displaced.regions import INSIDE, PAPER, RegionSettings

_WHERE = (TableColumn("hypothesis", "mass"), TableColumn("category", "category"), TableColumn("bin", "bin"))
_COUNTS = tuple(TableColumn(name, name, short) for name in "BCD")
_PREDICTION = (
    TableColumn("prediction", "B C / D", short),
    TableColumn("stat_down", "- stat", short),
    TableColumn("stat_up", "+ stat", short),
)
_TEST = (TableColumn("pull", "pull", signed), TableColumn("chi2", "chi2", short), TableColumn("ndf", "bins", short))
_MARK = TableColumn("mark", "mark")
_SAMPLE = TableColumn("sample", "sample")
_P = TableColumn("p_value", "p", lambda p: f"{p:.2g}")
HIDDEN_NOTE = "region A of data is hidden (blinded)"


def tables(rows: EstimateTables, hidden: bool, settings: RegionSettings = PAPER) -> dict[str, Table]:
    """The tables of the stage, by name; `hidden` says that region A of data is."""
    blinded = HIDDEN_NOTE if hidden else ""
    total = (TableColumn("total_down", "- total", short), TableColumn("total_up", "+ total", short))
    made = [
        Table(
            "thresholds",
            "Thresholds on the score",
            (
                *_WHERE[:2],
                TableColumn("x", "x", lambda x: f"{x:g}"),
                TableColumn("signal_fraction", "signal in A", percent),
                TableColumn("background", "B C / D", short),
                TableColumn("uncertainty", "rel. error", percent),
                TableColumn("smallest_c", "least C", short),
                _MARK,
            ),
            _records(rows.thresholds),
        ),
        Table(
            "yields",
            "Signal region: yields and prediction",
            (_SAMPLE, *_WHERE, TableColumn("A", "A", short), *_COUNTS, *_PREDICTION, *total, *_TEST, _MARK),
            _records(rows.yields),
            blinded,
        ),
        Table(
            "closure",
            "Control region: yields and prediction",
            (
                _SAMPLE,
                *_WHERE,
                TableColumn("A", "A", short),
                *_COUNTS,
                *_PREDICTION,
                *_TEST,
                TableColumn("closure", "closure", percent),
                _MARK,
            ),
            _records(rows.closure),
        ),
        Table(
            "simulated_closure",
            "Simulated background at lower thresholds: A and prediction around "
            f"{settings.windows[INSIDE]} GeV, bins together",
            (
                _WHERE[0],
                TableColumn("selection", "selection"),
                TableColumn("threshold", "x"),
                _WHERE[1],
                TableColumn("A", "A", short),
                *_COUNTS,
                *_PREDICTION,
                TableColumn("ratio", "A D / B C", short),
                TableColumn("ratio_low", "from", short),
                TableColumn("ratio_high", "to", short),
                *_TEST,
                _P,
                _MARK,
            ),
            _records(rows.simulated_closure),
        ),
        Table(
            "correlation",
            "Validation region: correlation of score and m(l1,SV)",
            (
                _SAMPLE,
                *_WHERE,
                TableColumn("coefficient", "Pearson", signed),
                _P,
                TableColumn("events", "events", short),
                _MARK,
            ),
            _records(rows.correlation),
        ),
        Table(
            "shapes",
            "Validation region: score in VR-AB against VR-CD",
            (
                _SAMPLE,
                _WHERE[0],
                TableColumn("lepton", "l2"),
                TableColumn("chi2", "chi2", short),
                TableColumn("ndf", "ndf", short),
                _P,
                _MARK,
            ),
            _records(rows.shapes),
        ),
        Table(
            "contamination",
            "Signal in the regions of the SR",
            (
                _WHERE[0],
                TableColumn("signal", "signal"),
                _WHERE[1],
                *(TableColumn(f"share_{name}", f"in {name}", percent) for name in "ABCD"),
                *(TableColumn(f"s_over_b_{name}", f"S/B in {name}", percent) for name in "BCD"),
                _MARK,
            ),
            _records(rows.contamination),
        ),
        dy_correction(rows),
    ]
    return {table.name: table for table in made}


def dy_correction(rows: EstimateTables) -> Table:
    """The correction of low-mass dimuon categories for Drell-Yan (section 6)."""
    return Table(
        "dy_correction",
        "Correction for Drell-Yan dimuons, low mass",
        (
            _WHERE[1],
            _WHERE[2],
            TableColumn("c_dy", "c_DY", short),
            TableColumn("f_dy", "f_DY", percent),
            TableColumn("c_ab", "c_AB", short),
            TableColumn("uncertainty", "+-", short),
            _MARK,
        ),
        _records(rows.dy_correction),
    )


def _records(rows: Sequence[Row]) -> list[Record]:
    return [row.record() for row in rows]
