"""Makes a NanoAOD-like file for measurements of speed: realistic branches, baskets and sizes, but random physics.

A quarter of the events have a prompt lepton, and 0.8 % pass the whole selection. Multiplicities and precision
(shortened mantissas, as in NanoAOD) are realistic, correlations are not.

    python benchmarks/make_nanoaod.py --output bench.root --events 300000
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

Columns = dict[str, np.ndarray]
Draw = Callable[[np.random.Generator, int], np.ndarray]

MUON_TRIGGER, ELECTRON_TRIGGER = "HLT_IsoMu24", "HLT_Ele32_WPTight_Gsf"
EVENTS_PER_BASKET = 10_000
PROMPT_FRACTION = 0.25  # of events have a prompt lepton that fired its trigger
SELECTED_FRACTION = 0.008  # have l2, its jet and its vertex as well
MANTISSA_BITS = 10
N_PDF_WEIGHTS, N_SCALE_WEIGHTS = 33, 9
N_HLT = 220

# Branches that are never read: fields of each collection beyond those of the analysis.
FILLER_COUNTS = {
    "Electron": 45, "Muon": 40, "Jet": 40, "GenJet": 2, "Tau": 32, "FatJet": 35, "Photon": 25, "SV": 1, "TrigObj": 4
}  # fmt: skip
MEAN_MULTIPLICITY = {
    "Electron": 0.5, "Muon": 0.6, "Jet": 4.5, "GenJet": 5.0, "SV": 1.0, "TrigObj": 2.5, "Tau": 0.8, "FatJet": 0.3,
    "Photon": 0.7,
}  # fmt: skip
N_SCALARS = 40


def short(values: np.ndarray) -> np.ndarray:
    """float32 with a mantissa of `MANTISSA_BITS` bits, which compresses as NanoAOD's floats do."""
    bits = np.asarray(values, np.float32).view(np.uint32)
    return (bits & np.uint32(0xFFFFFFFF - (1 << 23 - MANTISSA_BITS) + 1)).view(np.float32)


def exponential(mean: float, offset: float = 0.0) -> Draw:
    """offset + exponential."""
    return lambda rng, n: short(offset + rng.exponential(mean, n))


def normal(width: float) -> Draw:
    """Gaussian about zero."""
    return lambda rng, n: short(rng.normal(0, width, n))


def uniform(low: float, high: float) -> Draw:
    """Flat."""
    return lambda rng, n: short(rng.uniform(low, high, n))


def integers(low: int, high: int, dtype: type) -> Draw:
    """Flat, `high` excluded."""
    return lambda rng, n: rng.integers(low, high, n).astype(dtype)


def bits(probability: float) -> Draw:
    """bool."""
    return lambda rng, n: rng.random(n) < probability


def tailed(core: float, tail: float, fraction: float) -> Draw:
    """Gaussian, a fraction of it wider: impact parameters."""
    return lambda rng, n: short(rng.normal(0, 1, n) * np.where(rng.random(n) < fraction, tail, core))


def electron_id(rng: np.random.Generator, n: int) -> np.ndarray:
    """Ten cuts of three bits, each from 0 (fail) to 4 (tight)."""
    levels = rng.choice(5, p=[0.05, 0.1, 0.2, 0.25, 0.4], size=(n, 10))
    bitmap: np.ndarray = (levels << (3 * np.arange(10))).sum(axis=1).astype(np.int32)
    return bitmap


