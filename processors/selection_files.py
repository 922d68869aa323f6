"""Files of a selection as a whole: plan.json before, selection.json and cutflow.json when it is finished."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, SkipValidation, field_serializer, with_config
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from hnl import layout, records
from hnl.datasets.catalogue import Catalogue
from hnl.datasets.files import FileInfo
from hnl.datasets.own_weights import OwnWeight
from hnl.datasets.trigger_bits import TriggerBits
from hnl.processors.cutflow import Counts
from hnl.records import KNOWN_KEYS, Record


@with_config(KNOWN_KEYS)
class FileFacts(TypedDict):
    """What a file promised when it was inspected: `FileInfo` without its branches."""

    path: Annotated[str, Field(description="path or URL of the file")]
    uuid: Annotated[str, Field(description="of the file")]
    events: Annotated[int, Field(description="number of entries of the tree Events")]
    version: Annotated[str, Field(description="NanoAOD version, by its branches")]
    sv_association: Annotated[str, Field(description="how leptons point to secondary vertices")]
    generated_events: Annotated[int | None, Field(description="of the Runs tree; null for data or without it")]
    sum_w: Annotated[float | None, Field(description="sum of generator weights of the Runs tree; likewise")]
    sum_w2: Annotated[float | None, Field(description="sum of their squares, of the Runs tree; likewise")]
    variation_sums: Annotated[
        list[tuple[str, float]], Field(description="sums of weights of the Runs tree: (variation, sum)")
    ]
    trigger_bits: Annotated[
        TriggerBits | None,
        Field(description="(masks, words) required of electrons, of muons, and the source; null: no trigger objects"),
    ]


def facts(info: FileInfo) -> FileFacts:
    """The facts of an inspected file."""
    return {
        "path": info.path,
        "uuid": info.uuid,
        "events": info.events,
        "version": info.version,
        "sv_association": info.sv_association,
        "generated_events": info.generated_events,
        "sum_w": info.sum_w,
        "sum_w2": info.sum_w2,
        "variation_sums": list(info.variation_sums),
        "trigger_bits": info.trigger_bits,
    }


@dataclass(frozen=True, config=KNOWN_KEYS)
class PlanFile:
    """Content of plan.json: what the last run was going to do. With a plan of another format nothing is done."""

    FORMAT: ClassVar[int] = 2
    COMMAND: ClassVar[str] = "hnl select"

    format: int = Field(description="version of this file format")
    units: dict[str, dict[str, list[str]]] = Field(description="by dataset, then file: names of its work units")
    fingerprints: dict[str, str] = Field(description="by dataset: hash of the code and settings that decide on it")
    left_out: list[str] = Field(description="files that cannot be used and were left out, with the reason")
    analysis: str = Field(description="the search, as the catalogue names it")
    provenance: dict[str, str] = Field(description="command, versions, code, machine and time")


def info(known: FileFacts) -> FileInfo:
    """A file by its facts: its branches are not known."""
    sums = tuple((name, value) for name, value in known["variation_sums"])
    return FileInfo(**known | {"variation_sums": sums}, branches=(), missing=())  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True, config=KNOWN_KEYS)
class Taken:
    """How a dataset was made whose candidates were taken as another `hnl select` left them."""

    folder: str = Field(description="that they were taken from")
    fingerprint: str = Field(description="of the manifests there")
    hnl: str = Field(description="version of hnl that made them")
    time: str = Field(description="when")
    files: int = Field(description="number of NanoAOD files that they were selected from")
    data: bool = Field(description="whether it is of kind data")
    events: int = Field(description="generated events of these; for data, and where no file tells, those processed")
    code: dict[str, str] = Field(
        description="that made them: hash of each module without comments, version of each library"
    )
    changed: list[str] = Field(description="modules and libraries that are not the same now")


@dataclass(frozen=True, kw_only=True, config=KNOWN_KEYS)
class SelectionFile:
    """Content of selection.json: a selection is finished when this file is there."""

    FORMAT: ClassVar[int] = 4
    COMMAND: ClassVar[str] = "hnl select"

    format: int = Field(description="version of this file format")
    partial: list[str] = Field(description="input files that were left out, with the reason")
    catalogue: Catalogue = Field(
        description="the catalogue, with every default: see catalogue.md; its settings are in settings.json, its "
        "weights in weights.json"
    )
    fingerprints: dict[str, str] = Field(description="by dataset: hash of the code and settings that decide on it")
    variations: dict[str, list[str]] = Field(description="by dataset: variations of jet energies, nominal first")
    files: dict[str, list[FileFacts]] = Field(description="by dataset: its files")
    units: dict[str, list[str]] = Field(description="by dataset: names of its work units, which are those of its parts")
    provenance: dict[str, str] = Field(description="command, versions, code, machine and time")
    sum_w: dict[str, float] = Field(description="by simulated dataset: sum of weights of all generated events")
    made_with: dict[str, Record] = Field(
        description="by dataset: all but code that decides on its candidates, named as in the catalogue",
    )
    code: dict[str, str] = Field(description="of this selection: as that of datasets that were taken")
    taken: dict[str, Taken] = Field(description="datasets that were taken as candidates (catalogue.md)")

    @field_serializer("catalogue")
    def _catalogue(self, catalogue: Catalogue) -> Record:
        # What concerns a later stage must not make this file another one: all stages read it.
        return catalogue.model_dump(mode="json", exclude={"settings", "weights"})


@dataclass(frozen=True, config=KNOWN_KEYS)
class SettingsFile:
    """Content of settings.json: what the catalogue changes of the settings of the search, if it changes any."""

    FORMAT: ClassVar[int] = 1
    COMMAND: ClassVar[str] = "hnl select"

    format: int = Field(description="version of this file format")
    settings: dict[str, Any] = Field(description="of the catalogue, see settings.md: those that are not the default")


def settings(out: Path) -> Record:
    """What the catalogue of a selection changes of the settings of the search; empty if that is nothing.

    Raises:
        BrokenFileError, FormatError: settings.json is not what this version writes.
    """
    path = out / layout.SETTINGS
    return records.read(path, SettingsFile).settings if path.is_file() else {}


@dataclass(frozen=True, config=KNOWN_KEYS)
class WeightsFile:
    """Content of weights.json: the weights that the catalogue adds, if it has any."""

    FORMAT: ClassVar[int] = 1
    COMMAND: ClassVar[str] = "hnl select"

    format: int = Field(description="version of this file format")
    weights: tuple[OwnWeight, ...] = Field(description="of the catalogue, see corrections.md")

    @field_serializer("weights")
    def _weights(self, weights: tuple[OwnWeight, ...]) -> list[Record]:
        return [weight.model_dump(mode="json") for weight in weights]


@dataclass(frozen=True, config=KNOWN_KEYS)
class DatasetCutflow:
    """What cutflow.json says of one dataset: counts added up over its work units. The file has one by dataset."""

    cutflow: SkipValidation[Counts] = Field(
        description="by requirement, then category or 'all': events, sum_w, sum_w2 after each requirement"
    )
    n_minus_one: SkipValidation[Counts] = Field(description="likewise, with all requirements but the one named")
    sv_association: dict[str, str] = Field(description="by file: how leptons point to secondary vertices")
    version: dict[str, str] = Field(description="by file: NanoAOD version")
    sv_index_beyond_table: dict[str, int] = Field(description="sums of the facts sv_index of its work units")
    partial: list[str] = Field(description="input files that were left out of the selection, with the reason")
    efficiencies: SkipValidation[Counts] = Field(
        description="by efficiency, then bin (low-high): sums of weights and of squared weights of what was generated "
        "(generated, generated_w2) and of what was found of it (found, found_w2); empty if the search counts none, the "
        "files do not tell, or they do not hold all generated events"
    )
