"""From the detector's objects to NanoAOD collections."""

from __future__ import annotations

import math
from typing import NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation import jets as jets_module
from hnl.datasets.simulation.jets import Clustered
from hnl.datasets.simulation.nanoaod_format import collection
from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows
from hnl.datasets.simulation.truth import Truth, jet_flavour, lepton_origin
from hnl.datasets.simulation.vertexing import SecondaryVertices

ELECTRON_MASS, MUON_MASS = 0.000511, 0.10566
DISPLACED_LEPTON, NEAR_JET, MAX_CANDS = 0.01, 0.7, 50
"""PFCands are stored for jets within Delta R < 0.7 of a lepton with |d_xy| > 0.01 cm, 50 per jet (paper, section 5)."""


class VertexOfTrack(NamedTuple):
    """The vertex that holds each track, -1 if none.

    Attributes:
        sv_index: NanoAOD's svIdx. CMSSW (PATObjectCrossLinker) takes the first of all vertices, and counts also those
            that the table of vertices does not keep.
        row: the truth, which is the row in SV of the vertex with the highest p_T (paper, section 2).
    """

    sv_index: NDArray[np.int64]
    row: NDArray[np.int64]


def track_to_vertex(vertices: SecondaryVertices, n_tracks: int) -> VertexOfTrack:
    """The vertex of each track, in NanoAOD's count and in truth."""
    sv_index, row = np.full(n_tracks, -1), np.full(n_tracks, -1)
    sv_index[vertices.track[::-1]] = vertices.vertices.local[vertices.vertex[::-1]]  # of several values the last stays
    kept = vertices.vertices[vertices.in_table]
    inside = vertices.in_table[vertices.vertex]
    track, vertex = vertices.track[inside], (np.cumsum(vertices.in_table) - 1)[vertices.vertex[inside]]
    order = np.argsort(np.hypot(kept.px, kept.py)[vertex], kind="stable")
    row[track[order]] = kept.local[vertex[order]]
    return VertexOfTrack(sv_index, row)


def track_to_jet(clustered: Clustered, cands: ObjectRows, n_tracks: int) -> NDArray[np.int64]:
    """For each track the position in Jet of the jet that holds it, -1 if none."""
    out = np.full(n_tracks, -1)
    track = cands.track[clustered.member]
    out[track[track >= 0]] = clustered.jets.local[clustered.jet[track >= 0]]
    return out


def _lepton_fields(
    rows: ObjectRows, charge: ObjectColumn, mass: float, to_jet: ObjectColumn, to_vertex: VertexOfTrack, truth: Truth
) -> dict[str, ObjectColumn]:
    index, flavour = lepton_origin(rows, truth)
    return {
        "pt": rows.pt,
        "eta": rows.eta,
        "phi": rows.phi,
        "mass": np.full(len(rows), mass),
        "dxy": rows.dxy,
        "dxyErr": rows.dxy_err,
        "dz": rows.dz,
        "dzErr": rows.dz_err,
        "ip3d": rows.ip3d,
        "sip3d": rows.sip3d,
        "pfRelIso03_all": rows.iso03,
        "pfRelIso03_chg": rows.iso03_charged,
        "charge": charge,
        "pdgId": -charge * rows.flavour,
        "jetIdx": to_jet[rows.track],
        "svIdx": to_vertex.sv_index[rows.track],
        "hnlsim_svRow": to_vertex.row[rows.track],
        "genPartIdx": index,
        "genPartFlav": flavour,
    }


def electron(rows: ObjectRows, to_jet: ObjectColumn, to_vertex: VertexOfTrack, truth: Truth) -> ak.Array:
    """The Electron collection."""
    fields = _lepton_fields(rows, rows.reco_charge, ELECTRON_MASS, to_jet, to_vertex, truth)
    fields |= {
        "deltaEtaSC": rows.deta_sc,
        "sieie": rows.sieie,
        "hoe": rows.hoe,
        "eInvMinusPInv": rows.einv / np.maximum(rows.pt, 1.0),
        "vidNestedWPBitmap": rows.vid,
        "lostHits": rows.lost,
        "cutBased": rows.cut_based,
        "convVeto": rows.conv_veto,
        "mvaIso_WP90": rows.mva_wp90,
        "mvaNoIso_WP90": rows.mva_noiso_wp90,
        "photonIdx": np.full(len(rows), -1),
    }
    return collection("Electron", rows, fields)


