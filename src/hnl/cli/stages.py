"""The stages of the search, one command each, and `hnl run` for all of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from hnl import layout, lineage, locking, stages
from hnl.cli import inference
from hnl.cli.app import app
from hnl.cli.kept import figures_of, is_kept, tell_figures
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
from hnl.terminal import EventRate, err_console, note, out_console, progress_bar

if TYPE_CHECKING:
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
) -> None:
    """Select candidates: NanoAOD -> OUT/candidates (parquet), OUT/cutflow.json.

    A candidate has one prompt lepton, one nonprompt lepton, its jet and its secondary vertex (Tables 1 and 2 of the
    paper). Files that were done before with the same settings and code are not read again.
    """
    how = How(executor, workers, scheduler, cluster, cluster_config)
    with locking.held(output, note):
        _select(catalogue, output, how, allow_partial, checksum)


@app.command()
def histogram(output: OutArgument) -> None:
    """Fill histograms: OUT/candidates -> OUT/histograms.root, OUT/histograms.json."""
    with locking.held(output, note):
        _histogram(_at(output))


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
        _train(_at(output), tune, device, workers, brief=False)


@app.command()
def score(
    output: OutArgument,
    models: Annotated[
        Path | None, typer.Option(help="Folder of models trained elsewhere. [default: OUT/models]", show_default=False)
    ] = None,
) -> None:
    """Score the candidates: OUT/candidates, OUT/models -> OUT/scores."""
    with locking.held(output, note):
        _score(_at(output), models, brief=False)


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
        _abcd(_at(output), unblind, thresholds, full=full)


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
        at = _at(output)
        at.selection = _select(catalogue, output, how, allow_partial, checksum)
        if not is_kept(at, stages.HISTOGRAM, {}):
            _histogram(at)
        figures, notes = [], []
        estimate = any(dataset.kind == "signal" for dataset in at.selection.catalogue.datasets)
        limits = False
        if estimate:
            if not is_kept(at, stages.TRAIN, {"tune": 0, "device": "cpu"}):
                _train(at, 0, "cpu", workers, brief=True)
            if not is_kept(at, stages.SCORE, {}):
                _score(at, None, brief=True)
            if not is_kept(at, stages.ABCD, _of_abcd(unblind, thresholds), [thresholds] if thresholds else []):
                _abcd(at, unblind, thresholds, brief=True)
            notes += inference.in_run(at, workers)
            limits = not notes
            made_by = (stages.TRAIN, stages.ABCD, *((stages.LIMITS, stages.FIT) if limits else ()))
            figures += [figure for stage in made_by for figure in figures_of(at, stage)]
        else:
            notes.append("no signal sample in the catalogue: no classifier and no background estimate")
            out_console.print(notes[0])
        _report(at, figures, notes, estimate=estimate, limits=limits)


def _at(output: Path) -> "Run":
    from hnl.stages.run import Run

    return Run(output)


def _select(catalogue: Path, output: Path, how: How, allow_partial: bool, checksum: bool) -> Any:
    with lineage.stage(output, stages.SELECT, [catalogue]) as noted, progress_bar("files", EventRate()) as progress:
        task = progress.add_task("select", total=None, events=0, all_events=0, visible=False)

        def plan(units: Sequence[Any]) -> None:
            all_events = sum(unit.stop - unit.start for unit in units)
            progress.update(task, total=len(units), all_events=all_events, visible=True)

        def advance(unit: Any) -> None:
            progress.update(task, advance=1, events=progress.tasks[task].fields["events"] + unit.stop - unit.start)

        selection = stages.SELECT.run(
            catalogue,
            output,
            how=how,
            allow_partial=allow_partial,
            checksum=checksum,
            on_plan=plan,
            on_unit=advance,
            on_note=note,
        )
        noted.kept += [output / layout.SELECTION, output / layout.CUTFLOW]
    print_selection(selection)
    return selection


def _histogram(at: "Run") -> Any:
    with lineage.stage(at.out, stages.HISTOGRAM):
        histograms = stages.HISTOGRAM.run(at)
    for name in stages.HISTOGRAM.products:
        out_console.print(f"histograms:  {at.out / name}", soft_wrap=True)
    return histograms


def _train(at: "Run", tune: int, device: str, workers: int | None, *, brief: bool) -> Any:
    from hnl.ml.training import Settings
    from hnl.report import learning_tables

    settings = {"tune": tune, "device": device}
    with lineage.stage(at.out, stages.TRAIN, settings=settings) as noted, progress_bar("models") as progress:
        task = progress.add_task("train", total=None, visible=False)
        trained = stages.TRAIN.run(
            at,
            settings=Settings(device=device),
            tune=tune,
            workers=workers,
            on_plan=lambda models: progress.update(task, total=models, visible=True),
            on_model=lambda _: progress.update(task, advance=1),
        )
        folder = at.out / layout.MODELS
        noted.kept += [path for name in trained.reused for path in sorted(folder.glob(f"{name}[._]*"))]
        tell_figures(noted, trained.figures)
    if trained.reused:
        note(f"{len(trained.reused)} of {len(trained.metrics)} classifiers are trained already with these candidates")
    tables = learning_tables.of_training(trained)
    for table in tables[:1] if brief else tables:
        out_console.print(table)
    for name, reason in trained.skipped.items():
        out_console.print(f"no training {name}: {reason}", soft_wrap=True)
    out_console.print(f"models:      {folder}", soft_wrap=True)
    return trained


def _score(at: "Run", models: Path | None, *, brief: bool) -> None:
    from hnl.report import learning_tables

    elsewhere = sorted(models.glob("*.json")) if models else []
    settings = {"models": str(models)} if models else {}
    with lineage.stage(at.out, stages.SCORE, elsewhere, settings):
        counts = stages.SCORE.run(at, models_folder=models)
    if not brief:
        out_console.print(learning_tables.of_scores(counts))
    out_console.print(f"scores:      {at.out / layout.SCORES}", soft_wrap=True)


def _of_abcd(unblind: bool, thresholds: Path | None) -> dict[str, Any]:
    return {"unblind": unblind, "thresholds": thresholds and str(thresholds)}


def _abcd(at: "Run", unblind: bool, thresholds: Path | None, *, full: bool = False, brief: bool = False) -> Any:
    with lineage.stage(at.out, stages.ABCD, [thresholds] if thresholds else [], _of_abcd(unblind, thresholds)) as noted:
        result = stages.ABCD.run(at, unblind=unblind, thresholds=thresholds)
        tell_figures(noted, result.figures)
    for table in result.rich_tables(full=full, only=("yields", "closure") if brief else ()):
        out_console.print(table)
    if result.hidden:
        out_console.print(f"[bold yellow]{result.hidden}[/]")
    out_console.print(f"background:  {at.out / layout.ABCD}", soft_wrap=True)
    return result


def _report(at: "Run", figures: Sequence[Any], notes: Sequence[str], *, estimate: bool, limits: bool) -> None:
    settings = {"estimate": estimate, "limits": limits, "notes": list(notes)}
    if not is_kept(at, stages.REPORT, settings):
        with lineage.stage(at.out, stages.REPORT, settings=settings) as noted:
            _, lines = stages.REPORT.run(at, figures, estimate=estimate, limits=limits, notes=notes)
            noted.told["lines"] = lines
    out_console.print(f"report:      {at.out / layout.REPORT}", soft_wrap=True)
    for line in lineage.told(at.out, stages.REPORT)["lines"]:
        out_console.print(line, soft_wrap=True, markup=False, highlight=False)


def print_selection(selection: Any) -> None:
    """Unweighted events after each requirement, by process, and where the products are."""
    from hnl.report import certification
    from hnl.report.page import cutflow_by_process

    processes, rows = cutflow_by_process(selection)
    table = Table("requirement (paper, Table 2)", *processes, title="events after each requirement")
    for column in table.columns[1:]:
        column.justify = "right"
    for stage, counts in rows:
        table.add_row(stage, *(str(count) for count in counts))
    out_console.print(table)
    for warning in certification.warnings(selection):
        note(f"warning: {warning}")
    if selection.partial:
        err_console.print(f"[bold yellow]partial result:[/] {len(selection.partial)} files were left out:")
        for reason in selection.partial:
            err_console.print(f"  {reason}", markup=False, soft_wrap=True)
    out_console.print(f"candidates:  {selection.folder / layout.CANDIDATES}", soft_wrap=True)
    out_console.print(f"cutflow:     {selection.folder / layout.CUTFLOW}", soft_wrap=True)
