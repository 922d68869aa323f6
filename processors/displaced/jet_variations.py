"""What depends on the energies of jets (section 4): the jet of l2 and the number of jets, in every variation of them.

All variations go through the selection as one long array: events x variations.
"""

from dataclasses import dataclass

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from hnl.corrections.jets import scaled
from hnl.datasets.arrays import Objects, PerEvent
from hnl.selections import jets as jet_cuts
from hnl.selections.jets import PAPER, JetCuts


@dataclass(frozen=True)
class JetChoice:
    """One entry for each event."""

    jet: PerEvent  # the good jet nearest to l2, None where there is none
    n_jets: NDArray[np.int64]  # the jet of l2 and further ones away from l1; 0 without a jet of l2
    exists: NDArray[np.bool_]  # whether there is a jet of l2
    near: NDArray[np.bool_]  # whether it is near enough


@dataclass(frozen=True)
class CandidateRows:
    """The rows of the table of candidates, by event, nominal before its variations."""

    event: NDArray[np.int64]  # index into the events that were given
    jet: PerEvent
    n_jets: NDArray[np.int64]
    passes: NDArray[np.uint64]  # bit i for variation i


def choose_jet(l1: PerEvent, l2: PerEvent, jets: Objects, cuts: JetCuts = PAPER) -> JetChoice:
    """Sections 2 and 4, Table 2: good jets, the one of l2, and how many there are.

    Args:
        l1, l2: one lepton an event.
        jets: jagged, from `nanoaod.jets`.
        cuts: other numbers.
    """
    good = jet_cuts.good_jets(jets, cuts)
    jet, others = jet_cuts.nearest_jet(l2, good)
    n_jets = ak.fill_none(1 + ak.sum(others & jet_cuts.separated(l1, good, cuts), axis=1), 0)
    near = ak.fill_none(jet.deltaR(l2) < cuts.delta_r_l2, False)
    return JetChoice(jet, ak.to_numpy(n_jets), ak.to_numpy(~ak.is_none(jet)), ak.to_numpy(near))


def candidate_rows(
    l1: PerEvent, l2: PerEvent, jets: Objects, factors: NDArray[np.float64], cuts: JetCuts = PAPER
) -> CandidateRows:
    """One row for each event that passes, and one for each variation in which it passes otherwise than in nominal.

    A variation that changes neither the jet of l2 nor the number of jets shares the row of nominal.

    Args:
        l1, l2: one lepton an event, of events that pass all requirements which do not depend on jets.
        jets: jagged, from `nanoaod.jets`: n in all events together.
        factors: (variations, n), nominal first, of `corrections.jets.factors`.
        cuts: other numbers.
    """
    n_variations, n_events = len(factors), len(jets)
    possible = jet_cuts.is_good(scaled(jets, factors.max(axis=0)), cuts)
    factors = factors[:, ak.to_numpy(ak.flatten(possible))]
    repeated = np.tile(np.arange(n_events), n_variations)
    every = choose_jet(l1[repeated], l2[repeated], scaled(jets[possible][repeated], factors.reshape(-1)), cuts)

    shape = (n_variations, n_events)
    passes = (every.exists & every.near).reshape(shape)
    as_nominal = passes & passes[0]
    for values in (every.jet.index, every.jet.pt, every.jet.mass, every.n_jets):
        table = ak.to_numpy(ak.fill_none(values, -1)).reshape(shape)
        as_nominal &= table == table[0]
    own = passes & ~as_nominal
    own[0] = passes[0]
    event, variation = np.nonzero(own.T)
    bits = np.uint64(1) << np.arange(n_variations, dtype=np.uint64)
    shared = (as_nominal * bits[:, None]).sum(axis=0, dtype=np.uint64)
    place = variation * n_events + event
    return CandidateRows(
        event,
        ak.drop_none(every.jet[place]),
        every.n_jets[place],
        np.where(variation == 0, shared[event], bits[variation]),
    )
