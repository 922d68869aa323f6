"""Simulated backgrounds of section 3, as CMS has them: primary datasets and cross sections in pb.

Cross sections of bins and filters are those of the generator: lists of samples quote GenXSecAnalyzer and the database
XSDB of CMS.
"""

from typing import NamedTuple

from hnl.physics.constants import SIGMA_W_LNU, SIGMA_W_LNU_UNCERTAINTY

MEMORY = "from memory"

LEPTONIC = 3 * 0.1086  # of W, all flavours (PDG)
HADRONIC = 1 - LEPTONIC

_TT_13, _TT_136 = 831.76, 923.6
_TT = "ttbar {:g} pb at NNLO+NNLL (LHC top working group), times branching ratios of W"
_TW_136 = 87.9 / 2
_TW = "tW {:g} pb at NNLO (LHC top working group), times branching ratios of W"
_SINGLE_13 = f"single top at NLO (Hathor), {MEMORY}"
_SINGLE_136 = "single top at NNLO (LHC top working group)"
_GEN = "of the generator (GenXSecAnalyzer)"
_XSDB = "of the generator (XSDB)"


class BackgroundSample(NamedTuple):
    """A simulated background: one primary dataset.

    Attributes:
        name: name of the entry, without the era.
        process: process; datasets of the same process are summed.
        primary: first part of the name in DAS.
        cross_section: cross section in pb.
        source: source of the cross section.
        uncertainty: relative uncertainty of the cross section; 0 if none is given.
    """

    name: str
    process: str
    primary: str
    cross_section: float
    source: str
    uncertainty: float = 0.0


def _binned(kind: str, process: str, primary: str, bins: dict[str, float], source: str) -> tuple[BackgroundSample, ...]:
    return tuple(
        BackgroundSample(f"QCD_{kind}_{name}", process, primary.format(name), sigma, source)
        for name, sigma in bins.items()
    )


_MU_13 = {
    "20To30": 2.52e6, "30To50": 1.366e6, "50To80": 3.777e5, "80To120": 8.862e4, "120To170": 2.118e4, "170To300": 7015,
    "300To470": 620.1, "470To600": 59.08, "600To800": 18.25, "800To1000": 3.276, "1000": 1.077,
}  # fmt: skip
_EM_13 = {
    "20to30": 4.928e6, "30to50": 6.418e6, "50to80": 1.987e6, "80to120": 3.671e5, "120to170": 6.661e4,
    "170to300": 1.654e4, "300toInf": 1100,
}  # fmt: skip
_MU_136 = {
    "20to30": 2.679e6, "30to50": 1.497e6, "50to80": 4.095e5, "80to120": 9.513e4, "120to170": 2.298e4, "170to300": 7763,
    "300to470": 699.1, "470to600": 68.24, "600to800": 21.37, "800to1000": 3.913, "1000": 1.323,
}  # fmt: skip
_EM_136 = {
    "30to50": 6.698e6, "50to80": 2.113e6, "80to120": 3.941e5, "120to170": 7.029e4, "170to300": 1.792e4,
    "300toInf": 1224,
}  # fmt: skip

