"""What the bits of trigger objects mean: titles that CMS software has written, and titles that it has not."""

from pathlib import Path

import pytest
import uproot
from chain import by_event, catalogue_of, inspected, process
from coffea.nanoevents import NanoEventsFactory
from nanoaod_events import Style, event, write

from hnl.datasets import files, remarks, trigger_bits
from hnl.datasets.index import Index, request_digest
from hnl.datasets.nanoaod import UnknownLayoutError

# Titles of CMSSW's triggerObjects_cff.py: 10_2_X (v6, v7), 10_6_X with the menus of 2016 (v8, v9), 12_6_X (v11, v12),
# 14_0_X (v14), and before 2019, when electrons had other bits.
INTRODUCTION = "extra bits of associated information: "
ELECTRON_10_2 = "1 = CaloIdL_TrackIdL_IsoVL, 2 = 1e (WPTight), 4 = 1e (WPLoose), 8 = OverlapFilter PFTau, 16 = 2e"
MUON_10_2 = "1 = TrkIsoVVL, 2 = Iso, 4 = OverlapFilter PFTau, 8 = 1mu, 16 = 2mu, 256 = 2mu-1e, 512 =1mu-2e"
MUON_2016 = "1 = TrkIsoVVL, 2 = Iso, 4 = OverlapFilter PFTau, 8 = IsoTkMu, 1024 = 1mu (Mu50)"
ELECTRON_14_0 = "0 => CaloIdL_TrackIdL_IsoVL, 1 => 1e (WPTight), 2 => 1e (WPLoose), 4 => 2e (Leg 1), 17 => 1e-1tau PNet"
MUON_14_0 = "0 => TrkIsoVVL, 1 => Iso, 2 => OverlapFilter PFTau, 3 => 1mu, 10 => 1mu (Mu50), 13 => 1mu-1tau PNet"
PIXEL = "Electron (PixelMatched e/gamma)"


def title(electron: str, muon: str, electrons: str = PIXEL) -> str:
    return f"{INTRODUCTION}{electron} for {electrons}; {muon} for Muon; 1 = Loose, 2 = Iso, 8 = 1mu for Tau; "


@pytest.mark.parametrize(
    ("text", "electron", "muon"),
    [
        (title(ELECTRON_10_2, MUON_10_2), (2,), (2 + 8,)),
        (title(ELECTRON_10_2, MUON_2016), (2,), (2, 8)),
        (title(ELECTRON_14_0, MUON_14_0), (2,), (2 + 8,)),
        (f"{INTRODUCTION}0 => x for BoostedTau; {ELECTRON_14_0} for Electron; {MUON_14_0} for Muon", (2,), (10,)),
        (title("0 => 1mu, 4 => 1e (WPTight)", "5 => 1mu, 6 => 2mu, 7 => Iso", "Electron"), (16,), (32 + 128,)),
        (title("1 =1e (WPTight),2= 1e (a, b)", "64=Iso ,128  =  IsoTkMu"), (1,), (64, 128)),
    ],
)
@pytest.mark.parametrize("year", [2016, 2018])
def test_titles(text: str, electron: tuple[int, ...], muon: tuple[int, ...], year: int) -> None:
    """Values and positions, in any order and with any spaces; the title knows better than the year."""
    bits = trigger_bits.meaning(text, year)
    assert (bits.electron.masks, bits.muon.masks, bits.source) == (electron, muon, "the title of the branch")


@pytest.mark.parametrize("text", ["", "TrigObj_filterBits[nTrigObj]/I", "filterBits", INTRODUCTION])
def test_without_a_title_the_year_decides(text: str) -> None:
    for year, masks, words in (
        (2016, (2, 8), "2 (Iso) or 8 (IsoTkMu)"),
        (2017, (10,), "2 (Iso) with 8 (1mu)"),
        (2022, (10,), "2 (Iso) with 8 (1mu)"),
    ):
        bits = trigger_bits.meaning(text, year)
        assert (bits.electron.masks, bits.muon, bits.source) == ((2,), (masks, words), f"a table for {year}")


