"""Signal between simulated masses: exact where it must be, within statistics where decays are drawn."""

from dataclasses import replace
from math import log
from typing import Any

import numpy as np
import pytest
import scored
import synthetic

from hnl.corrections.lifetime import Point, PointError
from hnl.datasets.variations import NOMINAL
from hnl.inference.displaced import signals
from hnl.inference.displaced.signals import Signals
from hnl.ml.scored import Scored
from hnl.physics import production
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.hypotheses import HYPOTHESES

SUM_W = 1e5
EXACT = 1e-5  # true decay lengths are kept in single precision
THRESHOLDS = {h: dict.fromkeys(CATEGORIES, 0.98) for h in HYPOTHESES}
MUMU = [CATEGORIES.index(f"mumu_{charge}") for charge in ("OS", "SS")]


def made(samples: dict[float, Any], *, over: float = 1.0, ctau: float = 1.0) -> Signals:
    """Signals from tables of candidates by mass; a sample has c tau = `ctau` mm x m_N / GeV."""
    found = []
    for mass, (table, score) in samples.items():
        sigma = over * production.sigma_semileptonic(mass, {"mu": 1e-6})
        entry = synthetic.signal(f"hnl{mass:g}_mu", mass, v2_e=0.0, v2_mu=1e-6)
        entry = entry.model_copy(
            update={"cross_section": sigma, "signal": entry.signal.model_copy(update={"ctau": ctau * mass})}
        )
        found.append(scored.scored(entry, table, score, sigma / SUM_W, tracking_up=1.1, tracking_down=0.8))
    return signals.make(found, dict.fromkeys((one.dataset.name for one in found), SUM_W), THRESHOLDS)


def regular(mass: float, n: int) -> Any:
    """n times ten candidates; in units of m_N, decay lengths and m_SV are the same at every mass."""
    i = np.arange(10)
    one = scored.candidates(
        category=np.take(MUMU, i % 2),
        n_jets=np.ones(10),
        m_l1_sv=np.where(i < 8, 60, 100),
        m_sv=(0.3 + 0.06 * i) * mass,
        delta_2d=np.linspace(0.2, 9, 10),
        gen_ctau=np.linspace(0.1, 3, 10) * mass,
        gen_same_sign=i % 2,
    )
    table = {name: np.tile(column, n) for name, column in one.items()}
    table["generator_event"] = np.arange(10 * n, dtype="uint64")
    return table, np.tile(np.where(i % 5 == 4, 0.5, 0.99), n)


@pytest.mark.parametrize("nature", ["majorana", "dirac"])
@pytest.mark.parametrize("over", [1.0, 1.3])
def test_acceptance_linear_in_log_m_is_exact(nature: str, over: float) -> None:
    """In every cell: yields, squared errors by hand, and variations; whatever K-factor the catalogue has."""
    found = made({8.0: regular(8, 20), np.sqrt(8 * 12): regular(np.sqrt(8 * 12), 30), 12.0: regular(12, 40)}, over=over)
    middle = found.datasets[1].sample.point.mass
    point = Point(middle, v2_mu=3e-6, nature=nature)  # type: ignore[arg-type]
    direct = found.at(point)
    two = replace(found, datasets=(found.datasets[0], found.datasets[2]))
    interpolated = two.at(point)
    assert direct.nominal.sum_w[MUMU, :, 0].sum() > 0
    np.testing.assert_allclose(interpolated.nominal.sum_w, direct.nominal.sum_w, rtol=EXACT)
    # A sum of half of 20 and half of 40 candidates in place of 30.
    ratio = (20 * 0.5**2 + 40 * 0.5**2) / 30
    np.testing.assert_allclose(interpolated.nominal.sum_w2, ratio * direct.nominal.sum_w2, rtol=EXACT)
    assert set(interpolated.varied) == set(direct.varied)
    for name, varied in direct.varied.items():
        np.testing.assert_allclose(interpolated.varied[name].sum_w, varied.sum_w, rtol=EXACT)
    assert (direct.interpolated_from, direct.interpolation) == ((), 0.0)
    assert interpolated.interpolated_from == (8.0, 12.0)
    # Acceptances of 20 and 40 with equal shares.
    gap = log(1.5) / log(2)
    expected = np.hypot(signals.masses.CURVATURE * gap**2, log(30 / np.sqrt(20 * 40)))
    assert interpolated.interpolation == pytest.approx(expected)
    # The neighbour that has fewer: 20 candidates of each kind against 40.
    alone = replace(found, datasets=found.datasets[:1]).at(replace(point, mass=8.0), ctau=point.ctau * 8 / middle)
    assert interpolated.effective == pytest.approx(alone.effective)


