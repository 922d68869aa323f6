"""New events for the checks: generated in blocks on all cores, and measured step by step where needed."""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import Any, NamedTuple, TypeVar

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation import detector, generator, overlay, propagation, sample, streams, tracking, vertexing
from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.minimum_bias import minimum_bias, underlying_event
from hnl.datasets.simulation.parameters import DETECTOR
from hnl.datasets.simulation.particles import concatenate
from hnl.datasets.simulation.rows import ObjectRows
from hnl.datasets.simulation.rows import concatenate as merge
from hnl.datasets.simulation.signal import SignalOptions

BENCHMARKS = {
    "HNL3": SignalOptions(3, "mixed", ctau=23),
    "HNL5": SignalOptions(5, "mixed", ctau=92),
    "HNL10": SignalOptions(10, "mixed", ctau=7),
}
"""The paper's signal points (Fig. 2) with its c tau in mm; coupled to both flavours, to have e and mu at once."""

T = TypeVar("T")
Block = dict[str, Any]
Columns = dict[str, NDArray[Any]]


class GeneratedBlock(NamedTuple):
    """A block of all generated events of a process, without filter."""

    process: str
    n_events: int
    seed: int
    options: SignalOptions | None
    number: int

    def table(self) -> ak.Array:
        """The particle table of the block."""
        batches = generator.generate_block(
            self.process, self.n_events, self.seed, self.number, self.options, streams.ALL
        )
        return concatenate([batch.table for batch in batches])


def works(process: str, n_events: int, seed: int, options: SignalOptions | None = None) -> list[GeneratedBlock]:
    """The blocks of `n_events` events of a process."""
    return [GeneratedBlock(process, n_events, seed, options, i) for i in range(generator.n_blocks(n_events))]


def over_cores(function: Callable[[GeneratedBlock], T], jobs: Iterable[GeneratedBlock], workers: int) -> list[T]:
    """The results of a function of the module, in order."""
    jobs = list(jobs)
    if workers == 1:
        return [function(job) for job in jobs]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(function, jobs))


def together(parts: Iterable[Columns]) -> Columns:
    """Columns of several blocks, one after another."""
    parts = list(parts)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@cache
def libraries() -> overlay.Libraries:
    """Minimum bias and underlying event of `hnl simulate`."""
    return overlay.Libraries.from_events(
        minimum_bias(sample.N_MINIMUM_BIAS, sample.LIBRARY_SEED, sample.cache_folder()),
        underlying_event(sample.N_UNDERLYING, sample.LIBRARY_SEED, sample.cache_folder()),
    )


class Measured(NamedTuple):
    """Tracks and vertices of a table of events, with the truth that NanoAOD does not hold.

    Attributes:
        vertex: true hard interactions, shape (events, 3), cm.
        particles: visible particles, with the columns of propagation.py.
        tracks: measured tracks with impact parameters.
        svs: secondary vertices.
    """

    vertex: NDArray[np.float64]
    particles: ObjectRows
    tracks: ObjectRows
    svs: vertexing.SecondaryVertices


def measure(table: ak.Array, seed: int, *, reseed: int = 0, pileup: bool = True, true_vertex: bool = False) -> Measured:
    """The steps of detector.simulate up to the secondary vertices. They are the same, because draws go by event number.

    Args:
        table: particle table.
        seed: seed of the detector.
        reseed: number of the copy of the events.
        pileup: with pileup and underlying event.
        true_vertex: impact parameters relative to the true interaction, not to the measured primary vertex.
    """
    draws = Draws.for_events(seed, ak.to_numpy(table.event_id), np.full(len(table), reseed))
    vertex = propagation.beam_spot(draws)
    hard = propagation.convert_photons(propagation.visible(propagation.generated(table), vertex), draws)
    parts = [hard]
    if pileup:
        parts.append(overlay.add(vertex, overlay.interactions(draws), libraries(), draws))
    primary = vertex if true_vertex else detector.primary_vertex(vertex, draws, DETECTOR)
    tracks = merge(tracking.impact_parameters(tracking.reconstruct(part, draws), primary) for part in parts)
    return Measured(vertex, merge(parts), tracks, vertexing.find(tracks, primary))
