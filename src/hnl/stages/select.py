"""Stage `select`: NanoAOD -> candidates, cutflow, sums of weights."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from hnl import executors
from hnl.datasets.files import WorkUnit
from hnl.executors import ExecutionOptions
from hnl.processors import parts, planning, selection, status, units
from hnl.processors.planning import BadFilesError
from hnl.processors.selection import Selection, SelectionError
from hnl.processors.units import Job, UnitResult
from hnl.report import taken


def run(
    catalogue_path: Path,
    out: Path,
    *,
    execution: ExecutionOptions | None = None,
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
        execution: where to work; in processes of this machine by default.
        allow_partial: drop files that cannot be read, as a whole, and mark every product as partial.
        checksum: see `planning.plan`.
        on_plan: told the units that are to be processed.
        on_unit: told each unit when it is done.
        on_note: told, in a sentence, what a user should know.

    Raises:
        CatalogueError, CorrectionError, BadFilesError, DuplicateFileError, OutputError, ExecutorError: bad input.
        ClosureError, SelectionError: the run failed.
    """
    execution = execution or ExecutionOptions()
    todo = planning.plan(catalogue_path, out, allow_partial=allow_partial, checksum=checksum)
    status.write_plan(out, todo.catalogue, [job.unit for job in todo.jobs], todo.fingerprints, todo.bad)
    for sentence in taken.told(todo.taken):
        on_note(sentence)
    todo = planning.take(todo, out, allow_partial=allow_partial)
    waiting = sorted(todo.waiting(out), key=lambda job: job.unit.start - job.unit.stop)
    if note := _resumed(out, len(todo.reading), waiting):
        on_note(note)
    on_plan([job.unit for job in waiting])
    failures: dict[str, tuple[str, str]] = {}  # path -> sentence, traceback
    bad_now: dict[str, str] = {}
    # Workers of a cluster may not have our folders.
    jobs, support_files = planning.packed(waiting) if execution.executor == "dask" else (waiting, {})
    for job, result in executors.run(_process, jobs, execution, on_note, support_files):
        outcome = result if isinstance(result, UnitResult) else UnitResult(job.unit, failure=(str(result), ""))
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
    return selection.finish(out, replace(todo, jobs=[j for j in todo.jobs if j.unit.file.path not in bad_now], bad=bad))


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


def _process(job: Job) -> UnitResult:
    """In a worker."""
    return units.process_unit(job, executors.support_files)
