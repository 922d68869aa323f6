"""A small evaluator of Combine cards for counting experiments, written from Combine's documentation alone.

It knows nothing of our models: https://cms-analysis.github.io/HiggsAnalysis-CombinedLimit, "Setting up the analysis",
sections on counting experiments, log-normal uncertainties and rate parameters. A process with a number <= 0 is signal
and is scaled by r. A rateParam multiplies the rate of its process in its bin; those without a constraint are free
within their range; formulas refer to their arguments by position.
"""

import re
from typing import Any

import numpy as np
from iminuit import Minuit
from scipy.stats import norm


class Card:
    """A card; `nll(values, observed, centres)` and its minima by Minuit."""

    def __init__(self, text: str) -> None:
        rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("-")]
        bins = [row[1:] for row in rows if row[0] == "bin"]
        processes = [row[1:] for row in rows if row[0] == "process"]
        self.bins = bins[0]
        self.observed = np.array([float(x) for row in rows if row[0] == "observation" for x in row[1:]])
        self.columns = list(zip(bins[1], processes[0], strict=True))
        self.is_signal = np.array([int(number) <= 0 for number in processes[1]])
        self.rates = np.array([float(x) for row in rows if row[0] == "rate" for x in row[1:]])
        self.to_bin = np.array([[b == column[0] for column in self.columns] for b in self.bins], dtype=float)
        self.nuisances, logs = [], []
        self.free: dict[str, tuple[float, float, float]] = {}
        self.multipliers: list[tuple[int, str, list[str]]] = []  # column, formula, arguments
        for row in rows:
            if row[1] == "lnN":
                self.nuisances.append(row[0])
                logs.append([0.0 if x == "-" else np.log(float(x)) for x in row[2:]])
            elif row[1] == "rateParam":
                name, _, target, process, value, extra = row
                column = self.columns.index((target, process))
                if "@" in value:
                    formula = re.sub(r"@(\d+)", r"x[\1]", value)
                    self.multipliers.append((column, formula, extra.split(",")))
                else:
                    low, high = extra.strip("[]").split(",")
                    self.free[name] = (float(value), float(low), float(high))
                    self.multipliers.append((column, "x[0]", [name]))
        self.logs = np.array(logs).reshape(len(logs), len(self.columns))
        self.names = ["r", *self.nuisances, *self.free]
        self._codes = [
            (column, compile(formula, "card", "eval"), [self.names.index(a) for a in arguments])
            for column, formula, arguments in self.multipliers
        ]

    def expected(self, values: Any) -> Any:
        """Events in each bin."""
        n = len(self.nuisances)
        rates = self.rates * np.exp(values[1 : n + 1] @ self.logs)
        rates = np.where(self.is_signal, values[0] * rates, rates)
        for column, code, arguments in self._codes:
            rates[column] *= eval(code, {"x": [values[i] for i in arguments]})
        return self.to_bin @ rates

    def nll(self, values: Any, observed: Any, centres: Any) -> float:
        """-log L: Poisson terms for whole and other counts, unit Gaussians for the nuisance parameters."""
        nu = np.maximum(self.expected(values), 1e-12)
        pulls = values[1 : len(self.nuisances) + 1] - centres
        return float((nu - observed * np.log(nu)).sum() + (pulls**2).sum() / 2)

    def minimum(self, observed: Any, centres: Any, r: float | None, highest: float) -> tuple[Any, float]:
        """Values at the minimum and -log L there; r in [0, highest] or fixed."""
        start = [r if r is not None else highest / 20, *centres, *(value for value, _, _ in self.free.values())]
        minuit = Minuit(lambda x: self.nll(x, observed, centres), np.array(start), name=self.names)
        minuit.errordef, minuit.tol, minuit.strategy = 0.5, 1e-3, 1
        minuit.limits["r"] = (0, highest)
        minuit.fixed["r"] = r is not None
        for name, (_, low, high) in self.free.items():
            minuit.limits[name] = (low, high)
        for name in self.nuisances:
            minuit.limits[name] = (-7, 7)
        minuit.migrad(ncall=200_000)
        assert minuit.fmin.edm < 1e-4
        return np.array(minuit.values), float(minuit.fval)

    def cls(self, r: float, highest: float) -> tuple[float, float, float]:
        """Observed CLs, median expected CLs, fitted r (q~, Cowan et al., eqs. 16 and 64-67)."""
        zero = np.zeros(len(self.nuisances))
        null, _ = self.minimum(self.observed, zero, 0.0, highest)
        best, lowest = self.minimum(self.observed, zero, None, highest)
        _, at = self.minimum(self.observed, zero, r, highest)
        q = max(0.0, 2 * (at - lowest)) if best[0] <= r else 0.0
        asimov, centres = self.expected(null), null[1 : len(zero) + 1]
        _, at = self.minimum(asimov, centres, r, highest)
        sigma = np.sqrt(max(0.0, 2 * (at - self.nll(null, asimov, centres))))  # mu / sigma
        if q <= sigma**2:
            p, p_null = norm.sf(np.sqrt(q)), norm.sf(np.sqrt(q) - sigma)
        else:
            p, p_null = norm.sf((q + sigma**2) / (2 * sigma)), norm.sf((q - sigma**2) / (2 * sigma))
        return p / p_null, 2 * norm.sf(sigma), best[0]
