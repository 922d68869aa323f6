"""Jets: section 2 (selection) and section 4 (the jet of l2, further jets)."""

import awkward as ak
import numpy as np
from pydantic import Field

from hnl.datasets.arrays import Mask, Objects, PerEvent, require
from hnl.datasets.model import Real, Settings


class JetCuts(Settings):
    """Of the jets that count, and of the jet of l2."""

    pt: Real = Field(default=20.0, gt=0, description="GeV, least transverse momentum (section 2)")
    abs_eta: Real = Field(default=2.4, gt=0, description="largest |eta| (section 2)")
    delta_r_l2: Real = Field(default=0.7, gt=0, description="largest Delta R of the jet of l2 (Table 2)")
    delta_r_l1: Real = Field(
        default=0.4, ge=0, description="least Delta R of further jets from l1 (section 4: 'separated from l1')"
    )


PAPER = JetCuts()


def good_jets(jets: Objects, cuts: JetCuts = PAPER) -> Objects:
    """Jets with pt > 20 GeV, |eta| < 2.4 and the jet ID (section 2).

    Args:
        jets: jagged records with pt (GeV), eta and passes_id (bool, the tight CMS jet ID).
        cuts: other numbers.

    Raises:
        MissingColumnError: plain NanoEvents have no `passes_id`: what it is made of depends on the version.
    """
    return jets[is_good(jets, cuts)]


def is_good(jets: Objects, cuts: JetCuts = PAPER) -> Mask:
    """Mask of the jets that meet the requirements of `good_jets`, aligned with `jets`."""
    return (jets.pt > cuts.pt) & can_be_good(jets, cuts)


def can_be_good(jets: Objects, cuts: JetCuts = PAPER) -> Mask:
    """Mask of the jets with |eta| < 2.4 and the jet ID (section 2), at any energy, aligned with `jets`."""
    require(jets, "jets", "passes_id")
    return (np.abs(jets.eta) < cuts.abs_eta) & jets.passes_id


def nearest_jet(l2: PerEvent, jets: Objects) -> tuple[PerEvent, Mask]:
    """The jet nearest to l2, at any distance.

    Args:
        l2: one lepton per event.
        jets: jagged good jets.

    Returns:
        The jet (None if an event has none), and the mask of the other jets, aligned with `jets`.
    """
    nearest = ak.argmin(jets.deltaR(l2), axis=1, keepdims=True)
    other_jets = ak.local_index(jets.pt, axis=1) != ak.fill_none(nearest, -1)[:, 0]
    return ak.firsts(jets[nearest]), other_jets


def separated(l1: PerEvent, jets: Objects, cuts: JetCuts = PAPER) -> Mask:
    """Mask of the jets that are separated from l1 by Delta R > 0.4 (section 4), aligned with `jets`."""
    return jets.deltaR(l1) > cuts.delta_r_l1


def pt_rel(l2: PerEvent, jet: PerEvent) -> PerEvent:
    """Transverse component of the momentum of l2 with respect to the jet axis, GeV (section 5)."""
    (px, py, pz), (x, y, z) = ((momentum.x, momentum.y, momentum.z) for momentum in (l2, jet))
    cross = (py * z - pz * y) ** 2 + (pz * x - px * z) ** 2 + (px * y - py * x) ** 2
    return np.sqrt(cross) / np.sqrt(x**2 + y**2 + z**2)
