"""Event categories: flavours of l1 and l2, and whether their charges agree (section 4)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ELECTRON, MUON = "electron", "muon"
LEPTONS = (ELECTRON, MUON)
PDG_ID = {ELECTRON: 11, MUON: 13}
_SHORT = {ELECTRON: "e", MUON: "mu"}
_SYMBOL = {ELECTRON: "e", MUON: r"\mu"}


@dataclass(frozen=True)
class Category:
    """One of the eight categories.

    Args:
        l1: flavour of the prompt lepton, of `LEPTONS`.
        l2: flavour of the nonprompt lepton.
        same_sign: whether their charges agree.
    """

    l1: str
    l2: str
    same_sign: bool

    @property
    def flavours(self) -> str:
        """First l1, then l2: 'emu' is not 'mue'."""
        return _SHORT[self.l1] + _SHORT[self.l2]

    @property
    def charge(self) -> str:
        """'OS' or 'SS'."""
        return "SS" if self.same_sign else "OS"

    @property
    def label(self) -> str:
        """Its name on axes and on disk, such as 'emu_OS'."""
        return f"{self.flavours}_{self.charge}"

    @property
    def title(self) -> str:
        """For people, such as 'emu OS'."""
        return f"{self.flavours} {self.charge}"

    @property
    def symbols(self) -> str:
        """Its flavours for figures, in mathtext."""
        return f"${_SYMBOL[self.l1]} {_SYMBOL[self.l2]}$"

    @property
    def index(self) -> int:
        """Position among `ALL` and `CATEGORIES`: what the column `category` of a candidate holds."""
        return ALL.index(self)

    @property
    def coupling(self) -> str:
        """Of `couplings.COUPLINGS`: the one that the category constrains (section 1)."""
        return _SHORT[self.l1] if self.l1 == self.l2 else "mixed"


ALL = tuple(
    Category(l1, l2, same_sign)
    for l1, l2 in ((ELECTRON, ELECTRON), (MUON, MUON), (ELECTRON, MUON), (MUON, ELECTRON))
    for same_sign in (False, True)
)
CATEGORIES = tuple(category.label for category in ALL)  # labels of every axis


def named(label: str) -> Category:
    """The category of a label of `CATEGORIES`."""
    return ALL[CATEGORIES.index(label)]


def category(
    l1_flavour: NDArray[np.integer], l2_flavour: NDArray[np.integer], same_sign: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Index into `CATEGORIES` of each event.

    Args:
        l1_flavour: 11 or 13, one per event.
        l2_flavour: the same for l2.
        same_sign: bool, one per event.

    Returns:
        int8, one per event.
    """
    index = np.zeros(len(l1_flavour), dtype=np.int8)
    agree = np.asarray(same_sign, dtype=bool)
    for c in ALL:
        index[(l1_flavour == PDG_ID[c.l1]) & (l2_flavour == PDG_ID[c.l2]) & (agree == c.same_sign)] = c.index
    return index
