"""Makes the samples of a demo: `python datasets/demo/make.py FOLDER [NAME ...]`.

NAME is that of a sample, 'pseudodata', 'catalogue', or 'plan'; without any all are made. Files that are in FOLDER are
kept, so that an interrupted run goes on with the next one. FOLDER must not be this one: the samples here were made by
an earlier version, which divided processes into other streams, and the two kinds cannot be mixed.

Sums of weights in the files are those of all generated events; the events in them are preselected (`hnl simulate
--preselect`). 'plan' lists the signal samples of :func:`planned`, which cover the plane of m_N and |V|^2 and are not
part of the set yet; their names can be given as well: all of them are 3.3 million generated events, of 4 to 7 CPU ms
each, so five hours.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hnl import terminal
from hnl.datasets.simulation import processes, pseudodata, sample
from hnl.datasets.simulation.parameters import DETECTOR
from hnl.datasets.simulation.sample import Request
from hnl.datasets.simulation.signal import SignalOptions

DEMO = Path(__file__).parent
SEED = 2026
LUMINOSITY = 4.0  # /fb: that of the background samples with weights of at most one
ERA: dict[str, Any] = {
    "year": 2018,
    "luminosity": LUMINOSITY,
    "triggers": {"electron": ["HLT_Ele32_WPTight_Gsf"], "muon": ["HLT_IsoMu24"]},
    "corrections": {
        "jets": {
            "file": "corrections/demo_jets.json",
            "uncertainties": {"jes": "Demo_V1_MC_Total_AK4PFchs"},
            "smearing": {
                "resolution": "Demo_JRV1_MC_PtResolution_AK4PFchs",
                "scale_factor": "Demo_JRV1_MC_ScaleFactor_AK4PFchs",
            },
        },
    },
}

WEIGHTS = "corrections/demo_weights.json"


def _electron(kind: str, columns: dict[str, str]) -> dict[str, Any]:
    """Scale factors of electrons, with the inputs of the EGM group's files."""
    return {
        "file": WEIGHTS,
        "correction": f"Demo_Electron_{kind}SF",
        "columns": dict(columns),
        "constants": {"year": "2018", "WorkingPoint": "Demo"},
        "uncertainty": {"input": "ValType", "nominal": "sf", "up": "sfup", "down": "sfdown"},
    }


def _muon(kind: str, lepton: str) -> dict[str, Any]:
    """Scale factors of muons, with the inputs of the MUO group's files."""
    return {
        "file": WEIGHTS,
        "correction": f"Demo_Muon_{kind}SF",
        "columns": {"abseta": f"abs({lepton}_eta)", "pt": f"{lepton}_pt"},
        "uncertainty": {"input": "scale_factors", "nominal": "nominal", "up": "systup", "down": "systdown"},
    }


L1 = {"eta": "l1_eta", "pt": "l1_pt"}
ERA["corrections"] |= {
    "pileup": {
        "file": WEIGHTS,
        "correction": "Demo_PileupProfile",
        "columns": {"NumTrueInteractions": "n_true_interactions"},
        "uncertainty": {"input": "weights", "nominal": "nominal", "up": "up", "down": "down"},
    },
    "trigger": {"electron": [_electron("Trigger", L1)], "muon": [_muon("Trigger", "l1")]},
    "prompt": {"electron": [_electron("Prompt", L1)], "muon": [_muon("Prompt", "l1")]},
    "nonprompt": {
        "electron": [_electron("Nonprompt", {"absdxy": "abs(l2_dxy)", "pt": "l2_pt"})],
        "muon": [_muon("Nonprompt", "l2")],
    },
    "tracking": {
        "file": WEIGHTS,
        "correction": "Demo_TrackingSF",
        "columns": {"pt": "sv_pt", "displacement": "delta_2d"},
        "uncertainty": {"input": "variation", "nominal": "nominal", "up": "up", "down": "down"},
    },
}

# Process: generated events, hadronisations of each that passes at parton level, measurements of each hadronisation. The
# numbers of events make the largest weight about one at the luminosity above: cross section x luminosity x (largest
# probability of the outcome) / (product of the three). 16 measurements where the displaced lepton comes from a
# conversion or a light hadron: copies are then hardly alike.
BACKGROUNDS = {
    "ttbar": (140_000, 8, 3),
    "st_tchannel": (44_000, 10, 2),
    "st_tw": (12_000, 8, 3),
    "wjets_heavy": (680_000, 20, 4),
    "wjets_light": (850_000, 4, 16),
    "wjets_tau": (250_000, 40, 2),
    "wgamma": (2_600_000, 4, 16),
    "zjets_heavy": (205_000, 20, 4),
    "zjets_light": (255_000, 4, 16),
    "zpair": (42_000, 1, 8),
    "zgamma": (255_000, 4, 16),
    "zjets_tau": (210_000, 10, 4),
}

