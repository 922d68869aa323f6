"""Enriched generation of background against the plain way: yields, shapes, and candidates per CPU hour.

    python benchmarks/enriched_generation.py OUT [--scale 1.0] [--plain CATALOGUE] [--only GROUP ...]

Makes samples in OUT, in one process, and selects them; those that are there are used again. Plain samples of larger
size can be taken from a catalogue: their CPU time is then that of the small ones made here, per generated event.

Errors come from groups: all candidates of one parton-level event count as one. 'Effective' is (sum w)^2 / sum (sum of
w in a group)^2. Shapes are compared in five bins of equal content, by a chi2 with the covariance of the groups.
"""

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table
from scipy.stats import chi2

from hnl.datasets.simulation import processes, sample
from hnl.datasets.simulation.outcomes import NATURAL
from hnl.datasets.simulation.sample import Request
from hnl.executors import ExecutionOptions
from hnl.processors.selection import Selection
from hnl.stages import select

SEED = 71
TRIGGERS = {"muon": ["HLT_IsoMu24"], "electron": ["HLT_Ele32_WPTight_Gsf"]}
ERA = {"year": 2018, "luminosity": 1.0, "triggers": TRIGGERS}
VARIABLES = ("m_l1_sv", "m_sv", "delta_2d", "n_jets", "l2_pt")
BINS = 5
LEAST = 10.0
"""Effective candidates that a sample must have for a comparison of shapes."""

# Process: generated events, copies (of the enriched way), reseeds.
ENRICHED = {
    "ttbar": (6_000, 8, 3),
    "wgamma": (36_000, 4, 16),
    "zgamma": (16_000, 4, 16),
    "zpair": (8_000, 1, 8),
    "wjets_heavy": (60_000, 20, 4),
    "zjets_heavy": (16_000, 20, 4),
    "st_tchannel": (4_000, 10, 2),
    "zjets_tau": (16_000, 10, 4),
    "wjets_tau": (12_000, 40, 2),
    "zjets_light": (12_000, 10, 8),
    "wjets_light": (32_000, 10, 8),
}
PLAIN = {
    "ttbar": (1000, 1),
    "st_tchannel": (1000, 4),
    "wjets": (4000, 4),
    "wgamma": (4000, 16),
    "zjets": (2000, 8),
    "zpair": (2000, 2),
    "zgamma": (2000, 16),
}
GROUPS = {
    "ttbar": (("ttbar",), ("ttbar",)),
    "W with photon": (("wgamma",), ("wgamma",)),
    "Z with photon, Z pair": (("zgamma", "zpair"), ("zgamma", "zpair")),
    "W + jets": (("wjets",), ("wjets_heavy", "wjets_light")),
    "Z + jets": (("zjets",), ("zjets_heavy", "zjets_light")),
    "single top, t channel": (("st_tchannel",), ("st_tchannel",)),
    "W -> tau nu, with b or c": ((), ("wjets_tau",)),
    "Z -> tau tau": ((), ("zjets_tau",)),
}


