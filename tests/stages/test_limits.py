"""Scans, projections, fits and their products; on curves made up, and on a finished run."""

import csv
import dataclasses
import json
import shutil
from pathlib import Path

import finished_run
import numpy as np
import pytest
import yaml

from hnl import dependencies, layout, records
from hnl.corrections import masses
from hnl.histograms import files
from hnl.inference import asymptotics, combine, pyhf_model, toys
from hnl.inference.abcd import projection
from hnl.inference.displaced import inputs as inputs_of
from hnl.inference.displaced import limits, modelling, scan, table5
from hnl.inference.displaced.results import LimitsFile
from hnl.inference.displaced.scan import ALPHA
from hnl.inference.displaced.scan_results import CURVES, Edge, ExcludedRange, MassScan, ScanPoint, ScanSettings
from hnl.inference.lhc import Lhc
from hnl.inference.methods import MOVED
from hnl.inference.model import Model
from hnl.inference.model_errors import NonFiniteError
from hnl.inference.results import FitFile
from hnl.plots import fits as plots
from hnl.plots.displaced import limit_grid
from hnl.processors import selection as selections
from hnl.records import BrokenFileError
from hnl.report import fit_tables
from hnl.report.displaced import hepdata, limit_files
from hnl.selections.displaced.categories import CATEGORIES
from hnl.stages import fit
from hnl.stages import limits as stage
from hnl.stages.run import Run

QUICK = ScanSettings(toys=1000, method="hybrid")
WITHOUT_TOYS = ScanSettings(method="asymptotic")  # where it makes no difference by which method
GRID = np.geomspace(1e-8, 1e-2, 37)
EXPECTED = CURVES.index("expected")


def made_up(function, *, from_=0.0, to=1.0):
    """A scan with CLs from a function of log10 |V|^2; refused outside of a range."""

    def at(v2: float) -> ScanPoint:
        if not from_ <= v2 <= to:
            return ScanPoint(v2, refused="TooFewEventsError: too few")
        return ScanPoint(v2, (None, *([float(function(np.log10(v2)))] * 5)))

    return scan._range("expected", EXPECTED, GRID, at, 0.01)


def valley(depth: float, centre: float = -5.0, width: float = 1.0):
    return lambda x: min(1.0, 10 ** min(depth * (((x - centre) / width) ** 2 - 1), 9) * ALPHA)


def test_closed_edges():
    found = made_up(valley(4.0, width=1.3))
    assert found.status == "closed"
    assert np.log10([found.lower.v2, found.upper.v2]) == pytest.approx([-6.3, -3.7], abs=0.005)
    assert (found.lower.state, found.upper.state, found.further_ranges) == ("closed", "closed", 0)
    assert found.lower.v2 <= found.lower.at <= found.upper.at <= found.upper.v2


def test_a_range_between_two_points_of_the_grid():
    centre = float(np.log10(np.sqrt(GRID[10] * GRID[11])))
    found = made_up(valley(1.0, centre=centre, width=0.06))
    assert found.status == "closed"
    assert np.log10([found.lower.v2, found.upper.v2]) == pytest.approx([centre - 0.06, centre + 0.06], abs=0.005)


def test_nothing_excluded_is_said():
    found = made_up(lambda x: 0.2 + 0.1 * abs(x + 5))
    assert (found.status, found.lower, found.upper) == ("nothing excluded", None, None)
    assert found.smallest_cls == pytest.approx(0.2, abs=0.01)
    assert limit_files.words(found, "lower") == "nothing excluded"


def test_edges_that_samples_do_not_reach_are_open():
    found = made_up(valley(4.0, width=1.3), from_=3e-6, to=1e-1)
    assert (found.status, found.lower.state, found.lower.v2, found.upper.state) == ("open", "open", None, "closed")
    assert found.lower.at == pytest.approx(3e-6, rel=0.02)
    assert found.lower.reason == "TooFewEventsError: too few"
    assert limit_files.words(found, "lower") == "open (< 3e-06)"


def test_the_end_of_the_scan_is_open():
    found = made_up(lambda x: 0.01 if x > -4 else 1.0)
    assert (found.upper.state, found.upper.v2, found.upper.reason) == ("open", None, "end of the scan")
    assert found.lower.v2 == pytest.approx(1e-4, rel=0.02)