UNKNOWN = [
    # Before 2019, 2 was WPLoose.
    (
        title("1 = CaloIdL_TrackIdL_IsoVL, 2 = WPLoose, 4 = WPTight", MUON_10_2),
        r"no '1e \(WPTight\)' for electrons.*WPLoose",
    ),
    (
        title(ELECTRON_10_2, "1 = TrkIsoVVL, 2 = Iso"),
        r"no 'Iso' and '1mu' nor 'Iso' and 'IsoTkMu' for muons.*TrkIsoVVL",
    ),
    (title(ELECTRON_10_2, "1 = Muon filters"), "for muons; its title lists Muon filters"),
    (title(ELECTRON_10_2, "2 = Iso, 1024 = 1mu (Mu50)"), "for muons"),
    (f"{INTRODUCTION}{MUON_10_2} for Muon", "for electrons; its title lists nothing"),
    (f"{INTRODUCTION}{ELECTRON_10_2} for Electron; 1 = Loose for Tau", "for muons; its title lists nothing"),
    (title(ELECTRON_10_2, "0 = TrkIsoVVL, 1 = Iso, 3 = 1mu"), "0 is not the value of one bit: 0 = TrkIsoVVL"),
]


@pytest.mark.parametrize(("text", "words"), UNKNOWN)
def test_unknown_titles_are_refused(text: str, words: str, tmp_path: Path) -> None:
    """With the file, in our own reading and where coffea reads."""
    path = write(tmp_path / "new.root", [event()], Style(filter_bits_title=text))
    with pytest.raises(UnknownLayoutError, match=rf"new\.root: TrigObj_filterBits: .*{words}"):
        inspected(catalogue_of(path))
    events = NanoEventsFactory.from_root({str(path): "Events"}, schemaclass=files.Schema).events()
    with pytest.raises(UnknownLayoutError, match=words):
        trigger_bits.read_bits(events, 2018)


@pytest.mark.parametrize(
    ("text", "year", "passing"),
    [
        (title(ELECTRON_10_2, MUON_10_2), 2016, {10, 11}),
        (title(ELECTRON_10_2, MUON_2016), 2018, {2, 8, 10, 11}),
        (title(ELECTRON_10_2, "4 = Iso, 16 = 1mu"), 2018, {20}),
        (None, 2016, {2, 8, 10, 11}),
        (None, 2018, {10, 11}),
    ],
)
def test_bits_decide_the_matching(text: str | None, year: int, passing: set[int], tmp_path: Path) -> None:
    """Which values of filterBits make a muon the one that fired."""
    events = [event(value, hlt_object={"filterBits": value}) for value in (1, 2, 4, 8, 10, 11, 16, 20, 1024)]
    path = write(tmp_path / "a.root", events, Style(filter_bits_title=text))
    assert set(by_event(process(catalogue_of(path, year=year)))) == passing


def test_it_is_remembered_and_told(tmp_path: Path) -> None:
    """The index of files keeps the meaning, for its year; `hnl datasets check` says it, once for each meaning."""
    catalogues = {year: catalogue_of(write(tmp_path / f"{year}.root", [event()]), year=year) for year in (2016, 2018)}
    assert request_digest(catalogues[2016].datasets[0], catalogues[2016]) != request_digest(
        catalogues[2018].datasets[0], catalogues[2018]
    )
    infos = [inspected(catalogue) for catalogue in catalogues.values()]
    index = Index(tmp_path / "files.json")
    for info in infos:
        index.add("mark", "signature", info)
    index.save()
    again = Index(tmp_path / "files.json")
    assert [again.get("mark", info.path, "signature") for info in infos] == infos
    found = [(catalogue.datasets[0], info) for catalogue, info in zip(catalogues.values(), infos, strict=True)]
    (one,) = remarks.on_triggers(found[:1] * 2)
    assert "2 (1e (WPTight)), muons 2 (Iso) or 8 (IsoTkMu), by a table for 2016" in one
    both = remarks.on_triggers(found)
    assert [said.endswith(f"(in {found[0][0].name})") for said in both] == [True, True]


REAL = {
    "more/data_v2_2016": (2, 8),
    "data_v5_dimuon": (10,),
    "more/mc_v7_dy_2018": (10,),
    "mc_v9_dy_2017": (10,),
    "more/data_v11_egamma_2022": (10,),
    "data_v13_egamma_2022": (10,),
    "more/mc_v13_ggh_2022": (10,),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(name: str, real_nanoaod: Path) -> None:
    """Every file made by CMS software says it itself."""
    with uproot.open(real_nanoaod / f"{name}.root") as file:
        bits = trigger_bits.meaning(file["Events"]["TrigObj_filterBits"].title, 2018)
    assert (bits.electron.masks, bits.muon.masks, bits.source) == ((2,), REAL[name], "the title of the branch")
