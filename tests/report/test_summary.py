"""The lines that a run ends with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scored
import synthetic

from hnl.inference.displaced.scan import NOTHING
from hnl.processors import selection as selections
from hnl.processors.base import CERTIFIED
from hnl.processors.manifests import Tables
from hnl.report import summary


@pytest.fixture
def selection(tmp_path: Path) -> selections.Selection:
    """10 candidates of data, 10 + 10 of background, 10 of a signal, in 10/fb."""
    table, _ = scored.random(np.random.default_rng(1), 10)
    entries = [synthetic.background("w", "w"), synthetic.background("t", "t"), synthetic.signal("hnl", 8)]
    found = selections.load(synthetic.write(tmp_path, [(entry, table) for entry in [*entries, synthetic.data()]]))
    stages = {stage: {"all": {"events": 10}} for stage in ("all events", CERTIFIED)}
    return replace(found, tables={name: Tables(stages, {}) for name in ("w", "t", "hnl", "pseudodata")})


def excluded(
    lower: float | None, upper: float | None = None, *, curve: str = "expected", **more: Any
) -> dict[str, Any]:
    """A range of |V|^2 between closed edges, or nothing."""
    if lower is None:
        return {"curve": curve, "status": NOTHING, "lower": None, "upper": None, "method": "toys"}
    edges = [{"state": "closed", "v2": v2, "at": v2, "reason": "", "method": "asymptotic"} for v2 in (lower, upper)]
    return {"curve": curve, "status": "closed", "lower": edges[0], "upper": edges[1], "method": "asymptotic"}


def scan(mass: float, *ranges: dict[str, Any], coupling: str = "mu") -> dict[str, Any]:
    return {"coupling": coupling, "nature": "majorana", "mass": mass, "excluded": list(ranges)}


def limits(*scans: dict[str, Any], samples: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"label": "made up", "scans": list(scans), "samples": list(samples)}


def test_counts_and_what_was_not_done(selection: selections.Selection) -> None:
    assert summary.lines(selection, "region A is hidden", None, ["no limits: a reason"], 7) == [
        "4 datasets, 10/fb",
        "candidates: 10 of data, 20 of background, 10 of signal",
        "warning: data without golden JSON, every luminosity section is used: pseudodata",
        "region A is hidden",
        "no limits: a reason",
        "7 figures",
        f"everything is in {selection.folder}",
    ]


def test_files_that_were_left_out_are_counted(selection: selections.Selection) -> None:
    assert "partial: 2 files were left out" in summary.lines(replace(selection, partial=["a", "b"]), "", None, [], 0)


def test_the_best_mass_is_that_of_the_lowest_coupling(selection: selections.Selection) -> None:
    """Of the observed range where there is one: 2e-7 at 8 GeV, though 1e-7 was expected at 5 GeV."""
    scans = [
        scan(3, excluded(None), excluded(None, curve="observed")),
        scan(5, excluded(1e-7, 1e-5), excluded(3e-7, 1e-5, curve="observed")),
        scan(8, excluded(4e-7, 1e-5), excluded(2e-7, 2e-5, curve="observed")),
    ]
    said = summary.lines(selection, "", limits(*scans), [], 0)
    place = said.index("excluded |V|^2 at 95 % CLs (made up):")
    assert said[place + 1] == ("  mu, majorana: 2 of 3 masses, best at 8 GeV: 2e-07 to 2e-05 (observed, asymptotic)")


def test_blinded_and_without_exclusion(selection: selections.Selection) -> None:
    scans = [scan(5, excluded(1e-7, 1e-5)), scan(8, excluded(None), coupling="mixed")]
    said = summary.lines(selection, "", limits(*scans), [], 0)
    assert "  mu, majorana: 1 of 1 masses, best at 5 GeV: 1e-07 to 1e-05 (expected, asymptotic)" in said
    assert f"  mixed, majorana: {NOTHING} at 1 masses" in said


def test_limits_at_the_generated_lifetime(selection: selections.Selection) -> None:
    """The lowest limit on mu, and with none the reason."""
    sample = {"coupling": "mu", "nature": "majorana", "v2": 1e-6, "ctau": 10.0, "generated_only": True}
    rows = [
        sample | {"sample": f"hnl{mass:g}", "mass": mass, "observed": None, "refused": None, "method": "toys"}
        for mass in (4.0, 8.0)
    ]
    rows[0] |= {"expected": [1.0, 2.0, 3.0, 4.0, 5.0]}
    rows[1] |= {"expected": [0.1, 0.5, 0.9, 1.2, 1.5]}
    said = summary.lines(selection, "", limits(samples=tuple(rows)), [], 0)
    assert "  mu, majorana, 2 of 2 samples, best hnl8: mu < 0.9 expected at 8 GeV, |V|^2 = 1e-06, c tau = 10 mm" in said
    refused = rows[0] | {"expected": None, "refused": "too few events"}
    said = summary.lines(selection, "", limits(samples=(refused,)), [], 0)
    assert "no limit at the generated lifetime of 1 samples: too few events" in said
