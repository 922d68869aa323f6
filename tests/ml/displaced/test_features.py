"""The feature table."""

import re

import numpy as np
import pytest
import synthetic

from hnl.ml.displaced import features
from hnl.ml.displaced.features import BY_NAME, FEATURES, FeatureError
from hnl.processors.displaced import columns


def test_no_feature_knows_l1_or_the_category_or_the_truth() -> None:
    used = {column for feature in FEATURES for column in feature.columns}
    assert used <= set(columns.NAMES)
    forbidden = re.compile(r"l1|gen_|category|n_jets|run|event|luminosity|interactions|flavour|charge|phi_l1")
    assert not [column for column in used if forbidden.search(column)]
    assert len(BY_NAME) == len(FEATURES)


def test_formulas() -> None:
    candidates = synthetic.candidates(3)
    candidates["l2_dxy"] = np.array([-0.2, 0.3, np.nan], dtype=np.float32)
    candidates["l2_dxy_err"] = np.array([0.1, 0.0, 0.1], dtype=np.float32)
    for name, values in {"l2_eta": [0, 1, 2], "l2_phi": [3, 0, 0], "sv_eta": [0, 1, 2], "sv_phi": [-3, 0.5, 0]}.items():
        candidates[name] = np.array(values, dtype=np.float32)
    chosen = features.named(["l2_abs_dxy", "l2_dxy_sig", "delta_r_l2_sv"])
    matrix = features.matrix(chosen, candidates, "x")
    expected = np.array([[0.2, 2, 2 * np.pi - 6], [0.3, np.nan, 0.5], [np.nan, np.nan, 0]])
    np.testing.assert_allclose(matrix, expected, rtol=1e-5, atol=1e-6)
    assert matrix.dtype == np.float32


def test_a_flavour_has_the_features_that_exist_for_it() -> None:
    names = {flavour: {f.name for f in features.of_flavour(flavour)} for flavour in ("electron", "muon")}
    assert names["electron"] - names["muon"] == {"l2_lost_hits"}
    assert names["muon"] - names["electron"] == {"l2_tracker_layers"}


def test_unusable_features_are_named() -> None:
    with pytest.raises(FeatureError, match="unknown feature 'l3_pt'"):
        features.named(["l2_pt", "l3_pt"])
    candidates = synthetic.candidates(3)
    candidates["m_sv"][1] = np.inf
    with pytest.raises(FeatureError, match="dataset x: the feature 'm_sv' of a candidate is infinite"):
        features.matrix(features.named(["m_sv"]), candidates, "x")
    del candidates["m_sv"]
    with pytest.raises(FeatureError, match="lack 'm_sv'"):
        features.matrix(features.named(["m_sv"]), candidates, "x")


def test_a_feature_is_lacking_where_the_files_cannot_have_it() -> None:
    with_particles, without = (synthetic.candidates(20, particles=p) for p in (True, False))
    hits, mass = features.named(["l2_pixel_hits", "m_sv"])
    assert [features.lacks(f, c) for f in (hits, mass) for c in (with_particles, without)] == [
        False,
        True,
        False,
        False,
    ]
    assert not features.lacks(hits, columns.empty())


def test_the_digest_knows_names_order_and_definition() -> None:
    a, b = features.named(["l2_pt", "m_sv"])
    assert len({features.digest(f) for f in ([a], [a, b], [b, a], [a._replace(columns=("jet_pt",))])}) == 4
