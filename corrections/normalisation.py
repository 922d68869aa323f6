"""From generated to expected events: sigma x L / sum of weights."""

from hnl.datasets.catalogue import Dataset, Era

PB_TO_FB = 1000.0


def scale(dataset: Dataset, era: Era, sum_w: float) -> float:
    """Factor from generator weights to events expected in the luminosity of the era.

    Args:
        dataset: its cross section in pb; data has none and is never scaled.
        era: its luminosity in /fb.
        sum_w: sum of weights of all generated events, from `processors.closure.sum_of_weights`.
    """
    if dataset.cross_section is None:
        return 1.0
    return dataset.cross_section * PB_TO_FB * era.luminosity / sum_w
