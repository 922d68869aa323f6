"""Pseudo-data of a given luminosity, drawn from simulated samples, without the truth."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

from hnl.datasets.simulation import nanoaod_writer
from hnl.datasets.simulation.nanoaod_format import COLLECTIONS, SCALARS, TRUTH
from hnl.errors import InputError

EVENTS_PER_LUMI = 1000


def draw(samples: Sequence[tuple[Path, float]], luminosity: float, output: Path, seed: int, run: int = 1) -> int:
    """Draws each event of the samples a Poisson number of times and writes them, shuffled and renumbered, as data.

    An event whose expected number is not small can be drawn several times. The statistical fluctuations of a sample
    pass into the pseudo-data.

    Args:
        samples: NanoAOD-like files of this project, and the cross section of each in pb.
        luminosity: luminosity in /fb.
        output: the file; it must not exist.
        seed: seed of the draw.
        run: run number of the events.

    Returns:
        Number of events.

    Raises:
        InputError: a negative weight (a Poisson mean cannot be negative), or an output that exists.
    """
    nanoaod_writer.check(output)
    generator = np.random.default_rng(seed)
    blocks = []
    for path, cross_section in samples:
        with uproot.open(path) as root:
            scale = cross_section * 1000 * luminosity / root["Runs"]["genEventSumw"].array(library="np").sum()
            events = root["Events"].arrays()
        expected = ak.to_numpy(events.genWeight) * scale
        if (expected < 0).any():
            raise InputError(f"{path}: the weight {expected.min() / scale} is negative and cannot be drawn from")
        times = generator.poisson(expected)
        blocks.append(_block(events[np.repeat(np.arange(len(events)), times)]))
    together = {name: ak.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    order = generator.permutation(len(together["event"]))
    together = {name: column[order] for name, column in together.items()}
    together["event"] = np.arange(1, len(order) + 1, dtype=np.uint64)
    together["luminosityBlock"] = (np.arange(len(order)) // EVENTS_PER_LUMI + 1).astype(np.uint32)
    return nanoaod_writer.write(output, [together], nanoaod_writer.RunSums(0, 0.0, 0.0), kind="data", run=run)


def _block(events: ak.Array) -> dict[str, Any]:
    """Events of a file in the form of the writer, without the truth."""
    block: dict[str, Any] = {name: events[name] for name in SCALARS if name not in TRUTH}
    for name, fields in COLLECTIONS.items():
        if name not in TRUTH:
            columns = {field: events[f"{name}_{field}"] for field in fields if f"{name}_{field}" in events.fields}
            block[name] = ak.zip(columns, depth_limit=2)
    return block
