"""The processor as a whole: what candidates hold, data streams, units, coffea's `Runner`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from chain import NAME, PATHS, by_event, catalogue_of, inspected, plain, process, rows, same_candidates
from coffea.nanoevents import NanoAODSchema
from coffea.processor import IterativeExecutor, Runner
from nanoaod_events import GENERATOR_WEIGHTS, STYLES, Event, Style, event, flight, write
from random_events import random_events

from hnl.datasets import files, nanoaod
from hnl.datasets.catalogue import Triggers
from hnl.processors.displaced.columns import COLUMNS, NAMES, empty
from hnl.processors.displaced.processor import DisplacedProcessor

FULL = Style(particles=True, gen_particles=True, generator_weights=tuple(GENERATOR_WEIGHTS), prefiring=True)
ALL_WEIGHTS = {"scale": True, "pdf": "hessian", "parton_shower": True}


def signal_event(number: int) -> Event:
    """W+ -> mu+ N, N -> e- q q (opposite sign), N flies 30 mm; with the particles of the jet."""
    start = (0.01, -0.02, 1.5)
    end = flight(3.0, 0.0, 2.8, start)
    vertices = [dict(zip(("vx", "vy", "vz"), start, strict=True)), {f"v{c}": end[c] for c in "xyz"}]
    particles = [
        {"pdgId": 24, "genPartIdxMother": -1, **vertices[0]},
        {"pdgId": -13, "genPartIdxMother": 0, "pt": 50.0, **vertices[0]},
        {"pdgId": 9900012, "genPartIdxMother": 0, "pt": 20.0, "eta": 0.0, "mass": 10.0, **vertices[0]},
        {"pdgId": 11, "genPartIdxMother": 2, "pt": 15.0, **vertices[1]},
        {"pdgId": 1, "genPartIdxMother": 2, "pt": 5.0, **vertices[1]},
    ]
    inside = [
        {"pt": 10.0, "eta": -0.3, "phi": 2.81, "pdgId": 11, "d0": 0.5, "d0Err": 0.01, "numberOfPixelHits": 2},
        {"pt": 5.0, "eta": -0.2, "phi": 2.8, "d0": -0.05, "d0Err": 0.01},
        {"pt": 5.0, "eta": -0.2, "phi": 2.9, "d0": 0.01, "d0Err": 0.01},
        {"pt": 99.0, "eta": -0.2, "phi": 2.9, "charge": 0, "d0Err": -1.0},
        {"pt": 99.0, "eta": 1.0, "phi": 0.0, "d0": 9.0},  # of another jet
    ]
    links = [{"jetIdx": 1, "pFCandsIdx": i} for i in range(4)] + [{"jetIdx": 0, "pFCandsIdx": 4}]
    softer = {
        "pt": 10.0,
        "eta": 1.0,
        "phi": 0.0,
        "mass": 2.0,
    }  # not a good jet, but it shifts the place of the good one
    result = event(number, more={"GenPart": particles, "PFCands": inside, "JetPFCands": links})
    return result | {"Jet": [softer, *result["Jet"]]}


@pytest.fixture(scope="module")
def full_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Signal with everything a file can have; the second event has no candidate."""
    events = [signal_event(1), event(2, l2={"pt": 1.0}), signal_event(3)]
    return write(tmp_path_factory.mktemp("full") / "full.root", events, FULL)


