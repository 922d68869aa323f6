"""A finished selection: declaring it finished, behind the closure gate, and reading it back."""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from hnl import analysis as searches
from hnl import layout, provenance
from hnl.analysis import Analysis
from hnl.corrections import library, normalisation
from hnl.corrections import weights as event_weights
from hnl.datasets import catalogue as catalogues
from hnl.datasets import corrections
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.datasets.files import FileInfo, WorkUnit
from hnl.datasets.variations import NOMINAL
from hnl.errors import HNLError, InputError
from hnl.processors import closure, merging, parts
from hnl.processors.planning import Plan
from hnl.processors.rows import EVENT, Candidates, passing, repeated_event
from hnl.processors.units import fingerprint, variations

FORMAT = 3  # of selection.json; raised when its meaning changes
FILE_FACTS = tuple(field.name for field in fields(FileInfo) if field.name not in ("branches", "missing"))


class SelectionError(HNLError):
    """The selection failed on input that looked sound, or its output cannot be used by the next stage."""


@dataclass(frozen=True)
class Selection:
    """A finished, complete selection in an output folder."""

    folder: Path
    catalogue: Catalogue
    files: dict[str, list[dict[str, Any]]]
    units: dict[str, list[str]]
    sum_w: dict[str, float]
    partial: list[str]
    manifests: dict[str, list[dict[str, Any]]]  # without their tables
    tables: dict[str, dict[str, Any]]  # the sum of those
    read: dict[str, Candidates] = field(default_factory=dict, repr=False, compare=False)  # rows asked for

    @property
    def analysis(self) -> Analysis:
        """The search that it belongs to."""
        return searches.of_catalogue(self.catalogue)

    def variations(self, dataset: str) -> tuple[str, ...]:
        """Nominal, and the variations of jet energies that were made of a dataset: none of data."""
        return variations(self.catalogue.dataset(dataset), self.catalogue)

    def rows(self, dataset: str) -> Candidates:
        """The candidates of a dataset in all variations, sorted by run, luminosity section and event.

        They are read once, and stay in memory as long as this selection does: not to be changed.
        """
        if dataset not in self.read:
            self.read[dataset] = parts.read(
                self.folder, self.manifests[dataset], self.units[dataset], self.analysis.columns
            )
        return self.read[dataset]

    def candidates(self, dataset: str, variation: str = NOMINAL) -> Candidates:
        """The candidates of a dataset in one of its variations, sorted as `rows`.

        Raises:
            SelectionError: the dataset has no such variation.
        """
        rows, known = self.rows(dataset), self.variations(dataset)
        if variation not in known:
            raise SelectionError(f"dataset {dataset} has no variation {variation}; it has {', '.join(known)}")
        chosen = passing(rows, known.index(variation))
        return {name: column[chosen] for name, column in rows.items()}

    def scale(self, dataset: Dataset) -> float:
        """Factor from generator weights to events expected in the luminosity of its era; 1 for data."""
        if dataset.is_data:
            return 1.0
        return normalisation.scale(dataset, self.catalogue.era(dataset), self.sum_w[dataset.name])

    def weights(self, dataset: Dataset, candidates: Candidates) -> dict[str, np.ndarray]:
        """Of some rows of a dataset, nominal and in every variation of weights, see `corrections.weights.weights`."""
        era = self.catalogue.era(dataset)
        return event_weights.weights(dataset, era, candidates, None if dataset.is_data else self._generated(dataset))

    def _generated(self, dataset: Dataset) -> event_weights.Generated:
        name = dataset.name
        files, manifests = self.files[name], self.manifests[name]
        return event_weights.Generated(
            self.sum_w[name],
            closure.generator_norms(dataset, files, manifests),
            sum(manifest["events"] for manifest in manifests),
            closure.pileup_profile(files, manifests),
        )

    def corrections(self) -> dict[str, dict[str, str]]:
        """For each era its files of corrections and their SHA-256, as they are now."""
        files = {name: corrections.files(era.corrections) for name, era in self.catalogue.eras.items()}
        return {name: found for name, some in files.items() if (found := {str(f): library.sha256(f) for f in some})}

    def cutflow(self) -> dict[str, Any]:
        """Counts of each dataset, added up over its work units in order, and how its vertices were found."""
        result: dict[str, Any] = {}
        for name, tables in self.tables.items():
            facts = {
                key: {file["path"]: file[key] for file in self.files[name]} for key in ("sv_association", "version")
            }
            counts = [manifest["sv_index"] for manifest in self.manifests[name] if "sv_index" in manifest]
            beyond = {key: sum(one[key] for one in counts) for key in (counts[0] if counts else ())}
            result[name] = tables | facts | {"sv_index_beyond_table": beyond, "partial": self.partial}
        return result


