"""What the versions of NanoAOD call things."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from chain import NAME, PATHS, by_event, catalogue_of, inspected, process, same_candidates
from nanoaod_events import ELECTRON_ID_CUTS, ELECTRON_ID_TITLE, STYLES, Style, branches, event, write
from random_events import random_events

from hnl.datasets import files, nanoaod, versions
from hnl.datasets.nanoaod import Needs

# Columns of a candidate that old files lack.
ABSENT_IN_OLD = ("sv_n_tracks",)


def names(style: Style) -> set[str]:
    """All branches of a file of a style."""
    columns = branches([event()], style)
    counters = {f"n{name.partition('_')[0]}" for name, column in columns.items() if isinstance(column, ak.Array)}
    return counters | set(columns)


def wanted(style: Style, **how: Any) -> tuple[list[str], list[str]]:
    """`nanoaod.branches` for a file of a style."""
    catalogue = catalogue_of(Path("any.root"), **how)
    dataset = catalogue.dataset(NAME)
    return nanoaod.branches(names(style), dataset, catalogue.era(dataset))


@pytest.mark.parametrize(
    ("style", "version", "association"),
    [
        ("v6", "v6-v7", "geometric"),
        ("v7", "v6-v7", "geometric"),
        ("v9", "v9", "geometric"),
        ("v10", "v10", "geometric"),
        ("v12", "v13 or later", "svIdx"),
        ("v15", "v15 or later", "svIdx"),
    ],
)
def test_versions(style: str, version: str, association: str, tmp_path: Path) -> None:
    """The version and the way to the vertex, from the branches."""
    assert versions.version(names(STYLES[style])) == version
    info = inspected(catalogue_of(write(tmp_path / "a.root", [event()], STYLES[style])))
    assert (info.version, info.sv_association, info.missing) == (version, association, ())


def test_one_index_is_not_enough() -> None:
    """Both lepton kinds need svIdx: with one of them the whole file is read geometrically."""
    assert nanoaod.sv_association(names(Style(without=("Muon_svIdx",)))) == "geometric"
    assert nanoaod.sv_association(names(Style(without=("Electron_svIdx",)))) == "geometric"


def test_one_index_is_not_used(tmp_path: Path) -> None:
    """With svIdx of electrons only, a wrong one does no harm."""
    path = write(tmp_path / "a.root", [event(1, l2={"svIdx": -1})], Style(without=("Muon_svIdx",)))
    assert list(by_event(process(catalogue_of(path)))) == [1]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The same physics in every style: jets' ID and vertices agree between the ways to tell."""
    events = [e for e in random_events(500, seed=8) if unambiguous(e)]
    folder = tmp_path_factory.mktemp("styles")
    styles = STYLES | {
        "int32 indices": Style(new_types=False),
        "unsigned counters": Style(unsigned_counters=True),
        "with particles": Style(particles=True, gen_particles=True),
    }
    return {
        name: process(catalogue_of(write(folder / f"{name}.root", events, style))) for name, style in styles.items()
    }


def unambiguous(one: dict[str, Any]) -> bool:
    """Makes an event mean the same to all versions: one vertex, jets that pass all IDs or fail all of them."""
    one["SV"] = one["SV"][:1]
    for collection in ("Electron", "Muon"):
        for lepton in one[collection]:
            lepton["svIdx"] = 0 if abs(lepton.get("dxy", 0)) > 0.1 else -1
    nonprompt = [x for c in ("Electron", "Muon") for x in one[c] if abs(x.get("dxy", 0)) > 0.02]
    sv = one["SV"][0]
    if len(nonprompt) == 1:
        sv.update(event(l2=nonprompt[0])["SV"][0] | {"pt": sv["pt"]})
        nonprompt[0]["svIdx"] = 0
    for jet in one["Jet"]:
        good = jet.get("jetId", 6) & 2 > 0
        jet |= {"neHEF": 0.2, "neEmEF": 0.2 if good else 0.95, "chHEF": 0.5, "chMultiplicity": 3, "neMultiplicity": 3}
    return len(nonprompt) == 1


