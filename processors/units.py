"""One work unit: all that a worker needs to know of it, doing it, and the hash of all that decides what comes out."""

import traceback
from dataclasses import dataclass
from pathlib import Path

from hnl import dependencies, provenance
from hnl.corrections import jets, library
from hnl.corrections.library import CorrectionError
from hnl.datasets import auxiliary_files, files
from hnl.datasets.catalogue import Catalogue, Dataset, Era
from hnl.datasets.files import WorkUnit
from hnl.datasets.golden import GoldenJSONError
from hnl.errors import InputError
from hnl.processors import parts
from hnl.processors.displaced.processor import DisplacedProcessor
from hnl.processors.parts import Part

CODE = ("hnl.processors.units",)  # what decides which events are selected and what their columns say, and all it calls


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


def code_digest() -> str:
    """SHA-256 of the source and the libraries that the selection depends on."""
    return dependencies.digest(CODE)


def fingerprint(dataset: Dataset, era: Era) -> str:
    """Hash of all that decides which events of a file are selected and what their columns say.

    Raises:
        CorrectionError: golden JSON or corrections cannot be read.
    """
    settings = {
        "kind": dataset.kind,
        "triggers": dataset.triggers,
        "veto": dataset.veto_triggers,
        "paths": era.triggers.model_dump(),
        "year": era.year,
        "golden_json": library.sha256(era.golden_json) if era.golden_json and dataset.is_data else None,
        "jets": jets.digest(jets.jet_settings(dataset, era)),
        "generator_weights": dataset.generator_weights.model_dump(),
        "code": code_digest(),
    }
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
        if fingerprint(dataset, catalogue.era(dataset)) != job.fingerprint:
            what = "code, libraries, corrections or golden JSON"
            return UnitResult(job.unit, failure=(f"this worker has other {what} than the command", ""))
        if job.checksum:
            files.verify(job.local or job.unit.file.path, job.checksum, job.catalogue.remote)
        events = files.events(job.unit, job.catalogue.remote, job.local)
        result = DisplacedProcessor(catalogue).process(events)[dataset.name]
        variations = jets.variations(jets.jet_settings(dataset, catalogue.era(dataset)))
        return UnitResult(job.unit, part=parts.make(job.unit, result, job.fingerprint, job.checksum, variations))
    except (CorrectionError, GoldenJSONError) as error:  # not the fault of the file, which must not be left out for it
        return UnitResult(job.unit, failure=(str(error), traceback.format_exc()))
    except InputError as error:
        return UnitResult(job.unit, bad_input=str(error), temporary=files.is_temporary(error))
    except Exception as error:
        summary = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
        return UnitResult(job.unit, failure=(summary, traceback.format_exc()))