def test_a_second_range_is_told():
    found = made_up(lambda x: 0.001 if -7 < x < -6.5 else 0.01 if -4 < x < -3 else 0.5)
    assert found.further_ranges == 1
    assert np.log10(found.upper.v2) == pytest.approx(-6.5, abs=0.01)


def test_all_refused():
    found = made_up(valley(1.0), from_=1.0, to=1.0)
    assert found.status == "nothing excluded"


@pytest.fixture(scope="module")
def run(tmp_path_factory, finished) -> Path:
    return shutil.copytree(finished, tmp_path_factory.mktemp("limits") / "out")


@pytest.fixture(scope="module")
def found(run) -> stage.Result:
    return stage.run(Run(run), couplings=["mu"], natures=["majorana"], settings=QUICK, workers=1)


@pytest.fixture(scope="module")
def consistent(tmp_path_factory) -> Path:
    """A run whose signals of 4 and 8 GeV have cross sections in proportion to |V|^2, so that 6 GeV can be had."""
    first, *rest = finished_run.entries()
    first = (first[0].model_copy(update={"cross_section": 0.4}), *first[1:])
    return finished_run.write(tmp_path_factory.mktemp("consistent"), [first, *rest])


def content(folder: Path) -> LimitsFile:
    return records.read(folder / layout.LIMITS_FILE, LimitsFile)


def test_cls_is_5_percent_at_the_edges(run, found):
    inputs = inputs_of.load(Run(run))
    edges: dict[str, int] = {}
    for one in found.content.scans:
        for curve in (*one.excluded, *one.excluded_hybrid, *one.excluded_asymptotic):
            for edge in (curve.lower, curve.upper):
                if edge and edge.v2 and edge.method != MOVED:
                    at = scan.direction("mu", one.mass, "majorana", edge.v2)
                    model = modelling.model(inputs.signals.at(at), inputs)
                    assert cls_of(model, edge.method, curve.curve) == pytest.approx(
                        ALPHA, rel=0.03 if edge.method == "asymptotic" else 0.3
                    )
                    edges[edge.method] = edges.get(edge.method, 0) + 1
    assert min(edges["hybrid"], edges["asymptotic"]) >= 6


def cls_of(model: Model, method: str, curve: str) -> float:
    """CLs at mu = 1."""
    found = toys.cls(model, toys=1000) if method == "hybrid" else asymptotics.cls(model)
    return found.expected[CURVES.index(curve) - 1]


@pytest.fixture(scope="module")
def by_lhc(run) -> MassScan:
    return scan.scan(inputs_of.load(Run(run)), "mu", "majorana", 8.0, ScanSettings(toys=1000))


def test_cls_is_5_percent_at_an_edge_by_lhc(run, by_lhc):
    """By toys that are not those of the scan."""
    edge = by_lhc.range_of("expected").lower
    assert (edge.method, edge.failed, 0 < edge.error < 0.03) == ("lhc", 0, True)
    inputs = inputs_of.load(Run(run))
    model = modelling.model(inputs.signals.at(scan.direction("mu", 8.0, "majorana", edge.v2)), inputs)
    test = Lhc(model, 5).test(1.0)
    test.throw(1500, 500)
    cls, error = test.cls(0.0)
    # The edge is known to 3 %, and CLs falls with some power of 6 of |V|^2 there.
    assert np.log(cls / ALPHA) == pytest.approx(0, abs=3 * np.hypot(error, 6 * edge.error))


def test_bands_move_with_the_median(by_lhc):
    (old,) = (of for of in by_lhc.excluded_hybrid if of.curve == "expected")
    ratio = by_lhc.range_of("expected").lower.v2 / old.lower.v2
    assert ratio != 1
    for after, before in zip(by_lhc.excluded, by_lhc.excluded_hybrid, strict=True):
        assert after.lower.v2 / before.lower.v2 == pytest.approx(ratio)
        assert after.method == ("lhc" if after.curve == "expected" else MOVED)


