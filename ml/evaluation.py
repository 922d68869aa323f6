"""How good a classifier is, and whether its score is independent of m(l1,SV): numbers for tables, cards and figures.

Two kinds of scores are looked at. 'test': the mean of the three models on the test set, which nothing touched.
'unseen': the score that the search uses, on all events, each by the model that knows nothing of it: ten times as many
events, and no less honest. 'train': by the models that were trained with the event.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import xgboost

from hnl.ml import folds, scoring, statistics
from hnl.ml.sample import TrainingSample
from hnl.ml.statistics import ValueWithError
from hnl.selections.displaced import categories, regions
from hnl.selections.displaced.categories import CATEGORIES

THRESHOLDS = (0.2, 0.9, 0.97, 0.98, 0.99, 0.998)  # section 6: 0.2 always, then 0.97 to 0.998
BACKGROUND_EFFICIENCIES = (0.1, 0.01, 0.001)
BINS = 25
MAX_CURVE_POINTS = 400
MIN_EVENTS_OF_A_MEAN = 3  # effective number of events of a point of the profile


def evaluate(boosters: Sequence[xgboost.Booster], names: Sequence[str], sample: TrainingSample) -> dict[str, Any]:
    """Everything about one classifier.

    Args:
        boosters: the three models, by the fold that each knows nothing of.
        names: of the features.
        sample: the events that they were trained with, and the test set.

    Returns:
        JSON: 'auc' by kind of score, 'categories', 'masses', 'thresholds', 'background_efficiencies', 'correlation',
        'importance', 'roc', 'histograms', 'profile', 'counts'. What cannot be estimated is None.
    """
    each = scoring.each_model(boosters, sample.features)
    result: dict[str, Any] = _without_nan(
        {
            "counts": _counts(sample),
            **_performance(each, sample),
            "correlation": correlations(scoring.unseen(each, sample.fold), sample),
            "importance": importance(boosters, names),
        }
    )
    return result


def _performance(each: np.ndarray, sample: TrainingSample) -> dict[str, Any]:
    unseen = scoring.unseen(each, sample.fold)
    is_test = sample.fold == folds.TEST
    everything = np.ones(len(unseen), dtype=bool)
    seen = _seen(each, sample.fold)

    def area(score: np.ndarray, rows: np.ndarray) -> ValueWithError:
        return statistics.auc(score[rows], sample.is_signal[rows], sample.weight[rows], sample.generator_event[rows])

    def areas(rows: np.ndarray) -> dict[str, Any]:
        return {"test": area(unseen, rows & is_test), "unseen": area(unseen, rows)}

    masses = np.unique(sample.mass[sample.is_signal])
    return {
        "auc": {"train": area(seen, ~is_test), **areas(everything)},
        "categories": {
            CATEGORIES[i]: areas(sample.category == i) | {"counts": _counts(sample, sample.category == i)}
            for i in np.unique(sample.category)
        },
        "masses": {f"{mass:g}": areas(~sample.is_signal | (sample.mass == mass)) for mass in masses},
        "thresholds": [_at_threshold(unseen, sample, threshold) for threshold in THRESHOLDS],
        "background_efficiencies": {
            kind: _at_background_efficiency(unseen[rows], _rows(sample, rows))
            for kind, rows in (("test", is_test), ("unseen", everything))
        },
        "roc": {
            kind: _curve(score[rows], _rows(sample, rows))
            for kind, score, rows in (
                ("train", seen, ~is_test),
                ("test", unseen, is_test),
                ("unseen", unseen, everything),
            )
        },
        "histograms": {
            "edges": np.linspace(0, 1, BINS + 1).tolist(),
            "train": _histograms(seen, sample, ~is_test),
            "test": _histograms(unseen, sample, is_test),
            "unseen": _histograms(unseen, sample, everything),
        },
        "profile": _profile(unseen, sample),
    }


def correlations(score: np.ndarray, sample: TrainingSample) -> list[dict[str, Any]]:
    """Dependence of score and m(l1,SV) in background: inclusively and by category, before and after preselection.

    Args:
        score: 'unseen', (n,).
        sample: its background without QCD, N(jets) = 1 and > 1; weighted by expected yield.
    """
    selections = {
        "all": ~sample.is_signal,
        "preselected": ~sample.is_signal & regions.preselected(score, sample.m_l1_sv),
    }
    result = []
    for selection, chosen in selections.items():
        for where, rows in _places(sample, chosen):
            m, s, w = sample.m_l1_sv[rows], score[rows], sample.weight[rows]
            result.append(
                {
                    "selection": selection,
                    "where": where,
                    "events": int(rows.sum()),
                    "pearson": statistics.pearson(m, s, w, sample.generator_event[rows]),
                    "distance": statistics.distance_correlation(m, s, w),
                }
            )
    return result


def _places(sample: TrainingSample, chosen: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Inclusive, the two flavour pairs, and each category with a charge."""
    places = [("inclusive", chosen)]
    for flavours in dict.fromkeys(categories.ALL[i].flavours for i in np.unique(sample.category)):
        both = [category for category in categories.ALL if category.flavours == flavours]
        places.append((flavours, chosen & np.isin(sample.category, [category.index for category in both])))
        places += [(category.label, chosen & (sample.category == category.index)) for category in both]
    return places


