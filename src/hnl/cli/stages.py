"""The stages from events to a background estimate, one command each."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hnl import layout, lineage, locking, stages
from hnl.cli.app import app
from hnl.cli.options import (
    CatalogueArgument,
    ChecksumOption,
    ClusterConfigOption,
    ClusterOption,
    ExecutorOption,
    JsonOption,
    ModelsOption,
    OutArgument,
    OutOption,
    PartialOption,
    SchedulerOption,
    ThresholdsOption,
    UnblindOption,
    WorkersOption,
    at_output,
)
from hnl.cli.shown import say_shown, show
from hnl.executors import ExecutionOptions
from hnl.terminal import EventRate, err_console, note, print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from hnl.datasets.files import WorkUnit
    from hnl.ml.learning import Trained
    from hnl.processors.selection import Selection
    from hnl.stages import abcd as abcd_stage
    from hnl.stages.run import Run


@app.command()
def select(
    catalogue: CatalogueArgument,
    output: OutOption,
    executor: ExecutorOption = "local",
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    cluster: ClusterOption = None,
    cluster_config: ClusterConfigOption = None,
    allow_partial: PartialOption = False,
    checksum: ChecksumOption = False,
    as_json: JsonOption = False,
) -> None:
    """Select candidates: NanoAOD -> OUT/candidates (parquet), OUT/cutflow.json.

    A candidate has one prompt lepton, one nonprompt lepton, its jet and its secondary vertex (Tables 1 and 2 of the
    paper). Files that were done before with the same settings and code are not read again.
    """
    execution = ExecutionOptions(executor, workers, scheduler, cluster, cluster_config)
    with locking.held(output, note):
        at = at_output(output)
        at.selection = select_events(catalogue, output, execution, allow_partial, checksum)
        shown = show(at, workers)
    print_selection(at.selection, as_json=as_json)
    if not as_json:
        say_shown(shown)


@app.command()
def histogram(output: OutArgument) -> None:
    """Fill histograms: OUT/candidates -> OUT/histograms.root, OUT/histograms.json."""
    with locking.held(output, note):
        at = at_output(output)
        make_histograms(at)
        shown = show(at)
    for name in stages.HISTOGRAM.products:
        say(f"histograms:  {output / name}")
    say_shown(shown)


@app.command()
def train(
    output: OutArgument,
    tune: Annotated[int, typer.Option(min=0, help="Trials of optuna for the hyper-parameters, 0 for none.")] = 0,
    device: Annotated[str, typer.Option(help="'cpu' or 'cuda'.")] = "cpu",
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the classifiers (section 5): OUT/candidates -> OUT/models, and how good they are.

    One for each flavour of l2 and each mass hypothesis, three models each; no event is scored by a model that saw it.
    Models made before from the same candidates with the same settings and code are kept.
    """
    with locking.held(output, note):
        at = at_output(output)
        trained = train_classifiers(at, tune, device, workers)
        shown = show(at, workers)
    if as_json:
        print_json({"trainings": trained.metrics, "skipped": trained.skipped, "left_out": trained.left_out})
        return
    from hnl.report import learning_tables

    for table in learning_tables.of_training(trained):
        print_table(table)
    say(f"models:      {output / layout.MODELS}")
    say_shown(shown)


