"""What is said of files before a run."""

from pathlib import Path

import pytest
import uproot
from chain import NAME, catalogue_of, inspected
from nanoaod_events import Style, event, write

from hnl.datasets import files, nanoaod, remarks
from hnl.datasets.catalogue import Dataset

NO_VERTICES = Style(gen_particles=True, without=("GenPart_vx", "GenPart_vy", "GenPart_vz"))


def info(path: Path, style: Style, **signal: object) -> tuple[Dataset, files.FileInfo]:
    how = {"signal": {"mass": 10.0, "v2_mu": 1e-6, "ctau": 7.5} | signal}
    catalogue = catalogue_of(write(path, [event()], style), kind="signal", **how)
    return catalogue.dataset(NAME), inspected(catalogue)


def test_a_signal_without_vertices(tmp_path: Path) -> None:
    dataset, without = info(tmp_path / "a.root", NO_VERTICES)
    (said,) = remarks.on_files(dataset, [without])
    assert said.startswith(f"dataset {NAME}: its files have no vertices of generated particles")
    assert "at the generated lifetime only (m_N = 10 GeV, c tau = 7.5 mm), not over |V|^2" in said
    assert "Dirac" not in said
    _, known = info(tmp_path / "b.root", Style(gen_particles=True))
    assert remarks.on_files(dataset, [known]) == []
    (said,) = remarks.on_files(dataset, [known, without])
    assert said.startswith(f"dataset {NAME}: 1 of 2 files have no vertices")


def test_a_signal_without_generated_particles(tmp_path: Path) -> None:
    dataset, without = info(tmp_path / "a.root", Style())
    assert remarks.on_files(dataset, [without])[0].endswith("without GenPart there is none for Dirac N")
    dirac, without = info(tmp_path / "b.root", Style(), nature="dirac")
    assert "Dirac" not in remarks.on_files(dirac, [without])[0]


def test_nothing_is_said_of_background(tmp_path: Path) -> None:
    catalogue = catalogue_of(write(tmp_path / "a.root", [event()], Style()))
    assert remarks.on_files(catalogue.dataset(NAME), [inspected(catalogue)]) == []


@pytest.mark.parametrize("name", ["mc_v9_dy_2017.root", "more/mc_v13_ggh_2022.root", "more/mc_v7_dy_2018.root"])
def test_standard_nanoaod_has_charges_and_no_vertices(real_nanoaod: Path, name: str) -> None:
    if not (real_nanoaod / name).is_file():
        pytest.skip(f"no {name}")
    with uproot.open(real_nanoaod / name) as root:
        names = root["Events"].keys()
    assert set(nanoaod.GENERATED) <= set(names)
    assert nanoaod.decay_vertices(names) is None
