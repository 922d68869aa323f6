"""What is excluded, as HEPData YAML. Open edges and 'nothing excluded' are words, never numbers."""

import contextlib
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from hepdata_lib import Submission, Variable
from hepdata_lib import Table as HEPDataTable

from hnl import provenance
from hnl.corrections.couplings import scenario
from hnl.inference.displaced.results import SampleLimit
from hnl.inference.displaced.scan_results import CURVES, ExcludedRange, MassScan
from hnl.report.displaced.limit_files import SIDES, Side, between, edge_of, method, words


def write(
    folder: Path,
    scans: Sequence[MassScan],
    samples: Sequence[SampleLimit],
    label: str,
    luminosity: float,
    energies: Sequence[float],
) -> None:
    """Writes a HEPData submission, checked by HEPData's own validator: a table for each coupling and nature.

    Those that are known at generated lifetimes only have tables of their own. Without any table nothing is written.

    Args:
        folder: for its files.
        scans, samples: of limits.json.
        label: of every product made with the same background.
        luminosity: /fb.
        energies: of the pp collisions, TeV.
    """
    submission = Submission()
    submission.comment = f"Limits on heavy neutral leptons at 95% CL. {label}"
    for (coupling, nature), group in groupby(scans, key=lambda scan: (scan.coupling, scan.nature)):
        submission.add_table(_scan_table(coupling, nature, list(group), label, luminosity, energies))
    generated = [sample for sample in samples if sample.generated_only and sample.limit is not None]
    for (coupling, nature), rows in groupby(sorted(generated, key=_signal), key=_signal):
        submission.add_table(_strengths_table(coupling, nature, list(rows), label, luminosity, energies))
    if not submission.tables:
        return
    folder = folder.resolve()
    with tempfile.TemporaryDirectory() as temporary, contextlib.chdir(temporary):  # it writes beside itself
        submission.create_files("files", validate=True)
        for path in sorted(Path("files").glob("*.yaml")):
            provenance.write_text(folder / path.name, path.read_text(encoding="utf-8"))


def _signal(sample: SampleLimit) -> tuple[str, str]:
    return sample.coupling, sample.nature


def _strengths_table(
    coupling: str,
    nature: str,
    samples: Sequence[SampleLimit],
    label: str,
    luminosity: float,
    energies: Sequence[float],
) -> HEPDataTable:
    """Limits on mu at generated lifetimes."""
    table = HEPDataTable(f"Signal strength {coupling} {nature}")
    table.description = (
        f"Upper limits at 95% CL on the signal strength of {nature} N with coupling {coupling} at the generated "
        f"lifetime only: the samples cannot be reweighted, so that |V|^2 is not scanned. {label}."
    )
    _describe(table, energies)
    for name, units, values in (
        ("m_N", "GeV", [sample.mass for sample in samples]),
        ("|V|^2", "", [sample.v2 for sample in samples]),
        ("c tau", "mm", [sample.ctau for sample in samples]),
    ):
        table.add_variable(Variable(name, is_independent=True, is_binned=False, units=units, values=values))
    limits = [(sample.limit.observed, *sample.limit.expected) for sample in samples if sample.limit is not None]
    for i, curve in enumerate(CURVES):
        of_curve = [value for value in (limit[i] for limit in limits) if value is not None]
        if of_curve:
            table.add_variable(_limits(f"upper limit on mu, {curve}", of_curve, luminosity, energies))
    return table


def _scan_table(
    coupling: str, nature: str, scans: Sequence[MassScan], label: str, luminosity: float, energies: Sequence[float]
) -> HEPDataTable:
    chosen = scenario(coupling)
    table = HEPDataTable(f"Limits {chosen.file_name} {nature}")
    remark = f"{chosen.remark}. " if chosen.remark else ""
    table.description = (
        f"Range of squared mixing parameters excluded at 95% CL for {nature} N and coupling {coupling}. {label}. "
        f"{remark}"
        f"CLs by {_methods(scans)}. "
        "A word in place of a number: the edge is beyond what the samples describe, or nothing is excluded."
    )
    _describe(table, energies)
    mass = Variable("m_N", is_independent=True, is_binned=False, units="GeV", values=[scan.mass for scan in scans])
    table.add_variable(mass)
    origin = [f"interpolated from {between(scan)} GeV" if between(scan) else "simulated" for scan in scans]
    table.add_variable(Variable("signal", is_independent=False, is_binned=False, values=origin))
    for curve in CURVES:
        ranges = [scan.range_of(curve) for scan in scans]
        if all(excluded is None for excluded in ranges):
            continue
        for side in SIDES:
            values = [_edge_value(excluded, side) for excluded in ranges]
            table.add_variable(_limits(f"{side} edge of |V|^2, {curve}", values, luminosity, energies))
    return table


def _methods(scans: Sequence[MassScan]) -> str:
    """How each curve was found."""
    return ", ".join(dict.fromkeys(f"{method(of)} ({of.curve})" for scan in scans for of in scan.excluded))


def _describe(table: HEPDataTable, energies: Sequence[float]) -> None:
    table.keywords["cmenergies"] = [1000 * energy for energy in energies]  # GeV
    table.keywords["observables"] = ["CLS"]


def _limits(name: str, values: Sequence[float | str], luminosity: float, energies: Sequence[float]) -> Variable:
    variable = Variable(name, is_independent=False, is_binned=False, values=values)
    variable.digits = 3
    variable.add_qualifier("SQRT(S)", energies[0] if len(energies) == 1 else ", ".join(map(str, energies)), "TeV")
    variable.add_qualifier("LUMINOSITY", luminosity, "fb$^{-1}$")
    return variable


def _edge_value(excluded: ExcludedRange | None, side: Side) -> float | str:
    if excluded is None:
        return "not tested"
    edge = edge_of(excluded, side)
    return edge.v2 if edge is not None and edge.v2 is not None else words(excluded, side)
