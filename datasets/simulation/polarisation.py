"""Spin correlations of W -> l1 N, N -> l2 q q': which of Pythia's events, in which N decays as if unpolarised, to keep.

Pythia makes W -> l1 N with its exact matrix element, and N -> l2 q q' with that of an N without polarisation (type 94).
The rest is here, at tree level, with contact interactions in the decay but for the propagator of its W.

All fermions that meet N have one helicity, so N is in a pure state of spin. From d u -> W -> l1 N (u and d stand for
all up and down quarks and antiquarks), |M|^2 is, with Fierz' identity, (u.l1) (d.(N - m s)) for N of spin s, as in muon
decay (PDG, review of muon decay parameters). So in the rest frame of N its spin points along the incoming d. In the
decay into l2 d' u', |M|^2 is likewise (u'.l2) (d'.(N - m s)) if lepton number is conserved (LNC: the charges of l1 and
l2 are opposite), and (u'.l2) (d'.(N + m s)) if it is violated (LNV). So with the angle of d and d' in the rest frame of
N and the velocity beta of d' there, the spin multiplies the rate by

    1 + beta cos(d, d') = 2 - r    (LNC)
    1 - beta cos(d, d') = r        (LNV),    r = m^2 (d.d') / ((d.N) (d'.N)),

which holds with the masses of all products. Equal parts of LNC and LNV, as of a Majorana N (A. Atre et al., JHEP 05
(2009) 030, arXiv:0901.3589), together have no polarisation. In decays into l2 and a meson M, d' is replaced by the
vector that is contracted with N in |M|^2: 2 (M.l2) M - M^2 l2 for a pseudoscalar, l2 + 2 (M.l2) M / M^2 for a vector.

The factors are at most 2, so events are kept with half of them as probability, and all weights stay one.
"""

from typing import NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.simulation.particles import flat
from hnl.datasets.simulation.pythia import PYTHIA_HNL
from hnl.physics.constants import M_W
from hnl.physics.mesons import CONTINUUM

Momenta = NDArray[np.float64]
"""Four-momenta px, py, pz, E in GeV, shape (events, 4)."""

_INCOMING = (3, 4)  # of the hard process, in every event of Pythia, before the recoil of radiation
_BOSON = 5


class Decays(NamedTuple):
    """The decays of N of a batch, one per event.

    Attributes:
        n: N.
        d: incoming down quark or antiquark of the W, moved along with it by radiation.
        meson: PDG identity of the single meson, 0 for a quark pair.
        first, second, l2: down quark, up quark and lepton; or the meson, zeros, and the lepton.
        violates: whether l1 and l2 have the same charge, shape (events,).
        happened: whether N decayed in the detector; the decays of others are no decays, with numbers that mean nothing.
    """

    n: Momenta
    d: Momenta
    meson: NDArray[np.int64]
    first: Momenta
    second: Momenta
    l2: Momenta
    violates: NDArray[np.bool_]
    happened: NDArray[np.bool_]


def dot(a: Momenta, b: Momenta) -> NDArray[np.float64]:
    """Minkowski product, shape (events,)."""
    return np.asarray(a[..., 3] * b[..., 3] - np.sum(a[..., :3] * b[..., :3], axis=-1))


