"""The search of CMS EXO-21-011: W -> l1 N, N -> l2 q q', with l2 in a jet and in a secondary vertex."""

from typing import Self

from pydantic import Field, model_validator

from hnl.analysis import Analysis
from hnl.datasets.model import Settings
from hnl.datasets.nanoaod import Needs
from hnl.histograms.displaced.distributions import DISTRIBUTIONS
from hnl.histograms.displaced.settings import ThresholdSettings
from hnl.inference.abcd.settings import EstimateSettings
from hnl.inference.displaced.settings import LimitSettings
from hnl.ml.settings import TrainingSettings
from hnl.processors.displaced.processor import DisplacedProcessor
from hnl.selections.displaced.hypotheses import MassSettings
from hnl.selections.displaced.regions import RegionSettings
from hnl.selections.events import EventCuts
from hnl.selections.jets import JetCuts
from hnl.selections.leptons import LeptonSettings
from hnl.selections.vertices import VertexCuts
from hnl.stages.displaced import STAGES


class DisplacedSettings(Settings):
    """What a catalogue may change of the displaced search, by room."""

    leptons: LeptonSettings = Field(default=LeptonSettings(), description="Table 1")
    jets: JetCuts = Field(default=JetCuts(), description="section 2 and Table 2")
    vertices: VertexCuts = Field(default=VertexCuts(), description="section 2 and Table 2")
    events: EventCuts = Field(default=EventCuts(), description="Table 2")
    masses: MassSettings = Field(default=MassSettings(), description="mass hypotheses")
    training: TrainingSettings = Field(default=TrainingSettings(), description="of the classifiers")
    regions: RegionSettings = Field(default=RegionSettings(), description="regions of Table 3, and bins")
    thresholds: ThresholdSettings = Field(default=ThresholdSettings(), description="on the score")
    estimate: EstimateSettings = Field(default=EstimateSettings(), description="of the background")
    limits: LimitSettings = Field(default=LimitSettings(), description="on |V|^2")

    @model_validator(mode="after")
    def _thresholds_above_the_least_score(self) -> Self:
        fixed = self.thresholds.fixed
        for x in (self.thresholds.lowest, *((fixed.low, fixed.high) if fixed else ())):
            if not x > self.regions.score:
                raise ValueError(f"the threshold {x:g} must be above regions.score = {self.regions.score:g}")
        return self


DISPLACED = Analysis(
    title="long-lived heavy neutral leptons",
    needs=Needs(),
    processor=DisplacedProcessor,
    distributions=DISTRIBUTIONS,
    stages=STAGES,
    varies_jets=True,
    settings=DisplacedSettings,
)
