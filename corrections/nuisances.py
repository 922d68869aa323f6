"""Every nuisance parameter of the search: what it is called, what it varies, how large it is, and why.

`docs/corrections.md` shows this table; `python benchmarks/tables.py --write` renews it.
"""

from typing import Literal, NamedTuple

from hnl.datasets.variations import JER

Kind = Literal["normalisation", "shape", "free rate"]
Processes = Literal["signal", "simulation", "simulated background", "background prediction"]  # simulation: both


class Row(NamedTuple):
    """A row of Table 4; sizes in per cent, those of muons in parentheses."""

    source: str
    prediction: Literal["signal", "background"]
    kind: Literal["normalisation", "shape"]
    size: str


TABLE_4 = (
    Row("NNLO K-factor", "signal", "normalisation", "4"),
    Row("Integrated luminosity", "signal", "normalisation", "1.6"),
    Row("Pileup modeling", "signal", "shape", "4.6"),
    Row("e (mu) trigger efficiency", "signal", "shape", "1 (< 1)"),
    Row("Prompt e (mu) selection efficiency", "signal", "shape", "2-4 (1-3)"),
    Row("Nonprompt e (mu) selection efficiency", "signal", "shape", "1-20 (< 1)"),
    Row("Tracking efficiency", "signal", "shape", "7.3"),
    Row("Jet energy scale & resolution", "signal", "shape", "1-2"),
    Row("PFN score", "signal", "normalisation", "10"),
    Row("CR closure", "background", "shape", "20-30"),
    Row("DY scale factor (OS mumu, low mass)", "background", "shape", "20-50"),
)


class Nuisance(NamedTuple):
    """One nuisance parameter, or one for each of what a word in capitals stands for.

    Attributes:
        name: variations of histograms are NAME_up and NAME_down.
        kind: a factor on all yields (log-normal), histograms of its own, or a rate that data fixes.
        size: of the paper, or of CMS for other years, in per cent; what a run has comes from its catalogue.
        source: row of Table 4, or where else it comes from.
        correlated: whether all eras have one parameter, see `parameter`. The paper does not say: our choice, but for
            the luminosity.
        processes: what it acts on.
        module: where it is made.
    """

    name: str
    kind: Kind
    size: str
    source: str
    correlated: bool
    processes: Processes
    module: str


_K, _LUMI, _PILEUP, _TRIGGER, _PROMPT, _NONPROMPT, _TRACKING, _JETS, _SCORE, _CLOSURE, _DY = (
    row.source for row in TABLE_4
)
_NOT = "not in Table 4"
_YEARS = f"{_NOT}: other years than the paper's"
_NORMALISATION = "corrections.normalisation"
_GENERATOR = f"{_NOT} (within its K-factor); only where the catalogue asks for it"

NUISANCES = tuple(
    Nuisance(*row)
    for row in (
        ("k_factor", "normalisation", "4", _K, True, "signal", "corrections.normalisation"),
        # A year's own, and what years share; 1.6 % together.
        ("luminosity_2016", "normalisation", "1.0", _LUMI, True, "simulation", "corrections.normalisation"),
        ("luminosity_2017", "normalisation", "2.0", _LUMI, True, "simulation", "corrections.normalisation"),
        ("luminosity_2018", "normalisation", "1.5", _LUMI, True, "simulation", "corrections.normalisation"),
        ("luminosity_1718", "normalisation", "0.6, 0.2", _LUMI, True, "simulation", "corrections.normalisation"),
        ("luminosity_161718", "normalisation", "0.6, 0.9, 2.0", _LUMI, True, "simulation", "corrections.normalisation"),
        ("luminosity_2015", "normalisation", "1.6", _YEARS, True, "simulation", _NORMALISATION),
        ("luminosity_222324", "normalisation", "1.38, 0.17, 0.20", _YEARS, True, "simulation", _NORMALISATION),
        ("luminosity_2324", "normalisation", "1.27, 0.68", _YEARS, True, "simulation", _NORMALISATION),
        ("luminosity_2024", "normalisation", "1.44", _YEARS, True, "simulation", _NORMALISATION),
        ("pileup", "shape", "4.6", _PILEUP, True, "simulation", "corrections.weights"),
        # Measured year by year, with errors of their own.
        ("trigger_electron", "shape", "1", _TRIGGER, False, "simulation", "corrections.weights"),
        ("trigger_muon", "shape", "< 1", _TRIGGER, False, "simulation", "corrections.weights"),
        # One method for all years, whose systematic errors dominate.
        ("prompt_electron", "shape", "2-4", _PROMPT, True, "simulation", "corrections.weights"),
        ("prompt_muon", "shape", "1-3", _PROMPT, True, "simulation", "corrections.weights"),
        # Section 7: differs between the years, by the material of the detector.
        ("nonprompt_electron", "shape", "1-20", _NONPROMPT, False, "simulation", "corrections.weights"),
        ("nonprompt_muon", "shape", "< 1", _NONPROMPT, True, "simulation", "corrections.weights"),
        # Section 2: another pixel detector from 2017 on.
        ("tracking", "shape", "7.3", _TRACKING, False, "simulation", "corrections.weights"),
        # The catalogue names these: eras of one name vary together.
        ("jes", "shape", "1-2", _JETS, True, "simulation", "corrections.jets"),
        (JER, "shape", "1-2", _JETS, True, "simulation", "corrections.jets"),
        # Sections 5 and 7: the same for all trainings and years.
        ("score", "normalisation", "10", _SCORE, True, "signal", "corrections.normalisation"),
        ("closure_CATEGORY", "shape", "20-30", _CLOSURE, True, "background prediction", "inference.abcd.validation"),
        ("dy_CELL", "shape", "20-50", _DY, True, "background prediction", "inference.abcd.estimate"),
        # What Table 4 does not have.
        ("rates of B, C, D", "free rate", "up to 50", "section 7", True, "background prediction", "inference"),
        ("mc_CELL", "shape", "by bin", f"{_NOT}: simulated events", True, "signal", "inference"),
        (
            "interpolation",
            "normalisation",
            "by m_N",
            f"{_NOT}; between simulated m_N",
            True,
            "signal",
            "corrections.masses",
        ),
        (
            "cross_section_PROCESS",
            "normalisation",
            "of the catalogue",
            _NOT,
            True,
            "simulated background",
            "corrections.normalisation",
        ),
        ("prefiring", "shape", "by event", f"{_NOT}; where files have it", True, "simulation", "corrections.weights"),
        ("mur", "shape", "by event", _GENERATOR, True, "simulation", "corrections.weights"),
        ("muf", "shape", "by event", _GENERATOR, True, "simulation", "corrections.weights"),
        ("pdf", "shape", "by event", _GENERATOR, True, "simulation", "corrections.weights"),
        ("isr", "shape", "by event", _GENERATOR, True, "simulation", "corrections.weights"),
        ("fsr", "shape", "by event", _GENERATOR, True, "simulation", "corrections.weights"),
    )
)

BY_NAME = {nuisance.name: nuisance for nuisance in NUISANCES}


def parameter(name: str, era: str) -> str:
    """The parameter that a variation belongs to in an era: its own one for nuisances that eras do not share.

    Args:
        name: of the nuisance; one that the catalogue named (jets, luminosity) is taken as it is.
        era: name of the era.
    """
    nuisance = BY_NAME.get(name)
    return name if nuisance is None or nuisance.correlated else f"{name}_{era}"
