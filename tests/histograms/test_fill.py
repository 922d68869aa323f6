"""Histograms: filled with the right weights in the right bins, and the same after writing and reading."""

from pathlib import Path

import hist
import numpy as np
import pytest
import uproot

from hnl.histograms import files
from hnl.histograms.displaced.distributions import DISTRIBUTIONS, VARIABLES
from hnl.histograms.fill import WeightError, fill, hidden
from hnl.processors.displaced import columns
from hnl.processors.rows import Candidates
from hnl.selections.displaced.categories import CATEGORIES


def candidates() -> Candidates:
    """Four by hand: two in one bin, one in the validation region, one in the overflow."""
    table = {name: np.zeros(4, column.dtype) for name, column in columns.empty().items()}
    table["gen_weight"] = np.array([1.0, -0.5, 2.0, 1.0])
    table["category"] = np.array([0, 0, 3, 7], np.int8)
    table["n_jets"] = np.array([1, 1, 2, 1], np.int16)
    table["m_l1_sv"] = np.array([62.0, 64.9, 12.0, 500.0], np.float32)
    return table


def weighted(scale: float) -> tuple[Candidates, np.ndarray]:
    return candidates(), scale * candidates()["gen_weight"]


def test_weights_and_bins() -> None:
    histograms = fill({"w": weighted(10.0), "none": (columns.empty(), np.empty(0))}, DISTRIBUTIONS)
    assert set(histograms) == {variable.name for variable in VARIABLES}
    mass = histograms["m_l1_sv"]
    filled = mass["w", "SR", "ee_OS", hist.loc(62.0)]
    assert (filled.value, filled.variance) == (5.0, 125.0)
    assert mass["w", "VR", CATEGORIES[3], hist.loc(12.0)].value == 20.0
    assert mass["w", "SR", "mue_SS", hist.overflow].value == 10.0
    assert mass["w", sum, sum, :].values(flow=True).sum() == 35.0
    assert mass["none", sum, sum, :].values(flow=True).sum() == 0.0


def test_blinded_data_are_nowhere_in_the_signal_region() -> None:
    """N(jets) = 1 of a blinded dataset is empty, in under- and overflow too; its N(jets) > 1 and others are not."""
    of = {"data": weighted(1.0), "w": weighted(1.0)}
    histograms = fill(of, DISTRIBUTIONS, ["data"])
    for histogram in histograms.values():
        assert histogram["data", "SR", sum, :].values(flow=True).sum() == 0.0
        assert histogram["data", "SR", sum, :].variances(flow=True).sum() == 0.0
        assert histogram["data", "VR", sum, :].values(flow=True).sum() == 2.0
        assert histogram["w", "SR", sum, :].values(flow=True).sum() == 1.5
    assert hidden(histograms, DISTRIBUTIONS) == {"SR"}
    assert hidden(fill(of, DISTRIBUTIONS), DISTRIBUTIONS) == set()
    old = fill(of, DISTRIBUTIONS)
    for histogram in old.values():
        histogram.metadata = None
    assert hidden(old, DISTRIBUTIONS) == {"SR"}  # files that do not say are not trusted


def test_not_a_number_is_refused() -> None:
    table = candidates()
    table["gen_weight"][1] = np.nan
    with pytest.raises(WeightError, match="dataset w: a candidate has the weight nan"):
        fill({"w": (table, table["gen_weight"])}, DISTRIBUTIONS)


def test_json_gives_back_what_was_written(tmp_path: Path) -> None:
    histograms = fill({"w": weighted(0.1)}, DISTRIBUTIONS)
    files.write_json(tmp_path / "h.json", histograms)
    read = files.read_json(tmp_path / "h.json")
    assert list(read) == list(histograms)
    assert all(read[name] == histogram for name, histogram in histograms.items())
    assert read["m_l1_sv"].axes[3].label == histograms["m_l1_sv"].axes[3].label


def test_root_gives_back_what_was_written(tmp_path: Path) -> None:
    histograms = fill({"w": weighted(0.1)}, DISTRIBUTIONS)
    files.write_root(tmp_path / "h.root", histograms)
    with uproot.open(tmp_path / "h.root") as root:
        for variable, histogram in histograms.items():
            one = root[f"{variable}/SR/ee_OS/w"].to_hist()
            expected = histogram["w", "SR", "ee_OS", :]
            np.testing.assert_array_equal(one.values(flow=True), expected.values(flow=True))
            np.testing.assert_array_equal(one.variances(flow=True), expected.variances(flow=True))
            np.testing.assert_array_equal(one.axes[0].edges, expected.axes[0].edges)


@pytest.mark.parametrize("content", [None, "", "{", '{"h": 3}', "[]"])
def test_files_that_cannot_be_read(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "h.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(files.HistogramFileError, match=r"h\.json"):
        files.read_json(path)
