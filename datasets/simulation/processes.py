"""The processes that can be simulated, in one table: their Pythia settings and cross sections.

The cross sections are for pp at 13 TeV and include the K factor and the branching ratios of forced W and Z decays.
``k_factor`` is their ratio to Pythia's own leading-order value (NNPDF2.3 LO), measured by us to 5 %. The shapes are
Pythia's. The tune is Monash 2013 (Pythia's default; the paper used CUETP8M1 and CP5).
"""

from dataclasses import dataclass

from hnl.datasets.simulation import signal
from hnl.datasets.simulation.outcomes import NATURAL, Outcome
from hnl.datasets.simulation.signal import SignalOptions
from hnl.datasets.simulation.streams import (
    ALL,
    DISPLACED,
    HEAVY,
    HEAVY_PAIR,
    LEPTON,
    LIGHT,
    PHOTON,
    PROMPT_PAIR,
    RADIATION,
    TRACK,
)
from hnl.errors import InputError
from hnl.physics.constants import SIGMA_W_LNU, SIGMA_W_LNU_UNCERTAINTY
from hnl.physics.production import PAPER_ENERGY


@dataclass(frozen=True)
class Process:
    """One process.

    Attributes:
        name: name on the command line.
        description: the process in words.
        settings: Pythia settings, without multiparton interactions.
        cross_section: pb at 13 TeV; None for the signal, see :func:`cross_section_pb`.
        source: source of the cross section.
        k_factor: ``cross_section`` over Pythia's value; None where that is arbitrary.
        uncertainty: relative, of the cross section.
        streams: streams of :mod:`hnl.datasets.simulation.streams` that the generator filter keeps.
        partons: the parton-level stream to which it is confined. Its events can be hadronised several times.
        hadron_settings: Pythia settings of hadronisation and decays.
        outcome: what the measurement must show, with its probability as weight.
        lepton_enhancement: factor on the decays of c and b hadrons and taus into e or mu
            (:mod:`hnl.datasets.simulation.semileptonic`). Used where it was measured to give more effective
            events per second: twice as many for QCD and taus, but hardly more for W, Z and top.
        every_jet: store the particles of every jet, not only of those near displaced leptons.
        pt_hat_power: events are generated (pT-hat)^power times as often, with the inverse as weight.
    """

    name: str
    description: str
    settings: tuple[str, ...]
    cross_section: float | None
    source: str
    k_factor: float | None
    uncertainty: float
    streams: tuple[str, ...] = (DISPLACED,)
    partons: str | None = None
    hadron_settings: tuple[str, ...] = ()
    outcome: Outcome = NATURAL
    lepton_enhancement: float = 1.0
    every_jet: bool = False
    pt_hat_power: float = 0.0


_W = ("WeakSingleBoson:ffbar2W = on",)
_W_PARTON = (
    "WeakBosonAndParton:qqbar2Wg = on",
    "WeakBosonAndParton:qg2Wq = on",
    "PhaseSpace:pTHatMin = 15",  # the paper needs a jet above 20 GeV; our choice, a margin below
)
_W_LIGHT, _W_TAU = ("24:onMode = off", "24:onIfAny = 11 13"), ("24:onMode = off", "24:onIfAny = 15")
_Z = ("WeakSingleBoson:ffbar2gmZ = on", "PhaseSpace:mHatMin = 50", "23:onMode = off")
_Z_LIGHT, _Z_TAU = (*_Z, "23:onIfAny = 11 13"), (*_Z, "23:onIfAny = 15")
_Z_PARTON_MU = (
    "WeakBosonAndParton:qqbar2gmZg = on",
    "WeakBosonAndParton:qg2gmZq = on",
    "PhaseSpace:pTHatMin = 15",  # as for W
    "23:mMin = 50",
    "23:onMode = off",
    "23:onIfAny = 13",
)
_TW = (  # the resonance stands in for the tW continuum
    "ExcitedFermion:bg2bStar = on",
    "4000005:doForceWidth = on",
    "4000005:m0 = 260",
    "4000005:mWidth = 60",
    "4000005:mMin = 255",
    "4000005:mMax = 3000",
    "4000005:onMode = off",
    "4000005:onIfAny = 6",
)
_QCD_WITHOUT_PAIRS = (  # no hard c anti-c or b anti-b, which qcd_cc and qcd_bb have; 'New' means u, d, s here
    "HardQCD:gg2gg = on",
    "HardQCD:gg2qqbar = on",
    "HardQCD:qg2qg = on",
    "HardQCD:qq2qq = on",
    "HardQCD:qqbar2gg = on",
    "HardQCD:qqbar2qqbarNew = on",
)

