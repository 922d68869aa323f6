"""Checks of the generated signal: lifetime and lepton number."""

from pathlib import Path

import awkward as ak
import matplotlib.pyplot as plt
import numpy as np
from simulation_validation import checks
from simulation_validation.checks import Check
from simulation_validation.events import Columns, GeneratedBlock, over_cores, together, works

from hnl.datasets.simulation import particles
from hnl.datasets.simulation.signal import SignalOptions
from hnl.physics import widths

POINTS = ((1.5, 5.0), (3.0, 23.0), (5.0, 92.0), (8.0, 3.0), (10.0, 7.0), (15.0, 0.1), (20.0, 1.0))
"""Mass in GeV and c tau in mm."""

PAPER = {"HNL3": (3.0, 9.9e-5, 23.0), "HNL5": (5.0, 1.6e-6, 92.0), "HNL10": (10.0, 5.7e-7, 7.0)}
"""Mass in GeV, |V_mu|^2, and c tau in mm as the paper quotes it (caption of Fig. 2)."""

CYLINDER = (120.0, 280.0)
"""r and |z| in cm within which Pythia lets particles decay (pythia.COMMON)."""


def block(work: GeneratedBlock) -> Columns:
    """Proper time (mm), whether N decayed inside the cylinder, and the relative sign of the leptons."""
    prt = work.table().particles
    parent = particles.parents(prt, "pdg_id")
    n = ak.firsts(prt[abs(prt.pdg_id) == particles.HNL])
    child = ak.firsts(prt[abs(parent) == particles.HNL])
    decayed = ~ak.to_numpy(ak.is_none(child))
    momentum = np.sqrt(n.px**2 + n.py**2 + n.pz**2)
    path = np.sqrt(sum((child[f"v{axis}"] - n[f"v{axis}"]) ** 2 for axis in "xyz"))
    # An N that leaves the cylinder is known to have lived as long as the way out takes.
    radial = (CYLINDER[0] - np.hypot(n.vx, n.vy)) / np.hypot(n.px, n.py)
    along = (CYLINDER[1] - np.sign(n.pz) * n.vz) / abs(n.pz)
    out = np.minimum(radial, along) * momentum
    length = np.where(decayed, ak.to_numpy(ak.fill_none(path, 0.0)), ak.to_numpy(out))
    mass = np.sqrt(np.maximum(ak.to_numpy(n.energy**2 - momentum**2), 0.0))
    lepton = (abs(prt.pdg_id) == 11) | (abs(prt.pdg_id) == 13)
    l1, l2 = (prt[lepton & (abs(parent) == mother)] for mother in (24, particles.HNL))
    # Radiated photons may become pairs of leptons of the same mother: such events are left out.
    single = (ak.num(l1) == 1) & (ak.num(l2) == 1)
    sign = ak.to_numpy(ak.where(single, ak.sum(np.sign(l1.pdg_id), 1) * ak.sum(np.sign(l2.pdg_id), 1), 0))
    return {"ctau": 10 * length * mass / ak.to_numpy(momentum), "decayed": decayed, "sign": sign}


def check(n_events: int, seed: int, workers: int, output: Path) -> list[Check]:
    """c tau, its distribution (figure ctau.png), same-sign fractions."""
    result = []
    points = {
        (m, c, nature): SignalOptions(m, "mixed", ctau=c, nature=nature) for m, c in POINTS for nature in widths_of(m)
    }
    jobs = {key: works("hnl", n_events, seed, options) for key, options in points.items()}
    flat = iter(over_cores(block, [work for blocks in jobs.values() for work in blocks], workers))
    columns_of = {key: together([next(flat) for _ in blocks]) for key, blocks in jobs.items()}
    for (mass, ctau, nature), columns in columns_of.items():
        n = int(columns["decayed"].sum())
        value = columns["ctau"].sum() / n  # maximum likelihood with some lifetimes known to be longer only
        what = f"<c tau>, {mass:g} GeV, {nature} ({100 * n / len(columns['decayed']):.0f} % decay inside)"
        result.append(Check.near(what, value, value / np.sqrt(n), ctau, "mm"))
    for (mass, _, nature), columns in columns_of.items():
        signs = columns["sign"][columns["sign"] != 0]
        same = float(np.mean(signs > 0))
        expected = 0.5 if nature == "majorana" else 0.0
        error = 0.5 / np.sqrt(len(signs)) if expected else 0.0
        result.append(Check.near(f"same-sign fraction, {mass:g} GeV, {nature}", same, error, expected))
    for name, (mass, v2, quoted) in PAPER.items():
        value = widths.ctau_mm(mass, v2_mu=v2)
        what = f"c tau from |V_mu|^2 = {v2:g}, {mass:g} GeV"
        result.append(
            Check(what, f"{value:.3g} mm", f"{quoted:g} mm within 5 % ({name})", abs(value / quoted - 1) < 0.05)
        )
    figure, axes = plt.subplots(figsize=(6, 4))
    edges = np.linspace(0, 6, 31)
    for (mass, ctau, nature), columns in columns_of.items():
        if nature == "majorana":
            t = columns["ctau"][columns["decayed"]] / ctau
            density = np.histogram(t, edges)[0] / len(columns["ctau"]) / np.diff(edges)
            axes.stairs(density, edges, label=f"{mass:g} GeV, {ctau:g} mm")
    axes.plot(edges, np.exp(-edges), "k--", label="exp(-t)")
    axes.set_yscale("log")
    checks.finish(axes, "proper time / mean", "density of decays inside r < 1.2 m, |z| < 2.8 m")
    checks.save(figure, output / "ctau.png")
    return result


def widths_of(mass: float) -> tuple[widths.Nature, ...]:
    """Natures to check: both at two masses."""
    return ("majorana", "dirac") if mass in (3.0, 10.0) else ("majorana",)
