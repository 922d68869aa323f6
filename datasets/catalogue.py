"""The catalogue: which files exist, what they are, and how they are normalised. YAML in, validated models out.

Every mistake is refused with the line of the YAML it stands in: an unknown key, a negative cross section, an era that
does not exist, a glob without files, one file in two datasets.
"""

import os
import re
from collections.abc import Iterable
from glob import glob
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from hnl import analysis as searches
from hnl import layout
from hnl.datasets import corrections, golden, own_weights, search_settings, yaml_lines, years
from hnl.datasets.corrections import Corrections
from hnl.datasets.generator_weights import GeneratorWeights
from hnl.datasets.model import CatalogueEntry
from hnl.datasets.own_weights import OwnWeight, Place
from hnl.datasets.settings import Batch, Remote
from hnl.datasets.yaml_lines import Document
from hnl.errors import InputError

LuminosityNuisance = Annotated[str, StringConstraints(pattern=r"^luminosity_\w+$")]
DISPLACED = "displaced"  # the search that is meant where none is named
FROM_RUNS_TREE: Literal["from Runs tree"] = "from Runs tree"
# Others, HLT_Mu50 say, leave other bits in trigger objects (`datasets.trigger_bits`); the paper does not use them.
ISOLATED_PATHS = {"electron": r"HLT_Ele\d+(_eta2p1)?_WPTight_Gsf(_L1\w+)?", "muon": r"HLT_Iso(Tk)?Mu\d+(_eta2p1)?"}


class CatalogueError(InputError):
    """The catalogue cannot be used; the message names the file and the line."""


