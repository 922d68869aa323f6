"""The stage `abcd` as a whole: a hand-made table with yields counted by hand, blinding, and what is empty."""

import csv
import io
import json
import re
from pathlib import Path
from textwrap import wrap

import finished_run
import numpy as np
import pytest
import synthetic
from scipy import stats
from scored import candidates, dataset, random, scored

from hnl.errors import InputError
from hnl.histograms import files
from hnl.histograms.displaced import abcd_files, yields
from hnl.inference import intervals
from hnl.inference.abcd.rows import NO_CLASSIFIER
from hnl.ml import scoring
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.hypotheses import HYPOTHESES
from hnl.stages import abcd
from hnl.stages.run import Run
from hnl.terminal import lines

X = 0.75
THRESHOLDS = {h: dict.fromkeys(CATEGORIES, X) for h in HYPOTHESES}
CATEGORY = "mumu_SS"

# n_jets, m(l1,SV), score, m_SV, Delta_2D: for low mass all but the last two lines are in the bin < 2 GeV, < 4 cm.
TABLE = [
    (1, 60, 0.90, 1.0, 1.0),  # SR-A
    (1, 85, 0.76, 2.0, 4.0),  # SR-A: on the upper edges
    (1, 51, 0.75, 1.0, 1.0),  # SR-B: not above x
    (1, 70, 0.30, 1.0, 1.0),  # SR-B
    (1, 70, 0.40, 1.0, 1.0),  # SR-B
    (1, 84, 0.21, 1.0, 1.0),  # SR-B
    (1, 50, 0.90, 1.0, 1.0),  # SR-C, CR-C: on the lower edge of the window
    (1, 90, 0.80, 1.0, 1.0),  # SR-C, CR-A
    (1, 999, 0.99, 1.0, 1.0),  # SR-C, CR-C
    (1, 11, 0.50, 1.0, 1.0),  # SR-D, CR-D
    (1, 49, 0.50, 1.0, 1.0),  # SR-D, CR-D
    (1, 86, 0.50, 1.0, 1.0),  # SR-D, CR-B
    (1, 110, 0.50, 1.0, 1.0),  # SR-D, CR-B: on the upper edge
    (1, 111, 0.50, 1.0, 1.0),  # SR-D, CR-D
    (1, 120, 0.25, 1.0, 1.0),  # SR-D, CR-D
    (2, 60, 0.90, 1.0, 1.0),  # VR-AB
    (2, 100, 0.90, 1.0, 1.0),  # VR-CD, CR-A
    (3, 100, 0.30, 1.0, 1.0),  # VR-CD, CR-B
    (1, 10, 0.90, 1.0, 1.0),  # in no region: m(l1,SV)
    (1, 60, 0.19, 1.0, 1.0),  # in no region: score
    (1, 60, 0.30, 3.0, 20.0),  # SR-B of the bin > 2 GeV, > 10 cm
    (1, 30, 0.30, 3.0, 20.0),  # SR-D, CR-D of that bin
]
SR = {"A": 2.0, "B": 4.0, "C": 3.0, "D": 6.0}
CR = {"A": 2.0, "B": 3.0, "C": 2.0, "D": 4.0}


def by_hand():
    """The table as candidates, all in one category."""
    n_jets, mass, score, m_sv, delta = np.array(TABLE, dtype=float).T
    category = np.full(len(TABLE), CATEGORIES.index(CATEGORY))
    return candidates(category=category, n_jets=n_jets, m_l1_sv=mass, m_sv=m_sv, delta_2d=delta), score


def written(folder: Path, *entries) -> Path:
    """A finished selection with scores, from (dataset, candidates, scores), and the table of thresholds."""
    synthetic.write(folder, [(entry, table) for entry, table, _ in entries])
    for entry, table, score in entries:
        columns = {name: np.asarray(score, dtype=np.float32) for name in scoring.COLUMNS}
        facts = {"models": {}, "own_models": False}
        scoring.write(folder, entry.name, table, columns, facts)
    (folder / "x.json").write_text(json.dumps(THRESHOLDS))
    return folder


def printed(tables):
    """As in a pipe of 80 columns."""
    result = []
    for table in tables:
        heading, body = lines(table, 80, breaks=False)
        result += [table.title, *heading, *body, *wrap(table.note, 80)]
    return "\n".join(result)


