"""Weights of the generator: layouts of NanoAOD, how they are combined, sums of the Runs trees."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from chain import NAME, PATHS, catalogue_of, inspected
from nanoaod_events import GENERATOR_TITLES, GENERATOR_WEIGHTS, Style, event, write

from hnl.datasets import files, generator_weights, nanoaod
from hnl.datasets.catalogue import Triggers
from hnl.datasets.generator_weights import GeneratorWeightError, GeneratorWeights

ALL = {"scale": True, "pdf": "hessian", "parton_shower": True}
REAL_PATHS = Triggers(muon=("HLT_IsoMu27",))
STYLE = Style(generator_weights=tuple(GENERATOR_WEIGHTS))
NAMES = ("mur_down", "mur_up", "muf_down", "muf_up")


def factors(path: Path, paths: Triggers = PATHS, **asked: Any) -> dict[str, np.ndarray]:
    """Of all events of a file, read the product's own way."""
    catalogue = catalogue_of(path, paths=paths, generator_weights=asked)
    (unit,) = files.work_units(NAME, inspected(catalogue))
    return generator_weights.factors(files.events(unit), catalogue.datasets[0].generator_weights)


def written(folder: Path, *each: dict[str, Any], style: Style = STYLE) -> Path:
    return write(folder / "a.root", [event(i, **one) for i, one in enumerate(each)], style)


def test_nine_scale_weights(tmp_path: Path) -> None:
    path = written(tmp_path, {}, {"LHEScaleWeight": [1, 2, 3, 4, 1, 6, 7, 8, 9]})
    found = factors(path, scale=True)
    assert {name: w.tolist() for name, w in found.items()} == {
        "mur_up": [pytest.approx(1.1), 8], "mur_down": [pytest.approx(0.9), 2],
        "muf_up": [pytest.approx(1.05), 6], "muf_down": [pytest.approx(0.95), 4],
    }  # fmt: skip


def test_eight_scale_weights_lack_the_nominal_one(tmp_path: Path) -> None:
    style = Style(generator_weights=("LHEScaleWeight",), generator_titles=())
    found = factors(written(tmp_path, {"LHEScaleWeight": [1, 2, 3, 4, 6, 7, 8, 9]}, style=style), scale=True)
    assert {name: w.tolist() for name, w in found.items()} == {
        "mur_up": [8], "mur_down": [2], "muf_up": [6], "muf_down": [4],
    }  # fmt: skip


def test_hessian_set_with_alpha_s(tmp_path: Path) -> None:
    members = [2.0] + [2.0] * 100 + [1.98, 2.02]  # relative to the central one
    members[1], members[7] = 2.06, 1.92
    found = factors(written(tmp_path, {"LHEPdfWeight": members}), pdf="hessian")
    spread = np.sqrt(0.03**2 + 0.04**2 + 0.01**2)
    np.testing.assert_allclose([found["pdf_up"][0], found["pdf_down"][0]], [1 + spread, 1 - spread], rtol=1e-6)


def test_replicas(tmp_path: Path) -> None:
    replicas = np.random.default_rng(1).normal(1, 0.03, 100)
    style = Style(generator_weights=("LHEPdfWeight",))
    path = written(tmp_path, {"LHEPdfWeight": [1.0, *replicas]}, style=style)
    assert factors(path, pdf="replicas")["pdf_up"][0] - 1 == pytest.approx(replicas.std(ddof=1), rel=1e-5)


def test_no_events_and_nothing_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.root", [], STYLE)
    assert {name: len(w) for name, w in factors(path, **ALL).items()} == dict.fromkeys(
        GeneratorWeights(**ALL).variations, 0
    )
    assert factors(path) == {}


@pytest.mark.parametrize(
    ("branch", "lengths", "message"),
    [
        ("LHEScaleWeight", (44,), "events have 44 weights in LHEScaleWeight; known: 9, 8"),
        ("LHEScaleWeight", (9, 8), "events have 8, 9 weights in LHEScaleWeight"),
        ("LHEPdfWeight", (0,), "events have 0 weights in LHEPdfWeight; known: 31, 33, 101, 103"),
        ("PSWeight", (1,), "events have 1 weights in PSWeight; known: 4"),
    ],
)
def test_unknown_numbers_of_weights(branch: str, lengths: tuple[int, ...], message: str, tmp_path: Path) -> None:
    path = written(tmp_path, *({branch: [1.0] * n} for n in lengths))
    with pytest.raises(GeneratorWeightError, match=f"a.root: {message}"):
        factors(path, **ALL)