def test_the_hypothesis_is_that_of_the_point() -> None:
    """Of 6 GeV the high one, though the neighbour of 5 GeV trains the other: here their scores are opposite."""

    def split(one: Scored) -> Scored:
        return replace(one, scores={"low": np.full(len(one.cluster), 0.3), "high": np.full(len(one.cluster), 0.99)})

    found = made({4.0: regular(4, 20), 5.0: regular(5, 20), 8.0: regular(8, 20)})
    found = signals.make(
        [split(d.scored) for d in found.datasets], {d.sample.name: SUM_W for d in found.datasets}, THRESHOLDS
    )
    above, below = (found.at(Point(m, v2_mu=1e-6), ctau=5.0) for m in (6, 4.5))
    assert (above.hypothesis, below.hypothesis) == ("high", "low")
    assert above.nominal.sum_w[MUMU, :, 0].sum() > 0
    assert below.nominal.sum_w[MUMU, :, 0].sum() == 0
    assert below.nominal.sum_w[MUMU, :, 1].sum() > 0
    assert below.effective == 0
    assert below.interpolation == np.inf


def drawn(mass: float, seed: int, n: int = 20000) -> Any:
    """Decays of N of one momentum in 0.3 to 30 cm, seen with a probability that falls with m_N."""
    rng = np.random.default_rng(seed)
    t = rng.exponential(mass, n)  # c tau = 1 mm x m_N
    delta = 4.0 * t / mass  # cm, p = 40 GeV
    seen = (delta > 0.3) & (delta < 30) & (rng.random(n) < 0.2 - 0.012 * mass)
    n = int(seen.sum())
    violating = rng.integers(0, 2, n)
    table = scored.candidates(
        category=np.take(MUMU, violating),
        n_jets=np.ones(n),
        m_l1_sv=np.full(n, 70.0),
        m_sv=mass * rng.beta(4, 3, n),
        delta_2d=delta[seen],
        gen_ctau=t[seen],
        gen_same_sign=violating,
    )
    return table, np.full(n, 0.99)


@pytest.mark.parametrize("ctau", [3.0, 10.0, 30.0])
def test_generated_decays(ctau: float) -> None:
    """The mass left out is predicted in each bin, at lifetimes shorter and longer than the simulated ones."""
    found = made({mass: drawn(mass, seed) for seed, mass in enumerate((8.0, 10.0, 12.0))})
    two = replace(found, datasets=(found.datasets[0], found.datasets[2]))
    point = Point(10, v2_mu=1e-6)
    predicted, direct = two.at(point, ctau=ctau), found.at(point, ctau=ctau)
    use = direct.nominal.sum_w > 0
    difference = predicted.nominal.sum_w[use] - direct.nominal.sum_w[use]
    pulls = difference / np.hypot(predicted.error[use], direct.error[use])
    assert len(pulls) >= 10
    assert np.abs(pulls).max() < 3.5
    assert np.sum(pulls**2) < 2 * len(pulls)
    total, expected = (one.nominal.sum_w.sum() for one in (predicted, direct))
    assert total == pytest.approx(expected, rel=0.1)


def test_no_extrapolation_and_no_other_nature() -> None:
    found = made({8.0: regular(8, 20), 12.0: regular(12, 20)})
    for mass in (7.9, 12.1):
        with pytest.raises(PointError, match=f"{mass} GeV is outside of the simulated masses"):
            found.at(Point(mass, v2_mu=1e-6))
    with pytest.raises(PointError, match=r"outside of the simulated masses \(none\)"):
        found.at(Point(10, v2_e=1e-6))
    # A Dirac sample is no neighbour of a Majorana point.
    first = found.datasets[0]
    dirac = replace(first, sample=replace(first.sample, point=replace(first.sample.point, nature="dirac")))
    other = replace(found, datasets=(dirac, found.datasets[1]))
    assert other.at(Point(10, v2_mu=1e-6, nature="dirac")).interpolated_from == (8.0, 12.0)
    with pytest.raises(PointError, match=r"outside of the simulated masses \(12\)"):
        other.at(Point(10, v2_mu=1e-6))


def test_jet_energy_shifts_are_interpolated_too() -> None:
    """A shift that only one neighbour has is nominal for the other."""
    found = made({8.0: regular(8, 20), 12.0: regular(12, 20)})
    first = found.datasets[0].scored
    shifted = replace(first, weights={NOMINAL: 2 * first.weights[NOMINAL]})
    parts = [replace(first, shifted={"jes_up": shifted}), found.datasets[1].scored]
    both = signals.make(parts, {d.sample.name: SUM_W for d in found.datasets}, THRESHOLDS)
    point = Point(9, v2_mu=1e-6)
    up, nominal = both.at(point).varied["jes_up"].sum_w.sum(), both.at(point).nominal.sum_w.sum()
    share = log(12 / 9) / log(12 / 8)
    assert up / nominal == pytest.approx(1 + share, rel=1e-6)
