"""sigma x K x L / sum of weights, and what the product is uncertain by."""

from collections.abc import Sequence
from math import hypot
from typing import Any

import pytest
from pydantic import ValidationError

from hnl.corrections.normalisation import (
    LUMINOSITY_UNCERTAINTIES,
    UncertaintyError,
    luminosity_uncertainties,
    scale,
    uncertainties,
)
from hnl.datasets.catalogue import Dataset, Era, Triggers
from hnl.physics.production import PAPER_K_FACTOR

TRIGGERS = Triggers(muon=("HLT_IsoMu24",))
ERA = Era(year=2018, luminosity=59.8, triggers=TRIGGERS)
YEARS = {2016: 36.3, 2017: 41.5, 2018: 59.8}  # /fb
RUN_2 = [Era(year=year, luminosity=luminosity, triggers=TRIGGERS) for year, luminosity in YEARS.items()]
PAPER = {"k_factor": {"value": PAPER_K_FACTOR, "uncertainty": 0.04}}


def dataset(kind: str = "background", **changes: Any) -> Dataset:
    values: dict[str, Any] = {"name": "w", "era": "e", "kind": kind, "process": "w+jets", "files": ("a",)}
    if kind == "data":
        return Dataset(**values | {"primary_dataset": "SingleMuon"} | changes)
    signal = {"signal": {"mass": 10, "v2_mu": 1e-6, "ctau": 10}} if kind == "signal" else {}
    return Dataset(**values | {"cross_section": 2.0} | signal | changes)


def test_expected_events() -> None:
    # 2 pb x 59.8 /fb = 119600 events, spread over weights that sum to 1000.
    assert scale(dataset(), ERA, 1000.0) == pytest.approx(119.6)


def test_k_factor_multiplies_a_cross_section_of_lower_order() -> None:
    assert scale(dataset(cross_section_order="LO", **PAPER), ERA, 1000.0) == pytest.approx(119.6 * 1.089)


@pytest.mark.parametrize("order", ["NNLO", None])
def test_k_factor_cannot_be_applied_twice(order: str | None) -> None:
    with pytest.raises(ValidationError, match=r"needs cross_section_order LO or NLO; it is (NNLO|not given)"):
        dataset(cross_section_order=order, **PAPER)


def test_data_is_not_scaled() -> None:
    assert scale(dataset("data"), ERA, 5.0) == 1.0
    assert uncertainties(dataset("data"), ERA) == {}
    with pytest.raises(ValidationError, match="data has neither k_factor nor generator_weights"):
        dataset("data", cross_section_order="LO", **PAPER)


def luminosity_uncertainty(eras: Sequence[Era]) -> float:
    """Of the luminosity of some eras together, relative: parameters of one name shift all of them."""
    sizes = [(luminosity_uncertainties(era), era.luminosity) for era in eras]
    names = {name for of, _ in sizes for name in of}
    total = sum(era.luminosity for era in eras)
    return hypot(*(sum(of.get(name, 0.0) * luminosity for of, luminosity in sizes) for name in names)) / total


def test_luminosity_of_each_year_and_together() -> None:
    """Section 7: between 1.2 and 2.5 %, 1.6 % together."""
    assert [round(luminosity_uncertainty([era]), 3) for era in RUN_2] == [0.012, 0.023, 0.025]
    assert round(luminosity_uncertainty(RUN_2), 3) == 0.016
    # By hand: what years share adds up before it is squared.
    total = 36.3 + 41.5 + 59.8
    own = (0.010 * 36.3) ** 2 + (0.020 * 41.5) ** 2 + (0.015 * 59.8) ** 2
    shared = (0.006 * 36.3 + 0.009 * 41.5 + 0.020 * 59.8) ** 2 + (0.006 * 41.5 + 0.002 * 59.8) ** 2
    assert luminosity_uncertainty(RUN_2) == pytest.approx((own + shared) ** 0.5 / total)


def test_eras_of_one_year_vary_together() -> None:
    halves = [Era(year=2016, luminosity=lumi, triggers=TRIGGERS) for lumi in (19.5, 16.8)]
    assert luminosity_uncertainty(halves) == pytest.approx(luminosity_uncertainty(RUN_2[:1]))


def test_luminosity_of_other_years_has_to_be_given() -> None:
    era = Era(year=2022, luminosity=8.0, triggers=TRIGGERS)
    with pytest.raises(UncertaintyError, match="an era of 2022 needs luminosity_uncertainties"):
        luminosity_uncertainties(era)
    given = Era(year=2022, luminosity=8.0, triggers=TRIGGERS, luminosity_uncertainties={"luminosity_2022": 0.014})
    assert luminosity_uncertainties(given) == {"luminosity_2022": 0.014}
    with pytest.raises(ValidationError, match="luminosity_uncertainties"):
        Era(year=2022, luminosity=8.0, triggers=TRIGGERS, luminosity_uncertainties={"pileup": 0.014})


def test_uncertainties_of_a_signal() -> None:
    luminosity = LUMINOSITY_UNCERTAINTIES[2018]
    assert uncertainties(dataset("signal"), ERA) == luminosity | {"k_factor": 0.04, "score": 0.10}
    measured = ERA.model_copy(update={"score_uncertainty": 0.13})
    assert uncertainties(dataset("signal"), measured)["score"] == 0.13
    with_k = dataset("signal", cross_section_order="LO", cross_section_uncertainty=0.03, **PAPER)
    assert uncertainties(with_k, ERA)["k_factor"] == pytest.approx(0.05)
    assert uncertainties(dataset("signal", cross_section_uncertainty=0.038), ERA)["k_factor"] == 0.038


def test_uncertainties_of_background_are_its_own() -> None:
    found = uncertainties(dataset(cross_section_uncertainty=0.055), ERA)
    assert found == LUMINOSITY_UNCERTAINTIES[2018] | {"cross_section_w_jets": 0.055}
    assert uncertainties(dataset(), ERA) == LUMINOSITY_UNCERTAINTIES[2018]
