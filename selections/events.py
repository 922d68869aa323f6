"""Requirements on the two leptons together: Table 2, and the mass in which the search is binned."""

from typing import Annotated

import awkward as ak
import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from hnl.datasets.arrays import Mask, PerEvent
from hnl.datasets.model import Real, Settings, increasing


class EventCuts(Settings):
    """Of the two leptons together."""

    m_l1_l2: Real = Field(default=10.0, ge=0, description="GeV, least m(l1, l2) (Table 2)")
    delta_phi: Real = Field(default=0.4, ge=0, lt=np.pi, description="least |Delta phi(l1, l2)| (Table 2)")
    z_window: Annotated[tuple[Real, Real], AfterValidator(increasing)] = Field(
        default=(85.0, 95.0), description="GeV, m(mumu) of OS dimuons that are removed, ends included (Table 2)"
    )
    delta_r_hlt: Real = Field(
        default=0.1,
        gt=0,
        description="largest Delta R of l1 and the lepton of the trigger; our choice: section 4 says 'match "
        "geometrically', both directions agree to about 0.01",
    )


PAPER = EventCuts()


def mass(a: PerEvent, b: PerEvent) -> PerEvent:
    """Invariant mass in GeV of two four-momenta per event.

    m(l1,SV) uses the momentum sum of the vertex tracks, l2 among them (section 4). The precision is double, because in
    single precision E^2 - p^2 is wrong by up to a per mille for forward leptons.
    """
    a, b = (
        ak.with_name(ak.values_astype(p[["pt", "eta", "phi", "mass"]], np.float64), "PtEtaPhiMLorentzVector")
        for p in (a, b)
    )
    return (a + b).mass


def outside_z_window(
    dilepton_mass: NDArray[np.float64],
    same_flavour_muons: NDArray[np.bool_],
    opposite_sign: NDArray[np.bool_],
    cuts: EventCuts = PAPER,
) -> NDArray[np.bool_]:
    """Table 2, last line: OS dimuons with 85 <= m <= 95 GeV are removed; all other events pass."""
    in_window = (dilepton_mass >= cuts.z_window[0]) & (dilepton_mass <= cuts.z_window[1])
    return ~(same_flavour_muons & opposite_sign & in_window)


def separated_in_phi(l1: PerEvent, l2: PerEvent, cuts: EventCuts = PAPER) -> Mask:
    """Table 2: |Delta phi(l1, l2)| > 0.4."""
    return np.abs(l1.deltaphi(l2)) > cuts.delta_phi
