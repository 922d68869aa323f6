"""What every entry of the catalogue is: unknown keys are refused, and nothing changes after it was read."""

from pydantic import BaseModel, ConfigDict


class CatalogueEntry(BaseModel):
    """Base of all entries of the catalogue."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