@dataclass(frozen=True)
class Made:
    """Candidates of some samples.

    Attributes:
        cpu: seconds that the samples took.
        weight: for 1 /fb, of each candidate.
        group: number of its parton-level event.
        values: by variable.
    """

    cpu: float
    weight: np.ndarray
    group: np.ndarray
    values: dict[str, np.ndarray]

    def sums(self, weight: np.ndarray) -> np.ndarray:
        """Sum of some weights in each group."""
        return np.bincount(self.group, weight)

    @property
    def yields(self) -> tuple[float, float, float]:
        """Yield per /fb, its error, and the effective number of candidates."""
        groups = self.sums(self.weight)
        error = float(np.sqrt(np.sum(groups**2)))
        return float(groups.sum()), error, float((groups.sum() / error) ** 2) if error else 0.0

    def fractions(self, variable: str, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Share of each bin, and the covariance of the shares."""
        bins = np.searchsorted(edges, self.values[variable], side="right")
        in_bin = np.stack([self.sums(self.weight * (bins == i)) for i in range(len(edges) + 1)])
        share = in_bin.sum(axis=1) / in_bin.sum()
        away = (in_bin - share[:, None] * in_bin.sum(axis=0)) / in_bin.sum()
        return share, away @ away.T


def plain(name: str) -> str:
    """The plain way of a process, under a name of its own: nothing chosen at parton level, nothing imposed."""
    recipe = processes.get(name)
    streams = ("prompt_pair",) if name == "zpair" else recipe.streams
    recipe = replace(recipe, name=f"plain_{name}", streams=streams, partons=None, outcome=NATURAL)
    processes.PROCESSES[recipe.name] = recipe
    return recipe.name


def make(request: Request, out: Path) -> float:
    """CPU seconds that the sample took; it is made if it is not there."""
    path, record = out / f"{request.process}.root", out / f"{request.process}.json"
    if not path.exists():
        start = process_time()
        sample.make(request, path, workers=1)
        record.write_text(json.dumps({"seconds": process_time() - start, "events": request.n_events}))
    return float(json.loads(record.read_text())["seconds"])


def candidates(selected: Selection, names: tuple[str, ...], cpu: float) -> Made:
    """The candidates of some datasets, with weights for 1 /fb."""
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ("weight", "group", *VARIABLES)}
    groups = 0
    for name in names:
        rows = selected.candidates(name)
        dataset = selected.catalogue.dataset(name)
        columns["weight"].append(
            rows["gen_weight"] * selected.scale(dataset) / selected.catalogue.era(dataset).luminosity
        )
        group = np.unique(rows["generator_event"], return_inverse=True)[1]
        columns["group"].append(group + groups)
        groups += len(np.unique(group))
        for variable in VARIABLES:
            columns[variable].append(rows[variable])
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    return Made(cpu, *(joined.pop(name) for name in ("weight", "group")), joined)


def probability(one: Made, other: Made, variable: str) -> str:
    """The p-value of equal shapes, or a dash where a sample is too small."""
    if min(one.yields[2], other.yields[2]) < LEAST:
        return "-"
    both = np.concatenate([one.values[variable], other.values[variable]])
    edges = np.unique(np.quantile(both, np.arange(1, BINS) / BINS)) if variable != "n_jets" else np.array([1.5, 2.5])
    (share, covariance), (expected, covariance_2) = (made.fractions(variable, edges) for made in (one, other))
    away = (share - expected)[:-1]
    inverse = np.linalg.pinv((covariance + covariance_2)[:-1, :-1])
    return f"{chi2.sf(away @ inverse @ away, len(away)):.2f}"


def compare(out: Path, scale: float, reference: Path | None, only: list[str], console: Console) -> None:
    """Makes and selects the samples of each group and prints the tables."""
    sample.prepare_libraries()
    sample.one_block(Request("zgamma", 50, SEED, None, 2, True), 0)  # compiles
    yields = Table("", "/fb plain", "enriched", "pull", "effective/h plain", "enriched", "h for weight <= 1 at 1 /fb")
    shapes = Table("p-value of equal shapes", *VARIABLES)
    for title, (plain_names, names) in GROUPS.items():
        if only and title not in only:
            continue
        requests = [
            Request(name, round(scale * ENRICHED[name][0]), SEED, None, ENRICHED[name][2], True, ENRICHED[name][1])
            for name in names
        ]
        small = [Request(plain(name), PLAIN[name][0], SEED, None, PLAIN[name][1], True) for name in plain_names]
        cpu = {request.process: make(request, out) for request in (*requests, *small)}
        selected = selection([*requests, *small], out, title)
        enriched = candidates(selected, names, sum(cpu[name] for name in names))
        value, error, effective = enriched.yields
        worst = sum(cpu[name] / 3600 * np.max(candidates(selected, (name,), 0).weight, initial=0) for name in names)
        row = ["-", f"{value:.0f} +- {error:.0f}", "-", "-", f"{3600 * effective / enriched.cpu:.0f}", f"{worst:.3f}"]
        if plain_names:
            seconds = sum(cpu[request.process] for request in small)
            before = candidates(selected, tuple(request.process for request in small), seconds)
            if reference:
                known = select.run(reference, out / "reference", execution=ExecutionOptions("iterative"))
                seconds = sum(
                    cpu[one.process] * known.sum_w[name] / one.n_events  # weights are one
                    for one, name in zip(small, plain_names, strict=True)
                )
                before = candidates(known, plain_names, seconds)
            old, old_error, old_effective = before.yields
            row[0] = f"{old:.0f} +- {old_error:.0f}"
            row[2] = f"{(value - old) / np.hypot(error, old_error):.1f}"
            row[3] = f"{3600 * old_effective / before.cpu:.0f}"
            shapes.add_row(title, *(probability(before, enriched, variable) for variable in VARIABLES))
        yields.add_row(title, *row)
        console.print(yields, shapes)
        for name in names:
            part = candidates(selected, (name,), cpu[name])
            console.print(name, *(f"{number:.4g}" for number in part.yields), f"{cpu[name]:.0f} s")


def selection(requests: list[Request], out: Path, title: str) -> Selection:
    """The samples after the selection."""
    datasets: list[dict[str, Any]] = []
    for request in requests:
        (entry,) = yaml.safe_load(sample.catalogue_entry(request, out / f"{request.process}.root"))
        datasets.append(entry | {"era": "E"})
    folder = out / title.replace(" ", "_").replace(">", "")
    folder.mkdir(exist_ok=True)
    listing = out / f"{folder.name}.yaml"
    listing.write_text(yaml.safe_dump({"eras": {"E": ERA}, "datasets": datasets}))
    return select.run(listing, folder, execution=ExecutionOptions("iterative"))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Enriched generation of background against the plain way.")
    parser.add_argument("output", type=Path, help="folder of the samples")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the numbers of generated events")
    parser.add_argument("--plain", type=Path, help="catalogue with larger plain samples, by the names of the processes")
    parser.add_argument("--only", nargs="*", default=[], help=f"of {', '.join(GROUPS)}")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    compare(arguments.output, arguments.scale, arguments.plain, arguments.only, Console(width=150))


if __name__ == "__main__":
    main()
