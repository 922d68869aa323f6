"""sigma x K x L / sum of weights, and what the product is uncertain by."""

from collections.abc import Sequence
from math import hypot
from typing import Any

import pytest
from pydantic import ValidationError

from hnl.corrections.normalisation import (
    UncertaintyError,
    luminosity_uncertainties,
    scale,
    score_uncertainty,
    uncertainties,
)
from hnl.datasets import years
from hnl.datasets.catalogue import Dataset, Era, Triggers

TRIGGERS = Triggers(muon=("HLT_IsoMu24",))
ERA = Era(year=2018, luminosity=59.8, triggers=TRIGGERS)
YEARS = {2016: 36.3, 2017: 41.5, 2018: 59.8}  # /fb
RUN_2 = [Era(year=year, luminosity=luminosity, triggers=TRIGGERS) for year, luminosity in YEARS.items()]
PAPER = {"k_factor": {"value": 1.089, "uncertainty": 0.04}}  # section 3, Table 4


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


# The column 'Run-2' of the table on the CMS page LumiRecommendationsRun2, in per cent.
RUN_2_BY_NUISANCE = {
    "luminosity_2016": 0.26,
    "luminosity_2017": 0.60,
    "luminosity_2018": 0.65,
    "luminosity_161718": 1.30,
    "luminosity_1718": 0.27,
}


@pytest.mark.parametrize(("name", "percent"), RUN_2_BY_NUISANCE.items())
def test_what_each_nuisance_does_to_2016_2018(name: str, percent: float) -> None:
    alone = [
        era.model_copy(update={"luminosity_uncertainties": {name: luminosity_uncertainties(era).get(name, 0.0)}})
        for era in RUN_2
    ]
    assert round(100 * luminosity_uncertainty(alone), 2) == percent


# CMS page LumiRecommendationsRun3: /fb and absolute uncertainty of each year, and of all.
RUN_3_LUMINOSITY = {2022: (34.75, 0.48), 2023: (28.40, 0.36), 2024: (110.11, 1.77)}
RUN_3_TOGETHER = (173.26, 2.07)
# The correlated part of each year in per cent, from its covariance by somebody else: another split of the same matrix.
RUN_3_CORRELATED = {2022: 0.2676, 2023: 0.8746, 2024: 1.0244}


def test_luminosity_of_2022_2024() -> None:
    eras = [Era(year=y, luminosity=luminosity, triggers=TRIGGERS) for y, (luminosity, _) in RUN_3_LUMINOSITY.items()]
    total, error = RUN_3_TOGETHER
    assert sum(era.luminosity for era in eras) == pytest.approx(total)
    assert round(total * luminosity_uncertainty(eras), 2) == error
    for era in eras:
        assert round(era.luminosity * luminosity_uncertainty([era]), 2) == RUN_3_LUMINOSITY[era.year][1]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        one, other = luminosity_uncertainties(eras[a]), luminosity_uncertainties(eras[b])
        covariance = 1e4 * sum(size * other.get(name, 0.0) for name, size in one.items())
        expected = RUN_3_CORRELATED[eras[a].year] * RUN_3_CORRELATED[eras[b].year]
        assert covariance == pytest.approx(expected, rel=0.01)


# LUM-17-003, section 7 of the paper, LUM-22-001 and CMS DP-2026/003, in per cent.
@pytest.mark.parametrize(
    ("year", "percent"), [(2015, 1.6), (2016, 1.2), (2017, 2.3), (2018, 2.5), (2022, 1.4), (2023, 1.3), (2024, 1.6)]
)
def test_luminosity_of_a_year(year: int, percent: float) -> None:
    era = Era(year=year, luminosity=1.0, triggers=TRIGGERS)
    assert round(100 * luminosity_uncertainty([era]), 1) == percent


def test_energies_share_no_luminosity_uncertainty() -> None:
    names = [
        {name for year, of in years.LUMINOSITY_UNCERTAINTIES.items() if years.ENERGY[year] == energy for name in of}
        for energy in (13.0, 13.6)
    ]
    assert all(names)
    assert not names[0] & names[1]


def test_luminosity_of_other_years_has_to_be_given() -> None:
    era = Era(year=2025, luminosity=8.0, triggers=TRIGGERS)
    with pytest.raises(UncertaintyError, match="an era of 2025 needs luminosity_uncertainties"):
        luminosity_uncertainties(era)
    given = Era(year=2025, luminosity=8.0, triggers=TRIGGERS, luminosity_uncertainties={"luminosity_2025": 0.014})
    assert luminosity_uncertainties(given) == {"luminosity_2025": 0.014}
    with pytest.raises(ValidationError, match="luminosity_uncertainties"):
        Era(year=2025, luminosity=8.0, triggers=TRIGGERS, luminosity_uncertainties={"pileup": 0.014})


def test_uncertainties_of_a_signal() -> None:
    luminosity = years.LUMINOSITY_UNCERTAINTIES[2018]
    assert uncertainties(dataset("signal"), ERA) == luminosity | {"k_factor": 0.04}
    measured = ERA.model_copy(update={"score_uncertainty": 0.13})
    assert (score_uncertainty(ERA), score_uncertainty(measured)) == (0.10, 0.13)
    with_k = dataset("signal", cross_section_order="LO", cross_section_uncertainty=0.03, **PAPER)
    assert uncertainties(with_k, ERA)["k_factor"] == pytest.approx(0.05)
    assert uncertainties(dataset("signal", cross_section_uncertainty=0.038), ERA)["k_factor"] == 0.038


def test_uncertainties_of_background_are_its_own() -> None:
    found = uncertainties(dataset(cross_section_uncertainty=0.055), ERA)
    assert found == years.LUMINOSITY_UNCERTAINTIES[2018] | {"cross_section_w_jets": 0.055}
    assert uncertainties(dataset(), ERA) == years.LUMINOSITY_UNCERTAINTIES[2018]
