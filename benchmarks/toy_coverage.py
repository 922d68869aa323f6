"""Coverage of limits by toys: the share of pseudo-experiments with CLs at the true mu above 5 %, at least 95 %.

    python benchmarks/toy_coverage.py --experiments 1000
    python benchmarks/toy_coverage.py --experiments 300 --only sparse --methods toys fitted

Pseudo-experiments are complete: counts of all regions and auxiliary measurements of all nuisance parameters. In each,
CLs at the true mu is found asymptotically, by `inference.toys`, and by the same with other distributions of the rates:
Gamma(n + 1/2) ('half') and Gamma(n + 1) ('one'). 'fitted' is slow and runs only on demand: toys of q~_mu, thrown from
the fits of each pseudo-experiment at mu and 0, until CLs is three standard errors from 5 % or MOST are thrown.

The median expected limits of each model are printed first: they show the cost of coverage.

Exit status 1 if `inference.toys` covers less than 95 % by three standard deviations of the number of experiments.
A fit that fails counts as no exclusion of the true signal, and is counted.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hnl.inference import asymptotics, minimizer, toys
from hnl.inference.likelihood import Data, FitError, Fits, Likelihood

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
import inference_toys
import search_models

MUS = (1.0, 2.0)
ALPHA = 0.05
STEP, BEGIN, MOST = 20, 60, 600  # toys of q~: in a round, before both hypotheses are thrown, at most
SURE = 3.0  # standard errors
SEED = 21


MODELS = {
    name: inference_toys.MODELS[name]
    for name in ("1 cell, A = 0.5", "1 cell, A = 3", "48 cells, >= 10 events", "48 cells, >= 5 events", "48 cells")
} | {
    # Not looked at when the distributions were chosen.
    "48 other cells": search_models.full(seed=2, correlated=False).asimov(),
    "6 sparse cells": search_models.sparse(),
    "the same, signal in B": search_models.sparse((1.0, 2.0, 0.2, 0.1)),
}


class Exclusion(NamedTuple):
    """Results per pseudo-experiment: whether mu is excluded, and whether a fit failed."""

    excluded: Any
    failed: Any


def experiments(likelihood: Likelihood, mu: float, number: int) -> Data:
    """Pseudo-experiments of the model with mu times the signal."""
    truth = minimizer.fit_fixed_mu(likelihood, likelihood.data(likelihood.model.asimov(mu).observed()), mu)
    return toys.throw(likelihood, truth, number, np.random.default_rng(SEED))


def asymptotic(likelihood: Likelihood, data: Data, mu: float) -> Exclusion:
    """Exclusion by the asymptotic formulas."""
    cls, failed = asymptotics.cls_of_many(likelihood, data, mu)
    return Exclusion((cls < ALPHA) & ~failed, failed)


def averaged(shapes: tuple[float, float, float]) -> Callable[[Likelihood, Data, float], Exclusion]:
    """Exclusion by `inference.toys`, with rates drawn from Gamma distributions."""

    def exclusion(likelihood: Likelihood, data: Data, mu: float) -> Exclusion:
        excluded, failed = np.zeros((2, len(data.n)), dtype=bool)
        for i in range(len(data.n)):
            test = toys.Toys(likelihood.model, 2000, i, data=data.take(slice(i, i + 1)), shapes=shapes)
            try:
                excluded[i] = (test.cls(mu).observed or 0.0) < ALPHA
            except FitError:
                failed[i] = True
        return Exclusion(excluded, failed)

    return exclusion


def fitted(likelihood: Likelihood, data: Data, mu: float) -> Exclusion:
    """Exclusion by toys of q~_mu, thrown from the fits at mu and at 0; a failed fit counts against exclusion."""
    rng = np.random.default_rng(SEED + 1)
    q, failed, truths = _q(likelihood, data, mu)
    above, thrown = np.zeros((2, len(q))), np.zeros((2, len(q)))
    excluded = np.zeros(len(q), dtype=bool)
    undecided = np.flatnonzero((q > 1e-6) & ~failed)  # q = 0: CLs = 1

    def throw(hypothesis: int, which: Any) -> None:
        i = np.repeat(which, STEP)
        truth = Fits(*(part[i] for part in truths[hypothesis]))
        pulls = [part + rng.normal(size=part.shape) for part in (truth.local, truth.common)]
        counts = rng.poisson(likelihood.expected(truth)).astype(np.float64)
        q_toy, bad, _ = _q(likelihood, Data(counts, *pulls), mu)
        far = q_toy >= q[i] - 1e-6
        above[hypothesis, which] += ((far & ~bad) if hypothesis else (far | bad)).reshape(-1, STEP).sum(axis=1)
        thrown[hypothesis, which] += STEP

    while len(undecided) and thrown[0, undecided].max() < MOST:
        throw(0, undecided)
        signal, error = _share(above[0], thrown[0])
        sure = signal - SURE * error > ALPHA  # CLs is above the share of signal toys
        measured = undecided[~sure[undecided] & (thrown[0, undecided] >= BEGIN)]
        while len(behind := measured[thrown[1, measured] < thrown[0, measured]]):
            throw(1, behind)
        background, background_error = _share(above[1], thrown[1])
        cls = signal / background
        sure[measured] |= (np.abs(cls - ALPHA) > SURE * cls * np.hypot(error / signal, background_error / background))[
            measured
        ]
        excluded[measured] = cls[measured] < ALPHA
        undecided = undecided[~sure[undecided]]
    return Exclusion(excluded, failed)


def _q(likelihood: Likelihood, data: Data, mu: float) -> tuple[Any, Any, tuple[Fits, Fits]]:
    """q~_mu, whether a fit failed, and the fits at mu and at 0."""
    null = minimizer.fit_fixed_mu(likelihood, data, 0.0)
    best = minimizer.fit_free_mu(likelihood, data, null)
    at = minimizer.fit_fixed_mu(likelihood, data, mu, begin=best)
    q = np.where(best.mu > mu, 0.0, np.maximum(2 * (at.nll - best.nll), 0))
    return q, ~(best.converged & at.converged), (at, null)


def _share(number: Any, of: Any) -> tuple[Any, Any]:
    share = (number + 0.5) / (of + 1)
    return share, np.sqrt(share * (1 - share) / (of + 1))


METHODS = {
    "asymptotic": asymptotic,
    "toys": averaged(toys.SHAPES),
    "half": averaged((0.5, 0.5, 0.5)),
    "one": averaged((1.0, 1.0, 1.0)),
    "fitted": fitted,
}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=300)
    parser.add_argument("--only", default="", help="models whose name has this in it")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[m for m in METHODS if m != "fitted"])
    arguments = parser.parse_args()
    number, bad = arguments.experiments, False
    print("model                   mu  method      covered  failed  s/experiment")
    for name, of in MODELS.items():
        if arguments.only not in name:
            continue
        likelihood = Likelihood(of)
        limits = asymptotics.upper_limit(of).expected[2], toys.Toys(of).upper_limit().expected[2]
        print(f"{name}: expected limit {limits[0]:.3g} asymptotic, {limits[1]:.3g} by toys", flush=True)
        for mu in MUS:
            data = experiments(likelihood, mu, number)
            for method in arguments.methods:
                start = time.perf_counter()
                result = METHODS[method](likelihood, data, mu)
                took = (time.perf_counter() - start) / number
                covered, failed = 1 - result.excluded.mean(), int(result.failed.sum())
                print(f"{name:<24}{mu:2g}  {method:<11}{covered:8.1%}{failed:8d}{took:14.3f}", flush=True)
                bad |= method == "toys" and covered < 1 - ALPHA - 3 * np.sqrt(ALPHA * (1 - ALPHA) / number)
    sys.exit(int(bad))


if __name__ == "__main__":
    main()
