"""From the background estimate and signal yields to the statistical model of section 8."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hnl.inference import model as models
from hnl.inference.arrays import Floats
from hnl.inference.displaced.signals import Signals, SignalYields
from hnl.inference.model import Model
from hnl.selections.displaced import categories, regions


@dataclass(frozen=True)
class Background:
    """What is observed in the SR, or projected, and how uncertain its prediction is; arrays over (category, bin)."""

    label: str  # of every product made with it
    luminosity: float  # /fb
    signal_scale: float  # from the luminosity of the signal yields to this
    hidden: bool  # region A is blinded, or does not exist
    observed: Mapping[str, Floats]  # by hypothesis: events, (category, bin, region); A is NaN if hidden
    c_ab: Mapping[str, Floats]
    c_ab_error: Mapping[str, Floats]
    closure: Mapping[str, Mapping[str, float]]  # by hypothesis and category, relative


@dataclass(frozen=True)
class Inputs:
    """All that fits and limits need of a finished run."""

    signals: Signals
    background: Background
    normalisations: Mapping[str, float]  # nuisance -> relative uncertainty of the signal
    digest: str  # of scores, regions, thresholds and the background


def model(found: SignalYields, inputs: Inputs, *, correlated: bool = True) -> Model:
    """The model of a point, in the categories that constrain its coupling.

    Args:
        found: signal yields. A sum of weights below zero is no signal.
        inputs: of the run.
        correlated: one closure parameter a category, or one a bin.

    Raises:
        ModelError: see `inference.model`.
    """
    background, h = inputs.background, found.hypothesis
    cells: list[models.Cell] = []
    closure = {}
    for i, category in enumerate(categories.ALL):
        if category.coupling != found.point.coupling:
            continue
        there = [b.number for b in regions.bins(h, category.label, inputs.signals.settings.regions)]
        signal = np.maximum(found.nominal.sum_w[i, there], 0)
        sizes = {**inputs.normalisations, "interpolation": found.interpolation}
        factors: dict[str, Floats | float] = {name: 1 + size for name, size in sizes.items()}
        for name in {v.removesuffix("_up") for v in found.varied if v.endswith("_up")}:
            up, down = (found.varied[f"{name}_{way}"].sum_w[i, there] for way in ("up", "down"))
            factors[name] = models.shift_factor(signal, up, down)
        cells += models.cells(
            category.label,
            there,
            background.observed[h][i, there],
            background.signal_scale * signal,
            background.signal_scale * found.error[i, there],
            factors,
            background.c_ab[h][i, there],
            background.c_ab_error[h][i, there],
        )
        closure[category.label] = 1 + background.closure[h][category.label]
    return Model(tuple(cells), closure, correlated)
