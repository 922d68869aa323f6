"""Figures as they are printed: how large their letters are, and whether all of them are on the paper."""

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

SMALLEST = 8.0  # pt, on paper
INCH = 2.54  # cm
WIDTHS = (8.5, 17.8)  # cm, of a column and of a page


def texts(figure: Figure) -> list[Text]:
    """All that is written in a figure, but for labels of ticks outside of their axes, which exist and are not drawn."""
    figure.draw_without_rendering()
    unseen = {id(text) for axes in figure.axes for text in _not_drawn(axes)}
    found = figure.findobj(Text)
    written = [text for text in found if isinstance(text, Text) and text.get_visible() and text.get_text().strip()]
    return [text for text in written if id(text) not in unseen]


def _not_drawn(axes: Axes) -> Iterator[Text]:
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        slack = 1e-6 * (high - low)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not axes.axison or not low - slack <= tick.get_loc() <= high + slack:
                yield from (tick.label1, tick.label2)
        if not axes.axison:
            yield axis.label


def check(figure: Figure, *, smallest: float = SMALLEST) -> None:
    """Asserts that all letters have 8 pt and more where the figure is printed as wide as a column, or as a page if it
    is wider, and that no text leaves the paper."""
    width = figure.get_size_inches()[0] * INCH
    printed = WIDTHS[0] if width < 1.1 * WIDTHS[0] else WIDTHS[1]
    assert texts(figure)
    for text in texts(figure):
        size = text.get_size() * printed / width
        assert size > smallest - 0.01, f"{text.get_text()!r} is printed with {size:.1f} pt"
        box, paper = text.get_window_extent(), figure.bbox
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= paper.x1 + 1 and box.y1 <= paper.y1 + 1
        assert inside, f"{text.get_text()!r} leaves the paper: {box.extents} of {paper.extents}"
