"""The planned signal samples: lifetime reweighting covers what the paper excludes, by calculation."""

import runpy
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import hnl
from hnl.corrections import lifetime
from hnl.datasets.simulation.sample import Request
from hnl.inference.displaced import table5
from hnl.physics import widths

MAKE = runpy.run_path(str(Path(hnl.__file__).parents[2] / "datasets" / "demo" / "make.py"))
PLANNED: dict[str, Request] = MAKE["planned"]()
MIN_EFFECTIVE = 3 * lifetime.MIN_EFFECTIVE  # our choice: of candidates with N(jets) = 1, before any score


def groups() -> dict[tuple[str, float], list[Request]]:
    found = defaultdict(list)
    for request in PLANNED.values():
        assert request.options is not None
        found[request.options.coupling, request.options.mass].append(request)
    return found


def effective(requests: list[Request], tau: float) -> float:
    """Effective number of candidates after reweighting to c tau = `tau` mm: by integration over the proper decay length
    of what can be seen."""
    t = np.linspace(0.2, 0.2 + 20 * tau, 4000)
    events = [request.n_events for request in requests]
    means = [request.options.ctau_mm for request in requests if request.options]
    shares = [n / sum(events) for n in events]
    generated = sum(share * np.exp(-t / mean) / mean for share, mean in zip(shares, means, strict=True))
    weight = lifetime.density_ratio(t, tau, means, shares)
    np.testing.assert_allclose(weight * generated, np.exp(-t / tau) / tau, rtol=1e-9)
    options = requests[0].options
    assert options is not None
    found = MAKE["selected"](options.mass, options.coupling, tau) / MAKE["seen"](options.mass, tau)
    radius = 0.7 * t * 4 / options.mass
    density = sum(events) * found * np.interp(radius, [0, 2, 10, 48, 60], [0.95, 0.91, 0.62, 0.26, 0]) ** 2 * generated
    return lifetime.effective(np.trapezoid(density * weight, t), np.trapezoid(density * weight**2, t))


def test_points() -> None:
    for coupling in ("e", "mu", "mixed"):
        masses = sorted({mass for name, mass in groups() if name == coupling})
        assert (masses[0], masses[-1]) == (1.5, 20)
        assert max(high / low for low, high in pairwise(masses)) <= 1.4
    assert {coupling for coupling, _ in groups()} == {"e", "mu", "mixed", "1:1:1", "tau"}
    assert len({request.seed for request in PLANNED.values()}) == len(PLANNED)
    for requests in groups().values():
        assert 2 <= len(requests) <= 3


MAJORANA = [row for row in table5.rows() if row.nature == "majorana"]


@pytest.mark.parametrize("row", MAJORANA, ids=[row.coupling for row in MAJORANA])
def test_the_range_has_that_of_table_5(row: table5.Table5Row) -> None:
    """c tau at the lowest |V|^2; and about, or more than, the shortest one at the highest."""
    each = {"e": {"v2_e": 1.0}, "mu": {"v2_mu": 1.0}, "mixed": {"v2_e": 2.0, "v2_mu": 2.0}}[row.coupling]
    short, long = MAKE["ctau_range"](row.mass, row.coupling)
    longest, shortest = (
        widths.ctau_mm(row.mass, **{k: v2 * v for k, v in each.items()}) for v2 in (row.lowest, row.highest)
    )
    assert long == pytest.approx(longest, rel=1e-6)
    assert 0.9 * short < shortest < 0.16


@pytest.mark.parametrize(("coupling", "mass"), [key for key in groups() if key[0] in ("e", "mu", "mixed")])
def test_reweighting_covers_what_the_paper_excludes(coupling: str, mass: float) -> None:
    requests = groups()[coupling, mass]
    short, long = MAKE["ctau_range"](mass, coupling)
    assert long < lifetime.MAX_STRETCH * max(request.options.ctau_mm for request in requests if request.options)
    for tau in np.geomspace(short, long, 9):
        assert effective(requests, tau) > MIN_EFFECTIVE, tau
