"""From generated to expected events: sigma x K x L / sum of weights, and their uncertainties."""

import re

from hnl.datasets.catalogue import Dataset, Era
from hnl.errors import InputError

PB_TO_FB = 1000.0

SIGNAL_UNCERTAINTY = 0.04
"""Relative uncertainty of the signal's NNLO cross section (Table 4, 'NNLO K-factor'), if the catalogue has none."""

SCORE_UNCERTAINTY = 0.10
"""Relative uncertainty of the signal's yield from the classifier score, if the catalogue has none (sections 5 and 7:
K0S decays in data and simulation differ by up to 10 % at high scores). It is the same for every bin, so it is no weight
of events."""


class UncertaintyError(InputError):
    """The catalogue lacks an uncertainty that is needed."""


def scale(dataset: Dataset, era: Era, sum_w: float) -> float:
    """Factor from generator weights to events expected in the luminosity of the era.

    Args:
        dataset: has the cross section in pb and the K-factor, which the catalogue refuses for a cross section that is
            NNLO or of unknown order. Data has no cross section and is never scaled.
        era: has the luminosity in /fb.
        sum_w: sum of weights of all generated events, from `processors.closure.sum_of_weights`.
    """
    if dataset.cross_section is None:
        return 1.0
    k_factor = dataset.k_factor.value if dataset.k_factor else 1.0
    return dataset.cross_section * k_factor * PB_TO_FB * era.luminosity / sum_w


def luminosity_uncertainties(era: Era) -> dict[str, float]:
    """Nuisance -> relative uncertainty. Nuisances of the same name vary together, others are independent.

    Raises:
        UncertaintyError: neither the era nor CMS for its year has any.
    """
    known = era.known_luminosity_uncertainties
    if known is None:
        raise UncertaintyError(f"an era of {era.year} needs luminosity_uncertainties in the catalogue")
    return known


def score_uncertainty(era: Era) -> float:
    """Of the signal's yield, relative: of the catalogue, or else the 10 % of Table 4."""
    return era.score_uncertainty or SCORE_UNCERTAINTY


def uncertainties(dataset: Dataset, era: Era) -> dict[str, float]:
    """Uncertainties of the whole yield of a dataset (Table 4, 'Normalization'); none for data.

    Returns:
        nuisance (`nuisances.NUISANCES`) -> relative uncertainty, to be used as a log-normal.

    Raises:
        UncertaintyError: see `luminosity_uncertainties`.
    """
    if dataset.is_data:
        return {}
    result = luminosity_uncertainties(era)
    of_k_factor = dataset.k_factor.uncertainty if dataset.k_factor else 0.0
    of_sigma = (dataset.cross_section_uncertainty**2 + of_k_factor**2) ** 0.5
    if dataset.kind == "signal":
        return result | {"k_factor": of_sigma or SIGNAL_UNCERTAINTY}
    process = re.sub(r"\W", "_", dataset.process)
    return result | ({f"cross_section_{process}": of_sigma} if of_sigma else {})
