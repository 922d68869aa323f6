"""`hnl condor`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hnl import layout, lineage, locking, stages
from hnl.cli.app import app
from hnl.cli.examples import Commands
from hnl.cli.options import CatalogueArgument, ChecksumOption, FolderArgument, JsonOption, OutOption, PartialOption
from hnl.cli.stages import print_selection
from hnl.terminal import TextTable, note, print_json, print_table, say

if TYPE_CHECKING:
    from hnl.condor.batch import Submission

condor_app = typer.Typer(cls=Commands, no_args_is_help=True, help="Select on an HTCondor pool (docs/scale_out.md).")
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
def condor_resubmit(output: FolderArgument) -> None:
    """Take in what came back, and submit again only what is missing."""
    from hnl.condor import batch

    with locking.held(output, note):
        _report(batch.resubmit(output, on_note=note))


@condor_app.command("status")
def condor_status(output: FolderArgument, as_json: JsonOption = False) -> None:
    """Tell how far the jobs are, and why some failed or are held. Writes nothing."""
    from hnl.condor import batch

    state = batch.state(output)
    if as_json:
        print_json({**asdict(state), "missing": state.missing})
        return
    numbers = {"collected": state.collected, "came back": state.returned, "missing": state.missing}
    print_table(TextTable("", ("work units", "number"), [(name, f"{number:,}") for name, number in numbers.items()]))
    for file, reason in state.failures.items():
        say(f"failed: {file}: {reason}")
    if state.queue is None:
        say("The queue cannot be asked from here: see condor_q.")
        return
    jobs = ", ".join(f"{number} {name}" for name, number in state.queue.states.items())
    say(f"jobs in the queue: {jobs or 'none'}")
    for item, reason in state.queue.held.items():
        say(f"held: job {item}: {reason}")


@condor_app.command("collect")
def condor_collect(output: FolderArgument, allow_partial: PartialOption = False, as_json: JsonOption = False) -> None:
    """Verify what the jobs brought back, and finish the selection as hnl select does."""
    from hnl.condor import batch

    work = output / layout.WORK
    with locking.held(output, note), lineage.stage(output, stages.SELECT, [work]) as noted:
        selection = batch.collect(output, allow_partial=allow_partial, on_note=note)
        noted.stage = selection.analysis.stage("select")
        noted.kept += [output / layout.SELECTION, output / layout.CUTFLOW]
    print_selection(selection, as_json=as_json)


@condor_app.command("job", hidden=True)
def condor_job(item: Annotated[Path, typer.Argument(metavar="ITEM.json")]) -> None:
    """Process one item in this folder: what the job script calls."""
    from hnl.condor import job as batch_job

    raise typer.Exit(batch_job.run(item))


def _report(submission: "Submission") -> None:
    say(f"jobs:        {submission.items} for {submission.units} work units")
    say(f"described:   {submission.folder}")
    if submission.cluster is not None:
        say(f"submitted:   cluster {submission.cluster}")
    elif submission.items:
        say(f"to submit:   {submission.command}")
