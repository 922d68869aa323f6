"""The rows of every table of the stage `abcd`, see `rows`; `abcd_layout` lays them out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnl.histograms.displaced.yields import Counts
from hnl.inference import intervals
from hnl.inference.abcd import compared, validation
from hnl.inference.abcd import estimate as abcd
from hnl.inference.abcd.compared import Pair, joined
from hnl.inference.abcd.estimate import DYCorrection
from hnl.inference.abcd.rows import (
    ALL,
    NO_TEST,
    ClosureRow,
    Comparison,
    ContaminationRow,
    CorrelationRow,
    DYRow,
    SimulatedClosureRow,
    ThresholdRow,
    YieldRow,
)
from hnl.inference.abcd.settings import PAPER
from hnl.inference.abcd.thresholds import Scan
from hnl.inference.abcd.validation import Correlation
from hnl.inference.arrays import Floats
from hnl.records import number
from hnl.selections.displaced import regions
from hnl.selections.displaced.categories import CATEGORIES, LEPTONS
from hnl.selections.displaced.regions import REGIONS, A, B, C, D, RegionSettings, Thresholds

# Of the closure of simulation around the window of the SR: what is counted, and (our choice) which factor between A
# and its prediction the counts must be able to tell at one standard deviation, or they are said to tell nothing.
GROUPS = (*CATEGORIES, *(f"l2 {lepton}" for lepton in LEPTONS))
WEAK = 3.0


@dataclass(frozen=True)
class Systematics:
    """Relative uncertainties of the prediction and its correction for one hypothesis (Table 4)."""

    closure: Mapping[str, float]  # by category
    dy: DYCorrection | None  # for `abcd.DY_CATEGORY`; shape (bin,)

    def c_ab(self, category: str) -> tuple[Floats, Floats]:
        """Factor on the prediction and its uncertainty, by bin."""
        if self.dy is None or category != abcd.DY_CATEGORY:
            return np.ones(regions.N_BINS), np.zeros(regions.N_BINS)
        return self.dy.c_ab, self.dy.uncertainty


def exists(hypothesis: str, category: str, settings: RegionSettings = PAPER.regions) -> NDArray[np.bool_]:
    """Which of the 2 x 3 bins a category has: bool, (bin,)."""
    result = np.zeros(regions.N_BINS, dtype=bool)
    result[[b.number for b in regions.bins(hypothesis, category, settings)]] = True
    return result


def yields(
    sample: str,
    hypothesis: str,
    counts: Counts,
    x: Thresholds,
    syst: Systematics,
    hidden: bool,
    settings: RegionSettings = PAPER.regions,
) -> list[YieldRow]:
    """SR: yields and prediction of each bin and of each category.

    Args:
        sample: data or simulation.
        hypothesis: of `HYPOTHESES`.
        counts: (category, bin, region).
        x: thresholds.
        syst: for the total uncertainty.
        hidden: A is not to be told (and is not in `counts`).
        settings: the bins.
    """
    result = []
    for i, category in enumerate(CATEGORIES):
        one = Counts(counts.sum_w[i], counts.sum_w2[i])
        factor, factor_error = syst.c_ab(category)
        closure = validation.closure(one, factor)
        there, shared = exists(hypothesis, category, settings), syst.closure[category]
        relative = factor_error / factor
        found: list[tuple[str, Comparison, Pair, Pair]] = [
            (
                b.label,
                compared.of_bin(one, closure, b.number),
                (float(factor[b.number]), float(factor_error[b.number])),
                compared.total_error(closure.estimate, b.number, np.hypot(shared, relative[b.number])),
            )
            for b in regions.bins(hypothesis, category, settings)
        ]
        total = compared.of_bins(one, closure, there)
        predicted = np.nan_to_num(closure.estimate.value)[there]
        # The closure uncertainty is one for the category; those of c_AB are independent from bin to bin.
        syst_error = float(np.hypot(shared * predicted.sum(), np.sqrt(((relative[there] * predicted) ** 2).sum())))
        found.append((ALL, total, (None, None), compared.total_error_of_bins(total, syst_error)))
        result += [
            YieldRow(
                sample=sample,
                hypothesis=hypothesis,
                category=category,
                bin=label,
                x=x[hypothesis][category],
                **dict(compared.without_a(row) if hidden else row),
                c_ab=c_ab,
                c_ab_uncertainty=c_ab_error,
                closure=shared,
                total_down=down,
                total_up=up,
            )
            for label, row, (c_ab, c_ab_error), (down, up) in found
        ]
    return result


def closures(
    sample: str,
    hypothesis: str,
    counts: Counts,
    uncertainty: Mapping[str, tuple[float, str]],
    settings: RegionSettings = PAPER.regions,
) -> list[ClosureRow]:
    """CR: the same for the control region, with the closure uncertainty of each category."""
    result = []
    for i, category in enumerate(CATEGORIES):
        one = Counts(counts.sum_w[i], counts.sum_w2[i])
        closure = validation.closure(one)
        u, remark = uncertainty[category]
        found = [
            (b.label, compared.of_bin(one, closure, b.number), compared.total_error(closure.estimate, b.number, u))
            for b in regions.bins(hypothesis, category, settings)
        ]
        total = compared.of_bins(one, closure, exists(hypothesis, category, settings))
        total = total.model_copy(update={"mark": joined(total.mark, remark)})
        found.append((ALL, total, compared.total_error_of_bins(total, u * (total.prediction or 0.0))))
        result += [
            ClosureRow(
                sample=sample,
                hypothesis=hypothesis,
                category=category,
                bin=label,
                **dict(row),
                closure=u,
                total_down=down,
                total_up=up,
            )
            for label, row, (down, up) in found
        ]
    return result


def simulated_closure(hypothesis: str, selection: str, threshold: str, counts: Counts) -> list[SimulatedClosureRow]:
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

    def row(group: str, found: Comparison, interval: Pair, number_tested: int) -> SimulatedClosureRow:
        return SimulatedClosureRow(
            hypothesis=hypothesis,
            selection=selection,
            threshold=threshold,
            category=group,
            **dict(found) | {"mark": joined(found.mark, "" if number_tested else NO_TEST)},
            ratio_low=interval[0],
            ratio_high=interval[1],
            tested=number_tested,
        )

    result = []
    for i, group in enumerate(GROUPS):
        found = compared.of_bin(counts, closure, i).model_copy(update={"p_value": float(p_value[i])})
        result.append(row(group, found, (float(low[i]), number(high[i])), int(tested[i])))
    n = len(CATEGORIES)
    each = Counts(counts.sum_w[:n], counts.sum_w2[:n])
    together = compared.of_bins(each, validation.closure(each), np.ones(n, dtype=bool), "categories")
    chi2, ndf, p_all = closure.chi2(tested & (np.arange(len(GROUPS)) < n))
    together = together.model_copy(update={"chi2": chi2, "ndf": ndf, "p_value": number(p_all)})
    return [*result, row(ALL, together, (None, None), ndf)]


def correlation(sample: str, hypothesis: str, category: str, bin_label: str, found: Correlation) -> CorrelationRow:
    """VR: one Pearson coefficient."""
    return CorrelationRow(
        sample=sample,
        hypothesis=hypothesis,
        category=category,
        bin=bin_label,
        coefficient=number(found.coefficient),
        p_value=number(found.p_value),
        events=found.events,
        mark=found.remark,
    )


def contaminations(hypothesis: str, dataset: str, signal: Counts, background: Counts) -> list[ContaminationRow]:
    """SR: where the signal of a dataset is, and signal over background in the sidebands, by category and in all."""
    signal, background = (
        Counts(*(np.concatenate([part, part.sum(axis=0, keepdims=True)]) for part in counts))
        for counts in (signal, background)
    )
    share, ratio = validation.contamination(signal, background)
    result = []
    for i, category in enumerate((*CATEGORIES, ALL)):
        empty = [REGIONS[region] for region in (B, C, D) if number(ratio[i, region]) is None]
        result.append(
            ContaminationRow(
                hypothesis=hypothesis,
                signal=dataset,
                category=category,
                events=float(signal.sum_w[i].sum()),
                share_A=number(share[i, A]),
                share_B=number(share[i, B]),
                share_C=number(share[i, C]),
                share_D=number(share[i, D]),
                s_over_b_B=number(ratio[i, B]),
                s_over_b_C=number(ratio[i, C]),
                s_over_b_D=number(ratio[i, D]),
                mark=joined(
                    "no signal" if number(share[i, A]) is None else "",
                    f"no background in {', '.join(empty)}" if empty else "",
                ),
            )
        )
    return result


def threshold(hypothesis: str, category: str, x: float, scan: Scan | None, fixed: bool) -> ThresholdRow:
    """The threshold of a category, with what the scan says of it."""
    at = np.flatnonzero(scan.thresholds == x) if scan else np.array([], dtype=np.int64)

    def value(of_scan: Callable[[Scan], NDArray[np.float64 | np.int64]]) -> float | None:
        return float(of_scan(scan)[at[0]]) if scan and len(at) else None

    return ThresholdRow(
        hypothesis=hypothesis,
        category=category,
        x=x,
        figure_of_merit=value(lambda s: s.figure_of_merit),
        signal_fraction=value(lambda s: s.signal_fraction),
        background=value(lambda s: s.background),
        uncertainty=value(lambda s: s.uncertainty),
        smallest_c=value(lambda s: s.smallest_c),
        poor_bins=value(lambda s: s.poor_bins),
        mark=joined(
            "given" if fixed else "", scan.mark if scan and not fixed else "", "" if scan else "nothing to scan"
        ),
    )


def dy_corrections(correction: DYCorrection, settings: RegionSettings = PAPER.regions) -> list[DYRow]:
    """SR: c_AB of each bin of OS dimuons with the low-mass classifier."""
    return [
        DYRow(
            hypothesis=abcd.DY_HYPOTHESIS,
            category=abcd.DY_CATEGORY,
            bin=b.label,
            c_dy=number(correction.c_dy[b.number]),
            f_dy=float(correction.f_dy[b.number]),
            c_ab=float(correction.c_ab[b.number]),
            uncertainty=float(correction.uncertainty[b.number]),
            mark=str(correction.remark[b.number]),
        )
        for b in regions.bins(abcd.DY_HYPOTHESIS, abcd.DY_CATEGORY, settings)
    ]
