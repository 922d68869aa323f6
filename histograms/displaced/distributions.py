"""What is histogrammed before any classifier: by selection (N(jets) = 1 and > 1) and category."""

import numpy as np

from hnl.histograms.variables import Distributions, Split, Variable
from hnl.selections.displaced import categories
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
    tuple(category.title.replace("mu", "\N{GREEK SMALL LETTER MU}") for category in categories.ALL),
)

SR = SELECTIONS[:1]
# Binnings are our choice. m(l1,SV) covers the range of the paper's Fig. 4; the edges of m_SV and Delta_2D, which falls
# over three orders of magnitude, have those of section 6 (2, 6 GeV; 1, 4, 5, 10 cm) among them; the impact parameters
# cover the background, beyond which only the signal goes on. Figures add what lies beyond to the last bins. The numbers
# of bins have many divisors, since neighbours are merged where there are few events.
M_SV = (0, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 10, 12, 16, 20)
DELTA_2D = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50)
VARIABLES = (
    Variable(
        "m_l1_sv", 40, 0, 200, r"$m(\ell_1, \mathrm{SV})$ [GeV]", "Mass of the prompt lepton and the secondary vertex"
    ),
    Variable("m_sv", M_SV, label=r"$m_\mathrm{SV}$ [GeV]", title="Mass of the secondary vertex", drawn_for=SR),
    Variable(
        "delta_2d",
        DELTA_2D,
        label=r"$\Delta_\mathrm{2D}$ [cm]",
        title="Transverse displacement of the secondary vertex",
        drawn_for=SR,
    ),
    Variable("l1_pt", 32, 30, 190, r"$p_\mathrm{T}(\ell_1)$ [GeV]", "Transverse momentum of the prompt lepton", SR),
    Variable("l2_pt", 30, 0, 60, r"$p_\mathrm{T}(\ell_2)$ [GeV]", "Transverse momentum of the nonprompt lepton", SR),
    Variable(
        "l1_dxy", 24, -0.012, 0.012, r"$d_{xy}(\ell_1)$ [cm]", "Transverse impact parameter of the prompt lepton", SR
    ),
    Variable(
        "l2_dxy", 20, -0.5, 0.5, r"$d_{xy}(\ell_2)$ [cm]", "Transverse impact parameter of the nonprompt lepton", SR
    ),
)

# Before unblinding, the signal selection of data is not looked at.
DISTRIBUTIONS = Distributions(VARIABLES, (BY_SELECTION, BY_CATEGORY), frozenset(SR))
