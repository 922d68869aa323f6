"""From the catalogue to HTCondor jobs and back, without a pool: every job runs in an empty folder of its own."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import classad2
import jet_corrections
import pool
import pytest
import weight_files
import xrootd_server
import yaml
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS, Style, event, write
from web import serving

from hnl.condor import batch, description, results, schedd, wheel
from hnl.condor import job as batch_job
from hnl.condor.batch import IncompleteError
from hnl.condor.items import BatchError
from hnl.datasets import remote
from hnl.datasets.settings import Batch, Remote
from hnl.executors import ExecutionOptions
from hnl.processors import selection
from hnl.stages import select

Save = Callable[..., Path]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four files of events, golden JSON and corrections."""
    folder = tmp_path_factory.mktemp("files")
    write(folder / "a.root", [event(i, same_sign=i % 2 == 0) for i in range(1, 6)])
    write(folder / "b.root", [event(i) for i in range(6, 9)])
    write(folder / "t.root", [event(i, l2_flavour="mu") for i in range(1, 4)])
    write(folder / "d.root", [event(i, l2_flavour="mu") for i in (11, 12)], Style(data=True))
    (folder / "golden.json").write_text(json.dumps({"1": [[1, 10]]}))
    jet_corrections.write(folder / "jets, v1.json")  # a name that HTCondor would take for two
    weight_files.write(folder / "weights.json.gz")
    return folder


@pytest.fixture
def save(files: Path, tmp_path: Path) -> Save:
    """Writes a catalogue of four files in three datasets, whose golden JSON leaves out one event of data, with weights
    and with jets that are varied."""
    folder = shutil.copytree(files, tmp_path / "in")
    weights = weight_files.entries("weights.json.gz")

    def one(**settings: Any) -> Path:
        simulated = {"era": "e", "kind": "background", "cross_section": 1.0}
        content = {
            "eras": {
                "e": {
                    "year": 2018,
                    "luminosity": 10.0,
                    "triggers": {"electron": list(ELECTRON_PATHS), "muon": list(MUON_PATHS)},
                    "golden_json": "golden.json",
                    "corrections": jet_corrections.block(Path("jets, v1.json"))
                    | {"tracking": weights["tracking"]},
                }
            },
            "datasets": [
                {"name": "w", "process": "w", "files": ["a.root", "b.root"], **simulated},
                {"name": "t", "process": "t", "files": ["t.root"], **simulated},
                {
                    "name": "d", "era": "e", "kind": "data", "process": "data", "primary_dataset": "S",
                    "files": ["d.root"],
                },
            ],
            "remote": {"attempts": 1, "wait": 0, "timeout": 5},
            "batch": {"local_files": "transferred", "python": sys.executable} | settings,
        }  # fmt: skip
        (folder / "c.yaml").write_text(yaml.safe_dump(content))
        return folder / "c.yaml"

    return one


def products(out: Path) -> dict[str, Any]:
    """Everything that a selection leaves, without when and where it was made."""
    found: dict[str, Any] = {
        str(path.relative_to(out)): path.read_bytes() for path in sorted((out / "candidates").rglob("*.*"))
    }
    content = json.loads((out / "selection.json").read_text())
    del content["provenance"]
    return found | {"selection": content, "cutflow": (out / "cutflow.json").read_bytes()}


def test_the_job_script_in_empty_folders_gives_what_select_gives(save: Save, tmp_path: Path) -> None:
    """Bit by bit: parquet parts, manifests, cutflow, selection."""
    catalogue, out = save(), tmp_path / "out"
    select.run(catalogue, tmp_path / "here", execution=ExecutionOptions("iterative"))
    submission = batch.submit(catalogue, out)
    assert (submission.items, submission.units) == (3, 4)  # a job has files of one dataset
    assert [item["item"] for item in pool.items(out / "condor")] == ["1-000000", "1-000001", "1-000002"]
    ended = pool.run(out / "condor")
    assert [(job.status, job.stderr) for job in ended] == [(0, "")] * 3
    assert batch.state(out).returned == 4
    selected = batch.collect(out)
    assert products(out) == products(tmp_path / "here")
    assert sum(m.candidates for group in selected.manifests.values() for m in group) > 5
    assert products(out)["selection"]["files"]["d"][0]["events"] == 2


