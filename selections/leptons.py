"""Prompt and nonprompt leptons: Table 1 of the paper, line by line.

All cuts are strict, as Table 1 writes them. Columns are NanoAOD's: pt in GeV, dxy and dz in cm, relative isolation in
a cone of R = 0.3 (section 4).
"""

from dataclasses import dataclass
from math import inf

import awkward as ak
import numpy as np

from hnl.datasets.arrays import Jagged, Mask, Objects, PerEvent, require
from hnl.datasets.nanoaod import SEQUENTIAL_ID


@dataclass(frozen=True)
class LeptonCuts:
    """Requirements on one kind of lepton (paper, Table 1). Lengths in cm, momenta in GeV."""

    pt: float
    abs_eta: float
    abs_dxy: tuple[float, float]
    abs_dz: float
    rel_iso: float = inf


# Table 1, columns 'Prompt electrons', 'Prompt muons', 'Nonprompt electrons', 'Nonprompt muons'.
PROMPT_ELECTRON_2016 = LeptonCuts(pt=30, abs_eta=2.5, abs_dxy=(-inf, 0.02), abs_dz=0.04, rel_iso=0.1)
PROMPT_ELECTRON_2017 = LeptonCuts(pt=34, abs_eta=2.5, abs_dxy=(-inf, 0.02), abs_dz=0.04, rel_iso=0.1)
PROMPT_MUON = LeptonCuts(pt=30, abs_eta=2.4, abs_dxy=(-inf, 0.01), abs_dz=0.1, rel_iso=0.1)
NONPROMPT_ELECTRON = LeptonCuts(pt=7, abs_eta=2.5, abs_dxy=(0.02, inf), abs_dz=10)
NONPROMPT_MUON = LeptonCuts(pt=7, abs_eta=2.4, abs_dxy=(0.02, inf), abs_dz=10)

# The sequential ID with 90 % efficiency (section 4) is the loose working point of the CMS cut-based ID. Section 4
# removes the conversion veto and the missing hits for nonprompt electrons. Table 1 has no isolation for them, so the
# isolation cut of the ID is removed as well.
NOT_FOR_NONPROMPT = ("GsfEleRelPFIsoScaledCut", "GsfEleConversionVetoCut", "GsfEleMissingHitsCut")

# Segment compatibility of the medium muon ID for global muons and for the others (CMS, arXiv:1804.04528).
SEGMENT_COMPATIBILITY_GLOBAL = 0.303
SEGMENT_COMPATIBILITY_OTHER = 0.451


def prompt_electron_cuts(year: int) -> LeptonCuts:
    """The column of Table 1 for a year: 34 GeV is for 2017-2018. Our choice: later years are as 2018, 2015 is as
    2016."""
    return PROMPT_ELECTRON_2016 if year <= 2016 else PROMPT_ELECTRON_2017


def passes(leptons: Objects, cuts: LeptonCuts) -> Mask:
    """Mask of the leptons that pass a column of Table 1, except for its ID line.

    Args:
        leptons: jagged records with pt (GeV), eta, dxy, dz (cm), pfRelIso03_all.
    """
    dxy = np.abs(leptons.dxy)
    mask = (
        (leptons.pt > cuts.pt)
        & (np.abs(leptons.eta) < cuts.abs_eta)
        & (dxy > cuts.abs_dxy[0])
        & (dxy < cuts.abs_dxy[1])
        & (np.abs(leptons.dz) < cuts.abs_dz)
    )
    return mask if cuts.rel_iso == inf else mask & (leptons.pfRelIso03_all < cuts.rel_iso)


def reduced_sequential_id(bitmap: Jagged) -> Mask:
    """The loose sequential electron ID without the cuts of `NOT_FOR_NONPROMPT` (section 4).

    Args:
        bitmap: Electron_vidNestedWPBitmap, three bits per cut in the order of `SEQUENTIAL_ID`.
    """
    kept = sum(1 << 3 * i for i, cut in enumerate(SEQUENTIAL_ID) if cut not in NOT_FOR_NONPROMPT)
    # Loose (2) or tighter: one of the upper two bits of the three is set. Both moved to the lowest bit of their cut.
    loose = (bitmap >> 1) | (bitmap >> 2)
    return (loose & kept) == kept


def reduced_medium_id(muons: Objects) -> Mask:
    """The medium muon ID without valid-hit fraction and global-fit quality (section 4).

    The medium ID requires: loose, valid-hit fraction > 0.8, and either a good global muon (fit chi2 < 3,
    tracker-standalone match chi2 < 12, kink < 20) with segment compatibility > 0.303, or segment compatibility > 0.451.
    Without the removed requirements 'good global' becomes 'global' (our reading; NanoAOD has no other).

    Args:
        muons: jagged records with looseId, isGlobal (bool), segmentComp (0 to 1).
    """
    good = muons.segmentComp > SEGMENT_COMPATIBILITY_OTHER
    return muons.looseId & (good | (muons.isGlobal & (muons.segmentComp > SEGMENT_COMPATIBILITY_GLOBAL)))


def prompt_electrons(electrons: Objects, year: int) -> Objects:
    """Table 1, 'Prompt electrons', with the full (multivariate, 90 %) ID in the column `mva_id`.

    Raises:
        MissingColumnError: plain NanoEvents have no `mva_id`: its name depends on the version.
    """
    require(electrons, "electrons", "mva_id")
    return electrons[passes(electrons, prompt_electron_cuts(year)) & electrons.mva_id]


def prompt_muons(muons: Objects) -> Objects:
    """Table 1, 'Prompt muons', with the full medium ID."""
    return muons[passes(muons, PROMPT_MUON) & muons.mediumId]


def nonprompt_electrons(electrons: Objects) -> Objects:
    """Table 1, 'Nonprompt electrons', with the reduced sequential ID."""
    return electrons[passes(electrons, NONPROMPT_ELECTRON) & reduced_sequential_id(electrons.vidNestedWPBitmap)]


def nonprompt_muons(muons: Objects) -> Objects:
    """Table 1, 'Nonprompt muons', with the reduced medium ID."""
    return muons[passes(muons, NONPROMPT_MUON) & reduced_medium_id(muons)]


# Columns of both flavours (names of NanoAOD, and of `datasets.nanoaod`).
COMMON = ["pt", "eta", "phi", "mass", "charge", "dxy", "dxyErr", "dz", "dzErr", "ip3d", "sip3d", "pfRelIso03_all"]
COMMON += ["flavour", "sv_index", "lost_hits", "tracker_layers", "gen_flavour"]


def leading(electrons: Objects, muons: Objects) -> PerEvent:
    """The lepton with the highest pt of each event, of either flavour.

    Args:
        electrons: jagged electrons; together with `muons` at least one lepton per event.
        muons: jagged muons.

    Returns:
        One record per event with the columns of `COMMON`.

    Raises:
        MissingColumnError: plain NanoEvents lack some of `COMMON`.
    """
    require(electrons, "electrons", *COMMON)
    require(muons, "muons", *COMMON)
    leptons = ak.with_name(ak.concatenate([electrons[COMMON], muons[COMMON]], axis=1), "PtEtaPhiMLorentzVector")
    highest = ak.from_regular(ak.argmax(leptons.pt, axis=1, keepdims=True, mask_identity=False))
    return leptons[highest][:, 0]