def rows(content, table, **wanted):
    found = content["tables"][table] if "tables" in content else content
    return [row for row in found if all(row[key] == value for key, value in wanted.items())]


def one(content, table, **wanted):
    (row,) = rows(content, table, **wanted)
    return row


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """The hand-made table as data and, four times, as simulation with other weights; blinded and not."""
    folder = written(
        tmp_path_factory.mktemp("abcd"),
        (synthetic.data(), *by_hand()),
        (synthetic.background("wjets", "wjets", cross_section=2.0), *by_hand()),
    )
    result = {}
    for name, unblind in (("unblinded", True), ("blinded", False)):
        returned = abcd.run(Run(folder), unblind=unblind, thresholds=folder / "x.json")
        content = json.loads((folder / "abcd" / "abcd.json").read_text())
        files = {path.name: path.read_bytes() for path in (folder / "abcd").iterdir()}
        result[name] = (returned, content, files)
    return folder, result


LOW = {"hypothesis": "low", "category": CATEGORY, "bin": "m_SV < 2, < 4 cm"}


def test_yields_counted_by_hand(stage):
    _, content, _ = stage[1]["unblinded"]
    row = one(content, "yields", sample="data", **LOW)
    assert {name: row[name] for name in "ABCD"} == SR
    assert row["prediction"] == 4 * 3 / 6
    assert row["mark"] == ""
    assert one(content, "closure", sample="data", **LOW) | CR == one(content, "closure", sample="data", **LOW)
    assert one(content, "closure", sample="data", **LOW)["prediction"] == 3 * 2 / 4
    other = one(content, "yields", sample="data", **LOW | {"bin": "m_SV > 2, > 10 cm"})
    assert [other[name] for name in "ABCD"] == [0, 1, 0, 1]
    assert (other["prediction"], other["mark"]) == (0, "C empty")
    total = one(content, "yields", sample="data", **LOW | {"bin": "all"})
    assert [total[name] for name in "ABCD"] == [2, 5, 3, 7]
    assert total["prediction"] == 2
    assert total["mark"] == "D empty in 4 bins"


def test_high_mass_bins_are_merged(stage):
    _, content, _ = stage[1]["unblinded"]
    found = {r["bin"]: r for r in rows(content, "yields", sample="data", hypothesis="high", category=CATEGORY)}
    assert list(found) == [
        *(f"m_SV < 6, {distance} cm" for distance in ("< 1", "1-5", "> 5")),
        *(f"m_SV > 6, {distance} cm" for distance in ("< 1", "> 1")),
        "all",
    ]
    assert [found["m_SV < 6, < 1 cm"][name] for name in "ABCD"] == [1, 4, 3, 6]  # 1 cm is < 1
    assert found["m_SV < 6, 1-5 cm"]["A"] == 1  # the event at 4 cm


def test_simulation_is_weighted(stage):
    """2 pb x 10 / fb over the sum of weights that `synthetic.write` declares."""
    _, content, _ = stage[1]["unblinded"]
    weight = 2.0 * 1000 * 10 / (10 * len(TABLE) + 1)
    row = one(content, "yields", sample="simulation", **LOW)
    np.testing.assert_allclose([row[name] for name in "ABCD"], [weight * n for n in SR.values()])
    data = one(content, "yields", sample="data", **LOW)
    for key in ("prediction", "stat_up", "high95"):
        assert row[key] == pytest.approx(weight * data[key])
    assert row["pull"] == pytest.approx(data["pull"])


def test_all_vr_events_are_in_the_correlation(stage):
    _, content, _ = stage[1]["unblinded"]
    row = one(content, "correlation", sample="data", **LOW)
    assert row["events"] == pytest.approx(3)
    mass, score = np.array([60.0, 100, 100]), np.float32([0.9, 0.9, 0.3])
    assert row["coefficient"] == pytest.approx(np.corrcoef(mass, score)[0, 1])


