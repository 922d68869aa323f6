"""Toys of the background estimate: bias of B C / D and coverage of its intervals, by expected counts.

    python benchmarks/abcd_toys.py --toys 20000

Prints one line per expected (B, C, D): mean of the estimate over the truth, and the share of toys with the truth inside
the 68.3 % and the 95 % interval, for data and for simulation with unequal weights. The last column is the interval of
Gaussian error propagation, for comparison. Exit status 1 if an interval covers less than 2 % below its
level.
"""

import argparse
import sys
from typing import Any

import numpy as np

from hnl.histograms.displaced.yields import Counts
from hnl.inference.abcd import estimate as abcd
from hnl.inference.intervals import ONE_SIGMA, TWO_SIGMA

EXPECTED = [
    (b, c, d) for d in (20.0, 100.0, 1000.0) for b in (3.0, 10.0, 100.0) for c in (1.0, 2.0, 5.0, 20.0) if b <= d
]
LEVELS = (ONE_SIGMA, TWO_SIGMA)
TOLERANCE = 0.02


def throw(rng: np.random.Generator, expected: tuple[float, float, float], toys: int, *, weighted: bool) -> Counts:
    """Counts of data, or of two kinds of simulated events with weights 1 and 1/4, each half of the yield."""
    means = np.array([0.0, *expected])
    if not weighted:
        n = rng.poisson(means, (toys, 4)).astype(float)
        return Counts(n, n)
    parts = [(w, rng.poisson(means / 2 / w, (toys, 4))) for w in (1.0, 0.25)]
    return Counts(sum(w * n for w, n in parts), sum(w * w * n for w, n in parts))


def distinct(counts: Counts) -> tuple[Counts, Any]:
    """The distinct toys, and the index of each toy among them: at low counts there are few."""
    sums = np.concatenate([counts.sum_w, counts.sum_w2], axis=1)
    unique, inverse = np.unique(sums, axis=0, return_inverse=True)
    return Counts(unique[:, :4], unique[:, 4:]), inverse


def coverage(
    expected: tuple[float, float, float], toys: int, seed: int = 1, *, weighted: bool = False
) -> dict[str, Any]:
    """Bias and coverage for given expected counts."""
    counts, inverse = distinct(throw(np.random.default_rng(seed), expected, toys, weighted=weighted))
    truth = expected[0] * expected[1] / expected[2]
    estimate = abcd.estimate(counts)
    value = estimate.value[inverse]
    intervals = ((estimate.low, estimate.high), (estimate.low95, estimate.high95))
    covered = [float(((low <= truth) & (truth <= high))[inverse].mean()) for low, high in intervals]
    b, c, d = (np.maximum(counts.sum_w[:, i], 1e-9)[inverse] for i in (1, 2, 3))
    naive_error = np.nan_to_num(value) * np.sqrt(
        sum(counts.sum_w2[inverse, i + 1] / n**2 for i, n in enumerate((b, c, d)))
    )
    naive = float((np.abs(value - truth) <= naive_error).mean())
    defined = value[np.isfinite(value)]
    error = defined.std() / truth / np.sqrt(len(defined))
    return {"bias": defined.mean() / truth - 1, "bias_error": error, "covered": covered, "naive": naive}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toys", type=int, default=20000)
    toys = parser.parse_args().toys
    failed = False
    print(f"{'':11}{'B':>6}{'C':>5}{'D':>7}{'bias':>9}{'+-':>8}{'68.3 %':>9}{'95 %':>8}{'sqrt N':>9}")
    for weighted in (False, True):
        for expected in EXPECTED:
            r = coverage(expected, toys, weighted=weighted)
            bad = any(got < level - TOLERANCE for got, level in zip(r["covered"], LEVELS, strict=True))
            failed |= bad
            print(
                f"{'simulation' if weighted else 'data':11}{expected[0]:6g}{expected[1]:5g}{expected[2]:7g}"
                f"{r['bias']:+9.3f}{r['bias_error']:8.3f}{r['covered'][0]:9.3f}{r['covered'][1]:8.3f}{r['naive']:9.3f}"
                f"{'  too low' if bad else ''}",
                flush=True,
            )
    sys.exit(failed)


if __name__ == "__main__":
    main()
