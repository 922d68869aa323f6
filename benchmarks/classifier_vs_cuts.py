"""Comparison of every classifier with the best cuts on one and on two features, at equal background efficiency.

    python benchmarks/classifier_vs_cuts.py OUT

OUT holds a finished selection and its models (`hnl train OUT`). For each working point the cuts that keep the most
signal are chosen: `x > a` or `x < a` for one feature, such cuts on two for a rectangle, thresholds at 60 quantiles.

- 'test': cuts are chosen on the events that train the models, and everything is measured on the test set.
- 'unseen': on all events, each by the cut (and the model) chosen without its fold.

The threshold of the model is moved to the background efficiency that the cut has. The last lines are the requirements:
every model beats every cut (exit status 1 if not), and the score is not correlated with m(l1,SV).
"""

import argparse
import sys
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from hnl import layout
from hnl.ml import evaluation, folds, learning, models, sample, scoring, statistics
from hnl.ml.displaced import trainings
from hnl.ml.sample import TrainingSample
from hnl.processors import selection as selections

QUANTILES = 60
WORKING_POINTS = (0.1, 0.03, 0.01)


@dataclass(frozen=True)
class Cut:
    """Requirements on features: (column, sign, threshold) for sign * feature > threshold."""

    parts: tuple[tuple[int, int, float], ...]

    def passes(self, matrix: np.ndarray) -> np.ndarray:
        """Mask; a missing value fails."""
        return np.logical_and.reduce([sign * matrix[:, i] > threshold for i, sign, threshold in self.parts])

    def say(self, names: list[str]) -> str:
        return " & ".join(f"{names[i]} {'>' if s > 0 else '<'} {s * t:.3g}" for i, s, t in self.parts)


def best_cuts(matrix: np.ndarray, is_signal: np.ndarray, weight: np.ndarray, target: float) -> tuple[Cut, Cut]:
    """The single and the rectangular cut with the largest signal efficiency at a background efficiency <= target."""
    shares = [np.where(chosen, weight / weight[chosen].sum(), 0.0) for chosen in (is_signal, ~is_signal)]
    edges, bins = {}, {}
    for i, sign in product(range(matrix.shape[1]), (1, -1)):
        values = sign * matrix[:, i]
        finite = np.isfinite(values)
        if finite.any():
            # An event in bin k passes the thresholds 0 ... k - 1; every event with a value passes the first.
            inner = np.unique(np.quantile(values[finite], np.linspace(0, 1, QUANTILES)[:-1]).astype(np.float32))
            edges[i, sign] = np.concatenate([[-np.inf], inner])
            bins[i, sign] = np.where(finite, np.searchsorted(edges[i, sign], values, side="left"), 0)
    single, single_signal = None, -1.0
    pair, pair_signal = None, -1.0
    for key in edges:
        signal, background = (_surviving(np.bincount(bins[key], s, len(edges[key]) + 1)) for s in shares)
        place = np.argmax(np.where(background[1:] <= target, signal[1:], -1))
        if signal[1:][place] > single_signal and background[1:][place] <= target:
            single, single_signal = Cut(((*key, float(edges[key][place])),)), signal[1:][place]
    for first, second in combinations(edges, 2):
        if first[0] == second[0]:
            continue
        shape = len(edges[first]) + 1, len(edges[second]) + 1
        flat = bins[first] * shape[1] + bins[second]
        signal, background = (
            _surviving(_surviving(np.bincount(flat, s, shape[0] * shape[1]).reshape(shape)).T).T[1:, 1:] for s in shares
        )
        allowed = np.where(background <= target, signal, -1)
        place = np.unravel_index(np.argmax(allowed), allowed.shape)
        if allowed[place] > pair_signal:
            parts = ((*first, float(edges[first][place[0]])), (*second, float(edges[second][place[1]])))
            pair, pair_signal = Cut(parts), allowed[place]
    if single is None or pair is None:
        raise SystemExit(f"no cut has a background efficiency below {target}")
    return single, pair


def _surviving(histogram: np.ndarray) -> np.ndarray:
    return histogram[::-1].cumsum(axis=0)[::-1]


def _of(s: TrainingSample, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return s.features[rows], s.is_signal[rows], s.weight[rows]


def compare(s: TrainingSample, score: np.ndarray, name: str, names: list[str], table: Table) -> list[str]:
    """Adds rows to the table; returns the comparisons that the model loses."""
    lost = []
    test = s.fold == folds.TEST
    for target in WORKING_POINTS:
        # By held-out fold; the test set is held out from all of them.
        chosen = {k: best_cuts(*_of(s, ~test & (s.fold != k)), target) for k in (folds.TEST, *range(folds.N_FOLDS))}
        for label, which in (("one feature", 0), ("rectangle", 1)):
            passed = np.zeros(len(test), dtype=bool)
            for fold, cuts in chosen.items():
                passed |= (s.fold == fold) & cuts[which].passes(s.features)
            for kind, rows in (("test", test), ("unseen", np.ones(len(test), dtype=bool))):
                signal, background = rows & s.is_signal, rows & ~s.is_signal
                curve = statistics.roc(score[signal], score[background], s.weight[signal], s.weight[background])
                at = s.weight[background & passed].sum() / s.weight[background].sum()
                by_cut = statistics.efficiency(passed[signal], s.weight[signal], s.generator_event[signal])
                by_model = curve[1][curve[0] <= max(at, 0)].max()
                wins = by_model > by_cut.value
                said = chosen[folds.TEST][which].say(names)
                table.add_row(
                    name,
                    kind,
                    label,
                    f"{target:g}",
                    f"{at:.4f} ({(background & passed).sum()})",
                    f"{by_cut.value:.3f} \N{PLUS-MINUS SIGN} {by_cut.error:.3f}",
                    f"{by_model:.3f}",
                    "[green]model" if wins else "[red]cut",
                    said,
                )
                if not wins:
                    lost.append(f"{name}, {kind}, {target:g}: {label} {said}")
    return lost


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    out = parser.parse_args().out
    console = Console()
    selection = selections.load(out)
    sources = learning.load_sources(selection)
    table = Table(
        "training",
        "events",
        "cut",
        "target",
        "background (events)",
        "signal, cut",
        "signal, model",
        "better",
        "what",
        title="signal efficiency at equal background efficiency",
    )
    lost, correlated = [], []
    for training in trainings.all_of(selection.catalogue):
        if trainings.no_signal_expected(training, selection.catalogue):
            continue
        model = models.load(out / layout.MODELS, training.name)
        s = sample.build(training, sources, model.features)
        score = scoring.unseen(scoring.each_model(model.boosters, s.features), s.fold)
        lost += compare(s, score, training.name, [feature.name for feature in model.features], table)
        table.add_section()
        for entry in evaluation.correlations(score, s):
            if entry["where"] == "inclusive":
                r = entry["pearson"]
                verdict = "compatible with zero" if r.p_value > 0.05 else "NOT compatible with zero"
                correlated.append(
                    f"{training.name}, {entry['selection']}: r = {r.value:.3f}, p = {r.p_value:.3f}: {verdict}"
                )
    console.print(table)
    console.print(f"the model loses {len(lost)} comparisons", *lost, sep="\n  ")
    console.print("correlation with m(l1,SV) in background", *correlated, sep="\n  ")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
