"""What a figure of a distribution shows: processes, signals and data in the bins that are drawn, and in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log10

import hist
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.histograms.variables import Split
from hnl.plots import processes, style
from hnl.plots.style import Label

Numbers = NDArray[np.float64]

SHOWN = 6  # processes: more could not be told apart
MIN_EVENTS = 20  # effective events of a signal in a panel that is drawn


@dataclass(frozen=True)
class Line:
    """A histogram of a process in all panels, shape (panels, bins)."""

    title: str
    values: Numbers
    place: int  # in the cycle of colours
    line: str = "-"


@dataclass(frozen=True)
class Content:
    """What is drawn, in the bins of the figure; arrays of shape (panels, bins)."""

    edges: Numbers
    label: str
    backgrounds: list[Line]
    background: Numbers
    variance: Numbers
    signals: list[Line]
    data: Numbers | None
    data_name: str
    blinded: bool

    @property
    def entries(self) -> int:
        """Of the legend."""
        return len(self.backgrounds) + bool(self.backgrounds) + len(self.signals) + (self.data is not None)

    @property
    def is_logarithmic(self) -> bool:
        """Bins of several orders of magnitude are drawn on a logarithmic axis."""
        return bool(self.edges[0] > 0 and self.edges[-1] > 100 * self.edges[0])

    @property
    def unit(self) -> str:
        """Of the variable, from the label of its axis."""
        return self.label.rpartition("[")[2].removesuffix("]") if self.label.endswith("]") else ""


def content_of(histogram: hist.Hist, catalogue: Catalogue, *, with_data: bool) -> Content:
    values, variances = (_folded(histogram, field) for field in ("value", "variance"))
    datasets = {name: i for i, name in enumerate(histogram.axes[0])}

    def of_kind(kind: str) -> list[Dataset]:
        return [dataset for dataset in catalogue.datasets if dataset.kind == kind and dataset.name in datasets]

    def indices(chosen: list[Dataset]) -> list[int]:
        return [datasets[dataset.name] for dataset in chosen]

    simulated, recorded = indices(of_kind("background")), indices(of_kind("data"))
    shown = simulated or recorded or indices(of_kind("signal"))
    n = style.merged_bins(values[shown].sum(axis=0), variances[shown].sum(axis=0))
    values, variances = (part.reshape(*part.shape[:2], -1, n).sum(axis=-1) for part in (values, variances))
    background, variance = values[simulated].sum(axis=0), variances[simulated].sum(axis=0)
    groups: dict[str, list[int]] = {}
    for dataset in of_kind("background"):
        groups.setdefault(processes.title(dataset), []).append(datasets[dataset.name])
    signals = []
    for (name, chosen), place, line in zip(
        processes.signals(of_kind("signal")).items(), style.SIGNALS, style.LINES, strict=False
    ):
        drawn = _clearest(values[indices(chosen)], variances[indices(chosen)])
        if drawn.any():
            factor = _factor(drawn, background)
            scaled = f" \N{MULTIPLICATION SIGN} {factor:g}" if factor != 1 else ""
            signals.append(Line(name + scaled, factor * drawn, place, line))
    return Content(
        edges=np.asarray(histogram.axes[-1].edges)[::n],
        label=histogram.axes[-1].label,
        backgrounds=_largest({title: values[chosen].sum(axis=0) for title, chosen in groups.items()}),
        background=background,
        variance=variance,
        signals=signals,
        data=values[recorded].sum(axis=0) if recorded and with_data else None,
        data_name=Label.of(catalogue).data,
        blinded=bool(recorded) and not with_data,
    )


def _folded(histogram: hist.Hist, field: str) -> Numbers:
    """Dataset x panel x bin, with underflow and overflow in the first and the last bin."""
    view: Numbers = histogram.view(flow=True)[field]
    names = tuple(slice(len(axis)) for axis in histogram.axes[:-1])
    view = view[(*names, slice(None))].astype(float)
    view[..., 1] += view[..., 0]
    view[..., -2] += view[..., -1]
    inside = view[..., 1:-1]
    return inside if inside.ndim == 3 else inside[:, None]


def _largest(of: Mapping[str, Numbers]) -> list[Line]:
    """Processes with events, the largest last, as they are stacked; colours are in the order of the catalogue."""
    sums = {title: float(values.sum()) for title, values in of.items()}
    filled = sorted((title for title in of if sums[title] > 0), key=lambda title: -sums[title])
    shown = [title for title in of if title in filled[:SHOWN]]
    places = dict(zip(shown, style.BACKGROUNDS, strict=False))
    lines = [Line(title, of[title], places[title]) for title in filled[:SHOWN]]
    if rest := filled[SHOWN:]:
        lines.append(Line("other", np.sum([of[title] for title in rest], axis=0), style.BACKGROUNDS[SHOWN]))
    return lines[::-1]


def _clearest(values: Numbers, variances: Numbers) -> Numbers:
    """In each panel the dataset with the most effective events; nothing if it has too few to have a shape.

    Args:
        values, variances: shape (datasets, panels, bins).
    """
    total, squares = values.sum(axis=-1), variances.sum(axis=-1)
    effective = np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)
    best = effective.argmax(axis=0)
    panels = np.arange(values.shape[1])
    chosen: Numbers = np.where((effective[best, panels] >= MIN_EVENTS)[:, None], values[best, panels], 0.0)
    return chosen


def _factor(signal: Numbers, background: Numbers) -> float:
    """Makes a signal, where it is highest, as high as the background of that panel; of two digits, as in the legend."""
    panel = int(signal.max(axis=1).argmax())
    if not background[panel].max() > 0:
        return 1.0
    factor = float(background[panel].max() / signal[panel].max())
    return round(factor, 1 - floor(log10(factor)))


def caption(content: Content, split: Split | None) -> str:
    """What a figure shows, in words."""
    parts = ["Simulated background by process, stacked, with its statistical uncertainty (hatched)"]
    if content.signals:
        parts.append(
            "simulated signals as lines, scaled as the legend says; in each panel the sample with the most events"
        )
    if content.data is not None:
        parts.append(f"{content.data_name} as points, with their ratio to the background below")
    where = f" One panel for each {split.name}." if split else ""
    look = " Look for peaks of the signal where the background falls"
    look += ", and for ratios that leave the band." if content.data is not None else "."
    hidden = " Data are blinded here." if content.blinded else ""
    return "; ".join(parts) + "." + where + look + hidden + " First and last bins hold what lies beyond."


def alt(content: Content) -> str:
    """What is seen, with its numbers."""
    text = f"{content.background.sum():.3g} events of background"
    if content.backgrounds and content.background.sum() > 0:
        most = content.backgrounds[-1]
        text += f", {most.values.sum() / content.background.sum():.0%} of them {_plain(most.title)}"
        edges, sums = content.edges, content.background.sum(axis=0)
        k = int(sums.argmax())
        text += f"; the highest bin is at {edges[k]:g} to {edges[k + 1]:g} {content.unit}".rstrip()
    if content.data is not None:
        text += f"; {content.data.sum():g} events of {content.data_name}"
    return text + "."


def _plain(text: str) -> str:
    """Without mathtext."""
    for code, letter in (
        (r"\bar{t}", "tbar"), (r"\nu", "\N{GREEK SMALL LETTER NU}"), (r"\mu", "\N{GREEK SMALL LETTER MU}"),
        (r"\tau", "\N{GREEK SMALL LETTER TAU}"), (r"\gamma", "\N{GREEK SMALL LETTER GAMMA}"),
        (r"\to", "\N{RIGHTWARDS ARROW}"), ("$", ""), ("^", ""),
    ):  # fmt: skip
        text = text.replace(code, letter)
    return text
