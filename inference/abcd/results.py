"""The whole of section 6: regions, thresholds, the background estimate, and every check of it.

Blinding (kind: data): until `unblind`, candidates of data in SR-A are dropped before anything is filled. No product of
the stage can tell them, and what is not in a region at all is not filled either, so that they do not follow from the
cutflow and the other regions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import hist
import numpy as np

from hnl.datasets.variations import NOMINAL
from hnl.histograms.displaced import abcd as histograms
from hnl.histograms.displaced import yields
from hnl.histograms.displaced.abcd import BinnedCandidates
from hnl.histograms.displaced.yields import Counts
from hnl.inference.abcd import checks
from hnl.inference.abcd import thresholds as tuning
from hnl.inference.abcd.checks import belongs, samples_of
from hnl.inference.abcd.rows import EstimateTables
from hnl.inference.abcd.settings import PAPER, AbcdSettings
from hnl.inference.abcd.tabulate import exists
from hnl.inference.abcd.thresholds import Scan
from hnl.ml.scored import Scored
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.hypotheses import HIGH, HYPOTHESES, LOW
from hnl.selections.displaced.regions import Thresholds

HIDDEN = "region A of the SR is hidden for data (blinded)"


@dataclass(frozen=True)
class AbcdResults:
    """Thresholds, histograms, and the rows of every table."""

    tables: EstimateTables
    thresholds: Thresholds
    scans: dict[str, dict[str, Scan]]  # hypothesis -> category; empty if there was nothing to scan
    histograms: dict[str, hist.Hist]
    samples: dict[str, list[str]]  # that an estimate is made for: their datasets
    variations: dict[str, list[str]]  # by dataset; the others are nominal there
    hidden: str  # '' or what is


def estimate_background(
    scored: Sequence[Scored],
    *,
    unblind: bool = False,
    given: Thresholds | None = None,
    settings: AbcdSettings = PAPER,
) -> AbcdResults:
    """Fills the regions, chooses thresholds, estimates the background and checks it.

    Args:
        scored: datasets.
        unblind: show region A of the SR for data.
        given: thresholds to be used in place of those of the settings and the optimised ones.
        settings: of the estimate.

    Raises:
        FillError: a candidate cannot be filled.
    """
    by_kind = {kind: [s for s in scored if s.dataset.kind == kind] for kind in ("data", "background", "signal")}
    hidden = bool(by_kind["data"]) and not unblind
    scan, cut = settings.thresholds.scan, settings.regions
    given = given or _fixed(settings)
    edges = histograms.score_edges((x for row in (given or {}).values() for x in row.values()), scan, cut)
    binned = {
        (s.dataset.name, h): histograms.bin_candidates(
            s.dataset.name, dict(s.columns), s.scores[h], h, edges, s.cluster, cut
        )
        for s in scored
        for h in HYPOTHESES
    }
    scans = _scans(by_kind, binned, edges, settings)
    chosen = given or {h: {c: scans[h][c].chosen if scans else scan[0] for c in CATEGORIES} for h in HYPOTHESES}
    if hidden:
        names = {s.dataset.name for s in by_kind["data"]}
        binned = {key: each.without_signal_region(chosen) if key[0] in names else each for key, each in binned.items()}

    datasets = {s.dataset.name: s.dataset.era for s in scored}
    variations = list(dict.fromkeys([NOMINAL, *(v for s in scored for v in (*s.weights, *s.shifted))]))
    filled = {
        "regions": histograms.make_regions(datasets, variations, cut),
        "plane": histograms.make_plane(datasets, edges, cut),
    }
    for s in scored:
        for h in HYPOTHESES:
            mine = binned[s.dataset.name, h]
            era, weights = s.dataset.era, s.weights
            unshifted = [name for name in variations if name not in s.shifted]
            histograms.fill_regions(filled["regions"], s.dataset.name, era, mine, weights, chosen, unshifted)
            for name, one in s.shifted.items():
                own = histograms.bin_candidates(
                    s.dataset.name, dict(one.columns), one.scores[h], h, edges, one.cluster, cut
                )
                histograms.fill_regions(filled["regions"], s.dataset.name, era, own, one.weights, chosen, [name])
            histograms.fill_plane(filled["plane"], s.dataset.name, mine, weights[NOMINAL])
    for histogram in filled.values():
        histogram.label = HIDDEN if hidden else ""

    tables = checks.tables(
        by_kind, binned, filled, chosen, scans, fixed=given is not None, hidden=hidden, settings=settings
    )
    weighted = {s.dataset.name: [*s.weights, *s.shifted] for s in scored}
    return AbcdResults(tables, chosen, scans, filled, samples_of(by_kind), weighted, HIDDEN if hidden else "")


def _fixed(settings: AbcdSettings) -> Thresholds | None:
    """The thresholds that the settings fix."""
    fixed = settings.thresholds.fixed
    if fixed is None:
        return None
    return {LOW: dict.fromkeys(CATEGORIES, fixed.low), HIGH: dict.fromkeys(CATEGORIES, fixed.high)}


def _scans(
    by_kind: Mapping[str, Sequence[Scored]],
    binned: Mapping[tuple[str, str], BinnedCandidates],
    edges: Sequence[float],
    settings: AbcdSettings,
) -> dict[str, dict[str, Scan]]:
    """Scan of the thresholds with simulated background, or with data where there is none.

    Data in the window 50-85 GeV above the lowest threshold of the scan is not looked at, unblinded or not.
    """
    background = by_kind["background"] or by_kind["data"]
    if not background:
        return {}
    scan, cut = settings.thresholds.scan, settings.regions
    lowest = {h: dict.fromkeys(CATEGORIES, scan[0]) for h in HYPOTHESES}
    used = [*background, *by_kind["signal"]]
    plane = histograms.make_plane([s.dataset.name for s in used], edges, cut)
    for s in used:
        for h in HYPOTHESES:
            mine = binned[s.dataset.name, h]
            mine = mine.without_signal_region(lowest) if s.dataset.is_data else mine
            histograms.fill_plane(plane, s.dataset.name, mine, s.weights[NOMINAL])

    def at_each(names: Sequence[str], hypothesis: str) -> Counts:
        every = [yields.counts_at(plane, names, hypothesis, "SR", [x] * len(CATEGORIES), cut) for x in scan]
        return Counts(np.stack([c.sum_w for c in every]), np.stack([c.sum_w2 for c in every]))

    result: dict[str, dict[str, Scan]] = {}
    for h in HYPOTHESES:
        total = at_each([s.dataset.name for s in background], h)
        signals = [at_each([s.dataset.name], h) for s in by_kind["signal"] if belongs(s.dataset, h, settings.masses)]
        norms = [float(signal.sum_w[0].sum()) for signal in signals]
        result[h] = {}
        for i, category in enumerate(CATEGORIES):
            there = exists(h, category, cut)
            b, *s_in = (Counts(c.sum_w[:, i, there], c.sum_w2[:, i, there]) for c in (total, *signals))
            result[h][category] = tuning.scan(scan, b, s_in, norms, settings.estimate.least_c)
    return result
