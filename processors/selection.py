"""A finished selection: declaring it finished, behind the closure gate, and reading it back."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hnl import analysis as searches
from hnl import dependencies, layout, provenance, records
from hnl.analysis import Analysis
from hnl.corrections import library, normalisation
from hnl.corrections import weights as event_weights
from hnl.datasets import catalogue as catalogues
from hnl.datasets import corrections
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.datasets.files import WorkUnit
from hnl.datasets.variations import NOMINAL
from hnl.errors import HNLError
from hnl.processors import closure, merging, parts, reading, selection_files
from hnl.processors.cutflow import Counts
from hnl.processors.manifests import Manifest, Tables
from hnl.processors.planning import Plan
from hnl.processors.rows import EVENT, Candidates, passing, repeated_event
from hnl.processors.selection_files import DatasetCutflow, FileFacts, SelectionFile, SettingsFile, Taken, WeightsFile
from hnl.processors.units import fingerprint, variations
from hnl.records import Record


class SelectionError(HNLError):
    """The selection failed on input that looked sound, or its output cannot be used by the next stage."""


@dataclass(frozen=True)
class Selection:
    """A finished, complete selection in an output folder."""

    folder: Path
    catalogue: Catalogue
    files: dict[str, list[FileFacts]]
    units: dict[str, list[str]]
    sum_w: dict[str, float]
    partial: list[str]
    taken: dict[str, Taken]
    manifests: dict[str, list[Manifest]]  # their tables empty
    tables: dict[str, Tables]  # the sum of those
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
            self.read[dataset] = reading.read(
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
        generated = None if dataset.is_data else self._generated(dataset)
        return event_weights.weights(dataset, era, candidates, generated, self.catalogue.weights)

    def _generated(self, dataset: Dataset) -> event_weights.Generated:
        name = dataset.name
        files, manifests = self.files[name], self.manifests[name]
        return event_weights.Generated(
            self.sum_w[name],
            closure.generator_norms(dataset, files, manifests),
            sum(manifest.events for manifest in manifests),
            closure.pileup_profile(files, manifests),
        )

    def corrections(self) -> dict[str, dict[str, str]]:
        """For each era its files of corrections, and of weights of one's own, and their SHA-256, as they are now."""
        files = {name: [*corrections.files(era.corrections)] for name, era in self.catalogue.eras.items()}
        for dataset in self.catalogue.datasets:
            files[dataset.era] += [weight.file for weight in self.catalogue.weights if weight.applies_to(dataset)]
        return {name: found for name, some in files.items() if (found := {str(f): library.sha256(f) for f in some})}

    def cutflow(self) -> dict[str, DatasetCutflow]:
        """Counts of each dataset, added up over its work units in order, and how its vertices were found.

        Events that were left out of the files were never looked at: without them there are no efficiencies.
        """
        result = {}
        for name, tables in self.tables.items():
            files, manifests = self.files[name], self.manifests[name]
            efficiencies: Counts = {}
            for manifest in manifests if closure.is_whole(files, manifests) else ():
                merging.add(efficiencies, manifest.facts.get("efficiencies", {}))
            counts = [manifest.facts["sv_index"] for manifest in manifests if "sv_index" in manifest.facts]
            result[name] = DatasetCutflow(
                tables.cutflow,
                tables.n_minus_one,
                sv_association={file["path"]: file["sv_association"] for file in files},
                version={file["path"]: file["version"] for file in files},
                sv_index_beyond_table={key: sum(one[key] for one in counts) for key in (counts[0] if counts else ())},
                partial=self.partial,
                efficiencies=efficiencies,
            )
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
    infos = {name: dict.fromkeys(unit.file for unit in group) for name, group in by_dataset.items()}
    files = {name: [selection_files.facts(info) for info in group] for name, group in infos.items()}
    names = {name: [unit.name for unit in group] for name, group in by_dataset.items()}
    sum_w: dict[str, float] = {}
    manifests, tables = {}, {}
    for dataset in catalogue.datasets:
        name = dataset.name
        manifests[name], tables[name] = merging.merge(out, name, names[name], plan.fingerprints[name])
        closure.check_complete(name, files[name], manifests[name])
        if not dataset.is_data and files[name]:
            checked = dataset.model_copy(update={"generated_events": catalogues.FROM_RUNS_TREE}) if bad else dataset
            sum_w[name] = closure.sum_of_weights(checked, files[name], manifests[name])
            closure.generator_norms(dataset, files[name], manifests[name])
    selection = Selection(out, catalogue, files, names, sum_w, bad, plan.taken, manifests, tables)
    _check_no_event_twice(selection)
    parts.remove_others(out, {name: set(group) for name, group in names.items()})
    content = SelectionFile(
        format=SelectionFile.FORMAT,
        partial=bad,
        catalogue=catalogue,
        fingerprints=plan.fingerprints,
        variations={dataset.name: list(variations(dataset, catalogue)) for dataset in catalogue.datasets},
        files=files,
        units=names,
        provenance=provenance.record(),
        sum_w=sum_w,
        made_with=plan.made_with,
        code=dependencies.code(selection.analysis.stage("select").code),
        taken=plan.taken,
    )
    _write_own(out / layout.SETTINGS, SettingsFile(SettingsFile.FORMAT, catalogue.settings), bool(catalogue.settings))
    _write_own(out / layout.WEIGHTS, WeightsFile(WeightsFile.FORMAT, catalogue.weights), bool(catalogue.weights))
    record = records.as_record(content)
    if not _is_there(out, record):
        cutflow = {name: records.as_record(counts) for name, counts in selection.cutflow().items()}
        provenance.write_json(out / layout.CUTFLOW, cutflow)
        # In one line: indented, a hundred thousand files take half a minute.
        provenance.write_text(out / layout.SELECTION, json.dumps(record, allow_nan=False) + "\n")
    return selection


