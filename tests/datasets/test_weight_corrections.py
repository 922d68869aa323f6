"""Corrections of weights in the catalogue: what is refused, with its line, and where files are looked for."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from hnl.datasets import catalogue, corrections
from hnl.datasets.catalogue import CatalogueError

VARIED = {"input": "weights", "nominal": "nominal", "up": "up", "down": "down"}
PILEUP = {"file": "sf/pu.json", "correction": "PU", "columns": {"N": "n_true_interactions"}, "uncertainty": VARIED}
MUON = {
    "file": "sf/muon.json",
    "correction": "ID",
    "columns": {"abseta": "abs(l1_eta)", "pt": "l1_pt"},
    "constants": {"year": "2018", "point": 2},
    "uncertainty": "half the difference from one",
}


def load(folder: Path, first: dict[str, Any], second: dict[str, Any] | None = None) -> catalogue.Catalogue:
    """Of two eras with these corrections, or one."""
    eras, datasets = {}, []
    for name, of_era in (("A", first), ("B", second)):
        if of_era is not None:
            eras[name] = {"year": 2018, "luminosity": 1.0, "triggers": {"muon": ["HLT_IsoMu24"]}, "corrections": of_era}
            sample = {"name": name, "era": name, "kind": "background", "process": "w", "cross_section": 1.0}
            datasets.append(sample | {"files": [f"root://server//{name}.root"]})
    (folder / "sf").mkdir(exist_ok=True)
    for name in ("pu", "muon"):
        (folder / "sf" / f"{name}.json").touch()
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump({"eras": eras, "datasets": datasets}, sort_keys=False))
    return catalogue.load(path)


def test_files_are_relative_to_the_catalogue(tmp_path: Path) -> None:
    found = load(tmp_path, {"pileup": PILEUP, "prompt": {"muon": [MUON, MUON]}})
    block = found.eras["A"].corrections
    assert block.pileup is not None
    assert block.prompt is not None
    pileup, muon = (tmp_path / "sf" / f"{name}.json" for name in ("pu", "muon"))
    assert (block.pileup.file, [one.file for one in block.prompt.muon]) == (pileup, [muon, muon])
    assert list(corrections.files(block)) == [pileup, muon, muon]
    assert block.prompt.muon[0].constants == {"year": "2018", "point": 2}
    assert block.prompt.muon[0].inputs == ("abseta", "pt", "year", "point")
    assert catalogue.Catalogue.model_validate(found.model_dump(mode="json")) == found


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=rf"era A: no such file of corrections: {tmp_path}/sf/none.json"):
        load(tmp_path, {"prompt": {"muon": [MUON | {"file": "sf/none.json"}]}})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"constants": {"pt": 30}}, "the input pt is given twice"),
        ({"uncertainty": VARIED | {"input": "pt"}}, "the input pt is given twice"),
        ({"clip": {"eta": [0, 2]}}, "clip names the input eta, which is not in columns"),
        ({"clip": {"pt": [200, 15]}}, "clip of pt is not a range"),
        ({"columns": {"abseta": "fabs(l1_eta)", "pt": "l1_pt"}}, r"columns are named as NAME or abs\(NAME\), not fabs"),
        ({"columns": {}}, "prompt.muon.0.columns: .*at least 1"),
        ({"uncertainty": "half"}, "prompt.muon.0.uncertainty"),
        ({"sf": 1}, "unknown key 'sf'"),
    ],
)
def test_entries_that_cannot_be_right(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=rf"catalogue.yaml, line \d+: .*{message}"):
        load(tmp_path, {"prompt": {"muon": [MUON | change]}})


def test_pileup_depends_on_the_interactions_alone(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="pileup depends on the column n_true_interactions alone"):
        load(tmp_path, {"pileup": PILEUP | {"columns": {"N": "n_jets"}}})


def test_an_era_that_was_forgotten(tmp_path: Path) -> None:
    message = "era B has no corrections.prompt, era A has: give them, or say 'prompt: null'"
    with pytest.raises(CatalogueError, match=message):
        load(tmp_path, {"prompt": {"muon": [MUON]}}, {"pileup": None})
    load(tmp_path, {"prompt": {"muon": [MUON]}}, {"prompt": None})
