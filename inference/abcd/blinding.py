"""Which candidates of data are not to be looked at before they are unblinded."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hnl.processors.rows import Candidates
from hnl.selections.displaced import regions
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.regions import A, RegionSettings, Thresholds


def in_signal_region(
    candidates: Candidates, scores: Mapping[str, np.ndarray], thresholds: Thresholds, settings: RegionSettings
) -> NDArray[np.bool_]:
    """Region A of the SR (Table 3), of any hypothesis. What has no score is in no region.

    Args:
        candidates: columns `category`, `n_jets` and `m_l1_sv` (GeV), n rows.
        scores: (n,) by hypothesis.
        thresholds: x, by hypothesis and category.
        settings: edges of the regions.

    Returns:
        bool, (n,).
    """
    result = np.zeros(len(candidates["category"]), dtype=bool)
    selection, window = regions.selection(candidates["n_jets"]), regions.window(candidates["m_l1_sv"], settings)
    for hypothesis, score in scores.items():
        x = np.array([thresholds[hypothesis][category] for category in CATEGORIES])[candidates["category"]]
        result |= regions.region("SR", selection, window, regions.score_bin(score, x, settings)) == A
    return result