def test_no_job_for_what_is_taken_as_candidates(save: Save, tmp_path: Path) -> None:
    """Its parts are in the output folder before anything is submitted."""
    catalogue, out = save(), tmp_path / "out"
    here = select.run(catalogue, tmp_path / "here", execution=ExecutionOptions("iterative"))
    content = yaml.safe_load(catalogue.read_text())
    for dataset in content["datasets"][:2]:
        del dataset["files"]
        dataset["candidates"] = str(tmp_path / "here")
    catalogue.write_text(yaml.safe_dump(content))
    submission = batch.submit(catalogue, out)
    assert (submission.items, submission.units) == (1, 1)
    state = batch.state(out)
    assert (state.units, state.collected) == (4, 3)
    pool.run(out / "condor")
    selected = batch.collect(out)
    assert (selected.sum_w, list(selected.taken)) == (here.sum_w, ["w", "t"])
    parts = [path.relative_to(out) for path in (out / "candidates").rglob("*.parquet")]
    assert len(parts) == 4
    assert all((out / part).read_bytes() == (tmp_path / "here" / part).read_bytes() for part in parts)
    assert set(selected.manifests["w"][0].variations) == set(jet_corrections.VARIATIONS)
    assert batch.resubmit(out).items == 0


def test_description_for_htcondor(save: Save, tmp_path: Path) -> None:
    settings = {
        "memory": 3000, "disk": 9000, "cpus": 2, "retries": 5, "x509_proxy": True, "oauth_services": ["cms"],
        "commands": {"+JobFlavour": '"workday"'}, "events_per_job": 20_000,
    }  # fmt: skip
    batch.submit(save(**settings), tmp_path / "out")
    folder = tmp_path / "out" / "condor"
    lines = pool.items(folder)
    assert len(lines) == 4
    job = pool.described(folder, "submit-1.sub", lines[0])
    assert job["request_memory"] == "3000 MB"
    assert job["request_disk"] == "9000 MB"
    assert job["request_cpus"] == "2"
    assert job["max_retries"] == "5"
    assert job["use_x509userproxy"] == "true"
    assert job["use_oauth_services"] == "cms"
    assert job["MY.JobFlavour"] == '"workday"'
    assert job["arguments"] == f"1-000000 {wheel.NAME} {sys.executable}"
    assert job["output"] == "logs/1-000000.out"
    given = job["transfer_input_files"].split(", ")
    assert given[:1] == [wheel.NAME]
    assert all((folder / name).is_file() for name in given)
    for line, dataset in zip(lines, "wwtd", strict=True):  # corrections of jets or golden JSON: what the job applies
        (carried,) = [name for name in line["inputs"].split(", ") if name.startswith("inputs/")]
        assert carried.endswith("-golden.json" if dataset == "d" else "-jets__v1.json")
    assert len({Path(name).name for name in given}) == len(given)


@pytest.mark.parametrize(("status", "held", "leaves"), [(0, False, True), (75, False, False), (65, True, True)])
def test_policy(status: int, held: bool, leaves: bool) -> None:
    """What the queue makes of an exit status: ClassAd expressions, evaluated by HTCondor's own library."""
    submit = pool.htcondor2.Submit(description.text(Batch(), "x", "queue"))
    ad = classad2.ClassAd({"ExitCode": status})
    ad["hold"], ad["until"] = classad2.ExprTree(submit["on_exit_hold"]), classad2.ExprTree(submit["retry_until"])
    ad["why"] = classad2.ExprTree(submit["on_exit_hold_reason"])
    assert ad.eval("hold") is held
    assert ad.eval("until") is leaves
    if held:
        assert ad.eval("why") == "an input file cannot be used: hnl condor status OUT names the file"


def test_python_and_container(tmp_path: Path) -> None:
    in_container = pool.htcondor2.Submit(description.text(Batch(container="docker://me/hnl:1"), "x", "q"))
    assert (in_container["universe"], in_container["container_image"]) == ("container", "docker://me/hnl:1")
    assert in_container["arguments"].endswith(" python3")
    from_lock = pool.htcondor2.Submit(description.text(Batch(), "x", "q"))
    assert from_lock["arguments"].endswith(" lock")
    assert "requirements.lock" in from_lock["transfer_input_files"]
    away = pool.htcondor2.Submit(description.text(Batch(output="/shared/me"), "x", "q"))
    assert away["transfer_output_files"] == '""'


