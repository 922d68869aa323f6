"""Imposed outcomes: probabilities and draws by hand, and natural expectations on average."""

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_particles import minimum_bias, particle, table

from hnl.datasets.simulation import detector, outcomes, overlay, propagation, tracking
from hnl.datasets.simulation.draws import Draws
from hnl.datasets.simulation.outcomes import Outcome
from hnl.datasets.simulation.parameters import DETECTOR
from hnl.datasets.simulation.rows import ObjectRows

TWO = np.zeros(2, np.int64)
S = np.array([0.9, 0.8])


@pytest.mark.parametrize(
    ("first", "happens", "expected", "probability"),
    [
        # P = 1 - 0.9 x 0.8 = 0.28; the first photon is the first to convert with probability 0.1 / 0.28 = 0.357.
        (0.35, True, (0.9 + 0.5 * 0.1, 0.25), 0.28),
        (0.36, True, (0.5 * 0.9, 0.8 + 0.25 * 0.2), 0.28),
        (0.35, False, (0.5 * 0.9, 0.25 * 0.8), 0.72),
    ],
)
def test_two_photons_by_hand(first: float, happens: bool, expected: tuple[float, float], probability: float) -> None:
    draw, factor = outcomes.condition(TWO, np.array([0.5, 0.25]), S, np.array([first]), happens)
    np.testing.assert_allclose(draw, expected, rtol=1e-12)
    np.testing.assert_allclose(factor, [probability], rtol=1e-12)


EVENTS = st.lists(st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.97, 1.0]), max_size=4), min_size=1, max_size=5)


@given(EVENTS, st.integers(0, 2**32 - 1))
def test_the_outcome_is_as_wanted_and_the_two_share_the_probability(survivals: list[list[float]], seed: int) -> None:
    event = np.repeat(np.arange(len(survivals)), [len(s) for s in survivals]).astype(np.int64)
    survival = np.array([s for one in survivals for s in one], np.float64)
    rng = np.random.default_rng(seed)
    draw, first = rng.uniform(size=len(event)), rng.uniform(size=len(survivals))
    total = np.zeros(len(survivals))
    for happens in (True, False):
        conditioned, probability = outcomes.condition(event, draw, survival, first, happens)
        happened = np.bincount(event, conditioned >= survival, len(survivals)) > 0
        np.testing.assert_array_equal(happened[probability > 0], happens)
        assert np.all((conditioned >= 0) & (conditioned <= 1))
        total += probability
    np.testing.assert_allclose(total, 1, rtol=1e-12)
    impossible = [all(s == 1 for s in one) for one in survivals]
    assert (outcomes.condition(event, draw, survival, first, True)[1] == 0).tolist() == impossible


def test_numbers_on_average_are_natural() -> None:
    """Weighted with the probabilities, the two outcomes together give back uniform and independent numbers."""
    n, survival = 40_000, np.array([0.9, 0.6, 0.75])
    rng = np.random.default_rng(4)
    event = np.repeat(np.arange(n), 3)
    mean, variance = np.zeros((6, n)), np.zeros(6)
    for happens in (True, False):
        draw, probability = outcomes.condition(
            event, rng.uniform(size=3 * n), np.tile(survival, n), rng.uniform(size=n), happens
        )
        u = draw.reshape(n, 3).T
        moments = np.stack([*u, *(u[[0, 0, 1]] * u[[1, 2, 2]])]) * probability
        mean += moments
        variance += moments.var(axis=1) / n
    expected = [0.5, 0.5, 0.5, 0.25, 0.25, 0.25]
    pulls = (mean.mean(axis=1) - expected) / np.sqrt(variance)
    assert np.all(np.abs(pulls) < 4)


def imposed(outcome: Outcome, events: ak.Array, seed: int = 1) -> tuple[Draws, np.ndarray, ObjectRows]:
    draws = Draws.for_events(seed, ak.to_numpy(events.event_id), np.zeros(len(events), np.int64))
    hard = propagation.visible(propagation.generated(events), np.zeros((len(events), 3)))
    draws, probability = outcomes.impose(outcome, events, hard, draws)
    return draws, probability, hard


# Two photons that count; one too soft, one too far forward, one beyond the last layer at 49.8 cm.
PHOTONS = [
    particle(13, 30, 0.1, 0.0),
    particle(22, 10, 0.0, 1.0),
    particle(22, 20, 1.5, 2.0),
    particle(22, 5, 0.0, -1.0),
    particle(22, 40, 2.6, -2.0),
    particle(22, 30, 0.0, 3.0, at=(-50.0, 0.0, 0.0)),
]
# The sum of x/X0 is 0.187 at eta = 0; at 1.5 it is (1 + 0.6 x 2.25) times that.
CONVERTS = 1 - np.exp(-7 / 9 * 0.187 * np.array([1.0, 2.35]))


def test_conversions_are_those_of_the_material() -> None:
    n = 4000
    events = table([PHOTONS] * n)
    converted, probability = converted_photons(Outcome(conversion=True), events)
    np.testing.assert_allclose(probability, 1 - np.prod(1 - CONVERTS), rtol=1e-12)
    assert np.all(converted[1] | converted[2])
    for photon, expected in zip((1, 2), CONVERTS, strict=True):
        rate = converted[photon] * probability
        assert rate.mean() == pytest.approx(expected, abs=4 * rate.std() / np.sqrt(n))
    natural = 1 - np.exp(-7 / 9 * 0.187)  # what does not count is left to nature
    assert converted[3].mean() == pytest.approx(natural, abs=4 * np.sqrt(natural / n))
    assert not converted[4:].any()
    converted, probability = converted_photons(Outcome(conversion=False), events)
    np.testing.assert_allclose(probability, np.prod(1 - CONVERTS), rtol=1e-12)
    assert not converted[1:3].any()
    assert converted[3].any()


