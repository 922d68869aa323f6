"""What all figures have in common: how they are saved, in which formats, and what is told of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from hnl import provenance

FORMATS = ("png", "pdf")
_formats = list(FORMATS)
_only: list[str] = []  # patterns of names; none: every figure is saved


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
    _formats[:], _only[:] = formats, only
    try:
        with plt.style.context(str(style) if style else {}):
            yield
    finally:
        _formats[:], _only[:] = FORMATS, ()


def save(figure: mpl.figure.Figure, path: Path) -> Path:
    """Writes a figure in each format beside the others, and closes it.

    Without the time: a figure that is drawn again is the same to the bit.

    Returns:
        The path in the first format.
    """

    def fill(temporary: Path, suffix: str) -> None:
        figure.savefig(temporary, format=suffix, dpi=110, metadata={"CreationDate": None} if suffix == "pdf" else {})

    wanted = not _only or any(fnmatchcase(path.stem, pattern) for pattern in _only)
    for suffix in _formats if wanted else ():
        provenance.write(path.with_suffix(f".{suffix}"), partial(fill, suffix=suffix))
    plt.close(figure)
    return path.with_suffix(f".{_formats[0]}")
