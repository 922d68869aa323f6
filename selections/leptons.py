"""Prompt and nonprompt leptons: Table 1 of the paper, line by line.

All cuts are strict, as Table 1 writes them. Columns are NanoAOD's: pt in GeV, dxy and dz in cm, relative isolation in
a cone of R = 0.3 (section 4).
"""

from typing import Any, Self

import awkward as ak
import numpy as np
from pydantic import Field, model_validator

from hnl.datasets.arrays import Jagged, Mask, Objects, PerEvent, require
from hnl.datasets.model import Real, Settings
from hnl.datasets.nanoaod import SEQUENTIAL_ID


class LeptonCuts(Settings):
    """Requirements on one kind of lepton: a column of Table 1."""

    pt: Real
    abs_eta: Real
    abs_dz: Real
    min_abs_dxy: Real | None
    max_abs_dxy: Real | None
    rel_iso: Real | None


def _pt(default: float) -> Any:
    return Field(default=default, ge=0, description="GeV, least transverse momentum (Table 1)")


def _abs_eta(default: float) -> Any:
    return Field(default=default, gt=0, description="largest |eta| (Table 1)")


def _abs_dz(default: float) -> Any:
    return Field(default=default, gt=0, description="cm, largest |d_z| (Table 1)")


def _min_abs_dxy(default: float | None) -> Any:
    return Field(default=default, ge=0, description="cm, least |d_xy| (Table 1)")


def _max_abs_dxy(default: float | None) -> Any:
    return Field(default=default, gt=0, description="cm, largest |d_xy| (Table 1)")


def _rel_iso(default: float | None) -> Any:
    return Field(default=default, gt=0, description="largest relative isolation (Table 1)")


class PromptElectrons(LeptonCuts):
    """Table 1, 'Prompt electrons', 2017 and later: 34 GeV is for 2017-2018. Our choice: later years are as 2018."""

    pt: Real = _pt(34)
    abs_eta: Real = _abs_eta(2.5)
    abs_dz: Real = _abs_dz(0.04)
    min_abs_dxy: Real | None = _min_abs_dxy(None)
    max_abs_dxy: Real | None = _max_abs_dxy(0.02)
    rel_iso: Real | None = _rel_iso(0.1)


class PromptElectrons2016(PromptElectrons):
    """Table 1, 'Prompt electrons', to 2016. Our choice: 2015 is as 2016."""

    pt: Real = _pt(30)


class PromptMuons(LeptonCuts):
    """Table 1, 'Prompt muons'."""

    pt: Real = _pt(30)
    abs_eta: Real = _abs_eta(2.4)
    abs_dz: Real = _abs_dz(0.1)
    min_abs_dxy: Real | None = _min_abs_dxy(None)
    max_abs_dxy: Real | None = _max_abs_dxy(0.01)
    rel_iso: Real | None = _rel_iso(0.1)


class NonpromptElectrons(LeptonCuts):
    """Table 1, 'Nonprompt electrons'."""

    pt: Real = _pt(7)
    abs_eta: Real = _abs_eta(2.5)
    abs_dz: Real = _abs_dz(10)
    min_abs_dxy: Real | None = _min_abs_dxy(0.02)
    max_abs_dxy: Real | None = _max_abs_dxy(None)
    rel_iso: Real | None = _rel_iso(None)


class NonpromptMuons(NonpromptElectrons):
    """Table 1, 'Nonprompt muons'."""

    abs_eta: Real = _abs_eta(2.4)