def converted_photons(outcome: Outcome, events: ak.Array) -> tuple[np.ndarray, np.ndarray]:
    """Which particles are photons that converted, shape (particles of an event, events), and the probability."""
    draws, probability, hard = imposed(outcome, events)
    rows = propagation.convert_photons(hard, draws)
    electrons = rows[np.abs(rows.pdg) == 11]
    converted = np.zeros((len(PHOTONS), len(events)), bool)
    converted[electrons.gen, electrons.event] = True
    return converted, probability


def test_layers_of_imposed_conversions_are_natural() -> None:
    """The share of the beam pipe among conversions at eta = 0, of one photon: (1 - exp(-7/9 0.003)) / P."""
    n = 8000
    draws, _, hard = imposed(Outcome(conversion=True), table([[particle(22, 10, 0.0, 1.0)]] * n))
    electrons = propagation.convert_photons(hard, draws)
    in_pipe = np.abs(np.hypot(electrons.x, electrons.y) - 2.2) < 1e-6
    expected = (1 - np.exp(-7 / 9 * 0.003)) / (1 - np.exp(-7 / 9 * 0.187))
    assert in_pipe.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / n))
    assert len(electrons) == 2 * n


HADRON = {**particle(211, 40, 0.2, 1.0), "pdg_id": 521, "status": 2}
PAIRS = [
    [particle(13, 30, 0.1, 0.0), particle(-13, 20, 1.0, 2.0)],
    [particle(11, 30, 0.1, 0.0), particle(-11, 20, 1.0, 2.0), particle(211, 30, 0.5, 1.0)],
    [particle(13, 30, 0.1, 0.0), particle(-13, 4.9, 1.0, 2.0)],  # too soft
    [particle(13, 30, 0.1, 0.0), HADRON, particle(-13, 20, 1.0, 2.0, parent=1)],  # not prompt
    [particle(13, 30, 0.1, 0.0), particle(11, 20, 1.0, 2.0), particle(-11, 20, 2.6, 2.0)],  # two of three
]
TAILS = [1 - 0.999**2, 1 - 0.99**2, 0.0, 0.0, 1 - 0.999 * 0.99]


def test_tails_of_pairs_of_prompt_leptons() -> None:
    events = table(PAIRS)
    for wanted, expected in ((True, TAILS), (False, [1 - p for p in TAILS])):
        draws, probability, hard = imposed(Outcome(tail=wanted), events)
        np.testing.assert_allclose(probability, expected, rtol=1e-9)
        chance = tracking.tail_probability(tracking.kind_of(hard.pdg), DETECTOR.tracker)
        bad = draws.uniform(hard.event, hard.uid, tracking.TAIL) < chance
        prompt = (np.abs(hard.pdg) < 20) & (np.abs(hard.pz) < 6 * np.hypot(hard.px, hard.py))
        some_bad = np.bincount(hard.event, bad & prompt, len(PAIRS)) > 0
        np.testing.assert_array_equal(some_bad[[0, 1, 4]], wanted)


PARTS = [Outcome(tail=True), Outcome(tail=False, conversion=True), Outcome(tail=False, conversion=False)]


@pytest.mark.parametrize("event", range(len(PAIRS)))
def test_outcomes_share_all_events_out(event: int) -> None:
    """T, not T and C, not T and not C: each event once, with photons beside the leptons."""
    events = table([[*PAIRS[event], *PHOTONS[1:]]])
    parts = [imposed(outcome, events)[1][0] for outcome in PARTS]
    assert sum(parts) == pytest.approx(1, rel=1e-12)
    assert parts[0] == pytest.approx(TAILS[event], rel=1e-9)
    assert parts[1] / parts[2] == pytest.approx(1 / np.prod(1 - CONVERTS) - 1, rel=1e-9)


def test_nothing_is_imposed_by_default() -> None:
    draws, probability, _ = imposed(outcomes.NATURAL, table(PAIRS))
    assert probability.tolist() == [1] * len(PAIRS)
    assert not draws.given


def test_weights_of_measured_events() -> None:
    """Probability over reseeds; what cannot happen is dropped. Weighted numbers of electrons are those of nature."""
    n = 200
    events = table([PHOTONS, PAIRS[0]] * n)
    libraries = overlay.Libraries.from_events(minimum_bias(50))
    block = detector.simulate(events, libraries, 3, 2, outcome=Outcome(conversion=True))
    assert len(block["event"]) == 2 * n
    assert set(ak.to_numpy(block["hnlsim_generatorEvent"]) % 2) == {0}
    np.testing.assert_allclose(block["genWeight"], (1 - np.prod(1 - CONVERTS)) / 2, rtol=1e-6)
    natural = detector.simulate(events, libraries, 4, 2)
    found = []
    for one in (block, natural):
        true = one["Electron"].genPartFlav == 22
        number = np.asarray(ak.sum(true & (one["Electron"].pt > 7.5), axis=1)) * np.asarray(one["genWeight"])
        found.append((number.sum() / n, number.std() * np.sqrt(len(number)) / n))
    (imposed_rate, error), (natural_rate, natural_error) = found
    assert imposed_rate > 5 * error
    assert imposed_rate == pytest.approx(natural_rate, abs=4 * np.hypot(error, natural_error))
