"""Which figures are drawn of which product: loads the product, and calls a room."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from hnl import analysis as searches
from hnl import layout, records
from hnl.histograms import files
from hnl.histograms.fill import hidden
from hnl.inference.abcd.files import EstimateFile
from hnl.inference.abcd.settings import AbcdSettings
from hnl.inference.displaced import table5
from hnl.inference.displaced.k0s_results import K0SFile
from hnl.inference.displaced.results import LimitsFile
from hnl.inference.results import FitFile, StrengthsFile
from hnl.plots import classifier, cutflow, distributions
from hnl.plots import fits as fit_plots
from hnl.plots import strengths as strength_plots
from hnl.plots.displaced import abcd as abcd_plots
from hnl.plots.displaced import efficiencies, nonprompt
from hnl.plots.displaced import k0s as k0s_plots
from hnl.plots.displaced import limits as limit_plots
from hnl.plots.style import Drawn, Label
from hnl.processors.selection_files import DatasetCutflow
from hnl.selections.displaced.regions import RegionSettings
from hnl.stages.run import Run


@dataclass(frozen=True)
class Kind:
    """Products of a stage, and how their figures are drawn.

    Attributes:
        stage: that makes them.
        patterns: of the files in OUT.
        draw: from a run, a product and the folder of figures.
        code: modules that draw.
        section: of the report, for figures that do not say it.
        needs: other files that are read.
        uses: whether definitions of the search decide on the figures.
    """

    stage: str
    patterns: tuple[str, ...]
    draw: Callable[[Run, Path, Path], list[Drawn]]
    code: tuple[str, ...]
    section: str
    needs: tuple[str, ...] = ()
    uses: bool = False


def _cutflow(at: Run, path: Path, folder: Path) -> list[Drawn]:
    of = TypeAdapter(dict[str, DatasetCutflow]).validate_json(path.read_bytes())
    catalogue = at.selection.catalogue
    chosen = of, at.selection.sum_w, catalogue, folder
    return cutflow.draw_all(*chosen) + efficiencies.draw_all(*chosen) + nonprompt.draw_all(of, catalogue, folder)


def _distributions(at: Run, path: Path, folder: Path) -> list[Drawn]:
    histograms = files.read_json(path)
    drawn = replace(at.analysis.distributions, hidden=hidden(histograms, at.analysis.distributions))
    return distributions.draw_all(histograms, drawn, at.selection.catalogue, folder)


def _abcd(at: Run, path: Path, folder: Path) -> list[Drawn]:
    estimate = records.read(path, EstimateFile)
    plane = files.read_json(at.out / layout.REGIONS)["plane"]
    kinds = {"data": "data", "simulation": "background"}
    datasets = at.selection.catalogue.datasets
    samples = {name: [d.name for d in datasets if d.kind == kind] for name, kind in kinds.items()}
    chosen = {name: names for name, names in samples.items() if names}
    label, settings = Label.of(at.selection.catalogue), AbcdSettings.of_catalogue(at.selection.catalogue)
    drawn = estimate.tables, plane, chosen, estimate.scan, estimate.thresholds
    return abcd_plots.draw_all(*drawn, folder, label, settings)


def _classifiers(at: Run, path: Path, folder: Path) -> list[Drawn]:
    return classifier.draw_all(json.loads(path.read_text(encoding="utf-8"))["metrics"], folder)


def _k0s(at: Run, path: Path, folder: Path) -> list[Drawn]:
    return k0s_plots.draw_all(records.read(path, K0SFile), path.parent, Label.of(at.selection.catalogue))


def _limits(at: Run, path: Path, folder: Path) -> list[Drawn]:
    label = Label.of(at.selection.catalogue)
    return limit_plots.draw_limits(records.read(path, LimitsFile), table5.rows(), folder, label)


def _strengths(at: Run, path: Path, folder: Path) -> list[Drawn]:
    return strength_plots.draw_strengths(records.read(path, StrengthsFile), folder, Label.of(at.selection.catalogue))


def _fits(at: Run, path: Path, folder: Path) -> list[Drawn]:
    edges = searches.part(at.selection.catalogue, RegionSettings)
    return fit_plots.draw_fits(records.read(path, FitFile), folder, Label.of(at.selection.catalogue), edges)


# In the order in which their figures are shown.
KINDS = (
    Kind(
        "limits",
        layout.EVERY_LIMITS,
        _limits,
        ("hnl.plots.displaced.limits", "hnl.inference.displaced.table5"),
        "result",
    ),
    Kind("limits", layout.EVERY_STRENGTHS, _strengths, ("hnl.plots.strengths",), "result"),
    Kind(
        "select",
        (layout.CUTFLOW,),
        _cutflow,
        ("hnl.plots.cutflow", "hnl.plots.displaced.efficiencies", "hnl.plots.displaced.nonprompt"),
        "selection",
        needs=(layout.SELECTION,),
    ),
    Kind(
        "histogram",
        (layout.HISTOGRAMS,),
        _distributions,
        ("hnl.plots.distributions",),
        "selection",
        needs=(layout.SELECTION,),
        uses=True,
    ),
    Kind("train", (layout.EVALUATION,), _classifiers, ("hnl.plots.classifier",), "classifiers"),
    Kind(
        "abcd",
        (layout.ESTIMATE,),
        _abcd,
        ("hnl.plots.displaced.abcd",),
        "background",
        needs=(layout.SELECTION, layout.REGIONS),
    ),
    Kind("fit", layout.EVERY_FIT, _fits, ("hnl.plots.fits",), "fit"),
    Kind("k0s", (layout.K0S_FILE,), _k0s, ("hnl.plots.displaced.k0s",), "k0s"),
)
