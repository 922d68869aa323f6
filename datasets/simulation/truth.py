"""The generator's truth in NanoAOD form: a pruned GenPart and the origin of leptons and jets. For simulation only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation.compiled import compiled
from hnl.datasets.simulation.jets import nearest
from hnl.datasets.simulation.particles import HNL, STABLE, has_flavour, is_hadron
from hnl.datasets.simulation.rows import ObjectColumn, ObjectRows

FROM_HADRON, FROM_B, FROM_C, FROM_TAU, FROM_N, FROM_BOSON = 1, 2, 4, 8, 16, 32
"""Bits of the ancestry of a particle."""

_PROMPT, _TAU_PRODUCT, _FROM_HARD, _FIRST_COPY, _LAST_COPY, _DIRECT_HADRON = 0, 2, 8, 12, 13, 6


@dataclass(frozen=True)
class Truth:
    """The pruned generator record.

    Attributes:
        all: every generated particle (propagation.generated) with ``ancestry`` (bits above).
        kept: the rows of GenPart, with ``mother`` (position in GenPart, -1), ``flags`` (statusFlags), ``pt``,
            ``eta``, ``phi``, ``mass`` and ``vx, vy, vz`` (cm, laboratory).
        gen_part: position in GenPart of every generated particle, -1 if it was pruned.
    """

    all: ObjectRows
    kept: ObjectRows
    gen_part: NDArray[np.int64]


@compiled
def _inherit(
    parent: ObjectColumn, bits: ObjectColumn, keep: ObjectColumn
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bits of all ancestors, and the row of the nearest kept ancestor (-1: none); parents stand before children."""
    ancestry, nearest = np.zeros(len(parent), np.int64), np.full(len(parent), -1)
    for i in range(len(parent)):
        m = parent[i]
        if m >= 0:
            ancestry[i] = ancestry[m] | bits[m]
            nearest[i] = m if keep[m] else nearest[m]
    return ancestry, nearest


def build(generated: ObjectRows, vertex: ObjectColumn) -> Truth:
    """Prune the generator record.

    It keeps W, Z, H, t, N and all N decays, leptons above 2 GeV (neutrinos above 5), photons above 5 GeV that do not
    come from hadrons, and the last b and the last c hadrons.

    Args:
        generated: output of propagation.generated.
        vertex: hard interaction of each event, shape (events, 3), cm.
    """
    rows = generated
    code = np.abs(rows.pdg)
    parent = rows.parent_row
    pt = np.hypot(rows.px, rows.py)
    hadron = is_hadron(rows.pdg) & (code != 2212)
    bottom, charm = has_flavour(rows.pdg, 5), has_flavour(rows.pdg, 4)
    bits = FROM_HADRON * hadron + FROM_B * bottom + FROM_C * charm + FROM_TAU * (code == 15) + FROM_N * (code == HNL)
    bits = bits + FROM_BOSON * np.isin(code, (6, 23, 24, 25))
    ancestry, _ = _inherit(parent, bits, np.zeros(len(rows), bool))
    same = (parent >= 0) & (rows.pdg[parent] == rows.pdg)
    last, last_hadron = np.ones(len(rows), bool), np.zeros(len(rows), bool)
    last[parent[same]] = False
    for heavy in (bottom, charm):  # of its flavour: a b hadron that decays to a D is the last one
        has_heavy_child = np.zeros(len(rows), bool)
        has_heavy_child[parent[heavy & (parent >= 0)]] = True
        last_hadron |= heavy & ~has_heavy_child
    from_n = (parent >= 0) & (code[parent] == HNL)
    keep = np.isin(code, (6, 23, 24, 25, HNL)) | from_n | last_hadron
    keep |= np.isin(code, (11, 13, 15)) & (pt > 2) | np.isin(code, (12, 14, 16)) & (pt > 5)
    keep |= (code == 22) & (pt > 5) & (ancestry & FROM_HADRON == 0)
    _, nearest = _inherit(parent, bits, keep)
    prompt = (ancestry & (FROM_HADRON | FROM_TAU)) == 0
    flags = prompt * (1 << _PROMPT) + (ancestry & FROM_TAU > 0) * (1 << _TAU_PRODUCT) + ~same * (1 << _FIRST_COPY)
    flags = flags + last * (1 << _LAST_COPY)
    flags = flags + ((parent >= 0) & hadron[parent]) * (1 << _DIRECT_HADRON)
    flags = flags + (prompt & (ancestry & FROM_BOSON > 0)) * (1 << _FROM_HARD)
    kept = rows[keep]
    local = np.full(len(rows), -1)
    local[np.flatnonzero(keep)] = kept.local
    mother = nearest[keep]
    interaction = vertex[kept.event]
    mass2 = kept.energy**2 - kept.px**2 - kept.py**2 - kept.pz**2
    kept_pt = np.maximum(pt[keep], 1e-4)
    kept = kept.with_columns(
        mother=np.where(mother >= 0, local[mother], -1),
        flags=flags[keep],
        nano_status=np.where(kept.status == STABLE, 1, 2),
        pt=pt[keep],
        eta=np.clip(np.arcsinh(kept.pz / kept_pt), -20, 20),
        phi=np.arctan2(kept.py, kept.px),
        mass=np.sqrt(np.maximum(mass2, 0.0)),
        vx=kept.vx + interaction[:, 0], vy=kept.vy + interaction[:, 1], vz=kept.vz + interaction[:, 2],
    )  # fmt: skip
    return Truth(rows.with_columns(ancestry=ancestry), kept, local)


def lepton_origin(leptons: ObjectRows, truth: Truth) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index in GenPart (-1: none) and genPartFlav of reconstructed leptons.

    genPartFlav is 1 for prompt leptons (also from N), 15 from a prompt tau, 5 from a b hadron, 4 from a c hadron, 3
    from a light hadron or a hadron itself, 22 from a photon conversion, 0 not from the hard interaction.

    Args:
        leptons: rows with ``gen``, ``pdg`` and ``flavour``.
    """
    matched = leptons.gen >= 0
    row = truth.all.offsets[:-1][leptons.event] + np.maximum(leptons.gen, 0)
    ancestry = truth.all.ancestry[row]
    photon = truth.all.pdg[row] == 22
    genuine = np.abs(leptons.pdg) == leptons.flavour
    flavour = np.select(
        [~matched, photon, ~genuine, ancestry & FROM_B > 0, ancestry & FROM_C > 0, ancestry & FROM_HADRON > 0,
         ancestry & FROM_TAU > 0],
        [0, 22, 3, 5, 4, 3, 15], 1,
    )  # fmt: skip
    return np.where(matched & (genuine | photon), truth.gen_part[row], -1), flavour


def jet_flavour(jets: ObjectRows, truth: Truth) -> NDArray[np.int64]:
    """hadronFlavour of jets: 5 or 4 if a b or c hadron above 5 GeV is within Delta R < 0.4 of the axis, else 0."""
    flavour = np.zeros(len(jets), np.int64)
    for quark in (4, 5):
        hadrons = truth.kept[has_flavour(truth.kept.pdg, quark) & (truth.kept.pt > 5)]
        flavour[nearest(jets, hadrons, 0.4) >= 0] = quark
    return flavour
