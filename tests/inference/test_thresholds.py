"""The choice of the threshold, and tables of thresholds."""

import json

import numpy as np
import pytest

from hnl.histograms.displaced.yields import Counts
from hnl.inference.abcd import thresholds
from hnl.inference.abcd.settings import PAPER
from hnl.inference.abcd.thresholds import ThresholdError
from hnl.selections.displaced.categories import CATEGORIES

GRID = [0.97, 0.98, 0.99]
TABLE = {h: dict.fromkeys(CATEGORIES, 0.98) for h in ("low", "high")}


def counts(*rows):
    """One bin; a row of A, B, C, D for each threshold."""
    n = np.array(rows, dtype=float)[:, None, :]
    return Counts(n, n)


BACKGROUND = counts([0, 900, 90, 900], [0, 930, 40, 950], [0, 950, 10, 980])
SIGNAL = counts([9.5, 0.5, 0, 0], [9, 1, 0, 0], [8, 2, 0, 0])


def test_signal_over_background_drives_x_up():
    scan = thresholds.scan(GRID, BACKGROUND, [SIGNAL], [10.0])
    assert scan.chosen == 0.99
    np.testing.assert_allclose(scan.background, [90, 930 * 40 / 950, 950 * 10 / 980])
    np.testing.assert_allclose(scan.signal_fraction, [0.95, 0.9, 0.8])
    assert scan.figure_of_merit.max() == 1
    assert scan.mark == ""
    # Z^2 = s^2 / (b + sigma^2); sigma of 90 is about that of C.
    assert scan.figure_of_merit[0] == pytest.approx((9.5 / 8) ** 2 * (9.7 + 16.6) / (90 + 119), rel=0.15)


def test_signal_that_is_lost_drives_x_down():
    lost = counts([9.5, 0.5, 0, 0], [3, 7, 0, 0], [0.5, 9.5, 0, 0])
    assert thresholds.scan(GRID, BACKGROUND, [lost], [10.0]).chosen == 0.97


def test_c_is_not_emptied():
    """The best figure of merit is where C has fewer than `least_c` events: not taken."""
    thin = counts([0, 900, 90, 900], [0, 930, PAPER.estimate.least_c, 950], [0, 950, PAPER.estimate.least_c - 0.1, 980])
    scan = thresholds.scan(GRID, thin, [SIGNAL], [10.0])
    assert scan.chosen == 0.98
    assert scan.poor_bins.tolist() == [0, 0, 1]
    assert scan.smallest_c.tolist() == [90, PAPER.estimate.least_c, PAPER.estimate.least_c - 0.1]


def test_where_c_is_too_small_anyway_it_is_marked():
    scan = thresholds.scan(GRID, counts(*[[0, 900, 1, 900]] * 3), [SIGNAL], [10.0])
    assert scan.mark == "1 bins expect fewer than 3 events in C"


def test_no_signal():
    for signals, totals in (([], []), ([SIGNAL], [0.0]), ([SIGNAL], [-1.0])):
        scan = thresholds.scan(GRID, BACKGROUND, signals, totals)
        assert scan.chosen == 0.97
        assert "no signal" in scan.mark
        assert not scan.figure_of_merit.any()


def test_empty_background_is_no_division_by_zero():
    scan = thresholds.scan(GRID, counts(*[[0, 0, 0, 0]] * 3), [SIGNAL], [10.0])
    assert scan.chosen in GRID
    for value in vars(scan).values():
        assert not isinstance(value, np.ndarray) or np.isfinite(value).all()


def test_signals_count_alike_whatever_their_cross_section():
    """A tiny signal that wants a low x against a huge one that wants a high x."""
    low = counts([1e-3, 0, 0, 0], [1e-5, 1e-3, 0, 0], [1e-5, 1e-3, 0, 0])
    high = counts([1e3, 0, 0, 0], [1e3, 0, 0, 0], [1e3, 0, 0, 0])
    both = thresholds.scan(GRID, BACKGROUND, [low, high], [1e-3, 1e3]).figure_of_merit
    swapped = thresholds.scan(GRID, BACKGROUND, [high, low], [1e3, 1e-3]).figure_of_merit
    alone = thresholds.scan(GRID, BACKGROUND, [high], [1e3]).figure_of_merit
    np.testing.assert_allclose(both, swapped)
    assert both[0] / both[2] > 1.9 * alone[0] / alone[2]


def test_a_table_is_read(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(TABLE))
    assert thresholds.read(path) == TABLE


def changed(**entries):
    return TABLE | {"low": TABLE["low"] | entries}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"low": TABLE["low"]}, "low, high"),
        ([], "low, high"),
        (TABLE | {"low": {"ee_OS": 0.98}}, "every category"),
        (changed(ee_OS=1.0), "ee_OS: 1.0 is not between"),
        (changed(ee_OS=0.2), "ee_OS: 0.2"),
        (changed(ee_OS="0.98"), "ee_OS: '0.98'"),
        (changed(ee_OS=True), "ee_OS: True"),
        (changed(ee_OS=float("nan")), "ee_OS: nan"),
        (changed(ee=0.98), "every category"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path, content, message):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ThresholdError, match=message) as error:
        thresholds.read(path)
    assert str(path) in str(error.value)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(ThresholdError, match="none"):
        thresholds.read(tmp_path / "none.json")
