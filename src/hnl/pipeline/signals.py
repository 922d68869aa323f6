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

from hnl.corrections import lifetime, nuisances
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
    varied: Mapping[str, Counts]  # by variation of weights and jet energies
    effective: float  # events in A of the categories of the coupling, all bins together

    @property
    def error(self) -> Any:
        """MC statistics of the nominal yields."""
        return np.sqrt(self.nominal.sum_w2)


@dataclass(frozen=True)
class _Dataset:
    sample: Sample
    scored: Scored
    cells: Mapping[str, Mapping[str, Cells]]  # by hypothesis, and by variation of jet energies, nominal among them

    def rows(self, variation: str) -> Scored:
        """Its candidates in a variation of jet energies."""
        return self.scored.shifted.get(variation, self.scored)


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
        if not used:
            raise PointError(f"no sample has m_N = {point.mass:g} GeV and the coupling {point.coupling}: {point}")
        filled: list[dict[str, Counts]] = []
        for era, group in eras.items():
            if not group:
                raise PointError(f"{point}: the era {era} has no sample of this mass and coupling, others have")
            factors: list[dict[str, Any]] = [{} for _ in group]
            for shift in dict.fromkeys(v for d in group for v in d.cells[h]):
                t, violating = ([d.rows(shift).columns[c] for d in group] for c in ("gen_ctau", "gen_same_sign"))
                of_shift = lifetime.weights([d.sample for d in group], t, violating, point, at=ctau)
                for d, found, factor in zip(group, factors, of_shift, strict=True):
                    if shift in d.cells[h]:
                        found[shift] = factor
            for d, found in zip(group, factors, strict=True):
                counts = _filled(d, h, found, self.thresholds)
                filled.append({_parameter(v, era): value for v, value in counts.items()})
        # What does not concern a dataset is nominal there.
        summed = {
            v: Counts(*(sum(each.get(v, each[NOMINAL])[k] for each in filled) for k in range(2)))
            for v in dict.fromkeys(v for each in filled for v in each)
        }
        nominal = summed.pop(NOMINAL)
        mine = [name.split("_")[0] in FLAVOURS[point.coupling] for name in CATEGORIES]
        n = lifetime.effective(*(float(part[mine][..., A].sum()) for part in nominal))
        return Yields(point, h, nominal, summed, n)


def hypothesis(mass: float) -> str:
    """Which classifier an m_N is searched with: the one that it trained (section 5)."""
    return "low" if mass <= regions.HIGHEST_LOW_MASS else "high"


def _parameter(variation: str, era: str) -> str:
    """The variation, named after its parameter: eras have their own where a nuisance is not shared."""
    name, _, way = variation.rpartition("_")
    return variation if variation == NOMINAL else f"{nuisances.parameter(name, era)}_{way}"


def _filled(d: _Dataset, hypothesis: str, factors: Mapping[str, Any], thresholds: Thresholds) -> dict[str, Counts]:
    """SR yields of a dataset with its weights times factors, which are by variation of jet energies."""
    name, era = d.scored.dataset.name, d.scored.dataset.era
    variations = [*d.scored.weights, *d.scored.shifted]
    histogram = histograms.make_regions({name: era}, variations)
    for shift, cells in d.cells[hypothesis].items():
        weights = {v: weight * factors[shift] for v, weight in d.rows(shift).weights.items()}
        which = [*d.scored.weights] if shift == NOMINAL else [shift]
        histograms.fill_regions(histogram, name, era, cells, weights, thresholds, which)
    return {v: yields.counts(histogram, [name], hypothesis, "SR", v) for v in variations}


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
                    h: {
                        shift: histograms.cells(s.dataset.name, dict(one.columns), one.scores[h], h, edges, one.cluster)
                        for shift, one in {NOMINAL: s, **s.shifted}.items()
                    }
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
            factors = dict.fromkeys(d.cells[h], 1.0)
            known = name in filled.axes["dataset"]
            for v, found in _filled(d, h, factors, thresholds).items():
                known = known and v in filled.axes["variation"]
                if not known or not np.allclose(
                    found.sum_w, yields.counts(filled, [name], h, "SR", v).sum_w, rtol=1e-9
                ):
                    raise SignalError(
                        f"{selection.folder / abcd.FOLDER} is of other scores or weights of {name}: run hnl abcd again"
                    )
    return signals
