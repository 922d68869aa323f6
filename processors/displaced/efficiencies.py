"""How often the lepton from the decay of N is selected, and its vertex found: the counts behind Figs. 2 and 3.

They are those of generated events, whether an event passes any requirement or not.
"""

from collections.abc import Sequence
from itertools import pairwise

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.datasets import nanoaod
from hnl.datasets.arrays import Objects, PerEvent
from hnl.physics.angles import delta_r
from hnl.processors.base import EventsOfUnit
from hnl.processors.cutflow import Counts
from hnl.selections import truth, vertices
from hnl.selections.vertices import VertexCuts

FLAVOURS = {"electron": 11, "muon": 13}
# Generated leptons that count (section 4, with Fig. 2), GeV and cm.
MIN_PT, MAX_ABS_ETA, MAX_DELTA_2D = 7.0, {"electron": 2.5, "muon": 2.4}, 50.0
# A selected lepton is the generated one if it has its charge and this direction. Our choice, as near as CMSSW looks for
# its genPartIdx, which cannot be used: it points to what is left of a lepton that radiates, no daughter of N. In the
# field a track turns by up to 0.08 rad from where it began to where its direction is given (7 GeV, 50 cm).
MATCH_DELTA_R = 0.3
# |Delta_3D - generated| over generated of a matched vertex (section 4, with Fig. 3).
MATCH_DELTA_3D = 0.1
# Our choice: the paper does not list its bins. GeV; what is above is in none. cm, nearly even in the logarithm; the
# first has leptons that the least |d_xy| of Table 1 removes.
PT = (7.0, 10.0, 13.0, 16.0, 20.0, 25.0, 30.0, 40.0, 60.0, 100.0)
DELTA_2D = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 7.0, 12.0, 20.0, 30.0, MAX_DELTA_2D)


def counts(unit: EventsOfUnit, nonprompt: tuple[Objects, Objects], cuts: VertexCuts = vertices.PAPER) -> Counts:
    """Sums of weights of generated leptons, and of those found, in bins of their pt (GeV) and Delta_2D (cm).

    Args:
        unit: events.
        nonprompt: the selected nonprompt electrons, and muons, of each event (Table 1).
        cuts: of vertices.

    Returns:
        For 'electron' and 'muon': FLAVOUR_pt and FLAVOUR_delta_2d, in which a lepton is found if it is selected
        (Fig. 2), and FLAVOUR_vertex, of selected leptons against Delta_2D, in which it is found if it is in a displaced
        vertex where N decayed (Fig. 3). For each bin generated, found, and with _w2 the sums of squared weights.
        Nothing if the unit is no HNL signal, or tells of no decay of N.
    """
    particles = nanoaod.generated_particles(unit.events) if unit.dataset.signal else None
    if unit.dataset.signal is None or particles is None:
        return {}
    decay = truth.decay(particles, unit.dataset.signal.mass)
    if np.isnan(decay["delta_2d"]).all():
        return {}
    result: Counts = {}
    for (flavour, pdg_id), selected in zip(FLAVOURS.items(), nonprompt, strict=True):
        lepton = truth.lepton(particles, pdg_id)
        in_range = (lepton.pt > MIN_PT) & (np.abs(lepton.eta) < MAX_ABS_ETA[flavour])
        counted = ak.to_numpy(ak.fill_none(in_range, False)) & (decay["delta_2d"] < MAX_DELTA_2D)
        lepton, weights = lepton[counted], unit.weights[counted]
        l2 = _matched(selected[counted], lepton)
        found = ak.to_numpy(~ak.is_none(l2))
        delta_2d = decay["delta_2d"][counted]
        result[f"{flavour}_pt"] = _binned(PT, ak.to_numpy(lepton.pt), weights, found)
        result[f"{flavour}_delta_2d"] = _binned(DELTA_2D, delta_2d, weights, found)

        sv = vertices.of_lepton(unit.events[counted][found], ak.drop_none(l2), cuts)
        delta_3d = decay["delta_3d"][counted][found]
        near = np.abs(sv.dlen - delta_3d) < MATCH_DELTA_3D * delta_3d
        in_vertex = ak.to_numpy(ak.fill_none(near, False))
        result[f"{flavour}_vertex"] = _binned(DELTA_2D, delta_2d[found], weights[found], in_vertex)
    return result


def bins(edges: Sequence[float]) -> list[str]:
    """Names of the bins between edges.

    >>> bins((0, 0.5, 20))
    ['0-0.5', '0.5-20']
    """
    return [f"{low:g}-{high:g}" for low, high in pairwise(edges)]


def _matched(selected: Objects, lepton: PerEvent) -> PerEvent:
    """Of the selected leptons of each event the nearest to a generated one, None if none is near or has its charge."""
    same = selected.charge == -np.sign(lepton.pdgId)
    distance = delta_r(selected.eta, selected.phi, lepton.eta, lepton.phi)
    close = same & (distance < MATCH_DELTA_R)
    return ak.firsts(selected[close][ak.argmin(distance[close], axis=1, keepdims=True)])


def _binned(
    edges: Sequence[float], values: NDArray[np.float64], weights: NDArray[np.float64], found: NDArray[np.bool_]
) -> dict[str, dict[str, float]]:
    """Sums of weights, and of their squares, in bins that include their lower edge."""
    place, n = np.digitize(values, edges), len(edges) + 1
    kinds = {"generated": weights, "generated_w2": weights**2, "found": weights * found, "found_w2": weights**2 * found}
    sums = {kind: np.bincount(place, some, n)[1:-1].astype(float).tolist() for kind, some in kinds.items()}
    return {name: {kind: sums[kind][i] for kind in kinds} for i, name in enumerate(bins(edges))}
