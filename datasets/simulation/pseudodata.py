"""Pseudo-data of a given luminosity, drawn from simulated samples, without the truth."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from hnl.datasets.simulation import nanoaod_writer
from hnl.datasets.simulation.nanoaod_format import COLLECTIONS, SCALARS, TRUTH
from hnl.errors import InputError

EVENTS_PER_LUMI = 1000


def draw(samples: Sequence[tuple[Path, float]], luminosity: float, output: Path, seed: int, run: int = 1) -> int:
    """Draws events of the samples and writes them, shuffled and renumbered, as data.

    An event is drawn with its expected number as probability, and never twice. Of the copies of a generated event
    (equal ``hnlsim_generatorEvent``), together expected W times, W rounded up or down are drawn: one at most where
    W <= 1. As rare generated events come a Poisson number of times, such pseudo-data is then as independent as data.

    Args:
        samples: NanoAOD-like files of this project, and the cross section of each in pb.
        luminosity: luminosity in /fb.
        output: the file; it must not exist.
        seed: seed of the draw.
        run: run number of the events.

    Returns:
        Number of events.

    Raises:
        InputError: a negative weight, an event that is expected more than once, or an output that exists.
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
        if (expected > 1).any():
            raise InputError(
                f"{path}: an event stands for {expected.max():.3g} events of {luminosity:g} /fb, and none may be drawn "
                "twice; generate more, or more copies"
            )
        blocks.append(_block(events[drawn(expected, ak.to_numpy(events.hnlsim_generatorEvent), generator)]))
    together = {name: ak.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    order = generator.permutation(len(together["event"]))
    together = {name: column[order] for name, column in together.items()}
    together["event"] = np.arange(1, len(order) + 1, dtype=np.uint64)
    together["luminosityBlock"] = (np.arange(len(order)) // EVENTS_PER_LUMI + 1).astype(np.uint32)
    return nanoaod_writer.write(output, [together], nanoaod_writer.RunSums(0, 0.0, 0.0), kind="data", run=run)


def drawn(
    expected: NDArray[np.float64], group: NDArray[np.integer], generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Which events are drawn, shape (events,).

    The expected numbers of a group lie one after another on a line, and a comb of spacing one is laid on it at random:
    systematic sampling.

    Args:
        expected: expected number of each event, 0 to 1.
        group: events with equal numbers belong together.
        generator: source of the combs.
    """
    order = np.argsort(group, kind="stable")
    _, first, member = np.unique(group[order], return_index=True, return_inverse=True)
    end = np.cumsum(expected[order])
    begin = end - expected[order]
    offset = (generator.uniform(size=len(first)) - begin[first])[member]
    chosen = np.empty(len(expected), np.bool_)
    chosen[order] = np.floor(end + offset) > np.floor(begin + offset)
    return chosen


def _block(events: ak.Array) -> dict[str, Any]:
    """Events of a file in the form of the writer, without the truth."""
    block: dict[str, Any] = {name: events[name] for name in SCALARS if name not in TRUTH}
    for name, fields in COLLECTIONS.items():
        if name not in TRUTH:
            columns = {field: events[f"{name}_{field}"] for field in fields if f"{name}_{field}" in events.fields}
            block[name] = ak.zip(columns, depth_limit=2)
    return block
