"""Weights of candidates: values by hand, files in the shape of the CMS groups' ones, and every refusal."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import weight_files
from scored import candidates
from weight_files import entries

from hnl.corrections import weights
from hnl.corrections.library import CorrectionError
from hnl.corrections.weights import Generated
from hnl.datasets.catalogue import Dataset, Era
from hnl.processors.displaced import columns
from hnl.selections.displaced.categories import CATEGORIES

ALL = Generated(sum_w=1000.0, norms={})  # 1 pb x 1 /fb / 1000: candidates have weight one
EE, MUMU, EMU, MUE = (CATEGORIES.index(f"{flavour}_OS") for flavour in ("ee", "mumu", "emu", "mue"))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weight_files.write(tmp_path_factory.mktemp("pog") / "pog.json.gz")


def era(**corrections: Any) -> Era:
    return Era(year=2018, luminosity=1.0, triggers={"muon": ["HLT_IsoMu24"]}, corrections=corrections)


def dataset(**changes: Any) -> Dataset:
    values = {"name": "w", "era": "e", "kind": "background", "process": "w", "files": ("a",), "cross_section": 1.0}
    return Dataset(**values | changes)


DATA = Dataset(name="d", era="e", kind="data", process="d", files=("a",), primary_dataset="SingleMuon")


def test_nothing_to_correct_is_generator_weight_times_normalisation() -> None:
    found = weights.weights(dataset(), era(), candidates(gen_weight=[2.0, -3.0]), ALL)
    assert {name: w.tolist() for name, w in found.items()} == {"nominal": [2.0, -3.0]}


def test_scale_factors_by_hand(file: Path) -> None:
    """l1 = electron, muon, electron, muon; one for the other flavour."""
    some = entries(file)
    table = candidates(
        category=[EE, MUMU, EMU, MUE],
        l1_eta=[-1.0, -1.0, 1.0, 0.5],
        l1_pt=[50.0, 50.0, 30.0, 30.0],
        gen_weight=[1, 1, 1, 2],
    )
    found = weights.weights(dataset(), era(prompt={"electron": [some["electron"]], "muon": [some["muon"]]}), table, ALL)
    expected = {
        "nominal": [0.95, 0.97, 1.1, 2 * 0.98],
        "prompt_electron_up": [0.97, 0.97, 1.12, 2 * 0.98],
        "prompt_electron_down": [0.93, 0.97, 1.08, 2 * 0.98],
        "prompt_muon_up": [0.95, 1.0, 1.1, 2 * 0.99],
        "prompt_muon_down": [0.95, 0.94, 1.1, 2 * 0.97],
    }
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-12, err_msg=name)
    # A variation equals nominal to the bit where it does not act.
    np.testing.assert_array_equal(found["prompt_electron_up"][[1, 3]], found["nominal"][[1, 3]])
    np.testing.assert_array_equal(found["prompt_muon_down"][[0, 2]], found["nominal"][[0, 2]])


def test_scale_factors_of_l2_look_at_l2(file: Path) -> None:
    muon = entries(file)["muon"] | {"columns": {"abseta": "abs(l2_eta)", "pt": "l2_pt"}}
    table = candidates(category=[EE, MUMU, EMU, MUE], l2_eta=[9.0, 0.1, -1.0, 9.0], l2_pt=[1.0, 20.0, 20.0, 1.0])
    found = weights.weights(dataset(), era(nonprompt={"muon": [muon]}), table, ALL)
    np.testing.assert_allclose(found["nominal"], [1, 0.98, 0.96, 1])
    assert found.keys() == {"nominal", "nonprompt_muon_up", "nonprompt_muon_down"}


def test_several_scale_factors_of_a_lepton_vary_together(file: Path) -> None:
    muon = entries(file)["muon"]
    table = candidates(category=[MUMU], l1_eta=[0.0], l1_pt=[20.0])
    found = weights.weights(dataset(), era(trigger={"muon": [muon, muon]}), table, ALL)
    assert found["nominal"] == pytest.approx(0.98**2)
    assert found["trigger_muon_up"] == pytest.approx(0.99**2)


def test_half_the_difference_from_one(file: Path) -> None:
    """Section 7: symmetric, and up is always more."""
    table = candidates(category=[EE] * 4, sv_pt=[5.0, 5.0, 20.0, 20.0], delta_2d=[0.5, 2.0, 0.5, 2.0])
    found = weights.weights(dataset(), era(tracking=entries(file)["tracking"]), table, ALL)
    np.testing.assert_allclose(found["nominal"], [1.0, 0.9, 1.02, 0.8])
    np.testing.assert_allclose(found["tracking_up"], [1.0, 0.95, 1.03, 0.9])
    np.testing.assert_allclose(found["tracking_up"] + found["tracking_down"], 2 * found["nominal"])


def test_factors_multiply_and_a_variation_exchanges_one(file: Path) -> None:
    some = entries(file)
    table = candidates(
        category=[MUMU], l1_eta=[0.0], l1_pt=[20.0], sv_pt=[20.0], delta_2d=[2.0], n_true_interactions=[10.0]
    )
    corrections = {"pileup": some["pileup"], "prompt": {"muon": [some["muon"]]}, "tracking": some["tracking"]}
    found = weights.weights(dataset(cross_section=3.0), era(**corrections), table, ALL)
    assert found["nominal"] == pytest.approx(3 * 1.2 * 0.98 * 0.8)
    assert found["pileup_down"] == pytest.approx(3 * 1.4 * 0.98 * 0.8)
    assert found["prompt_muon_up"] == pytest.approx(3 * 1.2 * 0.99 * 0.8)
    assert found["tracking_down"] == pytest.approx(3 * 1.2 * 0.98 * 0.7)


def test_pileup_of_a_skimmed_file_is_that_of_the_correction(file: Path) -> None:
    found = weights.weights(
        dataset(), era(pileup=entries(file)["pileup"]), candidates(n_true_interactions=[29.9, 30.5]), ALL
    )
    assert {name: w.tolist() for name, w in found.items()} == {
        "nominal": [1.2, 0.8], "pileup_up": [0.9, 1.1], "pileup_down": [1.4, 0.6],
    }  # fmt: skip


def test_pileup_keeps_the_sum_of_weights_of_all_generated_events(file: Path) -> None:
    """Every generated event as a candidate: each variation sums to what nominal without pileup weights does."""
    rng = np.random.default_rng(1)
    n_true, gen_weight = rng.uniform(20, 42, 5000), rng.choice([1.0, 2.0, -0.5], 5000)
    profile = np.bincount(n_true.astype(int), gen_weight, 200).tolist()
    whole = Generated(1000.0, {}, 5000, profile)
    table = candidates(n_true_interactions=n_true, gen_weight=gen_weight)
    found = weights.weights(dataset(), era(pileup=entries(file)["pileup"]), table, whole)
    for name, weight in found.items():
        assert weight.sum() == pytest.approx(gen_weight.sum(), rel=1e-5), name
    assert np.ptp(found["pileup_up"] / gen_weight) > 0.1


def test_pileup_made_for_another_simulation_is_refused(file: Path) -> None:
    table = candidates(n_true_interactions=[10.0])
    other = Generated(1000.0, {}, 10**6, [1.0] * 31)  # nearly all below 30, where nominal is 1.2
    with pytest.raises(
        CorrectionError, match=r"dataset w: .*pog.json.gz: the mean of Collisions18.* is 1.187, not one"
    ):
        weights.weights(dataset(), era(pileup=entries(file)["pileup"]), table, other)


def test_generator_weights_have_their_own_sums() -> None:
    asked = dataset(generator_weights={"scale": True})
    table = candidates(
        gen_weight=[1.0, 2.0],
        weight_mur_up=[1.1, 1.3],
        weight_mur_down=[0.9, 0.7],
        weight_muf_up=[1, 1],
        weight_muf_down=[1, 1],
    )
    norms = {"mur_up": 1.1, "mur_down": 0.9, "muf_up": 1.0, "muf_down": 0.5}
    found = weights.weights(asked, era(), table, Generated(1000.0, norms))
    np.testing.assert_allclose(found["mur_up"], [1.0, 2 * 1.3 / 1.1])
    np.testing.assert_allclose(found["muf_down"], [2.0, 4.0])
    np.testing.assert_array_equal(found["nominal"], [1.0, 2.0])
    assert list(found) == ["nominal", "mur_up", "mur_down", "muf_up", "muf_down"]


def test_prefiring_where_files_have_it() -> None:
    given = {"weight_prefiring": [0.9, 1.0], "weight_prefiring_up": [0.95, 1.0], "weight_prefiring_down": [0.8, 1.0]}
    found = weights.weights(dataset(), era(), candidates(**given), ALL)
    np.testing.assert_allclose(found["nominal"], [0.9, 1.0], rtol=1e-6)
    np.testing.assert_allclose(found["prefiring_down"], [0.8, 1.0], rtol=1e-6)
    given["weight_prefiring"] = [0.9, np.nan]
    with pytest.raises(
        CorrectionError, match="dataset w: a candidate has weight_prefiring = nan, others have a number"
    ):
        weights.weights(dataset(), era(), candidates(**given), ALL)


def test_data_is_never_varied(file: Path) -> None:
    some = entries(file)
    found = weights.weights(
        DATA, era(pileup=some["pileup"], tracking=some["tracking"]), candidates(sv_pt=[1.0, 2.0]), None
    )
    assert {name: w.tolist() for name, w in found.items()} == {"nominal": [1.0, 1.0]}


def test_simulation_needs_its_sums() -> None:
    with pytest.raises(ValueError, match="the sums of weights of w are needed"):
        weights.weights(dataset(), era(), candidates(sv_pt=[1.0]), None)


def test_no_candidates(file: Path) -> None:
    some = entries(file)
    corrections = {"pileup": some["pileup"], "prompt": {"muon": [some["muon"]]}, "tracking": some["tracking"]}
    found = weights.weights(dataset(), era(**corrections), columns.empty(), ALL)
    assert {len(w) for w in found.values()} == {0}
    assert "tracking_up" in found


def test_order_and_company_do_not_matter(file: Path) -> None:
    """A candidate has one weight, whatever is beside it."""
    some, rng = entries(file), np.random.default_rng(2)
    table = candidates(
        category=rng.integers(0, 8, 50), l1_eta=rng.uniform(-2.4, 2.4, 50), l1_pt=rng.uniform(30, 199, 50),
        n_true_interactions=rng.uniform(0, 99, 50),
    )  # fmt: skip
    settings = era(pileup=some["pileup"], prompt={"electron": [some["electron"]], "muon": [some["muon"]]})
    every = weights.weights(dataset(), settings, table, ALL)
    order = rng.permutation(50)[:20]
    part = weights.weights(dataset(), settings, {name: column[order] for name, column in table.items()}, ALL)
    for name, weight in part.items():
        np.testing.assert_array_equal(weight, every[name][order])


def test_a_value_outside_its_range_is_refused_unless_clipped(file: Path) -> None:
    muon = entries(file)["muon"]
    table = candidates(category=[MUMU] * 3, l1_eta=[0.0] * 3, l1_pt=[30.0, 250.0, 40.0])
    with pytest.raises(
        CorrectionError, match=r"dataset w: .*pog.json.gz: .*NUM_MediumID_DEN_TrackerMuons refuses .*pt = 250"
    ):
        weights.weights(dataset(), era(prompt={"muon": [muon]}), table, ALL)
    clipped = weights.weights(dataset(), era(prompt={"muon": [muon | {"clip": {"pt": [15, 199]}}]}), table, ALL)
    np.testing.assert_allclose(clipped["nominal"], [0.98, 0.99, 0.99])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"correction": "UL-Electron-SF"}, "no correction UL-Electron-SF; it has .*UL-Electron-ID-SF"),
        ({"constants": {"WorkingPoint": "wp90iso"}}, "UL-Electron-ID-SF wants the input 'year'"),
        ({"columns": {"eta": "l1_eta", "pt": "l1_pt", "phi": "l1_phi"}}, "UL-Electron-ID-SF has no input 'phi'"),
        (
            {"columns": {"eta": "l1_supercluster_eta", "pt": "l1_pt"}},
            "the column 'l1_supercluster_eta', which candidates lack",
        ),
    ],
)
def test_wrong_entries_are_refused_before_any_event(file: Path, change: dict[str, Any], message: str) -> None:
    corrections = era(prompt={"electron": [entries(file)["electron"] | change]}).corrections
    with pytest.raises(CorrectionError, match=f"pog.json.gz: .*{message}"):
        weights.check(corrections, columns.NAMES)


def test_right_entries_are_not(file: Path) -> None:
    some = entries(file)
    settings = era(
        pileup=some["pileup"],
        tracking=some["tracking"],
        prompt={"electron": [some["electron"]], "muon": [some["muon"]]},
    )
    weights.check(settings.corrections, columns.NAMES)


def test_a_nuisance_of_jets_cannot_take_the_name_of_another(file: Path) -> None:
    settings = era(jets={"file": file, "uncertainties": {"tracking": "Total"}})
    with pytest.raises(CorrectionError, match="a nuisance of jets is called tracking"):
        weights.check(settings.corrections, columns.NAMES)


def test_unknown_text_is_refused_with_the_value(file: Path) -> None:
    electron = entries(file)["electron"] | {"constants": {"year": "2018", "WorkingPoint": "wp95"}}
    table = candidates(category=[EE], l1_eta=[0.5], l1_pt=[50.0])
    with pytest.raises(CorrectionError, match=r"UL-Electron-ID-SF refuses .*WorkingPoint = wp95"):
        weights.weights(dataset(), era(prompt={"electron": [electron]}), table, ALL)
