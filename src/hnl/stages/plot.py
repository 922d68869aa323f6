"""All figures again, from what the stages saved: nothing is computed but what is drawn."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hnl.datasets.catalogue import Catalogue
from hnl.errors import HNLError, InputError
from hnl.histograms import files
from hnl.histograms.fill import Histograms
from hnl.inference import fitting, limits, table5
from hnl.inference.abcd import analysis as abcd
from hnl.inference.abcd.thresholds import Scan
from hnl.ml import learning, scoring
from hnl.plots import abcd as abcd_plots
from hnl.plots import classifier, distributions
from hnl.plots import limits as limit_plots
from hnl.processors import selection as selections
from hnl.stages import histogram as histogramming

FOLDER = "plots"
Figures = list[tuple[str, Path]]


class NoProductsError(InputError):
    """There is nothing to draw."""


class ProductError(HNLError):
    """A saved product cannot be read."""


def of_distributions(out: Path, histograms: Histograms, catalogue: Catalogue) -> Figures:
    """Of histograms.json."""
    return distributions.draw_all(histograms, catalogue, out / FOLDER)


def of_limits(out: Path, content: Mapping[str, Any]) -> Figures:
    """Of limits.json."""
    return limit_plots.draw_limits(content, table5.rows(), out / FOLDER)


def of_fits(out: Path, content: Mapping[str, Any]) -> Figures:
    """Of fit.json."""
    return limit_plots.draw_fits(content, out / FOLDER)


def of_classifiers(out: Path, content: Mapping[str, Any]) -> Figures:
    """Of evaluation.json."""
    return classifier.draw_all(content["metrics"], out / FOLDER)


def draw(out: Path) -> Figures:
    """Draws every figure whose product is in an output folder.

    Returns:
        (title, PNG) of each figure.

    Raises:
        NoProductsError: there is no product.
        ProductError: one is broken.
    """
    made: Figures = []
    if (out / selections.SELECTION_FILE).is_file() and (out / histogramming.FILES[0]).is_file():
        made += _read(out / histogramming.FILES[0], lambda _: _distributions(out))
    if (path := out / abcd.FOLDER / "abcd.json").is_file():
        made += _read(path, lambda path: _abcd(out, path))
    drawers: tuple[tuple[str, Callable[[Path, Mapping[str, Any]], Figures]], ...] = (
        (f"{scoring.MODELS}/{learning.EVALUATION_FILE}", of_classifiers),
        (f"{limits.FOLDER}/{limits.FILE}", of_limits),
        (f"projection_*/{limits.FILE}", of_limits),
        (f"{fitting.FOLDER}/{fitting.FILE}", of_fits),
        (f"{fitting.FOLDER}_projection_*/{fitting.FILE}", of_fits),
    )
    for pattern, drawer in drawers:
        for path in sorted(out.glob(pattern)):
            made += _read(path, lambda path, drawer=drawer: drawer(out, json.loads(path.read_text(encoding="utf-8"))))  # type: ignore[misc]
    if not made:
        raise NoProductsError(f"{out} holds nothing that could be drawn: run hnl run first")
    return made


def _read(path: Path, drawer: Callable[[Path], Figures]) -> Figures:
    try:
        return drawer(path)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ProductError(f"cannot draw {path}: {type(error).__name__}: {error}; run its stage again") from error


def _distributions(out: Path) -> Figures:
    name = next(name for name in histogramming.FILES if name.endswith(".json"))
    return of_distributions(out, files.read_json(out / name), selections.load(out).catalogue)


def _abcd(out: Path, path: Path) -> Figures:
    content = json.loads(path.read_text(encoding="utf-8"))
    plane = files.read_json(path.with_name("histograms.json"))["plane"]
    catalogue = selections.load(out).catalogue
    groups = {"data": "data", "simulation": "background"}
    samples = {name: [d.name for d in catalogue.datasets if d.kind == kind] for name, kind in groups.items()}
    scans = {h: {c: _scan(one) for c, one in row.items()} for h, row in content["scan"].items()}
    chosen = {name: names for name, names in samples.items() if names}
    return abcd_plots.draw_all(content["tables"], plane, chosen, scans, content["thresholds"], out / FOLDER)


def _scan(saved: Mapping[str, Any]) -> Scan:
    arrays: dict[str, Any] = {k: np.array(v) if isinstance(v, list) else v for k, v in saved.items()}
    return Scan(**arrays)
