"""Stage `select`: NanoAOD -> candidates, cutflow, sums of weights; and reading a finished selection back."""

import json
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
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
from hnl.errors import HNLError, InputError
from hnl.processors import closure, columns, parts
from hnl.processors.displaced import DisplacedProcessor
from hnl.processors.parts import Candidates

FORMAT = 2  # of selection.json; raised when its meaning changes
SELECTION_FILE = "selection.json"
CUTFLOW_FILE = "cutflow.json"


class SelectionError(HNLError):
    """The selection failed on input that looked sound, or its output cannot be used by the next stage."""


class BadFilesError(InputError):
    """Files that cannot be used, one a line."""


@dataclass(frozen=True)
class Job:
    """A work unit with all that a worker needs to know."""

    unit: WorkUnit
    catalogue: Catalogue  # of this unit's dataset alone, without its files
    folder: Path
    fingerprint: str


@dataclass(frozen=True)
class Outcome:
    """What became of a job: a manifest, or why there is none."""

    unit: WorkUnit
    manifest: dict[str, Any] | None = None
    bad_input: str | None = None
    failure: tuple[str, str] | None = None  # in one line, and the traceback


@dataclass(frozen=True)
class Selection:
    """A finished, complete selection in an output folder."""

    folder: Path
    catalogue: Catalogue
    files: dict[str, list[dict[str, Any]]]
    units: dict[str, list[str]]
    sum_w: dict[str, float]
    partial: list[str]
    manifests: dict[str, list[dict[str, Any]]]

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
        for name, manifests in self.manifests.items():
            total: dict[str, Any] = {"cutflow": {}, "n_minus_one": {}}
            for manifest in manifests:
                for table in total:
                    _add(total[table], manifest[table])
            facts = {
                key: {file["path"]: file[key] for file in self.files[name]} for key in ("sv_association", "version")
            }
            result[name] = total | facts | {"partial": self.partial}
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


def process_unit(job: Job) -> list[Outcome]:
    """Reads, selects and writes one work unit. Never raises: a worker's error must reach the user as a sentence."""
    try:
        processor = DisplacedProcessor(job.catalogue)
        result = processor.process(files.events(job.unit))[job.unit.dataset]
        dataset = job.catalogue.dataset(job.unit.dataset)
        variations = jets.variations(jets.of(dataset, job.catalogue.era(dataset)))
        return [Outcome(job.unit, manifest=parts.write(job.folder, job.unit, result, job.fingerprint, variations))]
    except CorrectionError as error:  # not the fault of the file, which must not be left out for it
        return [Outcome(job.unit, failure=(str(error), traceback.format_exc()))]
    except InputError as error:
        return [Outcome(job.unit, bad_input=str(error))]
    except Exception as error:
        summary = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
        return [Outcome(job.unit, failure=(summary, traceback.format_exc()))]


def select(
    catalogue_path: Path,
    out: Path,
    *,
    executor: executors.ExecutorName = "local",
    workers: int | None = None,
    allow_partial: bool = False,
    on_plan: Callable[[Sequence[WorkUnit]], None] = lambda units: None,
    on_unit: Callable[[WorkUnit], None] = lambda unit: None,
) -> Selection:
    """NanoAOD -> candidates, cutflow, sums of weights.

    Work units whose part exists with the same fingerprint are not redone.

    Args:
        catalogue_path: the catalogue.
        out: output folder, made if needed.
        executor: 'local' (processes) or 'iterative' (this process).
        workers: number of processes; all cores by default.
        allow_partial: drop files that cannot be read, as a whole, and mark every product as partial.
        on_plan: told the units that are to be processed.
        on_unit: told each unit when it is done.

    Raises:
        CatalogueError, CorrectionError, BadFilesError, DuplicateFileError, OutputError: bad input.
        ClosureError, SelectionError: the run failed.
    """
    catalogue = catalogues.load(catalogue_path)
    check_corrections(catalogue)
    infos, bad = _inspected(catalogue)
    if bad and not allow_partial:
        raise BadFilesError("\n".join(bad))
    files.check_unique([info for group in infos.values() for info in group])
    _check_writable(out)
    marks = {dataset.name: fingerprint(dataset, catalogue.era(dataset)) for dataset in catalogue.datasets}
    jobs = [
        Job(unit, _alone(catalogue, dataset), out, marks[dataset.name])
        for dataset in catalogue.datasets
        for info in infos[dataset.name]
        for unit in files.work_units(dataset.name, info)
    ]
    done = {
        job.unit: found
        for job in jobs
        if (found := parts.manifest(out, job.unit.dataset, job.unit.name, job.fingerprint))
    }
    waiting = sorted((job for job in jobs if job.unit not in done), key=lambda job: job.unit.start - job.unit.stop)
    on_plan([job.unit for job in waiting])
    outcomes: list[Outcome] = executors.run(process_unit, waiting, executor=executor, workers=workers, on_unit=on_unit)
    for outcome in outcomes:
        if outcome.failure:
            error = SelectionError(f"{outcome.unit.file.path}: the selection failed: {outcome.failure[0]}")
            error.add_note(outcome.failure[1])
            raise error
    bad_now = {outcome.unit.file.path: str(outcome.bad_input) for outcome in outcomes if outcome.bad_input}
    bad += bad_now.values()
    if bad and not allow_partial:
        raise BadFilesError("\n".join(bad))
    done |= {outcome.unit: outcome.manifest for outcome in outcomes if outcome.manifest}
    kept = [job.unit for job in jobs if job.unit.file.path not in bad_now]
    return _finish(out, catalogue, kept, done, marks, bad, allow_partial)