def test_every_column_of_a_candidate(full_file: Path) -> None:
    """One candidate, each column worked out by hand."""
    output = process(catalogue_of(full_file, kind="signal", generator_weights=ALL_WEIGHTS))
    assert list(output["candidates"]) == list(NAMES)
    assert {c.name: output["candidates"][c.name].dtype for c in COLUMNS} == {c.name: np.dtype(c.dtype) for c in COLUMNS}
    found = {name: column[0] for name, column in output["candidates"].items()}
    delta_r = np.hypot(0.05, 0.05)
    expected = {
        "passes": 1,
        "run": 1,
        "luminosity_block": 1,
        "event": 1,
        "generator_event": 1,
        "gen_weight": 1.0,
        "n_true_interactions": 31.5,
        "weight_prefiring": 0.9,
        "weight_prefiring_up": 0.92,
        "weight_prefiring_down": 0.87,
        "weight_mur_up": 1.1,
        "weight_mur_down": 0.9,
        "weight_muf_up": 1.05,
        "weight_muf_down": 0.95,
        "weight_pdf_up": 1 + np.hypot(10 * 0.01, 0.02),
        "weight_pdf_down": 1 - np.hypot(10 * 0.01, 0.02),
        "weight_isr_up": 1.04,
        "weight_isr_down": 0.94,
        "weight_fsr_up": 1.12,
        "weight_fsr_down": 0.76,
        "category": 6,
        "n_jets": 1,
        "m_l1_l2": np.sqrt(2 * 50 * 15 * (np.cosh(0.8) - np.cos(2.5))),
        "delta_phi_l1_l2": -2.5,
        "m_l1_sv": np.sqrt(4**2 + mass_term()),
        "l1_pt": 50.0,
        "l1_eta": 0.5,
        "l1_phi": 0.3,
        "l1_charge": 1,
        "l1_dxy": 0.001,
        "l1_dz": 0.002,
        "l1_rel_iso": 0.02,
        "l1_gen_flavour": 1,
        "l2_pt": 15.0,
        "l2_eta": -0.3,
        "l2_phi": 2.8,
        "l2_charge": -1,
        "l2_dxy": -0.5,
        "l2_dxy_err": 0.002,
        "l2_dz": 1.0,
        "l2_dz_err": 0.004,
        "l2_d_xyz": 0.003,
        "l2_d_xyz_sig": 1.5,
        "l2_rel_iso": 3.0,
        "l2_lost_hits": 1,
        "l2_tracker_layers": np.nan,
        "l2_pixel_hits": 2,
        "l2_gen_flavour": 1,
        "jet_pt": 35.0,
        "jet_eta": -0.25,
        "jet_phi": 2.85,
        "jet_mass": 5.0,
        "jet_index": 1,
        "jet_n_constituents": 12,
        "jet_hadron_flavour": 4,
        "delta_r_l2_jet": delta_r,
        "pt_rel_l2_jet": pt_rel(15.0, -0.3, 2.8, -0.25, 2.85),
        "pt_ratio_l2_jet": 15 / 35,
        "jet_n_displaced": 2,
        "jet_displaced_pt_fraction": 15 / 20,
        "jet_mean_significance": (10 * 50 + 5 * 5 + 5 * 1) / 20,
        "jet_second_significance": 5.0,
        "sv_pt": 20.0,
        "sv_eta": -0.25,
        "sv_phi": 2.75,
        "m_sv": 4.0,
        "sv_n_tracks": 3,
        "sv_chi2_ndof": 1.25,
        "sv_ndof": 3.0,
        "sv_p_angle": 0.05,
        "delta_2d": 3.0,
        "delta_2d_sig": 38.0,
        "delta_3d": 3.2,
        "delta_3d_sig": 40.0,
        "gen_ctau": 30.0 * 10.0 / 20.0,
        "gen_delta_2d": 3.0,
        "gen_delta_3d": 3.0,
        "gen_same_sign": 0.0,
    }
    assert list(expected) == list(NAMES)
    assert found == pytest.approx(expected, rel=5e-6, nan_ok=True)


def mass_term() -> float:
    """m(l1, SV)^2 - m_SV^2 of the default event: 2 (E E - p p) + m_mu^2."""
    e1, e2 = np.hypot(50 * np.cosh(0.5), 0.10566), np.hypot(20 * np.cosh(0.25), 4)
    dot = 50 * 20 * (np.cos(2.75 - 0.3) + np.sinh(0.5) * np.sinh(-0.25))
    return float(2 * (e1 * e2 - dot) + 0.10566**2)


def pt_rel(pt: float, eta: float, phi: float, jet_eta: float, jet_phi: float) -> float:
    """|p x n| for the direction n of the jet, by the angle between them."""
    a = np.array([np.cos(phi), np.sin(phi), np.sinh(eta)]) * pt
    n = np.array([np.cos(jet_phi), np.sin(jet_phi), np.sinh(jet_eta)]) / np.cosh(jet_eta)
    return float(np.sqrt(a @ a - (a @ n) ** 2))


def test_muon_columns(tmp_path: Path) -> None:
    """What only muons, or only electrons, have."""
    path = write(tmp_path / "mu.root", [event(l1_flavour="e", l2_flavour="mu", l2={"nTrackerLayers": 9})])
    found = by_event(process(catalogue_of(path)))[1]
    assert (found["l2_tracker_layers"], found["category"]) == (9, 4)
    assert np.isnan(found["l2_lost_hits"])
    for name in ("l2_pixel_hits", "jet_n_displaced", "gen_ctau", "gen_same_sign"):
        assert np.isnan(found[name])


