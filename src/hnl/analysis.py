"""A search: the pieces that it takes from the rooms, where another search would choose otherwise."""

import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from hnl.datasets.model import Settings
from hnl.errors import InputError

if TYPE_CHECKING:
    from hnl.datasets.catalogue import Catalogue
    from hnl.datasets.nanoaod import Needs
    from hnl.histograms.variables import Distributions
    from hnl.inference.model import Model
    from hnl.processors.base import SelectionProcessor
    from hnl.processors.columns import Column
    from hnl.stages import Stage
    from hnl.stages.run import Run

# What a catalogue may call by a short name.
SHIPPED = {"displaced": "hnl.analyses.displaced:DISPLACED"}
Part = TypeVar("Part", bound=Settings)


class AnalysisError(InputError):
    """The search that a catalogue names cannot be had."""


@dataclass(frozen=True)
class Analysis:
    """A search, from events to statistical models.

    To be made by a call with keywords at the top of a module: what each of them uses decides which stages are stale
    (`dependencies.definitions`).

    Attributes:
        title: for people.
        needs: branches that it reads of every file.
        processor: selects events; has the columns of a candidate and the categories of the cutflow.
        distributions: what is histogrammed of the candidates.
        stages: from events to results, in their order.
        models: from a finished run to statistical models by name, in events of its luminosity; what the stages `fit`
            and `limits` take, unless the search has stages of its own for them.
        varies_jets: candidates have rows for the variations of jet energies, see `processors.rows.passing`.
        settings: what a catalogue may change: parts, one for each room that has some; by default nothing.
    """

    title: str
    needs: "Needs"
    processor: "type[SelectionProcessor]"
    distributions: "Distributions"
    stages: "tuple[Stage, ...]"
    models: "Callable[[Run], Mapping[str, Model]] | None" = None
    varies_jets: bool = False
    settings: type[Settings] = Settings

    @property
    def columns(self) -> "tuple[Column, ...]":
        """Of its candidates."""
        return self.processor.columns

    def stage(self, name: str) -> "Stage":
        """The stage of a name.

        Raises:
            AnalysisError: the search has none.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        known = ", ".join(stage.name for stage in self.stages)
        raise AnalysisError(f"the search '{self.title}' has no stage {name}; it has {known}")


def of_catalogue(catalogue: "Catalogue") -> Analysis:
    """The search that a catalogue names.

    Raises:
        AnalysisError: see `load`.
    """
    return load(catalogue.analysis)


def part(catalogue: "Catalogue", kind: type[Part]) -> Part:
    """The settings of a kind: as the catalogue changes them, else as they are by default.

    Args:
        catalogue: names the search.
        kind: a part of the settings of the search, or all of them.

    Raises:
        AnalysisError: see `load`.
    """
    every = of_catalogue(catalogue).settings.model_validate(catalogue.settings)
    return next((found for _, found in [("", every), *every] if isinstance(found, kind)), kind())


@cache
def load(name: str) -> Analysis:
    """The search of a name: one of `SHIPPED`, MODULE:OBJECT, or FILE.py:OBJECT.

    A file is known by its content, so that it is the same wherever a worker finds it.

    Raises:
        AnalysisError: there is no such module, file or object, or it is no `Analysis`.
    """
    place, _, attribute = SHIPPED.get(name, name).rpartition(":")
    if not place or not attribute:
        known = ", ".join(SHIPPED)
        raise AnalysisError(f"no search {name!r}: it is one of {known}, MODULE:OBJECT or FILE.py:OBJECT")
    try:
        module = _from_file(Path(place)) if place.endswith(".py") else import_module(place)
        analysis = getattr(module, attribute)
    except Exception as error:  # of the code of a user, which may raise anything
        raise AnalysisError(f"the search {name} cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(analysis, Analysis):
        raise AnalysisError(f"{name} is no Analysis but {type(analysis).__name__}")
    defined_in = f"{module.__name__}#{attribute}"
    return replace(analysis, stages=tuple(stage.of_search(defined_in) for stage in analysis.stages))


def _from_file(path: Path) -> ModuleType:
    """The module that a file holds, under a name that is its content's."""
    name = f"hnl_analysis_{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    if name not in sys.modules:
        spec = spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]
