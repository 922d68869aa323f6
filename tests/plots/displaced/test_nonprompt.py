"""Efficiencies of nonprompt leptons and of the vertex, of fixed numbers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import printed
import pytest
import synthetic
from matplotlib.figure import Figure
from scipy.stats import binomtest

from hnl.datasets.catalogue import Catalogue, Era
from hnl.plots import style
from hnl.plots.displaced import efficiencies, nonprompt
from hnl.processors.cutflow import Counts
from hnl.processors.displaced.efficiencies import DELTA_2D, PT, bins
from hnl.processors.selection_files import DatasetCutflow

CATALOGUE = Catalogue(
    eras={"2018": Era(year=2018, luminosity=2.0, triggers=synthetic.TRIGGERS)},
    datasets=(
        synthetic.signal("hnl3", 3),
        synthetic.signal("hnl5", 5, v2_e=0.0),
        synthetic.signal("hnl8", 8),
        synthetic.signal("hnl10_e", 10, v2_mu=0.0),
        synthetic.signal("hnl10_mu", 10, v2_e=0.0),
    ),
)


def counts(generated: float, shares: dict[str, float], weight: float = 1.0) -> Counts:
    """Leptons of one weight: so many in each bin, and the share of them that is found, less in later bins."""
    result: Counts = {}
    for name, share in shares.items():
        names = bins(PT if name.endswith("pt") else DELTA_2D)
        found = np.floor(generated * share * np.linspace(1, 0.5, len(names)))
        result[name] = {
            bin: {
                "generated": weight * generated,
                "generated_w2": weight**2 * generated,
                "found": weight * n,
                "found_w2": weight**2 * n,
            }
            for bin, n in zip(names, found.tolist(), strict=True)
        }
    return result


def of(generated: float, share: float, weight: float = 1.0) -> DatasetCutflow:
    """As it is in cutflow.json: more muons than electrons are found."""
    kinds = {"electron_pt": 0.6, "electron_delta_2d": 0.5, "electron_vertex": 0.8}
    kinds |= {"muon_pt": 1.0, "muon_delta_2d": 0.9, "muon_vertex": 0.7}
    stage = {"all": {"events": 1.0, "sum_w": 1.0, "sum_w2": 1.0}}
    made = counts(generated, {name: share * factor for name, factor in kinds.items()}, weight)
    return DatasetCutflow({"all events": stage}, {}, {}, {}, {}, [], made)


CUTFLOWS = {
    "hnl3": of(40, 0.5, 2.0),
    "hnl5": of(30, 0.7),
    "hnl8": of(100, 0.8),
    "hnl10_e": of(60, 0.9),
    "hnl10_mu": of(60, 1.0),
}
SUM_W = dict.fromkeys(CUTFLOWS, 10.0)


def interval(found: int, generated: int) -> tuple[float, float]:
    """Of Clopper and Pearson, with the coverage of one standard deviation."""
    low, high = binomtest(found, generated).proportion_ci(0.6826894921, method="exact")
    return low, high


def drawn(axes: Any) -> dict[str, list[Any]]:
    """By signal, of each point: where it is, the share, and the ends of its bar."""
    result = {}
    for container in axes.containers:
        line, _, bars = container
        _, vertical = bars
        ends = [segment[:, 1].tolist() for segment in vertical.get_segments()]
        points = zip(line.get_xydata().tolist(), ends, strict=True)
        result[container.get_label()] = [(x, y, *of_point) for (x, y), of_point in points if np.isfinite(y)]
    return result


@pytest.mark.parametrize(
    ("draw", "name"), [(nonprompt.leptons, "nonprompt_efficiency"), (nonprompt.vertices, "vertex_efficiency")]
)
def test_looks(draw: Callable[..., Figure], name: str, looks_as_accepted: Callable[[Figure, str], None]) -> None:
    figure = draw(CUTFLOWS, CATALOGUE)
    with style.look():
        printed.check(figure)
    looks_as_accepted(figure, name)


def test_shares_and_their_intervals() -> None:
    """The first bins: 20 of 40 with weights of 2, which do not count; 80 of 100; 60 of 60. Intervals of scipy's."""
    points = drawn(nonprompt.of_lepton(CUTFLOWS, CATALOGUE, "muon", "pt"))
    assert list(points) == ["$m_N$ = 3 GeV", "$m_N$ = 8 GeV", "$m_N$ = 10 GeV"]
    for (x, share, low, high), (found, generated) in zip(
        (of_signal[0] for of_signal in points.values()), [(20, 40), (80, 100), (60, 60)], strict=True
    ):
        assert x == pytest.approx(8.5)
        assert share == pytest.approx(found / generated)
        assert (low, high) == pytest.approx(interval(found, generated), abs=1e-9)


def test_samples_of_a_mass_are_added_up() -> None:
    """8 of 10, and 8 of 40 with a quarter of the weight: half of 20; effectively 20^2 / (10 + 40 / 16) = 32 leptons."""
    first = counts(10, {"muon_vertex": 0.8})
    second = counts(40, {"muon_vertex": 0.2}, 0.25)
    catalogue = CATALOGUE.model_copy(update={"datasets": (synthetic.signal("a", 5), synthetic.signal("b", 5))})
    cutflows = {"a": replace(CUTFLOWS["hnl3"], efficiencies=first), "b": replace(CUTFLOWS["hnl3"], efficiencies=second)}
    ((points),) = drawn(nonprompt.of_vertex(cutflows, catalogue, "muon")).values()
    _, share, low, high = points[0]
    assert (share, low, high) == pytest.approx((0.5, *interval(16, 32)), abs=1e-9)


def test_bins_of_few_leptons_are_left_out() -> None:
    """So are signals that have no others."""
    cutflows = CUTFLOWS | {"hnl3": of(7, 1.0), "hnl8": of(8, 1.0)}
    points = drawn(nonprompt.of_lepton(cutflows, CATALOGUE, "muon", "delta_2d"))
    assert {name: len(of_signal) for name, of_signal in points.items()} == {
        "$m_N$ = 8 GeV": len(DELTA_2D) - 1, "$m_N$ = 10 GeV": len(DELTA_2D) - 1
    }  # fmt: skip


def test_what_is_not_counted_is_said(tmp_path: Path) -> None:
    """Of samples without counts nothing is drawn; the page says which and why."""
    none = {name: replace(cutflow, efficiencies={}) for name, cutflow in CUTFLOWS.items()}
    with style.look(formats=("png",)):
        assert nonprompt.draw_all(none, CATALOGUE, tmp_path) == []
        (of_mass,) = efficiencies.draw_all(none, SUM_W, CATALOGUE, tmp_path)
        some = none | {"hnl5": CUTFLOWS["hnl5"]}
        leptons, vertices = nonprompt.draw_all(some, CATALOGUE, tmp_path)
    assert "of hnl3, hnl5, hnl8, hnl10_e, hnl10_mu: the files do not hold all generated events" in of_mass.caption
    assert "of hnl3, hnl8, hnl10_e, hnl10_mu: the files do not hold all generated events" in leptons.caption
    assert "no sample to count electrons in" in [
        text.get_text() for text in nonprompt.of_vertex(some, CATALOGUE, "electron").texts
    ]
    assert leptons.path.is_file()
    assert vertices.path.is_file()
