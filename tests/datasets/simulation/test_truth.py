"""The pruned generator record and what is matched to it, with events made by hand."""

import numpy as np
from toy_particles import particle, table

from hnl.datasets.simulation import propagation, truth
from hnl.datasets.simulation.rows import ObjectRows

B_PLUS, B_STAR, D_ZERO, D_STAR = 521, 523, -421, -413


def _chain(*codes: int, eta: float) -> list[dict]:
    """Hadrons of 30 GeV that decay into one another and end in a pion."""
    return [
        particle(code, 30.0, eta, 0.5, parent=i - 1, status=1 if code == 211 else 2)
        for i, code in enumerate((*codes, 211))
    ]


def _truth(*events: list[dict]) -> truth.Truth:
    return truth.build(propagation.generated(table(list(events))), np.zeros((len(events), 3)))


def test_b_jets_are_b_jets_although_their_b_hadron_decays_to_charm() -> None:
    """NanoAOD (ghost association, CMS SWGuideBTagMCTools): 5 if there is a b hadron, else 4 if there is a c hadron."""
    found = _truth(
        _chain(B_STAR, B_PLUS, D_STAR, D_ZERO, eta=1.0),
        _chain(B_PLUS, eta=1.0),
        _chain(D_STAR, D_ZERO, eta=1.0),
        _chain(111, eta=1.0),
    )
    jets = ObjectRows(4, np.arange(4), {"eta": np.ones(4), "phi": np.full(4, 0.5)})
    assert truth.jet_flavour(jets, found).tolist() == [5, 5, 4, 0]


def test_the_last_hadron_of_each_flavour_is_kept() -> None:
    kept = _truth(_chain(B_STAR, B_PLUS, D_STAR, D_ZERO, eta=1.0)).kept
    assert kept.pdg.tolist() == [B_PLUS, D_ZERO]
    assert kept.mother.tolist() == [-1, 0]
