"""The ABCD histograms: every cell against the definition of the regions, nothing lost, nothing moved on disk."""

import json

import numpy as np
import pytest
import table_3
from scored import candidates, random

from hnl.datasets.variations import NOMINAL
from hnl.histograms import files
from hnl.histograms.displaced import abcd, abcd_files, yields
from hnl.histograms.displaced.abcd import FillError
from hnl.histograms.displaced.settings import PAPER
from hnl.histograms.files import HistogramFileError
from hnl.selections.displaced import regions
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.hypotheses import HYPOTHESES

READ = {"json": files.read_json, "root": abcd_files.read_root}
SCAN = PAPER.scan
EDGES = abcd.score_edges()
X = {h: {c: SCAN[(i + 3 * j) % len(SCAN)] for i, c in enumerate(CATEGORIES)} for j, h in enumerate(HYPOTHESES)}


def filled(tables, thresholds=X, edges=EDGES, hide=(), variations=(NOMINAL,)):
    """Both histograms of {dataset: (candidates, score, weights)}."""
    both = {
        "regions": abcd.make_regions({name: f"era of {name}" for name in tables}, variations),
        "plane": abcd.make_plane(tables, edges),
    }
    for name, (table, score, weights) in tables.items():
        for h in HYPOTHESES:
            cells = abcd.bin_candidates(name, table, score, h, edges)
            cells = cells.without_signal_region(thresholds) if name in hide else cells
            abcd.fill_regions(both["regions"], name, f"era of {name}", cells, weights, thresholds)
            abcd.fill_plane(both["plane"], name, cells, weights[NOMINAL])
    return both


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(7)
    table, score = random(rng, 4000)
    weight = rng.normal(1, 1, 4000)  # some negative
    return table, score, {NOMINAL: weight, "up": weight * 1.1}


@pytest.fixture(scope="module")
def both(sample):
    empty = candidates(m_sv=[])
    tables = {"one": sample, "none": (empty, np.empty(0, "f4"), {NOMINAL: np.empty(0)})}
    return filled(tables, variations=(NOMINAL, "up"))


def by_definition(sample, hypothesis, kind, thresholds, variation=NOMINAL):
    """Yields by the words of Table 3 and plain sums."""
    table, score, weights = sample
    x = np.array([thresholds[hypothesis][c] for c in CATEGORIES])[table["category"]]
    region = table_3.region(kind, table["n_jets"], table["m_l1_sv"], score, x)
    m_bin = regions.m_sv_bin(table["m_sv"], hypothesis)
    d_bin = regions.delta_2d_bin(table["delta_2d"], m_bin, table["category"], hypothesis)
    result = np.zeros((2, len(CATEGORIES), regions.N_BINS, 4))
    use = region >= 0
    where = (table["category"][use], (3 * m_bin + d_bin)[use], region[use])
    w = weights[variation][use]
    np.add.at(result[0], where, w)
    np.add.at(result[1], where, w**2)
    return result


@pytest.mark.parametrize("variation", [NOMINAL, "up"])
@pytest.mark.parametrize("kind", ["SR", "CR"])
@pytest.mark.parametrize("hypothesis", HYPOTHESES)
def test_every_cell_is_what_table_3_says(sample, both, hypothesis, kind, variation):
    counts = yields.counts(both["regions"], ["one", "none"], hypothesis, kind, variation)
    expected = by_definition(sample, hypothesis, kind, X, variation)
    np.testing.assert_allclose(counts.sum_w, expected[0], atol=1e-9)
    np.testing.assert_allclose(counts.sum_w2, expected[1], atol=1e-9)
    assert (expected[1] > 0).sum() >= 80


@pytest.mark.parametrize("kind", ["SR", "CR"])
@pytest.mark.parametrize("hypothesis", HYPOTHESES)
def test_thresholds_move_without_filling_again(sample, both, hypothesis, kind):
    other = {h: {c: SCAN[(5 * i + 1) % len(SCAN)] for i, c in enumerate(CATEGORIES)} for h in HYPOTHESES}
    counts = yields.counts_at(both["plane"], ["one"], hypothesis, kind, list(other[hypothesis].values()))
    expected = by_definition(sample, hypothesis, kind, other)
    np.testing.assert_allclose(counts.sum_w, expected[0], atol=1e-9)
    np.testing.assert_allclose(counts.sum_w2, expected[1], atol=1e-9)


def test_a_threshold_that_is_no_edge_is_refused(both):
    with pytest.raises(yields.AxisError, match=r"0\.9712"):
        yields.counts_at(both["plane"], ["one"], "low", "SR", [0.9712] * 8)