_T_13 = "TuneCP5_13TeV"
_VV_13 = f"inclusive PYTHIA for the paper's NLO samples by decay; {{}}, {MEMORY}"
_13 = (
    ("WJetsToLNu", "wjets", f"WJetsToLNu_{_T_13}-amcatnloFXFX-pythia8", 3 * SIGMA_W_LNU[13.0],
     "FEWZ, NNLO", SIGMA_W_LNU_UNCERTAINTY),
    ("DYJetsToLL_M-50", "dy", f"DYJetsToLL_M-50_{_T_13}-amcatnloFXFX-pythia8", 6077.22, "FEWZ, NNLO"),
    ("DYJetsToLL_M-10to50", "dy", f"DYJetsToLL_M-10to50_{_T_13}-amcatnloFXFX-pythia8", 18610, f"NLO, {_GEN}"),
    ("TTTo2L2Nu", "ttbar", f"TTTo2L2Nu_{_T_13}-powheg-pythia8", _TT_13 * LEPTONIC**2, _TT.format(_TT_13)),
    ("TTToSemiLeptonic", "ttbar", f"TTToSemiLeptonic_{_T_13}-powheg-pythia8", _TT_13 * 2 * LEPTONIC * HADRONIC,
     _TT.format(_TT_13)),
    ("TTToHadronic", "ttbar", f"TTToHadronic_{_T_13}-powheg-pythia8", _TT_13 * HADRONIC**2, _TT.format(_TT_13)),
    ("ST_t_top", "singletop", f"ST_t-channel_top_4f_InclusiveDecays_{_T_13}-powheg-madspin-pythia8", 136.02,
     _SINGLE_13),
    ("ST_t_antitop", "singletop", f"ST_t-channel_antitop_4f_InclusiveDecays_{_T_13}-powheg-madspin-pythia8", 80.95,
     _SINGLE_13),
    ("ST_tW_top", "singletop", f"ST_tW_top_5f_inclusiveDecays_{_T_13}-powheg-pythia8", 35.85, _SINGLE_13),
    ("ST_tW_antitop", "singletop", f"ST_tW_antitop_5f_inclusiveDecays_{_T_13}-powheg-pythia8", 35.85, _SINGLE_13),
    ("ST_s", "singletop", f"ST_s-channel_4f_leptonDecays_{_T_13}-amcatnlo-pythia8", 3.36, _SINGLE_13),
    ("WW", "diboson", f"WW_{_T_13}-pythia8", 118.7, _VV_13.format("NNLO")),
    ("WZ", "diboson", f"WZ_{_T_13}-pythia8", 47.13, _VV_13.format("NLO")),
    ("ZZ", "diboson", f"ZZ_{_T_13}-pythia8", 16.523, _VV_13.format("NLO")),
    ("WGToLNuG", "wgamma", f"WGToLNuG_01J_5f_{_T_13}-amcatnloFXFX-pythia8", 191.4, _GEN),
    ("ZGToLLG", "zgamma", f"ZGToLLG_01J_5f_{_T_13}-amcatnloFXFX-pythia8", 55.78, f"{_GEN}; lists have 51 to 56 pb"),
)  # fmt: skip
SAMPLES_13 = (
    *(BackgroundSample(*row) for row in _13),
    *_binned("Mu", "qcd", f"QCD_Pt-{{}}_MuEnrichedPt5_{_T_13}-pythia8", _MU_13, _GEN),
    *_binned("EM", "qcd", f"QCD_Pt-{{}}_EMEnriched_{_T_13}-pythia8", _EM_13, _GEN),
)

_T = "TuneCP5_13p6TeV"
_VV_136 = "inclusive PYTHIA for the paper's NLO samples by decay; MATRIX, NNLO"
_W_136 = "MATRIX, NNLO"
_WG_136 = "of the generator (XSDB), times the branching ratio of W; lists also have 662 pb, without"
_COMMON_136 = (
    ("TTto2L2Nu", "ttbar", f"TTto2L2Nu_{_T}_powheg-pythia8", _TT_136 * LEPTONIC**2, _TT.format(_TT_136)),
    ("TTtoLNu2Q", "ttbar", f"TTtoLNu2Q_{_T}_powheg-pythia8", _TT_136 * 2 * LEPTONIC * HADRONIC, _TT.format(_TT_136)),
    ("TTto4Q", "ttbar", f"TTto4Q_{_T}_powheg-pythia8", _TT_136 * HADRONIC**2, _TT.format(_TT_136)),
    ("TWminusto2L2Nu", "singletop", f"TWminusto2L2Nu_{_T}_powheg-pythia8", _TW_136 * LEPTONIC**2,
     _TW.format(_TW_136)),
    ("TWminustoLNu2Q", "singletop", f"TWminustoLNu2Q_{_T}_powheg-pythia8", _TW_136 * 2 * LEPTONIC * HADRONIC,
     _TW.format(_TW_136)),
    ("TbarWplusto2L2Nu", "singletop", f"TbarWplusto2L2Nu_{_T}_powheg-pythia8", _TW_136 * LEPTONIC**2,
     _TW.format(_TW_136)),
    ("TbarWplustoLNu2Q", "singletop", f"TbarWplustoLNu2Q_{_T}_powheg-pythia8", _TW_136 * 2 * LEPTONIC * HADRONIC,
     _TW.format(_TW_136)),
    ("WW", "diboson", f"WW_{_T}_pythia8", 122.1, _VV_136),
    ("WZ", "diboson", f"WZ_{_T}_pythia8", 53.9, _VV_136),
    ("ZZ", "diboson", f"ZZ_{_T}_pythia8", 16.7, _VV_136),
)  # fmt: skip
_2022 = (
    ("WtoLNu-2Jets", "wjets", f"WtoLNu-2Jets_{_T}_amcatnloFXFX-pythia8", 3 * SIGMA_W_LNU[13.6], _W_136),
    ("DYto2L-2Jets_MLL-50", "dy", f"DYto2L-2Jets_MLL-50_{_T}_amcatnloFXFX-pythia8", 3 * 2091.7, _W_136),
    ("DYto2L-2Jets_MLL-10to50", "dy", f"DYto2L-2Jets_MLL-10to50_{_T}_amcatnloFXFX-pythia8", 19982.5, f"NLO, {_GEN}"),
    ("ST_t_top", "singletop", f"TBbarQ_t-channel_4FS_{_T}_powheg-madspin-pythia8", 145.0, _SINGLE_136),
    ("ST_t_antitop", "singletop", f"TbarBQ_t-channel_4FS_{_T}_powheg-madspin-pythia8", 87.2, _SINGLE_136),
    ("ST_s_top", "singletop", f"TBbartoLplusNuBbar-s-channel-4FS_{_T}_amcatnlo-pythia8", 7.244 * LEPTONIC,
     _SINGLE_136),
    ("ST_s_antitop", "singletop", f"TbarBtoLminusNuB-s-channel-4FS_{_T}_amcatnlo-pythia8", 4.534 * LEPTONIC,
     _SINGLE_136),
    ("WGtoLNuG_PTG-10to100", "wgamma", f"WGtoLNuG-1Jets_PTG-10to100_{_T}_amcatnloFXFX-pythia8", 215.7, _WG_136),
    ("DYGto2LG_MLL-50_PTG-10to100", "zgamma", f"DYGto2LG-1Jets_MLL-50_PTG-10to100_{_T}_amcatnloFXFX-pythia8", 126.6,
     _XSDB),
)  # fmt: skip
SAMPLES_2022 = (
    *(BackgroundSample(*row) for row in (*_2022, *_COMMON_136)),
    *_binned("Mu", "qcd", f"QCD_PT-{{}}_MuEnrichedPt5_{_T}_pythia8", _MU_136, _XSDB),
    *_binned("EM", "qcd", f"QCD_PT-{{}}_EMEnriched_{_T}_pythia8", _EM_136, _XSDB),
)

