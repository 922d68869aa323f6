"""What is said of datasets that were taken as candidates (docs/catalogue.md)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for types only: report does not run the selection
    from hnl.processors.selection_files import Taken

SHOWN = 8  # modules named in a warning


def told(taken: Mapping[str, "Taken"]) -> list[str]:
    """What was taken, a sentence for the datasets of each folder that were made at one time, data apart."""
    groups: dict[tuple[str, str, str, bool], list[str]] = {}
    for name, one in taken.items():
        groups.setdefault((one.folder, one.hnl, one.time, one.data), []).append(name)
    result = []
    for (folder, version, time, data), names in groups.items():
        files, events = (sum(getattr(taken[name], field) for name in names) for field in ("files", "events"))
        result.append(
            f"{', '.join(names)}: taken as candidates made by hnl {version} at {time} from {files:,} files, "
            f"{events:,} {'events' if data else 'generated events'} ({folder})"
        )
    return result


def warnings(taken: Mapping[str, "Taken"]) -> list[str]:
    """A sentence for the datasets that other code has made, by what has changed."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, one in taken.items():
        if one.changed:
            groups.setdefault(tuple(one.changed), []).append(name)
    return [
        f"candidates of {', '.join(names)} were made by other code; changed since: {', '.join(changed[:SHOWN])}"
        + (f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else "")
        for changed, names in groups.items()
    ]
