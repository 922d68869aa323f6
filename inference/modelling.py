"""From the stage `abcd` and signal yields to the statistical model of section 8."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hist
import numpy as np

from hnl import provenance
from hnl.corrections import normalisation
from hnl.datasets.catalogue import Dataset
from hnl.errors import HNLError, InputError
from hnl.histograms import files, yields
from hnl.inference import model as models
from hnl.inference import signals
from hnl.inference.abcd import analysis as abcd
from hnl.inference.abcd import projection
from hnl.inference.model import Model
from hnl.inference.signals import FLAVOURS, Signals, Yields
from hnl.processors import selection as selections
from hnl.processors.selection import Selection
from hnl.report.tables import Record
from hnl.selections import regions
from hnl.selections.categories import CATEGORIES
from hnl.selections.regions import HYPOTHESES, REGIONS, Thresholds


class NoBackgroundError(InputError):
    """There is no background estimate to fit."""


class EstimateError(HNLError):
    """The products of the stage `abcd` are broken."""


@dataclass(frozen=True)
class Background:
    """What is observed in the SR, or projected, and how uncertain its prediction is; arrays over (category, bin)."""

    label: str  # of every product made with it
    luminosity: float  # /fb
    signal_scale: float  # from the luminosity of the signal yields to this
    hidden: bool  # region A is blinded, or does not exist
    observed: Mapping[str, Any]  # by hypothesis: events, (category, bin, region); A is NaN if hidden
    c_ab: Mapping[str, Any]
    c_ab_error: Mapping[str, Any]
    closure: Mapping[str, Mapping[str, float]]  # by hypothesis and category, relative


@dataclass(frozen=True)
class Inputs:
    """All that fits and limits need of a finished run."""

    selection: Selection
    signals: Signals
    background: Background
    normalisations: Mapping[str, float]  # nuisance -> relative uncertainty of the signal
    digest: str  # of scores, regions, thresholds and the background


def load(out: Path, *, luminosity: float | None = None) -> Inputs:
    """Reads a finished run.

    Args:
        out: its folder, with the stage `abcd`.
        luminosity: /fb; simulated background is projected to it in place of data. See `projection`.

    Raises:
        NoBackgroundError: no stage `abcd`, no data, or no signal.
        EstimateError: its files are broken, or were made with other corrections.
        HNLError: see `selection.load` and `signals.load`.
    """
    folder = out / abcd.FOLDER
    if not (folder / "abcd.json").is_file():
        raise NoBackgroundError(f"{out} holds no background estimate (no {abcd.FOLDER}/abcd.json): run hnl abcd first")
    selection = selections.load(out)
    try:
        content = json.loads((folder / "abcd.json").read_text(encoding="utf-8"))
        thresholds: Thresholds = content["thresholds"]
        records: list[Record] = content["tables"]["yields"]
        used = content["corrections"]
        filled = files.read_json(folder / "histograms.json")["regions"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EstimateError(f"the background estimate in {folder} is broken: {error}; run hnl abcd again") from error
    if used != abcd.corrections_of(selection):  # the signal would be weighted with others
        raise EstimateError(f"{folder} was made with corrections that have changed since: run hnl abcd again")
    found = signals.load(selection, thresholds, filled)
    if not found.datasets:
        raise NoBackgroundError(f"{out}: no signal sample in the catalogue, so there is nothing to set limits on")
    if luminosity is None:
        background = _of_data(out, selection, filled, records, bool(content["hidden"]))
    else:
        background = projected(selection, filled, luminosity)
    normalisations = _normalisations(selection, [d.scored.dataset for d in found.datasets])
    digest = _digest(found, background, normalisations)
    return Inputs(selection, found, background, normalisations, digest)


def _of_data(out: Path, selection: Selection, filled: hist.Hist, records: list[Record], hidden: bool) -> Background:
    data = [dataset for dataset in selection.catalogue.datasets if dataset.is_data]
    if not data:
        raise NoBackgroundError(
            f"{out}: no data in the catalogue; limits expected from simulated background need --scale-to LUMINOSITY"
        )
    eras = {dataset.era for dataset in data}
    if missing := {d.era for d in selection.catalogue.datasets if d.kind == "signal"} - eras:
        raise NoBackgroundError(f"{out}: signal but no data in the eras {', '.join(sorted(missing))}")
    observed, c_ab, c_ab_error, closure = {}, {}, {}, {}
    for h in HYPOTHESES:
        counts = yields.counts(filled, [dataset.name for dataset in data], h, "SR").sum_w
        observed[h] = np.where(np.arange(len(REGIONS)) == 0, np.nan, counts) if hidden else counts
        rows = {(r["category"], r["bin"]): r for r in records if (r["sample"], r["hypothesis"]) == ("data", h)}
        c_ab[h], c_ab_error[h] = np.ones(counts.shape[:2]), np.zeros(counts.shape[:2])
        for i, category in enumerate(CATEGORIES):
            for b in regions.bins(h, category):
                row = rows[category, b.label]
                c_ab[h][i, b.number], c_ab_error[h][i, b.number] = row["c_ab"], row["c_ab_uncertainty"]
        closure[h] = {category: rows[category, "all"]["closure"] for category in CATEGORIES}
    luminosity = sum(selection.catalogue.eras[era].luminosity for era in eras)
    label = f"data, {luminosity:g}/fb" + (", expected only: region A is blinded" if hidden else "")
    return Background(label, luminosity, 1.0, hidden, observed, c_ab, c_ab_error, closure)


def projected(selection: Selection, filled: hist.Hist, luminosity: float) -> Background:
    """Simulated background at another luminosity, in place of data. See `projection`.

    Raises:
        NoBackgroundError: the luminosity is not above zero, or there is no simulated background.
    """
    if not (luminosity > 0 and np.isfinite(luminosity)):
        raise NoBackgroundError(f"a luminosity must be above 0 /fb, not {luminosity}")
    every = selection.catalogue.datasets
    backgrounds = [dataset.name for dataset in every if dataset.kind == "background"]
    if not backgrounds:
        raise NoBackgroundError(f"{selection.folder}: no simulated background that could be projected")
    simulated = sum(selection.catalogue.eras[era].luminosity for era in {d.era for d in every if d.kind == "signal"})
    scale = luminosity / simulated
    label = f"projection of simulated background to {luminosity:g}/fb, not data"
    observed, c_ab_error = {}, {}
    for h in HYPOTHESES:
        observed[h] = scale * projection.smoothed(filled, backgrounds, h)
        c_ab_error[h] = projection.c_ab_error(h)
    ones = np.ones((len(CATEGORIES), regions.N_BINS))
    closure = {h: dict.fromkeys(CATEGORIES, projection.CLOSURE) for h in HYPOTHESES}
    return Background(label, luminosity, scale, True, observed, dict.fromkeys(HYPOTHESES, ones), c_ab_error, closure)


def model(found: Yields, inputs: Inputs, *, correlated: bool = True) -> Model:
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
    for i, category in enumerate(CATEGORIES):
        if category.split("_")[0] not in FLAVOURS[found.point.coupling]:
            continue
        there = [b.number for b in regions.bins(h, category)]
        signal = np.maximum(found.nominal.sum_w[i, there], 0)
        sizes = {**inputs.normalisations, "interpolation": found.interpolation}
        factors: dict[str, Any] = {name: 1 + size for name, size in sizes.items()}
        for name in {v.removesuffix("_up") for v in found.varied if v.endswith("_up")}:
            up, down = (found.varied[f"{name}_{way}"].sum_w[i, there] for way in ("up", "down"))
            factors[name] = models.shift_factor(signal, up, down)
        cells += models.cells(
            category,
            there,
            background.observed[h][i, there],
            background.signal_scale * signal,
            background.signal_scale * found.error[i, there],
            factors,
            background.c_ab[h][i, there],
            background.c_ab_error[h][i, there],
        )
        closure[category] = 1 + background.closure[h][category]
    return Model(tuple(cells), closure, correlated)


def _normalisations(selection: Selection, datasets: list[Dataset]) -> dict[str, float]:
    """Nuisance -> relative uncertainty of the whole signal yield (Table 4).

    An era's luminosity counts with its share of the total; of the others the largest among the samples is taken.
    """
    eras = {dataset.era: selection.catalogue.era(dataset) for dataset in datasets}
    total = sum(era.luminosity for era in eras.values())
    of_eras: dict[str, float] = {}
    for era in eras.values():
        for name, size in normalisation.luminosity_uncertainties(era).items():
            of_eras[name] = of_eras.get(name, 0.0) + size * era.luminosity / total
    others: dict[str, float] = {}
    for dataset in datasets:
        for name, size in normalisation.uncertainties(dataset, eras[dataset.era]).items():
            if name not in of_eras:
                others[name] = max(size, others.get(name, 0.0))
    return of_eras | others


def _digest(found: Signals, background: Background, normalisations: Mapping[str, float]) -> str:
    """Of all numbers that limits depend on."""
    content: list[Any] = [found.thresholds, normalisations, background.label, background.signal_scale]
    content += [background.closure]
    arrays = [part[h] for part in (background.observed, background.c_ab, background.c_ab_error) for h in HYPOTHESES]
    for d in found.datasets:
        content.append(str(d.sample))
        for one in (d.scored, *d.scored.shifted.values()):
            arrays += [*one.columns.values(), *one.scores.values(), *one.weights.values(), one.cluster]
        content.append([*d.scored.weights, *d.scored.shifted])
    return provenance.digest([content, [provenance.digest(np.asarray(a).tobytes().hex()) for a in arrays]])