_K_W = 1.35
_SIGMA_W_PARTON_LNU = 5015.0
"""Pythia's leading-order value for one lepton flavour, pT-hat > 15 GeV, pb."""
_SIGMA_Z_LL = 2025.74
_SIGMA_Z_PARTON_MUMU = 537.0
"""Pythia's leading-order value for one lepton flavour, pT-hat > 15 GeV and m > 50 GeV, pb."""
_SIGMA_QCD_WITHOUT_PAIRS = 1.6e8
_FEWZ = "FEWZ 3.1, NNLO QCD and NLO EW with NNPDF 3.0, as CMS uses it"
_W_SOURCE = f"W -> l nu, 20508.9 pb per flavour: {_FEWZ}"
_W_PARTON_SOURCE = "Pythia, W + 1 parton at leading order with pT-hat > 15 GeV, times the K factor of inclusive W"
_Z_SOURCE = f"Z/gamma* -> l l with m(l l) > 50 GeV, 2025.74 pb per flavour: {_FEWZ}"
_Z_PARTON_SOURCE = "Pythia, Z + 1 parton at leading order with pT-hat > 15 GeV, times the K factor of inclusive Z"
_QCD_SOURCE = "Pythia at leading order, as in the paper (section 3); K = 1 and the uncertainty are our choice"

