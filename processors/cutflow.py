"""Counting events after each requirement, and with all but one."""

from collections.abc import Sequence

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.arrays import Mask

ALL = "all"
Counts = dict[str, dict[str, dict[str, float]]]  # stage -> category or 'all' -> {events, sum_w, sum_w2}


class Cutflow:
    """Requirements in order, each a mask over the events of one work unit.

    Args:
        weights: generator weight of each event (1 for data).
        categories: names of those that events may be given.
    """

    def __init__(self, weights: NDArray[np.float64], categories: Sequence[str] = ()) -> None:
        self.categories = categories
        self.weights = np.asarray(weights, dtype=np.float64)
        self.masks: dict[str, NDArray[np.bool_]] = {}
        self.category = np.full(len(self.weights), -1, dtype=np.int8)
        self.first_with_category = ""

    def require(self, stage: str, mask: Mask | NDArray[np.bool_], among: NDArray[np.bool_] | None = None) -> None:
        """Adds a requirement.

        Args:
            stage: its name, unique.
            mask: bool for every event, or, with `among`, for the events selected by it; None counts as False.
            among: bool for every event; events outside fail.
        """
        mask = np.ma.filled(ak.to_numpy(mask), False).astype(bool)
        if among is not None:
            full = np.zeros(len(self.weights), dtype=bool)
            full[among] = mask
            mask = full
        self.masks[stage] = mask

    def categorise(self, category: NDArray[np.int8], among: NDArray[np.bool_], *, from_stage: str) -> None:
        """Sets the category of the events selected by `among`; counts by category begin at a stage."""
        self.category[among] = category
        self.first_with_category = from_stage

    def passed(self, *, without: tuple[str, ...] = ()) -> NDArray[np.bool_]:
        """Mask of the events that pass all requirements so far, but for those named."""
        mask = np.ones(len(self.weights), dtype=bool)
        for stage, one in self.masks.items():
            if stage not in without:
                mask &= one
        return mask

    def counts(self) -> Counts:
        """Events and weights after each requirement, in order."""
        passed, by_category = np.arange(len(self.weights)), False
        result = {"all events": self._count(passed, by_category)}
        for stage, mask in self.masks.items():
            passed = passed[mask[passed]]
            by_category |= stage == self.first_with_category
            result[stage] = self._count(passed, by_category)
        return result

    def n_minus_one(self) -> Counts:
        """Events and weights that pass every requirement but the one named."""
        return {stage: self._count(self.passed(without=(stage,)), True) for stage in self.masks}

    def _count(self, passed: NDArray[np.bool_] | NDArray[np.int64], by_category: bool) -> dict[str, dict[str, float]]:
        """Counts of the events `passed`, a mask or indices."""
        weights, category = self.weights[passed], self.category[passed]
        groups = {ALL: weights}
        if by_category:
            groups |= {name: weights[category == i] for i, name in enumerate(self.categories)}
        return {
            name: {"events": len(w), "sum_w": float(w.sum()), "sum_w2": float((w**2).sum())}
            for name, w in groups.items()
        }