# The same for the samples from which pseudo-data is drawn. They differ from the above: else the classifiers would be
# trained on the data. There are so many events that hardly any parton-level event is expected more than once.
FOR_PSEUDODATA = {
    "ttbar": (560_000, 8, 3),
    "st_tchannel": (150_000, 10, 2),
    "st_tw": (50_000, 8, 3),
    "wjets_heavy": (3_500_000, 20, 4),
    "wjets_light": (850_000, 4, 16),
    "wjets_tau": (600_000, 40, 2),
    "wgamma": (2_600_000, 4, 16),
    "zjets_heavy": (600_000, 20, 4),
    "zjets_light": (255_000, 4, 16),
    "zpair": (84_000, 1, 4),
    "zgamma": (255_000, 4, 16),
    "zjets_tau": (300_000, 10, 4),
}

# Mean proper decay lengths in mm, by coupling and mass in GeV. Of |V|^2 = 9.9e-5, 1.6e-6, 1e-6, 5.7e-7, 5e-7, 3e-7 to
# within 2 %: 3, 5 and 10 GeV are the benchmarks of Fig. 2, the others are our choice, for c tau of 1 to 15 mm.
CTAU = {
    "mu": {3: 22.3003, 5: 89.9151, 8: 12.2924, 10: 6.84277, 12: 3.06716, 15: 1.63646},
    "e": {3: 22.1494, 5: 89.6893, 8: 12.2807, 10: 6.83866, 12: 3.0659, 15: 1.63603},
    "mixed": {5: 89.8021, 10: 6.84071},
}
# coupling and mass: generated events
SIGNALS = {
    "mu": {3: 11_000, 5: 16_000, 8: 5_000, 10: 6_000, 12: 8_000, 15: 13_000},
    "e": {3: 56_000, 5: 105_000, 8: 17_000, 10: 14_000, 12: 16_500, 15: 25_500},
    "mixed": {5: 30_000, 10: 9_000},
}


def requests() -> dict[str, Request]:
    """Requests for all samples of the set, by name."""
    result = {}
    for i, (coupling, masses) in enumerate(SIGNALS.items()):
        for mass, n in masses.items():
            options = SignalOptions(mass, coupling, ctau=CTAU[coupling][mass])
            result[f"hnl{mass}_{coupling}"] = Request("hnl", n, SEED + 100 * i + mass, options, 1, True)
    return result | {process: _background(process, SEED, *numbers) for process, numbers in BACKGROUNDS.items()}


def _background(process: str, seed: int, n_events: int, copies: int, reseeds: int) -> Request:
    return Request(process, n_events, seed, None, reseeds, True, copies)


# The plan: signal samples from which lifetime reweighting reaches every |V|^2 that the paper excludes (Fig. 13).
# GeV and |V|^2 of each flavour that couples: where it excludes the least, Majorana (Table 5). Mixed couplings: Table 5
# has |V_e V_mu|^2 / (|V_e|^2 + |V_mu|^2), half of that.
LOWEST = {
    "mu": (14, 2.9e-7),
    "e": (10, 9.1e-7),
    "mixed": (12, 2 * 1.3e-7),
    "1:1:1": (12, 3 * 1.3e-7),
    "tau": (12, 1e-5),
}
SHORTEST = 0.06  # mm: c tau at the highest |V|^2 that is excluded (legible rows of Table 5: 0.06 to 0.07 mm)
FACTORS = (0.3, 3, 30)  # c tau over the middle of the range
PLANNED = {
    **dict.fromkeys(("mu", "e", "mixed"), (1.5, 2, 2.5, 3, 4, 5, 6.5, 8, 10, 12, 15, 20)),
    **dict.fromkeys(("1:1:1", "tau"), (5, 10)),
}
CANDIDATES, MOST = 300, 120_000  # wanted with N(jets) = 1 in a sample; generated events at most
# Candidates with N(jets) = 1 per decay that `seen` counts, by mass in GeV: as the set above has them; at 1.5 and 20 GeV
# half of the share of preselected events in short runs (mu) or a guess (e); with taus a guess.
SEEN_AND_SELECTED = {
    "mu": ((1.5, 3, 5, 8, 10, 12, 15, 20), (0.070, 0.079, 0.096, 0.093, 0.069, 0.050, 0.033, 0.020)),
    "e": ((1.5, 3, 5, 8, 10, 12, 15, 20), (0.010, 0.014, 0.017, 0.028, 0.028, 0.023, 0.015, 0.010)),
    "tau": ((5, 10), (0.002, 0.002)),
}


def ctau_range(mass: float, coupling: str) -> tuple[float, float]:
    """c tau in mm at the highest and the lowest |V|^2 that Fig. 13 excludes, our estimate.

    The lowest is that of Table 5. At smaller masses it grows as m^-3: there N lives for long, the rate of decays in the
    detector is proportional to |V|^4 m^6, and the acceptance is about the same.
    """
    at, v2 = LOWEST[coupling]
    lowest = SignalOptions(mass, coupling, v2=v2 * max(1.0, (at / mass) ** 3))
    return SHORTEST, lowest.ctau_mm


