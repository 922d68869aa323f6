"""Stage `fit`: pulls, impacts, goodness of fit and fitted yields, at simulated points."""

from collections.abc import Sequence

from hnl import provenance
from hnl.inference.displaced import fitting, inputs
from hnl.inference.fitting import EXPECTED, OBSERVED
from hnl.inference.results import FitFile
from hnl.stages import fitted
from hnl.stages.fitted import Fitted
from hnl.stages.run import Run


def run(
    at: Run,
    *,
    samples: Sequence[str] = (),
    luminosity: float | None = None,
    correlated: bool = True,
    toys: int = 0,
    seed: int = 1,
) -> Fitted:
    """Fits the models of some signal samples, and writes OUT/fit (or OUT/fit_projection_Lfb).

    Args:
        at: a finished run.
        samples: names of signal datasets; by default, for each coupling, the one with the best expected limit.
        luminosity: /fb; simulated background is projected to it in place of data.
        correlated: one closure parameter a category, or one a bin.
        toys: for the goodness of fit.
        seed: of the toys.

    Raises:
        HNLError: see `inputs.load` and `fitting.fit_samples`.
    """
    of_run = inputs.load(at, luminosity=luminosity)
    fits, refused = fitting.fit_samples(of_run, samples, correlated=correlated, toys=toys, seed=seed)
    background = of_run.background
    content = FitFile(
        format=FitFile.FORMAT,
        label=background.label,
        projected=luminosity is not None,
        data=EXPECTED if background.hidden else OBSERVED,
        luminosity=background.luminosity,
        correlated_closure=correlated,
        fits=tuple(fits),
        refused=refused,
        partial=tuple(at.selection.partial),
        provenance=provenance.record(),
    )
    return fitted.write(at.out, content)
