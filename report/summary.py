"""What a run found, in a few lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hnl.inference.displaced.results import LimitsFile, SampleLimit
from hnl.inference.displaced.scan_results import NOTHING, MassScan
from hnl.inference.results import StrengthsFile
from hnl.report import taken
from hnl.report.displaced.limit_files import EXPECTED, method, words
from hnl.report.states import StageState, not_run, out_of_date
from hnl.report.strengths import GENERATED_ONLY

if TYPE_CHECKING:  # what was selected is taken as it is
    from hnl.processors.selection import Selection

KINDS = ("data", "background", "signal")


def lines(selection: "Selection", hidden: str, results: Sequence[str], states: Sequence[StageState]) -> list[str]:
    """The summary: what is excluded, or else how much was selected.

    Args:
        selection: of the run.
        hidden: '' or what of data is not shown; results say it themselves.
        results: lines on limits, see `of_scans` and `of_strengths`.
        states: of the stages.
    """
    groups = {kind: [d.name for d in selection.catalogue.datasets if d.kind == kind] for kind in KINDS}
    candidates = {
        kind: sum(manifest.candidates for name in names for manifest in selection.manifests[name])
        for kind, names in groups.items()
    }
    counted = ", ".join(f"{number:,} of {kind}" for kind, number in candidates.items())
    luminosity = sum(era.luminosity for era in selection.catalogue.eras.values())
    result = [] if results else [f"candidates in {luminosity:g}/fb: {counted}"]
    result += [f"partial: {len(selection.partial)} files were left out"] if selection.partial else []
    result += taken.told(selection.taken)
    result += [f"warning: {sentence}" for sentence in taken.warnings(selection.taken)]
    result += [hidden] if hidden and not results else []
    result += not_run(states)
    result += [f"warning: {sentence}" for sentence in out_of_date(states)]
    return [*result, *results]


def of_scans(limits: LimitsFile) -> list[str]:
    """What is excluded, by coupling and nature."""
    scans = limits.scans
    result = [f"excluded |V|^2 at 95 % CLs ({limits.label}):"] if scans else []
    for coupling, nature in dict.fromkeys((scan.coupling, scan.nature) for scan in scans):
        own = [scan for scan in scans if (scan.coupling, scan.nature) == (coupling, nature)]
        result.append(f"  {coupling}, {nature}: {_best_range(own)}")
    return result + _generated_only([sample for sample in limits.samples if sample.generated_only], limits.label)


def of_strengths(content: StrengthsFile) -> list[str]:
    """Limits on the signal strength of each model of a search."""
    result = [f"upper limits on the signal strength at 95 % CLs ({content.label}):"]
    for model in content.limits:
        limit = model.limit
        if limit is None:
            result.append(f"  {model.name}: none, {model.refused}")
        else:
            observed = "" if limit.observed is None else f"{limit.observed:.3g} observed, "
            result.append(f"  {model.name}: {observed}{limit.expected[2]:.3g} expected ({limit.method})")
    return result


def _best_range(scans: Sequence[MassScan]) -> str:
    """The range of the mass with the lowest |V|^2 that is excluded: observed, or else the median expected."""
    known = []
    for scan in scans:
        excluded = scan.range_of("observed") or scan.range_of(EXPECTED)
        if excluded is not None and excluded.lower is not None:
            known.append((excluded.lower.v2 or excluded.lower.at, scan.mass, excluded))
    if not known:
        return f"{NOTHING} at {len(scans)} masses"
    _, mass, best = min(known, key=lambda entry: entry[:2])
    curve = "observed" if best.curve == "observed" else "expected"
    ranges = f"{words(best, 'lower')} to {words(best, 'upper')} ({curve}, {method(best)})"
    return f"{len(known)} of {len(scans)} masses, best at {mass:g} GeV: {ranges}"


def _generated_only(samples: Sequence[SampleLimit], label: str) -> list[str]:
    """Where there is no scan: the lowest limit on mu, at the generated lifetime of its sample."""
    known = [(sample, sample.limit) for sample in samples if sample.limit is not None]
    if not known:
        return (
            [f"no limit at the generated lifetime of {len(samples)} samples: {samples[0].refused}"] if samples else []
        )
    curve = EXPECTED if known[0][1].observed is None else "observed"
    values = [limit.expected[2] if limit.observed is None else limit.observed for _, limit in known]
    lowest = min(values)
    best = known[values.index(lowest)][0]
    return [
        f"signal strength at 95 % CLs ({label}), {GENERATED_ONLY}, no scan of |V|^2:",
        f"  {best.coupling}, {best.nature}, {len(known)} of {len(samples)} samples, best {best.sample}: mu < "
        f"{lowest:.3g} {curve} at {best.mass:g} GeV, |V|^2 = {best.v2:.3g}, c tau = {best.ctau:.3g} mm",
    ]
