"""A whole sample: generated, measured and written on all cores. The content does not depend on their number."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from zlib import crc32

import awkward as ak
import numpy as np
import yaml

from hnl.datasets.nanoaod import SEQUENTIAL_ID
from hnl.datasets.simulation import detector, generator, nanoaod_writer, overlay, particles, processes
from hnl.datasets.simulation.minimum_bias import minimum_bias, underlying_event
from hnl.datasets.simulation.nanoaod_format import SCALARS
from hnl.datasets.simulation.nanoaod_writer import RunSums
from hnl.datasets.simulation.signal import SignalOptions
from hnl.physics.production import PAPER_ENERGY

# Number of events of the overlay libraries, and their seed: fixed, so that a sample is the same wherever it is made.
N_MINIMUM_BIAS, N_UNDERLYING, LIBRARY_SEED = 2000, 1000, 1


@dataclass(frozen=True)
class Request:
    """Definition of a sample. Equal requests give equal events.

    Attributes:
        process: a name of `processes.PROCESSES`.
        n_events: number of generated events, before any filter.
        seed: not negative.
        options: the signal point, for 'hnl' only.
        reseeds: measurements per generated event, 1 to 16.
        copies: hadronisations per parton-level event, for processes that choose events at parton level.
        preselect: keep only events that can become candidates, see `preselected`.
    """

    process: str
    n_events: int
    seed: int
    options: SignalOptions | None = None
    reseeds: int = 1
    preselect: bool = False
    copies: int = 1

    def check(self) -> None:
        """Raises InputError if the request cannot be fulfilled."""
        generator.check(self.process, self.n_events, self.seed, self.options, None, self.copies)
        detector.check(self.seed, self.reseeds)

    @property
    def detector_seed(self) -> int:
        """Seed of the detector. It differs between processes, so that no two samples share pileup."""
        return int(np.random.SeedSequence([self.seed, crc32(self.process.encode())]).generate_state(1)[0])


def cache_folder() -> Path:
    """Folder of the overlay libraries: `$XDG_CACHE_HOME/hnl`, by default `~/.cache/hnl`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hnl"


def make(
    request: Request,
    output: Path,
    *,
    workers: int | None = None,
    on_start: Callable[[], None] = lambda: None,
    on_block: Callable[[int], None] = lambda generated: None,
) -> int:
    """Makes a sample as a NanoAOD-like file.

    Args:
        request: definition of the sample.
        output: the file; it must not exist.
        workers: number of processes, all cores by default; the content does not depend on it.
        on_start: called when the request has been checked and the work begins.
        on_block: called with the number of generated events of each block when it is done.

    Returns:
        Number of events written.

    Raises:
        InputError: a request that cannot be fulfilled, or an output that exists or has no folder.
    """
    request.check()
    nanoaod_writer.check(output)
    on_start()
    prepare_libraries()
    totals = [RunSums(0, 0.0, 0.0)]

    def blocks() -> Iterator[detector.Block]:
        for block, sums in _in_order(request, workers or len(os.sched_getaffinity(0))):
            totals[0] += sums
            on_block(sums.count)
            yield block

    return nanoaod_writer.write(output, blocks(), lambda: totals[0])


def catalogue_entry(request: Request, output: Path) -> str:
    """The entry of a catalogue (docs/catalogue.md) for a sample, to be completed with its era."""
    entry: dict[str, object] = {
        "name": output.stem,
        "era": "ERA",
        "kind": "background" if request.options is None else "signal",
        "process": request.process if request.options is None else f"HNL{request.options.mass:g}",
        "files": [output.name],
        "cross_section": float(f"{processes.cross_section_pb(request.process, request.options):.6g}"),
        "cross_section_uncertainty": processes.get(request.process).uncertainty,
    }
    if (options := request.options) is not None:
        couplings = {f"v2_{lepton}": float(f"{v2:.6g}") for lepton, v2 in options.couplings.items()}
        ctau = float(f"{options.ctau_mm:.6g}")
        entry["signal"] = {"mass": options.mass, **couplings, "nature": options.nature, "ctau": ctau}
    note = f"# pp at {PAPER_ENERGY:g} TeV: an era of 2022 or later needs 'energy: {PAPER_ENERGY:g}' for it\n"
    return note + yaml.safe_dump([entry], sort_keys=False, default_flow_style=None, width=200)


