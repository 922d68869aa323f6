"""Generated events of any process, as particle tables with exact weights.

The work is cut into blocks of :data:`BLOCK` events. Each block has its own Pythia (two of them where events are chosen
at parton level, see hadronisation.py), with seeds made from (seed, process, block number). So a sample does not depend
on which workers make which blocks, nor on their order.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation import particles, polarisation, processes, pythia, semileptonic, signal, streams
from hnl.datasets.simulation.hadronisation import Hadroniser
from hnl.datasets.simulation.processes import Process
from hnl.datasets.simulation.signal import SignalOptions
from hnl.errors import InputError

BLOCK = 2000
"""Generated events per block; our choice: one to two seconds of work, of which starting Pythia takes 0.15 s."""


class GeneratedBatch(NamedTuple):
    """Generated events of one call of Pythia.

    Attributes:
        table: the events that passed the filters, as particle table. Of ``copies`` hadronisations of one parton-level
            event each has weight / copies, and its ``event_id`` is ``copies`` x (number of the event) + (number of the
            copy).
        n_generated: number of (parton-level) events before the filters.
        sum_w: sum of their weights, before the filters; it normalises the sample to its cross section.
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
    copies: int = 1,
) -> Iterator[GeneratedBatch]:
    """Generate one block of a sample.

    Args:
        process: a name of :data:`hnl.datasets.simulation.processes.PROCESSES`.
        n_events: number of events of the sample, before the filter.
        seed: any integer that is not negative.
        block: number of the block, from 0 to ``n_blocks(n_events) - 1``.
        options: the signal point, for 'hnl' only.
        keep: streams to keep instead of those of the process, without its parton-level filter; ``streams.ALL`` for no
            filter at all.
        copies: hadronisations of each parton-level event, see :class:`GeneratedBatch`.

    Yields:
        Batches of up to :data:`hnl.datasets.simulation.pythia.BATCH` generated events.

    Raises:
        InputError: see :func:`check`.
    """
    check(process, n_events, seed, options, keep, copies)
    recipe = processes.get(process)
    settings = [*recipe.settings, "PartonLevel:MPI = off", *_bias(recipe)]
    if options is not None:
        settings += signal.settings(options)
    first, last = block * BLOCK, min((block + 1) * BLOCK, n_events)
    seeds = block_seed(seed, process, block), block_seed(seed, f"{process}, hadrons", block)
    if options is not None:
        generator, rng = pythia.start(settings, seeds[0]), np.random.default_rng([seed, block])
        for table in _polarised(generator, rng, signal.kept(options), first, last):
            chosen = table[np.isin(streams.classify(table), keep or recipe.streams)]
            yield _batch(ak.to_packed(chosen), np.ones(len(table)))
        return
    if recipe.partons is None or keep is not None:
        generator = pythia.start([*settings, *recipe.hadron_settings], seeds[0])
        finish = _Finish(recipe, keep or recipe.streams, generator)
        for number in range(first, last, pythia.BATCH):
            events = generator.nextBatch(min(pythia.BATCH, last - number))  # without the very few it cannot finish
            weight = _hard_weight(recipe, events)
            yield _batch(finish(events, weight, number + np.arange(len(events))), weight)
        return
    hadroniser = Hadroniser(settings, recipe.hadron_settings, seeds)
    finish = _Finish(recipe, recipe.streams, hadroniser.source)
    for number in range(first, last, pythia.BATCH):
        partons = hadroniser.partons(min(pythia.BATCH, last - number))
        weight = _hard_weight(recipe, partons)
        chosen = streams.of_partons(partons, recipe.partons)
        tables = [
            finish(events, weight[origin] / copies, (number + origin) * copies + copy)
            for events, origin, copy in hadroniser.hadronise(partons, chosen, copies)
        ]
        yield _batch(particles.concatenate(tables or [particles.no_events()]), weight)


class _Finish:
    """Complete events of Pythia as particle tables, with all weights and without those of other streams."""

    def __init__(self, recipe: Process, keep: Sequence[str], generator: Any) -> None:
        self.keep, self.enhancement = keep, recipe.lepton_enhancement
        self.truth = semileptonic.enhance(generator, self.enhancement) if self.enhancement != 1 else {}

    def __call__(self, events: ak.Array, weight: NDArray[np.float64], event_id: NDArray[np.int64]) -> ak.Array:
        table = ak.with_field(pythia.particle_table(events, weight, 0), event_id, "event_id")
        if self.truth:
            factor = semileptonic.event_weights(table.particles, self.enhancement, self.truth)
            table = ak.with_field(table, weight * factor, "weight")
        return ak.to_packed(table[np.isin(streams.classify(table), self.keep)])


def _batch(table: ak.Array, weight: NDArray[np.float64]) -> GeneratedBatch:
    return GeneratedBatch(table, len(weight), float(np.sum(weight)), float(np.sum(weight**2)))


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


def check(
    process: str,
    n_events: int,
    seed: int,
    options: SignalOptions | None,
    keep: Sequence[str] | None = None,
    copies: int = 1,
) -> None:
    """Check the arguments of :func:`generate_block` without generating anything.

    Raises:
        InputError: unknown process or stream, bad number of events, copies or seed, copies of a process that is not
            made from chosen partons, signal options missing or superfluous.
    """
    recipe = processes.get(process)
    signal.check_options(process, recipe.cross_section is None, options)
    n_blocks(n_events)
    if seed < 0:
        raise InputError(f"the seed must not be negative, not {seed}")
    if copies < 1 or (copies > 1 and recipe.partons is None):
        of_partons = ", ".join(name for name, other in processes.PROCESSES.items() if other.partons)
        raise InputError(f"copies = {copies}: must be at least 1, and 1 for all processes but {of_partons}")
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
