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
from hnl.errors import InputError
from hnl.processors import parts
from hnl.processors.units import Job, fingerprint


class BadFilesError(InputError):
    """Files that cannot be used, one a line."""


@dataclass(frozen=True)
class Plan:
    """What is to be done for a catalogue.

    Attributes:
        catalogue: as it was loaded.
        jobs: one for each work unit of every usable file, in the order of the catalogue.
        fingerprints: of each dataset.
        bad: one sentence for each file that cannot be used, which a partial result leaves out.
    """

    catalogue: Catalogue
    jobs: list[Job]
    fingerprints: dict[str, str]
    bad: list[str]

    def waiting(self, out: Path) -> list[Job]:
        """The jobs that are not done in an output folder."""
        return [job for job in self.jobs if not _is_done(out, job)]


def plan(catalogue_path: Path, out: Path, *, allow_partial: bool = False, checksum: bool = False) -> Plan:
    """Opens every file of a catalogue that was not opened before, and cuts all of them into work units.

    Args:
        catalogue_path: the catalogue.
        out: output folder, which knows the files that were opened before (`datasets.index`).
        allow_partial: leave out files that cannot be used.
        checksum: verify the checksum of every file before it is read; parts made without that are not taken as done.

    Raises:
        CatalogueError, CorrectionError, BadFilesError, DuplicateFileError: bad input.
    """
    catalogue = catalogues.load(catalogue_path)
    check_corrections(catalogue, catalogue_path)
    if checksum and (without := [f for d in catalogue.datasets for f in d.files if f not in d.checksums]):
        raise BadFilesError(f"{catalogue_path} has no checksum of {without[0]} (nor of {len(without) - 1} others)")
    known = Index(out / layout.INDEX)
    infos, bad = _inspected(catalogue, known)
    if known.path.exists():  # also if the run ends here; but bad input leaves no new folder
        known.save()
    if bad and not allow_partial:
        raise BadFilesError("\n".join(bad))
    files.check_unique([info for group in infos.values() for info in group])
    known.save()
    fingerprints = {dataset.name: fingerprint(dataset, catalogue) for dataset in catalogue.datasets}
    alone = {dataset.name: catalogue.alone(dataset) for dataset in catalogue.datasets}
    jobs = [
        Job(unit, alone[d.name], fingerprints[d.name], d.checksums[info.path] if checksum else None)
        for d in catalogue.datasets
        for info in infos[d.name]
        for unit in files.work_units(d.name, info)
    ]
    return Plan(catalogue, jobs, fingerprints, bad)


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
