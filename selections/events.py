"""Requirements on the two leptons together: Table 2, and the mass in which the search is binned."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.arrays import Mask, PerEvent

MIN_MASS_L1_L2 = 10.0  # GeV, Table 2
MIN_DELTA_PHI = 0.4  # Table 2
DY_VETO = (85.0, 95.0)  # GeV, Table 2: OS dimuons inside the closed interval are removed


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
    dilepton_mass: NDArray[np.float64], same_flavour_muons: NDArray[np.bool_], opposite_sign: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Table 2, last line: OS dimuons with 85 <= m <= 95 GeV are removed; all other events pass."""
    in_window = (dilepton_mass >= DY_VETO[0]) & (dilepton_mass <= DY_VETO[1])
    return ~(same_flavour_muons & opposite_sign & in_window)


def separated_in_phi(l1: PerEvent, l2: PerEvent) -> Mask:
    """Table 2: |Delta phi(l1, l2)| > 0.4."""
    return np.abs(l1.deltaphi(l2)) > MIN_DELTA_PHI
