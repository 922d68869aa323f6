"""Stage `limits`: scans of all masses, in parallel and resumable; tables and files of what is excluded."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from itertools import product
from math import ceil, inf
from pathlib import Path
from typing import Any

import loky

from hnl import provenance
from hnl.corrections import lifetime
from hnl.corrections.lifetime import PointError, ReweightingError, TooFewEventsError
from hnl.errors import InputError
from hnl.inference import asymptotics, combine, modelling, published, pyhf_model, scan, table5, toys
from hnl.inference.likelihood import FitError
from hnl.inference.modelling import Inputs
from hnl.inference.scan import Settings
from hnl.inference.signals import FLAVOURS
from hnl.report.limit_files import CSV_FILE, HEPDATA, compared, edges, hepdata
from hnl.report.tables import Record, Table

FORMAT = 2  # of limits.json; raised when its meaning changes
FOLDER, FILE, POINTS, MODELS = "limits", "limits.json", "points", "models"
NATURES = ("majorana", "dirac")
LEAST_TOYS = 1000  # CLs of 5 % is then known to 20 % of itself

# All that a scan depends on.
CODE = (
    "hnl.corrections.lifetime",
    "hnl.corrections.masses",
    "hnl.histograms",
    "hnl.inference",
    "hnl.physics",
)
LIBRARIES = ("numpy", "scipy")


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


@dataclass(frozen=True)
class Result:
    """What the stage found and wrote."""

    folder: Path
    content: Record  # of limits.json
    table: Table
    comparison: Table  # with Table 5
    reused: int  # masses that were scanned before
    points: list[Path]  # what is kept of each mass


def folder_of(out: Path, luminosity: float | None) -> Path:
    """A projection has a folder of its own, never to be taken for limits from data."""
    return out / (FOLDER if luminosity is None else f"projection_{luminosity:g}fb")


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


def limits(
    out: Path,
    *,
    couplings: Sequence[str] = (),
    natures: Sequence[str] = (),
    masses: Sequence[float] = (),
    step: float = 0.0,
    luminosity: float | None = None,
    settings: Settings | None = None,
    workers: int | None = None,
    on_plan: Callable[[int], None] = lambda _: None,
    on_mass: Callable[[Job], None] = lambda _: None,
) -> Result:
    """Scans |V|^2 at every mass that is asked for, and writes OUT/limits (or OUT/projection_Lfb).

    Args:
        out: folder of a finished run.
        couplings: of 'e', 'mu', 'mixed'; all by default.
        natures: of `NATURES`; both by default.
        masses: GeV; all simulated ones by default.
        step: what is scanned between them by default, see `jobs`.
        luminosity: /fb; simulated background is projected to it in place of data.
        settings: of the scan.
        workers: processes, all cores by default.
        on_plan: told the number of masses.
        on_mass: told each mass when it is done.

    Raises:
        ChoiceError: see `jobs`; or too few toys.
        HNLError: see `modelling.load`.
    """
    settings = settings or Settings()
    if 0 < settings.toys < LEAST_TOYS:
        raise ChoiceError(f"{settings.toys} toys are too few to tell 5 %: at least {LEAST_TOYS}, or 0 for none")
    inputs = modelling.load(out, luminosity=luminosity)
    folder = folder_of(out, luminosity)
    chosen, not_scanned = jobs(inputs, couplings, natures, masses, step)
    on_plan(len(chosen))
    found: dict[Job, Record] = {}
    marks = {job: _mark(inputs, settings, job) for job in chosen}
    for job in chosen:
        known = _known(folder / POINTS / f"{job.name}.json", marks[job])
        if known is not None:
            found[job] = known
            on_mass(job)
    reused = len(found)
    for job, record in _scan_all(inputs, settings, [job for job in chosen if job not in found], workers):
        provenance.write_json(folder / POINTS / f"{job.name}.json", {"digest": marks[job], "scan": record})
        found[job] = record
        on_mass(job)
    scans = [found[job] for job in chosen]
    background = inputs.background
    content: Record = {
        "format": FORMAT,
        "label": background.label,
        "projected": luminosity is not None,
        "hidden": background.hidden,
        "luminosity": background.luminosity,
        "level": asymptotics.LEVEL,
        "method": "CLs at mu = 1, " + ("by toys where there are few events" if settings.toys else "asymptotic"),
        "settings": asdict(settings),
        "partial": inputs.selection.partial,
        "scans": scans,
        "not_scanned": not_scanned,
        "published": [vars(c.source) | {"mass": c.mass, "v2": c.v2} for c in published.curves()],
        "samples": _samples(inputs, settings, chosen, folder / MODELS),
        "provenance": provenance.record(),
    }
    table, comparison = edges(scans, background.label), compared(scans, background.label, table5.rows())
    provenance.write_json(folder / FILE, content)
    provenance.write_text(folder / CSV_FILE, table.csv())
    provenance.write_text(folder / "table5.csv", comparison.csv())
    hepdata(folder / HEPDATA, scans, background.label, background.luminosity)
    points = [folder / POINTS / f"{job.name}.json" for job in chosen]
    return Result(folder, content, table, comparison, reused, points)


def _mark(inputs: Inputs, settings: Settings, job: Job) -> str:
    code = provenance.code_digest(CODE, LIBRARIES)
    return provenance.digest([FORMAT, inputs.digest, asdict(settings), asdict(job), code])


def _known(path: Path, mark: str) -> Record | None:
    """A finished scan with the same inputs, settings and code."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return dict(content["scan"]) if content["digest"] == mark else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _scan_all(inputs: Inputs, settings: Settings, left: Sequence[Job], workers: int | None) -> Any:
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


def _samples(inputs: Inputs, settings: Settings, chosen: Sequence[Job], folder: Path) -> list[Record]:
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
