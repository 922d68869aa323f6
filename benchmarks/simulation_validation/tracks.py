"""Checks of the tracker: efficiency against displacement, resolutions."""

from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from simulation_validation import checks
from simulation_validation.checks import Check, Mask, Numbers
from simulation_validation.events import BENCHMARKS, Columns, GeneratedBlock, measure, over_cores, together, works

from hnl.datasets.simulation.tracking import HADRON, MUON, kind_of

STEPS = ((2.0, 0.90), (10.0, 0.60), (48.0, 0.25))
"""Paper, section 2: efficiency above the second number for tracks from within the first, cm."""

RESOLUTIONS = {"pt": ("relative pT", 0.015, 0.015, "%", 100.0), "dxy": ("d_xy", 20e-4, 90e-4, "um", 1e4),
               "dz": ("d_z", 45e-4, 150e-4, "um", 1e4)}  # fmt: skip
"""Paper, section 2: typical, for 1 < pT < 10 GeV, |eta| < 1.4: name, range over the years (cm), unit, factor."""

PT_EDGES = np.array([1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0])
RADII = np.array([0, 0.5, 1, 2, 3, 4.5, 6.5, 8.2, 10, 13, 16, 20, 25, 30, 36, 42, 48, 54, 60, 70.0])


def block(work: GeneratedBlock) -> Columns:
    """One row per charged particle with pT > 0.9 GeV and |eta| < 2.4: whether it has a track, and its errors.

    Impact parameters are relative to the true interaction, for particles that start there; for others they are NaN.
    """
    result = measure(work.table(), work.seed, pileup=False, true_vertex=True)
    visible = result.particles
    pt = np.hypot(visible.px, visible.py)
    eta = np.arcsinh(visible.pz / np.maximum(pt, 1e-9))
    used = (visible.charge != 0) & (pt > 0.9) & (np.abs(eta) < 2.4)
    visible, pt, eta = visible[used], pt[used], eta[used]
    interaction = result.vertex[visible.event]
    radius = np.hypot(visible.x - interaction[:, 0], visible.y - interaction[:, 1])
    prompt = radius < 1e-4
    keys = {(int(e), int(u)): i for i, (e, u) in enumerate(zip(result.tracks.event, result.tracks.uid, strict=True))}
    row = np.array([keys.get((int(e), int(u)), -1) for e, u in zip(visible.event, visible.uid, strict=True)])
    found, track = row >= 0, result.tracks[row]
    at_vertex = np.where(found & prompt, 1.0, np.nan)
    return {
        "pt": pt,
        "eta": eta,
        "radius": radius,
        "kind": kind_of(visible.pdg),
        "found": found,
        "d_pt": at_vertex * (track.pt / pt - 1),
        "d_dxy": at_vertex * track.dxy,
        "d_dz": at_vertex * track.dz,
    }


def check(n_events: int, seed: int, workers: int, output: Path) -> list[Check]:
    """Efficiency (tracking_efficiency.png) and resolutions (resolutions.png) of tracks in signal events."""
    jobs = [work for name in ("HNL3", "HNL5") for work in works("hnl", n_events, seed, BENCHMARKS[name])]
    all_of = together(over_cores(block, jobs, workers))
    hadron = all_of["kind"] == HADRON
    return _efficiency(all_of, hadron, output / "tracking_efficiency.png") + _resolutions(
        all_of, hadron & (np.abs(all_of["eta"]) < 1.4), output / "resolutions.png"
    )


def _efficiency(columns: Columns, hadron: Mask, path: Path) -> list[Check]:
    figure, axes = plt.subplots(figsize=(6, 4))
    radius, found = columns["radius"], columns["found"]
    for name, chosen in (("hadrons", hadron), ("muons", columns["kind"] == MUON)):
        checks.draw_ratio(axes, found[chosen], radius[chosen], RADII, name)
    result, low = [], 0.0
    for high, required in STEPS:
        axes.hlines(required, low, high, color="k", linestyle="--", label="" if low else "paper: better than")
        edges = RADII[(low <= RADII) & (high >= RADII)]
        p, error = checks.ratio(found[hadron], radius[hadron], edges)
        lowest = int(np.nanargmin(p))
        what = f"tracking efficiency, pT > 0.9 GeV, lowest in {low:g} to {high:g} cm"
        measured = f"{100 * p[lowest]:.1f} +- {100 * error[lowest]:.1f} % at {edges[lowest]:g}-{edges[lowest + 1]:g} cm"
        passed = bool(p[lowest] + 2 * error[lowest] > required)
        result.append(Check(what, measured, f"above {100 * required:.0f} % (section 2)", passed))
        low = high
    beyond = found[hadron & (radius > 60)]
    what = "tracks from beyond 60 cm"
    result.append(Check(what, f"{beyond.sum()} of {len(beyond)}", "none (section 2)", not beyond.any()))
    axes.set_ylim(0, 1.05)
    checks.finish(axes, "distance of the production from the interaction, transverse (cm)", "tracking efficiency")
    checks.save(figure, path)
    return result


def _resolutions(columns: Columns, chosen: Mask, path: Path) -> list[Check]:
    figure, all_axes = plt.subplots(1, 3, figsize=(13, 4))
    result = []
    for axes, (name, (title, low, high, unit, factor)) in zip(all_axes, RESOLUTIONS.items(), strict=True):
        shift, pt = columns[f"d_{name}"][chosen], columns["pt"][chosen]
        known = np.isfinite(shift)
        shift, pt = shift[known], pt[known]
        bins = list(pairwise(PT_EDGES))
        widths = np.array([_half_width(shift[(pt > a) & (pt < b)]) for a, b in bins])
        middle = np.sqrt(PT_EDGES[1:] * PT_EDGES[:-1])
        axes.errorbar(middle, factor * widths, xerr=[middle - PT_EDGES[:-1], PT_EDGES[1:] - middle], fmt="o")
        axes.axhspan(0.9 * factor * low, 1.1 * factor * high, alpha=0.15, color="k", label="paper, section 2, +- 10 %")
        axes.set_ylim(0, None)
        checks.finish(axes, "generated pT (GeV)", f"half width of 68 %, {title} ({unit})", "hadrons, |eta| < 1.4")
        counts = np.histogram(pt, PT_EDGES)[0]
        error = 2 / np.sqrt(
            counts
        )  # relative error of the width: a little more than twice its standard error, 1.2 / sqrt(2 n)
        passed = bool((widths > (0.9 - error) * low).all() and (widths < (1.1 + error) * high).all())
        numbers = [f"{factor * w:.3g}" for w in (widths[0], widths[-1])]
        measured = f"{numbers[0]} to {numbers[1]} {unit} from 1-1.5 to 6-10 GeV"
        expected = f"{factor * low:g} to {factor * high:g} {unit}" if low != high else f"{factor * low:g} {unit}"
        result.append(Check(f"resolution of {title}, 68 %", measured, f"{expected} +- 10 % (section 2)", passed))
    checks.save(figure, path)
    return result


def _half_width(values: Numbers) -> float:
    """Half of the range that holds the central 68.3 %."""
    low, high = np.quantile(values, [0.1585, 0.8415])
    return float(high - low) / 2
