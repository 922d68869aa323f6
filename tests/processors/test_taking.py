"""Candidates of another selection are taken if they are what would be made here, and refused by name if not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faulty
import numpy as np
import pytest
import yaml

from hnl import comparison, dependencies, layout, provenance
from hnl.analysis import Analysis
from hnl.datasets import files
from hnl.errors import InputError
from hnl.executors import ExecutionOptions
from hnl.ml import scoring
from hnl.processors import planning, selection, status, taking
from hnl.processors.selection import Selection
from hnl.report import taken
from hnl.stages import abcd, histogram, select
from hnl.stages.run import Run

GOLDEN = {"1": [[1, 9]]}
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a catalogue of files, and `done`, its selection."""
    folder = tmp_path_factory.mktemp("made")
    catalogue = faulty.make(folder)
    (folder / "golden.json").write_text(json.dumps(GOLDEN))
    faulty.with_golden_json(catalogue, "golden.json")
    run(catalogue, folder / "done")
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path) -> Path:
    """A copy of `made` that may be changed. Files that were selected from are gone: nobody needs them."""
    shutil.copytree(made, tmp_path / "here", ignore=shutil.ignore_patterns("w*.root"))
    return tmp_path / "here"


def run(catalogue: Path, out: Path, **how: Any) -> Selection:
    return select.run(catalogue, out, execution=ExecutionOptions("iterative"), **how)


def taking_catalogue(folder: Path, change: Change = lambda content: None, names: tuple[str, ...] = ("w",)) -> Path:
    """The catalogue with candidates of `done` in place of the files of some datasets."""
    content = yaml.safe_load((folder / "catalogue.yaml").read_text())
    for dataset in content["datasets"]:
        if dataset["name"] in names:
            del dataset["files"]
            dataset["candidates"] = "done"
    change(content)
    path = folder / "taking.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_files_and_candidates_give_the_same(here: Path) -> None:
    """Candidates, cutflow, sums of weights, normalisation, histograms, regions and yields, to the bit."""
    told: list[str] = []
    found = run(taking_catalogue(here), here / "out", on_note=told.append)
    made = selection.load(here / "done")
    for one in (made, found):
        histogram.run(Run(one.folder))
        for dataset in one.catalogue.datasets:
            rows = one.rows(dataset.name)
            score = (rows["event"] * 0.618 % 1).astype(np.float32)  # any that tells events apart
            facts = {"models": {}, "own_models": False}
            scores = dict.fromkeys(scoring.COLUMNS, score)
            scoring.write(one.folder, dataset.name, rows, scores, facts, one.variations(dataset.name))
        abcd.run(Run(one.folder))
    compared, differences = comparison.compare(here / "done", here / "out")
    assert not differences
    products = {"candidates/w", "cutflow.json", "histograms.json", "abcd/histograms.json", "abcd/abcd.json"}
    assert products <= set(compared)
    w = found.catalogue.dataset("w")
    assert found.sum_w == made.sum_w
    assert found.scale(w) == made.scale(made.catalogue.dataset("w"))
    rows = found.rows("w")
    for name, values in made.weights(made.catalogue.dataset("w"), made.rows("w")).items():
        assert found.weights(w, rows)[name].tobytes() == values.tobytes()
    record = json.loads((here / "done" / layout.SELECTION).read_text())["provenance"]
    # Six files of 12 to 17 events, and the Runs tree of each counts 10 more.
    sentence = (
        f"w: taken as candidates made by hnl {record['hnl']} at {record['time']} from 6 files, 147 generated events"
    )
    assert told[0] == f"{sentence} ({here / 'done'})"
    assert not taken.warnings(found.taken)
    assert selection.load(here / "out").taken == found.taken


