"""The block `settings` of a catalogue, from the command line: what it changes, what is redone, and what is refused."""

import ast
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import xgboost
import yaml
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS, event, write
from typer.testing import CliRunner
from without_figures import without_figures

import hnl
from hnl import dependencies, lineage
from hnl.analysis import load
from hnl.cli.app import app
from hnl.datasets import catalogue as catalogues
from hnl.histograms import files as histogram_files
from hnl.inference.displaced import settings as limit_settings
from hnl.records import BrokenFileError
from hnl.report import settings as in_words
from hnl.selections.displaced.regions import RegionSettings, bins

PAGE = Path(hnl.__file__).parents[2] / "docs" / "settings.md"
QUICK: dict[str, Any] = {"training": {"max_rounds": 6, "patience": 2, "parameters": {"min_child_weight": 0.1}}}
ERA = {"year": 2018, "luminosity": 10.0, "triggers": {"electron": list(ELECTRON_PATHS), "muon": list(MUON_PATHS)}}


def command(*arguments: object) -> str:
    with without_figures():
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def dataset(name: str, mass: float | None = None, era: str = "Run2018") -> dict[str, Any]:
    entry = {"name": name, "era": era, "kind": "background", "process": name, "files": [f"{name}.root"]}
    entry["cross_section"] = 0.01
    if mass is not None:
        entry |= {"kind": "signal", "signal": {"mass": mass, "v2_mu": 1e-6, "ctau": 10.0}}
    return entry


