"""CLs of scans as a figure needs it: on a grid of |V|^2, and between masses where it may be interpolated.

Quadrilaterals between neighbouring masses and |V|^2 are described by the samples if all four corners are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnl.corrections.masses import MAX_RATIO
from hnl.inference.displaced.scan_results import CURVES, ExcludedRange, MassScan, ScanSettings

ALPHA = 0.05
OBSERVED, MEDIAN = 0, 3  # of `CURVES`
LOWEST_CLS = 1e-6  # drawn
LOWEST = float(np.log(LOWEST_CLS / ALPHA))
POINTS = 400  # of |V|^2
NEAR = 1e-9  # log(CLs / 5 %) beside an edge
HALF_STRIP = 0.15  # GeV, half the width of a mass that is drawn alone: our choice

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """log(CLs / 5 %) of all curves; shape (mass, curve, |V|^2), NaN where it is not known."""

    masses: Array
    v2: Array
    values: Array

    def has(self, curve: int) -> bool:
        """Whether a curve is known anywhere."""
        return bool(np.isfinite(self.values[:, curve]).any())

    def excludes(self, curve: int) -> bool:
        """Whether a curve excludes anything."""
        return bool((self.values[:, curve] < 0).any())

    def differs(self, curve: int, other: int) -> bool:
        """Whether a curve excludes what another one does not."""
        return bool(((self.values[:, curve] < 0) & ~(self.values[:, other] < 0)).any())

    def described(self) -> Array:
        """The smallest and the largest |V|^2 that the samples describe at any mass; empty if there is none."""
        known = np.isfinite(self.values[:, MEDIAN]).any(axis=0)
        return self.v2[known][[0, -1]] if known.any() else np.empty(0)

    def pieces(self) -> Iterator[tuple[Array, Array, NDArray[np.float64]]]:
        """Masses, |V|^2 and values of what is drawn as one: neighbouring masses, and a strip at each for the rest."""
        if len(self.masses) > 1:
            yield self.masses, self.v2, np.ma.masked_invalid(self.values)
        for i, apart in enumerate(self._apart()):
            if apart.any():
                alone = np.where(apart, self.values[i], np.nan)
                strip = np.ma.masked_invalid(np.stack([alone, alone]))
                yield self.masses[i] + HALF_STRIP * np.array([-1.0, 1.0]), self.v2, strip

    def rectangles(self) -> Iterator[tuple[float, float, float, float]]:
        """What is described: lower and upper mass, lower and upper |V|^2."""
        for masses, v2, values in self.pieces():
            known = np.isfinite(np.ma.filled(values[:, MEDIAN], np.nan))
            whole = known[1:, 1:] & known[1:, :-1] & known[:-1, 1:] & known[:-1, :-1]
            for low, high, column in zip(masses[:-1], masses[1:], whole, strict=True):
                ends = np.flatnonzero(np.diff(np.concatenate([[False], column, [False]]).astype(int)))
                for first, last in ends.reshape(-1, 2):
                    yield float(low), float(high), float(v2[first]), float(v2[last])

    def _apart(self) -> NDArray[np.bool_]:
        """Where something is known of a mass, but not of a neighbour: (mass, |V|^2)."""
        known = np.isfinite(self.values[:, MEDIAN])
        beside = np.zeros_like(known)
        beside[1:] |= known[:-1]
        beside[:-1] |= known[1:]
        apart: NDArray[np.bool_] = known & ~beside
        # One |V|^2 more on either side, so that nothing is left open where a strip begins.
        apart[:, 1:] |= known[:, 1:] & apart[:, :-1]
        apart[:, :-1] |= known[:, :-1] & apart[:, 1:]
        return apart


def of(scans: Sequence[MassScan], settings: ScanSettings) -> Grid:
    """The grid of some scans of one coupling and nature.

    Args:
        scans: by mass, ascending.
        settings: of the scans.
    """
    v2 = np.geomspace(settings.lowest, settings.highest, POINTS)
    masses = np.array([scan.mass for scan in scans])
    values = np.stack([_log_cls(scan, v2) for scan in scans]) if scans else np.empty((0, len(CURVES), len(v2)))
    # Nothing is known in gaps that are not interpolated: each gets an unknown point next to either end.
    (wide,) = np.nonzero(masses[1:] > MAX_RATIO * masses[:-1])
    ends = np.concatenate([masses[wide] * (1 + 1e-6), masses[wide + 1] * (1 - 1e-6)])
    where = np.concatenate([wide + 1, wide + 1])
    return Grid(np.insert(masses, where, ends), v2, np.insert(values, where, np.nan, axis=0))


def _log_cls(scan: MassScan, v2: Array) -> Array:
    """log(CLs / 5 %) of each curve: straight between neighbouring tested points, NaN beside what is not described."""
    result = np.full((len(CURVES), len(v2)), np.nan)
    at = np.log([point.v2 for point in scan.tested])
    for curve in range(len(CURVES)):
        cls = [None if point.refused else point.cls[curve] for point in scan.tested]
        values = np.log(np.clip(np.array(cls, dtype=float), LOWEST_CLS, 1) / ALPHA)
        if np.isfinite(values).any():
            result[curve] = _interpolated(np.log(v2), at, values)
            if scan.excluded_hybrid:
                _move(result[curve], np.log(v2), scan.range_of(CURVES[curve]))
    return result


def _move(values: Array, z: Array, excluded: ExcludedRange | None) -> None:
    """Moves log CLs of hybrid toys so that it is 0 at the edges that are quoted, straight between them."""
    if excluded is None or excluded.lower is None or excluded.upper is None:
        np.maximum(values, NEAR, out=values)
        return
    edges = np.log([edge.v2 for edge in (excluded.lower, excluded.upper) if edge.v2 is not None])
    known = np.isfinite(values)
    if len(edges):
        values -= np.interp(z, edges, np.interp(edges, z[known], values[known]))
    inside = (z > np.log(excluded.lower.at)) & (z < np.log(excluded.upper.at))
    values[inside] = np.minimum(values[inside], -NEAR)


def _interpolated(x: Array, at: Array, values: Array) -> Array:
    """Straight between neighbours, NaN where one of the two is NaN, and outside."""
    after = np.clip(np.searchsorted(at, x), 1, len(at) - 1) if len(at) > 1 else np.zeros(len(x), dtype=int)
    before = np.maximum(after - 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(at[after] > at[before], (x - at[before]) / (at[after] - at[before]), 0.0)
    # A known point stands for itself, whatever its neighbour is.
    result = np.where(share <= 1e-9, values[before], (1 - share) * values[before] + share * values[after])
    result = np.where(share >= 1 - 1e-9, values[after], result)
    return np.where((x < at[0] - 1e-9) | (x > at[-1] + 1e-9), np.nan, result)
