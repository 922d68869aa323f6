"""Hand-made events, and ROOT files of them in the styles of the NanoAOD versions.

`event` is signal-like and passes every requirement; each keyword changes one object of it. An event is a plain dict,
for tests to change as they like: scalars, {"HLT": {path: bool}}, and one list of objects (dicts) per collection.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import cos, cosh, pi, sin, sinh
from pathlib import Path
from typing import Any
from unittest import mock

import awkward as ak
import numpy as np
import uproot
from uproot.writing import _cascadetree

Event = dict[str, Any]
Object = dict[str, Any]

ELECTRON_PATHS = ("HLT_Ele27_WPTight_Gsf", "HLT_Ele32_WPTight_Gsf")
MUON_PATHS = ("HLT_IsoMu24", "HLT_IsoTkMu24")
OTHER_PATH = "HLT_Mu50"  # in every file, in no catalogue
PATHS = {"e": ELECTRON_PATHS, "mu": MUON_PATHS}

ELECTRON_ID_CUTS = (
    "MinPtCut,GsfEleSCEtaMultiRangeCut,GsfEleDEtaInSeedCut,GsfEleDPhiInCut,GsfEleFull5x5SigmaIEtaIEtaCut,"
    "GsfEleHadronicOverEMEnergyScaledCut,GsfEleEInverseMinusPInverseCut,GsfEleRelPFIsoScaledCut,"
    "GsfEleConversionVetoCut,GsfEleMissingHitsCut"
)
ELECTRON_ID_TITLE = f"VID compressed bitmap ({ELECTRON_ID_CUTS}), 3 bits per cut"


def bitmap(working_points: Sequence[int]) -> int:
    """Electron_vidNestedWPBitmap of the working points that the ten cuts pass: three bits each, first cut lowest."""
    assert len(working_points) == 10
    return sum(point << 3 * i for i, point in enumerate(working_points))


TIGHT = bitmap([4] * 10)

# Columns of each collection: (type in old files, type in new files, default). Old is before v11.
_FLOAT = "float32"
_P4 = dict.fromkeys(("pt", "eta", "phi", "mass"), (_FLOAT, _FLOAT, 0.0))
_LEPTON = _P4 | {
    "charge": ("int32", "int32", 1),
    "dxy": (_FLOAT, _FLOAT, 0.001),
    "dxyErr": (_FLOAT, _FLOAT, 0.002),
    "dz": (_FLOAT, _FLOAT, 0.002),
    "dzErr": (_FLOAT, _FLOAT, 0.004),
    "ip3d": (_FLOAT, _FLOAT, 0.003),
    "sip3d": (_FLOAT, _FLOAT, 1.5),
    "pfRelIso03_all": (_FLOAT, _FLOAT, 0.02),
    "pfRelIso04_all": (_FLOAT, _FLOAT, 9.0),
    "svIdx": ("int32", "int16", -1),
    "genPartFlav": ("uint8", "uint8", 1),
    "jetIdx": ("int32", "int16", -1),
}
COLUMNS: dict[str, dict[str, tuple[str, str, Any]]] = {
    "Electron": _LEPTON
    | {
        "mva": ("bool", "bool", True),  # written under the name of the version
        "mvaFall17V2noIso_WP90": ("bool", "bool", False),
        "vidNestedWPBitmap": ("int32", "int32", TIGHT),
        "lostHits": ("uint8", "uint8", 1),
        "r9": (_FLOAT, _FLOAT, 0.9),
    },
    "Muon": _LEPTON
    | {
        "mediumId": ("bool", "bool", True),
        "looseId": ("bool", "bool", True),
        "isGlobal": ("bool", "bool", True),
        "segmentComp": (_FLOAT, _FLOAT, 0.9),
        "nTrackerLayers": ("int32", "uint8", 14),
        "tightId": ("bool", "bool", False),
    },
    "Jet": _P4
    | {
        "jetId": ("int32", "uint8", 6),
        "nConstituents": ("int32", "uint8", 12),
        "neHEF": (_FLOAT, _FLOAT, 0.1),
        "neEmEF": (_FLOAT, _FLOAT, 0.1),
        "chHEF": (_FLOAT, _FLOAT, 0.5),
        "chMultiplicity": ("int32", "uint8", 8),
        "neMultiplicity": ("int32", "uint8", 4),
        "hadronFlavour": ("int32", "uint8", 4),
        "genJetIdx": ("int32", "int16", -1),
        "btagDeepFlavB": (_FLOAT, _FLOAT, 0.5),
        "puIdDisc": (_FLOAT, _FLOAT, 0.5),
    },
    "SV": _P4
    | dict.fromkeys(("x", "y", "z"), (_FLOAT, _FLOAT, 0.0))
    | {
        "dlen": (_FLOAT, _FLOAT, 3.2),
        "dlenSig": (_FLOAT, _FLOAT, 40.0),
        "dxy": (_FLOAT, _FLOAT, 3.0),
        "dxySig": (_FLOAT, _FLOAT, 38.0),
        "pAngle": (_FLOAT, _FLOAT, 0.05),
        "chi2": (_FLOAT, _FLOAT, 1.25),
        "ndof": (_FLOAT, _FLOAT, 3.0),
        "ntracks": ("uint8", "uint8", 3),
        "charge": ("int32", "int16", 0),
    },
    "TrigObj": dict.fromkeys(("pt", "eta", "phi"), (_FLOAT, _FLOAT, 0.0))
    | {"id": ("int32", "uint16", 0), "filterBits": ("int32", "int32", 0), "l1pt": (_FLOAT, _FLOAT, 20.0)},
    "GenPart": _P4
    | dict.fromkeys(("vx", "vy", "vz"), (_FLOAT, _FLOAT, 0.0))
    | {
        "pdgId": ("int32", "int32", 0),
        "genPartIdxMother": ("int32", "int16", -1),
        "status": ("int32", "int32", 1),
    },
    "GenJet": _P4,
    "PFCands": _P4
    | {
        "charge": ("int32", "int32", 1),
        "pdgId": ("int32", "int32", 211),
        "d0": (_FLOAT, _FLOAT, 0.0),
        "d0Err": (_FLOAT, _FLOAT, 0.01),
        "dz": (_FLOAT, _FLOAT, 0.0),
        "dzErr": (_FLOAT, _FLOAT, 0.02),
        "lostInnerHits": ("int32", "int32", -1),
        "numberOfPixelHits": ("int32", "int32", 3),
        "numberOfHits": ("int32", "int32", 13),
        "pvAssocQuality": ("int32", "int32", 7),
        "svIdx": ("int32", "int16", -1),
    },
    "JetPFCands": {"jetIdx": ("int32", "int32", 0), "pFCandsIdx": ("int32", "int32", 0)},
}
SCALARS: dict[str, tuple[str, Any]] = {
    "run": ("uint32", 1),
    "luminosityBlock": ("uint32", 1),
    "event": ("uint64", 1),
    "PV_x": (_FLOAT, 0.01),
    "PV_y": (_FLOAT, -0.02),
    "PV_z": (_FLOAT, 1.5),
    "PV_score": (_FLOAT, 100.0),
    "MET_pt": (_FLOAT, 30.0),
    "rho": (_FLOAT, 20.0),  # written under the name of the version
    "genWeight": (_FLOAT, 1.0),
    "Pileup_nTrueInt": (_FLOAT, 31.5),
}
PDG_ID = {"e": 11, "mu": 13}
COLLECTION = {"e": "Electron", "mu": "Muon"}
FILTER_BITS = {"e": 2, "mu": 2 | 8}
MASS = {"e": 0.000511, "mu": 0.10566}


def event(
    number: int = 1,
    *,
    l1_flavour: str = "mu",
    l2_flavour: str = "e",
    same_sign: bool = False,
    l1: Object | None = None,
    l2: Object | None = None,
    jet: Object | None = None,
    sv: Object | None = None,
    hlt_object: Object | None = None,
    hlt: dict[str, bool] | None = None,
    more: dict[str, list[Object]] | None = None,
    **scalars: Any,
) -> Event:
    """An event that passes every requirement, but for what the keywords change.

    The jet follows the direction of l2, the vertex is on its track, the trigger object follows l1; objects in `more`
    come last, with the defaults of `COLUMNS` for what they do not say.
    """
    first: Object = {"pt": 50.0, "eta": 0.5, "phi": 0.3, "charge": 1, "mass": MASS[l1_flavour]} | (l1 or {})
    second: Object = {
        "pt": 15.0,
        "eta": -0.3,
        "phi": 2.8,
        "charge": 1 if same_sign else -1,
        "mass": MASS[l2_flavour],
        "dxy": -0.5,
        "dz": 1.0,
        "svIdx": 0,
        "pfRelIso03_all": 3.0,
        "mva": False,
        "mediumId": False,
    } | (l2 or {})
    eta, phi = second["eta"], second["phi"]
    inwards = -0.05 if eta > 0 else 0.05
    result: Event = {name: default for name, (_, default) in SCALARS.items()} | {"event": number} | scalars
    result |= {name: [] for name in COLUMNS}
    result["HLT"] = dict.fromkeys((*ELECTRON_PATHS, *MUON_PATHS, OTHER_PATH), False)
    result["HLT"] |= {PATHS[l1_flavour][0]: True} if hlt is None else hlt
    result[COLLECTION[l1_flavour]].append(first)
    result[COLLECTION[l2_flavour]].append(second)
    result["Jet"].append({"pt": 35.0, "eta": eta + inwards, "phi": wrap(phi + 0.05), "mass": 5.0} | (jet or {}))
    result["SV"].append(
        {"pt": 20.0, "eta": eta + inwards, "phi": wrap(phi - 0.05), "mass": 4.0}
        | on_track(second, 3.0, [result[f"PV_{c}"] for c in "xyz"])
        | (sv or {})
    )
    result["TrigObj"].append(
        {
            "pt": first["pt"],
            "eta": first["eta"] + 0.01,
            "phi": first["phi"],
            "id": PDG_ID[l1_flavour],
            "filterBits": FILTER_BITS[l1_flavour],
        }
        | (hlt_object or {})
    )
    for name, objects in (more or {}).items():
        result[name] = result[name] + objects
    return result


def wrap(phi: float) -> float:
    """An angle between -pi and pi."""
    return (phi + pi) % (2 * pi) - pi


def flight(distance: float, eta: float, phi: float, start: Sequence[float] = (0.01, -0.02, 1.5)) -> Object:
    """Position of a vertex at a transverse distance (cm) from `start`, in a direction."""
    return {
        "x": start[0] + distance * cos(phi),
        "y": start[1] + distance * sin(phi),
        "z": start[2] + distance * sinh(eta),
    }


def on_track(lepton: Object, path: float, start: Sequence[float] = (0.01, -0.02, 1.5)) -> Object:
    """The place on a lepton's helix in 3.8 T after a transverse path (cm) from its point nearest `start`."""
    radius = lepton["pt"] / (0.299792458 * 3.8) * 100  # p = 0.3 B r, with r in m
    phi, turn = lepton["phi"], -lepton["charge"] * path / radius
    chord = 2 * radius * abs(sin(turn / 2))
    return {
        "x": start[0] - lepton["dxy"] * sin(phi) + chord * cos(phi + turn / 2),
        "y": start[1] + lepton["dxy"] * cos(phi) + chord * sin(phi + turn / 2),
        "z": start[2] + lepton["dz"] + path * sinh(lepton["eta"]),
    }