def importance(boosters: Sequence[xgboost.Booster], names: Sequence[str]) -> dict[str, float]:
    """Share of each feature in the total gain of all splits, averaged over the models, largest first."""
    shares = dict.fromkeys(names, 0.0)
    for booster in boosters:
        gain = booster.get_score(importance_type="total_gain")
        total = sum(gain.values())
        for name, value in gain.items():
            shares[name] += value / total / len(boosters)
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def _seen(each: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Mean of the two models that were trained with an event; meaningless for the test set."""
    own = np.arange(folds.N_FOLDS)[:, None] == fold
    mean: np.ndarray = np.where(own, 0, each).sum(axis=0) / (folds.N_FOLDS - 1)
    return mean


def _rows(sample: TrainingSample, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return sample.is_signal[rows], sample.weight[rows]


def _counts(sample: TrainingSample, rows: np.ndarray | None = None) -> dict[str, Any]:
    rows = np.ones(len(sample.fold), dtype=bool) if rows is None else rows
    names = {folds.TEST: "test"} | {fold: f"fold {fold}" for fold in range(folds.N_FOLDS)}
    result = {}
    for label, signal in (("signal", True), ("background", False)):
        mine = rows & (sample.is_signal == signal)
        result[label] = {name: int((sample.fold[mine] == fold).sum()) for fold, name in names.items()}
    expected = float(sample.weight[rows & ~sample.is_signal].sum())
    return result | {"expected_background": expected}


def _at_threshold(unseen: np.ndarray, sample: TrainingSample, threshold: float) -> dict[str, Any]:
    """Efficiencies for a score above a threshold."""
    result: dict[str, Any] = {"threshold": threshold}
    for label, mine in (("signal", sample.is_signal), ("background", ~sample.is_signal)):
        result[label] = statistics.efficiency(
            unseen[mine] > threshold, sample.weight[mine], sample.generator_event[mine]
        )
        result[f"{label}_events"] = int((unseen[mine] > threshold).sum())
    return result


def _at_background_efficiency(score: np.ndarray, of: tuple[np.ndarray, np.ndarray]) -> list[dict[str, Any]]:
    """Signal efficiency at fixed background efficiencies."""
    is_signal, weight = of
    if not (weight[is_signal].sum() > 0 and weight[~is_signal].sum() > 0):
        return []
    background, signal = statistics.roc(score[is_signal], score[~is_signal], weight[is_signal], weight[~is_signal])
    return [
        {"background": target, "signal": float(signal[background <= target].max())}
        for target in BACKGROUND_EFFICIENCIES
    ]


def _curve(score: np.ndarray, of: tuple[np.ndarray, np.ndarray]) -> dict[str, list[float]]:
    is_signal, weight = of
    if not (weight[is_signal].sum() > 0 and weight[~is_signal].sum() > 0):
        return {"background": [], "signal": []}
    background, signal = statistics.roc(score[is_signal], score[~is_signal], weight[is_signal], weight[~is_signal])
    keep = np.unique(np.linspace(0, len(signal) - 1, MAX_CURVE_POINTS).astype(int))
    return {"background": background[keep].tolist(), "signal": signal[keep].tolist()}


def _histograms(score: np.ndarray, sample: TrainingSample, rows: np.ndarray) -> dict[str, Any]:
    """Sums of weights and of squared weights in bins of the score."""
    result = {}
    for label, mine in (("signal", rows & sample.is_signal), ("background", rows & ~sample.is_signal)):
        for power, name in ((1, label), (2, f"{label}_variance")):
            weight = sample.weight[mine] ** power
            result[name] = np.histogram(score[mine], bins=BINS, range=(0, 1), weights=weight)[0].tolist()
    return result


def _profile(score: np.ndarray, sample: TrainingSample) -> list[dict[str, Any]]:
    """Mean m(l1,SV) of background, with its error, in bins of the score."""
    result = []
    edges = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 1.0)
    for low, high in pairwise(edges):
        rows = ~sample.is_signal & (score >= low) & ((score < high) | (high == 1.0))
        weight, cluster = sample.weight[rows], sample.generator_event[rows]
        if statistics.effective_events(weight, cluster) < MIN_EVENTS_OF_A_MEAN:
            continue
        mean = statistics.mean(sample.m_l1_sv[rows].astype(np.float64), weight, cluster)
        result.append({"low": low, "high": high, "events": int(rows.sum()), "mean": mean.value, "error": mean.error})
    return result


def _without_nan(content: object) -> Any:
    """The same for JSON: no NaN, no tuples, no NumPy numbers."""
    if isinstance(content, ValueWithError | statistics.WeightedCorrelation):
        return _without_nan(content._asdict())
    if isinstance(content, Mapping):
        return {str(key): _without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not np.isfinite(content) else content
