"""Yields in the regions of Table 3, and scores in the VR, from the histograms of `abcd`."""

from collections.abc import Sequence
from typing import NamedTuple

import hist
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.variations import NOMINAL
from hnl.errors import HNLError
from hnl.selections.displaced import categories, regions
from hnl.selections.displaced.categories import CATEGORIES, LEPTONS
from hnl.selections.displaced.hypotheses import HYPOTHESES
from hnl.selections.displaced.regions import ABOVE, VR, Kind, RegionSettings

# Flavour of l2 of each category, for which the classifiers are trained apart (section 5): index into `LEPTONS`.
L2 = np.array([LEPTONS.index(category.l2) for category in categories.ALL])


class AxisError(HNLError):
    """A threshold is not on an edge of the plane's score axis."""


class Counts(NamedTuple):
    """Yields in the four regions: sums of weights and of squared weights, of one shape with regions A to D last."""

    sum_w: NDArray[np.float64]
    sum_w2: NDArray[np.float64]

    def total(self, axis: int | tuple[int, ...]) -> "Counts":
        """Added up over axes."""
        return Counts(self.sum_w.sum(axis=axis), self.sum_w2.sum(axis=axis))


def counts(
    histogram: hist.Hist, datasets: Sequence[str], hypothesis: str, kind: Kind, variation: str = NOMINAL
) -> Counts:
    """Yields of `regions`, all eras together.

    Args:
        histogram: `regions`.
        datasets: to add up; none gives zeros.
        hypothesis: of `HYPOTHESES`.
        kind: 'SR' or 'CR' (Table 3).
        variation: of the weights.

    Returns:
        Shape (category, `regions.N_BINS`, region). Cells of bins that `regions.bins` does not list are zero.
    """
    axes = histogram.axes
    chosen = [axes["dataset"].index(name) for name in datasets]
    i, v = HYPOTHESES.index(hypothesis), axes["variation"].index(variation)
    view = histogram.view()
    parts = (view[field][chosen].sum(axis=(0, 1))[:, i, ..., v] for field in ("value", "variance"))
    # (category, selection, window, score, m_sv, delta_2d) -> (category, bin, region)
    return Counts(*(_by_region(part, kind) for part in parts))


def counts_at(
    plane: hist.Hist,
    datasets: Sequence[str],
    hypothesis: str,
    kind: Kind,
    thresholds: Sequence[float],
    settings: RegionSettings = regions.PAPER,
) -> Counts:
    """Yields for other thresholds, from `plane`: as `counts` would give them after filling again.

    Only the variances of samples with re-simulated events differ: those in different cells of the plane are taken as
    independent.

    Args:
        plane, datasets, hypothesis, kind: see `counts`.
        thresholds: x of each category, array of 8; each must be an edge of the score axis.
        settings: that the plane was filled with.

    Raises:
        AxisError: a threshold is not an edge.
    """
    edges = plane.axes["score"].edges
    chosen = [plane.axes["dataset"].index(name) for name in datasets]
    starts = np.searchsorted(plane.axes["m_l1_sv"].edges, settings.m_l1_sv)
    result = []
    for field in ("value", "variance"):
        part = plane.view()[field][chosen].sum(axis=0)[:, HYPOTHESES.index(hypothesis)]
        part = np.add.reduceat(part, starts, axis=2)  # windows
        split = []
        for i, x in enumerate(thresholds):
            (edge,) = np.nonzero(edges == x)
            if len(edge) == 0:
                raise AxisError(f"the threshold {x} is not an edge of the score axis of the plane: fill it again")
            split.append(np.stack([part[i, :, :, : edge[0]].sum(2), part[i, :, :, edge[0] :].sum(2)], axis=2))
        result.append(_by_region(np.stack(split), kind))
    return Counts(*result)


def _by_region(yields: NDArray[np.float64], kind: Kind) -> NDArray[np.float64]:
    """(category, selection, window, score, m_sv, delta_2d) -> (category, bin, region)."""
    result = []
    for row in regions.rows(kind):
        selections, windows, scores = row.cells
        total = yields[:, :, :, scores].sum(axis=3)[:, selections].sum(axis=1)[:, windows].sum(axis=1)
        result.append(total.reshape(len(CATEGORIES), regions.N_BINS))
    return np.stack(result, axis=-1)


def vr_scores(
    plane: hist.Hist, datasets: Sequence[str], hypothesis: str, lepton: str, settings: RegionSettings = regions.PAPER
) -> tuple[Counts, Counts]:
    """Score in VR-AB and in VR-CD (Fig. 8), in the bins of the plane.

    Args:
        plane, datasets, hypothesis, settings: see `counts_at`.
        lepton: of `LEPTONS`, the flavour of l2.

    Returns:
        Sums of weights and squared weights, shape (score bin,), in AB and in CD.
    """
    chosen = [plane.axes["dataset"].index(name) for name in datasets]
    chosen_categories = np.flatnonzero(np.equal(L2, LEPTONS.index(lepton)))
    windows = regions.window(plane.axes["m_l1_sv"].centers, settings)
    in_ab = regions.region("VR", VR, windows, ABOVE) == 0  # the VR does not ask for the threshold
    inside, outside = [], []
    for field in ("value", "variance"):
        part = plane.view()[field][chosen].sum(axis=0)[chosen_categories, HYPOTHESES.index(hypothesis), VR]
        part = part.sum(axis=(0, 3, 4))  # (m_l1_sv, score)
        inside.append(part[in_ab].sum(axis=0))
        outside.append(part.sum(axis=0) - inside[-1])
    return Counts(*inside), Counts(*outside)
