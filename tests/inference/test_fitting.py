"""Fits and limits on mu of named models, without anything of this search."""

import json
from pathlib import Path

import pytest
import search_models

from hnl.inference import asymptotics, combine, fitting, pyhf_model
from hnl.inference.model import Cell, Model
from hnl.inference.strength_limits import strength_limit

COUNTS = (9.0, 20.0, 10.0, 100.0)
SIGNAL = (1.0, 0.0, 0.0, 0.0)


def model(*counts: float | None) -> Model:
    return Model((Cell("ee_OS", 4, counts, SIGNAL),), {"ee_OS": 1.0})


def test_a_fit_in_closed_form() -> None:
    """mu = A - B C / D = 7; without signal, one rate ties A D = B C, so that A and D give, B and C take."""
    record = fitting.fit_model("counting", model(*COUNTS))
    assert (record.sample, record.success, record.few_events, record.at_bound) == ("counting", True, True, ())
    assert record.mu == pytest.approx(7)
    assert record.mu_error == pytest.approx((9 + 4 * (1 / 20 + 1 / 10 + 1 / 100)) ** 0.5)
    assert (record.pulls, record.impacts, record.impacts_of) == ((), (), "the fit")
    assert record.goodness_of_fit.statistic == pytest.approx(0, abs=1e-6)
    assert [row.region for row in record.yields] == ["A", "B", "C", "D"]
    assert {(row.category, row.bin, row.hypothesis) for row in record.yields} == {("ee_OS", 4, None)}
    assert [row.observed for row in record.yields] == list(COUNTS)
    assert [row.prefit for row in record.yields] == [2.0, 20.0, 10.0, 100.0]
    assert [row.signal for row in record.yields] == list(SIGNAL)
    assert [row.fitted_background for row in record.yields] == pytest.approx([2, 20, 10, 100])
    assert record.yields[0].fitted_signal == pytest.approx(7)
    a, b, c, d = (row.background_only for row in record.yields)
    assert a * d == pytest.approx(b * c)
    assert (a + b, a + c, c + d) == pytest.approx((29, 19, 110))  # sums over rows and columns of the table are kept


def test_blinded_data_are_not_in_the_record() -> None:
    record = fitting.fit_model("counting", model(None, *COUNTS[1:]))
    assert [row.observed for row in record.yields] == [None, *COUNTS[1:]]
    assert record.mu == pytest.approx(0, abs=1e-4)
    assert record.goodness_of_fit.statistic == pytest.approx(0, abs=1e-6)  # of Asimov data, which fit mu = 0


def test_impacts_without_excess_are_of_asimov_data() -> None:
    record = fitting.fit_model("deficit", Model((Cell("ee_OS", 4, (1, *COUNTS[1:]), SIGNAL),), {"ee_OS": 1.25}))
    assert (record.mu, record.mu_error, record.at_bound) == (0, None, ("mu",))
    assert record.impacts_of == "Asimov data with mu = 1"
    (impact,) = record.impacts
    assert impact.name == "closure_ee_OS"
    assert impact.up < 0 < impact.down  # more background leaves less signal


def test_models_by_name() -> None:
    fitted, failed = fitting.fit_models({"first": model(*COUNTS), "second": model(2.0, *COUNTS[1:])})
    assert [(record.sample, round(record.mu, 3)) for record in fitted] == [("first", 7.0), ("second", 0.0)]
    assert failed == {}


@pytest.mark.parametrize("blinded", [True, False])
def test_a_limit_and_its_exports(tmp_path: Path, blinded: bool) -> None:
    """By asymptotic formulas, if asked for. The exported models are those of the limit."""
    many = search_models.some(2)
    if blinded:
        cells = (Cell(c.category, c.bin, (None, *c.observed[1:]), c.signal) for c in many.cells)
        many = Model(tuple(cells), many.closure)
    limit = strength_limit("busy", many, tmp_path, method="asymptotic")
    shown = many.asimov() if blinded else many
    assert limit.model == ("busy_expected" if blinded else "busy")
    assert (limit.observed is None) == blinded
    assert (limit.method, limit.toys) == ("asymptotic", 0)
    assert (limit.observed, limit.expected) == (limit.observed_asymptotic, limit.expected_asymptotic)
    assert limit.expected == tuple(sorted(limit.expected))
    card = combine.read((tmp_path / f"{limit.model}_combine.txt").read_text())
    workspace = pyhf_model.read(json.loads((tmp_path / f"{limit.model}_pyhf.json").read_text()))
    for exported in (card, workspace):
        assert asymptotics.upper_limit(exported).expected == pytest.approx(
            asymptotics.upper_limit(shown).expected, rel=1e-3
        )


def test_few_events_have_a_limit_by_toys(tmp_path: Path) -> None:
    limit = strength_limit("counting", model(*COUNTS), tmp_path, toys_per_hypothesis=2000)
    assert (limit.method, limit.few_events, limit.failed) == ("lhc", True, 0)
    assert limit.toys > 2000
    assert limit.observed_hybrid is not None
    assert len({limit.observed, limit.observed_hybrid, limit.observed_asymptotic}) == 3
    assert limit.expected_in_a == 2.0
