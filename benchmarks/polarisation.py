"""What the polarisation of N changes: spectra of l2 and acceptance, for decays that conserve and violate lepton number.

    python benchmarks/polarisation.py OUT [-n 20000] [--measured 4000]

Writes OUT/polarisation.png: pT of l2, and its angle to the flight of N in the rest frame of N, for |V_mu|^2 at 3 and
10 GeV. The same events of Pythia, without polarisation, are weighted with their probability to be kept. Prints the
shares with pT(l1) > 25 GeV, pT(l2) > 7 GeV and |eta| < 2.4 (a simple form of Table 1), and those of kept events that
pass the preselection after the detector.
"""

import argparse
from pathlib import Path

import awkward as ak
import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation import detector, generator, particles, polarisation, pythia, sample, signal
from hnl.datasets.simulation.polarisation import Momenta
from hnl.datasets.simulation.processes import PROCESSES
from hnl.datasets.simulation.sample import Request
from hnl.datasets.simulation.signal import SignalOptions

MASSES = {3.0: 20.0, 10.0: 3.0}  # c tau in mm: near the middle of what the paper excludes
KINDS = {"unpolarised": "grey", "LNC": "tab:blue", "LNV": "tab:red"}


def generated(options: SignalOptions, n: int) -> dict[str, NDArray[np.float64]]:
    """pT (GeV) and angle of l2, acceptance, and weights by kind of decay, of Pythia's unpolarised events."""
    settings = [*PROCESSES["hnl"].settings, "PartonLevel:MPI = off", *signal.settings(options)]
    batches = [pythia.start(settings, 1 + i).nextBatch(2000) for i in range(n // 2000)]
    parts = []
    for batch in batches:
        found = polarisation.decays(batch)
        prt = batch.prt[found.happened]
        found = polarisation.Decays(*(column[found.happened] for column in found))
        l1 = prt.p[(abs(prt.id) == 13) & (prt.status > 0)]
        l1 = l1[ak.argmax(l1.px**2 + l1.py**2, axis=1, keepdims=True)][:, 0]
        l1 = np.stack([ak.to_numpy(l1[c]) for c in ("px", "py", "pz", "e")], axis=1)
        weight = 2 * polarisation.probability(found)
        columns = {
            "pt": np.hypot(found.l2[:, 0], found.l2[:, 1]),
            "cos": _cosine(found.n, found.l2),
            "accepted": _inside(l1, 25) & _inside(found.l2, 7),
            "unpolarised": weight + 2 * polarisation.probability(found._replace(violates=~found.violates)),
            "LNC": weight * ~found.violates,
            "LNV": weight * found.violates,
        }
        parts.append(columns)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _inside(p: Momenta, pt: float) -> NDArray[np.bool_]:
    own = np.hypot(p[:, 0], p[:, 1])
    return np.asarray((own > pt) & (np.abs(np.arcsinh(p[:, 2] / own)) < 2.4))


def _cosine(n: Momenta, l2: Momenta) -> NDArray[np.float64]:
    """Of l2 to the flight of N, in the rest frame of N."""
    at_rest = np.sqrt(polarisation.dot(n, n))[:, None] * np.array([0, 0, 0, 1.0])
    moved = polarisation.boosted(l2, n, at_rest)[:, :3]
    flight = n[:, :3] / np.linalg.norm(n[:, :3], axis=1, keepdims=True)
    return np.asarray(np.sum(moved * flight, axis=1) / np.linalg.norm(moved, axis=1))


def measured(options: SignalOptions, n: int) -> dict[str, tuple[float, float]]:
    """Share of decays in the detector that pass the preselection, and its error, by kind."""
    request, passed, charges = Request("hnl", n, 7, options, 1, True), [], []
    for block in range(generator.n_blocks(n)):
        for batch in generator.generate_block("hnl", n, 7, block, options):
            prt = batch.table.particles
            mother = abs(particles.parents(prt, "pdg_id"))
            muons = [ak.firsts(prt[(abs(prt.pdg_id) == 13) & (mother == m)].pdg_id) for m in (24, particles.HNL)]
            charges.append(ak.to_numpy(ak.fill_none(np.sign(muons[0] * muons[1]), 0)))
            found = detector.simulate(batch.table, sample._libraries(), request.detector_seed, 1, False)
            passed.append(sample.preselected(found))
    good, product = np.concatenate(passed), np.concatenate(charges)
    result = {}
    for kind, sign in (("LNC", -1), ("LNV", 1)):
        share = float(np.mean(good[product == sign]))
        result[kind] = (share, float(np.sqrt(share * (1 - share) / np.sum(product == sign))))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("-n", type=int, default=20_000)
    parser.add_argument("--measured", type=int, default=4000)
    arguments = parser.parse_args()
    figure, axes = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
    for row, (mass, ctau) in zip(axes, MASSES.items(), strict=True):
        options = SignalOptions(mass, "mu", ctau=ctau)
        events = generated(options, arguments.n)
        for kind, colour in KINDS.items():
            weight = events[kind]
            common = {"weights": weight / weight.sum(), "histtype": "step", "color": colour, "label": kind}
            row[0].hist(events["pt"], np.linspace(0, 50, 26), **common)
            row[1].hist(events["cos"], np.linspace(-1, 1, 21), **common)
            accepted = np.average(events["accepted"], weights=weight)
            mean = np.average(events["pt"], weights=weight)
            print(f"{mass:g} GeV {kind}: mean pT(l2) {mean:.2f} GeV, accepted {100 * accepted:.1f} %", flush=True)
        row[0].set(xlabel=r"$p_T(\ell_2)$ (GeV)", ylabel="share of events", title=f"$m_N$ = {mass:g} GeV")
        row[1].set(
            xlabel=r"cos of $\ell_2$ to the flight of N, in its rest frame",
            ylim=(0, None),
            xticks=[-1, -0.5, 0, 0.5, 1],
        )
        row[0].legend()
        for kind, (share, error) in measured(options, arguments.measured).items():
            print(f"{mass:g} GeV {kind}: preselected {100 * share:.2f} +- {100 * error:.2f} %", flush=True)
    figure.savefig(arguments.output / "polarisation.png", dpi=120)


if __name__ == "__main__":
    main()
