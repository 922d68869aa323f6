"""The tables of `hnl train` and `hnl score`, of numbers made up."""

from typing import Any

from hnl.ml.learning import Trained
from hnl.report import learning_tables

NOTHING = {"value": None, "error": None}


def area(value: float) -> dict[str, float]:
    return {"value": value, "error": 0.012}


def metrics() -> dict[str, Any]:
    dependence = {"pearson": {"value": 0.1234, "p_value": 0.00123}, "distance": {"value": None, "p_value": None}}
    of = {
        "counts": {"signal": {"test": 100, "fold 0": 1000}, "background": {"test": 3, "fold 0": 4}},
        "auc": {"train": area(0.99), "unseen": area(0.95), "test": NOTHING},
        "importance": {"m_sv": 0.5, "l2_pt": 0.3, "sv_pt": 0.15, "jet_pt": 0.05},
        "thresholds": [
            {"threshold": 0.2, "signal": area(0.9), "background": area(0.1), "background_events": 1234},
            {"threshold": 0.998, "signal": area(0.5), "background": NOTHING, "background_events": 0},
        ],
        "categories": {"mumu_OS": {"unseen": area(0.9), "test": area(0.8)}},
        "masses": {"3": {"unseen": area(0.7), "test": NOTHING}},
        "correlation": [
            {"selection": selection, "where": where, "events": 12} | dependence
            for selection in ("all", "preselected")
            for where in ("inclusive", "mumu")
        ],
    }
    return {"muon_low": of, "muon_high": of}


def test_performance() -> None:
    """Events of all folds together; who was skipped and which features were left out is told."""
    trained = Trained(metrics(), {"electron_low": "no signal"}, {"muon_low": {"l2_pixel_hits": "ttbar"}}, ())
    table = learning_tables.performance(trained.metrics, trained.skipped, trained.left_out)
    assert list(table.rows) == [
        ("muon_low", "1,100", "7", "0.990(12)", "0.950(12)", "-"),
        ("muon_high", "1,100", "7", "0.990(12)", "0.950(12)", "-"),
        ("electron_low", "0", "-", "-", "-", "-"),
    ]
    assert table.note == "left out, as not every dataset has them: l2_pixel_hits (ttbar)"
    assert learning_tables.performance(metrics(), {}).note == ""


def test_features_are_the_first_three() -> None:
    assert learning_tables.features(metrics()).rows[0] == ("muon_low", "m_sv, l2_pt, sv_pt")


def test_thresholds() -> None:
    """The name of a training stands in its first row alone."""
    rows = learning_tables.thresholds(metrics()).rows
    assert rows[0] == ("muon_low", "0.2", "0.900(12)", "0.100(12)", "1,234")
    assert rows[1] == ("", "0.998", "0.500(12)", "-", "0")
    assert [row[0] for row in rows] == ["muon_low", "", "muon_high", ""]


def test_categories_and_masses() -> None:
    rows = learning_tables.by_category_and_mass(metrics()).rows
    assert rows[:2] == [("muon_low", "mumu_OS", "0.900(12)", "0.800(12)"), ("", "m_N = 3 GeV", "0.700(12)", "-")]


def test_correlation() -> None:
    rows = learning_tables.correlation(metrics()).rows
    assert len(rows) == 8
    assert rows[0] == ("muon_low", "all", "inclusive", "12", "0.123", "0.0012", "-", "-")
    assert [row[:3] for row in rows[1:4]] == [("", "", "mumu"), ("", "preselected", "inclusive"), ("", "", "mumu")]


def test_scores() -> None:
    counts = {"w": {"candidates": 1234, "score_low": 1000, "score_high": 5}}
    assert learning_tables.of_scores(counts).rows == [("w", "1,234", "1,000", "5")]
