"""Stage `fit` of a search that gives its statistical models by name: pulls, impacts, goodness of fit, fitted yields."""

from collections.abc import Sequence

from hnl import provenance
from hnl.inference import fitting
from hnl.inference.fitting import EXPECTED, OBSERVED
from hnl.inference.results import FitFile
from hnl.stages import fitted
from hnl.stages.fitted import Fitted
from hnl.stages.run import Run


def run(at: Run, *, samples: Sequence[str] = (), toys: int = 0, seed: int = 1) -> Fitted:
    """Fits models and writes OUT/fit.

    Args:
        at: with a finished selection.
        samples: names of models; all by default.
        toys: for the goodness of fit.
        seed: of the toys.

    Raises:
        AnalysisError: the search has no models, or none of a name.
        HNLError: see `inference.fitting.fit_models`.
    """
    models = at.models(samples)
    fits, refused = fitting.fit_models(models, toys=toys, seed=seed)
    hidden = any(model.hidden for model in models.values())
    content = FitFile(
        format=FitFile.FORMAT,
        label=at.label(hidden=hidden),
        projected=False,
        data=EXPECTED if hidden else OBSERVED,
        luminosity=at.luminosity,
        correlated_closure=None,
        fits=tuple(fits),
        refused=refused,
        partial=tuple(at.selection.partial),
        provenance=provenance.record(),
    )
    return fitted.write(at.out, content)
