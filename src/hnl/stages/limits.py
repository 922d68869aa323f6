"""Stage `limits`: scans of all masses, in parallel and resumable; tables and files of what is excluded."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hnl import layout, provenance
from hnl.inference import asymptotics, published
from hnl.inference.displaced import inputs, strengths, table5
from hnl.inference.displaced import limits as scans_of
from hnl.inference.displaced.limits import Job
from hnl.inference.displaced.scan import Settings
from hnl.inference.records import Record
from hnl.plots import limits as plots
from hnl.report import strengths as tables_of
from hnl.report.limit_files import compared, edges, hepdata
from hnl.report.tables import Table
from hnl.stages.run import Run

FORMAT = 2  # of limits.json; raised when its meaning changes


@dataclass(frozen=True)
class Result:
    """What the stage found and wrote."""

    folder: Path
    content: Record  # of limits.json
    table: Table
    comparison: Table  # with Table 5
    fixed: Table  # limits on mu at generated lifetimes, where there is no scan
    reused: int  # masses that were scanned before
    points: list[Path]  # what is kept of each mass
    figures: list[tuple[str, Path]]  # title, PNG


def run(
    at: Run,
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
    """Scans |V|^2 at every mass that is asked for, and writes OUT/limits (or OUT/projection_Lfb) and figures.

    Args:
        at: a finished run.
        couplings: of 'e', 'mu', 'mixed'; all by default.
        natures: of `NATURES`; both by default.
        masses: GeV; all simulated ones by default.
        step: what is scanned between them by default, see `inference.limits.jobs`.
        luminosity: /fb; simulated background is projected to it in place of data.
        settings: of the scan.
        workers: processes, all cores by default.
        on_plan: told the number of masses.
        on_mass: told each mass when it is done.

    Raises:
        ChoiceError: see `inference.limits.jobs`; or too few toys.
        HNLError: see `inputs.load`.
    """
    settings = settings or Settings()
    scans_of.check(settings)
    of_run = inputs.load(at, luminosity=luminosity)
    folder = at.out / layout.limits(luminosity)
    chosen, not_scanned, fixed = scans_of.jobs(of_run, couplings, natures, masses, step)
    on_plan(len(chosen))
    found: dict[Job, Record] = {}
    marks = {job: scans_of.mark(of_run, settings, job) for job in chosen}
    paths = {job: folder / layout.POINTS / f"{job.name}.json" for job in chosen}
    for job in chosen:
        known = scans_of.known(paths[job], marks[job])
        if known is not None:
            found[job] = known
            on_mass(job)
    reused = len(found)
    for job, record in scans_of.scan_all(of_run, settings, [job for job in chosen if job not in found], workers):
        provenance.write_json(paths[job], {"digest": marks[job], "scan": record})
        found[job] = record
        on_mass(job)
    scans = [found[job] for job in chosen]
    background = of_run.background
    keys = scans_of.keys(chosen), scans_of.keys(fixed)
    samples = strengths.limits(of_run, settings, *keys, folder / layout.STATISTICAL_MODELS)
    content: Record = {
        "format": FORMAT,
        "label": background.label,
        "projected": luminosity is not None,
        "hidden": background.hidden,
        "luminosity": background.luminosity,
        "level": asymptotics.LEVEL,
        "method": "CLs at mu = 1, " + ("by toys where there are few events" if settings.toys else "asymptotic"),
        "settings": asdict(settings),
        "partial": at.selection.partial,
        "scans": scans,
        "not_scanned": not_scanned,
        "left_out": of_run.signals.reach.left_out(),
        "published": [vars(c.source) | {"mass": c.mass, "v2": c.v2} for c in published.curves()],
        "samples": samples,
        "provenance": provenance.record(),
    }
    table, comparison = edges(scans, background.label), compared(scans, background.label, table5.rows())
    provenance.write_json(folder / layout.LIMITS_FILE, content)
    provenance.write_text(folder / layout.LIMITS_TABLE, table.csv())
    provenance.write_text(folder / layout.COMPARISON_TABLE, comparison.csv())
    at_generated = tables_of.table(samples, background.label)
    provenance.write_text(folder / layout.STRENGTHS_TABLE, at_generated.csv())
    energies = at.selection.catalogue.energies
    hepdata(folder / layout.HEPDATA, scans, samples, background.label, background.luminosity, energies)
    figures = plots.draw_limits(content, table5.rows(), at.out / layout.PLOTS)
    return Result(folder, content, table, comparison, at_generated, reused, list(paths.values()), figures)
