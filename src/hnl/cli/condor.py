"""`hnl condor`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from hnl import layout, lineage, locking, stages
from hnl.cli.app import app
from hnl.cli.options import CatalogueArgument, ChecksumOption, OutArgument, OutOption, PartialOption
from hnl.cli.stages import print_selection
from hnl.terminal import note, out_console

condor_app = typer.Typer(no_args_is_help=True, help="Select on an HTCondor pool (docs/scale_out.md).")
app.add_typer(condor_app, name="condor")


@condor_app.command("submit")
def condor_submit(
    catalogue: CatalogueArgument,
    output: OutOption,
    allow_partial: PartialOption = False,
    checksum: ChecksumOption = False,
) -> None:
    """Describe the selection as jobs in OUT/condor, and submit them.

    The block 'batch' of the catalogue says what a job needs (docs/catalogue.md). Without HTCondor's Python bindings
    or a schedd on this machine, the command that submits is printed instead.
    """
    from hnl.condor import batch

    with locking.held(output, note):
        _report(batch.submit(catalogue, output, allow_partial=allow_partial, checksum=checksum))


@condor_app.command("resubmit")
def condor_resubmit(output: OutArgument) -> None:
    """Take in what came back, and submit again only what is missing."""
    from hnl.condor import batch

    with locking.held(output, note):
        _report(batch.resubmit(output, on_note=note))


@condor_app.command("status")
def condor_status(output: OutArgument) -> None:
    """Tell how far the jobs are, and why some failed or are held. Writes nothing."""
    from hnl.condor import batch

    state = batch.state(output)
    table = Table("work units", "number")
    table.columns[1].justify = "right"
    for name, number in (("collected", state.collected), ("came back", state.returned), ("missing", state.missing)):
        table.add_row(name, str(number))
    out_console.print(table)
    for file, reason in state.failures.items():
        out_console.print(f"failed: {file}: {reason}", markup=False, soft_wrap=True)
    if state.queue is None:
        out_console.print("The queue cannot be asked from here: see condor_q.")
        return
    jobs = ", ".join(f"{number} {name}" for name, number in state.queue.states.items())
    out_console.print(f"jobs in the queue: {jobs or 'none'}")
    for item, reason in state.queue.held.items():
        out_console.print(f"held: job {item}: {reason}", markup=False, soft_wrap=True)


@condor_app.command("collect")
def condor_collect(output: OutArgument, allow_partial: PartialOption = False) -> None:
    """Verify what the jobs brought back, and finish the selection as hnl select does."""
    from hnl.condor import batch

    work = output / layout.WORK
    with locking.held(output, note), lineage.stage(output, stages.SELECT, [work]):
        selection = batch.collect(output, allow_partial=allow_partial, on_note=note)
    print_selection(selection)


@condor_app.command("job", hidden=True)
def condor_job(item: Annotated[Path, typer.Argument(metavar="ITEM.json")]) -> None:
    """Process one item in this folder: what the job script calls."""
    from hnl.condor import job as batch_job

    raise typer.Exit(batch_job.run(item))


def _report(submission: Any) -> None:
    out_console.print(f"jobs:        {submission.items} for {submission.units} work units", soft_wrap=True)
    out_console.print(f"described:   {submission.folder}", soft_wrap=True)
    if submission.cluster is not None:
        out_console.print(f"submitted:   cluster {submission.cluster}")
    elif submission.items:
        out_console.print(f"to submit:   {submission.command}", soft_wrap=True)
