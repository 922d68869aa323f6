"""Templates of catalogues: each is a catalogue, and one that finds files laid out as CMS has them."""

import json
from pathlib import Path

import jet_corrections
import pytest
import uproot
import weight_files
import yaml
from command import Run
from nanoaod_events import Style, event, write

from hnl.datasets import catalogue as catalogues
from hnl.datasets.catalogue import Catalogue
from hnl.datasets.templates import make, samples, shipped
from hnl.errors import InputError

# Section 3 of the paper: thresholds in GeV of electrons and muons; /fb by year, and with the split of 2016.
PAPER_ELECTRON = {2016: 27, 2017: 32, 2018: 32}
PAPER_LUMINOSITY = {"2016preVFP": 19.5, "2016postVFP": 16.8, "2017": 41.5, "2018": 59.8}
NAMES = (*PAPER_LUMINOSITY, "2022", "2022EE", "2023", "2023BPix", "2024")
PROCESSES = {"wjets", "dy", "ttbar", "singletop", "diboson", "wgamma", "zgamma", "qcd", "data"}

# Real files that were made with the menu of the era.
REAL = {
    "2016preVFP": "more/data_v2_2016.root",
    "2016postVFP": "more/data_v2_2016.root",
    "2017": "mc_v9_dy_2017.root",
    "2018": "more/mc_v7_dy_2018.root",
    "2022": "more/mc_v13_ggh_2022.root",
    "2022EE": "data_v13_egamma_2022.root",
}


def read(name: str, folder: Path) -> Catalogue:
    """A template, without its files."""
    path = folder / f"{name}.yaml"
    path.write_text(shipped.text(name))
    return catalogues.load(path, files_needed=False)


def test_there_is_one_for_each_era() -> None:
    assert set(shipped.names()) == set(NAMES)
    with pytest.raises(InputError, match="'2019'; there are 2016postVFP"):
        shipped.text("2019")


@pytest.mark.parametrize("one", make.TEMPLATES, ids=lambda one: one.name)
def test_files_are_those_of_the_script(one: make.EraTemplate) -> None:
    """Renew them with `python datasets/templates/make.py`."""
    assert shipped.text(one.name) == make.text(one)


@pytest.mark.parametrize("name", NAMES)
def test_command_line(name: str, hnl: Run, tmp_path: Path) -> None:
    status, said, _ = hnl("datasets", "template", name)
    assert (status, said) == (0, shipped.text(name))
    path = tmp_path / "catalogue.yaml"
    path.write_text(said)
    status, said, complained = hnl("datasets", "check", "--catalogue-only", path)
    assert (status, complained) == (0, "")
    assert f"- era {name}: not there yet: /eos/user/c/cmsdqm" in said
    assert "patterns that no file matches yet" in said
    status, _, complained = hnl("datasets", "check", path)
    assert status == 2
    assert "no file matches $CMS_STORE" in complained
    assert hnl("datasets", "template")[1].split() == shipped.names()


@pytest.mark.parametrize("name", NAMES)
def test_era(name: str, tmp_path: Path) -> None:
    found = read(name, tmp_path)
    ((own, era),) = found.eras.items()
    assert own == name
    assert name.startswith(str(era.year))
    assert era.sqrt_s == (13.0 if era.year <= 2018 else 13.6)
    assert {dataset.process for dataset in found.datasets} == PROCESSES
    of_data = {dataset.triggers: dataset for dataset in found.datasets if dataset.is_data}
    assert set(of_data) == {("muon",), ("electron",)}
    assert of_data["electron",].veto_triggers == ("muon",)
    assert any(f"Ele{PAPER_ELECTRON.get(era.year, 30)}_WPTight" in path for path in era.triggers.electron)
    assert "HLT_IsoMu24" in era.triggers.muon


def test_luminosities_of_the_paper(tmp_path: Path) -> None:
    found = {name: read(name, tmp_path).eras[name].luminosity for name in PAPER_LUMINOSITY}
    assert found == PAPER_LUMINOSITY
    assert round(sum(found.values())) == 138
    assert found["2016preVFP"] + found["2016postVFP"] == pytest.approx(36.3)


@pytest.mark.parametrize("name", NAMES)
def test_cross_sections_add_up(name: str, tmp_path: Path) -> None:
    """ttbar: NNLO+NNLL at m_t = 172.5 GeV, by the LHC top working group; W: three flavours."""
    found = read(name, tmp_path)
    sums: dict[str, float] = {}
    for dataset in found.datasets:
        if dataset.cross_section is not None:
            sums[dataset.process] = sums.get(dataset.process, 0.0) + dataset.cross_section
    ttbar, w = (831.76, 61526.7) if found.eras[name].year <= 2018 else (923.6, 63425.1)
    assert sums["ttbar"] == pytest.approx(ttbar, rel=1e-5)
    assert sums["wjets"] == pytest.approx(w, rel=1e-5)


