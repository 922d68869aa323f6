"""Stage `select`: NanoAOD -> candidates, cutflow, sums of weights; and reading a finished selection back."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from hnl import executors, provenance
from hnl.corrections import jets, normalisation
from hnl.corrections import weights as event_weights
from hnl.datasets import catalogue as catalogues
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.datasets.corrections import NOMINAL
from hnl.datasets.files import FileInfo, WorkUnit
from hnl.errors import HNLError, InputError
from hnl.executors import How
from hnl.processors import closure, merging, parts, planning, status
from hnl.processors.parts import Candidates
from hnl.processors.planning import BadFilesError, Job, Outcome, Plan, fingerprint, process_unit

FORMAT = 3  # of selection.json; raised when its meaning changes
SELECTION_FILE = "selection.json"
CUTFLOW_FILE = "cutflow.json"
FILE_FACTS = tuple(field.name for field in fields(FileInfo) if field.name not in ("branches", "missing"))


class SelectionError(HNLError):
    """The selection failed on input that looked sound, or its output cannot be used by the next stage."""


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
        checksum: see `planning.plan`.
        on_plan: told the units that are to be processed.
        on_unit: told each unit when it is done.
        on_note: told, in a sentence, what a user should know.

    Raises:
        CatalogueError, CorrectionError, BadFilesError, DuplicateFileError, OutputError, ExecutorError: bad input.
        ClosureError, SelectionError: the run failed.
    """
    how = how or How()
    todo = planning.plan(catalogue_path, out, allow_partial=allow_partial, checksum=checksum)
    status.write_plan(out, todo.catalogue, [job.unit for job in todo.jobs], todo.fingerprints, todo.bad)
    waiting = sorted(todo.waiting(out), key=lambda job: job.unit.start - job.unit.stop)
    if note := _resumed(out, len(todo.jobs), waiting):
        on_note(note)
    on_plan([job.unit for job in waiting])
    failures: dict[str, tuple[str, str]] = {}  # path -> sentence, traceback
    bad_now: dict[str, str] = {}
    # Workers of a cluster may not have our folders.
    jobs, luggage = planning.packed(waiting) if how.executor == "dask" else (waiting, {})
    for job, result in executors.run(process_unit, jobs, how, on_note, luggage):
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
            holders = parts.files_with(selection.folder, manifests, units, repeated)
            raise SelectionError(
                f"run {run}, luminosity section {section}, event {event} was selected twice in {', '.join(names)}: "
                f"in {' and '.join(holders)}; data streams that overlap need veto_triggers in the catalogue"
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
