"""Result of the check of the score with K0S: the file k0s.json."""

from typing import ClassVar, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hnl.records import KNOWN_KEYS

FeaturesUsed = Literal["all features", "without the missing ones"]


@dataclass(frozen=True, config=KNOWN_KEYS)
class Area:
    """Area under the ROC curve of a classifier, for events that it was not trained with."""

    value: float | None = Field(description="probability that signal has a higher score than background; null if empty")
    error: float | None = Field(description="statistical; null likewise")


@dataclass(frozen=True, config=KNOWN_KEYS)
class ScoreComparison:
    """The score of one classifier for K0S candidates in data and simulation (Fig. 6)."""

    edges: tuple[float, ...] = Field(description="of the bins of the score")
    data: tuple[float, ...] = Field(description="candidates in each bin")
    simulation: tuple[float | None, ...] = Field(
        description="yield in each bin, scaled to all candidates in data; null without simulation"
    )
    simulation_error: tuple[float | None, ...] = Field(description="statistical, of the scaled yields; null likewise")
    scale: float | None = Field(description="what the simulation was scaled by; null likewise")
    ratio: float | None = Field(description="data over simulation in the last two bins; null if there are too few")
    ratio_error: float | None = Field(description="statistical; null likewise")
    reason: str = Field(description="why there is no ratio; empty if there is")
    uncertainty: float | None = Field(
        description="of the score, relative: difference of the ratio from one or its error, the larger; null likewise"
    )
    missing_features: tuple[str, ...] = Field(
        description="features that a pion, or a file, does not have: blank in data and simulation"
    )
    auc: dict[FeaturesUsed, Area] | None = Field(
        description="of signal against background; null if the events of the training cannot be read"
    )


@dataclass(frozen=True, config=KNOWN_KEYS)
class MassComparison:
    """Mass of vertices of two tracks in Z events, in data and simulation."""

    edges: tuple[float, ...] = Field(description="of the bins of the mass in GeV")
    data: tuple[float, ...] = Field(description="vertices in each bin")
    simulation: tuple[float, ...] = Field(description="yield in each bin, scaled to all vertices in data")


@dataclass(frozen=True, config=KNOWN_KEYS)
class EventCount:
    """Events that pass a requirement and all before it."""

    events: int = Field(description="number of events")
    sum_w: float = Field(description="sum of their generator weights")
    sum_w2: float = Field(description="sum of the squares of these")


@dataclass(frozen=True, config=KNOWN_KEYS)
class K0SFile:
    """Content of k0s.json."""

    FORMAT: ClassVar[int] = 1
    COMMAND: ClassVar[str] = "hnl k0s"

    format: int = Field(description="version of this file format")
    trainings: dict[str, ScoreComparison] = Field(description="by classifier")
    information: str = Field(description="why the areas under the ROC curves are not known; empty if they are")
    table_4: float = Field(description="relative uncertainty of the score in Table 4, which fits use by default")
    masses: MassComparison = Field(description="of the vertices, before the requirement on their mass")
    cutflow: dict[str, dict[str, dict[str, EventCount]]] = Field(
        description="by dataset, requirement, and `all` for all events"
    )
    left_out: dict[str, str] = Field(description="why a dataset takes no part, by dataset")
    models: dict[str, str] = Field(description="SHA-256 of the models, by classifier")
    partial: tuple[str, ...] = Field(description="input files that the selection left out")
    provenance: dict[str, str] = Field(description="command, versions, code, machine and time")
