"""`hnl k0s`: the check of the score on data."""

from typing import TYPE_CHECKING

from hnl import layout, lineage, locking, records
from hnl.cli.app import app
from hnl.cli.options import JsonOption, ModelsOption, OutArgument, WorkersOption, at_output
from hnl.cli.shown import say_shown, show
from hnl.terminal import TextTable, note, print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from hnl.inference.displaced.k0s_results import K0SFile, ScoreComparison


@app.command()
def k0s(
    output: OutArgument,
    models: ModelsOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the score on data (section 5): K0S decays in Z -> mu mu, data and simulation -> OUT/k0s.

    The harder pion of K0S -> pi pi stands in for the displaced lepton. Needs files with the particles of jets (PFNano's
    PFCands), of data and of Z -> mu mu that were not skimmed for displaced leptons. Not a part of hnl run: docs/k0s.md.
    """
    with locking.held(output, note):
        at = at_output(output)
        stage = at.analysis.stage("k0s")
        elsewhere = sorted(models.glob("*.json")) if models else []
        settings = {"models": str(models)} if models else {}
        with lineage.stage(output, stage, elsewhere, settings), progress_bar("files") as progress:
            task = progress.add_task("k0s", total=None, visible=False)
            checked = stage.run(
                at,
                models_folder=models,
                workers=workers,
                on_plan=lambda units: progress.update(task, total=units, visible=True),
                on_unit=lambda: progress.update(task, advance=1),
            )
        shown = show(at, workers)
    if as_json:
        print_json(records.as_record(checked))
        return
    _print(checked)
    say(f"K0S check:   {output / layout.K0S}")
    say_shown(shown)


def _print(content: "K0SFile") -> None:
    """Candidates, the comparison, and what the score was made without."""
    cutflow = content.cutflow
    rows = [
        (stage, *(f"{counts[stage]['all'].events:,}" for counts in cutflow.values()))
        for stage in next(iter(cutflow.values()))
    ]
    print_table(TextTable("events", ("requirement", *cutflow), rows))
    headings = ("training", "data", "above 0.6", "data / simulation above 0.6", "uncertainty", "AUC", "of what is left")
    print_table(TextTable("score of K0S candidates", headings, [_row(*item) for item in content.trainings.items()]))
    lines = [f"{name}: no number: {row.reason}" for name, row in content.trainings.items() if row.reason]
    lines += [
        f"{name}: a pion, or its file, does not have {', '.join(row.missing_features)}: blank in data and simulation"
        for name, row in content.trainings.items()
        if row.missing_features
    ]
    lines += [f"dataset {name} takes no part: {reason}" for name, reason in content.left_out.items()]
    if content.information:
        lines.append(f"how much is left of the score is not known: {content.information}")
    used = f"{100 * content.table_4:.0f} %"
    lines.append(f"fits use {used} for the score (Table 4), or score_uncertainty of an era in the catalogue")
    for line in lines:
        say(line)


def _row(name: str, compared: "ScoreComparison") -> tuple[str, ...]:
    areas = [area.value for area in (compared.auc or {}).values()] or [None, None]
    return (
        name,
        f"{sum(compared.data):,.0f}",
        f"{sum(compared.data[-2:]):,.0f}",
        "-" if compared.ratio is None else f"{compared.ratio:.3f} +- {compared.ratio_error:.3f}",
        "-" if compared.uncertainty is None else f"{100 * compared.uncertainty:.0f} %",
        *("-" if area is None else f"{area:.4f}" for area in areas),
    )
