"""`hnl run`: all stages of a search, in their order. What is as before is kept."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hnl import locking
from hnl.cli import inference
from hnl.cli import stages as commands
from hnl.cli.app import app
from hnl.cli.kept import is_kept
from hnl.cli.options import (
    CatalogueArgument,
    ChecksumOption,
    ClusterConfigOption,
    ClusterOption,
    ExecutorOption,
    JsonOption,
    OutOption,
    PartialOption,
    SchedulerOption,
    ThresholdsOption,
    UnblindOption,
    WorkersOption,
    at_output,
)
from hnl.cli.shown import say_shown, show, states
from hnl.executors import ExecutionOptions
from hnl.terminal import err_console, note, print_json, print_table, say, without_results

if TYPE_CHECKING:
    from hnl.stages.run import Run

NO_SIGNAL = "no signal sample in the catalogue: no classifier and no background estimate"


@dataclass(frozen=True)
class Options:
    """Of `hnl run`, for the stages after the selection."""

    unblind: bool
    thresholds: Path | None
    workers: int | None


@app.command()
def run(
    catalogue: CatalogueArgument,
    output: OutOption,
    executor: ExecutorOption = "local",
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    cluster: ClusterOption = None,
    cluster_config: ClusterConfigOption = None,
    allow_partial: PartialOption = False,
    checksum: ChecksumOption = False,
    unblind: UnblindOption = False,
    thresholds: ThresholdsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a whole search: for the displaced one select, histogram, train, score, abcd, limits, fit, plot, report.

    Stages whose inputs, settings and code are as they were are kept. Without a signal sample in the catalogue there is
    nothing to train; the displaced search then ends with the histograms.
    """
    execution = ExecutionOptions(executor, workers, scheduler, cluster, cluster_config)
    options = Options(unblind, thresholds, workers)
    # What stages print on their way is no part of a document, nor of the result.
    with locking.held(output, note), without_results(as_json or err_console.quiet):
        at = at_output(output)
        at.selection = commands.select_events(catalogue, output, execution, allow_partial, checksum)
        commands.print_cutflow(at.selection)
        at.set_blinding(unblind=unblind)
        has_signal = any(dataset.kind == "signal" for dataset in at.selection.catalogue.datasets)
        wanted = [stage for stage in at.analysis.stages if stage.in_run and stage.name in IN_RUN]
        notes = {}
        for stage in wanted:
            reason = NO_SIGNAL if stage.wants_signal and not has_signal else IN_RUN[stage.name](at, options)
            if reason:
                notes[stage.name] = reason
        for sentence in dict.fromkeys(notes.values()):
            say(sentence)
        shown = show(at, 1 if executor == "iterative" else workers, notes, always=True)
    if as_json:
        found = states(output, at.analysis.stages)
        print_json({"result": shown and shown.lines, "notes": notes, "stages": [asdict(state) for state in found]})
        return
    if shown:
        say("")
        for line in shown.lines:
            say(line)
    say_shown(shown)


def _histogram(at: "Run", _: Options) -> str:
    if not is_kept(at, at.analysis.stage("histogram"), {}):
        commands.make_histograms(at)
    return ""


def _train(at: "Run", options: Options) -> str:
    from hnl.report import learning_tables

    if not is_kept(at, at.analysis.stage("train"), {"tune": 0, "device": "cpu"}):
        trained = commands.train_classifiers(at, 0, "cpu", options.workers)
        print_table(learning_tables.performance(trained.metrics, trained.skipped, trained.left_out))
    return ""


def _score(at: "Run", _: Options) -> str:
    if not is_kept(at, at.analysis.stage("score"), {}):
        commands.score_candidates(at, None)
    return ""


def _abcd(at: "Run", options: Options) -> str:
    unblind, thresholds = options.unblind, options.thresholds
    settings = commands.settings_of_abcd(unblind, thresholds)
    if not is_kept(at, at.analysis.stage("abcd"), settings, [thresholds] if thresholds else []):
        for table in commands.estimate_background(at, unblind, thresholds).text_tables(brief=True):
            print_table(table)
    return ""


# What is done at each stage, unless it is kept: '' or why there is no result.
IN_RUN: dict[str, Callable[["Run", Options], str]] = {
    "histogram": _histogram,
    "train": _train,
    "score": _score,
    "abcd": _abcd,
    "limits": lambda at, options: inference.limits_in_run(at, options.workers),
    "fit": lambda at, _: inference.fit_in_run(at),
}