@pytest.mark.parametrize(
    ("selection", "x", "expected"),
    [
        ("SR", "0.5", [3, 4, 3, 7]),  # a score of 0.5 is not above
        ("VR", "0.5", [1, 0, 1, 1]),
        ("SR+VR", "0.5", [4, 4, 4, 8]),
        ("SR+VR", "0.9", [0, 8, 1, 11]),
        ("SR", "chosen", [2, 5, 3, 7]),
    ],
)
def test_simulation_at_lower_thresholds_counted_by_hand(stage, selection, x, expected):
    _, content, _ = stage[1]["unblinded"]
    weight = 2.0 * 1000 * 10 / (10 * len(TABLE) + 1)
    for category in (CATEGORY, "l2 muon", "all"):
        at = {"hypothesis": "low", "selection": selection, "threshold": x, "category": category}
        row = one(content, "simulated_closure", **at)
        np.testing.assert_allclose([row[name] for name in "ABCD"], weight * np.array(expected))
    others = [r for r in rows(content, "simulated_closure") if r["category"] not in (CATEGORY, "l2 muon", "all")]
    assert {r["mark"] for r in others} == {"B empty; C empty; D empty; cannot tell a factor of 3"}


def test_closure_at_a_lower_threshold(stage):
    """4, 4, 4, 8: the margins 8, 12 and 8, 12 make 3.2, 4.8, 4.8, 7.2 if there is closure."""
    _, content, _ = stage[1]["unblinded"]
    at = {"hypothesis": "low", "selection": "SR+VR", "threshold": "0.5"}
    row, total = (one(content, "simulated_closure", **at, category=name) for name in (CATEGORY, "all"))
    weight = 2.0 * 1000 * 10 / (10 * len(TABLE) + 1)
    fitted, counts = np.array([3.2, 4.8, 4.8, 7.2]), np.array([4.0, 4, 4, 8])
    assert np.exp(np.sqrt((1 / fitted).sum())) < 3
    assert (row["prediction"], row["ratio"]) == (pytest.approx(2 * weight), pytest.approx(2))
    low, high, p_value = intervals.double_ratio(counts, counts)
    found = [row[key] for key in ("ratio_low", "ratio_high", "p_value")]
    np.testing.assert_allclose(found, [low, high, p_value])
    chi2 = 2 * (counts * np.log(counts / fitted)).sum()
    assert row["pull"] == pytest.approx(np.sqrt(chi2))
    assert (row["tested"], row["mark"], total["tested"], total["ndf"]) == (1, "", 1, 1)
    assert (total["chi2"], total["p_value"]) == (pytest.approx(chi2), pytest.approx(stats.chi2.sf(chi2, 1)))
    silent = one(content, "simulated_closure", **at | {"selection": "VR"}, category="all")
    assert (silent["ndf"], silent["p_value"]) == (0, None)
    assert "cannot tell a factor of 3" in silent["mark"]


def test_data_is_not_in_the_closure_at_lower_thresholds(stage, tmp_path):
    """Blinded or not, the table is that of simulation alone."""
    folder = written(tmp_path, (synthetic.background("wjets", "wjets", cross_section=2.0), *by_hand()))
    alone = abcd.run(Run(folder), thresholds=folder / "x.json").tables["simulated_closure"].records
    for name in ("blinded", "unblinded"):
        assert stage[1][name][1]["tables"]["simulated_closure"] == alone


def test_only_this_category_is_filled(stage):
    _, content, _ = stage[1]["unblinded"]
    others = [r for r in content["tables"]["yields"] if r["category"] != CATEGORY and r["bin"] != "all"]
    assert others
    assert all(row[name] == 0 for row in others for name in "ABCD")
    assert {row["mark"] for row in others} == {"B empty; C empty; D empty"}
    assert {row["prediction"] for row in others} == {None}


def test_blinding_hides_a_of_data_in_every_table(stage):
    returned, content, _ = stage[1]["blinded"]
    assert "hidden" in content["hidden"]
    assert "hidden" in returned.hidden
    for row in rows(content, "yields", sample="data"):
        assert [row[key] for key in ("A", "A_error", "pull", "ratio", "chi2", "ndf", "p_value")] == [None] * 7
        assert "A hidden" in row["mark"]
    assert one(content, "yields", sample="data", **LOW)["prediction"] == 2
    assert one(content, "yields", sample="simulation", **LOW)["A"] > 0
    assert one(content, "closure", sample="data", **LOW)["A"] == CR["A"]  # not of the SR
    assert "region A of data is hidden" in printed(returned.text_tables(full=True))


