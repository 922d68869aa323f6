"""Every nuisance parameter of the search: name, processes, size and source.

`docs/corrections.md` shows this table; `python benchmarks/tables.py --write` renews it.
"""

from typing import Literal, NamedTuple

from hnl.datasets.variations import JER

Kind = Literal["normalisation", "shape", "free rate"]
Processes = Literal[
    "signal", "simulation", "simulated background", "background prediction"
]  # simulation: signal and background


class Table4Row(NamedTuple):
    """A row of Table 4. Sizes are in per cent, those of muons in parentheses."""

    source: str
    prediction: Literal["signal", "background"]
    kind: Literal["normalisation", "shape"]
    size: str


TABLE_4 = (
    Table4Row("NNLO K-factor", "signal", "normalisation", "4"),
    Table4Row("Integrated luminosity", "signal", "normalisation", "1.6"),
    Table4Row("Pileup modeling", "signal", "shape", "4.6"),
    Table4Row("e (mu) trigger efficiency", "signal", "shape", "1 (< 1)"),
    Table4Row("Prompt e (mu) selection efficiency", "signal", "shape", "2-4 (1-3)"),
    Table4Row("Nonprompt e (mu) selection efficiency", "signal", "shape", "1-20 (< 1)"),
    Table4Row("Tracking efficiency", "signal", "shape", "7.3"),
    Table4Row("Jet energy scale & resolution", "signal", "shape", "1-2"),
    Table4Row("PFN score", "signal", "normalisation", "10"),
    Table4Row("CR closure", "background", "shape", "20-30"),
    Table4Row("DY scale factor (OS mumu, low mass)", "background", "shape", "20-50"),
)


class Nuisance(NamedTuple):
    """A nuisance parameter. A word in capitals in its name stands for several: one parameter per category, cell, ...

    Attributes:
        name: variations of histograms are NAME_up and NAME_down.
        kind: a factor on all yields (log-normal), varied histograms, or a rate that data fixes.
        size: size in the paper, or of CMS for other years, in per cent. The sizes of a run come from its catalogue.
        source: row of Table 4, or another source.
        correlated: whether all eras share the parameter, see `parameter`. Our choice, as the paper does not say it,
            except for the luminosity.
        processes: processes that it varies.
        module: module that computes it.
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
        # Parts of a single year, and parts that years share; 1.6 % together.
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
        # Section 2: a new pixel detector since 2017.
        ("tracking", "shape", "7.3", _TRACKING, False, "simulation", "corrections.weights"),
        # The catalogue names these: eras with the same name vary together.
        ("jes", "shape", "1-2", _JETS, True, "simulation", "corrections.jets"),
        (JER, "shape", "1-2", _JETS, True, "simulation", "corrections.jets"),
        # Sections 5 and 7: one number for all trainings and years.
        ("score", "normalisation", "10", _SCORE, True, "signal", "corrections.normalisation"),
        ("closure_CATEGORY", "shape", "20-30", _CLOSURE, True, "background prediction", "inference.abcd.validation"),
        ("dy_CELL", "shape", "20-50", _DY, True, "background prediction", "inference.abcd.estimate"),
        # Not in Table 4.
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

# Beginnings of names, and whole names, that have a meaning of their own in statistical models.
RESERVED = ("closure_", "dy_", "mc_", "norm_", "cAB_", "nA_", "nB_", "nC_", "nD_", "fB_", "fC_", "fD_", "mu", "r")

BY_NAME = {nuisance.name: nuisance for nuisance in NUISANCES}


def parameter(name: str, era: str) -> str:
    """The parameter of a nuisance in an era: one per era for nuisances that eras do not share.

    Args:
        name: name of the nuisance. Names from the catalogue (jets, luminosity) are unchanged.
        era: name of the era.
    """
    nuisance = BY_NAME.get(name)
    return name if nuisance is None or nuisance.correlated else f"{name}_{era}"
