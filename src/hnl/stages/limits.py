"""Stage `limits`: scans of all masses, in parallel and resumable; tables and files of what is excluded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hnl import layout, provenance, records
from hnl.corrections.couplings import scenario
from hnl.inference import asymptotics, exported_limits, methods, published
from hnl.inference.displaced import inputs, strengths, table5
from hnl.inference.displaced import limits as mass_scans
from hnl.inference.displaced.limits import ScanRequest
from hnl.inference.displaced.results import LimitsFile
from hnl.inference.displaced.scan_results import MassScan, ScanSettings
from hnl.report import strengths as strength_tables
from hnl.report.displaced import hepdata
from hnl.report.displaced.limit_files import compared, edges
from hnl.report.tables import Table
from hnl.stages.run import Run


@dataclass(frozen=True)
class Result:
    """What the stage found and wrote."""

    folder: Path
    content: LimitsFile
    table: Table
    comparison: Table  # with Table 5
    strengths: Table  # limits on mu at generated lifetimes, where there is no scan
    reused: int  # masses that were scanned before
    points: list[Path]  # what is kept of each mass


def run(
    at: Run,
    *,
    couplings: Sequence[str] = (),
    natures: Sequence[str] = (),
    masses: Sequence[float] = (),
    step: float = 0.0,
    luminosity: float | None = None,
    settings: ScanSettings | None = None,
    workers: int | None = None,
    on_plan: Callable[[int], None] = lambda _: None,
    on_mass: Callable[[ScanRequest], None] = lambda _: None,
) -> Result:
    """Scans |V|^2 at every mass that is asked for, and writes OUT/limits (or OUT/projection_Lfb).

    Args:
        at: a finished run.
        couplings: 'e', 'mu', 'mixed', or ratios (`corrections.couplings`); by default those three.
        natures: of `NATURES`; both by default.
        masses: GeV; all simulated ones by default.
        step: what is scanned between them by default, see `mass_scans.plan`.
        luminosity: /fb; simulated background is projected to it in place of data.
        settings: of the scan.
        workers: processes, all cores by default.
        on_plan: told the number of masses.
        on_mass: told each mass when it is done.

    Raises:
        ChoiceError: see `mass_scans.plan`; or too few toys.
        HNLError: see `inputs.load`.
    """
    settings = settings or ScanSettings()
    mass_scans.check(settings)
    of_run = inputs.load(at, luminosity=luminosity)
    background = of_run.background
    folder = at.out / layout.limits(luminosity)
    plan = mass_scans.plan(of_run, couplings, natures, masses, step)
    on_plan(len(plan.requests))
    finished: dict[ScanRequest, MassScan] = {}
    fingerprints = {request: mass_scans.fingerprint(of_run, settings, request) for request in plan.requests}
    paths = {request: folder / layout.POINTS / f"{request.name}.json" for request in plan.requests}
    for request in plan.requests:
        kept = mass_scans.kept(paths[request], fingerprints[request])
        if kept is not None:
            finished[request] = kept
            on_mass(request)
    reused = len(finished)
    left = [request for request in plan.requests if request not in finished]
    for request, result in mass_scans.scan_all(of_run, settings, left, workers):
        mass_scans.keep(paths[request], fingerprints[request], result)
        finished[request] = result
        on_mass(request)
    scans = tuple(finished[request] for request in plan.requests)
    samples = strengths.limits(of_run, settings, plan.requests, plan.generated_only, folder / layout.STATISTICAL_MODELS)
    at_points = [sample.limit for sample in samples if sample.limit is not None]
    provenance.write_text(folder / layout.STATISTICAL_MODELS / layout.MODELS_README, exported_limits.readme(at_points))
    content = LimitsFile(
        format=LimitsFile.FORMAT,
        label=background.label,
        projected=luminosity is not None,
        hidden=background.hidden,
        luminosity=background.luminosity,
        level=asymptotics.LEVEL,
        method=f"CLs at mu = 1 by {settings.method}: {methods.TOLD[settings.method]}",
        settings=settings,
        partial=tuple(at.selection.partial),
        scans=scans,
        not_scanned=plan.not_scanned,
        left_out=tuple(of_run.signals.reach.left_out()),
        published=tuple(published.curves()),
        samples=tuple(samples),
        provenance=provenance.record(),
        remarks=tuple(filter(None, dict.fromkeys(scenario(scan.coupling).remark for scan in scans))),
    )
    table, comparison = edges(scans, background.label), compared(scans, background.label, table5.rows())
    at_generated = strength_tables.table(samples, background.label)
    records.write(folder / layout.LIMITS_FILE, content)
    provenance.write_text(folder / layout.LIMITS_TABLE, table.csv())
    provenance.write_text(folder / layout.COMPARISON_TABLE, comparison.csv())
    provenance.write_text(folder / layout.STRENGTHS_TABLE, at_generated.csv())
    energies = at.selection.catalogue.energies
    hepdata.write(folder / layout.HEPDATA, scans, samples, background.label, background.luminosity, energies)
    return Result(folder, content, table, comparison, at_generated, reused, list(paths.values()))