def save(folder: Path, settings: Any = None, datasets: list[dict[str, Any]] | None = None, **eras: Any) -> Path:
    """A catalogue of the made-up samples."""
    entries = datasets or [dataset("w"), dataset("hnl4", 4.0), dataset("hnl8", 8.0)]
    content = {"eras": {"Run2018": ERA} | eras, "datasets": entries}
    content |= {} if settings is None else {"settings": settings}
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def events(first: int, number: int, depth: float, *, seed: int) -> list[Any]:
    """Dimuon events with an l2 that is displaced by about `depth` cm, vertices of 1 to 7 GeV, and jets of 21 to 60."""
    rng = np.random.default_rng(seed)
    return [
        event(
            first + i,
            l2_flavour="mu",
            l1={"pt": float(rng.uniform(32, 90))},
            l2={"pt": float(rng.uniform(8, 40)), "dxy": -0.03 - depth * float(rng.uniform(0.2, 1))},
            sv={"mass": float(rng.uniform(1, 7))},
            jet={"pt": float(rng.uniform(21, 60))},
        )
        for i in range(number)
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run to the background estimate, of simulation alone, with its catalogue beside it."""
    folder = tmp_path_factory.mktemp("settings")
    write(folder / "w.root", events(1, 120, 0.05, seed=1))
    write(folder / "hnl4.root", events(1001, 90, 1.0, seed=2))
    write(folder / "hnl8.root", events(2001, 90, 2.0, seed=3))
    command("run", save(folder, QUICK), "-o", folder / "out", "--executor", "iterative", "--workers", 1)
    return folder


@pytest.fixture
def again(finished: Path, tmp_path: Path) -> Path:
    """A copy of its output, of the same samples."""
    shutil.copytree(finished / "out", tmp_path / "out")
    for sample in finished.glob("*.root"):
        (tmp_path / sample.name).symlink_to(sample)
    return tmp_path


def times(out: Path, pattern: str) -> dict[str, int]:
    found = {str(path.relative_to(out)): path.stat().st_mtime_ns for path in out.glob(pattern)}
    assert found
    return found


def run(folder: Path, settings: Any = None, **changes: Any) -> str:
    path = save(folder, settings, **changes)
    return command("run", path, "-o", folder / "out", "--executor", "iterative", "--workers", 1)


def stale(folder: Path) -> set[str]:
    """Stages of a finished run that would be done again."""
    done = [s for s in load("displaced").stages if (folder / "out" / "provenance" / f"{s.name}.json").is_file()]
    return {stage.name for stage in done if lineage.stale(folder / "out", stage)}


def test_an_edge_of_m_sv_moves_the_estimate_alone(again: Path) -> None:
    """Nothing is read or trained; the cells hold what a count of the candidates gives."""
    out = again / "out"
    before = {pattern: times(out, pattern) for pattern in ("candidates/*/*", "models/*", "scores/*", "histograms.*")}
    selection = (out / "selection.json").read_bytes()
    said = run(again, QUICK | {"regions": {"m_sv": {"high": 3.5}}})
    assert "regions.m_sv.high 3.5 (6)" in said
    for stage in ("histogram", "train", "score"):
        assert f"{stage}: as before" in said
    assert "abcd: as before" not in said
    assert {pattern: times(out, pattern) for pattern in before} == before
    assert (out / "selection.json").read_bytes() == selection
    filled = histogram_files.read_json(out / "abcd" / "histograms.json")["regions"]
    moved = 0
    for name in ("w", "hnl8"):
        (part,) = (out / "candidates" / name).glob("*.parquet")
        rows = {column: np.asarray(values) for column, values in pq.read_table(part).to_pydict().items()}
        scores = pq.read_table(out / "scores" / f"{name}.parquet").to_pydict()
        score = dict(zip(scores["event"], scores["score_high"], strict=True))
        used = np.array([score[number] > 0.2 for number in rows["event"]]) & (rows["m_l1_sv"] > 10)
        above = float((used & (rows["m_sv"] > 3.5)).sum() / used.sum())
        moved += int((used & (rows["m_sv"] > 3.5) & (rows["m_sv"] < 6)).sum())
        by_m_sv = filled[{"dataset": name, "hypothesis": "high", "variation": "nominal"}].project("m_sv").values()
        assert by_m_sv[1] / by_m_sv.sum() == pytest.approx(above)
    assert moved > 10
    rows_of_table = json.loads((out / "abcd" / "abcd.json").read_text())["tables"]["yields"]
    labels = {row["bin"] for row in rows_of_table if row["hypothesis"] == "high"}
    assert labels >= {"m_SV < 3.5, < 1 cm", "m_SV > 3.5, > 5 cm"}
    assert not any("6" in label.partition(",")[0] for label in labels)
    assert stale(again) == set()


def test_another_jet_pt_selects_again(again: Path) -> None:
    """Candidates are those of the paper whose jet is above the new threshold, and nothing else."""
    out = again / "out"
    (old,) = (out / "candidates" / "w").glob("*.parquet")
    before = pq.read_table(old).to_pydict()
    jet_pt = dict(zip(before["event"], before["jet_pt"], strict=True))
    said = run(again, QUICK | {"jets": {"pt": 35}})
    assert "jets.pt 35 (20)" in said
    assert "as before" not in said
    (new,) = (out / "candidates" / "w").glob("*.parquet")
    kept = pq.read_table(new).to_pydict()["event"]
    assert sorted(kept) == sorted(number for number, pt in jet_pt.items() if pt > 35)
    assert 20 < len(kept) < len(jet_pt) - 20


def test_jets_are_counted_with_the_new_threshold(tmp_path: Path) -> None:
    """A second jet of 28 GeV makes an event one of the validation region, until the threshold is above it."""
    second = {"Jet": [{"pt": 28.0, "eta": 1.5, "phi": -1.5, "mass": 5.0}]}
    write(tmp_path / "w.root", [event(1), event(2, more=second), event(3, jet={"pt": 24.0})])
    found = {}
    for pt in (20, 25, 30):
        path = save(tmp_path, {"jets": {"pt": pt}}, [dataset("w")])
        command("select", path, "-o", tmp_path / "out", "--executor", "iterative")
        (part,) = (tmp_path / "out" / "candidates" / "w").glob("*.parquet")
        rows = pq.read_table(part).to_pydict()
        found[pt] = dict(zip(rows["event"], rows["n_jets"], strict=True))
    assert found == {20: {1: 1, 2: 2, 3: 1}, 25: {1: 1, 2: 2}, 30: {1: 1, 2: 1}}


def trees_a_round(out: Path) -> set[float]:
    models = [xgboost.Booster(model_file=path) for path in (out / "models").glob("*.ubj")]
    return {len(model.get_dump()) / model.num_boosted_rounds() for model in models}


def test_other_hyper_parameters_train_again(again: Path) -> None:
    out = again / "out"
    assert trees_a_round(out) == {1}
    before = {pattern: times(out, pattern) for pattern in ("candidates/*/*", "histograms.*")}
    changed = {"training": QUICK["training"] | {"parameters": {"num_parallel_tree": 3, "min_child_weight": 0.1}}}
    said = run(again, changed)
    assert "training.parameters.num_parallel_tree 3 (null)" in said
    assert "histogram: as before" in said
    assert "train: as before" not in said
    assert {pattern: times(out, pattern) for pattern in before} == before
    assert trees_a_round(out) == {3}
    assert stale(again) == set()


def test_features_of_one_training(again: Path) -> None:
    """The other training keeps its models."""
    out = again / "out"
    other = {path: path.read_bytes() for path in (out / "models").glob("muon_low_fold*.ubj")}
    chosen = ["l2_pt", "m_sv", "l2_abs_dxy"]
    run(again, {"training": QUICK["training"] | {"features": {"muon_high": chosen}}})
    card = json.loads((out / "models" / "muon_high.json").read_text())
    assert set(card["features"]) == set(chosen)
    assert set(xgboost.Booster(model_file=out / "models" / "muon_high_fold1.ubj").feature_names) == set(chosen)
    assert other
    assert {path: path.read_bytes() for path in other} == other


def test_floors_change_the_estimate_alone(again: Path) -> None:
    said = run(again, QUICK | {"estimate": {"least_closure": 0.35, "expected_closure": 0.4}})
    assert "score: as before" in said
    rows = json.loads((again / "out" / "abcd" / "abcd.json").read_text())["tables"]["closure"]
    assert min(row["closure"] for row in rows) >= 0.35


def test_the_range_of_the_scan_changes_the_limits_alone(again: Path) -> None:
    path = save(again, QUICK | {"limits": {"lowest": 1e-7, "per_decade": 3, "toys": 200}})
    command("select", path, "-o", again / "out", "--executor", "iterative")
    assert stale(again) - {"report"} == ({"limits"} if (again / "out" / "limits").is_dir() else set())
    scan = limit_settings.scan(catalogues.load(path), toys=300)
    assert (scan.lowest, scan.highest, scan.per_decade, scan.toys) == (1e-7, 1e-1, 3, 300)
    assert len(scan.grid()) == 3 * 6 + 1
    assert (scan.method, limit_settings.first_look(catalogues.load(path)).method) == ("lhc", "hybrid")
    named = save(again, QUICK | {"limits": {"method": "asymptotic"}})
    assert limit_settings.first_look(catalogues.load(named)).method == "asymptotic"


def test_an_era_is_added(again: Path) -> None:
    """What was selected of the others is kept."""
    out = again / "out"
    before = times(out, "candidates/*/*")
    write(again / "later.root", events(5001, 30, 0.05, seed=9))
    entries = [dataset("w"), dataset("hnl4", 4.0), dataset("hnl8", 8.0), dataset("later", era="Run2017")]
    run(again, QUICK, datasets=entries, Run2017=ERA | {"year": 2017})
    now = times(out, "candidates/*/*")
    assert {name: now[name] for name in before} == before
    assert {name.split("/")[1] for name in now} == {"w", "hnl4", "hnl8", "later"}


def test_what_is_as_the_paper_says_changes_nothing(again: Path) -> None:
    """Written down, a default is no change; a file of settings is as good as a block."""
    explicit = QUICK | {"jets": {"pt": 20, "abs_eta": 2.4}, "regions": {"delta_2d": {"low": [4, 10]}}}
    (again / "own.yaml").write_text(yaml.safe_dump(explicit))
    path = save(again, "own.yaml")
    assert catalogues.load(path).settings == catalogues.load(save(again, QUICK)).settings
    path = save(again, "own.yaml")
    command("select", path, "-o", again / "out", "--executor", "iterative")
    assert stale(again) == set()
    command("select", save(again), "-o", again / "out", "--executor", "iterative")
    assert not (again / "out" / "settings.json").exists()
    assert stale(again) - {"report"} == {"train"}


def test_a_broken_file_of_settings_is_named_and_made_again(again: Path) -> None:
    """By hnl select, which also has it among its products."""
    out = again / "out"
    (out / "settings.json").write_text('{"format": 1, "settings": ')
    with pytest.raises(BrokenFileError, match=r"settings\.json cannot be read: .*run hnl select again"):
        command("abcd", out)
    command("select", save(again, QUICK), "-o", out, "--executor", "iterative")
    assert stale(again) == set()
    assert lineage.product(out / "settings.json").stage == "select"


def test_every_call_within_the_package_passes_the_settings() -> None:
    """Defaults are for notebooks: a stage that forgets to pass what the catalogue changed is silently the paper's.

    The correlations of a training are the one place that docs/settings.md excepts.
    """
    assert {call.split(":")[0] for call in calls_without_settings()} == {"hnl.ml.evaluation"}


def calls_without_settings() -> list[str]:
    """MODULE:LINE of calls of functions with settings as a default that are not given any."""
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in dependencies.modules().items()}
    positions = {  # of the settings among the arguments
        f"{module}.{node.name}": (
            len(arguments) - len(node.args.defaults) + i,
            arguments[i - len(node.args.defaults)].arg,
        )
        for module, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for arguments in [node.args.args]
        for i, default in enumerate(node.args.defaults)
        if re.search(r"\bPAPER\b", ast.unparse(default))
    }
    assert len(positions) > 30
    found = []
    for module, tree in trees.items():
        nodes = list(ast.walk(tree))
        known = {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, ast.FunctionDef)}
        for node in (n for n in nodes if isinstance(n, ast.ImportFrom)):
            known |= {name.asname or name.name: f"{node.module}.{name.name}" for name in node.names}
        for call in (n for n in nodes if isinstance(n, ast.Call)):
            base, _, rest = ast.unparse(call.func).partition(".")
            position, argument = positions.get(".".join(filter(None, [known.get(base), rest])), (None, ""))
            given = len(call.args) if not any(isinstance(a, ast.Starred) for a in call.args) else math.inf
            if position is not None and given <= position and argument not in {k.arg for k in call.keywords}:
                found.append(f"{module}:{call.lineno}")
    return found


def test_null_takes_a_requirement_away(tmp_path: Path) -> None:
    write(tmp_path / "w.root", [event(1), event(2, l1={"pfRelIso03_all": 0.5})])
    path = save(tmp_path, {"leptons": {"prompt_muons": {"rel_iso": None}}}, [dataset("w")])
    (changed,) = in_words.differences(catalogues.load(path))
    assert (changed.key, changed.value, changed.default) == ("leptons.prompt_muons.rel_iso", None, 0.1)
    command("select", path, "-o", tmp_path / "out", "--executor", "iterative")
    (part,) = (tmp_path / "out" / "candidates" / "w").glob("*.parquet")
    assert pq.read_table(part)["event"].to_pylist() == [1, 2]


def test_windows_have_the_names_of_their_edges() -> None:
    edges = RegionSettings(m_l1_sv=(15.0, 50.0, 80.0, 110.0))
    assert edges.windows == ("15-50", "50-80", "80-110", "above 110")
    assert bins("low", "ee_OS") == bins("low", "ee_OS", edges)


@pytest.mark.parametrize(
    ("written", "line", "words"),
    [
        ({"jets": {"ptt": 25}}, 10, ["settings.jets.ptt", "did you mean 'pt'", "got 25"]),
        ({"jet": {"pt": 25}}, 9, ["unknown key 'jet', did you mean 'jets'"]),
        ({"jets": {"pt": "25"}}, 10, ["settings.jets.pt", "valid number (got '25')"]),
        ({"jets": {"pt": float("nan")}}, 10, ["settings.jets.pt", "finite number (got nan)"]),
        ({"regions": {"delta_2d": {"low": [10, 4]}}}, 11, ["settings.regions.delta_2d.low", "must increase: 10, 4"]),
        ({"regions": {"m_l1_sv": [10, 50, 85]}}, 10, ["settings.regions.m_l1_sv.3", "required"]),
        ({"regions": {"merged": ["muu_SS"]}}, 10, ["unknown category 'muu_SS'; known: ee_OS"]),
        ({"training": {"parameters": {"max_depht": 2}}}, 11, ["'max_depht', did you mean 'max_depth'", "got 2"]),
        ({"training": {"parameters": {"max_depth": 2.5}}}, 11, ["max_depth", "integer (got 2.5)"]),
        ({"training": {"features": {"muon_low": ["m_s"]}}}, 10, ["unknown feature 'm_s'; known: l2_pt"]),
        ({"training": {"features": {"muon_low": ["l2_lost_hits"]}}}, 10, ["no feature 'l2_lost_hits'"]),
        ({"training": {"features": {"tau_low": ["m_sv"]}}}, 10, ["unknown training 'tau_low'; known: electron_low"]),
        ({"thresholds": {"lowest": 0.15}}, 8, ["threshold 0.15 must be above regions.score = 0.2"]),
        ({"thresholds": {"lowest": 0.99, "highest": 0.98}}, 9, ["highest = 0.98 is below lowest = 0.99"]),
        ({"limits": {"lowest": 0.2}}, 9, ["lowest = 0.2 is not below highest = 0.1"]),
        ({"estimate": {"least_closure": 0.5}}, 9, ["must not decrease: 0.5, 0.3, 1"]),
        ({"leptons": {"nonprompt_muons": {"min_abs_dxy": 0.005}}}, 9, ["prompt (|d_xy| < 0.01 cm) and nonprompt"]),
    ],
)
def test_bad_settings_are_refused_with_their_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], written: dict[str, Any], line: int, words: list[str]
) -> None:
    """In the catalogue, and in a file of their own."""
    write(tmp_path / "w.root", [])
    head = f"eras: {{Run2018: {json.dumps(ERA)}}}\ndatasets:\n- {json.dumps(dataset('w'))}\n# nothing\n# yet\n\n\n"
    path, own = tmp_path / "catalogue.yaml", tmp_path / "own.yaml"
    block = yaml.safe_dump(written, default_flow_style=False)
    indented = "".join(f"  {text}\n" for text in block.splitlines())
    for settings, file, shift in ((f"settings:\n{indented}", path, 0), ("settings: own.yaml\n", own, 8)):
        path.write_text(head + settings)
        own.write_text(block)
        result = CliRunner().invoke(app, ["select", str(path), "-o", str(tmp_path / "out")])
        said = str(result.exception)
        assert getattr(result.exception, "exit_status", 0) == 2
        assert said.startswith(f"{file}, line {max(line - shift, 1)}: ")
        assert all(word.removeprefix("settings." if shift else "") in said for word in words), said
    assert not (tmp_path / "out").exists()


def test_files_of_settings_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path / "w.root", [])
    path = save(tmp_path, "gone.yaml", [dataset("w")])
    with pytest.raises(catalogues.CatalogueError, match=r"cannot read the settings .*gone\.yaml"):
        catalogues.load(path)
    (tmp_path / "gone.yaml").write_text("- 1\n")
    with pytest.raises(catalogues.CatalogueError, match=r"gone\.yaml, line 1: settings are keys"):
        catalogues.load(path)


def test_the_table_of_the_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert in_words.page(text) == text


def test_every_default_is_explained_and_every_stage_names_parts_that_exist() -> None:
    search = load("displaced")
    every = list(in_words.every(search.settings))
    assert [one.key for one in every if len(one.source) < 10] == []
    parts = set(search.settings.model_fields)
    named = {part for stage in search.stages for part in stage.settings or ()}
    assert named == parts


def test_a_search_of_ones_own_has_its_settings(tmp_path: Path) -> None:
    """Checked as those of the displaced search; a stage that names no parts depends on all."""
    examples = PAGE.parent / "examples"
    text = (examples / "dimuon.yaml").read_text(encoding="utf-8")
    text = text.replace("dimuon.py:", f"{examples}/dimuon.py:").replace("../..", str(PAGE.parents[1]))
    path = tmp_path / "dimuon.yaml"
    path.write_text(f"{text}settings: {{pt: 40}}\n", encoding="utf-8")
    loaded = catalogues.load(path)
    assert loaded.settings == {"pt": 40}
    assert in_words.line(loaded) == "settings that differ from the paper: pt 40 (30)"
    assert all(stage.depends_on("pt") for stage in load(loaded.analysis).stages)
    for wrong, words in (
        ("pt: 20", "greater than or equal to 30 (got 20)"),
        ("jets: {pt: 25}", "unknown key 'jets'; known: pt"),
    ):
        path.write_text(f"{text}settings: {{{wrong}}}\n", encoding="utf-8")
        with pytest.raises(catalogues.CatalogueError) as refused:
            catalogues.load(path)
        assert words in str(refused.value)