def muon(rows: ObjectRows, to_jet: ObjectColumn, to_vertex: VertexOfTrack, truth: Truth) -> ak.Array:
    """The Muon collection."""
    n = len(rows)
    fields = _lepton_fields(rows, rows.charge, MUON_MASS, to_jet, to_vertex, truth)
    fields |= {
        "ptErr": rows.pt * rows.s_kappa / np.abs(rows.kappa),
        "pfRelIso04_all": rows.iso04,
        "segmentComp": rows.segment_comp,
        "tightCharge": np.full(n, 2),
        "nTrackerLayers": rows.n_pixel + rows.n_strip,
        "isGlobal": rows.is_global,
        "isTracker": np.ones(n, bool),
        "isPFcand": rows.loose_id,
        "looseId": rows.loose_id,
        "mediumId": rows.medium_id,
        "tightId": rows.tight_id,
        "highPurity": rows.high_purity,
        "fsrPhotonIdx": np.full(n, -1),
    }
    return collection("Muon", rows, fields)


def jet(
    clustered: Clustered,
    gen_jets: ObjectRows,
    electrons: ObjectRows,
    muons: ObjectRows,
    to_jet: ObjectColumn,
    truth: Truth,
) -> ak.Array:
    """The Jet collection."""
    rows = clustered.jets
    flavour = jet_flavour(rows, truth)
    fields = {
        "pt": rows.pt,
        "eta": rows.eta,
        "phi": rows.phi,
        "mass": rows.mass,
        "rawFactor": rows.raw_factor,
        "area": rows.area,
        "chHEF": rows.ch_hef,
        "neHEF": rows.ne_hef,
        "chEmEF": rows.ch_emf,
        "neEmEF": rows.ne_emf,
        "muEF": rows.mu_ef,
        "genJetIdx": jets_module.nearest(rows, gen_jets, 0.2),
        "partonFlavour": flavour,
        "hadronFlavour": flavour,
        "jetId": rows.jet_id,
        "nConstituents": rows.n,
        "nElectrons": rows.n_electrons,
        "nMuons": rows.n_muons,
    }
    for name, leptons in (("electronIdx", electrons), ("muonIdx", muons)):
        fields |= dict(zip((f"{name}1", f"{name}2"), _first_two(rows, leptons, to_jet), strict=True))
    return collection("Jet", rows, fields)


def _first_two(jets: ObjectRows, leptons: ObjectRows, to_jet: ObjectColumn) -> tuple[ObjectColumn, ObjectColumn]:
    """Positions of the two leading leptons in each jet, -1 where there are fewer."""
    first, second = np.full(len(jets), -1), np.full(len(jets), -1)
    inside = np.flatnonzero(to_jet[leptons.track] >= 0)
    row = jets.offsets[:-1][leptons.event[inside]] + to_jet[leptons.track[inside]]
    order = np.lexsort((leptons.local[inside], row))
    row, local = row[order], leptons.local[inside][order]
    unique, start, count = np.unique(row, return_index=True, return_counts=True)
    first[unique] = local[start]
    second[unique[count > 1]] = local[start[count > 1] + 1]
    return first, second


def sv(vertices: SecondaryVertices) -> ak.Array:
    """The SV collection.

    As in NanoAOD it has only the significant vertices, chi2 is divided by ndof, and pAngle is pi for a vertex that
    points back to the PV.
    """
    v = vertices.vertices[vertices.in_table]
    pt = np.hypot(v.px, v.py)
    mass2 = v.energy**2 - pt**2 - v.pz**2
    fields = {
        "x": v.x,
        "y": v.y,
        "z": v.z,
        "dlen": v.dlen,
        "dlenSig": v.dlen_sig,
        "dxy": v.dxy,
        "dxySig": v.dxy_sig,
        "pAngle": math.pi - v.angle,
        "pt": pt,
        "eta": np.arcsinh(v.pz / pt),
        "phi": np.arctan2(v.py, v.px),
        "mass": np.sqrt(np.maximum(0.0, mass2)),
        "chi2": v.chi2,
        "ndof": v.ndof,
        "charge": v.charge,
        "ntracks": v.ntracks,
    }
    return collection("SV", v, fields)


