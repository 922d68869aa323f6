"""The histograms of the background estimate (section 6): yields in regions and bins, and the plane that x moves in.

`regions`: dataset x era x category x hypothesis x selection x m(l1,SV) window x score bin x m_SV x Delta_2D x
           variation, with the threshold x of each category and hypothesis between the two score bins.
`plane`:   dataset x category x hypothesis x selection x fine m(l1,SV) x fine score x m_SV x Delta_2D, without
           variations. Any x on an edge of its score axis gives the yields of `regions` without filling again.

No axis has a flow bin: what Table 3 puts into no region (score <= 0.2, m(l1,SV) <= 10 GeV) is not filled, and the last
bin of every other axis holds all that lies above it.

Re-simulations of one generated event in one cell are one event for the variance: the square of the sum of their
weights. Between cells they are taken as independent, so the errors of sums of many cells are a little too small.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import EllipsisType
from typing import Any

import hist
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hnl.datasets.variations import NOMINAL
from hnl.errors import HNLError
from hnl.histograms.displaced.settings import PAPER
from hnl.processors.rows import Candidates
from hnl.selections.displaced import regions
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.hypotheses import HYPOTHESES
from hnl.selections.displaced.regions import (
    DELTA_2D_BINS,
    M_SV_BINS,
    N_WINDOWS,
    NONE,
    SCORE_BINS,
    SELECTIONS,
    A,
    Indices,
    RegionSettings,
    Thresholds,
)

# Our choice: edges of Table 3 are added; the last bin ends at the collision energy and holds all above.
MASS_EDGES = (*range(10, 50, 10), *range(50, 110, 5), 110, 130, 160, 200, 13600)  # GeV
COARSE_SCORES = (*(i / 10 for i in range(2, 10)), 0.95)

Weights = NDArray[np.float64]
Place = EllipsisType | tuple[int | slice | EllipsisType, ...]  # index of what is filled, in a view of a histogram


class FillError(HNLError):
    """A candidate has a value that no bin can be given for."""


@dataclass(frozen=True)
class BinnedCandidates:
    """Where the candidates of a dataset go for one hypothesis; all arrays have one entry for each filled candidate."""

    hypothesis: str
    settings: RegionSettings
    rows: Indices  # of the candidate table
    cluster: Indices  # equal for re-simulations of one generated event
    category: Indices
    selection: Indices
    window: Indices
    mass_bin: Indices  # of the plane
    score: NDArray[np.float64]
    score_bin: Indices  # of the plane
    m_sv: Indices
    delta_2d: Indices

    def side(self, thresholds: Thresholds) -> Indices:
        """Index into `regions.SCORE_BINS`: whether the score is above the x of the category."""
        x = np.array([thresholds[self.hypothesis][category] for category in CATEGORIES])
        return regions.score_bin(self.score, x[self.category], self.settings)

    def without_signal_region(self, thresholds: Thresholds) -> "BinnedCandidates":
        """All but SR-A: what may be filled of data before unblinding."""
        return self.where(regions.region("SR", self.selection, self.window, self.side(thresholds)) != A)

    def where(self, use: NDArray[np.bool_]) -> "BinnedCandidates":
        """Those of a mask."""
        arrays: dict[str, Any] = {name: value[use] for name, value in vars(self).items() if np.ndim(value)}
        return replace(self, **arrays)


def score_edges(
    extra: Iterable[float] = (), scan: Iterable[float] = PAPER.scan, settings: RegionSettings = regions.PAPER
) -> tuple[float, ...]:
    """Edges of the plane's score axis: 0.2 to 1, the scan of thresholds, and more thresholds if given."""
    inside = {edge for edge in COARSE_SCORES if edge > settings.score}
    return tuple(sorted({settings.score, *inside, *scan, *extra, 1.0}))


def mass_edges(settings: RegionSettings = regions.PAPER) -> tuple[float, ...]:
    """Edges of the plane's axis of m(l1,SV), GeV: every edge of a window is among them."""
    return tuple(sorted({*(edge for edge in MASS_EDGES if edge > settings.m_l1_sv[0]), *settings.m_l1_sv}))


