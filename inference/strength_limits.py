"""The limit on the signal strength mu of one model, of any search, and its exports for pyhf and Combine.

What the other methods say is beside it (`inference.methods`). With blinded data the limit is the expected one, and
Asimov data are exported.
"""

from pathlib import Path

from hnl import provenance
from hnl.inference import asymptotics, combine, exported_limits, lhc, pyhf_model, toys
from hnl.inference.methods import ASYMPTOTIC, LHC, Method
from hnl.inference.model import Model
from hnl.inference.results import StrengthLimit


def strength_limit(
    name: str, model: Model, folder: Path, *, method: Method = LHC, toys_per_hypothesis: int = toys.TOYS, seed: int = 1
) -> StrengthLimit:
    """The limit on mu of a model, which is also written for other programs.

    Args:
        name: of the model; exported files begin with it.
        model: of a signal and its background.
        folder: for the exported files.
        method: of the limit.
        toys_per_hypothesis: hybrid ones.
        seed: of the toys.

    Raises:
        FitError: there is no limit; nothing is written.
        OutputError: the files cannot be written.
    """
    quoted = asymptotic = asymptotics.upper_limit(model)
    hybrid, error, failed = None, 0.0, 0
    if method != ASYMPTOTIC:
        quoted = hybrid = toys.Toys(model, toys_per_hypothesis, seed).upper_limit()
    if method == LHC:
        quoted, error, failed = lhc.upper_limit(model, seed=seed, hybrid=hybrid)
    result = StrengthLimit(
        observed=quoted.observed,
        expected=quoted.expected,
        method=quoted.method,
        few_events=toys.few_events(model),
        toys=quoted.toys,
        observed_asymptotic=asymptotic.observed,
        expected_asymptotic=asymptotic.expected,
        observed_hybrid=hybrid.observed if hybrid else None,
        expected_hybrid=hybrid.expected if hybrid else (),
        error=error,
        failed=failed,
        expected_in_a=float(toys.expected_in_a(model)),
        model=f"{name}_expected" if model.hidden else name,
    )
    export(result, model, folder)
    return result


def export(limit: StrengthLimit, model: Model, folder: Path) -> None:
    """Writes a model as a pyhf workspace and a Combine card, which says how its limit is found again."""
    shown = model.asimov() if model.hidden else model
    provenance.write_json(folder / f"{limit.model}_pyhf.json", pyhf_model.export(shown))
    card = exported_limits.comments(limit) + combine.export(shown)
    provenance.write_text(folder / f"{limit.model}_combine.txt", card)
