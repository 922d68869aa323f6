"""The stages of a search: what each needs and makes, and which code decides what comes out.

The modules of this package do the work: each loads, calls a room, and writes. They are imported when they are run. Here
are the stages that any search can have; one that is of a single search is declared with it (`analyses`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from hnl import layout


@dataclass(frozen=True)
class Stage:
    """One step from NanoAOD to limits.

    Attributes:
        name: of the command.
        does: from what to what, for people.
        needs: files of OUT that it reads, as patterns; those that do not exist are not needed.
        products: files of OUT that it writes, as patterns.
        code: modules that decide what is in the products, with all that they import (`dependencies`). What a stage
            reads is taken as it is: it is compared by content.
        uses: attributes of the search (`Analysis`) that decide as well: their definitions are added to `code`.
        module: of this package, that does it; the name by default.
        in_run: whether it is a part of `hnl run`.
        wants_signal: whether there is nothing to do without a signal sample in the catalogue.
        settings: the parts of the settings of the search (`Analysis.settings`) that decide what is in the products and
            are not in what it reads; None for all, which is safe for a search that does not say.
    """

    name: str
    does: str
    needs: tuple[str, ...]
    products: tuple[str, ...]
    code: tuple[str, ...]
    uses: tuple[str, ...] = ()
    module: str = ""
    in_run: bool = True
    wants_signal: bool = False
    settings: tuple[str, ...] | None = None

    def run(self, *arguments: Any, **options: Any) -> Any:
        """Calls the `run` of its module."""
        run: Callable[..., Any] = import_module(f"{__name__}.{self.module or self.name}").run
        return run(*arguments, **options)

    def inputs(self, out: Path) -> list[Path]:
        """The files that it reads, as far as they exist."""
        return [path for pattern in self.needs for path in sorted(out.glob(pattern))]

    def depends_on(self, part: str) -> bool:
        """Whether a part of the settings of the search decides what is in the products."""
        return self.settings is None or part in self.settings

    def of_search(self, place: str) -> "Stage":
        """The stage of a search that is defined in a place, MODULE#NAME."""
        return replace(self, code=(*self.code, f"{place}:{','.join(self.uses)}")) if self.uses else self


RESULTS = (*layout.EVERY_LIMITS, *layout.EVERY_STRENGTHS, *layout.EVERY_FIT)

SELECT = Stage(
    "select",
    "NanoAOD -> candidates and cutflow",
    (),
    (
        layout.SELECTION,
        layout.WEIGHTS,
        layout.CUTFLOW,
        f"{layout.CANDIDATES}/*/*.parquet",
        f"{layout.VARIED_CANDIDATES}/*/*.parquet",
    ),
    ("hnl.processors.units",),
    uses=("needs", "processor", "varies_jets"),
)
HISTOGRAM = Stage(
    "histogram",
    "candidates -> histograms (ROOT, UHI JSON)",
    (layout.SELECTION, layout.WEIGHTS, layout.UNBLINDED),
    (layout.HISTOGRAMS_ROOT, layout.HISTOGRAMS),
    ("hnl.corrections.weights", "hnl.histograms.files", "hnl.histograms.fill"),
    uses=("distributions",),
)
LIMITS = Stage(
    "limits",
    "candidates -> excluded signal strength",
    (layout.SELECTION, layout.WEIGHTS),
    tuple(pattern.replace(layout.LIMITS_FILE, "**/*") for pattern in layout.EVERY_LIMITS),
    ("hnl.corrections.weights", "hnl.inference.strength_limits", "hnl.report.strengths"),
    uses=("models",),
    module="strengths",
)
FIT = Stage(
    "fit",
    "candidates -> pulls, impacts, goodness of fit",
    (layout.SELECTION, layout.WEIGHTS),
    tuple(pattern.replace(layout.FIT_FILE, "*") for pattern in layout.EVERY_FIT),
    ("hnl.corrections.weights", "hnl.inference.fitting", "hnl.report.fit_tables"),
    uses=("models",),
    module="model_fits",
)
PLOT = Stage(
    "plot",
    "every figure, of what is saved",
    (layout.SELECTION, layout.CUTFLOW, layout.HISTOGRAMS, *RESULTS, layout.STYLE),
    (f"{layout.PLOTS}/*",),
    ("hnl.plots.cutflow", "hnl.plots.distributions", "hnl.plots.fits", "hnl.plots.strengths"),
    uses=("distributions",),
)
REPORT = Stage(
    "report",
    "a page with what was found",
    (layout.SELECTION, layout.CUTFLOW, *RESULTS, layout.FIGURES, f"{layout.PLOTS}/*.png"),
    (layout.REPORT,),
    ("hnl.report.page", "hnl.report.summary"),
    uses=("title",),
)


STANDARD = (SELECT, HISTOGRAM, FIT, LIMITS, PLOT, REPORT)  # of a search that needs no others