def finish(out: Path, plan: Plan) -> Selection:
    """The closure gate, then the two files that declare the selection finished.

    Args:
        out: output folder, which has the parts.
        plan: what was to be done.

    Raises:
        ClosureError, PartError, SelectionError, OutputError.
    """
    catalogue, bad = plan.catalogue, plan.bad
    by_dataset: dict[str, list[WorkUnit]] = {dataset.name: [] for dataset in catalogue.datasets}
    for job in plan.jobs:
        by_dataset[job.unit.dataset].append(job.unit)
    content: dict[str, Any] = {
        "format": FORMAT,
        "partial": bad,
        "catalogue": catalogue.model_dump(mode="json"),
        "fingerprints": plan.fingerprints,
        "variations": {d.name: list(variations(d, catalogue)) for d in catalogue.datasets},
        "files": {
            name: [
                {key: getattr(info, key) for key in FILE_FACTS} for info in dict.fromkeys(unit.file for unit in group)
            ]
            for name, group in by_dataset.items()
        },
        "units": {name: [unit.name for unit in group] for name, group in by_dataset.items()},
        "provenance": provenance.record(),
    }
    content["sum_w"] = {}
    manifests, tables = {}, {}
    for dataset in catalogue.datasets:
        name = dataset.name
        manifests[name], tables[name] = merging.merge(out, name, content["units"][name], plan.fingerprints[name])
        closure.check_complete(name, content["files"][name], manifests[name])
        if not dataset.is_data and content["files"][name]:
            checked = dataset.model_copy(update={"generated_events": catalogues.FROM_RUNS_TREE}) if bad else dataset
            content["sum_w"][name] = closure.sum_of_weights(checked, content["files"][name], manifests[name])
            closure.generator_norms(dataset, content["files"][name], manifests[name])
    selection = Selection(out, catalogue, content["files"], content["units"], content["sum_w"], bad, manifests, tables)
    _check_no_event_twice(selection)
    if not _is_there(out, content):
        provenance.write_json(out / layout.CUTFLOW, selection.cutflow())
        # In one line: indented, a hundred thousand files take half a minute.
        provenance.write_text(out / layout.SELECTION, json.dumps(content, allow_nan=False) + "\n")
    return selection


def _is_there(out: Path, content: dict[str, Any]) -> bool:
    """Whether this selection is declared finished already: the files that later stages have read stay the same."""
    try:
        known = json.loads((out / layout.SELECTION).read_text(encoding="utf-8"))
        same = json.loads(json.dumps(content)) | {"provenance": None} == known | {"provenance": None}
        return bool(same) and (out / layout.CUTFLOW).is_file()
    except (OSError, ValueError, TypeError):
        return False


def _check_no_event_twice(selection: Selection) -> None:
    """No event twice in a simulated dataset, or in all data together (two streams)."""
    data = [d for d in selection.catalogue.datasets if d.is_data]
    groups = [[d] for d in selection.catalogue.datasets if not d.is_data] + ([data] if data else [])
    for group in groups:
        names = [dataset.name for dataset in group]
        names_read = (*EVENT, "passes")
        manifests = [manifest for name in names for manifest in selection.manifests[name]]
        units = [unit for name in names for unit in selection.units[name]]
        rows = parts.read(selection.folder, manifests, units, selection.analysis.columns, names_read)
        nominal = passing(rows, 0)
        if repeated := repeated_event({name: rows[name][nominal] for name in EVENT}):
            run, section, event = repeated
            holders = parts.files_with(selection.folder, manifests, units, selection.analysis.columns, repeated)
            raise SelectionError(
                f"run {run}, luminosity section {section}, event {event} was selected twice in {', '.join(names)}: "
                f"in {' and '.join(holders)}; data streams that overlap need veto_triggers in the catalogue"
            )


def load(out: Path) -> Selection:
    """The selection in an output folder.

    Raises:
        SelectionError: there is none, it is not finished, or it was made by other code or settings.
    """
    path = out / layout.SELECTION
    if not path.is_file():
        raise InputError(f"{out} holds no finished selection (no {layout.SELECTION}): run hnl select first")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        catalogue = Catalogue.model_validate(content["catalogue"])
        known, units, made_by = content["files"], content["units"], content["fingerprints"]
        sum_w, bad = content["sum_w"], content["partial"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SelectionError(f"{path} is broken: {error}; run hnl select again") from error
    manifests, tables = {}, {}
    for dataset in catalogue.datasets:
        name, current = dataset.name, fingerprint(dataset, catalogue)
        if made_by[name] != current:
            raise SelectionError(f"{path}: {name} was selected by other code or settings; run hnl select again")
        manifests[name], tables[name] = merging.merge(out, name, units[name], current)
        closure.check_complete(name, known[name], manifests[name])
    return Selection(out, catalogue, known, units, sum_w, bad, manifests, tables)
