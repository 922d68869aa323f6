"""Limits on the signal strength mu at the points that were simulated."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hnl.corrections import lifetime
from hnl.corrections.lifetime import PointError, ReweightingError, SignalSample, TooFewEventsError
from hnl.inference.displaced import modelling
from hnl.inference.displaced.limits import ScanRequest
from hnl.inference.displaced.modelling import Inputs
from hnl.inference.displaced.results import SampleLimit
from hnl.inference.displaced.scan_results import ScanSettings
from hnl.inference.likelihood import FitError
from hnl.inference.strength_limits import strength_limit


def limits(
    inputs: Inputs,
    settings: ScanSettings,
    scanned: Sequence[ScanRequest],
    generated_only: Sequence[ScanRequest],
    folder: Path,
) -> list[SampleLimit]:
    """The limit on mu at simulated points, and the models for pyhf and Combine.

    Args:
        inputs: of the run.
        settings: of the scan.
        scanned: masses at which |V|^2 is scanned.
        generated_only: those with samples that cannot be reweighted.
        folder: for the models.
    """
    reach, result = inputs.signals.reach, []
    for sample in (d.sample for d in inputs.signals.datasets if d.sample.truth and reach.is_free(d.sample.point)):
        if ScanRequest(sample.point.pattern, sample.point.nature, sample.point.mass) in scanned:
            result.append(_limit(inputs, settings, sample, sample.point.nature, folder, generated_only=False))
    for request in generated_only:
        for sample in reach.fixed(request.coupling, request.nature):
            if sample.point.mass == request.mass:
                result.append(_limit(inputs, settings, sample, request.nature, folder, generated_only=True))
    return result


def _limit(
    inputs: Inputs, settings: ScanSettings, sample: SignalSample, nature: str, folder: Path, *, generated_only: bool
) -> SampleLimit:
    name = sample.name if nature == sample.point.nature else f"{sample.name}_{nature}"
    coupling, mass = sample.point.pattern, sample.point.mass
    result = SampleLimit(sample.name, coupling, nature, mass, sample.ctau, generated_only)
    try:
        yields = inputs.signals.of_sample(sample, nature)
        point = yields.point
        result = replace(
            result, ctau=point.ctau, v2_e=point.v2_e, v2_mu=point.v2_mu, v2=point.v2, effective=yields.effective
        )
        lifetime.require(yields.effective, point)
        model = modelling.model(yields, inputs, correlated=settings.correlated)
        limit = strength_limit(
            name, model, folder, method=settings.method, toys_per_hypothesis=settings.toys, seed=settings.seed
        )
    except (TooFewEventsError, FitError) as error:
        return replace(result, refused=str(error))
    except (PointError, ReweightingError) as error:
        if not generated_only:
            raise
        return replace(result, refused=str(error))
    return replace(result, limit=limit)
