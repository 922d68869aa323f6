"""HTCondor's queue, if its Python bindings (extra `condor`) are installed and a schedd answers."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hnl.condor.description import ITEM, SUBMISSION
from hnl.errors import HNLError


class SubmitError(HNLError):
    """A schedd answers, but refuses the jobs."""


STATES = {1: "idle", 2: "running", 3: "removed", 4: "completed", 5: "held", 6: "transferring output", 7: "suspended"}


@dataclass(frozen=True)
class Queue:
    """The jobs of a submission that are in the queue.

    Attributes:
        items: item -> state.
        held: item -> reason of the hold.
    """

    items: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)

    @property
    def states(self) -> dict[str, int]:
        """Number of jobs by state."""
        return dict(Counter(self.items.values()))


def submit(folder: Path, description: str) -> int | None:
    """Submits from a folder.

    Returns:
        The number of the cluster of jobs, None if no schedd answers here.

    Raises:
        SubmitError: the schedd refuses the jobs; with the message of HTCondor.
    """
    connection = _schedd()
    if connection is None:
        return None
    bindings, schedd = connection
    job = bindings.Submit((folder / description).read_text(encoding="utf-8"))
    job["initialdir"] = str(folder)  # names in the description are relative to it, as for condor_submit
    queue_file = job.getQArgs().rpartition(" from ")
    job.setQArgs(f"{queue_file[0]} from {folder / queue_file[2]}")
    job["executable"] = str(folder / job["executable"])
    try:
        return int(schedd.submit(job, itemdata=job.itemdata()).cluster())
    except bindings.HTCondorException as error:
        raise SubmitError(f"HTCondor does not take the jobs: {error}") from error


def queue(submission: str) -> Queue | None:
    """The jobs of a submission in the queue, None if no schedd answers."""
    connection = _schedd()
    if connection is None:
        return None
    bindings, schedd = connection
    try:
        ads = schedd.query(f'{SUBMISSION} == "{submission}"', [ITEM, "JobStatus", "HoldReason"])
    except bindings.HTCondorException:
        return None
    items = {str(ad[ITEM]): STATES.get(int(ad["JobStatus"]), "unknown") for ad in ads}
    return Queue(items, {str(ad[ITEM]): str(ad["HoldReason"]) for ad in ads if "HoldReason" in ad})


def _schedd() -> tuple[Any, Any] | None:
    try:
        import htcondor2
    except ImportError:
        return None
    try:
        return htcondor2, htcondor2.Schedd()
    except htcondor2.HTCondorException:
        return None
