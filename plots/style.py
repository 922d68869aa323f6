"""What all figures have in common: their look, what is written above them, how they are saved, what is told of them.

Figures are made at the size at which they are printed: `SINGLE`, the width of a column, or `DOUBLE`, that of a page,
with letters of 8 pt and more. Margins are in units of the letters and fixed: a layout engine takes longer than all the
drawing. The user's own style, matplotlibrc or settings count before ours.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import matplotlib.pyplot as plt
import mplhep  # noqa: F401 (brings its letters)
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from hnl import provenance
from hnl.datasets import years
from hnl.datasets.catalogue import DATA, Catalogue, data_name

P = ParamSpec("P")
T = TypeVar("T")

FORMATS = ("png", "pdf")
SINGLE, DOUBLE = 8.5, 17.8  # cm, the widths of a column and of a page
INCH = 2.54  # cm

# The ten colours of M. Petroff, arXiv:2107.02270, which the colour-blind can tell apart and CMS recommends.
PETROFF = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
# Places in the cycle of colours: three are kept for signals, so that a signal never looks as a background.
BACKGROUNDS, SIGNALS = (0, 1, 3, 9, 6, 7, 5), (2, 4, 8)
LINES = ("-", "--", ":")  # of signals: they can be told apart without colours
OF_DATA = "black"
POINTS: dict[str, Any] = {"fmt": "o", "color": OF_DATA, "elinewidth": 0.8}  # of data, for `errorbar`

# Our choice: with fewer effective events of the background in a bin, its statistical error is above 35 %.
EVENTS_PER_BIN = 8
MIN_BINS = 6

FONT = "TeX Gyre Heros"  # codespell:ignore
# After mplhep's CMS style, at the size of a column.
RC: dict[Any, Any] = {
    "font.family": [FONT, "DejaVu Sans"],  # comes with mplhep
    "mathtext.fontset": "custom",
    "mathtext.rm": FONT,
    "mathtext.it": f"{FONT}:italic",
    "mathtext.bf": f"{FONT}:bold",
    "mathtext.cal": FONT,
    "mathtext.sf": FONT,
    "mathtext.tt": FONT,
    "font.size": 8.0,
    "axes.titlesize": "medium",
    "axes.labelsize": "medium",
    "xtick.labelsize": "medium",
    "ytick.labelsize": "medium",
    "legend.fontsize": "medium",
    "legend.frameon": False,
    "legend.handlelength": 1.5,
    "legend.columnspacing": 1.0,
    "legend.labelspacing": 0.3,
    "legend.borderaxespad": 0.3,
    "figure.figsize": (SINGLE / INCH, 7.2 / INCH),
    "axes.prop_cycle": cycler("color", PETROFF),
    "axes.linewidth": 0.6,
    "axes.labelpad": 2.0,
    "axes.titlepad": 3.0,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.0,
    "patch.linewidth": 0.6,
    "hatch.linewidth": 0.4,
    "hatch.color": "0.35",
    "grid.linewidth": 0.4,
    "grid.alpha": 0.3,
    "xaxis.labellocation": "right",
    "yaxis.labellocation": "top",
    **{f"{axis}tick.{name}": value for axis in "xy" for name, value in (
        ("direction", "in"), ("minor.visible", True), ("major.width", 0.6), ("minor.width", 0.4),
        ("major.size", 3.5), ("minor.size", 1.8), ("major.pad", 3.0),
    )},
    "xtick.top": True,
    "ytick.right": True,
    "savefig.dpi": 220,
}  # fmt: skip

_formats: ContextVar[tuple[str, ...]] = ContextVar("_formats", default=FORMATS)
_only: ContextVar[tuple[str, ...]] = ContextVar("_only", default=())  # patterns of names; none: all are saved
_looking = ContextVar("_looking", default=False)  # whether `look` has set the style


@dataclass(frozen=True)
class Drawn:
    """A figure in a file.

    Attributes:
        title: of the figure, plain text.
        path: of its PNG (or of the first of its formats).
        caption: what it shows and what to look for, one or two sentences; plain text.
        alt: what is seen in it, for those who cannot see it; plain text.
        section: of the report, one of `SECTIONS`.
    """

    title: str
    path: Path
    caption: str = ""
    alt: str = ""
    section: str = ""


SECTIONS = ("result", "selection", "classifiers", "background", "fit", "k0s")  # of the report, in its order


@dataclass(frozen=True)
class Label:
    """What is written above a figure, and what its data are called.

    Attributes:
        status: 'simulation' where all data are pseudo-data or there are none, else 'private work'.
        right: luminosity and energy.
        data: 'data' or 'pseudo-data'.
    """

    status: str = "simulation"
    right: str = ""
    data: str = DATA

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Label":
        """Of what is made from a catalogue: the luminosity is that of the eras of its datasets, added up."""
        measured = any(dataset.is_data for dataset in catalogue.datasets)
        data = data_name(catalogue.datasets)
        used = {dataset.era for dataset in catalogue.datasets}
        luminosity = sum(era.luminosity for name, era in catalogue.eras.items() if name in used)
        right = f"{luminosity:g} fb$^{{-1}}$ ({years.in_words(catalogue.energies)})"
        return cls("private work" if measured and data == DATA else "simulation", right, data)


@contextmanager
def look(
    style: Path | str | None = None, formats: tuple[str, ...] = FORMATS, only: tuple[str, ...] = ()
) -> Iterator[None]:
    """A context in which figures are drawn with a user's style and saved in the formats that were asked for.

    Args:
        style: matplotlib style file or name, on top of ours.
        formats: suffixes without the dot, such as 'png'.
        only: patterns of names of figures, such as 'limits_*', that are saved; all by default.
    """
    tokens = _formats.set(formats), _looking.set(True), _only.set(only)
    try:
        with mpl.rc_context(_ours()), plt.style.context(str(style) if style else {}):
            yield
    finally:
        _formats.reset(tokens[0])
        _looking.reset(tokens[1])
        _only.reset(tokens[2])


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """A function that draws in our look, also outside of `look`, for what the user has not set otherwise."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        with mpl.rc_context({} if _looking.get() else _ours()):
            return draw(*args, **kwargs)

    return inside


