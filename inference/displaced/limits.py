"""Scans of all masses: which there are, in parallel, each kept as long as it would be the same to the bit."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from itertools import product
from math import ceil, inf
from pathlib import Path

import loky

from hnl import dependencies, provenance, records
from hnl.corrections.couplings import COUPLINGS, scenario
from hnl.corrections.lifetime import PointError, ReweightingError
from hnl.errors import InputError
from hnl.inference.displaced import scan, table5
from hnl.inference.displaced.modelling import Inputs
from hnl.inference.displaced.scan_results import KeptScan, MassScan, ScanSettings

FORMAT = 3  # of a kept scan; raised when its meaning changes
NATURES = ("majorana", "dirac")
LEAST_TOYS = 1000  # CLs of 5 % is then known to 20 % of itself
CODE = ("hnl.inference.displaced.scan",)  # what a scan is made by


class ChoiceError(InputError):
    """A coupling, nature or mass that cannot be scanned."""


@dataclass(frozen=True)
class ScanRequest:
    """One mass to be scanned, for one coupling and nature."""

    coupling: str
    nature: str
    mass: float  # GeV

    @property
    def name(self) -> str:
        """For files."""
        return f"{scenario(self.coupling).file_name}_{self.nature}_{self.mass:g}"


@dataclass(frozen=True)
class ScanPlan:
    """Which masses are scanned."""

    requests: tuple[ScanRequest, ...]
    not_scanned: tuple[str, ...]  # why other masses are not
    generated_only: tuple[ScanRequest, ...]  # those known at generated lifetimes only


def check(settings: ScanSettings) -> None:
    """Raises ChoiceError if CLs cannot be told with so few toys."""
    if settings.toys < LEAST_TOYS:
        raise ChoiceError(f"{settings.toys} toys are too few to tell 5 %: at least {LEAST_TOYS}")


def plan(
    inputs: Inputs, couplings: Sequence[str], natures: Sequence[str], masses: Sequence[float], step: float = 0.0
) -> ScanPlan:
    """Which masses are to be scanned. Nothing given means all of the samples.

    Args:
        inputs: of the run.
        couplings: of `COUPLINGS`, or ratios, see `corrections.couplings`.
        natures: of `NATURES`.
        masses: GeV, simulated or between simulated ones.
        step: without masses, the simulated ones are scanned, and between them the multiples of this, in GeV, and the
            masses of Table 5. 0 for nothing between them.

    Raises:
        ChoiceError: what is asked for by name has no part in the scan.
        CouplingError: a coupling is no scenario.
    """
    couplings = [scenario(text).name for text in couplings]
    wanted = sorted(dict.fromkeys(couplings), key=[*COUPLINGS, *couplings].index) or COUPLINGS
    if unknown := [name for name in natures if name not in NATURES]:
        raise ChoiceError(f"no nature {unknown[0]!r}: it is one of {', '.join(NATURES)}")
    if step and not 0.01 <= step < inf:
        raise ChoiceError(f"the step between masses must be 0 (none) or at least 0.01 GeV, not {step}")
    requests: list[ScanRequest] = []
    refused: dict[ScanRequest, str] = {}
    generated_only: list[ScanRequest] = []
    for coupling, nature in product(wanted, natures or NATURES):
        simulated, others = inputs.signals.reach.masses(coupling, nature)
        if not [*simulated, *others]:
            continue
        for mass in sorted(set(masses or [*simulated, *_between(simulated, coupling, nature, step)])):
            request = ScanRequest(coupling, nature, mass)
            try:
                inputs.signals.neighbours(scan.direction(coupling, mass, nature, 1e-6))
                requests.append(request)
            except (PointError, ReweightingError) as error:
                refused[request] = f"{coupling}, {nature}: {error}"
        at_generated = [ScanRequest(coupling, nature, mass) for mass in others if not masses or mass in masses]
        if coupling in COUPLINGS:
            generated_only += at_generated
        refused |= {
            request: f"{coupling}, {nature}: samples of m_N = {request.mass:g} GeV have no true decay length of N, and "
            "describe the couplings that they were generated with only"
            for request in at_generated
            if coupling not in COUPLINGS and request not in requests
        }
    for request in generated_only:
        if request not in requests:
            refused[request] = (
                f"{request.coupling}, {request.nature}: samples of m_N = {request.mass:g} GeV have no true decay "
                "length of N: there are limits at their generated lifetime only"
            )
    for kind, values in (("coupling", couplings), ("nature", natures), ("mass", masses)):
        for value in values:
            if value not in {getattr(request, kind) for request in [*requests, *generated_only]}:
                reasons = [reason for request, reason in refused.items() if getattr(request, kind) == value]
                raise ChoiceError(reasons[0] if reasons else _without_sample(kind, value))
    return ScanPlan(tuple(requests), tuple(refused.values()), tuple(generated_only))


def _without_sample(kind: str, value: str | float) -> str:
    """Why nothing can be scanned for a value that was asked for by name."""
    if kind != "coupling" or value in COUPLINGS:
        return f"no signal sample has the {kind} {value}"
    channel = scenario(str(value)).channel
    needed = {"e": "to e alone", "mu": "to mu alone", "mixed": "to both e and mu"}[channel]
    return f"the coupling {value} needs signal samples that couple {needed} ('{channel}'); there are none"


def _between(simulated: Sequence[float], coupling: str, nature: str, step: float) -> list[float]:
    """Masses to be scanned between simulated ones, GeV; some may not be possible."""
    if not step or not simulated:
        return []
    multiples = [round(step * i, 6) for i in range(ceil(min(simulated) / step), int(max(simulated) / step) + 1)]
    return multiples + [row.mass for row in table5.rows() if (row.coupling, row.nature) == (coupling, nature)]


def fingerprint(inputs: Inputs, settings: ScanSettings, request: ScanRequest) -> str:
    """Hash of all that a scan depends on."""
    code = dependencies.digest(CODE)
    return provenance.digest([FORMAT, inputs.digest, asdict(settings), asdict(request), code])


def keep(path: Path, fingerprint: str, result: MassScan) -> None:
    """Writes a finished scan."""
    records.write(path, KeptScan(fingerprint, result))


def kept(path: Path, fingerprint: str) -> MassScan | None:
    """A finished scan with the same inputs, settings and code; None if there is none that can be read."""
    try:
        content = records.from_record(KeptScan, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    return content.scan if content.digest == fingerprint else None


def scan_all(
    inputs: Inputs, settings: ScanSettings, requests: Sequence[ScanRequest], workers: int | None
) -> Iterator[tuple[ScanRequest, MassScan]]:
    """Pairs of request and result as they are finished."""
    if len(requests) <= 1 or workers == 1:
        for request in requests:
            yield request, _scan(inputs, settings, request)
        return
    # One thread each: the fits are many small ones.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with loky.ProcessPoolExecutor(min(workers or loky.cpu_count(), len(requests)), env=threads) as pool:
        futures = {pool.submit(_scan, inputs, settings, request): request for request in requests}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _scan(inputs: Inputs, settings: ScanSettings, request: ScanRequest) -> MassScan:
    return scan.scan(inputs, request.coupling, request.nature, request.mass, settings)
