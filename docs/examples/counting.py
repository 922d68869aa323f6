"""A counting experiment in one file: events with a prompt muon and a heavy, displaced vertex. One bin, no classifier.

    hnl run docs/examples/counting.yaml -o out/counting

The background is taken from simulation, with an uncertainty of its own on top.
"""

import awkward as ak
import numpy as np

from hnl.analysis import Analysis
from hnl.datasets import nanoaod
from hnl.datasets.nanoaod import Needs
from hnl.histograms import templates
from hnl.histograms.variables import Distributions, Variable
from hnl.inference import template_fit
from hnl.inference.model import Model
from hnl.processors.base import EventsOfUnit, SelectionProcessor, event_columns
from hnl.processors.columns import EVENT_COLUMNS, Column
from hnl.selections import leptons, vertices
from hnl.stages import STANDARD
from hnl.stages.run import Run

MIN_DELTA_2D, MIN_MASS = 1.0, 2.0  # cm, GeV
BACKGROUND_UNCERTAINTY = 0.5  # of simulated vertices so far out


class VertexProcessor(SelectionProcessor):
    """Events with one prompt muon and a displaced vertex; of several that with the highest pt."""

    triggers = ("muon",)
    columns = (
        *EVENT_COLUMNS,
        Column("m_sv", "float32", "GeV", "mass of the vertex"),
        Column("delta_2d", "float32", "cm", "transverse distance of the vertex from the primary vertex"),
    )

    def select(self, unit: EventsOfUnit) -> dict[str, np.ndarray]:
        """One prompt muon (Table 1 of EXO-21-011), then the vertex (section 2)."""
        muons = leptons.prompt_muons(nanoaod.muons(unit.events))
        unit.cutflow.require("one prompt muon", ak.num(muons) == 1)
        every = nanoaod.vertices(unit.events)
        vertex = vertices.highest_pt(every[vertices.displaced(every)])
        unit.cutflow.require("displaced vertex", ~ak.is_none(vertex))
        chosen = unit.cutflow.passed()
        columns = {"m_sv": vertex[chosen].mass, "delta_2d": vertex[chosen].dxy}
        numbers = {name: ak.to_numpy(values, allow_missing=False) for name, values in columns.items()}
        return event_columns(unit, chosen) | numbers


def models(run: Run) -> dict[str, Model]:
    """One model for each signal sample: the events beyond both cuts, in one bin."""
    filled = templates.fill(run.selection, "delta_2d", (MIN_DELTA_2D, np.inf), lambda rows: rows["m_sv"] > MIN_MASS)
    own = {"background_model": dict.fromkeys(filled.backgrounds, BACKGROUND_UNCERTAINTY)}
    return {
        name: Model(templates=(template_fit.channel("far", filled, signal, normalisations=own),))
        for name, signal in filled.signals.items()
    }


COUNTING = Analysis(
    title="a muon and a displaced vertex, counted",
    needs=Needs(collections=("Muon", "SV")),
    processor=VertexProcessor,
    distributions=Distributions(
        (
            Variable("delta_2d", 50, 0, 50, r"$\Delta_{2D}$ [cm]", "Transverse displacement of the vertex"),
            Variable("m_sv", 40, 0, 20, r"$m_{SV}$ [GeV]", "Mass of the vertex"),
        )
    ),
    stages=STANDARD,
    models=models,
)
