"""A plan on disk: work units, the files they belong to, and the catalogue, for jobs that run elsewhere or later."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hnl import provenance, records
from hnl.datasets import index
from hnl.datasets.catalogue import Catalogue
from hnl.datasets.files import WorkUnit
from hnl.errors import InputError
from hnl.processors.planning import Plan
from hnl.processors.selection_files import Taken
from hnl.processors.units import Job

FORMAT = 3  # version of these files; increased when their meaning changes


class WorkListError(InputError):
    """A work list cannot be read."""


def pack(jobs: Sequence[Job]) -> dict[str, Any]:
    """Work units in a form for JSON."""
    numbers: dict[str, int] = {}
    units = []
    for job in jobs:
        unit = job.unit
        number = numbers.setdefault(unit.file.path, len(numbers))
        units.append([unit.dataset, number, unit.start, unit.stop, job.checksum])
    infos = {job.unit.file.path: job.unit.file for job in jobs}
    return {"units": units, **index.pack(infos.values())}


def unpack(content: dict[str, Any], catalogues: dict[str, Catalogue], fingerprints: dict[str, str]) -> list[Job]:
    """Work units from the form of `pack`.

    Args:
        content: result of `pack`.
        catalogues: catalogue of each dataset, for its jobs.
        fingerprints: fingerprint of each dataset.
    """
    infos = index.unpack(content)
    return [
        Job(WorkUnit(dataset, infos[number], start, stop), catalogues[dataset], fingerprints[dataset], checksum)
        for dataset, number, start, stop, checksum in content["units"]
    ]


def write(path: Path, plan: Plan, **more: Any) -> None:
    """Writes a plan, and further entries of the file."""
    content = {
        "format": FORMAT,
        "catalogue": plan.catalogue.model_dump(mode="json"),
        "fingerprints": plan.fingerprints,
        "made with": plan.made_with,
        "bad": plan.bad,
        "taken": {name: records.as_record(one) for name, one in plan.taken.items()},
        **pack(plan.jobs),
        **more,
    }
    provenance.write_text(path, json.dumps(content, allow_nan=False))


def read(path: Path) -> tuple[Plan, dict[str, Any]]:
    """A plan, and the whole content of its file.

    Raises:
        WorkListError: the file cannot be read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise WorkListError(f"{path} is of format {content['format']}, this hnl reads format {FORMAT}")
        catalogue = Catalogue.model_validate(content["catalogue"])
        alone = {dataset.name: catalogue.alone(dataset) for dataset in catalogue.datasets}
        jobs = unpack(content, alone, content["fingerprints"])
        taken = {name: records.from_record(Taken, one) for name, one in content["taken"].items()}
        known = content["fingerprints"], content["made with"], content["bad"]
        return Plan(catalogue, jobs, *known, taken), content
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WorkListError(f"{path} cannot be read: {error}") from error
