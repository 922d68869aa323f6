"""Test of the interpolation in m_N: every simulated mass is left out and predicted from its neighbours.

    python benchmarks/mass_interpolation.py OUT [--coupling mu] [--every]

OUT holds a finished run with the stage `abcd`. At several c tau (of the mass that is left out), predicted yields in
region A are compared with those of its own samples: the sum of the categories of the coupling, each category, and the
shape in bins. Deviations are relative, and pulls use the statistics of both simulations. The same events are compared
at every c tau, so the lines of a mass are not independent.

With `--every`, masses are predicted from each pair of simulated ones around them, not only from the nearest. Only the
tables of gaps and of rules are printed then.

The last table changes the rules of `corrections.masses` one by one.
"""

import argparse
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import pairwise, product
from math import exp, hypot, inf, sqrt
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from rich.console import Console
from rich.table import Table

from hnl.corrections import lifetime, masses
from hnl.corrections.couplings import COUPLINGS
from hnl.corrections.lifetime import Point, PointError
from hnl.inference.displaced import inputs
from hnl.inference.displaced.scan import direction
from hnl.inference.displaced.signals import Signals, SignalYields
from hnl.selections.displaced import categories
from hnl.selections.displaced.regions import A
from hnl.stages.run import Run

CTAU = (1.0, 3.0, 10.0, 30.0)  # mm
GAPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0)  # ratios of the masses of neighbours


@dataclass(frozen=True)
class Compared:
    """A prediction, and the yield of the samples of the mass: yields and squared errors in A, (category, bin)."""

    point: Point
    ctau: float  # mm
    low: float
    high: float
    predicted: Any
    direct: Any
    logarithm: float  # relative decrease if logarithms of acceptances were interpolated

    def deviation(self, which: Any = slice(None), scale: float = 1.0) -> tuple[float, float]:
        """Relative deviation of the sum of some categories, and its statistical error."""
        (p, p2), (d, d2) = (part[:, which].sum(axis=(1, 2)) for part in (self.predicted, self.direct))
        return scale * p / d - 1, scale * hypot(sqrt(p2) / d, p * sqrt(d2) / d**2)

    def uncertainty(self) -> float:
        """Relative uncertainty of the prediction by `masses`."""
        of = masses.shares((self.low, self.high), self.point.mass)
        return hypot(masses.uncertainty(of, of), self.logarithm)

    def shape(self) -> tuple[float, int]:
        """chi2 of the shares of the bins, and its degrees of freedom; bins with 3 effective events in both."""
        few = [np.divide(w**2, w2, out=np.zeros(w.shape), where=w2 > 0) < 3 for w, w2 in (self.predicted, self.direct)]
        use = ~(few[0] | few[1])
        (p, p2), (d, d2) = (part[:, use] for part in (self.predicted, self.direct))
        if use.sum() < 2:
            return 0.0, 0
        (p, p2), (d, d2) = (p / p.sum(), p2 / p.sum() ** 2), (d / d.sum(), d2 / d.sum() ** 2)
        return float(np.sum((p - d) ** 2 / (p2 + d2))), int(use.sum()) - 1


def in_a(yields: SignalYields, coupling: str) -> Any:
    """Yields and squared errors, (2, category, bin)."""
    of_coupling = [category.coupling == coupling for category in categories.ALL]
    return np.stack([part[of_coupling][..., A] for part in yields.nominal])


def left_out(signals: Signals, coupling: str, *, every: bool) -> Iterator[Compared]:
    """All possible comparisons, with the present rules of `masses`."""
    simulated = signals.simulated(coupling, "majorana")
    for (i, mass), ctau in product(enumerate(simulated), CTAU):
        point = direction(coupling, mass, "majorana", 1e-6)
        for low, high in product(simulated[:i], simulated[i + 1 :]):
            if not every and (low, high) != (simulated[i - 1], simulated[i + 1]):
                continue
            two = tuple(d for d in signals.datasets if d.sample.point.mass in (low, high))
            with patch.object(masses, "CURVATURE", 0.0):  # what is left of the uncertainty is the logarithm's
                try:
                    predicted = replace(signals, datasets=two).at(point, ctau=ctau)
                    direct = signals.at(point, ctau=ctau)
                except PointError:
                    continue
            if min(predicted.effective, direct.effective) >= lifetime.MIN_EFFECTIVE:
                yields = (in_a(signal, coupling) for signal in (predicted, direct))
                yield Compared(point, ctau, low, high, *yields, predicted.interpolation)