def test_blinding_hides_a_of_data_in_the_histograms(stage):
    folder, results = stage
    for reading, file in ((files.read_json, "histograms.json"), (abcd_files.read_root, "histograms.root")):
        both = reading(folder / "abcd" / file)  # the blinded run was the last one
        for h in HYPOTHESES:
            hidden = yields.counts(both["regions"], ["pseudodata"], h, "SR").sum_w
            moved = yields.counts_at(both["plane"], ["pseudodata"], h, "SR", [X] * 8).sum_w
            for counts in (hidden, moved):
                assert counts[..., 0].sum() == 0
                assert counts[..., 1:].sum() == 15
        assert "hidden" in both["regions"].label
    shown = results["unblinded"][0].histograms["regions"]
    assert yields.counts(shown, ["pseudodata"], "low", "SR").sum_w[..., 0].sum() == 2
    assert shown.label == ""


def test_no_file_of_a_blinded_run_depends_on_a(stage, tmp_path):
    """The same table without the events of SR-A gives the same bytes: they can be found nowhere."""
    table, score = by_hand()
    keep = ~((table["n_jets"] == 1) & (table["m_l1_sv"] > 50) & (table["m_l1_sv"] <= 85) & (score > X))
    assert (~keep).sum() == SR["A"]
    fewer = {name: column[keep] for name, column in table.items()}
    folder = written(
        tmp_path,
        (synthetic.data(), fewer, score[keep]),
        (synthetic.background("wjets", "wjets", cross_section=2.0), *by_hand()),
    )
    abcd.run(Run(folder), thresholds=folder / "x.json")
    expected = stage[1]["blinded"][2]
    for path in (folder / "abcd").iterdir():
        if path.suffix == ".root":
            again = abcd_files.read_root(path)
            (tmp_path / "expected.root").write_bytes(expected[path.name])
            assert again == abcd_files.read_root(tmp_path / "expected.root")
        elif path.name == "abcd.json":
            contents = [json.loads(text) for text in (path.read_bytes(), expected[path.name])]
            for content in contents:
                del content["provenance"]
            assert contents[0] == contents[1]
        else:
            assert path.read_bytes() == expected[path.name], path.name


def test_every_format_says_the_same(stage):
    folder, results = stage
    returned, content, _ = results["blinded"]
    for name, table in returned.tables.items():
        text = (folder / "abcd" / f"{name}.csv").read_text()
        assert len(list(csv.DictReader(io.StringIO(text)))) == len(content["tables"][name])
        assert "nan" not in text.lower()
        latex = (folder / "abcd" / f"{name}.tex").read_text()
        assert latex.count(r"\\") == len(table.records) + 1
        assert "nan" not in latex.lower()
    assert all(path.is_file() for path in returned.files)
    assert json.loads((folder / "abcd" / "thresholds.json").read_text()) == THRESHOLDS


def undefined_without_mark(result):
    """Records that hold None in a column of numbers and say nothing about it."""
    always = {"c_ab", "c_ab_uncertainty", "low95", "high95", "chi2", "ndf", "p_value"}
    of_all = {"ratio_low", "ratio_high"}  # there is no such interval of a sum of categories
    return [
        (name, row)
        for name, table in result.tables.items()
        for row in table.records
        if not row["mark"]
        and any(
            value is None
            for key, value in row.items()
            if key not in always and not (row.get("category") == "all" and key in of_all)
        )
    ]


