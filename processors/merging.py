"""Putting the manifests of many work units together, one after the other: there may be a hundred thousand."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from hnl.processors import parts
from hnl.processors.cutflow import Counts
from hnl.processors.manifests import Manifest, Tables

EMPTY = Tables({}, {})


def merge(folder: Path, dataset: str, unit_names: Iterable[str], fingerprint: str) -> tuple[list[Manifest], Tables]:
    """The manifests of a dataset's work units.

    Args:
        folder: output folder.
        dataset: its name.
        unit_names: of all its work units; sums are taken in this order.
        fingerprint: that they must have.

    Returns:
        The manifests, their tables empty; and the sum of these tables.

    Raises:
        PartError: one is missing, or was made by other code or settings.
    """
    manifests = []
    total = Tables({}, {})
    for name in unit_names:
        manifest = parts.manifest(folder, dataset, name, fingerprint)
        if manifest is None:
            raise parts.PartError(f"{folder}: the part {name} of {dataset} is missing; run hnl select again")
        add(total.cutflow, manifest.tables.cutflow)
        add(total.n_minus_one, manifest.tables.n_minus_one)
        manifests.append(replace(manifest, tables=EMPTY))
    return manifests, total


def add(total: Counts, part: Counts) -> None:
    """Adds the counts of a part to a total, which becomes another one; the part stays as it is."""
    for stage, groups in part.items():
        sums = total.setdefault(stage, {})
        for group, counts in groups.items():
            if (so_far := sums.get(group)) is None:
                sums[group] = dict(counts)
            else:
                for name, value in counts.items():
                    so_far[name] += value