def test_contours_go_through_the_edges_that_are_quoted(by_lhc):
    """Also where they are not those of the points that were tested."""
    grid = limit_grid.of([by_lhc], ScanSettings())
    for i, curve in enumerate(CURVES[1:], start=1):
        inside = grid.v2[grid.values[0, i] < 0]
        edge = by_lhc.range_of(curve).lower.v2
        assert inside.min() == pytest.approx(edge, rel=2 * np.log(grid.v2[1] / grid.v2[0]))


def test_toys_are_used_where_events_are_few(run, found):
    """And the asymptotic result is beside it, in files and tables."""
    points = [p for one in found.content.scans for p in one.tested if not p.refused]
    assert {p.few_events for p in points} == {True}
    assert {p.method for p in points} == {"hybrid"}
    assert all(p.cls != p.cls_asymptotic for p in points)
    rows = found.table.records
    assert {row["method"] for row in rows} == {"hybrid"}
    assert all(row["lower_words"] == row["lower_hybrid"] for row in rows)
    assert any(row["lower_words"] != row["lower_asymptotic"] for row in rows)
    assert "NOT RELIABLE" not in found.table.note
    for limit in (sample.limit for sample in found.content.samples):
        assert (limit.method, limit.few_events, limit.toys) == ("hybrid", True, QUICK.toys)
        assert limit.expected_hybrid == limit.expected
        assert len(limit.expected_asymptotic) == len(limit.expected) == 5
    without = stage.run(Run(run), couplings=["mu"], natures=["majorana"], settings=WITHOUT_TOYS, workers=1)
    assert "NOT RELIABLE at 2 masses" in without.table.note
    assert {row["method"] for row in without.table.records} == {"asymptotic"}
    for before, after in zip(found.content.scans, without.content.scans, strict=True):
        assert before.excluded_asymptotic == after.excluded == after.excluded_asymptotic
    stage.run(Run(run), couplings=["mu"], natures=["majorana"], settings=QUICK, workers=1)


