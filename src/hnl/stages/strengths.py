"""Stage `limits` of a search that gives its statistical models by name: upper limits on the signal strength mu."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hnl import layout, provenance, records
from hnl.inference import asymptotics, exported_limits
from hnl.inference import toys as toy_limits
from hnl.inference.likelihood import FitError
from hnl.inference.methods import LHC, Method
from hnl.inference.model import Model
from hnl.inference.results import NamedLimit, StrengthsFile
from hnl.inference.strength_limits import strength_limit
from hnl.report import strengths as tables
from hnl.report.tables import Table
from hnl.stages.run import Run


@dataclass(frozen=True)
class Result:
    """What the stage found and wrote."""

    folder: Path
    content: StrengthsFile
    table: Table


def run(
    at: Run,
    *,
    samples: Sequence[str] = (),
    method: Method = LHC,
    toys: int = toy_limits.TOYS,
    seed: int = 1,
    on_plan: Callable[[int], None] = lambda models: None,
    on_model: Callable[[str], None] = lambda name: None,
) -> Result:
    """Limits on mu of each model: OUT/limits (JSON, CSV, models for pyhf and Combine).

    Args:
        at: with a finished selection.
        samples: names of models; all by default.
        method: of the limits, see `inference.methods`.
        toys: hybrid ones, for each hypothesis.
        seed: of the toys.
        on_plan: told the number of models.
        on_model: told each model when it is done.

    Raises:
        AnalysisError: the search has no models, or none of a name.
    """
    models, folder = at.models(samples), at.out / layout.limits()
    on_plan(len(models))
    limits = []
    for name, model in models.items():
        limits.append(_limit(name, model, folder / layout.STATISTICAL_MODELS, method, toys, seed))
        on_model(name)
    found = [one.limit for one in limits if one.limit is not None]
    provenance.write_text(folder / layout.STATISTICAL_MODELS / layout.MODELS_README, exported_limits.readme(found))
    hidden = any(model.hidden for model in models.values())
    content = StrengthsFile(
        format=StrengthsFile.FORMAT,
        label=at.label(hidden=hidden),
        hidden=hidden,
        luminosity=at.luminosity,
        level=asymptotics.LEVEL,
        limits=tuple(limits),
        partial=tuple(at.selection.partial),
        provenance=provenance.record(),
    )
    table = tables.of_models(content)
    records.write(folder / layout.STRENGTHS_FILE, content)
    provenance.write_text(folder / layout.STRENGTHS_TABLE, table.csv())
    return Result(folder, content, table)


def _limit(name: str, model: Model, folder: Path, method: Method, toys: int, seed: int) -> NamedLimit:
    try:
        limit = strength_limit(name, model, folder, method=method, toys_per_hypothesis=toys, seed=seed)
    except FitError as error:
        return NamedLimit(name, str(error), None)
    return NamedLimit(name, "", limit)
