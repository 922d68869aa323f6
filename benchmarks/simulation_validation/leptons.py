"""Checks of nonprompt leptons and of the vertex of the HNL decay: the paper's Figs. 2 and 3."""

from pathlib import Path
from typing import Any

import awkward as ak
import matplotlib.pyplot as plt
import numpy as np
from simulation_validation import checks
from simulation_validation.checks import Check, Mask
from simulation_validation.events import BENCHMARKS, Columns, GeneratedBlock, libraries, over_cores, together, works

from hnl.datasets.simulation import detector, particles
from hnl.datasets.simulation.particles import HNL
from hnl.selections import leptons

PT, MAX_ETA, MAX_DELTA_2D = 7.0, {"e": 2.5, "mu": 2.4}, 50.0
"""GeV and cm: the generated nonprompt leptons of Fig. 2 (section 4)."""
MATCH = 0.1
"""Fig. 3: |Delta_3D - gen| / gen of a matched vertex."""

PT_EDGES = np.array([7.0, 10, 13, 16, 20, 25, 30, 40, 60])
D2D_EDGES = np.array([0, 0.1, 0.5, 1, 2, 3, 4.5, 7, 10, 15, 20, 30, 40, 50])
D3D_EDGES = np.array([0, 0.1, 0.3, 1, 2, 4, 7, 10, 15, 20, 30, 40, 60, 80])


def block(work: GeneratedBlock) -> Columns:
    """One row per generated nonprompt lepton of Fig. 2: whether it is selected, in a vertex, and in a matched one."""
    table = work.table()
    prt = table.particles
    l2 = prt[((abs(prt.pdg_id) == 11) | (abs(prt.pdg_id) == 13)) & (abs(particles.parents(prt, "pdg_id")) == HNL)]
    in_range = (np.hypot(l2.px, l2.py) > PT) & (abs(l2.pz) < np.sinh(2.5) * np.hypot(l2.px, l2.py))
    in_range = in_range & (np.hypot(l2.vx, l2.vy) < MAX_DELTA_2D + 1)
    measured = detector.simulate(table[ak.any(in_range, axis=1)], libraries(), work.seed)
    return together([_leptons(measured, "Electron", "e"), _leptons(measured, "Muon", "mu")])


def _leptons(measured: detector.Block, collection: str, flavour: str) -> Columns:
    gen = measured["GenPart"]
    mother = ak.fill_none(gen.pdgId[ak.mask(gen.genPartIdxMother, gen.genPartIdxMother >= 0)], 0)
    code = {"e": 11, "mu": 13}[flavour]
    index = ak.firsts(ak.local_index(gen)[(abs(gen.pdgId) == code) & (abs(mother) == HNL)])
    l2 = gen[ak.from_regular(ak.fill_none(index, 0)[:, None])][:, 0]
    flight = [ak.to_numpy(l2[f"v{axis}"] - measured[f"GenVtx_{axis}"]) for axis in "xyz"]
    d2d = np.hypot(flight[0], flight[1])
    d3d = np.hypot(d2d, flight[2])
    used = ~ak.to_numpy(ak.is_none(index)) & ak.to_numpy((l2.pt > PT) & (abs(l2.eta) < MAX_ETA[flavour]))
    used &= d2d < MAX_DELTA_2D
    select: Any = {"e": leptons.nonprompt_electrons, "mu": leptons.nonprompt_muons}[flavour]
    chosen = select(measured[collection])
    hit = ak.firsts(chosen[chosen.genPartIdx == ak.fill_none(index, -9)])
    sv_row = ak.to_numpy(ak.fill_none(hit.hnlsim_svRow, -1))
    dlen = ak.fill_none(ak.firsts(measured["SV"].dlen[ak.local_index(measured["SV"]) == sv_row]), -1.0)
    columns = {
        "electron": np.full(len(used), flavour == "e"),
        "pt": ak.to_numpy(l2.pt).astype(float),
        "d2d": d2d.astype(float),
        "d3d": d3d.astype(float),
        "selected": ~ak.to_numpy(ak.is_none(hit)),
        "in_sv": sv_row >= 0,
        "matched": (sv_row >= 0) & (np.abs(ak.to_numpy(dlen) - d3d) < MATCH * d3d),
    }
    return {name: values[used] for name, values in columns.items()}


