"""Candidates that another selection has made, taken in place of selecting a dataset again (catalogue: `candidates`).

They are taken only if they are what this code and this catalogue would have made: format and columns are those of this
code, `units.made_with` is the same, every digest is right. What cannot be redone is the code itself: where it has
changed since, the modules are named (`report.taken`) wherever results are told.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hnl import analysis as searches
from hnl import dependencies, layout, provenance, records
from hnl.analysis import Analysis
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.datasets.files import WorkUnit
from hnl.errors import InputError
from hnl.processors import closure, parts, selection_files
from hnl.processors.manifests import Manifest
from hnl.processors.parts import Part
from hnl.processors.selection_files import SelectionFile, Taken
from hnl.processors.units import made_with, variations

REMEDY = "select it from files (files: in place of candidates:), or take candidates that were made so"


class TakingError(InputError):
    """Candidates cannot be taken; the message says from where, and what is not as it has to be."""


@dataclass(frozen=True)
class Source:
    """A dataset of another selection that can be taken.

    Attributes:
        units: its work units.
        taken: what is told of it.
        partial: sentences on input files that the other selection left out.
    """

    units: list[WorkUnit]
    taken: Taken
    partial: list[str]


def source(dataset: Dataset, catalogue: Catalogue) -> Source:
    """What a dataset with `candidates` takes, after checking all but the content of its parquet files.

    Raises:
        TakingError: the dataset is not there, or was selected with other settings; the message has both values.
        BrokenFileError, FormatError: the selection is not what this version writes.
        ClosureError: not every entry of every file was read exactly once.
    """
    folder = Path(str(dataset.candidates))
    content = records.read(folder / layout.SELECTION, SelectionFile)
    name = dataset.name
    if name not in content.units:
        raise TakingError(f"{folder} has no dataset {name}; it has {', '.join(content.units)}")
    asked = made_with(dataset, catalogue)
    if different := _different(content.made_with[name], asked):
        raise TakingError(f"{folder}: {name} was selected with {'; '.join(different)}: {REMEDY}")
    manifests = [_manifest(folder, name, unit, content.fingerprints[name]) for unit in content.units[name]]
    wanted = list(variations(dataset, catalogue))
    if other := next((one for one in manifests if one.variations != wanted), None):
        raise TakingError(f"{folder}: {name} has the variations {other.variations}, not {wanted}: {REMEDY}")
    facts = content.files[name]
    closure.check_complete(name, facts, manifests)
    infos = {one["uuid"]: selection_files.info(one) for one in facts}
    counted = [one["generated_events"] for one in facts]
    events = sum(one.events for one in manifests) if None in counted else sum(filter(None, counted))
    now = dependencies.code(searches.of_catalogue(catalogue).stage("select").code)
    made = content.taken.get(name)  # which may have been taken itself
    code = made.code if made else content.code
    taken = Taken(
        folder=str(folder),
        fingerprint=content.fingerprints[name],
        hnl=made.hnl if made else content.provenance["hnl"],
        time=made.time if made else content.provenance["time"],
        files=len(facts),
        data=dataset.is_data,
        events=events,
        code=code,
        changed=sorted(key for key in {*code, *now} if code.get(key) != now.get(key)),
    )
    provenance.used[folder / layout.SELECTION] = None
    units = [WorkUnit(name, infos[one.uuid], one.start, one.stop) for one in manifests]
    return Source(units, taken, [f"{folder} is partial: {sentence}" for sentence in content.partial])


def is_done(out: Path, unit: WorkUnit, fingerprint: str, taken: Taken) -> bool:
    """Whether an output folder has the part of a unit already.

    Args:
        out: output folder.
        unit: of the dataset.
        fingerprint: that it must have there.
        taken: where it is from.
    """
    here = parts.manifest(out, unit.dataset, unit.name, fingerprint)
    return here is not None and replace(here, fingerprint=taken.fingerprint) == _manifest(
        Path(taken.folder), unit.dataset, unit.name, taken.fingerprint
    )


def part(unit: WorkUnit, fingerprint: str, taken: Taken, search: Analysis) -> Part:
    """The part of a unit, every byte as it was made, under the fingerprint of this selection.

    Args:
        unit: of the dataset.
        fingerprint: of this selection.
        taken: where it is from.
        search: has the columns that it must have.

    Raises:
        TakingError, PartError: it is gone, damaged, or has other columns.
    """
    folder = Path(taken.folder)
    manifest = _manifest(folder, unit.dataset, unit.name, taken.fingerprint)
    found = parts.load(folder, unit.name, manifest, search.columns, search.processor.lists)
    return replace(found, manifest=replace(manifest, fingerprint=fingerprint))


def _manifest(folder: Path, dataset: str, unit: str, fingerprint: str) -> Manifest:
    found = parts.manifest(folder, dataset, unit, fingerprint)
    if found is None:
        path = parts.paths(folder, dataset, unit)[1]
        raise TakingError(f"{folder} is not complete: {path} or its candidates are missing, or of another selection")
    return found


def _different(made: object, asked: object, place: str = "") -> list[str]:
    """What is not the same in two values for JSON, with both of them."""
    if isinstance(made, dict) and isinstance(asked, dict):
        inner = [(key, f"{place}.{key}" if place else key) for key in dict.fromkeys([*made, *asked])]
        return [text for key, where in inner for text in _different(made.get(key), asked.get(key), where)]
    return [] if made == asked else [f"{place} = {_shown(made)}, asked for is {_shown(asked)}"]


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)
