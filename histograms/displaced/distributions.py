"""What is histogrammed before any classifier: by selection (N(jets) = 1 and > 1) and category."""

import numpy as np

from hnl.histograms.variables import Distributions, Split, Variable
from hnl.selections.displaced.categories import CATEGORIES
from hnl.selections.displaced.regions import SELECTIONS

BY_SELECTION = Split(
    "selection",
    SELECTIONS,
    lambda candidates: (candidates["n_jets"] > 1).astype(int),
    ("N(jets) = 1", "N(jets) > 1"),
)
BY_CATEGORY = Split(
    "category",
    CATEGORIES,
    lambda candidates: np.asarray(candidates["category"]),
    tuple(name.replace("_", " ").replace("mu", "\N{GREEK SMALL LETTER MU}") for name in CATEGORIES),
)

SR = SELECTIONS[:1]
# Binnings are our choice; m(l1,SV) covers the range of the paper's Fig. 4.
VARIABLES = (
    Variable("m_l1_sv", 40, 0, 200, r"$m(\ell_1, SV)$ [GeV]", "Mass of the prompt lepton and the vertex"),
    Variable("m_sv", 40, 0, 20, r"$m_{SV}$ [GeV]", "Mass of the vertex", SR),
    Variable("delta_2d", 50, 0, 50, r"$\Delta_{2D}$ [cm]", "Transverse displacement of the vertex", SR),
    Variable("l1_pt", 40, 0, 200, r"$p_T(\ell_1)$ [GeV]", "Momentum of the prompt lepton", SR),
    Variable("l2_pt", 50, 0, 100, r"$p_T(\ell_2)$ [GeV]", "Momentum of the nonprompt lepton", SR),
    Variable("l1_dxy", 40, -0.02, 0.02, r"$d_{xy}(\ell_1)$ [cm]", "Impact parameter of the prompt lepton", SR),
    Variable("l2_dxy", 60, -30, 30, r"$d_{xy}(\ell_2)$ [cm]", "Impact parameter of the nonprompt lepton", SR),
)

# Before unblinding, the signal selection of data is not looked at.
DISTRIBUTIONS = Distributions(VARIABLES, (BY_SELECTION, BY_CATEGORY), frozenset(SR))
