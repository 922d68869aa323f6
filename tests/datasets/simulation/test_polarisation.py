"""Spin of N: the factors against traces of Dirac matrices, and the events of Pythia that are kept."""

import awkward as ak
import numpy as np
import pytest
from numpy.typing import NDArray

from hnl.datasets.simulation import polarisation, pythia, signal
from hnl.datasets.simulation.polarisation import Momenta, dot
from hnl.datasets.simulation.processes import PROCESSES
from hnl.datasets.simulation.signal import SignalOptions

Tensor = NDArray[np.complex128]

_SIGMA = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
_ONE, _NONE = np.eye(2), np.zeros((2, 2))
GAMMA = np.array(  # Dirac representation: gamma^0 to gamma^3
    [np.block([[_ONE, _NONE], [_NONE, -_ONE]]), *(np.block([[_NONE, s], [-s, _NONE]]) for s in _SIGMA)]
)
GAMMA5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
LEFT, RIGHT = (np.eye(4) - GAMMA5) / 2, (np.eye(4) + GAMMA5) / 2
METRIC = np.diag([1.0, -1, -1, -1])


def upper(p: Momenta) -> Momenta:
    """px, py, pz, E as E, px, py, pz."""
    return np.array([p[3], *p[:3]])


def slash(p: Momenta) -> Tensor:
    return np.einsum("m,mij->ij", METRIC @ upper(p), GAMMA)


def quark_tensor(out: Momenta, anti: Momenta) -> Tensor:
    """J^a J^b* of J = u-bar(out) gamma P_L v(anti), summed over spins; masses drop out. Also of incoming quarks."""
    return np.array([[np.trace(slash(out) @ a @ LEFT @ slash(anti) @ b) for b in GAMMA] for a in GAMMA])


def squared_amplitude(u: Momenta, d: Momenta, l1: Momenta, n: Momenta, l2: Momenta, h: Tensor, violates: bool) -> float:
    """|M|^2 of u d-bar -> W+ -> l1+ N, N -> l2 W*, summed over spins. The fermion line runs from l1+ over N to l2.

    In LNV decays, N -> l2+, it meets the charge-conjugate current, with P_R (A. Denner et al., Nucl. Phys. B 387 (1992)
    467).

    Args:
        h: tensor of W* -> hadrons.
    """
    propagator = slash(n) + np.sqrt(dot(n, n)) * np.eye(4)
    vertex = RIGHT if violates else LEFT
    line = np.array([[a @ vertex @ propagator @ b @ LEFT for b in GAMMA] for a in GAMMA])
    bar = GAMMA[0] @ line.conj().swapaxes(-1, -2) @ GAMMA[0]
    leptons = np.einsum("ij,abjk,kl,cdli->abcd", slash(l2), line, slash(l1), bar)
    lowered = np.einsum("abcd,a,b,c,d->abcd", leptons, *[np.diag(METRIC)] * 4)
    total = np.einsum("abcd,ac,bd->", lowered, h, quark_tensor(d, u))
    assert abs(total.imag) < 1e-9 * abs(total)
    return float(total.real)


def momentum(rng: np.random.Generator, mass: float) -> Momenta:
    p = rng.normal(size=3) * 2
    return np.array([*p, np.sqrt(p @ p + mass**2)])


@pytest.mark.parametrize(("kind", "meson"), [("quarks", 0), ("pseudoscalar", 211), ("vector", -213)])
def test_spin_factor_is_that_of_dirac_traces(kind: str, meson: int) -> None:
    """|M|^2 is the product of what production and decay are without spin, and the factor: for random momenta, massive
    products, and with one constant for LNC and LNV."""
    rng = np.random.default_rng(5)
    ratios, factors = [], []
    for _ in range(6):
        u, d, l1 = momentum(rng, 0), momentum(rng, 0), momentum(rng, 0.1)
        l2, first, up = momentum(rng, 1.777), momentum(rng, 1.3), momentum(rng, 0.4)
        if meson:
            up = np.zeros(4)
        n, m2 = l2 + first + up, dot(first, first)
        for violates in (False, True):
            if kind == "quarks":  # anti-d is `first` in N -> l2- u anti-d, and d in N -> l2+ anti-u d
                h = quark_tensor(first, up) if violates else quark_tensor(up, first)
                decay = dot(first, n) * dot(up, l2)
            elif kind == "pseudoscalar":
                h = np.outer(upper(first), upper(first))
                decay = 2 * dot(first, l2) * dot(first, n) - m2 * dot(l2, n)
            else:
                h = np.outer(upper(first), upper(first)) / m2 - METRIC
                decay = 2 * dot(first, l2) * dot(first, n) / m2 + dot(l2, n)
            analyser = polarisation.analyser(np.array([meson]), first[None], l2[None])
            factor = float(polarisation.spin_factor(n[None], d[None], analyser, np.array([violates]))[0])
            without = dot(u, l1) * dot(d, n) * decay
            ratios.append(squared_amplitude(u, d, l1, n, l2, h, violates) / (without * factor))
            factors.append(factor)
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-9)
    assert min(factors) < 0.6
    assert max(factors) > 1.4