def spin_factor(n: Momenta, d: Momenta, analyser: Momenta, violates: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Rate over that without polarisation, 0 to 2, shape (events,).

    Args:
        n: N.
        d: incoming down quark, massless.
        analyser: see :func:`analyser`.
        violates: whether lepton number is violated.
    """
    r = dot(n, n) * dot(d, analyser) / (dot(d, n) * dot(analyser, n))
    return np.where(violates, r, 2 - r)


def analyser(meson: NDArray[np.int64], first: Momenta, l2: Momenta) -> Momenta:
    """The vector that is contracted with N in |M|^2, up to a factor.

    Args:
        meson: PDG identity of a pseudoscalar or vector meson, 0 for a quark pair.
        first: the down quark, or the meson.
        l2: the lepton.
    """
    m2, ml = dot(first, first)[:, None], dot(first, l2)[:, None]
    vector = (np.abs(meson) % 10 == 3)[:, None]
    return np.where(meson[:, None] == 0, first, np.where(vector, m2 * l2, -m2 * l2) + 2 * ml * first)


def boosted(p: Momenta, before: Momenta, after: Momenta) -> Momenta:
    """``p`` after the boost without rotation that takes ``before`` to ``after``, as Pythia moves decays with the W."""
    beta = (after - before)[:, :3] / (after + before)[:, 3:]
    beta *= 2 / (1 + np.sum(beta**2, axis=1, keepdims=True))
    gamma = 1 / np.sqrt(1 - np.sum(beta**2, axis=1, keepdims=True))
    along = np.sum(beta * p[:, :3], axis=1, keepdims=True)
    moved = p[:, :3] + gamma * beta * (gamma / (1 + gamma) * along + p[:, 3:])
    return np.hstack([moved, gamma * (p[:, 3:] + along)])


def decays(batch: ak.Array) -> Decays:
    """The decays of N in a batch of Pythia that was made with :func:`hnl.datasets.simulation.signal.settings`."""
    prt = batch.prt
    counts = ak.to_numpy(ak.num(prt.id))
    start = np.cumsum(counts) - counts
    pdg_id, mother, daughter = (flat(prt[name]) for name in ("id", "mother1", "daughter1"))
    p = np.stack([flat(prt.p[c]) for c in ("px", "py", "pz", "e")], axis=1)
    copies = np.flatnonzero(np.abs(pdg_id) == PYTHIA_HNL)
    event = np.repeat(np.arange(len(counts)), counts)[copies]
    first_copy, last_copy = (np.searchsorted(event, np.arange(len(counts)), side) for side in ("left", "right"))
    made, n = copies[first_copy], copies[last_copy - 1]
    boson = start + mother[made]
    incoming = np.stack([start + i for i in _INCOMING])
    down = np.where(pdg_id[incoming[0]] % 2 == 1, *incoming)
    child = start + daughter[n]
    code = pdg_id[child]
    meson = np.where(np.abs(code) > 100, code, 0)
    lepton = child + np.where(meson != 0, 1, 2)
    return Decays(
        n=p[n],
        d=boosted(p[down], p[start + _BOSON], p[boson]),
        meson=meson,
        first=p[child],
        second=np.where(meson[:, None] != 0, 0, p[child + 1]),
        l2=p[lepton],
        violates=np.sign(pdg_id[lepton]) != np.sign(pdg_id[boson]),  # W+ makes a positive l1, with negative identity
        happened=daughter[n] > 0,
    )


def probability(found: Decays) -> NDArray[np.float64]:
    """With which to keep events, so that those that are kept have the polarisation of N, shape (events,).

    It is 0 for quark pairs below the continuum, for which single mesons stand (`signal`).
    """
    spin = spin_factor(found.n, found.d, analyser(found.meson, found.first, found.l2), found.violates) / 2
    pair, m2 = found.first + found.second, dot(found.n, found.n)
    q2 = dot(pair, pair)
    propagator = (M_W**2 - m2) / (M_W**2 - q2)  # over its largest value
    return np.where((found.meson == 0) & (q2 < CONTINUUM**2), 0.0, spin * propagator**2)


def kept(batch: ak.Array, rng: np.random.Generator, undecayed: float) -> NDArray[np.bool_]:
    """Which events of a batch to keep, shape (events,).

    Args:
        batch: see :func:`decays`.
        rng: for one number per event.
        undecayed: share of events to keep in which N leaves the detector: that of all decays (`signal.kept`).
    """
    found = decays(batch)
    return rng.random(len(batch)) < np.where(found.happened, probability(found), undecayed)
