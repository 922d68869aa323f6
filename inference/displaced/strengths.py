"""Limits on the signal strength mu at the points that were simulated."""

from collections.abc import Sequence
from pathlib import Path

from hnl import provenance
from hnl.corrections import lifetime
from hnl.corrections.lifetime import PointError, ReweightingError, Sample, TooFewEventsError
from hnl.inference import combine, pyhf_model, toys
from hnl.inference.displaced import modelling
from hnl.inference.displaced.modelling import Inputs
from hnl.inference.displaced.scan import Settings
from hnl.inference.likelihood import FitError
from hnl.inference.records import Record

GENERATED_ONLY = "generated lifetime only"

Key = tuple[str, str, float]  # coupling, nature, mass in GeV


def limits(
    inputs: Inputs, settings: Settings, scanned: Sequence[Key], fixed: Sequence[Key], folder: Path
) -> list[Record]:
    """The limit on mu at simulated points, and the model for pyhf and Combine.

    Args:
        inputs: of the run.
        settings: of the scan.
        scanned: masses at which |V|^2 is scanned.
        fixed: those with samples that cannot be reweighted: their limits are marked `generated_only`.
        folder: for the models.
    """
    reach, result = inputs.signals.reach, []
    for sample in (d.sample for d in inputs.signals.datasets if d.sample.truth and reach.is_free(d.sample.point)):
        if (sample.point.coupling, sample.point.nature, sample.point.mass) in scanned:
            result.append(_limit(inputs, settings, sample, sample.point.nature, folder, generated_only=False))
    for coupling, nature, mass in fixed:
        for sample in (s for s in reach.fixed(coupling, nature) if s.point.mass == mass):
            result.append(_limit(inputs, settings, sample, nature, folder, generated_only=True))
    return result


def _limit(
    inputs: Inputs, settings: Settings, sample: Sample, nature: str, folder: Path, *, generated_only: bool
) -> Record:
    stem = sample.name if nature == sample.point.nature else f"{sample.name}_{nature}"
    row: Record = {"sample": sample.name, "coupling": sample.point.coupling, "nature": nature}
    row |= {"mass": sample.point.mass, "ctau": sample.ctau, "generated_only": generated_only, "refused": ""}
    try:
        found = inputs.signals.of_sample(sample, nature)
        point = found.point
        row |= {"v2_e": point.v2_e, "v2_mu": point.v2_mu, "v2": point.v2, "ctau": point.ctau}
        row |= {"effective": found.effective}
        lifetime.require(found.effective, point)
        model = modelling.model(found, inputs, correlated=settings.correlated)
        found_limits = toys.limits(model, toys=settings.toys, seed=settings.seed)
    except (TooFewEventsError, FitError) as error:
        return row | {"refused": str(error)}
    except (PointError, ReweightingError) as error:
        if not generated_only:
            raise
        return row | {"refused": str(error)}
    shown = model.asimov() if model.hidden else model
    stem += "_expected" if model.hidden else ""
    provenance.write_json(folder / f"{stem}_pyhf.json", pyhf_model.export(shown))
    provenance.write_text(folder / f"{stem}_combine.txt", combine.export(shown))
    quoted, asymptotic = found_limits[0], found_limits[-1]
    row |= {"observed": quoted.observed, "expected": list(quoted.expected), "method": quoted.method}
    row |= {"few_events": toys.few_events(model), "toys": quoted.toys}
    row |= {"observed_asymptotic": asymptotic.observed, "expected_asymptotic": list(asymptotic.expected)}
    return row | {"expected_in_a": float(toys.expected_in_a(model)), "model": stem}
