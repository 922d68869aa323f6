"""Variations of jet energies: each as if the file had other jets, and rows shared where nothing changes."""

from pathlib import Path
from typing import Any

import naive_selection as naive
import numpy as np
import pytest
from chain import catalogue_of, process, same_candidates
from jet_corrections import VARIATIONS, block, varied
from jet_corrections import write as write_corrections
from nanoaod_events import ELECTRON_PATHS, MUON_PATHS, STYLES, Style, event, write
from random_events import random_events

from hnl.datasets.nanoaod import MissingBranchError
from hnl.processors.rows import ordered, passing


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    """Random events, most jets near the threshold, four in five with a generator jet, not all of them a good match."""
    rng = np.random.default_rng(7)
    result = random_events(1000, seed=411)
    for number, one in enumerate(result):
        one |= {"run": 1 + number % 3, "luminosityBlock": number // 50, "event": number, "rho": rng.uniform(5, 40)}
        for i, jet in enumerate(one["Jet"]):
            if rng.random() < 0.6:
                jet["pt"] = rng.uniform(17, 24)
            jet["genJetIdx"] = i if rng.random() < 0.8 else int(rng.choice([-1, 99]))
            place = {"eta": jet["eta"] + rng.normal(0, 0.1), "phi": jet["phi"] + rng.normal(0, 0.1)}
            one["GenJet"].append({"pt": jet["pt"] * abs(rng.normal(1, 0.4)), **place})
    return result


@pytest.fixture(scope="module")
def corrections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return block(write_corrections(tmp_path_factory.mktemp("corrections") / "jets.json"))


def of(output: dict[str, Any], variation: str) -> dict[str, Any]:
    """The candidates of one variation, but for the column that says whose they are."""
    chosen = passing(output["candidates"], VARIATIONS.index(variation))
    rows = {name: column[chosen] for name, column in output["candidates"].items() if name != "passes"}
    return output | {"candidates": rows}


@pytest.fixture(scope="module")
def output(events: list[dict[str, Any]], corrections: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = write(tmp_path_factory.mktemp("events") / "a.root", events)
    return process(catalogue_of(path, corrections=corrections))


@pytest.mark.parametrize("variation", VARIATIONS)
def test_a_variation_is_a_file_with_other_jets(
    variation: str, events: list[dict[str, Any]], output: dict[str, Any], tmp_path: Path
) -> None:
    """The jets are shifted by hand, the file selected without any corrections: by the product and event by event."""
    path = write(tmp_path / "shifted.root", varied(events, variation))
    shifted = process(catalogue_of(path))
    ours = of(output, variation)
    theirs = {name: column for name, column in shifted["candidates"].items() if name != "passes"}
    assert len(theirs["event"]) > 150
    for name, column in theirs.items():
        # The two roundings to single precision of one number in double may differ in the last bit.
        np.testing.assert_allclose(ours["candidates"][name], column, rtol=2e-7, err_msg=name)
    results = naive.select(path, year=2018, electron_paths=ELECTRON_PATHS, muon_paths=MUON_PATHS)
    independent = [r["candidate"] for r in results if r["candidate"]]
    for name in ("event", "n_jets"):
        assert ours["candidates"][name].tolist() == [c[name] for c in independent]
    np.testing.assert_allclose(ours["candidates"]["jet_pt"], [c["jet_pt"] for c in independent], rtol=2e-7)
    if variation == "nominal":
        for table in ("cutflow", "n_minus_one"):
            assert output[table] == shifted[table]


def test_events_enter_and_leave(output: dict[str, Any]) -> None:
    """Up and down, by the energy of the jet and by the number of jets: the test above has seen all of it."""
    n_jets = {}
    for name in VARIATIONS:
        rows = of(output, name)["candidates"]
        n_jets[name] = dict(zip(rows["event"].tolist(), rows["n_jets"].tolist(), strict=True))
    nominal = n_jets["nominal"]
    for nuisance in ("jes_total", "jer"):
        up, down = n_jets[f"{nuisance}_up"], n_jets[f"{nuisance}_down"]
        entered, left = (set(up) - set(nominal)), (set(nominal) - set(down))
        assert len(entered) > 3
        assert len(left) > 3
        assert sum(nominal[n] != up[n] for n in set(nominal) & set(up))
        assert sum(nominal[n] != down[n] for n in set(nominal) & set(down))


def test_rows_are_shared_where_nothing_moved(output: dict[str, Any], events: list[dict[str, Any]]) -> None:
    """Outside |eta| < 1 the central uncertainty is zero: those candidates are the nominal ones, in one row."""
    rows = output["candidates"]
    up, down = (VARIATIONS.index(f"jes_central_{direction}") for direction in ("up", "down"))
    nominal = passing(rows, 0)
    shared = nominal & passing(rows, up) & passing(rows, down)
    assert (np.abs(rows["jet_eta"][shared]) >= 1).all()
    assert shared.sum() > 30
    own = ~nominal
    assert (np.bitwise_count(rows["passes"][own]) == 1).all()
    keys = np.stack([rows["event"], *(passing(rows, i) for i in range(len(VARIATIONS)))])
    for i in range(len(VARIATIONS)):  # an event is at most once in a variation
        assert len(np.unique(keys[0, keys[1 + i] == 1])) == keys[1 + i].sum()


def test_up_and_down_are_symmetric(output: dict[str, Any]) -> None:
    """The scale moves pt by the same amount up and down; what does not depend on jets is the same."""
    tables = {v: of(output, v)["candidates"] for v in ("nominal", "jes_total_up", "jes_total_down")}
    numbers = [t["event"].tolist() for t in tables.values()]
    common = sorted(set(numbers[0]) & set(numbers[1]) & set(numbers[2]))
    nominal, up, down = (
        {name: column[np.searchsorted(t["event"], common)] for name, column in t.items()} for t in tables.values()
    )
    one_jet = (nominal["jet_eta"] == up["jet_eta"]) & (nominal["jet_eta"] == down["jet_eta"])
    assert one_jet.sum() > 100
    np.testing.assert_allclose((up["jet_pt"] + down["jet_pt"])[one_jet], 2 * nominal["jet_pt"][one_jet], rtol=1e-6)
    np.testing.assert_allclose(
        (up["jet_pt"] / nominal["jet_pt"] - 1)[one_jet], (0.02 + 0.8 / nominal["jet_pt"])[one_jet], rtol=1e-4
    )
    untouched = [name for name in nominal if not name.startswith(("jet", "pt_", "delta_r", "n_jets"))]
    assert len(untouched) > 40
    for name in untouched:
        np.testing.assert_array_equal(nominal[name], up[name])


def test_neither_chunks_nor_order_matter(
    events: list[dict[str, Any]], output: dict[str, Any], corrections: dict[str, Any], tmp_path: Path
) -> None:
    """Smearing belongs to the event: in units of 150 events, and with the events in reverse, the bits are the same."""
    path = write(tmp_path / "a.root", events)
    same_candidates(output, process(catalogue_of(path, corrections=corrections), per_unit=150))
    reverse = process(catalogue_of(write(tmp_path / "b.root", events[::-1]), corrections=corrections))
    for one in (output, reverse):
        one["sorted"] = {"candidates": ordered(one["candidates"])}
    same_candidates(output.pop("sorted"), reverse["sorted"])


@pytest.mark.parametrize("style", ["v9", "v15"])
def test_versions(
    style: str, events: list[dict[str, Any]], output: dict[str, Any], corrections: dict[str, Any], tmp_path: Path
) -> None:
    """Old and new names of rho."""
    path = write(tmp_path / "a.root", [event(1), *events[:300]], STYLES[style])
    assert len(process(catalogue_of(path, corrections=corrections))["candidates"]["event"]) > 100


def test_data_is_never_varied(events: list[dict[str, Any]], corrections: dict[str, Any], tmp_path: Path) -> None:
    """The era has corrections, the data is what it is without."""
    path = write(tmp_path / "data.root", events, Style(data=True))
    with_them = process(catalogue_of(path, kind="data", corrections=corrections))
    assert (with_them["candidates"]["passes"] == 1).all()
    assert len(with_them["candidates"]["event"]) > 100
    same_candidates(with_them, process(catalogue_of(path, kind="data")))


def test_a_file_without_generator_jets_is_refused(corrections: dict[str, Any], tmp_path: Path) -> None:
    """Smearing needs them; the scale alone does not."""
    path = write(tmp_path / "a.root", [event(1)], Style(without=("Jet_genJetIdx", "Rho_fixedGridRhoFastjetAll")))
    with pytest.raises(MissingBranchError, match=r"a\.root: .*Rho_fixedGridRhoFastjetAll, Jet_genJetIdx"):
        process(catalogue_of(path, corrections=corrections))
    only_scale = {"jets": corrections["jets"] | {"smearing": None}}
    rows = process(catalogue_of(path, corrections=only_scale))["candidates"]
    assert rows["passes"].tolist() == [1, 2, 4, 8, 16]
    total, central = 0.02 + 0.8 / 35, 0.03
    factors = [1, 1 + total, 1 - total, 1 + central, 1 - central]
    assert rows["jet_pt"] == pytest.approx([35 * factor for factor in factors])
    assert rows["jet_mass"] == pytest.approx([5 * factor for factor in factors])
