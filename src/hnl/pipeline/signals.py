"""Signal yields at any point (m_N, |V_e|^2, |V_mu|^2, nature) with a simulated m_N, from the scored candidates.

Candidates, scores and regions are those of the stage `abcd`: the same cells are filled with reweighted candidates, so a
point that was simulated has exactly the yields of its histograms. Only simulated masses can be had: between them there
is no interpolation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import hist
import numpy as np

from hnl.corrections import lifetime
from hnl.corrections.lifetime import Point, PointError, Sample
from hnl.errors import HNLError
from hnl.histograms import abcd as histograms
from hnl.histograms import yields
from hnl.histograms.abcd import NOMINAL, Cells
from hnl.histograms.yields import Counts
from hnl.inference.abcd import A
from hnl.pipeline import abcd
from hnl.pipeline.abcd_checks import Scored
from hnl.pipeline.selection import Selection
from hnl.selections import regions
from hnl.selections.categories import CATEGORIES
from hnl.selections.regions import HYPOTHESES, Thresholds

# Section 1: what each coupling is constrained with.
FLAVOURS = {"e": ("ee",), "mu": ("mumu",), "mixed": ("emu", "mue")}


class SignalError(HNLError):
    """The signal candidates are not those that the stage `abcd` has seen."""


@dataclass(frozen=True)
class Yields:
    """Signal in the SR at one point; arrays over (category, bin, region)."""

    point: Point
    hypothesis: str
    nominal: Counts
    varied: Mapping[str, Counts]  # by variation of the weights
    effective: float  # events in A of the categories of the coupling, all bins together

    @property
    def error(self) -> Any:
        """MC statistics of the nominal yields."""
        return np.sqrt(self.nominal.sum_w2)


@dataclass(frozen=True)
class _Dataset:
    sample: Sample
    scored: Scored
    cells: Mapping[str, Cells]  # by hypothesis


@dataclass(frozen=True)
class Signals:
    """All signal samples, read once."""

    thresholds: Thresholds
    datasets: tuple[_Dataset, ...]

    @property
    def simulated(self) -> dict[str, list[float]]:
        """The masses of each coupling, GeV."""
        points = [d.sample.point for d in self.datasets]
        return {c: sorted({p.mass for p in points if p.coupling == c}) for c in FLAVOURS}

    def samples(self, point: Point) -> list[Sample]:
        """Those that describe a point; see `lifetime.usable`."""
        return lifetime.usable([d.sample for d in self.datasets], point)

    def at(self, point: Point, *, ctau: float | None = None) -> Yields:
        """Yields at a point.

        Args:
            point: its mass must be simulated for its coupling.
            ctau: mean proper decay length in mm, by default that of the point.

        Raises:
            PointError: no sample describes it, in all eras.
            ReweightingError: see `lifetime.weights`.
        """
        h = hypothesis(point.mass)
        used = {s.name for s in self.samples(point)}
        eras: dict[str, list[_Dataset]] = {d.scored.dataset.era: [] for d in self.datasets}
        for d in self.datasets:
            if d.sample.name in used:
                eras[d.scored.dataset.era].append(d)
        variations = list(dict.fromkeys(v for group in eras.values() for d in group for v in d.scored.weights))
        total: dict[str, list[Any]] = {v: [0.0, 0.0] for v in variations}
        for era, group in eras.items():
            if not group and used:
                raise PointError(f"{point}: the era {era} has no sample of this mass and coupling, others have")
            t, violating = ([d.scored.columns[name] for d in group] for name in ("gen_ctau", "gen_same_sign"))
            factors = lifetime.weights([d.sample for d in group], t, violating, point, at=ctau)
            for d, factor in zip(group, factors, strict=True):
                for v, counts in _filled(d.scored, d.cells[h], factor, variations, self.thresholds).items():
                    total[v] = [total[v][i] + counts[i] for i in range(2)]
        summed = {v: Counts(*pair) for v, pair in total.items()}
        nominal = summed.pop(NOMINAL)
        mine = [name.split("_")[0] in FLAVOURS[point.coupling] for name in CATEGORIES]
        n = lifetime.effective(*(float(part[mine][..., A].sum()) for part in nominal))
        return Yields(point, h, nominal, summed, n)


def hypothesis(mass: float) -> str:
    """Which classifier an m_N is searched with: the one that it trained (section 5)."""
    return "low" if mass <= regions.HIGHEST_LOW_MASS else "high"


def _filled(
    scored: Scored, cells: Cells, factor: Any, variations: Sequence[str], thresholds: Thresholds
) -> dict[str, Counts]:
    """SR yields of a dataset with its weights times a factor, in each variation."""
    name, era = scored.dataset.name, scored.dataset.era
    histogram = histograms.make_regions({name: era}, variations)
    weights = {v: weight * factor for v, weight in scored.weights.items()}
    histograms.fill_regions(histogram, name, era, cells, weights, thresholds)
    return {v: yields.counts(histogram, [name], cells.hypothesis, "SR", v) for v in variations}


def make(scored: Sequence[Scored], sum_w: Mapping[str, float], thresholds: Thresholds) -> Signals:
    """From candidates in memory; datasets that are no signal are left out.

    Args:
        scored: datasets.
        sum_w: sum of generated weights of each.
        thresholds: x of each hypothesis and category.
    """
    edges = histograms.score_edges(x for row in thresholds.values() for x in row.values())
    return Signals(
        thresholds,
        tuple(
            _Dataset(
                Sample.of(s.dataset, sum_w[s.dataset.name]),
                s,
                {
                    h: histograms.cells(s.dataset.name, dict(s.columns), s.scores[h], h, edges, s.cluster)
                    for h in HYPOTHESES
                },
            )
            for s in scored
            if s.dataset.kind == "signal"
        ),
    )


def load(selection: Selection, thresholds: Thresholds, filled: hist.Hist) -> Signals:
    """The signal samples of a finished run.

    Args:
        selection: its candidates, with scores beside them.
        thresholds: of the stage `abcd`.
        filled: its histogram `regions`, against which the yields are checked.

    Raises:
        SignalError: yields are not those of the histogram.
        HNLError: see `abcd.read`.
    """
    entries = [dataset for dataset in selection.catalogue.datasets if dataset.kind == "signal"]
    signals = make([abcd.read(selection, dataset) for dataset in entries], selection.sum_w, thresholds)
    for d in signals.datasets:
        name = d.sample.name
        for h in HYPOTHESES:
            found = _filled(d.scored, d.cells[h], 1.0, [NOMINAL], thresholds)[NOMINAL]
            known = name in filled.axes["dataset"]
            if not known or not np.allclose(found.sum_w, yields.counts(filled, [name], h, "SR").sum_w, rtol=1e-9):
                raise SignalError(f"{selection.folder / abcd.FOLDER} is of other scores of {name}: run hnl abcd again")
    return signals
