"""The items of HTCondor jobs: groups of work units, and the files that a job is given."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from hnl import provenance
from hnl.condor import description, wheel, worklist
from hnl.datasets import auxiliary_files
from hnl.datasets.remote import is_remote
from hnl.datasets.settings import Batch
from hnl.errors import InputError
from hnl.processors.planning import Plan
from hnl.processors.units import Job

INPUTS = "inputs"  # folder of the support files of jobs
OPENING = 20_000  # events that take as long as opening a file; decides the number of small files per job. Our choice.
_UNSAFE = frozenset(" \t\n,\"'$")  # characters that lists of files for HTCondor cannot hold


class BatchError(InputError):
    """The jobs cannot be described, or do not exist."""


def check_places(plan: Plan) -> None:
    """Checks that every local input file is either sent with the job or known to be on the workers.

    Raises:
        BatchError: the catalogue does not tell, or HTCondor cannot transfer a name.
    """
    batch = plan.catalogue.batch
    local = [job.unit.file.path for job in plan.reading if not is_remote(job.unit.file.path)]
    if local and batch.local_files is None:
        raise BatchError(
            f"{local[0]} is a local file: say in the catalogue whether a worker has it under this path "
            "(batch: {local_files: shared}) or it is to be sent with the job (batch: {local_files: transferred})"
        )
    if batch.local_files == description.TRANSFERRED:
        for path in local:
            if _UNSAFE & set(path):
                raise BatchError(f"HTCondor cannot transfer {path!r}: its name has a blank, a comma, a quote or a $")


def prepare_submit_dir(folder: Path, batch: Batch) -> None:
    """Puts the files that every job needs into the submit directory."""
    for name in (description.LOG_FOLDER, description.RETURNED_FOLDER):
        (folder / name).mkdir(exist_ok=True)
    shutil.copy(Path(description.__file__).with_name(description.JOB_SCRIPT), folder / description.JOB_SCRIPT)
    wheel.write(folder)
    if not (batch.python or batch.container):
        lock = provenance.ROOT / provenance.LOCK_FILE
        if not lock.is_file():
            raise BatchError("no requirements.lock here (not a checkout): name a python or a container in batch")
        shutil.copy(lock, folder / description.LOCK_FILE)


def copy_support_files(folder: Path, support_files: Mapping[str, Path]) -> None:
    """Puts the support files of jobs into the submit directory, see `planning.packed`."""
    for name, path in support_files.items():
        provenance.write_bytes(folder / INPUTS / name, path.read_bytes())


def grouped(jobs: list[Job], batch: Batch) -> Iterator[list[Job]]:
    """Groups work units into items of one dataset, in order, with about `batch.events_per_job` events per item."""
    group: list[Job] = []
    total, names = 0, {""}
    for job in jobs:
        name, events = Path(job.unit.file.path).name, cost(job)
        # Transferred files are side by side in the folder of the job.
        same_name = _is_transferred(job, batch) and name in names and group[-1].unit.file.path != job.unit.file.path
        if group and (total + events > batch.events_per_job or job.unit.dataset != group[0].unit.dataset or same_name):
            yield group
            group, total, names = [], 0, {""}
        group.append(job)
        total += events
        names.add(name)
    if group:
        yield group


def cost(job: Job) -> int:
    """Cost of a work unit, in events."""
    return max(job.unit.stop - job.unit.start, OPENING)


def _is_transferred(job: Job, batch: Batch) -> bool:
    return batch.local_files == description.TRANSFERRED and not is_remote(job.unit.file.path)


def write(folder: Path, batch: Batch, item: str, jobs: list[Job]) -> list[str]:
    """Writes the item of a job, and lists its input files, relative to the submit directory.

    Args:
        folder: the submit directory, which has the files of `copy_support_files`.
        batch: settings of the batch system.
        item: name of the item.
        jobs: work units of the item, from `planning.packed`.
    """
    alone = jobs[0].catalogue
    inputs = [f"{INPUTS}/{path}" for path in auxiliary_files.auxiliary_files(alone)]
    paths = dict.fromkeys(job.unit.file.path for job in jobs)
    local = {path: Path(path).name for path in (job.unit.file.path for job in jobs if _is_transferred(job, batch))}
    dataset = alone.datasets[0].model_copy(update={"files": tuple(paths)})
    content = {
        "format": worklist.FORMAT,
        "item": item,
        "catalogue": alone.model_copy(update={"datasets": (dataset,)}).model_dump(mode="json"),
        "fingerprint": jobs[0].fingerprint,
        "local": local,
        "output": batch.output,
        **worklist.pack(jobs),
    }
    path = folder / "items" / f"{item}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
    return [f"items/{item}.json", *inputs, *local]