def test_processes_grow_from_13_to_13_6_tev() -> None:
    """By some per cent: the energy is 5 % higher, and tops need the most of it."""

    def total(some: tuple[samples.BackgroundSample, ...], process: str) -> float:
        return sum(sample.cross_section for sample in some if sample.process == process)

    for process in ("wjets", "dy", "ttbar", "diboson"):
        ratio = total(samples.SAMPLES_2022, process) / total(samples.SAMPLES_13, process)
        assert 1.0 < ratio < 1.13, process
        assert total(samples.SAMPLES_2024, process) == pytest.approx(total(samples.SAMPLES_2022, process))


def test_all_in_one_catalogue(tmp_path: Path) -> None:
    """As a user puts eras together: nothing is named twice, and no correction is forgotten."""
    parts = [yaml.safe_load(shipped.text(name)) for name in NAMES]
    content = {
        "eras": {name: era for part in parts for name, era in part["eras"].items()},
        "datasets": [dataset for part in parts for dataset in part["datasets"]],
    }
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump(content))
    found = catalogues.load(path, files_needed=False)
    assert found.energies == (13.0, 13.6)
    assert len(found.eras) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_store_laid_out_as_that_of_cms(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file for each pattern: every pattern finds its own, and none that of another."""
    text = shipped.text(name).replace("/cvmfs", f"{tmp_path}/cvmfs").replace("/eos/user", f"{tmp_path}/eos/user")
    content = yaml.safe_load(text)
    patterns = [pattern for dataset in content["datasets"] for pattern in dataset["files"]]
    store = tmp_path / "store"
    for pattern in patterns:
        file = Path(pattern.replace("$CMS_STORE", str(store)).replace("*", "1"))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    path = tmp_path / "catalogue.yaml"
    path.write_text(text)
    (era,) = catalogues.load(path, files_needed=False).eras.values()
    for file in (era.golden_json, *catalogues.corrections.files(era.corrections)):
        assert file is not None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text('{"1": [[1, 10]]}' if file == era.golden_json else "")
    monkeypatch.setenv("CMS_STORE", str(store))
    found = catalogues.load(path)
    assert [len(dataset.files) for dataset in found.datasets] == [len(one["files"]) for one in content["datasets"]]


@pytest.mark.parametrize("name", REAL)
def test_triggers_are_in_files_of_the_year(name: str, tmp_path: Path, real_nanoaod: Path) -> None:
    with uproot.open(real_nanoaod / REAL[name]) as file:
        branches = set(file["Events"].keys(filter_name="HLT_*"))
    assert set(read(name, tmp_path).eras[name].triggers.paths) <= branches


def test_2018_from_the_template_to_candidates(
    hnl: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two of its datasets, with files of corrections in the shape of the groups' ones, are all that is changed."""
    content = yaml.safe_load(shipped.text("2018"))
    content["datasets"] = [d for d in content["datasets"] if d["name"] in ("WJetsToLNu_2018", "SingleMuon_2018")]
    golden = tmp_path / "golden.json"
    golden.write_text('{"1": [[1, 1000000]]}')
    era = content["eras"]["2018"]
    era["golden_json"] = str(golden)
    weights = str(weight_files.write(tmp_path / "weights.json.gz"))
    jets = jet_corrections.write(tmp_path / "jets.json")
    jets.write_text(jets.read_text().replace("Test_V1", "Summer19UL18_V5").replace("Test_JRV1", "Summer19UL18_JRV2"))
    era["corrections"]["jets"]["file"] = str(jets)
    for entry in (era["corrections"]["pileup"], *(e for some in era["corrections"]["prompt"].values() for e in some)):
        entry["file"] = weights
    monkeypatch.setenv("CMS_STORE", str(tmp_path / "store"))
    for dataset, style in zip(content["datasets"], (Style(), Style(data=True)), strict=True):
        file = Path(dataset["files"][0].replace("$CMS_STORE", str(tmp_path / "store")).replace("*", "1"))
        file.parent.mkdir(parents=True)
        first = 11 if style.data else 1
        write(file, [event(i, l2_flavour="mu") for i in range(first, first + 3)], style)
        dataset["files"] = dataset["files"][:1]
    path = tmp_path / "catalogue.yaml"
    path.write_text(yaml.safe_dump(content))
    status, _, complained = hnl("datasets", "check", path)
    assert status == 0, complained
    status, _, complained = hnl("select", path, "-o", tmp_path / "out", "--executor", "iterative")
    assert status == 0, complained
    cutflow = json.loads((tmp_path / "out" / "cutflow.json").read_text())
    counts = {name: one["cutflow"]["N(jets) = 1"]["all"]["events"] for name, one in cutflow.items()}
    assert counts == {"WJetsToLNu_2018": 3, "SingleMuon_2018": 3}
