"""A model as a list of counting channels, one a cell and region: what the pyhf and Combine exporters write and read."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hnl.inference.model import A, BinningError, Cell, MissingRegionError, Model, ModelError
from hnl.selections.displaced.regions import REGIONS

_CHANNEL = re.compile(r"(?P<cell>(?P<category>\w+)_b(?P<bin>\d+))_(?P<region>[A-D])")


class ChannelError(ModelError):
    """A file has a channel, or a nuisance parameter in one, that our models do not have; the message names it."""


class Channel(NamedTuple):
    """One region of one cell. Factors are by nuisance parameter; those without effect are left out."""

    cell: str
    region: str
    observed: float
    signal: float
    scale: float  # c_AB in A, otherwise 1
    signal_factors: Mapping[str, float]
    background_factors: Mapping[str, float]

    @property
    def name(self) -> str:
        """CELL_REGION."""
        return f"{self.cell}_{self.region}"


def channels(model: Model) -> list[Channel]:
    """The channels of a model, A to D of each cell.

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
            result.append(
                Channel(
                    cell.name,
                    region,
                    float(observed[i, j]),
                    cell.signal[j],
                    cell.c_ab if j == A else 1.0,
                    {name: kappa for name, kappa in signal.items() if kappa != 1},
                    {name: kappa for name, kappa in background.items() if kappa != 1 and j == A},
                )
            )
    return result


def model(found: Iterable[Channel]) -> Model:
    """The model of channels.

    Raises:
        ChannelError: a channel or a nuisance parameter does not belong to our models.
        ModelError: see `inference.model`.
    """
    by_cell: dict[str, dict[str, Channel]] = {}
    for channel in found:
        regions = by_cell.setdefault(channel.cell, {})
        if channel.region in regions:
            raise ChannelError(f"channel {channel.name} is there twice")
        regions[channel.region] = channel
    cells, closures = [], []
    for name, regions in by_cell.items():
        if missing := [region for region in REGIONS if region not in regions]:
            raise MissingRegionError(f"{name}: no channel for region {', '.join(missing)}")
        four = [regions[region] for region in REGIONS]
        category, number = split(f"{name}_A")[1:3]
        mc = tuple(c.signal_factors.get(f"mc_{c.name}", 1.0) for c in four)
        shared = {n for c in four for n in c.signal_factors if n != f"mc_{c.name}"}
        factors = {n: tuple(c.signal_factors.get(n, 1.0) for c in four) for n in sorted(shared)}
        of_a = dict(four[A].background_factors)
        dy = of_a.pop(f"dy_{name}", 1.0)
        correlated, own = of_a.pop(f"closure_{category}", 1.0), of_a.pop(f"closure_{name}", 1.0)
        if of_a or any(c.background_factors or c.scale != 1 for c in four[1:]):
            raise ChannelError(f"{name}: the background has a factor or nuisance parameter that is not of our models")
        closures.append((category, correlated, own))
        data, signal = tuple(c.observed for c in four), tuple(c.signal for c in four)
        cells.append(Cell(category, number, data, signal, mc, factors, four[A].scale, dy))
    uncorrelated = any(own != 1 for _, _, own in closures)
    closure: dict[str, float] = {}
    for category, correlated, own in closures:
        value = own if uncorrelated else correlated
        if closure.setdefault(category, value) != value or (uncorrelated and correlated != 1):
            raise BinningError(f"{category}: the closure uncertainty is not the same in all bins")
    return Model(tuple(cells), closure, not uncorrelated)


def split(name: str) -> tuple[str, str, int, str]:
    """Cell, category, bin, region of a channel's name.

    Raises:
        ChannelError: it is not the name of one.
    """
    match = _CHANNEL.fullmatch(name)
    if match is None:
        raise ChannelError(f"channel {name!r} is not CATEGORY_bNUMBER_REGION")
    return match["cell"], match["category"], int(match["bin"]), match["region"]


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
