"""Minimum-bias and underlying-event libraries."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from hnl.datasets.simulation import minimum_bias, particles, pythia
from hnl.errors import InputError


def density(table: ak.Array) -> float:
    """Charged hadrons with pT > 0.5 GeV and |eta| < 2, per unit of eta and phi."""
    prt = table.particles
    pt, kind = np.hypot(prt.px, prt.py), abs(prt.pdg_id)
    charged = (prt.status == 1) & ((kind == 211) | (kind == 321) | (kind == 2212))
    return float(ak.mean(ak.sum(charged & (pt > 0.5) & (abs(prt.pz) < np.sinh(2) * pt), axis=1)) / (8 * np.pi))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("libraries") / "new"


@pytest.fixture(scope="module")
def pileup(cache: Path) -> ak.Array:
    return minimum_bias.minimum_bias(100, 1, cache)


def test_library_is_made_once(cache: Path, pileup: ak.Array, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pythia, "start", None)
    read = minimum_bias.minimum_bias(100, 1, cache)
    particles.validate(read)
    assert ak.array_equal(pileup, read)
    assert read.event_id.tolist() == list(range(100))
    assert [path.suffix for path in cache.iterdir()] == [".parquet"]


def test_underlying_event_is_busier_and_without_the_z(pileup: ak.Array) -> None:
    underlying = minimum_bias.underlying_event(60, 2)
    particles.validate(underlying)
    assert len(underlying) == 60
    assert not ak.any(underlying.particles.pdg_id == 23)
    missing = 13000 - ak.to_numpy(ak.sum(underlying.particles.energy[underlying.particles.status == 1], axis=1))
    assert np.all(missing > 60)  # the energy of the Z and its neutrinos is gone
    assert 1.3 * density(pileup) < density(underlying) < 1.5


@pytest.mark.parametrize(("n_events", "seed"), [(0, 1), (-1, 1), (10, -1)])
def test_bad_input(n_events: int, seed: int) -> None:
    with pytest.raises(InputError, match=str(min(n_events, seed))):
        minimum_bias.minimum_bias(n_events, seed)