def test_blinded_data_give_expected_limits_only(found):
    assert found.content.hidden
    assert "expected only" in found.content.label
    with (found.folder / "limits.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["curve"] for row in rows} == set(CURVES[1:])
    assert {row["mass"] for row in rows} == {"4.0", "8.0"}
    for row in rows:
        assert (row["lower_v2"] == "") == (row["lower_state"] != "closed")


def test_observed_limits_after_unblinding(tmp_path):
    folder = finished_run.write(tmp_path, finished_run.entries(), unblind=True)
    arguments = {"couplings": ["mu"], "natures": ["majorana"], "masses": [8.0], "settings": WITHOUT_TOYS}
    result = stage.run(Run(folder), **arguments, workers=1)
    (one,) = result.content.scans
    assert [f.curve for f in one.excluded] == list(CURVES)
    assert not result.content.hidden
    observed = fit.run(Run(folder), samples=["hnl8_mu"]).content
    assert observed.data == "observed"
    assert all(row.observed is not None for row in observed.fits[0].yields)


def test_resumed_only_what_is_the_same(run, found):
    arguments = {"couplings": ["mu"], "natures": ["majorana"], "settings": QUICK, "workers": 1}
    again = stage.run(Run(run), **arguments)
    assert again.reused == 2
    assert again.content.scans == found.content.scans == content(found.folder).scans
    points = found.folder / layout.POINTS
    (points / "mu_majorana_4.json").write_text("{")
    repaired = stage.run(Run(run), **arguments)
    assert (repaired.reused, repaired.content.scans) == (1, again.content.scans)
    few = ScanSettings(lowest=1e-6, highest=1e-4, per_decade=2, method="asymptotic")
    assert stage.run(Run(run), **arguments | {"settings": few}, masses=[8.0]).reused == 0
    assert stage.run(Run(run), **arguments, masses=[8.0]).reused == 0  # the other settings' is not taken


@pytest.mark.parametrize(
    ("module", "old", "new", "kept"),
    [
        ("hnl.corrections.nuisances", '_NONPROMPT, True, "simulation"', '_NONPROMPT, False, "simulation"', 0),
        ("hnl.plots.displaced.limits", '"""', '"""Other. ', 1),
    ],
)
def test_scans_of_other_code_are_not_kept(run, found, monkeypatch, module, old, new, kept):
    """Such as nonprompt_muon with a parameter for each era; figures of another style keep them."""
    arguments = {"couplings": ["mu"], "natures": ["majorana"], "masses": [8.0], "settings": QUICK, "workers": 1}
    stage.run(Run(run), **arguments)
    text = dependencies.source(module)
    assert old in text
    changed = {module: text.replace(old, new)}
    digest = dependencies.digest
    monkeypatch.setattr(dependencies, "digest", lambda roots: digest(roots, changed))
    assert stage.run(Run(run), **arguments).reused == kept


def test_processes_give_the_same(run, found):
    for path in (found.folder / layout.POINTS).iterdir():
        path.unlink()
    seen = []
    plan = []
    parallel = stage.run(
        Run(run),
        couplings=["mu"],
        natures=["majorana"],
        settings=QUICK,
        workers=2,
        on_plan=plan.append,
        on_mass=seen.append,
    )
    assert (parallel.reused, parallel.content.scans) == (0, found.content.scans)
    assert (plan, {request.mass for request in seen}) == ([2], {4.0, 8.0})


def test_hepdata(found):
    documents = list(yaml.safe_load_all((found.folder / "hepdata" / "submission.yaml").read_text()))
    (name,) = [d["data_file"] for d in documents if "data_file" in d]
    table = yaml.safe_load((found.folder / "hepdata" / name).read_text())
    assert [v["value"] for v in table["independent_variables"][0]["values"]] == [4, 8]
    by_name = {v["header"]["name"]: v["values"] for v in table["dependent_variables"]}
    median = [one.excluded[2].lower for one in found.content.scans]
    for value, edge in zip(by_name["lower edge of |V|^2, expected"], median, strict=True):
        assert edge.v2 is None or value["value"] == pytest.approx(edge.v2, rel=0.01)


def energies_in(folder: Path) -> tuple[set, set]:
    """What a HEPData submission says of energies: keywords (GeV) and qualifiers (TeV) of all tables."""
    documents = list(yaml.safe_load_all((folder / "submission.yaml").read_text()))
    tables = [d for d in documents if "data_file" in d]
    keywords = {v for d in tables for k in d["keywords"] if k["name"] == "cmenergies" for v in k["values"]}
    variables = [
        v for d in tables for v in yaml.safe_load((folder / d["data_file"]).read_text())["dependent_variables"]
    ]
    qualifiers = {q["value"] for v in variables for q in v.get("qualifiers", []) if q["name"] == "SQRT(S)"}
    return keywords, qualifiers


def test_energies_in_labels_and_hepdata(found, tmp_path):
    assert found.content.label.startswith("data, 10/fb (13 TeV)")
    assert energies_in(found.folder / "hepdata") == ({13000}, {13})
    hepdata.write(tmp_path, found.content.scans, [], "label", 10.0, (13.0, 13.6))
    assert energies_in(tmp_path) == ({13000, 13600}, {"13.0, 13.6"})


def test_an_era_of_2023_goes_through_to_limits(tmp_path):
    made = [(d.model_copy(update={"era": "2023"}), *rest) for d, *rest in finished_run.entries()]
    out = finished_run.write(tmp_path / "out", made, years=(2023,))
    arguments = {"couplings": ["mu"], "natures": ["majorana"], "masses": [8], "settings": WITHOUT_TOYS}
    result = stage.run(Run(out), **arguments, workers=1)
    assert "(13.6 TeV)" in result.content.label
    assert energies_in(result.folder / "hepdata") == ({13600}, {13.6})
    inputs = inputs_of.load(Run(out))
    luminosity = {k: v for k, v in inputs.normalisations.items() if k.startswith("luminosity")}
    assert luminosity == pytest.approx({"luminosity_222324": 0.0017, "luminosity_2324": 0.0127})  # 1.3 % together


def test_models_are_read_back(run, found):
    inputs = inputs_of.load(Run(run))
    assert {row.sample for row in found.content.samples} == {"hnl4_mu", "hnl8_mu"}
    for row in found.content.samples:
        (sample,) = [d.sample for d in inputs.signals.datasets if d.sample.name == row.sample]
        model = modelling.model(inputs.signals.at(sample.point), inputs).asimov()
        card = combine.read((found.folder / "models" / f"{row.limit.model}_combine.txt").read_text())
        workspace = pyhf_model.read(json.loads((found.folder / "models" / f"{row.limit.model}_pyhf.json").read_text()))
        for other in (card, workspace):
            assert asymptotics.cls(other).expected == pytest.approx(asymptotics.cls(model).expected, rel=1e-3)


def test_the_model_is_of_data_and_signal(run):
    inputs = inputs_of.load(Run(run))
    (sample,) = [d.sample for d in inputs.signals.datasets if d.sample.name == "hnl8_mu"]
    found = inputs.signals.at(sample.point)
    model = modelling.model(found, inputs)
    records = json.loads((run / "abcd" / "abcd.json").read_text())["tables"]["yields"]
    rows = {(r["category"], r["bin"]): r for r in records if (r["sample"], r["hypothesis"]) == ("data", "high")}
    assert model.categories == ("mumu_OS", "mumu_SS")
    assert len(model.cells) == 6 + 5  # two bins of SS are merged
    for cell in model.cells:
        labels = {b.number: b.label for b in modelling.regions.bins("high", cell.category)}
        row = rows[cell.category, labels[cell.bin]]
        assert cell.observed == (None, row["B"], row["C"], row["D"])
        i = CATEGORIES.index(cell.category)
        assert cell.signal == pytest.approx(tuple(found.nominal.sum_w[i, cell.bin]))
        assert model.closure[cell.category] == 1 + row["closure"]
    of_2018 = {"luminosity_2018", "luminosity_161718", "luminosity_1718"}
    assert set(model.signal_nuisances) == of_2018 | {"k_factor", "score"}
    assert isinstance(modelling.model(found, inputs, correlated=False), Model)


def test_projection_is_scaled_and_smooth(run):
    selection = selections.load(run)
    filled = files.read_json(run / "abcd" / "histograms.json")["regions"]
    one = projection.smoothed(filled, ["wjets"], "high")
    for i, category in enumerate(projection.CATEGORIES):
        there = [b.number for b in projection.regions.bins("high", category)]
        assert (one[i, there, 1:] > 0).all()
        ratio = one[i, there, 2] / one[i, there, 3]
        assert ratio == pytest.approx([ratio[0]] * len(there))  # the threshold, of all bins together
    counts = projection.yields.counts(filled, ["wjets"], "high", "SR").sum_w
    # The median of a Gamma distribution of n + 1 is n + 2/3, but for few events.
    more = (np.nansum(one[:, :, 1], axis=1) - counts[:, :, 1].sum(axis=1)) / (1.0 * 1000 * 10 / 30001)
    np.testing.assert_allclose(more, 2 / 3, atol=0.01)
    first, second = (inputs_of.projected(selection, filled, luminosity) for luminosity in (10.0, 137.0))
    np.testing.assert_allclose(second.observed["low"], 13.7 * first.observed["low"])
    assert (first.signal_scale, second.signal_scale) == (1.0, 13.7)
    assert second.hidden
    assert "137/fb (13 TeV), not data" in second.label
    with pytest.raises(inputs_of.NoBackgroundError, match="not -1"):
        inputs_of.projected(selection, filled, -1.0)


def test_projected_limits_are_kept_apart(run, found):
    before = (found.folder / layout.LIMITS_FILE).read_bytes()
    arguments = {"couplings": ["mu"], "natures": ["majorana"], "settings": WITHOUT_TOYS}
    projected = stage.run(Run(run), **arguments, luminosity=137, workers=1)
    assert projected.folder.name == "projection_137fb"
    assert projected.content.projected
    assert (found.folder / layout.LIMITS_FILE).read_bytes() == before
    small, large = (
        [f for one in r.content.scans for f in one.excluded_asymptotic if f.curve == "expected"]
        for r in (found, projected)
    )
    for less, more in zip(small, large, strict=True):
        assert more.smallest_cls < less.smallest_cls
    lines = projected.comparison.records
    assert {(line["coupling"], line["nature"]) for line in lines} == {("mu", "majorana")}
    assert all((line["ratio"] is None) == (line["expected"] is None) for line in lines)


def test_masses_between_simulated_ones(consistent):
    result = stage.run(
        Run(consistent), couplings=["mu"], natures=["majorana"], masses=[6.0, 8.0], settings=WITHOUT_TOYS, workers=1
    )
    scans = {one.mass: one for one in result.content.scans}
    assert {mass: one.interpolated_from for mass, one in scans.items()} == {6.0: (4.0, 8.0), 8.0: ()}
    sizes = [t.interpolation for t in scans[6.0].tested if not t.refused]
    share = np.log(6 / 4) / np.log(2)
    least = masses.CURVATURE * 4 * share * (1 - share)
    assert all(least * 0.999 < size < 0.5 for size in sizes)
    assert {t.interpolation for t in scans[8.0].tested} == {0.0}
    with (result.folder / "limits.csv").open(newline="") as file:
        assert {(r["mass"], r["interpolated_from"]) for r in csv.DictReader(file)} == {("6.0", "4 and 8"), ("8.0", "")}
    (path,) = (result.folder / "hepdata").glob("limits_*.yaml")
    variables = {v["header"]["name"]: v["values"] for v in yaml.safe_load(path.read_text())["dependent_variables"]}
    assert [v["value"] for v in variables["signal"]] == ["interpolated from 4 and 8 GeV", "simulated"]
    # Models are exported at simulated points only.
    assert [row.sample for row in result.content.samples] == ["hnl8_mu"]


def test_the_nuisance_of_interpolation(consistent):
    inputs = inputs_of.load(Run(consistent))
    between, simulated = (inputs.signals.at(scan.direction("mu", m, "majorana", 3e-6)) for m in (6.0, 8.0))
    model = modelling.model(between, inputs)
    assert {cell.signal_factors["interpolation"] for cell in model.cells} == {(1 + between.interpolation,) * 4}
    assert "interpolation" not in modelling.model(simulated, inputs).signal_nuisances
    with pytest.raises(NonFiniteError, match="interpolation"):
        modelling.model(dataclasses.replace(between, interpolation=np.inf), inputs)


def test_which_masses_are_scanned(consistent):
    inputs = inputs_of.load(Run(consistent))

    def found(*arguments):
        return [(r.coupling, r.nature, r.mass) for r in limits.plan(inputs, *arguments).requests]

    assert found(["mu"], ["majorana"], []) == [("mu", "majorana", m) for m in (4.0, 8.0)]
    steps = found(["mu"], ["majorana"], [], 1.5)
    assert [mass for *_, mass in steps] == [4.0, 4.5, 6.0, 7.5, 8.0]
    assert found([], ["dirac"], [], 3.0) == [("mu", "dirac", m) for m in (4.0, 6.0, 8.0)] + [("mixed", "dirac", 8.0)]
    assert found([], [], [7.0]) == [("mu", nature, 7.0) for nature in limits.NATURES]
    reasons = limits.plan(inputs, [], [], [7.0]).not_scanned
    assert len(reasons) == 2
    assert reasons[0].startswith("mixed, majorana: m_N = 7 GeV is outside of the simulated masses (8)")


def test_masses_of_table_5_are_scanned(consistent):
    inputs = inputs_of.load(Run(consistent))

    def heavier(d):
        point = dataclasses.replace(d.sample.point, mass=2 * d.sample.point.mass)
        return dataclasses.replace(d, sample=dataclasses.replace(d.sample, point=point))

    moved = dataclasses.replace(inputs.signals, datasets=tuple(map(heavier, inputs.signals.datasets)))
    inputs = dataclasses.replace(inputs, signals=moved)
    assert [r.mass for r in limits.plan(inputs, ["mu"], ["dirac"], [], 4.0).requests] == [8.0, 12.0, 13.5, 16.0]


def test_table_5_is_compared_at_its_masses():
    scans = []
    for mass, v2, state in ((13.0, 1e-7, "closed"), (14.0, 2e-7, "closed"), (11.5, 3e-7, "open")):
        edge = Edge(state, v2 if state == "closed" else None, at=v2)
        coupling, nature = ("e", "dirac") if state == "open" else ("mu", "majorana")
        excluded = (ExcludedRange("expected", state, edge, edge, smallest_cls=0.01, smallest_at=v2),)
        scans.append(MassScan(coupling, nature, mass, (), excluded, (), (12.0, 15.0)))
    lowest, highest, *dirac = limit_files.compared(scans, "made up", table5.rows()).records
    assert lowest["expected"] == pytest.approx(2e-7)
    assert lowest["ratio"] == pytest.approx(2e-7 / 2.9e-7)
    assert lowest["mark"] == "interpolated from 12 and 15 GeV"
    assert "inferred" in highest["mark"]
    assert [(line["expected"], line["mark"]) for line in dirac] == [(None, "open (< 3e-07)"), (None, "open (> 3e-07)")]
    missing, _ = limit_files.compared(scans[:1], "made up", table5.rows()).records
    assert (missing["expected"], missing["mark"]) == (None, "not scanned")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"settings": ScanSettings(toys=50)}, "50 toys are too few to tell 5 %: at least 1000"),
        ({"couplings": ["e"]}, "no signal sample has the coupling e"),
        ({"natures": ["weyl"]}, "no nature 'weyl'"),
        ({"masses": [3.0]}, r"3 GeV is outside of the simulated masses \(4, 8\): nothing is extrapolated"),
        ({"masses": [4.0], "couplings": ["mixed", "mu"]}, "mixed, majorana: m_N = 4 GeV is outside"),
        ({"step": -1.0}, "at least 0.01 GeV, not -1"),
    ],
)
def test_choices_that_cannot_be_had(run, arguments, message):
    with pytest.raises(limits.ChoiceError, match=message):
        stage.run(Run(run), **arguments)


