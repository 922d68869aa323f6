"""What every entry of the catalogue is: unknown keys are refused, and nothing changes after it was read."""

import re
from itertools import pairwise
from typing import Annotated

from pydantic import AllowInfNan, BaseModel, ConfigDict, Strict, ValidationInfo, field_validator

Real = Annotated[float, Strict(), AllowInfNan(False)]  # a number; no text that looks like one
Whole = Annotated[int, Strict()]


class CatalogueEntry(BaseModel):
    """Base of all entries of the catalogue."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: object, info: ValidationInfo) -> object:
        """YAML's true, yes and on would be taken for 1."""
        assert info.field_name is not None
        field = cls.model_fields[info.field_name]
        if isinstance(value, bool) and not re.search(r"\b(bool|Any|object)\b", str(field.annotation)):
            raise ValueError("true and false are no numbers or names")
        return value


class Settings(CatalogueEntry):
    """Base of settings of a search, which the catalogue may change (`settings`).

    The default of each field is what the paper says, or our choice; its description says which. A room has those of
    its own beside the code that uses them; a search bundles them (`Analysis.settings`).
    """

    model_config = ConfigDict(validate_default=True)


def increasing(edges: tuple[float, ...]) -> tuple[float, ...]:
    """The same edges.

    Raises:
        ValueError: one is not above the one before it.
    """
    if any(after <= before for before, after in pairwise(edges)):
        raise ValueError(f"edges must increase: {', '.join(f'{edge:g}' for edge in edges)}")
    return edges
