"""The selection as HTCondor jobs: submit, look, submit again what is missing, collect.

Everything about the jobs is in OUT/condor: the plan (work.json), and what HTCondor needs. A job is one item: some work
units of one dataset, in items/ITEM.json. It brings back ITEM.zip: for each unit its part and manifest, or why there is
none. What was collected looks as if `hnl select` had made it.
"""

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from hnl import layout, provenance
from hnl.condor import description, results, schedd, worklist
from hnl.condor import items as batch_items
from hnl.condor.items import BatchError
from hnl.datasets.settings import Batch
from hnl.errors import HNLError
from hnl.processors import parts, planning, selection, status, units
from hnl.processors.planning import Plan
from hnl.processors.selection import Selection


class IncompleteError(HNLError):
    """Work units are missing, so nothing is normalised."""


@dataclass(frozen=True)
class Submission:
    """What was submitted.

    Attributes:
        folder: the submit directory.
        items: number of jobs.
        units: number of work units in them.
        cluster: number that HTCondor gave them; None if they have to be submitted by `command`.
        command: submits them by hand.
    """

    folder: Path
    items: int
    units: int
    cluster: int | None
    command: str


@dataclass(frozen=True)
class State:
    """How far the jobs are.

    Attributes:
        units: number of work units in all.
        collected: those that are in OUT/candidates.
        returned: those that came back and wait for `hnl condor collect`.
        failures: file -> why its job gave it up, of those that have not come back since.
        queue: jobs in HTCondor's queue; None if it cannot be asked from here.
    """

    units: int
    collected: int
    returned: int
    failures: dict[str, str]
    queue: schedd.Queue | None

    @property
    def missing(self) -> int:
        """Work units of which nothing came back."""
        return self.units - self.collected - self.returned


@dataclass
class Work:
    """OUT/condor: the plan, and which items were made of it."""

    out: Path
    plan: Plan
    submission: str
    items: dict[str, list[str]] = field(default_factory=dict)  # item -> names of its work units
    rounds: int = 0

    @property
    def folder(self) -> Path:
        """The submit directory."""
        return self.out / layout.CONDOR

    @property
    def batch(self) -> Batch:
        """The settings of the catalogue."""
        return self.plan.catalogue.batch

    @property
    def results(self) -> results.Results:
        """Where jobs leave their results."""
        output = self.batch.output
        place = str(self.folder / description.RETURNED_FOLDER) if output == description.TRANSFERRED else output
        return results.Results(place, self.plan.catalogue.remote)

    def save(self) -> None:
        """Writes work.json."""
        more = {"submission": self.submission, "items": self.items, "rounds": self.rounds}
        worklist.write(self.out / layout.WORK, self.plan, **more)

    @classmethod
    def load(cls, out: Path) -> "Work":
        """Reads work.json; BatchError if nothing was submitted."""
        path = out / layout.WORK
        if not path.is_file():
            raise BatchError(f"{out} has no jobs (no {layout.WORK}): run hnl condor submit first")
        plan, content = worklist.read(path)
        return cls(out, plan, content["submission"], content["items"], content["rounds"])


def submit(
    catalogue_path: Path,
    out: Path,
    *,
    allow_partial: bool = False,
    checksum: bool = False,
) -> Submission:
    """Plans a selection and submits what is not done yet.

    Args:
        catalogue_path: the catalogue; its block `batch` says what the jobs need.
        out: output folder, made if needed.
        allow_partial: leave out files that cannot be used now.
        checksum: verify the checksum of every file in the job.

    Raises:
        BatchError: there is a submission already, or input files whose place on a worker is unknown.
        CatalogueError, BadFilesError, DuplicateFileError, OutputError: bad input.
    """
    if (out / layout.WORK).exists():
        raise BatchError(
            f"{out / layout.CONDOR} holds jobs that were submitted before: see hnl condor status and resubmit; "
            "to begin anew, remove them from the queue and delete that folder"
        )
    plan = planning.plan(catalogue_path, out, allow_partial=allow_partial, checksum=checksum)
    batch_items.check_places(plan)
    (out / layout.CONDOR).mkdir(parents=True, exist_ok=True)
    batch_items.prepare_submit_dir(out / layout.CONDOR, plan.catalogue.batch)
    status.write_plan(out, plan.catalogue, [job.unit for job in plan.jobs], plan.fingerprints, plan.bad)
    return _submit(Work(out, plan, uuid.uuid4().hex))


def resubmit(out: Path, on_note: Callable[[str], None] = lambda note: None) -> Submission:
    """Takes in what came back and submits the rest again, but for what is still in the queue.

    Raises:
        BatchError: nothing was submitted here.
        SelectionError: by other code or settings.
    """
    work = Work.load(out)
    _check_current(work)
    _gather(work)
    queue = schedd.queue(work.submission)
    if queue is None:
        on_note("HTCondor's queue cannot be asked from here: jobs that are still in it are submitted twice")
    return _submit(work, {name for item in (queue.items if queue else ()) for name in work.items.get(item, ())})


