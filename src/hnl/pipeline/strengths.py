"""Limits on the signal strength mu at the points that were simulated, and what is written of them."""

from collections.abc import Sequence
from pathlib import Path

from hnl import provenance
from hnl.corrections import lifetime
from hnl.corrections.lifetime import PointError, ReweightingError, Sample, TooFewEventsError
from hnl.inference import combine, pyhf_model, toys
from hnl.inference.likelihood import FitError
from hnl.pipeline import modelling
from hnl.pipeline.modelling import Inputs
from hnl.pipeline.scan import CURVES, Settings
from hnl.pipeline.tables import Column, Record, Table, short

FILE = "strengths.csv"
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


def table(samples: Sequence[Record], label: str) -> Table:
    """Limits on mu where samples cannot be reweighted: each is for its generated lifetime, and there is no scan."""
    rows: list[Record] = []
    for one in samples:
        if one["generated_only"]:
            row = {key: one.get(key) for key in ("sample", "coupling", "nature", "mass", "v2", "ctau", "observed")}
            expected = one.get("expected") or [None] * 5
            row |= dict(zip(CURVES[1:], expected, strict=True))
            row |= {"method": one.get("method"), "refused": one["refused"], "lifetime": GENERATED_ONLY, "label": label}
            rows.append(row)
    columns = [
        Column("coupling", "coupling"),
        Column("nature", "nature"),
        Column("mass", "m_N", short),
        Column("v2", "|V|^2", short),
        Column("ctau", "c tau (mm)", short),
        Column("expected", "expected mu <", short),
        Column("observed", "observed mu <", short),
        Column("method", "CLs by"),
        Column("refused", "refused"),
    ]
    note = f"{label}; 95 % CLs; {GENERATED_ONLY}: samples without the true decay length of N, no scan of |V|^2"
    return Table("strengths", "Limits on the signal strength at generated lifetimes", columns, rows, note)
