"""Files of correctionlib: values, and errors that name file, correction and value."""

import gzip
from pathlib import Path

import jet_corrections as made
import numpy as np
import pytest

from hnl.corrections import library
from hnl.corrections.library import CorrectionError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return made.write(tmp_path / "jets.json")


def test_values_whatever_the_order_of_inputs(file: Path) -> None:
    """The correction takes what it wants, by name: numbers, integers and text."""
    eta, pt = np.array([0.5, -2.0, 2.0], dtype=np.float32), np.array([20, 40, 80])
    np.testing.assert_allclose(library.evaluate(file, made.TOTAL, {"JetPt": pt, "JetEta": eta}), 0.02 + 0.8 / pt)
    np.testing.assert_array_equal(library.evaluate(file, made.CENTRAL, {"JetEta": eta, "JetPt": pt}), [0.03, 0, 0])
    given = {"JetEta": eta, "JetPt": pt, "systematic": "up"}
    np.testing.assert_array_equal(library.evaluate(file, made.SCALE_FACTOR, given), [1.25] * 3)


def test_no_values(file: Path) -> None:
    empty = np.empty(0)
    assert library.evaluate(file, made.TOTAL, {"JetEta": empty, "JetPt": empty}).shape == (0,)


def test_gzipped(file: Path) -> None:
    packed = file.with_suffix(".json.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    given = {"JetEta": np.array([0.0]), "JetPt": np.array([40.0])}
    assert library.evaluate(packed, made.TOTAL, given) == pytest.approx([0.04])


def test_a_file_that_changes_is_read_again(file: Path) -> None:
    given = {"JetEta": np.array([0.0]), "JetPt": np.array([40.0])}
    before = library.evaluate(file, made.CENTRAL, given), library.sha256(file)
    file.write_text(file.read_text().replace("0.03", "0.05"))
    assert (before[0], library.evaluate(file, made.CENTRAL, given)) == (pytest.approx([0.03]), pytest.approx([0.05]))
    assert before[1] != library.sha256(file)


def refused(file: Path, name: str, **given: object) -> str:
    with pytest.raises(CorrectionError) as caught:
        library.evaluate(file, name, given)
    return str(caught.value)


def test_unknown_correction(file: Path) -> None:
    message = refused(file, "Summer19_Total", JetEta=np.array([0.0]))
    assert message.startswith(f"{file}: no correction Summer19_Total; it has ")
    assert made.TOTAL in message


def test_wrong_inputs(file: Path) -> None:
    message = refused(file, made.RESOLUTION, JetEta=np.array([0.0]), JetPt=np.array([30.0]))
    assert message == f"{file}: the correction {made.RESOLUTION} wants the input 'Rho'; it can be given JetEta, JetPt"


def test_value_out_of_range(file: Path) -> None:
    """The first value that is refused, among many."""
    eta = np.linspace(-2.4, 2.4, 1000)
    eta[[617, 800]] = [2.75, 3.5]
    message = refused(file, made.CENTRAL, JetEta=eta, JetPt=np.arange(1000.0))
    assert message.startswith(f"{file}: the correction {made.CENTRAL} refuses JetPt = 617.0, JetEta = 2.75: ")


def test_unknown_text(file: Path) -> None:
    message = refused(file, made.SCALE_FACTOR, JetEta=np.array([0.0]), systematic="nominal")
    assert f"{made.SCALE_FACTOR} refuses JetEta = 0.0, systematic = nominal" in message


def test_nan_and_infinite(file: Path) -> None:
    eta = np.zeros(2)
    assert refused(file, made.TOTAL, JetEta=eta, JetPt=np.array([30, np.nan])).endswith("was given JetPt = nan")
    message = refused(file, made.TOTAL, JetEta=eta, JetPt=np.array([30.0, 0.0]))
    assert message.endswith(f"the correction {made.TOTAL} is inf for JetEta = 0.0, JetPt = 0.0")


@pytest.mark.parametrize("content", ["", "{}", "not JSON", '{"schema_version": 2, "corrections": 3}'])
def test_broken_file(content: str, file: Path) -> None:
    file.write_text(content)
    assert refused(file, made.TOTAL, JetEta=np.zeros(1)).startswith(f"cannot read the corrections {file}: ")


def test_no_file(tmp_path: Path) -> None:
    file = tmp_path / "none.json"
    assert (
        refused(file, made.TOTAL, JetEta=np.zeros(1))
        == f"cannot read the corrections {file}: No such file or directory"
    )
    with pytest.raises(CorrectionError, match="No such file"):
        library.sha256(file)
