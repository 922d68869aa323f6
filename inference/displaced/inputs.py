"""All that fits and limits need, read from a finished run: the estimate, and signal yields checked against it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import hist
import numpy as np

from hnl import layout, provenance, records
from hnl.corrections import normalisation
from hnl.datasets import years
from hnl.datasets.catalogue import Dataset, data_name
from hnl.errors import HNLError, InputError
from hnl.histograms import files
from hnl.histograms.displaced import yields
from hnl.inference.abcd import projection
from hnl.inference.abcd.files import EstimateFile
from hnl.inference.abcd.rows import ALL, YieldRow
from hnl.inference.abcd.settings import PAPER, AbcdSettings
from hnl.inference.displaced import signals
from hnl.inference.displaced.modelling import Background, Inputs
from hnl.inference.displaced.signals import Signals
from hnl.ml.scored import Scored
from hnl.selections.displaced import regions
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.hypotheses import HYPOTHESES
from hnl.selections.displaced.regions import REGIONS, A, RegionSettings, Thresholds

if TYPE_CHECKING:  # what was selected is taken as it is
    from hnl.processors.selection import Selection


class NoBackgroundError(InputError):
    """There is no background estimate to fit."""


class EstimateError(HNLError):
    """The histograms of the stage `abcd` are broken, or it was run with other corrections."""


class SignalError(HNLError):
    """The signal candidates are not those that the stage `abcd` has seen."""


class FinishedRun(Protocol):
    """An output folder, and what is read of it once, see `stages.run.Run`."""

    out: Path

    @property
    def selection(self) -> "Selection":
        """Its selection."""

    @property
    def scored(self) -> Mapping[str, Scored]:
        """Every dataset with its scores."""


def load(run: FinishedRun, *, luminosity: float | None = None) -> Inputs:
    """Reads a finished run.

    Args:
        run: with the stage `abcd`.
        luminosity: /fb; simulated background is projected to it in place of data. See `projection`.

    Raises:
        NoBackgroundError: no stage `abcd`, no data, or no signal.
        FormatError, BrokenFileError: abcd.json is of another version, or broken.
        EstimateError: its histograms are broken, or it was run with other corrections.
        HNLError: see `read_signals`.
    """
    out = run.out
    folder = out / layout.ABCD
    if not (out / layout.ESTIMATE).is_file():
        raise NoBackgroundError(f"{out} holds no background estimate (no {layout.ESTIMATE}): run hnl abcd first")
    estimate = records.read(out / layout.ESTIMATE, EstimateFile)
    try:
        filled = files.read_json(out / layout.REGIONS)["regions"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EstimateError(f"the background estimate in {folder} is broken: {error}; run hnl abcd again") from error
    selection = run.selection
    if estimate.corrections != selection.corrections():  # the signal would be weighted with others
        raise EstimateError(f"{folder} was made with corrections that have changed since: run hnl abcd again")
    settings = AbcdSettings.of_catalogue(selection.catalogue)
    found = read_signals(run, estimate.thresholds, filled, settings)
    if not found.datasets:
        raise NoBackgroundError(f"{out}: no signal sample in the catalogue, so there is nothing to set limits on")
    if luminosity is None:
        background = _of_data(out, selection, filled, estimate.tables.yields, bool(estimate.hidden), settings.regions)
    else:
        background = projected(selection, filled, luminosity, settings)
    normalisations = _normalisations(selection, [d.scored.dataset for d in found.datasets])
    digest = _digest(found, background, normalisations)
    return Inputs(found, background, normalisations, digest)


def _of_data(
    out: Path,
    selection: "Selection",
    filled: hist.Hist,
    estimated: Sequence[YieldRow],
    hidden: bool,
    settings: RegionSettings,
) -> Background:
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
        observed[h] = np.where(np.arange(len(REGIONS)) == A, np.nan, counts) if hidden else counts
        rows = {(r.category, r.bin): r for r in estimated if (r.sample, r.hypothesis) == ("data", h)}
        c_ab[h], c_ab_error[h] = np.ones(counts.shape[:2]), np.zeros(counts.shape[:2])
        for i, category in enumerate(CATEGORIES):
            for b in regions.bins(h, category, settings):
                row = rows[category, b.label]
                c_ab[h][i, b.number], c_ab_error[h][i, b.number] = row.c_ab, row.c_ab_uncertainty
        closure[h] = {category: rows[category, ALL].closure for category in CATEGORIES}
    luminosity = sum(selection.catalogue.eras[era].luminosity for era in eras)
    energy = years.in_words(selection.catalogue.energies)
    label = f"{data_name(data)}, {luminosity:g}/fb ({energy})" + (
        ", expected only: region A is blinded" if hidden else ""
    )
    return Background(label, luminosity, 1.0, hidden, observed, c_ab, c_ab_error, closure)


def projected(
    selection: "Selection", filled: hist.Hist, luminosity: float, settings: AbcdSettings = PAPER
) -> Background:
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
    energy = years.in_words(selection.catalogue.energies)
    label = f"projection of simulated background to {luminosity:g}/fb ({energy}), not data"
    observed, c_ab_error = {}, {}
    for h in HYPOTHESES:
        observed[h] = scale * projection.smoothed(filled, backgrounds, h, settings.regions)
        c_ab_error[h] = projection.c_ab_error(h, settings.estimate.dy_unknown)
    ones = np.ones((len(CATEGORIES), regions.N_BINS))
    closure = {h: dict.fromkeys(CATEGORIES, settings.estimate.expected_closure) for h in HYPOTHESES}
    return Background(label, luminosity, scale, True, observed, dict.fromkeys(HYPOTHESES, ones), c_ab_error, closure)


def read_signals(
    run: FinishedRun, thresholds: Thresholds, filled: hist.Hist, settings: AbcdSettings = PAPER
) -> Signals:
    """The signal samples of a finished run.

    Args:
        run: with candidates and scores beside them.
        thresholds: of the stage `abcd`.
        filled: its histogram `regions`, against which the yields are checked.
        settings: of the estimate.

    Raises:
        SignalError: yields are not those of the histogram.
        HNLError: see `read`.
    """
    entries = [dataset for dataset in run.selection.catalogue.datasets if dataset.kind == "signal"]
    made = signals.make([run.scored[dataset.name] for dataset in entries], run.selection.sum_w, thresholds, settings)
    for d in made.datasets:
        name = d.sample.name
        for h in HYPOTHESES:
            factors = dict.fromkeys(d.binned[h], 1.0)
            there = name in filled.axes["dataset"]
            for v, found in signals.sr_yields(d, h, factors, thresholds).items():
                there = there and v in filled.axes["variation"]
                if not there or not np.allclose(
                    found.sum_w, yields.counts(filled, [name], h, "SR", v).sum_w, rtol=1e-9
                ):
                    raise SignalError(
                        f"{run.out / layout.ABCD} is of other scores or weights of {name}: run hnl abcd again"
                    )
    return made


def _normalisations(selection: "Selection", datasets: list[Dataset]) -> dict[str, float]:
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
        era = eras[dataset.era]
        sizes = normalisation.uncertainties(dataset, era) | {"score": normalisation.score_uncertainty(era)}
        for name, size in sizes.items():
            if name not in of_eras:
                others[name] = max(size, others.get(name, 0.0))
    return of_eras | others


def _digest(found: Signals, background: Background, normalisations: Mapping[str, float]) -> str:
    """Of all numbers that limits depend on."""
    content: list[object] = [found.thresholds, normalisations, background.label, background.signal_scale]
    content += [background.closure, found.settings.regions.model_dump(), found.settings.masses.model_dump()]
    yields = (background.observed, background.c_ab, background.c_ab_error)
    arrays: list[np.ndarray] = [part[h] for part in yields for h in HYPOTHESES]
    for d in found.datasets:
        content.append(str(d.sample))
        for one in (d.scored, *d.scored.shifted.values()):
            arrays += [*one.columns.values(), *one.scores.values(), *one.weights.values(), one.cluster]
        content.append([*d.scored.weights, *d.scored.shifted])
    return provenance.digest([content, [provenance.digest(np.asarray(a).tobytes().hex()) for a in arrays]])
