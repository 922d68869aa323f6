"""The Electron collection: identification variables and the VID bitmap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.leptons import ENDCAP
from hnl.datasets.simulation.parameters import DETECTOR, Detector
from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows, key
from hnl.datasets.simulation.tracking import ELECTRON

VID_CUTS = (
    "MinPt", "SCEtaMultiRange", "DEtaInSeed", "DPhiIn", "Full5x5SigmaIEtaIEta", "HadronicOverEM",
    "EInverseMinusPInverse", "RelPFIso", "ConversionVeto", "MissingHits",
)  # fmt: skip
"""The ten cuts of the CMS sequential (cut-based) ID in the order of the bitmap. Bits 3i to 3i + 2 hold the tightest
working point that passes cut i: 0 none, 1 veto, 2 loose, 3 medium, 4 tight."""

SHAPE_CUTS = {
    "DEtaInSeed": ((0.00463, 0.00377, 0.0032, 0.00255), (0.00814, 0.00674, 0.00632, 0.00501)),
    "DPhiIn": ((0.148, 0.0884, 0.0547, 0.022), (0.19, 0.169, 0.0394, 0.0236)),
    "Full5x5SigmaIEtaIEta": ((0.0126, 0.0112, 0.0106, 0.0104), (0.0457, 0.0425, 0.0387, 0.0353)),
    "EInverseMinusPInverse": ((0.209, 0.193, 0.184, 0.159), (0.132, 0.111, 0.0721, 0.0197)),
}
"""Largest |value| for veto, loose, medium, tight, in barrel and endcaps: public Fall17V2 ID of CMS."""

_ISO_CUTS = (((0.198, 0.112, 0.0478, 0.0287), (0.203, 0.108, 0.0658, 0.0445)), (0.506, 0.963))
_HOE_CUTS = (((0.05, 0.05, 0.046, 0.026), (0.05, 0.0441, 0.0275, 0.0188)), (1.16, 2.54), (0.0324, 0.183))
_MISSING_HITS = ((2, 1, 1, 1), (3, 1, 1, 1))


def level(
    value: ObjectColumn, eta: ObjectColumn, cuts: tuple[tuple[float, ...], tuple[float, ...]], relax: ObjectColumn
) -> NDArray[np.int64]:
    """Tightest working point (0 to 4) for which |value| <= cut + relax; cuts for barrel and endcaps.

    Args:
        value, eta: value of the variable and pseudorapidity, one per electron.
        cuts: limits of veto, loose, medium, tight.
        relax: added to every limit, one per electron.
    """
    limits = np.where((np.abs(eta) < ENDCAP)[:, None], np.array(cuts[0]), np.array(cuts[1])) + relax[:, None]
    passed = np.abs(value)[:, None] <= limits
    return np.asarray(np.cumprod(passed, axis=1).sum(axis=1))


def pack(levels: NDArray[np.int64]) -> NDArray[np.int32]:
    """The VID bitmap of electrons with these levels, shape (electrons, 10)."""
    return np.asarray((levels << (3 * np.arange(len(VID_CUTS)))).sum(axis=1), np.int32)


def build(
    leptons: ObjectRows, tracks: ObjectRows, rho: ObjectColumn, draws: Draws, detector: Detector = DETECTOR
) -> ObjectRows:
    """Electrons with the variables of their identification.

    Shower shapes and track-cluster matching are drawn from normal distributions: narrow for true electrons,
    wide for hadrons, wider with displacement and in jets. H/E follows from the hadrons close to the electron.

    Args:
        leptons: isolated leptons of both flavours.
        tracks: all measured tracks.
        rho: neutral p_T density of each event, GeV.

    Returns:
        The electrons' rows, with ``sieie``, ``einv``, ``hoe``, ``deta_sc``, ``conv_veto``, ``vid``,
        ``cut_based``, ``mva_wp90``, ``mva_noiso_wp90`` and ``reco_charge`` added.
    """
    rows = leptons[leptons.flavour == 11]
    p = detector.electrons
    genuine, eta = rows.kind == ELECTRON, rows.eta
    width = np.where(genuine, p.shower_width, p.fake_width)
    width = width * (1 + p.width_per_cm * rows.radius) * (1 + p.width_core * np.minimum(rows.core / rows.pt, 2.0))
    levels, values = np.full((len(rows), len(VID_CUTS)), 4), {}
    zero = np.zeros(len(rows))
    for name, cuts in SHAPE_CUTS.items():
        loose = np.where(np.abs(eta) < ENDCAP, cuts[0][1], cuts[1][1])
        values[name] = loose * width * draws.normal(rows.event, rows.uid, name)
        levels[:, VID_CUTS.index(name)] = level(values[name], eta, cuts, zero)
    barrel = np.abs(eta) < ENDCAP
    energy = np.maximum(rows.pt * np.cosh(eta), 1.0)
    behind = np.where(genuine, p.hoe_core[0] * draws.uniform(rows.event, rows.uid, "hoe core"), p.hoe_core[1])
    noise = p.hoe_noise * np.abs(draws.normal(rows.event, rows.uid, "hoe"))
    hoe = noise + behind * rows.core / rows.pt
    slack = np.where(barrel, _HOE_CUTS[1][0], _HOE_CUTS[1][1])
    slack = (slack + np.where(barrel, _HOE_CUTS[2][0], _HOE_CUTS[2][1]) * rho[rows.event]) / energy
    levels[:, VID_CUTS.index("HadronicOverEM")] = level(hoe, eta, _HOE_CUTS[0], slack)
    slack = np.where(barrel, *_ISO_CUTS[1]) / rows.pt
    levels[:, VID_CUTS.index("RelPFIso")] = level(rows.iso03, eta, _ISO_CUTS[0], slack)
    levels[:, VID_CUTS.index("MissingHits")] = level(rows.lost, eta, _MISSING_HITS, zero)
    vetoed = _has_partner(rows, tracks)
    levels[vetoed, VID_CUTS.index("ConversionVeto")] = 0
    # The multivariate ID uses the same information: shapes at least loose, few missing hits, no conversion.
    shapes = (levels[:, [2, 3, 4, 5, 6]] >= 1).all(axis=1) & (rows.lost <= 1) & ~vetoed
    shapes &= draws.uniform(rows.event, rows.uid, "mva") < np.where(genuine, p.mva_efficiency, p.mva_fake)
    flipped = draws.uniform(rows.event, rows.uid, "charge flip") < p.charge_flip
    return rows.with_columns(
        # The width of sigma(i eta, i eta) stands for its excess: it is positive, about half the cut for an electron.
        sieie=np.abs(values["Full5x5SigmaIEtaIEta"]),
        einv=values["EInverseMinusPInverse"],
        deta_sc=values["DEtaInSeed"],
        hoe=hoe,
        conv_veto=~vetoed,
        vid=pack(levels),
        cut_based=levels.min(axis=1),
        mva_wp90=shapes & (rows.iso03 < p.mva_iso),
        mva_noiso_wp90=shapes,
        reco_charge=np.where(flipped, -rows.charge, rows.charge),
    )


def _has_partner(electrons: ObjectRows, tracks: ObjectRows) -> NDArray[np.bool_]:
    """Whether an electron from a photon conversion has a reconstructed partner track, which reveals the conversion."""
    converted = electrons.uid >> 40 == 1
    return np.asarray(converted & np.isin(key(electrons.event, electrons.uid ^ 1), key(tracks.event, tracks.uid)))