@pytest.mark.parametrize("full", [False, True])
def test_the_terminal_is_told(stage, large, full):
    for result in (large[1], stage[1]["blinded"][0]):
        text = printed(result.text_tables(full=full))
        assert full or max(map(len, text.splitlines())) <= 80
        for word in (CATEGORY, "hidden", "Thresholds", "Control region", "Pearson", "VR-CD"):
            assert word in text


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Simulation with Drell-Yan, two signals and data, with optimised thresholds; negative weights among them."""
    rng = np.random.default_rng(11)
    made = []
    for name, kind, process, n, weight in (
        ("wjets", "background", "wjets", 20000, 1.0),
        ("dy50", "background", "dyjets", 8000, 1.0),
        ("data", "data", "data", 20000, 1.0),
        ("hnl3", "signal", "hnl", 2000, 0.01),
        ("hnl10", "signal", "hnl", 2000, 1e-4),
    ):
        table, score = random(rng, n, signal=kind == "signal")
        if name == "dy50":
            table["gen_weight"] = rng.choice([1.0, -1.0], n, p=[0.85, 0.15])
        entry = dataset(name, kind, process, 10.0 if name == "hnl10" else 3.0)
        made.append(scored(entry, table, score, weight, **({"up": 1.1} if kind != "data" else {})))
    return made, abcd.analyse(made, tmp_path_factory.mktemp("large"))


def test_nothing_undefined_is_unmarked(large, stage):
    for result in (large[1], stage[1]["blinded"][0], stage[1]["unblinded"][0]):
        assert undefined_without_mark(result) == []


def test_thresholds_are_in_the_range_of_the_paper(large):
    chosen = [x for row in large[1].thresholds.values() for x in row.values()]
    assert len(chosen) == 16
    assert all(0.97 <= x <= 0.998 for x in chosen)
    assert len(set(chosen)) > 1


def test_signal_sits_in_a(large):
    records = large[1].tables["contamination"].records
    assert {(r["hypothesis"], r["signal"]) for r in records} == {("low", "hnl3"), ("high", "hnl10")}
    assert {r["category"] for r in records} == {*CATEGORIES, "all"}
    for row in records:
        assert row["share_A"] > max(row["share_C"], row["share_D"])
        assert sum(row[f"share_{name}"] for name in "ABCD") == pytest.approx(1)


def test_simulation_without_correlation_closes(large):
    found = [r for r in large[1].tables["yields"].records if r["sample"] == "simulation" and r["bin"] == "all"]
    assert len(found) == 16
    assert sum(abs(row["pull"]) < 2 for row in found) >= 14
    low = [r for r in found if r["hypothesis"] == "low"]
    assert sum(r["A"] for r in low) == pytest.approx(sum(r["prediction"] for r in low), rel=0.15)


def test_dy_corrects_os_muons_of_low_mass_only(large):
    records = large[1].tables["yields"].records
    corrected = {
        (r["hypothesis"], r["category"]) for r in records if r["c_ab"] not in (None, 1.0) or r["c_ab_uncertainty"]
    }
    assert corrected == {("low", "mumu_OS")}
    assert len(large[1].tables["dy_correction"].records) == 6


def test_variations_are_filled_once_for_all(large):
    histogram = large[1].histograms["regions"]
    for name, factor in (("wjets", 1.1), ("data", 1.0)):
        nominal, up = (yields.counts(histogram, [name], "low", "SR", v).sum_w for v in ("nominal", "up"))
        np.testing.assert_allclose(up, factor * nominal)


@pytest.mark.usefixtures("no_figures")
def test_an_injected_correlation_is_flagged(tmp_path):
    rng = np.random.default_rng(12)
    table, score = random(rng, 30000, correlated=True)
    result = abcd.analyse([scored(dataset("data", "data"), table, score)], tmp_path)
    shapes = result.tables["shapes"].records
    assert all(row["mark"] == "p < 0.01" for row in shapes)
    honest = abcd.analyse([scored(dataset("data", "data"), *random(rng, 30000))], tmp_path)
    assert sum(bool(row["mark"]) for row in honest.tables["shapes"].records) == 0
    flagged = [r for r in honest.tables["correlation"].records if r["mark"].startswith("p <")]
    assert len(flagged) <= 5  # of 94, one in a hundred by chance


@pytest.mark.usefixtures("no_figures")
def test_an_injected_correlation_breaks_the_closure_of_simulation(tmp_path):
    rng = np.random.default_rng(12)
    entry = dataset("wjets", "background")
    for correlated in (True, False):
        result = abcd.analyse([scored(entry, *random(rng, 30000, correlated=correlated))], tmp_path)
        found = {
            (r["selection"], r["threshold"]): r
            for r in rows(result.tables["simulated_closure"].records, "", category="all")
        }
        assert len(found) == 15  # 'high' has the same scores and replaces 'low'
        for x in ("0.5", "0.7", "0.9"):
            row = found["SR+VR", x]
            assert row["ndf"] == 8
            assert row["ratio"] > 1.2 if correlated else row["ratio"] == pytest.approx(1, abs=0.1)
            assert row["p_value"] < 1e-6 if correlated else row["p_value"] > 0.001


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [("data", "data", 0)],
        [("signal", "signal", 0)],
        [("signal", "signal", 50)],
        [("wjets", "background", 0), ("signal", "signal", 50)],
        [("dy", "background", 1), ("data", "data", 2)],
    ],
    ids=["nothing", "empty data", "empty signal", "signal alone", "empty background", "three events"],
)
@pytest.mark.usefixtures("no_figures")
def test_next_to_nothing(tmp_path, entries):
    rng = np.random.default_rng(1)
    given = [scored(dataset(name, kind, name), *random(rng, n)) for name, kind, n in entries]
    result = abcd.analyse(given, tmp_path)
    assert undefined_without_mark(result) == []
    assert len(result.tables["thresholds"].records) == 16
    assert result.text_tables()


@pytest.mark.usefixtures("no_figures")
def test_candidates_without_a_classifier_are_marked(tmp_path):
    rng = np.random.default_rng(2)
    table, score = random(rng, 3000)
    score[np.isin(table["category"], [0, 1])] = np.nan
    result = abcd.analyse([scored(dataset("wjets", "background"), table, score)], tmp_path)
    assert undefined_without_mark(result) == []
    for name in ("yields", "closure", "thresholds"):
        found = [r for r in result.tables[name].records if r["mark"] == NO_CLASSIFIER]
        assert {r["category"] for r in found} == {"ee_OS", "ee_SS"}


@pytest.mark.usefixtures("no_figures")
def test_partial_results_say_so(tmp_path):
    result = abcd.analyse([], tmp_path, partial=["lost.root"])
    assert result.partial == ["lost.root"]
    assert json.loads((tmp_path / "abcd" / "abcd.json").read_text())["partial"] == ["lost.root"]


def test_without_scores_the_way_is_told(tmp_path):
    table, _ = by_hand()
    synthetic.write(tmp_path, [(synthetic.data(), table)])
    with pytest.raises(InputError, match="hnl score"):
        abcd.run(Run(tmp_path))


def test_a_run_shows_the_prediction_and_the_closure(stage):
    """In two tables that fit 80 columns, with A and the pull where they are not hidden."""
    blinded, unblinded = (stage[1][name][0] for name in ("blinded", "unblinded"))
    for result, names in ((blinded, ("B C / D",)), (unblinded, ("A", "B C / D", "pull"))):
        prediction, closure = result.text_tables(brief=True)
        assert prediction.title.startswith("Signal region, data")
        assert list(prediction.headings) == ["category", *(f"{h} mass\n{name}" for h in HYPOTHESES for name in names)]
        assert [row[0] for row in prediction.rows] == list(CATEGORIES)
        assert closure.title.startswith("Control region")
        assert len(closure.rows) == len(HYPOTHESES) * 2
        assert max(map(len, printed([prediction, closure]).splitlines())) <= 80
    # All bins of low mass, see `test_yields_counted_by_hand`.
    line = next(row for row in unblinded.text_tables(brief=True)[0].rows if row[0] == CATEGORY)
    assert line[1] == "2"
    assert re.fullmatch(r"2 \+[\d.]+ -[\d.]+\*", line[2])


def test_pseudo_data_are_called_so_in_every_table(tmp_path):
    """The file keeps its names of samples; nothing that is shown says 'data' of what is drawn from simulation."""
    rng = np.random.default_rng(1)
    drawn = synthetic.data().model_copy(update={"process": "pseudo-data"})
    made = [(drawn, *random(rng, 300)), (synthetic.background("w", "wjets"), *random(rng, 300))]
    out = finished_run.write(tmp_path / "out", made)
    result = abcd.run(Run(out))
    assert {row.sample for row in result.rows.yields} == {"data", "simulation"}
    for short in (True, False):
        words = [f"{table.title} {table.rows}" for table in result.text_tables(brief=short)]
        assert any("pseudo-data" in text for text in words)
        assert not any(re.search(r"(?<!pseudo-)\bdata\b", text) for text in words)
