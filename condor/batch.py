"""The selection as HTCondor jobs: submit, look, submit what is missing again, collect.

Everything about the jobs is in OUT/condor: the plan (work.json), and the files for HTCondor. A job is one item: work
units of one dataset, in items/ITEM.json. It returns ITEM.zip: the part and manifest of each unit, or the reason why it
has none. The collected output is the same as that of `hnl select`.
"""

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
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
    """A submission.

    Attributes:
        folder: the submit directory.
        items: number of jobs.
        units: number of work units in them.
        cluster: number of the jobs in HTCondor; None if they have to be submitted by `command`.
        command: command that submits them by hand.
    """

    folder: Path
    items: int
    units: int
    cluster: int | None
    command: str


@dataclass(frozen=True)
class State:
    """Progress of the jobs.

    Attributes:
        units: number of all work units.
        collected: number of units in OUT/candidates.
        returned: number of units that came back and wait for `hnl condor collect`.
        failures: file -> reason of its failure, for units that have not come back since.
        queue: jobs in HTCondor's queue; None if it cannot be asked from here.
    """

    units: int
    collected: int
    returned: int
    failures: dict[str, str]
    queue: schedd.Queue | None

    @property
    def missing(self) -> int:
        """Number of work units of which nothing came back."""
        return self.units - self.collected - self.returned


@dataclass
class Work:
    """OUT/condor: the plan, and the items that were made of it."""

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
        """The settings of the batch system in the catalogue."""
        return self.plan.catalogue.batch

    @property
    def results(self) -> results.Results:
        """The place of the results of jobs."""
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
    """Plans a selection and submits the work units that are not done yet.

    Args:
        catalogue_path: the catalogue; its block `batch` has the needs of the jobs.
        out: output folder, made if needed.
        allow_partial: leave out unusable files.
        checksum: verify the checksum of every file in the job.

    Raises:
        BatchError: the folder has a submission already, or the place of an input file on the workers is unknown.
        CatalogueError, BadFilesError, DuplicateFileError, OutputError: bad input.
    """
    if (out / layout.WORK).exists():
        raise BatchError(
            f"{out / layout.CONDOR} holds jobs that were submitted before: see hnl condor status and resubmit; "
            "to begin anew, remove them from the queue and delete that folder"
        )
    plan = planning.plan(catalogue_path, out, allow_partial=allow_partial, checksum=checksum)
    batch_items.check_places(plan)
    plan = planning.take(plan, out, allow_partial=allow_partial)
    (out / layout.CONDOR).mkdir(parents=True, exist_ok=True)
    batch_items.prepare_submit_dir(out / layout.CONDOR, plan.catalogue.batch)
    status.write_plan(out, plan.catalogue, [job.unit for job in plan.jobs], plan.fingerprints, plan.bad)
    return _submit(Work(out, plan, uuid.uuid4().hex))


def resubmit(out: Path, on_note: Callable[[str], None] = lambda note: None) -> Submission:
    """Stores the returned parts, and submits again the units that are neither done nor in the queue.

    Raises:
        BatchError: nothing was submitted here.
        SelectionError: the submission was by other code or settings.
    """
    work = Work.load(out)
    _check_current(work)
    _gather(work)
    queue = schedd.queue(work.submission)
    if queue is None:
        on_note("HTCondor's queue cannot be asked from here: jobs that are still in it are submitted twice")
    return _submit(work, {name for item in (queue.items if queue else ()) for name in work.items.get(item, ())})


def state(out: Path) -> State:
    """Progress of the jobs. Writes nothing."""
    work = Work.load(out)
    waiting = {job.unit.name for job in work.plan.waiting(out)}
    returned: set[str] = set()
    failures: dict[str, results.Failure] = {}
    for item in _open_items(work, waiting):
        contents = work.results.contents(item)
        returned |= contents.units & waiting
        failures |= {name: failure for name, failure in contents.failures.items() if name in waiting}
    told = {f.file: f.reason for name, f in failures.items() if name not in returned}
    return State(
        len(work.plan.jobs), len(work.plan.jobs) - len(waiting), len(returned), told, schedd.queue(work.submission)
    )


def collect(out: Path, *, allow_partial: bool = False, on_note: Callable[[str], None] = lambda note: None) -> Selection:
    """Stores the returned parts, and finishes the selection if nothing is missing.

    Args:
        out: output folder.
        allow_partial: leave out files with bad input as a whole, and mark every product as partial.
        on_note: called with sentences for the user.

    Raises:
        IncompleteError: units are missing; the message has the reasons.
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
    return selection.finish(out, replace(work.plan, jobs=kept, bad=work.plan.bad + sentences))


def _submit(work: Work, in_queue: Collection[str] = ()) -> Submission:
    """Writes the items of all units that are neither done nor in the queue, and submits them."""
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
    """Checks that the jobs were made by the present code and settings.

    Raises:
        SelectionError: they were not; the message names the dataset.
    """
    for dataset in work.plan.catalogue.datasets:
        fingerprint = units.fingerprint(dataset, work.plan.catalogue)
        if fingerprint != work.plan.fingerprints[dataset.name]:
            raise selection.SelectionError(
                f"{work.folder}: the jobs of {dataset.name} were submitted by other code or settings; "
                "delete that folder and submit again"
            )


def _open_items(work: Work, waiting: Collection[str]) -> list[str]:
    """Items with a result and at least one waiting unit, in the order of submission."""
    returned = work.results.items()
    return [item for item, names in work.items.items() if item in returned and any(name in waiting for name in names)]


def _gather(work: Work) -> tuple[dict[str, results.Failure], list[str]]:
    """Stores the returned parts, and records failures; returns failures by unit, and messages on damaged results."""
    waiting = {job.unit.name: job for job in work.plan.waiting(work.out)}
    failures: dict[str, results.Failure] = {}
    damaged = []
    for item in _open_items(work, set(waiting)):
        contents = work.results.contents(item)
        if contents.damage:
            damaged.append(contents.damage)
        for name in contents.units & waiting.keys():
            job = waiting[name]
            try:
                part = contents.part(job.unit, job.fingerprint)
            except results.DamagedError as error:
                damaged.append(str(error))
                continue
            parts.store(work.out, name, part)
            status.record(work.out, job.unit, job.fingerprint, "")
            failures.pop(name, None)
            del waiting[name]
        failures |= {name: failure for name, failure in contents.failures.items() if name in waiting}
    for name, failure in failures.items():
        status.record(work.out, waiting[name].unit, waiting[name].fingerprint, failure.reason)
    return failures, damaged
