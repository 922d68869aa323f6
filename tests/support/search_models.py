"""Models of searches for tests and benchmarks of `hnl.inference`: yields as in the paper's figures, made up."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hnl.inference import model as models
from hnl.inference.model import Model
from hnl.inference.templates import TemplateChannel, from_arrays
from hnl.selections.displaced import regions
from hnl.selections.displaced.categories import CATEGORIES

REGIONS_OF_SIGNAL = np.array([1, 0.2, 0.1, 0.02])  # relative to A


def full(seed: int = 1, mu: float = 0.0, *, correlated: bool = True, least: float = 0.0) -> Model:
    """Eight categories, low-mass hypothesis: 48 cells, 192 counts; data are one toy with mu times the signal.

    At least `least` events are expected in B, C and D of each; with 0 many regions are empty.
    """
    rng = np.random.default_rng(seed)
    cells = []
    for category in CATEGORIES:
        bins = [b.number for b in regions.bins("low", category)]
        n = len(bins)
        d = 10 ** rng.uniform(1, 3, n)
        b, c = d * rng.uniform(0.05, 0.4, n), d * rng.uniform(0.01, 0.1, n)
        b, c, d = (np.maximum(x, least) for x in (b, c, d))
        signal = 0.3 * rng.lognormal(0, 1, (n, 1)) * REGIONS_OF_SIGNAL
        corrected = category == "mumu_OS"
        factors = {
            "lumi": 1.016,
            "kfactor": 1.04,
            "pileup": 1.046,
            "tracking": 1.073,
            "pfn": 1.10,
            "trigger": 1.01,
            "jes": rng.uniform(0.98, 1.03, (n, 4)),
            "electron": 1.05 if "e" in category.split("_")[0] else 1.0,
            "muon": 1.02 if "mu" in category.split("_")[0] else 1.0,
        }
        c_ab = np.full(n, 1.1) if corrected else np.ones(n)
        background = np.stack([c_ab * b * c / d, b, c, d], axis=1)
        data = rng.poisson(background + mu * signal)
        error = np.full(n, 0.3) if corrected else np.zeros(n)
        cells += models.cells(category, bins, data, signal, 0.15 * signal, factors, c_ab, error)
    return Model(tuple(cells), dict.fromkeys(CATEGORIES, 1.25), correlated)


def some(number: int, *, correlated: bool = True, seed: int = 1, mu: float = 0.0) -> Model:
    """The first cells of OS dimuons, where c_AB is not 1."""
    model = full(seed, mu, correlated=correlated)
    cells = [cell for cell in model.cells if cell.category == "mumu_OS"][:number]
    return replace(model, cells=tuple(cells), closure={"mumu_OS": 1.25})


def busy(number: int = 2) -> Model:
    """Up to six cells with many events, data without fluctuations at mu = 0; sensitive to mu = 1."""
    signal = np.array([30.0, 18, 22, 10, 5, 12])[:number, None] * REGIONS_OF_SIGNAL
    rates = [[400, 300, 1000], [500, 160, 1000], [900, 200, 2000], [200, 150, 900], [80, 70, 300], [300, 90, 700]]
    b, c, d = np.array(rates, dtype=float)[:number].T
    data = np.stack([b * c / d, b, c, d], axis=1)
    cells = models.cells("mumu_SS", range(number), data, signal, 0.05 * signal, {"lumi": 1.016, "pfn": 1.1})
    return Model(cells, {"mumu_SS": 1.2})


def sparse(signal_regions: Sequence[float] = tuple(REGIONS_OF_SIGNAL)) -> Model:
    """Six cells with one event or less expected in each of B and C, and two to five in D; some 10 of signal in A.

    Args:
        signal_regions: signal in A, B, C, D, relative to A.
    """
    b, c, d = np.array([[0.3, 1, 0.5, 0.8, 1, 0.4], [0.5, 0.4, 1, 1, 0.2, 0.8], [3, 4, 3, 2, 3, 5]])
    signal = 1.5 * np.array(signal_regions) * np.array([1, 2, 0.5, 1, 1.5, 0.7])[:, None]
    data = np.stack([b * c / d, b, c, d], axis=1)
    cells = models.cells("ee_OS", range(6), data, signal, 0.1 * signal, {"lumi": 1.016})
    return Model(cells, {"ee_OS": 1.25}, closure_correlated=False)


def spectrum(bins: int = 6, *, free: bool = False, scale: float = 1.0) -> TemplateChannel:
    """A bump on two falling and flat backgrounds, one with fluctuations of data; every kind of nuisance parameter.

    Args:
        bins: number.
        free: the normalisation of the falling background is free.
        scale: of all yields.
    """
    x = (np.arange(bins) + 0.5) / bins
    signal = scale * 8 * np.exp(-((x - 0.5) ** 2) / (2 * 0.12**2))
    falling, flat = scale * 40 * np.exp(-2 * x), np.full(bins, 5.0 * scale)
    return from_arrays(
        "spectrum",
        np.random.default_rng(4).poisson(1.1 * falling + flat),
        signal,
        {"falling": falling, "flat": flat},
        sum_w2={"signal": 0.02 * signal, "falling": 0.3 * scale * falling},
        varied={
            "jes": {"falling": (falling * (1 + 0.1 * x), falling / (1 + 0.1 * x)), "signal": (1.04 * signal, signal)}
        },
        normalisations={"lumi": {"signal": 1.016, "flat": 1.016}, "xsec": {"flat": 1.3}},
        free=["falling"] if free else [],
    )


def mixed(*, correlated: bool = True) -> Model:
    """Two cells, a spectrum with a free normalisation, and a counting experiment that shares it and the luminosity."""
    count = TemplateChannel("count", (9,), (2.5,), {"falling": (6.0,)}, {"lumi": {"signal": (1.016,)}}, ("falling",))
    return replace(some(2, correlated=correlated), templates=(spectrum(free=True), count))
