"""The scan of |V|^2 at one mass: where CLs at mu = 1 is below 5 %.

A coarse grid in log |V|^2, then bisection for the lower and the upper edge of the excluded range. CLs of one point
serves all curves: observed, and the bands of what is expected. Points that the samples cannot describe are refused and
bound the scan: an edge beyond them is open, and no number is given for it.

CLs is by toys where there are few events, and asymptotic elsewhere. What the asymptotic formulas say alone is recorded
beside it.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np

from hnl.corrections import lifetime, masses
from hnl.corrections.lifetime import Point, PointError, TooFewEventsError
from hnl.inference import asymptotics, toys
from hnl.inference.asymptotics import LEVEL
from hnl.inference.displaced import modelling
from hnl.inference.displaced.modelling import Inputs
from hnl.inference.likelihood import FitError
from hnl.inference.records import Record

ALPHA = 1 - LEVEL
CURVES = ("observed", "expected_-2", "expected_-1", "expected", "expected_+1", "expected_+2")  # bands: small CLs first

CLOSED, OPEN = "closed", "open"
ASYMPTOTIC, BY_TOYS = "asymptotic", "toys"  # methods
NOTHING = "nothing excluded"


@dataclass(frozen=True)
class Settings:
    """How to scan. The range and the grid are our choice; the paper's samples cover 1e-7 to 1e-1."""

    lowest: float = 1e-8  # |V|^2
    highest: float = 1e-1
    per_decade: int = 6  # points of the grid
    precision: float = 0.01  # of an edge, relative
    correlated: bool = True  # one closure parameter a category
    toys: int = toys.TOYS  # for each hypothesis, where there are few events; 0: asymptotic everywhere
    seed: int = 1

    def grid(self) -> np.ndarray:
        """|V|^2, ascending."""
        decades = np.log10(self.highest / self.lowest)
        return np.geomspace(self.lowest, self.highest, max(2, round(decades * self.per_decade) + 1))


@dataclass(frozen=True)
class ScanPoint:
    """A point of the scan: CLs of each of `CURVES` at mu = 1, or why it is refused."""

    v2: float
    cls: tuple[float | None, ...] = ()
    refused: str = ""
    effective: float = 0.0
    expected_in_a: float = 0.0  # background, in the cells that hold most of the signal
    few_events: bool = False  # asymptotic formulas are not to be trusted, see `toys.few_events`
    method: str = ASYMPTOTIC  # of `cls`
    cls_asymptotic: tuple[float | None, ...] = ()  # beside it, whatever the method
    interpolation: float = 0.0  # uncertainty of the signal from `corrections.masses`, relative

    def excluded(self, curve: int) -> bool:
        """Whether it is, by a curve."""
        value = None if self.refused else self.cls[curve]
        return value is not None and value < ALPHA


@dataclass(frozen=True)
class Edge:
    """One end of an excluded range. An open one has no |V|^2: the range goes on beyond what was tested, `at`."""

    state: str  # closed or open
    v2: float | None
    at: float  # the last |V|^2 that is excluded
    reason: str = ""  # why it is open
    method: str = ASYMPTOTIC  # of CLs at the last |V|^2 that is excluded


@dataclass(frozen=True)
class Excluded:
    """What a curve excludes. Without a range, edges are None."""

    curve: str
    status: str  # closed, open, or nothing excluded
    lower: Edge | None
    upper: Edge | None
    smallest_cls: float
    smallest_at: float  # |V|^2
    further_ranges: int = 0  # excluded ranges apart from this one, which holds the smallest CLs
    method: str = ASYMPTOTIC  # of the smallest CLs


@dataclass(frozen=True)
class Scanned:
    """The result at one mass."""

    coupling: str
    nature: str
    mass: float  # GeV
    tested: tuple[ScanPoint, ...]
    excluded: tuple[Excluded, ...]  # by curve; without 'observed' where data are hidden or projected
    excluded_asymptotic: tuple[Excluded, ...]  # what it would be by asymptotic formulas everywhere
    interpolated_from: tuple[float, ...] = ()  # the two simulated masses, GeV; none if this one is simulated

    def record(self) -> Record:
        """As it is read back from JSON."""
        return dict(json.loads(json.dumps(asdict(self))))


def direction(coupling: str, mass: float, nature: str, v2: float) -> Point:
    """The point with this `Point.v2`; mixed couplings have |V_e|^2 = |V_mu|^2, as the samples."""
    ratio = {"e": (1.0, 0.0), "mu": (0.0, 1.0), "mixed": (2.0, 2.0)}[coupling]
    return Point(mass, ratio[0] * v2, ratio[1] * v2, nature)  # type: ignore[arg-type]


