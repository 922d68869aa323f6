"""Catalogues: what is read, and that every mistake is refused with the line it stands in."""

from pathlib import Path

import pytest

from hnl.datasets import catalogue, remarks, years
from hnl.datasets.catalogue import CatalogueError

GOOD = """\
eras:
  Run2018:
    year: 2018
    luminosity: 59.8
    triggers:
      electron: [HLT_Ele32_WPTight_Gsf]
      muon: [HLT_IsoMu24]
datasets:
  - name: wjets
    era: Run2018
    kind: background
    process: wjets
    files: [wjets_*.root]
    cross_section: 61526.7
  - name: hnl10
    era: Run2018
    kind: signal
    process: HNL10
    files: ["root://server.example//store/hnl10.root"]
    cross_section: 0.01
    generated_events: 1000
    signal: {mass: 10, v2_mu: 5.7e-7, ctau: 7.0}
  - name: muons
    era: Run2018
    kind: data
    process: data
    primary_dataset: SingleMuon
    files: [sub/muons.root]
    triggers: [muon]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("wjets_2.root", "wjets_1.root"):
        (tmp_path / name).touch()
    return tmp_path


def load(folder: Path, text: str) -> catalogue.Catalogue:
    path = folder / "catalogue.yaml"
    path.write_text(text)
    return catalogue.load(path)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(CatalogueError) as caught:
        load(folder, text)
    return str(caught.value)


def test_globs_are_sorted_paths_resolved_and_urls_kept(folder: Path) -> None:
    read = load(folder, GOOD)
    assert read.datasets[0].files == (str(folder / "wjets_1.root"), str(folder / "wjets_2.root"))
    assert read.datasets[1].files == ("root://server.example//store/hnl10.root",)
    assert read.datasets[2].files == (str(folder / "sub" / "muons.root"),)
    assert read.datasets[1].signal is not None
    assert read.datasets[1].signal.v2_mu == 5.7e-7
    assert read.datasets[1].signal.v2_tau == 0
    assert read.era(read.dataset("muons")).triggers.paths == ("HLT_Ele32_WPTight_Gsf", "HLT_IsoMu24")


def test_environment_variables_in_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE", str(folder))
    read = load(folder, GOOD.replace("sub/muons.root", "$STORAGE/far/muons.root"))
    assert read.dataset("muons").files == (str(folder / "far" / "muons.root"),)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("    process: wjets\n", "    process: wjets\n    colour: red\n", 13, "unknown key 'colour'"),
        ("    year: 2018\n", "    year: 2018\n    lumi: 3\n", 4, "unknown key 'lumi'"),
        ("61526.7", "-3", 14, "got -3"),
        ("61526.7", ".nan", 14, "cross_section"),
        ("    cross_section: 61526.7\n", "", 9, "needs a cross_section"),
        ("wjets_*.root", "zjets_*.root", 13, "no file matches zjets_*.root"),
        ("[wjets_*.root]", "[]", 9, "files or candidates"),
        ("[wjets_*.root]", "[wjets_1.root, wjets_*.root]", 13, "wjets_1.root is listed twice"),
        ("[sub/muons.root]", "[wjets_2.root]", 28, "in wjets and in muons"),
        (
            "era: Run2018\n    kind: signal",
            "era: Run2019\n    kind: signal",
            16,
            "names the era Run2019; known: Run2018",
        ),
        ("name: hnl10", "name: wjets", 15, "two datasets are called wjets"),
        ("name: hnl10", "name: ../hnl10", 15, "got '../hnl10'"),
        ("kind: background", "kind: bkg", 11, "got 'bkg'"),
        ("59.8", "0", 4, "luminosity"),
        ("[HLT_IsoMu24]", "[IsoMu24]", 5, "muon triggers are of one isolated lepton, as HLT_IsoMu24, not IsoMu24"),
        ("[HLT_IsoMu24]", "[HLT_IsoMu24, HLT_Mu50]", 5, "not HLT_Mu50"),
        ("[HLT_Ele32_WPTight_Gsf]", "[HLT_Ele115_CaloIdVT_GsfTrkIdT]", 5, "not HLT_Ele115_CaloIdVT_GsfTrkIdT"),
        ("[HLT_Ele32_WPTight_Gsf]", "[HLT_Photon200]", 5, "not HLT_Photon200"),
        ("[HLT_Ele32_WPTight_Gsf]", "[HLT_Ele27_WPLoose_Gsf]", 5, "not HLT_Ele27_WPLoose_Gsf"),
        ("    primary_dataset: SingleMuon\n", "", 22, "primary_dataset"),
        ("primary_dataset: SingleMuon", "cross_section: 3\n    primary_dataset: A", 22, "neither cross_section"),
        ("    signal: {mass: 10, v2_mu: 5.7e-7, ctau: 7.0}\n", "", 15, "go together"),
        ("v2_mu: 5.7e-7", "v2_mu: 0", 22, "v2_e, v2_mu or v2_tau above zero"),
        ("v2_mu: 5.7e-7, ctau: 7.0", "v2_mu: 5.7e-7", 22, "ctau"),
        ("generated_events: 1000", "generated_events: many", 21, "generated_events"),
        ("triggers: [muon]", "triggers: [muon]\n    veto_triggers: [muon]", 23, "both in triggers and in veto"),
        ("triggers: [muon]", "triggers: [photon]", 29, "got 'photon'"),
        ("    year: 2018\n", "    year: 2018\n    year: 2017\n", 4, "'year' is given twice"),
        ("    year: 2018\n", "    year: 2018\n    golden_json: gone.json\n", 4, "no such golden JSON"),
        ("    year: 2018\n", "    year: [2018\n", 4, "not valid YAML"),
        ("    year: 2018\n", "    year: 2020\n", 3, "no pp collisions are known of"),
        ("    year: 2018\n", "    year: 2025\n", 3, "era Run2018 needs luminosity_uncertainties"),
        ("    year: 2018\n", "    year: 2018\n    energy: 13000\n", 4, "got 13000"),
        ("59.8", "yes", 4, "true and false are no numbers"),
        ("61526.7", "true", 14, "true and false are no numbers"),
    ],
)
def test_mistakes_are_refused_with_their_line(folder: Path, old: str, new: str, line: int, words: str) -> None:
    assert GOOD.count(old) >= 1
    message = refused(folder, GOOD.replace(old, new, 1))
    assert words in message
    numbers = {int(part.split(":")[0]) for part in message.split("line ")[1:]}
    assert numbers & {line, line - 1, line + 1}, message  # a missing key has no line of its own
    assert "catalogue.yaml" in message


def test_exact_line_of_a_wrong_value(folder: Path) -> None:
    assert "catalogue.yaml, line 14:" in refused(folder, GOOD.replace("61526.7", "-3"))


def test_a_trigger_group_that_the_era_does_not_have(folder: Path) -> None:
    text = GOOD.replace("      muon: [HLT_IsoMu24]\n", "")
    assert "era Run2018 has no muon trigger" in refused(folder, text)


@pytest.mark.parametrize("text", ["", "- 1\n", "just words"])
def test_not_a_mapping(folder: Path, text: str) -> None:
    assert "'eras' and 'datasets'" in refused(folder, text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="No such file"):
        catalogue.load(tmp_path / "none.yaml")
    with pytest.raises(CatalogueError, match="Is a directory"):
        catalogue.load(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogueError, match="not UTF-8"):
        catalogue.load(tmp_path / "binary.yaml")


TWO_ERAS = GOOD.replace(
    "datasets:\n",
    """\
  Run2017:
    year: 2017
    luminosity: 41.5
    triggers: {muon: [HLT_IsoMu27]}