def test_nothing_is_left_to_do(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For no executor: not in the first run, not in the second, which copies nothing either; and the status says so."""
    catalogue = taking_catalogue(here, names=("w", "muons"))
    monkeypatch.setattr(files, "events", lambda *unit: pytest.fail("a file was read"))
    run(catalogue, here / "out")
    before = {path: path.stat().st_mtime_ns for path in (here / "out").rglob("*") if path.parent.name == "w"}
    run(catalogue, here / "out")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    state = status.read_status(here / "out")
    assert state.units == (8, 8)
    plan = planning.plan(catalogue, here / "out")
    assert (plan.reading, plan.waiting(here / "out")) == ([], [])


def test_new_candidates_in_the_folder_are_taken_again(here: Path) -> None:
    catalogue = taking_catalogue(here)
    before = run(catalogue, here / "out").rows("w")
    shutil.rmtree(here / "done")
    faulty.make(here)
    content = yaml.safe_load((here / "catalogue.yaml").read_text())
    content["eras"]["Run2018"]["golden_json"] = "golden.json"
    content["datasets"][0]["files"] = ["w0.root"]
    (here / "catalogue.yaml").write_text(yaml.safe_dump(content))
    run(here / "catalogue.yaml", here / "done")
    after = run(catalogue, here / "out").rows("w")
    assert 0 < len(after["event"]) < len(before["event"])


def test_an_output_needs_the_other_no_more(here: Path) -> None:
    catalogue = taking_catalogue(here)
    run(catalogue, here / "out")
    shutil.rmtree(here / "done")
    assert len(selection.load(here / "out").rows("w")["event"]) > 50
    with pytest.raises(InputError, match=r"taking.yaml, line \d+: dataset w: .*done holds no finished selection"):
        run(catalogue, here / "out")


def test_taken_from_one_that_took(here: Path) -> None:
    """What is told is who made the candidates, not who passed them on."""
    first = run(taking_catalogue(here), here / "out").taken["w"]
    catalogue = taking_catalogue(here, lambda content: content["datasets"][0].update(candidates="out"))
    second = run(catalogue, here / "next").taken["w"]
    assert (second.time, second.hnl, second.code) == (first.time, first.hnl, first.code)
    assert second.folder == str(here / "out")


def setting(**values: Any) -> Change:
    return lambda content: content.update(settings=values)


def of_era(**values: Any) -> Change:
    return lambda content: content["eras"]["Run2018"].update(values)


def of_dataset(number: int, **values: Any) -> Change:
    return lambda content: content["datasets"][number].update(values)


def jes(content: dict[str, Any]) -> None:
    jets = content["eras"]["Run2018"]["corrections"]["jets"]
    jets["uncertainties"] = {"other": next(iter(jets["uncertainties"].values()))}


REFUSED: list[tuple[Change, str]] = [
    (setting(jets={"pt": 25}), r"settings.jets.pt = 20.0, asked for is 25.0"),
    (setting(leptons={"prompt_muons": {"pt": 31}}), r"settings.leptons.prompt_muons.pt = 30.0, asked for is 31.0"),
    (setting(vertices={"distance": 0.05}), r"settings.vertices.distance = 0.03, asked for is 0.05"),
    (setting(events={"m_l1_l2": 12}), r"settings.events.m_l1_l2 = 10.0, asked for is 12.0"),
    (of_era(year=2017), r"era.year = 2018, asked for is 2017"),
    (of_era(triggers={"muon": ["HLT_IsoMu24"]}), r"era.triggers.electron = \[.*HLT_Ele.*, asked for is \[\]"),
    (of_dataset(0, triggers=["muon"]), r"triggers = \['electron', 'muon'\], asked for is \['muon'\]"),
    (of_dataset(1, veto_triggers=["electron"]), r"veto_triggers = \[\], asked for is \['electron'\]"),
    (of_dataset(0, generator_weights={"scale": True}), r"generator_weights.scale = False, asked for is True"),
    (jes, r"era.corrections.jets.uncertainties = \[\['jes_central', .*asked for is \[\['other'"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), REFUSED)
def test_other_settings_are_refused(here: Path, change: Change, said: str) -> None:
    """With the setting, both values, what to do, and the line; nothing is written."""
    catalogue = taking_catalogue(here, change, ("w", "muons"))
    with pytest.raises(InputError, match=said) as refused:
        run(catalogue, here / "out")
    assert f"{catalogue}, line " in str(refused.value)
    assert taking.REMEDY in str(refused.value)
    assert not (here / "out").exists()


@pytest.mark.parametrize(
    ("name", "what"), [("golden.json", "era.golden_json"), ("jets.json", "era.corrections.jets.file")]
)
def test_other_files_of_corrections_are_refused(here: Path, name: str, what: str) -> None:
    """By content, whatever the place."""
    path = here / name
    path.write_text(
        json.dumps(GOLDEN | {"7": [[1, 2]]}) if "golden" in name else path.read_text().replace("0.02+", "0.03+")
    )
    before = provenance.file_digest(path)
    with pytest.raises(InputError, match=rf"{what}, SHA-256 = \w{{64}}, asked for is {before}"):
        run(taking_catalogue(here, names=("w", "muons")), here / "out")


def test_what_does_not_act_in_the_selection_may_differ(here: Path) -> None:
    """The luminosity, the cross section, a setting of later stages."""

    def change(content: dict[str, Any]) -> None:
        of_era(luminosity=20.0)(content)
        of_dataset(0, cross_section=1.0)(content)
        setting(regions={"score": 0.3})(content)

    found = run(taking_catalogue(here, change), here / "out")
    made = selection.load(here / "done")
    assert found.scale(found.catalogue.dataset("w")) == pytest.approx(4 * made.scale(made.catalogue.dataset("w")))


@pytest.mark.parametrize("place", ["candidates", "variations/candidates"])
def test_a_damaged_part(here: Path, place: str) -> None:
    """Is refused; with --allow-partial, its file is left out, as a whole."""
    path = sorted((here / "done" / place / "w").glob("*.parquet"))[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(planning.BadFilesError, match=f"{path} is not the file that its manifest describes"):
        run(taking_catalogue(here), here / "out")
    assert not (here / "out" / layout.SELECTION).exists()
    found = run(taking_catalogue(here), here / "out", allow_partial=True)
    assert [str(path) in sentence for sentence in found.partial] == [True]
    assert len(found.files["w"]) == 5


def test_a_part_that_is_gone(here: Path) -> None:
    path = sorted((here / "done" / "manifests" / "candidates" / "w").glob("*.json"))[0]
    path.unlink()
    with pytest.raises(InputError, match=r"done is not complete: .*json or its candidates are missing"):
        run(taking_catalogue(here), here / "out")


def test_other_columns(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planning.plan(taking_catalogue(here), here / "out")
    columns = tuple(
        c._replace(dtype="float64") if c.name == "m_sv" else c for c in selection.load(here / "done").analysis.columns
    )
    monkeypatch.setattr(Analysis, "columns", columns)
    with pytest.raises(planning.BadFilesError, match=r"other columns than this version of hnl has, such as .*m_sv"):
        planning.take(plan, here / "out")


def test_another_format(here: Path) -> None:
    path = here / "done" / layout.SELECTION
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 3}))
    with pytest.raises(InputError, match=r"has format 3, this version of hnl reads format 4"):
        run(taking_catalogue(here), here / "out")


def test_no_such_dataset_and_the_folder_itself(here: Path) -> None:
    catalogue = taking_catalogue(here, of_dataset(0, name="other"))
    with pytest.raises(InputError, match="done has no dataset other; it has w, muons"):
        run(catalogue, here / "out")
    with pytest.raises(InputError, match="done is the output folder itself"):
        run(taking_catalogue(here), here / "done")


def test_one_file_in_two_datasets(here: Path) -> None:
    """Once as a file, once within candidates."""
    change = of_dataset(1, files=["data0.root", "data1.root"])
    content = yaml.safe_load(taking_catalogue(here, change).read_text())
    content["datasets"].append(content["datasets"][1] | {"name": "again"})
    content["datasets"][1] = {key: value for key, value in content["datasets"][1].items() if key != "files"} | {
        "candidates": "done"
    }
    (here / "taking.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(files.DuplicateFileError, match="are the same file"):
        run(here / "taking.yaml", here / "out")


def test_of_a_partial_selection(here: Path, made: Path) -> None:
    """Only for a partial result, which names what is missing."""
    (here / "w0.root").write_bytes(b"")
    for i in range(1, faulty.FILES):
        shutil.copy(made / f"w{i}.root", here)
    run(here / "catalogue.yaml", here / "done", allow_partial=True)
    with pytest.raises(planning.BadFilesError, match=r"done is partial: .*w0.root: the file is empty"):
        run(taking_catalogue(here), here / "out")
    assert "w0.root" in run(taking_catalogue(here), here / "out", allow_partial=True).partial[0]


def test_files_or_candidates(here: Path) -> None:
    both = taking_catalogue(here, of_dataset(0, files=["w0.root"]))
    with pytest.raises(InputError, match="a dataset has files or candidates, one of them"):
        run(both, here / "out")


def test_other_code_is_named(here: Path) -> None:
    """Comments do not count; the rest does, and libraries."""
    path = here / "done" / layout.SELECTION
    content = json.loads(path.read_text())
    content["code"] |= {"hnl.selections.jets": "0", "numpy": "1.0", "hnl.gone": "0"}
    path.write_text(json.dumps(content))
    found = run(taking_catalogue(here), here / "out")
    assert taken.warnings(found.taken) == [
        "candidates of w were made by other code; changed since: hnl.gone, hnl.selections.jets, numpy"
    ]


def test_what_counts_as_code() -> None:
    text = '"""Doc."""\n# Comment.\ndef f(x):\n    """Doc."""\n    return x + 1  # more\n'
    meaning = dependencies._meaning
    assert meaning(text) == meaning("def f(x):\n    return (x + 1)\n")
    assert meaning(text) != meaning(text.replace("+ 1", "+ 2"))
    assert meaning('class A:\n    """Doc."""\n') == meaning('class A:\n    """Other."""\n')