def _ours() -> dict[Any, Any]:
    """Of our style what is still as matplotlib has it: the rest is the user's choice."""
    chosen = {key: value for key, value in RC.items() if mpl.rcParams[key] == mpl.rcParamsDefault[key]}
    if mpl.rcParams["font.sans-serif"] != mpl.rcParamsDefault["font.sans-serif"]:
        chosen.pop("font.family", None)
    return chosen


@styled
def save(figure: Figure, path: Path) -> Path:
    """Writes a figure in each format beside the others, and closes it.

    Without the time: a figure that is drawn again is the same to the bit.

    Returns:
        The path in the first format.
    """

    def fill(temporary: Path, suffix: str) -> None:
        figure.savefig(temporary, format=suffix, metadata={"CreationDate": None} if suffix == "pdf" else {})

    wanted = not _only.get() or any(fnmatchcase(path.stem, pattern) for pattern in _only.get())
    for suffix in _formats.get() if wanted else ():
        provenance.write(path.with_suffix(f".{suffix}"), partial(fill, suffix=suffix))
    plt.close(figure)
    return path.with_suffix(f".{_formats.get()[0]}")


def em() -> float:
    """The size of a letter, in inches."""
    return float(mpl.rcParams["font.size"]) / 72


def panels(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float | None = None,
    height: float | None = None,
    left: float = 4.6,
    right: float = 1.0,
    bottom: float = 3.2,
    top: float = 1.8,
    between: tuple[float, float | Sequence[float]] = (1.0, 1.0),
    heights: Sequence[float] | None = None,
    **shared: Any,
) -> tuple[Figure, NDArray[Any]]:
    """A figure with axes at fixed places.

    Args:
        rows, columns: of panels.
        width, height: of the figure in cm; by default those of the style, `SINGLE` x 7.2.
        left, right, bottom, top: margins, in letters (`em`).
        between: panels, horizontally and vertically (all rows, or after each but the last), in letters.
        heights: of the rows, relative.
        shared: sharex, sharey of `Figure.subplots`.

    Returns:
        The figure and its axes, shape (rows, columns).
    """
    usual = mpl.rcParams["figure.figsize"]
    w, h = (given / INCH if given else usual[i] for i, given in enumerate((width, height)))
    one = em()
    x0, x1, y0, y1 = left * one / w, 1 - right * one / w, bottom * one / h, 1 - top * one / h
    gaps = np.broadcast_to(between[1], rows - 1) * one / h
    parts = np.array(heights or [1.0] * rows) / np.sum(heights or [1.0] * rows) * (y1 - y0 - gaps.sum())
    floors = y1 - np.cumsum(parts) - np.concatenate([[0.0], np.cumsum(gaps)])
    wide = (x1 - x0 - (columns - 1) * between[0] * one / w) / columns
    figure, axes = plt.subplots(rows, columns, figsize=(w, h), squeeze=False, **shared)
    for (row, column), panel in np.ndenumerate(axes):
        panel.set_position((x0 + column * (wide + between[0] * one / w), floors[row], wide, parts[row]))
    return figure, axes


