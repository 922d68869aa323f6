"""`hnl plot` and `hnl report`: figures and the page, of what is saved; and what other commands end with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hnl import layout, lineage, locking
from hnl.cli.app import app
from hnl.cli.options import OutArgument, WorkersOption, at_output
from hnl.report.states import DONE, NOT_RUN, STALE, StageState
from hnl.stages import Stage
from hnl.terminal import note, progress_bar, say

if TYPE_CHECKING:
    from hnl.plots.looks import Looks
    from hnl.stages import plot as plot_stage
    from hnl.stages.run import Run

SHOWING = ("plot", "report")  # stages that show what others made


@app.command()
def plot(
    output: OutArgument,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Draw these again: a figure, or as in 'limits_*'; may be repeated."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="'pdf' or 'svg', besides PNG; 'png': PNG alone. [default: pdf]"),
    ] = None,
    style: Annotated[Path | None, typer.Option(help="Style file of matplotlib, on top of ours.")] = None,
    workers: WorkersOption = None,
) -> None:
    """Draw figures from what is saved in OUT: OUT/plots and OUT/k0s.

    Only what is not as it would be drawn now: another product, style, format or code. Commands after it keep to its
    style and formats, but for those of --only.
    """
    from hnl.plots.looks import Looks
    from hnl.report.figures import NoProductsError

    looks = Looks(tuple(formats) if formats else Looks().formats, style)
    with locking.held(output, note):
        at = at_output(output)
        plotted = _plot(at, (), workers, looks=looks, only=tuple(only or ()))
        if not plotted.content.products:
            raise NoProductsError(f"{output} holds nothing that could be drawn: run hnl run first")
        _report(at, states(at.out, at.analysis.stages), {})
    for figure in plotted.drawn:
        say(f"{figure.title}: {output / figure.files[0]}")
    say(f"figures:     {_counted(plotted)}")


@app.command()
def report(output: OutArgument, workers: WorkersOption = None) -> None:
    """Write the page with everything that was found: OUT/report.html, after drawing what is not as it was.

    From saved products only. The page names what is out of date, and why. Every command that changes what it shows ends
    with this.
    """
    with locking.held(output, note):
        at = at_output(output)
        shown = show(at, workers, always=True)
    say_shown(shown)


@dataclass(frozen=True)
class Shown:
    """What `show` did.

    Attributes:
        lines: that the page begins with.
        report: the page.
        figures: what was done with them.
    """

    lines: list[str]
    report: Path
    figures: str


def say_shown(shown: Shown | None) -> None:
    """A line on the terminal, if there is a page."""
    if shown:
        say(f"report:      {shown.report} ({shown.figures})")


def show(
    at: "Run", workers: int | None = None, notes: Mapping[str, str] | None = None, *, always: bool = False
) -> Shown | None:
    """Draws what is out of date, and writes the page.

    Args:
        at: a run.
        workers: processes that draw.
        notes: why stages were not run.
        always: also if there is nothing but a selection, for which no page is needed.
    """
    of_selection = {at.out / layout.SELECTION, at.out / layout.CUTFLOW}
    if not always and set(at.analysis.stage("plot").inputs(at.out)) <= of_selection:
        return None
    states_before = states(at.out, at.analysis.stages)
    plotted = _plot(at, {state.stage for state in states_before if state.state != DONE}, workers)
    lines = _report(at, states_before, notes or {})
    return Shown(lines, at.out / layout.REPORT, _counted(plotted))


def states(out: Path, stages: Sequence[Stage]) -> list[StageState]:
    """How far the stages of a search are, but for those that show it."""
    result = []
    for stage in stages:
        if stage.name not in SHOWING:
            made = lineage.time_of(out, stage)
            reason = lineage.stale(out, stage)
            state = NOT_RUN if not made else STALE if reason else DONE
            result.append(StageState(stage.name, stage.does, state, reason if made else "", made))
    return result


def _plot(
    at: "Run",
    stale: Collection[str],
    workers: int | None,
    looks: "Looks | None" = None,
    only: tuple[str, ...] = (),
) -> "plot_stage.Plotted":
    stage = at.analysis.stage("plot")
    with lineage.stage(at.out, stage) as noted, progress_bar("products") as progress:
        task = progress.add_task("figures", total=None, visible=False)
        plotted: plot_stage.Plotted = stage.run(
            at,
            looks=looks,
            only=only,
            stale=stale,
            workers=workers,
            on_plan=lambda number: progress.update(task, total=number, visible=number > 0),
            on_product=lambda: progress.update(task, advance=1),
        )
        noted.kept += [at.out / file for figure in plotted.content.figures() for file in figure.files]
        noted.kept.append(at.out / layout.STYLE)
        progress.remove_task(task)  # the line on the report tells it
    return plotted


def _report(at: "Run", found: Sequence[StageState], notes: Mapping[str, str]) -> list[str]:
    """Writes the page. Why a stage was not run is remembered for as long as it is not."""
    stage = at.analysis.stage("report")
    known = {**lineage.told(at.out, stage).get("notes", {}), **notes}
    reasons = {one.stage: known[one.stage] for one in found if one.state == NOT_RUN and one.stage in known}
    told = [replace(one, reason=reasons.get(one.stage, one.reason)) for one in found]
    with lineage.stage(at.out, stage) as noted:
        lines: list[str] = stage.run(at, told)
        noted.told["notes"] = reasons
    return lines


def _counted(plotted: "plot_stage.Plotted") -> str:
    """What was done with figures."""
    every, drawn = len(plotted.content.figures()), len(plotted.drawn)
    parts = [f"{every} figures", f"{drawn} drawn now" if drawn else "all as before" if every else ""]
    removed = len({path.stem for path in plotted.removed})
    return ", ".join(filter(None, [*parts, f"{removed} removed" if removed else ""]))
