"""The tables of the stage `abcd`: which columns of its records are shown, and how."""

from collections.abc import Sequence

from hnl.inference.abcd.rows import Row, Tables
from hnl.records import Record
from hnl.report.tables import Column, Table, percent, short, signed

_WHERE = (Column("hypothesis", "mass"), Column("category", "category"), Column("bin", "bin"))
_COUNTS = tuple(Column(name, name, short) for name in "BCD")
_PREDICTION = (
    Column("prediction", "B C / D", short),
    Column("stat_down", "- stat", short),
    Column("stat_up", "+ stat", short),
)
_TEST = (Column("pull", "pull", signed), Column("chi2", "chi2", short), Column("ndf", "bins", short))
_MARK = Column("mark", "mark")
_SAMPLE = Column("sample", "sample")
_P = Column("p_value", "p", lambda p: f"{p:.2g}")
HIDDEN_NOTE = "region A of data is hidden (blinded)"


def tables(rows: Tables, hidden: bool) -> dict[str, Table]:
    """The tables of the stage, by name; `hidden` says that region A of data is."""
    blinded = HIDDEN_NOTE if hidden else ""
    total = (Column("total_down", "- total", short), Column("total_up", "+ total", short))
    made = [
        Table(
            "thresholds",
            "Thresholds on the score",
            (
                *_WHERE[:2],
                Column("x", "x", lambda x: f"{x:g}"),
                Column("signal_fraction", "signal in A", percent),
                Column("background", "B C / D", short),
                Column("uncertainty", "rel. error", percent),
                Column("smallest_c", "least C", short),
                _MARK,
            ),
            _records(rows.thresholds),
        ),
        Table(
            "yields",
            "Signal region: yields and prediction",
            (_SAMPLE, *_WHERE, Column("A", "A", short), *_COUNTS, *_PREDICTION, *total, *_TEST, _MARK),
            _records(rows.yields),
            blinded,
        ),
        Table(
            "closure",
            "Control region: yields and prediction",
            (
                _SAMPLE,
                *_WHERE,
                Column("A", "A", short),
                *_COUNTS,
                *_PREDICTION,
                *_TEST,
                Column("closure", "closure", percent),
                _MARK,
            ),
            _records(rows.closure),
        ),
        Table(
            "simulated_closure",
            "Simulated background at lower thresholds: A and prediction around 50-85 GeV, bins together",
            (
                _WHERE[0],
                Column("selection", "selection"),
                Column("threshold", "x"),
                _WHERE[1],
                Column("A", "A", short),
                *_COUNTS,
                *_PREDICTION,
                Column("ratio", "A D / B C", short),
                Column("ratio_low", "from", short),
                Column("ratio_high", "to", short),
                *_TEST,
                _P,
                _MARK,
            ),
            _records(rows.simulated_closure),
        ),
        Table(
            "correlation",
            "Validation region: correlation of score and m(l1,SV)",
            (_SAMPLE, *_WHERE, Column("coefficient", "Pearson", signed), _P, Column("events", "events", short), _MARK),
            _records(rows.correlation),
        ),
        Table(
            "shapes",
            "Validation region: score in VR-AB against VR-CD",
            (
                _SAMPLE,
                _WHERE[0],
                Column("lepton", "l2"),
                Column("chi2", "chi2", short),
                Column("ndf", "ndf", short),
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
                Column("signal", "signal"),
                _WHERE[1],
                *(Column(f"share_{name}", f"in {name}", percent) for name in "ABCD"),
                *(Column(f"s_over_b_{name}", f"S/B in {name}", percent) for name in "BCD"),
                _MARK,
            ),
            _records(rows.contamination),
        ),
        Table(
            "dy_correction",
            "Correction for Drell-Yan dimuons, low mass",
            (
                _WHERE[1],
                _WHERE[2],
                Column("c_dy", "c_DY", short),
                Column("f_dy", "f_DY", percent),
                Column("c_ab", "c_AB", short),
                Column("uncertainty", "+-", short),
                _MARK,
            ),
            _records(rows.dy_correction),
        ),
    ]
    return {table.name: table for table in made}


def _records(rows: Sequence[Row]) -> list[Record]:
    return [row.record() for row in rows]
