"""What the classifier sees: one table of features of l2, its jet and its vertex (section 5).

No feature knows l1, nor how many jets there are. The background estimate (section 6) needs a score that is
independent of m(l1,SV); what a classifier does not know it cannot learn.

Left out on purpose: azimuths and signs of eta, d_xy and d_z, in which signal and background are symmetric, so that
trees could only learn fluctuations from them.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from hnl import provenance
from hnl.errors import InputError
from hnl.physics.angles import delta_r
from hnl.processors.rows import Candidates
from hnl.selections.displaced.categories import ELECTRON, MUON

FORMULAS_VERSION = 1  # raised when a formula below changes its meaning


class FeatureError(InputError):
    """A feature is unknown, or has a value that no classifier can use."""


def value(x: np.ndarray) -> np.ndarray:
    """The column itself."""
    return x


def magnitude(x: np.ndarray) -> np.ndarray:
    """|x|."""
    result: np.ndarray = np.abs(x)
    return result


def ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|x| / y, NaN where y is not positive."""
    result: np.ndarray = np.abs(x) / np.where(y > 0, y, np.nan)
    return result


class Feature(NamedTuple):
    """One feature: `formula` of `columns` of the candidates."""

    name: str
    unit: str
    meaning: str
    paper: str  # what section 5 lists; 'ours' for our choice
    formula: Callable[..., np.ndarray]
    columns: tuple[str, ...]
    flavours: tuple[str, ...] = (ELECTRON, MUON)  # of l2, for which it exists
    needs: str | None = None  # column that is NaN throughout where the input files cannot have the feature


_L2, _JET, _PAIR, _SV = "nonprompt lepton: ", "jet: ", "lepton and jet: ", "SV: "
_PARTICLES = "ours, for the particles of the jet"
_PFCANDS = "jet_n_displaced"

FEATURES = (
    Feature("l2_pt", "GeV", "transverse momentum of l2", _L2 + "kinematic properties", value, ("l2_pt",)),
    Feature("l2_abs_eta", "1", "|eta| of l2", _L2 + "kinematic properties", magnitude, ("l2_eta",)),
    Feature("l2_rel_iso", "1", "relative isolation of l2", _L2 + "I_rel", value, ("l2_rel_iso",)),
    Feature("l2_abs_dxy", "cm", "|d_xy| of l2", _L2 + "impact parameter", magnitude, ("l2_dxy",)),
    Feature("l2_dxy_err", "cm", "uncertainty in d_xy", _L2 + "uncertainties", value, ("l2_dxy_err",)),
    Feature(
        "l2_dxy_sig", "1", "|d_xy| over its uncertainty", _L2 + "impact parameter", ratio, ("l2_dxy", "l2_dxy_err")
    ),
    Feature("l2_abs_dz", "cm", "|d_z| of l2", _L2 + "impact parameter", magnitude, ("l2_dz",)),
    Feature("l2_dz_err", "cm", "uncertainty in d_z", _L2 + "uncertainties", value, ("l2_dz_err",)),
    Feature("l2_dz_sig", "1", "|d_z| over its uncertainty", _L2 + "impact parameter", ratio, ("l2_dz", "l2_dz_err")),
    Feature("l2_d_xyz", "cm", "3D impact parameter of l2", _L2 + "impact parameter", value, ("l2_d_xyz",)),
    Feature("l2_d_xyz_sig", "1", "its significance", _L2 + "uncertainties", value, ("l2_d_xyz_sig",)),
    Feature(
        "l2_pixel_hits",
        "1",
        "pixel hits of l2",
        _L2 + "number of hits in the pixel detector",
        value,
        ("l2_pixel_hits",),
        needs=_PFCANDS,
    ),
    Feature(
        "l2_lost_hits",
        "1",
        "missing inner hits of l2",
        "ours, for the hits in the pixel detector",
        value,
        ("l2_lost_hits",),
        flavours=(ELECTRON,),
    ),
    Feature(
        "l2_tracker_layers",
        "1",
        "tracker layers with hits of l2",
        "ours, for the hits in the pixel detector",
        value,
        ("l2_tracker_layers",),
        flavours=(MUON,),
    ),
    Feature("jet_pt", "GeV", "transverse momentum of the jet", _JET + "kinematic properties", value, ("jet_pt",)),
    Feature("jet_abs_eta", "1", "|eta| of the jet", _JET + "kinematic properties", magnitude, ("jet_eta",)),
    Feature("jet_mass", "GeV", "mass of the jet", _JET + "kinematic properties", value, ("jet_mass",)),
    Feature(
        "jet_n_constituents",
        "1",
        "particles in the jet",
        _JET + "number of constituent particles",
        value,
        ("jet_n_constituents",),
    ),
    Feature("delta_r_l2_jet", "1", "Delta R of l2 and jet", _PAIR + "Delta R", value, ("delta_r_l2_jet",)),
    Feature(
        "pt_rel_l2_jet",
        "GeV",
        "momentum of l2 transverse to the jet",
        _PAIR + "transverse component",
        value,
        ("pt_rel_l2_jet",),
    ),
    Feature("pt_ratio_l2_jet", "1", "pt of l2 over pt of the jet", _PAIR + "pt ratio", value, ("pt_ratio_l2_jet",)),
    Feature(
        "jet_n_displaced",
        "1",
        "tracks of the jet with |d0| > 3 sigma",
        _PARTICLES,
        value,
        ("jet_n_displaced",),
        needs=_PFCANDS,
    ),
    Feature(
        "jet_displaced_pt_fraction",
        "1",
        "their share of the charged pt",
        _PARTICLES,
        value,
        ("jet_displaced_pt_fraction",),
        needs=_PFCANDS,
    ),
    Feature(
        "jet_mean_significance",
        "1",
        "pt-weighted mean of |d0| / sigma of the tracks",
        _PARTICLES,
        value,
        ("jet_mean_significance",),
        needs=_PFCANDS,
    ),
    Feature(
        "jet_second_significance",
        "1",
        "second largest |d0| / sigma",
        _PARTICLES,
        value,
        ("jet_second_significance",),
        needs=_PFCANDS,
    ),
    Feature("sv_pt", "GeV", "transverse momentum of the vertex", _SV + "kinematic properties", value, ("sv_pt",)),
    Feature("sv_abs_eta", "1", "|eta| of the vertex", _SV + "kinematic properties", magnitude, ("sv_eta",)),
    Feature("m_sv", "GeV", "mass of the tracks of the vertex", _SV + "invariant mass", value, ("m_sv",)),
    Feature("sv_n_tracks", "1", "tracks", _SV + "number of tracks", value, ("sv_n_tracks",), needs="sv_n_tracks"),
    Feature("sv_chi2_ndof", "1", "normalised chi2 of the fit", _SV + "normalised chi2", value, ("sv_chi2_ndof",)),
    Feature("sv_p_angle", "rad", "angle of flight and momentum", "ours", value, ("sv_p_angle",)),
    Feature("delta_2d", "cm", "transverse distance from the PV", _SV + "distance from the PV", value, ("delta_2d",)),
    Feature("delta_2d_sig", "1", "its significance", _SV + "distance from the PV", value, ("delta_2d_sig",)),
    Feature("delta_3d", "cm", "distance from the PV", _SV + "distance from the PV", value, ("delta_3d",)),
    Feature("delta_3d_sig", "1", "its significance", _SV + "distance from the PV", value, ("delta_3d_sig",)),
    Feature(
        "delta_r_l2_sv",
        "1",
        "Delta R of l2 and vertex",
        "ours, for the azimuths",
        delta_r,
        ("l2_eta", "l2_phi", "sv_eta", "sv_phi"),
    ),
    Feature(
        "delta_r_jet_sv",
        "1",
        "Delta R of jet and vertex",
        "ours, for the azimuths",
        delta_r,
        ("jet_eta", "jet_phi", "sv_eta", "sv_phi"),
    ),
    Feature("pt_ratio_sv_jet", "1", "pt of the vertex over pt of the jet", "ours", ratio, ("sv_pt", "jet_pt")),
)