def check(n_events: int, seed: int, workers: int, output: Path) -> list[Check]:
    """Figures fig2.png and fig3.png, and checks of the statements of the paper on them."""
    jobs = {name: works("hnl", n_events, seed, options) for name, options in BENCHMARKS.items()}
    flat = iter(over_cores(block, [work for blocks in jobs.values() for work in blocks], workers))
    columns_of = {name: together([next(flat) for _ in blocks]) for name, blocks in jobs.items()}
    _draw(columns_of, output)
    result = []
    for name, columns in columns_of.items():
        for flavour, chosen in (("e", columns["electron"]), ("mu", ~columns["electron"])):
            part = {key: values[chosen] for key, values in columns.items()}
            selected, in_sv = part["selected"], part["in_sv"]
            matched = part["matched"].sum() / max(1, in_sv.sum())
            measured = f"{_percent(selected)}, {_percent(part['matched'][selected])}, {100 * matched:.1f} %"
            result.append(
                Check(
                    f"{name} l2 = {flavour}: selected (Fig. 2), of these in a matched SV (Fig. 3), SVs matched",
                    measured,
                    "",
                )
            )
    return result + _words(together(columns_of.values()))


def _words(columns: Columns) -> list[Check]:
    """The statements of section 4 about Figs. 2 and 3, all three signals together."""
    e, mu = columns["electron"], ~columns["electron"]
    pt, d2d, selected = columns["pt"], columns["d2d"], columns["selected"]

    def compare(what: str, first: Mask, second: Mask, passed: Mask = selected) -> Check:
        a, b = passed[first], passed[second]
        error = np.hypot(_error(a), _error(b))
        return Check(what, f"{_percent(a)} > {_percent(b)}", "section 4", bool(a.mean() - b.mean() > -error))

    near, far = d2d < 2, (d2d > 20) & (d2d < 40)
    drop = [selected[lepton & far].mean() / selected[lepton & near].mean() for lepton in (e, mu)]
    quick = "of leptons at 20-40 cm over below 2 cm, e against mu: e falls quickly"
    close, slow, fast = e & (d2d > 0.3) & (d2d < 5), (pt > 13) & (pt < 30), pt > 30
    selected_muons, d3d = mu & selected, columns["d3d"]
    return [
        compare("selected: mu > e", mu, e),
        Check(quick, f"{drop[0]:.2f} < {drop[1]:.2f}", "section 4", bool(drop[0] < drop[1] / 2)),
        compare("selected e, Delta_2D 0.3-5 cm: pT 13-30 GeV > 7-10 GeV", close & slow, close & (pt < 10)),
        compare("selected e, Delta_2D 0.3-5 cm: pT 13-30 GeV > above 30 GeV", close & slow, close & fast),
        compare("selected mu: Delta_2D 0.5-2 cm > below 0.1 cm", mu & (d2d > 0.5) & near, mu & (d2d < 0.1)),
        compare(
            "matched SV of a selected mu: Delta_3D 1-10 cm > above 30 cm",
            selected_muons & (d3d > 1) & (d3d < 10),
            selected_muons & (d3d > 30),
            columns["matched"],
        ),
    ]


def _draw(found: dict[str, Columns], output: Path) -> None:
    figure, all_axes = plt.subplots(2, 2, figsize=(10, 7.5))
    figure3, sv_axes = plt.subplots(1, 2, figsize=(10, 4))
    for row, (name, electron) in enumerate((("electrons", True), ("muons", False))):
        for signal, columns in found.items():
            part = {key: values[columns["electron"] == electron] for key, values in columns.items()}
            checks.draw_ratio(all_axes[row, 0], part["selected"], part["pt"], PT_EDGES, signal)
            checks.draw_ratio(all_axes[row, 1], part["selected"], part["d2d"], D2D_EDGES, signal)
            selected = part["selected"]
            checks.draw_ratio(sv_axes[row], part["matched"][selected], part["d3d"][selected], D3D_EDGES, signal)
        checks.finish(all_axes[row, 0], "generated pT (GeV)", "selection efficiency", f"nonprompt {name}")
        checks.finish(all_axes[row, 1], "generated Delta_2D (cm)", "selection efficiency", f"nonprompt {name}")
        checks.finish(sv_axes[row], "generated Delta_3D (cm)", "share of selected l2 in a matched SV", name)
    for axes in (*all_axes.flat, *sv_axes):
        axes.set_ylim(0, 1.05)
    checks.save(figure, output / "fig2.png")
    checks.save(figure3, output / "fig3.png")


def _error(passed: Mask) -> float:
    p = passed.mean()
    return float(np.sqrt(p * (1 - p) / len(passed) + 0.25 / len(passed) ** 2))


def _percent(passed: Mask) -> str:
    return f"{100 * passed.mean():.1f} +- {100 * _error(passed):.1f} %" if len(passed) else "-"
