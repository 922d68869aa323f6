"""Makes the templates of catalogues: `python datasets/templates/make.py`.

Triggers and processes are those of section 3 of the paper. Names of files are those of CMS for the UL samples of
2016-2018 and for the samples of 2022-2024. Entries marked MEMORY were not looked up; the others are from public
analysis code, lists of samples and the pages that these quote.
"""

from pathlib import Path
from typing import NamedTuple

from hnl.datasets import years
from hnl.datasets.templates.samples import MEMORY, SAMPLES_13, SAMPLES_2022, SAMPLES_2024, BackgroundSample

FOLDER = Path(__file__).parent
JSONPOG = "/cvmfs/cms.cern.ch/rsync/cms-nanoAOD/jsonpog-integration/POG"
GOLDEN = "/eos/user/c/cmsdqm/www/CAF/certification"


class EraTemplate(NamedTuple):
    """An era, and the names of its files at CMS.

    Attributes:
        name: name of the era and of the file.
        year: year of data taking.
        luminosity: luminosity in /fb.
        source: source of the luminosity.
        electron: single-electron paths.
        muon: single-muon paths.
        paths_note: remark on the paths.
        golden: golden JSON, below GOLDEN.
        pog: folder of the era below JSONPOG/GROUP.
        pileup: file and correction.
        scale: start of the names of jet energy scale uncertainties.
        resolution: start of the names of the jet energy resolution.
        jets: algorithm, the end of the names.
        electron_year: the era in the file of electrons.
        campaign: folder of simulation in the store.
        conditions: start of the processing version of simulation.
        samples: simulated background.
        muon_data: stream, run and processing version of muon data.
        electron_data: the same for electron data.
    """

    name: str
    year: int
    luminosity: float
    source: str
    electron: tuple[str, ...]
    muon: tuple[str, ...]
    paths_note: str
    golden: str
    pog: str
    pileup: tuple[str, str]
    scale: str
    resolution: str
    jets: str
    electron_year: str
    campaign: str
    conditions: str
    samples: tuple[BackgroundSample, ...]
    muon_data: tuple[tuple[str, str, str], ...]
    electron_data: tuple[tuple[str, str, str], ...]


