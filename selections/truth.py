"""The true decay of the HNL in simulated signal, for lifetime reweighting (section 3) and for vertex efficiencies."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.arrays import Mask, Objects, PerEvent

HNL_PDG_IDS = (9900012, 9900014, 9900016, 9990012)  # PDG identities of N in the public HNL models
MM_PER_CM = 10.0


def decay(particles: Objects, mass: float) -> dict[str, NDArray[np.float64]]:
    """Position and proper time of the decay of N.

    Args:
        particles: jagged GenPart with pdgId, genPartIdxMother, pt, eta, mass (GeV), vx, vy, vz (cm, production; NaN
            if the file has none).
        mass: m_N in GeV, for files that do not keep it: early NanoAOD has 0 for masses below 10 GeV (CMSSW,
            genparticles_cff).

    Returns:
        Name -> one number per event: `ctau` (mm, proper decay length), `delta_2d`, `delta_3d` (cm, from the production
        of N), and `same_sign`: 1 if the leptons (e, mu, tau) from W and from N have the same charge, 0 if not. All are
        NaN if the event has no N or no decay of it. Without vertices all but `same_sign` are NaN.
    """
    is_hnl, mother_is_hnl = _of_hnl(particles)
    hnl = ak.firsts(particles[is_hnl & ~mother_is_hnl])
    child = ak.firsts(particles[mother_is_hnl & ~is_hnl])
    flight = [_numbers(child[v] - hnl[v]) for v in ("vx", "vy", "vz")]
    delta_3d = np.sqrt(flight[0] ** 2 + flight[1] ** 2 + flight[2] ** 2)
    momentum = _numbers(hnl.pt) * np.cosh(_numbers(hnl.eta))
    kept = _numbers(hnl.mass)
    code = np.abs(particles.pdgId)
    charged_lepton = (code == 11) | (code == 13) | (code == 15)
    sister = (particles.genPartIdxMother == hnl.genPartIdxMother) & charged_lepton
    l1, l2 = _hardest(particles[sister]), _hardest(particles[mother_is_hnl & charged_lepton])
    return {
        "ctau": MM_PER_CM * delta_3d * np.where(kept == 0, mass, kept) / momentum,
        "delta_2d": np.hypot(flight[0], flight[1]),
        "delta_3d": delta_3d,
        "same_sign": _numbers(ak.values_astype(np.sign(l1.pdgId) == np.sign(l2.pdgId), np.float32)),
    }


def lepton(particles: Objects, flavour: int) -> PerEvent:
    """The electron or muon from the decay of N, the one with the highest pt if there are more; None without any.

    Args:
        particles: see `decay`.
        flavour: 11 or 13.
    """
    _, mother_is_hnl = _of_hnl(particles)
    return _hardest(particles[mother_is_hnl & (np.abs(particles.pdgId) == flavour)])


def _of_hnl(particles: Objects) -> tuple[Mask, Mask]:
    """Which particles are N, and which have N as their mother."""
    is_hnl = np.zeros_like(particles.pdgId, dtype=bool)
    for pdg_id in HNL_PDG_IDS:
        is_hnl = is_hnl | (np.abs(particles.pdgId) == pdg_id)
    mother = ak.mask(particles.genPartIdxMother, particles.genPartIdxMother >= 0)
    return is_hnl, ak.fill_none(is_hnl[mother], False)


def _hardest(particles: Objects) -> PerEvent:
    """The particle with the highest pt: radiated photons can make further leptons of the same parent."""
    return ak.firsts(particles[ak.argmax(particles.pt, axis=1, keepdims=True)])


def _numbers(values: PerEvent) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = ak.to_numpy(ak.fill_none(ak.values_astype(values, np.float64), np.nan))
    return numbers
