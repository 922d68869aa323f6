"""Toys of the limits: bias of an injected signal, and coverage of upper limits.

    python benchmarks/inference_toys.py --toys 2000

Prints for each model and injected mu: mean and median of the fitted mu (which may be negative here) with the error of
the mean, the mean without the excess of log-normals (see below), the share of toys above the injected mu, the spread of
mu, the width of (fitted - injected) / error, the share of toys whose asymptotic limit at 95 % CL is above the injected
mu, and the number of toys with failed fits of mu + of limits, which count as not covered. Models marked * have so few
events that limits need toys (`toys.few_events`, benchmarks/toy_coverage.py); they show why. Exit status 1 if another
model has a median bias of more than a tenth of the error of mu (by the share above), or a coverage below 95 %, by three
standard deviations of the number of toys.

The bias is that of the median. The closure is log-normal, so its auxiliary measurement predicts kappa^theta, whose mean
is above its median (1.7 % for 20 %), and the mean of mu is lower by the same share of the background. `mean*` shows
that there is no other bias: its auxiliary measurements of the background are thrown about -log(kappa) / 2, so that the
mean of kappa^theta is 1. Coverage is for auxiliary measurements about 0.

If A is empty and mu is negative, -log L falls until A expects nothing, and has no minimum. Such a fit counts as failed
and as below the injected mu.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from hnl.inference import asymptotics, minimizer, toys
from hnl.inference.likelihood import RATES, Data, Fits, Likelihood
from hnl.inference.model import Cell, Model

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
import search_models

INJECTED = (0.0, 1.0, 2.0)
COVERED = 0.95
MOST_BIAS = 0.1  # errors of mu
DENSITY = 0.4  # of a Gaussian at its median, for an error of one: what a small bias does to the share above


def few(b: float) -> Model:
    """One cell with b events of background expected in A."""
    return Model((Cell("mumu_SS", 0, (b, 20 * b, 20, 400), (3, 0.6, 0.3, 0.06)),), {"mumu_SS": 1.25})


MODELS = {
    "2 cells, many events": search_models.busy(2),
    "6 cells, many events": search_models.busy(6),
    "48 cells, >= 40 events": search_models.full(least=40).asimov(),
    "48 cells, >= 10 events": search_models.full(least=10).asimov(),
    "48 cells, >= 5 events": search_models.full(least=5).asimov(),
    "48 cells": search_models.full().asimov(),
    "1 cell, A = 3": few(3.0),
    "1 cell, A = 0.5": few(0.5),
}


def study(model: Model, mu: float, number: int, seed: int = 1) -> dict[str, float]:
    """Bias, width and coverage for one injected mu."""
    likelihood = Likelihood(model)
    truth = minimizer.fit_fixed_mu(likelihood, likelihood.data(model.asimov(mu).observed()), mu)
    data = toys.throw(likelihood, truth, number, np.random.default_rng(seed))
    best, centred = fitted(likelihood, data), fitted(likelihood, mean_of_one(likelihood, data))
    good = best.converged
    covariance = minimizer.covariance(likelihood, best, data, free_mu=good)[2]
    with np.errstate(invalid="ignore"):  # of failed fits
        error = np.sqrt(covariance[:, 0, 0])
    # Upper limits are never below mu = 0, so coverage has no meaning there.
    trivial = np.ones(number), np.zeros(number, dtype=bool)
    cls, failed = asymptotics.cls_of_many(likelihood, data, mu) if mu > 0 else trivial
    return {
        "mean": float(best.mu[good].mean()),
        "centred": float(centred.mu[centred.converged].mean()),
        "median": float(np.median(best.mu)),
        "error": float(best.mu[good].std() / np.sqrt(good.sum())),
        "spread": float(best.mu[good].std()),
        "above": float((good & (best.mu > mu)).mean()),
        "width": float(np.nanstd((best.mu[good] - mu) / np.where(error > 0, error, np.nan)[good])),
        "covered": float(((cls >= 1 - COVERED) & ~failed).mean()),
        "failed": int((~good).sum()),
        "failed_limits": int(failed.sum()),
    }


def fitted(likelihood: Likelihood, data: Data) -> Fits:
    """Fits with mu free, negative mu included."""
    lowest = -100 * float(likelihood.mu_scale(data).max())
    return minimizer.fit_free_mu(likelihood, data, minimizer.fit_fixed_mu(likelihood, data, 0.0), lowest=lowest)


def mean_of_one(likelihood: Likelihood, data: Data) -> Data:
    """The same with the predictions kappa^theta of auxiliary measurements of the background about 1 in the mean."""
    log_kappa = likelihood.background_exponents[0, :, 0].copy()  # in A
    log_kappa[:, : len(RATES)] = 0
    local, common = np.split(log_kappa, [likelihood.n_local], axis=1)
    return Data(data.n, data.aux_local - local / 2, data.aux_common - common.max(axis=0) / 2)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toys", type=int, default=2000)
    parser.add_argument("--only", default="", help="models whose name has this in it")
    arguments = parser.parse_args()
    number = arguments.toys
    bad = False
    print("model                       mu    mean +- error   mean*  median  above spread width covered failed   s/toy")
    for name, model in MODELS.items():
        if arguments.only not in name:
            continue
        few = toys.few_events(model)
        for mu in INJECTED:
            start = time.perf_counter()
            r = study(model, mu, number)
            took = (time.perf_counter() - start) / number
            covered = f"{r['covered']:.1%}" if mu > 0 else "-"
            fields = [
                f"{name + ' *' * few:<26}{mu:4.1f}{r['mean']:8.3f} +- {r['error']:.3f}{r['centred']:8.3f}",
                f"{r['median']:8.3f}{r['above']:7.1%}{r['spread']:7.3f}{r['width']:6.2f}{covered:>8}",
                f"{r['failed']:5d} + {r['failed_limits']}{took:8.4f}",
            ]
            print("".join(fields), flush=True)
            biased = abs(r["above"] - 0.5) > DENSITY * MOST_BIAS + 1.5 / np.sqrt(number)
            bad |= not few and (biased or r["covered"] < COVERED - 3 * np.sqrt(COVERED * (1 - COVERED) / number))
    sys.exit(int(bad))


if __name__ == "__main__":
    main()
