"""What NanoAOD calls things, from v6 to v15: the only place that knows what differs between versions.

`branches` says which branches a file must be read with; `electrons`, `muons`, `jets`, `vertices` give the same
columns whatever the version, from any NanoEvents (ours or coffea's `Runner`'s).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

import awkward as ak
import numpy as np

from hnl.datasets.arrays import Events, Jagged, Objects, PerEvent
from hnl.datasets.catalogue import Dataset, Era
from hnl.errors import InputError
from hnl.physics.constants import M_PI

# The multivariate electron ID with 90 % efficiency (section 4), newest name first.
MVA_ID_NAMES = ("mvaIso_WP90", "mvaFall17V2Iso_WP90", "mvaFall17Iso_WP90")

# The 'sequential' (cut-based) electron ID of section 4: the cuts in the order of Electron_vidNestedWPBitmap, three bits
# each, which hold the tightest working point passed: 0 fail, 1 veto, 2 loose, 3 medium, 4 tight.
SEQUENTIAL_ID = (
    "MinPtCut",
    "GsfEleSCEtaMultiRangeCut",
    "GsfEleDEtaInSeedCut",
    "GsfEleDPhiInCut",
    "GsfEleFull5x5SigmaIEtaIEtaCut",
    "GsfEleHadronicOverEMEnergyScaledCut",
    "GsfEleEInverseMinusPInverseCut",
    "GsfEleRelPFIsoScaledCut",
    "GsfEleConversionVetoCut",
    "GsfEleMissingHitsCut",
)
_ANY_BARREL_ENDCAP_CUT = "GsfEleEBEECut"  # how newer versions call those that differ by barrel and endcap only

EVENT_IDS = ("run", "luminosityBlock", "event")

# Read from every file of a search that reads the collection (`Needs`); a file without one of them is refused.
# v5 has no SV_dxySig, which section 2 cuts on, and nothing to derive it from: dlenSig has the error in space, and the
# covariance of the vertex is not kept.
ESSENTIAL = {
    "Electron": "pt eta phi mass charge dxy dxyErr dz dzErr ip3d sip3d pfRelIso03_all lostHits vidNestedWPBitmap",
    "Muon": "pt eta phi mass charge dxy dxyErr dz dzErr ip3d sip3d pfRelIso03_all mediumId looseId isGlobal "
    "segmentComp nTrackerLayers",
    "Jet": "pt eta phi mass nConstituents",
    "SV": "pt eta phi mass x y z dlen dlenSig dxy dxySig pAngle chi2 ndof",
    "TrigObj": "pt eta phi id filterBits",
}
PRIMARY_VERTEX = ("PV_x", "PV_y", "PV_z")

# Read where present; their columns of the candidates are missing otherwise.
OPTIONAL = ("Electron_svIdx", "Muon_svIdx", "SV_ntracks")
OPTIONAL_SIMULATION = (
    "Pileup_nTrueInt",
    "Electron_genPartFlav",
    "Muon_genPartFlav",
    "Jet_hadronFlavour",
    "hnlsim_generatorEvent",  # in this project's own samples: equal for re-simulations of one generated event
)
# The charges in the decay of N: all of them or none.
GENERATED = ("nGenPart", *(f"GenPart_{c}" for c in ("pt", "eta", "phi", "mass", "pdgId", "genPartIdxMother")))
# Where generated particles are produced, cm: what vertex() of CMSSW's GenParticle is called in the files of those who
# keep it. Standard NanoAOD (seen: v7, v9, v13; CMSSW's genparticles_cff) has GenVtx_x, _y, _z at best, where the
# collision was, so that nothing in it tells how far N flew.
DECAY_VERTICES = tuple(
    tuple(f"GenPart_{c}" for c in names)
    for names in (("vx", "vy", "vz"), ("vertex_x", "vertex_y", "vertex_z"), ("vertexX", "vertexY", "vertexZ"))
)
# CMS's weights for triggers that fired a bunch crossing early, by column of the candidates: all of them or none.
PREFIRING = {f"weight_prefiring{w}": f"L1PreFiringWeight_{n}" for w, n in (("", "Nom"), ("_up", "Up"), ("_down", "Dn"))}
# PFNano's particles of jets: all of them or none.
PARTICLES = (
    "nPFCands",
    *(f"PFCands_{c}" for c in ("pt", "eta", "phi", "charge", "pdgId", "d0", "d0Err", "numberOfPixelHits")),
    "nJetPFCands",
    "JetPFCands_jetIdx",
    "JetPFCands_pFCandsIdx",
)
# What else section 5 takes of them, and has not by these names in every PFNano: read with them where present. Only this
# project's own samples have svIdx.
PARTICLE_DETAILS = tuple(f"PFCands_{c}" for c in ("dz", "dzErr", "numberOfHits", "pvAssocQuality", "svIdx"))
# What more of a pion is wanted that stands in for l2 (`selections.displaced.k0s`): read for that alone, where present.
PION_DETAILS = ("PFCands_lostInnerHits",)
# For the jet energy resolution, where the era has one: NanoAOD's simulation has all of it.
# (The mass is read for coffea, whose records of momenta must have one.)
GENERATOR_JETS = ("nGenJet", *(f"GenJet_{c}" for c in ("pt", "eta", "phi", "mass")), "Jet_genJetIdx")
RHO_NAMES = ("Rho_fixedGridRhoFastjetAll", "fixedGridRhoFastjetAll")  # newest name first
# Jet_jetId is gone in v15; the same ID from what remains.
JET_ID = "Jet_jetId"
JET_ID_INPUTS = ("Jet_neHEF", "Jet_neEmEF", "Jet_chHEF", "Jet_chMultiplicity", "Jet_neMultiplicity")
JET_ID_TIGHT_BIT = 2


CHARGED_HADRON = 211  # |pdgId| of particle flow


@dataclass(frozen=True)
class Needs:
    """What a search reads of every file, besides trigger paths and weights.

    Attributes:
        collections: of `ESSENTIAL`; with SV the primary vertex, with Jet the particles of jets where they are kept.
        branches: others; a file without one of them is refused.
        optional: others, read where they are present.
    """

    collections: tuple[str, ...] = tuple(ESSENTIAL)
    branches: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := [name for name in self.collections if name not in ESSENTIAL]:
            raise ValueError(f"no collection {unknown[0]!r}: it is one of {', '.join(ESSENTIAL)}")

    def reads(self, branch: str) -> bool:
        """Whether a branch is of no collection, or of one that is read."""
        collection = branch.partition("_")[0]
        return collection not in ESSENTIAL or collection in self.collections


class MissingBranchError(InputError):
    """A file lacks a branch that the analysis cannot do without."""


class UnknownLayoutError(InputError):
    """A branch is there, but its content is not laid out as the analysis knows it."""


def branches(
    names: Collection[str],
    dataset: Dataset,
    era: Era,
    needs: Needs = Needs(),
) -> tuple[list[str], list[str]]:
    """Which branches to read from a file, and which essential ones it lacks.

    Args:
        names: the branches that the file has.
        dataset: tells data from simulation.
        era: tells the trigger paths.
        needs: of the search; all collections by default.

    Returns:
        Branches to read (all present in `names`), and the missing essential ones (empty if the file can be used).
    """
    wanted = [*EVENT_IDS, *(PRIMARY_VERTEX if "SV" in needs.collections else ()), *era.triggers.paths]
    for collection in needs.collections:
        wanted += [f"n{collection}", *(f"{collection}_{field}" for field in ESSENTIAL[collection].split())]
    if "Electron" in needs.collections:
        wanted.append(
            next((f"Electron_{n}" for n in MVA_ID_NAMES if f"Electron_{n}" in names), f"Electron_{MVA_ID_NAMES[0]}")
        )
    if "Jet" in needs.collections:
        wanted += JET_ID_INPUTS if JET_ID not in names and JET_ID_INPUTS[-1] in names else (JET_ID,)
    wanted += needs.branches
    optional = [*OPTIONAL, *needs.optional]
    if not dataset.is_data:
        wanted.append("genWeight")
        optional += OPTIONAL_SIMULATION
        if "Jet" in needs.collections and era.corrections.jets and era.corrections.jets.smearing:
            wanted += (next((name for name in RHO_NAMES if name in names), RHO_NAMES[0]), *GENERATOR_JETS)
        wanted += dataset.generator_weights.branches
    details = tuple(name for name in PARTICLE_DETAILS if name in names)
    groups: list[tuple[str, ...]] = [PARTICLES + details] if "Jet" in needs.collections else []
    if dataset.kind == "signal":
        groups += [GENERATED, decay_vertices(names) or ()]
    groups += [] if dataset.is_data else [tuple(PREFIRING.values())]
    wanted += [branch for branch in optional if branch in names and (branch in needs.optional or needs.reads(branch))]
    wanted += [branch for group in groups if all(b in names for b in group) for branch in group]
    return [b for b in wanted if b in names], [b for b in wanted if b not in names]


def check_electron_id(title: str) -> None:
    """Refuses a vidNestedWPBitmap whose title lists its cuts in another order than `SEQUENTIAL_ID`.

    Titles without a list (files written by other tools) are taken as they are.

    Raises:
        UnknownLayoutError: with the title.
    """
    listed = re.search(r"\(([^)]*,[^)]*)\)", title)
    if listed is None:
        return
    cuts = [cut.strip() for cut in listed.group(1).split(",")]
    if len(cuts) != len(SEQUENTIAL_ID) or any(
        cut not in (known, _ANY_BARREL_ENDCAP_CUT) for cut, known in zip(cuts, SEQUENTIAL_ID, strict=True)
    ):
        raise UnknownLayoutError(f"Electron_vidNestedWPBitmap has cuts in an unknown order: {title}")


def sv_association(names: Collection[str]) -> str:
    """How l2 finds its vertex (`selections.vertices`): by its track alone ('geometric'), or with the help of 'svIdx',
    which says whether there is one, and which it may be (v11 and later)."""
    return "svIdx" if {"Electron_svIdx", "Muon_svIdx"} <= set(names) else "geometric"


def electrons(events: Events) -> Objects:
    """Electrons with `mva_id` (bool), `lost_hits`, and the columns that they share with `muons`.

    Raises:
        MissingBranchError: the file has no electron ID that is known.
    """
    collection = events.Electron
    mva_id = next((name for name in MVA_ID_NAMES if name in collection.fields), None)
    if mva_id is None:
        raise MissingBranchError(f"the events have none of {', '.join(f'Electron_{name}' for name in MVA_ID_NAMES)}")
    return _collection(
        events,
        "Electron",
        mva_id=collection[mva_id],
        lost_hits=collection.lostHits,
        tracker_layers=_constant(collection, np.nan),
        **_lepton_columns(collection, 11),
    )


def muons(events: Events) -> Objects:
    """Muons with `tracker_layers`, and the columns that they share with `electrons`."""
    collection = events.Muon
    return _collection(
        events,
        "Muon",
        lost_hits=_constant(collection, np.nan),
        tracker_layers=collection.nTrackerLayers,
        **_lepton_columns(collection, 13),
    )


def jets(events: Events) -> Objects:
    """Jets with `passes_id` (bool, the tight CMS jet ID), `index` (their place in the file's collection), and
    `flavour` (NanoAOD's hadronFlavour, -1 where the file has none).

    Files without Jet_jetId (v15): the tight ID of Run 3 for |eta| < 2.6 from energy fractions and multiplicities
    (CMS JetMET recommendation for PUPPI jets).
    """
    collection = events.Jet
    if "jetId" in collection.fields:
        passes_id = (collection.jetId & JET_ID_TIGHT_BIT) > 0
    else:
        charged = ak.values_astype(collection.chMultiplicity, np.int32)
        passes_id = (
            (collection.neHEF < 0.99)
            & (collection.neEmEF < 0.9)
            & (collection.chHEF > 0.01)
            & (charged > 0)
            & (charged + collection.neMultiplicity > 1)
            & (np.abs(collection.eta) < 2.6)
        )
    return _collection(
        events,
        "Jet",
        passes_id=passes_id,
        index=ak.local_index(collection.pt, axis=1),
        flavour=_or_constant(collection, "hadronFlavour", -1, np.int16),
    )


def rho(events: Events) -> PerEvent:
    """Energy density of pileup, GeV: one number an event."""
    new, old = RHO_NAMES
    found = field(events, new)
    return events[old] if found is None else found


def generator_jets(events: Events) -> Objects:
    """The generator jet of each jet, by NanoAOD's genJetIdx: pt (GeV), eta, phi; None where it has none.

    An index beyond the generator jets is none as well: NanoAOD does not keep those below 10 GeV.
    """
    index = events.Jet.genJetIdx
    kept = (index >= 0) & (index < ak.num(events.GenJet.pt))
    return events.GenJet[["pt", "eta", "phi"]][ak.mask(index, kept)]


def vertices(events: Events) -> Objects:
    """Secondary vertices: four-momentum of the tracks, `position_x`, `_y`, `_z` (cm), and `ntracks`, NaN where the
    file has none."""
    collection = events.SV
    return _collection(
        events,
        "SV",
        ntracks=_or_constant(collection, "ntracks", np.nan),
        **{f"position_{c}": collection[c] for c in "xyz"},
    )


def trigger_objects(events: Events) -> Objects:
    """HLT objects: pt, eta, phi, id, filterBits."""
    return _collection(events, "TrigObj", mass=_constant(events.TrigObj, 0.0))


def has_sv_index(events: Events) -> bool:
    """Whether leptons know if they are in a vertex (v11 and later), see `sv_association`."""
    return "svIdx" in events.Electron.fields and "svIdx" in events.Muon.fields


def sv_index_counts(n_vertices: PerEvent, *indices: Jagged) -> dict[str, int]:
    """How many leptons are in a vertex by their svIdx, and for how many of them it is no row of the table.

    Args:
        n_vertices: of the table, one number per event.
        indices: jagged svIdx of each collection of leptons; negative where a lepton is in no vertex.
    """
    return {
        "leptons with svIdx >= 0": sum(int(ak.sum(index >= 0)) for index in indices),
        "beyond the table": sum(int(ak.sum((index >= 0) & (index >= n_vertices))) for index in indices),
    }


def has_particles(events: Events) -> bool:
    """Whether the file keeps the particles of jets, see `PARTICLES`."""
    return _all_present(events, PARTICLES)


def decay_vertices(names: Collection[str]) -> tuple[str, ...] | None:
    """The branches of `DECAY_VERTICES` that a file has, None if generated particles have no vertices."""
    has_particles = all(name in names for name in GENERATED)
    return next((group for group in DECAY_VERTICES if has_particles and all(b in names for b in group)), None)


def generated_particles(events: Events) -> Objects | None:
    """GenPart: the columns of `GENERATED` and vx, vy, vz (cm, production), NaN where the file has none.

    None if the file has no generated particles.
    """
    if not _all_present(events, GENERATED):
        return None
    collection = events.GenPart
    names = next((group for group in DECAY_VERTICES if _all_present(events, group)), ())
    places = [field(events, name) for name in names] or [_constant(collection, np.nan)] * 3
    columns = {name: collection[name] for name in collection.fields if f"GenPart_{name}" in GENERATED}
    return ak.zip(columns | dict(zip(("vx", "vy", "vz"), places, strict=True)), depth_limit=2)


def charged_hadrons(events: Events) -> Objects:
    """Charged hadrons among the particles of jets, as four-vectors with d0, d0Err, dz, dzErr (cm) and `lost_hits`: NaN
    where the file does not tell (`PION_DETAILS`).

    CMS counts missing inner hits from -1 for a hit in the first layer to 2 for two and more: here from zero.
    """
    all_particles = events.PFCands
    hadrons = all_particles[(np.abs(all_particles.pdgId) == CHARGED_HADRON) & (all_particles.charge != 0)]
    lost = _or_constant(hadrons, "lostInnerHits", np.nan)
    return ak.zip(
        {name: hadrons[name] for name in ("pt", "eta", "phi", "charge", "d0", "d0Err")}
        | {name: _or_constant(hadrons, name, np.nan) for name in ("dz", "dzErr")}
        | {"mass": ak.full_like(hadrons.pt, M_PI), "lost_hits": ak.where(lost < 0, 0, lost)},
        depth_limit=2,
        with_name="PtEtaPhiMLorentzVector",
        behavior=events.Jet.behavior,
    )


def field(events: Events, branch: str) -> Jagged | PerEvent | None:
    """A branch of the form COLLECTION_FIELD, None if it is not there."""
    collection, _, name = branch.partition("_")
    if collection not in events.fields or name not in events[collection].fields:
        return None
    return events[collection][name]


def _all_present(events: Events, names: tuple[str, ...]) -> bool:
    return all(field(events, name) is not None for name in names if "_" in name)


def _lepton_columns(collection: Objects, flavour: int) -> dict[str, Jagged]:
    """What the analysis needs of either flavour: `flavour` (11, 13), `sv_index` (-2 where the file has none) and
    `gen_flavour` (NanoAOD's genPartFlav, -1 where the file has none)."""
    return {
        "flavour": _constant(collection, flavour, np.int16),
        "sv_index": _or_constant(collection, "svIdx", -2, np.int16),
        "gen_flavour": _or_constant(collection, "genPartFlav", -1, np.int16),
    }


def _constant(collection: Objects, value: float, dtype: type = np.float32) -> Jagged:
    return ak.full_like(collection.pt, value, dtype=dtype)


def _or_constant(collection: Objects, name: str, value: float, dtype: type = np.float32) -> Jagged:
    if name in collection.fields:
        return ak.values_astype(collection[name], dtype)
    return _constant(collection, value, dtype)


def _collection(events: Events, name: str, **columns: Jagged) -> Objects:
    """A collection of four-vectors, reduced to its essential columns and some more.

    Under coffea's `Runner` the other columns of the file are never touched.

    Raises:
        MissingBranchError: an essential column is missing.
    """
    collection = events[name]
    if lacking := [field for field in ESSENTIAL[name].split() if field not in collection.fields]:
        raise MissingBranchError(f"the events have no branch {name}_{lacking[0]}")
    # x, y, z would be read as Cartesian components of the momentum.
    essential = {field: collection[field] for field in ESSENTIAL[name].split() if field not in ("x", "y", "z")}
    return ak.zip(essential | columns, depth_limit=2, with_name="PtEtaPhiMLorentzVector", behavior=collection.behavior)