def test_a_weight_that_is_not_a_number(tmp_path: Path) -> None:
    with pytest.raises(GeneratorWeightError, match=r"a.root: PSWeight has the weight nan"):
        factors(written(tmp_path, {"PSWeight": [1, 1, np.nan, 1]}), parton_shower=True)


def test_a_file_without_the_weights_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.root", [event()], Style(generator_weights=("PSWeight",)))
    assert factors(path, parton_shower=True)["isr_up"].tolist() == [pytest.approx(1.04)]
    with pytest.raises(nanoaod.MissingBranchError, match=r"a.root: missing essential branches: LHEScaleWeight"):
        inspected(catalogue_of(path, generator_weights=ALL | {"pdf": None}))


GRID = [(mur, muf) for mur in ("0.5", "1", "2") for muf in ("0.5", "1", "2")]
OTHER_NAMES = "; ".join(f"[{i}] is renscfact={mur}d0 facscfact={muf}d0" for i, (mur, muf) in enumerate(GRID))
BEFORE_V9 = "PS weights; [0] is ISR=0.5 FSR=1; [1] is ISR=1 FSR=0.5; [2] is ISR=2 FSR=1; [3] is ISR=1 FSR=2 "


@pytest.mark.parametrize(
    ("branch", "title"),
    [
        *GENERATOR_TITLES.items(),
        ("LHEScaleWeight", OTHER_NAMES),
        ("PSWeight", BEFORE_V9),
        ("LHEScaleWeight", "LHEScaleWeight[nLHEScaleWeight]/F"),
        ("PSWeight", "dummy PS weight (1.0) "),
    ],
)
def test_known_titles(branch: str, title: str) -> None:
    generator_weights.check_titles(branch, title)


@pytest.mark.parametrize(
    ("branch", "title"),
    [
        (
            "LHEScaleWeight",
            GENERATOR_TITLES["LHEScaleWeight"].replace("MUF", "X").replace("MUR", "MUF").replace("X", "MUR"),
        ),
        ("LHEScaleWeight", GENERATOR_TITLES["LHEScaleWeight"].replace("2.0", "4.0")),
        ("PSWeight", "[0] is ISR=2 FSR=1; [1] is ISR=0.5 FSR=1; [2] is ISR=1 FSR=2; [3] is ISR=1 FSR=0.5"),
    ],
)
def test_titles_of_another_order_are_refused(branch: str, title: str, tmp_path: Path) -> None:
    path = written(
        tmp_path, {}, style=Style(generator_weights=tuple(GENERATOR_WEIGHTS), generator_titles=((branch, title),))
    )
    inspected(catalogue_of(path))  # nobody asks for them
    with pytest.raises(GeneratorWeightError, match=rf"a.root: {branch} lists its weights in an unknown order"):
        inspected(catalogue_of(path, generator_weights=ALL))


def test_scale_weights_relative_to_something_else_are_refused(tmp_path: Path) -> None:
    """Nominal entries of one half. Single events may be off."""
    half = (np.array(GENERATOR_WEIGHTS["LHEScaleWeight"]) / 2).tolist()
    path = written(tmp_path, {"LHEScaleWeight": half}, {"LHEScaleWeight": half}, {})
    with pytest.raises(GeneratorWeightError, match=r"a.root: LHEScaleWeight has the nominal entry 0.5, not 1"):
        factors(path, scale=True)
    few = written(tmp_path, {"LHEScaleWeight": half}, {}, {})
    assert factors(few, scale=True)["mur_up"].tolist() == pytest.approx([0.55, 1.1, 1.1])


@pytest.mark.parametrize(("runs", "merged"), [("Runs", 1.0), ("Runs_", 1.0), ("Runs", 27.0), ("Runs_", 43.0)])
def test_sums_of_the_runs_tree(runs: str, merged: float, tmp_path: Path) -> None:
    """Means over 2 events of weights 1 and 3 (scale 2 of 9: 0.9 and 1.7), and 1.5 over 10 of weight 2. Older CMSSW adds
    them up in merged files; only scales have a nominal entry that tells."""
    other = {"genWeight": 3.0, "LHEScaleWeight": [1.7] * 4 + [1.0] + [1.7] * 4}
    style = Style(runs=runs, generator_weights=tuple(GENERATOR_WEIGHTS), generator_sums=True, merged=merged)
    sums = dict(inspected(catalogue_of(written(tmp_path, {}, other, style=style))).variation_sums)
    assert sums.keys() == {*generator_weights.SCALES, *generator_weights.SHOWERS}
    assert sums["mur_down"] == pytest.approx(0.9 + 3 * 1.7 + 1.5 * 20)
    assert sums["isr_up"] == pytest.approx(merged * (4 * 1.04 + 1.5 * 20))


