"""Coverage of limits by toys: the share of pseudo-experiments with CLs at the true mu above 5 %, at least 95 %.

    python benchmarks/toy_coverage.py --experiments 1000
    python benchmarks/toy_coverage.py --experiments 300 --only N_D --mus 0.5 1 2 --methods lhc asymptotic
    python benchmarks/toy_coverage.py --experiments 300 --only sparse --methods hybrid lhc

Pseudo-experiments are complete: counts of all regions and auxiliary measurements of all nuisance parameters. In each,
CLs at the true mu is found asymptotically, by `inference.toys` ('hybrid'), by the same with other distributions,
Gamma(n + 1/2) ('half') and Gamma(n + 1) ('one'), and by `inference.lhc`, until it is three standard errors from 5 %
or MOST toys are thrown.

The median expected limits of each model are printed first: they show the cost of coverage.

Beside the coverage is the power: the share of pseudo-experiments without signal in which mu is excluded.

Exit status 1 if `hybrid` or `lhc` covers less than 95 % by three standard deviations of the number of experiments.
A fit that fails counts as no exclusion of the true signal, and is counted.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hnl.inference import asymptotics, lhc, minimizer, toys
from hnl.inference import model as models
from hnl.inference.likelihood import Data, FitError, Likelihood
from hnl.inference.model import Model

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
import inference_toys
import search_models

MUS = (1.0, 2.0)
ALPHA = 0.05
MOST = 3000  # toys of q~ with signal
SURE = 3.0  # standard errors
SEED = 21


def alike(cells: int, in_d: float) -> Model:
    """Cells that are all the same: `in_d` events expected in D, a third in B and in C, a ninth in A.

    The signal makes a typical error of mu one half.
    """
    signal = np.tile(search_models.REGIONS_OF_SIGNAL, (cells, 1))
    rates = np.tile(in_d * np.array([1 / 9, 1 / 3, 1 / 3, 1]), (cells, 1))

    def model(scale: float) -> Model:
        s = scale * signal
        return Model(models.cells("mumu_SS", range(cells), rates, s, 0.1 * s, {"lumi": 1.016}), {"mumu_SS": 1.25})

    unit = Likelihood(model(1.0))
    return model(2 * float(unit.mu_scale(unit.data())[0]))


ALIKE = {f"{k} cells, N_D = {d}": alike(k, d) for k in (1, 6, 48) for d in (3, 10, 30)}
MODELS = (
    ALIKE
    | {
        name: inference_toys.MODELS[name]
        for name in ("1 cell, A = 0.5", "1 cell, A = 3", "48 cells, >= 10 events", "48 cells, >= 5 events", "48 cells")
    }
    | {
        # Not looked at when the distributions were chosen.
        "48 other cells": search_models.full(seed=2, correlated=False).asimov(),
        "6 sparse cells": search_models.sparse(),
        "the same, signal in B": search_models.sparse((1.0, 2.0, 0.2, 0.1)),
    }
)


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


def lhc_type(likelihood: Likelihood, data: Data, mu: float) -> Exclusion:
    """Exclusion by `inference.lhc`."""
    excluded, failed = np.zeros((2, len(data.n)), dtype=bool)
    for i in range(len(data.n)):
        try:
            test = lhc.Lhc(likelihood.model, i, data=data.take(slice(i, i + 1))).test(mu)
            cls, error = 1.0, np.inf
            while abs(np.log(cls / ALPHA)) < SURE * error and test.thrown[0] < MOST:
                test.throw(*(lhc.ROUND if test.thrown[0] else lhc.FIRST))
                cls, error = test.cls(None)
            excluded[i] = cls < ALPHA
        except FitError:
            failed[i] = True
    return Exclusion(excluded, failed)


METHODS = {
    "asymptotic": asymptotic,
    "hybrid": averaged(toys.SHAPES),
    "half": averaged((0.5, 0.5, 0.5)),
    "one": averaged((1.0, 1.0, 1.0)),
    "lhc": lhc_type,
}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=300)
    parser.add_argument("--only", default="", help="models whose name has this in it")
    parser.add_argument("--mus", type=float, nargs="+", default=MUS)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[m for m in METHODS if m != "lhc"])
    arguments = parser.parse_args()
    number, bad = arguments.experiments, False
    print("model                   mu  method      covered        power   failed  CPU s/experiment")
    for name, of in MODELS.items():
        if arguments.only not in name:
            continue
        likelihood = Likelihood(of)
        limits = asymptotics.upper_limit(of).expected[2], toys.Toys(of).upper_limit().expected[2]
        print(f"{name}: expected limit {limits[0]:.3g} asymptotic, {limits[1]:.3g} hybrid", flush=True)
        null = experiments(likelihood, 0.0, number)
        for mu in arguments.mus:
            data = experiments(likelihood, mu, number)
            for method in arguments.methods:
                start = time.process_time()
                result, without = (METHODS[method](likelihood, d, mu) for d in (data, null))
                took = (time.process_time() - start) / (2 * number)
                covered, power = 1 - result.excluded.mean(), without.excluded.mean()
                errors = [100 * np.sqrt(p * (1 - p) / number) for p in (covered, power)]
                failed = int(result.failed.sum() + without.failed.sum())
                shares = [f"{100 * p:5.1f} +- {error:3.1f}" for p, error in zip((covered, power), errors, strict=True)]
                print(f"{name:<24}{mu:3g}  {method:<11}{'  '.join(shares)}{failed:6d}{took:12.3f}", flush=True)
                least = 1 - ALPHA - 3 * np.sqrt(ALPHA * (1 - ALPHA) / number)
                bad |= method in ("hybrid", "lhc") and covered < least
    sys.exit(int(bad))


if __name__ == "__main__":
    main()
