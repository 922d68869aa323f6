"""A small output folder with trained and scored classifiers, made once."""

from pathlib import Path

import pytest
import synthetic

from hnl.ml.learning import Trained
from hnl.stages import score, train
from hnl.stages.run import Run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    """Folder and what `train` returned."""
    out = synthetic.write(tmp_path_factory.mktemp("trained"), synthetic.standard(400))
    result = train.run(Run(out), settings=synthetic.QUICK, workers=2)
    score.run(Run(out))
    return out, result