def test_truth_is_for_signal_only(full_file: Path) -> None:
    """Background has no N, even in a file that keeps vertices."""
    output = process(catalogue_of(full_file))
    assert np.isnan(output["candidates"]["gen_ctau"]).all()
    assert not np.isnan(output["candidates"]["l2_pixel_hits"]).any()


def test_data_has_no_simulated_columns(tmp_path: Path) -> None:
    """Weight 1, and the marks of missing truth."""
    path = write(tmp_path / "data.root", [event(genWeight=-3.0, run=9, luminosityBlock=8)], Style(data=True))
    output = process(catalogue_of(path, kind="data"))
    found = by_event(output)[1]
    assert [found[n] for n in ("gen_weight", "run", "luminosity_block")] == [1.0, 9, 8]
    assert [found[f"{n}_flavour"] for n in ("l1_gen", "l2_gen", "jet_hadron")] == [-1, -1, -1]
    assert np.isnan(found["n_true_interactions"])
    assert output["sum_w"] == 1.0


def test_large_event_numbers(tmp_path: Path) -> None:
    """Event numbers beyond 2^53 survive."""
    number = 2**63 + 1
    path = write(tmp_path / "large.root", [event(number, run=2**32 - 1)])
    assert rows(process(catalogue_of(path)), "run", "event", "generator_event") == [(2**32 - 1, number, number)]


@pytest.mark.parametrize(
    ("triggers", "veto", "selected"),
    [
        (("electron", "muon"), (), [1, 2, 3, 4]),
        (("muon",), (), [1, 3, 4]),
        (("electron",), (), [2, 3, 4]),
        (("electron",), ("muon",), [2]),
        (("muon",), ("electron",), [1]),
    ],
)
def test_streams(triggers: Any, veto: Any, selected: list[int], tmp_path: Path) -> None:
    """Which of the events that fired a muon (1), an electron (2), both (3, 4) or no (5) path belong to a stream."""
    electron, muon = "HLT_Ele32_WPTight_Gsf", "HLT_IsoMu24"
    events = [
        event(1),
        event(2, l1_flavour="e"),
        event(3, hlt={electron: True, muon: True}),
        event(4, l1_flavour="e", hlt={electron: True, muon: True}),
        event(5, hlt={}),
    ]
    path = write(tmp_path / "data.root", events, Style(data=True))
    output = process(catalogue_of(path, kind="data", triggers=triggers, veto_triggers=veto))
    assert output["candidates"]["event"].tolist() == selected
    assert output["cutflow"]["single-lepton trigger"]["all"]["events"] == len(selected)


def test_two_streams_share_no_event(tmp_path: Path) -> None:
    """Vetoed, the streams add up to all events that fired anything."""
    path = write(tmp_path / "data.root", random_events(400, seed=3), Style(data=True))

    def stream(**how: Any) -> list[int]:
        return list(by_event(process(catalogue_of(path, kind="data", **how))))

    muon, electron = stream(triggers=("muon",)), stream(triggers=("electron",), veto_triggers=("muon",))
    assert sorted(muon + electron) == stream()
    assert min(len(muon), len(electron)) > 10


def test_an_era_without_electron_trigger(tmp_path: Path) -> None:
    """Only muon paths: electrons as l1 never match."""
    path = write(tmp_path / "a.root", [event(1), event(2, l1_flavour="e", hlt={"HLT_IsoMu24": True})])
    output = process(catalogue_of(path, paths=Triggers(muon=("HLT_IsoMu24",))))
    assert list(by_event(output)) == [1]


def test_golden_json(tmp_path: Path) -> None:
    """Data outside the certified sections is out, both ends of a range are in; simulation is never touched."""
    golden = tmp_path / "golden.json"
    golden.write_text(json.dumps({"7": [[10, 20], [30, 30]], "9": [[1, 5]]}))
    places = [(7, 9), (7, 10), (7, 20), (7, 21), (7, 30), (8, 10), (9, 1), (9, 6)]
    events = [event(i, run=run, luminosityBlock=section) for i, (run, section) in enumerate(places)]
    data = write(tmp_path / "data.root", events, Style(data=True))
    output = process(catalogue_of(data, kind="data", golden_json=golden))
    assert output["candidates"]["event"].tolist() == [1, 2, 4, 6]
    assert output["cutflow"]["certified luminosity section"]["all"]["events"] == 4
    assert output["n_minus_one"]["certified luminosity section"]["all"]["events"] == 8
    assert list(by_event(process(catalogue_of(data, kind="data")))) == list(range(8))
    simulation = write(tmp_path / "mc.root", events)
    assert list(by_event(process(catalogue_of(simulation, golden_json=golden)))) == list(range(8))


