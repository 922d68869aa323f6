"""What a run found, in a few lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hnl.inference.displaced.scan import NOTHING
from hnl.inference.displaced.strengths import GENERATED_ONLY
from hnl.inference.records import Record
from hnl.report import certification, strengths
from hnl.report.limit_files import EXPECTED, method, words

if TYPE_CHECKING:  # what was selected is taken as it is
    from hnl.processors.selection import Selection

KINDS = ("data", "background", "signal")


def lines(selection: "Selection", hidden: str, limits: Record | None, notes: Sequence[str], figures: int) -> list[str]:
    """The summary; the folder with everything comes last.

    Args:
        selection: of the run.
        hidden: '' or what of data is not shown.
        limits: content of limits.json, if that was asked.
        notes: what was not done, and why.
        figures: how many were drawn.
    """
    groups = {kind: [d.name for d in selection.catalogue.datasets if d.kind == kind] for kind in KINDS}
    candidates = {
        kind: sum(manifest["candidates"] for name in names for manifest in selection.manifests[name])
        for kind, names in groups.items()
    }
    luminosity = sum(era.luminosity for era in selection.catalogue.eras.values())
    result = [
        f"{len(selection.catalogue.datasets)} datasets, {luminosity:g}/fb",
        "candidates: " + ", ".join(f"{number} of {kind}" for kind, number in candidates.items()),
    ]
    result += [f"partial: {len(selection.partial)} files were left out"] if selection.partial else []
    result += [f"warning: {warning}" for warning in certification.warnings(selection)]
    result += [hidden] if hidden else []
    result += notes
    if limits is not None:
        scans = limits["scans"]
        result += [f"excluded |V|^2 at 95 % CLs ({limits['label']}):"] if scans else []
        for coupling, nature in dict.fromkeys((s["coupling"], s["nature"]) for s in scans):
            own = [s for s in scans if (s["coupling"], s["nature"]) == (coupling, nature)]
            result.append(f"  {coupling}, {nature}: {_best(own)}")
        result += _fixed(strengths.table(limits["samples"], limits["label"]).records)
    result.append(f"{figures} figures")
    return [*result, f"everything is in {selection.folder}"]


def _best(scans: Sequence[dict[str, Any]]) -> str:
    """The range of the mass with the lowest |V|^2 that is excluded: observed, or else the median expected."""
    known = []
    for one in scans:
        curves = {found["curve"]: found for found in one["excluded"]}
        found = curves.get("observed", curves.get(EXPECTED))
        if found is not None and found["status"] != NOTHING:
            known.append((found["lower"]["v2"] or found["lower"]["at"], one["mass"], found))
    if not known:
        return f"{NOTHING} at {len(scans)} masses"
    _, mass, found = min(known, key=lambda one: one[:2])
    curve = "observed" if found["curve"] == "observed" else "expected"
    ranges = f"{words(found, 'lower')} to {words(found, 'upper')} ({curve}, {method(found)})"
    return f"{len(known)} of {len(scans)} masses, best at {mass:g} GeV: {ranges}"


def _fixed(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Where there is no scan: the lowest limit on mu, at the generated lifetime of its sample."""
    known = [row for row in rows if row[EXPECTED] is not None]
    if not known:
        return [f"no limit at the generated lifetime of {len(rows)} samples: {rows[0]['refused']}"] if rows else []
    curve = EXPECTED if known[0]["observed"] is None else "observed"
    best = min(known, key=lambda row: row[curve])
    return [
        f"signal strength at 95 % CLs ({best['label']}), {GENERATED_ONLY}, no scan of |V|^2:",
        f"  {best['coupling']}, {best['nature']}, {len(known)} of {len(rows)} samples, best {best['sample']}: mu < "
        f"{best[curve]:.3g} {curve} at {best['mass']:g} GeV, |V|^2 = {best['v2']:.3g}, c tau = {best['ctau']:.3g} mm",
    ]
