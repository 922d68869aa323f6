"""`hnl fit` and `hnl limits`: from the background estimate to what is excluded."""

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hnl import lineage, locking
from hnl.cli.app import app
from hnl.cli.kept import is_kept
from hnl.cli.options import JsonOption, OutArgument, WorkersOption, at_output, signal_samples
from hnl.cli.shown import say_shown, show
from hnl.errors import InputError
from hnl.terminal import note, print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hnl.inference.displaced.scan_results import ScanSettings
    from hnl.report.tables import Table
    from hnl.stages import limits as limits_stage
    from hnl.stages import strengths as strengths_stage
    from hnl.stages.fitted import Fitted
    from hnl.stages.run import Run

ScaleOption = Annotated[
    float | None,
    typer.Option(
        "--scale-to",
        metavar="LUMINOSITY",
        help="Expected results only: project simulated background to this luminosity (/fb) in place of data.",
        show_default=False,
    ),
]
ClosureOption = Annotated[
    bool,
    typer.Option(
        "--correlated-closure/--uncorrelated-closure",
        help="One closure parameter for all bins of a category, or one for each bin; the paper does not say.",
    ),
]
TOYS = 10_000  # of a search of your own; those of the displaced one are in its settings
LEADING = 10  # impacts that are printed, the largest first
SeedOption = Annotated[int, typer.Option(help="Of the toys.")]


class MethodName(StrEnum):
    """As `inference.methods`, which takes long to load."""

    lhc = "lhc"
    hybrid = "hybrid"
    asymptotic = "asymptotic"


class OptionError(InputError):
    """An option does not suit the search."""