PROCESSES: dict[str, Process] = {
    process.name: process
    for process in (
        Process(
            name="hnl",
            description="signal: W -> l1 N, N -> l2 q q'; W pT from initial-state radiation",
            settings=_W,
            cross_section=None,
            source=f"sigma(W -> l nu) |V|^2 (1-r)^2 (1+r/2) BR(N -> l q q'); {_W_SOURCE}",
            k_factor=None,
            uncertainty=SIGMA_W_LNU_UNCERTAINTY,
            streams=ALL,
        ),
        Process(
            name="wjets",
            description="W -> e nu, mu nu + jets (light, c and b); second lepton from a hadron decay",
            settings=(*_W_PARTON, *_W_LIGHT),
            cross_section=2 * _K_W * _SIGMA_W_PARTON_LNU,
            source=_W_PARTON_SOURCE,
            k_factor=_K_W,
            uncertainty=0.1,
        ),
        Process(
            name="wjets_heavy",
            description="the part of wjets with a c or b quark in the shower",
            settings=(*_W_PARTON, *_W_LIGHT),
            cross_section=2 * _K_W * _SIGMA_W_PARTON_LNU,
            source=_W_PARTON_SOURCE,
            k_factor=_K_W,
            uncertainty=0.1,
            partons=HEAVY,
        ),
        Process(
            name="wjets_light",
            description="the other part of wjets: second lepton of a light hadron, or of a soft or forward quark",
            settings=(*_W_PARTON, *_W_LIGHT),
            cross_section=2 * _K_W * _SIGMA_W_PARTON_LNU,
            source=_W_PARTON_SOURCE,
            k_factor=_K_W,
            uncertainty=0.1,
            partons=LIGHT,
        ),
        Process(
            name="wjets_tau",
            description="W -> tau nu + jets with c or b; second lepton from a hadron decay",
            settings=(*_W_PARTON, *_W_TAU),
            cross_section=_K_W * _SIGMA_W_PARTON_LNU,
            source=_W_PARTON_SOURCE,
            k_factor=_K_W,
            uncertainty=0.1,
            partons=HEAVY,
            lepton_enhancement=1.8,
        ),
        Process(
            name="wgamma",
            description="W -> e nu, mu nu with a photon (radiation or pi0) that converts",
            settings=(*_W, *_W_LIGHT),
            cross_section=2 * SIGMA_W_LNU[PAPER_ENERGY],
            source=_W_SOURCE,
            k_factor=_K_W,
            uncertainty=SIGMA_W_LNU_UNCERTAINTY,
            streams=(PHOTON,),
            partons=RADIATION,
            outcome=Outcome(conversion=True),
        ),
        Process(
            name="zjets",
            description="Z/gamma* -> e e, mu mu + jets (light, c and b); second lepton from a hadron decay",
            settings=_Z_LIGHT,
            cross_section=2 * _SIGMA_Z_LL,
            source=_Z_SOURCE,
            k_factor=1.34,
            uncertainty=0.038,
        ),
        Process(
            name="zjets_heavy",
            description="the part of zjets with a c or b quark in the shower",
            settings=_Z_LIGHT,
            cross_section=2 * _SIGMA_Z_LL,
            source=_Z_SOURCE,
            k_factor=1.34,
            uncertainty=0.038,
            partons=HEAVY,
        ),
        Process(
            name="zjets_light",
            description="the other part of zjets: second lepton of a light hadron, or of a soft or forward quark",
            settings=_Z_LIGHT,
            cross_section=2 * _SIGMA_Z_LL,
            source=_Z_SOURCE,
            k_factor=1.34,
            uncertainty=0.038,
            partons=LIGHT,
        ),
        Process(
            name="zpair",
            description="Z/gamma* -> e e, mu mu, of which one lepton is measured badly and so may look displaced",
            settings=_Z_LIGHT,
            cross_section=2 * _SIGMA_Z_LL,
            source=_Z_SOURCE,
            k_factor=1.34,
            uncertainty=0.038,
            streams=(PHOTON, PROMPT_PAIR),
            partons=LEPTON,
            outcome=Outcome(tail=True),
        ),
        Process(
            name="zgamma",
            description="Z/gamma* -> e e, mu mu with a photon (radiation or pi0) that converts, "
            "and both leptons measured well",
            settings=_Z_LIGHT,
            cross_section=2 * _SIGMA_Z_LL,
            source=_Z_SOURCE,
            k_factor=1.34,
            uncertainty=0.038,
            streams=(PHOTON,),
            partons=RADIATION,
            outcome=Outcome(tail=False, conversion=True),
        ),
        Process(
            name="zjets_tau",
            description="Z/gamma* -> tau tau + jets; leptons from tau or hadron decays",
            settings=_Z_TAU,
            cross_section=_SIGMA_Z_LL,
            source=_Z_SOURCE,
            k_factor=1.34,
            uncertainty=0.038,
            partons=LEPTON,
            # Without spin correlations, which take 20 times as long and change the mean of pT(l) / pT(tau) by 2 %.
            hadron_settings=("TauDecays:mode = 0",),
            lepton_enhancement=1.5,
        ),
        Process(
            name="zmumu",
            description="Z/gamma* -> mu mu + jets with a lepton above 24 GeV, whatever else there is: for hnl k0s",
            settings=_Z_PARTON_MU,
            cross_section=1.34 * _SIGMA_Z_PARTON_MUMU,
            source=_Z_PARTON_SOURCE,
            k_factor=1.34,
            uncertainty=0.1,
            streams=(DISPLACED, PHOTON, PROMPT_PAIR, TRACK),
            every_jet=True,
        ),
        Process(
            name="ttbar",
            description="top quark pairs, all decays",
            settings=("Top:gg2ttbar = on", "Top:qqbar2ttbar = on"),
            cross_section=831.76,
            source="Top++ 2.0, NNLO + NNLL, m_t = 172.5 GeV (LHC top working group)",
            k_factor=1.62,
            uncertainty=0.055,
            partons=LEPTON,
        ),
        Process(
            name="st_tchannel",
            description="single top and antitop by t-channel W exchange",
            settings=("Top:qq2tq(t:W) = on",),
            cross_section=216.97,
            source="Hathor 2.1, NLO: 136.02 (t) + 80.95 (anti-t) pb (LHC top working group)",
            k_factor=1.41,
            uncertainty=0.04,
            partons=LEPTON,
        ),
        Process(
            name="st_tw",
            description="t W, an approximation, as Pythia has no such process: b g -> b* -> t W with a wide "
            "b* near threshold; right final state and forward b, rough m(tW) spectrum, no spin correlations",
            settings=_TW,
            cross_section=71.7,
            source="Kidonakis, NLO + NNLL: 2 x 35.85 pb",
            k_factor=None,
            uncertainty=0.054,
            partons=LEPTON,
        ),
        Process(
            name="qcd_bb",
            description="QCD b anti-b, pT-hat > 30 GeV, two leptons from hadron decays",
            settings=("HardQCD:hardbbbar = on", "PhaseSpace:pTHatMin = 30"),
            cross_section=6.32e5,
            source=_QCD_SOURCE,
            k_factor=1.0,
            uncertainty=1.0,
            lepton_enhancement=1.5,
            pt_hat_power=2,
            partons=HEAVY_PAIR,
        ),
        Process(
            name="qcd_cc",
            description="QCD c anti-c, pT-hat > 30 GeV, two leptons from hadron decays",
            settings=("HardQCD:hardccbar = on", "PhaseSpace:pTHatMin = 30"),
            cross_section=6.48e5,
            source=_QCD_SOURCE,
            k_factor=1.0,
            uncertainty=1.0,
            lepton_enhancement=1.5,
            pt_hat_power=2,
            partons=HEAVY_PAIR,
        ),
        Process(
            name="qcd_shower",
            description="QCD with light quarks and gluons, or one b or c, pT-hat > 30 GeV; b and c pairs of the shower "
            "(gluon splitting, flavour excitation), two leptons from hadron decays",
            settings=(*_QCD_WITHOUT_PAIRS, "PhaseSpace:pTHatMin = 30"),
            cross_section=_SIGMA_QCD_WITHOUT_PAIRS,
            source=_QCD_SOURCE,
            k_factor=1.0,
            uncertainty=1.0,
            partons=HEAVY_PAIR,
            lepton_enhancement=1.5,
            pt_hat_power=2,
        ),
    )
}


def get(name: str) -> Process:
    """The process of that name.

    Raises:
        InputError: an unknown name.
    """
    if name not in PROCESSES:
        raise InputError(f"unknown process {name!r}; known: {', '.join(PROCESSES)}")
    return PROCESSES[name]


def cross_section_pb(name: str, options: SignalOptions | None = None) -> float:
    """Cross section of all generated events of a process (before any filter), in pb at 13 TeV.

    Args:
        name: a process.
        options: the signal point, for 'hnl' only.

    Raises:
        InputError: unknown process; signal without options or background with options.
    """
    process = get(name)
    signal.check_options(name, process.cross_section is None, options)
    if options is not None:
        return signal.cross_section_pb(options)
    assert process.cross_section is not None
    return process.cross_section
