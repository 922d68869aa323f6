"""The selection on coffea's own NanoEvents, as docs/library.md shows it: the candidates of the processor."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from chain import catalogue_of, inspected, process
from coffea.nanoevents import NanoAODSchema, NanoEventsFactory
from pages import ROOT, blocks

from hnl.datasets import files, nanoaod
from hnl.datasets.arrays import MissingColumnError
from hnl.datasets.catalogue import Triggers
from hnl.datasets.nanoaod import MissingBranchError
from hnl.selections import jets, leptons, vertices

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # coffea's own schema misses cross references

DEMO = ROOT / "datasets" / "demo"
REAL = Path(os.environ.get("HNL_REAL_NANOAOD", "not there"))
PATHS = Triggers(electron=("HLT_Ele32_WPTight_Gsf",), muon=("HLT_IsoMu24",))
PATHS_2017 = Triggers(electron=("HLT_Ele32_WPTight_Gsf_L1DoubleEG",), muon=("HLT_IsoMu27",))
(SNIPPET,) = (b for b in blocks(ROOT / "docs" / "library.md") if "NanoEventsFactory" in b.text)


def plain(path: Path) -> ak.Array:
    """As a notebook opens a file."""
    return NanoEventsFactory.from_root({str(path): "Events"}, schemaclass=NanoAODSchema).events()


@pytest.mark.parametrize("sample", ["ttbar", "hnl8_mu", "hnl10_e"])
def test_the_steps_of_the_page_give_the_candidates_of_the_processor(sample: str) -> None:
    text = SNIPPET.text.replace("datasets/demo/ttbar.root", str(DEMO / f"{sample}.root"))
    assert str(DEMO / f"{sample}.root") in text
    found: dict[str, Any] = {}
    exec(compile(text, "library.md", "exec"), found)
    expected = process(catalogue_of(DEMO / f"{sample}.root", paths=PATHS))["candidates"]
    chosen = found["chosen"]
    assert len(expected["event"]) > 50
    assert found["events"].event[chosen].tolist() == expected["event"].tolist()
    np.testing.assert_array_equal(found["jet"].pt[chosen], expected["jet_pt"])
    np.testing.assert_array_equal(found["sv"].mass[chosen], expected["m_sv"])
    np.testing.assert_array_equal(found["l2"].dxy[chosen], expected["l2_dxy"])


@pytest.mark.skipif(not REAL.is_dir(), reason="HNL_REAL_NANOAOD names no folder with files of CMS")
@pytest.mark.parametrize("name", ["mc_v9_dy_2017.root", "data_v13_egamma_2022.root", "more/mc_v13_ggh_2022.root"])
def test_files_of_cms(name: str) -> None:
    """Objects of plain NanoEvents are those of the product's own reading, to the bit."""
    year = int(name[-9:-5])
    kind = "data" if "data" in name else "background"
    paths = PATHS_2017 if year == 2017 else PATHS
    info = inspected(catalogue_of(REAL / name, year=year, kind=kind, paths=paths))
    (unit,) = files.work_units("sample", info)
    ours, theirs = files.events(unit), plain(REAL / name)
    for select in (
        lambda e: leptons.prompt_electrons(nanoaod.electrons(e), year),
        lambda e: leptons.prompt_muons(nanoaod.muons(e)),
        lambda e: leptons.nonprompt_electrons(nanoaod.electrons(e)),
        lambda e: leptons.nonprompt_muons(nanoaod.muons(e)),
        lambda e: jets.good_jets(nanoaod.jets(e)),
        lambda e: nanoaod.vertices(e),
    ):
        a, b = select(ours), select(theirs)
        assert a.fields == b.fields
        assert ak.to_list(ak.num(a)) == ak.to_list(ak.num(b))
        for column in a.fields:
            np.testing.assert_array_equal(ak.flatten(a[column]), ak.flatten(b[column]), err_msg=column)
    some = ak.num(theirs.Muon) > 0
    assert ak.any(some) or ak.any(ak.num(theirs.Electron) > 0)


MISSING: list[tuple[Callable[[ak.Array], object], str, str]] = [
    (lambda e: leptons.prompt_electrons(e.Electron, 2018), "mva_id", "electrons"),
    (lambda e: leptons.leading(e.Electron, e.Muon), "flavour", "electrons"),
    (lambda e: leptons.leading(nanoaod.electrons(e), e.Muon), "flavour", "muons"),
    (lambda e: jets.good_jets(e.Jet), "passes_id", "jets"),
    (lambda e: vertices.of_track(e.SV, e.PV, ak.firsts(e.Muon)), "position_x", "vertices"),
]


@pytest.mark.parametrize(("select", "column", "maker"), MISSING)
def test_what_plain_collections_lack_is_named(select: Callable[[ak.Array], object], column: str, maker: str) -> None:
    with pytest.raises(MissingColumnError, match=rf"no column '{column}'.*hnl.datasets.nanoaod.{maker}\(events\)"):
        select(plain(DEMO / "ttbar.root"))


def test_muons_and_nonprompt_electrons_need_nothing_more() -> None:
    events = plain(DEMO / "ttbar.root")
    electrons, muons = nanoaod.electrons(events), nanoaod.muons(events)
    assert ak.all(leptons.prompt_muons(events.Muon).pt == leptons.prompt_muons(muons).pt)
    assert ak.all(leptons.nonprompt_muons(events.Muon).pt == leptons.nonprompt_muons(muons).pt)
    assert ak.all(leptons.nonprompt_electrons(events.Electron).pt == leptons.nonprompt_electrons(electrons).pt)


def test_a_branch_that_the_file_lacks_is_named() -> None:
    events = plain(DEMO / "ttbar.root")
    events["Electron"] = ak.without_field(
        events.Electron, [n for n in nanoaod.MVA_ID_NAMES if n in events.Electron.fields]
    )
    with pytest.raises(MissingBranchError, match="the events have none of Electron_mvaIso_WP90, "):
        nanoaod.electrons(events)
    events["SV"] = ak.without_field(events.SV, "dxySig")
    with pytest.raises(MissingBranchError, match="the events have no branch SV_dxySig"):
        nanoaod.vertices(events)