def check_corrections(catalogue: Catalogue) -> None:
    """Looks every correction up that an era names.

    Raises:
        CorrectionError: a file cannot be read, has no such correction, or it wants what candidates and jets have not.
    """
    for era in catalogue.eras.values():
        jets.check(era.corrections.jets)
        event_weights.check(era.corrections, columns.NAMES)


def _inspected(catalogue: Catalogue) -> tuple[dict[str, list[FileInfo]], list[str]]:
    """The usable files of each dataset, and one sentence for each of the others."""
    usable: dict[str, list[FileInfo]] = {dataset.name: [] for dataset in catalogue.datasets}
    bad = []
    for dataset, info in files.inspect_all(catalogue):
        if (error := files.problem(info)) is not None:
            bad.append(str(error))
        elif isinstance(info, FileInfo):
            usable[dataset.name].append(info)
    return usable, bad


def _finish(
    out: Path,
    catalogue: Catalogue,
    units: list[WorkUnit],
    done: dict[WorkUnit, dict[str, Any]],
    marks: dict[str, str],
    bad: list[str],
    allow_partial: bool,
) -> Selection:
    """The closure gate, then the two files that declare the selection finished."""
    by_dataset = {d.name: [unit for unit in units if unit.dataset == d.name] for d in catalogue.datasets}
    content: dict[str, Any] = {
        "format": FORMAT,
        "partial": bad,
        "catalogue": catalogue.model_dump(mode="json"),
        "fingerprints": marks,
        "variations": {d.name: list(jets.variations(jets.of(d, catalogue.era(d)))) for d in catalogue.datasets},
        "files": {
            name: [
                {key: value for key, value in asdict(info).items() if key not in ("branches", "missing")}
                for info in dict.fromkeys(unit.file for unit in group)
            ]
            for name, group in by_dataset.items()
        },
        "units": {name: [unit.name for unit in group] for name, group in by_dataset.items()},
        "provenance": provenance.record(),
    }
    manifests = {name: [done[unit] for unit in group] for name, group in by_dataset.items()}
    content["sum_w"] = {}
    for dataset in catalogue.datasets:
        name = dataset.name
        closure.check_complete(name, content["files"][name], manifests[name])
        if not dataset.is_data and content["files"][name]:
            checked = dataset.model_copy(update={"generated_events": catalogues.FROM_RUNS_TREE}) if bad else dataset
            content["sum_w"][name] = closure.sum_of_weights(checked, content["files"][name], manifests[name])
            closure.generator_norms(dataset, content["files"][name], manifests[name])
    selection = Selection(out, catalogue, content["files"], content["units"], content["sum_w"], bad, manifests)
    _check_no_event_twice(selection)
    provenance.write_json(out / CUTFLOW_FILE, selection.cutflow())
    provenance.write_json(out / SELECTION_FILE, content)
    return selection


def _check_no_event_twice(selection: Selection) -> None:
    """No event twice in a simulated dataset, or in all data together (two streams)."""
    data = [d for d in selection.catalogue.datasets if d.is_data]
    groups = [[d] for d in selection.catalogue.datasets if not d.is_data] + ([data] if data else [])
    for group in groups:
        names = [dataset.name for dataset in group]
        tables = [selection.candidates(name) for name in names]
        together = {name: np.concatenate([table[name] for table in tables]) for name in parts.EVENT}
        if repeated := parts.repeated_event(together):
            run, section, event = repeated
            raise SelectionError(
                f"run {run}, luminosity section {section}, event {event} was selected twice in {', '.join(names)}; "
                "data streams that overlap need veto_triggers in the catalogue"
            )


def _add(total: dict[str, Any], part: dict[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, dict):
            _add(total.setdefault(key, {}), value)
        else:
            total[key] = total.get(key, 0) + value


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
    manifests: dict[str, list[dict[str, Any]]] = {}
    for dataset in catalogue.datasets:
        mark = fingerprint(dataset, catalogue.era(dataset))
        if made_by[dataset.name] != mark:
            raise SelectionError(f"{path}: {dataset.name} was selected by other code or settings; run hnl select again")
        found = [parts.manifest(out, dataset.name, name, mark) for name in units[dataset.name]]
        manifests[dataset.name] = [manifest for manifest in found if manifest is not None]
        if None in found:
            missing = units[dataset.name][found.index(None)]
            raise SelectionError(f"{out}: the part {missing} of {dataset.name} is missing; run hnl select again")
        closure.check_complete(dataset.name, known[dataset.name], manifests[dataset.name])
    return Selection(out, catalogue, known, units, sum_w, bad, manifests)


def _alone(catalogue: Catalogue, dataset: Dataset) -> Catalogue:
    """The catalogue of one dataset without its list of files, to be sent to workers."""
    one = dataset.model_copy(update={"files": ()})
    return catalogue.model_copy(update={"eras": {dataset.era: catalogue.era(dataset)}, "datasets": (one,)})


def _check_writable(out: Path) -> None:
    """Refuses an output folder that cannot be written, before any work is done."""
    probe = out / ".writable"
    provenance.write_text(probe, "")
    probe.unlink()
