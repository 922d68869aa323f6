"""Remarks for the user on the golden JSON of an era and its data."""

from pathlib import Path
from typing import TYPE_CHECKING

from hnl.datasets import remarks
from hnl.processors.base import CERTIFIED

if TYPE_CHECKING:  # for types only: report does not run the selection
    from hnl.processors.selection import Selection


def warnings(selection: "Selection") -> list[str]:
    """Sentences on data without a golden JSON, and on each golden JSON that certifies no event of a dataset."""
    in_vain: dict[Path, list[str]] = {}
    for dataset in selection.catalogue.datasets:
        path, cutflow = selection.catalogue.era(dataset).golden_json, selection.tables[dataset.name].cutflow
        if dataset.is_data and path and cutflow:  # there are no stages if all files were left out
            events, certified = (cutflow[stage]["all"]["events"] for stage in ("all events", CERTIFIED))
            if events and not certified:
                in_vain.setdefault(path, []).append(dataset.name)
    sentences = [f"golden JSON {path} certifies no event of {', '.join(names)}" for path, names in in_vain.items()]
    return remarks.without_golden_json(selection.catalogue) + sentences
