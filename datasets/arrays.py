"""Names for the awkward arrays of events, by shape and content. mypy, for which awkward has no types, takes any.

Arrays that are always numpy's are `NDArray` in annotations. `PerEvent` and `Mask` admit numpy's as well.
"""

from typing import TypeAlias

import awkward as ak

Events: TypeAlias = ak.Array  # [event] NanoEvents of a work unit, or some of them: collections, flags, metadata
Objects: TypeAlias = ak.Array  # [event, any number] records of one kind: leptons, jets, vertices, particles
Jagged: TypeAlias = ak.Array  # [event, any number] one number per object, such as the pt of jets
PerEvent: TypeAlias = ak.Array  # [event] one record (l1, l2, a vertex) or one number; None where an event has none
Mask: TypeAlias = ak.Array  # [event] or [event, any number] bool, aligned with the events or objects that it selects
