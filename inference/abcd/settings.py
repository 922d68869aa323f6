"""Settings of the background estimate: its own, and with them those of the rooms above that it needs."""

from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from hnl import analysis as searches
from hnl.datasets import model
from hnl.datasets.catalogue import Catalogue
from hnl.datasets.model import Real
from hnl.histograms.displaced.settings import ThresholdSettings
from hnl.selections.displaced.hypotheses import MassSettings
from hnl.selections.displaced.regions import RegionSettings

Share = Annotated[Real, Field(gt=0, le=1)]


class EstimateSettings(model.Settings):
    """Floors and least numbers of events of the estimate."""

    least_c: Real = Field(
        default=3.0,
        ge=0,
        description="events, a threshold with fewer bins that expect fewer in C comes before a better one; our choice, "
        "with 3 expected C is empty in one bin of twenty",
    )
    least_closure: Share = Field(
        default=0.20,
        description="least relative closure uncertainty: the lower end of Table 4, since a test with the statistics of "
        "the CR cannot show that it is smaller",
    )
    expected_closure: Share = Field(
        default=0.30, description="closure uncertainty where nothing can be tested: the upper end of Table 4"
    )
    most_closure: Real = Field(default=1.0, gt=0, description="largest relative closure uncertainty; our choice")
    dy_unknown: Share = Field(
        default=0.5,
        description="uncertainty of the Drell-Yan share where its sample cannot tell: the upper end of Table 4",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.least_closure <= self.expected_closure <= self.most_closure:
            values = f"{self.least_closure:g}, {self.expected_closure:g}, {self.most_closure:g}"
            raise ValueError(f"least_closure, expected_closure and most_closure must not decrease: {values}")
        return self


@dataclass(frozen=True)
class AbcdSettings:
    """All that the estimate depends on, beside its candidates."""

    regions: RegionSettings
    masses: MassSettings
    thresholds: ThresholdSettings
    estimate: EstimateSettings

    @classmethod
    def of_catalogue(cls, catalogue: Catalogue) -> Self:
        """As a catalogue wants them."""
        return cls(
            searches.part(catalogue, RegionSettings),
            searches.part(catalogue, MassSettings),
            searches.part(catalogue, ThresholdSettings),
            searches.part(catalogue, EstimateSettings),
        )


PAPER = AbcdSettings(RegionSettings(), MassSettings(), ThresholdSettings(), EstimateSettings())
