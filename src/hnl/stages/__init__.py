"""The stages of the search: what each needs and makes, and which code decides what comes out.

The modules of this package do the work: each loads, calls a room, and writes. They are imported when they are run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from hnl import layout


@dataclass(frozen=True)
class Stage:
    """One step from NanoAOD to limits.

    Attributes:
        name: of the command, and of its module.
        does: from what to what, for people.
        needs: files of OUT that it reads, as patterns; those that do not exist are not needed.
        products: files of OUT that it writes, as patterns.
        code: modules that decide what is in the products, with all that they import (`dependencies`). What a stage
            reads is taken as it is: it is compared by content.
    """

    name: str
    does: str
    needs: tuple[str, ...]
    products: tuple[str, ...]
    code: tuple[str, ...]

    def run(self, *arguments: Any, **options: Any) -> Any:
        """Calls the `run` of its module."""
        run: Callable[..., Any] = import_module(f"{__name__}.{self.name}").run
        return run(*arguments, **options)

    def inputs(self, out: Path) -> list[Path]:
        """The files that it reads, as far as they exist."""
        return [path for pattern in self.needs for path in sorted(out.glob(pattern))]


_ESTIMATE = (layout.SELECTION, f"{layout.SCORES}/*.parquet", layout.ESTIMATE, layout.REGIONS)
_RESULTS = (*layout.EVERY_LIMITS, *layout.EVERY_FIT)

SELECT = Stage(
    "select",
    "NanoAOD -> candidates and cutflow",
    (),
    (layout.SELECTION, layout.CUTFLOW, f"{layout.CANDIDATES}/*/*.parquet"),
    ("hnl.processors.units",),
)
HISTOGRAM = Stage(
    "histogram",
    "candidates -> histograms (ROOT, UHI JSON)",
    (layout.SELECTION,),
    (layout.HISTOGRAMS_ROOT, layout.HISTOGRAMS),
    ("hnl.corrections.weights", "hnl.histograms.files", "hnl.histograms.fill"),
)
TRAIN = Stage(
    "train",
    "candidates -> classifiers",
    (layout.SELECTION,),
    (f"{layout.MODELS}/*",),
    ("hnl.ml.evaluation", "hnl.ml.models", "hnl.ml.sample", "hnl.ml.training", "hnl.ml.tuning"),
)
SCORE = Stage(
    "score",
    "candidates and classifiers -> scores",
    (layout.SELECTION, f"{layout.MODELS}/*.json"),
    (f"{layout.SCORES}/*",),
    ("hnl.ml.models", "hnl.ml.scoring"),
)
ABCD = Stage(
    "abcd",
    "scores -> ABCD regions, estimate, checks",
    (layout.SELECTION, f"{layout.SCORES}/*.parquet"),
    (f"{layout.ABCD}/*",),
    (
        "hnl.corrections.weights",
        "hnl.histograms.displaced.abcd_files",
        "hnl.inference.abcd.files",
        "hnl.inference.abcd.results",
        "hnl.ml.scored",
        "hnl.report.abcd_layout",
    ),
)
LIMITS = Stage(
    "limits",
    "estimate -> excluded |V|^2",
    _ESTIMATE,
    tuple(pattern.replace(layout.LIMITS_FILE, "**/*") for pattern in layout.EVERY_LIMITS),
    (
        "hnl.corrections.weights",
        "hnl.inference.displaced.inputs",
        "hnl.inference.displaced.limits",
        "hnl.inference.displaced.strengths",
        "hnl.report.limit_files",
    ),
)
FIT = Stage(
    "fit",
    "estimate -> pulls, impacts, goodness of fit",
    _ESTIMATE,
    tuple(pattern.replace(layout.FIT_FILE, "*") for pattern in layout.EVERY_FIT),
    (
        "hnl.corrections.weights",
        "hnl.inference.displaced.fitting",
        "hnl.inference.displaced.inputs",
        "hnl.report.fit_tables",
    ),
)
K0S = Stage(
    "k0s",
    "scores of K0S decays in data and simulation",
    (layout.SELECTION, f"{layout.MODELS}/*.json"),
    (f"{layout.K0S}/*",),
    (
        "hnl.corrections.weights",
        "hnl.histograms.displaced.k0s",
        "hnl.ml.displaced.k0s",
        "hnl.plots.k0s",
        "hnl.processors.displaced.k0s",
    ),
)
PLOT = Stage(
    "plot",
    "draw all figures again",
    (layout.SELECTION, layout.HISTOGRAMS, layout.EVALUATION, layout.ESTIMATE, layout.REGIONS, *_RESULTS),
    (f"{layout.PLOTS}/*",),
    ("hnl.plots.abcd", "hnl.plots.classifier", "hnl.plots.distributions", "hnl.plots.limits"),
)
REPORT = Stage(
    "report",
    "a page with what was found",
    (layout.SELECTION, layout.HISTOGRAMS, layout.EVALUATION, layout.ESTIMATE, *_RESULTS),
    (layout.REPORT,),
    ("hnl.plots.distributions", "hnl.report.page", "hnl.report.summary"),
)

STAGES = (SELECT, HISTOGRAM, TRAIN, SCORE, ABCD, K0S, LIMITS, FIT, PLOT, REPORT)