def pt_for_mass(mass: float, pt: float, delta_eta: float, delta_phi: float) -> float:
    """The transverse momentum that gives two massless particles an invariant mass."""
    return mass**2 / (2 * pt * (cosh(delta_eta) - cos(delta_phi)))


# Weights of the generator by name, of events that do not say theirs, and titles as CMS software writes them (v9).
GENERATOR_WEIGHTS = {
    "LHEScaleWeight": [0.8, 0.9, 1.0, 0.95, 1.0, 1.05, 1.0, 1.1, 1.2],
    "LHEPdfWeight": [1.0, *([1.01] * 100), 0.98, 1.02],
    "PSWeight": [1.04, 1.12, 0.94, 0.76],
}
_GRID = [(muf, mur) for mur in ("0.5", "1.0", "2.0") for muf in ("0.5", "1.0", "2.0")]
GENERATOR_TITLES = {
    "LHEScaleWeight": "LHE scale variation weights (w_var / w_nominal); "
    + "; ".join(f'[{i}] is MUF="{muf}" MUR="{mur}"' for i, (muf, mur) in enumerate(_GRID)),
    "LHEPdfWeight": "LHE pdf variation weights (w_var / w_nominal) for LHA IDs 306000 - 306102",
    "PSWeight": "PS weights (w_var / w_nominal);   [0] is ISR=2 FSR=1; [1] is ISR=1 FSR=2[2] is ISR=0.5 FSR=1; "
    "[3] is ISR=1 FSR=0.5;",
}
PREFIRING = {"Nom": 0.9, "Up": 0.92, "Dn": 0.87}