_2024 = (
    *((f"Wto{lepton}Nu-2Jets", "wjets", f"Wto{lepton}Nu-2Jets_{_T}_amcatnloFXFX-pythia8", SIGMA_W_LNU[13.6], _W_136)
      for lepton in ("E", "Mu", "Tau")),
    *((f"DYto2{lepton}-2Jets_MLL-50", "dy", f"DYto2{lepton}-2Jets_Bin-MLL-50_{_T}_amcatnloFXFX-pythia8", 2091.7, _W_136)
      for lepton in ("E", "Mu", "Tau")),
    *((f"DYto2{lepton}_MLL-10to50", "dy", f"DYto2{lepton}_Bin-MLL-10to50_{_T}_powheg-pythia8", 19982.5 / 3,
       f"NLO, {_GEN}")
      for lepton in ("E", "Mu", "Tau")),
    ("ST_t_top", "singletop", f"TBbarQtoLNu-t-channel-4FS_{_T}_powheg-madspin-pythia8", 145.0 * LEPTONIC, _SINGLE_136),
    ("ST_t_antitop", "singletop", f"TbarBQtoLNu-t-channel-4FS_{_T}_powheg-madspin-pythia8", 87.2 * LEPTONIC,
     _SINGLE_136),
    ("ST_s_top", "singletop", f"TBbartoLNu-s-channel_{_T}_powheg-pythia8", 7.244 * LEPTONIC, _SINGLE_136),
    ("ST_s_antitop", "singletop", f"TbarBtoLNu-s-channel_{_T}_powheg-pythia8", 4.534 * LEPTONIC, _SINGLE_136),
    ("WGtoLNuG", "wgamma", f"WGtoLNuG-1Jets_{_T}_amcatnloFXFX-pythia8", 216.5, _WG_136),
    ("DYGto2LG_MLL-50", "zgamma", f"DYGto2LG-1Jets_Bin-MLL-50_{_T}_amcatnloFXFX-pythia8", 127.1, _GEN),
)  # fmt: skip
SAMPLES_2024 = (
    *(BackgroundSample(*row) for row in (*_2024, *_COMMON_136)),
    *_binned("Mu", "qcd", f"QCD_Bin-PT-{{}}_Fil-MuEnriched_{_T}_pythia8", _MU_136, _XSDB),
    *_binned("EM", "qcd", f"QCD_Bin-PT-{{}}_Fil-EMEnriched_{_T}_pythia8", _EM_136, f"{_XSDB}; the name is {MEMORY}"),
)
