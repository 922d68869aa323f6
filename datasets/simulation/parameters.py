"""Every number of the parametrised detector, with its unit and its source.

"paper" is CMS EXO-21-011. What the paper does not give is marked "our choice"; results that depend on such a number say
nothing about the CMS detector. :func:`table` lists all numbers for the documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, get_args, get_type_hints

Curve = tuple[tuple[float, ...], tuple[float, ...]]
"""Nodes (x, y) of a function that is linear between them and constant outside."""


@dataclass(frozen=True)
class Beam:
    """Position of the collisions, and the resolution of the primary vertex."""

    x: Annotated[float, "cm", "our choice: a beam line off the origin, so that code that forgets it is caught"] = 0.011
    y: Annotated[float, "cm", "our choice, as for x"] = 0.042
    sigma_xy: Annotated[float, "cm", "our choice: about the LHC beam width in 2016-2018"] = 0.0010
    sigma_z: Annotated[float, "cm", "our choice: about the LHC luminous region in 2016-2018"] = 3.6
    pv_sigma_xy: Annotated[float, "cm", "our choice: vertex resolution for some 50 tracks, 10-15 um in CMS"] = 0.0012
    pv_sigma_z: Annotated[float, "cm", "our choice, as for pv_sigma_xy"] = 0.0016


@dataclass(frozen=True)
class Tracker:
    """Tracks in the silicon tracker."""

    field: Annotated[float, "T", "paper, section 2"] = 3.8
    abs_eta: Annotated[
        float, "", "paper, section 2 (2016 acceptance; 3.0 from 2017 is not used by any lepton or SV)"
    ] = 2.5
    pt: Annotated[
        float, "GeV", "our choice: CMS goes to 0.1 GeV (section 2), but softer tracks matter to nothing here"
    ] = 0.4
    layers: Annotated[
        tuple[float, ...],
        "cm",
        "our choice: barrel radii of the CMS pixel detector since 2017 and strip tracker, used at all eta",
    ] = (2.9, 6.8, 10.9, 16.0, 25.5, 33.9, 41.9, 49.8, 60.8, 69.2, 78.0, 86.8, 96.5, 108.0)
    n_pixel_layers: Annotated[int, "", "our choice, as for layers"] = 4
    hit_efficiency: Annotated[float, "", "our choice: typical of CMS silicon modules"] = 0.985
    efficiency: Annotated[
        Curve,
        "cm -> probability",
        "paper, section 2: above 90, 60, 25 % for production within 2, 10, 48 cm of the beam line, none beyond 60 cm",
    ] = ((0.0, 2.0, 10.0, 48.0, 60.0), (0.95, 0.91, 0.62, 0.26, 0.0))
    efficiency_pt: Annotated[
        Curve, "GeV -> factor", "paper, section 2: the efficiencies hold above 0.9 GeV; below, our choice"
    ] = ((0.3, 0.9), (0.75, 1.0))
    min_path: Annotated[
        float, "cm", "our choice: path a charged hadron must survive to leave enough hits for a track"
    ] = 40.0
    sigma_pt: Annotated[float, "relative", "paper, section 2: 1.5 % for 1-10 GeV"] = 0.015
    sigma_pt_electron: Annotated[
        float, "relative", "our choice: bremsstrahlung; only for the track, not the electron"
    ] = 0.03
    sigma_pt_per_gev: Annotated[float, "relative per GeV", "our choice: 1.5-2 % at 100 GeV"] = 0.00012
    sigma_pt_per_cm: Annotated[float, "relative growth per cm", "our choice: fewer hits, worse curvature"] = 0.02
    sigma_hit: Annotated[float, "cm", "paper, section 2: d_xy resolution of 20 um at 10 GeV"] = 0.0018
    sigma_hit_z: Annotated[float, "cm", "paper, section 2: d_z resolution of 45 um at 10 GeV"] = 0.0042
    sigma_hit_strip: Annotated[float, "cm", "our choice: strip pitch 80-120 um over sqrt(12)"] = 0.0040
    sigma_hit_strip_z: Annotated[float, "cm", "our choice: stereo strips"] = 0.03
    sigma_phi: Annotated[float, "rad", "our choice: direction at the first hit for infinite momentum"] = 0.0002
    scatter_phi: Annotated[float, "rad GeV", "paper, section 2: d_xy resolution of 75 um at 1 GeV"] = 0.0022
    scatter_cot: Annotated[float, "GeV", "paper, section 2: d_z resolution of up to 150 um at 1 GeV"] = 0.0030
    tail_hadron: Annotated[float, "probability", "our choice: wrong or shared first hits"] = 0.01
    tail_muon: Annotated[float, "probability", "our choice: sets the Drell-Yan background, see notes in the docs"] = (
        0.001
    )
    tail_electron: Annotated[
        float, "probability", "our choice: bremsstrahlung kinks; sets the Drell-Yan background"
    ] = 0.010
    tail_scale: Annotated[float, "sigma", "our choice: mean of the exponential number of sigmas in the tail"] = 8.0


@dataclass(frozen=True)
class Material:
    """Photon conversions in the tracker."""

    radii: Annotated[tuple[float, ...], "cm", "our choice: beam pipe, pixel and inner strip layers"] = (
        2.2,
        2.9,
        6.8,
        10.9,
        16.0,
        25.5,
        33.9,
        41.9,
        49.8,
    )
    x0: Annotated[
        tuple[float, ...], "x/X0 at eta = 0", "our choice: sums to 0.19, half of the CMS material budget at eta = 0"
    ] = (0.003, 0.016, 0.018, 0.02, 0.025, 0.03, 0.025, 0.025, 0.025)
    growth: Annotated[
        float, "", "our choice: x/X0 = x0 * (1 + growth * eta^2), to about 1.5 in the transition region"
    ] = 0.6
    photon_pt: Annotated[float, "GeV", "our choice: softer photons give no lepton above the thresholds"] = 2.0


@dataclass(frozen=True)
class Overlay:
    """Pileup and underlying event from minimum-bias events."""

    pileup_mean: Annotated[float, "", "our choice: close to the 2016-2018 average"] = 32.0
    pileup_sigma: Annotated[float, "", "our choice: spread of the true mean number of interactions"] = 9.0
    underlying_events: Annotated[int, "", "our choice: if there is no library of underlying events"] = 2
    vertex_efficiency: Annotated[float, "", "our choice: share of interactions that give a vertex (PV_npvs)"] = 0.7
    neutral_share: Annotated[float, "", "our choice: neutral part of the p_T density, to get rho of all particles"] = (
        0.35
    )
    window_z: Annotated[float, "cm", "our choice: pileup vertices farther away give only displaced tracks"] = 0.5
    displaced: Annotated[float, "cm", "our choice: production radius of such tracks"] = 0.02
    track_pt: Annotated[float, "GeV", "our choice: just below the vertex finder's threshold"] = 0.7
    neutral_pt: Annotated[
        float, "GeV", "our choice: keeps the neutral density at about half of its value, for speed"
    ] = 0.7


@dataclass(frozen=True)
class Electrons:
    """Electron reconstruction and identification."""

    pt: Annotated[float, "GeV", "our choice: NanoAOD threshold"] = 5.0
    abs_eta: Annotated[float, "", "paper, section 2"] = 2.5
    efficiency: Annotated[
        Curve,
        "cm -> probability given a track",
        "our choice: falls quickly with missing inner hits (paper, section 4, Fig. 2)",
    ] = ((0.0, 1.0, 2.9, 6.8, 10.9, 16.0, 25.5, 35.0, 50.0), (0.97, 0.93, 0.85, 0.62, 0.47, 0.33, 0.17, 0.08, 0.0))
    efficiency_pt: Annotated[Curve, "GeV -> factor", "our choice: low at low p_T (paper, section 4, Fig. 2)"] = (
        (5.0, 10.0, 20.0, 40.0),
        (0.60, 0.80, 0.95, 1.0),
    )
    sigma_e: Annotated[tuple[float, float], "relative", "paper, section 2: 1.6-5 % at 45 GeV; barrel, endcap"] = (
        0.02,
        0.045,
    )
    sigma_stochastic: Annotated[float, "GeV^0.5", "our choice: bremsstrahlung at low momentum"] = 0.10
    fake_rate: Annotated[float, "per charged hadron", "our choice: before identification"] = 0.004
    shower_width: Annotated[float, "of the loose cut", "our choice: for 90 % with isolation (paper, section 4)"] = 0.36
    fake_width: Annotated[
        float, "fraction of the loose cut", "our choice: a hadron passes a shape cut 47 % of the time"
    ] = 1.6
    width_per_cm: Annotated[float, "relative per cm", "our choice: track and cluster match worse when displaced"] = 0.04
    width_core: Annotated[float, "", "our choice: widths grow by this times the p_T of hadrons within 0.15"] = 0.15
    hoe_core: Annotated[
        tuple[float, float],
        "",
        "our choice: share of those hadrons seen behind an electron: uniform up to the first number if it is one, "
        "the second if it is a hadron",
    ] = (0.12, 0.3)
    hoe_noise: Annotated[float, "", "our choice: width of H/E without hadrons"] = 0.01
    mva_fake: Annotated[float, "", "our choice: share of hadrons that pass the multivariate part of the ID"] = 0.4
    mva_iso: Annotated[float, "", "our choice: isolation that mvaIso_WP90 asks for"] = 0.25
    charge_flip: Annotated[float, "probability", "our choice: of the order of the CMS value"] = 0.003
    mva_efficiency: Annotated[
        float, "", "paper, section 4: multivariate ID of 90 %, together with its other inputs"
    ] = 0.93


@dataclass(frozen=True)
class Muons:
    """Muon reconstruction and identification."""

    pt: Annotated[float, "GeV", "our choice: NanoAOD threshold"] = 3.0
    abs_eta: Annotated[float, "", "paper, section 2"] = 2.4
    track_efficiency: Annotated[
        Curve, "cm -> probability", "our choice: better than other tracks, as the muon system helps (paper, section 4)"
    ] = ((0.0, 2.0, 10.0, 20.0, 48.0, 60.0), (0.99, 0.97, 0.86, 0.72, 0.42, 0.0))
    efficiency_pt: Annotated[Curve, "GeV -> probability", "paper, section 2: above 96 % in all; turn-on our choice"] = (
        (3.0, 5.0, 7.0, 10.0),
        (0.50, 0.85, 0.95, 0.975),
    )
    sigma_pt: Annotated[tuple[float, float], "relative", "paper, section 2: barrel, endcap"] = (0.01, 0.03)
    fake_rate: Annotated[
        float, "per charged hadron", "our choice: punch-through and decays in flight after the tracker"
    ] = 0.0012
    fake_segment: Annotated[float, "", "our choice: hadrons have flat segment compatibility up to this"] = 0.9
    good_global: Annotated[
        tuple[float, float], "probability", "our choice: good global fit at no displacement; true muons, hadrons"
    ] = (0.97, 0.4)
    any_global: Annotated[float, "probability", "our choice: of the others, share with a global fit at all"] = 0.5
    high_purity: Annotated[float, "probability", "our choice: track quality flag at no displacement"] = 0.98
    high_purity_per_cm: Annotated[float, "1/cm", "our choice: loss of high purity with displacement"] = 0.005
    segment_good: Annotated[
        float, "probability", "our choice: share of muons with segment compatibility above 0.451"
    ] = 0.985
    valid_fraction_per_cm: Annotated[
        float, "1/cm", "our choice: loss of the valid-hit-fraction cut with displacement"
    ] = 0.010
    global_per_cm: Annotated[float, "1/cm", "our choice: loss of good global fits with displacement"] = 0.012
    medium_efficiency: Annotated[float, "", "paper, section 4: medium ID"] = 0.995


@dataclass(frozen=True)
class Trigger:
    """Single-lepton triggers."""

    muon_pt: Annotated[float, "GeV", "paper, section 3"] = 24.0
    electron_pt: Annotated[tuple[float, float], "GeV", "paper, section 3: 2016, 2017-2018"] = (27.0, 32.0)
    muon_efficiency: Annotated[float, "", "our choice: about the CMS plateau"] = 0.91
    electron_efficiency: Annotated[float, "", "our choice: about the CMS plateau"] = 0.86
    iso: Annotated[float, "", "our choice: isolation at the HLT, on the offline quantity"] = 0.15
    abs_dxy: Annotated[float, "cm", "our choice: HLT tracks come from the beam line"] = 0.1
    sigma_pt: Annotated[tuple[float, float], "relative", "our choice: turn-on width; muon, electron"] = (0.015, 0.02)


@dataclass(frozen=True)
class Jets:
    """Particle-flow candidates and jets."""

    radius: Annotated[float, "", "paper, section 2"] = 0.4
    min_pt: Annotated[float, "GeV", "our choice: NanoAOD threshold; the analysis asks for 20 GeV"] = 15.0
    abs_eta: Annotated[float, "", "our choice: NanoAOD acceptance"] = 4.7
    photon_stochastic: Annotated[float, "GeV^0.5", "our choice: CMS ECAL with clustering"] = 0.06
    photon_constant: Annotated[float, "", "our choice"] = 0.01
    hadron_stochastic: Annotated[float, "GeV^0.5", "our choice: CMS HCAL and ECAL combined"] = 1.1
    hadron_constant: Annotated[float, "", "our choice"] = 0.07
    neutral_pt: Annotated[float, "GeV", "our choice: particle-flow cluster threshold"] = 0.5
    pv_dz: Annotated[
        float, "cm", "our choice: charged candidates farther from the PV count as pileup, unless displaced"
    ] = 0.1
    puppi_neutral_pt: Annotated[float, "GeV", "our choice: softer neutral candidates are left out of PuppiMET"] = 2.0
    correction: Annotated[
        Curve,
        "GeV -> factor",
        "paper, section 2: the corrected scale is that of particle level; values fitted to this simulation",
    ] = ((15.0, 30.0, 60.0, 150.0), (1.015, 1.01, 1.005, 1.0))


@dataclass(frozen=True)
class Vertices:
    """The inclusive vertex finder."""

    track_pt: Annotated[float, "GeV", "paper, section 2"] = 0.8
    track_hits: Annotated[int, "", "paper, section 2"] = 6
    seed_significance: Annotated[float, "", "paper, section 2: of d_xyz"] = 1.2
    seed_ip3d: Annotated[float, "cm", "our choice: public CMS default as remembered"] = 0.005
    max_dz: Annotated[
        float,
        "cm",
        "our choice: tracks farther in z are used only if displaced (next line); with the 0.3 cm of "
        "CMS as remembered, pileup gave twice the SVs of real NanoAOD",
    ] = 0.1
    min_dxy_significance: Annotated[float, "", "our choice: see max_dz"] = 4.0
    pair_distance: Annotated[float, "cm", "our choice: public CMS default as remembered"] = 0.05
    pair_significance: Annotated[float, "", "our choice: public CMS default as remembered"] = 4.5
    pair_distance_ratio: Annotated[float, "", "our choice: public CMS default as remembered; flight over distance"] = (
        20.0
    )
    pair_cosine: Annotated[float, "", "our choice: public CMS default as remembered"] = 0.5
    fit_chi2: Annotated[float, "", "our choice: public CMS default as remembered, (3 sigma)^2"] = 9.0
    track_weight: Annotated[float, "", "our choice: public CMS default as remembered"] = 0.5
    min_2d_significance: Annotated[float, "", "paper, section 2"] = 2.5
    min_3d_significance: Annotated[float, "", "paper, section 2"] = 0.5
    table_3d_significance: Annotated[
        float, "", "CMSSW, vertices_cff.py: dlenSigMin of the SV table; svIdx counts the others, too"
    ] = 3.0
    min_cosine: Annotated[float, "", "our choice: public CMS default as remembered"] = 0.95
    merge_fraction: Annotated[
        float, "", "our choice: share of common tracks, between the two CMS merging steps (0.7, 0.2)"
    ] = 0.5
    max_radius: Annotated[float, "cm", "paper, section 2: no tracks start farther out"] = 60.0


@dataclass(frozen=True)
class Detector:
    """The whole detector."""

    beam: Beam = field(default_factory=Beam)
    tracker: Tracker = field(default_factory=Tracker)
    material: Material = field(default_factory=Material)
    overlay: Overlay = field(default_factory=Overlay)
    electrons: Electrons = field(default_factory=Electrons)
    muons: Muons = field(default_factory=Muons)
    trigger: Trigger = field(default_factory=Trigger)
    jets: Jets = field(default_factory=Jets)
    vertices: Vertices = field(default_factory=Vertices)


DETECTOR = Detector()


def table(detector: Detector = DETECTOR) -> Iterator[tuple[str, Any, str, str]]:
    """(name, value, unit, source) of every number, names such as ``tracker.sigma_pt``."""
    for part in fields(detector):
        values = getattr(detector, part.name)
        for name, hint in get_type_hints(type(values), include_extras=True).items():
            _, unit, source = get_args(hint)
            yield f"{part.name}.{name}", getattr(values, name), unit, source
