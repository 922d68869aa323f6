"""Stage `fit`: pulls, impacts, goodness of fit and fitted yields, at simulated points."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hnl import layout, provenance
from hnl.inference import records
from hnl.inference.displaced import fitting, inputs
from hnl.inference.fitting import EXPECTED, OBSERVED
from hnl.inference.results import FitFile
from hnl.plots import fits as plots
from hnl.report import fit_tables
from hnl.report.tables import Table
from hnl.stages.run import Run


@dataclass(frozen=True)
class Result:
    """What the stage found and wrote."""

    folder: Path
    content: FitFile
    tables: list[Table]
    figures: list[tuple[str, Path]]  # title, PNG


def run(
    at: Run,
    *,
    samples: Sequence[str] = (),
    luminosity: float | None = None,
    correlated: bool = True,
    toys: int = 0,
    seed: int = 1,
) -> Result:
    """Fits the models of some signal samples, and writes OUT/fit (or OUT/fit_projection_Lfb) and figures.

    Args:
        at: a finished run.
        samples: names of signal datasets; by default, for each coupling, the one with the best expected limit.
        luminosity: /fb; simulated background is projected to it in place of data.
        correlated: one closure parameter a category, or one a bin.
        toys: for the goodness of fit.
        seed: of the toys.

    Raises:
        HNLError: see `inputs.load` and `fitting.fit_samples`.
    """
    of_run = inputs.load(at, luminosity=luminosity)
    fits, refused = fitting.fit_samples(of_run, samples, correlated=correlated, toys=toys, seed=seed)
    background = of_run.background
    folder = at.out / layout.fit(luminosity)
    content = FitFile(
        format=FitFile.FORMAT,
        label=background.label,
        projected=luminosity is not None,
        data=EXPECTED if background.hidden else OBSERVED,
        luminosity=background.luminosity,
        correlated_closure=correlated,
        fits=tuple(fits),
        refused=refused,
        partial=tuple(at.selection.partial),
        provenance=provenance.record(),
    )
    tables = [table for record in fits for table in fit_tables.tables(record, content.data, background.label)]
    records.write(folder / layout.FIT_FILE, content)
    for table in tables:
        provenance.write_text(folder / f"{table.name}.csv", table.csv())
    return Result(folder, content, tables, plots.draw_fits(content, at.out / layout.PLOTS))