def test_given_thresholds_become_edges(sample):
    x = {h: dict.fromkeys(CATEGORIES, 0.9713) for h in HYPOTHESES}
    both = filled({"one": sample}, x, abcd.score_edges([0.9713]))
    moved = yields.counts_at(both["plane"], ["one"], "low", "SR", [0.9713] * 8)
    np.testing.assert_allclose(moved.sum_w, yields.counts(both["regions"], ["one"], "low", "SR").sum_w, atol=1e-9)


def test_vr_scores(sample, both):
    table, score, weights = sample
    vr = table_3.region("VR", table["n_jets"], table["m_l1_sv"], score)
    muon = np.isin(table["category"], [CATEGORIES.index(c) for c in CATEGORIES if c[:4] in ("mumu", "emu_")])
    for i, counts in enumerate(yields.vr_scores(both["plane"], ["one"], "high", "muon")):
        use = (vr == i) & muon
        expected = np.histogram(-score[use].astype(float), -np.array(EDGES[::-1]), weights=weights[NOMINAL][use])[0][
            ::-1
        ]
        np.testing.assert_allclose(counts.sum_w, expected, atol=1e-9)


def test_a_variation_that_a_dataset_does_not_have_is_its_nominal(sample):
    other = (*sample[:2], {NOMINAL: sample[2][NOMINAL]})
    histogram = filled({"one": other}, variations=(NOMINAL, "up"))["regions"]
    np.testing.assert_array_equal(histogram.view()["value"][..., 0], histogram.view()["value"][..., 1])


def test_resimulations_in_one_cell_are_one_event():
    """Four quarters of one event have the variance of one event; in different cells, of two halves."""

    def variance(mass, cluster):
        table = candidates(n_jets=[1] * 4, m_l1_sv=mass)
        histogram = abcd.make_regions({"one": "era"})
        cells = abcd.bin_candidates("one", table, np.full(4, 0.99), "low", EDGES, np.array(cluster))
        abcd.fill_regions(histogram, "one", "era", cells, {NOMINAL: np.full(4, 0.25)}, X)
        counts = yields.counts(histogram, ["one"], "low", "SR")
        assert counts.sum_w.sum() == 1
        return counts.sum_w2.sum()

    assert variance([60] * 4, [7, 7, 7, 7]) == 1
    assert variance([60] * 4, [1, 2, 3, 4]) == 0.25
    assert variance([60, 60, 40, 40], [7, 7, 7, 7]) == 0.5


def test_sums_by_region_are_those_of_the_bins_together(sample):
    """Independent events: by category as the plane has them, and by the flavour of l2."""
    table, score, weights = sample
    plane = filled({"one": sample})["plane"]
    x = {"low": dict.fromkeys(CATEGORIES, 0.7)}
    binned = abcd.bin_candidates("one", table, score, "low", EDGES)
    signal = binned.where(binned.selection == 0)
    found = abcd.sums_by_region(signal, weights[NOMINAL], x, np.arange(len(CATEGORIES)))
    expected = yields.counts_at(plane, ["one"], "low", "SR", [0.7] * 8).total(1)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    of_l2 = np.stack(abcd.sums_by_region(signal, weights[NOMINAL], x, yields.L2))
    muon = [name.startswith(("mumu", "emu")) for name in CATEGORIES]
    np.testing.assert_allclose(of_l2[:, 1], np.stack(found)[:, muon].sum(axis=1), atol=1e-9)


def test_resimulations_are_one_event_in_a_region():
    """In SR-B three of them, in other bins and of other scores; one is in SR-A, one in SR-D."""
    table = candidates(n_jets=[1] * 5, m_l1_sv=[60, 70, 84, 60, 40], m_sv=[1, 3, 8, 1, 1], delta_2d=[1, 9, 20, 1, 1])
    score = np.array([0.3, 0.5, 0.65, 0.9, 0.5])
    binned = abcd.bin_candidates("one", table, score, "low", EDGES, np.full(5, 7))
    x = {"low": dict.fromkeys(CATEGORIES, 0.7)}
    w, w2 = abcd.sums_by_region(binned, np.full(5, 0.25), x, np.arange(len(CATEGORIES)))
    i = int(table["category"][0])
    np.testing.assert_allclose(w[i], [0.25, 0.75, 0, 0.25])
    np.testing.assert_allclose(w2[i], [0.25**2, 0.75**2, 0, 0.25**2])


