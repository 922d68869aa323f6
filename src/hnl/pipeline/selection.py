"""Stage `select`: NanoAOD -> candidates, cutflow, sums of weights; and reading a finished selection back."""

import json
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from hnl import executors, provenance
from hnl.corrections import jets, normalisation
from hnl.corrections import weights as event_weights
from hnl.corrections.library import CorrectionError
from hnl.datasets import catalogue as catalogues
from hnl.datasets import files
from hnl.datasets.catalogue import Catalogue, Dataset, Era
from hnl.datasets.corrections import NOMINAL
from hnl.datasets.files import FileInfo, WorkUnit
from hnl.datasets.index import INDEX_FILE, Index, inspect_all
from hnl.errors import HNLError, InputError
from hnl.executors import How
from hnl.pipeline import status
from hnl.processors import closure, columns, merging, parts
from hnl.processors.displaced import DisplacedProcessor
from hnl.processors.parts import Candidates, Part

FORMAT = 3  # of selection.json; raised when its meaning changes
SELECTION_FILE = "selection.json"
CUTFLOW_FILE = "cutflow.json"
FILE_FACTS = tuple(field.name for field in fields(FileInfo) if field.name not in ("branches", "missing"))


class SelectionError(HNLError):
    """The selection failed on input that looked sound, or its output cannot be used by the next stage."""


class BadFilesError(InputError):
    """Files that cannot be used, one a line."""


@dataclass(frozen=True)
class Job:
    """A work unit with all that a worker needs to know."""

    unit: WorkUnit
    catalogue: Catalogue  # of this unit's dataset alone, without its files
    fingerprint: str
    code: str  # digest of the code that the run was started with
    checksum: str | None  # of the file, to be verified before it is read
    local: str | None = None  # where the worker has a copy of the file


@dataclass(frozen=True)
class Outcome:
    """What became of a job: a part, or why there is none."""

    unit: WorkUnit
    part: Part | None = None
    bad_input: str | None = None
    temporary: bool = False  # the bad input may be better later
    failure: tuple[str, str] | None = None  # in one line, and the traceback


@dataclass(frozen=True)
class Plan:
    """What is to be done for a catalogue.

    Attributes:
        catalogue: as it was loaded.
        jobs: one for each work unit of every usable file, in the order of the catalogue.
        fingerprints: of each dataset.
        bad: one sentence for each file that cannot be used, which a partial result leaves out.
    """

    catalogue: Catalogue
    jobs: list[Job]
    fingerprints: dict[str, str]
    bad: list[str]

    def waiting(self, out: Path) -> list[Job]:
        """The jobs that are not done in an output folder."""
        return [job for job in self.jobs if not is_done(out, job)]


@dataclass(frozen=True)
class Selection:
    """A finished, complete selection in an output folder."""

    folder: Path
    catalogue: Catalogue
    files: dict[str, list[dict[str, Any]]]
    units: dict[str, list[str]]
    sum_w: dict[str, float]
    partial: list[str]
    manifests: dict[str, list[dict[str, Any]]]  # without their tables
    tables: dict[str, dict[str, Any]]  # the sum of those

    def variations(self, dataset: str) -> tuple[str, ...]:
        """Nominal, and the variations of jet energies that were made of a dataset: none of data."""
        one = self.catalogue.dataset(dataset)
        return jets.variations(jets.of(one, self.catalogue.era(one)))

    def rows(self, dataset: str) -> Candidates:
        """The candidates of a dataset in all variations, sorted by run, luminosity section and event."""
        return parts.read(self.folder, self.manifests[dataset], self.units[dataset])

    def candidates(self, dataset: str, variation: str = NOMINAL) -> Candidates:
        """The candidates of a dataset in one of its variations, sorted as `rows`.

        Raises:
            SelectionError: the dataset has no such variation.
        """
        rows, known = self.rows(dataset), self.variations(dataset)
        if variation not in known:
            raise SelectionError(f"dataset {dataset} has no variation {variation}; it has {', '.join(known)}")
        chosen = parts.passing(rows, known.index(variation))
        return {name: column[chosen] for name, column in rows.items()}

    def scale(self, dataset: Dataset) -> float:
        """Factor from generator weights to events expected in the luminosity of its era; 1 for data."""
        if dataset.is_data:
            return 1.0
        return normalisation.scale(dataset, self.catalogue.era(dataset), self.sum_w[dataset.name])

    def weights(self, dataset: Dataset, candidates: Candidates) -> dict[str, np.ndarray]:
        """Of some rows of a dataset, nominal and in every variation of weights, see `corrections.weights.weights`."""
        era = self.catalogue.era(dataset)
        return event_weights.weights(dataset, era, candidates, None if dataset.is_data else self._generated(dataset))

    def _generated(self, dataset: Dataset) -> event_weights.Generated:
        name = dataset.name
        files, manifests = self.files[name], self.manifests[name]
        return event_weights.Generated(
            self.sum_w[name],
            closure.generator_norms(dataset, files, manifests),
            sum(manifest["events"] for manifest in manifests),
            closure.pileup_profile(files, manifests),
        )

    def cutflow(self) -> dict[str, Any]:
        """Counts of each dataset, added up over its work units in order, and how its vertices were found."""
        result: dict[str, Any] = {}
        for name, tables in self.tables.items():
            facts = {
                key: {file["path"]: file[key] for file in self.files[name]} for key in ("sv_association", "version")
            }
            result[name] = tables | facts | {"partial": self.partial}
        return result


