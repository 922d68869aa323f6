"""A model as a list of Poisson counts, one per region of a cell and bin of a template: what exporters write."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hnl.inference.cells import A, Cell
from hnl.inference.likelihood import FREE
from hnl.inference.model import Model
from hnl.inference.model_errors import BinningError, MissingRegionError, ModelError
from hnl.inference.templates import SIGNAL, TemplateChannel
from hnl.selections.displaced.regions import REGIONS

BACKGROUND = "background"  # the process of cells

_CELL = re.compile(r"(?P<cell>\w+_b\d+)_(?P<region>[A-D])")
_BIN = re.compile(r"\w+_bin\d+")


class ChannelError(ModelError):
    """A file has a count, or a nuisance parameter in one, that our models do not have; the message names it."""


class ExportedProcess(NamedTuple):
    """A background in one count. Factors are by nuisance parameter; those without effect are left out."""

    scale: float  # of cells: c_AB in A, otherwise 1; of templates: events
    factors: Mapping[str, float]
    free: bool  # of templates: whether the normalisation is


class Count(NamedTuple):
    """One region of one cell, or one bin of a template."""

    name: str  # CELL_REGION or CHANNEL_binNUMBER
    observed: float
    signal: float
    signal_factors: Mapping[str, float]
    backgrounds: Mapping[str, ExportedProcess]


def counts(model: Model) -> list[Count]:
    """The counts of a model: A to D of each cell, then the bins of each template.

    Raises:
        HiddenDataError: the data are blinded; export `model.asimov()` in that case.
    """
    observed = model.observed()
    result = []
    for i, cell in enumerate(model.cells):
        for j, region in enumerate(REGIONS):
            signal = {name: factors[j] for name, factors in cell.signal_factors.items()}
            signal[f"mc_{cell.name}_{region}"] = cell.signal_mc[j]
            background = {model.closure_name(cell): model.closure[cell.category], f"dy_{cell.name}": cell.c_ab_factor}
            process = ExportedProcess(
                cell.c_ab if j == A else 1.0, _effective(background) if j == A else {}, free=False
            )
            name = f"{cell.name}_{region}"
            count = Count(name, float(observed[i, j]), cell.signal[j], _effective(signal), {BACKGROUND: process})
            result.append(count)
    row = len(model.cells)
    for channel in model.templates:
        for i in range(channel.bins):
            result.append(_bin(channel, i, float(observed[row, A])))
            row += 1
    return result


def _bin(channel: TemplateChannel, i: int, observed: float) -> Count:
    row = channel.row(i)

    def factors(process: str, mc: Sequence[float] | None) -> dict[str, float]:
        named = {name: values[i] for name, values in channel.process_factors(process).items()}
        kind = SIGNAL if process == SIGNAL else BACKGROUND
        return _effective(named | ({f"mc_{row}_{kind}": mc[i]} if mc else {}))

    backgrounds = {
        process: ExportedProcess(
            values[i], factors(process, channel.background_mc if values[i] else None), process in channel.free
        )
        for process, values in channel.backgrounds.items()
    }
    return Count(row, observed, channel.signal[i], factors(SIGNAL, channel.signal_mc), backgrounds)


def _effective(factors: Mapping[str, float]) -> dict[str, float]:
    return {name: kappa for name, kappa in factors.items() if kappa != 1}


def largest_normalisation(model: Model, process: str) -> float:
    """Where a fit may stop to look for a free normalisation: ten times what all events of its bins would need."""
    channels = [channel for channel in model.templates if process in channel.backgrounds]
    events = sum(sum(channel.observed or ()) for channel in channels)
    return 10 * max(1.0, events / sum(sum(channel.backgrounds[process]) for channel in channels))


def model(found: Iterable[Count]) -> Model:
    """The model of counts.

    Raises:
        ChannelError: a count or a nuisance parameter does not belong to our models.
        ModelError: see `inference.model_errors`.
    """
    by_cell: dict[str, dict[str, Count]] = {}
    by_channel: dict[str, dict[int, Count]] = {}
    for count in found:
        if region := region_of(count.name):
            first = by_cell.setdefault(region[0], {}).setdefault(region[1], count)
        else:
            name, _, digits = count.name.rpartition("_bin")
            first = by_channel.setdefault(name, {}).setdefault(int(digits), count)
        if first is not count:
            raise ChannelError(f"channel {count.name} is there twice")
    cells, closure, correlated = _cells(by_cell)
    return Model(cells, closure, correlated, tuple(_template(*entry) for entry in by_channel.items()))


def _cells(by_cell: Mapping[str, Mapping[str, Count]]) -> tuple[tuple[Cell, ...], dict[str, float], bool]:
    """Cells, closure of their categories, and whether it is correlated."""
    cells, closures = [], []
    for name, regions in by_cell.items():
        if missing := [region for region in REGIONS if region not in regions]:
            raise MissingRegionError(f"{name}: no channel for region {', '.join(missing)}")
        four = [regions[region] for region in REGIONS]
        backgrounds = [count.backgrounds[BACKGROUND] for count in four]
        category, _, number = name.rpartition("_b")
        mc = tuple(c.signal_factors.get(f"mc_{c.name}", 1.0) for c in four)
        shared = {n for c in four for n in c.signal_factors if n != f"mc_{c.name}"}
        factors = {n: tuple(c.signal_factors.get(n, 1.0) for c in four) for n in sorted(shared)}
        of_a = dict(backgrounds[A].factors)
        dy = of_a.pop(f"dy_{name}", 1.0)
        correlated, own = of_a.pop(f"closure_{category}", 1.0), of_a.pop(f"closure_{name}", 1.0)
        if of_a or any(b.factors or b.scale != 1 for b in backgrounds[1:]):
            raise ChannelError(f"{name}: the background has a factor or nuisance parameter that is not of our models")
        closures.append((category, correlated, own))
        data, signal = tuple(c.observed for c in four), tuple(c.signal for c in four)
        cells.append(Cell(category, int(number), data, signal, mc, factors, backgrounds[A].scale, dy))
    uncorrelated = any(own != 1 for _, _, own in closures)
    closure: dict[str, float] = {}
    for category, correlated, own in closures:
        value = own if uncorrelated else correlated
        if closure.setdefault(category, value) != value or (uncorrelated and correlated != 1):
            raise BinningError(f"{category}: the closure uncertainty is not the same in all bins")
    return tuple(cells), closure, not uncorrelated


def _template(name: str, by_number: Mapping[int, Count]) -> TemplateChannel:
    if sorted(by_number) != list(range(len(by_number))):
        raise BinningError(f"{name}: the bins are {sorted(by_number)}, not 0 to {len(by_number) - 1}")
    bins = [by_number[i] for i in range(len(by_number))]
    free = {process: part.free for process, part in bins[0].backgrounds.items()}
    for count in bins:
        if {process: part.free for process, part in count.backgrounds.items()} != free:
            raise ChannelError(f"channel {count.name} has other processes, or free ones, than {bins[0].name}")
    factors: dict[str, dict[str, list[float]]] = {}
    mc = {SIGNAL: [1.0] * len(bins), BACKGROUND: [1.0] * len(bins)}
    for i, count in enumerate(bins):
        sources = {SIGNAL: count.signal_factors, **{p: part.factors for p, part in count.backgrounds.items()}}
        for process, kappas in sources.items():
            kind = SIGNAL if process == SIGNAL else BACKGROUND
            for nuisance, kappa in kappas.items():
                if nuisance == f"mc_{count.name}_{kind}":
                    mc[kind][i] = kappa
                else:
                    factors.setdefault(nuisance, {}).setdefault(process, [1.0] * len(bins))[i] = kappa
        whole = [
            part.factors.get(f"mc_{count.name}_{BACKGROUND}", 1.0) for part in count.backgrounds.values() if part.scale
        ]
        if any(kappa != mc[BACKGROUND][i] for kappa in whole):
            raise ChannelError(f"channel {count.name}: the MC statistical error is of the sum of all backgrounds")
    return TemplateChannel(
        name,
        tuple(count.observed for count in bins),
        tuple(count.signal for count in bins),
        {process: tuple(count.backgrounds[process].scale for count in bins) for process in free},
        {nuisance: {p: tuple(ks) for p, ks in of.items()} for nuisance, of in factors.items()},
        tuple(process for process in free if free[process]),
        tuple(mc[SIGNAL]),
        tuple(mc[BACKGROUND]),
    )


def free_name(process: str) -> str:
    """The parameter of a free normalisation."""
    return FREE + process


def region_of(name: str) -> tuple[str, str] | None:
    """Cell and region of a count; None for bins of templates.

    Raises:
        ChannelError: it is not the name of a count.
    """
    if match := _CELL.fullmatch(name):
        return match["cell"], match["region"]
    if _BIN.fullmatch(name):
        return None
    raise ChannelError(f"channel {name!r} is neither CATEGORY_bNUMBER_REGION nor CHANNEL_binNUMBER")


def number(text: object, what: str) -> float:
    """A finite number.

    Raises:
        ChannelError: it is none.
    """
    try:
        value = float(str(text))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ChannelError(f"{what}: {text!r} is not a finite number")
    return value