def test_other_corrections_make_all_anew(save: Save, tmp_path: Path) -> None:
    """A file of jet corrections that changes after the submission: what came back with the old one is not taken."""
    catalogue, out, jets = save(), tmp_path / "out", tmp_path / "in" / "jets, v1.json"
    batch.submit(catalogue, out)
    pool.run(out / "condor", script=False)
    jets.write_text(jets.read_text().replace("0.02+0.8/x", "0.03+0.8/x"))
    for command in (batch.collect, batch.resubmit):
        with pytest.raises(selection.SelectionError, match="the jobs of w were submitted by other code or settings"):
            command(out)
    for path in (out / "condor" / "inputs").iterdir():  # or in the hands of the job
        path.write_text(path.read_text().replace("0.02+0.8/x", "0.03+0.8/x"))
    assert {job.item: job.status for job in pool.run(out / "condor", script=False)} == {
        "1-000000": 78, "1-000001": 78, "1-000002": 0,
    }  # fmt: skip
    shutil.rmtree(out / "condor")
    assert batch.submit(catalogue, out).units == 4
    pool.run(out / "condor", script=False)
    batch.collect(out)
    select.run(catalogue, tmp_path / "here", execution=ExecutionOptions("iterative"))
    assert products(out) == products(tmp_path / "here")


def test_a_bad_file_is_held_named_and_submitted_again_alone(save: Save, tmp_path: Path) -> None:
    catalogue, out = save(events_per_job=20_000), tmp_path / "out"
    batch.submit(catalogue, out)
    good, path = (tmp_path / "in" / "b.root").read_bytes(), tmp_path / "in" / "b.root"
    path.write_bytes(good[:-500])
    assert [job.status for job in pool.run(out / "condor", script=False)] == [0, 65, 0, 0]
    state = batch.state(out)
    assert (state.returned, state.missing, state.collected) == (3, 1, 0)
    assert list(state.failures) == [str(path)]
    with pytest.raises(IncompleteError, match=rf"1 of 4 work units are missing.*\n{path}: .*truncated"):
        batch.collect(out)
    assert not (out / "selection.json").exists()
    assert batch.state(out).collected == 3

    partial = batch.collect(out, allow_partial=True)
    assert "b.root" in partial.partial[0]
    assert [file["path"] for file in partial.files["w"]] == [str(tmp_path / "in" / "a.root")]

    path.write_bytes(good)
    again = batch.resubmit(out)
    assert (again.items, again.units) == (1, 1)
    assert pool.items(out / "condor", "submit-2.sub")[0]["item"] == "2-000000"
    assert [job.status for job in pool.run(out / "condor", "submit-2.sub", script=False)] == [0]
    assert batch.state(out).failures == {}
    whole = batch.collect(out)
    assert whole.partial == []
    select.run(catalogue, tmp_path / "here", execution=ExecutionOptions("iterative"))
    assert products(out) == products(tmp_path / "here")


def test_a_server_that_is_down_is_tried_again(save: Save, tmp_path: Path) -> None:
    catalogue, out = save(), tmp_path / "out"
    with serving(tmp_path / "in") as server:
        content = yaml.safe_load(catalogue.read_text())
        content["datasets"] = [content["datasets"][1] | {"files": [f"{server.url}/t.root"]}]
        del content["batch"]["local_files"]
        catalogue.write_text(yaml.safe_dump(content))
        batch.submit(catalogue, out)
        server.fault = lambda n: "503"
        assert [job.status for job in pool.run(out / "condor", script=False)] == [75]
        assert "not readable after 1 attempts" in next(iter(batch.state(out).failures.values()))
        with pytest.raises(IncompleteError, match=r"t\.root"):
            batch.collect(out, allow_partial=True)  # not bad input: it may come
        server.fault = lambda n: "403"
        assert [job.status for job in pool.run(out / "condor", script=False)] == [65]
        server.fault = lambda n: None
        assert [job.status for job in pool.run(out / "condor", script=False)] == [0]
    assert len(batch.collect(out).manifests["t"]) == 1