@dataclass(frozen=True)
class Style:
    """How a NanoAOD version writes things."""

    data: bool = False
    new_types: bool = True
    unsigned_counters: bool = False
    sv_index: bool = True
    mva_name: str = "mvaIso_WP90"
    sv_ntracks: bool = True
    sv_charge: bool = True
    jet_id: bool = True
    pu_id: bool = False
    particles: bool = False
    gen_particles: bool = False
    runs: str | None = "Runs"  # 'Runs', 'Runs_' (names with a trailing underscore), None
    electron_id_title: str | None = ELECTRON_ID_TITLE
    filter_bits_title: str | None = None
    generator_weights: tuple[str, ...] = ()  # of `GENERATOR_WEIGHTS`
    generator_titles: tuple[tuple[str, str], ...] = tuple(GENERATOR_TITLES.items())
    generator_sums: bool = False  # LHEScaleSumw and PSSumw in the Runs tree
    merged: float = 1.0  # files whose means older CMSSW added up
    skimmed: bool = True  # whether the Runs tree counts more events than the file has
    prefiring: bool = False
    without: tuple[str, ...] = ()
    compressed: bool = True


_OLD = Style(new_types=False, unsigned_counters=True, sv_index=False, sv_charge=False, mva_name="mvaFall17V2Iso_WP90")
STYLES = {
    "v6": Style(**vars(_OLD) | {"sv_ntracks": False, "electron_id_title": None}),
    "v7": Style(**vars(_OLD) | {"sv_ntracks": False, "runs": "Runs_"}),
    "v9": Style(**vars(_OLD) | {"sv_charge": True, "pu_id": True}),
    "v10": Style(**vars(_OLD) | {"sv_charge": True, "mva_name": "mvaIso_WP90"}),
    "v12": Style(),
    "v15": Style(jet_id=False, runs=None),
}


