"""Makes the demo samples: `python datasets/demo/make.py [NAME ...]`, with names of samples, or 'catalogue'.

Existing files are kept. The whole set takes about an hour on one core. Sums of weights in the files are those of all
generated events; the events in them are preselected (`hnl simulate --preselect`). It has no QCD: the few
events that could be made would have weights in the hundreds.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

from hnl.datasets.simulation import processes, pseudodata, sample
from hnl.datasets.simulation.sample import Request
from hnl.datasets.simulation.signal import SignalOptions

FOLDER = Path(__file__).parent
SEED = 2026
LUMINOSITY = 0.07  # /fb: about that of the background samples, so that pseudo-data is a draw with weights about one
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

# process: generated events, detector reseeds. 16 where the displaced lepton comes from a conversion: copies of one
# generated event are then hardly alike.
BACKGROUNDS = {
    "ttbar": (90_000, 1),
    "st_tchannel": (60_000, 4),
    "st_tw": (20_000, 1),
    "wjets": (700_000, 4),
    "wgamma": (400_000, 16),
    "zjets": (500_000, 8),
    "zpair": (150_000, 2),
    "zgamma": (200_000, 16),
    "zjets_tau": (10_000, 4),
}

# The same for the samples from which pseudo-data is drawn. They differ from the above: else the classifiers would be
# trained on the data.
FOR_PSEUDODATA = {
    "ttbar": (70_000, 1),
    "st_tchannel": (30_000, 1),
    "st_tw": (10_000, 1),
    "wjets": (350_000, 4),
    "wgamma": (150_000, 2),
    "zjets": (120_000, 4),
    "zpair": (100_000, 2),
    "zgamma": (150_000, 2),
    "zjets_tau": (6_000, 4),
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
    for process, (n, reseeds) in BACKGROUNDS.items():
        result[process] = Request(process, n, SEED, None, reseeds, True)
    return result


def catalogue() -> str:
    """The catalogue of the set."""
    datasets = []
    for name, request in requests().items():
        (entry,) = yaml.safe_load(sample.catalogue_entry(request, FOLDER / f"{name}.root"))
        if request.options is not None:
            entry["cross_section_order"] = "NNLO"  # physics.production: a further K-factor is refused
            entry["process"] = f"HNL{request.options.mass:g} {request.options.coupling}"
        datasets.append(entry | {"era": "Demo"})
    data = {"name": "pseudodata", "era": "Demo", "kind": "data", "process": "pseudo-data"}
    datasets.append(data | {"files": ["pseudodata.root"], "primary_dataset": "SingleLepton"})
    return "# Made by make.py. Simulated samples, see docs/simulation.md.\n" + yaml.safe_dump(
        {"eras": {"Demo": ERA}, "datasets": datasets}, sort_keys=False, default_flow_style=None, width=160
    )


def make_pseudodata(output: Path) -> int:
    """Draws the pseudo-data from samples of its own, which are kept in a hidden folder until all exist."""
    folder = FOLDER / ".pseudodata"
    folder.mkdir(exist_ok=True)
    samples = []
    for process, (n, reseeds) in FOR_PSEUDODATA.items():
        path = folder / f"{process}.root"
        if not path.exists():
            sample.make(Request(process, n, SEED + 1, None, reseeds, True), path)
        samples.append((path, processes.cross_section_pb(process)))
    return pseudodata.draw(samples, LUMINOSITY, output, SEED)


def main(names: list[str]) -> None:
    """Makes the files of these names, or all that do not exist."""
    for name, request in requests().items():
        path = FOLDER / f"{name}.root"
        if (not names or name in names) and not path.exists():
            print(name, sample.make(request, path), path.stat().st_size, flush=True)
    path = FOLDER / "pseudodata.root"
    if (not names or "pseudodata" in names) and not path.exists():
        print("pseudodata", make_pseudodata(path), path.stat().st_size, flush=True)
    if not names or "catalogue" in names:
        (FOLDER / "demo.yaml").write_text(catalogue())


if __name__ == "__main__":
    main(sys.argv[1:])
