"""Entries of the catalogue for corrections of weights: any file of correctionlib, with its own names of inputs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from hnl.datasets.model import CatalogueEntry

_COLUMN = re.compile(r"[a-z0-9_]+|abs\([a-z0-9_]+\)")


class Variation(CatalogueEntry):
    """The input of a correction that selects nominal, up and down by text, and these texts."""

    input: str
    nominal: str
    up: str
    down: str


class WeightCorrection(CatalogueEntry):
    """One correction of a file: a scale factor, or the weight of a pileup profile."""

    file: Path = Field(description="correctionlib JSON, also gzipped, relative to the catalogue")
    correction: str = Field(min_length=1, description="its name in the file")
    columns: dict[str, str] = Field(
        min_length=1, description="input of the correction -> column of the candidates, or abs(column)"
    )
    constants: dict[str, int | float | str] = Field({}, description="input -> value, e.g. WorkingPoint: wp90iso")
    uncertainty: Variation | Literal["half the difference from one"] = Field(
        description="the input that varies it, or half the difference from one (section 7, tracking efficiency)"
    )
    clip: dict[str, tuple[float, float]] = Field(
        {}, description="input -> range that values are moved into; without, a value outside is refused"
    )

    @model_validator(mode="after")
    def _inputs(self) -> "WeightCorrection":
        names = [*self.columns, *self.constants]
        names += [self.uncertainty.input] if isinstance(self.uncertainty, Variation) else []
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"the input {twice[0]} is given twice")
        if unknown := [name for name in self.clip if name not in self.columns]:
            raise ValueError(f"clip names the input {unknown[0]}, which is not in columns")
        if odd := [text for text in self.columns.values() if not _COLUMN.fullmatch(text)]:
            raise ValueError(f"columns are named as NAME or abs(NAME), not {odd[0]}")
        if empty := [name for name, (low, high) in self.clip.items() if not low < high]:
            raise ValueError(f"clip of {empty[0]} is not a range")
        return self

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of all inputs that the correction is given."""
        varied = (self.uncertainty.input,) if isinstance(self.uncertainty, Variation) else ()
        return (*self.columns, *self.constants, *varied)


class LeptonCorrections(CatalogueEntry):
    """Scale factors by the flavour of the lepton. Those of a flavour are multiplied and vary together."""

    electron: tuple[WeightCorrection, ...] = ()
    muon: tuple[WeightCorrection, ...] = ()

    @property
    def flavours(self) -> Iterator[tuple[str, tuple[WeightCorrection, ...]]]:
        """Flavours that have scale factors, with these."""
        yield from ((name, entries) for name, entries in (("electron", self.electron), ("muon", self.muon)) if entries)
