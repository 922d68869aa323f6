"""Counts of generated leptons of signals, of those that are selected, and of those in the vertex of the decay."""

import json
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from chain import catalogue_of, process
from nanoaod_events import Event, Style, event, write

from hnl.executors import ExecutionOptions
from hnl.stages import select

WHOLE = Style(gen_particles=True, skimmed=False)
START = (0.01, -0.02, 1.5)  # the primary vertex of `event`
FLIGHT = (3.0, 0.0, 1.0)  # cm: Delta_2D of 3, Delta_3D of 3.162; the SV of `event` has 3.2


def particle(pdg_id: int, mother: int, at: tuple[float, ...], **more: float) -> dict[str, Any]:
    return {"pdgId": pdg_id, "genPartIdxMother": mother, **dict(zip(("vx", "vy", "vz"), at, strict=True)), **more}


def decay(
    *leptons: dict[str, float], pdg_id: int = 11, flight: tuple[float, float, float] = FLIGHT
) -> list[dict[str, Any]]:
    """W -> mu N, N -> leptons and a quark after a flight (cm); a lepton is that of `event` but for what it says."""
    end = tuple(a + b for a, b in zip(START, flight, strict=True))
    usual = {"pt": 15.0, "eta": -0.3, "phi": 2.8}
    return [
        particle(24, -1, START),
        particle(-13, 0, START, pt=50.0),
        particle(9900012, 0, START, pt=20.0, mass=10.0),
        particle(1, 2, end, pt=90.0),
        *(particle(pdg_id, 2, end, **usual | lepton) for lepton in leptons or ({},)),
    ]


def events() -> list[Event]:
    """Each with a weight that tells it from the others in a sum: 1, 2, 4, 8 ..."""
    one = {"sv": {"dlen": 3.2}, "l1_flavour": "mu"}
    prompt_e = {"l1_flavour": "e", "l2_flavour": "mu"}
    made: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
        (decay(), one),  # 1: selected, and in a vertex where N decayed
        (decay(), {"l2": {"charge": 1}}),  # 2: a lepton of the other charge
        (decay({"eta": 0.05}), {}),  # 4: Delta R = 0.35
        (decay({"eta": -0.05, "pt": 41.0}), {"sv": {"dlen": 3.5}}),  # 8: Delta R = 0.25; the vertex 11 % too far
        (decay({"pt": 6.9}), {}),  # 16: too soft
        (decay(flight=(50.5, 0.0, 0.0)), {}),  # 32: too far
        (decay({"eta": 2.45}), {}),  # 64: elsewhere
        (decay({"pt": 7.5}, flight=(0.05, 0.0, 0.0)), {"hlt": {}}),  # 128: not triggered, a vertex elsewhere
        (decay({"eta": 2.45}, pdg_id=13), prompt_e),  # 256: muons end at 2.4
        (decay(pdg_id=13), prompt_e | {"l2": {"svIdx": -1}}),  # 512: in no vertex
        (decay()[:3], {}),  # 1024: N does not decay
        (decay({"pt": 8.0, "eta": 1.0}, {}), {}),  # 2048: the harder one of two
        (decay(), {"l2": {"pt": 6.9}}),  # 4096: not selected
        (decay({"pt": 120.0}), {}),  # 8192: pt in no bin
    ]
    return [
        event(i + 1, genWeight=float(2**i), more={"GenPart": particles}, **changes)
        for i, (particles, changes) in enumerate(made)
    ]


def sums(generated: tuple[int, ...], found: tuple[int, ...]) -> dict[str, float]:
    return {
        "generated": sum(generated),
        "generated_w2": sum(weight**2 for weight in generated),
        "found": sum(found),
        "found_w2": sum(weight**2 for weight in found),
    }


NOTHING = sums((), ())
EXPECTED = {
    "electron_pt": {
        "7-10": sums((128,), (128,)),
        "13-16": sums((1, 2, 4, 64, 2048, 4096), (1, 2048)),
        "40-60": sums((8,), (8,)),
    },
    "electron_delta_2d": {
        "0-0.1": sums((128,), (128,)),
        "2-4": sums((1, 2, 4, 8, 64, 2048, 4096, 8192), (1, 8, 2048, 8192)),
    },
    "electron_vertex": {
        "0-0.1": sums((128,), ()),
        "2-4": sums((1, 8, 2048, 8192), (1, 2048, 8192)),
    },
    "muon_pt": {"13-16": sums((512,), (512,))},
    "muon_delta_2d": {"2-4": sums((512,), (512,))},
    "muon_vertex": {"2-4": sums((512,), ())},
}  # fmt: skip


def filled(found: dict[str, dict[str, dict[str, float]]]) -> dict[str, dict[str, dict[str, float]]]:
    """Without bins in which nothing is."""
    return {name: {bin: one for bin, one in bins.items() if one != NOTHING} for name, bins in found.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("whole") / "whole.root", events(), WHOLE)


def test_the_hand_made_vertex() -> None:
    """What the events take for granted of their vertex."""
    delta_3d = sqrt(sum(c**2 for c in FLIGHT))
    assert abs(3.2 - delta_3d) < 0.1 * delta_3d < abs(3.5 - delta_3d)


@pytest.mark.parametrize("per_unit", [100, 4])
def test_counts_by_hand(whole: Path, per_unit: int) -> None:
    """Also added up over work units, some of which have no lepton, or no decay."""
    assert filled(process(catalogue_of(whole, kind="signal"), per_unit)["efficiencies"]) == EXPECTED


def test_bins_cover_the_range(whole: Path) -> None:
    found = process(catalogue_of(whole, kind="signal"))["efficiencies"]
    for bins in found.values():
        edges = [tuple(map(float, name.split("-"))) for name in bins]
        assert [high for _, high in edges[:-1]] == [low for low, _ in edges[1:]]
    names = list(found["muon_delta_2d"])
    assert (names[0], names[-1]) == ("0-0.1", "30-50")


def test_no_counts_of_what_is_no_signal_or_has_no_vertices(whole: Path, tmp_path: Path) -> None:
    assert "efficiencies" not in process(catalogue_of(whole, kind="background"))
    plain = Style(gen_particles=True, skimmed=False, without=("GenPart_vx",))
    path = write(tmp_path / "plain.root", events(), plain)
    assert "efficiencies" not in process(catalogue_of(path, kind="signal"))
    assert "efficiencies" not in process(catalogue_of(write(tmp_path / "none.root", events()), kind="signal"))


@pytest.mark.parametrize("skimmed", [False, True])
def test_of_files_that_hold_all_generated_events(skimmed: bool, tmp_path: Path) -> None:
    """The Runs tree of a skimmed file counts more events than there are: what was generated in them is not known."""
    path = write(tmp_path / "a.root", events(), Style(gen_particles=True, skimmed=skimmed))
    catalogue = catalogue_of(path, kind="signal")
    written = tmp_path / "catalogue.yaml"
    written.write_text(catalogue.model_dump_json(exclude_defaults=True))
    select.run(written, tmp_path / "out", execution=ExecutionOptions("iterative"))
    (record,) = json.loads((tmp_path / "out" / "cutflow.json").read_text()).values()
    assert filled(record["efficiencies"]) == ({} if skimmed else EXPECTED)