def make_regions(
    datasets: Mapping[str, str], variations: Sequence[str] = (NOMINAL,), settings: RegionSettings = regions.PAPER
) -> hist.Hist:
    """The empty histogram `regions`; `datasets` maps name to era."""
    return hist.Hist(
        _categories("dataset", datasets),
        _categories("era", dict.fromkeys(datasets.values())),
        *_common_axes(),
        _categories("window", settings.windows),
        _categories("score", SCORE_BINS),
        *_bin_axes(),
        _categories("variation", variations),
        storage=hist.storage.Weight(),
    )


def make_plane(datasets: Iterable[str], edges: Sequence[float], settings: RegionSettings = regions.PAPER) -> hist.Hist:
    """The empty histogram `plane` with the given edges of the score."""
    return hist.Hist(
        _categories("dataset", datasets),
        *_common_axes(),
        hist.axis.Variable(mass_edges(settings), name="m_l1_sv", label=r"$m(\ell_1, SV)$ [GeV]", flow=False),
        hist.axis.Variable(edges, name="score", label="score", flow=False),
        *_bin_axes(),
        storage=hist.storage.Weight(),
    )


def _categories(name: str, values: Iterable[str]) -> hist.axis.StrCategory:
    return hist.axis.StrCategory(list(values), name=name, overflow=False)


def _common_axes() -> list[hist.axis.StrCategory]:
    return [
        _categories("category", CATEGORIES),
        _categories("hypothesis", HYPOTHESES),
        _categories("selection", SELECTIONS),
    ]


def _bin_axes() -> list[hist.axis.StrCategory]:
    return [_categories("m_sv", M_SV_BINS), _categories("delta_2d", DELTA_2D_BINS)]


def bin_candidates(
    dataset: str,
    candidates: Candidates,
    score: ArrayLike,
    hypothesis: str,
    edges: Sequence[float],
    cluster: Indices | None = None,
    settings: RegionSettings = regions.PAPER,
) -> BinnedCandidates:
    """Bins of the candidates that are in a region of Table 3.

    Args:
        dataset: its name, for messages.
        candidates: table with the columns category, n_jets, m_l1_sv, m_sv, delta_2d.
        score: of the classifier of the hypothesis, float array, 0 to 1. NaN, where there is no classifier for the
            flavour, is in no region.
        hypothesis: of `HYPOTHESES`.
        edges: of the score axis of the plane.
        cluster: int, equal for re-simulations of one generated event; by default all are independent.
        settings: edges of regions and bins.

    Raises:
        FillError: another value is NaN, or a score is not between 0 and 1.
    """
    score = np.asarray(score, dtype=np.float64)
    _refuse(dataset, f"score_{hypothesis}", score, (score < 0) | (score > 1))
    for name in ("m_l1_sv", "m_sv", "delta_2d"):
        _refuse(dataset, name, candidates[name], np.isnan(candidates[name]))
    selection = regions.selection(candidates["n_jets"])
    rows = np.flatnonzero((selection != NONE) & regions.preselected(score, candidates["m_l1_sv"], settings))
    category = candidates["category"][rows].astype(np.int64)
    m_sv = regions.m_sv_bin(candidates["m_sv"][rows], hypothesis, settings)
    of_plane = mass_edges(settings)
    return BinnedCandidates(
        hypothesis=hypothesis,
        settings=settings,
        rows=rows,
        cluster=rows if cluster is None else cluster[rows],
        category=category,
        selection=selection[rows],
        window=regions.window(candidates["m_l1_sv"][rows], settings),
        mass_bin=np.minimum(regions.interval(candidates["m_l1_sv"][rows], of_plane), len(of_plane) - 2),
        score=score[rows],
        score_bin=regions.interval(score[rows], edges),
        m_sv=m_sv,
        delta_2d=regions.delta_2d_bin(candidates["delta_2d"][rows], m_sv, category, hypothesis, settings),
    )


def _refuse(dataset: str, name: str, values: ArrayLike, bad: NDArray[np.bool_]) -> None:
    if np.any(bad):
        raise FillError(f"dataset {dataset}: a candidate has {name} = {np.asarray(values)[bad][0]}")