def test_weights(tmp_path: Path) -> None:
    """Counts and sums by hand, with negative weights; sums are over all events, not over survivors."""
    weights = {1: 2.0, 2: -0.5, 3: -1.25, 4: 8.0, 5: 0.25}
    events = [
        event(1, genWeight=weights[1]),
        event(2, genWeight=weights[2]),
        event(3, genWeight=weights[3], same_sign=True),
        event(4, genWeight=weights[4], hlt={}),
        event(5, genWeight=weights[5], more={"Jet": [{"pt": 30.0, "eta": -1.5, "phi": -1.0}]}),
    ]
    output = process(catalogue_of(write(tmp_path / "w.root", events)))
    assert (output["events"], output["sum_w"], output["sum_w2"]) == (5, 8.5, 4 + 0.25 + 1.5625 + 64 + 0.0625)
    cutflow = output["cutflow"]
    assert cutflow["all events"] == {"all": {"events": 5, "sum_w": 8.5, "sum_w2": 69.875}}
    assert cutflow["single-lepton trigger"] == {"all": {"events": 4, "sum_w": 0.5, "sum_w2": 5.875}}
    last = cutflow["N(jets) = 1"]
    assert last["all"] == {"events": 3, "sum_w": 0.25, "sum_w2": 5.8125}
    assert last["mue_OS"] == {"events": 2, "sum_w": 1.5, "sum_w2": 4.25}
    assert last["mue_SS"] == {"events": 1, "sum_w": -1.25, "sum_w2": 1.5625}
    assert last["ee_OS"] == {"events": 0, "sum_w": 0.0, "sum_w2": 0.0}
    assert cutflow["m(mumu) outside 85-95 GeV"]["mue_OS"]["events"] == 3
    assert "mue_OS" not in cutflow["l1 matched to HLT"]
    assert "mue_OS" in cutflow["N(nonprompt l2) = 1"]
    assert rows(output, "event", "gen_weight", "n_jets") == [(1, 2.0, 1), (2, -0.5, 1), (3, -1.25, 1), (5, 0.25, 2)]
    assert output["n_minus_one"]["N(jets) = 1"]["all"] == {"events": 4, "sum_w": 0.5, "sum_w2": 5.875}


def test_units_add_up(tmp_path: Path) -> None:
    """However a file is cut, the sum is the same; units without candidates, or without any pair, included."""
    events = [event(1, l1={"pt": 1.0}), event(2, l2={"pt": 1.0}), *random_events(60, seed=5)]
    for i, one in enumerate(events):
        one["event"] = i
    catalogue = catalogue_of(write(tmp_path / "a.root", events))
    whole = process(catalogue)
    assert len(whole["candidates"]["event"]) > 10
    for per_unit in (8, 31):
        parts = process(catalogue, per_unit)
        same_candidates(whole, parts)
        assert {k: v for k, v in parts.items() if k != "candidates"} == {
            k: v for k, v in whole.items() if k != "candidates"
        }


@pytest.mark.parametrize("style", [STYLES["v6"], FULL], ids=["v6", "full"])
def test_nothing_selected(style: Style, tmp_path: Path) -> None:
    """No events, events without objects, events that fail: an empty table with every column and its type."""
    bare = event(1) | {name: [] for name in ("Electron", "Muon", "Jet", "SV", "TrigObj")}
    for number, events in enumerate(([], [bare], [event(1, l1={"pt": 5.0})], [bare, event(2) | {"Jet": [], "SV": []}])):
        path = write(tmp_path / f"{number}.root", events, style)
        output = process(catalogue_of(path, kind="signal"))
        assert output["events"] == len(events)
        assert output["cutflow"]["N(jets) = 1"]["all"]["events"] == 0
        for name, column in empty().items():
            assert output["candidates"][name].dtype == column.dtype
            assert output["candidates"][name].shape == (0,)


def test_no_data(tmp_path: Path) -> None:
    """An empty file of data under a golden JSON."""
    golden = tmp_path / "golden.json"
    golden.write_text(json.dumps({"7": [[10, 20]]}))
    output = process(catalogue_of(write(tmp_path / "a.root", [], Style(data=True)), kind="data", golden_json=golden))
    assert (output["events"], output["sum_w"]) == (0, 0.0)


