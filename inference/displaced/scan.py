"""The scan of |V|^2 at one mass: where CLs at mu = 1 is below 5 %.

A coarse grid in log |V|^2, then bisection for the lower and the upper edge of the excluded range. CLs of one point
serves all curves: observed, and the bands of what is expected. Points that the samples cannot describe are refused and
bound the scan: an edge beyond them is open, and no number is given for it.

CLs is by one method everywhere (`inference.methods`). That of LHC-type toys begins at the edges that hybrid toys find,
see `inference.displaced.lhc_edges`. What the other methods say is recorded beside it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hnl.corrections import couplings, lifetime, masses
from hnl.corrections.lifetime import Point, PointError, TooFewEventsError
from hnl.inference import asymptotics, toys
from hnl.inference.asymptotics import LEVEL
from hnl.inference.displaced import lhc_edges, modelling
from hnl.inference.displaced.modelling import Inputs
from hnl.inference.displaced.scan_results import (
    CLOSED,
    CURVES,
    NOTHING,
    OPEN,
    Edge,
    ExcludedRange,
    MassScan,
    ScanPoint,
    ScanSettings,
)
from hnl.inference.displaced.signals import SignalYields
from hnl.inference.lhc import Lhc, Test
from hnl.inference.likelihood import FitError
from hnl.inference.methods import ASYMPTOTIC, HYBRID, LHC
from hnl.inference.model import Model

ALPHA = 1 - LEVEL

PointAt = Callable[[float], ScanPoint]  # the point of a |V|^2, tested once


def direction(coupling: str, mass: float, nature: str, v2: float) -> Point:
    """The point of a scenario of couplings with this `Point.v2`; mixed couplings have |V_e|^2 = |V_mu|^2."""
    e, mu, tau = couplings.scenario(coupling).shares
    factor = v2 * (e + mu + tau) / (e * mu if e and mu else (e + mu) ** 2)
    return Point(mass, e * factor, mu * factor, nature, tau * factor)  # type: ignore[arg-type]


def model_of(inputs: Inputs, point: Point, settings: ScanSettings) -> tuple[SignalYields, Model]:
    """The signal of a point, and its model.

    Raises:
        PointError: the samples do not describe it.
        TooFewEventsError: of the samples, to describe it.
    """
    yields = inputs.signals.at(point)
    lifetime.require(yields.effective, point)
    return yields, modelling.model(yields, inputs, correlated=settings.correlated)


def evaluate(inputs: Inputs, point: Point, settings: ScanSettings) -> ScanPoint:
    """CLs of a point at mu = 1: asymptotic if that is the method, else by hybrid toys."""
    try:
        yields, model = model_of(inputs, point, settings)
        few = toys.few_events(model)
        beside = asymptotics.cls(model)
        by_toys = settings.method != ASYMPTOTIC
        result = toys.cls(model, 1.0, settings.toys, settings.seed) if by_toys else beside
    except (PointError, TooFewEventsError, FitError) as error:
        return ScanPoint(point.v2, refused=f"{type(error).__name__}: {error}")
    cls, cls_asymptotic = ((r.observed, *r.expected) for r in (result, beside))
    expected = float(toys.expected_in_a(model))
    method = HYBRID if by_toys else ASYMPTOTIC
    return ScanPoint(point.v2, cls, "", yields.effective, expected, few, method, cls_asymptotic, yields.interpolation)


def scan(inputs: Inputs, coupling: str, nature: str, mass: float, settings: ScanSettings) -> MassScan:
    """Scans one mass.

    Raises:
        PointError: see `masses.shares`.
        HNLError: see `modelling.model`.
    """
    between = masses.shares(inputs.signals.simulated(couplings.named(coupling), nature), mass)
    tested: dict[float, ScanPoint] = {}
    beside: dict[float, ScanPoint] = {}

    def at(v2: float) -> ScanPoint:
        if v2 not in tested:
            tested[v2] = evaluate(inputs, direction(coupling, mass, nature, v2), settings)
        return tested[v2]

    def asymptotic(v2: float) -> ScanPoint:
        if v2 not in beside:
            point = tested.get(v2) or evaluate(
                inputs, direction(coupling, mass, nature, v2), replace(settings, method=ASYMPTOTIC)
            )
            beside[v2] = replace(point, cls=point.cls_asymptotic, method=ASYMPTOTIC)
        return beside[v2]

    def ranges(point_at: PointAt) -> tuple[ExcludedRange, ...]:
        by_curve = (_range(name, i, settings.grid(), point_at, settings.precision) for i, name in enumerate(CURVES))
        return tuple(excluded for excluded in by_curve if excluded is not None)

    def test(v2: float) -> Test:
        _, model = model_of(inputs, direction(coupling, mass, nature, v2), settings)
        own_seed = np.random.SeedSequence([settings.seed, int(np.float64(v2).view(np.uint64))])
        return Lhc(model, int(own_seed.generate_state(1)[0])).test(1.0)

    found = ranges(at)
    excluded = lhc_edges.refined(found, test) if settings.method == LHC else found
    hybrid = () if settings.method == ASYMPTOTIC else found
    points = tuple(tested[v2] for v2 in sorted(tested))
    neighbours = tuple(between) if len(between) > 1 else ()
    return MassScan(coupling, nature, mass, points, excluded, ranges(asymptotic), neighbours, hybrid)


def is_excluded(point: ScanPoint, curve: int) -> bool:
    """Whether a point is excluded by one of `CURVES`."""
    value = None if point.refused else point.cls[curve]
    return value is not None and value < ALPHA


def _range(name: str, curve: int, grid: NDArray[np.float64], at: PointAt, precision: float) -> ExcludedRange | None:
    """The excluded range with the smallest CLs of a curve; None if no point has the curve."""
    points = [at(float(v2)) for v2 in grid]
    values = np.array([np.nan if p.refused or p.cls[curve] is None else p.cls[curve] for p in points], dtype=float)
    if np.isnan(values).all():
        refused = next((p.refused for p in points if p.refused), "")
        return (
            None if not refused or name == "observed" else ExcludedRange(name, NOTHING, None, None, 1.0, float(grid[0]))
        )
    best = int(np.nanargmin(values))
    below = values < ALPHA
    if not below.any():  # a narrow range may be between two points of the grid
        best_point = _descend(curve, grid, best, at, precision)
        value = best_point.cls[curve]
        assert value is not None
        if value >= ALPHA:
            return ExcludedRange(name, NOTHING, None, None, value, best_point.v2, method=best_point.method)
        lower = _bisect(curve, grid[max(best - 1, 0)], best_point.v2, at, precision)
        upper = _bisect(curve, grid[min(best + 1, len(grid) - 1)], best_point.v2, at, precision)
        further = 0
    else:
        first = last = best
        while first > 0 and below[first - 1]:
            first -= 1
        while last < len(grid) - 1 and below[last + 1]:
            last += 1
        lower = _edge(curve, grid, first, first - 1, at, precision)
        upper = _edge(curve, grid, last, last + 1, at, precision)
        starts = below & ~np.r_[False, below[:-1]]
        further = int(starts.sum()) - 1
        best_point = points[best]
        value = float(values[best])
    status: Literal["closed", "open"] = OPEN if OPEN in (lower.state, upper.state) else CLOSED
    return ExcludedRange(name, status, lower, upper, value, best_point.v2, further, best_point.method)


def _edge(curve: int, grid: NDArray[np.float64], inside: int, outside: int, at: PointAt, precision: float) -> Edge:
    """Between a point of the grid that is excluded and its neighbour."""
    if not 0 <= outside < len(grid):
        return Edge(OPEN, None, float(grid[inside]), "end of the scan", at(float(grid[inside])).method)
    return _bisect(curve, float(grid[outside]), float(grid[inside]), at, precision)


def _bisect(curve: int, outside: float, inside: float, at: PointAt, precision: float) -> Edge:
    """Where CLs crosses 5 %. If the samples do not reach there: open, at the last point that they describe."""
    refused = ""
    while abs(np.log(outside / inside)) > precision:
        middle = float(np.sqrt(outside * inside))
        if is_excluded(at(middle), curve):
            inside = middle
        else:
            outside = middle
    refused = at(float(outside)).refused
    if refused:
        return Edge(OPEN, None, inside, refused, at(inside).method)
    # CLs is nearly an exponential of log |V|^2 between them.
    low, high = (np.log(max(at(v2).cls[curve] or 0.0, 1e-300) / ALPHA) for v2 in (inside, outside))
    share = low / (low - high) if low < high else 0.5
    return Edge(CLOSED, float(inside * (outside / inside) ** share), inside, method=at(inside).method)


def _descend(curve: int, grid: NDArray[np.float64], best: int, at: PointAt, precision: float) -> ScanPoint:
    """The smallest CLs around a point of the grid, by ternary search; stops at once below 5 %."""
    deepest = at(float(grid[best]))
    low, high = np.log(grid[max(best - 1, 0)]), np.log(grid[min(best + 1, len(grid) - 1)])
    while high - low > 10 * precision:
        thirds = [at(float(np.exp(low + (high - low) * k / 3))) for k in (1, 2)]
        values = [1.0 if t.refused or t.cls[curve] is None else float(t.cls[curve] or 0.0) for t in thirds]
        better = thirds[int(np.argmin(values))]
        if min(values) < float(deepest.cls[curve] or 0.0):
            deepest = better
        if min(values) < ALPHA:
            break
        low, high = (low, np.log(thirds[1].v2)) if values[0] <= values[1] else (np.log(thirds[0].v2), high)
    return deepest
