"""Arguments and options that several commands have, and the run that they name."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hnl import layout
from hnl.errors import InputError
from hnl.locking import LOCK_FILE

if TYPE_CHECKING:
    from hnl.stages.run import Run


def _selected(context: typer.Context, output: Path) -> Path:
    """Refuses a folder without a selection before all of hnl is imported; but not while a shell completes it."""
    if not context.resilient_parsing and not (output / LOCK_FILE).exists():  # a run at work is told of first
        layout.finished(output)
    return output


def signal_samples(context: typer.Context) -> list[str]:
    """Names of signal datasets, for a shell that completes an option after OUT."""
    try:
        output = Path(context.params.get("output") or context.args[0])  # the option has no value yet to be parsed with
        content = json.loads(layout.finished(output).read_text(encoding="utf-8"))
        return [dataset["name"] for dataset in content["catalogue"]["datasets"] if dataset["kind"] == "signal"]
    except (InputError, OSError, ValueError, KeyError, IndexError, TypeError):
        return []


CatalogueArgument = Annotated[
    Path,
    typer.Argument(
        metavar="CATALOGUE",
        help="YAML file that says which samples exist (docs/catalogue.md).",
        show_default=False,
        exists=True,
        dir_okay=False,
    ),
]
OutOption = Annotated[
    Path, typer.Option("-o", "--output", metavar="OUT", help="Output folder, made if needed.", show_default=False)
]
OutArgument = Annotated[
    Path,
    typer.Argument(
        metavar="OUT",
        help="Output folder of an earlier hnl select or hnl run.",
        show_default=False,
        callback=_selected,
    ),
]
FolderArgument = Annotated[
    Path,
    typer.Argument(
        metavar="OUT",
        help="Output folder of a run, also of one that is not finished.",
        show_default=False,
        exists=True,
        file_okay=False,
    ),
]
ModelsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Models trained elsewhere. [default: OUT/models]",
        show_default=False,
        exists=True,
        file_okay=False,
    ),
]
ExecutorOption = Annotated[
    str,
    typer.Option(
        help="How to work: 'local' (processes on this machine), 'iterative' (this process alone) or 'dask'. "
        "For plain jobs on HTCondor see hnl condor.",
        autocompletion=lambda: ["local", "iterative", "dask"],
    ),
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Number of processes here. [default: all cores]", show_default=False)
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="dask: a scheduler that runs, such as tcp://HOST:8786.", show_default=False),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        help="dask: start workers in 'htcondor', 'slurm' or 'lsf'. [default: here]",
        show_default=False,
        autocompletion=lambda: ["htcondor", "slurm", "lsf"],
    ),
]
ClusterConfigOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="YAML: what such a worker asks for (docs/scale_out.md).",
        show_default=False,
        exists=True,
        dir_okay=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document, with numbers in full, in place of tables.")
]
ChecksumOption = Annotated[
    bool, typer.Option("--checksum", help="Verify the checksums of the catalogue before reading a file.")
]
UnblindOption = Annotated[bool, typer.Option("--unblind", help="Show region A of the signal selection for data.")]
ThresholdsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="JSON table of score thresholds, as in OUT/abcd. [default: optimised]",
        show_default=False,
        exists=True,
        dir_okay=False,
    ),
]
PartialOption = Annotated[
    bool,
    typer.Option("--allow-partial", help="Drop files that cannot be read and mark every product as partial."),
]


def at_output(output: Path) -> "Run":
    """The run in an output folder; nothing is read yet."""
    from hnl.stages.run import Run  # with all of hnl, which a command that ends in a message need not import

    return Run(output)