def single(axes: Axes | None = None, **layout: Any) -> Axes:
    """The axes that were given, or those of a new figure as wide as a column; `layout` is of `panels`."""
    return axes if axes is not None else panels(**layout)[1][0, 0]


def with_ratio(axes: tuple[Axes, Axes] | None = None, **layout: Any) -> tuple[Axes, Axes]:
    """The axes that were given, or those of a new figure: a main panel and one for ratios below it."""
    if axes is None:
        chosen: dict[str, Any] = {"heights": (3, 1), "between": (1.0, 0.8), "sharex": True} | layout
        _, ((main,), (ratio,)) = panels(2, 1, **chosen)
        return main, ratio
    return axes


def label(axes: Axes, of: Label, *, last: Axes | None = None) -> None:
    """Above the axes, as mplhep writes it: 'hnl' and the status on the left, luminosity and energy on the right.

    Args:
        axes: the first of the figure.
        of: what is written.
        last: the axes that the right label is above; by default the same.
    """
    # mplhep's own function draws the figure to measure the first word; here the second word hangs on the first.
    first = axes.text(0, 1.015, "hnl", transform=axes.transAxes, fontweight="bold", va="bottom")
    axes.annotate(f" {of.status}", (1, 0), xycoords=first, fontstyle="italic", va="bottom", annotation_clip=False)
    last = last or axes
    last.text(1, 1.015, of.right, transform=last.transAxes, ha="right", va="bottom")


def note(axes: Axes, text: str, x: float = 0.04, y: float = 0.96, **font: Any) -> None:
    """A line of text in the axes, at a place in their units from 0 to 1; the upper left corner by default."""
    placed: dict[str, Any] = {"transform": axes.transAxes, "ha": "left", "va": "top"}
    axes.text(x, y, text, **placed | font)


def instead(axes: Axes, text: str) -> None:
    """A sentence in place of a panel in which nothing could be drawn."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center")


def colour(place: int) -> str:
    """Of the cycle of colours, ours or the user's."""
    return mpl.colors.to_hex(f"C{place}")


