"""Stage `plot`: every figure, from what the other stages saved: nothing is computed but what is drawn.

A figure is drawn again only if its product, the code of its plots, the style or the formats are others than before.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import matplotlib as mpl
from pydantic import TypeAdapter

from hnl import dependencies, executors, layout, provenance, records
from hnl.errors import HNLError, InputError
from hnl.executors import ExecutionOptions
from hnl.histograms import files
from hnl.histograms.fill import hidden
from hnl.inference.abcd.files import EstimateFile
from hnl.inference.displaced import table5
from hnl.inference.displaced.k0s_results import K0SFile
from hnl.inference.displaced.results import LimitsFile
from hnl.inference.results import FitFile, StrengthsFile
from hnl.plots import classifier, cutflow, distributions, style
from hnl.plots import fits as fit_plots
from hnl.plots import strengths as strength_plots
from hnl.plots.displaced import abcd as abcd_plots
from hnl.plots.displaced import efficiencies
from hnl.plots.displaced import k0s as k0s_plots
from hnl.plots.displaced import limits as limit_plots
from hnl.plots.style import Drawn, Label
from hnl.processors.selection_files import DatasetCutflow
from hnl.report.figures import Figure, FiguresFile, FiguresOfProduct
from hnl.stages.run import Run

PNG = "png"  # always there: the report shows it
FORMATS = ("pdf", "svg")  # besides


class NoProductsError(InputError):
    """There is nothing to draw."""


class ProductError(HNLError):
    """A saved product cannot be read."""


class NoFigureError(InputError):
    """No figure has such a name."""


class StyleError(InputError):
    """A style file cannot be used."""


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


@dataclass(frozen=True)
class Looks:
    """How figures are to look: formats besides PNG, and a matplotlib style file on top of ours."""

    formats: tuple[str, ...] = FORMATS[:1]
    style: Path | None = None

    def __post_init__(self) -> None:
        """Raises StyleError: matplotlib does not take the file, or there is none."""
        for name in self.formats:
            if name not in (PNG, *FORMATS):
                raise InputError(f"no format {name!r} of figures: it is {PNG}, {' or '.join(FORMATS)}")
        if self.style:
            try:
                mpl.rc_params_from_file(self.style, fail_on_error=True, use_default_template=False)
                settings = [line.partition("#")[0] for line in self.style.read_text(encoding="utf-8").splitlines()]
                for key in (line.partition(":")[0].strip() for line in settings if ":" in line):
                    if key not in mpl.rcParams:  # matplotlib only warns
                        raise ValueError(f"no such key {key!r}")
            except (OSError, ValueError, KeyError, UnicodeError) as error:
                raise StyleError(f"style {self.style}: {error}") from error

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of the files of every figure, the PNG first."""
        return (PNG, *(name for name in FORMATS if name in self.formats))


@dataclass(frozen=True)
class Drawing:
    """What a worker draws: the figures of one product; all, or those whose names match one of some patterns."""

    out: Path
    kind: int  # index into `KINDS`
    product: str
    drawn_from: str
    looks: Looks
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plotted:
    """What the stage did."""

    content: FiguresFile
    drawn: list[Figure]
    removed: list[Path]


