"""The cutflow for a terminal: requirements as rows, and as many processes as columns as fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hnl.datasets.catalogue import Dataset
from hnl.records import Record
from hnl.report.tables import MISSING, count
from hnl.terminal import TextTable, lines, out_console

if TYPE_CHECKING:  # for types only: report does not run the selection
    from hnl.processors.selection import Selection

OTHERS = "others"


@dataclass(frozen=True)
class Group:
    """A column: the sum of the events of several datasets."""

    name: str
    kind: str
    events: dict[str, int]  # by requirement
    expected: float | None  # candidates in the luminosity after all requirements; None for several signals


def table(selection: "Selection") -> TextTable:
    """Events after each requirement, and expected events in the luminosity.

    Processes are merged until the table fits: first all signals, then the smallest backgrounds. cutflow.json has all
    numbers, by dataset and category.
    """
    groups = _groups(selection)
    luminosity = sum(era.luminosity for era in selection.catalogue.eras.values())
    text_table = _table(groups, luminosity, "")
    if _fits(text_table):
        return text_table
    signals = [group for group in groups if group.kind == "signal"]
    rest = [group for group in groups if group.kind != "signal"]
    if len(signals) > 1:
        signals = [_together(f"{len(signals)} signals", signals, expected=False)]
    backgrounds = sorted(
        (group for group in rest if group.kind == "background"), key=lambda group: group.expected or 0.0
    )
    for number in (0, *range(2, len(backgrounds) + 1)):
        small = backgrounds[:number]
        kept = [group for group in rest if group not in small]
        merged = [_together(f"{number} {OTHERS}", small, expected=True)] if small else []
        note = f"{OTHERS}: {', '.join(group.name for group in rest if group in small)}" if small else ""
        text_table = _table([*kept, *merged, *signals], luminosity, note)
        if _fits(text_table):
            break
    return text_table


def record(selection: "Selection") -> list[Record]:
    """The whole table, with a record for each process."""
    return [
        {"process": group.name, "kind": group.kind, "events": group.events, "weighted_in_luminosity": group.expected}
        for group in _groups(selection)
    ]


def by_process(selection: "Selection") -> tuple[list[str], list[tuple[str, dict[str, int], float | None]]]:
    """The requirements, and of each process its name, events after each of them, and candidates in the luminosity."""
    groups = _groups(selection)
    stages = dict.fromkeys(stage for group in groups for stage in group.events)
    return list(stages), [(group.name, group.events, group.expected) for group in groups]


def _fits(text_table: TextTable) -> bool:
    heading, rows = lines(text_table, out_console.width, breaks=False)
    return max(map(len, heading + rows)) <= out_console.width


def _groups(selection: "Selection") -> list[Group]:
    """One group per process: data first, then backgrounds, then signals, in the order of the catalogue."""
    datasets = selection.catalogue.datasets
    keys = dict.fromkeys((dataset.kind, dataset.process) for dataset in datasets)
    result = []
    for kind in ("data", "background", "signal"):
        for key in (key for key in keys if key[0] == kind):
            members = [_group(selection, dataset) for dataset in datasets if (dataset.kind, dataset.process) == key]
            result.append(_together(key[1], members, expected=True))
    return result


def _group(selection: "Selection", dataset: Dataset) -> Group:
    flow = {stage: counts["all"] for stage, counts in selection.tables[dataset.name].cutflow.items()}
    last = list(flow.values())[-1]["sum_w"] if flow else 0.0
    expected = last * selection.scale(dataset) if last else 0.0
    return Group(dataset.process, dataset.kind, {stage: int(row["events"]) for stage, row in flow.items()}, expected)


def _together(name: str, groups: Sequence[Group], *, expected: bool) -> Group:
    stages = dict.fromkeys(stage for group in groups for stage in group.events)
    events = {stage: sum(group.events.get(stage, 0) for group in groups) for stage in stages}
    total = sum(group.expected or 0.0 for group in groups) if expected else None
    return Group(name, groups[0].kind, events, total)


def _table(groups: Sequence[Group], luminosity: float, note: str) -> TextTable:
    stages = dict.fromkeys(stage for group in groups for stage in group.events)
    rows = [[stage, *(count(group.events.get(stage, 0)) for group in groups)] for stage in stages]
    expected = (MISSING if group.expected is None else count(group.expected) for group in groups)
    rows.append([f"weighted, {luminosity:g}/fb", *expected])
    headings = ["requirement", *(group.name for group in groups)]
    return TextTable("Events after each requirement, and weighted after all", headings, rows, note)