LEPTON: dict[str, Draw] = {
    "pt": exponential(20, 4),
    "eta": normal(1.3),
    "phi": uniform(-np.pi, np.pi),
    "charge": lambda rng, n: (2 * rng.integers(0, 2, n) - 1).astype(np.int32),
    "dxy": tailed(0.004, 0.08, 0.25),
    "dxyErr": exponential(0.003, 0.001),
    "dz": tailed(0.01, 0.2, 0.2),
    "dzErr": exponential(0.005, 0.001),
    "ip3d": exponential(0.02),
    "sip3d": exponential(4),
    "pfRelIso03_all": exponential(0.15),
    "svIdx": lambda rng, n: np.full(n, -1, np.int16),
    "genPartFlav": lambda rng, n: rng.choice(np.array([0, 1, 5, 15], np.uint8), size=n),
}
ANALYSIS: dict[str, dict[str, Draw]] = {
    "Electron": LEPTON
    | {
        "mass": normal(0.01),
        "lostHits": integers(0, 3, np.uint8),
        "vidNestedWPBitmap": electron_id,
        "mvaIso_WP90": bits(0.6),
    },
    "Muon": LEPTON
    | {
        "mass": lambda rng, n: np.full(n, 0.10565, np.float32),
        "mediumId": bits(0.8),
        "looseId": bits(0.95),
        "isGlobal": bits(0.85),
        "segmentComp": uniform(0, 1),
        "nTrackerLayers": integers(6, 18, np.uint8),
    },
    "Jet": {
        "pt": exponential(30, 15),
        "eta": normal(1.8),
        "phi": uniform(-np.pi, np.pi),
        "mass": exponential(6, 2),
        "nConstituents": integers(4, 60, np.uint8),
        "jetId": lambda rng, n: rng.choice(np.array([0, 2, 6], np.uint8), p=[0.05, 0.1, 0.85], size=n),
        "hadronFlavour": lambda rng, n: rng.choice(np.array([0, 4, 5], np.uint8), p=[0.8, 0.12, 0.08], size=n),
        "genJetIdx": integers(-1, 6, np.int16),
    },
    "SV": {
        "pt": exponential(10, 1),
        "eta": normal(1.2),
        "phi": uniform(-np.pi, np.pi),
        "mass": exponential(1.5, 0.3),
        "x": tailed(0.5, 5, 0.3),
        "y": tailed(0.5, 5, 0.3),
        "z": normal(5),
        "dlen": exponential(2, 0.05),
        "dlenSig": exponential(20, 3),
        "dxy": exponential(1.5, 0.02),
        "dxySig": exponential(20, 1),
        "pAngle": uniform(2.6, np.pi),
        "chi2": exponential(1),
        "ndof": exponential(2, 0.5),
        "ntracks": integers(2, 7, np.uint8),
    },
    "TrigObj": {
        "pt": exponential(20, 5),
        "eta": normal(1.5),
        "phi": uniform(-np.pi, np.pi),
        "id": lambda rng, n: rng.choice(np.array([1, 11, 13, 22], np.uint16), p=[0.6, 0.15, 0.15, 0.1], size=n),
        "filterBits": integers(0, 2**12, np.int32),
    },
    "GenJet": {
        "pt": exponential(25, 10),
        "eta": normal(1.8),
        "phi": uniform(-np.pi, np.pi),
        "mass": exponential(6, 1),
    },
    "Tau": {},
    "FatJet": {},
    "Photon": {},
}
FILLERS = (
    exponential(20, 5),
    normal(1.5),
    uniform(-np.pi, np.pi),
    bits(0.1),
    exponential(0.1),
    integers(0, 5, np.uint8),
)


def fields(collection: str) -> dict[str, Draw]:
    """All columns of a collection: the analysis's and fillers."""
    fillers = {f"filler{i:02d}": FILLERS[i % len(FILLERS)] for i in range(FILLER_COUNTS[collection])}
    return ANALYSIS[collection] | fillers


