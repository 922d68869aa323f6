"""A pool of one machine: does with a submit description what HTCondor would, in an empty folder for each job."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import htcondor2

from hnl.condor import job as batch_job


@dataclass(frozen=True)
class Ended:
    """A job that ended: its item, exit status and stderr."""

    item: str
    status: int
    stderr: str


def run(folder: Path, file: str = "submit-1.sub", *, script: bool = True) -> list[Ended]:
    """Runs the jobs of a submit description one after the other.

    Args:
        folder: submit directory.
        file: the submit description in it.
        script: run the job script with an empty environment, as a worker does; else only what it calls at the end.
    """
    ended = []
    for item in items(folder, file):
        job = described(folder, file, item)
        scratch = folder.parent / "scratch" / item["item"]
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        for name in job["transfer_input_files"].split(", "):
            shutil.copy(folder / name, scratch / Path(name).name)
        if script:
            shutil.copy(folder / job["executable"], scratch / "condor_exec.exe")
            done = subprocess.run(
                [str(scratch / "condor_exec.exe"), *job["arguments"].split()],
                cwd=scratch,
                env={"_CONDOR_SCRATCH_DIR": str(scratch), "TMPDIR": str(scratch), "_CONDOR_SLOT": "slot1"},
                capture_output=True,
                text=True,
            )
            status, stderr = done.returncode, done.stderr
        else:
            (scratch / f"{item['item']}.zip").touch()
            before = Path.cwd()
            os.chdir(scratch)
            try:
                status, stderr = batch_job.run(Path(f"{item['item']}.json")), ""
            finally:
                os.chdir(before)
        if job["transfer_output_files"] != '""':
            name, target = job["transfer_output_remaps"].strip('"').split(" = ")
            shutil.move(scratch / name, folder / target)
        shutil.rmtree(scratch)
        ended.append(Ended(item["item"], status, stderr))
    return ended


def items(folder: Path, file: str = "submit-1.sub") -> list[dict[str, str]]:
    """What HTCondor's bindings make of the queue statement."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return list(htcondor2.Submit(Path(file).read_text()).itemdata())
    finally:
        os.chdir(before)


def described(folder: Path, file: str, item: dict[str, str]) -> dict[str, str]:
    """The commands for one item, as HTCondor's bindings expand them."""
    submit = htcondor2.Submit((folder / file).read_text())
    for name, value in item.items():
        submit[name] = value
    return {name: submit.expand(name) for name in submit}
