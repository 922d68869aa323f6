"""Counting: stages in order, categories, weights, n-minus-one, sums over units."""

import awkward as ak
import numpy as np
import pytest
from coffea.processor import accumulate

from hnl.processors.cutflow import Cutflow
from hnl.selections.displaced.categories import CATEGORIES

NONE = {"events": 0, "sum_w": 0.0, "sum_w2": 0.0}


def example() -> Cutflow:
    """Five events, three requirements, categories from the second."""
    cutflow = Cutflow(np.array([1.0, -2.0, 4.0, 0.5, 8.0], dtype=np.float32), CATEGORIES)
    cutflow.require("a", np.array([True, True, True, True, False]))
    among = np.array([True, False, True, True, True])
    cutflow.categorise(np.array([0, 3, 3, 7]), among, from_stage="b")
    cutflow.require("b", np.array([True, False, True, True]), among=among)
    cutflow.require("c", ak.Array([True, None, False, None]), among=among)
    return cutflow


def test_counts_by_hand() -> None:
    """Cumulative, with signed weights."""
    counts = example().counts()
    assert list(counts) == ["all events", "a", "b", "c"]
    assert counts["all events"] == {"all": {"events": 5, "sum_w": 11.5, "sum_w2": 85.25}}
    assert counts["a"] == {"all": {"events": 4, "sum_w": 3.5, "sum_w2": 21.25}}
    assert counts["b"]["all"] == {"events": 2, "sum_w": 1.5, "sum_w2": 1.25}
    assert counts["b"]["ee_OS"] == {"events": 1, "sum_w": 1.0, "sum_w2": 1.0}
    assert counts["b"]["mumu_SS"] == {"events": 1, "sum_w": 0.5, "sum_w2": 0.25}
    assert counts["b"]["mue_SS"] == NONE
    assert counts["c"]["all"] == {"events": 1, "sum_w": 1.0, "sum_w2": 1.0}
    assert list(counts["c"])[1:] == ["ee_OS", "ee_SS", "mumu_OS", "mumu_SS", "emu_OS", "emu_SS", "mue_OS", "mue_SS"]


def test_n_minus_one_by_hand() -> None:
    """All requirements but one; events outside `among` fail what is asked within it."""
    counts = example().n_minus_one()
    assert list(counts) == ["a", "b", "c"]
    assert {stage: groups["all"]["events"] for stage, groups in counts.items()} == {"a": 1, "b": 1, "c": 2}
    assert counts["c"]["mumu_SS"]["events"] == 1
    assert counts["c"]["all"]["sum_w"] == 1.5


def test_passed() -> None:
    """The mask so far, and without one."""
    assert example().passed().tolist() == [True, False, False, False, False]
    assert example().passed(without=("c",)).tolist() == [True, False, False, True, False]
    assert example().passed(without=("a", "b", "c")).all()
    assert Cutflow(np.ones(2)).passed().all()


def test_categories_add_up() -> None:
    """From the stage where every event left has a category, the categories sum to all."""
    counts = example().counts()
    for stage in ("b", "c"):
        parts = [n for name, n in counts[stage].items() if name != "all"]
        assert {key: sum(p[key] for p in parts) for key in NONE} == counts[stage]["all"]


def test_units_add_up() -> None:
    """coffea's `accumulate` adds counts stage by stage; an empty unit changes nothing."""
    empty = Cutflow(np.empty(0), CATEGORIES)
    for stage in ("a", "b", "c"):
        empty.require(stage, np.empty(0, dtype=bool))
    empty.first_with_category = "b"
    one, both = example().counts(), accumulate([example().counts(), empty.counts(), example().counts()])
    assert list(both) == list(one)
    assert both["b"]["all"] == {"events": 4, "sum_w": 3.0, "sum_w2": 2.5}
    assert accumulate([empty.counts(), one]) == one


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_sums_are_doubles(dtype: type) -> None:
    """Many float32 weights do not lose digits."""
    cutflow = Cutflow(np.full(100_000, 16_777_217 if dtype != np.float32 else 0.1, dtype=dtype))
    value = float(np.asarray(0.1, np.float32)) if dtype == np.float32 else 16_777_217.0
    assert cutflow.counts()["all events"]["all"]["sum_w"] == pytest.approx(100_000 * value, rel=1e-12)
