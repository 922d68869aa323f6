"""How a user wants figures to look: formats and style."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl

from hnl.errors import InputError

PNG = "png"  # always there: the report shows it
FORMATS = ("pdf", "svg")  # besides


class StyleError(InputError):
    """A style file cannot be used."""


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
