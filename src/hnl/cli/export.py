"""`hnl export`."""

from pathlib import Path
from typing import Annotated

import typer

from hnl.cli.app import app
from hnl.cli.options import OutArgument, UnblindOption
from hnl.datasets.variations import NOMINAL
from hnl.terminal import say


@app.command()
def export(
    output: OutArgument,
    file: Annotated[Path, typer.Argument(help="FILE.root (RNTuple) or FILE.parquet.", show_default=False)],
    dataset: Annotated[
        list[str] | None, typer.Option(help="A dataset or kind, such as signal; repeatable. [default: all]")
    ] = None,
    variation: Annotated[str, typer.Option(help="Of jet energies: nominal, the name of one, or all.")] = NOMINAL,
    unblind: UnblindOption = False,
) -> None:
    """Write candidates with scores and final weights into one file, for ROOT, uproot and other tools."""
    from hnl.output import Output

    written = Output(output).export(file, dataset or None, variation=variation, blinded=not unblind)
    say(f"{written} candidates: {file}")