def band(
    axes: Axes, edges: ArrayLike, values: ArrayLike, down: ArrayLike, up: ArrayLike | None = None, **more: Any
) -> None:
    """A hatched band around a histogram, its uncertainty.

    Args:
        axes: where to.
        edges: of the bins, one more than values.
        values: of the histogram; bins with NaN are left open.
        down, up: errors; symmetric by default.
        more: such as label.
    """
    values, down = np.asarray(values, dtype=float), np.asarray(down, dtype=float)
    high = values + (down if up is None else np.asarray(up, dtype=float))
    style: dict[str, Any] = {"fill": True, "facecolor": "none", "hatch": "//////", "linewidth": 0}
    axes.stairs(high, edges, baseline=values - down, **style | {"edgecolor": mpl.rcParams["hatch.color"]} | more)


def beyond(axes: Axes, x: ArrayLike, y: ArrayLike, top: float) -> None:
    """Triangles at the upper edge for points above it."""
    x, above = np.asarray(x, dtype=float), np.asarray(y, dtype=float) > top
    axes.plot(x[above], np.full(above.sum(), 0.93 * top), "^", color=OF_DATA)


def events_per(edges: ArrayLike, unit: str = "") -> str:
    """The title of an axis of events: 'events / 5 GeV' of bins of one width, else 'events / bin'.

    >>> events_per([0, 5, 10], "GeV"), events_per([0, 1, 10], "cm")
    ('events / 5 GeV', 'events / bin')
    """
    widths = np.diff(np.asarray(edges, dtype=float))
    if not np.allclose(widths, widths[0]):
        return "events / bin"
    return f"events / {float(f'{widths[0]:.3g}'):g} {unit}".rstrip()


def common_legend(figure: Figure, panels: Iterable[Axes], columns: int | None = None) -> None:
    """A legend at the top of a figure with everything that is drawn in its panels, in one line by default."""
    found = {text: handle for axes in panels for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    if found:
        figure.legend(found.values(), found.keys(), loc="upper center", ncols=columns or len(found))


def greek(text: str) -> str:
    """Names of categories with Greek letters.

    >>> greek("mue OS"), greek("l2 muon")
    ('\N{GREEK SMALL LETTER MU}e OS', 'l2 muon')
    """
    return re.sub("mu(?!on)", "\N{GREEK SMALL LETTER MU}", text)


def figure_of(axes: Axes) -> Figure:
    """The figure that axes are in."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


def headroom(axes: Axes, top: Iterable[float] | float, share: float = 0.35) -> None:
    """Free space above what is drawn, for legend and labels.

    Args:
        axes: with the scale of y and, of a logarithmic one, its lower limit set.
        top: what is drawn, or its highest value; what is not finite does not count.
        share: of the height of the axes that stays free.
    """
    finite = np.asarray(top, dtype=float).ravel()
    finite = finite[np.isfinite(finite)]
    highest = float(finite.max()) if len(finite) else 1.0
    low = axes.get_ylim()[0]
    if axes.get_yscale() == "log":
        axes.set_ylim(low, low * max(highest / low, 10.0) ** (1 / (1 - share)))
    else:
        axes.set_ylim(low, low + max(highest - low, 1e-12) / (1 - share))


def merged_bins(values: NDArray[np.float64], variances: NDArray[np.float64], least: int = MIN_BINS) -> int:
    """How many neighbouring bins are drawn as one: the fewest with `EVENTS_PER_BIN` effective events in a bin, on the
    average over panels that have any, but so that some bins are left.

    >>> merged_bins(np.full((1, 12), 4.0), np.full((1, 12), 4.0))
    2

    Args:
        values, variances: of the sum of what is drawn, shape (panels, bins).
        least: number of bins that are left.
    """
    total, squares = values.sum(axis=1), variances.sum(axis=1)
    effective = (total[squares > 0] ** 2 / squares[squares > 0]).tolist()
    bins = values.shape[1]
    choices = [k for k in range(1, bins + 1) if bins % k == 0 and bins // k >= min(least, bins)]
    wanted = sum(effective) / len(effective) / EVENTS_PER_BIN if effective else bins
    return next((k for k in choices if bins / k <= wanted), choices[-1])
