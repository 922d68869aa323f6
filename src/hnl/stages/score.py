"""Stage `score`: candidates and classifiers -> scores."""

from pathlib import Path

from hnl.ml import learning
from hnl.stages.run import Run


def run(at: Run, *, models_folder: Path | None = None) -> dict[str, dict[str, int]]:
    """Writes OUT/scores, see `ml.learning.score`."""
    return learning.score(at.selection, models_folder=models_folder)