OVERFLOWS = {
    "m_l1_sv": 1e30,
    "m_sv": np.inf,
    "delta_2d": 3e8,
    "n_jets": 30000,
}


@pytest.mark.parametrize("column", OVERFLOWS)
def test_what_is_beyond_an_axis_is_in_its_last_bin(column):
    """In both histograms, as an ordinary large value is."""
    ordinary = {"m_l1_sv": 500, "m_sv": 50, "delta_2d": 60, "n_jets": 4}
    views = []
    for value in (OVERFLOWS[column], ordinary[column]):
        table = candidates(**{"category": [0], **{k: [v] for k, v in ordinary.items()}, column: [value]})
        both = filled({"one": (table, np.ones(1), {NOMINAL: np.ones(1)})})  # a score of 1, the end of its axis
        assert [h.view()["value"].sum() for h in both.values()] == [2, 2]  # one for each hypothesis
        views.append([h.view()["value"] for h in both.values()])
    for large, usual in zip(*views, strict=True):
        np.testing.assert_array_equal(large, usual)


@pytest.mark.parametrize("row", [{"m_l1_sv": 10}, {"m_l1_sv": -5}, {"n_jets": 0}, {"score": 0.2}, {"score": np.nan}])
def test_what_is_in_no_region_is_not_filled(row):
    given = {"n_jets": 1, "m_l1_sv": 70.0, "score": 0.99} | row
    score = np.array([given.pop("score")])
    both = filled({"one": (candidates(**{k: [v] for k, v in given.items()}), score, {NOMINAL: np.ones(1)})})
    assert not any(h.view()["value"].any() for h in both.values())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"m_l1_sv": np.nan}, "dataset one: a candidate has m_l1_sv = nan"),
        ({"m_sv": np.nan}, "m_sv = nan"),
        ({"delta_2d": np.nan}, "delta_2d = nan"),
        ({"score": 1.5}, r"score_low = 1\.5"),
        ({"score": -0.1}, "score_low = -0"),
        ({"weight": np.nan}, r"weight \(nominal\) = nan"),
        ({"weight": np.inf}, r"weight \(nominal\) = inf"),
    ],
)
def test_what_cannot_be_filled_is_named(row, message):
    given = {"n_jets": 1, "m_l1_sv": 70.0, "score": 0.99, "weight": 1.0} | row
    score, weight = np.array([given.pop("score")]), np.array([given.pop("weight")])
    table = candidates(**{k: [v] for k, v in given.items()})
    with pytest.raises(FillError, match=message):
        filled({"one": (table, score, {NOMINAL: weight})})


def test_hidden_events_are_in_no_cell(sample):
    shown, hidden = filled({"one": sample}), filled({"one": sample}, hide=["one"])
    for h in HYPOTHESES:
        before, after = (yields.counts(both["regions"], ["one"], h, "SR") for both in (shown, hidden))
        assert before.sum_w2[..., 0].sum() > 0
        assert not after.sum_w2[..., 0].any()
        np.testing.assert_array_equal(after.sum_w[..., 1:], before.sum_w[..., 1:])
        x = list(X[h].values())
        assert not yields.counts_at(hidden["plane"], ["one"], h, "SR", x).sum_w2[..., 0].any()
        control = [yields.counts(both["regions"], ["one"], h, "CR").sum_w for both in (shown, hidden)]
        np.testing.assert_array_equal(*control)


@pytest.mark.parametrize("form", ["json", "root"])
def test_files_are_read_back_identically(both, tmp_path, form):
    both["regions"].label = "a mark"
    path = tmp_path / f"histograms.{form}"
    write, read = getattr(abcd_files, f"write_{form}"), READ[form]
    write(path, both)
    result = read(path)
    assert result.keys() == both.keys()
    for name, histogram in both.items():
        assert result[name] == histogram, name  # axes and contents
        assert [axis.name for axis in result[name].axes] == [axis.name for axis in histogram.axes]
        assert result[name].label == histogram.label


def test_json_is_strict(both, tmp_path):
    abcd_files.write_json(tmp_path / "h.json", both)

    def refuse(word):
        raise AssertionError(word)

    json.loads((tmp_path / "h.json").read_text(), parse_constant=refuse)


@pytest.mark.parametrize("form", ["json", "root"])
def test_a_broken_file_is_named(tmp_path, form):
    path = tmp_path / "broken"
    path.write_text("no histogram")
    with pytest.raises(HistogramFileError, match="broken"):
        READ[form](path)