def linear_shares(simulated: Any, mass: float) -> dict[float, float]:
    """As `masses.shares`, linear in m_N."""
    if mass in simulated:
        return {mass: 1.0}
    low, high = max(m for m in simulated if m < mass), min(m for m in simulated if m > mass)
    share = (mass - low) / (high - low)
    return {low: 1 - share, high: share}


# Changed rules: name of the function in `masses`, and its replacement.
RULES: dict[str, dict[str, Any]] = {
    "as they are": {},
    "linear in m_N": {"shares": linear_shares},
    "at the same c tau": {"ctau_to_fly_as_far": lambda ctau, *_: ctau},
    "m_SV not stretched": {"m_sv_stretch": lambda *_: 1.0},
}


def table(predictions: list[Compared]) -> Table:
    """One row per prediction."""
    first, second = ("coupling", "from", "m_N", "c tau", "sum", "pull"), ("uncertainty", "pull with it", "categories")
    result = Table(*first, *second, "chi2", title="Predicted / simulated in region A, - 1")
    for prediction in predictions:
        value, error = prediction.deviation()
        by_category = [
            prediction.deviation([i]) for i in range(len(prediction.direct[0])) if prediction.direct[0, i].sum() > 0
        ]
        chi2, ndf = prediction.shape()
        texts = [
            prediction.point.coupling,
            f"{prediction.low:g}, {prediction.high:g}",
            f"{prediction.point.mass:g}",
            f"{prediction.ctau:g}",
        ]
        texts += [f"{value:+.1%} +- {error:.1%}", f"{value / error:+.1f}", f"{prediction.uncertainty():.1%}"]
        texts += [f"{value / hypot(error, prediction.uncertainty()):+.1f}"]
        texts += [", ".join(f"{v:+.0%} ({v / e:+.1f})" for v, e in by_category), f"{chi2:.1f} / {ndf}"]
        result.add_row(*texts)
    return result


HEADINGS = ("number", "weighted mean", "rms", "rms of pulls", "with uncertainty", "shape, chi2 / bins")


def summary(name: str, predictions: list[Compared], *, logarithm: bool = False) -> list[str]:
    """Quality of predictions: mean and root mean square of deviations, of pulls, and chi2 of shapes."""
    pairs = np.array(
        [prediction.deviation(scale=exp(-prediction.logarithm) if logarithm else 1.0) for prediction in predictions]
    )
    value, error = pairs.T
    with_it = value / np.hypot(error, [prediction.uncertainty() for prediction in predictions])
    mean = np.average(value, weights=error**-2)
    rms = [float(np.sqrt(np.mean(v**2))) for v in (value, value / error, with_it)]
    chi2, ndf = np.sum([prediction.shape() for prediction in predictions], axis=0)
    texts = [name, str(len(predictions)), f"{mean:+.1%}", f"{rms[0]:.1%}", f"{rms[1]:.2f}", f"{rms[2]:.2f}"]
    return [*texts, f"{chi2 / ndf:.2f}"]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Leave-one-out of the interpolation in m_N.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--coupling", choices=COUPLINGS, action="append")
    parser.add_argument("--every", action="store_true", help="every pair of masses around the one that is left out")
    arguments = parser.parse_args()
    signals = inputs.load(Run(arguments.out), luminosity=1.0).signals
    masses.MAX_RATIO = inf
    console = Console(width=180)

    def run() -> list[Compared]:
        chosen = arguments.coupling or COUPLINGS
        return [prediction for c in chosen for prediction in left_out(signals, c, every=arguments.every)]

    ours = run()
    if not arguments.every:
        console.print(table(ours))
    gaps = Table("ratio of masses", *HEADINGS, title="Gaps: sum in region A")
    for low, high in pairwise(GAPS):
        if of_gap := [prediction for prediction in ours if low < prediction.high / prediction.low <= high]:
            gaps.add_row(*summary(f"{low:g} to {high:g}", of_gap))
    console.print(gaps)
    rules = Table("rule", *HEADINGS, title="Rules: sum in region A")
    for name, changed in RULES.items():
        with patch.multiple(masses, **changed) if changed else nullcontext():
            rules.add_row(*summary(name, run()))
    rules.add_row(*summary("logarithms of acceptances", ours, logarithm=True))
    console.print(rules)


if __name__ == "__main__":
    main()
