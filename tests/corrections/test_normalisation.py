"""sigma x L / sum of weights."""

import pytest

from hnl.corrections.normalisation import scale
from hnl.datasets.catalogue import Dataset, Era, Triggers

ERA = Era(year=2018, luminosity=59.8, triggers=Triggers(muon=("HLT_IsoMu24",)))


def test_expected_events() -> None:
    dataset = Dataset(name="w", era="e", kind="background", process="w", files=("a",), cross_section=2.0)
    # 2 pb x 59.8 /fb = 119600 events, spread over weights that sum to 1000.
    assert scale(dataset, ERA, 1000.0) == pytest.approx(119.6)


def test_data_is_not_scaled() -> None:
    dataset = Dataset(name="d", era="e", kind="data", process="d", files=("a",), primary_dataset="SingleMuon")
    assert scale(dataset, ERA, 5.0) == 1.0
