"""The search of CMS EXO-21-011: W -> l1 N, N -> l2 q q', with l2 in a jet and in a secondary vertex."""

from pydantic import Field

from hnl.analysis import Analysis
from hnl.datasets.model import Settings
from hnl.datasets.nanoaod import Needs
from hnl.histograms.displaced.distributions import DISTRIBUTIONS
from hnl.ml.settings import TrainingSettings
from hnl.processors.displaced.processor import DisplacedProcessor
from hnl.stages.displaced import STAGES


class DisplacedSettings(Settings):
    """What a catalogue may change of the displaced search, by room."""

    training: TrainingSettings = Field(default=TrainingSettings(), description="of the classifiers")


DISPLACED = Analysis(
    title="long-lived heavy neutral leptons",
    needs=Needs(),
    processor=DisplacedProcessor,
    distributions=DISTRIBUTIONS,
    stages=STAGES,
    varies_jets=True,
    settings=DisplacedSettings,
)