EIGHT = [0.8, 0.9, 1.0, 0.95, 1.05, 1.0, 1.1, 1.2]


@pytest.mark.parametrize(
    ("runs", "weights", "known"),
    [
        ("Runs", EIGHT, True),
        ("Runs_", EIGHT, False),  # of v7: nothing tells how many files were merged
        ("Runs", [1.0] * 44, False),
        ("Runs", [1.0], False),
        ("Runs", [1.0] * 4 + [0.0] + [1.0] * 4, False),
        ("Runs", [*EIGHT[:4], 1.0, np.inf, *EIGHT[5:]], False),
        ("Runs", [*EIGHT[:6], np.nan, 1.0], False),
    ],
)
def test_sums_without_a_nominal_entry(runs: str, weights: list[float], known: bool, tmp_path: Path) -> None:
    style = Style(runs=runs, generator_weights=tuple(GENERATOR_WEIGHTS), generator_sums=True)
    path = written(tmp_path, {"LHEScaleWeight": weights}, style=style)
    sums = dict(inspected(catalogue_of(path)).variation_sums)
    assert generator_weights.SHOWERS.keys() <= sums.keys()
    assert (generator_weights.SCALES.keys() <= sums.keys()) is known
    if known:
        assert sums["muf_up"] == pytest.approx(1.05 + 1.5 * 20)


def test_sums_of_a_file_without_events(tmp_path: Path) -> None:
    """The entry of no events has no weights to average; the other one still counts."""
    sums = dict(inspected(catalogue_of(written(tmp_path, style=Style(generator_sums=True)))).variation_sums)
    assert sums["mur_up"] == pytest.approx(30.0)


def test_a_real_file(real_nanoaod: Path) -> None:
    """Weights of CMS software: close to one, muR up is less, and sums over all generated events."""
    path = real_nanoaod / "mc_v9_dy_2017.root"
    found = factors(path, paths=REAL_PATHS, **ALL)
    assert {len(w) for w in found.values()} == {len(found["mur_up"])}
    assert 0.01 < (found["pdf_up"] - 1).mean() < 0.2
    for name, weight in found.items():
        assert 0.7 < weight.mean() < 1.3, name
    info = inspected(catalogue_of(path, paths=REAL_PATHS))
    assert info.sum_w is not None
    ratios = {name: total / info.sum_w for name, total in info.variation_sums}
    assert ratios == pytest.approx(
        {"mur_down": 1.0129, "muf_down": 0.9603, "muf_up": 1.0248, "mur_up": 0.9865}, abs=1e-4
    )  # fmt: skip


def test_a_real_file_whose_sums_were_added_up(real_nanoaod: Path) -> None:
    """NanoAOD v7: the nominal entry is 43, the number of merged files."""
    path = real_nanoaod / "more" / "mc_v7_dy_2018.root"
    with uproot.open(path) as root:
        entry = root["Runs"]["LHEScaleSumw_"].array(library="np")[0]
        nominal = root["Events"]["LHEScaleWeight"].array(library="np")
        count, total = (root["Runs"][f"genEvent{name}_"].array(library="np")[0] for name in ("Count", "Sumw"))
    assert entry[4] == pytest.approx(43, abs=1e-3)
    assert [weights[4] for weights in nominal] == pytest.approx(np.ones(len(nominal)), abs=1e-4)
    info = inspected(catalogue_of(path, paths=Triggers(muon=("HLT_IsoMu24",))))
    assert (info.generated_events, info.sum_w) == (count, total)
    found = {name: varied / total for name, varied in info.variation_sums}
    assert found == pytest.approx({n: entry[i] / entry[4] for n, i in zip(NAMES, (1, 7, 3, 5), strict=True)})
    assert [found[name] for name in NAMES] == pytest.approx([1.0188, 0.9822, 0.9589, 1.0268], abs=1e-4)
