"""The inside of an HTCondor job: process the work units of an item with the files in the present folder."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from hnl import provenance
from hnl.condor import results, worklist
from hnl.condor.description import BAD_INPUT, DONE, FAILED, TRANSFERRED, TRY_AGAIN, WRONG_ENVIRONMENT
from hnl.condor.results import Failure
from hnl.datasets.catalogue import Catalogue
from hnl.datasets.remote import RemoteFileError
from hnl.processors import units
from hnl.processors.parts import Part
from hnl.processors.units import Job, UnitResult

_STATUS = {
    results.TEMPORARY: TRY_AGAIN,
    results.FAILURE: FAILED,
    results.BAD: BAD_INPUT,
}  # the status of the first kind that occurs


def run(item_file: Path) -> int:
    """Processes an item and writes its result to the present folder, or to the output that the item names.

    Args:
        item_file: written by `batch.submit`; the files that it names are in the present folder.

    Returns:
        The exit status of the job, see `condor.description`.
    """
    content = json.loads(item_file.read_text(encoding="utf-8"))
    catalogue = Catalogue.model_validate(content["catalogue"])
    (dataset,) = catalogue.datasets
    if units.fingerprint(dataset, catalogue) != content["fingerprint"]:
        versions = ", ".join(f"{name} {version}" for name, version in provenance.record().items() if name != "command")
        _say(f"the code or the libraries of this Python are not those of the submission: {versions}")
        return WRONG_ENVIRONMENT
    alone, fingerprints = {dataset.name: catalogue.alone(dataset)}, {dataset.name: content["fingerprint"]}
    jobs = worklist.unpack(content, alone, fingerprints)
    done: list[tuple[str, Part]] = []
    failures: dict[str, Failure] = {}
    for job in jobs:
        outcome = units.process_unit(replace(job, local=content["local"].get(job.unit.file.path)))
        if outcome.part:
            done.append((job.unit.name, outcome.part))
        else:
            failures[job.unit.name] = _failure(job, outcome)
            _say(f"{job.unit.file.path}: {failures[job.unit.name].reason}")
    packed = results.pack(done, failures)
    if content["output"] == TRANSFERRED:
        provenance.write_bytes(Path(f"{content['item']}.zip"), packed)
    else:
        try:
            results.Results(content["output"], catalogue.remote).save(content["item"], packed)
        except (RemoteFileError, provenance.OutputError) as error:
            _say(str(error))
            return TRY_AGAIN
    kinds = {failure.kind for failure in failures.values()}
    return next((status for kind, status in _STATUS.items() if kind in kinds), DONE)


def _failure(job: Job, outcome: UnitResult) -> Failure:
    if outcome.bad_input:
        kind = results.TEMPORARY if outcome.temporary else results.BAD
        return Failure(job.unit.file.path, outcome.bad_input, kind)
    summary, trace = outcome.failure or ("no reason", "")
    _say(trace)
    return Failure(job.unit.file.path, f"the selection failed: {summary}", results.FAILURE)


def _say(text: str) -> None:
    print(text, file=sys.stderr)
