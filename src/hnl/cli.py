"""The command `hnl`: one subcommand for each stage, `run` for all of them."""

import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hnl import __version__
from hnl.errors import HNLError, InputError
from hnl.terminal import EventRate, err_console, out_console, progress_bar

app = typer.Typer(
    name="hnl",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    help="""Search for [bold]long-lived heavy neutral leptons[/bold]: from NanoAOD to exclusion limits.

    The model is the CMS search EXO-21-011: W -> l1 N, N -> l2 q q', a prompt lepton l1, and a nonprompt lepton l2 in a
    jet and in a secondary vertex. Every stage reads what the one before left in the output folder OUT:

      [bold]hnl datasets check[/bold] CATALOGUE    is the input sound?
      [bold]hnl select[/bold] CATALOGUE -o OUT     NanoAOD -> candidates and cutflow
      [bold]hnl histogram[/bold] OUT               candidates -> histograms (ROOT, UHI JSON)
      [bold]hnl train[/bold] OUT                   candidates -> classifiers
      [bold]hnl score[/bold] OUT                   candidates and classifiers -> scores
      [bold]hnl abcd[/bold] OUT                    scores -> ABCD regions, background estimate and its checks
      [bold]hnl run[/bold] CATALOGUE -o OUT        all of it, and a report

    There is no public data with HNLs: [bold]hnl simulate[/bold] makes samples of signal and background.

    Exit status: 0 all went well, 1 the run failed, 2 the input was bad, 130 interrupted.
    """,
)
datasets_app = typer.Typer(no_args_is_help=True, help="Look at catalogues and the files they name.")
app.add_typer(datasets_app, name="datasets")

INTERRUPTED = 130

CatalogueArgument = Annotated[
    Path, typer.Argument(help="YAML file that says which samples exist (docs/catalogue.md).", show_default=False)
]
OutOption = Annotated[
    Path, typer.Option("-o", "--output", metavar="OUT", help="Output folder, made if needed.", show_default=False)
]
OutArgument = Annotated[
    Path, typer.Argument(metavar="OUT", help="Output folder of an earlier hnl select or hnl run.", show_default=False)
]
ExecutorOption = Annotated[
    str, typer.Option(help="How to work: 'local' (processes on this machine) or 'iterative' (this process alone).")
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Number of processes for 'local'. [default: all cores]", show_default=False)
]
UnblindOption = Annotated[bool, typer.Option("--unblind", help="Show region A of the signal selection for data.")]
ThresholdsOption = Annotated[
    Path | None,
    typer.Option(help="JSON table of score thresholds, as in OUT/abcd. [default: optimised]", show_default=False),
]
PartialOption = Annotated[
    bool,
    typer.Option("--allow-partial", help="Drop files that cannot be read and mark every product as partial."),
]


