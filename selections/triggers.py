"""Triggers, and the lepton that fired: section 3 and the first requirement of section 4."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets.arrays import Objects, PerEvent
from hnl.datasets.trigger_bits import TriggerBits
from hnl.selections.events import PAPER, EventCuts


def fired(hlt: PerEvent, paths: tuple[str, ...], n_events: int) -> NDArray[np.bool_]:
    """Whether any of the paths fired.

    Args:
        hlt: record with one bool per path, named without 'HLT_'.
        paths: branch names, with 'HLT_'.
        n_events: length of the result, also if `paths` is empty.
    """
    mask: NDArray[np.bool_] = np.zeros(n_events, dtype=bool)
    for path in paths:
        mask = mask | ak.to_numpy(hlt[path.removeprefix("HLT_")])
    return mask


def matched_to_hlt(
    l1: PerEvent,
    trigger_objects: Objects,
    electron_fired: NDArray[np.bool_],
    muon_fired: NDArray[np.bool_],
    bits: TriggerBits,
    cuts: EventCuts = PAPER,
) -> NDArray[np.bool_]:
    """Whether l1 is the lepton that a fired single-lepton trigger selected (section 4).

    Args:
        l1: one lepton per event, with `flavour` (11 or 13).
        trigger_objects: jagged TrigObj with id (the PDG id) and filterBits.
        electron_fired: bool per event: a single-electron path fired.
        muon_fired: the same for muons.
        bits: meaning of filterBits in this file.
        cuts: other numbers.

    Returns:
        bool per event.
    """
    selected = False
    for flavour, fired_path, required in ((11, electron_fired, bits.electron), (13, muon_fired, bits.muon)):
        passed = False
        for mask in required.masks:
            passed = passed | ((trigger_objects.filterBits & mask) == mask)
        selected = selected | (passed & (trigger_objects.id == flavour) & (l1.flavour == flavour) & fired_path)
    matched: NDArray[np.bool_] = ak.to_numpy(ak.any(trigger_objects[selected].deltaR(l1) < cuts.delta_r_hlt, axis=1))
    return matched
