"""The search of CMS EXO-21-011: W -> l1 N, N -> l2 q q', with l2 in a jet and in a secondary vertex."""

from hnl.analysis import Analysis
from hnl.datasets.nanoaod import Needs
from hnl.histograms.displaced.distributions import DISTRIBUTIONS
from hnl.processors.displaced.processor import DisplacedProcessor
from hnl.stages.displaced import STAGES

DISPLACED = Analysis(
    title="long-lived heavy neutral leptons",
    needs=Needs(),
    processor=DisplacedProcessor,
    distributions=DISTRIBUTIONS,
    stages=STAGES,
    varies_jets=True,
)