def test_every_version_gives_the_same(outputs: dict[str, dict[str, Any]]) -> None:
    """Same candidates, same cutflow; only what old files lack differs."""
    reference = outputs["v12"]
    assert len(reference["candidates"]["event"]) > 50
    for name, output in outputs.items():
        assert output["cutflow"] == reference["cutflow"], name
        assert output["n_minus_one"] == reference["n_minus_one"], name
        but = ABSENT_IN_OLD if name in ("v6", "v7") else ()
        if name == "with particles":
            but = tuple(c for c in reference["candidates"] if c.startswith(("jet_n_d", "jet_d", "jet_mean", "jet_s")))
        same_candidates(output, reference, but=but)


def test_missing_number_of_tracks(outputs: dict[str, dict[str, Any]]) -> None:
    """NaN in files without SV_ntracks."""
    assert (outputs["v6"]["candidates"]["sv_n_tracks"] != outputs["v6"]["candidates"]["sv_n_tracks"]).all()
    assert (outputs["v9"]["candidates"]["sv_n_tracks"] == 3).all()


@pytest.mark.parametrize("name", ["mvaIso_WP90", "mvaFall17V2Iso_WP90", "mvaFall17Iso_WP90"])
def test_names_of_the_electron_id(name: str, tmp_path: Path) -> None:
    """The newest name that the file has."""
    style = Style(mva_name=name)
    read, missing = wanted(style)
    assert f"Electron_{name}" in read
    assert missing == []
    events = [event(1, l1_flavour="e"), event(2, l1_flavour="e", l1={"mva": False})]
    assert list(by_event(process(catalogue_of(write(tmp_path / "a.root", events, style))))) == [1]


def test_newest_name_of_the_electron_id_wins() -> None:
    """Of several names one is read."""
    both = names(Style()) | {"Electron_mvaFall17V2Iso_WP90"}
    catalogue = catalogue_of(Path("any.root"))
    read, _ = nanoaod.branches(both, catalogue.datasets[0], catalogue.era(catalogue.datasets[0]))
    assert [b for b in read if "_mva" in b] == ["Electron_mvaIso_WP90"]


ESSENTIAL = [
    "run",
    "luminosityBlock",
    "event",
    "PV_x",
    "PV_z",
    "HLT_IsoMu24",
    "genWeight",
    "Electron_pt",
    "Electron_vidNestedWPBitmap",
    "Electron_mvaIso_WP90",
    "Electron_dz",
    "Muon_segmentComp",
    "Muon_isGlobal",
    "Muon_looseId",
    "Muon_mediumId",
    "Jet_jetId",
    "Jet_nConstituents",
    "SV_dlenSig",
    "SV_x",
    "SV_chi2",
    "TrigObj_filterBits",
    "TrigObj_id",
]


@pytest.mark.parametrize("branch", ESSENTIAL)
def test_missing_branch_is_named(branch: str) -> None:
    """Without an essential branch there is no selection; its name is told."""
    _, missing = wanted(Style(**vars(STYLES["v10"]) | {"without": (branch,)}))
    assert missing == [branch]


def test_missing_branches_of_a_file(tmp_path: Path) -> None:
    """File and all missing branches in one message."""
    style = Style(without=("Muon_mediumId", "SV_dxySig"))
    path = write(tmp_path / "poor.root", [event()], style)
    with pytest.raises(nanoaod.MissingBranchError, match=r"poor\.root: .*Muon_mediumId, SV_dxySig"):
        inspected(catalogue_of(path))


def test_missing_collection(tmp_path: Path) -> None:
    """A whole collection, its counter included."""
    style = Style(without=tuple(c for c in names(Style()) if c.startswith("SV_")))
    path = write(tmp_path / "poor.root", [event()], style)
    with pytest.raises(nanoaod.MissingBranchError, match=r"nSV, SV_pt"):
        inspected(catalogue_of(path))


