"""Which classifiers there are: by flavour of l2, mass hypothesis and detector (section 5)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hnl import analysis as searches
from hnl.datasets.catalogue import Catalogue, Dataset
from hnl.selections.displaced import categories
from hnl.selections.displaced.categories import ELECTRON, LEPTONS
from hnl.selections.displaced.hypotheses import HYPOTHESES, PAPER, MassSettings, hypothesis

GROUP_2016, GROUP_2017_18 = "2016", "2017-18"  # section 5: the pixel detector was upgraded in between
LAST_YEAR_OF_FIRST_PIXEL_DETECTOR = 2016


@dataclass(frozen=True)
class Training:
    """One classifier.

    Args:
        flavour: of l2, 'electron' or 'muon'.
        hypothesis: 'low' (m_N <= 5 GeV) or 'high' (above).
        group: '2016' or '2017-18' (and later) where eras of both kinds exist, else ''.
    """

    flavour: str
    hypothesis: str
    group: str = ""

    @property
    def name(self) -> str:
        """Unique; names its files."""
        return "_".join(part for part in (self.flavour, self.hypothesis, self.group) if part)

    @property
    def categories(self) -> tuple[int, ...]:
        """Indices into `CATEGORIES` of the categories that it serves."""
        return tuple(category.index for category in categories.ALL if category.l2 == self.flavour)

    def applies_to(self, category: np.ndarray) -> np.ndarray:
        """Mask of the candidates, by their category, whose l2 has its flavour."""
        return np.isin(category, self.categories)

    def trains_on(self, dataset: Dataset, masses: MassSettings = PAPER) -> bool:
        """Whether it is trained with a dataset of its era group: not with data, QCD or signals of other masses.

        QCD is left out as in the paper, 'because of its large statistical uncertainties'; by the name of the process.
        """
        if dataset.signal is not None:
            return hypothesis(dataset.signal.mass, masses) == self.hypothesis
        return dataset.kind == "background" and not dataset.process.lower().startswith("qcd")


def groups(catalogue: Catalogue) -> dict[str, str]:
    """Era -> era group, of the eras that datasets belong to."""
    first = {
        name: era.year <= LAST_YEAR_OF_FIRST_PIXEL_DETECTOR
        for name, era in catalogue.eras.items()
        if any(dataset.era == name for dataset in catalogue.datasets)
    }
    if len(set(first.values())) < 2:
        return dict.fromkeys(first, "")
    return {name: GROUP_2016 if is_first else GROUP_2017_18 for name, is_first in first.items()}


def all_of(catalogue: Catalogue) -> Iterator[Training]:
    """Every training for the eras of a catalogue, whether or not it has signals for it."""
    for group in sorted(set(groups(catalogue).values())):
        for flavour in LEPTONS:
            for mass in HYPOTHESES:
                yield Training(flavour, mass, group)


def no_signal_expected(training: Training, catalogue: Catalogue) -> str | None:
    """Why the catalogue has no signal for a training, None if it has one that couples to the flavour of l2, or to tau.

    A catalogue of muon couplings alone cannot train a classifier for electrons, and nobody who wrote it expects one.
    """
    era_group, masses = groups(catalogue), searches.part(catalogue, MassSettings)
    signals = [
        d.signal
        for d in catalogue.datasets
        if era_group[d.era] == training.group and d.signal and training.trains_on(d, masses)
    ]
    if not signals:
        return f"the catalogue has no signal with {masses.in_words(training.hypothesis)}"
    if not any(signal.v2_tau or (signal.v2_e if training.flavour == ELECTRON else signal.v2_mu) for signal in signals):
        return f"no signal of the catalogue couples to the {training.flavour}"
    return None