def seen(mass: float, ctau: float) -> float:
    """Share of decays of N whose tracks can be found and are displaced, our estimate, for N of 40 GeV.

    l2 leaves N at an angle of about m / p, so that its d_xy, above 0.02 cm (Table 1), is about the proper decay length.
    Two tracks must be found.
    """
    t = np.geomspace(1e-3, 20, 400) * ctau + 0.2
    radius = 0.7 * t * 40 / mass / 10  # cm
    found = np.interp(radius, *DETECTOR.tracker.efficiency) ** 2
    return float(np.trapezoid(found * np.exp(-t / ctau) / ctau, t))


def selected(mass: float, coupling: str, ctau: float) -> float:
    """Share of events that are candidates with N(jets) = 1, our estimate."""
    parts = {"mixed": ("e", "mu"), "1:1:1": ("e", "mu", "tau")}.get(coupling, (coupling,))
    return seen(mass, ctau) * float(np.mean([np.interp(mass, *SEEN_AND_SELECTED[part]) for part in parts]))


def planned() -> dict[str, Request]:
    """The plan: three lifetimes per mass and coupling, without those below 0.1 mm, which hardly have candidates."""
    result: dict[str, Request] = {}
    for coupling, masses in PLANNED.items():
        for mass in masses:
            short, long = ctau_range(mass, coupling)
            for factor in FACTORS:
                ctau = float(f"{factor * np.sqrt(short * long):.3g}")
                if ctau >= 0.1:
                    n = min(MOST, 500 * int(np.ceil(CANDIDATES / selected(mass, coupling, ctau) / 500)))
                    options = SignalOptions(mass, coupling, ctau=ctau)
                    name = f"hnl{mass:g}_{coupling.replace(':', '-')}_{ctau:g}mm"
                    result[name] = Request("hnl", n, SEED + 1000 + len(result), options, 1, True)
    return result


def catalogue() -> str:
    """The catalogue of the set."""
    datasets = []
    for name, request in requests().items():
        (entry,) = yaml.safe_load(sample.catalogue_entry(request, Path(f"{name}.root")))
        if request.options is not None:
            entry["cross_section_order"] = "NNLO"  # physics.production: a further K-factor is refused
            entry["process"] = f"HNL{request.options.mass:g} {request.options.coupling}"
        else:  # the two parts of a process are drawn together
            entry["process"] = request.process.removesuffix("_heavy").removesuffix("_light")
        datasets.append(entry | {"era": "Demo"})
    data = {"name": "pseudodata", "era": "Demo", "kind": "data", "process": "pseudo-data"}
    datasets.append(data | {"files": ["pseudodata.root"], "primary_dataset": "SingleLepton"})
    return "# Made by make.py. Simulated samples, see docs/simulation.md.\n" + yaml.safe_dump(
        {"eras": {"Demo": ERA}, "datasets": datasets}, sort_keys=False, default_flow_style=None, width=160
    )


def for_pseudodata(folder: Path) -> dict[Path, Request]:
    """Requests for the samples from which pseudo-data is drawn, by file: they stay in a hidden folder."""
    return {
        folder / ".pseudodata" / f"{process}.root": _background(process, SEED + 1, *numbers)
        for process, numbers in FOR_PSEUDODATA.items()
    }


def main(folder: Path, names: list[str]) -> None:
    """Makes the files of these names, or all that do not exist."""
    if folder.resolve() == DEMO.resolve():
        sys.exit(f"error: {folder} has the samples of an earlier version; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    if "plan" in names:
        for name, request in planned().items():
            print(name, request.n_events)
    wanted = {name: request for name, request in planned().items() if name in names}
    chosen = {name: request for name, request in requests().items() if not names or name in names} | wanted
    todo = {folder / f"{name}.root": request for name, request in chosen.items()}
    data = folder / "pseudodata.root"
    with_data = (not names or "pseudodata" in names) and not data.exists()
    if with_data:
        todo |= for_pseudodata(folder)
    todo = {path: request for path, request in todo.items() if not path.exists()}
    with terminal.progress_bar("generated events") as progress:
        whole = progress.add_task("all", total=sum(request.n_events for request in todo.values()))

        def generated(number: int) -> None:
            progress.update(whole, advance=number)

        for path, request in todo.items():
            path.parent.mkdir(exist_ok=True)
            progress.update(whole, description=path.stem)
            written = sample.make(request, path, on_block=generated)
            terminal.note(f"{path.relative_to(folder)}: {written} events, {path.stat().st_size / 1e6:.1f} MB")
    if with_data:
        samples = [
            (path, processes.cross_section_pb(request.process)) for path, request in for_pseudodata(folder).items()
        ]
        written = pseudodata.draw(samples, LUMINOSITY, data, SEED)
        terminal.note(f"{data.name}: {written} events, {data.stat().st_size / 1e6:.1f} MB")
    if not names or "catalogue" in names:
        shutil.copytree(DEMO / "corrections", folder / "corrections", dirs_exist_ok=True)
        (folder / "demo.yaml").write_text(catalogue())


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
