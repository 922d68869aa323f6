"""The table of nuisances: Table 4 row by row, the page in docs, and what the code really varies."""

import runpy
from math import hypot
from pathlib import Path

import pytest

from hnl.corrections import normalisation, weights
from hnl.corrections.nuisances import BY_NAME, NUISANCES, TABLE_4, parameter
from hnl.datasets import generator_weights, years

ROOT = Path(__file__).parents[2]

# Typed from the paper: source, type, uncertainty in per cent; the first nine rows are of the signal prediction.
PAPER = [
    ("NNLO K-factor", "Normalization", "4"),
    ("Integrated luminosity", "Normalization", "1.6"),
    ("Pileup modeling", "Shape", "4.6"),
    ("e (mu) trigger efficiency", "Shape", "1 (< 1)"),
    ("Prompt e (mu) selection efficiency", "Shape", "2-4 (1-3)"),
    ("Nonprompt e (mu) selection efficiency", "Shape", "1-20 (< 1)"),
    ("Tracking efficiency", "Shape", "7.3"),
    ("Jet energy scale & resolution", "Shape", "1-2"),
    ("PFN score", "Normalization", "10"),
    ("CR closure", "Shape", "20-30"),
    ("DY scale factor (OS mumu, low mass)", "Shape", "20-50"),
]


def test_table_4_row_by_row() -> None:
    kinds = {"normalisation": "Normalization", "shape": "Shape"}
    assert [(row.source, kinds[row.kind], row.size) for row in TABLE_4] == PAPER
    assert [row.prediction for row in TABLE_4] == ["signal"] * 9 + ["background"] * 2


def test_every_row_has_its_nuisances() -> None:
    """Of its type and size, acting on what it is a row of; all others say that they are in no row."""
    for row in TABLE_4:
        mine = [one for one in NUISANCES if one.source == row.source]
        assert mine, row
        acts_on = {"signal", "simulation"} if row.prediction == "signal" else {"background prediction"}
        for one in mine:
            assert one.kind == row.kind
            assert one.processes in acts_on
        if "(mu)" in row.source:
            electron, muon = (next(one for one in mine if one.name.endswith(f)) for f in ("_electron", "_muon"))
            assert row.size == f"{electron.size} ({muon.size})"
        elif row.source != "Integrated luminosity":  # that of the years: test_normalisation
            assert {one.size for one in mine} == {row.size}
    rest = [one for one in NUISANCES if one.source not in {row.source for row in TABLE_4}]
    assert all(one.source.startswith(("not in Table 4", "section 7")) for one in rest)


def test_sizes_in_the_code_are_those_of_the_table() -> None:
    assert f"{100 * normalisation.SIGNAL_UNCERTAINTY:g}" == BY_NAME["k_factor"].size
    assert f"{100 * normalisation.SCORE_UNCERTAINTY:g}" == BY_NAME["score"].size
    sizes: dict[str, list[float]] = {}
    for of_year in years.LUMINOSITY_UNCERTAINTIES.values():
        for name, size in of_year.items():
            sizes.setdefault(name, []).append(100 * size)
    shown = {one.name: one.size for one in NUISANCES if one.name.startswith("luminosity_")}
    assert shown.keys() == sizes.keys()
    for name, size in shown.items():
        assert [float(part) for part in size.split(", ")] == pytest.approx(sizes[name])


def test_luminosity_in_the_page_is_that_of_the_code() -> None:
    """The table of docs/corrections.md, cell by cell, and its last row, the quadrature of what is above it."""
    section = (ROOT / "docs" / "corrections.md").read_text(encoding="utf-8").partition("### Luminosity")[2]
    table = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    header, *rows = ([cell.strip(" `") for cell in line.strip("|").split("|")] for line in table)
    shown = {int(year): {r[0]: float(r[i]) for r in rows if r[i]} for i, year in enumerate(header) if i}
    for year, of_year in shown.items():
        assert round(100 * hypot(*years.LUMINOSITY_UNCERTAINTIES[year].values()), 1) == of_year.pop(rows[-1][0])
        assert of_year == pytest.approx({k: 100 * v for k, v in years.LUMINOSITY_UNCERTAINTIES[year].items()})
    assert shown.keys() == years.LUMINOSITY_UNCERTAINTIES.keys()


def test_whatever_varies_weights_is_in_the_table() -> None:
    made = {f"{kind}_{flavour}" for kind in weights.LEPTON for flavour in ("electron", "muon")}
    made |= {"pileup", "tracking", "prefiring"}
    made |= {name for names in generator_weights.NUISANCES.values() for name in names}
    assert made == {one.name for one in NUISANCES if one.module == "corrections.weights"}


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(NUISANCES)


def test_parameters_of_eras() -> None:
    assert parameter("pileup", "2017") == "pileup"
    assert parameter("trigger_muon", "2017") == "trigger_muon_2017"
    assert parameter("jes_absolute_2017", "2017") == "jes_absolute_2017"  # named by the catalogue


def test_the_page_is_that_of_the_code() -> None:
    """Renew it with `python benchmarks/tables.py --write`."""
    tables = runpy.run_path(str(ROOT / "benchmarks" / "tables.py"))
    page = (ROOT / "docs" / "corrections.md").read_text(encoding="utf-8")
    assert tables["renew"]("corrections.md") == page
    table = page.partition("<!-- nuisances -->")[2].partition("<!-- end of nuisances -->")[0]
    assert sum(line.startswith("| ") for line in table.splitlines()) == len(NUISANCES) + 2
