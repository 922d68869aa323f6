"""Names for the awkward arrays of events, by shape and content, and a check of the columns that a selection uses.

mypy, for which awkward has no types, takes any. Arrays that are always numpy's are `NDArray` in annotations.
`PerEvent` and `Mask` admit numpy's as well.
"""

from typing import TypeAlias

import awkward as ak

from hnl.errors import InputError

Events: TypeAlias = ak.Array  # [event] NanoEvents of a work unit, or some of them: collections, flags, metadata
Objects: TypeAlias = ak.Array  # [event, any number] records of one kind: leptons, jets, vertices, particles
Jagged: TypeAlias = ak.Array  # [event, any number] one number per object, such as the pt of jets
PerEvent: TypeAlias = ak.Array  # [event] one record (l1, l2, a vertex) or one number; None where an event has none
Mask: TypeAlias = ak.Array  # [event] or [event, any number] bool, aligned with the events or objects that it selects


class MissingColumnError(InputError):
    """Objects lack a column that a selection uses; the message names it, and what makes it from any NanoEvents."""


def require(objects: Objects | PerEvent, maker: str, *names: str) -> None:
    """Checks that objects have the columns that a function of `datasets.nanoaod` makes the same for all versions.

    Args:
        objects: records.
        maker: name of the function, for the message.
        names: of the columns.

    Raises:
        MissingColumnError: they lack one.
    """
    for name in names:
        if name not in objects.fields:
            raise MissingColumnError(
                f"the objects have no column {name!r}: take those of hnl.datasets.nanoaod.{maker}(events)"
            )
