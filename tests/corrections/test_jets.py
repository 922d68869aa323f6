"""Jet energies: settings, names, formulas on single jets. Events: tests/processors/displaced/test_jet_variations.py."""

import json
from pathlib import Path
from typing import Any

import awkward as ak
import jet_corrections as made
import numpy as np
import pytest
import synthetic
from chain import catalogue_of, inspected
from nanoaod_events import event, write
from pydantic import ValidationError

from hnl.corrections import jets as energies
from hnl.corrections.library import CorrectionError
from hnl.datasets import files, nanoaod
from hnl.datasets.catalogue import Era, Triggers
from hnl.datasets.corrections import JetCorrections
from hnl.selections import jets as jet_cuts


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return made.write(tmp_path / "jets.json")


def settings(file: Path, **changes: Any) -> JetCorrections:
    return JetCorrections.model_validate(made.block(file, **changes)["jets"])


def factors(file: Path, tmp_path: Path, jets: list[dict[str, Any]], generated: list[dict[str, Any]]) -> np.ndarray:
    """Of the jets of one event."""
    one = event(1, rho=20.0) | {"Jet": jets, "GenJet": generated}
    catalogue = catalogue_of(write(tmp_path / "a.root", [one]), corrections=made.block(file))
    events = files.events(files.work_units("sample", inspected(catalogue))[0])
    return energies.factors(settings(file), nanoaod.jets(events), events)


def test_the_order_of_variations(file: Path) -> None:
    assert energies.variations(settings(file)) == made.VARIATIONS
    assert energies.variations(settings(file, smearing=None))[-1] == "jes_central_down"
    assert energies.variations(settings(file, uncertainties={})) == ("nominal", "jer_up", "jer_down")
    assert energies.variations(None) == ("nominal",)


def test_formulas(file: Path, tmp_path: Path) -> None:
    """A jet with a generator jet, three without a good one, and one that no correction is asked for."""
    generated = [{"pt": 36.0, "eta": 0.5, "phi": 0.1}]
    place = {"eta": 0.5, "phi": 0.0, "genJetIdx": 0}
    jets = [
        {"pt": 40.0, **place},  # sigma pt = 0.4 + 4 = 4.4 GeV: 4 GeV are less than one
        {"pt": 60.0, **place},  # sigma pt = 6.4 GeV: 24 GeV are more than three
        {"pt": 40.0, **place, "phi": 0.31},  # 0.21 away
        {"pt": 40.0, **place, "genJetIdx": 1},  # NanoAOD did not keep it
        {"pt": 40.0, **place, "eta": 2.45},
    ]
    found = dict(zip(made.VARIATIONS, factors(file, tmp_path, jets, generated), strict=True))
    for name, s in (("nominal", 1.1), ("jer_up", 1.25), ("jer_down", 0.95)):
        assert found[name][0] == pytest.approx(1 + (s - 1) * 4 / 40, rel=1e-7)
    drawn = found["nominal"][1:4] - 1
    assert (drawn != 0).all()
    ratio = np.sqrt((1.25**2 - 1) / (1.1**2 - 1))  # one random number for all
    np.testing.assert_allclose(found["jer_up"][1:4] - 1, drawn * ratio)
    assert (found["jer_down"][1:4] == 1).all()  # nothing can be taken away at random
    assert all((found[name][4] == 1).all() for name in made.VARIATIONS)
    nominal = found["nominal"][0]
    assert found["jes_total_up"][0] == pytest.approx(nominal * (1.02 + 0.8 / (40 * nominal)))
    assert found["jes_total_down"][0] == pytest.approx(nominal * (0.98 - 0.8 / (40 * nominal)))
    assert found["jes_central_up"][0] == pytest.approx(nominal * 1.03)


def test_a_factor_is_never_negative(file: Path, tmp_path: Path) -> None:
    """An uncertainty of more than one, and a resolution of 0.9, at half a GeV."""
    found = factors(file, tmp_path, [{"pt": 0.5, "eta": 0.0, "phi": 0.0}] * 200, [])
    assert (found >= 0).all()
    assert found[0].min() == 0.01 / 0.5
    assert (found[made.VARIATIONS.index("jes_total_down")] == 0).sum() > 100