def _version(value: bool) -> None:
    if value:
        out_console.print(f"hnl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Options for all commands; `main` looks for --debug itself, since errors can come before this is called."""


@datasets_app.command("check")
def datasets_check(catalogue: CatalogueArgument) -> None:
    """Validate a catalogue and open every file in it.

    Prints a table: entries, NanoAOD version, how l2 finds its vertex, generated events, what is missing. Exit status
    2 if any file cannot be used.
    """
    from hnl.datasets import catalogue as catalogues
    from hnl.datasets import files

    table = Table("dataset", "file", "entries", "NanoAOD", "vertex of l2", "generated", "status")
    usable, bad = [], 0
    for dataset, info in files.inspect_all(catalogues.load(catalogue)):
        error = files.problem(info)
        if isinstance(info, files.FileInfo):
            generated = "-" if info.generated_events is None else str(info.generated_events)
            row = (Path(info.path).name, str(info.events), info.version, info.sv_association, generated)
        else:
            row = ("", "", "", "", "")
        table.add_row(dataset.name, *row, Text("ok", "green") if error is None else Text(str(error), "red"))
        bad += error is not None
        if error is None and isinstance(info, files.FileInfo):
            usable.append(info)
    out_console.print(table)
    files.check_unique(usable)
    if bad:
        raise InputError(f"{bad} of {bad + len(usable)} files cannot be used, see the table")


@app.command()
def select(
    catalogue: CatalogueArgument,
    output: OutOption,
    executor: ExecutorOption = "local",
    workers: WorkersOption = None,
    allow_partial: PartialOption = False,
) -> None:
    """Select candidates: NanoAOD -> OUT/candidates (parquet), OUT/cutflow.json.

    A candidate has one prompt lepton, one nonprompt lepton, its jet and its secondary vertex (Tables 1 and 2 of the
    paper). Files that were done before with the same settings and code are not read again.
    """
    _select(catalogue, output, executor, workers, allow_partial)


@app.command()
def histogram(output: OutArgument) -> None:
    """Fill histograms: OUT/candidates -> OUT/histograms.root, OUT/histograms.json."""
    _histogram(output)


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
    _train(output, tune, device, workers, brief=False)


@app.command()
def score(
    output: OutArgument,
    models: Annotated[
        Path | None, typer.Option(help="Folder of models trained elsewhere. [default: OUT/models]", show_default=False)
    ] = None,
) -> None:
    """Score the candidates: OUT/candidates, OUT/models -> OUT/scores."""
    _score(output, models, brief=False)


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
    _abcd(output, unblind, thresholds, full=full)


@app.command()
def run(
    catalogue: CatalogueArgument,
    output: OutOption,
    executor: ExecutorOption = "local",
    workers: WorkersOption = None,
    allow_partial: PartialOption = False,
    unblind: UnblindOption = False,
    thresholds: ThresholdsOption = None,
) -> None:
    """Run the whole search: select, histogram, train, score, abcd, report.

    Without a signal sample in the catalogue there is nothing to train; the search then ends with the histograms.
    """
    from hnl import report

    selection = _select(catalogue, output, executor, workers, allow_partial)
    histograms = _histogram(output)
    figures, notes = [], []
    if any(dataset.kind == "signal" for dataset in selection.catalogue.datasets):
        figures += _train(output, 0, "cpu", workers, brief=True).figures
        _score(output, None, brief=True)
        background = _abcd(output, unblind, thresholds, brief=True)
        figures += background.figures
        notes += [background.hidden] if background.hidden else []
    else:
        notes.append("no signal sample in the catalogue: no classifier and no background estimate")
        out_console.print(notes[0])
    path = report.write(selection, histograms, figures, notes)
    out_console.print(f"report:      {path}", soft_wrap=True)


@app.command()
def simulate(
    process: Annotated[str, typer.Argument(help="A process of docs/simulation.md, e.g. hnl, wjets, ttbar.")],
    events: Annotated[int, typer.Option("-n", "--events", help="Generated events, before any filter.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="ROOT file to make.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same events, on any number of workers.")] = 1,
    mass: Annotated[float | None, typer.Option(help="hnl: m_N in GeV, 1 to 20.")] = None,
    coupling: Annotated[str, typer.Option(help="hnl: 'e', 'mu' or 'mixed'.")] = "mu",
    ctau: Annotated[float | None, typer.Option(help="hnl: mean proper decay length in mm ...")] = None,
    v2: Annotated[float | None, typer.Option(help="hnl: ... or |V|^2 of each coupled flavour, which gives it.")] = None,
    nature: Annotated[str, typer.Option(help="hnl: 'majorana' or 'dirac'.")] = "majorana",
    reseeds: Annotated[int, typer.Option(help="Measure each generated event so often, 1 to 16.")] = 1,
    preselect: Annotated[
        bool, typer.Option("--preselect", help="Keep events with a prompt-like and a displaced lepton only.")
    ] = False,
    workers: WorkersOption = None,
) -> None:
    """Simulate a sample: Pythia, a parametrised detector, and a NanoAOD-like FILE.

    Needs the extra 'simulation' (pythia8mc, fastjet). What is physics in these samples, what is parametrised, and what
    must not be concluded from them: docs/simulation.md. Prints the catalogue entry of the sample.
    """
    try:
        from hnl.datasets.simulation import sample
        from hnl.datasets.simulation.signal import SignalOptions
    except ModuleNotFoundError as error:
        raise InputError(f"hnl simulate needs the extra 'simulation': {error.name} is not installed") from error
    options = None
    if mass is not None:
        options = SignalOptions(mass, coupling, ctau, v2, nature)  # type: ignore[arg-type]  # it checks the nature
    elif ctau is not None or v2 is not None:
        raise InputError("--ctau and --v2 describe an HNL, whose --mass is missing")
    request = sample.Request(process, events, seed, options, reseeds, preselect)
    with progress_bar("generated events") as progress:
        task = progress.add_task("simulate", total=events, visible=False)
        written = sample.make(
            request,
            output,
            workers=workers,
            on_start=lambda: progress.update(task, visible=True),
            on_block=lambda generated: progress.update(task, advance=generated),
        )
    out_console.print(f"{written} of {events} generated events written: {output}", soft_wrap=True)
    out_console.print(sample.catalogue_entry(request, output), markup=False, highlight=False, soft_wrap=True)


def _select(catalogue: Path, output: Path, executor: str, workers: int | None, allow_partial: bool) -> Any:
    from hnl.pipeline import selection as stage

    if executor not in ("local", "iterative"):
        raise InputError(f"no executor {executor!r}: it is 'local' or 'iterative'")
    with progress_bar("files", EventRate()) as progress:
        task = progress.add_task("select", total=None, events=0, all_events=0, visible=False)

        def plan(units: Sequence[Any]) -> None:
            all_events = sum(unit.stop - unit.start for unit in units)
            progress.update(task, total=len(units), all_events=all_events, visible=True)

        def advance(unit: Any) -> None:
            progress.update(task, advance=1, events=progress.tasks[task].fields["events"] + unit.stop - unit.start)

        selection = stage.select(
            catalogue,
            output,
            executor="iterative" if executor == "iterative" else "local",
            workers=workers,
            allow_partial=allow_partial,
            on_plan=plan,
            on_unit=advance,
        )
    _print_cutflow(selection)
    out_console.print(f"candidates:  {output / 'candidates'}", soft_wrap=True)
    out_console.print(f"cutflow:     {output / stage.CUTFLOW_FILE}", soft_wrap=True)
    return selection


def _histogram(output: Path) -> Any:
    from hnl.pipeline import histogramming

    histograms = histogramming.histogram(output)
    for name in histogramming.FILES:
        out_console.print(f"histograms:  {output / name}", soft_wrap=True)
    return histograms


def _train(output: Path, tune: int, device: str, workers: int | None, *, brief: bool) -> Any:
    from hnl.ml.training import Settings
    from hnl.pipeline import learning, learning_tables

    with progress_bar("models") as progress:
        task = progress.add_task("train", total=None, visible=False)
        trained = learning.train(
            output,
            settings=Settings(device=device),
            tune=tune,
            workers=workers,
            on_plan=lambda models: progress.update(task, total=models, visible=True),
            on_model=lambda _: progress.update(task, advance=1),
        )
    tables = learning_tables.of_training(trained)
    for table in tables[:1] if brief else tables:
        out_console.print(table)
    for name, reason in trained.skipped.items():
        out_console.print(f"no training {name}: {reason}", soft_wrap=True)
    out_console.print(f"models:      {output / 'models'}", soft_wrap=True)
    return trained


def _score(output: Path, models: Path | None, *, brief: bool) -> None:
    from hnl.pipeline import learning, learning_tables

    counts = learning.score(output, models_folder=models)
    if not brief:
        out_console.print(learning_tables.of_scores(counts))
    out_console.print(f"scores:      {output / 'scores'}", soft_wrap=True)


def _abcd(output: Path, unblind: bool, thresholds: Path | None, *, full: bool = False, brief: bool = False) -> Any:
    from hnl.pipeline import abcd as stage

    result = stage.abcd(output, unblind=unblind, thresholds=thresholds)
    for table in result.rich_tables(full=full, only=("yields", "closure") if brief else ()):
        out_console.print(table)
    if result.hidden:
        out_console.print(f"[bold yellow]{result.hidden}[/]")
    out_console.print(f"background:  {output / stage.FOLDER}", soft_wrap=True)
    return result


def _print_cutflow(selection: Any) -> None:
    """Unweighted events after each requirement, by process."""
    from hnl.report import cutflow_by_process

    processes, rows = cutflow_by_process(selection)
    table = Table("requirement (paper, Table 2)", *processes, title="events after each requirement")
    for column in table.columns[1:]:
        column.justify = "right"
    for stage, counts in rows:
        table.add_row(stage, *(str(count) for count in counts))
    out_console.print(table)
    if selection.partial:
        err_console.print(f"[bold yellow]partial result:[/] {len(selection.partial)} files were left out:")
        for reason in selection.partial:
            err_console.print(f"  {reason}", markup=False, soft_wrap=True)


def main() -> None:
    """Entry point: errors become one paragraph on stderr and an exit status."""
    debug = "--debug" in sys.argv
    # A batch system's SIGTERM ends a run as Ctrl-C does, also in the background: workers stop, temporary files go.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        app()
    except HNLError as error:
        _complain(error, debug)
        sys.exit(error.exit_status)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # typer turns Ctrl-C into it
            err_console.print("interrupted")
        raise
    except Exception as error:
        _complain(HNLError(f"internal error: {type(error).__name__}: {error} (--debug shows where)"), debug)
        sys.exit(1)


def _complain(error: HNLError, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    err_console.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)


if __name__ == "__main__":
    main()
