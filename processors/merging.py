"""Putting the manifests of many work units together, one after the other: there may be a hundred thousand."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hnl.processors import parts
from hnl.processors.cutflow import Counts
from hnl.processors.parts import TABLES


def merge(
    folder: Path, dataset: str, unit_names: Iterable[str], fingerprint: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The manifests of a dataset's work units.

    Args:
        folder: output folder.
        dataset: its name.
        unit_names: of all its work units; sums are taken in this order.
        fingerprint: that they must have.

    Returns:
        The manifests without `TABLES`; and the sum of each of the tables.

    Raises:
        PartError: one is missing, or was made by other code or settings.
    """
    facts = []
    total: dict[str, Any] = {table: {} for table in TABLES}
    for name in unit_names:
        manifest = parts.manifest(folder, dataset, name, fingerprint)
        if manifest is None:
            raise parts.PartError(f"{folder}: the part {name} of {dataset} is missing; run hnl select again")
        for table in TABLES:
            _add(total[table], manifest.pop(table))
        facts.append(manifest)
    return facts, total


def _add(total: Counts, part: Counts) -> None:
    for stage, groups in part.items():
        sums = total.setdefault(stage, {})
        for group, counts in groups.items():
            if (so_far := sums.get(group)) is None:
                sums[group] = counts
            else:
                for name, value in counts.items():
                    so_far[name] += value