class LeptonSettings(Settings):
    """The columns of Table 1. Lengths in cm, momenta in GeV; null is no requirement."""

    prompt_electrons: PromptElectrons = Field(default=PromptElectrons(), description="2017 and later")
    prompt_electrons_2016: PromptElectrons2016 = Field(default=PromptElectrons2016(), description="to 2016")
    prompt_muons: PromptMuons = Field(default=PromptMuons(), description="of all years")
    nonprompt_electrons: NonpromptElectrons = Field(default=NonpromptElectrons(), description="of all years")
    nonprompt_muons: NonpromptMuons = Field(default=NonpromptMuons(), description="of all years")

    @model_validator(mode="after")
    def _none_is_both(self) -> Self:
        electrons = (self.prompt_electrons, self.nonprompt_electrons)
        before = (self.prompt_electrons_2016, self.nonprompt_electrons)
        for prompt, nonprompt in (electrons, before, (self.prompt_muons, self.nonprompt_muons)):
            most, least = prompt.max_abs_dxy, nonprompt.min_abs_dxy
            if most is None or least is None or most > least:
                raise ValueError(f"a lepton would be prompt (|d_xy| < {most} cm) and nonprompt (> {least} cm) at once")
        return self

    def of_year(self, year: int) -> PromptElectrons:
        """The column of prompt electrons for a year."""
        return self.prompt_electrons_2016 if year <= 2016 else self.prompt_electrons


PAPER = LeptonSettings()

# The sequential ID with 90 % efficiency (section 4) is the loose working point of the CMS cut-based ID. Section 4
# removes the conversion veto and the missing hits for nonprompt electrons. Table 1 has no isolation for them, so the
# isolation cut of the ID is removed as well.
NOT_FOR_NONPROMPT = ("GsfEleRelPFIsoScaledCut", "GsfEleConversionVetoCut", "GsfEleMissingHitsCut")

# Segment compatibility of the medium muon ID for global muons and for the others (CMS, arXiv:1804.04528).
SEGMENT_COMPATIBILITY_GLOBAL = 0.303
SEGMENT_COMPATIBILITY_OTHER = 0.451


def passes(leptons: Objects, cuts: LeptonCuts) -> Mask:
    """Mask of the leptons that pass a column of Table 1, except for its ID line.

    Args:
        leptons: jagged records with pt (GeV), eta, dxy, dz (cm), pfRelIso03_all.
    """
    dxy = np.abs(leptons.dxy)
    mask = (leptons.pt > cuts.pt) & (np.abs(leptons.eta) < cuts.abs_eta) & (np.abs(leptons.dz) < cuts.abs_dz)
    if cuts.min_abs_dxy is not None:
        mask = mask & (dxy > cuts.min_abs_dxy)
    if cuts.max_abs_dxy is not None:
        mask = mask & (dxy < cuts.max_abs_dxy)
    return mask if cuts.rel_iso is None else mask & (leptons.pfRelIso03_all < cuts.rel_iso)


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


def prompt_electrons(electrons: Objects, year: int, cuts: LeptonSettings = PAPER) -> Objects:
    """Table 1, 'Prompt electrons', with the full (multivariate, 90 %) ID in the column `mva_id`.

    Raises:
        MissingColumnError: plain NanoEvents have no `mva_id`: its name depends on the version.
    """
    require(electrons, "electrons", "mva_id")
    return electrons[passes(electrons, cuts.of_year(year)) & electrons.mva_id]


def prompt_muons(muons: Objects, cuts: LeptonSettings = PAPER) -> Objects:
    """Table 1, 'Prompt muons', with the full medium ID."""
    return muons[passes(muons, cuts.prompt_muons) & muons.mediumId]


def nonprompt_electrons(electrons: Objects, cuts: LeptonSettings = PAPER) -> Objects:
    """Table 1, 'Nonprompt electrons', with the reduced sequential ID."""
    chosen = passes(electrons, cuts.nonprompt_electrons)
    return electrons[chosen & reduced_sequential_id(electrons.vidNestedWPBitmap)]


def nonprompt_muons(muons: Objects, cuts: LeptonSettings = PAPER) -> Objects:
    """Table 1, 'Nonprompt muons', with the reduced medium ID."""
    return muons[passes(muons, cuts.nonprompt_muons) & reduced_medium_id(muons)]


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
