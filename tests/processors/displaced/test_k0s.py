"""K0S candidates of hand-made events and of real files."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from chain import NAME, catalogue_of
from coffea.processor import accumulate
from k0s_events import k0s_event
from nanoaod_events import STYLES, Event, Style, write

from hnl.datasets import files, nanoaod
from hnl.datasets.catalogue import Triggers
from hnl.processors.displaced.k0s import K0SProcessor

PARTICLES = Style(particles=True)


def process(path: Path, **catalogue: Any) -> dict[str, Any]:
    """What the processor finds in a file."""
    made = catalogue_of(path, **catalogue)
    dataset = made.datasets[0]
    info = files.inspect(str(path), dataset, made.era(dataset), needs=nanoaod.Needs(optional=nanoaod.PION_DETAILS))
    units = files.work_units(NAME, info)
    result: dict[str, Any] = accumulate([K0SProcessor(made).process(files.events(unit))[NAME] for unit in units])
    return result


def counts(result: dict[str, Any]) -> list[int]:
    """Events after each requirement."""
    return [stage["all"]["events"] for stage in result["cutflow"].values()]


def test_candidates(tmp_path: Path) -> None:
    """The harder pion is l2, with its own impact parameters; what a pion cannot have is NaN."""
    event = k0s_event(7)
    plus, minus = event["PFCands"][2:4]
    harder = plus if plus["pt"] > minus["pt"] else minus
    harder |= {"d0": -0.3, "d0Err": 0.02, "dz": 0.5, "dzErr": 0.04, "lostInnerHits": -1, "numberOfPixelHits": 2}
    result = process(write(tmp_path / "k0s.root", [event], PARTICLES))
    assert counts(result) == [1] * len(result["cutflow"])
    row = {name: column.value[0] for name, column in result["candidates"].items()}
    cos2 = 1 / np.cosh(harder["eta"]) ** 2
    distance = np.sqrt(0.3**2 + cos2 * 0.5**2)
    expected = {
        "event": 7,
        "l2_pt": harder["pt"],
        "l2_charge": harder["charge"],
        "l2_dxy": -0.3,
        "l2_dxy_err": 0.02,
        "l2_dz": 0.5,
        "l2_dz_err": 0.04,
        "l2_d_xyz": distance,
        "l2_d_xyz_sig": distance**2 / np.hypot(0.3 * 0.02, cos2 * 0.5 * 0.04),
        "l2_lost_hits": 0,
        "l2_pixel_hits": 2,
        "l1_pt": 45.594,
        "m_l1_l2": 91.188,
        "jet_pt": 60,
        "m_sv": 0.49761,
        "sv_n_tracks": 2,
        "jet_n_displaced": 2,
        "jet_n_constituents": 5,
    }
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, rel=1e-5), name
    for name in ("l2_rel_iso", "l2_tracker_layers"):
        assert np.isnan(row[name]), name


# What is changed, and the first requirement that then fails (counted from all events = 0).
CASES: dict[str, tuple[dict[str, Any], int]] = {
    "soft muon": ({"mu2": {"pt": 29.9}}, 3),
    "muon not isolated": ({"mu2": {"pfRelIso03_all": 0.11}}, 3),
    "same charge": ({"mu2": {"charge": 1}}, 4),
    "far from the Z": ({"mu2": {"pt": 35.0}}, 5),
    "three tracks": ({"sv": {"ntracks": 3}}, 6),
    "not a K0S": ({"sv": {"mass": 0.52}}, 6),
    "not displaced": ({"sv": {"dxySig": 2.4}}, 6),
    "another momentum": ({"sv": {"pt": 60.0}}, 7),
    "a muon, not a pion": ({"plus": {"pdgId": -13}}, 7),
    "soft jet": ({"jet": {"pt": 19.9}}, 8),
    "far jet": ({"jet": {"eta": 1.5}}, 8),
    "jet of a muon": ({"mu1": {"phi": 1.5, "eta": 0.7}, "mu2": {"phi": 1.5 - np.pi, "eta": -0.7}}, 8),
}


def test_requirements(tmp_path: Path) -> None:
    """Each requirement stops the event that fails it, and no other."""
    made: list[Event] = [k0s_event(1)] + [
        k0s_event(i, seed=1, **change) for i, (change, _) in enumerate(CASES.values(), start=2)
    ]
    # Back to back muons of other eta weigh more: as much as the Z again.
    jet_of_muon = made[-1]
    for muon in jet_of_muon["Muon"]:
        muon["pt"] = 45.594 / np.cosh(0.7)
    no_trigger = k0s_event(90) | {"HLT": dict.fromkeys(made[0]["HLT"], False)}
    not_stored = k0s_event(91) | {"JetPFCands": []}
    result = process(write(tmp_path / "cases.root", [*made, no_trigger, not_stored], PARTICLES))
    stops = [fails for _, fails in CASES.values()] + [2, 9]
    expected = [len(stops) + 1 - sum(fails <= stage for fails in stops) for stage in range(len(result["cutflow"]))]
    assert counts(result) == expected
    assert result["candidates"]["event"].value.tolist() == [1]


@pytest.mark.parametrize("events", [[], [{"mu2": {"pt": 5.0}}], [{"sv": {"mass": 2.0}}], [{"jet": {"pt": 5.0}}]])
def test_nothing_is_found(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    """A file without candidates is no error, wherever the last event is lost."""
    made = [k0s_event(i, **change) for i, change in enumerate(events)]
    result = process(write(tmp_path / "none.root", made, PARTICLES))
    assert counts(result)[0] == len(events)
    assert counts(result)[-1] == 0
    assert {len(column.value) for column in result["candidates"].values()} == {0}


def test_files_without_number_of_tracks(tmp_path: Path) -> None:
    """In old NanoAOD the pair alone says that there are two tracks."""
    style = Style(**vars(STYLES["v7"]) | {"particles": True})
    result = process(write(tmp_path / "old.root", [k0s_event(i) for i in range(1, 6)], style))
    assert counts(result)[-1] == 5
    assert np.isnan(result["candidates"]["sv_n_tracks"].value).all()


def test_highest_pt_of_several(tmp_path: Path) -> None:
    """Of two K0S that with the higher pt is taken."""
    event, other = k0s_event(1, seed=1), k0s_event(1, seed=2)
    both = event | {"SV": event["SV"] + other["SV"], "PFCands": event["PFCands"] + other["PFCands"][2:4]}
    result = process(write(tmp_path / "two.root", [both], PARTICLES))
    highest = max(event["SV"][0]["pt"], other["SV"][0]["pt"])
    assert result["candidates"]["sv_pt"].value == pytest.approx([highest])


@pytest.mark.parametrize(
    ("name", "kind", "muon"),
    [
        ("data_v5_dimuon.root", "data", ("HLT_IsoMu24",)),
        ("mc_v9_dy_2017.root", "background", ("HLT_IsoMu27", "HLT_IsoMu24")),
    ],
)
def test_real_files(real_nanoaod: Path, name: str, kind: str, muon: tuple[str, ...]) -> None:
    """Z and K0S masses in CMS files, counted with numpy, event by event; particles they do not have."""
    path = real_nanoaod / name
    with uproot.open(path) as root:
        tree = root["Events"]
        muon = tuple(one for one in muon if one in tree)
        columns = {
            key: tree[key].array().to_list()
            for key in list(tree.keys())
            if key in muon or (key.startswith(("Muon_", "SV_")) and "Idx" not in key)
        }
        assert "PFCands_pt" not in tree
        n = tree.num_entries
    z, kaons = 0, 0
    for i in range(n):
        if not any(columns[one][i] for one in muon):
            continue
        good = [
            k
            for k in range(len(columns["Muon_pt"][i]))
            if columns["Muon_pt"][i][k] > 30
            and abs(columns["Muon_eta"][i][k]) < 2.4
            and abs(columns["Muon_dxy"][i][k]) < 0.01
            and abs(columns["Muon_dz"][i][k]) < 0.1
            and columns["Muon_pfRelIso03_all"][i][k] < 0.1
            and columns["Muon_mediumId"][i][k]
        ]
        if len(good) != 2 or columns["Muon_charge"][i][good[0]] == columns["Muon_charge"][i][good[1]]:
            continue
        p = np.zeros(4)
        for k in good:
            pt, eta, phi, m = (columns[f"Muon_{c}"][i][k] for c in ("pt", "eta", "phi", "mass"))
            vector = np.array([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
            p += [*vector, np.sqrt(vector @ vector + m * m)]
        if abs(np.sqrt(p[3] ** 2 - p[:3] @ p[:3]) - 91.188) >= 10:
            continue
        z += 1
        kaons += any(
            abs(columns["SV_mass"][i][k] - 0.497611) < 0.015
            and columns["SV_dxySig"][i][k] > 2.5
            and columns["SV_dlenSig"][i][k] > 0.5
            and columns.get("SV_ntracks", {i: {k: 2}})[i][k] == 2
            for k in range(len(columns["SV_mass"][i]))
        )
    made = catalogue_of(path, kind=kind, paths=Triggers(muon=muon), triggers=("muon",))
    info = files.inspect(
        str(path), made.datasets[0], made.era(made.datasets[0]), needs=nanoaod.Needs(optional=nanoaod.PION_DETAILS)
    )
    events = files.events(files.work_units(NAME, info)[0])
    assert not nanoaod.has_particles(events)
    nothing = ak.Array([[]] * n)
    particles = ak.zip(
        dict.fromkeys(("pt", "eta", "phi", "charge", "pdgId", "d0", "d0Err", "numberOfPixelHits"), nothing)
    )
    links = ak.zip({"jetIdx": nothing, "pFCandsIdx": nothing})
    events = ak.with_field(ak.with_field(events, particles, "PFCands"), links, "JetPFCands")
    result = K0SProcessor(made).process(events)[NAME]
    assert z > 0
    assert counts(result)[5:8] == [z, kaons, 0]
