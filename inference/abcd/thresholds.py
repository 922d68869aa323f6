"""The threshold x on the score, for each category and hypothesis (section 6): scanned, or given as a table.

The paper weighs the signal over background in A against the statistical precision of B C / D, with N_C never zero,
and gives no formula. Ours: x maximises

    Z^2 = sum over bins of s^2 / (b + sigma_b^2)

with b = B C / D, sigma_b the upper 68 % error that data would have, and s the signal in A, among those x for which
the fewest bins expect less than `least_c` events in C. For a small signal, Z is the number of standard deviations that
it makes. Signals of different mass and coupling count alike: each is normalised to its yield in the SR in all
categories, and Z^2 is their mean. B C / D, and not A, is used for b: the choice does not follow fluctuations in A.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator

from hnl.errors import InputError
from hnl.histograms.displaced.yields import Counts
from hnl.inference.abcd import estimate as abcd
from hnl.inference.abcd.settings import PAPER
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.hypotheses import HYPOTHESES
from hnl.selections.displaced.regions import PAPER as REGIONS_OF_THE_PAPER
from hnl.selections.displaced.regions import A, C, RegionSettings, Thresholds


class ThresholdError(InputError):
    """A table of thresholds cannot be used; the message names the file and the entry."""


Floats = Annotated[
    NDArray[np.float64], PlainValidator(partial(np.asarray, dtype=np.float64)), PlainSerializer(np.ndarray.tolist)
]
Integers = Annotated[
    NDArray[np.int64], PlainValidator(partial(np.asarray, dtype=np.int64)), PlainSerializer(np.ndarray.tolist)
]


class Scan(BaseModel):
    """The scan of one category and hypothesis; arrays over the thresholds. The order of the fields is that on disk."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    thresholds: Floats = Field(description="x, increasing")
    figure_of_merit: Floats = Field(description="Z^2, in units of the largest")
    signal_fraction: Floats = Field(description="share of the signal in the SR of this category that is in A")
    background: Floats = Field(description="B C / D, bins with D added up; events")
    uncertainty: Floats = Field(description="its relative error, upwards; 0 without background")
    poor_bins: Integers = Field(description="number of bins with fewer than `least_c` events expected in C")
    smallest_c: Floats = Field(description="smallest expected yield in C of a bin; events")
    best: int = Field(description="index of the chosen one")
    mark: str = Field(description="what has to be said about it, or ''")

    @property
    def chosen(self) -> float:
        """The threshold."""
        return float(self.thresholds[self.best])


def scan(
    thresholds: Sequence[float],
    background: Counts,
    signals: Sequence[Counts],
    totals: Sequence[float],
    least_c: float = PAPER.estimate.least_c,
) -> Scan:
    """Scans the thresholds of one category and hypothesis.

    Args:
        thresholds: increasing.
        background: yields with shape (threshold, bin, region), bins that exist only.
        signals: the same for each signal.
        totals: yield of each signal in the SR, all categories together; those that are not positive are left out.
        least_c: see `EstimateSettings`.

    Returns:
        The scan; the lowest of equally good thresholds is chosen.
    """
    # The weights of the simulation do not count for the precision: data will have the expected number of events.
    as_data = np.maximum(background.sum_w, 0)
    prediction = abcd.estimate(Counts(as_data, as_data))
    b = np.nan_to_num(prediction.value)
    error = np.where(np.isfinite(prediction.high), prediction.high - b, np.inf)
    merit, inside, everywhere = (np.zeros(len(thresholds)) for _ in range(3))
    used = [(signal, total) for signal, total in zip(signals, totals, strict=True) if total > 0]
    for signal, total in used:
        s = np.maximum(signal.sum_w, 0) / total
        merit += (s[..., A] ** 2 / (b + error**2)).sum(axis=-1) / len(used)
        inside += s[..., A].sum(axis=-1)
        everywhere += s.sum(axis=(-2, -1))
    c = background.sum_w[..., C]
    poor = (c < least_c).sum(axis=-1)
    allowed = np.flatnonzero(poor == poor.min())
    best = int(allowed[np.argmax(merit[allowed])])
    notes = [f"{poor[best]} bins expect fewer than {least_c:g} events in C"] if poor[best] else []
    if not merit.any():
        notes.append("no signal to optimise for")
    variance = np.where(np.isfinite(error), error, 0.0) ** 2
    total_b = b.sum(axis=-1)
    return Scan(
        thresholds=np.asarray(thresholds),
        figure_of_merit=merit / merit.max() if merit.any() else merit,
        signal_fraction=np.divide(inside, everywhere, out=np.zeros(len(inside)), where=everywhere > 0),
        background=total_b,
        uncertainty=np.divide(np.sqrt(variance.sum(-1)), total_b, out=np.zeros(len(b)), where=total_b > 0),
        poor_bins=poor,
        smallest_c=c.min(axis=-1),
        best=best,
        mark="; ".join(notes),
    )


def read(path: Path, settings: RegionSettings = REGIONS_OF_THE_PAPER) -> Thresholds:
    """A table of thresholds: JSON, hypothesis -> category -> x, as the stage itself writes it.

    Raises:
        ThresholdError: with the entry that is wrong.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ThresholdError(f"cannot read the thresholds {path}: {error}") from error
    return checked(content, str(path), settings)


def checked(content: object, name: str, settings: RegionSettings = REGIONS_OF_THE_PAPER) -> Thresholds:
    """The table if every hypothesis and category has an x between 0.2 and 1.

    Raises:
        ThresholdError: with the entry that is wrong, and `name`.
    """
    result: Thresholds = {}
    if not isinstance(content, Mapping) or set(content) != set(HYPOTHESES):
        raise ThresholdError(f"{name}: thresholds are given for the hypotheses {', '.join(HYPOTHESES)}")
    for hypothesis, row in content.items():
        if not isinstance(row, Mapping) or set(row) != set(CATEGORIES):
            raise ThresholdError(f"{name}: {hypothesis}: every category needs a threshold: {', '.join(CATEGORIES)}")
        for category, x in row.items():
            number = isinstance(x, int | float) and not isinstance(x, bool)
            if not (number and settings.score < x < 1):
                raise ThresholdError(f"{name}: {hypothesis}, {category}: {x!r} is not between {settings.score} and 1")
        result[hypothesis] = {category: float(row[category]) for category in CATEGORIES}
    return result
