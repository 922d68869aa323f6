"""From a file to candidates and cutflow, the product's own way, on a catalogue made up for one file."""

from pathlib import Path
from typing import Any

import numpy as np
from coffea.processor import accumulate
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS

from hnl.datasets import files
from hnl.datasets.catalogue import Catalogue, Dataset, Era, Triggers
from hnl.processors.displaced.processor import DisplacedProcessor

NAME = "sample"
PATHS = Triggers(electron=ELECTRON_PATHS, muon=MUON_PATHS)
SIGNAL = {"mass": 10.0, "v2_mu": 1e-6, "ctau": 10.0}


def catalogue_of(
    path: Path,
    *,
    year: int = 2018,
    paths: Triggers = PATHS,
    golden_json: Path | None = None,
    kind: str = "background",
    corrections: dict[str, Any] | None = None,
    **dataset: Any,
) -> Catalogue:
    """A catalogue with the one dataset `NAME` of one file."""
    needed: dict[str, dict[str, Any]] = {
        "data": {"primary_dataset": "SingleLepton"},
        "background": {"cross_section": 1.0},
        "signal": {"cross_section": 1.0, "signal": SIGNAL},
    }
    era = Era(year=year, luminosity=1.0, triggers=paths, golden_json=golden_json, corrections=corrections or {})
    one = Dataset(name=NAME, era="era", kind=kind, process="process", files=(str(path),), **needed[kind] | dataset)
    return Catalogue(eras={"era": era}, datasets=(one,))


def inspected(catalogue: Catalogue) -> files.FileInfo:
    """What the catalogue's file promises; raises what is wrong with it."""
    dataset = catalogue.datasets[0]
    info = files.inspect(dataset.files[0], dataset, catalogue.era(dataset))
    if problem := files.problem(info):
        raise problem
    return info


def process(catalogue: Catalogue, per_unit: int = files.EVENTS_PER_UNIT) -> dict[str, Any]:
    """The processor's output for the file, added up over work units, with candidates as plain arrays."""
    processor = DisplacedProcessor(catalogue)
    units = files.work_units(NAME, inspected(catalogue), per_unit)
    return plain(accumulate([processor.process(files.events(unit)) for unit in units])[NAME])


def plain(output: dict[str, Any]) -> dict[str, Any]:
    """A dataset's output with candidates as plain arrays, and the pileup profile as a list."""
    candidates = {name: column.value for name, column in output["candidates"].items()}
    return output | {"candidates": candidates, "pileup_profile": output["pileup_profile"].tolist()}


def rows(output: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    """Columns of the candidates, one tuple each."""
    return list(zip(*(output["candidates"][name].tolist() for name in names), strict=True))


def by_event(output: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Candidates by event number."""
    columns = output["candidates"]
    return {
        int(number): {name: column[i] for name, column in columns.items()} for i, number in enumerate(columns["event"])
    }


def same_candidates(a: dict[str, Any], b: dict[str, Any], *, but: tuple[str, ...] = ()) -> None:
    """Asserts that two outputs hold the same candidates, to the bit, in one order."""
    assert a["candidates"].keys() == b["candidates"].keys()
    for name, column in a["candidates"].items():
        if name not in but:
            np.testing.assert_array_equal(column, b["candidates"][name], err_msg=name)
