"""The tables that `hnl train` and `hnl score` print."""

from collections.abc import Iterable, Mapping
from typing import Any

from hnl.ml.learning import Trained
from hnl.report.tables import MISSING, short, with_error
from hnl.terminal import TextTable

Metrics = Mapping[str, Mapping[str, Any]]
TextRow = tuple[str, ...]


def of_training(trained: Trained) -> list[TextTable]:
    """The tables on the quality of the classifiers."""
    metrics = trained.metrics
    return [
        performance(metrics, trained.skipped, trained.left_out),
        features(metrics),
        thresholds(metrics),
        by_category_and_mass(metrics),
        correlation(metrics),
    ]


def performance(
    metrics: Metrics, skipped: Iterable[str], left_out: Mapping[str, Mapping[str, str]] | None = None
) -> TextTable:
    """One line per training: events and AUC.

    Args:
        metrics: training -> result of `evaluation.evaluate`.
        skipped: trainings that there are none of.
        left_out: training -> feature -> dataset without it.
    """
    rows: list[TextRow] = []
    for name, of in metrics.items():
        events = (short(sum(of["counts"][label].values())) for label in ("signal", "background"))
        rows.append((name, *events, *(_estimate(of["auc"][kind]) for kind in ("train", "unseen", "test"))))
    rows += [(name, "0", *[MISSING] * 4) for name in skipped]
    lacking = {feature: dataset for features in (left_out or {}).values() for feature, dataset in features.items()}
    note = "left out, as not every dataset has them: " if lacking else ""
    note += ", ".join(f"{feature} ({dataset})" for feature, dataset in lacking.items())
    headings = ("training", "signal", "background", "AUC,\ntrained events", "AUC,\nunseen events", "AUC,\ntest set")
    return TextTable("Classifiers: events, and area under the ROC curve (AUC)", headings, rows, note)


def features(metrics: Metrics) -> TextTable:
    """The most important features of each training."""
    rows = [(name, ", ".join(list(of["importance"])[:3])) for name, of in metrics.items()]
    return TextTable("Most important features", ("training", "features"), rows)


def thresholds(metrics: Metrics) -> TextTable:
    """Efficiencies for scores above the thresholds of section 6."""
    rows: list[TextRow] = []
    for name, of in metrics.items():
        rows += _grouped(
            name,
            (
                (
                    f"{row['threshold']:g}",
                    _estimate(row["signal"]),
                    _estimate(row["background"]),
                    short(row["background_events"]),
                )
                for row in of["thresholds"]
            ),
        )
    return TextTable(
        "Efficiency for a score above a threshold",
        ("training", "threshold", "signal", "background", "background\nevents"),
        rows,
        "unseen events",
    )


def by_category_and_mass(metrics: Metrics) -> TextTable:
    """AUC by category and by m_N."""
    rows: list[TextRow] = []
    for name, of in metrics.items():
        parts = list(of["categories"].items()) + [(f"m_N = {mass} GeV", a) for mass, a in of["masses"].items()]
        rows += _grouped(name, ((part, _estimate(area["unseen"]), _estimate(area["test"])) for part, area in parts))
    return TextTable("AUC by category and m_N", ("training", "part", "AUC,\nunseen events", "AUC,\ntest set"), rows)


def correlation(metrics: Metrics) -> TextTable:
    """Dependence of score and m(l1,SV) in background; 'preselected' is score > 0.2 and m(l1,SV) > 10 GeV."""
    rows: list[TextRow] = []
    for name, of in metrics.items():
        grouped: list[TextRow] = []
        for selection in dict.fromkeys(row["selection"] for row in of["correlation"]):
            of_selection = [row for row in of["correlation"] if row["selection"] == selection]
            grouped += _grouped(
                selection, ((row["where"], short(row["events"]), *_dependence(row)) for row in of_selection)
            )
        rows += _grouped(name, grouped)
    headings = ("training", "selection", "category", "events", "Pearson r", "p", "distance\ncorrelation", "p")
    return TextTable("Score and m(l1,SV) in background", headings, rows)


def of_scores(counts: Mapping[str, Mapping[str, int]]) -> TextTable:
    """Candidates of each dataset, and the numbers with each score."""
    keys = ("candidates", "score_low", "score_high")
    rows = [(name, *(short(row[key]) for key in keys)) for name, row in counts.items()]
    return TextTable("Scores", ("dataset", *keys), rows)


def _grouped(name: str, rows: Iterable[TextRow]) -> list[TextRow]:
    """Rows of a group, whose name is only in the first row."""
    return [("" if i else name, *row) for i, row in enumerate(rows)]


def _dependence(row: Mapping[str, Any]) -> Iterable[str]:
    for kind in ("pearson", "distance"):
        value, p = (row[kind][key] for key in ("value", "p_value"))
        yield MISSING if value is None else f"{value:.3f}"
        yield MISSING if p is None else f"{p:.2g}"


def _estimate(of: Mapping[str, float | None]) -> str:
    return with_error(of["value"], of["error"])
