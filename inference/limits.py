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
from hnl.corrections import lifetime
from hnl.corrections.lifetime import PointError, ReweightingError, TooFewEventsError
from hnl.errors import InputError
from hnl.inference import combine, modelling, pyhf_model, scan, table5, toys
from hnl.inference.likelihood import FitError
from hnl.inference.modelling import Inputs
from hnl.inference.records import Record
from hnl.inference.scan import Settings
from hnl.inference.signals import FLAVOURS

FORMAT = 2  # of a kept scan; raised when its meaning changes
NATURES = ("majorana", "dirac")
LEAST_TOYS = 1000  # CLs of 5 % is then known to 20 % of itself
CODE = ("hnl.inference.scan",)  # what a scan is made by


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
) -> tuple[list[Job], list[str]]:
    """What is to be scanned, and why other masses are not; nothing given means all there is.

    Args:
        inputs: of the run.
        couplings, natures: of `FLAVOURS` and `NATURES`.
        masses: GeV, simulated or between simulated ones.
        step: without masses, the simulated ones are scanned, and between them the multiples of this, in GeV, and the
            masses of Table 5. 0 for nothing between them.

    Raises:
        ChoiceError: what is asked for by name has no part in the scan.
    """
    for kind, chosen, known in (("coupling", couplings, tuple(FLAVOURS)), ("nature", natures, NATURES)):
        if unknown := [name for name in chosen if name not in known]:
            raise ChoiceError(f"no {kind} {unknown[0]!r}: it is one of {', '.join(known)}")
    if step and not 0.01 <= step < inf:
        raise ChoiceError(f"the step between masses must be 0 (none) or at least 0.01 GeV, not {step}")
    found: list[Job] = []
    refused: dict[Job, str] = {}
    for coupling, nature in product(FLAVOURS, natures or NATURES):
        simulated = inputs.signals.simulated(coupling, nature)
        if not simulated or (couplings and coupling not in couplings):
            continue
        for mass in sorted(set(masses or [*simulated, *_between(simulated, coupling, nature, step)])):
            job = Job(coupling, nature, mass)
            try:
                inputs.signals.neighbours(scan.direction(coupling, mass, nature, 1e-6))
                found.append(job)
            except (PointError, ReweightingError) as error:
                refused[job] = f"{coupling}, {nature}: {error}"
    for what, asked in (("mass", masses), ("coupling", couplings), ("nature", natures)):
        for one in asked:
            if one not in {getattr(job, what) for job in found}:
                reasons = [reason for job, reason in refused.items() if getattr(job, what) == one]
                raise ChoiceError(reasons[0] if reasons else f"no signal sample has the {what} {one}")
    return found, list(refused.values())


def _between(simulated: Sequence[float], coupling: str, nature: str, step: float) -> list[float]:
    """Masses to be scanned between simulated ones, GeV; some may not be possible."""
    if not step:
        return []
    multiples = [round(step * i, 6) for i in range(ceil(min(simulated) / step), int(max(simulated) / step) + 1)]
    return multiples + [row.mass for row in table5.rows() if (row.coupling, row.nature) == (coupling, nature)]


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


def samples(inputs: Inputs, settings: Settings, chosen: Sequence[Job], folder: Path) -> list[Record]:
    """At the points that were simulated: the limit on mu, and the model for pyhf and Combine."""
    result: list[Record] = []
    wanted = {(job.coupling, job.nature, job.mass) for job in chosen}
    for d in inputs.signals.datasets:
        point, name = d.sample.point, d.sample.name
        if (point.coupling, point.nature, point.mass) not in wanted:
            continue
        found = inputs.signals.at(point)
        row: Record = {"sample": name, "mass": point.mass, "v2_e": point.v2_e, "v2_mu": point.v2_mu}
        row |= {"nature": point.nature, "ctau": point.ctau, "effective": found.effective, "refused": ""}
        try:
            lifetime.require(found.effective, point)
            model = modelling.model(found, inputs, correlated=settings.correlated)
            found_limits = toys.limits(model, toys=settings.toys, seed=settings.seed)
        except (TooFewEventsError, FitError) as error:
            result.append(row | {"refused": str(error)})
            continue
        shown = model.asimov() if model.hidden else model
        stem = f"{name}_expected" if model.hidden else name
        provenance.write_json(folder / f"{stem}_pyhf.json", pyhf_model.export(shown))
        provenance.write_text(folder / f"{stem}_combine.txt", combine.export(shown))
        quoted, asymptotic = found_limits[0], found_limits[-1]
        row |= {"observed": quoted.observed, "expected": list(quoted.expected), "method": quoted.method}
        row |= {"few_events": toys.few_events(model), "toys": quoted.toys}
        row |= {"observed_asymptotic": asymptotic.observed, "expected_asymptotic": list(asymptotic.expected)}
        row |= {"expected_in_a": float(toys.expected_in_a(model)), "model": stem}
        result.append(row)
    return result
