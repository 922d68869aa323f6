"""Edges of an excluded range of |V|^2 by LHC-type toys (`inference.lhc`), from where hybrid toys find them.

Observed and median edges are found by toys at |V|^2 near them. The edges of the bands are those of hybrid toys, moved
by the same factor as the median: data that fluctuate low are rare, and toys of them cost ten times as much. What is
excluded at all is decided where hybrid toys find the smallest CLs.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from hnl.corrections.lifetime import PointError, TooFewEventsError
from hnl.inference import lhc
from hnl.inference.asymptotics import LEVEL
from hnl.inference.displaced.scan_results import CLOSED, NOTHING, OPEN, Edge, ExcludedRange
from hnl.inference.lhc import Test
from hnl.inference.likelihood import FitError
from hnl.inference.methods import LHC, MOVED

ALPHA = 1 - LEVEL
BY_TOYS = {"observed": None, "expected": 0.0}  # curves, as `Test.cls` has them
BESIDE = 1.1  # where to begin, if hybrid toys exclude nothing
SURE = 3.0  # standard errors: then CLs is above or below 5 %

Side = Literal["lower", "upper"]
TestAt = Callable[[float], Test]  # the test of mu = 1 at a |V|^2


def refined(hybrid: Sequence[ExcludedRange], test: TestAt) -> tuple[ExcludedRange, ...]:
    """Ranges of all curves.

    Args:
        hybrid: what hybrid toys find.
        test: the test of a |V|^2; raises PointError, TooFewEventsError or FitError where there is none.
    """
    tests: dict[float, Test] = {}

    def at(v2: float) -> Test:
        if v2 not in tests:
            tests[v2] = test(v2)
        return tests[v2]

    found = {of.curve: _range(of, at, tests) for of in hybrid if of.curve in BY_TOYS}
    begin = next((of for of in hybrid if of.curve == "expected"), None)
    return tuple(found.get(of.curve) or _moved(of, begin, found.get("expected")) for of in hybrid)


def _range(hybrid: ExcludedRange, at: TestAt, tests: dict[float, Test]) -> ExcludedRange:
    curve, deepest = BY_TOYS[hybrid.curve], hybrid.smallest_at
    try:
        smallest = _decided(at(deepest), curve)
    except (PointError, TooFewEventsError, FitError):  # no point is described
        return replace(hybrid, status=NOTHING, lower=None, upper=None, method=LHC)
    if smallest >= ALPHA:
        return ExcludedRange(hybrid.curve, NOTHING, None, None, smallest, deepest, method=LHC)
    lower = _edge(hybrid.lower, curve, deepest, at, tests, rising=False)
    upper = _edge(hybrid.upper, curve, deepest, at, tests, rising=True)
    status: Literal["closed", "open"] = OPEN if OPEN in (lower.state, upper.state) else CLOSED
    return ExcludedRange(hybrid.curve, status, lower, upper, smallest, deepest, hybrid.further_ranges, LHC)


def _edge(
    hybrid: Edge | None, curve: float | None, deepest: float, at: TestAt, tests: dict[float, Test], *, rising: bool
) -> Edge:
    """The edge below the smallest CLs, or above it, where CLs is rising."""
    inner = max if rising else min
    begin = deepest * BESIDE if rising else deepest / BESIDE
    if hybrid is not None and hybrid.v2 is not None:
        begin = hybrid.v2
    elif hybrid is not None:
        if _decided(at(hybrid.at), curve) < ALPHA:
            return replace(hybrid, method=LHC)
        begin = math.sqrt(hybrid.at * deepest)
    known = {v2: test for v2, test in tests.items() if inner(v2, deepest) == v2}
    last = deepest

    def test(v2: float) -> Test:
        v2 = inner(v2, deepest)
        known[v2] = at(v2)
        return known[v2]

    try:
        found = lhc.crossing(test, curve, begin, known=known, rising=rising)
    except (PointError, TooFewEventsError, FitError) as error:
        excluded = [v2 for v2, one in known.items() if one.thrown[0] and one.cls(curve)[0] < ALPHA]
        last = (max if rising else min)([deepest, *excluded])
        return Edge(OPEN, None, last, f"{type(error).__name__}: {error}", LHC)
    return Edge(CLOSED, found.at, found.at, "", LHC, found.error, found.toys, found.failed)


def _decided(test: Test, curve: float | None) -> float:
    """CLs, with toys enough to tell whether it is below 5 %."""
    while True:
        test.throw(*(lhc.ROUND if test.thrown[0] else lhc.FIRST))
        cls, error = test.cls(curve)
        many = test.thrown[0] > lhc.MOST
        if test.is_known(curve, ALPHA) and (many or abs(math.log(cls / ALPHA)) > SURE * error):
            return cls
        if many:
            raise FitError(f"data are too rare: q~ as theirs is in too few of {sum(test.thrown)} toys")


def _moved(band: ExcludedRange, before: ExcludedRange | None, after: ExcludedRange | None) -> ExcludedRange:
    """A band moved with the median, from before to after; not at all where the median has no edge."""

    def edge(side: Side) -> Edge | None:
        own, old, new = (_end(of, side) for of in (band, before, after))
        if own is None or own.v2 is None or not (old and new and old.v2 and new.v2):
            return own and replace(own, method=MOVED)
        factor = new.v2 / old.v2
        return replace(own, v2=own.v2 * factor, at=own.at * factor, method=MOVED)

    return replace(band, lower=edge("lower"), upper=edge("upper"), method=MOVED)


def _end(of: ExcludedRange | None, side: Side) -> Edge | None:
    if of is None:
        return None
    return of.lower if side == "lower" else of.upper