def fingerprint(dataset: Dataset, era: Era) -> str:
    """Hash of all that decides which events of a file are selected and what their columns say."""
    golden = era.golden_json.read_bytes().hex() if era.golden_json and dataset.is_data else None
    settings = {
        "kind": dataset.kind,
        "triggers": dataset.triggers,
        "veto": dataset.veto_triggers,
        "paths": era.triggers.model_dump(),
        "year": era.year,
        "golden_json": golden,
        "jets": jets.digest(jets.of(dataset, era)),
        "generator_weights": dataset.generator_weights.model_dump(),
        "code": provenance.selection_code_digest(),
    }
    return provenance.digest(settings)


def process_unit(job: Job) -> Outcome:
    """Reads and selects one work unit. Never raises: a worker's error must reach the user as a sentence."""
    try:
        if provenance.selection_code_digest() != job.code:
            raise SelectionError("this worker runs other code or libraries than the command")
        if job.checksum:
            files.verify(job.local or job.unit.file.path, job.checksum, job.catalogue.remote)
        processor = DisplacedProcessor(job.catalogue)
        result = processor.process(files.events(job.unit, job.catalogue.remote, job.local))[job.unit.dataset]
        dataset = job.catalogue.dataset(job.unit.dataset)
        variations = jets.variations(jets.of(dataset, job.catalogue.era(dataset)))
        return Outcome(job.unit, part=parts.make(job.unit, result, job.fingerprint, job.checksum, variations))
    except CorrectionError as error:  # not the fault of the file, which must not be left out for it
        return Outcome(job.unit, failure=(str(error), traceback.format_exc()))
    except InputError as error:
        return Outcome(job.unit, bad_input=str(error), temporary=files.is_temporary(error))
    except Exception as error:
        summary = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
        return Outcome(job.unit, failure=(summary, traceback.format_exc()))


def plan(catalogue_path: Path, out: Path, *, allow_partial: bool = False, checksum: bool = False) -> Plan:
    """Opens every file of a catalogue that was not opened before, and cuts all of them into work units.

    Args:
        catalogue_path: the catalogue.
        out: output folder, which knows the files that were opened before (`datasets.index`).
        allow_partial: leave out files that cannot be used.
        checksum: verify the checksum of every file before it is read; parts made without that are not taken as done.

    Raises:
        CatalogueError, CorrectionError, BadFilesError, DuplicateFileError: bad input.
    """
    catalogue = catalogues.load(catalogue_path)
    check_corrections(catalogue)
    if checksum and (without := [f for d in catalogue.datasets for f in d.files if f not in d.checksums]):
        raise BadFilesError(f"{catalogue_path} has no checksum of {without[0]} (nor of {len(without) - 1} others)")
    known = Index(out / INDEX_FILE)
    infos, bad = _inspected(catalogue, known)
    if known.path.exists():  # also if the run ends here; but bad input leaves no new folder
        known.save()
    if bad and not allow_partial:
        raise BadFilesError("\n".join(bad))
    files.check_unique([info for group in infos.values() for info in group])
    known.save()
    marks = {dataset.name: fingerprint(dataset, catalogue.era(dataset)) for dataset in catalogue.datasets}
    alone = {dataset.name: catalogue.alone(dataset) for dataset in catalogue.datasets}
    code = provenance.selection_code_digest()
    jobs = [
        Job(unit, alone[d.name], marks[d.name], code, d.checksums[info.path] if checksum else None)
        for d in catalogue.datasets
        for info in infos[d.name]
        for unit in files.work_units(d.name, info)
    ]
    return Plan(catalogue, jobs, marks, bad)


