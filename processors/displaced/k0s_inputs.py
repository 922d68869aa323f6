"""The K0S candidates of a finished selection: which files take part, a work unit of them, and their weights."""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import hist
import numpy as np
from coffea.processor import accumulate
from numpy.typing import NDArray

from hnl.datasets import files, nanoaod
from hnl.datasets.catalogue import Catalogue, Dataset, Era
from hnl.datasets.files import FileInfo, WorkUnit
from hnl.datasets.variations import NOMINAL
from hnl.errors import HNLError, InputError
from hnl.processors.cutflow import Counts
from hnl.processors.displaced.k0s import K0SProcessor
from hnl.processors.rows import Candidates, ordered

if TYPE_CHECKING:  # what was selected is taken as it is
    from hnl.processors.selection import Selection

KINDS = {True: "data", False: "simulation"}  # by `Dataset.is_data`
# Corrections of an era that K0S do not have: efficiencies of nonprompt leptons and tracks are no pion's, and those of
# the muons of the Z do not shape the score. Our choice.
OF_LEPTONS = ("trigger", "prompt", "nonprompt", "tracking")

UnitResult = dict[str, Any]  # see `K0SProcessor.process`, of one dataset


class K0SError(InputError):
    """The check cannot be done with these files, or with these models."""


class NoParticlesError(K0SError):
    """No file of data, or of simulation, keeps the particles of jets."""


@dataclass(frozen=True)
class K0SFiles:
    """The files of each dataset that takes part, and the reason why each other dataset does not."""

    used: dict[str, list[FileInfo]]
    left_out: dict[str, str]


@dataclass(frozen=True)
class K0SJob:
    """A work unit with all that a worker needs to know."""

    unit: WorkUnit
    catalogue: Catalogue  # of this unit's dataset alone


@dataclass(frozen=True)
class K0SSample:
    """The K0S candidates of one dataset.

    Attributes:
        dataset: what they are of.
        candidates: n, sorted by run, luminosity section and event.
        weights: expected events, with the corrections of events alone; 1 for data; (n,).
        cutflow: counts after each requirement, with generator weights.
        masses: of vertices around the K0S mass, in expected events, without corrections.
    """

    dataset: Dataset
    candidates: Candidates
    weights: NDArray[np.float64]
    cutflow: Counts
    masses: hist.Hist


def usable(selection: "Selection") -> K0SFiles:
    """The data and background that are recorded with single-muon triggers, and whose files keep the particles of jets.

    Args:
        selection: names the files; each is opened again, for its branches.

    Raises:
        NoParticlesError: with the reason for each dataset.
        K0SError: the catalogue has no data, or no simulation, with muon triggers; or a file has changed.
        FileError: a file is broken.
    """
    catalogue = selection.catalogue
    chosen = [dataset for dataset in catalogue.datasets if _has_z(dataset, catalogue.era(dataset))]
    for is_data, kind in KINDS.items():
        if not any(dataset.is_data == is_data for dataset in chosen):
            raise K0SError(f"the catalogue has no {kind} with single-muon triggers, so no Z -> mu mu to take K0S from")
    result = K0SFiles({}, {})
    for dataset in chosen:
        if dataset.candidates:
            result.left_out[dataset.name] = "it was taken as candidates: its files are not read"
            continue
        if not selection.files[dataset.name]:
            result.left_out[dataset.name] = "the selection has no file of it"
            continue
        infos = []
        for known in selection.files[dataset.name]:
            info = _inspected(selection, dataset, known)
            if lacking := [branch for branch in nanoaod.PARTICLES if branch not in info.branches]:
                reason = f"{info.path} does not keep the particles of jets: no {', '.join(lacking)}"
                result.left_out[dataset.name] = reason
                break
            infos.append(info)
        else:
            result.used[dataset.name] = infos
    for is_data, kind in KINDS.items():
        names = [dataset.name for dataset in chosen if dataset.is_data == is_data]
        if result.used.keys().isdisjoint(names):
            reasons = [f"dataset {name}: {result.left_out[name]}" for name in names]
            raise NoParticlesError(
                f"no file of {kind} can be used: the tracks of a K0S are found among the particles of jets\n"
                + "\n".join(reasons)
            )
    return result


def _has_z(dataset: Dataset, era: Era) -> bool:
    """Whether Z -> mu mu are expected in a dataset: data or background, recorded with single-muon triggers."""
    return dataset.kind != "signal" and "muon" in dataset.triggers and bool(era.triggers.muon)


def _inspected(selection: "Selection", dataset: Dataset, known: Mapping[str, Any]) -> FileInfo:
    """What a selected file (`known`) holds, with the particles of jets."""
    needs = replace(selection.analysis.needs, optional=nanoaod.PION_DETAILS)
    era = selection.catalogue.era(dataset)
    info = files.inspect(known["path"], dataset, era, selection.catalogue.remote, needs)
    if info.uuid != known["uuid"]:
        raise K0SError(f"{info.path} is not the file that was selected from; run hnl select again")
    return info


def jobs(selection: "Selection", used: Mapping[str, Sequence[FileInfo]]) -> list[K0SJob]:
    """A job for each work unit of the files of some datasets, in their order."""
    catalogue = selection.catalogue
    return [
        K0SJob(unit, catalogue.alone(catalogue.dataset(name)))
        for name, infos in used.items()
        for info in infos
        for unit in files.work_units(name, info)
    ]


def process_unit(job: K0SJob) -> UnitResult | HNLError:
    """Reads and selects one work unit. Never raises: a worker's error must reach the user as a sentence."""
    try:
        events = files.events(job.unit, job.catalogue.remote)
        result: UnitResult = K0SProcessor(job.catalogue).process(events)[job.unit.dataset]
        return result
    except HNLError as error:
        return error
    except Exception as error:
        failed = HNLError(f"{job.unit.file.path}: the selection of K0S failed: {type(error).__name__}: {error}")
        failed.add_note(traceback.format_exc())
        return failed


def sample(selection: "Selection", name: str, results: Sequence[UnitResult]) -> K0SSample:
    """The K0S candidates of a dataset with their weights.

    Args:
        selection: of the same files; gives their weights.
        name: of the dataset.
        results: of `process_unit`, in the order of the work units: sums depend on it in the last digits.
    """
    total = accumulate(results)
    weighing = without_lepton_corrections(selection)
    dataset = weighing.catalogue.dataset(name)
    candidates = ordered({column: values.value for column, values in total["candidates"].items()})
    return K0SSample(
        dataset,
        candidates,
        weighing.weights(dataset, candidates)[NOMINAL],
        total["cutflow"],
        total["masses"] * selection.scale(dataset),
    )


def without_lepton_corrections(selection: "Selection") -> "Selection":
    """The selection with corrections of events alone: none `OF_LEPTONS`, and no weights of a user, whose columns K0S do
    not have."""
    eras = {
        name: era.model_copy(update={"corrections": era.corrections.model_copy(update=dict.fromkeys(OF_LEPTONS))})
        for name, era in selection.catalogue.eras.items()
    }
    return replace(selection, catalogue=selection.catalogue.model_copy(update={"eras": eras, "weights": ()}))
