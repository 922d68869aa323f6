"""Limits on the signal strength of each model of a search, from strengths.json only."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from hnl.inference.results import NamedLimit, StrengthLimit, StrengthsFile
from hnl.plots import labels, style
from hnl.plots.style import Drawn, Label, styled

TITLE = "Upper limits on the signal strength"
GREEN, YELLOW = "#607641", "#F5BB54"  # of bands of 68 and 95 %: those of CMS since 2024, for the colour-blind as well
MAX_LINEAR = 5.0  # largest over smallest limit on a linear axis: our choice
WIDE = 14.0  # letters of a name from which on the figure is as wide as the page


def draw_strengths(content: StrengthsFile, folder: Path, label: Label | None = None) -> list[Drawn]:
    """The figure of `strengths`, if there is a limit.

    Args:
        content: of strengths.json.
        folder: for the figure; made if needed.
        label: of the catalogue; the luminosity is that of the file.

    Returns:
        Each figure.
    """
    limits = [(model.name, model.limit) for model in content.limits if model.limit]
    if not limits:
        return []
    label = labels.above(content.label, content.luminosity, of=label)
    path = style.save(labels.figure_of(strengths(content, label)), folder / "strengths.png")
    caption = (
        f"Signal strengths to the right of the line of a model (expected) or of its point (observed) are excluded at "
        f"{100 * content.level:g} % CLs. A model whose limit is below 1 is excluded as predicted."
    )
    name, best = min(limits, key=lambda model: _shown(model[1]))
    excluded = sum(_shown(limit) < 1 for _, limit in limits)
    alt = (
        f"{len(limits)} models; the smallest limit is {_shown(best):.3g}, of {name}; "
        f"{excluded} {'is' if excluded == 1 else 'are'} below 1."
    )
    return [Drawn(f"{TITLE}, {content.label}", path, caption, alt, "result")]


@styled
def strengths(content: StrengthsFile, label: Label | None = None, ax: Axes | None = None) -> Axes:
    """One line per model: expected median with bands of one and two standard deviations, and observed.

    Models without a limit are named, and say so. The axis is logarithmic where limits are far apart.

    Args:
        content: of strengths.json.
        label: above the figure; by default from the file.
        ax: a new figure by default.
    """
    models = content.limits[::-1]  # the first on top
    names = [labels.spaced(model.name) for model in models]
    own, room = ax is None, labels.ems(names)
    width = style.DOUBLE if room > WIDE else style.SINGLE
    ax = style.single(ax, width=width, height=1.6 + 0.5 * len(models), left=room)
    limits = [model.limit for model in models if model.limit]
    values = [value for limit in limits for value in (*limit.expected, limit.observed) if value is not None]
    low, high = (min(values), max(values)) if values else (1.0, 1.0)
    if high > MAX_LINEAR * low:
        ax.set(xscale="log", xlim=(low / 2, high * 2))
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
        if high < 1e4 * low and high < 1e5 and low > 1e-3:
            ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_xlim(0, 1.1 * high)
    named: set[str] = set()
    for y, model in enumerate(models):
        _line(ax, y, model, named)
    if ax.get_xlim()[0] < 1 < ax.get_xlim()[1]:
        ax.axvline(1, color="black", linewidth=0.6, linestyle=":", zorder=0)
    ax.set_yticks(range(len(models)), names)
    ax.yaxis.set_minor_locator(NullLocator())
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel=rf"{100 * content.level:g} % CL$_s$ upper limit on $\mu$")
    ax.set_ylim(-0.6, len(models) - 0.4)
    labels.legend_below(ax, title=_methods(limits) + (", data blinded" if content.hidden else ""), grow=own)
    style.label(ax, label or labels.above(content.label, content.luminosity))
    return ax


def _line(ax: Axes, y: int, model: NamedLimit, named: set[str]) -> None:
    """Bands, median and observed limit of a model; each kind is named in the legend where it comes first."""

    def name(text: str) -> str | None:
        new = text not in named
        named.add(text)
        return text if new else None

    if model.limit is None:
        ax.text(0.5, y, "no limit", transform=ax.get_yaxis_transform(), ha="center", va="center", color="0.4")
        return
    low2, low1, median, high1, high2 = model.limit.expected
    ax.barh(y, high2 - low2, 0.6, low2, color=YELLOW, linewidth=0, label=name("95 % expected"))
    ax.barh(y, high1 - low1, 0.6, low1, color=GREEN, linewidth=0, label=name("68 % expected"))
    ax.plot([median] * 2, [y - 0.3, y + 0.3], "k--", label=name("median expected"))
    if model.limit.observed is not None:
        ax.plot(model.limit.observed, y, "ko", markeredgecolor="white", markersize=4, label=name("observed"))


def _methods(limits: list[StrengthLimit]) -> str:
    """How the limits were calculated, and of how many the formulas are not to be trusted."""
    words = " and ".join(sorted({limit.method for limit in limits}))
    doubtful = sum(limit.few_events and limit.method == "asymptotic" for limit in limits)
    return words + (f" ({doubtful} of {len(limits)}: few events)" if doubtful else "")


def _shown(limit: StrengthLimit) -> float:
    return limit.expected[2] if limit.observed is None else limit.observed
