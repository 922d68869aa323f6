"""What is found out in the stage `abcd` once the histograms are filled: the rows of all its tables."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import hist
import numpy as np

from hnl.datasets.catalogue import Dataset
from hnl.datasets.variations import NOMINAL
from hnl.histograms.displaced import abcd as histograms
from hnl.histograms.displaced import yields
from hnl.histograms.displaced.abcd import BinnedCandidates
from hnl.histograms.displaced.yields import Counts
from hnl.inference.abcd import estimate as estimates
from hnl.inference.abcd import tabulate, validation
from hnl.inference.abcd.rows import (
    ALL,
    NO_CLASSIFIER,
    ClosureRow,
    ContaminationRow,
    CorrelationRow,
    DYRow,
    EstimateTables,
    ShapeRow,
    SimulatedClosureRow,
    ThresholdRow,
    YieldRow,
)
from hnl.inference.abcd.settings import PAPER, AbcdSettings
from hnl.inference.abcd.tabulate import Systematics
from hnl.inference.abcd.thresholds import Scan
from hnl.ml.scored import Scored
from hnl.records import number
from hnl.selections.displaced import regions
from hnl.selections.displaced.categories import CATEGORIES, LEPTONS
from hnl.selections.displaced.hypotheses import HYPOTHESES, MassSettings, hypothesis
from hnl.selections.displaced.regions import SR, VR, RegionSettings, Thresholds

# Of the process in the catalogue, in small letters: usual names, and those of datasets.simulation.
DY_PREFIXES = ("dy", "drell", "zjets", "z+jets", "zpair", "zgamma")

# Closure of simulation around the window of the SR, where the regions above the usual thresholds may be empty.
LOWER_X = (0.3, 0.5, 0.7, 0.9)
CHOSEN = "chosen"
WITH_JETS = {"SR": (SR,), "VR": (VR,), "SR+VR": (SR, VR)}  # selections that are taken together


def samples_of(by_kind: Mapping[str, Sequence[Scored]]) -> dict[str, list[str]]:
    """The samples that a background estimate is made for: their datasets. Data first."""
    named = {"data": by_kind["data"], "simulation": by_kind["background"]}
    return {name: [s.dataset.name for s in group] for name, group in named.items() if group}


def belongs(dataset: Dataset, h: str, masses: MassSettings = PAPER.masses) -> bool:
    """Whether a signal is of the masses that the classifier of a hypothesis was trained with (section 5)."""
    return dataset.signal is not None and hypothesis(dataset.signal.mass, masses) == h


def unscored(scored: Sequence[Scored]) -> set[tuple[str, str]]:
    """Hypotheses and categories with candidates without a score, since there was no signal to train with."""
    return {
        (h, CATEGORIES[i])
        for s in scored
        for h in HYPOTHESES
        for i in np.unique(s.columns["category"][np.isnan(s.scores[h])])
    }


def tables(
    by_kind: Mapping[str, Sequence[Scored]],
    binned: Mapping[tuple[str, str], BinnedCandidates],
    filled: Mapping[str, hist.Hist],
    chosen: Thresholds,
    scans: Mapping[str, Mapping[str, Scan]],
    *,
    fixed: bool,
    hidden: bool,
    settings: AbcdSettings = PAPER,
) -> EstimateTables:
    """The rows of every table.

    Args:
        by_kind: datasets by kind: data, background, signal.
        binned: by dataset and hypothesis.
        filled: the histograms `regions` and `plane`.
        chosen: thresholds that the histograms were filled with.
        scans: by hypothesis and category, if there was anything to scan.
        fixed: the thresholds were given.
        hidden: region A of data is not to be told.
        settings: of the estimate.
    """
    edges = settings.regions
    thresholds: list[ThresholdRow] = []
    in_sr: list[YieldRow] = []
    in_cr: list[ClosureRow] = []
    simulated: list[SimulatedClosureRow] = []
    correlation: list[CorrelationRow] = []
    shapes: list[ShapeRow] = []
    contamination: list[ContaminationRow] = []
    dy_correction: list[DYRow] = []
    samples = samples_of(by_kind)
    for h in HYPOTHESES:
        for category in CATEGORIES:
            scan = scans[h][category] if scans else None
            thresholds.append(tabulate.threshold(h, category, chosen[h][category], scan, fixed))
        control = {name: yields.counts(filled["regions"], group, h, "CR") for name, group in samples.items()}
        signal = {name: yields.counts(filled["regions"], group, h, "SR") for name, group in samples.items()}
        dy = _dy_correction(by_kind, filled["regions"], h, settings.estimate.dy_unknown)
        if dy is not None:
            dy_correction += tabulate.dy_corrections(dy, edges)
        if samples:  # the closure uncertainty is that of data, where there is any
            first = next(iter(samples))
            uncertainty = _closure_uncertainty(control[first], h, settings)
            syst = Systematics({category: u for category, (u, _) in uncertainty.items()}, dy)
        for name in samples:
            in_sr += tabulate.yields(name, h, signal[name], chosen, syst, hidden and name == "data", edges)
            in_cr += tabulate.closures(name, h, control[name], uncertainty, edges)
            group = by_kind["data" if name == "data" else "background"]
            correlation += _correlations(name, h, group, binned, edges)
            shapes += _shapes(name, h, samples[name], filled["plane"], edges)
        if by_kind["background"]:
            simulated += _simulated_closure(h, by_kind["background"], binned, chosen, edges)
        for s in by_kind["signal"]:
            if belongs(s.dataset, h, settings.masses) and samples:
                of_signal = yields.counts(filled["regions"], [s.dataset.name], h, "SR").total(1)
                background = next(iter(signal.values())).total(1)
                contamination += tabulate.contaminations(h, s.dataset.name, of_signal, background)
    without = unscored([s for group in by_kind.values() for s in group])
    return EstimateTables(
        thresholds=_marked(thresholds, without),
        yields=_marked(in_sr, without),
        closure=_marked(in_cr, without),
        simulated_closure=_marked(simulated, without),
        correlation=_marked(correlation, without),
        shapes=tuple(shapes),
        contamination=_marked(contamination, without),
        dy_correction=_marked(dy_correction, without),
    )


OfCategory = TypeVar(
    "OfCategory", ThresholdRow, YieldRow, ClosureRow, SimulatedClosureRow, CorrelationRow, ContaminationRow, DYRow
)


def _marked(rows: Sequence[OfCategory], without: set[tuple[str, str]]) -> tuple[OfCategory, ...]:
    """The same, with a mark on those of hypotheses and categories without a classifier."""
    change = {"mark": NO_CLASSIFIER}
    return tuple(row.model_copy(update=change) if (row.hypothesis, row.category) in without else row for row in rows)


def _dy_correction(
    by_kind: Mapping[str, Sequence[Scored]], histogram: hist.Hist, hypothesis: str, unknown: float
) -> estimates.DYCorrection | None:
    """c_AB of OS dimuons with the low-mass classifier, if there is simulated Drell-Yan."""
    every = [s.dataset for s in by_kind["background"]]
    dy = [dataset.name for dataset in every if dataset.process.lower().startswith(DY_PREFIXES)]
    if hypothesis != estimates.DY_HYPOTHESIS or not dy:
        return None
    i = CATEGORIES.index(estimates.DY_CATEGORY)
    of_dy, total = (
        yields.counts(histogram, names, hypothesis, "SR") for names in (dy, [dataset.name for dataset in every])
    )
    of_dy, total = (Counts(one.sum_w[i], one.sum_w2[i]) for one in (of_dy, total))
    return estimates.dy_correction(of_dy, total, unknown)


def _closure_uncertainty(control: Counts, hypothesis: str, settings: AbcdSettings) -> dict[str, tuple[float, str]]:
    result = {}
    for i, category in enumerate(CATEGORIES):
        closure = validation.closure(Counts(control.sum_w[i], control.sum_w2[i]))
        there = tabulate.exists(hypothesis, category, settings.regions)
        result[category] = validation.closure_uncertainty(closure, there, settings.estimate)
    return result


def _simulated_closure(
    hypothesis: str,
    group: Sequence[Scored],
    binned: Mapping[tuple[str, str], BinnedCandidates],
    chosen: Thresholds,
    settings: RegionSettings,
) -> list[SimulatedClosureRow]:
    """Simulation: closure around the window of the SR at lower thresholds and at the chosen ones. Never of data."""
    thresholds = {f"{x:g}": {hypothesis: dict.fromkeys(CATEGORIES, x)} for x in LOWER_X if x > settings.score}
    thresholds[CHOSEN] = chosen
    every = [(binned[s.dataset.name, hypothesis], s.weights[NOMINAL]) for s in group]
    result: list[SimulatedClosureRow] = []
    for selection, numbers in WITH_JETS.items():
        used = [(each.where(np.isin(each.selection, numbers)), weight) for each, weight in every]
        for label, x in thresholds.items():
            by_group = [  # of the two sums over the datasets: by category, and by flavour of l2
                np.sum([histograms.sums_by_region(each, weight, x, of) for each, weight in used], axis=0)
                for of in (np.arange(len(CATEGORIES)), yields.L2)
            ]
            result += tabulate.simulated_closure(
                hypothesis, selection, label, Counts(*np.concatenate(by_group, axis=1))
            )
    return result


def _correlations(
    sample: str,
    hypothesis: str,
    group: Sequence[Scored],
    binned: Mapping[tuple[str, str], BinnedCandidates],
    settings: RegionSettings,
) -> list[CorrelationRow]:
    """VR: Pearson coefficients by category and bin, unbinned."""
    parts, offset = [], 0
    for s in group:
        each = binned[s.dataset.name, hypothesis]
        vr = each.selection == VR
        rows = each.rows[vr]
        bin_index = each.m_sv[vr] * len(regions.DELTA_2D_BINS) + each.delta_2d[vr]
        mass = s.columns["m_l1_sv"][rows].astype(np.float64)
        cluster = each.cluster[vr] + offset
        offset += len(s.cluster)
        parts.append((each.category[vr], bin_index, mass, each.score[vr], s.weights[NOMINAL][rows], cluster))
    category, bin_index, mass, score, weight, clusters = (np.concatenate(part) for part in zip(*parts, strict=True))
    result = []
    for i, name in enumerate(CATEGORIES):
        chosen = [(ALL, category == i)]
        chosen += [
            (b.label, (category == i) & (bin_index == b.number)) for b in regions.bins(hypothesis, name, settings)
        ]
        for label, use in chosen:
            found = validation.pearson(mass[use], score[use], weight[use], clusters[use])
            result.append(tabulate.correlation(sample, hypothesis, name, label, found))
    return result


def _shapes(
    sample: str, hypothesis: str, datasets: Sequence[str], plane: hist.Hist, settings: RegionSettings
) -> list[ShapeRow]:
    """VR: score in AB against CD, by the flavour of l2 (Fig. 8)."""
    result = []
    for lepton in LEPTONS:
        inside, outside = yields.vr_scores(plane, datasets, hypothesis, lepton, settings)
        chi2, ndf, p_value = validation.same_shape(inside.sum_w, inside.sum_w2, outside.sum_w, outside.sum_w2)
        result.append(
            ShapeRow(
                sample=sample,
                hypothesis=hypothesis,
                lepton=lepton,
                chi2=number(chi2),
                ndf=ndf,
                p_value=number(p_value),
                mark="too few events" if ndf == 0 else f"p < {validation.FLAG}" if p_value < validation.FLAG else "",
            )
        )
    return result
