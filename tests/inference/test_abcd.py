"""The estimate and its correction, by hand; what is empty or negative is defined and marked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hnl.histograms.displaced.yields import Counts
from hnl.inference.abcd import estimate as abcd


def data(*rows):
    n = np.array(rows, dtype=float)
    return Counts(n, n)


def weighted(rows):
    """Counts of (number of events, their weight) in A, B, C, D."""
    n, w = np.moveaxis(np.array(rows, dtype=float), -1, 0)
    return Counts(n * w, n * w * w)


def test_estimate_by_hand():
    found = abcd.estimate(data([7, 12, 5, 30], [0, 8, 3, 4]))
    np.testing.assert_allclose(found.value, [2, 6])
    assert found.remark.tolist() == ["", ""]
    assert (found.low95 < found.low).all()
    assert (found.low < found.value).all()
    assert (found.value < found.high).all()
    assert (found.high < found.high95).all()


def test_region_a_is_not_used():
    once, other = (abcd.estimate(data([a, 12, 5, 30])) for a in (0, 1000))
    assert (once.value, once.low, once.high95) == (other.value, other.low, other.high95)


def test_weights():
    found = abcd.estimate(weighted([[(9, 0.1), (20, 0.5), (4, 0.5), (10, 0.5)]]))
    np.testing.assert_allclose(found.value, [4.0])
    alone = abcd.estimate(data([9, 20, 4, 10]))
    np.testing.assert_allclose(found.high / found.value, alone.high / alone.value)


def test_effective_counts():
    n, scale = abcd.effective(weighted([[(8, 0.5), (3, 2.0), (0, 1.0), (1, 1.0)]]))
    np.testing.assert_allclose(n, [[8, 3, 0, 1]])
    # None seen in C: an event there would weigh what events weigh on average, sum w^2 / sum w.
    np.testing.assert_allclose(scale, [[0.5, 2.0, (2 + 12 + 1) / (4 + 6 + 1), 1.0]])


@pytest.mark.parametrize(
    ("row", "value", "mark"),
    [
        ([1, 0, 5, 30], 0, "B empty"),
        ([1, 12, 0, 30], 0, "C empty"),
        ([1, 12, 5, 0], np.nan, "D empty"),
        ([0, 0, 0, 0], np.nan, "B empty; C empty; D empty"),
    ],
)
def test_empty_regions_are_marked(row, value, mark):
    found = abcd.estimate(data(row))
    np.testing.assert_equal(found.value, [value])
    assert found.remark.tolist() == [mark]
    assert found.low == 0 or row[3] == 0
    assert np.isfinite(found.high) == (row[3] > 0)
    assert found.high > 0


def test_a_negative_region_counts_as_empty_and_is_marked():
    counts = Counts(np.array([[1.0, 5, -0.5, 10]]), np.array([[1.0, 5, 3.0, 10]]))
    found = abcd.estimate(counts)
    assert (found.value, found.remark) == ([0.0], ["C negative"])
    assert found.high > 0


numbers = arrays(float, (3, 4), elements=st.floats(-5, 50).map(lambda number: round(number, 3)))


@given(numbers, numbers)
def test_whatever_the_weights_nothing_undefined_is_unmarked(w, w2):
    """Sums of weights and of their squares, whichever: no NaN, no order broken, no warning."""
    w2 = np.where(w == 0, 0, np.abs(w2) + w**2 / 100)
    with np.errstate(all="raise", under="ignore"):
        found = abcd.estimate(Counts(w, w2))
    undefined = np.array(["D" in mark for mark in found.remark])
    assert (np.isnan(found.value) == undefined).all()
    assert (np.isinf(found.high) == undefined).all()
    assert not np.isnan(found.low).any()
    assert (found.low[~undefined] <= found.value[~undefined]).all()
    assert (found.value[~undefined] <= found.high[~undefined]).all()


def test_weights_that_cancel_count_as_none():
    """+3 and -2.999: neither thousands of events in the upper limit, nor a region that is known to be filled."""
    counts = Counts(np.array([[1.0, 5, 0.001, 10]]), np.array([[1.0, 5, 18.0, 10]]))
    found = abcd.estimate(counts)
    assert found.value == [0.0]
    assert found.remark == ["C negative"]
    assert 0.5 < found.high[0] < 10


def test_summed():
    found = abcd.estimate(data([0, 12, 5, 30], [0, 8, 3, 4], [0, 8, 3, 0], [0, 9, 9, 9]))
    value, down, up, left_out = abcd.summed(found, np.array([True, True, True, False]))
    assert (value, left_out) == (8.0, 1)
    np.testing.assert_allclose(down, np.hypot(*(found.value - found.low)[:2]))
    np.testing.assert_allclose(up, np.hypot(*(found.high - found.value)[:2]))


def test_dy_correction_by_hand():
    dy, other = data([30, 40, 50, 100]), data([10, 60, 50, 300])
    background = Counts(dy.sum_w + other.sum_w, dy.sum_w2 + other.sum_w2)
    found = abcd.dy_correction(dy, background)
    np.testing.assert_allclose(found.c_dy, [30 / 20])
    np.testing.assert_allclose(found.f_dy, [30 / 40])
    np.testing.assert_allclose(found.c_ab, [1 + 0.5 * 0.75])
    # By propagation: of c (A, B, C, D of DY) and of the share (about 40 events).
    c_error = 1.5 * np.sqrt(1 / 30 + 1 / 40 + 1 / 50 + 1 / 100)
    expected = np.hypot(0.75 * c_error, 0.5 * np.sqrt(0.75 * 0.25 / 40))
    np.testing.assert_allclose(found.uncertainty, [expected], rtol=0.1)
    assert found.remark.tolist() == [""]


def test_without_correlation_dy_corrects_nothing():
    dy = data([20, 40, 50, 100])
    np.testing.assert_allclose(abcd.dy_correction(dy, dy).c_ab, [1.0])


@pytest.mark.parametrize(
    ("row", "mark", "uncertain"),
    [([5, 0, 5, 9], "c_DY undefined", True), ([0, 5, 5, 9], "c_DY undefined", True), ([0, 0, 0, 0], "no DY", False)],
)
def test_where_dy_does_not_tell_it_corrects_nothing(row, mark, uncertain):
    dy = data(row)
    found = abcd.dy_correction(dy, Counts(dy.sum_w + 20, dy.sum_w2 + 20))
    assert (found.c_ab, found.remark) == ([1.0], [mark])
    assert (found.uncertainty > 0) == uncertain
    assert np.isfinite(found.uncertainty).all()
