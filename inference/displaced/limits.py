"""Scans of all masses: which there are, in parallel, each kept as long as it would be the same to the bit."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from itertools import product
from math import ceil, inf
from pathlib import Path

import loky

from hnl import dependencies, provenance
from hnl.corrections.lifetime import COUPLINGS, PointError, ReweightingError
from hnl.errors import InputError
from hnl.inference.displaced import scan, table5
from hnl.inference.displaced.modelling import Inputs
from hnl.inference.displaced.scan import Settings
from hnl.inference.records import Record

FORMAT = 2  # of a kept scan; raised when its meaning changes
NATURES = ("majorana", "dirac")
LEAST_TOYS = 1000  # CLs of 5 % is then known to 20 % of itself
CODE = ("hnl.inference.displaced.scan",)  # what a scan is made by


class ChoiceError(InputError):
    """A coupling, nature or mass that cannot be scanned."""


@dataclass(frozen=True)
class Job:
    """One mass to be scanned."""

    coupling: str
    nature: str
    mass: float

    @property
    def name(self) -> str:
        """For files."""
        return f"{self.coupling}_{self.nature}_{self.mass:g}"


def check(settings: Settings) -> None:
    """Raises ChoiceError if CLs cannot be told with so few toys."""
    if 0 < settings.toys < LEAST_TOYS:
        raise ChoiceError(f"{settings.toys} toys are too few to tell 5 %: at least {LEAST_TOYS}, or 0 for none")


def jobs(
    inputs: Inputs, couplings: Sequence[str], natures: Sequence[str], masses: Sequence[float], step: float = 0.0
) -> tuple[list[Job], list[str], list[Job]]:
    """What is to be scanned, why other masses are not, and which are known at generated lifetimes only.

    Nothing given means all there is.

    Args:
        inputs: of the run.
        couplings, natures: of `COUPLINGS` and `NATURES`.
        masses: GeV, simulated or between simulated ones.
        step: without masses, the simulated ones are scanned, and between them the multiples of this, in GeV, and the
            masses of Table 5. 0 for nothing between them.

    Raises:
        ChoiceError: what is asked for by name has no part in the scan.
    """
    for kind, chosen, known in (("coupling", couplings, COUPLINGS), ("nature", natures, NATURES)):
        if unknown := [name for name in chosen if name not in known]:
            raise ChoiceError(f"no {kind} {unknown[0]!r}: it is one of {', '.join(known)}")
    if step and not 0.01 <= step < inf:
        raise ChoiceError(f"the step between masses must be 0 (none) or at least 0.01 GeV, not {step}")
    found: list[Job] = []
    refused: dict[Job, str] = {}
    fixed: list[Job] = []
    for coupling, nature in product(COUPLINGS, natures or NATURES):
        simulated, others = inputs.signals.reach.masses(coupling, nature)
        if not [*simulated, *others] or (couplings and coupling not in couplings):
            continue
        for mass in sorted(set(masses or [*simulated, *_between(simulated, coupling, nature, step)])):
            job = Job(coupling, nature, mass)
            try:
                inputs.signals.neighbours(scan.direction(coupling, mass, nature, 1e-6))
                found.append(job)
            except (PointError, ReweightingError) as error:
                refused[job] = f"{coupling}, {nature}: {error}"
        fixed += [Job(coupling, nature, mass) for mass in others if not masses or mass in masses]
    for job in fixed:
        if job not in found:
            refused[job] = (
                f"{job.coupling}, {job.nature}: samples of m_N = {job.mass:g} GeV have no true decay length of N: "
                "there are limits at their generated lifetime only"
            )
    for what, asked in (("mass", masses), ("coupling", couplings), ("nature", natures)):
        for one in asked:
            if one not in {getattr(job, what) for job in [*found, *fixed]}:
                reasons = [reason for job, reason in refused.items() if getattr(job, what) == one]
                raise ChoiceError(reasons[0] if reasons else f"no signal sample has the {what} {one}")
    return found, list(refused.values()), fixed


def _between(simulated: Sequence[float], coupling: str, nature: str, step: float) -> list[float]:
    """Masses to be scanned between simulated ones, GeV; some may not be possible."""
    if not step or not simulated:
        return []
    multiples = [round(step * i, 6) for i in range(ceil(min(simulated) / step), int(max(simulated) / step) + 1)]
    return multiples + [row.mass for row in table5.rows() if (row.coupling, row.nature) == (coupling, nature)]


def keys(of: Sequence[Job]) -> list[tuple[str, str, float]]:
    """Coupling, nature and mass of each."""
    return [(job.coupling, job.nature, job.mass) for job in of]


def mark(inputs: Inputs, settings: Settings, job: Job) -> str:
    """Hash of all that a scan depends on."""
    code = dependencies.digest(CODE)
    return provenance.digest([FORMAT, inputs.digest, asdict(settings), asdict(job), code])


def known(path: Path, mark: str) -> Record | None:
    """A finished scan with the same inputs, settings and code."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return dict(content["scan"]) if content["digest"] == mark else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def scan_all(
    inputs: Inputs, settings: Settings, left: Sequence[Job], workers: int | None
) -> Iterator[tuple[Job, Record]]:
    """Pairs of job and record as they are finished."""
    if len(left) <= 1 or workers == 1:
        for job in left:
            yield job, _scan_one(inputs, settings, job)
        return
    # One thread each: the fits are many small ones.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with loky.ProcessPoolExecutor(min(workers or loky.cpu_count(), len(left)), env=threads) as pool:
        futures = {pool.submit(_scan_one, inputs, settings, job): job for job in left}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _scan_one(inputs: Inputs, settings: Settings, job: Job) -> Record:
    return scan.scan(inputs, job.coupling, job.nature, job.mass, settings).record()