def write(path: Path, events: Sequence[Event], style: Style = STYLES["v12"]) -> Path:
    """Writes events as one NanoAOD file; returns its path."""
    columns = branches(events, style)
    titles = dict(style.generator_titles)
    titles |= {"Electron_vidNestedWPBitmap": style.electron_id_title} if style.electron_id_title else {}
    titles |= {"TrigObj_filterBits": style.filter_bits_title} if style.filter_bits_title else {}
    compression = uproot.ZLIB(1) if style.compressed else None
    with uproot.recreate(path, compression=compression) as file, _layout(titles, style.unsigned_counters):
        tree = file.mktree(
            "Events",
            {
                name: column.dtype if isinstance(column, np.ndarray) else column.type.content
                for name, column in columns.items()
            },
            counter_name=lambda branch: "n" + branch.partition("_")[0],
        )
        if len(events):
            tree.extend(columns)
        if style.runs and not style.data:
            suffix = style.runs.removeprefix("Runs")
            weights = np.array([e["genWeight"] for e in events], dtype=np.float64)
            # Two runs, and more events than survived the skim of this file: 10 of weight 2 in the second.
            runs: dict[str, Any] = {
                "run": np.array([1, 2], dtype=np.uint32),
                f"genEventCount{suffix}": np.array([len(weights), 10], dtype=np.int64),
                f"genEventSumw{suffix}": np.array([weights.sum(), 20.0]),
                f"genEventSumw2{suffix}": np.array([(weights**2).sum(), 40.0]),
            }
            if style.generator_sums:
                runs |= {f"{name}{suffix}": means for name, means in _means(events, weights, style).items()}
            if not style.skimmed:
                runs = {name: values[:1] for name, values in runs.items()}
            types = {n: v.dtype if isinstance(v, np.ndarray) else v.type.content for n, v in runs.items()}
            file.mktree("Runs", types, counter_name=lambda branch: f"n{branch}").extend(runs)
    return path


