"""Stage `k0s`: NanoAOD and classifiers -> the scores of K0S decays in data and simulation (section 5, Fig. 6)."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import hist
import numpy as np
from coffea.processor import accumulate

from hnl import executors, layout, provenance
from hnl.corrections.normalisation import SCORE_UNCERTAINTY
from hnl.datasets import files, nanoaod
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.datasets.files import FileInfo, WorkUnit
from hnl.datasets.variations import NOMINAL
from hnl.errors import HNLError, InputError
from hnl.executors import ExecutionOptions
from hnl.histograms.displaced import k0s as histograms
from hnl.ml import learning, models, sample
from hnl.ml.displaced import k0s as ml
from hnl.ml.displaced import trainings
from hnl.ml.models import Model
from hnl.plots.displaced import k0s as plots
from hnl.processors import selection as selections
from hnl.processors.displaced.k0s import MASS_AXIS, K0SProcessor
from hnl.processors.rows import Candidates, ordered
from hnl.processors.selection import Selection
from hnl.stages.run import Run

FORMAT = 1  # of k0s.json; raised when its meaning changes


class K0SError(InputError):
    """The check cannot be done with these files, or with these models."""


class NoParticlesError(K0SError):
    """No file of data, or of simulation, keeps the particles of jets."""


@dataclass(frozen=True)
class Checked:
    """What `run` leaves behind: the content of k0s.json, and (title, PNG) of each figure."""

    content: dict[str, Any]
    figures: list[tuple[str, Path]]


@dataclass(frozen=True)
class _Job:
    unit: WorkUnit
    catalogue: Catalogue  # of this unit's dataset alone


@dataclass(frozen=True)
class _Found:
    """The K0S of one dataset."""

    dataset: Dataset
    candidates: Candidates
    weights: np.ndarray
    cutflow: Mapping[str, Any]
    masses: hist.Hist  # weighted as the candidates, but for corrections
    group: str


def run(
    at: Run,
    *,
    models_folder: Path | None = None,
    workers: int | None = None,
    on_plan: Callable[[int], None] = lambda units: None,
    on_unit: Callable[[], None] = lambda: None,
) -> Checked:
    """Selects K0S candidates, scores them, and compares data with simulation: OUT/k0s/k0s.json and figures.

    Takes all datasets of kind data and background that are recorded with single-muon triggers and whose files keep the
    particles of jets; the others are named. The files are read again.

    Args:
        at: with a finished selection.
        models_folder: of another output folder; OUT/models by default.
        workers: number of processes, all cores by default.
        on_plan: told how many work units there are.
        on_unit: told whenever one is done.

    Raises:
        InputError: no finished selection; NoParticlesError, K0SError: the check is not possible; FileError: a file is
            broken; ModelError, FeatureError: no models, or of other features.
        HNLError: the selection of K0S failed on input that looked sound.
    """
    out, selection = at.out, at.selection
    folder = models_folder or out / layout.MODELS
    wanted = [one for one in trainings.all_of(selection.catalogue) if models.card_path(folder, one.name).is_file()]
    if not wanted:
        raise K0SError(f"{folder} has no models of the eras of {out}: run hnl train first, or name their folder")
    ready = [models.load(folder, one.name) for one in wanted]
    infos, left_out = _usable(selection)
    found = _select(selection, infos, workers, on_plan, on_unit)
    origin, why_not = _origin(selection, folder)
    content: dict[str, Any] = {
        "format": FORMAT,
        "trainings": {model.training.name: _compare(model, found, origin) for model in ready},
        "information": why_not,
        "table_4": SCORE_UNCERTAINTY,
        "masses": _masses(found),
        "cutflow": {one.dataset.name: one.cutflow for one in found},
        "left_out": left_out,
        "models": {model.training.name: model.digest for model in ready},
        "partial": selection.partial,
        "provenance": provenance.record(),
    }
    provenance.write_json(out / layout.K0S_FILE, content)
    return Checked(content, plots.draw_all(content, out / layout.K0S))


def _usable(selection: Selection) -> tuple[dict[str, list[FileInfo]], dict[str, str]]:
    """The files of each dataset that takes part, and why each other one does not.

    Raises:
        NoParticlesError: with the reason for each dataset.
        K0SError: the catalogue has no data, or no simulation, with muon triggers; or a file has changed.
    """
    infos: dict[str, list[FileInfo]] = {}
    left_out: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for dataset in selection.catalogue.datasets:
        era = selection.catalogue.era(dataset)
        if dataset.kind == "signal" or "muon" not in dataset.triggers or not era.triggers.muon:
            continue
        kind = "data" if dataset.is_data else "simulation"
        kinds[dataset.name] = kind
        group = []
        for known in selection.files[dataset.name]:
            needs = replace(selection.analysis.needs, optional=nanoaod.PION_DETAILS)
            info = files.inspect(known["path"], dataset, era, selection.catalogue.remote, needs)
            if info.uuid != known["uuid"]:
                raise K0SError(f"{info.path} is not the file that was selected from; run hnl select again")
            if lacking := [branch for branch in nanoaod.PARTICLES if branch not in info.branches]:
                left_out[dataset.name] = f"{info.path} does not keep the particles of jets: no {', '.join(lacking)}"
                break
            group.append(info)
        else:
            infos[dataset.name] = group
    for kind in ("data", "simulation"):
        if kind not in kinds.values():
            raise K0SError(f"the catalogue has no {kind} with single-muon triggers, so no Z -> mu mu to take K0S from")
        if not any(kinds[name] == kind for name in infos):
            reasons = [f"dataset {name}: {why}" for name, why in left_out.items() if kinds[name] == kind]
            raise NoParticlesError(
                f"no file of {kind} can be used: the tracks of a K0S are found among the particles of jets\n"
                + "\n".join(reasons)
            )
    return infos, left_out


def _select(
    selection: Selection,
    infos: Mapping[str, Sequence[FileInfo]],
    workers: int | None,
    on_plan: Callable[[int], None],
    on_unit: Callable[[], None],
) -> list[_Found]:
    """The K0S of each dataset that takes part."""
    catalogue = selection.catalogue
    jobs = [
        _Job(unit, catalogue.alone(catalogue.dataset(name)))
        for name, group in infos.items()
        for info in group
        for unit in files.work_units(name, info)
    ]
    on_plan(len(jobs))
    results: dict[str, dict[str, Any]] = {}
    for job, result in executors.run(
        _process, jobs, ExecutionOptions("iterative" if workers == 1 else "local", workers)
    ):
        if isinstance(result, HNLError):
            raise result
        results[job.unit.name] = result
        on_unit()
    groups, weighing = trainings.groups(catalogue), _without_lepton_corrections(selection)
    found = []
    for name in infos:
        # In the order of the catalogue, whichever unit was done first.
        total = accumulate([results[job.unit.name] for job in jobs if job.unit.dataset == name])
        dataset = weighing.catalogue.dataset(name)
        candidates = ordered({column: values.value for column, values in total["candidates"].items()})
        found.append(
            _Found(
                dataset,
                candidates,
                weighing.weights(dataset, candidates)[NOMINAL],
                total["cutflow"],
                total["masses"] * selection.scale(dataset),
                groups[dataset.era],
            )
        )
    return found


def _process(job: _Job) -> dict[str, Any] | HNLError:
    """Reads and selects one work unit. Never raises: a worker's error must reach the user as a sentence."""
    try:
        events = files.events(job.unit, job.catalogue.remote)
        result: dict[str, Any] = K0SProcessor(job.catalogue).process(events)[job.unit.dataset]
        return result
    except HNLError as error:
        return error
    except Exception as error:
        failed = HNLError(f"{job.unit.file.path}: the selection of K0S failed: {type(error).__name__}: {error}")
        failed.add_note(traceback.format_exc())
        return failed


