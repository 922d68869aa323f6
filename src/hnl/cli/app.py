"""The application that every module of this package adds its commands to."""

from typing import Annotated

import typer

from hnl import __version__
from hnl.stages import SELECT, Stage
from hnl.stages.displaced import REPORT, STAGES
from hnl.terminal import out_console


def _line(stage: Stage) -> str:
    """A stage in the list of the help."""
    arguments = "CATALOGUE -o OUT" if stage is SELECT else "OUT"
    return f"      [bold]hnl {stage.name}[/bold] {arguments:<{26 - len(stage.name)}} {stage.does}"


# The report is a part of `hnl run` alone.
STAGE_LINES = "\n".join(_line(stage) for stage in STAGES if stage is not REPORT)

app = typer.Typer(
    name="hnl",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    help=f"""Search for [bold]long-lived heavy neutral leptons[/bold]: from NanoAOD to exclusion limits.

    The model is the CMS search EXO-21-011: W -> l1 N, N -> l2 q q', a prompt
    lepton l1, and a nonprompt lepton l2 in a jet and in a secondary vertex. Every
    stage reads what the one before left in the output folder OUT:

      [bold]hnl datasets check[/bold] CATALOGUE    is the input sound?
{STAGE_LINES}
      [bold]hnl run[/bold] CATALOGUE -o OUT        all of it, and a report

    The same command goes on with a run that was interrupted, or failed.

      [bold]hnl status[/bold] OUT                  which files are done, missing, failed?
      [bold]hnl condor[/bold] submit, collect ...  the selection as jobs of an HTCondor pool
      [bold]hnl provenance[/bold] FILE             which inputs made this file?
      [bold]hnl compare[/bold] OUT OTHER           did two runs find the same, bit for bit?
      [bold]hnl export[/bold] OUT FILE             candidates with scores and weights, for other tools

    There is no public data with HNLs: [bold]hnl simulate[/bold] makes samples of signal and
    background, and [bold]hnl physics[/bold] tells the lifetime and cross section of an HNL.

    Exit status: 0 all went well, 1 failed, 2 the input was bad, 130 interrupted.
    """,
)


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