def select(
    catalogue_path: Path,
    out: Path,
    *,
    how: How | None = None,
    allow_partial: bool = False,
    checksum: bool = False,
    on_plan: Callable[[Sequence[WorkUnit]], None] = lambda units: None,
    on_unit: Callable[[WorkUnit], None] = lambda unit: None,
    on_note: Callable[[str], None] = lambda note: None,
) -> Selection:
    """NanoAOD -> candidates, cutflow, sums of weights.

    Work units whose part exists with the same fingerprint are not redone. Every part is written as soon as it is
    there, and a unit that fails does not stop the others, so that the next run has only the rest to do.

    Args:
        catalogue_path: the catalogue.
        out: output folder, made if needed.
        how: where to work; in processes of this machine by default.
        allow_partial: drop files that cannot be read, as a whole, and mark every product as partial.
        checksum: see `plan`.
        on_plan: told the units that are to be processed.
        on_unit: told each unit when it is done.
        on_note: told, in a sentence, what a user should know.

    Raises:
        CatalogueError, CorrectionError, BadFilesError, DuplicateFileError, OutputError, ExecutorError: bad input.
        ClosureError, SelectionError: the run failed.
    """
    todo = plan(catalogue_path, out, allow_partial=allow_partial, checksum=checksum)
    status.write_plan(out, todo.catalogue, [job.unit for job in todo.jobs], todo.fingerprints, todo.bad)
    waiting = sorted(todo.waiting(out), key=lambda job: job.unit.start - job.unit.stop)
    if note := _resumed(out, len(todo.jobs), waiting):
        on_note(note)
    on_plan([job.unit for job in waiting])
    failures: dict[str, tuple[str, str]] = {}  # path -> sentence, traceback
    bad_now: dict[str, str] = {}
    for job, result in executors.run(process_unit, waiting, how or How(), on_note):
        outcome = result if isinstance(result, Outcome) else Outcome(job.unit, failure=(str(result), ""))
        if outcome.part:
            parts.store(out, job.unit.name, outcome.part)
        elif outcome.bad_input:
            bad_now[job.unit.file.path] = outcome.bad_input
        elif outcome.failure:
            sentence, trace = outcome.failure
            failures[job.unit.file.path] = f"{job.unit.file.path}: the selection failed: {sentence}", trace
        status.record(out, job.unit, job.fingerprint, outcome.bad_input or (outcome.failure or ("",))[0])
        on_unit(job.unit)
    if failures:
        error = SelectionError("\n".join(sentence for sentence, _ in failures.values()))
        error.add_note(next(iter(failures.values()))[1])
        raise error
    bad = todo.bad + list(bad_now.values())
    if bad and not allow_partial:
        raise BadFilesError("\n".join(bad))
    return finish(out, replace(todo, jobs=[j for j in todo.jobs if j.unit.file.path not in bad_now], bad=bad))


def is_done(out: Path, job: Job) -> bool:
    """Whether the part of a job is in the output folder."""
    found = parts.manifest(out, job.unit.dataset, job.unit.name, job.fingerprint)
    return found is not None and job.checksum in (None, found["checksum"])


def _resumed(out: Path, units: int, waiting: Sequence[Job]) -> str:
    """What an earlier run has left to be done, in a sentence; '' if there was none."""
    old = sum(parts.paths(out, job.unit.dataset, job.unit.name)[1].exists() for job in waiting)
    if len(waiting) == units and not old:
        return ""
    if not waiting:
        return f"all {units} work units are done already"
    names = list(dict.fromkeys(Path(job.unit.file.path).name for job in waiting))
    listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more files" if len(names) > 5 else "")
    why = f" ({old} made by other code or settings)" if old else ""
    return f"{units - len(waiting)} of {units} work units are done already; {len(waiting)} to do{why}: {listed}"


def check_corrections(catalogue: Catalogue) -> None:
    """Looks every correction up that an era names.

    Raises:
        CorrectionError: a file cannot be read, has no such correction, or it wants what candidates and jets have not.
    """
    for era in catalogue.eras.values():
        jets.check(era.corrections.jets)
        event_weights.check(era.corrections, columns.NAMES)


def _inspected(catalogue: Catalogue, known: Index) -> tuple[dict[str, list[FileInfo]], list[str]]:
    """The usable files of each dataset, and one sentence for each of the others."""
    usable: dict[str, list[FileInfo]] = {dataset.name: [] for dataset in catalogue.datasets}
    bad = []
    for dataset, info in inspect_all(catalogue, known):
        if (error := files.problem(info)) is not None:
            bad.append(str(error))
        elif isinstance(info, FileInfo):
            usable[dataset.name].append(info)
    return usable, bad