def _without_lepton_corrections(selection: Selection) -> Selection:
    """The selection, with corrections of events alone: efficiencies of nonprompt leptons and tracks are no pion's, and
    those of the muons of the Z do not shape the score."""
    eras = {
        name: era.model_copy(
            update={
                "corrections": era.corrections.model_copy(
                    update=dict.fromkeys(("trigger", "prompt", "nonprompt", "tracking"))
                )
            }
        )
        for name, era in selection.catalogue.eras.items()
    }
    return replace(selection, catalogue=selection.catalogue.model_copy(update={"eras": eras}))


def _compare(model: Model, found: Sequence[_Found], origin: Selection | None) -> dict[str, Any]:
    """One training: yields in bins of the score, what follows for the uncertainty, and what the score lacked."""
    mine = [one for one in found if one.group == model.training.group]
    without = ml.missing(model.features, [one.candidates for one in mine])
    scores = {one.dataset.name: ml.scores(model, one.candidates, one.dataset.name, without) for one in mine}

    def joined(*, is_data: bool) -> tuple[np.ndarray, np.ndarray]:
        chosen = [one for one in mine if one.dataset.is_data == is_data]
        return tuple(  # type: ignore[return-value]
            np.concatenate([np.empty(0), *arrays])
            for arrays in ([scores[one.dataset.name] for one in chosen], [one.weights for one in chosen])
        )

    data, _ = joined(is_data=True)
    result = histograms.compare(data, *joined(is_data=False))
    comparison = {
        name: value.tolist() if isinstance(value, np.ndarray) else _number(value)
        for name, value in asdict(result).items()
    }
    auc = _information(model, origin, without) if origin else None
    return {
        "edges": list(histograms.EDGES),
        **comparison,
        "uncertainty": result.uncertainty,
        "missing_features": list(without),
        "auc": auc,
    }


def _origin(selection: Selection, folder: Path) -> tuple[Selection | None, str]:
    """The selection that the models in a folder were trained with, or why it cannot be read."""
    if folder.resolve().parent == selection.folder.resolve():
        return selection, ""
    try:
        return selections.load(folder.resolve().parent), ""
    except HNLError as error:
        return None, str(error)


def _information(model: Model, origin: Selection, without: Sequence[str]) -> dict[str, Any]:
    built = sample.build(model.training, learning.load_sources(origin), model.features)
    full, left = ml.information(model, built, without)
    return {"all features": full._asdict(), "without the missing ones": left._asdict()}


def _masses(found: Sequence[_Found]) -> dict[str, Any]:
    """Of vertices of two tracks around the K0S, simulation scaled to data."""
    total = {is_data: hist.Hist(MASS_AXIS, storage=hist.storage.Weight()) for is_data in (True, False)}
    for one in found:
        total[one.dataset.is_data] += one.masses
    data, simulation = (total[is_data].values() for is_data in (True, False))
    scale = data.sum() / simulation.sum() if simulation.sum() > 0 else 0.0
    return {"edges": MASS_AXIS.edges.tolist(), "data": data.tolist(), "simulation": (simulation * scale).tolist()}


def _number(value: Any) -> Any:
    """JSON has no NaN."""
    return None if isinstance(value, float) and not np.isfinite(value) else value
