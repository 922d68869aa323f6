"""The command `hnl`: one subcommand for each stage, `run` for all of them."""

import signal
import sys
import traceback

import typer
from rich.text import Text
from typer.exceptions import TyperException

from hnl import provenance
from hnl.cli import condor, datasets, demo, export, inference, k0s, physics, run, shown, simulate, stages, state  # noqa: F401  (add their commands)
from hnl.cli.app import app
from hnl.errors import HNLError
from hnl.terminal import err_console, note

INTERRUPTED = 130
ANYWHERE = ("--debug", "--quiet")  # options for all commands, which may stand anywhere


def main() -> None:
    """Entry point: errors become one paragraph on stderr and an exit status."""
    anywhere = [argument for argument in sys.argv[1:] if argument in ANYWHERE]
    others = [argument for argument in sys.argv[1:] if argument not in ANYWHERE]
    debug = "--debug" in anywhere
    err_console.quiet = "--quiet" in anywhere
    provenance.used.clear()  # of a command before it in the same process
    # A batch system's SIGTERM ends a run as Ctrl-C does, also in the background: workers stop, temporary files go.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        status = app([*anywhere, *others], prog_name=app.info.name, standalone_mode=False)
    except TyperException as error:
        if sentence := _usage(error):
            _complain(sentence, debug)
        sys.exit(error.exit_code)
    except HNLError as error:
        _complain(str(error), debug)
        sys.exit(error.exit_status)
    except Exception as error:
        _complain(f"internal error: {type(error).__name__}: {error} (--debug shows where)", debug)
        sys.exit(1)
    if status == INTERRUPTED:  # typer turns Ctrl-C into it
        err_console.quiet = False
        note("interrupted")
    sys.exit(status)


def _usage(error: TyperException) -> str:
    """What is wrong with the arguments, in the style of all errors; '' if there are none, and help was printed."""
    from pydantic import ValidationError  # which typer has imported by now, if it wants it

    words = error.format_message().removesuffix(".")
    if isinstance(error.__cause__, ValidationError):
        values = [str(wrong["input"]) for wrong in error.__cause__.errors()]
        words += "".join(f", not '{value}'" for value in values if value not in words)
    context: typer.Context | None = getattr(error, "ctx", None)
    return f"{words[:1].lower()}{words[1:]}; see {context.command_path} --help" if words and context else words


def _complain(sentence: str, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    err_console.quiet = False
    err_console.print(Text.assemble(("error: ", "bold red"), sentence), soft_wrap=True)