def prepare_libraries() -> None:
    """Makes the overlay libraries if the cache has none (about a minute)."""
    minimum_bias(N_MINIMUM_BIAS, LIBRARY_SEED, cache_folder())
    underlying_event(N_UNDERLYING, LIBRARY_SEED, cache_folder())


@cache
def _libraries() -> overlay.Libraries:
    return overlay.Libraries.from_events(
        minimum_bias(N_MINIMUM_BIAS, LIBRARY_SEED, cache_folder()),
        underlying_event(N_UNDERLYING, LIBRARY_SEED, cache_folder()),
    )


def one_block(request: Request, number: int) -> tuple[detector.Block, RunSums]:
    """Generates and measures one block of the generator.

    Returns:
        The events that were kept, and the sums over all that were generated.
    """
    recipe = processes.get(request.process)
    batches = list(
        generator.generate_block(
            request.process, request.n_events, request.seed, number, request.options, None, request.copies
        )
    )
    block = detector.simulate(
        particles.concatenate([batch.table for batch in batches]),
        _libraries(),
        request.detector_seed,
        request.reseeds,
        request.preselect,
        every_jet=recipe.every_jet,
        outcome=recipe.outcome,
    )
    # event_id counts copies, see generator.GeneratedBatch
    block["hnlsim_generatorEvent"] = block["hnlsim_generatorEvent"] // request.copies
    if request.preselect:
        keep = preselected(block)
        block = {name: column[keep] for name, column in block.items()}
    return block, sum((RunSums(*batch[1:]) for batch in batches), RunSums(0, 0.0, 0.0))


def preselected(block: detector.Block) -> np.ndarray:
    """The preselection: requirements that the paper's selection implies, with thresholds a little below its Table 1.

    - A single-lepton trigger has fired.
    - A prompt-like lepton: pT > 28 GeV, |dxy| < 0.03 cm, relative isolation < 0.15, the ID of prompt leptons.
    - A displaced lepton besides, whose track is in a secondary vertex: pT > 6.5 GeV, |dxy| > 0.018 cm, loose muon ID or
      the cuts of the electron ID on shower and track matching.

    Returns:
        bool, shape (events,).
    """
    e, mu = block["Electron"], block["Muon"]
    shower = sum(1 << 3 * i for i in range(SEQUENTIAL_ID.index("GsfEleRelPFIsoScaledCut")))
    e_id = (((e.vidNestedWPBitmap >> 1) | (e.vidNestedWPBitmap >> 2)) & shower) == shower  # loose or tighter
    n_prompt, n_displaced = 0, 0
    for lepton, prompt_id, displaced_id in ((e, e.mvaIso_WP90, e_id), (mu, mu.mediumId, mu.looseId)):
        dxy = np.abs(lepton.dxy)
        prompt = prompt_id & (lepton.pt > 28) & (dxy < 0.03) & (lepton.pfRelIso03_all < 0.15)
        n_prompt = n_prompt + ak.to_numpy(ak.sum(prompt, axis=1))
        displaced = displaced_id & (lepton.pt > 6.5) & (dxy > 0.018) & (lepton.svIdx >= 0)
        n_displaced = n_displaced + ak.to_numpy(ak.sum(displaced & ~prompt, axis=1))
    triggered = np.any([block[name] for name in SCALARS if name.startswith("HLT_")], axis=0)
    return np.asarray(triggered & (n_prompt > 0) & (n_displaced > 0))


def _in_order(request: Request, workers: int) -> Iterator[tuple[detector.Block, RunSums]]:
    """The blocks in order. Processes make some of them ahead of the reader."""
    numbers = range(generator.n_blocks(request.n_events))
    if workers == 1 or len(numbers) == 1:
        yield from (one_block(request, number) for number in numbers)
        return
    with ProcessPoolExecutor(min(workers, len(numbers)), mp_context=get_context("spawn")) as pool:
        try:
            waiting = deque(pool.submit(one_block, request, number) for number in numbers[: 2 * workers])
            for number in numbers:
                yield waiting.popleft().result()
                if number + 2 * workers < len(numbers):
                    waiting.append(pool.submit(one_block, request, number + 2 * workers))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