def test_without_background_or_data(tmp_path):
    with pytest.raises(inputs_of.NoBackgroundError, match="run hnl abcd first"):
        inputs_of.load(Run(tmp_path))
    made = [entry for entry in finished_run.entries() if not entry[0].is_data]
    folder = finished_run.write(tmp_path / "no_data", made)
    with pytest.raises(inputs_of.NoBackgroundError, match="need --scale-to"):
        inputs_of.load(Run(folder))
    assert inputs_of.load(Run(folder), luminosity=100).background.hidden
    (folder / "abcd" / "abcd.json").write_text("{")
    with pytest.raises(BrokenFileError, match="run hnl abcd again"):
        inputs_of.load(Run(folder))


def test_fits_of_blinded_data_are_said_to_be_expected(run, tmp_path):
    result = fit.run(Run(run), toys=20)
    saved = json.loads((run / "fit" / "fit.json").read_text())
    assert saved["data"] == "expected (Asimov data)"
    couplings = [one["sample"].split("_")[1] for one in saved["fits"]]
    assert couplings == ["mu", "mixed"]
    for one in saved["fits"]:
        assert one["mu"] == pytest.approx(0, abs=1e-3)
        assert one["goodness_of_fit"]["statistic"] == pytest.approx(0, abs=1e-3)
        assert all(abs(row["value"]) < 0.01 for row in one["pulls"])
        a = [row for row in one["yields"] if row["region"] == "A"]
        assert all(row["observed"] is None for row in a)
        assert [row["background_only"] for row in a] == pytest.approx([row["prefit"] for row in a], rel=1e-3)
    assert {table.name for table in result.tables} >= {f"impacts_{one['sample']}" for one in saved["fits"]}
    for one, table in zip(saved["fits"], result.tables[::2], strict=True):  # yields, then impacts
        assert one["few_events"] == (fit_tables.FEW in table.note)
    with pytest.raises(limits.ChoiceError, match="no signal dataset 'hnl9'"):
        fit.run(Run(run), samples=["hnl9"])
    assert records.read(run / "fit" / "fit.json", FitFile) == result.content
    made = plots.draw_fits(result.content, tmp_path)
    assert len(made) == 6  # of each sample yields, impacts and, since there are toys, goodness of fit
    for path in [figure.path for figure in made]:
        assert path.stat().st_size > 5000
        assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
