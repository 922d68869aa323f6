"""What is histogrammed before any classifier: variable, column of the candidates, binning."""

from typing import NamedTuple

import hist

from hnl.selections.displaced.categories import CATEGORIES

SELECTIONS = ("SR", "VR")  # N(jets) = 1 and > 1 (paper, Table 3)


class Variable(NamedTuple):
    """One histogrammed variable; the last bin does not include the overflow, which is kept apart."""

    name: str
    bins: int
    low: float
    high: float
    label: str


# Binnings are our choice; m(l1,SV) covers the range of the paper's Fig. 4.
VARIABLES = (
    Variable("m_l1_sv", 40, 0, 200, r"$m(\ell_1, SV)$ [GeV]"),
    Variable("m_sv", 40, 0, 20, r"$m_{SV}$ [GeV]"),
    Variable("delta_2d", 50, 0, 50, r"$\Delta_{2D}$ [cm]"),
    Variable("l1_pt", 40, 0, 200, r"$p_T(\ell_1)$ [GeV]"),
    Variable("l2_pt", 50, 0, 100, r"$p_T(\ell_2)$ [GeV]"),
    Variable("l1_dxy", 40, -0.02, 0.02, r"$d_{xy}(\ell_1)$ [cm]"),
    Variable("l2_dxy", 60, -30, 30, r"$d_{xy}(\ell_2)$ [cm]"),
)


def make(variable: Variable, datasets: list[str]) -> hist.Hist:
    """An empty histogram: dataset x selection x category x variable, weighted."""
    return hist.Hist(
        hist.axis.StrCategory(datasets, name="dataset"),
        hist.axis.StrCategory(SELECTIONS, name="selection"),
        hist.axis.StrCategory(CATEGORIES, name="category"),
        hist.axis.Regular(variable.bins, variable.low, variable.high, name=variable.name, label=variable.label),
        storage=hist.storage.Weight(),
    )
