"""The branches of our NanoAOD-like files: names and types of NanoAOD v12 and later, PFCands as in PFNano."""

from __future__ import annotations

from collections.abc import Mapping

import awkward as ak
import numpy as np

from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows


def _types(**names_by_type: str) -> dict[str, np.dtype]:
    return {name: np.dtype(kind) for kind, names in names_by_type.items() for name in names.split()}


COLLECTIONS: dict[str, dict[str, np.dtype]] = {
    "Electron": _types(
        f4="pt eta phi mass dxy dxyErr dz dzErr ip3d sip3d pfRelIso03_all pfRelIso03_chg "
        "deltaEtaSC sieie hoe eInvMinusPInv",
        i4="charge pdgId vidNestedWPBitmap",
        i2="jetIdx svIdx hnlsim_svRow genPartIdx photonIdx",
        u1="lostHits cutBased genPartFlav",
        bool="convVeto mvaIso_WP90 mvaNoIso_WP90",
    ),
    "Muon": _types(
        f4="pt ptErr eta phi mass dxy dxyErr dz dzErr ip3d sip3d pfRelIso03_all pfRelIso03_chg "
        "pfRelIso04_all segmentComp",
        i4="charge pdgId",
        i2="jetIdx svIdx hnlsim_svRow genPartIdx fsrPhotonIdx",
        u1="tightCharge nTrackerLayers genPartFlav",
        bool="isGlobal isTracker isPFcand looseId mediumId tightId highPurity",
    ),
    "Jet": _types(
        f4="pt eta phi mass rawFactor area chHEF neHEF chEmEF neEmEF muEF",
        i2="genJetIdx electronIdx1 electronIdx2 muonIdx1 muonIdx2 partonFlavour",
        u1="jetId nConstituents nElectrons nMuons hadronFlavour",
    ),
    "SV": _types(
        f4="x y z dlen dlenSig dxy dxySig pAngle pt eta phi mass chi2 ndof",
        i2="charge",
        u1="ntracks",
    ),
    "TrigObj": _types(f4="pt eta phi", u2="id", i4="filterBits"),
    "GenPart": _types(f4="pt eta phi mass vx vy vz", i4="pdgId status", u2="statusFlags", i2="genPartIdxMother"),
    "GenJet": _types(f4="pt eta phi mass"),
    "PFCands": _types(
        f4="pt eta phi mass d0 d0Err dz dzErr trkPt",
        i4="pdgId charge numberOfHits numberOfPixelHits pvAssocQuality lostInnerHits",
        i2="svIdx",
    ),
    "JetPFCands": _types(i4="jetIdx pFCandsIdx"),
    "Photon": _types(f4="pt eta phi", i2="electronIdx genPartIdx jetIdx"),
    "FsrPhoton": _types(f4="pt eta phi", i2="muonIdx"),
    "LowPtElectron": _types(f4="pt eta phi mass", i4="charge", i2="electronIdx genPartIdx photonIdx"),
    "Tau": _types(f4="pt eta phi mass", i2="charge genPartIdx jetIdx"),
    "FatJet": _types(f4="pt eta phi mass", i2="genJetAK8Idx subJetIdx1 subJetIdx2"),
    "SubJet": _types(f4="pt eta phi mass"),
    "GenJetAK8": _types(f4="pt eta phi mass"),
    "GenVisTau": _types(f4="pt eta phi mass", i2="charge genPartIdxMother"),
}
"""Types of the collections' fields. Index branches are int16 and small counts uint8 since v10. ``hnlsim_svRow`` is
ours: the row in SV of the vertex that holds the lepton's track, which ``svIdx`` does not tell."""

EMPTY = ("Photon", "FsrPhoton", "LowPtElectron", "Tau", "FatJet", "SubJet", "GenJetAK8", "GenVisTau")
"""Collections that are not simulated and always empty; coffea's NanoAODSchema warns about files without them."""

SCALARS: dict[str, np.dtype] = _types(
    u4="run luminosityBlock",
    u8="event hnlsim_generatorEvent",
    f4="genWeight Generator_weight GenVtx_x GenVtx_y GenVtx_z Pileup_nTrueInt PV_x PV_y PV_z PV_ndof PV_chi2 "
       "MET_pt MET_phi "
       "PuppiMET_pt PuppiMET_phi "
       "fixedGridRhoFastjetAll Rho_fixedGridRhoFastjetAll Rho_fixedGridRhoFastjetCentralNeutral",
    i4="Pileup_nPU",
    u1="PV_npvs PV_npvsGood",
    bool="HLT_IsoMu24 HLT_Ele27_WPTight_Gsf HLT_Ele32_WPTight_Gsf",
)  # fmt: skip
"""Types of the branches with one value per event. ``hnlsim_generatorEvent`` is ours: events with equal values are
reseeds of the detector for one generated event."""

TRUTH = {"GenPart", "GenJet", "GenJetAK8", "GenVisTau", "GenVtx_x", "GenVtx_y", "GenVtx_z"} | {
    "genWeight", "Generator_weight", "Pileup_nTrueInt", "Pileup_nPU", "hnlsim_generatorEvent",
}  # fmt: skip
"""Collections and branches that data do not have."""
TRUTH_FIELDS = {
    "genPartIdx",
    "genPartFlav",
    "genJetIdx",
    "hadronFlavour",
    "partonFlavour",
    "genJetAK8Idx",
    "hnlsim_svRow",
}
"""Fields of other collections that data do not have."""

MANTISSA_BITS = 13
MANTISSA_BITS_POSITION = 19
_POSITIONS = {"x", "y", "z", "vx", "vy", "vz"}


def truncate(values: ObjectColumn, bits: int) -> ObjectColumn:
    """float32 rounded to a mantissa of ``bits`` bits, as NanoAOD does to compress better."""
    raw = np.ascontiguousarray(values, np.float32).view(np.uint32)
    drop = 23 - bits
    rounded = (raw + np.uint32(1 << (drop - 1))) & np.uint32(0xFFFFFFFF ^ ((1 << drop) - 1))
    return np.where(np.isfinite(values), rounded.view(np.float32), np.float32(0))


def cast(name: str, values: ObjectColumn, kind: np.dtype) -> ObjectColumn:
    """Values in the type of their branch."""
    if kind == np.float32 and name not in ("genWeight", "Generator_weight"):
        field = name.rsplit("_", 1)[-1]
        return truncate(values, MANTISSA_BITS_POSITION if field in _POSITIONS else MANTISSA_BITS)
    if kind.kind == "u" and kind.itemsize == 1:
        return np.clip(values, 0, 255).astype(kind)
    return np.asarray(values).astype(kind)


def collection(name: str, rows: ObjectRows, fields: Mapping[str, ObjectColumn]) -> ak.Array:
    """A jagged record array of one collection, every field in the type of its branch.

    Raises:
        KeyError: the fields are not those of :data:`COLLECTIONS`.
    """
    types = COLLECTIONS[name]
    if set(fields) != set(types):
        raise KeyError(f"{name}: {sorted(set(fields) ^ set(types))} missing or not in the format")
    record = ak.zip({field: cast(f"{name}_{field}", fields[field], kind) for field, kind in types.items()})
    return ak.unflatten(record, rows.counts)


def empty(n_events: int) -> dict[str, ak.Array]:
    """The collections that are not simulated."""
    none = ObjectRows(n_events, np.empty(0, np.int64), {})
    return {name: collection(name, none, dict.fromkeys(COLLECTIONS[name], np.empty(0))) for name in EMPTY}
