"""Channels of a template fit from filled templates: data, backgrounds by process, and a signal."""

from collections.abc import Collection, Mapping

from numpy.typing import ArrayLike

from hnl.histograms.templates import Template, Templates
from hnl.inference import templates as channels
from hnl.inference.templates import SIGNAL, TemplateChannel


def channel(
    name: str,
    filled: Templates,
    signal: Template | ArrayLike,
    *,
    normalisations: Mapping[str, Mapping[str, float]] | None = None,
    free: Collection[str] = (),
    blinded: bool = False,
) -> TemplateChannel:
    """A channel with all uncertainties of its templates.

    Args:
        name: of the channel.
        filled: data and backgrounds.
        signal: at mu = 1: a template, such as one of `filled.signals`, or events per bin in the luminosity of
            `filled`, such as from a formula.
        normalisations: further ones: nuisance -> process, or 'signal' -> relative uncertainty.
        free: processes whose normalisation is free in the fit.
        blinded: leave data out, also where there are some.

    Raises:
        ModelError: see `inference.templates.from_arrays`.
    """
    parts: dict[str, Template] = dict(filled.backgrounds)
    varied: dict[str, dict[str, tuple[ArrayLike, ArrayLike]]] = {}
    sizes: dict[str, dict[str, float]] = {}
    if isinstance(signal, Template):
        parts[SIGNAL] = signal
    else:  # made for the luminosity of the data
        sizes = {nuisance: {SIGNAL: 1 + size} for nuisance, size in filled.luminosity_uncertainties.items()}
    for process, part in parts.items():
        for nuisance in (key.removesuffix("_up") for key in part.varied if key.endswith("_up")):
            shifts = part.varied[f"{nuisance}_up"], part.varied[f"{nuisance}_down"]
            varied.setdefault(nuisance, {})[process] = shifts
        for nuisance, size in part.normalisations.items():
            sizes.setdefault(nuisance, {})[process] = 1 + size
    for nuisance, of_processes in (normalisations or {}).items():
        sizes.setdefault(nuisance, {}).update({process: 1 + size for process, size in of_processes.items()})
    return channels.from_arrays(
        name,
        None if blinded else filled.observed,
        signal.nominal if isinstance(signal, Template) else signal,
        {process: part.nominal for process, part in filled.backgrounds.items()},
        sum_w2={process: part.sum_w2 for process, part in parts.items()},
        varied=varied,
        normalisations=sizes,
        free=free,
    )
