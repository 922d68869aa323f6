"""The lines that a run ends with."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scored
import synthetic

from hnl.inference.displaced.results import LimitsFile, SampleLimit
from hnl.inference.displaced.scan_results import NOTHING, Edge, ExcludedRange, MassScan, ScanSettings
from hnl.inference.results import NamedLimit, StrengthLimit, StrengthsFile
from hnl.processors import selection as selections
from hnl.processors.base import CERTIFIED
from hnl.processors.manifests import Tables
from hnl.report import summary
from hnl.report.states import DONE, NOT_RUN, STALE, StageState


@pytest.fixture
def selection(tmp_path: Path) -> selections.Selection:
    """10 candidates of data, 10 + 10 of background, 10 of a signal, in 10/fb."""
    table, _ = scored.random(np.random.default_rng(1), 10)
    entries = [synthetic.background("w", "w"), synthetic.background("t", "t"), synthetic.signal("hnl", 8)]
    found = selections.load(synthetic.write(tmp_path, [(entry, table) for entry in [*entries, synthetic.data()]]))
    stages = {stage: {"all": {"events": 10}} for stage in ("all events", CERTIFIED)}
    return replace(found, tables={name: Tables(stages, {}) for name in ("w", "t", "hnl", "pseudodata")})


def excluded(lower: float | None, upper: float = 1.0, *, curve: str = "expected") -> ExcludedRange:
    """A range of |V|^2 between closed edges, or nothing."""
    if lower is None:
        return ExcludedRange(curve, NOTHING, None, None, 0.5, 1e-6, method="lhc")
    edges = [Edge("closed", v2, v2) for v2 in (lower, upper)]
    return ExcludedRange(curve, "closed", *edges, 0.01, lower)


def scan(mass: float, *ranges: ExcludedRange, coupling: str = "mu") -> MassScan:
    return MassScan(coupling, "majorana", mass, (), ranges, ())


def limits(*scans: MassScan, samples: tuple[SampleLimit, ...] = ()) -> LimitsFile:
    return LimitsFile(
        format=LimitsFile.FORMAT, label="made up", projected=False, hidden=False, luminosity=10.0, level=0.95,
        method="asymptotic", settings=ScanSettings(), partial=(), scans=scans, not_scanned=(), left_out=(),
        published=(), samples=samples, provenance={},
    )  # fmt: skip


def sample(mass: float, *expected: float, refused: str = "") -> SampleLimit:
    """A sample that cannot be reweighted, with limits on mu expected at five quantiles, or with none."""
    limit = StrengthLimit(None, expected, "lhc", False, 100, None, expected, 2.0, "a") if expected else None
    return SampleLimit(f"hnl{mass:g}", "mu", "majorana", mass, 10.0, True, refused, v2=1e-6, limit=limit)


def test_counts_and_what_was_not_done(selection: selections.Selection) -> None:
    states = [
        StageState("select", "", DONE),
        StageState("abcd", "", STALE, "scores have changed"),
        StageState("limits", "", NOT_RUN, "no limits: a reason"),
        StageState("fit", "", NOT_RUN),
    ]
    counts = "candidates in 10/fb: 10 of data, 20 of background, 10 of signal"
    notes = ["no limits: a reason", "warning: abcd is out of date: scores have changed"]
    assert summary.lines(selection, "region A is hidden", [], states) == [counts, "region A is hidden", *notes]
    assert summary.lines(selection, "region A is hidden", ["mu < 1"], states) == [*notes, "mu < 1"]


def test_files_that_were_left_out_are_counted(selection: selections.Selection) -> None:
    assert "partial: 2 files were left out" in summary.lines(replace(selection, partial=["a", "b"]), "", [], [])


def test_the_best_mass_is_that_of_the_lowest_coupling() -> None:
    """Of the observed range where there is one: 2e-7 at 8 GeV, though 1e-7 was expected at 5 GeV."""
    scans = [
        scan(3, excluded(None), excluded(None, curve="observed")),
        scan(5, excluded(1e-7, 1e-5), excluded(3e-7, 1e-5, curve="observed")),
        scan(8, excluded(4e-7, 1e-5), excluded(2e-7, 2e-5, curve="observed")),
    ]
    assert summary.of_scans(limits(*scans)) == [
        "excluded |V|^2 at 95 % CLs (made up):",
        "  mu, majorana: 2 of 3 masses, best at 8 GeV: 2e-07 to 2e-05 (observed, asymptotic)",
    ]


def test_blinded_and_without_exclusion() -> None:
    scans = [scan(5, excluded(1e-7, 1e-5)), scan(8, excluded(None), coupling="mixed")]
    said = summary.of_scans(limits(*scans))
    assert "  mu, majorana: 1 of 1 masses, best at 5 GeV: 1e-07 to 1e-05 (expected, asymptotic)" in said
    assert f"  mixed, majorana: {NOTHING} at 1 masses" in said


def test_limits_at_the_generated_lifetime() -> None:
    """The lowest limit on mu, and with none the reason."""
    samples = (sample(4.0, 1.0, 2.0, 3.0, 4.0, 5.0), sample(8.0, 0.1, 0.5, 0.9, 1.2, 1.5))
    said = summary.of_scans(limits(samples=samples))
    assert "  mu, majorana, 2 of 2 samples, best hnl8: mu < 0.9 expected at 8 GeV, |V|^2 = 1e-06, c tau = 10 mm" in said
    said = summary.of_scans(limits(samples=(sample(4.0, refused="too few events"),)))
    assert said == ["no limit at the generated lifetime of 1 samples: too few events"]


def test_strengths() -> None:
    """Of a search without a scan: observed where it is, or why there is none."""
    expected = (0.1, 0.2, 0.3, 0.4, 0.5)
    limit = StrengthLimit(0.25, expected, "asymptotic", False, 0, 0.25, expected, 9.0, "")
    blinded = replace(limit, observed=None)
    content = StrengthsFile(
        format=StrengthsFile.FORMAT,
        label="made up",
        hidden=False,
        luminosity=10.0,
        level=0.95,
        limits=(NamedLimit("a", "", limit), NamedLimit("b", "", blinded), NamedLimit("c", "no minimum", None)),
        partial=(),
        provenance={},
    )
    assert summary.of_strengths(content) == [
        "upper limits on the signal strength at 95 % CLs (made up):",
        "  a: 0.25 observed, 0.3 expected (asymptotic)",
        "  b: 0.3 expected (asymptotic)",
        "  c: none, no minimum",
    ]
