"""Event categories: flavours of l1 and l2, and whether their charges agree (section 4)."""

from typing import Any

import numpy as np

FLAVOURS = ("ee", "mumu", "emu", "mue")  # first l1, then l2
LEPTONS = (("electron", "electron"), ("muon", "muon"), ("electron", "muon"), ("muon", "electron"))  # the same
CHARGES = ("OS", "SS")
CATEGORIES = tuple(f"{flavour}_{charge}" for flavour in FLAVOURS for charge in CHARGES)

_FLAVOUR_INDEX = {(11, 11): 0, (13, 13): 1, (11, 13): 2, (13, 11): 3}


def category(l1_flavour: Any, l2_flavour: Any, same_sign: Any) -> Any:
    """Index into `CATEGORIES` of each event.

    Args:
        l1_flavour: 11 or 13 an event.
        l2_flavour: the same for l2.
        same_sign: bool an event.

    Returns:
        int8 array.
    """
    index = np.zeros(len(l1_flavour), dtype=np.int8)
    for (first, second), i in _FLAVOUR_INDEX.items():
        index[(l1_flavour == first) & (l2_flavour == second)] = 2 * i
    return index + np.asarray(same_sign, dtype=np.int8)
