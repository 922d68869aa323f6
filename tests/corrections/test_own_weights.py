"""Weights that a catalogue adds: values by hand, what varies together, and values that are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import weight_files
from scored import candidates

from hnl.corrections import weights
from hnl.corrections.library import CorrectionError
from hnl.corrections.weights import Generated
from hnl.datasets.catalogue import Dataset, Era
from hnl.datasets.own_weights import OwnWeight

ALL = Generated(sum_w=1000.0, norms={})  # 1 pb x 1 /fb / 1000: candidates have weight one
ERA = Era(year=2018, luminosity=1.0, triggers={"muon": ["HLT_IsoMu24"]})
W = Dataset(name="w", era="e", kind="background", process="wjets", files=("a",), cross_section=1.0)
TABLE = candidates(delta_2d=[1.0, 4.0, 2.0], n_jets=[1, 2, 3], gen_weight=[1.0, 1.0, -2.0])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weight_files.write(tmp_path_factory.mktemp("own") / "own.json.gz")


def found(*entries: dict[str, Any], dataset: Dataset = W, **columns: Any) -> dict[str, list[float]]:
    own = [OwnWeight.model_validate(entry) for entry in entries]
    values = weights.weights(dataset, ERA, TABLE | columns, ALL, own)
    return {name: np.round(value, 12).tolist() for name, value in values.items()}


def test_by_hand(file: Path) -> None:
    """0.9 below 3 cm, 1.2 above; up 1.0 and 1.5, down 0.8 and 1.0."""
    assert found(weight_files.own_entry(file)) == {
        "nominal": [0.9, 1.2, -1.8],
        "vertex_up": [1.0, 1.5, -2.0],
        "vertex_down": [0.8, 1.0, -1.6],
    }


def test_without_a_nominal_value_the_nominal_weight_stays(file: Path) -> None:
    entry = weight_files.own_entry(file)
    entry["inputs"]["systematic"] = {"up": "up", "down": "down"}
    assert found(entry) == {
        "nominal": [1.0, 1.0, -2.0],
        "vertex_up": [1.0, 1.5, -2.0],
        "vertex_down": [0.8, 1.0, -1.6],
    }


def test_of_numbers_alone(file: Path) -> None:
    """The same for every candidate; a whole number is one as well as a column of them."""
    entry = weight_files.own_entry(file)
    assert found(entry | {"inputs": entry["inputs"] | {"flight": 5}})["nominal"] == [1.2, 1.2, -2.4]
    assert found(entry | {"inputs": entry["inputs"] | {"flight": "n_jets"}})["nominal"] == [0.9, 0.9, -2.4]


def test_weights_of_one_nuisance_vary_together(file: Path) -> None:
    """Both nominal values count; a weight of another nuisance stays nominal."""
    entries = (
        weight_files.own_entry(file),
        weight_files.own_entry(file, name="again", nuisance={"name": "vertex"}),
        weight_files.own_entry(file, name="other", nuisance={"correlated": False}),
    )
    values = found(*entries)
    assert values["nominal"][:2] == [0.729, 1.728]
    assert values["vertex_up"][:2] == [0.9, 2.7]
    assert values["other_e_down"][:2] == [0.648, 1.44]
    assert values.keys() == {"nominal", "vertex_up", "vertex_down", "other_e_up", "other_e_down"}


@pytest.mark.parametrize(
    ("chosen", "applies"),
    [((), True), (("background",), True), (("w",), True), (("wjets", "x"), True), (("x",), False)],
)
def test_datasets(file: Path, chosen: tuple[str, ...], applies: bool) -> None:
    assert ("vertex_up" in found(weight_files.own_entry(file, datasets=chosen))) == applies


def test_data_have_none(file: Path) -> None:
    data = Dataset(name="d", era="e", kind="data", process="d", files=("a",), primary_dataset="SingleMuon")
    own = [OwnWeight.model_validate(weight_files.own_entry(file))]
    assert weights.weights(data, ERA, TABLE, None, own).keys() == {"nominal"}


@pytest.mark.parametrize(
    ("flight", "message"),
    [
        (np.nan, r"the correction sv_sf was given flight = nan"),
        (-1.0, r"the correction sv_sf is 0.0 for flight = -1.0, systematic = nominal, WP = tight, scale = 1.0"),
    ],
)
def test_refused_values(file: Path, flight: float, message: str) -> None:
    """NaN and what is not above zero, with dataset, weight, file and inputs."""
    with pytest.raises(CorrectionError, match=f"dataset w: weight vertex: {file}: {message}"):
        found(weight_files.own_entry(file), delta_2d=np.array([1.0, flight, 1.0], dtype="float32"))