class Triggers(CatalogueEntry):
    """Single-lepton HLT paths by flavour of the lepton they select (paper, section 3); any of a list may fire."""

    electron: tuple[str, ...] = Field((), description="single-electron paths, e.g. HLT_Ele32_WPTight_Gsf")
    muon: tuple[str, ...] = Field((), description="single-muon paths, e.g. HLT_IsoMu24")

    @model_validator(mode="after")
    def _named(self) -> "Triggers":
        if not self.paths:
            raise ValueError("an era needs at least one trigger path")
        for flavour, pattern in ISOLATED_PATHS.items():
            if wrong := [path for path in getattr(self, flavour) if not re.fullmatch(pattern, path)]:
                example = "HLT_Ele32_WPTight_Gsf" if flavour == "electron" else "HLT_IsoMu24"
                raise ValueError(f"{flavour} triggers are of one isolated lepton, as {example}, not {', '.join(wrong)}")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths, electron ones first."""
        return self.electron + self.muon


class Era(CatalogueEntry):
    """One data-taking period with one set of triggers, thresholds and conditions."""

    year: int = Field(description="year of data taking, 2015-2018 or 2022-2026: fixes the thresholds of Table 1")
    energy: float | None = Field(
        None, gt=0, le=100, description="of the pp collisions in TeV; by default 13 to 2018, then 13.6"
    )
    luminosity: float = Field(gt=0, allow_inf_nan=False, description="integrated luminosity in /fb")
    triggers: Triggers
    luminosity_uncertainties: dict[LuminosityNuisance, Annotated[float, Field(ge=0, lt=1)]] | None = Field(
        None, description="nuisance -> relative uncertainty; by default those of CMS for the year (to 2024)"
    )
    score_uncertainty: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="relative, of the signal's yield, as hnl k0s measures it; by default 0.10 (Table 4)",
    )
    golden_json: Path | None = Field(None, description="certified luminosity sections, applied to data")
    corrections: Corrections = Field(default_factory=Corrections, description="weights and jet energies of simulation")

    @field_validator("year")
    @classmethod
    def _with_collisions(cls, year: int) -> int:
        if year not in years.ENERGY:
            raise ValueError(f"no pp collisions are known of; years are {', '.join(map(str, years.ENERGY))}")
        return year

    @property
    def sqrt_s(self) -> float:
        """Energy of the pp collisions in TeV."""
        return self.energy or years.ENERGY[self.year]

    @property
    def known_luminosity_uncertainties(self) -> dict[str, float] | None:
        """Nuisance -> relative uncertainty: those given, else those of CMS for the year; None if there are none yet."""
        if self.luminosity_uncertainties is not None:
            return dict(self.luminosity_uncertainties)
        found = years.LUMINOSITY_UNCERTAINTIES.get(self.year)
        return None if found is None else dict(found)


class Signal(CatalogueEntry):
    """What a signal sample was generated with."""

    mass: float = Field(gt=0, allow_inf_nan=False, description="m_N in GeV")
    v2_e: float = Field(0.0, ge=0, le=1, description="|V_eN|^2")
    v2_mu: float = Field(0.0, ge=0, le=1, description="|V_muN|^2")
    v2_tau: float = Field(0.0, ge=0, le=1, description="|V_tauN|^2")
    nature: Literal["majorana", "dirac"] = "majorana"
    ctau: float = Field(gt=0, allow_inf_nan=False, description="generated mean proper decay length in mm")

    @model_validator(mode="after")
    def _couples(self) -> "Signal":
        if self.v2_e == self.v2_mu == self.v2_tau == 0:
            raise ValueError("a signal sample needs v2_e, v2_mu or v2_tau above zero")
        return self


class KFactor(CatalogueEntry):
    """From the order of a cross section to a higher one (section 3: 1.089 +- 4 % from LO to NNLO, for signal)."""

    value: float = Field(gt=0, allow_inf_nan=False)
    uncertainty: float = Field(ge=0, lt=1, description="relative")


class Dataset(CatalogueEntry):
    """A set of files of one kind and process, normalised together."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", description="unique; names its folder of candidates")
    era: str
    kind: Literal["data", "background", "signal"]
    process: str = Field(min_length=1, description="physics process, e.g. wjets; datasets of one process are summed")
    title: str | None = Field(
        None, description="of the process in figures, with mathtext; by default one for known names, else the name"
    )
    files: tuple[str, ...] = Field(
        (), description="paths or globs, relative to the catalogue, or root:// URLs; $VARIABLE is expanded"
    )
    candidates: Path | None = Field(
        None,
        description="in place of files: a folder in which hnl select has finished a dataset of this name; its "
        "candidates are taken",
    )
    checksums: dict[str, Annotated[str, Field(pattern=r"^(adler32:[0-9a-f]{8}|sha256:[0-9a-f]{64})$")]] = Field(
        {}, description="of files, each named as in `files` without globs, 'adler32:...' or 'sha256:...' in lower case"
    )
    cross_section: float | None = Field(None, gt=0, allow_inf_nan=False, description="pb, simulation only")
    cross_section_uncertainty: float = Field(0.0, ge=0, lt=1, description="relative")
    cross_section_order: Literal["LO", "NLO", "NNLO"] | None = Field(
        None, description="order in QCD that the cross section is known to; needed with a k_factor"
    )
    k_factor: KFactor | None = Field(None, description="multiplies a cross_section of LO or NLO")
    generated_events: Literal["from Runs tree"] | Annotated[int, Field(gt=0)] = Field(
        FROM_RUNS_TREE,
        description="simulation: number of generated events. With a number it is checked against the Runs tree, or, "
        "for files without one, against the events processed, whose weights are then summed",
    )
    generator_weights: GeneratorWeights = Field(
        GeneratorWeights(), description="simulation: weights of the generator that vary the sample"
    )
    signal: Signal | None = Field(None, description="of an HNL; needed of signals of the displaced search")
    primary_dataset: str | None = Field(None, description="data: the stream, e.g. SingleMuon")
    triggers: tuple[Literal["electron", "muon"], ...] = Field(
        ("electron", "muon"), min_length=1, description="an event belongs to this dataset if one of these groups fired"
    )
    veto_triggers: tuple[Literal["electron", "muon"], ...] = Field(
        (), description="... and none of these: removes the overlap of two data streams"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "Dataset":
        if bool(self.files) == bool(self.candidates):
            raise ValueError("a dataset has files or candidates, one of them")
        if self.candidates and self.checksums:
            raise ValueError("checksums are of files; candidates have their own")
        if self.kind == "data":
            if self.primary_dataset is None:
                raise ValueError("data needs its primary_dataset")
            if self.cross_section is not None or self.generated_events != FROM_RUNS_TREE:
                raise ValueError("data has neither cross_section nor generated_events")
            if self.k_factor is not None or self.generator_weights.kinds:
                raise ValueError("data has neither k_factor nor generator_weights")
        else:
            if self.cross_section is None:
                raise ValueError(f"{self.kind} needs a cross_section in pb")
            if self.primary_dataset is not None:
                raise ValueError("primary_dataset is for data only")
        if self.k_factor is not None and self.cross_section_order not in ("LO", "NLO"):
            # Applied to a cross section that has it already, it would count twice.
            order = self.cross_section_order or "not given"
            raise ValueError(f"a k_factor needs cross_section_order LO or NLO; it is {order}")
        if self.signal is not None and self.kind != "signal":
            raise ValueError("kind 'signal' and the block 'signal' go together")
        if both := set(self.triggers) & set(self.veto_triggers):
            raise ValueError(f"{', '.join(sorted(both))} is both in triggers and in veto_triggers")
        return self

    @property
    def is_data(self) -> bool:
        """Whether this is collision (or pseudo-) data, without generator weights."""
        return self.kind == "data"


DATA, PSEUDODATA = "data", "pseudo-data"


def data_name(datasets: Iterable[Dataset]) -> str:
    """What is said of the data of datasets: 'pseudo-data' if all are of this process, drawn from simulation."""
    processes = {dataset.process for dataset in datasets if dataset.is_data}
    return PSEUDODATA if processes == {PSEUDODATA} else DATA


class Catalogue(CatalogueEntry):
    """Eras and the datasets recorded or simulated for them."""

    analysis: str = Field(
        DISPLACED,
        pattern=r"^([a-z_]+|[\w./$~+-]+:[A-Za-z_]\w*)$",
        description="the search: 'displaced' (EXO-21-011), or your own as MODULE:OBJECT or FILE.py:OBJECT, the file "
        "relative to the catalogue",
    )
    eras: dict[str, Era] = Field(min_length=1)
    datasets: tuple[Dataset, ...] = Field(min_length=1)
    weights: tuple[OwnWeight, ...] = Field((), description="weights of your own for simulation, see corrections.md")
    remote: Remote = Field(default_factory=Remote, description="how files are read over the network")
    batch: Batch = Field(default_factory=Batch, description="what jobs of a batch system ask for")
    settings: dict[str, Any] = Field(
        {}, description="settings of the search, or a YAML file of them; once loaded, those that are not the default"
    )

    @property
    def own_file(self) -> Path | None:
        """The file with the search, if it is FILE.py:OBJECT."""
        place = self.analysis.rpartition(":")[0]
        return Path(place) if place.endswith(".py") else None

    def era(self, dataset: Dataset) -> Era:
        """The era of a dataset."""
        return self.eras[dataset.era]

    def dataset(self, name: str) -> Dataset:
        """The dataset of that name; KeyError if there is none."""
        return {dataset.name: dataset for dataset in self.datasets}[name]

    @property
    def energies(self) -> tuple[float, ...]:
        """Energies in TeV of the eras that datasets belong to, in order."""
        return tuple(sorted({self.era(dataset).sqrt_s for dataset in self.datasets}))

    @property
    def data_eras(self) -> dict[str, Era]:
        """Eras that data, or without any the simulation, belong to, by name: those whose luminosity counts."""
        of_data = {dataset.era for dataset in self.datasets if dataset.is_data}
        chosen = of_data or {dataset.era for dataset in self.datasets}
        return {name: self.eras[name] for name in sorted(chosen)}

    def alone(self, dataset: Dataset) -> "Catalogue":
        """What a worker needs to select events of one dataset: no list of files; of its era what is applied then."""
        one, era = dataset.model_copy(update={"files": (), "checksums": {}, "title": None}), self.era(dataset)
        certified = era.golden_json if dataset.is_data else None
        applied = Corrections(jets=None if dataset.is_data else era.corrections.jets)
        era = era.model_copy(update={"golden_json": certified, "corrections": applied})
        return self.model_copy(update={"eras": {dataset.era: era}, "datasets": (one,), "weights": ()})


def load(path: Path, *, files_needed: bool = True) -> Catalogue:
    """Reads, checks and resolves a catalogue.

    Args:
        path: the YAML file. Relative paths in it are relative to its folder; globs are expanded, in sorted order.
        files_needed: refuse globs without files, and golden JSON and corrections that are not there. Otherwise they
            stay as they are, and nothing can be selected with the catalogue.

    Raises:
        CatalogueError: with file and line, for anything that is not right.
    """
    document = _read(path)
    holder, place, written = search_settings.given(document)
    try:
        catalogue = Catalogue.model_validate(document.content | {"settings": written})
    except ValidationError as error:
        raise document.invalid(error) from None
    catalogue = _resolve(document, catalogue, files_needed)
    if not written:
        return catalogue
    kind = searches.of_catalogue(catalogue).settings
    changed = search_settings.changed(kind, catalogue.settings, holder, place)
    return catalogue.model_copy(update={"settings": changed})


def error_at(path: Path, place: Place, message: str) -> InputError:
    """An error about an entry of a catalogue that was loaded, with the line that the entry stands in."""
    return _read(path).wrong(place, message)


def _read(path: Path) -> Document:
    return yaml_lines.read(path, "catalogue", "a catalogue has the keys 'eras' and 'datasets'", CatalogueError)


def _resolve(document: Document, catalogue: Catalogue, files_needed: bool) -> Catalogue:
    """Expands globs, makes paths absolute and checks what concerns several entries at once."""
    path, fail = document.path, document.wrong

    def absolute(file: Path) -> Path:
        return (path.parent / file).resolve()

    owner: dict[str, str] = {}
    names: set[str] = set()
    datasets = []
    for i, dataset in enumerate(catalogue.datasets):
        if dataset.name in names:
            raise fail(("datasets", i, "name"), f"two datasets are called {dataset.name}")
        names.add(dataset.name)
        if dataset.era not in catalogue.eras:
            known = ", ".join(catalogue.eras)
            raise fail(("datasets", i, "era"), f"dataset {dataset.name} names the era {dataset.era}; known: {known}")
        if catalogue.analysis == DISPLACED and (dataset.kind == "signal") != (dataset.signal is not None):
            raise fail(("datasets", i), "kind 'signal' and the block 'signal' go together")
        era = catalogue.eras[dataset.era]
        for group in dataset.triggers if "triggers" in dataset.model_fields_set else ():
            if not getattr(era.triggers, group):
                raise fail(("datasets", i, "triggers"), f"era {dataset.era} has no {group} trigger")
        files = []
        for j, pattern in enumerate(dataset.files):
            expanded = _expand(pattern, path.parent)
            if not expanded and not files_needed:
                expanded = [pattern]
            if not expanded:
                raise fail(("datasets", i, "files", j), f"dataset {dataset.name}: no file matches {pattern}")
            for file in expanded:
                if file in owner:
                    raise fail(
                        ("datasets", i, "files", j),
                        f"the file {file} is listed twice: in {owner[file]} and in {dataset.name}",
                    )
                owner[file] = dataset.name
                files.append(file)
        checksums = {}
        for file, checksum in dataset.checksums.items():
            expanded = _expand(file, path.parent)
            if len(expanded) != 1 or owner.get(expanded[0]) != dataset.name:
                raise fail(("datasets", i, "checksums", file), f"dataset {dataset.name} has no file {file}")
            checksums[expanded[0]] = checksum
        taken = dataset.candidates and absolute(Path(os.path.expandvars(dataset.candidates)).expanduser())
        if taken and files_needed and not (taken / layout.SELECTION).is_file():
            message = f"dataset {dataset.name}: {taken} holds no finished selection (no {layout.SELECTION})"
            raise fail(("datasets", i, "candidates"), message)
        update = {"files": tuple(files), "checksums": checksums, "candidates": taken}
        datasets.append(dataset.model_copy(update=update))

    eras = {}
    for name, era in catalogue.eras.items():
        if era.golden_json is not None:
            certified = absolute(era.golden_json)
            try:
                if files_needed or certified.is_file():
                    golden.read(certified)
            except golden.GoldenJSONError as error:
                raise fail(("eras", name, "golden_json"), f"era {name}: {error}") from None
            era = era.model_copy(update={"golden_json": certified})
        era = era.model_copy(update={"corrections": corrections.moved(era.corrections, absolute)})
        for needed in corrections.files(era.corrections):
            if files_needed and not needed.is_file():
                raise fail(("eras", name, "corrections"), f"era {name}: no such file of corrections: {needed}")
        eras[name] = era
    simulated = {d.era: eras[d.era].corrections for d in datasets if not d.is_data}
    for name in simulated:
        if eras[name].known_luminosity_uncertainties is None:  # limits would refuse it, after everything else
            raise fail(
                ("eras", name, "year"),
                f"era {name} needs luminosity_uncertainties: there are none of CMS for {eras[name].year} yet",
            )
    if found := corrections.forgotten(simulated):
        without, kind, having = found
        raise fail(
            ("eras", without, "corrections"),
            f"era {without} has no corrections.{kind}, era {having} has: give them, or say '{kind}: null'",
        )
    if misplaced := own_weights.problem(catalogue.weights, datasets):
        raise fail(*misplaced)
    weights = tuple(corrections.moved(weight, absolute) for weight in catalogue.weights)
    for i, weight in enumerate(weights):
        if files_needed and not weight.file.is_file():
            raise fail(("weights", i, "file"), f"weight {weight.name}: no such file of corrections: {weight.file}")
    analysis = catalogue.analysis
    if catalogue.own_file is not None:
        source = absolute(catalogue.own_file)
        if not source.is_file():
            raise fail(("analysis",), f"no such file: {source}")
        analysis = f"{source}:{analysis.rpartition(':')[2]}"
    resolved = {"datasets": tuple(datasets), "eras": eras, "weights": weights, "analysis": analysis}
    return catalogue.model_copy(update=resolved)


def _expand(pattern: str, folder: Path) -> list[str]:
    if "://" in pattern:
        return [pattern]
    path = Path(os.path.expandvars(pattern)).expanduser()
    if any(character in pattern for character in "*?[") and not (folder / path).is_file():
        matches = glob(str(path), root_dir=folder, recursive=True)  # noqa: PTH207 (absolute)
        return sorted(str((folder / match).resolve()) for match in matches)
    return [str((folder / path).resolve())]