def fill_plane(plane: hist.Hist, dataset: str, binned: BinnedCandidates, weight: ArrayLike) -> None:
    """Adds the candidates of a dataset, with one weight for each row of its table."""
    axes = ("category", "selection", "mass_bin", "score_bin", "m_sv", "delta_2d")
    index = _Index([getattr(binned, name) for name in axes], [len(plane.axes[i]) for i in (1, 3, 4, 5, 6, 7)], binned)
    where = (plane.axes["dataset"].index(dataset), slice(None), HYPOTHESES.index(binned.hypothesis))
    index.add(plane.view(), where, _checked(dataset, NOMINAL, weight)[binned.rows])


def fill_regions(
    histogram: hist.Hist,
    dataset: str,
    era: str,
    binned: BinnedCandidates,
    weights: Mapping[str, Weights],
    thresholds: Thresholds,
    variations: Iterable[str] | None = None,
) -> None:
    """Adds the candidates of a dataset: one index for all variations, one `bincount` for each.

    Args:
        histogram: from `make_regions`.
        dataset, era: where to.
        binned: from `bin_candidates`.
        weights: variation -> weight of each row of the candidate table. A variation of the histogram that is not
            among them is filled with the nominal weight: it does not concern this dataset.
        thresholds: x of each hypothesis and category.
        variations: to be filled, all by default. Those of jet energies have candidates, and so `binned`, of their own.

    Raises:
        FillError: a weight is not a finite number.
    """
    axes = (CATEGORIES, SELECTIONS, range(N_WINDOWS), SCORE_BINS, M_SV_BINS, DELTA_2D_BINS)
    shape = [len(axis) for axis in axes]
    side = binned.side(thresholds)
    bins = [binned.category, binned.selection, binned.window, side, binned.m_sv, binned.delta_2d]
    index = _Index(bins, shape, binned)
    first, second = histogram.axes["dataset"].index(dataset), histogram.axes["era"].index(era)
    for variation in histogram.axes["variation"] if variations is None else variations:
        i = histogram.axes["variation"].index(variation)
        weight = _checked(dataset, variation, weights.get(variation, weights[NOMINAL]))[binned.rows]
        where = (first, second, slice(None), HYPOTHESES.index(binned.hypothesis), ..., i)
        index.add(histogram.view(), where, weight)


def sums_by_region(
    binned: BinnedCandidates, weight: Weights, thresholds: Thresholds, groups: Indices
) -> tuple[Weights, Weights]:
    """Yields in the regions A to D of the SR, for any N(jets): all bins and selections together.

    Re-simulations of one generated event are one event for the variance wherever they are in a region, which cells of
    the histograms cannot tell.

    Args:
        binned: from `bin_candidates`.
        weight: of each row of the candidate table.
        thresholds: x of each hypothesis and category.
        groups: what to tell apart: for each category, the number of its group.

    Returns:
        Sums of weights and of squared weights, shape (groups, 4).
    """
    region = regions.region("SR", regions.SR, binned.window, binned.side(thresholds))
    view = np.zeros((int(max(groups)) + 1, len(regions.REGIONS)), dtype=[("value", float), ("variance", float)])
    _Index([groups[binned.category], region], view.shape, binned).add(view, ..., weight[binned.rows])
    return view["value"], view["variance"]


def _checked(dataset: str, variation: str, weight: ArrayLike) -> Weights:
    weight = np.asarray(weight, dtype=np.float64)
    _refuse(dataset, f"weight ({variation})", weight, ~np.isfinite(weight))
    return weight


class _Index:
    """The cell of each candidate, and the groups of re-simulations in each cell; made once for all weights."""

    def __init__(self, bins: Sequence[Indices], shape: Sequence[int], binned: BinnedCandidates) -> None:
        self.shape = shape
        self.flat = np.ravel_multi_index(bins, shape)
        clusters = int(binned.cluster.max(initial=0)) + 1
        groups, self.group = np.unique(self.flat * clusters + binned.cluster, return_inverse=True)
        self.cell_of_group = groups // clusters

    def add(self, view: np.ndarray, where: Place, weight: Weights) -> None:
        size = int(np.prod(self.shape))
        of_group = np.bincount(self.group, weight, len(self.cell_of_group))
        view["value"][where] += np.bincount(self.flat, weight, size).reshape(self.shape)
        view["variance"][where] += np.bincount(self.cell_of_group, of_group**2, size).reshape(self.shape)
