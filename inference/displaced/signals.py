"""Signal yields at any point (m_N, |V_e|^2, |V_mu|^2, nature) within the simulated m_N, from the scored candidates.

Candidates, scores and regions are those of the stage `abcd`: the same cells are filled with reweighted candidates, so a
point that was simulated has exactly the yields of its histograms. Between simulated masses both neighbours fill the
cells of the point, see `corrections.masses`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hnl.corrections import lifetime, masses, nuisances
from hnl.corrections.lifetime import Point, PointError, SignalSample
from hnl.corrections.masses import Neighbour
from hnl.corrections.reach import Reach
from hnl.datasets.variations import NOMINAL
from hnl.histograms.displaced import abcd as histograms
from hnl.histograms.displaced import yields
from hnl.histograms.displaced.abcd import BinnedCandidates
from hnl.histograms.displaced.yields import Counts
from hnl.inference.abcd.settings import PAPER, AbcdSettings
from hnl.inference.arrays import Floats
from hnl.ml.scored import Scored
from hnl.selections.displaced import categories, regions
from hnl.selections.displaced.hypotheses import HYPOTHESES, hypothesis
from hnl.selections.displaced.regions import A, Thresholds


@dataclass(frozen=True)
class SignalYields:
    """Signal in the SR at one point; arrays over (category, bin, region)."""

    point: Point
    hypothesis: str
    nominal: Counts
    varied: Mapping[str, Counts]  # by variation of weights and jet energies
    # Events in A of the categories of the coupling, all bins together; of the neighbour that has fewer.
    effective: float
    interpolated_from: tuple[float, ...] = ()  # the neighbours in GeV, if the mass is not simulated
    interpolation: float = 0.0  # how uncertain that makes the yields, relative

    @property
    def error(self) -> Floats:
        """MC statistics of the nominal yields."""
        return np.sqrt(self.nominal.sum_w2)


@dataclass(frozen=True)
class _Dataset:
    sample: SignalSample
    scored: Scored
    binned: Mapping[
        str, Mapping[str, BinnedCandidates]
    ]  # by hypothesis, and by variation of jet energies, nominal among them

    def rows(self, variation: str) -> Scored:
        """Its candidates in a variation of jet energies."""
        return self.scored.shifted.get(variation, self.scored)


@dataclass(frozen=True)
class Signals:
    """All signal samples, read once."""

    thresholds: Thresholds
    datasets: tuple[_Dataset, ...]
    settings: AbcdSettings = PAPER

    @cached_property
    def reach(self) -> Reach:
        """What they describe."""
        eras: dict[str, list[SignalSample]] = {}
        for d in self.datasets:
            eras.setdefault(d.scored.dataset.era, []).append(d.sample)
        return Reach(eras)

    def simulated(self, pattern: str, nature: str) -> list[float]:
        """The masses at which samples can be reweighted to a `Point.pattern` and nature, GeV. Dirac N have those of
        both."""
        return self.reach.masses(pattern, nature)[0]

    def of_sample(self, sample: SignalSample, nature: str | None = None) -> SignalYields:
        """Yields at the point of a sample: that of its |V|^2, or of its generated lifetime if it cannot be reweighted.

        Args:
            sample: of these.
            nature: by default the generated one.

        Raises:
            PointError, ReweightingError: see `at`.
        """
        point = sample.point.of_nature(nature or sample.point.nature)
        if self.reach.is_free(point):
            return self.at(point)
        return self.at(sample.own(point.nature), ctau=sample.ctau, fixed=True)

    def neighbours(
        self, point: Point, *, ctau: float | None = None, fixed: bool = False
    ) -> list[tuple[list[_Dataset], Neighbour]]:
        """The samples that stand for a point, by era and mass, and how.

        Args:
            point: its mass must be simulated for its coupling, or be between masses that are.
            ctau: mean proper decay length in mm, by default that of the point.
            fixed: this is the generated lifetime of samples without truth, which may then be used.

        Raises:
            PointError: no sample describes it, in all eras; see `masses.shares`.
            ReweightingError: see `masses.neighbours`.
        """
        ctau = point.ctau if ctau is None else ctau
        shares = self._shares(point, fixed)
        found = []
        for era in dict.fromkeys(d.scored.dataset.era for d in self.datasets):
            groups = {mass: self._group(replace(point, mass=mass), era, ctau) for mass in shares}
            samples = {mass: [d.sample for d in group] for mass, group in groups.items()}
            near = masses.neighbours(point, ctau, shares, samples)
            found += [(groups[mass], near[mass]) for mass in shares]
        return found

    def at(self, point: Point, *, ctau: float | None = None, fixed: bool = False) -> SignalYields:
        """Yields at a point, see `neighbours`.

        Raises:
            PointError: see `neighbours`, or N couples to tau alone.
            ReweightingError: see `lifetime.weights` and `neighbours`.
        """
        if point.coupling == "tau":
            raise PointError(f"{point}: N that couples to tau alone is described by no category (section 8)")
        h = hypothesis(point.mass, self.settings.masses)
        shares = self._shares(point, fixed)
        filled: dict[float, list[dict[str, Counts]]] = {mass: [] for mass in shares}
        for group, near in self.neighbours(point, ctau=ctau, fixed=fixed):
            filled[near.point.mass] += self._filled(group, near, h)
        every = [each for of_mass in filled.values() for each in of_mass]
        # What does not concern a dataset is nominal there.
        summed = {
            v: Counts(*(np.asarray(sum(each.get(v, each[NOMINAL])[k] for each in every)) for k in range(2)))
            for v in dict.fromkeys(v for each in every for v in each)
        }
        mine = [category.coupling == point.coupling for category in categories.ALL]
        in_a = {
            mass: [float(sum(each[NOMINAL][k][mine][..., A].sum() for each in of_mass)) for k in range(2)]
            for mass, of_mass in filled.items()
        }
        return SignalYields(
            point,
            h,
            summed.pop(NOMINAL),
            summed,
            min(lifetime.effective(*sums) for sums in in_a.values()),
            tuple(shares) if len(shares) > 1 else (),
            masses.uncertainty(shares, {mass: sum_w for mass, (sum_w, _) in in_a.items()}),
        )

    def _shares(self, point: Point, fixed: bool) -> dict[float, float]:
        return {point.mass: 1.0} if fixed else self.reach.shares(point)

    def _group(self, point: Point, era: str, ctau: float) -> list[_Dataset]:
        """The samples of a simulated point in an era."""
        used = {s.name for s in self.reach.group(era, point, ctau)}
        return [d for d in self.datasets if d.sample.name in used and d.scored.dataset.era == era]

    def _filled(self, group: Sequence[_Dataset], near: Neighbour, h: str) -> list[dict[str, Counts]]:
        """What each dataset of an era and a mass adds to a point, by variation."""
        factors: list[dict[str, Floats]] = [{} for _ in group]
        for shift in dict.fromkeys(v for d in group for v in d.binned[h]):
            t, violating = ([d.rows(shift).columns[c] for d in group] for c in ("gen_ctau", "gen_same_sign"))
            of_shift = lifetime.weights([d.sample for d in group], t, violating, near.point, at=near.ctau)
            for d, found, factor in zip(group, factors, of_shift, strict=True):
                if shift in d.binned[h]:
                    found[shift] = near.factor * factor
        result = []
        for d, found in zip(group, factors, strict=True):
            counts = sr_yields(d, h, found, self.thresholds, near.stretch)
            result.append({_parameter(v, d.scored.dataset.era): value for v, value in counts.items()})
        return result


def _parameter(variation: str, era: str) -> str:
    """The variation, named after its parameter: eras have their own where a nuisance is not shared."""
    name, _, way = variation.rpartition("_")
    return variation if variation == NOMINAL else f"{nuisances.parameter(name, era)}_{way}"


def sr_yields(
    d: _Dataset, hypothesis: str, factors: Mapping[str, Floats | float], thresholds: Thresholds, stretch: float = 1.0
) -> dict[str, Counts]:
    """SR yields of a dataset with its weights times factors, which are by variation of jet energies."""
    name, era = d.scored.dataset.name, d.scored.dataset.era
    variations = [*d.scored.weights, *d.scored.shifted]
    histogram = histograms.make_regions({name: era}, variations, next(iter(d.binned[hypothesis].values())).settings)
    for shift, at_mass in d.binned[hypothesis].items():
        rows = d.rows(shift)
        weights = {v: weight * factors[shift] for v, weight in rows.weights.items()}
        which = [*d.scored.weights] if shift == NOMINAL else [shift]
        binned = at_mass if stretch == 1 else _stretched(at_mass, rows.columns, stretch)
        histograms.fill_regions(histogram, name, era, binned, weights, thresholds, which)
    return {v: yields.counts(histogram, [name], hypothesis, "SR", v) for v in variations}


def _stretched(binned: BinnedCandidates, columns: Mapping[str, np.ndarray], stretch: float) -> BinnedCandidates:
    """With m_SV times a factor."""
    h, edges = binned.hypothesis, binned.settings
    m_sv = regions.m_sv_bin(stretch * columns["m_sv"][binned.rows], h, edges)
    delta_2d = regions.delta_2d_bin(columns["delta_2d"][binned.rows], m_sv, binned.category, h, edges)
    return replace(binned, m_sv=m_sv, delta_2d=delta_2d)


def make(
    scored: Sequence[Scored], sum_w: Mapping[str, float], thresholds: Thresholds, settings: AbcdSettings = PAPER
) -> Signals:
    """From candidates in memory; datasets that are no signal are left out.

    Args:
        scored: datasets.
        sum_w: sum of generated weights of each.
        thresholds: x of each hypothesis and category.
        settings: of the estimate.
    """
    given = (x for row in thresholds.values() for x in row.values())
    edges = histograms.score_edges(given, settings.thresholds.scan, settings.regions)
    return Signals(
        thresholds,
        tuple(
            _Dataset(
                SignalSample.from_dataset(
                    s.dataset,
                    sum_w[s.dataset.name],
                    truth=lifetime.has_truth(s.columns["gen_ctau"], s.columns["gen_same_sign"]),
                ),
                s,
                {
                    h: {
                        shift: histograms.bin_candidates(
                            s.dataset.name, dict(one.columns), one.scores[h], h, edges, one.cluster, settings.regions
                        )
                        for shift, one in {NOMINAL: s, **s.shifted}.items()
                    }
                    for h in HYPOTHESES
                },
            )
            for s in scored
            if s.dataset.kind == "signal"
        ),
        settings,
    )