@app.command()
def fit(
    output: OutArgument,
    sample: Annotated[
        list[str] | None,
        typer.Option(
            help="Signal dataset to be fitted; may be repeated. [default: the best of each coupling]",
            autocompletion=signal_samples,
        ),
    ] = None,
    scale_to: ScaleOption = None,
    correlated_closure: ClosureOption = True,
    toys: Annotated[int, typer.Option(min=0, help="Of the goodness of fit, 0 for none.")] = 0,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Fit the model of section 8: OUT/abcd -> OUT/fit (pulls, impacts, goodness of fit, fitted yields).

    While region A is blinded, what the sidebands predict is fitted, and every product says that it is expected.
    """
    with locking.held(output, note):
        at = at_output(output)
        chosen: dict[str, Any] = {"samples": sample or [], "toys": toys, "seed": seed}
        if has_own_models(at, ("--scale-to", scale_to), ("--uncorrelated-closure", not correlated_closure)):
            result = _fit(at, chosen)
        else:
            result = _fit(at, chosen | {"luminosity": scale_to, "correlated": correlated_closure})
        shown = show(at)
    if as_json:
        _print_json(result.tables, refused=result.content.refused)
        return
    for table in result.tables:
        print_table(table.text(LEADING if table.name.startswith("impacts_") else None))
    for name, reason in result.content.refused.items():
        say(f"no fit of {name}: {reason}")
    say(f"fits:        {result.folder}")
    say_shown(shown)


@app.command()
def limits(
    output: OutArgument,
    coupling: Annotated[
        list[str] | None,
        typer.Option(help="'e', 'mu', 'mixed', or |V_e|²:|V_mu|²:|V_tau|², such as 1:2:0; may be repeated."),
    ] = None,
    nature: Annotated[list[str] | None, typer.Option(help="'majorana' or 'dirac'; may be repeated.")] = None,
    mass: Annotated[
        list[float] | None,
        typer.Option(help="m_N in GeV, simulated or between simulated ones; may be repeated.", show_default=False),
    ] = None,
    step: Annotated[
        float,
        typer.Option(help="Without --mass: multiples of this (GeV) are scanned between simulated masses, 0: none."),
    ] = 1.0,
    scale_to: ScaleOption = None,
    lowest: Annotated[float | None, typer.Option(help="|V|^2 where the scan begins ... [default: settings]")] = None,
    highest: Annotated[float | None, typer.Option(help="... and ends. [default: settings]")] = None,
    grid: Annotated[
        int | None, typer.Option(min=1, help="Points per decade of the coarse grid. [default: settings]")
    ] = None,
    correlated_closure: ClosureOption = True,
    method: Annotated[
        MethodName | None,
        typer.Option(
            help="Of CLs: toys of q~, fast toys of A, or formulas, which are too low for few events. "
            "[default: settings; lhc]",
        ),
    ] = None,
    toys: Annotated[
        int | None, typer.Option(min=1, help="Hybrid toys, by which lhc begins. [default: settings]")
    ] = None,
    seed: SeedOption = 1,
    workers: WorkersOption = None,
    sample: Annotated[
        list[str] | None, typer.Option(help="Of a search of your own: the model; may be repeated. [default: all]")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Exclude |V|^2 at 95 % CLs (section 8): OUT/abcd -> OUT/limits (JSON, CSV, HEPData, models).

    All of a curve is by one method, and every product names it; what the others say is beside it.

    Scans |V|^2 at each mass with reweighted samples (section 3). Between simulated masses, acceptances are
    interpolated, and every product says so. By default: all couplings and natures, the simulated masses, whole GeV
    between them, and the masses of Table 5. Samples without the true decay length of N give a limit on the signal
    strength at their generated lifetime in place of a scan. Masses scanned before with the same inputs and settings
    are kept. An edge beyond what the samples describe is called open, and no number is given for it.
    """
    from hnl.corrections import couplings
    from hnl.inference.displaced import settings as limit_settings
    from hnl.report.displaced import limit_files

    displaced_only = (
        ("--coupling", coupling), ("--nature", nature), ("--mass", mass), ("--step", step != 1.0),
        ("--scale-to", scale_to), ("--lowest", lowest), ("--highest", highest), ("--grid", grid),
        ("--uncorrelated-closure", not correlated_closure), ("--workers", workers),
    )  # fmt: skip
    with locking.held(output, note):
        at = at_output(output)
        if has_own_models(at, *displaced_only):
            own = {"method": method or MethodName.lhc, "toys": toys or TOYS}
            strengths = _strengths(at, {"samples": sample or [], **own, "seed": seed})
            shown = show(at, workers)
            if as_json:
                _print_json([strengths.table])
                return
            print_table(strengths.table.text())
            say(f"limits:      {strengths.folder}")
            say_shown(shown)
            return
        if sample:
            raise OptionError(
                "--sample names a model of a search of your own; the displaced one has --mass and --coupling"
            )
        options = {"lowest": lowest, "highest": highest, "per_decade": grid, "method": method, "toys": toys}
        settings = limit_settings.scan(at.selection.catalogue, correlated=correlated_closure, seed=seed, **options)
        scenarios = [couplings.named(text) for text in coupling] if coupling else None
        chosen = {"coupling": scenarios, "nature": nature, "mass": mass, "step": step, "scale_to": scale_to}
        result = _limits(at, settings, workers, **chosen)
        shown = show(at, workers)
    if as_json:
        _print_json([result.table, result.comparison, result.strengths], not_scanned=result.content.not_scanned)
        return
    comparison, strengths_table = limit_files.narrow(result.comparison), limit_files.by_signal(result.strengths)
    for table in (limit_files.main_rows(result.table), comparison, strengths_table):
        if table.records:
            print_table(table.text())
    say(f"limits:      {result.folder}")
    say_shown(shown)


def _print_json(tables: "Sequence[Table]", **more: object) -> None:
    """All tables with all their entries."""
    print_json({"tables": {table.name: table.with_units() for table in tables}, **more})


def has_own_models(at: "Run", *displaced_only: tuple[str, object]) -> bool:
    """Whether the search gives its models by name, so that options of the displaced search are refused.

    Raises:
        OptionError: names the option.
    """
    if at.analysis.models is None:
        return False
    if given := [option for option, value in displaced_only if value]:
        raise OptionError(f"{given[0]} is an option of the displaced search, not of '{at.analysis.title}'")
    return True


def _strengths(at: "Run", chosen: dict[str, Any]) -> "strengths_stage.Result":
    stage = at.analysis.stage("limits")
    with lineage.stage(at.out, stage, settings=chosen), progress_bar("models") as progress:
        task = progress.add_task("limits", total=None, visible=False)
        result: strengths_stage.Result = stage.run(
            at,
            **chosen,
            on_plan=lambda number: progress.update(task, total=number, visible=number > 0),
            on_model=lambda _: progress.update(task, advance=1),
        )
    return result


def _fit(at: "Run", chosen: dict[str, Any]) -> "Fitted":
    stage = at.analysis.stage("fit")
    with lineage.stage(at.out, stage, settings=chosen):
        result: Fitted = stage.run(at, **chosen)
    return result


def _limits(at: "Run", settings: "ScanSettings", workers: int | None, **chosen: Any) -> "limits_stage.Result":
    noted_settings = {"scan": asdict(settings), **chosen}
    stage = at.analysis.stage("limits")
    with lineage.stage(at.out, stage, settings=noted_settings) as noted, progress_bar("masses") as progress:
        task = progress.add_task("limits", total=None, visible=False)

        def advance(_: object) -> None:
            progress.update(task, advance=1)
            if progress.tasks[task].finished:
                progress.add_task("limits at generated points", total=None)  # a full bar would look as if it hung

        result: limits_stage.Result = stage.run(
            at,
            couplings=chosen.get("coupling") or (),
            natures=chosen.get("nature") or (),
            masses=chosen.get("mass") or (),
            step=chosen.get("step", 0.0),
            luminosity=chosen.get("scale_to"),
            settings=settings,
            workers=workers,
            on_plan=lambda number: progress.update(task, total=number, visible=number > 0),
            on_mass=advance,
        )
        noted.kept += result.points
    if result.reused:
        note(f"{result.reused} masses are scanned already with these inputs")
    if left := result.content.not_scanned:
        note("not scanned: " + "; ".join(left[:3]) + (f"; and {len(left) - 3} others" if len(left) > 3 else ""))
    for remark in result.content.remarks:
        note(remark)
    if left := result.content.left_out:
        note(f"not used, since others of their mass have the true decay length of N: {', '.join(left)}")
    return result


def limits_in_run(at: "Run", workers: int | None) -> str:
    """Limits as `hnl run` makes them, by hybrid toys: a first look. Or why there are none.

    All couplings and simulated masses, Majorana; of a search with models of its own all of them.
    """
    if at.analysis.models is not None:
        settings = {"samples": [], "method": MethodName.hybrid, "toys": TOYS, "seed": 1}
        if not is_kept(at, at.analysis.stage("limits"), settings):
            print_table(_strengths(at, settings).table.text())
        return ""
    from hnl.inference.displaced import settings as limit_settings
    from hnl.inference.displaced.inputs import NoBackgroundError

    scan, chosen = limit_settings.first_look(at.selection.catalogue), {"nature": ["majorana"]}
    try:
        if not is_kept(at, at.analysis.stage("limits"), {"scan": asdict(scan), **chosen}):
            _limits(at, scan, workers, **chosen)
    except NoBackgroundError as error:
        return f"no limits: {error}"
    return ""


def fit_in_run(at: "Run") -> str:
    """Fits as `hnl run` makes them: the best sample of each coupling; or why there are none."""
    from hnl.inference.displaced.inputs import NoBackgroundError

    settings: dict[str, Any] = {"samples": [], "toys": 0, "seed": 1}
    if at.analysis.models is None:
        settings |= {"luminosity": None, "correlated": True}
    try:
        if not is_kept(at, at.analysis.stage("fit"), settings):
            _fit(at, settings)
    except NoBackgroundError as error:
        return f"no limits: {error}"
    return ""
