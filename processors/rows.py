"""Rows of candidates: their order, which are those of a variation, and which event they are of."""

import numpy as np
from numpy.typing import NDArray

Candidates = dict[str, np.ndarray]  # by column
EVENT = ("run", "luminosity_block", "event")  # what identifies one
KEY = ("dataset", *EVENT, "variation")  # of files: no two rows have the same
GENERATED_EVENT = ("run", "luminosity_block", "generator_event")  # the same for all its re-simulations


def passing(rows: Candidates, variation: int) -> NDArray[np.bool_]:
    """Mask of the rows that are the candidates of a variation: 0 for nominal, i for the i-th of the manifest."""
    mask: NDArray[np.bool_] = (rows["passes"] >> np.uint64(variation)) & np.uint64(1) == 1
    return mask


def variation_of(rows: Candidates) -> NDArray[np.int64]:
    """The variation of each row that passes in one alone, as those of `separate` do: 0 is nominal. int64, (n,)."""
    return np.bitwise_count(rows["passes"] - np.uint64(1)).astype(np.int64)


def separate(rows: Candidates) -> Candidates:
    """A row for each candidate of each variation: one that several share is repeated. By event, then variation."""
    bits = np.arange(64, dtype=np.uint64)
    row, variation = np.nonzero((rows["passes"][:, None] >> bits) & np.uint64(1))
    order = np.lexsort([variation, *(rows[name][row] for name in reversed(EVENT))])
    single = {name: column[row[order]] for name, column in rows.items()}
    return single | {"passes": np.uint64(1) << bits[variation[order]]}


def ordered(candidates: Candidates) -> Candidates:
    """Sorted by run, luminosity section, event: whatever the order of processing. Rows of one event keep theirs."""
    order = np.lexsort([candidates[name] for name in reversed(EVENT)])
    return {name: column[order] for name, column in candidates.items()}


def repeated_event(candidates: Candidates) -> tuple[int, int, int] | None:
    """A (run, luminosity section, event) that occurs twice, None if there is none."""
    ids = np.stack([candidates[name].astype(np.uint64) for name in EVENT], axis=1)
    ids = ids[np.lexsort(ids.T[::-1])]
    same = np.flatnonzero((ids[1:] == ids[:-1]).all(axis=1))
    return (int(ids[same[0], 0]), int(ids[same[0], 1]), int(ids[same[0], 2])) if len(same) else None


def generated_events(candidates: Candidates) -> NDArray[np.int64]:
    """Number of the generated event of each row, from 0: re-simulations share one. int64, (n,)."""
    ids = np.stack([candidates[name].astype(np.uint64) for name in GENERATED_EVENT], axis=1)
    return np.unique(ids, axis=0, return_inverse=True)[1].reshape(-1)
