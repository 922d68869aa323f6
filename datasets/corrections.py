"""Which corrections an era has: files of correctionlib, and the names of the corrections in them.

One field of `Corrections` for each kind; `corrections/` applies them. A field that one era of the catalogue has, every
other era with simulation must have as well, or say `null`: an era that was forgotten is an error.

A key of `JetCorrections.uncertainties` is the name of a nuisance parameter: eras that use one name vary together, eras
that use different names (`jes_stat_2017`, `jes_stat_2018`) do not.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, StringConstraints, model_validator

from hnl.datasets.model import CatalogueEntry
from hnl.datasets.variations import JER
from hnl.datasets.weight_corrections import LeptonCorrections, WeightCorrection

NuisanceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
CorrectionName = Annotated[str, StringConstraints(min_length=1)]

M = TypeVar("M", bound=CatalogueEntry)

PILEUP_COLUMN = "n_true_interactions"
MAX_NUISANCES = 31  # of jets: up, down and nominal in the 64 bits of a candidate


class Smearing(CatalogueEntry):
    """Jet energy resolution (JER), as the JERC group publishes it for correctionlib."""

    resolution: CorrectionName = Field(description="relative pt resolution, e.g. ..._PtResolution_AK4PFchs")
    scale_factor: CorrectionName = Field(
        description="resolution in data over simulation, e.g. ..._ScaleFactor_AK4PFchs; its input 'systematic' is "
        "nom, up or down"
    )
    nuisance: NuisanceName = Field(JER, description="eras of one name vary together")


class JetCorrections(CatalogueEntry):
    """Jet energy scale and resolution of simulation (Table 4); inputs by name: JetEta, JetPt, Rho, systematic."""

    file: Path = Field(description="correctionlib JSON, relative to the catalogue")
    uncertainties: dict[NuisanceName, CorrectionName] = Field(
        {}, description="jet energy scale: nuisance -> relative uncertainty, e.g. jes: ..._MC_Total_AK4PFchs"
    )
    smearing: Smearing | None = Field(None, description="jet energy resolution; simulation is not smeared without")

    @model_validator(mode="after")
    def _countable(self) -> "JetCorrections":
        nuisances = self.nuisances
        if not nuisances:
            raise ValueError("neither uncertainties nor smearing is given")
        if len(set(nuisances)) < len(nuisances):
            raise ValueError(f"two nuisances are called {nuisances[-1]}")
        if len(nuisances) > MAX_NUISANCES:
            raise ValueError(f"{len(nuisances)} nuisances of jets; {MAX_NUISANCES} are possible")
        return self

    @property
    def nuisances(self) -> tuple[str, ...]:
        """Names, in the order of the variations."""
        return (*self.uncertainties, *([self.smearing.nuisance] if self.smearing else []))


class Corrections(CatalogueEntry):
    """The corrections of an era; those that are not named are not applied."""

    jets: JetCorrections | None = Field(default=None, description="jet energy scale and resolution")
    pileup: WeightCorrection | None = Field(
        default=None, description="weight of the pileup profile, from true interactions"
    )
    trigger: LeptonCorrections | None = Field(default=None, description="efficiency of the trigger that l1 fired")
    prompt: LeptonCorrections | None = Field(
        default=None, description="efficiency to select l1: reconstruction, ID, isolation"
    )
    nonprompt: LeptonCorrections | None = Field(default=None, description="efficiency to select l2")
    tracking: WeightCorrection | None = Field(default=None, description="efficiency of the tracks of the vertex")

    @model_validator(mode="after")
    def _of_the_event(self) -> "Corrections":
        if self.pileup and tuple(self.pileup.columns.values()) != (PILEUP_COLUMN,):
            raise ValueError(f"pileup depends on the column {PILEUP_COLUMN} alone")
        return self


def moved(model: M, move: Callable[[Path], Path]) -> M:
    """The entry with every `file` in it elsewhere."""
    update: dict[str, Any] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, CatalogueEntry):
            update[name] = moved(value, move)
        elif isinstance(value, tuple):
            update[name] = tuple(moved(one, move) if isinstance(one, CatalogueEntry) else one for one in value)
        elif name == "file" and isinstance(value, Path):
            update[name] = move(value)
    return model.model_copy(update=update)


def files(model: CatalogueEntry) -> Iterator[Path]:
    """Every `file` named in an entry, in order."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if name == "file" and isinstance(value, Path):
            yield value
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, CatalogueEntry):
                yield from files(one)


def forgotten(eras: Mapping[str, Corrections]) -> tuple[str, str, str] | None:
    """An era without a kind of correction that another one has, and that does not say `null`.

    Returns:
        Era, kind (a field of `Corrections`), and an era that has it; None if nothing was forgotten.
    """
    for kind in Corrections.model_fields:
        having = [name for name, era in eras.items() if getattr(era, kind) is not None]
        for name, era in eras.items():
            if having and name not in having and kind not in era.model_fields_set:
                return name, kind, having[0]
    return None
