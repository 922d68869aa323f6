"""Samples in blocks of few events, so that a small one has several: also in worker processes, which start afresh."""

from hnl.datasets.simulation import detector, generator, sample
from hnl.datasets.simulation.nanoaod_writer import RunSums
from hnl.datasets.simulation.sample import Request

BLOCK = 400

_one_block = sample.one_block


def one_block(request: Request, number: int) -> tuple[detector.Block, RunSums]:
    """`sample.one_block`, with `BLOCK`."""
    generator.BLOCK = BLOCK
    return _one_block(request, number)