@pytest.fixture(scope="module")
def generated() -> tuple[ak.Array, polarisation.Decays, NDArray[np.float64]]:
    """Decays of N of 8 GeV: a batch of Pythia, what is found in it, and with which probability events are kept."""
    settings = signal.settings(SignalOptions(8, ctau=1))
    batch = pythia.start([*PROCESSES["hnl"].settings, "PartonLevel:MPI = off", *settings], 5).nextBatch(2500)
    found = polarisation.decays(batch)
    np.testing.assert_allclose(found.first + found.second + found.l2, found.n, atol=1e-6)
    return batch, found, polarisation.probability(found)


def cosine(frame: Momenta, a: Momenta, b: Momenta) -> NDArray[np.float64]:
    """Of the angle of two momenta in the rest frame of a third."""
    at_rest = np.sqrt(dot(frame, frame))[:, None] * np.array([0, 0, 0, 1.0])
    x, y = (polarisation.boosted(p, frame, at_rest)[:, :3] for p in (a, b))
    return np.asarray(np.sum(x * y, axis=1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1))


def test_kept_events_have_the_angle_of_a_polarised_n(generated: tuple) -> None:
    """Mean cosine of incoming and outgoing down quark in the rest frame of N: 1/3 if all are massless, -1/3 for LNV."""
    _, found, probability = generated
    cos = cosine(found.n, found.d, found.first)
    kept = np.random.default_rng(3).random(len(cos)) < probability
    for violates, expected in ((False, 1 / 3), (True, -1 / 3)):
        chosen = found.violates == violates
        assert np.mean(cos[chosen]) == pytest.approx(0, abs=4 * 0.58 / np.sqrt(chosen.sum()))
        chosen &= kept
        assert np.mean(cos[chosen]) == pytest.approx(expected, abs=0.02 + 4 * 0.47 / np.sqrt(chosen.sum()))


def test_no_probability_is_above_one(generated: tuple) -> None:
    *_, probability = generated
    assert 0 <= probability.min() <= probability.max() <= 1


@pytest.mark.parametrize("mass", [2, 8, 20])
def test_the_share_that_is_kept_is_known(generated: tuple, mass: float) -> None:
    """N that leave the detector are kept as often as those that decay: else the lifetime would change."""
    options = SignalOptions(mass, ctau=1)
    settings = [*PROCESSES["hnl"].settings, "PartonLevel:MPI = off", "PartonLevel:ISR = off", *signal.settings(options)]
    batch = generated[0] if mass == 8 else pythia.start(settings, 5).nextBatch(1000)
    found = polarisation.decays(batch)
    probability = polarisation.probability(found)[found.happened]
    assert found.happened.mean() > 0.99
    error = np.std(probability) / np.sqrt(len(probability))
    assert signal.kept(options) == pytest.approx(np.mean(probability), abs=3.5 * error)
    assert signal.kept(options) < (0.5 if mass > 2 else 0.45)
    far = pythia.start([*settings, f"{pythia.PYTHIA_HNL}:tau0 = 1e7"], 5).nextBatch(400)
    assert not polarisation.decays(far).happened.any()
    kept = polarisation.kept(far, np.random.default_rng(1), 0.25)
    assert np.mean(kept) == pytest.approx(0.25, abs=4 * 0.43 / 20)


def test_w_decays_as_v_minus_a(generated: tuple) -> None:
    """|M|^2 = (u.l1) (d.N) is (1 - cos)^2 of N and the incoming d in the rest frame of W, with a mean of -1/2: Pythia's
    part, which has to be right for particles that are not in its table."""
    batch, found, _ = generated
    w, n = (ak.to_numpy(_momenta(batch, code)[:, which]) for code, which in ((24, -1), (pythia.PYTHIA_HNL, 0)))
    cos = cosine(w, found.d, n)
    assert np.mean(cos) == pytest.approx(-0.5, abs=0.02 + 4 * 0.39 / np.sqrt(len(cos)))


def _momenta(batch: ak.Array, code: int) -> ak.Array:
    p = batch.prt.p[abs(batch.prt.id) == code]
    return ak.concatenate([p[c][..., None] for c in ("px", "py", "pz", "e")], axis=2)