def state(out: Path) -> State:
    """How far the jobs are. Writes nothing."""
    work = Work.load(out)
    waiting = {job.unit.name for job in work.plan.waiting(out)}
    returned: set[str] = set()
    failures: dict[str, results.Failure] = {}
    for item in _open_items(work, waiting):
        found = work.results.contents(item)
        returned |= found.units & waiting
        failures |= {name: failure for name, failure in found.failures.items() if name in waiting}
    told = {f.file: f.reason for name, f in failures.items() if name not in returned}
    return State(
        len(work.plan.jobs), len(work.plan.jobs) - len(waiting), len(returned), told, schedd.queue(work.submission)
    )


def collect(out: Path, *, allow_partial: bool = False, on_note: Callable[[str], None] = lambda note: None) -> Selection:
    """Takes in what came back, and finishes the selection if nothing is missing.

    Args:
        out: output folder.
        allow_partial: leave out the files whose input is bad, as a whole, and mark every product as partial.
        on_note: told, in a sentence, what a user should know.

    Raises:
        IncompleteError: with what is missing and why.
        BatchError: nothing was submitted here.
        ClosureError, SelectionError: see `selection.select`.
    """
    work = Work.load(out)
    _check_current(work)
    failures, damaged = _gather(work)
    for problem in damaged:
        on_note(problem)
    missing = work.plan.waiting(out)
    bad = {f.file: f.reason for job in missing if (f := failures.get(job.unit.name)) and f.kind == results.BAD}
    if allow_partial:
        missing = [job for job in missing if job.unit.file.path not in bad]
    if missing:
        reasons = [f"{f.file}: {f.reason}" for job in missing if (f := failures.get(job.unit.name))]
        told = list(dict.fromkeys(reasons)) or [missing[0].unit.file.path]
        raise IncompleteError(
            f"{len(missing)} of {len(work.plan.jobs)} work units are missing (hnl condor resubmit):\n" + "\n".join(told)
        )
    kept = [job for job in work.plan.jobs if job.unit.file.path not in bad]
    sentences = [sentence for sentence in bad.values() if sentence not in work.plan.bad]
    final = Plan(work.plan.catalogue, kept, work.plan.fingerprints, work.plan.bad + sentences)
    return selection.finish(out, final)


def _submit(work: Work, in_queue: Collection[str] = ()) -> Submission:
    """Writes the items of all that is neither done nor in the queue, and submits them."""
    waiting, support_files = planning.packed([j for j in work.plan.waiting(work.out) if j.unit.name not in in_queue])
    batch_items.copy_support_files(work.folder, support_files)
    work.rounds += 1
    groups = sorted(batch_items.grouped(waiting, work.batch), key=lambda group: -sum(map(batch_items.cost, group)))
    lines = []
    for i, jobs in enumerate(groups):
        item = f"{work.rounds}-{i:06d}"
        work.items[item] = [job.unit.name for job in jobs]
        lines.append(f"{item} {', '.join(batch_items.write(work.folder, work.batch, item, jobs))}\n")
    queue_file, file = f"queue-{work.rounds}.txt", f"submit-{work.rounds}.sub"
    provenance.write_text(work.folder / queue_file, "".join(lines))
    provenance.write_text(work.folder / file, description.text(work.batch, work.submission, queue_file))
    work.save()
    cluster = schedd.submit(work.folder.resolve(), file) if groups else None
    command = f"cd {work.folder} && condor_submit {file}"
    return Submission(work.folder, len(groups), len(waiting), cluster, command)


def _check_current(work: Work) -> None:
    """The jobs were made by the code that is here now."""
    for dataset in work.plan.catalogue.datasets:
        mark = units.fingerprint(dataset, work.plan.catalogue)
        if mark != work.plan.fingerprints[dataset.name]:
            raise selection.SelectionError(
                f"{work.folder}: the jobs of {dataset.name} were submitted by other code or settings; "
                "delete that folder and submit again"
            )


def _open_items(work: Work, waiting: Collection[str]) -> list[str]:
    """Items that have a unit that is waited for, and whose result is there; in the order of submission."""
    there = work.results.items()
    return [item for item, names in work.items.items() if item in there and any(name in waiting for name in names)]


def _gather(work: Work) -> tuple[dict[str, results.Failure], list[str]]:
    """Stores the parts that came back, and notes failures; returns failures by unit, and what is damaged."""
    waiting = {job.unit.name: job for job in work.plan.waiting(work.out)}
    failures: dict[str, results.Failure] = {}
    damaged = []
    for item in _open_items(work, set(waiting)):
        found = work.results.contents(item)
        if found.damage:
            damaged.append(found.damage)
        for name in found.units & waiting.keys():
            job = waiting[name]
            try:
                part = work.results.part(item, job.unit, job.fingerprint)
            except results.DamagedError as error:
                damaged.append(str(error))
                continue
            parts.store(work.out, name, part)
            status.record(work.out, job.unit, job.fingerprint, "")
            failures.pop(name, None)
            del waiting[name]
        failures |= {name: failure for name, failure in found.failures.items() if name in waiting}
    for name, failure in failures.items():
        status.record(work.out, waiting[name].unit, waiting[name].fingerprint, failure.reason)
    return failures, damaged
