"""The candidate: one row per selected event. This table is the contract between selection and everything after it."""

import numpy as np

from hnl.processors import columns
from hnl.processors.columns import EVENT_COLUMNS, Column

# Units: see `processors.columns`.
COLUMNS = EVENT_COLUMNS + tuple(
    Column(*row)
    for row in (
        # categories and event selection (section 4)
        ("category", "int8", "1", "index into selections.displaced.categories.CATEGORIES"),
        ("n_jets", "int16", "1", "jet of l2 and further jets with Delta R(l1, jet) > 0.4; 1 is the signal selection"),
        ("m_l1_l2", "float32", "GeV", "invariant mass of the two leptons"),
        ("delta_phi_l1_l2", "float32", "rad", "azimuthal angle between the leptons, -pi to pi"),
        ("m_l1_sv", "float32", "GeV", "invariant mass of l1 and the tracks of the vertex (section 4)"),
        # prompt lepton
        ("l1_pt", "float32", "GeV", "transverse momentum of l1"),
        ("l1_eta", "float32", "1", "pseudorapidity of l1"),
        ("l1_phi", "float32", "rad", "azimuth of l1"),
        ("l1_charge", "int8", "1", "charge of l1"),
        ("l1_dxy", "float32", "cm", "transverse impact parameter of l1"),
        ("l1_dz", "float32", "cm", "longitudinal impact parameter of l1"),
        ("l1_rel_iso", "float32", "1", "relative isolation of l1, R = 0.3"),
        ("l1_gen_flavour", "int16", "1", "NanoAOD genPartFlav of l1; -1 where unknown"),
        # nonprompt lepton (section 5: kinematics, isolation, impact parameters and uncertainties, pixel hits)
        ("l2_pt", "float32", "GeV", "transverse momentum of l2"),
        ("l2_eta", "float32", "1", "pseudorapidity of l2"),
        ("l2_phi", "float32", "rad", "azimuth of l2"),
        ("l2_charge", "int8", "1", "charge of l2"),
        ("l2_dxy", "float32", "cm", "transverse impact parameter of l2"),
        ("l2_dxy_err", "float32", "cm", "its uncertainty"),
        ("l2_dz", "float32", "cm", "longitudinal impact parameter of l2"),
        ("l2_dz_err", "float32", "cm", "its uncertainty"),
        ("l2_d_xyz", "float32", "cm", "3D impact parameter of l2"),
        ("l2_d_xyz_sig", "float32", "1", "its significance"),
        ("l2_rel_iso", "float32", "1", "relative isolation of l2, R = 0.3"),
        ("l2_lost_hits", "float32", "1", "missing inner hits; electrons only"),
        ("l2_tracker_layers", "float32", "1", "tracker layers with hits; muons only"),
        ("l2_pixel_hits", "float32", "1", "pixel hits; files with PFCands only"),
        ("l2_gen_flavour", "int16", "1", "NanoAOD genPartFlav of l2; -1 where unknown"),
        # jet of l2 (section 5: kinematics, number of constituents, relation to l2)
        ("jet_pt", "float32", "GeV", "transverse momentum of the jet"),
        ("jet_eta", "float32", "1", "pseudorapidity of the jet"),
        ("jet_phi", "float32", "rad", "azimuth of the jet"),
        ("jet_mass", "float32", "GeV", "mass of the jet"),
        (
            "jet_index",
            "int16",
            "1",
            "place of the jet in the file's; with the event, it tells which lists are its own",
        ),
        ("jet_n_constituents", "int16", "1", "number of particles in the jet"),
        ("jet_hadron_flavour", "int16", "1", "NanoAOD hadronFlavour of the jet (5 b, 4 c, 0 other); -1 where unknown"),
        ("delta_r_l2_jet", "float32", "1", "Delta R between l2 and the jet"),
        ("pt_rel_l2_jet", "float32", "GeV", "momentum of l2 transverse to the jet axis"),
        ("pt_ratio_l2_jet", "float32", "1", "pt of l2 over pt of the jet"),
        # particles of the jet (section 5; our summaries, selections.particles), files with PFCands only
        ("jet_n_displaced", "float32", "1", "tracks of the jet with |d0| > 3 sigma"),
        ("jet_displaced_pt_fraction", "float32", "1", "their share of the charged pt"),
        ("jet_mean_significance", "float32", "1", "pt-weighted mean of |d0|/sigma of the tracks"),
        ("jet_second_significance", "float32", "1", "second largest |d0|/sigma"),
        # secondary vertex (section 5: kinematics, mass, tracks, chi2, distance)
        ("sv_pt", "float32", "GeV", "transverse momentum of the tracks of the vertex"),
        ("sv_eta", "float32", "1", "their pseudorapidity"),
        ("sv_phi", "float32", "rad", "their azimuth"),
        ("m_sv", "float32", "GeV", "their invariant mass"),
        ("sv_n_tracks", "float32", "1", "number of tracks; NaN in old NanoAOD"),
        ("sv_chi2_ndof", "float32", "1", "normalised chi2 of the vertex fit"),
        ("sv_ndof", "float32", "1", "its degrees of freedom"),
        ("sv_p_angle", "float32", "rad", "angle between flight and momentum of the vertex"),
        ("delta_2d", "float32", "cm", "transverse distance of the vertex from the primary vertex"),
        ("delta_2d_sig", "float32", "1", "its significance"),
        ("delta_3d", "float32", "cm", "distance of the vertex from the primary vertex"),
        ("delta_3d_sig", "float32", "1", "its significance"),
        # truth, for signal samples with decay vertices (section 3, Eq. 2; Fig. 3)
        ("gen_ctau", "float32", "mm", "proper decay length of N"),
        ("gen_delta_2d", "float32", "cm", "true transverse flight of N"),
        ("gen_delta_3d", "float32", "cm", "true flight of N"),
        ("gen_same_sign", "float32", "1", "1 if the leptons from W and from N have one charge (LNV), 0 if not"),
    )
)

NAMES = tuple(column.name for column in COLUMNS)


def empty() -> dict[str, np.ndarray]:
    """The columns of no candidates."""
    return columns.empty(COLUMNS)
