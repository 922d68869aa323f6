"""One work unit: all that a worker needs to know of it, doing it, and the hash of all that decides what comes out."""

import traceback
from dataclasses import dataclass
from pathlib import Path

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
from hnl.records import Record


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


def made_with(dataset: Dataset, catalogue: Catalogue) -> Record:
    """All but code that decides which events of a file are selected and what their columns say; for JSON.

    Named as in the catalogue. Of a file that the catalogue names it has the content, not the place.

    Raises:
        CorrectionError: golden JSON or corrections cannot be read.
        AnalysisError: the search of the catalogue cannot be loaded.
    """
    era, search = catalogue.era(dataset), searches.of_catalogue(catalogue)
    settings = search.settings.model_validate(catalogue.settings).model_dump(mode="json")
    return {
        "search": search.title,
        "kind": dataset.kind,
        "triggers": list(dataset.triggers),
        "veto_triggers": list(dataset.veto_triggers),
        "generator_weights": dataset.generator_weights.model_dump(mode="json"),
        "signal": {"mass": dataset.signal.mass} if dataset.signal else None,
        "era": {
            "triggers": era.triggers.model_dump(mode="json"),
            "year": era.year,
            "golden_json, SHA-256": library.sha256(era.golden_json) if era.golden_json and dataset.is_data else None,
            "corrections": {"jets": jets.identity(_jet_settings(dataset, catalogue))},
        },
        "settings": {name: settings[name] for name in settings if search.stage("select").depends_on(name)},
    }


def fingerprint(dataset: Dataset, catalogue: Catalogue) -> str:
    """Hash of `made_with` and of the code: of parts that have another one, nothing is used.

    Raises:
        CorrectionError, AnalysisError: see `made_with`.
    """
    code = dependencies.digest(searches.of_catalogue(catalogue).stage("select").code)
    taken = dataset.candidates is not None
    return provenance.digest({"made with": made_with(dataset, catalogue), "taken": taken, "code": code})


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
        columns, lists = search.columns, search.processor.lists
        part = parts.make(job.unit, result, columns, job.fingerprint, job.checksum, varied, lists)
        return UnitResult(job.unit, part=part)
    except (CorrectionError, GoldenJSONError) as error:  # not the fault of the file, which must not be left out for it
        return UnitResult(job.unit, failure=(str(error), traceback.format_exc()))
    except InputError as error:
        return UnitResult(job.unit, bad_input=str(error), temporary=files.is_temporary(error))
    except Exception as error:
        summary = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
        return UnitResult(job.unit, failure=(summary, traceback.format_exc()))