def run(
    at: Run,
    *,
    looks: Looks | None = None,
    only: Sequence[str] = (),
    stale: Collection[str] = (),
    workers: int | None = None,
    on_plan: Callable[[int], None] = lambda products: None,
    on_product: Callable[[], None] = lambda: None,
) -> Plotted:
    """Draws what is not drawn yet, removes figures of what is gone, and writes OUT/plots/figures.json.

    Args:
        at: a run.
        looks: of the figures; by default as they were asked for the last time.
        only: patterns of names of figures, such as 'limits_*': these are drawn, whether they are there or not.
        stale: stages whose products are out of date: their figures are left as they are.
        workers: number of processes, all cores by default.
        on_plan: told of how many products figures are drawn.
        on_product: told whenever those of one are done.

    Raises:
        NoFigureError: no figure of such a name.
        ProductError: one is broken.
        FormatError, BrokenFileError: k0s.json, limits.json or fit.json is not of this version, or broken.
    """
    before = _before(at.out)
    looks = _kept(at.out, before, looks, bool(only))
    wanted = [_drawing(at, kind, path, looks) for kind, path in _products(at.out)]
    known = {product.product: product for product in before.products}
    if only:
        unknown = [d for d in wanted if not _is_drawn(at.out, d, known)]
        matching = [d for d in wanted if d in unknown or any(_matches(f, only) for f in known[d.product].figures)]
        todo = [replace(drawing, only=tuple(only)) for drawing in matching]
    else:
        todo = [d for d in wanted if KINDS[d.kind].stage not in stale and not _is_drawn(at.out, d, known)]
    on_plan(len(todo))
    made: dict[str, FiguresOfProduct] = {}
    names = {_stem(figure) for figure in before.figures()}
    for drawing, result in _drawn(todo, workers):
        if isinstance(result, HNLError):
            raise result
        names |= {_stem(figure) for figure in result.figures}
        made[drawing.product] = _with_others(result, known.get(drawing.product), drawing.only)
        on_product()
    if missing := [pattern for pattern in only if not any(fnmatchcase(name, pattern) for name in names)]:
        raise NoFigureError(f"no figure {', '.join(missing)}; there are {', '.join(sorted(names))}")
    products = [made.get(d.product) or known.get(d.product) for d in wanted]
    content = FiguresFile(FiguresFile.FORMAT, looks.formats, tuple(product for product in products if product))
    records.write(at.out / layout.FIGURES, content)
    drawn = [f for one in made.values() for f in one.figures if not only or _matches(f, only)]
    return Plotted(content, drawn, _removed(at.out, before, content))


def read(out: Path) -> FiguresFile:
    """What is drawn in an output folder.

    Raises:
        BrokenFileError, FormatError: see `records.read`.
    """
    return records.read(out / layout.FIGURES, FiguresFile)


def _before(out: Path) -> FiguresFile:
    """What was drawn before; nothing if that is not known."""
    try:
        return read(out)
    except HNLError:
        return FiguresFile(FiguresFile.FORMAT, Looks().formats, ())


def _kept(out: Path, before: FiguresFile, looks: Looks | None, for_once: bool) -> Looks:
    """The looks to draw with. Those that are asked for without names of figures are kept for the next time."""
    style_file = out / layout.STYLE
    if looks is None:
        return Looks(before.formats, style_file if style_file.is_file() else None)
    if for_once:
        return looks
    if looks.style is None:
        style_file.unlink(missing_ok=True)
        return looks
    provenance.write_bytes(style_file, looks.style.read_bytes())
    return replace(looks, style=style_file)


def _products(out: Path) -> Iterator[tuple[int, Path]]:
    """Every product that figures are drawn from, with its kind."""
    for number, kind in enumerate(KINDS):
        for pattern in kind.patterns:
            for path in sorted(out.glob(pattern)):
                if all((out / name).is_file() for name in kind.needs):
                    yield number, path


def _drawing(at: Run, number: int, path: Path, looks: Looks) -> Drawing:
    kind = KINDS[number]
    of_search = [place for place in at.analysis.stage("plot").code if "#" in place] if kind.uses else []
    read_files = [path, *(at.out / name for name in kind.needs), *([looks.style] if looks.style else [])]
    decides = [provenance.file_digest(file) for file in read_files]
    code = dependencies.digest((*kind.code, "hnl.plots.style", *of_search))
    drawn_from = provenance.digest([decides, code, looks.suffixes])
    return Drawing(at.out, number, str(path.relative_to(at.out)), drawn_from, looks)


def _is_drawn(out: Path, drawing: Drawing, known: dict[str, FiguresOfProduct]) -> bool:
    before = known.get(drawing.product)
    if before is None or before.drawn_from != drawing.drawn_from:
        return False
    return all((out / file).is_file() for figure in before.figures for file in figure.files)


