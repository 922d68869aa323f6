"""The application that every module of this package adds its commands to."""

from typing import Annotated

import typer

from hnl import __version__
from hnl.cli.examples import Commands
from hnl.terminal import out_console

ANYWHERE = "Options of every command"

app = typer.Typer(
    name="hnl",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="""Search for [bold]long-lived heavy neutral leptons[/bold]: from NanoAOD to exclusion limits.

    The model is the CMS search EXO-21-011: W -> l1 N, N -> l2 q q', a prompt
    lepton l1, and a nonprompt lepton l2 in a jet and in a secondary vertex.

    [bold]hnl run[/bold] does all of it. Every stage is a command as well, and reads what
    those before left in the output folder OUT. The same command goes on with
    a run that was interrupted, or failed.

    There is no public data with HNLs: [bold]hnl demo[/bold] searches in simulated samples,
    [bold]hnl simulate[/bold] makes others.

    Exit status: 0 all went well, 1 failed, 2 the input was bad, 130 interrupted.
    """,
)


def _version(value: bool) -> None:
    if value:
        out_console.print(f"hnl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            help="No notes and no progress: the result on stdout, errors on stderr.",
            rich_help_panel=ANYWHERE,
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=ANYWHERE)
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Options for all commands; `main` looks for these two itself, wherever they stand."""