def evaluate(inputs: Inputs, point: Point, settings: Settings) -> ScanPoint:
    """CLs of a point at mu = 1: by toys where there are few events, else asymptotic."""
    try:
        found = inputs.signals.at(point)
        lifetime.require(found.effective, point)
        model = modelling.model(found, inputs, correlated=settings.correlated)
        few = toys.few_events(model)
        beside = asymptotics.cls(model)
        result = toys.cls(model, 1.0, settings.toys, settings.seed) if few and settings.toys else beside
    except (PointError, TooFewEventsError, FitError) as error:
        return ScanPoint(point.v2, refused=f"{type(error).__name__}: {error}")
    cls, cls_asymptotic = ((r.observed, *r.expected) for r in (result, beside))
    expected = float(toys.expected_in_a(model))
    method = ASYMPTOTIC if result is beside else BY_TOYS
    return ScanPoint(point.v2, cls, "", found.effective, expected, few, method, cls_asymptotic, found.interpolation)


def scan(inputs: Inputs, coupling: str, nature: str, mass: float, settings: Settings) -> Scanned:
    """Scans one mass.

    Raises:
        PointError: see `masses.shares`.
        HNLError: see `modelling.model`.
    """
    between = masses.shares(inputs.signals.simulated(coupling, nature), mass)
    tested: dict[float, ScanPoint] = {}
    beside: dict[float, ScanPoint] = {}

    def at(v2: float) -> ScanPoint:
        if v2 not in tested:
            tested[v2] = evaluate(inputs, direction(coupling, mass, nature, v2), settings)
        return tested[v2]

    def asymptotic(v2: float) -> ScanPoint:
        if v2 not in beside:
            point = tested.get(v2) or evaluate(inputs, direction(coupling, mass, nature, v2), replace(settings, toys=0))
            beside[v2] = replace(point, cls=point.cls_asymptotic, method=ASYMPTOTIC)
        return beside[v2]

    def ranges(of: Callable[[float], ScanPoint]) -> tuple[Excluded, ...]:
        found = (_range(name, i, settings.grid(), of, settings.precision) for i, name in enumerate(CURVES))
        return tuple(one for one in found if one is not None)

    excluded = ranges(at)
    every = tuple(tested[v2] for v2 in sorted(tested))
    neighbours = tuple(between) if len(between) > 1 else ()
    return Scanned(coupling, nature, mass, every, excluded, ranges(asymptotic), neighbours)


def _range(
    name: str, curve: int, grid: np.ndarray, at: Callable[[float], ScanPoint], precision: float
) -> Excluded | None:
    """The excluded range with the smallest CLs of a curve; None if no point has the curve."""
    points = [at(float(v2)) for v2 in grid]
    values = np.array([np.nan if p.refused or p.cls[curve] is None else p.cls[curve] for p in points], dtype=float)
    if np.isnan(values).all():
        refused = next((p.refused for p in points if p.refused), "")
        return None if not refused or name == "observed" else Excluded(name, NOTHING, None, None, 1.0, float(grid[0]))
    best = int(np.nanargmin(values))
    below = values < ALPHA
    if not below.any():  # a narrow range may be between two points of the grid
        best_point = _descend(curve, grid, best, at, precision)
        value = best_point.cls[curve]
        assert value is not None
        if value >= ALPHA:
            return Excluded(name, NOTHING, None, None, value, best_point.v2, method=best_point.method)
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
    status = OPEN if OPEN in (lower.state, upper.state) else CLOSED
    return Excluded(name, status, lower, upper, value, best_point.v2, further, best_point.method)


def _edge(
    curve: int, grid: np.ndarray, inside: int, outside: int, at: Callable[[float], ScanPoint], precision: float
) -> Edge:
    """Between a point of the grid that is excluded and its neighbour."""
    if not 0 <= outside < len(grid):
        return Edge(OPEN, None, float(grid[inside]), "end of the scan", at(float(grid[inside])).method)
    return _bisect(curve, float(grid[outside]), float(grid[inside]), at, precision)


def _bisect(curve: int, outside: float, inside: float, at: Callable[[float], ScanPoint], precision: float) -> Edge:
    """Where CLs crosses 5 %. If the samples do not reach there: open, at the last point that they describe."""
    refused = ""
    while abs(np.log(outside / inside)) > precision:
        middle = float(np.sqrt(outside * inside))
        if at(middle).excluded(curve):
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


def _descend(curve: int, grid: np.ndarray, best: int, at: Callable[[float], ScanPoint], precision: float) -> ScanPoint:
    """The smallest CLs around a point of the grid, by ternary search; stops at once below 5 %."""
    found = at(float(grid[best]))
    low, high = np.log(grid[max(best - 1, 0)]), np.log(grid[min(best + 1, len(grid) - 1)])
    while high - low > 10 * precision:
        thirds = [at(float(np.exp(low + (high - low) * k / 3))) for k in (1, 2)]
        values = [1.0 if t.refused or t.cls[curve] is None else float(t.cls[curve] or 0.0) for t in thirds]
        better = thirds[int(np.argmin(values))]
        if min(values) < float(found.cls[curve] or 0.0):
            found = better
        if min(values) < ALPHA:
            break
        low, high = (low, np.log(thirds[1].v2)) if values[0] <= values[1] else (np.log(thirds[0].v2), high)
    return found
