"""What the stage `abcd` tells, as records; `abcd_layout` makes tables of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hnl.histograms.yields import Counts
from hnl.inference import abcd, validation
from hnl.inference.abcd import A, B, C, D, DYCorrection, Estimate
from hnl.inference.thresholds import Scan
from hnl.inference.validation import Closure, Correlation
from hnl.pipeline.tables import Record, number
from hnl.selections import regions
from hnl.selections.categories import CATEGORIES
from hnl.selections.regions import Thresholds

ALL = "all"  # bins of a category together
HIDDEN = "A hidden"


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
        hypothesis: of `regions.HYPOTHESES`.
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
        syst_error = np.hypot(shared * predicted.sum(), np.sqrt(((relative[there] * predicted) ** 2).sum()))
        down, up = (float(np.hypot(total[side], syst_error)) for side in ("stat_down", "stat_up"))
        result.append(
            base
            | {"bin": ALL, "x": x[hypothesis][category]}
            | total
            | {"c_ab": None, "c_ab_uncertainty": None, "closure": shared}
            | {"total_down": min(down, total["prediction"]), "total_up": up}
        )
    return result


def _row(counts: Counts, closure: Closure, i: int, hidden: bool) -> Record:
    estimate = closure.estimate
    return {
        "A": None if hidden else float(counts.sum_w[i, A]),
        "A_error": None if hidden else float(np.sqrt(counts.sum_w2[i, A])),
        **{name: float(counts.sum_w[i, region]) for name, region in (("B", B), ("C", C), ("D", D))},
        "prediction": number(estimate.value[i]),
        "stat_down": number(estimate.value[i] - estimate.low[i]),
        "stat_up": number(estimate.high[i] - estimate.value[i]),
        "low95": number(estimate.low95[i]),
        "high95": number(estimate.high95[i]),
        "pull": None if hidden else number(closure.pull[i]),
        "chi2": None,
        "ndf": None,
        "p_value": None,
        "mark": "; ".join(filter(None, [HIDDEN if hidden else "", closure.mark[i]])),
    }


def _sum_row(counts: Counts, closure: Closure, there: Any, hidden: bool) -> Record:
    value, down, up, left_out = abcd.summed(closure.estimate, there)
    use = there & np.isfinite(closure.estimate.value)
    chi2, ndf, p_value = closure.chi2(there)
    direct, variance = counts.sum_w[use, A].sum(), counts.sum_w2[use, A].sum()
    error = np.hypot(up if direct > value else down, np.sqrt(variance))
    pull = (direct - value) / error if error > 0 else np.nan
    notes = [HIDDEN if hidden else "", f"{left_out} bins without D left out" if left_out else ""]
    return {
        "A": None if hidden else float(direct),
        "A_error": None if hidden else float(np.sqrt(variance)),
        **{name: float(counts.sum_w[there, region].sum()) for name, region in (("B", B), ("C", C), ("D", D))},
        "prediction": value,
        "stat_down": down,
        "stat_up": up,
        "low95": None,
        "high95": None,
        "pull": None if hidden else number(pull),
        "chi2": None if hidden else chi2,
        "ndf": None if hidden else ndf,
        "p_value": None if hidden else number(p_value),
        "mark": "; ".join(filter(None, notes)),
    }


def _total(estimate: Estimate, i: int, relative: float) -> Record:
    """Statistical and systematic uncertainty in quadrature."""
    value = estimate.value[i]
    return {
        "total_down": number(min(np.hypot(value - estimate.low[i], relative * value), value)),
        "total_up": number(np.hypot(estimate.high[i] - value, relative * value)),
    }


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
            result.append(base | {"bin": b.label} | _row(one, closure, b.number, False) | {"closure": u})
            result[-1] |= {"ratio": _ratio(result[-1])} | _total(closure.estimate, b.number, u)
        row = _sum_row(one, closure, exists(hypothesis, category), False)
        row["mark"] = "; ".join(filter(None, [row["mark"], mark]))
        total = {f"total_{s}": number(np.hypot(row[f"stat_{s}"], u * row["prediction"])) for s in ("down", "up")}
        result.append(base | {"bin": ALL} | row | {"closure": u, "ratio": _ratio(row)} | total)
    return result


def _ratio(row: Record) -> float | None:
    return row["A"] / row["prediction"] if row["prediction"] else None


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
    """SR: where the signal of a dataset is, and signal over background in the sidebands, by category."""
    share, ratio = validation.contamination(signal, background)
    result: list[Record] = []
    for i, category in enumerate(CATEGORIES):
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
