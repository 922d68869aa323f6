"""Numbers of other people: Table 5 of the paper, and curves of the optional package."""

from pathlib import Path

import pytest

from hnl.inference import published
from hnl.inference.displaced import table5
from hnl.inference.published import CurveError, CurveSource


def test_table_5_as_printed() -> None:
    """Typed from the paper a second time: mantissas, and the exponents that can be read."""
    printed = [
        ("majorana", "e", 10, (9.1, -7), (5.6, -5)),
        ("majorana", "mu", 14, (2.9, -7), (4.8, None)),
        ("majorana", "mixed", 12, (1.3, -7), (6.7, None)),
        ("dirac", "e", 11.5, (6.9, -7), (6.8, -5)),
        ("dirac", "mu", 13.5, (2.7, -7), (2.1, None)),
        ("dirac", "mixed", 12, (1.2, None), (1.8, None)),
    ]
    rows = table5.rows()
    assert len(rows) == 6
    for row, (nature, coupling, mass, *edges) in zip(rows, printed, strict=True):
        assert (row.nature, row.coupling, row.mass) == (nature, coupling, mass)
        for name, (mantissa, exponent) in zip(("lowest", "highest"), edges, strict=True):
            value = getattr(row, name)
            assert (name in row.inferred) == (exponent is None)
            digits, power = f"{value:.1e}".split("e")
            assert float(digits) == mantissa
            assert exponent is None or int(power) == exponent
        assert row.lowest < row.highest


def test_installed_curves() -> None:
    if published.folder() is None:
        pytest.skip(f"the optional package {published.PACKAGE} is not installed")
    found = {(c.name, c.coupling, c.natures): c for c in published.curves()}
    assert len(found) == len(published.SOURCES)
    # The displaced trilepton search excludes 3e-7 at 10 GeV for mu (its abstract: down to about 1e-7).
    curve = found["CMS displaced trilepton", "mu", ("majorana",)]
    assert 1e-7 < min(curve.v2) < 5e-7
    assert 1 < min(curve.mass) < max(curve.mass) < 20


def source(file: str = "curve.dat", **arguments: float) -> CurveSource:
    return CurveSource("a search", "ABC-1", file, "mu", ("dirac",), **arguments)


def test_units(tmp_path: Path) -> None:
    (tmp_path / "curve.dat").write_text("# MeV, |V|^2\n1000 1e-5\n\n2000 1e-6\n")
    curve = published.read(tmp_path, source(to_gev=1e-3))
    assert curve.mass == pytest.approx((1.0, 2.0))
    assert curve.v2 == (1e-5, 1e-6)


@pytest.mark.parametrize("text", ["", "1 2 3\n4 5 6\n", "1 a\n2 3\n", "1 1e-5\n-2 1e-6\n", "1 1e-5\n2 400\n"])
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_broken_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "curve.dat").write_text(text)
    with pytest.raises(CurveError, match=r"curve\.dat"):
        published.read(tmp_path, source())


def test_missing_files_and_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CurveError, match=r"CMS_22/CMS_majorana_e4\.dat"):
        published.curves(tmp_path)
    monkeypatch.setattr(published, "PACKAGE", "no_such_package")
    assert published.folder() is None
    assert published.curves() == []
