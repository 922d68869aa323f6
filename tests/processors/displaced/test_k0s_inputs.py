"""What K0S candidates are weighted with."""

from pathlib import Path

import hnl
from hnl.datasets import catalogue
from hnl.processors.displaced.k0s_inputs import without_lepton_corrections
from hnl.processors.selection import Selection

DEMO = Path(hnl.__file__).parents[2] / "datasets" / "demo" / "demo.yaml"


def test_corrections_of_leptons_are_dropped() -> None:
    """Of the demo, which has every kind, pileup and jets stay as they are; so does the rest of the selection."""
    before = Selection(Path("out"), catalogue.load(DEMO), {"zmumu": []}, {}, {"zmumu": 3.0}, [], {}, {}, {})
    after = without_lepton_corrections(before)
    (given,) = (era.corrections.model_dump() for era in before.catalogue.eras.values())
    (left,) = (era.corrections.model_dump() for era in after.catalogue.eras.values())
    assert None not in given.values()
    assert left == {kind: given[kind] if kind in ("jets", "pileup") else None for kind in given}
    assert (after.files, after.sum_w) == (before.files, before.sum_w)
    assert after.catalogue.datasets == before.catalogue.datasets