def _data(streams: str, year: int, runs: str, versions: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((s, f"Run{year}{run}", v) for s in streams.split() for run in runs for v in versions.split())


_CHS, _PUPPI = "AK4PFchs", "AK4PFPuppi"
_PAPER = "paper: 36.3, 41.5, 59.8, in all 138"
_PDMV = "CMS page PdmVRun3Analysis; brilcalc says what your files have"
_ISO = ("HLT_IsoMu24",)
_2016 = ("HLT_Ele27_WPTight_Gsf",), ("HLT_IsoMu24", "HLT_IsoTkMu24")
_NOTE_2016 = f"paper: 27 and 24 GeV; IsoTkMu24 beside IsoMu24: {MEMORY}"
_NOTE_2017 = (
    "paper: 32 and 24 GeV. Ele32_WPTight_Gsf came with run D and IsoMu24 was prescaled at times, so the path with "
    f"other seeds and the next thresholds are beside them: {MEMORY}"
)
_NOTE_RUN_3 = f"the successors of the paper's, below the 34 and 30 GeV of Table 1: {MEMORY}"
_RUN_3 = ("HLT_Ele30_WPTight_Gsf",), _ISO
_GOLDEN_2016 = "Collisions16/13TeV/Legacy_2016/Cert_271036-284044_13TeV_Legacy2016_Collisions16_JSON.txt"
_GOLDEN_2022 = "Collisions22/Cert_Collisions2022_355100_362760_Golden.json"
_GOLDEN_2023 = "Collisions23/Cert_Collisions2023_366442_370790_Golden.json"
_UL16 = "UL2016_MiniAODv2_NanoAODv9-v*"
_PRE_VFP = (("B", "ver2_HIPM"), *((run, "HIPM") for run in "CDEF"))

TEMPLATES = (
    EraTemplate(
        "2016preVFP", 2016, 19.5, f"19.5 of the 36.3 of 2016; {_PAPER}", *_2016, _NOTE_2016, _GOLDEN_2016,
        "2016preVFP_UL", ("puWeights.json.gz", "Collisions16_UltraLegacy_goldenJSON"),
        "Summer19UL16APV_V7", "Summer20UL16APV_JRV3", _CHS, "2016preVFP",
        "RunIISummer20UL16NanoAODAPVv9", "106X_mcRun2_asymptotic_preVFP_v11", SAMPLES_13,
        tuple(("SingleMuon", f"Run2016{run}", f"{way}_{_UL16}") for run, way in _PRE_VFP),
        tuple(("SingleElectron", f"Run2016{run}", f"{way}_{_UL16}") for run, way in _PRE_VFP),
    ),
    EraTemplate(
        "2016postVFP", 2016, 16.8, f"16.8 of the 36.3 of 2016; {_PAPER}", *_2016, _NOTE_2016, _GOLDEN_2016,
        "2016postVFP_UL", ("puWeights.json.gz", "Collisions16_UltraLegacy_goldenJSON"),
        "Summer19UL16_V7", "Summer20UL16_JRV3", _CHS, "2016postVFP",
        "RunIISummer20UL16NanoAODv9", "106X_mcRun2_asymptotic_v17", SAMPLES_13,
        _data("SingleMuon", 2016, "FGH", _UL16), _data("SingleElectron", 2016, "FGH", _UL16),
    ),
    EraTemplate(
        "2017", 2017, 41.5, _PAPER, ("HLT_Ele32_WPTight_Gsf_L1DoubleEG", "HLT_Ele35_WPTight_Gsf"),
        ("HLT_IsoMu24", "HLT_IsoMu27"), _NOTE_2017,
        "Collisions17/13TeV/Legacy_2017/Cert_294927-306462_13TeV_UL2017_Collisions17_GoldenJSON.txt",
        "2017_UL", ("puWeights.json.gz", "Collisions17_UltraLegacy_goldenJSON"),
        "Summer19UL17_V5", "Summer19UL17_JRV2", _CHS, "2017",
        "RunIISummer20UL17NanoAODv9", "106X_mc2017_realistic_v9", SAMPLES_13,
        _data("SingleMuon", 2017, "BCDEF", "UL2017_MiniAODv2_NanoAODv9-v*"),
        _data("SingleElectron", 2017, "BCDEF", "UL2017_MiniAODv2_NanoAODv9-v*"),
    ),
    EraTemplate(
        "2018", 2018, 59.8, _PAPER, ("HLT_Ele32_WPTight_Gsf",), _ISO, "paper: 32 and 24 GeV",
        "Collisions18/13TeV/Legacy_2018/Cert_314472-325175_13TeV_Legacy2018_Collisions18_JSON.txt",
        "2018_UL", ("puWeights.json.gz", "Collisions18_UltraLegacy_goldenJSON"),
        "Summer19UL18_V5", "Summer19UL18_JRV2", _CHS, "2018",
        "RunIISummer20UL18NanoAODv9", "106X_upgrade2018_realistic_v16_L1v1", SAMPLES_13,
        _data("SingleMuon", 2018, "ABCD", "UL2018_MiniAODv2_NanoAODv9_GT36-v*"),
        _data("EGamma", 2018, "ABCD", "UL2018_MiniAODv2_NanoAODv9_GT36-v*"),
    ),
    EraTemplate(
        "2022", 2022, 7.98, _PDMV, *_RUN_3, _NOTE_RUN_3, _GOLDEN_2022,
        "2022_Summer22", ("puWeights.json.gz", "Collisions2022_355100_357900_eraBCD_GoldenJson"),
        "Summer22_22Sep2023_V2", "Summer22_22Sep2023_JRV1", _PUPPI, "2022Re-recoBCD",
        "Run3Summer22NanoAODv12", "130X_mcRun3_2022_realistic_v5", SAMPLES_2022,
        (*_data("SingleMuon", 2022, "C", "22Sep2023-v*"), *_data("Muon", 2022, "CD", "22Sep2023-v*")),
        _data("EGamma", 2022, "CD", "22Sep2023-v*"),
    ),
    EraTemplate(
        "2022EE", 2022, 26.67, _PDMV, *_RUN_3, _NOTE_RUN_3, _GOLDEN_2022,
        "2022_Summer22EE", ("puWeights.json.gz", "Collisions2022_359022_362760_eraEFG_GoldenJson"),
        "Summer22EE_22Sep2023_V2", "Summer22EE_22Sep2023_JRV1", _PUPPI, "2022Re-recoE+PromptFG",
        "Run3Summer22EENanoAODv12", "130X_mcRun3_2022_realistic_postEE_v6", SAMPLES_2022,
        _data("Muon", 2022, "EFG", "22Sep2023-v*"), _data("EGamma", 2022, "EFG", "22Sep2023-v*"),
    ),
    EraTemplate(
        "2023", 2023, 18.06, _PDMV, *_RUN_3, _NOTE_RUN_3, _GOLDEN_2023,
        "2023_Summer23", ("puWeights.json.gz", "Collisions2023_366403_369802_eraBC_GoldenJson"),
        "Summer23Prompt23_V2", "Summer23Prompt23_RunCv1234_JRV1", _PUPPI, "2023PromptC",
        "Run3Summer23NanoAODv12", "130X_mcRun3_2023_realistic_v1", SAMPLES_2022,
        _data("Muon0 Muon1", 2023, "C", "22Sep2023_v1-v* 22Sep2023_v2-v* 22Sep2023_v3-v* 22Sep2023_v4-v*"),
        _data("EGamma0 EGamma1", 2023, "C", "22Sep2023_v1-v* 22Sep2023_v2-v* 22Sep2023_v3-v* 22Sep2023_v4-v*"),
    ),
    EraTemplate(
        "2023BPix", 2023, 9.69, _PDMV, *_RUN_3, _NOTE_RUN_3, _GOLDEN_2023,
        "2023_Summer23BPix", ("puWeights.json.gz", "Collisions2023_369803_370790_eraD_GoldenJson"),
        "Summer23BPixPrompt23_V3", "Summer23BPixPrompt23_RunD_JRV1", _PUPPI, "2023PromptD",
        "Run3Summer23BPixNanoAODv12", "130X_mcRun3_2023_realistic_postBPix_v", SAMPLES_2022,
        _data("Muon0 Muon1", 2023, "D", "22Sep2023_v1-v* 22Sep2023_v2-v*"),
        _data("EGamma0 EGamma1", 2023, "D", "22Sep2023_v1-v* 22Sep2023_v2-v*"),
    ),
    EraTemplate(
        "2024", 2024, 109.95, f"golden JSON, runs C to I; {_PDMV}", *_RUN_3, _NOTE_RUN_3,
        "Collisions24/Cert_Collisions2024_378981_386951_Golden.json",
        "2024_Summer24", ("puWeights_BCDEFGHI.json.gz", "Collisions24_BCDEFGHI_goldenJSON"),
        "Summer24Prompt24_V2", "Summer23BPixPrompt23_RunD_JRV1", _PUPPI, "2024Prompt",
        "RunIII2024Summer24NanoAODv15", "150X_mcRun3_2024_realistic_v2", SAMPLES_2024,
        _data("Muon0 Muon1", 2024, "CDEFGHI", "MINIv6NANOv15*-v*"),
        _data("EGamma0 EGamma1", 2024, "CDEFGHI", "MINIv6NANOv15*-v*"),
    ),
)  # fmt: skip


def text(template: EraTemplate) -> str:
    """The catalogue, with comments."""
    run_3 = template.year > 2018
    muon_eta = "eta: l1_eta" if template.year > 2022 else "abseta: abs(l1_eta)"
    electron_file = "electron_v1.json.gz" if template.year == 2024 else "electron.json.gz"
    phi = ", phi: l1_phi" if template.year > 2022 else ""
    lines = f"""\
# Template of a catalogue: {template.name}. Made by datasets/templates/make.py; copy it, and complete it.
#
#   hnl datasets template {template.name} > catalogue.yaml
#   hnl datasets check --catalogue-only catalogue.yaml      # without files
#   hnl datasets check catalogue.yaml                       # with them
#
# CMS_STORE is a folder with the layout of CMS's /store, e.g. /eos/cms/store; set it, or write other paths.
# A dataset /PRIMARY/CAMPAIGN-VERSION/NANOAODSIM of DAS is in mc/CAMPAIGN/PRIMARY/NANOAODSIM/VERSION, and
# /STREAM/RUN-VERSION/NANOAOD in data/RUN/STREAM/NANOAOD/VERSION. To list datasets, and files for root:// URLs:
#   dasgoclient -query "dataset=/PRIMARY/CAMPAIGN-*/NANOAODSIM"
#   dasgoclient -query "file dataset=/PRIMARY/CAMPAIGN-VERSION/NANOAODSIM"   # root://xrootd-cms.infn.it//store/...
#
# '{MEMORY}': not looked up. Check everything with the pages of CMS before you look at data.
eras:
  "{template.name}":
    year: {template.year}  # {years.ENERGY[template.year]:g} TeV
    luminosity: {template.luminosity:g}  # /fb; {template.source}
    triggers:  # {template.paths_note}
      electron: [{", ".join(template.electron)}]
      muon: [{", ".join(template.muon)}]
    golden_json: {GOLDEN}/{template.golden}
    corrections:  # trigger, nonprompt, tracking: made by each analysis, see docs/corrections.md
      pileup:
        file: {JSONPOG}/LUM/{template.pog}/{template.pileup[0]}
        correction: {template.pileup[1]}
        columns: {{NumTrueInteractions: n_true_interactions}}
        uncertainty: {{input: weights, nominal: nominal, up: up, down: down}}
      prompt:
        electron:
          - file: {JSONPOG}/EGM/{template.pog}/{electron_file}{_memory(template.year == 2024)}
            correction: {"Electron-ID-SF" if run_3 else "UL-Electron-ID-SF"}
            columns: {{eta: l1_eta, pt: l1_pt{phi}}}{_memory(run_3)}
            constants: {{year: "{template.electron_year}", WorkingPoint: wp90iso}}
            uncertainty: {{input: ValType, nominal: sf, up: sfup, down: sfdown}}
        muon:
          - file: {JSONPOG}/MUO/{template.pog}/muon_Z.json.gz
            correction: NUM_MediumID_DEN_TrackerMuons
            columns: {{{muon_eta}, pt: l1_pt}}{_memory(run_3)}
            clip: {{pt: [15, 199]}}
            uncertainty: {{input: scale_factors, nominal: nominal, up: systup, down: systdown}}
      jets:
        file: {JSONPOG}/JME/{template.pog}/jet_jerc.json.gz
        uncertainties: {{jes: {template.scale}_MC_Total_{template.jets}}}
        smearing:
          resolution: {template.resolution}_MC_PtResolution_{template.jets}
          scale_factor: {template.resolution}_MC_ScaleFactor_{template.jets}
datasets:
  # Signal: one entry per sample, with the point at which it was generated.
  # - name: HNL10_{template.name}
  #   era: "{template.name}"
  #   kind: signal
  #   process: HNL10
  #   files: [...]
  #   cross_section: ...  # pb; hnl physics --mass 10 --v2-mu 5.7e-7 --energy {years.ENERGY[template.year]:g}
  #   signal: {{mass: 10, v2_mu: 5.7e-7, nature: majorana, ctau: 7.0}}
""".splitlines()
    for sample in template.samples:
        lines += _background(template, sample)
    lines += _stream(template, "muon", template.muon_data)
    lines += _stream(template, "electron", template.electron_data)
    return "\n".join(lines) + "\n"


def _memory(when: bool) -> str:
    return f"  # {MEMORY}" if when else ""


def _background(template: EraTemplate, sample: BackgroundSample) -> list[str]:
    files = f"$CMS_STORE/mc/{template.campaign}/{sample.primary}/NANOAODSIM/{template.conditions}*-v*/*/*.root"
    return [
        f"  - name: {sample.name}_{template.name}",
        f'    era: "{template.name}"',
        "    kind: background",
        f"    process: {sample.process}",
        f'    files: ["{files}"]',
        f"    cross_section: {sample.cross_section:.6g}  # pb; {sample.source}",
        *([f"    cross_section_uncertainty: {sample.uncertainty:g}"] if sample.uncertainty else []),
    ]


def _stream(template: EraTemplate, group: str, streams: tuple[tuple[str, str, str], ...]) -> list[str]:
    name = streams[-1][0].rstrip("01")
    return [
        f"  - name: {name}_{template.name}",
        f'    era: "{template.name}"',
        "    kind: data",
        "    process: data",
        f"    primary_dataset: {name}",
        "    files:",
        *(f'      - "$CMS_STORE/data/{run}/{stream}/NANOAOD/{version}/*/*.root"' for stream, run, version in streams),
        f"    triggers: [{group}]",
        *(["    veto_triggers: [muon]  # the other stream has them"] if group == "electron" else []),
    ]


def main() -> None:
    """Writes all templates."""
    for template in TEMPLATES:
        (FOLDER / f"{template.name}.yaml").write_text(text(template), encoding="utf-8")


if __name__ == "__main__":
    main()