def _drawn(todo: Sequence[Drawing], workers: int | None) -> Iterator[tuple[Drawing, FiguresOfProduct | HNLError]]:
    """In processes if there is more than one product: drawing takes longer than starting them."""
    alone = workers == 1 or len(todo) < 2
    yield from executors.run(_draw, todo, ExecutionOptions("iterative" if alone else "local", workers))


def _draw(drawing: Drawing) -> FiguresOfProduct | HNLError:
    """In a worker."""
    kind, out = KINDS[drawing.kind], drawing.out
    looks, path = drawing.looks, out / drawing.product
    try:
        with style.look(looks.style, looks.suffixes, drawing.only):
            drawn = kind.draw(Run(out), path, out / layout.PLOTS)
    except HNLError as error:
        return error
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        return ProductError(f"cannot draw {path}: {type(error).__name__}: {error}; run its stage again")
    figures = []
    for one in drawn:
        names = tuple(str(one.path.with_suffix(f".{suffix}").relative_to(out)) for suffix in looks.suffixes)
        figures.append(Figure(names, one.title, one.caption, one.alt, one.section or kind.section))
    return FiguresOfProduct(drawing.product, kind.stage, drawing.drawn_from, tuple(figures))


def _with_others(result: FiguresOfProduct, before: FiguresOfProduct | None, only: Sequence[str]) -> FiguresOfProduct:
    """The figures of a product, those that were not asked for as they were drawn before."""
    if not only:
        return result
    old = {_stem(figure): figure for figure in before.figures} if before else {}
    figures = [figure if _matches(figure, only) else old.get(_stem(figure)) for figure in result.figures]
    drawn_from = before.drawn_from if before else ""
    return replace(result, drawn_from=drawn_from, figures=tuple(figure for figure in figures if figure))


def _removed(out: Path, before: FiguresFile, content: FiguresFile) -> list[Path]:
    """Removes figures that were drawn before and belong to nothing any more; other files are left alone."""
    here = {file for figure in content.figures() for file in figure.files}
    folders = [(out / folder).resolve() for folder in (layout.PLOTS, layout.K0S)]
    gone = [out / file for figure in before.figures() for file in figure.files if file not in here]
    ours = [path for path in gone if path.is_file() and path.parent.resolve() in folders]
    for path in ours:
        path.unlink()
    return ours


def _stem(figure: Figure) -> str:
    return Path(figure.files[0]).stem


def _matches(figure: Figure, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(_stem(figure), pattern) for pattern in patterns)


def _cutflow(at: Run, path: Path, folder: Path) -> list[Drawn]:
    of = TypeAdapter(dict[str, DatasetCutflow]).validate_json(path.read_bytes())
    chosen = of, at.selection.sum_w, at.selection.catalogue, folder
    return cutflow.draw_all(*chosen) + efficiencies.draw_all(*chosen)


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
    label = Label.of(at.selection.catalogue)
    return abcd_plots.draw_all(estimate.tables, plane, chosen, estimate.scan, estimate.thresholds, folder, label)


def _classifiers(at: Run, path: Path, folder: Path) -> list[Drawn]:
    return classifier.draw_all(json.loads(path.read_text(encoding="utf-8"))["metrics"], folder)


def _k0s(at: Run, path: Path, folder: Path) -> list[Drawn]:
    return k0s_plots.draw_all(records.read(path, K0SFile), path.parent)


def _limits(at: Run, path: Path, folder: Path) -> list[Drawn]:
    return limit_plots.draw_limits(records.read(path, LimitsFile), table5.rows(), folder)


def _strengths(at: Run, path: Path, folder: Path) -> list[Drawn]:
    return strength_plots.draw_strengths(records.read(path, StrengthsFile), folder)


def _fits(at: Run, path: Path, folder: Path) -> list[Drawn]:
    return fit_plots.draw_fits(records.read(path, FitFile), folder)


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
        ("hnl.plots.cutflow", "hnl.plots.displaced.efficiencies"),
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
