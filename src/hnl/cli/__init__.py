"""The command `hnl`: one subcommand for each stage, `run` for all of them."""

import signal
import sys
import traceback

from rich.text import Text

from hnl import provenance
from hnl.cli import condor, datasets, export, inference, k0s, physics, run, simulate, stages, state  # noqa: F401  (add their commands)
from hnl.cli.app import app
from hnl.errors import HNLError
from hnl.terminal import err_console

INTERRUPTED = 130


def main() -> None:
    """Entry point: errors become one paragraph on stderr and an exit status."""
    debug = "--debug" in sys.argv
    provenance.used.clear()  # of a command before it in the same process
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