def test_smearing_has_the_width_it_should_have(file: Path, tmp_path: Path) -> None:
    """Of 20 000 jets of 40 GeV without a generator jet: sigma sqrt(s^2 - 1), about zero."""
    found = factors(file, tmp_path, [{"pt": 40.0, "eta": 0.0, "phi": 0.0}] * 20_000, [])
    width = (0.02 * 20 / 40 + 0.1) * np.sqrt(1.1**2 - 1)
    assert found[0].std() == pytest.approx(width, rel=0.02)
    assert abs(found[0].mean() - 1) < 4 * width / np.sqrt(20_000)


def test_scaled_as_a_file_would_have_it() -> None:
    """Single precision, pt and mass alone."""
    jets = ak.zip({name: ak.Array([[30.1, 20.0], [], [50.0]]) for name in ("pt", "mass", "eta")})
    result = energies.scaled(jets, np.array([1.1, 1.0, 0.5]))
    assert result.pt.to_list() == [[float(np.float32(30.1 * 1.1)), 20.0], [], [25.0]]
    assert result.mass.to_list() == result.pt.to_list()
    assert result.eta.to_list() == jets.eta.to_list()


def test_data_has_none(file: Path) -> None:
    era = Era(year=2018, luminosity=1.0, triggers=synthetic.TRIGGERS, corrections=made.block(file))
    assert energies.jet_settings(synthetic.data(), era) is None
    assert energies.jet_settings(synthetic.background("w", "w"), era) == settings(file)


def test_the_identity_tells_what_decides(file: Path, tmp_path: Path) -> None:
    """Content, names and order; not the place of the file."""
    before = energies.identity(settings(file))
    copy = tmp_path / "copy.json"
    copy.write_bytes(file.read_bytes())
    assert energies.identity(settings(copy)) == before
    swapped = {"jes_central": made.CENTRAL, "jes_total": made.TOTAL}
    others = [settings(file, smearing=None), settings(file, uncertainties=swapped)]
    copy.write_text(json.dumps(json.loads(file.read_text()) | {"description": "another"}))
    others.append(settings(copy))
    assert len({json.dumps(one) for one in (before, *map(energies.identity, others))}) == 4
    assert energies.identity(None) is None


def test_names_are_checked_before_events(file: Path) -> None:
    energies.check(None)
    energies.check(settings(file))
    with pytest.raises(CorrectionError, match=f"{file}: no correction Nope; it has"):
        energies.check(settings(file, uncertainties={"jes": "Nope"}))
    wrong = {"resolution": made.SCALE_FACTOR, "scale_factor": made.SCALE_FACTOR}
    with pytest.raises(CorrectionError, match=f"{made.SCALE_FACTOR} wants the input 'systematic'"):
        energies.check(settings(file, smearing=wrong))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"uncertainties": {}, "smearing": None}, "neither uncertainties nor smearing"),
        ({"uncertainties": {"jer": made.TOTAL}}, "two nuisances are called jer"),
        ({"uncertainties": {f"jes{i}": made.TOTAL for i in range(31)}}, "32 nuisances of jets; 31 are possible"),
        ({"uncertainties": {"a b": made.TOTAL}}, "String should match pattern"),
    ],
)
def test_impossible_settings(changes: dict[str, Any], complaint: str, file: Path) -> None:
    with pytest.raises(ValidationError, match=complaint):
        settings(file, **changes)


def test_31_nuisances_fit_into_the_bits(file: Path, tmp_path: Path) -> None:
    names = {f"jes{i}": made.TOTAL for i in range(30)}
    assert len(energies.variations(settings(file, uncertainties=names))) == 63


def test_a_real_file(file: Path, real_nanoaod: Path) -> None:
    """Simulation of CMS, NanoAOD v9: rho and generator jets are where they are looked for."""
    paths = Triggers(muon=("HLT_IsoMu27",))
    path = real_nanoaod / "mc_v9_dy_2017.root"
    catalogue = catalogue_of(path, year=2017, paths=paths, corrections=made.block(file))
    events = files.events(files.work_units("sample", inspected(catalogue))[0])
    jets = nanoaod.jets(events)
    found = energies.factors(settings(file), jets, events)
    good = ak.to_numpy(ak.flatten(jet_cuts.is_good(jets)))
    assert good.sum() > 150
    assert np.isfinite(found).all()
    matched = found[made.VARIATIONS.index("jer_down")] != 1  # with s < 1 only jets with a generator jet change
    assert 0.5 < matched[good].mean() < 0.9  # pileup jets have none
    assert 10 < ak.mean(nanoaod.rho(events)) < 40
    assert not matched[~ak.to_numpy(ak.flatten(jet_cuts.can_be_good(jets)))].any()