def make_events(rng: np.random.Generator, n: int, first: int) -> dict[str, Any]:
    """Draws n events.

    Args:
        rng: random numbers.
        n: number of events.
        first: number of the first event.

    Returns:
        Arrays for uproot: collections as jagged records, all else as flat arrays.
    """
    counts = {name: rng.poisson(mean, n) for name, mean in MEAN_MULTIPLICITY.items()}
    dice = rng.random(n)
    l1, l2 = (
        np.where(dice < fraction, rng.choice(["Electron", "Muon"], n), "")
        for fraction in (PROMPT_FRACTION, SELECTED_FRACTION)
    )
    for flavour in ("Electron", "Muon"):
        needed = (l1 == flavour).astype(int) + (l2 == flavour)
        counts[flavour] = np.where(l2 != "", needed, np.maximum(counts[flavour], needed))
    for collection, chosen in (("TrigObj", l1), ("Jet", l2), ("SV", l2)):
        counts[collection] = np.maximum(counts[collection], chosen != "")
    first_of = {name: np.cumsum(c) - c for name, c in counts.items()}
    columns = {name: {f: draw(rng, int(c.sum())) for f, draw in fields(name).items()} for name, c in counts.items()}
    hlt = {f"HLT_filler{i:03d}": rng.random(n) < 0.02 * rng.random() for i in range(N_HLT)}
    hlt |= {name: rng.random(n) < 0.3 for name in (MUON_TRIGGER, ELECTRON_TRIGGER)}
    primary = {
        "PV_x": short(rng.normal(0.01, 0.001, n)),
        "PV_y": short(rng.normal(-0.02, 0.001, n)),
        "PV_z": short(rng.normal(0, 4, n)),
    }
    _select(rng, l1, l2, first_of, columns, hlt, primary)
    scalars: dict[str, np.ndarray] = {
        "run": np.ones(n, np.uint32),
        "luminosityBlock": (1 + (first + np.arange(n)) // 1000).astype(np.uint32),
        "event": (1 + first + np.arange(n)).astype(np.uint64),
        "genWeight": np.where(rng.random(n) < 0.1, -1, 1).astype(np.float32),
        "Pileup_nTrueInt": short(rng.uniform(10, 60, n)),
        "Rho_fixedGridRhoFastjetAll": short(rng.uniform(5, 40, n)),
        **primary,
    }
    scalars |= {f"MET_filler{i:02d}": FILLERS[i % len(FILLERS)](rng, n) for i in range(N_SCALARS)}
    records = {name: _jagged(counts[name], columns[name]) for name in counts}
    for name, size in (("LHEPdfWeight", N_PDF_WEIGHTS), ("LHEScaleWeight", N_SCALE_WEIGHTS)):
        scalars[name] = short(rng.normal(1, 0.05, (n, size)))
    return scalars | hlt | records


def _select(
    rng: np.random.Generator,
    l1: np.ndarray,
    l2: np.ndarray,
    first_of: dict[str, np.ndarray],
    columns: dict[str, Columns],
    hlt: Columns,
    primary: Columns,
) -> None:
    """Puts leptons into events: l1 with its trigger, l2 far from it with a jet and a vertex on its track.

    Args:
        rng: random numbers.
        l1: flavour of the first lepton of the event's collection that becomes l1, '' for none.
        l2: the same for the lepton after it.
        first_of: first row of the event in the columns of each collection.
        columns: changed in place.
        hlt: changed in place.
        primary: position of the primary vertex of each event.
    """
    n = len(l1)
    eta1, eta2 = rng.uniform(-2, 2, (2, n))
    phi1 = rng.uniform(-np.pi, np.pi, n)
    phi2 = (phi1 + rng.uniform(1, 5, n) + np.pi) % (2 * np.pi) - np.pi
    for flavour, pdg_id, trigger in (("Electron", 11, ELECTRON_TRIGGER), ("Muon", 13, MUON_TRIGGER)):
        prompt, displaced = np.flatnonzero(l1 == flavour), np.flatnonzero(l2 == flavour)
        lepton, at = columns[flavour], first_of[flavour][prompt]
        _set(lepton, at, pt=35 + rng.exponential(20, len(at)), eta=eta1[prompt], phi=phi1[prompt])
        _set(lepton, at, dxy=0.001, dz=0.01, pfRelIso03_all=0.03)
        _set(lepton, at, **({"mvaIso_WP90": True} if flavour == "Electron" else {"mediumId": True}))
        at = first_of["TrigObj"][prompt]
        _set(columns["TrigObj"], at, eta=eta1[prompt], phi=phi1[prompt], id=pdg_id, filterBits=2 | 8)
        hlt[trigger][prompt] = True
        at = first_of[flavour][displaced] + (l1[displaced] == flavour)
        _set(lepton, at, pt=10 + rng.exponential(10, len(at)), eta=eta2[displaced], phi=phi2[displaced])
        _set(lepton, at, dxy=rng.uniform(0.05, 2, len(at)), dz=rng.uniform(-5, 5, len(at)), svIdx=0)
        # The point on its track nearest the primary vertex.
        x, y, z = (primary[f"PV_{c}"][displaced] for c in "xyz")
        sideways = lepton["dxy"][at]
        place = {"x": x - sideways * np.sin(phi2[displaced]), "y": y + sideways * np.cos(phi2[displaced])}
        _set(columns["SV"], first_of["SV"][displaced], **place, z=z + lepton["dz"][at])
        good_id = {"vidNestedWPBitmap": sum(4 << 3 * i for i in range(10))}
        _set(lepton, at, **(good_id if flavour == "Electron" else {"looseId": True, "segmentComp": 0.9}))
    good = np.flatnonzero(l2 != "")
    at = first_of["Jet"][good]
    _set(columns["Jet"], at, pt=25 + rng.exponential(20, len(at)), eta=eta2[good] + 0.05, phi=phi2[good], jetId=6)
    _set(columns["SV"], first_of["SV"][good], dlenSig=30.0, dxySig=30.0, eta=eta2[good], phi=phi2[good])


def _set(columns: Columns, at: np.ndarray, **values: Any) -> None:
    for name, value in values.items():
        array = columns[name]
        array[at] = short(np.broadcast_to(value, at.shape)) if array.dtype == np.float32 else value


def _jagged(counts: np.ndarray, columns: Columns) -> ak.Array:
    offsets = np.concatenate([[0], np.cumsum(counts)])
    contents = [ak.contents.NumpyArray(column) for column in columns.values()]
    record = ak.contents.RecordArray(contents, list(columns), length=int(offsets[-1]))
    return ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(offsets), record))


