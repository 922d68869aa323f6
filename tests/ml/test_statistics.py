"""Weighted statistics against brute force and SciPy."""

import numpy as np
import pytest
from scipy import stats

from hnl.ml import statistics

RNG = np.random.default_rng(5)


def _sample(n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    is_signal = RNG.uniform(size=n) < 0.4
    score = np.round(RNG.normal(is_signal * 0.8, 1), 1)  # with ties
    return score, is_signal, RNG.uniform(-0.2, 1, n), np.arange(n)


def test_auc_is_the_probability_of_the_right_order() -> None:
    score, is_signal, weight, cluster = _sample()
    s, b, ws, wb = score[is_signal], score[~is_signal], weight[is_signal], weight[~is_signal]
    right = (s[:, None] > b) + 0.5 * (s[:, None] == b)
    expected = (ws[:, None] * wb * right).sum() / (ws.sum() * wb.sum())
    assert statistics.auc(score, is_signal, weight, cluster).value == pytest.approx(expected, rel=1e-12)


def test_auc_error_agrees_with_repetition_also_with_clusters() -> None:
    """Each event copied five times: one cluster. The spread of repeated experiments is the judge."""
    found, errors, naive = [], [], []
    for _ in range(300):
        score, is_signal, weight, _ = (np.repeat(x, 5) for x in _sample(100))
        estimate = statistics.auc(score, is_signal, weight + 0.3, np.repeat(np.arange(100), 5))
        found.append(estimate.value)
        errors.append(estimate.error)
        naive.append(statistics.auc(score, is_signal, weight + 0.3, np.arange(500)).error)
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.15)
    assert np.mean(naive) < 0.6 * np.std(found)


def test_roc_is_counted_at_every_threshold() -> None:
    score, is_signal, weight, _ = _sample()
    weight = np.abs(weight)
    background, signal = statistics.roc(score[is_signal], score[~is_signal], weight[is_signal], weight[~is_signal])
    thresholds = np.unique(score)[::-1]
    for curve, mine in ((background, ~is_signal), (signal, is_signal)):
        expected = [weight[mine & (score >= t)].sum() / weight[mine].sum() for t in thresholds]
        np.testing.assert_allclose(curve, [0.0, *expected], rtol=1e-12)
    area = np.trapezoid(signal, background)
    assert area == pytest.approx(statistics.auc(score, is_signal, weight, np.arange(400)).value, rel=1e-9)


def test_efficiency() -> None:
    passed, weight = np.array([True, False, True, False]), np.array([1.0, 1.0, 2.0, -1.0])
    found = statistics.efficiency(passed, weight, np.arange(4))
    assert found.value == pytest.approx(1.0)
    assert statistics.efficiency(np.arange(100) < 20, np.ones(100), np.arange(100)).error == pytest.approx(0.04)
    assert np.isnan(statistics.efficiency(passed, -weight, np.arange(4)).value)


def test_pearson_agrees_with_scipy_for_equal_weights() -> None:
    x = RNG.normal(size=2000)
    y = 0.04 * x + RNG.normal(size=2000)
    found, expected = statistics.pearson(x, y, np.full(2000, 2.5), np.arange(2000)), stats.pearsonr(x, y)
    assert found.value == pytest.approx(expected.statistic, rel=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=0.1, abs=0.02)


def test_pearson_p_values_are_uniform_for_weights_and_clusters() -> None:
    p_values = []
    for _ in range(400):
        x, y = (np.repeat(RNG.normal(size=150), 3) for _ in range(2))
        weight = np.repeat(RNG.exponential(size=150) * np.where(RNG.uniform(size=150) < 0.1, -1, 1), 3)
        p_values.append(statistics.pearson(x, y, weight, np.repeat(np.arange(150), 3)).p_value)
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.10
    assert 0.42 < np.mean(p_values) < 0.58


def test_distance_correlation_sees_what_pearson_does_not() -> None:
    x = RNG.normal(size=300)
    ones = np.ones(300)
    assert statistics.pearson(x, x**2, ones, np.arange(300)).value == pytest.approx(0, abs=0.25)
    assert statistics.distance_correlation(x, x**2, ones).p_value == pytest.approx(0.01)
    assert statistics.distance_correlation(x, 3 - 2 * x, ones).value == pytest.approx(1)
    assert statistics.distance_correlation(x, RNG.normal(size=300), ones).p_value > 0.02


def test_distance_correlation_by_definition() -> None:
    x, y = RNG.normal(size=30), RNG.normal(size=30)

    def centred(v: np.ndarray) -> np.ndarray:
        d = np.abs(v[:, None] - v)
        return d - d.mean(axis=0) - d.mean(axis=1, keepdims=True) + d.mean()

    a, b = centred(x), centred(y)
    expected = np.sqrt((a * b).mean() / np.sqrt((a * a).mean() * (b * b).mean()))
    assert statistics.distance_correlation(x, y, np.ones(30)).value == pytest.approx(expected)


def test_nothing_to_estimate_from() -> None:
    none, one = np.empty(0), np.ones(5)
    assert np.isnan(statistics.auc(none, none.astype(bool), none, none.astype(int)).value)
    assert np.isnan(statistics.auc(one, one > 2, one, np.arange(5)).value)
    assert np.isnan(statistics.pearson(none, none, none, none.astype(int)).value)
    assert np.isnan(statistics.pearson(one, one, one, np.arange(5)).p_value)
    assert np.isnan(statistics.distance_correlation(one, one, one).value)
