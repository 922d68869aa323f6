"""figures.json: what each figure of an output folder shows, and of which product it is."""

from typing import ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from hnl.errors import InputError
from hnl.records import KNOWN_KEYS


class NoProductsError(InputError):
    """There is nothing to draw."""


@dataclass(frozen=True, config=KNOWN_KEYS)
class Figure:
    """A figure in its files."""

    files: tuple[str, ...] = Field(description="in OUT, one for each format; the PNG first")
    title: str = Field(description="of the figure")
    caption: str = Field(description="what it shows and what to look for")
    alt: str = Field(description="what is seen in it, for those who cannot see it")
    section: str = Field(description="of the report")


@dataclass(frozen=True, config=KNOWN_KEYS)
class FiguresOfProduct:
    """The figures that are drawn from one product."""

    product: str = Field(description="file in OUT that they show")
    stage: str = Field(description="that makes the product")
    drawn_from: str = Field(
        description="SHA-256 of the product, of what else is read for them, and of the code, style and formats; "
        "empty if not all of them are drawn"
    )
    figures: tuple[Figure, ...] = Field(description="in the order in which they are shown")


@dataclass(frozen=True, config=KNOWN_KEYS)
class FiguresFile:
    """Content of figures.json."""

    FORMAT: ClassVar[int] = 1
    COMMAND: ClassVar[str] = "hnl plot"

    format: int = Field(description="version of this file format")
    formats: tuple[str, ...] = Field(description="of all figures; the next command that draws keeps to them")
    products: tuple[FiguresOfProduct, ...] = Field(description="with figures, in the order of the report")

    def figures(self) -> list[Figure]:
        """All of them."""
        return [figure for product in self.products for figure in product.figures]
