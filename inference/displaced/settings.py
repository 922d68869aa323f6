"""Settings of the limits: how |V|^2 is scanned."""

from typing import Self

from pydantic import Field, model_validator

from hnl import analysis as searches
from hnl.datasets import model
from hnl.datasets.catalogue import Catalogue
from hnl.datasets.model import Real, Whole
from hnl.inference.displaced.scan_results import ScanSettings
from hnl.inference.methods import HYBRID, Method

_DEFAULT = ScanSettings()


class LimitSettings(model.Settings):
    """The scan of |V|^2. Options of `hnl limits` come before these."""

    lowest: Real = Field(default=_DEFAULT.lowest, gt=0, description="|V|^2 where the scan begins; our choice")
    highest: Real = Field(default=_DEFAULT.highest, gt=0, le=1, description="|V|^2 where it ends; our choice")
    per_decade: Whole = Field(
        default=_DEFAULT.per_decade, ge=1, description="points of the coarse grid per factor of 10; our choice"
    )
    method: Method = Field(
        default=_DEFAULT.method,
        description="of CLs: lhc (toys of q~_mu), hybrid (fast toys of A) or asymptotic (too low for few events); "
        "our choice, since the paper does not say",
    )
    toys: Whole = Field(
        default=_DEFAULT.toys,
        ge=1,
        description="hybrid toys of each hypothesis; our choice, CLs of 5 % is known to 4 % of itself",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.lowest < self.highest:
            raise ValueError(f"lowest = {self.lowest:g} is not below highest = {self.highest:g}")
        return self


def scan(
    catalogue: Catalogue, *, correlated: bool = True, seed: int = 1, **given: float | int | str | None
) -> ScanSettings:
    """How to scan: as options say, else as the catalogue does, else as it is by default.

    Args:
        catalogue: of the run.
        correlated, seed: see `ScanSettings`.
        given: fields of `LimitSettings` by options; None where there is no option.
    """
    chosen = dict(searches.part(catalogue, LimitSettings)) | {k: v for k, v in given.items() if v is not None}
    return ScanSettings(**chosen, correlated=correlated, seed=seed)


def first_look(catalogue: Catalogue) -> ScanSettings:
    """As `scan`, but by hybrid toys, which take seconds, unless the catalogue names a method."""
    named = "method" in searches.part(catalogue, LimitSettings).model_fields_set
    return scan(catalogue, method=None if named else HYBRID)
