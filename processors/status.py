"""How far a selection is, told by its output folder alone: during a run, after it, and after a crash.

A run leaves its plan in OUT/plan.json, parts and manifests of what is done, and next to them UNIT.failed.json for what
failed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hnl import layout, provenance, records
from hnl.datasets.catalogue import Catalogue
from hnl.datasets.files import WorkUnit
from hnl.errors import InputError
from hnl.processors import parts
from hnl.processors.selection_files import PlanFile
from hnl.records import BrokenFileError, FormatError


class NoPlanError(InputError):
    """The folder holds no run."""


@dataclass
class Files:
    """The files of one dataset, by what became of them. A file is done when all its work units are.

    Attributes:
        done: paths.
        missing: paths of those that have neither failed nor been finished.
        failed: path -> why.
    """

    done: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Status:
    """How far a selection is.

    Attributes:
        files: by dataset.
        units: (done, planned).
        left_out: files that were not planned because they could not be read (--allow-partial), a sentence each.
        analysis: the search, as the catalogue names it.
    """

    files: dict[str, Files]
    units: tuple[int, int]
    left_out: list[str]
    analysis: str


def write_plan(
    out: Path, catalogue: Catalogue, units: Iterable[WorkUnit], fingerprints: Mapping[str, str], left_out: list[str]
) -> None:
    """Says what a run is going to do.

    Raises:
        OutputError: the folder cannot be written.
    """
    planned: dict[str, dict[str, list[str]]] = {dataset.name: {} for dataset in catalogue.datasets}
    for unit in units:
        planned[unit.dataset].setdefault(unit.file.path, []).append(unit.name)
    content = PlanFile(PlanFile.FORMAT, planned, dict(fingerprints), left_out, catalogue.analysis, provenance.record())
    records.write(out / layout.PLAN, content)


def record(out: Path, unit: WorkUnit, fingerprint: str, reason: str) -> None:
    """Notes why a unit failed; '' if it did not, which takes an earlier note away."""
    path = _failed(out, unit.dataset, unit.name)
    if reason:
        provenance.write_json(path, {"fingerprint": fingerprint, "file": unit.file.path, "reason": reason})
    else:
        path.unlink(missing_ok=True)


def read_status(out: Path) -> Status:
    """Reads how far the last run is. Writes nothing.

    Raises:
        NoPlanError: nothing was ever run here, or the plan cannot be read by this version.
    """
    path = out / layout.PLAN
    if not path.is_file():
        raise NoPlanError(f"{out} holds no run (no {layout.PLAN}): run hnl select first")
    try:
        plan = records.read(path, PlanFile)
    except (BrokenFileError, FormatError) as error:
        raise NoPlanError(str(error)) from error
    result = {name: Files() for name in plan.units}
    finished = planned = 0
    for dataset, by_file in plan.units.items():
        fingerprint = plan.fingerprints[dataset]
        for file, names in by_file.items():
            done = [parts.manifest(out, dataset, name, fingerprint) is not None for name in names]
            finished, planned = finished + sum(done), planned + len(done)
            waiting = [name for name, is_done in zip(names, done, strict=True) if not is_done]
            reasons = [reason for name in waiting if (reason := _reason(out, dataset, name, fingerprint))]
            if not waiting:
                result[dataset].done.append(file)
            elif reasons:
                result[dataset].failed[file] = reasons[0]
            else:
                result[dataset].missing.append(file)
    return Status(result, (finished, planned), plan.left_out, plan.analysis)


def _failed(out: Path, dataset: str, unit_name: str) -> Path:
    return parts.paths(out, dataset, unit_name)[1].with_suffix(".failed.json")


def _reason(out: Path, dataset: str, unit_name: str, fingerprint: str) -> str | None:
    try:
        content = json.loads(_failed(out, dataset, unit_name).read_text(encoding="utf-8"))
        return str(content["reason"]) if content["fingerprint"] == fingerprint else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
