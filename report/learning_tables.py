"""The tables that `hnl train` and `hnl score` print."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from hnl.ml.learning import Trained

Metrics = Mapping[str, Mapping[str, Any]]


def of_training(trained: Trained) -> list[Table]:
    """Everything that a physicist wants to see before trusting the classifiers."""
    metrics = trained.metrics
    return [performance(trained), thresholds(metrics), by_category_and_mass(metrics), correlation(metrics)]


def performance(trained: Trained) -> Table:
    """One line for each training: events, AUC, most important features."""
    table = _table(
        "classifiers (AUC: area under the ROC curve)",
        "training",
        "signal",
        "background",
        "AUC, trained events",
        "AUC, unseen events",
        "AUC, test set",
        "first features",
    )
    for name, of in trained.metrics.items():
        counts, area = of["counts"], of["auc"]
        table.add_row(
            name + (" (kept)" if name in trained.reused else ""),
            *(str(sum(counts[label].values())) for label in ("signal", "background")),
            *(_estimate(area[kind]) for kind in ("train", "unseen", "test")),
            ", ".join(list(of["importance"])[:3]),
        )
    for name, reason in trained.skipped.items():
        table.add_row(name, "0", "", "", "", "", f"not trained: {reason}")
    left_out = {feature: dataset for one in trained.left_out.values() for feature, dataset in one.items()}
    if left_out:
        table.caption = "left out, as not every dataset has them: " + ", ".join(
            f"{feature} ({dataset})" for feature, dataset in left_out.items()
        )
    return table


def thresholds(metrics: Metrics) -> Table:
    """Efficiencies for scores above the thresholds of section 6."""
    table = _table(
        "efficiency for a score above a threshold (unseen events; last columns: signal of the test set)",
        "training",
        "threshold",
        "signal",
        "background",
        "background events",
        "test, mean of 3",
        "test, single model",
    )
    for name, of in metrics.items():
        for i, row in enumerate(of["thresholds"]):
            table.add_row(
                "" if i else name,
                f"{row['threshold']:g}",
                *(_estimate(row[key]) for key in ("signal", "background")),
                str(row["background_events"]),
                _estimate(row["mean"]),
                _number(row["single"]),
                end_section=i == len(of["thresholds"]) - 1,
            )
    return table


def by_category_and_mass(metrics: Metrics) -> Table:
    """AUC of parts of the events."""
    table = _table("AUC by category and m_N", "training", "part", "AUC, unseen events", "AUC, test set")
    for name, of in metrics.items():
        parts = list(of["categories"].items()) + [(f"m_N = {mass} GeV", a) for mass, a in of["masses"].items()]
        for i, (part, area) in enumerate(parts):
            table.add_row(
                "" if i else name,
                part,
                _estimate(area["unseen"]),
                _estimate(area["test"]),
                end_section=i == len(parts) - 1,
            )
    return table


def correlation(metrics: Metrics) -> Table:
    """Dependence of score and m(l1,SV) in background; 'preselected' is score > 0.2 and m(l1,SV) > 10 GeV."""
    table = _table(
        "score and m(l1,SV) in background",
        "training",
        "selection",
        "category",
        "events",
        "Pearson r",
        "p",
        "distance corr.",
        "p",
    )
    for name, of in metrics.items():
        rows = of["correlation"]
        for i, row in enumerate(rows):
            new_selection = i == 0 or rows[i - 1]["selection"] != row["selection"]
            table.add_row(
                "" if i else name,
                row["selection"] if new_selection else "",
                row["where"],
                str(row["events"]),
                *(_number(row[kind][key]) for kind in ("pearson", "distance") for key in ("value", "p_value")),
                end_section=i == len(rows) - 1,
            )
    return table


def of_scores(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """Candidates of each dataset and how many have which score."""
    table = _table("scores", "dataset", "candidates", "score_low", "score_high")
    for name, row in counts.items():
        table.add_row(name, *(str(row[key]) for key in ("candidates", "score_low", "score_high")))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(*columns, title=title)
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _estimate(of: Mapping[str, float | None]) -> str:
    return f"{_number(of['value'])} \N{PLUS-MINUS SIGN} {_number(of['error'])}" if of["value"] is not None else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