@pytest.mark.parametrize(
    "branch", ["SV_ntracks", "Pileup_nTrueInt", "Electron_genPartFlav", "Jet_hadronFlavour", "MET_pt", "PFCands_d0"]
)
def test_what_is_not_essential(branch: str, tmp_path: Path) -> None:
    """Files without it are read all the same."""
    path = write(tmp_path / "a.root", [event(1)], Style(without=(branch,), particles=True))
    assert list(by_event(process(catalogue_of(path)))) == [1]


def test_data_needs_no_simulation() -> None:
    """Neither weights nor truth are read from data, and data without them is complete."""
    read, missing = wanted(Style(data=True), kind="data")
    assert missing == []
    simulated, _ = wanted(Style(gen_particles=True), kind="signal")
    assert {"genWeight", "Pileup_nTrueInt", "Jet_hadronFlavour", "GenPart_vx"} <= set(simulated) - set(read)
    assert "GenPart_vx" not in wanted(Style(gen_particles=True))[0]


def test_branches_are_few_and_unique() -> None:
    """No branch twice; nothing that no one asked for."""
    read, _ = wanted(STYLES["v12"])
    assert len(read) == len(set(read)) < 90
    assert not {"MET_pt", "Electron_r9", "Electron_jetIdx", "Muon_pfRelIso04_all", "HLT_Mu50", "GenPart_pt"} & set(read)
    assert set(PATHS.paths) <= set(read)


@pytest.mark.parametrize(
    "title",
    [
        ELECTRON_ID_TITLE,
        ELECTRON_ID_TITLE.replace("GsfEleSCEtaMultiRangeCut", "GsfEleEBEECut"),
        "Electron_vidNestedWPBitmap[nElectron]/I",
        "",
    ],
)
def test_known_electron_id(title: str) -> None:
    """The order of cuts that the bits are decoded with, or none told."""
    nanoaod.check_electron_id(title)


_CUTS = ELECTRON_ID_CUTS.split(",")


@pytest.mark.parametrize(
    "cuts",
    [
        [*_CUTS[:7], _CUTS[8], _CUTS[7], _CUTS[9]],
        _CUTS[:-1],
        [*_CUTS, "Another"],
        list(reversed(_CUTS)),
        ["MinPtCut", "NewCut", *_CUTS[2:]],
    ],
)
def test_unknown_electron_id(cuts: list[str], tmp_path: Path) -> None:
    """Another order of cuts is refused, with the file."""
    title = f"VID compressed bitmap ({','.join(cuts)}), 3 bits per cut"
    with pytest.raises(nanoaod.UnknownLayoutError, match="unknown order"):
        nanoaod.check_electron_id(title)
    path = write(tmp_path / "new.root", [event()], Style(electron_id_title=title))
    with pytest.raises(nanoaod.UnknownLayoutError, match=r"new\.root"):
        inspected(catalogue_of(path))


def test_columns_are_the_same_for_both_flavours(tmp_path: Path) -> None:
    """Electrons and muons share their columns; `index` of a jet is its place in the file."""
    jets = [{"pt": 50.0, "eta": 1.0, "phi": 1.0}, {"pt": 10.0, "eta": 1.0, "phi": 1.0}]
    path = write(tmp_path / "a.root", [event(1, more={"Jet": jets})], STYLES["v9"])
    events = files.events(files.work_units(NAME, inspected(catalogue_of(path)))[0])
    electrons, muons, found = nanoaod.electrons(events), nanoaod.muons(events), nanoaod.jets(events)
    assert found.index.tolist() == [[0, 1, 2]]
    assert (electrons.flavour.tolist(), muons.flavour.tolist()) == ([[11]], [[13]])
    assert (electrons.sv_index.tolist(), muons.sv_index.tolist()) == ([[-2]], [[-2]])
    assert electrons.lost_hits.tolist() == [[1]]
    assert muons.tracker_layers.tolist() == [[14]]
    assert nanoaod.has_sv_index(events) is False
    assert nanoaod.has_particles(events) is False
    assert nanoaod.field(events, "Pileup_nTrueInt").tolist() == [31.5]
    assert nanoaod.field(events, "Pileup_other") is None
    assert nanoaod.field(events, "hnlsim_generatorEvent") is None
    vertex = nanoaod.vertices(events)
    assert vertex.position_x.tolist()[0] == pytest.approx([event()["SV"][0]["x"]])


