"""Generated events of any process, as particle tables with exact weights.

The work is cut into blocks of :data:`BLOCK` events. Each block has its own Pythia, with a seed made from (seed,
process, block number). So a sample does not depend on which workers make which blocks, nor on their order.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation import polarisation, processes, pythia, semileptonic, signal, streams
from hnl.datasets.simulation.processes import Process
from hnl.datasets.simulation.signal import SignalOptions
from hnl.errors import InputError

BLOCK = 2000
"""Generated events per block; our choice: one to two seconds of work, of which starting Pythia takes 0.15 s."""


class GeneratedBatch(NamedTuple):
    """Generated events of one call of Pythia.

    Attributes:
        table: the events that passed the filter, as particle table.
        n_generated: number of events before the filter.
        sum_w: sum of their weights, before the filter; it normalises the sample to its cross section.
        sum_w2: sum of their squared weights.
    """

    table: ak.Array
    n_generated: int
    sum_w: float
    sum_w2: float


def n_blocks(n_events: int) -> int:
    """Number of blocks for ``n_events`` generated events.

    Raises:
        InputError: ``n_events`` is not above 0.
    """
    if n_events <= 0:
        raise InputError(f"the number of events must be above 0, not {n_events}")
    return -(-n_events // BLOCK)


def generate_block(
    process: str,
    n_events: int,
    seed: int,
    block: int,
    options: SignalOptions | None = None,
    keep: Sequence[str] | None = None,
) -> Iterator[GeneratedBatch]:
    """Generate one block of a sample.

    Args:
        process: a name of :data:`hnl.datasets.simulation.processes.PROCESSES`.
        n_events: number of events of the sample, before the filter.
        seed: any integer that is not negative.
        block: number of the block, from 0 to ``n_blocks(n_events) - 1``.
        options: the signal point, for 'hnl' only.
        keep: streams to keep instead of those of the process; ``streams.ALL`` for no filter.

    Yields:
        Batches of up to :data:`hnl.datasets.simulation.pythia.BATCH` generated events.

    Raises:
        InputError: see :func:`check`.
    """
    check(process, n_events, seed, options, keep)
    recipe = processes.get(process)
    settings = [*recipe.settings, "PartonLevel:MPI = off", *_bias(recipe)]
    if options is not None:
        settings += signal.settings(options)
    generator = pythia.start(settings, block_seed(seed, process, block))
    if options is not None:
        rng, undecayed = np.random.default_rng([seed, block]), signal.kept(options)
        first, end = block * BLOCK, min((block + 1) * BLOCK, n_events)
        for table in _polarised(generator, rng, undecayed, first, end):
            chosen = table[np.isin(streams.classify(table), keep or recipe.streams)]
            yield GeneratedBatch(ak.to_packed(chosen), len(table), float(len(table)), float(len(table)))
        return
    enhancement = recipe.lepton_enhancement
    truth = semileptonic.enhance(generator, enhancement) if enhancement != 1 else {}

    for first in range(block * BLOCK, min((block + 1) * BLOCK, n_events), pythia.BATCH):
        n = min(pythia.BATCH, (block + 1) * BLOCK - first, n_events - first)
        events = generator.nextBatch(n)  # without the very few that Pythia cannot finish
        weight = _hard_weight(recipe, events)
        table = pythia.particle_table(events, weight, first)
        if truth:
            factor = semileptonic.event_weights(table.particles, enhancement, truth)
            table = ak.with_field(table, weight * factor, "weight")
        chosen = np.isin(streams.classify(table), keep or recipe.streams)
        yield GeneratedBatch(ak.to_packed(table[chosen]), len(events), float(np.sum(weight)), float(np.sum(weight**2)))


def _polarised(generator: Any, rng: np.random.Generator, undecayed: float, first: int, end: int) -> Iterator[ak.Array]:
    """Particle tables of signal events that `polarisation` keeps, numbered from first to end - 1, with weight one."""
    while first < end:
        events = generator.nextBatch(pythia.BATCH)
        table = pythia.particle_table(events, np.ones(len(events)), 0)
        table = table[polarisation.kept(events, rng, undecayed)][: end - first]
        yield ak.with_field(table, np.arange(first, first + len(table)), "event_id")
        first += len(table)


def block_seed(seed: int, process: str, block: int) -> int:
    """Pythia's seed for a block, 1 to 900 000 000."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(process.encode()), block])
    return 1 + int(sequence.generate_state(1, np.uint64)[0]) % 900_000_000


def check(process: str, n_events: int, seed: int, options: SignalOptions | None, keep: Sequence[str] | None) -> None:
    """Check the arguments of :func:`generate_block` without generating anything.

    Raises:
        InputError: unknown process or stream, bad number of events or seed, signal options missing or superfluous.
    """
    signal.check_options(process, processes.get(process).cross_section is None, options)
    n_blocks(n_events)
    if seed < 0:
        raise InputError(f"the seed must not be negative, not {seed}")
    if unknown := set(keep or ()) - set(streams.ALL):
        raise InputError(f"unknown streams {sorted(unknown)}; known: {', '.join(streams.ALL)}")
    if options is not None:
        signal.open_decays(options)


def _bias(recipe: Process) -> list[str]:
    if not recipe.pt_hat_power:
        return []
    return ["PhaseSpace:bias2Selection = on", f"PhaseSpace:bias2SelectionPow = {recipe.pt_hat_power}"]


def _hard_weight(recipe: Process, events: ak.Array) -> NDArray[np.float64]:
    """Weights that undo the bias in pT-hat: Pythia's info.weight, which batches do not hold."""
    pt_hat = np.sqrt(ak.to_numpy(events.info.pT2Hat))
    return np.asarray((10 / pt_hat) ** recipe.pt_hat_power if recipe.pt_hat_power else np.ones(len(events)))
