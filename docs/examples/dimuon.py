"""A search in one file: a narrow resonance in the mass spectrum of muons of opposite charge, by a template fit.

    hnl run docs/examples/dimuon.yaml -o out/dimuon

or one by one: hnl select, histogram, fit, limits, plot. The catalogue names this file: `analysis: dimuon.py:DIMUON`.
"""

import awkward as ak
import numpy as np
from pydantic import Field
from scipy.stats import norm

from hnl.analysis import Analysis, part
from hnl.datasets import nanoaod
from hnl.datasets.model import Real, Settings
from hnl.datasets.nanoaod import Needs
from hnl.histograms import templates
from hnl.histograms.variables import Distributions, Variable
from hnl.inference import template_fit
from hnl.inference.model import Model
from hnl.processors.base import EventsOfUnit, SelectionProcessor, event_columns
from hnl.processors.columns import EVENT_COLUMNS, Column
from hnl.selections import leptons
from hnl.selections.events import mass
from hnl.stages import STANDARD
from hnl.stages.run import Run

MASSES = (70.0, 80.0, 110.0, 120.0)  # GeV, of the resonance
RESOLUTION = 0.02  # of m(mumu), relative; the width of the resonance is neglected
CROSS_SECTION, ACCEPTANCE = 1000.0, 0.4  # fb at mu = 1; of two prompt muons, with efficiency
ACCEPTANCE_UNCERTAINTY = 0.05
LOWEST, HIGHEST = 60, 130  # GeV, of m(mumu)
EDGES = (LOWEST, 66, 72, 78, 84, 88, 92, 96, 102, 108, HIGHEST)  # GeV


class DimuonSettings(Settings):
    """What a catalogue may change, by `settings: {pt: 35}` say."""

    pt: Real = Field(default=30.0, ge=30, description="GeV, least transverse momentum of both muons (Table 1)")


class DimuonProcessor(SelectionProcessor):
    """Events with two prompt muons (Table 1 of EXO-21-011) of opposite charge."""

    triggers = ("muon",)
    columns = (
        *EVENT_COLUMNS,
        Column("m_mumu", "float32", "GeV", "invariant mass of the two muons"),
        Column("pt_mumu", "float32", "GeV", "their transverse momentum"),
    )

    def select(self, unit: EventsOfUnit) -> dict[str, np.ndarray]:
        """Two prompt muons, then their charges, then the range of masses."""
        muons = leptons.prompt_muons(nanoaod.muons(unit.events))
        muons = muons[muons.pt > part(self.catalogue, DimuonSettings).pt]
        unit.cutflow.require("two prompt muons", ak.num(muons) == 2)
        two = unit.cutflow.passed()
        first, second = muons[two][:, 0], muons[two][:, 1]
        m_mumu = ak.to_numpy(mass(first, second))
        unit.cutflow.require("opposite charges", first.charge != second.charge, among=two)
        unit.cutflow.require("60 < m(mumu) < 130 GeV", (m_mumu > LOWEST) & (m_mumu < HIGHEST), among=two)
        chosen = unit.cutflow.passed()
        kept = chosen[two]
        pairs = {"m_mumu": m_mumu[kept], "pt_mumu": ak.to_numpy((first + second).pt)[kept]}
        return event_columns(unit, chosen) | pairs


def peak(at: float, luminosity: float) -> np.ndarray:
    """Events per bin of a resonance at a mass in GeV, for mu = 1."""
    shares = np.diff(norm.cdf(EDGES, loc=at, scale=RESOLUTION * at))
    return CROSS_SECTION * ACCEPTANCE * luminosity * np.asarray(shares)


def models(run: Run) -> dict[str, Model]:
    """One model for each mass: data, simulated processes, the normalisation of Z -> mu mu free in the fit."""
    spectrum = templates.fill(run.selection, "m_mumu", EDGES)
    result = {}
    for at in MASSES:
        signal = peak(at, spectrum.luminosity)
        own = {"acceptance": {"signal": ACCEPTANCE_UNCERTAINTY}}
        channel = template_fit.channel("mumu", spectrum, signal, normalisations=own, free=("zmumu",))
        result[f"resonance_{at:g}"] = Model(templates=(channel,))
    return result


DIMUON = Analysis(
    title="narrow resonances in pairs of muons",
    needs=Needs(collections=("Muon",)),
    processor=DimuonProcessor,
    distributions=Distributions(
        (
            Variable("m_mumu", 35, LOWEST, HIGHEST, r"$m(\mu\mu)$ [GeV]", "Mass of the pair of muons"),
            Variable("pt_mumu", 30, 0, 150, r"$p_T(\mu\mu)$ [GeV]", "Momentum of the pair of muons"),
        )
    ),
    stages=STANDARD,
    models=models,
    settings=DimuonSettings,
)