BY_NAME = {feature.name: feature for feature in FEATURES}


def named(names: Sequence[str]) -> tuple[Feature, ...]:
    """The features of these names, in this order.

    Raises:
        FeatureError: names the first that does not exist.
    """
    if unknown := [name for name in names if name not in BY_NAME]:
        raise FeatureError(f"unknown feature '{unknown[0]}'; known: {', '.join(BY_NAME)}")
    return tuple(BY_NAME[name] for name in names)


def of_flavour(flavour: str) -> tuple[Feature, ...]:
    """The features that exist for a flavour of l2, in the order of the table."""
    return tuple(feature for feature in FEATURES if flavour in feature.flavours)


def lacks(feature: Feature, candidates: Candidates) -> bool:
    """Whether the files that these candidates come from cannot have the feature; False without candidates."""
    if feature.needs is None or len(candidates["event"]) == 0:
        return False
    return bool(np.isnan(candidates[feature.needs]).all())


def matrix(features: Sequence[Feature], candidates: Candidates, dataset: str) -> np.ndarray:
    """The features of candidates.

    Args:
        features: in the order of the columns of the result.
        candidates: columns of equal length n.
        dataset: its name, for messages.

    Returns:
        float32, shape (n, len(features)); NaN where a value is missing.

    Raises:
        FeatureError: a column is absent or a value is infinite.
    """
    result = np.empty((len(candidates["event"]), len(features)), dtype=np.float32)
    for i, feature in enumerate(features):
        if absent := [name for name in feature.columns if name not in candidates]:
            raise FeatureError(f"dataset {dataset}: the candidates lack '{absent[0]}', which {feature.name} needs")
        result[:, i] = feature.formula(*(candidates[name] for name in feature.columns))
        if np.isinf(result[:, i]).any():
            raise FeatureError(f"dataset {dataset}: the feature '{feature.name}' of a candidate is infinite")
    return result


def digest(features: Sequence[Feature]) -> str:
    """SHA-256 of names, order and definitions."""
    return provenance.digest([FORMULAS_VERSION, [(f.name, f.unit, f.formula.__name__, f.columns) for f in features]])