datasets:
  - {name: w17, era: Run2017, kind: background, process: w, files: ["root://server.example//w.root"], cross_section: 1}
""",
)
CORRECTIONS = """\
    corrections:
      jets: {file: sf/jets.json, uncertainties: {jes: Total}}
"""


@pytest.fixture
def with_corrections(folder: Path) -> Path:
    (folder / "sub").mkdir()
    (folder / "sub" / "muons.root").touch()
    (folder / "sf").mkdir()
    (folder / "sf" / "jets.json").touch()
    return folder


def test_files_of_corrections_are_relative_to_the_catalogue(with_corrections: Path) -> None:
    found = load(with_corrections, GOOD.replace("    luminosity: 59.8\n", "    luminosity: 59.8\n" + CORRECTIONS))
    jets = found.eras["Run2018"].corrections.jets
    assert jets is not None
    assert jets.file == with_corrections / "sf" / "jets.json"
    assert jets.uncertainties == {"jes": "Total"}
    assert catalogue.Catalogue.model_validate(found.model_dump(mode="json")) == found


def test_a_file_of_corrections_that_is_not_there(with_corrections: Path) -> None:
    (with_corrections / "sf" / "jets.json").unlink()
    message = refused(with_corrections, GOOD.replace("    luminosity: 59.8\n", "    luminosity: 59.8\n" + CORRECTIONS))
    assert (
        f"catalogue.yaml, line 5: era Run2018: no such file of corrections: {with_corrections}/sf/jets.json" in message
    )


def test_an_era_without_corrections_that_another_has(with_corrections: Path) -> None:
    """It is not varied by mistake: 'null' says that it is meant. Eras of data alone need none."""
    text = TWO_ERAS.replace("    luminosity: 59.8\n", "    luminosity: 59.8\n" + CORRECTIONS)
    assert "era Run2017 has no corrections.jets, era Run2018 has: give them, or say 'jets: null'" in refused(
        with_corrections, text
    )
    said = text.replace("    luminosity: 41.5\n", "    luminosity: 41.5\n    corrections: {jets: null}\n")
    assert load(with_corrections, said).eras["Run2017"].corrections.jets is None
    data = "kind: data, process: data, primary_dataset: SingleMuon"
    of_data = text.replace("kind: background, process: w,", data + ",").replace(
        'w.root"], cross_section: 1}', 'w.root"]}'
    )
    assert load(with_corrections, of_data).eras["Run2017"].corrections.jets is None


def test_luminosity_uncertainties_that_are_given_or_not_needed(folder: Path) -> None:
    """Only simulation is scaled to a luminosity."""
    given = GOOD.replace("year: 2018", "year: 2025\n    luminosity_uncertainties: {luminosity_2025: 0.02}")
    assert load(folder, given).eras["Run2018"].known_luminosity_uncertainties == {"luminosity_2025": 0.02}
    start, data = GOOD.split("datasets:\n")[0], GOOD[GOOD.index("  - name: muons") :]
    only_data = f"{start.replace('year: 2018', 'year: 2025')}datasets:\n{data}"
    assert load(folder, only_data).eras["Run2018"].known_luminosity_uncertainties is None


@pytest.mark.parametrize(("year", "energy"), [(2015, 13), (2016, 13), (2018, 13), (2022, 13.6), (2024, 13.6)])
def test_energy_of_a_year(folder: Path, year: int, energy: float) -> None:
    assert load(folder, GOOD.replace("2018\n    lum", f"{year}\n    lum")).eras["Run2018"].sqrt_s == energy


def test_energy_that_is_given_and_energies_of_a_catalogue(folder: Path) -> None:
    later = TWO_ERAS.replace("year: 2017", "year: 2022")
    assert load(folder, later).energies == (13.0, 13.6)
    assert years.in_words(load(folder, later).energies) == "13, 13.6 TeV"
    assert years.in_words(load(folder, TWO_ERAS).energies) == "13 TeV"
    given = later.replace("year: 2022", "year: 2022\n    energy: 13")
    assert load(folder, given).energies == (13.0,)
    unused = later.replace("era: Run2017", "era: Run2018")
    assert load(folder, unused).energies == (13.0,)


def test_without_files(folder: Path) -> None:
    """Only what is not there is let through, and a remark tells it."""
    text = GOOD.replace("wjets_*.root", "zjets_*.root").replace("year: 2018", "year: 2018\n    golden_json: gone.json")
    path = folder / "catalogue.yaml"
    path.write_text(text.replace("    luminosity: 59.8\n", "    luminosity: 59.8\n" + CORRECTIONS))
    read = catalogue.load(path, files_needed=False)
    assert read.datasets[0].files == ("zjets_*.root",)
    said = remarks.on_catalogue(read)
    assert f"era Run2018: not there yet: {folder}/gone.json, {folder}/sf/jets.json" in said
    assert "patterns that no file matches yet: 1, e.g. zjets_*.root" in said
    path.write_text(text.replace("61526.7", "-3"))
    with pytest.raises(CatalogueError, match="got -3"):
        catalogue.load(path, files_needed=False)
    path.write_text(text.replace("[sub/muons.root]", "[zjets_*.root]"))
    with pytest.raises(CatalogueError, match="listed twice"):
        catalogue.load(path, files_needed=False)


def test_remarks_on_eras(folder: Path) -> None:
    uncertified = "data without golden JSON, every luminosity section is used: muons"
    assert remarks.on_catalogue(load(folder, GOOD)) == [uncertified]
    *_, mixed = remarks.on_catalogue(load(folder, TWO_ERAS.replace("year: 2017", "year: 2022")))
    assert mixed.startswith("eras of 13, 13.6 TeV")
    of_2024 = remarks.on_catalogue(load(folder, GOOD.replace("year: 2018", "year: 2024")))
    preliminary = "era Run2018: the default luminosity uncertainty of 2024 is that of a preliminary result"
    assert of_2024 == [preliminary, uncertified]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: " + 100_000 * "[" + 100_000 * "]", "line 1: lists and keys in more than 50 levels"),
        (
            "a0: &a0 [x]\n" + "".join(f"a{i + 1}: &a{i + 1} [{', '.join(10 * [f'*a{i}'])}]\n" for i in range(9)),
            "its aliases .* stand for 2,[0-9,]* entries",
        ),
    ],
    ids=["depth", "aliases"],
)
def test_small_files_that_would_take_everything(tmp_path: Path, text: str, words: str) -> None:
    """The first ended Python (the stack), the second would have been read for hours."""
    path = tmp_path / "catalogue.yaml"
    path.write_text(text)
    with pytest.raises(CatalogueError, match=words):
        catalogue.load(path)


def test_aliases_that_save_writing(folder: Path) -> None:
    written = GOOD.replace("triggers:", "triggers: &paths", 1)
    assert load(folder, written) == load(folder, GOOD)
