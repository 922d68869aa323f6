"""Table 5 of the paper: lowest and highest |V|^2 excluded at 95 % CL with 138/fb, observed, at six masses.

The exponents of some values are illegible in our copy of the paper. The table names them in the column `inferred`: for
the highest values they are those for which c tau at the edge is 0.04-0.14 mm, as in the legible rows (0.06-0.07 mm).
"""

import csv
from dataclasses import dataclass
from pathlib import Path

LUMINOSITY = 138.0  # /fb
FILE = Path(__file__).with_name("table5.csv")


@dataclass(frozen=True)
class Table5Row:
    """One row; |V|^2 as `corrections.lifetime.Point.v2`."""

    nature: str
    coupling: str
    mass: float  # GeV
    lowest: float
    highest: float
    inferred: tuple[str, ...]  # of 'lowest' and 'highest': the exponent is not legible


def rows() -> list[Table5Row]:
    """The table."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return [
            Table5Row(
                line["nature"],
                line["coupling"],
                float(line["mass"]),
                float(line["lowest"]),
                float(line["highest"]),
                tuple(line["inferred"].split()),
            )
            for line in csv.DictReader(file)
        ]
