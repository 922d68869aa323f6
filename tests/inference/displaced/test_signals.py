"""Signal yields at points: equal to the ABCD histograms where simulated, to a count by hand elsewhere."""

import json
from dataclasses import replace
from pathlib import Path

import finished_run
import numpy as np
import pytest
import synthetic
import table_3

from hnl.corrections import nuisances
from hnl.corrections.lifetime import Point, PointError, ReweightingError
from hnl.histograms import files
from hnl.histograms.displaced import yields
from hnl.inference.displaced import inputs, signals
from hnl.processors import selection as selections
from hnl.selections.displaced import regions
from hnl.selections.displaced.categories import CATEGORIES
from hnl.stages.run import Run, read


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = finished_run.write(tmp_path_factory.mktemp("signals"), finished_run.entries())
    selection = selections.load(folder)
    thresholds = json.loads((folder / "abcd" / "thresholds.json").read_text())
    filled = files.read_json(folder / "abcd" / "histograms.json")["regions"]
    return selection, thresholds, filled


@pytest.fixture(scope="module")
def loaded(run) -> signals.Signals:
    return inputs.read_signals(Run(run[0].folder), *run[1:])


def test_simulated_points_are_the_histograms(run, loaded):
    for d in loaded.datasets:
        found = loaded.at(d.sample.point, ctau=d.sample.ctau)
        expected = yields.counts(run[2], [d.sample.name], found.hypothesis, "SR")
        np.testing.assert_array_equal(found.nominal.sum_w, expected.sum_w)
        np.testing.assert_array_equal(found.nominal.sum_w2, expected.sum_w2)
        assert found.nominal.sum_w.sum() > 0
    assert [loaded.simulated(c, "majorana") for c in ("e", "mu", "mixed")] == [[], [4.0, 8.0], [8.0]]


@pytest.mark.parametrize("nature", ["majorana", "dirac"])
def test_a_point_counted_event_by_event(run, loaded, nature):
    selection, thresholds, _ = run
    point = Point(8, v2_mu=2.5e-6, nature=nature)
    dataset = selection.catalogue.dataset("hnl8_mu")
    rows = selection.candidates("hnl8_mu")
    (one,) = [d for d in loaded.datasets if d.sample.name == "hnl8_mu"]
    expected = np.zeros((8, 6, 4))
    squares: dict[tuple, float] = {}
    for i, category in enumerate(rows["category"]):
        x, score = thresholds["high"][CATEGORIES[category]], one.scored.scores["high"][i]
        region = int(table_3.region("SR", rows["n_jets"][i], rows["m_l1_sv"][i], score, x))
        if region < 0:
            continue
        t, tau = float(rows["gen_ctau"][i]), point.ctau
        w = selection.scale(dataset) * 2.5 * 10 / tau * np.exp(-t / tau + t / 10)
        if nature == "dirac":
            w *= 2 if rows["gen_same_sign"][i] == 0 else 0
        m_sv = int(rows["m_sv"][i] > 6)
        near = int(np.searchsorted([1, 5], np.float64(rows["delta_2d"][i]), side="left"))
        if m_sv and CATEGORIES[category] in regions.PAPER.merged:
            near = min(near, 1)
        cell = (category, 3 * m_sv + near, region)
        expected[cell] += w
        key = (*cell, int(rows["generator_event"][i]))
        squares[key] = squares.get(key, 0.0) + w
    found = loaded.at(point)
    np.testing.assert_allclose(found.nominal.sum_w, expected, rtol=1e-6)
    error2 = np.zeros_like(expected)
    for key, w in squares.items():
        error2[key[:3]] += w**2
    np.testing.assert_allclose(found.error**2, error2, rtol=1e-6)
    mumu = [CATEGORIES.index(f"mumu_{charge}") for charge in ("OS", "SS")]
    a, a2 = expected[mumu, :, 0].sum(), error2[mumu, :, 0].sum()
    assert found.effective == pytest.approx(a**2 / a2, rel=1e-6)
    assert (expected[mumu[1]].sum() == 0) == (nature == "dirac")


def test_variations_are_more_weight_columns(run):
    """Up: 20 % more for short flights; a dataset without the variation keeps its nominal weight."""
    selection, thresholds, _ = run
    scored = [read(selection, d) for d in selection.catalogue.datasets if d.kind == "signal"]
    first = scored[1]
    factor = np.where(first.columns["delta_2d"] < 1, 1.2, 1.0)
    more = {**first.weights, "tracking_up": first.weights["nominal"] * factor}
    made = signals.make([scored[0], replace(first, weights=more), scored[2]], selection.sum_w, thresholds)
    found = made.at(Point(8, v2_mu=1e-6))
    near = [0, 3]  # bins below 1 cm of the high-mass hypothesis
    parameter = nuisances.parameter("tracking", first.dataset.era)  # every era has its own
    up, nominal = found.varied[f"{parameter}_up"].sum_w, found.nominal.sum_w
    np.testing.assert_allclose(up[:, near], 1.2 * nominal[:, near])
    others = [1, 2, 4, 5]
    np.testing.assert_array_equal(up[:, others], nominal[:, others])
    assert list(made.at(Point(4, v2_mu=4e-5)).varied) == []


def test_other_scores_than_those_of_the_histograms_are_refused(run):
    selection, thresholds, filled = run
    other = filled.copy()
    other.view()["value"][...] *= 1.001
    with pytest.raises(inputs.SignalError, match="hnl4_mu: run hnl abcd again"):
        inputs.read_signals(Run(selection.folder), thresholds, other)


def test_masses_between_samples_whose_cross_sections_do_not_belong_together(loaded):
    with pytest.raises(ReweightingError, match="m_N = 6 GeV cannot be interpolated"):
        loaded.at(Point(6, v2_mu=1e-6))


def test_an_era_without_the_sample(tmp_path: Path):
    made = finished_run.entries()
    table, score = finished_run.signal(9)
    made[0] = (synthetic.signal("hnl4_mu_17", 4, era="2017", v2_e=0.0, v2_mu=4e-5), table, score)
    folder = finished_run.write(tmp_path, made, years=(2018, 2017))
    thresholds = json.loads((folder / "abcd" / "thresholds.json").read_text())
    filled = files.read_json(folder / "abcd" / "histograms.json")["regions"]
    found = inputs.read_signals(Run(folder), thresholds, filled)
    with pytest.raises(PointError, match="the era 2018 has no sample"):
        found.at(Point(4, v2_mu=4e-5))


def test_eras_add_up(tmp_path: Path, loaded):
    """The same sample in two eras of one luminosity: twice the yield."""
    made = finished_run.entries()
    again = synthetic.signal("hnl4_mu_17", 4, era="2017", v2_e=0.0, v2_mu=4e-5)
    mixed = synthetic.signal("hnl8_mixed_17", 8, era="2017")
    two = [made[0], (again, *finished_run.signal(1)), made[2], (mixed, *finished_run.signal(3, coupling="mixed"))]
    folder = finished_run.write(tmp_path, [*two, *made[3:]], years=(2018, 2017))
    thresholds = json.loads((folder / "abcd" / "thresholds.json").read_text())
    filled = files.read_json(folder / "abcd" / "histograms.json")["regions"]
    found = inputs.read_signals(Run(folder), thresholds, filled)
    point = Point(4, v2_mu=6e-5)
    alone = signals.make(
        [d.scored for d in found.datasets if d.scored.dataset.era == "2018"],
        {d.sample.name: d.sample.events for d in found.datasets},
        thresholds,
    )
    np.testing.assert_allclose(found.at(point).nominal.sum_w, 2 * alone.at(point).nominal.sum_w)
