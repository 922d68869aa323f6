"""Stage `k0s`: NanoAOD and classifiers -> the scores of K0S decays in data and simulation (section 5, Fig. 6)."""

from collections.abc import Callable, Sequence
from pathlib import Path

from hnl import executors, layout, records
from hnl.errors import HNLError
from hnl.executors import ExecutionOptions
from hnl.inference.displaced import k0s
from hnl.inference.displaced.k0s_results import K0SFile
from hnl.ml import learning, models
from hnl.ml.displaced import trainings
from hnl.ml.models import Classifier
from hnl.ml.sample import TrainingSource
from hnl.processors import selection as selections
from hnl.processors.displaced import k0s_inputs
from hnl.processors.displaced.k0s_inputs import K0SError, K0SJob, UnitResult
from hnl.processors.selection import Selection
from hnl.stages.run import Run


def run(
    at: Run,
    *,
    models_folder: Path | None = None,
    workers: int | None = None,
    on_plan: Callable[[int], None] = lambda units: None,
    on_unit: Callable[[], None] = lambda: None,
) -> K0SFile:
    """Selects K0S candidates, scores them, and compares data with simulation: OUT/k0s/k0s.json.

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
            broken; ClassifierError, FeatureError: no models, or of other features.
        HNLError: the selection of K0S failed on input that looked sound.
    """
    out, selection = at.out, at.selection
    folder = models_folder or out / layout.MODELS
    classifiers = _classifiers(selection, folder)
    files = k0s_inputs.usable(selection)
    jobs = k0s_inputs.jobs(selection, files.used)
    on_plan(len(jobs))
    results = _results(jobs, workers, on_unit)
    # In the order of the catalogue, whichever unit was done first.
    samples = [
        k0s_inputs.sample(selection, name, [results[job.unit.name] for job in jobs if job.unit.dataset == name])
        for name in files.used
    ]
    sources, why_unknown = _sources(selection, folder)
    content = k0s.check(selection, classifiers, samples, files.left_out, sources, why_unknown)
    records.write(out / layout.K0S_FILE, content)
    return content


def _classifiers(selection: Selection, folder: Path) -> list[Classifier]:
    """Those in a folder that are for the eras of a selection."""
    names = [one.name for one in trainings.all_of(selection.catalogue) if models.card_path(folder, one.name).is_file()]
    if not names:
        raise K0SError(
            f"{folder} has no models of the eras of {selection.folder}: run hnl train first, or name their folder"
        )
    return [models.load(folder, name) for name in names]


def _results(jobs: Sequence[K0SJob], workers: int | None, on_unit: Callable[[], None]) -> dict[str, UnitResult]:
    """By work unit."""
    results = {}
    execution = ExecutionOptions("iterative" if workers == 1 else "local", workers)
    for job, result in executors.run(k0s_inputs.process_unit, jobs, execution):
        if isinstance(result, HNLError):
            raise result
        results[job.unit.name] = result
        on_unit()
    return results


def _sources(selection: Selection, folder: Path) -> tuple[list[TrainingSource] | None, str]:
    """The datasets that the models in a folder were trained with, or why they cannot be read."""
    origin = folder.resolve().parent
    try:
        trained_with = selection if origin == selection.folder.resolve() else selections.load(origin)
    except HNLError as error:
        return None, str(error)
    return learning.load_sources(trained_with), ""
