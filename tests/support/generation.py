"""Generated events of all blocks of a sample."""

from collections.abc import Iterator, Sequence

from hnl.datasets.simulation import generator
from hnl.datasets.simulation.generator import GeneratedBatch
from hnl.datasets.simulation.signal import SignalOptions


def generate(
    process: str,
    n_events: int,
    seed: int,
    options: SignalOptions | None = None,
    keep: Sequence[str] | None = None,
) -> Iterator[GeneratedBatch]:
    """`generator.generate_block` for block after block; bad arguments are refused before the first batch."""
    generator.check(process, n_events, seed, options, keep)
    blocks = range(generator.n_blocks(n_events))
    return (
        batch for block in blocks for batch in generator.generate_block(process, n_events, seed, block, options, keep)
    )
