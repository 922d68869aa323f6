"""The check of the score with K0S from catalogue to figures, and when it cannot be done."""

import json
from pathlib import Path

import numpy as np
import pytest
import synthetic
import yaml
from k0s_events import k0s_event
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS, Object, Style, write

from hnl import records
from hnl.executors import ExecutionOptions
from hnl.inference.displaced.k0s_results import K0SFile
from hnl.ml import models
from hnl.ml.displaced import k0s as ml
from hnl.processors.displaced.k0s_inputs import K0SError, NoParticlesError
from hnl.stages import k0s, plot, select, train
from hnl.stages.run import Run

N_DATA, N_SIMULATION = 24, 36


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with classifiers."""
    out = synthetic.write(tmp_path_factory.mktemp("trained"), synthetic.standard(300))
    train.run(Run(out), settings=synthetic.QUICK, workers=1)
    return out


def selected(
    folder: Path, *, particles: tuple[bool, bool, bool] = (True, True, True), broken: str = "", **simulated: Object
) -> Path:
    """A finished selection of data, Z -> mu mu and another background.

    Args:
        folder: for the files and the output folder.
        particles: whether the files keep the particles of jets.
        broken: the dataset whose file cannot be read, which the selection leaves out.
        simulated: what is different in simulated events, see `k0s_event`.
    """
    styles = [Style(data=i == 0, particles=has, skimmed=False) for i, has in enumerate(particles)]
    names, counts = ("data", "zmumu", "other"), (N_DATA, N_SIMULATION, 4)
    datasets = []
    for i, (name, count, style) in enumerate(zip(names, counts, styles, strict=True)):
        change = {} if i == 0 else simulated
        write(folder / f"{name}.root", [k0s_event(1000 * i + j, **change) for j in range(count)], style)
        kind = {"kind": "data", "primary_dataset": "SingleMuon"} if i == 0 else {"kind": "background"}
        kind |= {} if i == 0 else {"cross_section": 2.0}
        datasets.append({"name": name, "era": "2018", "process": name, "files": [f"{name}.root"]} | kind)
    era = {"year": 2018, "luminosity": 10.0, "triggers": {"electron": [*ELECTRON_PATHS], "muon": [*MUON_PATHS]}}
    if broken:
        (folder / f"{broken}.root").write_bytes(b"not ROOT")
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump({"eras": {"2018": era}, "datasets": datasets}), encoding="utf-8")
    select.run(path, folder / "out", execution=ExecutionOptions("iterative"), allow_partial=bool(broken))
    return folder / "out"


def test_from_files_to_figures(tmp_path: Path, trained: Path) -> None:
    """All K0S are counted, scaled to data, and scored without what pions lack; a dataset without particles is named."""
    out = selected(tmp_path, particles=(True, True, False))
    checked = k0s.run(Run(out), models_folder=trained / "models", workers=1)
    path = out / "k0s" / "k0s.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert records.read(path, K0SFile) == checked
    assert set(content["trainings"]) == {"electron_low", "electron_high", "muon_low", "muon_high"}
    assert list(content["left_out"]) == ["other"]
    assert "other.root does not keep the particles of jets: no nPFCands" in content["left_out"]["other"]
    for name, row in content["trainings"].items():
        assert sum(row["data"]) == N_DATA
        assert sum(row["simulation"]) == pytest.approx(N_DATA)
        # 2 pb x 10 /fb events, from N of weight one.
        assert row["scale"] == pytest.approx(N_DATA / (2.0 * 1000 * 10.0))
        lacking = {"l2_rel_iso"} | ({"l2_tracker_layers"} if name.startswith("muon") else set())
        assert set(row["missing_features"]) >= lacking
        full, left = row["auc"].values()
        assert 0.5 < left["value"] <= full["value"] + 3 * full["error"]
    assert sum(content["masses"]["data"]) == N_DATA
    drawn = plot.run(Run(out), workers=1).drawn
    assert [figure.files for figure in drawn if figure.section == "k0s"] == [
        (f"k0s/{n}.png", f"k0s/{n}.pdf") for n in ("k0s_scores", "k0s_mass")
    ]
    assert all((out / file).stat().st_size > 5000 for figure in drawn for file in figure.files)


def test_another_format_is_not_drawn(tmp_path: Path) -> None:
    """`hnl plot` names the file, both formats and the command that makes it anew."""
    path = tmp_path / "k0s" / "k0s.json"
    path.parent.mkdir()
    path.write_text('{"format": 0}', encoding="utf-8")
    with pytest.raises(records.FormatError, match=r"k0s\.json has format 0, .* reads format 1: run hnl k0s again"):
        plot.run(Run(tmp_path))


def test_no_simulated_candidates(tmp_path: Path, trained: Path) -> None:
    """What is undefined without simulation is null; the rest is there, figures too."""
    out = selected(tmp_path, sv={"mass": 0.52})
    checked = k0s.run(Run(out), models_folder=trained / "models", workers=1)
    content = records.read(out / "k0s" / "k0s.json", K0SFile)
    assert content == checked
    for row in content.trainings.values():
        assert sum(row.data) == N_DATA
        assert (row.scale, row.ratio, row.uncertainty) == (None, None, None)
        assert row.simulation == row.simulation_error == (None,) * 5
    # Masses are counted before the requirement on them, to 0.56 GeV.
    assert sum(content.masses.simulation) == pytest.approx(N_DATA)


def test_dataset_without_files(tmp_path: Path, trained: Path) -> None:
    """A dataset whose only file was left out by the selection is named."""
    out = selected(tmp_path, broken="other")
    content = k0s.run(Run(out), models_folder=trained / "models", workers=1)
    assert content.left_out == {"other": "the selection has no file of it"}
    assert list(content.cutflow) == ["data", "zmumu"]
    assert len(content.partial) == 1


def test_scores_do_not_depend_on_what_is_missing_elsewhere(trained: Path) -> None:
    """A feature that one dataset lacks is blank in all; scores then do not know it."""
    model = models.load(trained / "models", "muon_low")
    whole, lacking = synthetic.candidates(40, seed=1), synthetic.candidates(30, seed=2)
    lacking["l2_d_xyz"] = np.full(30, np.nan)
    without = ml.missing(model.features, [whole, lacking])
    assert without == ("l2_d_xyz",)
    other = whole | {"l2_d_xyz": whole["l2_d_xyz"] * 100}
    assert ml.scores(model, whole, "", without).tolist() == ml.scores(model, other, "", without).tolist()
    assert ml.scores(model, whole, "", ()).tolist() != ml.scores(model, other, "", ()).tolist()


@pytest.mark.parametrize(
    ("particles", "kind", "name"),
    [((False, True, True), "data", "data"), ((True, False, False), "simulation", "zmumu")],
)
def test_files_without_particles(
    tmp_path: Path, trained: Path, particles: tuple[bool, bool, bool], kind: str, name: str
) -> None:
    """The check says for which files it cannot be done, and why."""
    out = selected(tmp_path, particles=particles)
    with pytest.raises(NoParticlesError, match=rf"(?s)no file of {kind} can be used.*{name}\.root does not keep"):
        k0s.run(Run(out), models_folder=trained / "models", workers=1)
    assert not (out / "k0s").exists()


def test_no_models(tmp_path: Path) -> None:
    """It says what to do."""
    with pytest.raises(K0SError, match="run hnl train first"):
        k0s.run(Run(selected(tmp_path)), workers=1)


def test_file_that_changed(tmp_path: Path, trained: Path) -> None:
    """Weights of another file are not used."""
    out = selected(tmp_path)
    (tmp_path / "zmumu.root").unlink()
    write(tmp_path / "zmumu.root", [k0s_event(5)], Style(particles=True))
    with pytest.raises(K0SError, match=r"zmumu\.root is not the file that was selected from"):
        k0s.run(Run(out), models_folder=trained / "models", workers=1)
