"""One work unit: all that a worker needs to know of it, doing it, and the hash of all that decides what comes out."""

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hnl import analysis as searches
from hnl import dependencies, provenance
from hnl.corrections import jets, library
from hnl.corrections.library import CorrectionError
from hnl.datasets import auxiliary_files, files
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.datasets.corrections import JetCorrections
from hnl.datasets.files import WorkUnit
from hnl.datasets.golden import GoldenJSONError
from hnl.errors import InputError
from hnl.processors import parts
from hnl.processors.parts import Part


@dataclass(frozen=True)
class Job:
    """A work unit with all that a worker needs to know."""

    unit: WorkUnit
    catalogue: Catalogue  # of this unit's dataset alone, without its files
    fingerprint: str
    checksum: str | None  # of the file, to be verified before it is read
    local: str | None = None  # where the worker has a copy of the file


@dataclass(frozen=True)
class UnitResult:
    """What became of a job: a part, or why there is none."""

    unit: WorkUnit
    part: Part | None = None
    bad_input: str | None = None
    temporary: bool = False  # the bad input may be better later
    failure: tuple[str, str] | None = None  # in one line, and the traceback


def variations(dataset: Dataset, catalogue: Catalogue) -> tuple[str, ...]:
    """Nominal, and the variations of jet energies that are made of a dataset, if its search varies them."""
    return jets.variations(_jet_settings(dataset, catalogue))


def _jet_settings(dataset: Dataset, catalogue: Catalogue) -> JetCorrections | None:
    varies = searches.of_catalogue(catalogue).varies_jets
    return jets.jet_settings(dataset, catalogue.era(dataset)) if varies else None


def fingerprint(dataset: Dataset, catalogue: Catalogue) -> str:
    """Hash of all that decides which events of a file are selected and what their columns say.

    Raises:
        CorrectionError: golden JSON or corrections cannot be read.
        AnalysisError: the search of the catalogue cannot be loaded.
    """
    era, stage = catalogue.era(dataset), searches.of_catalogue(catalogue).stage("select")
    settings: dict[str, Any] = {
        "kind": dataset.kind,
        "triggers": dataset.triggers,
        "veto": dataset.veto_triggers,
        "paths": era.triggers.model_dump(),
        "year": era.year,
        "golden_json": library.sha256(era.golden_json) if era.golden_json and dataset.is_data else None,
        "jets": jets.digest(_jet_settings(dataset, catalogue)),
        "generator_weights": dataset.generator_weights.model_dump(),
        "code": dependencies.digest(stage.code),
    }
    changed = {name: catalogue.settings[name] for name in catalogue.settings if stage.depends_on(name)}
    if changed:
        settings["settings"] = changed
    return provenance.digest(settings)


def process_unit(job: Job, support_files: Path = Path()) -> UnitResult:
    """Reads and selects one work unit. Never raises: a worker's error must reach the user as a sentence.

    Args:
        job: the work unit.
        support_files: folder of the files that came with it, see `auxiliary_files`.
    """
    try:
        catalogue = auxiliary_files.placed(job.catalogue, support_files)
        dataset = catalogue.dataset(job.unit.dataset)
        if fingerprint(dataset, catalogue) != job.fingerprint:
            what = "code, libraries, corrections or golden JSON"
            return UnitResult(job.unit, failure=(f"this worker has other {what} than the command", ""))
        if job.checksum:
            files.verify(job.local or job.unit.file.path, job.checksum, job.catalogue.remote)
        events = files.events(job.unit, job.catalogue.remote, job.local)
        search = searches.of_catalogue(catalogue)
        result = search.processor(catalogue).process(events)[dataset.name]
        varied = variations(dataset, catalogue)
        part = parts.make(job.unit, result, search.columns, job.fingerprint, job.checksum, varied)
        return UnitResult(job.unit, part=part)
    except (CorrectionError, GoldenJSONError) as error:  # not the fault of the file, which must not be left out for it
        return UnitResult(job.unit, failure=(str(error), traceback.format_exc()))
    except InputError as error:
        return UnitResult(job.unit, bad_input=str(error), temporary=files.is_temporary(error))
    except Exception as error:
        summary = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
        return UnitResult(job.unit, failure=(summary, traceback.format_exc()))