def trigger_objects(rows: ObjectRows) -> ak.Array:
    """The TrigObj collection."""
    fields = {"pt": rows.pt, "eta": rows.eta, "phi": rows.phi, "id": rows.id, "filterBits": rows.bits}
    return collection("TrigObj", rows, fields)


def gen_part(truth: Truth) -> ak.Array:
    """The GenPart collection, with production vertices."""
    k = truth.kept
    fields = {
        "pt": k.pt,
        "eta": k.eta,
        "phi": k.phi,
        "mass": k.mass,
        "vx": k.vx,
        "vy": k.vy,
        "vz": k.vz,
        "pdgId": k.pdg,
        "status": k.nano_status,
        "statusFlags": k.flags,
        "genPartIdxMother": k.mother,
    }
    return collection("GenPart", k, fields)


def gen_jet(rows: ObjectRows) -> ak.Array:
    """The GenJet collection."""
    return collection("GenJet", rows, {name: rows.columns[name] for name in ("pt", "eta", "phi", "mass")})


def particle_flow(
    clustered: Clustered,
    cands: ObjectRows,
    tracks: ObjectRows,
    leptons: ObjectRows,
    to_vertex: VertexOfTrack,
    every_jet: bool = False,
) -> tuple[ak.Array, ak.Array]:
    """The collections PFCands and JetPFCands.

    PFCands holds the constituents, by falling p_T, of the jets near displaced leptons or of every jet. JetPFCands holds
    the links of jets to them: one entry per constituent of every jet, as coffea's schema assumes, with ``pFCandsIdx``
    -1 if the constituent is not stored.
    """
    displaced = leptons[np.abs(leptons.dxy) > DISPLACED_LEPTON]
    near = np.full(len(clustered.jets), every_jet)
    local = jets_module.nearest(displaced, clustered.jets, NEAR_JET)
    near[(clustered.jets.offsets[:-1][displaced.event] + local)[local >= 0]] = True
    order = np.lexsort((-cands.pt[clustered.member], clustered.jet))
    jet_row, member = clustered.jet[order], clustered.member[order]
    rank = np.arange(len(jet_row)) - np.searchsorted(jet_row, jet_row)
    stored = near[jet_row] & (rank < MAX_CANDS)
    link_rows = ObjectRows(cands.n_events, cands.event[member], {})
    kept = member[stored]
    c = ObjectRows(cands.n_events, cands.event[kept], {k: v[kept] for k, v in cands.columns.items()})
    stored_index = np.full(len(member), -1)
    stored_index[stored] = c.local
    charged = c.track >= 0

    def of_track(name: str, default: float = -1.0) -> ObjectColumn:
        out = np.full(len(c), default)
        out[charged] = tracks.columns[name][c.track[charged]]
        return out

    n_pixel = of_track("n_pixel", 0)
    fields = {
        "pt": c.pt,
        "eta": c.eta,
        "phi": c.phi,
        "mass": c.mass,
        "d0": of_track("dxy"),
        "d0Err": of_track("dxy_err"),
        "dz": of_track("dz"),
        "dzErr": of_track("dz_err"),
        "trkPt": of_track("pt"),
        "pdgId": c.pdg,
        "charge": of_track("charge", 0),
        "numberOfHits": n_pixel + of_track("n_strip", 0),
        "numberOfPixelHits": n_pixel,
        "pvAssocQuality": c.quality,
        "lostInnerHits": of_track("lost", 0),
        "svIdx": np.where(charged, to_vertex.sv_index[np.maximum(c.track, 0)], -1),
    }
    links = {"jetIdx": clustered.jets.local[jet_row], "pFCandsIdx": stored_index}
    return collection("PFCands", c, fields), collection("JetPFCands", link_rows, links)
