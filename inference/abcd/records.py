"""What the stage `abcd` tells, as records; `abcd_layout` makes tables of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hnl.histograms.displaced.yields import Counts
from hnl.inference import intervals
from hnl.inference.abcd import estimate as abcd
from hnl.inference.abcd import validation
from hnl.inference.abcd.estimate import DYCorrection, Estimate
from hnl.inference.abcd.thresholds import Scan
from hnl.inference.abcd.validation import Closure, Correlation
from hnl.inference.records import Record, number
from hnl.selections.displaced import regions
from hnl.selections.displaced.categories import CATEGORIES, LEPTONS
from hnl.selections.displaced.regions import A, B, C, D, Thresholds

ALL = "all"  # bins of a category together
HIDDEN = "A hidden"
NO_CLASSIFIER = "no classifier for this flavour and mass"

# Of the closure of simulation around the window of the SR: what is counted, and (our choice) which factor between A
# and its prediction the counts must be able to tell at one standard deviation, or they are said to tell nothing.
GROUPS = (*CATEGORIES, *(f"l2 {lepton}" for lepton in LEPTONS))
WEAK, NO_TEST = 3.0, "cannot tell a factor of 3"


@dataclass(frozen=True)
class Systematics:
    """Relative uncertainties of the prediction and its correction for one hypothesis (Table 4)."""

    closure: Mapping[str, float]  # by category
    dy: DYCorrection | None  # for `abcd.DY_CATEGORY`; shape (bin,)

    def c_ab(self, category: str) -> tuple[Any, Any]:
        """Factor on the prediction and its uncertainty, by bin."""
        if self.dy is None or category != abcd.DY_CATEGORY:
            return np.ones(regions.N_BINS), np.zeros(regions.N_BINS)
        return self.dy.c_ab, self.dy.uncertainty


def exists(hypothesis: str, category: str) -> Any:
    """Which of the 2 x 3 bins a category has: bool, (bin,)."""
    result = np.zeros(regions.N_BINS, dtype=bool)
    result[[b.number for b in regions.bins(hypothesis, category)]] = True
    return result


def yields(
    sample: str, hypothesis: str, counts: Counts, x: Thresholds, syst: Systematics, hidden: bool
) -> list[Record]:
    """SR: yields and prediction of each bin and of each category.

    Args:
        sample: data or simulation.
        hypothesis: of `HYPOTHESES`.
        counts: (category, bin, region).
        x: thresholds.
        syst: for the total uncertainty.
        hidden: A is not to be told (and is not in `counts`).
    """
    result: list[Record] = []
    for i, category in enumerate(CATEGORIES):
        one = Counts(counts.sum_w[i], counts.sum_w2[i])
        factor, factor_error = syst.c_ab(category)
        closure = validation.closure(one, factor)
        there, shared = exists(hypothesis, category), syst.closure[category]
        base: Record = {"sample": sample, "hypothesis": hypothesis, "category": category}
        relative = factor_error / factor
        for b in regions.bins(hypothesis, category):
            result.append(
                base
                | {"bin": b.label, "x": x[hypothesis][category]}
                | _row(one, closure, b.number, hidden)
                | {
                    "c_ab": float(factor[b.number]),
                    "c_ab_uncertainty": float(factor_error[b.number]),
                    "closure": shared,
                }
                | _total(closure.estimate, b.number, np.hypot(shared, relative[b.number]))
            )
        total = _sum_row(one, closure, there, hidden)
        predicted = np.nan_to_num(closure.estimate.value)[there]
        # The closure uncertainty is one for the category; those of c_AB are independent from bin to bin.
        syst_error = float(np.hypot(shared * predicted.sum(), np.sqrt(((relative[there] * predicted) ** 2).sum())))
        extra: Record = {"c_ab": None, "c_ab_uncertainty": None, "closure": shared}
        result.append(
            base | {"bin": ALL, "x": x[hypothesis][category]} | total | extra | _total_of_sum(total, syst_error)
        )
    return result


# What would tell region A of data.
_OF_A = ("A", "A_error", "pull", "ratio", "chi2", "ndf", "p_value")


def _row(counts: Counts, closure: Closure, i: int, hidden: bool) -> Record:
    """One bin."""
    estimate = closure.estimate
    value = estimate.value[i]
    row: Record = {name: float(counts.sum_w[i, region]) for name, region in zip("ABCD", (A, B, C, D), strict=True)}
    row |= {
        "A_error": float(np.sqrt(counts.sum_w2[i, A])),
        "prediction": number(value),
        "stat_down": number(value - estimate.low[i]),
        "stat_up": number(estimate.high[i] - value),
        "low95": number(estimate.low95[i]),
        "high95": number(estimate.high95[i]),
        "pull": number(closure.pull[i]),
        "ratio": number(counts.sum_w[i, A] / value) if value > 0 else None,
        "chi2": None,
        "ndf": None,
        "p_value": None,
        "mark": "; ".join(filter(None, [HIDDEN if hidden else "", closure.mark[i]])),
    }
    return row | (dict.fromkeys(_OF_A) if hidden else {})


def _sum_row(counts: Counts, closure: Closure, there: Any, hidden: bool, parts: str = "bins") -> Record:
    """All bins: yields of all, prediction, pull and ratio of those that have a prediction."""
    value, down, up, left_out = abcd.summed(closure.estimate, there)
    use = there & np.isfinite(closure.estimate.value)
    known = bool(use.any())
    chi2, ndf, p_value = closure.chi2(there)
    direct, variance = counts.sum_w[use, A].sum(), counts.sum_w2[use, A].sum()
    error = np.hypot(up if direct > value else down, np.sqrt(variance))
    without = f"D empty in {left_out if known else 'all'} {parts}" if left_out else ""
    yields = {name: float(counts.sum_w[there, region].sum()) for name, region in zip("ABCD", (A, B, C, D), strict=True)}
    row: Record = yields | {
        "A_error": float(np.sqrt(counts.sum_w2[there, A].sum())),
        "prediction": value if known else None,
        "stat_down": down if known else None,
        "stat_up": up if known else None,
        "low95": None,
        "high95": None,
        "pull": number((direct - value) / error) if error > 0 else None,
        "ratio": number(direct / value) if value > 0 else None,
        "chi2": chi2,
        "ndf": ndf,
        "p_value": number(p_value),
        "mark": "; ".join(filter(None, [HIDDEN if hidden else "", without])),
    }
    return row | (dict.fromkeys(_OF_A) if hidden else {})


def _total(estimate: Estimate, i: int, relative: float) -> Record:
    """Statistical and systematic uncertainty in quadrature."""
    value = estimate.value[i]
    return {
        "total_down": number(min(np.hypot(value - estimate.low[i], relative * value), value)),
        "total_up": number(np.hypot(estimate.high[i] - value, relative * value)),
    }


def _total_of_sum(row: Record, systematic: float) -> Record:
    if row["prediction"] is None:
        return {"total_down": None, "total_up": None}
    down, up = (float(np.hypot(row[side], systematic)) for side in ("stat_down", "stat_up"))
    return {"total_down": min(down, row["prediction"]), "total_up": up}


def closures(
    sample: str, hypothesis: str, counts: Counts, uncertainty: Mapping[str, tuple[float, str]]
) -> list[Record]:
    """CR: the same for the control region, with the closure uncertainty of each category."""
    result: list[Record] = []
    for i, category in enumerate(CATEGORIES):
        one = Counts(counts.sum_w[i], counts.sum_w2[i])
        closure = validation.closure(one)
        u, mark = uncertainty[category]
        base: Record = {"sample": sample, "hypothesis": hypothesis, "category": category}
        for b in regions.bins(hypothesis, category):
            row = _row(one, closure, b.number, False) | {"closure": u}
            result.append(base | {"bin": b.label} | row | _total(closure.estimate, b.number, u))
        row = _sum_row(one, closure, exists(hypothesis, category), False)
        row["mark"] = "; ".join(filter(None, [row["mark"], mark]))
        total = _total_of_sum(row, u * (row["prediction"] or 0.0))
        result.append(base | {"bin": ALL} | row | {"closure": u} | total)
    return result


def simulated_closure(hypothesis: str, selection: str, threshold: str, counts: Counts) -> list[Record]:
    """Simulation: closure around the window of the SR, bins together, for each of `GROUPS` and for all categories.

    The interval of A over its prediction and the p-value are melded, and so right for few events; the p-value of all
    categories is that of the sum of squared pulls of those whose counts tell something, see `validation.resolution`.

    Args:
        hypothesis: of `HYPOTHESES`.
        selection: SR, VR, or both.
        threshold: x, as it is to be called.
        counts: (group, region).
    """
    closure = validation.closure(counts)
    tested = (validation.resolution(counts) < WEAK) & np.isfinite(closure.pull)
    low, high, p_value = intervals.double_ratio(*abcd.sums(counts))
    base: Record = {"hypothesis": hypothesis, "selection": selection, "threshold": threshold}
    result: list[Record] = []
    for i, group in enumerate(GROUPS):
        row = _row(counts, closure, i, False)
        row |= {"ratio_low": float(low[i]), "ratio_high": number(high[i])}
        row |= {"p_value": float(p_value[i]), "tested": int(tested[i])}
        row["mark"] = "; ".join(filter(None, [row["mark"], "" if tested[i] else NO_TEST]))
        result.append(base | {"category": group} | row)
    n = len(CATEGORIES)
    each = Counts(counts.sum_w[:n], counts.sum_w2[:n])
    row = _sum_row(each, validation.closure(each), np.ones(n, dtype=bool), False, "categories")
    chi2, ndf, p_all = closure.chi2(tested & (np.arange(len(GROUPS)) < n))
    row |= {"ratio_low": None, "ratio_high": None, "tested": ndf, "chi2": chi2, "ndf": ndf, "p_value": number(p_all)}
    row["mark"] = "; ".join(filter(None, [row["mark"], "" if ndf else NO_TEST]))
    return [*result, base | {"category": ALL} | row]


def correlation(sample: str, hypothesis: str, category: str, bin_label: str, found: Correlation) -> Record:
    """VR: one Pearson coefficient."""
    return {
        "sample": sample,
        "hypothesis": hypothesis,
        "category": category,
        "bin": bin_label,
        "coefficient": number(found.coefficient),
        "p_value": number(found.p_value),
        "events": found.events,
        "mark": found.mark,
    }


def contaminations(hypothesis: str, dataset: str, signal: Counts, background: Counts) -> list[Record]:
    """SR: where the signal of a dataset is, and signal over background in the sidebands, by category and in all."""
    signal, background = (
        Counts(*(np.concatenate([part, part.sum(axis=0, keepdims=True)]) for part in counts))
        for counts in (signal, background)
    )
    share, ratio = validation.contamination(signal, background)
    result: list[Record] = []
    for i, category in enumerate((*CATEGORIES, ALL)):
        row: Record = {"hypothesis": hypothesis, "signal": dataset, "category": category}
        row |= {"events": float(signal.sum_w[i].sum())}
        row |= {f"share_{name}": number(share[i, region]) for region, name in enumerate(regions.REGIONS)}
        row |= {f"s_over_b_{name}": number(ratio[i, region]) for name, region in (("B", B), ("C", C), ("D", D))}
        empty = [name for name in "BCD" if row[f"s_over_b_{name}"] is None]
        notes = ["no signal"] if row["share_A"] is None else []
        notes += [f"no background in {', '.join(empty)}"] if empty else []
        result.append(row | {"mark": "; ".join(notes)})
    return result


def threshold(hypothesis: str, category: str, x: float, scan: Scan | None, fixed: bool) -> Record:
    """The threshold of a category, with what the scan says of it."""
    at: Any = np.flatnonzero(scan.thresholds == x) if scan else []
    i = int(at[0]) if len(at) else None
    notes = ["given" if fixed else "", scan.mark if scan and not fixed else "", "" if scan else "nothing to scan"]
    row: Record = {"hypothesis": hypothesis, "category": category, "x": x}
    for key in ("figure_of_merit", "signal_fraction", "background", "uncertainty", "smallest_c", "poor_bins"):
        row[key] = None if scan is None or i is None else float(getattr(scan, key)[i])
    return row | {"mark": "; ".join(filter(None, notes))}


def dy_corrections(correction: DYCorrection) -> list[Record]:
    """SR: c_AB of each bin of OS dimuons with the low-mass classifier."""
    return [
        {
            "hypothesis": abcd.DY_HYPOTHESIS,
            "category": abcd.DY_CATEGORY,
            "bin": b.label,
            "c_dy": number(correction.c_dy[b.number]),
            "f_dy": float(correction.f_dy[b.number]),
            "c_ab": float(correction.c_ab[b.number]),
            "uncertainty": float(correction.uncertainty[b.number]),
            "mark": str(correction.mark[b.number]),
        }
        for b in regions.bins(abcd.DY_HYPOTHESIS, abcd.DY_CATEGORY)
    ]