def _means(events: Sequence[Event], weights: np.ndarray, style: Style) -> dict[str, Any]:
    """Mean weights of the events, none in an entry of no events; and 1.5 in the entry that stands for others, but 1 for
    the nominal scale."""
    names = {"LHEScaleSumw": "LHEScaleWeight", "PSSumw": "PSWeight"}
    result = {}
    for ours, branch in names.items():
        each = [e.get(branch, GENERATOR_WEIGHTS[branch]) for e in events]
        others = np.full(len(each[0]) if each else len(GENERATOR_WEIGHTS[branch]), 1.5)
        if len(others) == 9:
            others[4] = 1.0
        means = [style.merged * np.average(each, axis=0, weights=weights)] if each else [[]]
        result[ours] = ak.values_astype(ak.Array([*means, style.merged * others]), np.float64)
    return result


def branches(events: Sequence[Event], style: Style) -> dict[str, Any]:
    """The columns of a file, without counters."""
    skip = {"GenJet"} if style.data else set()
    skip |= {"GenPart"} if not style.gen_particles or style.data else set()
    skip |= set() if style.particles else {"PFCands", "JetPFCands"}
    columns: dict[str, Any] = {}
    for name, (dtype, _) in SCALARS.items():
        if not (style.data and name in ("genWeight", "Pileup_nTrueInt")):
            written = name.replace("rho", "Rho_fixedGridRhoFastjetAll" if style.new_types else "fixedGridRhoFastjetAll")
            columns[written] = np.array([e[name] for e in events], dtype=dtype)
    for path in (*ELECTRON_PATHS, *MUON_PATHS, OTHER_PATH):
        columns[path] = np.array([e["HLT"][path] for e in events], dtype=bool)
    for collection, fields in COLUMNS.items():
        if collection in skip:
            continue
        counts = np.array([len(e[collection]) for e in events], dtype=np.int64)
        for field, (old, new, default) in fields.items():
            if _absent(collection, field, style):
                continue
            name = style.mva_name if field == "mva" else field
            flat = np.array(
                [o.get(field, default) for e in events for o in e[collection]],
                dtype=new if style.new_types else old,
            )
            columns[f"{collection}_{name}"] = ak.unflatten(flat, counts)
    for name in style.generator_weights:
        lists = [e.get(name, GENERATOR_WEIGHTS[name]) for e in events]
        flat = np.array([weight for one in lists for weight in one], dtype=_FLOAT)
        columns[name] = ak.unflatten(flat, np.array([len(one) for one in lists], dtype=np.int64))
    if style.prefiring:
        for name, value in PREFIRING.items():
            columns[f"L1PreFiringWeight_{name}"] = np.full(len(events), value, dtype=_FLOAT)
    return {name: column for name, column in columns.items() if name not in style.without}


def _absent(collection: str, field: str, style: Style) -> bool:
    return (
        (collection == "SV" and field == "charge" and not style.sv_charge)
        or (field == "svIdx" and not style.sv_index)
        or (field == "ntracks" and not style.sv_ntracks)
        or (field == "puIdDisc" and not style.pu_id)
        or (field == "jetId" and not style.jet_id)
        or (field in ("chMultiplicity", "neMultiplicity") and not style.new_types)
        or (field in ("genPartFlav", "hadronFlavour", "genJetIdx") and style.data)
    )


@contextmanager
def _layout(titles: dict[str, str], unsigned_counters: bool) -> Iterator[None]:
    """Lets uproot write titles of branches and uint32 counters, as CMS software does."""
    original = _cascadetree.Tree._branch_np

    def branch(self: Any, name: str, dtype_in: Any, dtype: Any, counter: Any = None, **rest: Any) -> Any:
        if unsigned_counters and rest.get("kind") == "counter":
            dtype = np.dtype(np.uint32)
        datum = original(self, name, dtype_in, dtype, counter, **rest)
        datum["fTitle"] = titles.get(name, datum["fTitle"])
        return datum

    with mock.patch.object(_cascadetree.Tree, "_branch_np", branch):
        yield
