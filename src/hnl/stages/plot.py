"""Stage `plot`: all figures again, from what the stages saved: nothing is computed but what is drawn."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hnl import layout
from hnl.datasets.catalogue import Catalogue
from hnl.errors import HNLError, InputError
from hnl.histograms import files
from hnl.inference.abcd import files as estimate_files
from hnl.inference.displaced import table5
from hnl.plots import abcd as abcd_plots
from hnl.plots import classifier, distributions
from hnl.plots import limits as limit_plots
from hnl.stages.run import Run

Figures = list[tuple[str, Path]]


class NoProductsError(InputError):
    """There is nothing to draw."""


class ProductError(HNLError):
    """A saved product cannot be read."""


def run(at: Run) -> Figures:
    """Draws every figure whose product is in an output folder.

    Returns:
        (title, PNG) of each figure.

    Raises:
        NoProductsError: there is no product.
        ProductError: one is broken.
    """
    out, plots = at.out, at.out / layout.PLOTS
    made: Figures = []
    if (out / layout.SELECTION).is_file() and (path := out / layout.HISTOGRAMS).is_file():
        made += _read(path, lambda path: distributions.draw_all(files.read_json(path), at.selection.catalogue, plots))
    if (path := out / layout.ESTIMATE).is_file():
        made += _read(path, lambda path: _abcd(out, path, at.selection.catalogue))
    drawers: tuple[tuple[tuple[str, ...], Callable[[Any], Figures]], ...] = (
        ((layout.EVALUATION,), lambda content: classifier.draw_all(content["metrics"], plots)),
        (layout.EVERY_LIMITS, lambda content: limit_plots.draw_limits(content, table5.rows(), plots)),
        (layout.EVERY_FIT, lambda content: limit_plots.draw_fits(content, plots)),
    )
    for patterns, drawer in drawers:
        for path in [path for pattern in patterns for path in sorted(out.glob(pattern))]:
            made += _read(path, lambda path, drawer=drawer: drawer(json.loads(path.read_text(encoding="utf-8"))))  # type: ignore[misc]
    if not made:
        raise NoProductsError(f"{out} holds nothing that could be drawn: run hnl run first")
    return made


def _read(path: Path, drawer: Callable[[Path], Figures]) -> Figures:
    try:
        return drawer(path)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ProductError(f"cannot draw {path}: {type(error).__name__}: {error}; run its stage again") from error


def _abcd(out: Path, path: Path, catalogue: Catalogue) -> Figures:
    estimate = estimate_files.read(path)
    plane = files.read_json(out / layout.REGIONS)["plane"]
    groups = {"data": "data", "simulation": "background"}
    samples = {name: [d.name for d in catalogue.datasets if d.kind == kind] for name, kind in groups.items()}
    chosen = {name: names for name, names in samples.items() if names}
    folder = out / layout.PLOTS
    return abcd_plots.draw_all(estimate.tables, plane, chosen, estimate.scan, estimate.thresholds, folder)
