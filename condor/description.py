"""The submit description of the jobs for HTCondor."""

from hnl.condor import wheel
from hnl.datasets.settings import Batch

JOB_SCRIPT, LOCK_FILE, LOG_FOLDER, RETURNED_FOLDER = "job.sh", "requirements.lock", "logs", "returned"
TRANSFERRED = "transferred"

# Exit status of a job, as in sysexits.h.
DONE, BAD_INPUT, FAILED, TRY_AGAIN, WRONG_ENVIRONMENT = 0, 65, 70, 75, 78

# Names of attributes of a job in the queue, for HTCondor's constraints.
SUBMISSION, ITEM = "HnlSubmission", "HnlItem"


def hold_reason() -> str:
    """A ClassAd expression with the reason why a job is held."""
    words = {
        BAD_INPUT: "an input file cannot be used",
        FAILED: "the selection failed",
        WRONG_ENVIRONMENT: "the Python of the job is not that of the submission",
    }
    inner = '"the job died"'
    for code, text in words.items():
        inner = f'ifThenElse(ExitCode =?= {code}, "{text}", {inner})'
    return f'strcat({inner}, ": hnl condor status OUT names the file")'


def text(batch: Batch, submission: str, queue_file: str) -> str:
    """The submit description.

    Args:
        batch: settings of the batch system.
        submission: unique name of the submission.
        queue_file: file with one line per job: its item, and its input files beside those of all jobs.
    """
    python = batch.python or ("python3" if batch.container else "lock")
    common = [wheel.NAME] + ([LOCK_FILE] if python == "lock" else [])
    returned = {"transfer_output_files": '""'}
    if batch.output == TRANSFERRED:
        returned = {
            "transfer_output_files": "$(item).zip",
            "transfer_output_remaps": f'"$(item).zip = {RETURNED_FOLDER}/$(item).zip"',
        }
    commands: dict[str, str] = {
        "universe": "container" if batch.container else "vanilla",
        **({"container_image": batch.container} if batch.container else {}),
        "executable": JOB_SCRIPT,
        "arguments": f"$(item) {wheel.NAME} {python}",
        "should_transfer_files": "YES",
        "when_to_transfer_output": "ON_EXIT",
        "transfer_input_files": ", ".join([*common, "$(inputs)"]),
        **returned,
        "output": f"{LOG_FOLDER}/$(item).out",
        "error": f"{LOG_FOLDER}/$(item).err",
        "log": f"{LOG_FOLDER}/jobs.log",
        "request_cpus": str(batch.cpus),
        "request_memory": f"{batch.memory} MB",
        "request_disk": f"{batch.disk} MB",
        # Only temporary failures are tried again. Other failures are held in the queue until somebody looks.
        "max_retries": str(batch.retries),
        "retry_until": f"ExitCode =!= {TRY_AGAIN}",
        "on_exit_hold": f"ExitCode =!= {DONE} && ExitCode =!= {TRY_AGAIN}",
        "on_exit_hold_reason": hold_reason(),
        f"MY.{SUBMISSION}": f'"{submission}"',
        f"MY.{ITEM}": '"$(item)"',
    }
    if batch.x509_proxy:
        commands["use_x509userproxy"] = "true"
    if batch.oauth_services:
        commands["use_oauth_services"] = ", ".join(batch.oauth_services)
    commands |= batch.commands
    lines = [f"{name} = {value}" for name, value in commands.items()]
    return "\n".join([*lines, f"queue item, inputs from {queue_file}", ""])
