"""The block `weights` of a catalogue: weights of simulation that a user adds, with their uncertainties.

Each is a correction of a correctionlib file, with inputs from any column of the candidates. `corrections.own_weights`
applies them. They are no part of `corrections`, which has one entry for each row of Table 4 and belongs to an era.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Discriminator, Field, Tag, model_validator

from hnl.datasets.corrections import CorrectionName, NuisanceName
from hnl.datasets.model import CatalogueEntry

if TYPE_CHECKING:
    from hnl.datasets.catalogue import Dataset

_COLUMN = re.compile(r"\w+|abs\(\w+\)")

Place = tuple[str | int, ...]  # in the YAML of a catalogue: keys and positions in lists


class Constant(CatalogueEntry):
    """A text that an input of a correction always has. Numbers need no `constant`."""

    constant: str


class Ways(CatalogueEntry):
    """The values of an input that select the variations of a correction, and its nominal value if it has any."""

    nominal: str | int | None = Field(None, description="without, the nominal weight is not changed")
    up: str | int
    down: str | int

    @property
    def values(self) -> dict[str, str | int]:
        """By name: up, down, and nominal if it is given."""
        return {name: value for name in ("nominal", "up", "down") if (value := getattr(self, name)) is not None}


def _kind(value: object) -> str:
    if isinstance(value, Constant) or (isinstance(value, Mapping) and "constant" in value):
        return "constant"
    if isinstance(value, Ways | Mapping):
        return "ways"
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else "column"


OwnInput = Annotated[
    Annotated[str, Tag("column")]
    | Annotated[int | float, Tag("number")]
    | Annotated[Constant, Tag("constant")]
    | Annotated[Ways, Tag("ways")],
    Discriminator(_kind),
]


class OwnNuisance(CatalogueEntry):
    """The nuisance parameter of a weight. Weights of one name vary together."""

    name: NuisanceName | None = Field(default=None, description="by default that of the weight")
    correlated: bool = Field(default=True, description="one parameter for all eras, or one for each: NAME_ERA")


class OwnWeight(CatalogueEntry):
    """One weight of simulation with its uncertainty."""

    name: NuisanceName = Field(description="unique; also of the nuisance parameter, unless that has its own")
    file: Path = Field(description="correctionlib JSON, also gzipped, relative to the catalogue")
    correction: CorrectionName = Field(description="its name in the file")
    inputs: dict[str, OwnInput] = Field(
        description="input of the correction -> column of the candidates, abs(column), a number, {constant: TEXT}, or, "
        "for the input that varies it, {nominal: ..., up: ..., down: ...}"
    )
    clip: dict[str, tuple[float, float]] = Field(
        {}, description="input -> range that values are moved into; without, a value outside is refused"
    )
    datasets: tuple[str, ...] = Field(
        (), description="kinds (signal, background), processes or names of datasets; by default all simulation"
    )
    nuisance: OwnNuisance = Field(default_factory=OwnNuisance, description="its nuisance parameter")

    @model_validator(mode="after")
    def _usable(self) -> "OwnWeight":
        varied = [name for name, value in self.inputs.items() if isinstance(value, Ways)]
        if len(varied) != 1:
            raise ValueError(
                f"one of inputs varies the correction, {{nominal: ..., up: ..., down: ...}}; there are {len(varied)}"
            )
        if odd := [text for text in self.columns.values() if not _COLUMN.fullmatch(text)]:
            raise ValueError(f"columns are named as NAME or abs(NAME), not {odd[0]}; a text is {{constant: TEXT}}")
        if unknown := [name for name in self.clip if name not in self.columns]:
            raise ValueError(f"clip names {unknown[0]}, which is no input with a column")
        if empty := [name for name, (low, high) in self.clip.items() if not low < high]:
            raise ValueError(f"clip of {empty[0]} is not a range")
        return self

    @property
    def columns(self) -> dict[str, str]:
        """Input -> column, or abs(column)."""
        return {name: value for name, value in self.inputs.items() if isinstance(value, str)}

    @property
    def constants(self) -> dict[str, str | int | float]:
        """Input -> number or text."""
        numbers = {name: value for name, value in self.inputs.items() if isinstance(value, int | float)}
        return numbers | {name: value.constant for name, value in self.inputs.items() if isinstance(value, Constant)}

    @property
    def varied(self) -> tuple[str, Ways]:
        """The input that varies the correction, and its values."""
        return next((name, value) for name, value in self.inputs.items() if isinstance(value, Ways))

    def parameter(self, era: str) -> str:
        """The nuisance parameter in an era."""
        name = self.nuisance.name or self.name
        return name if self.nuisance.correlated else f"{name}_{era}"

    def applies_to(self, dataset: "Dataset") -> bool:
        """Whether a dataset has this weight; data never has."""
        return not dataset.is_data and (not self.datasets or not _names(dataset).isdisjoint(self.datasets))


def problem(entries: Sequence[OwnWeight], datasets: Sequence["Dataset"]) -> tuple[Place, str] | None:
    """What the catalogue alone shows to be wrong: where, and why.

    That is a name that is taken by another weight, and `datasets` that do not exist or are data.
    """
    names: dict[str, bool] = {}
    for i, entry in enumerate(entries):
        if entry.name in [other.name for other in entries[:i]]:
            return ("weights", i, "name"), f"two weights are called {entry.name}"
        name = entry.nuisance.name or entry.name
        if names.setdefault(name, entry.nuisance.correlated) != entry.nuisance.correlated:
            return ("weights", i, "nuisance"), f"the nuisance {name} is correlated in one weight and not in another"
        for j, text in enumerate(entry.datasets):
            meant = [dataset for dataset in datasets if text in _names(dataset)]
            if data := [dataset.name for dataset in meant if dataset.is_data]:
                return ("weights", i, "datasets", j), f"{text} is data ({data[0]}), which has no weights"
            if not meant:
                known = sorted(set().union(*(_names(dataset) for dataset in datasets if not dataset.is_data)))
                return ("weights", i, "datasets", j), f"no kind, process or dataset {text}{nearest(text, known)}"
    return None


def nearest(text: str, known: Sequence[str]) -> str:
    """The names that resemble a text, to be added to a message; those that are known if none does and they are few."""
    close = get_close_matches(text, known, 3, 0.5)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; there are {', '.join(known)}" if len(known) <= 20 else ""


def _names(dataset: "Dataset") -> set[str]:
    return {dataset.kind, dataset.process, dataset.name}
