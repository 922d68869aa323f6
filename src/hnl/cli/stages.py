"""The stages of the search, one command each, and `hnl run` for all of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from hnl import lineage, locking
from hnl.cli import inference
from hnl.cli.app import app
from hnl.cli.options import (
    CatalogueArgument,
    ChecksumOption,
    ClusterConfigOption,
    ClusterOption,
    ExecutorOption,
    OutArgument,
    OutOption,
    PartialOption,
    SchedulerOption,
    ThresholdsOption,
    UnblindOption,
    WorkersOption,
)
from hnl.executors import How
from hnl.terminal import EventRate, err_console, note, print_table, progress_bar, say


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
) -> None:
    """Select candidates: NanoAOD -> OUT/candidates (parquet), OUT/cutflow.json.

    A candidate has one prompt lepton, one nonprompt lepton, its jet and its secondary vertex (Tables 1 and 2 of the
    paper). Files that were done before with the same settings and code are not read again.
    """
    how = How(executor, workers, scheduler, cluster, cluster_config)
    with locking.held(output, note):
        selection = _select(catalogue, output, how, allow_partial, checksum)
    print_selection(selection)


@app.command()
def histogram(output: OutArgument) -> None:
    """Fill histograms: OUT/candidates -> OUT/histograms.root, OUT/histograms.json."""
    with locking.held(output, note):
        _histogram(output)
    from hnl.pipeline import histogramming

    for name in histogramming.FILES:
        say(f"histograms:  {output / name}")


@app.command()
def train(
    output: OutArgument,
    tune: Annotated[int, typer.Option(min=0, help="Trials of optuna for the hyper-parameters, 0 for none.")] = 0,
    device: Annotated[str, typer.Option(help="'cpu' or 'cuda'.")] = "cpu",
    workers: WorkersOption = None,
) -> None:
    """Train the classifiers (section 5): OUT/candidates -> OUT/models, and how good they are.

    One for each flavour of l2 and each mass hypothesis, three models each; no event is scored by a model that saw it.
    Models made before from the same candidates with the same settings and code are kept.
    """
    with locking.held(output, note):
        trained = _train(output, tune, device, workers)
    from hnl.pipeline import learning_tables

    for table in learning_tables.of_training(trained):
        print_table(table)
    say(f"models:      {output / 'models'}")


@app.command()
def score(
    output: OutArgument,
    models: Annotated[
        Path | None, typer.Option(help="Folder of models trained elsewhere. [default: OUT/models]", show_default=False)
    ] = None,
) -> None:
    """Score the candidates: OUT/candidates, OUT/models -> OUT/scores."""
    with locking.held(output, note):
        counts = _score(output, models)
    from hnl.pipeline import learning_tables

    print_table(learning_tables.of_scores(counts))
    say(f"scores:      {output / 'scores'}")


@app.command()
def abcd(
    output: OutArgument,
    unblind: UnblindOption = False,
    thresholds: ThresholdsOption = None,
    full: Annotated[bool, typer.Option("--full", help="Print every bin.")] = False,
) -> None:
    """Estimate the background (section 6): OUT/scores -> OUT/abcd (histograms, tables), and check the estimate.

    Region A of the signal selection is hidden for data until --unblind is given.
    """
    with locking.held(output, note):
        result = _abcd(output, unblind, thresholds)
    for table in result.text_tables(full=full):
        print_table(table)
    if result.hidden:
        say(result.hidden, "bold yellow")
    say(f"background:  {output / 'abcd'}")


@app.command()
def run(
    catalogue: CatalogueArgument,
    output: OutOption,
    executor: ExecutorOption = "local",
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    cluster: ClusterOption = None,
    cluster_config: ClusterConfigOption = None,
    allow_partial: PartialOption = False,
    checksum: ChecksumOption = False,
    unblind: UnblindOption = False,
    thresholds: ThresholdsOption = None,
) -> None:
    """Run the whole search: select, histogram, train, score, abcd, limits, fit, report.

    Without a signal sample in the catalogue there is nothing to train; the search then ends with the histograms.
    """
    how = How(executor, workers, scheduler, cluster, cluster_config)
    with locking.held(output, note):
        selection = _select(catalogue, output, how, allow_partial, checksum)
        print_cutflow(selection)
        histograms = _histogram(output)
        figures, notes, hidden, found = [], [], "", None
        if any(dataset.kind == "signal" for dataset in selection.catalogue.datasets):
            from hnl.pipeline import learning_tables

            trained = _train(output, 0, "cpu", workers)
            print_table(learning_tables.performance(trained))
            _score(output, None)
            background = _abcd(output, unblind, thresholds)
            for table in background.text_tables(brief=True):
                print_table(table)
            figures += trained.figures
            figures += background.figures
            hidden = background.hidden
            found, drawn, missing = inference.in_run(output, workers)
            figures += drawn
            notes += missing
        else:
            notes.append("no signal sample in the catalogue: no classifier and no background estimate")
            say(notes[0])
        _report(output, selection, histograms, figures, hidden, found, notes)


def _select(catalogue: Path, output: Path, how: How, allow_partial: bool, checksum: bool) -> Any:
    from hnl.pipeline import selection as stage

    with lineage.stage(output, "select", [catalogue]), progress_bar("files", EventRate()) as progress:
        task = progress.add_task("select", total=None, events=0, all_events=0, visible=False)

        def plan(units: Sequence[Any]) -> None:
            all_events = sum(unit.stop - unit.start for unit in units)
            progress.update(task, total=len(units), all_events=all_events, visible=bool(units))

        def advance(unit: Any) -> None:
            progress.update(task, advance=1, events=progress.tasks[task].fields["events"] + unit.stop - unit.start)

        return stage.select(
            catalogue,
            output,
            how=how,
            allow_partial=allow_partial,
            checksum=checksum,
            on_plan=plan,
            on_unit=advance,
            on_note=note,
        )


def _histogram(output: Path) -> Any:
    from hnl.pipeline import histogramming

    with lineage.stage(output, "histogram", [output / "selection.json"]):
        return histogramming.histogram(output)


def _train(output: Path, tune: int, device: str, workers: int | None) -> Any:
    from hnl.ml.training import Settings
    from hnl.pipeline import learning

    inputs = [output / "selection.json"]
    with lineage.stage(output, "train", inputs) as noted, progress_bar("models") as progress:
        task = progress.add_task("train", total=None, visible=False)
        trained = learning.train(
            output,
            settings=Settings(device=device),
            tune=tune,
            workers=workers,
            on_plan=lambda models: progress.update(task, total=models, visible=models > 0),
            on_model=lambda _: progress.update(task, advance=1),
        )
        noted.kept += [path for name in trained.reused for path in sorted((output / "models").glob(f"{name}[._]*"))]
    if trained.reused:
        note(f"{len(trained.reused)} of {len(trained.metrics)} classifiers are trained already with these candidates")
    for name, reason in trained.skipped.items():
        note(f"no training {name}: {reason}")
    return trained


def _score(output: Path, models: Path | None) -> Any:
    from hnl.pipeline import learning

    cards = sorted((models or output / "models").glob("*.json"))
    with lineage.stage(output, "score", [output / "selection.json", *cards]):
        return learning.score(output, models_folder=models)


def _abcd(output: Path, unblind: bool, thresholds: Path | None) -> Any:
    from hnl.pipeline import abcd as stage

    inputs = [output / "selection.json", *sorted((output / "scores").glob("*.parquet"))]
    with lineage.stage(output, "abcd", inputs + ([thresholds] if thresholds else [])):
        return stage.abcd(output, unblind=unblind, thresholds=thresholds)


def _report(
    output: Path, selection: Any, histograms: Any, more: Sequence[Any], hidden: str, limits: Any, notes: Sequence[str]
) -> None:
    from hnl import report
    from hnl.pipeline import figures, summary

    made = ["selection.json", "histograms.json"]
    made += (["abcd/abcd.json"] if more else []) + (["limits/limits.json"] if limits else [])
    with lineage.stage(output, "report", [output / name for name in made]):
        drawn = [*figures.of_distributions(output, histograms, selection.catalogue), *more]
        lines = summary.lines(selection, hidden, limits, notes, len(drawn))
        path = report.write(selection, lines, drawn)
    say("")
    for line in lines:
        say(line)
    say(f"the report is {path}")


def print_cutflow(selection: Any) -> None:
    """Unweighted events after each requirement, and the files that were left out."""
    from hnl.pipeline import certification, cutflow

    print_table(cutflow.table(selection))
    for warning in certification.warnings(selection):
        note(f"warning: {warning}")
    if selection.partial:
        err_console.print(f"[bold yellow]partial result:[/] {len(selection.partial)} files were left out:")
        for reason in selection.partial:
            note(f"  {reason}")


def print_selection(selection: Any) -> None:
    """The cutflow, and where the products are."""
    from hnl.pipeline.selection import CUTFLOW_FILE

    print_cutflow(selection)
    say(f"candidates:  {selection.folder / 'candidates'}")
    say(f"cutflow:     {selection.folder / CUTFLOW_FILE}")