GENERATED = {"pdgId": 9900012, "genPartIdxMother": 0, "pt": 20.0, "eta": 0.0, "phi": 0.0, "mass": 10.0}


@pytest.mark.parametrize("names_of", nanoaod.DECAY_VERTICES, ids=lambda group: group[0])
def test_vertices_of_generated_particles_by_any_name(names_of: tuple[str, ...]) -> None:
    """As CMSSW's vertex() of GenParticle is called by those who keep it; all else of GenPart is the same."""
    fields = {name.partition("_")[2]: [[0.5, i]] for i, name in enumerate(names_of)}
    others = {name: [[value, value]] for name, value in GENERATED.items()} | {"status": [[1, 1]]}
    events = ak.Array({"GenPart": ak.zip(others | fields)})
    found = nanoaod.generated_particles(events)
    assert [found[axis].tolist() for axis in ("vx", "vy", "vz")] == [[[0.5, i]] for i in range(3)]
    assert set(found.fields) == {*GENERATED, "vx", "vy", "vz"}
    catalogue = catalogue_of(Path("any.root"), kind="signal")
    every = names(Style(gen_particles=True)) - {"GenPart_vx", "GenPart_vy", "GenPart_vz"} | set(names_of)
    read, _ = nanoaod.branches(every, catalogue.dataset(NAME), catalogue.era(catalogue.dataset(NAME)))
    assert {*nanoaod.GENERATED, *names_of} <= set(read)
    assert nanoaod.decay_vertices(read) == names_of
    assert nanoaod.decay_vertices(set(read) - {names_of[2]}) is None


def test_generated_particles_without_vertices() -> None:
    """The rest of GenPart is read, and positions are not known."""
    events = ak.Array({"GenPart": ak.zip({name: [[value], []] for name, value in GENERATED.items()})})
    found = nanoaod.generated_particles(events)
    assert found.pdgId.tolist() == [[9900012], []]
    assert np.isnan(found.vx[0, 0])
    assert nanoaod.generated_particles(ak.Array({"run": [1]})) is None
    read, missing = wanted(Style(gen_particles=True, without=("GenPart_vy",)), kind="signal")
    assert set(nanoaod.GENERATED) <= set(read)
    assert not {"GenPart_vx", "GenPart_vz"} & set(read)
    assert missing == []


def test_a_search_reads_what_it_needs() -> None:
    """Of muons alone: no branch of another collection is read or missed; what it names besides is essential."""
    both = ["Muon_pt", "nMuon", "Electron_pt", "Jet_pt", "SV_pt", "PV_x", "MET_pt", "run", "luminosityBlock", "event"]
    catalogue = catalogue_of(Path("any.root"))
    dataset = catalogue.dataset(NAME)
    read, missing = nanoaod.branches(both, dataset, catalogue.era(dataset), Needs(("Muon",), ("MET_pt", "MET_phi")))
    assert {"Muon_pt", "nMuon", "MET_pt", "run"} <= set(read)
    assert not [name for name in (*read, *missing) if name.split("_")[0] in ("Electron", "Jet", "SV", "PV", "TrigObj")]
    assert "MET_phi" in missing
    assert "Muon_eta" in missing
    with pytest.raises(ValueError, match="no collection 'Photon': it is one of Electron"):
        Needs(("Photon",))
