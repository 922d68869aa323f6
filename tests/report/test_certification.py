"""Warnings about golden JSON, of a finished selection."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scored
import synthetic

from hnl.processors import selection as selections
from hnl.processors.base import CERTIFIED
from hnl.processors.manifests import Tables
from hnl.report import certification

Make = Callable[..., selections.Selection]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A selection of simulation and two datasets of data with these (all, certified) events, or with no file left."""
    table, _ = scored.random(np.random.default_rng(1), 5)
    data = [synthetic.data(name) for name in ("muons", "electrons")]
    entries = [synthetic.background("w", "w"), *data]
    written = selections.load(synthetic.write(tmp_path, [(entry, table) for entry in entries]))

    def one(golden: Path | None, **events: tuple[int, int] | None) -> selections.Selection:
        (name, era), *_ = written.catalogue.eras.items()
        eras = {name: era.model_copy(update={"golden_json": golden})}
        tables = {}
        for dataset in entries:
            numbers = events.get(dataset.name, (9, 9))
            stages = zip(("all events", CERTIFIED), numbers, strict=True) if numbers else ()
            tables[dataset.name] = Tables({stage: {"all": {"events": n}} for stage, n in stages}, {})
        catalogue = written.catalogue.model_copy(update={"eras": eras})
        return replace(written, catalogue=catalogue, tables=tables)

    return one


def test_data_without_golden_json_are_named(make: Make) -> None:
    (said,) = certification.warnings(make(None))
    assert said.endswith(": muons, electrons")


@pytest.mark.parametrize(
    ("events", "named"),
    [
        ({}, ""),
        ({"muons": (9, 0)}, "muons"),
        ({"muons": (9, 0), "electrons": (4, 0)}, "muons, electrons"),
        ({"muons": (9, 1)}, ""),
        ({"muons": (0, 0)}, ""),  # an empty file is not the fault of the golden JSON
        ({"muons": None}, ""),  # nor are files that were left out
        ({"w": (9, 0)}, ""),  # simulation has no certification
    ],
)
def test_a_golden_json_in_vain_is_named(make: Make, events: dict[str, tuple[int, int] | None], named: str) -> None:
    golden = Path("golden.json")
    expected = [f"golden JSON {golden} certifies no event of {named}"] if named else []
    assert certification.warnings(make(golden, **events)) == expected
