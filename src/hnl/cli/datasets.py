"""`hnl datasets`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from hnl import layout
from hnl.cli.app import app
from hnl.cli.options import CatalogueArgument
from hnl.errors import InputError
from hnl.terminal import out_console

datasets_app = typer.Typer(no_args_is_help=True, help="Look at catalogues and the files they name.")
app.add_typer(datasets_app, name="datasets")


@datasets_app.command("check")
def datasets_check(
    catalogue: CatalogueArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            show_default=False,
            help="Remember what the files hold, so that hnl select -o OUT opens only those that have changed since.",
        ),
    ] = None,
    catalogue_only: Annotated[
        bool, typer.Option("--catalogue-only", help="Look at the catalogue alone: its files need not be there yet.")
    ] = False,
) -> None:
    """Validate a catalogue, open every file in it, and look up every correction that it names.

    Prints a table: entries, NanoAOD version, how l2 finds its vertex, generated events, what is missing. Exit status
    2 if any file cannot be used.
    """
    from hnl.datasets import catalogue as catalogues
    from hnl.datasets import files, remarks
    from hnl.datasets.index import Index, inspect_all
    from hnl.processors import planning

    known = catalogues.load(catalogue, files_needed=not catalogue_only)
    if catalogue_only:
        _say([f"eras: {len(known.eras)}, datasets: {len(known.datasets)}", *remarks.on_catalogue(known)])
        return
    planning.check_corrections(known)
    table = Table("dataset", "file", "entries", "NanoAOD", "vertex of l2", "generated", "status")
    usable, bad = [], 0
    index = Index(output / layout.INDEX) if output else None
    for dataset, info in inspect_all(known, index):
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
    if index:
        index.save()
    out_console.print(table)
    said = remarks.on_catalogue(known)
    for dataset in known.datasets:
        said += remarks.on_files(dataset, [info for info in usable if info.path in dataset.files])
    _say(said)
    files.check_unique(usable)
    if bad:
        raise InputError(f"{bad} of {bad + len(usable)} files cannot be used, see the table")


@datasets_app.command("template")
def datasets_template(
    era: Annotated[
        str | None, typer.Argument(help="Such as 2018; without, the names of all.", show_default=False)
    ] = None,
) -> None:
    """Print a catalogue of a data-taking era of CMS to start from (docs/catalogue.md), or list them."""
    from hnl.datasets.templates import shipped

    for line in shipped.text(era).splitlines() if era else shipped.names():
        out_console.print(line, markup=False, highlight=False, soft_wrap=True)


def _say(said: Sequence[str]) -> None:
    for remark in said:
        out_console.print(f"- {remark}", markup=False, highlight=False, soft_wrap=True)
