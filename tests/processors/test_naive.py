"""The processor against `naive_selection`: same counts at every stage, same candidates."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import naive_selection as naive
import numpy as np
import pytest
from chain import catalogue_of, process, rows, same_candidates
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS, STYLES, Style, write
from random_events import random_events, shuffled

from hnl.datasets.catalogue import Triggers
from hnl.selections.displaced.categories import CATEGORIES

# Trigger menus of the years, as the paper uses them (section 3), with IsoTkMu in 2016 and today's in 2022.
REAL = {
    "more/data_v2_2016": {
        "year": 2016,
        "paths": (("HLT_Ele27_WPTight_Gsf",), ("HLT_IsoMu24", "HLT_IsoTkMu24")),
    },
    "mc_v9_dy_2017": {
        "year": 2017,
        "paths": (("HLT_Ele32_WPTight_Gsf_L1DoubleEG",), ("HLT_IsoMu24", "HLT_IsoMu27")),
    },
    "data_v5_dimuon": {"year": 2018, "paths": (("HLT_Ele32_WPTight_Gsf",), ("HLT_IsoMu24",))},
    "more/mc_v7_dy_2018": {"year": 2018, "paths": (("HLT_Ele32_WPTight_Gsf",), ("HLT_IsoMu24",))},
    "more/data_v11_egamma_2022": {"year": 2022, "paths": (("HLT_Ele30_WPTight_Gsf",), ("HLT_IsoMu24",))},
    "data_v13_egamma_2022": {
        "year": 2022,
        "paths": (("HLT_Ele30_WPTight_Gsf", "HLT_Ele32_WPTight_Gsf"), ("HLT_IsoMu24",)),
    },
    "more/mc_v13_ggh_2022": {"year": 2022, "paths": (("HLT_Ele30_WPTight_Gsf",), ("HLT_IsoMu24",))},
}


def compare(output: dict[str, Any], results: list[dict[str, Any]]) -> None:
    """Asserts that product and naive check agree on counts, weights and candidates."""
    counts = {stage: {c: n["events"] for c, n in groups.items()} for stage, groups in output["cutflow"].items()}
    assert counts == naive.cutflow(results)
    counts = {stage: {c: n["events"] for c, n in groups.items()} for stage, groups in output["n_minus_one"].items()}
    assert counts == naive.n_minus_one(results)
    assert list(output["cutflow"]) == ["all events", *naive.STAGES]
    left = results
    for stage in naive.STAGES:
        left = [r for r in left if r["passed"][stage]]
        assert output["cutflow"][stage]["all"]["sum_w"] == pytest.approx(sum(r["weight"] for r in left))
    theirs = [r["candidate"] for r in results if r["candidate"]]
    exact = ("run", "luminosity_block", "event", "n_jets")
    assert rows(output, *exact) == [tuple(c[name] for name in exact) for c in theirs]
    assert [CATEGORIES[i] for i in output["candidates"]["category"]] == [c["category"] for c in theirs]
    for name in ("m_l1_sv", "m_l1_l2"):
        np.testing.assert_allclose(output["candidates"][name], [c[name] for c in theirs], rtol=1e-5)
    for name in ("m_sv", "jet_pt", "l2_dxy"):
        np.testing.assert_array_equal(output["candidates"][name], [c[name] for c in theirs])


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("loose", [False, True], ids=["as in a search", "any muon or electron path"])
def test_real_files(name: str, loose: bool, real_nanoaod: Path) -> None:
    """Files made by CMS software, of many versions."""
    path = real_nanoaod / f"{name}.root"
    (electron, muon), year = REAL[name]["paths"], REAL[name]["year"]
    if loose:  # paths that most of these skimmed events fired, so that later stages see events
        electron, muon = (*electron, "HLT_Ele27_WPTight_Gsf"), (*muon, "HLT_IsoMu20")
    kind = "data" if "data" in name else "background"
    output = process(catalogue_of(path, year=year, kind=kind, paths=Triggers(electron=electron, muon=muon)))
    results = naive.select(path, year=year, electron_paths=electron, muon_paths=muon)
    compare(output, results)
    assert output["cutflow"]["N(prompt l1) = 1"]["all"]["events"] > 0


@pytest.mark.parametrize(
    ("muon", "fired", "at_least"),
    [(("HLT_IsoMu24",), 437, 430), (("HLT_IsoMu24", "HLT_IsoTkMu24"), 455, 450)],
)
def test_muons_of_2016_are_matched(muon: tuple[str, ...], fired: int, at_least: int, real_nanoaod: Path) -> None:
    """2016 has no '1mu': one bit of isolated muons, one of isolated tracker muons, and nearly every l1 has fired."""
    path = real_nanoaod / "more" / "data_v2_2016.root"
    cutflow = process(catalogue_of(path, year=2016, kind="data", paths=Triggers(muon=muon)))["cutflow"]
    assert cutflow["N(prompt l1) = 1"]["all"]["events"] == fired
    assert at_least <= cutflow["l1 matched to HLT"]["all"]["events"] <= fired


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    """Random events near the thresholds."""
    return random_events(2500, seed=20260)


@pytest.mark.parametrize("style", ["v6", "v9", "v12", "v15"])
def test_random_events(style: str, events: list[dict[str, Any]], tmp_path: Path) -> None:
    """A few thousand events of which a good share passes each stage, by track and geometrically."""
    path = write(tmp_path / "random.root", events, STYLES[style])
    output = process(catalogue_of(path))
    compare(output, naive.select(path, year=2018, electron_paths=ELECTRON_PATHS, muon_paths=MUON_PATHS))
    counts = [groups["all"]["events"] for groups in output["cutflow"].values()]
    assert counts[-1] > 300
    assert all(later < earlier for earlier, later in pairwise(counts[1:]))
    assert np.bincount(output["candidates"]["category"], minlength=8).min() > 30
    assert {1, 2, 3} <= set(output["candidates"]["n_jets"].tolist())


def test_random_events_of_2016(events: list[dict[str, Any]], tmp_path: Path) -> None:
    """The lower electron threshold of 2016."""
    path = write(tmp_path / "random.root", events, STYLES["v9"])
    output = process(catalogue_of(path, year=2016))
    compare(output, naive.select(path, year=2016, electron_paths=ELECTRON_PATHS, muon_paths=MUON_PATHS))


@pytest.mark.parametrize(
    ("triggers", "veto"), [(("muon",), ()), (("electron",), ("muon",)), (("muon",), ("electron",))]
)
def test_random_data(
    triggers: tuple[Any, ...], veto: tuple[Any, ...], events: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Data: streams, vetoes and the golden JSON; no weights."""
    golden = tmp_path / "golden.json"
    golden.write_text(json.dumps({"1": [[1, 20], [22, 22]], "2": [[5, 100]]}))
    path = write(tmp_path / "random.root", events, Style(data=True))
    output = process(catalogue_of(path, kind="data", golden_json=golden, triggers=triggers, veto_triggers=veto))
    results = naive.select(
        path,
        year=2018,
        electron_paths=ELECTRON_PATHS,
        muon_paths=MUON_PATHS,
        is_data=True,
        stream=triggers,
        veto=veto,
        golden_json=golden,
    )
    compare(output, results)
    assert len(output["candidates"]["event"]) > 30


@pytest.mark.parametrize("style", ["v9", "v12", "v15"])
def test_order_of_objects_does_not_matter(style: str, events: list[dict[str, Any]], tmp_path: Path) -> None:
    """The same events with the objects of their collections in another order: the same candidates."""
    rng = np.random.default_rng(1)
    one = write(tmp_path / "one.root", events[:800], STYLES[style])
    other = write(
        tmp_path / "other.root", [shuffled(e, rng, vertices=style == "v9") for e in events[:800]], STYLES[style]
    )
    a, b = process(catalogue_of(one)), process(catalogue_of(other))
    assert a["cutflow"] == b["cutflow"]
    assert a["n_minus_one"] == b["n_minus_one"]
    assert len(a["candidates"]["event"]) > 100
    same_candidates(a, b, but=("jet_index",))  # which is a place among these objects