@app.command()
def score(
    output: OutArgument,
    models: ModelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score the candidates: OUT/candidates, OUT/models -> OUT/scores."""
    with locking.held(output, note):
        at = at_output(output)
        counts = score_candidates(at, models)
        shown = show(at)
    if as_json:
        print_json(counts)
        return
    from hnl.report import learning_tables

    print_table(learning_tables.of_scores(counts))
    say(f"scores:      {output / layout.SCORES}")
    say_shown(shown)


@app.command()
def abcd(
    output: OutArgument,
    unblind: UnblindOption = False,
    thresholds: ThresholdsOption = None,
    full: Annotated[bool, typer.Option("--full", help="Print every bin.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Estimate the background (section 6): OUT/scores -> OUT/abcd (histograms, tables), and check the estimate.

    Region A of the signal selection is hidden for data until --unblind is given.
    """
    with locking.held(output, note):
        at = at_output(output)
        result = estimate_background(at, unblind, thresholds)
        if at.set_blinding(unblind=unblind) and (output / layout.HISTOGRAMS).is_file():
            make_histograms(at)
        shown = show(at)
    if as_json:
        tables = {name: table.with_units() for name, table in result.tables.items()}
        print_json({"thresholds": result.thresholds, "hidden": result.hidden, "tables": tables})
        return
    for table in result.text_tables(full=full):
        print_table(table)
    if result.hidden:
        say(result.hidden, "bold yellow")
    say(f"background:  {output / layout.ABCD}")
    say_shown(shown)


def select_events(
    catalogue: Path, output: Path, execution: ExecutionOptions, allow_partial: bool, checksum: bool
) -> "Selection":
    with lineage.stage(output, stages.SELECT, [catalogue]) as noted, progress_bar("files", EventRate()) as progress:
        task = progress.add_task("select", total=None, events=0, all_events=0, visible=False)

        def plan(units: Sequence["WorkUnit"]) -> None:
            all_events = sum(unit.stop - unit.start for unit in units)
            progress.update(task, total=len(units), all_events=all_events, visible=bool(units))

        def advance(unit: "WorkUnit") -> None:
            progress.update(task, advance=1, events=progress.tasks[task].fields["events"] + unit.stop - unit.start)

        selection: Selection = stages.SELECT.run(
            catalogue,
            output,
            execution=execution,
            allow_partial=allow_partial,
            checksum=checksum,
            on_plan=plan,
            on_unit=advance,
            on_note=note,
        )
        noted.stage = selection.analysis.stage("select")
        noted.kept += [output / layout.SELECTION, output / layout.CUTFLOW]
    return selection


def make_histograms(at: "Run") -> None:
    stage = at.analysis.stage("histogram")
    with lineage.stage(at.out, stage):
        stage.run(at)


def train_classifiers(at: "Run", tune: int, device: str, workers: int | None) -> "Trained":
    from hnl.ml.settings import Settings

    settings = {"tune": tune, "device": device}
    stage = at.analysis.stage("train")
    with lineage.stage(at.out, stage, settings=settings) as noted, progress_bar("models") as progress:
        task = progress.add_task("train", total=None, visible=False)
        trained: Trained = stage.run(
            at,
            settings=Settings.of_catalogue(at.selection.catalogue, device),
            tune=tune,
            workers=workers,
            on_plan=lambda models: progress.update(task, total=models, visible=models > 0),
            on_model=lambda _: progress.update(task, advance=1),
        )
        folder = at.out / layout.MODELS
        noted.kept += [path for name in trained.reused for path in sorted(folder.glob(f"{name}[._]*"))]
    if trained.reused:
        note(f"{len(trained.reused)} of {len(trained.metrics)} classifiers are trained already with these candidates")
    for name, reason in trained.skipped.items():
        note(f"no training {name}: {reason}")
    return trained


def score_candidates(at: "Run", models: Path | None) -> dict[str, dict[str, int]]:
    elsewhere = sorted(models.glob("*.json")) if models else []
    settings = {"models": str(models)} if models else {}
    stage = at.analysis.stage("score")
    with lineage.stage(at.out, stage, elsewhere, settings):
        counts: dict[str, dict[str, int]] = stage.run(at, models_folder=models)
    return counts


def settings_of_abcd(unblind: bool, thresholds: Path | None) -> dict[str, object]:
    return {"unblind": unblind, "thresholds": thresholds and str(thresholds)}


def estimate_background(at: "Run", unblind: bool, thresholds: Path | None) -> "abcd_stage.Result":
    stage = at.analysis.stage("abcd")
    with lineage.stage(at.out, stage, [thresholds] if thresholds else [], settings_of_abcd(unblind, thresholds)):
        result: abcd_stage.Result = stage.run(at, unblind=unblind, thresholds=thresholds)
    return result


def print_cutflow(selection: "Selection", *, as_json: bool = False) -> None:
    """Unweighted events after each requirement, and the files that were left out."""
    from hnl.report import certification, cutflow, settings, taken

    if as_json:
        print_json({"cutflow": cutflow.record(selection), "partial": selection.partial})
    else:
        print_table(cutflow.table(selection))
    if changed := settings.line(selection.catalogue):
        note(changed)
    for warning in certification.warnings(selection) + taken.warnings(selection.taken):
        note(f"warning: {warning}")
    if selection.partial:
        err_console.print(f"[bold yellow]partial result:[/] {len(selection.partial)} files were left out:")
        for reason in selection.partial:
            note(f"  {reason}")


def print_selection(selection: "Selection", *, as_json: bool = False) -> None:
    """The cutflow, and where the products are."""
    print_cutflow(selection, as_json=as_json)
    if as_json:
        return
    say(f"candidates:  {selection.folder / layout.CANDIDATES}")
    say(f"cutflow:     {selection.folder / layout.CUTFLOW}")
