"""Rate at which l2 gets the vertex that holds its track, on new samples: by `selections.vertices` and by other rules.

    python benchmarks/vertex_association.py [-o FOLDER] [--workers N]

Prints, for the leading nonprompt lepton of each event (Table 1), in per cent with binomial errors: efficiency, the
share of leptons with a displaced vertex in the table that get it; purity, the share of vertices given that hold the
lepton's track; and the share of leptons in no such vertex that get one. Samples that exist in FOLDER are not made
again.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from coffea.nanoevents import NanoEventsFactory

from hnl.datasets import nanoaod
from hnl.datasets.files import Schema
from hnl.datasets.simulation import sample
from hnl.datasets.simulation.sample import Request
from hnl.datasets.simulation.signal import SignalOptions
from hnl.physics.angles import delta_phi
from hnl.selections import leptons, vertices

# The benchmarks of the paper's Fig. 2 (GeV, mm) for both couplings, and the background with the closest vertices. Each
# sample has its own seed: signal samples of one seed have the same pileup.
SIGNALS = {
    ("mu", 3, 23.0): (8000, 905),
    ("mu", 5, 92.0): (12_000, 907),
    ("mu", 10, 7.0): (5000, 901),
    ("e", 3, 23.0): (8000, 903),
    ("e", 5, 92.0): (12_000, 908),
    ("e", 10, 7.0): (5000, 906),
}
SAMPLES = {
    f"hnl{mass}_{coupling}": Request("hnl", n, seed, SignalOptions(mass, coupling, ctau=ctau), 1, True)
    for (coupling, mass, ctau), (n, seed) in SIGNALS.items()
} | {
    "ttbar": Request("ttbar", 6000, 902, None, 1, True),
    "ttbar, all events": Request("ttbar", 3000, 913, None, 1, False),  # also leptons in no vertex
}


def naive(table: Any, primary: Any, l2: Any) -> Any:
    """svIdx taken as the row of the table."""
    return ak.firsts(table[table.row == l2.sv_index])


def direction(table: Any, primary: Any, l2: Any) -> Any:
    """Without tracks, as hnl did for v9 before: the hardest displaced vertex within 0.4 of momentum and flight."""
    x, y, z = (table[f"position_{c}"] - primary[c] for c in "xyz")
    turned = delta_phi(np.arctan2(y, x), l2.phi)
    flight = np.hypot(np.arcsinh(z / np.hypot(x, y)) - l2.eta, turned)
    near = table[(table.deltaR(l2) < 0.4) & (flight < 0.4) & vertices.displaced(table)]
    return ak.firsts(near[ak.argmax(near.pt, axis=1, keepdims=True)])


RULES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "svIdx and track": lambda table, primary, l2: vertices.of_track(table, primary, l2, l2.sv_index),
    "track alone": vertices.of_track,
    "svIdx as row": naive,
    "direction": direction,
}


def measure(path: Path) -> dict[str, str]:
    """Efficiency and purity of each rule."""
    events = NanoEventsFactory.from_root({str(path): "Events"}, schemaclass=Schema, mode="eager").events()
    electrons = ak.with_field(nanoaod.electrons(events), events.Electron.hnlsim_svRow, "true_row")
    muons = ak.with_field(nanoaod.muons(events), events.Muon.hnlsim_svRow, "true_row")
    by_flavour = leptons.nonprompt_electrons(electrons), leptons.nonprompt_muons(muons)
    selected = ak.concatenate([flavour[[*leptons.COMMON, "true_row"]] for flavour in by_flavour], axis=1)
    good = ak.to_numpy(ak.num(selected) > 0)
    l2 = selected[ak.argmax(selected.pt, axis=1, keepdims=True)][good]
    l2 = ak.with_name(ak.drop_none(ak.firsts(l2)), "PtEtaPhiMLorentzVector")
    table, primary = nanoaod.vertices(events[good]), events[good].PV
    table = ak.with_field(table, ak.local_index(table.pt, axis=1), "row")
    displaced_row = ak.firsts(table.row[(table.row == l2.true_row) & vertices.displaced(table)])
    true = ak.to_numpy(ak.fill_none(displaced_row, -1))
    beyond = ak.to_numpy(l2.sv_index >= ak.num(table))
    cells = {"leptons": str(len(true)), "in a vertex": str(int((true >= 0).sum())), "beyond": str(int(beyond.sum()))}
    for name, rule in RULES.items():
        vertex = rule(table, primary, l2)
        row = ak.where(ak.fill_none(vertices.displaced(vertex), False), ak.fill_none(vertex.row, -1), -1)
        given_row = ak.to_numpy(row)
        right = (given_row == true) & (true >= 0)
        cells[name] = "; ".join(
            share(part) for part in (right[true >= 0], right[given_row >= 0], given_row[true < 0] >= 0)
        )
    return cells


def share(passed: np.ndarray) -> str:
    """Per cent with the binomial error (with no failure or success, that of one); small numbers as counts."""
    n = len(passed)
    if n < 5:
        return f"{passed.sum()} of {n}"
    p = passed.mean()
    q = np.clip(p, 1 / n, 1 - 1 / n)
    return f"{100 * p:.1f} +- {100 * np.sqrt(q * (1 - q) / n):.1f}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Efficiency and purity of the vertex of l2.")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/vertex_association"))
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    head = ("leptons", "in a vertex", "beyond", *RULES)
    print(f"| sample | {' | '.join(head)} |\n|{'---|' * (len(head) + 1)}")
    for name, request in SAMPLES.items():
        path = arguments.output / f"{name}.root"
        if not path.exists():
            sample.make(request, path, workers=arguments.workers)
        print(f"| {name} | {' | '.join(measure(path)[column] for column in head)} |", flush=True)


if __name__ == "__main__":
    main()
