"""Where the threshold on the score is looked for."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from hnl.datasets.model import Real, Settings

MOST_STEPS = 1000
Score = Annotated[Real, Field(gt=0, lt=1)]


class FixedThresholds(Settings):
    """One threshold for all categories of a hypothesis."""

    low: Score = Field(description="low-mass hypothesis")
    high: Score = Field(description="high-mass hypothesis")


class ThresholdSettings(Settings):
    """The scan of thresholds x on the score, or fixed ones."""

    lowest: Score = Field(default=0.970, description="first x of the scan (section 6)")
    highest: Score = Field(default=0.998, description="last x of the scan (section 6)")
    step: Real = Field(default=0.002, gt=0, description="of the scan; our choice")
    fixed: FixedThresholds | None = Field(default=None, description="x without a scan; `--thresholds` comes before it")

    @property
    def scan(self) -> tuple[float, ...]:
        """Every x of the scan."""
        return tuple(round(self.lowest + self.step * i, 6) for i in range(self._steps + 1))

    @property
    def _steps(self) -> int:
        return int((self.highest - self.lowest) / self.step + 1e-6)

    @model_validator(mode="after")
    def _ends_in_its_range(self) -> Self:
        if self.highest < self.lowest:
            raise ValueError(f"highest = {self.highest:g} is below lowest = {self.lowest:g}")
        if self._steps > MOST_STEPS:
            raise ValueError(f"step = {self.step:g}: the scan would have more than {MOST_STEPS} steps")
        return self


PAPER = ThresholdSettings()