def run_by_coffea(path: Path, catalogue: Any, schema: Any, chunk: int = 100_000) -> tuple[dict[str, Any], set[str]]:
    """The processor under coffea's `Runner`: its output, and the branches that were read."""
    quiet = IterativeExecutor(status=False)
    runner = Runner(quiet, schema=schema, chunksize=chunk, metadata_cache={}, savemetrics=True, pre_executor=quiet)
    output, metrics = runner({NAME: {"files": {str(path): "Events"}}}, DisplacedProcessor(catalogue))
    return plain(output[NAME]), {column.rpartition("-")[0] for column in metrics["columns"]}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # coffea's own schema misses cross references
@pytest.mark.parametrize(
    ("style", "schema"),
    [("v6", files.Schema), ("v15", files.Schema), ("full", files.Schema), ("full", NanoAODSchema)],
)
def test_runner_reads_no_other_branch(style: str, schema: Any, tmp_path: Path) -> None:
    """Under `Runner`, which reads what is touched: the branches that `nanoaod.branches` names, and the same result."""
    events = [signal_event(1), signal_event(2), *random_events(40, seed=6)]
    for i, one in enumerate(events):
        one["event"] = i
    path = write(tmp_path / "a.root", events, FULL if style == "full" else STYLES[style])
    catalogue = catalogue_of(path, kind="signal", generator_weights=ALL_WEIGHTS if style == "full" else {})
    names, missing = nanoaod.branches(
        [*inspected_names(path)], catalogue.datasets[0], catalogue.era(catalogue.datasets[0])
    )
    assert missing == []
    output, read = run_by_coffea(path, catalogue, schema)
    assert read <= set(names)
    own = process(catalogue)
    assert len(own["candidates"]["event"]) > 5
    assert output["cutflow"] == own["cutflow"]
    assert output["n_minus_one"] == own["n_minus_one"]
    same_candidates(output, own)
    # And our own reading is not wider than what the processor touches, but for these.
    assert set(names) - read <= {"GenPart_phi"}


def inspected_names(path: Path) -> list[str]:
    """All branches of a file."""
    with uproot.open(path) as file:
        return list(file["Events"].keys())


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore:Found duplicate branch:UserWarning")
@pytest.mark.parametrize(
    ("name", "kind", "matched"),
    [
        ("mc_v9_dy_2017.root", "background", 1),
        # The year of the catalogue is not that of the file: what its bits mean is read from its title.
        ("more/data_v2_2016.root", "data", 430),
    ],
)
def test_runner_on_a_real_file(name: str, kind: str, matched: int, real_nanoaod: Path) -> None:
    """The same for files made by CMS software, in several chunks."""
    path = real_nanoaod / name
    paths = Triggers(electron=("HLT_Ele27_WPTight_Gsf",), muon=("HLT_IsoMu24", "HLT_IsoMu27"))
    catalogue = catalogue_of(path, year=2017, paths=paths, kind=kind)
    output, read = run_by_coffea(path, catalogue, files.Schema, chunk=600 if kind == "data" else 60)
    info = inspected(catalogue)
    assert read <= set(info.branches)
    assert len(info.branches) < 100
    own = process(catalogue)
    assert own["cutflow"]["l1 matched to HLT"]["all"]["events"] >= matched
    assert output["cutflow"] == own["cutflow"]
    same_candidates(output, own)


def test_the_seam_reads_only_what_is_needed(tmp_path: Path) -> None:
    """`files.events` holds the columns of `FileInfo.branches` and no other."""
    path = write(tmp_path / "a.root", [event(1)], Style(particles=True))
    info = inspected(catalogue_of(path))
    events = files.events(files.work_units(NAME, info)[0])
    fields = {
        collection if not events[collection].fields else f"{collection}_{field}"
        for collection in events.fields
        for field in events[collection].fields or [""]
    }
    assert fields - set(info.branches) <= {"TrigObj_mass", "Jet_charge"}  # constants, made up by the schema
    assert {"Muon_pt", "HLT_IsoMu24", "event", "SV_x"} <= fields
    assert not {"MET_pt", "Electron_r9", "Jet_btagDeepFlavB", "HLT_Mu50", "PV_score", "TrigObj_l1pt"} & fields


def test_paths_of_the_era_are_the_only_ones_read(tmp_path: Path) -> None:
    """A trigger path that is not in the file is a missing branch."""
    path = write(tmp_path / "a.root", [event(1)])
    paths = Triggers(electron=PATHS.electron, muon=("HLT_IsoMu99",))
    with pytest.raises(nanoaod.MissingBranchError, match="HLT_IsoMu99"):
        inspected(catalogue_of(path, paths=paths))
