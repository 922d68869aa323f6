"""Stage `plot`: all figures again, from what the stages saved: nothing is computed but what is drawn."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from hnl import layout, records
from hnl.datasets.catalogue import Catalogue
from hnl.errors import HNLError, InputError
from hnl.histograms import files
from hnl.inference.abcd.files import EstimateFile
from hnl.inference.displaced import table5
from hnl.inference.displaced.k0s_results import K0SFile
from hnl.inference.displaced.results import LimitsFile
from hnl.inference.results import FitFile, StrengthsFile
from hnl.plots import classifier, distributions
from hnl.plots import fits as fit_plots
from hnl.plots import strengths as strength_plots
from hnl.plots.displaced import abcd as abcd_plots
from hnl.plots.displaced import k0s as k0s_plots
from hnl.plots.displaced import limits as limit_plots
from hnl.plots.style import Label
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
        FormatError, BrokenFileError: k0s.json, limits.json or fit.json is not of this version, or broken.
    """
    out, plots = at.out, at.out / layout.PLOTS
    made: Figures = []
    if (out / layout.SELECTION).is_file() and (path := out / layout.HISTOGRAMS).is_file():
        made += _read(
            path,
            lambda path: distributions.draw_all(
                files.read_json(path), at.analysis.distributions, at.selection.catalogue, plots
            ),
        )
    if (path := out / layout.ESTIMATE).is_file():
        made += _read(path, lambda path: _abcd(out, path, at.selection.catalogue))
    if (path := out / layout.EVALUATION).is_file():
        made += _read(
            path, lambda path: classifier.draw_all(json.loads(path.read_text(encoding="utf-8"))["metrics"], plots)
        )
    if (path := out / layout.K0S_FILE).is_file():
        made += k0s_plots.draw_all(records.read(path, K0SFile), out / layout.K0S)
    for path in _existing(out, layout.EVERY_LIMITS):
        made += limit_plots.draw_limits(records.read(path, LimitsFile), table5.rows(), plots)
    for path in _existing(out, layout.EVERY_STRENGTHS):
        made += strength_plots.draw_strengths(records.read(path, StrengthsFile), plots)
    for path in _existing(out, layout.EVERY_FIT):
        made += fit_plots.draw_fits(records.read(path, FitFile), plots)
    if not made:
        raise NoProductsError(f"{out} holds nothing that could be drawn: run hnl run first")
    return made


def _existing(out: Path, patterns: Iterable[str]) -> list[Path]:
    return [path for pattern in patterns for path in sorted(out.glob(pattern))]


def _read(path: Path, drawer: Callable[[Path], Figures]) -> Figures:
    try:
        return drawer(path)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ProductError(f"cannot draw {path}: {type(error).__name__}: {error}; run its stage again") from error


def _abcd(out: Path, path: Path, catalogue: Catalogue) -> Figures:
    estimate = records.read(path, EstimateFile)
    plane = files.read_json(out / layout.REGIONS)["plane"]
    groups = {"data": "data", "simulation": "background"}
    samples = {name: [d.name for d in catalogue.datasets if d.kind == kind] for name, kind in groups.items()}
    chosen = {name: names for name, names in samples.items() if names}
    folder = out / layout.PLOTS
    label = Label.of(catalogue)
    return abcd_plots.draw_all(estimate.tables, plane, chosen, estimate.scan, estimate.thresholds, folder, label)
