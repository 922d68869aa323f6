"""A small output folder with trained and scored classifiers, made once."""

from pathlib import Path

import pytest
import synthetic

from hnl.ml import learning


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, learning.Trained]:
    """Folder and what `train` returned."""
    out = synthetic.write(tmp_path_factory.mktemp("trained"), synthetic.standard(400))
    result = learning.train(out, settings=synthetic.QUICK, workers=2)
    learning.score(out)
    return out, result
