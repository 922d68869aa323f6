"""What is to be selected: work units with all that a worker needs to know, and which of them are done."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hnl import analysis as searches
from hnl import layout
from hnl.corrections import jets, own_weights
from hnl.corrections import weights as event_weights
from hnl.datasets import auxiliary_files, files
from hnl.datasets import catalogue as catalogues
from hnl.datasets.catalogue import Catalogue
from hnl.datasets.files import FileInfo
from hnl.datasets.index import Index, inspect_all
from hnl.errors import HNLError, InputError
from hnl.processors import parts, taking
from hnl.processors.selection_files import Taken
from hnl.processors.units import Job, fingerprint, made_with
from hnl.records import Record


class BadFilesError(InputError):
    """Files that cannot be used, one a line."""


@dataclass(frozen=True)
class Plan:
    """What is to be done for a catalogue.

    Attributes:
        catalogue: as it was loaded.
        jobs: one for each work unit of every usable file, in the order of the catalogue.
        fingerprints: of each dataset.
        made_with: what decides on each dataset, see `units.made_with`: golden JSON and corrections as they were read
            now, since they may be gone when the work is done.
        bad: one sentence for each file that cannot be used, which a partial result leaves out.
        taken: datasets whose candidates another selection has made: see `take`.
    """

    catalogue: Catalogue
    jobs: list[Job]
    fingerprints: dict[str, str]
    made_with: dict[str, Record]
    bad: list[str]
    taken: dict[str, Taken]

    @property
    def reading(self) -> list[Job]:
        """The jobs that read files."""
        return [job for job in self.jobs if job.unit.dataset not in self.taken]

    def waiting(self, out: Path) -> list[Job]:
        """Those of `reading` that are not done in an output folder."""
        return [job for job in self.reading if not _is_done(out, job)]


def plan(catalogue_path: Path, out: Path, *, allow_partial: bool = False, checksum: bool = False) -> Plan:
    """Opens every file of a catalogue that was not opened before, and cuts all of them into work units.

    Args:
        catalogue_path: the catalogue.
        out: output folder, which knows the files that were opened before (`datasets.index`).
        allow_partial: leave out files that cannot be used.
        checksum: verify the checksum of every file before it is read; parts made without that are not taken as done.

    Raises:
        CatalogueError, CorrectionError, BadFilesError, DuplicateFileError: bad input; candidates that cannot be taken
            with the line of the catalogue.
    """
    catalogue = catalogues.load(catalogue_path)
    check_corrections(catalogue, catalogue_path)
    if checksum and (without := [f for d in catalogue.datasets for f in d.files if f not in d.checksums]):
        raise BadFilesError(f"{catalogue_path} has no checksum of {without[0]} (nor of {len(without) - 1} others)")
    known = Index(out / layout.INDEX)
    infos, bad = _inspected(catalogue, known)
    found = sources(catalogue, catalogue_path, out)
    bad += dict.fromkeys(sentence for one in found.values() for sentence in one.partial)
    if known.path.exists():  # also if the run ends here; but bad input leaves no new folder
        known.save()
    if bad and not allow_partial:
        raise BadFilesError("\n".join(bad))
    units = {name: one.units for name, one in found.items()}
    units |= {n: [unit for info in infos[n] for unit in files.work_units(n, info)] for n in infos if n not in found}
    files.check_unique([info for group in units.values() for info in dict.fromkeys(unit.file for unit in group)])
    known.save()
    fingerprints = {dataset.name: fingerprint(dataset, catalogue) for dataset in catalogue.datasets}
    made = {dataset.name: made_with(dataset, catalogue) for dataset in catalogue.datasets}
    alone = {dataset.name: catalogue.alone(dataset) for dataset in catalogue.datasets}
    jobs = [
        Job(unit, alone[d.name], fingerprints[d.name], d.checksums[unit.file.path] if checksum and d.files else None)
        for d in catalogue.datasets
        for unit in units[d.name]
    ]
    return Plan(catalogue, jobs, fingerprints, made, bad, {name: one.taken for name, one in found.items()})


def sources(catalogue: Catalogue, path: Path, out: Path | None = None) -> dict[str, taking.Source]:
    """What is taken of each dataset that has candidates in place of files.

    Args:
        catalogue: as it was loaded.
        path: of its YAML, for messages.
        out: output folder, which nothing can be taken from.

    Raises:
        CatalogueError: something cannot be taken, with the line; see `taking.source`.
    """
    found = {}
    for i, dataset in enumerate(catalogue.datasets):
        if dataset.candidates is None:
            continue
        try:
            if out and dataset.candidates == out.resolve():
                raise taking.TakingError(f"{out} is the output folder itself")
            found[dataset.name] = taking.source(dataset, catalogue)
        except HNLError as error:
            raise catalogues.error_at(path, ("datasets", i, "candidates"), str(error)) from error
    return found


def take(plan: Plan, out: Path, *, allow_partial: bool = False) -> Plan:
    """Copies what is taken as candidates into an output folder, which then needs no other.

    Args:
        plan: what is to be done.
        out: output folder.
        allow_partial: leave out files whose part is damaged.

    Returns:
        The plan without such files.

    Raises:
        BadFilesError: a part is gone, damaged, or has other columns than those of this code.
    """
    search = searches.of_catalogue(plan.catalogue)
    bad: dict[FileInfo, str] = {}
    for job in plan.jobs:
        taken = plan.taken.get(job.unit.dataset)
        if taken is None or taking.is_done(out, job.unit, job.fingerprint, taken):
            continue
        try:
            parts.store(out, job.unit.name, taking.part(job.unit, job.fingerprint, taken, search))
        except (taking.TakingError, parts.PartError) as error:
            bad[job.unit.file] = str(error)
    if bad and not allow_partial:
        raise BadFilesError("\n".join(bad.values()))
    kept = [job for job in plan.jobs if job.unit.file not in bad]
    return replace(plan, jobs=kept, bad=[*plan.bad, *bad.values()])


def packed(jobs: Sequence[Job]) -> tuple[list[Job], dict[str, Path]]:
    """Jobs for workers that may not have our folders, and the `auxiliary_files` that go with them."""
    portable = {job.unit.dataset: job.catalogue for job in jobs}
    support_files: dict[str, Path] = {}
    for name, catalogue in portable.items():
        portable[name], needed = auxiliary_files.portable(catalogue)
        support_files |= needed
    return [replace(job, catalogue=portable[job.unit.dataset]) for job in jobs], support_files


def check_corrections(catalogue: Catalogue, path: Path) -> None:
    """Looks every correction up that an era or a weight of a catalogue names.

    Args:
        catalogue: as it was loaded.
        path: of its YAML, for messages.

    Raises:
        CatalogueError: a weight of the user's own cannot be used; with its line.
        CorrectionError: a file cannot be read, has no such correction, or it wants what candidates and jets have not.
    """
    columns = [column.name for column in searches.of_catalogue(catalogue).columns]
    for era in catalogue.eras.values():
        jets.check(era.corrections.jets)
        event_weights.check(era.corrections, columns)
    if wrong := own_weights.problem(catalogue, columns):
        raise catalogues.error_at(path, *wrong)


def _is_done(out: Path, job: Job) -> bool:
    found = parts.manifest(out, job.unit.dataset, job.unit.name, job.fingerprint)
    return found is not None and job.checksum in (None, found.checksum)


def _inspected(catalogue: Catalogue, known: Index) -> tuple[dict[str, list[FileInfo]], list[str]]:
    """The usable files of each dataset, and one sentence for each of the others."""
    usable: dict[str, list[FileInfo]] = {dataset.name: [] for dataset in catalogue.datasets}
    bad = []
    for dataset, info in inspect_all(catalogue, known, searches.of_catalogue(catalogue).needs):
        if (error := files.problem(info)) is not None:
            bad.append(str(error))
        elif isinstance(info, FileInfo):
            usable[dataset.name].append(info)
    return usable, bad