def finish(out: Path, plan: Plan) -> Selection:
    """The closure gate, then the two files that declare the selection finished.

    Args:
        out: output folder, which has the parts.
        plan: what was to be done.

    Raises:
        ClosureError, PartError, SelectionError, OutputError.
    """
    catalogue, bad = plan.catalogue, plan.bad
    by_dataset: dict[str, list[WorkUnit]] = {dataset.name: [] for dataset in catalogue.datasets}
    for job in plan.jobs:
        by_dataset[job.unit.dataset].append(job.unit)
    content: dict[str, Any] = {
        "format": FORMAT,
        "partial": bad,
        "catalogue": catalogue.model_dump(mode="json"),
        "fingerprints": plan.fingerprints,
        "variations": {d.name: list(jets.variations(jets.of(d, catalogue.era(d)))) for d in catalogue.datasets},
        "files": {
            name: [
                {key: getattr(info, key) for key in FILE_FACTS} for info in dict.fromkeys(unit.file for unit in group)
            ]
            for name, group in by_dataset.items()
        },
        "units": {name: [unit.name for unit in group] for name, group in by_dataset.items()},
        "provenance": provenance.record(),
    }
    content["sum_w"] = {}
    manifests, tables = {}, {}
    for dataset in catalogue.datasets:
        name = dataset.name
        manifests[name], tables[name] = merging.merge(out, name, content["units"][name], plan.fingerprints[name])
        closure.check_complete(name, content["files"][name], manifests[name])
        if not dataset.is_data and content["files"][name]:
            checked = dataset.model_copy(update={"generated_events": catalogues.FROM_RUNS_TREE}) if bad else dataset
            content["sum_w"][name] = closure.sum_of_weights(checked, content["files"][name], manifests[name])
            closure.generator_norms(dataset, content["files"][name], manifests[name])
    selection = Selection(out, catalogue, content["files"], content["units"], content["sum_w"], bad, manifests, tables)
    _check_no_event_twice(selection)
    provenance.write_json(out / CUTFLOW_FILE, selection.cutflow())
    # In one line: indented, a hundred thousand files take half a minute.
    provenance.write_text(out / SELECTION_FILE, json.dumps(content, allow_nan=False) + "\n")
    return selection


def _check_no_event_twice(selection: Selection) -> None:
    """No event twice in a simulated dataset, or in all data together (two streams)."""
    data = [d for d in selection.catalogue.datasets if d.is_data]
    groups = [[d] for d in selection.catalogue.datasets if not d.is_data] + ([data] if data else [])
    for group in groups:
        names = [dataset.name for dataset in group]
        names_read = (*parts.EVENT, "passes")
        manifests = [manifest for name in names for manifest in selection.manifests[name]]
        units = [unit for name in names for unit in selection.units[name]]
        rows = parts.read(selection.folder, manifests, units, names_read)
        nominal = parts.passing(rows, 0)
        if repeated := parts.repeated_event({name: rows[name][nominal] for name in parts.EVENT}):
            run, section, event = repeated
            raise SelectionError(
                f"run {run}, luminosity section {section}, event {event} was selected twice in {', '.join(names)}; "
                "data streams that overlap need veto_triggers in the catalogue"
            )


def load(out: Path) -> Selection:
    """The selection in an output folder.

    Raises:
        SelectionError: there is none, it is not finished, or it was made by other code or settings.
    """
    path = out / SELECTION_FILE
    if not path.is_file():
        raise InputError(f"{out} holds no finished selection (no {SELECTION_FILE}): run hnl select first")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        catalogue = Catalogue.model_validate(content["catalogue"])
        known, units, made_by = content["files"], content["units"], content["fingerprints"]
        sum_w, bad = content["sum_w"], content["partial"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SelectionError(f"{path} is broken: {error}; run hnl select again") from error
    manifests, tables = {}, {}
    for dataset in catalogue.datasets:
        name, mark = dataset.name, fingerprint(dataset, catalogue.era(dataset))
        if made_by[name] != mark:
            raise SelectionError(f"{path}: {name} was selected by other code or settings; run hnl select again")
        manifests[name], tables[name] = merging.merge(out, name, units[name], mark)
        closure.check_complete(name, known[name], manifests[name])
    return Selection(out, catalogue, known, units, sum_w, bad, manifests, tables)
