"""A work unit is refused by a worker that would not select what was planned."""

from dataclasses import replace
from pathlib import Path

import faulty
import jet_corrections
import pytest

from hnl import dependencies
from hnl.datasets import files
from hnl.executors import ExecutionOptions
from hnl.processors import planning, units
from hnl.processors.units import Job
from hnl.stages import select


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Of the first simulated file."""
    return planning.plan(faulty.make(tmp_path), tmp_path / "out").jobs[0]


def refused(job: Job) -> bool:
    outcome = units.process_unit(job)
    assert outcome.bad_input is None  # the file is not to blame, and must not be left out
    if outcome.part:
        return False
    assert outcome.failure is not None
    assert "this worker has other code, libraries, corrections or golden JSON than the command" in outcome.failure[0]
    return True


def test_as_planned(job: Job) -> None:
    assert not refused(job)


def test_other_code(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a worker that joined later, when nobody asked for it."""
    monkeypatch.setattr(dependencies, "digest", lambda code: "other")
    assert refused(job)


def test_other_corrections(job: Job, tmp_path: Path) -> None:
    """A file that has changed since, or is another one on the worker."""
    path = tmp_path / "jets.json"
    path.write_text(path.read_text().replace("0.02+0.8/x", "0.03+0.8/x"))
    assert refused(job)


def test_no_corrections(job: Job, tmp_path: Path) -> None:
    (tmp_path / "jets.json").unlink()
    outcome = units.process_unit(job)
    assert outcome.failure is not None
    assert outcome.failure[0] == f"cannot read {tmp_path / 'jets.json'}: No such file or directory"


def test_files_that_went_with_the_work(job: Job, tmp_path: Path) -> None:
    """Only what is applied when events are selected goes along, and it is read where it arrived."""
    (packed,), support_files = planning.packed([job])
    assert list(support_files.values()) == [tmp_path / "jets.json"]
    here = units.process_unit(job)
    (tmp_path / "worker").mkdir()
    for name, path in support_files.items():
        path.rename(tmp_path / "worker" / name)
    there = units.process_unit(packed, tmp_path / "worker")
    assert there == here
    assert there.part is not None


def test_names_tell_contents_apart(job: Job, tmp_path: Path) -> None:
    """Files of one name in two eras, and what a batch system would stumble over."""
    names = set()
    for folder, text in (("a", "0.8/x"), ("b", "0.9/x")):
        path = tmp_path / folder / "all, 2018.json"
        path.parent.mkdir()
        jet_corrections.write(path).write_text(path.read_text().replace("0.8/x", text))
        era = job.catalogue.eras["Run2018"]
        assert era.corrections.jets is not None
        jets = era.corrections.jets.model_copy(update={"file": path})
        era = era.model_copy(update={"corrections": era.corrections.model_copy(update={"jets": jets})})
        other = replace(job, catalogue=job.catalogue.model_copy(update={"eras": {"Run2018": era}}))
        names |= planning.packed([other])[1].keys()
    assert len(names) == 2
    assert all(name.endswith("-all__2018.json") for name in names)


@pytest.mark.parametrize(("module", "read"), [("hnl.selections.displaced.regions", 0), ("hnl.selections.jets", 8)])
def test_what_reads_nanoaod_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, read: int) -> None:
    """A bin edge of the ABCD regions does not, a cut on jets does."""
    catalogue, out = faulty.make(tmp_path), tmp_path / "out"
    select.run(catalogue, out, execution=ExecutionOptions("iterative"))
    changed = {module: dependencies.source(module) + "\nEDGE = 2.0\n"}
    digest = dependencies.digest
    monkeypatch.setattr(dependencies, "digest", lambda roots: digest(roots, changed))
    opened = []
    events = files.events
    monkeypatch.setattr(files, "events", lambda *unit: opened.append(unit) or events(*unit))
    select.run(catalogue, out, execution=ExecutionOptions("iterative"))
    assert len(opened) == read
