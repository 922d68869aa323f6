"""Stage `train`: candidates -> classifiers and how good they are."""

from collections.abc import Callable

from hnl import layout, provenance
from hnl.ml import learning
from hnl.ml.learning import Trained
from hnl.ml.settings import Settings
from hnl.stages.run import Run


def run(
    at: Run,
    *,
    settings: Settings | None = None,
    tune: int = 0,
    workers: int | None = None,
    on_plan: Callable[[int], None] = lambda models: None,
    on_model: Callable[[str], None] = lambda name: None,
) -> Trained:
    """Writes OUT/models with evaluation.json.

    Args and Raises: see `ml.learning.train`.
    """
    found = learning.train(
        at.selection, settings=settings, tune=tune, workers=workers, on_plan=on_plan, on_model=on_model
    )
    content = {"metrics": found.metrics, "skipped": found.skipped, "partial": at.selection.partial}
    provenance.write_json(at.out / layout.EVALUATION, content | {"provenance": provenance.record()})
    return found