def _write_own(path: Path, content: SettingsFile | WeightsFile, there: bool) -> None:
    """What a catalogue adds for later stages is in files apart, so that others do not depend on it; none if nothing."""
    if there:
        records.write(path, content)
    else:
        path.unlink(missing_ok=True)


def _is_there(out: Path, content: Record) -> bool:
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
        manifests = [manifest for name in names for manifest in selection.manifests[name]]
        units = [unit for name in names for unit in selection.units[name]]
        if repeated := repeated_event(
            reading.read(selection.folder, manifests, units, selection.analysis.columns, EVENT, varied=False)
        ):
            run, section, event = repeated
            holders = reading.files_with(selection.folder, manifests, units, selection.analysis.columns, repeated)
            raise SelectionError(
                f"run {run}, luminosity section {section}, event {event} was selected twice in {', '.join(names)}: "
                f"in {' and '.join(holders)}; data streams that overlap need veto_triggers in the catalogue"
            )


def read_catalogue(out: Path) -> Catalogue:
    """The catalogue of the selection in an output folder, whatever code made it.

    Raises:
        InputError, BrokenFileError, FormatError: see `load`.
    """
    return _content(out)[1]


def _content(out: Path) -> tuple[SelectionFile, Catalogue]:
    content = records.read(layout.finished(out), SelectionFile)
    own = out / layout.WEIGHTS
    weights = records.read(own, WeightsFile).weights if own.is_file() else ()
    added = {"settings": selection_files.settings(out), "weights": weights}
    return content, content.catalogue.model_copy(update=added)


def load(out: Path) -> Selection:
    """The selection in an output folder.

    Raises:
        InputError: there is none.
        BrokenFileError, FormatError: it is not what this version writes.
        SelectionError: it was made by other code or settings.
        PartError, ClosureError: its parts are not complete.
    """
    content, catalogue = _content(out)
    manifests, tables = {}, {}
    for dataset in catalogue.datasets:
        name, current = dataset.name, fingerprint(dataset, catalogue)
        if content.fingerprints[name] != current:
            raise SelectionError(
                f"{out / layout.SELECTION}: {name} was selected by other code or settings; run hnl select again"
            )
        manifests[name], tables[name] = merging.merge(out, name, content.units[name], current)
        closure.check_complete(name, content.files[name], manifests[name])
    found = content.files, content.units, content.sum_w, content.partial, content.taken
    return Selection(out, catalogue, *found, manifests, tables)