def test_a_job_with_other_code_stops(save: Save, tmp_path: Path) -> None:
    batch.submit(save(), tmp_path / "out")
    for path in (tmp_path / "out" / "condor" / "items").glob("*.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"fingerprint": "other"}))
    assert {job.status for job in pool.run(tmp_path / "out" / "condor", script=False)} == {78}


@pytest.mark.parametrize("output", ["{}/results", "file://{}/results"])
def test_results_in_a_folder_or_at_a_url(save: Save, tmp_path: Path, output: str) -> None:
    out = tmp_path / "out"
    batch.submit(save(output=output.format(tmp_path)), out)
    assert batch.state(out).missing == 4
    for _ in range(2):  # a job may run twice
        assert {job.status for job in pool.run(out / "condor", script=False)} == {0}
    assert len(list((tmp_path / "results").glob("*"))) == 3
    assert batch.state(out).missing == 0
    batch.collect(out)
    assert (out / "selection.json").exists()


def test_results_at_an_xrootd_server(save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come back, each file in one request, and are those of a local run to the byte."""
    asked: list[str] = []
    ask = remote.ask

    def counted(name: str, *rest: Any) -> Any:
        asked.extend([name.rsplit("/")[-1]] if name.endswith(".zip") else [])
        return ask(name, *rest)

    with xrootd_server.serving() as (url, folder):
        catalogue, out = save(output=f"{url}results"), tmp_path / "out"
        batch.submit(catalogue, out)
        assert {job.status for job in pool.run(out / "condor", script=False)} == {0}
        assert batch.state(out).missing == 0
        monkeypatch.setattr(remote, "ask", counted)
        batch.collect(out)
        assert sorted(asked) == sorted(path.name for path in (folder / "results").iterdir())
    assert len(asked) == 3
    select.run(catalogue, tmp_path / "local", execution=ExecutionOptions("iterative"))
    assert products(out) == products(tmp_path / "local")


@pytest.mark.parametrize("report", ["[1]", "null", '{"u": 3}', '{"u": {"file": "f"}}'])
def test_failures_of_another_shape_are_damage(tmp_path: Path, report: str) -> None:
    with zipfile.ZipFile(tmp_path / "1.zip", "w") as archive:
        archive.writestr(results.REPORT, report)
    contents = results.Results(str(tmp_path), Remote()).contents("1")
    assert contents.damage.startswith(f"{tmp_path}/1.zip is damaged: ")


def test_a_place_that_cannot_be_written_is_tried_again(save: Save, tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    batch.submit(save(output=f"{tmp_path}/results"), tmp_path / "out")
    assert {job.status for job in pool.run(tmp_path / "out" / "condor", script=False)} == {75}


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, change(name, data))


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flipped(path: Path) -> None:
    rewritten(path, lambda name, data: data[:-1] + b"?" if name.endswith(".parquet") else data)


def relabelled(path: Path) -> None:
    def change(name: str, data: bytes) -> bytes:
        is_manifest = name.endswith(".json") and name != results.REPORT
        return json.dumps(json.loads(data) | {"uuid": "another"}).encode() if is_manifest else data

    rewritten(path, change)


@pytest.mark.parametrize("damage", [truncated, empty, flipped, relabelled])
def test_a_damaged_result_is_not_taken(save: Save, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    out, notes = tmp_path / "out", list[str]()
    batch.submit(save(), out)
    pool.run(out / "condor", script=False)
    damage(out / "condor" / "returned" / "1-000000.zip")
    with pytest.raises(IncompleteError, match="2 of 4 work units are missing"):
        batch.collect(out, on_note=notes.append)
    assert bool(notes) == (damage is not empty)
    assert batch.resubmit(out).units == 2
    pool.run(out / "condor", "submit-2.sub", script=False)
    batch.collect(out)


def test_local_files_need_a_word(save: Save, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match=r"a\.root is a local file: say in the catalogue"):
        batch.submit(save(local_files=None), tmp_path / "out")
    assert not (tmp_path / "out" / "condor").exists()


def test_shared_files_are_not_sent(save: Save, tmp_path: Path) -> None:
    batch.submit(save(local_files="shared"), tmp_path / "out")
    folder = tmp_path / "out" / "condor"
    assert not [line for line in pool.items(folder) if ".root" in line["inputs"]]
    assert {job.status for job in pool.run(folder, script=False)} == {0}
    batch.collect(tmp_path / "out")


def test_names_that_htcondor_cannot_transfer(save: Save, tmp_path: Path) -> None:
    catalogue = save()
    shutil.move(tmp_path / "in" / "t.root", tmp_path / "in" / "t t.root")
    catalogue.write_text(catalogue.read_text().replace("t.root", "t t.root"))
    with pytest.raises(BatchError, match="HTCondor cannot transfer"):
        batch.submit(catalogue, tmp_path / "out")


def test_files_of_one_name_are_in_different_jobs(save: Save, tmp_path: Path) -> None:
    catalogue = save()
    (tmp_path / "in" / "more").mkdir()
    shutil.move(tmp_path / "in" / "b.root", tmp_path / "in" / "more" / "a.root")
    catalogue.write_text(catalogue.read_text().replace("b.root", "more/a.root"))
    assert batch.submit(catalogue, tmp_path / "out").items == 4


def test_a_second_submission_is_refused(save: Save, tmp_path: Path) -> None:
    batch.submit(save(), tmp_path / "out")
    with pytest.raises(BatchError, match="holds jobs that were submitted before"):
        batch.submit(save(), tmp_path / "out")


def test_what_select_has_done_is_not_submitted(save: Save, tmp_path: Path) -> None:
    select.run(save(), tmp_path / "out", execution=ExecutionOptions("iterative"))
    assert batch.submit(save(), tmp_path / "out").items == 0


def test_nothing_was_submitted(tmp_path: Path) -> None:
    for command in (batch.state, batch.collect, batch.resubmit):
        with pytest.raises(BatchError, match="has no jobs"):
            command(tmp_path)


def test_without_the_bindings(save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "htcondor2", None)
    submission = batch.submit(save(), tmp_path / "out")
    assert submission.cluster is None
    assert submission.command == f"cd {tmp_path / 'out' / 'condor'} && condor_submit submit-1.sub"
    assert batch.state(tmp_path / "out").queue is None


def test_without_a_schedd() -> None:
    """The bindings are here; a schedd is not."""
    assert schedd.queue("x") is None


def test_what_is_in_the_queue_is_not_submitted_again(
    save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No schedd can run here: its answer is put in."""
    batch.submit(save(), tmp_path / "out")
    held = schedd.Queue({"1-000000": "held"}, {"1-000000": "an input file cannot be used"})
    monkeypatch.setattr(schedd, "queue", lambda submission: held)
    assert batch.resubmit(tmp_path / "out").units == 2
    assert batch.state(tmp_path / "out").queue == held
    assert held.states == {"held": 1}


def test_job_script_passes_shellcheck() -> None:
    path = Path(description.__file__).with_name("job.sh")
    shellcheck = Path(sys.executable).with_name("shellcheck")  # of the environment, which need not be active
    done = subprocess.run([shellcheck, "--severity=style", path], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_job_script_without_a_usable_python(tmp_path: Path) -> None:
    path = Path(description.__file__).with_name("job.sh")
    done = subprocess.run([path, "x", "y.whl", "/nowhere/python"], cwd=tmp_path, env={}, capture_output=True, text=True)
    assert done.returncode == 78
    assert "/nowhere/python is not Python 3.11" in done.stderr
    assert (tmp_path / "x.zip").exists()


def test_the_wheel_installs_and_imports_without_demo_samples(tmp_path: Path) -> None:
    """It can even pack itself again, from where it was installed."""
    made = wheel.write(tmp_path)
    assert made.stat().st_size < 2_000_000
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", tmp_path / "lib"]
    subprocess.run([*pip, made], check=True, capture_output=True)
    code = "import pathlib; from hnl.condor import wheel; print(wheel.__file__); wheel.write(pathlib.Path('again'))"
    (tmp_path / "again").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "lib")},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(str(tmp_path / "lib")), done.stderr
    first, again = (zipfile.ZipFile(folder / wheel.NAME) for folder in (tmp_path, tmp_path / "again"))
    code_files = [name for name in first.namelist() if name.startswith("hnl/")]
    assert "hnl/condor/job.sh" in code_files
    assert not [name for name in code_files if name.endswith(".root")]
    assert [first.read(name) for name in code_files] == [again.read(name) for name in code_files]


def test_a_broken_item_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(ValueError, match="Expecting"):
        batch_job.run(tmp_path / "x.json")