def make_file(
    path: Path,
    n_events: int = 300_000,
    seed: int = 1,
    compression: Any = None,
    events_per_basket: int = EVENTS_PER_BASKET,
) -> None:
    """Writes the file: tree Events, and Runs with the sums of weights.

    Args:
        path: path of the file; an existing file is replaced.
        n_events: number of events, may be 0.
        seed: equal seeds give equal events.
        compression: compression of uproot; ZSTD level 5 if None, uncompressed with a level of 0.
        events_per_basket: events per basket, which are in memory at once.
    """
    compression = uproot.ZSTD(5) if compression is None else compression
    form = make_events(np.random.default_rng(0), 10, 0)
    types = {name: _type(array) for name, array in form.items()}
    sum_w = 0.0
    with uproot.recreate(path, compression=compression) as root:
        tree = root.mktree("Events", types)
        for i, first in enumerate(range(0, n_events, events_per_basket)):
            rng = np.random.default_rng([seed, i])
            events = make_events(rng, min(events_per_basket, n_events - first), first)
            sum_w += float(events["genWeight"].sum(dtype=np.float64))
            tree.extend(events)
        runs = root.mktree(
            "Runs", {"run": "uint32", "genEventCount": "int64", "genEventSumw": "float64", "genEventSumw2": "float64"}
        )
        runs.extend(
            {
                "run": np.ones(1, np.uint32),
                "genEventCount": np.array([n_events]),
                "genEventSumw": np.array([sum_w]),
                "genEventSumw2": np.array([float(n_events)]),
            }
        )


def _type(array: Any) -> Any:
    if isinstance(array, ak.Array):
        return array.type.content
    return np.dtype((array.dtype, array.shape[1:])) if array.ndim > 1 else array.dtype


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Makes a NanoAOD-shaped file to measure on.")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    make_file(arguments.output, arguments.events, arguments.seed)


if __name__ == "__main__":
    main()
